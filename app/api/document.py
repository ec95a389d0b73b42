"""The OpenAPI document, made from the declared routes, the catalogue and the problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.api import schemas, segmentation_bodies
from app.api.errors import PROBLEMS, members
from app.api.routes import PUBLIC, Parameter, Payload, Route
from app.domain.catalogue import ENTITIES
from app.domain.errors import Fault
from app.domain.related import RELATED
from app.domain.roles import ROLES, RULES
from app.services import records

VERSION = "1"
ABOUT = """Customer segments, lists and renewal forecasts.

Every request but those for documentation carries `Authorization: Bearer <API key or JWT>`, and the workspace follows.
Money is a number in major units of the workspace's currency, dates are `YYYY-MM-DD`, instants are RFC 3339 in UTC,
what is empty is `null`. Every answer carries `X-Request-Id`, `RateLimit` and `RateLimit-Policy`.
"""
TAGS = {
    "accounts": "Customer accounts, and what belongs to each",
    "related records": "Contacts, contracts, usage and whatever else belongs to accounts, as collections of their own",
    "directory": "Users, teams, and what the organisation has named: industries, products, features, stages",
    "lifecycle": "Stages that accounts move through, and economic scenarios",
    "lists": "Saved lists",
    "segmentations": "Segmentations, their segments and who stands in them",
    "scores": "Health, engagement and consumption: what they are made of, and why they are what they are",
    "engagements": "Who is due for which touch, what customers ask for, and how many CSMs that takes",
    "forecasts": "Renewal forecasts, calls, and what became of them",
    "retention": "What was kept of what there was, and of what was due",
    "imports": "Bulk data",
    "workspace": "The workspace, its keys, and the caller",
    "catalog": "What can be asked for",
    "criteria": "Criteria: read, printed, checked, tried out",
    "problems": "What problems mean",
    "operations": "Health, counters, documentation",
}
_CREDENTIAL = "an API key: `strata_…`, or a JWT of the issuer that this service trusts"
ALWAYS = ("X-Request-Id", "RateLimit", "RateLimit-Policy")
"""Headers of every answer; the two of limits are left out where the service has none."""
BESIDE: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 405: ("Allow",), 409: ("Retry-After",), 429: ("Retry-After",), 503: ("Retry-After",),
}  # fmt: skip
"""Those of a problem, by its status."""
_JSON_BODY = ("unreadable", "too-large", "unsupported-media-type", "invalid")


def build(routes: Iterable[Route]) -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Strata", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": _responses(),
            "headers": _HEADERS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _CREDENTIAL}},
        },
        "security": [{"key": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    words = [route.description] if route.description else []
    if route.operation != PUBLIC:
        words.append(_who(route.operation))
    made: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": "\n\n".join(words),
        "tags": [route.tag],
        "responses": _answers(route),
    }
    if route.parameters:
        made["parameters"] = [_parameter(p) for p in route.parameters]
    if route.body is not None:
        made["requestBody"] = {"required": route.body.required, "content": _content(route.body)}
        if route.body.description:
            made["requestBody"]["description"] = route.body.description
    if route.operation == PUBLIC:
        made["security"] = []
    return made


def _operation_id(route: Route) -> str:
    parts = [
        part.strip("{}").replace("-", "_").replace(".", "_") for part in route.path.split("/") if part not in ("", "v1")
    ]
    return "_".join([route.method.lower(), *(parts or [route.path.strip("/") or "start"])])


def _who(operation: str) -> str:
    rule = RULES[operation]
    roles: list[str] = [role for role in ROLES if role in rule.always]
    roles += [f"{role} (their own)" for role in ROLES if role in rule.own]
    if rule.scope:
        roles.append(f"service with the scope `{rule.scope}`")
    return f"For: {', '.join(roles)}."


def _parameter(parameter: Parameter) -> dict[str, Any]:
    made = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    }
    if parameter.where == "query" and parameter.schema["type"] == "string" and "enum" not in parameter.schema:
        made["schema"] = {"minLength": 1, **parameter.schema}  # what is empty is refused: it is left out
    if parameter.example is not None:
        made["example"] = parameter.example
    return made


def _content(payload: Payload) -> dict[str, Any]:
    made: dict[str, Any] = {"schema": payload.schema}
    if payload.example is not None:
        made["example"] = payload.example
    return dict.fromkeys(payload.media, made)


def _answers(route: Route) -> dict[str, Any]:
    names = [*ALWAYS, *route.headers]
    if any(parameter.name == "Idempotency-Key" for parameter in route.parameters):
        names.append("Idempotency-Replayed")
    answer: dict[str, Any] = {
        "description": route.summary,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if route.answer is not None:
        answer["content"] = _content(route.answer)
    answers = {str(route.status): answer}
    if (
        route.method == "PUT"
        and route.status == 200
        and any(p.name == "If-Match" and not p.required for p in route.parameters)
    ):
        location = {"Location": {"$ref": "#/components/headers/Location"}}
        answers["201"] = {**answer, "description": "It was made", "headers": {**answer["headers"], **location}}
    if any(p.name == "If-None-Match" for p in route.parameters):
        answers["304"] = {
            "description": "It is still that representation",
            "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
        }
    for status in sorted({PROBLEMS[name].status for name in _problems(route)}):
        answers[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return answers


def _problems(route: Route) -> set[str]:
    """Names of the problems that the route can answer with; most follow from what it takes."""
    names = {"too-many-requests", "internal", *route.problems}
    where = {p.where for p in route.parameters}
    named = {p.name for p in route.parameters}
    if route.operation != PUBLIC:
        names |= {"unauthenticated", "forbidden", "unavailable"}
    if route.operation != PUBLIC:
        names.add("unreadable")
    if route.method == "GET":
        names |= {"unreadable", "invalid"}
    if "path" in where:
        names.add("not-found")
    if route.body is not None:
        names |= set(_JSON_BODY)
    if "If-Match" in named:
        names |= {"unreadable", "version-required", "version-stale"}
    if "Idempotency-Key" in named:
        names |= {"invalid", "key-reused", "key-still-running"}
    return names


def _schemas() -> dict[str, Any]:
    made = {**schemas.SHARED, **segmentation_bodies.SCHEMAS}
    for entity in ENTITIES.values():
        made[schemas.title(entity)] = schemas.record(entity)
    for name in ("accounts", *records.WRITABLE):
        entity = ENTITIES[name]
        made[schemas.new(entity)] = schemas.entered(entity, partial=False)
        made[schemas.change(entity)] = schemas.changed(entity)
        if name in RELATED:
            made[schemas.below(entity)] = schemas.entered(entity, partial=False, below=True)
    return made


def _responses() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for status in sorted({p.status for p in PROBLEMS.values()}):
        here = [p for p in PROBLEMS.values() if p.status == status]
        fault = Fault("What is wrong, and what was expected.", parameter="filter", suggestion="the nearest known name")
        names = [*ALWAYS, *BESIDE.get(status, ())]
        made[f"Problem{status}"] = {
            "description": "; ".join(p.title for p in here),
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
            "content": {
                "application/problem+json": {
                    "schema": schemas.ref("Problem"),
                    "examples": {
                        p.name: {"value": members(p, p.advice, (fault,) if status in (400, 422) else (), "3f8a1c")}
                        for p in here
                    },
                }
            },
        }
    return made


def _header(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


_HEADERS: dict[str, Any] = {
    "X-Request-Id": _header("names the request in logs; taken from the request where it is short and plain"),
    "RateLimit": _header('requests left, and seconds until all are there again: `"credential";r=599999;t=1`'),
    "RateLimit-Policy": _header('requests per window in seconds: `"credential";q=600000;w=60`'),
    "ETag": _header("strong entity tag of the version and the representation; If-Match compares the version"),
    "Location": _header("address of what was made"),
    "Idempotency-Replayed": _header(
        "`true` where the answer is that of an earlier request with the same Idempotency-Key"
    ),
    "WWW-Authenticate": _header(
        'what is asked for: `Bearer realm="strata"`, then what is wrong with what was sent, as of RFC 6750'
    ),
    "Allow": _header("the methods that the address takes"),
    "Retry-After": _header("seconds to wait", "integer"),
    "Content-Disposition": _header("what the file is called"),
    "X-Strata-As-Of": _header("the moment that windows were resolved at"),
    "X-Strata-Windows": _header("relative windows with the bounds that they meant, as a JSON array of `Window`"),
}
