"""Reads of catalogue entities: one declaration per address gives the handler and its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from app.api import schemas
from app.api.conditions import tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.parameters import FIELDS, IF_NONE_MATCH, INCLUDE, QUESTION
from app.api.routes import Handler, Parameter, Payload, Route
from app.domain.catalogue import ENTITIES
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
from app.services import reads
from app.services.reads import Ask

NAMES = frozenset(parameter.name for parameter in QUESTION)
SHOWN = frozenset(("fields", "include"))


def envelope(answer: reads.Answer, limit: int) -> Answer:
    """A page as it came from the database, within its envelope."""
    tail = encoded(
        {
            "page": {"next": answer.next, "limit": limit},
            "count": None if answer.count is None else {"value": answer.count[0], "exact": answer.count[1]},
            "as_of": answer.as_of,
            "windows": answer.windows,
        }
    )
    return Answer(b'{"data":' + answer.data + b"," + tail[1:])
