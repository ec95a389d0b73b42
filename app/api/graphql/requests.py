"""GraphQL over HTTP, coming in: methods, media types and parameters, each read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.api.bodies import decode
from app.api.errors import Refused
from app.api.graphql.scalars import floating
from app.api.requests import SMALL
from app.domain.errors import Fault, Unreadable

JSON, RESPONSE, HTML = "application/json", "application/graphql-response+json", "text/html"
ANSWERS = (JSON, RESPONSE)
PARAMETERS = ("query", "variables", "operationName", "extensions")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks to execute. `reading`: it came by GET, and may not change anything."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None
    reading: bool = False


def media(accept: str | None) -> str:
    """The type to answer in: what is accepted most, JSON where that is no matter. Refused where nothing fits."""
    if not accept or accept == "*/*":
        return JSON
    best, rank = None, 0.0
    for part in accept.split(","):
        kind, _, rest = part.partition(";")
        quality = _quality(rest)
        kind = kind.strip().lower()
        found = kind if kind in (*ANSWERS, HTML) else JSON if kind in ("*/*", "application/*") else None
        if found is not None and quality > rank:
            best, rank = found, quality
    if best is None:
        expected = " or ".join(ANSWERS)
        raise Refused(
            "not-acceptable", f"Answers are {expected}.", (Fault(f"Expected {expected}.", parameter="Accept"),)
        )
    return best


def _quality(rest: str) -> float:
    for one in rest.split(";"):
        name, _, value = one.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def of_body(raw: bytes) -> Asked:
    """The parameters of a POST. Raises Unreadable."""
    body = decode(raw)
    if not isinstance(body, dict):
        raise _unreadable("Expected one JSON object: batches are not taken.", "")
    return _asked(body, reading=False)


def of_query(query: Mapping[str, str]) -> Asked:
    """The parameters of a GET; variables and extensions are JSON. Raises Unreadable."""
    told: dict[str, Any] = dict(query)
    for name in ("variables", "extensions"):
        if name in told:
            told[name] = decode(told[name].encode())
    return _asked(told, reading=True)


def _asked(told: Mapping[str, Any], *, reading: bool) -> Asked:
    for name in told:
        if name not in PARAMETERS:
            raise _unreadable(f"Expected no members but {', '.join(PARAMETERS)}.", f"/{name}"[:SMALL])
    query, variables = told.get("query"), told.get("variables")
    operation, extensions = told.get("operationName"), told.get("extensions")
    if not isinstance(query, str) or not query:
        raise _unreadable("Expected a GraphQL document as text.", "/query")
    if variables is not None and not isinstance(variables, dict):
        raise _unreadable("Expected an object of variables.", "/variables")
    if operation is not None and not isinstance(operation, str):
        raise _unreadable("Expected an operation's name as text.", "/operationName")
    if extensions is not None and not isinstance(extensions, dict):
        raise _unreadable("Expected an object of extensions.", "/extensions")
    return Asked(query, floating(variables) if variables else {}, operation or None, reading)


def _unreadable(message: str, pointer: str) -> Unreadable:
    return Unreadable(message, (Fault(message, pointer=pointer),))
