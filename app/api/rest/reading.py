"""Reads of catalogue entities: one declaration per address gives the handler and its documentation."""

from __future__ import annotations

from app.api.responses import Answer, encoded
from app.api.rest.parameters import QUESTION
from app.services import reads

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
