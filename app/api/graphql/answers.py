"""GraphQL's answers: data and errors as JSON, and every error with the members of a problem."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from graphql import GraphQLError

from app.api.errors import PROBLEMS, Problem, members, problem_of
from app.api.graphql.build import camel
from app.domain.errors import Fault, StrataError

log = logging.getLogger("app.api.graphql")

LONGEST = 300
"""Characters of a message: what GraphQL says of a document quotes it."""
FOUND = re.compile(r"[.,;] [Ff]ound: |(?<=\?) [Ff]ound: ")
MEANT = re.compile(r"Did you mean (?:the \w+ )?'(\w+)'")
"""The nearest name, as GraphQL says it."""
CRITERIA = re.compile(r"type '(?!Related)\w+Filter' to be an object, found: [\"']")
"""A text where a tree of criteria belongs."""
ARGUMENTS = {
    name: camel(name)
    for name in ("actor_id", "as_of", "due_from", "due_on", "due_to", "for_user", "group_by", "request_id")
}
"""Arguments by the names that REST has for them."""
ENCODER = msgspec.json.Encoder(decimal_format="number")


def failed(errors: Iterable[GraphQLError], request_id: str) -> bytes:
    """An answer without data: the request could not be executed."""
    return ENCODER.encode({"errors": [of_document(error, request_id) for error in errors]})


def refused(error: StrataError, request_id: str) -> tuple[int, bytes]:
    """The status and answer of a request that was refused as a whole."""
    problem, detail, faults = _told(error)
    extensions = members(problem, detail, faults, request_id)
    return problem.status, ENCODER.encode({"errors": [{"message": detail, "extensions": extensions}]})


def answered(data: Any, errors: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """Data, which may hold bytes of JSON as msgspec.Raw, and what went wrong in parts of it."""
    return ENCODER.encode({"errors": errors, "data": data} if errors else {"data": data})


def of_document(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """What is wrong with a document or its variables."""
    # What was found is the caller's own, and may be long or nobody else's to see in a log.
    message = FOUND.split(error.message, maxsplit=1)[0]
    message = message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"
    places = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    first = places[0] if places else {}
    near = MEANT.search(message)
    suggestion = near and near.group(1)
    if CRITERIA.search(error.message):
        message, suggestion = f"{message.rstrip('.')}. Criteria as text go into `filter`.", "filter"
    fault = Fault(message, line=first.get("line"), column=first.get("column"), suggestion=suggestion)
    made: dict[str, Any] = {"message": message}
    if places:
        made["locations"] = places
    return {**made, "extensions": members(PROBLEMS["unreadable"], message, (fault,), request_id)}


def of_field(
    error: Exception, path: Sequence[str | int], locations: Sequence[Mapping[str, int]], request_id: str
) -> dict[str, Any]:
    """What went wrong in one field; what we do not know shows nothing of itself, and is logged."""
    problem, detail, faults = _told(error)
    if problem.name == "internal":
        log.error("unexpected", exc_info=error, extra={"request_id": request_id, "route": "/graphql"})
    made: dict[str, Any] = {"message": detail, "path": list(path)}
    if locations:
        made["locations"] = list(locations)
    return {**made, "extensions": members(problem, detail, faults, request_id)}


def of_execution(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """An error that graphql-core met while it executed."""
    if error.original_error is None or isinstance(error.original_error, GraphQLError):
        return {**of_document(error, request_id), **({"path": list(error.path)} if error.path else {})}
    places = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return of_field(error.original_error, error.path or (), places, request_id)


def _told(error: Exception) -> tuple[Problem, str, tuple[Fault, ...]]:
    if isinstance(error, StrataError):
        faults = (replace(one, parameter=ARGUMENTS.get(one.parameter or "", one.parameter)) for one in error.faults)
        return problem_of(error), error.detail, tuple(faults)
    return PROBLEMS["internal"], PROBLEMS["internal"].advice, ()
