"""POST /v1/{collection}/bulk: many records in one body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec

from app.api import schemas
from app.api.bodies import decode
from app.api.conditions import call
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.parameters import IDEMPOTENCY_KEY
from app.api.rest.writes import bare
from app.api.routes import Handler, Payload, Route
from app.domain import bulk as rules
from app.domain.catalogue import ENTITIES, Entity
from app.domain.errors import Fault, Invalid
from app.domain.records import only
from app.services import bulk
from app.services.aside import aside
from app.services.importing.json_records import Sent, sent

LIMIT = 16 << 20
"""Bytes of a body: 10,000 records with 1,600 each."""
AT_ONCE = 64 << 10
"""Bytes that are looked through within a millisecond; more are, beside the loop that serves everybody else."""
MEMBERS = ("records", "mode")
RELATED = "related records"
TAGS = {
    "accounts": "accounts",
    **dict.fromkeys(("users", "teams", "industries", "products", "features", "stages"), "directory"),
}


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    records: msgspec.Raw
    mode: msgspec.Raw | None = None


_BODY = msgspec.json.Decoder(_Body)


def _sent(raw: bytes) -> tuple[Sent, object, str]:
    return *asked(raw), sha256(raw).hexdigest()


def asked(raw: bytes) -> tuple[Sent, object]:
    """The records, to be read later, and what is said of the mode. Raises Unreadable, Invalid."""
    try:
        body = _BODY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _whole(raw)
    records, mode = bytes(body.records), body.mode
    said = 1 + (mode is not None)
    # A member that stands twice, or anything else that only the strict reader can tell.
    if raw.count(b'":') - records.count(b'":') != said or not records.startswith(b"["):
        return _whole(raw)
    return sent(records, lambda: _members(raw)["records"]), None if mode is None else msgspec.json.decode(mode)


def _whole(raw: bytes) -> tuple[Sent, object]:
    """The same by the reader of all bodies."""
    members = _members(raw)
    records: Sequence[object] = members["records"]
    return Sent(encoded(records), len(records), lambda: records), members.get("mode")


def _members(raw: bytes) -> Mapping[str, Any]:
    body = only(decode(raw), MEMBERS)
    if not isinstance(body.get("records"), list):
        raise Invalid(faults=(Fault("Expected an array of records.", pointer="/records"),))
    return body


def _handler(entity: Entity) -> Handler:
    async def upsert(request: Request) -> Answer:
        request.query(())
        request.content_type("application/json")
        raw = await request.body(LIMIT)
        told, mode, digest = _sent(raw) if len(raw) <= AT_ONCE else await aside(partial(_sent, raw))
        bound = call(request, digest)
        written = await bulk.upsert(request.db, bound, entity.name, told, rules.mode(mode))
        return bare(written)

    return upsert


RESULT = {
    "type": "object",
    "required": ["index", "id", "outcome", "version", "errors"],
    "properties": {
        "index": {"type": "integer", "description": "of the record, from 0"},
        "id": {"type": ["string", "null"], "format": "uuid", "description": "null of what was rejected, and of usage"},
        "outcome": {"type": "string", "enum": list(rules.OUTCOMES)},
        "version": {"type": ["integer", "null"]},
        "errors": {"type": "array", "items": schemas.ref("Fault")},
    },
}
COUNTS: dict[str, Any] = {outcome: {"type": "integer"} for outcome in rules.OUTCOMES}
ANSWER = {
    "type": "object",
    "required": [*rules.OUTCOMES, "results"],
    "properties": {
        **COUNTS,
        "results": {"type": "array", "items": RESULT, "description": "in the order of the records"},
    },
}
WORDS = """Each record is made or changed by its {key}; members that are not given are left as they are, `null` empties. \
References are told by id, external id or e-mail. No two records of one call may be for the same. With mode `all` one bad \
record refuses everything, and `errors` points at the first {faults} faults; with `rows` the others land. A record that \
says what is stored already is not written."""


def _record(entity: Entity) -> dict[str, Any]:
    """What a record may say: what it is found by it must."""
    if entity.key == "none":
        return schemas.entered(entity, partial=False)
    made = schemas.entered(entity, partial=True)
    made["properties"][entity.key] = {**made["properties"][entity.key], "type": "string", "minLength": 1}
    return {**made, "required": [entity.key]}


def _body(entity: Entity) -> Payload:
    schema = {
        "type": "object",
        "required": ["records"],
        "additionalProperties": False,
        "properties": {
            "records": {
                "type": "array", "minItems": 1, "maxItems": rules.RECORDS, "items": _record(entity),
            },
            "mode": {"type": ["string", "null"], "enum": [*rules.MODES, None], "default": "all"},
        },
    }  # fmt: skip
    return Payload(schema, example={"records": [EXAMPLES[entity.name]], "mode": "all"})


EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "accounts": {"external_id": "crm-1042", "name": "Acme", "health": 62},
    "contacts": {"external_id": "p-7", "account": "crm-1042", "name": "Ada Byron", "role": "champion"},
    "contracts": {"external_id": "c-2026", "account": "crm-1042", "arr": 24000, "start_date": "2026-01-01"},
    "opportunities": {"external_id": "o-1", "account": "crm-1042", "name": "More seats", "stage": "open", "amount": 6000, "opened_at": "2026-11-01"},
    "usage": {"account": "crm-1042", "feature": "login", "day": "2026-11-20", "value": 12},
    "interactions": {"external_id": "i-1", "account": "crm-1042", "kind": "call", "direction": "outbound", "occurred_at": "2026-11-20T10:00:00Z"},
    "invoices": {"external_id": "n-1", "account": "crm-1042", "status": "unpaid", "amount": 2000, "issued_at": "2026-11-01", "due_at": "2026-12-01"},
    "surveys": {"external_id": "s-1", "account": "crm-1042", "kind": "nps", "score": 9, "answered_at": "2026-11-20T10:00:00Z"},
    "tickets": {"external_id": "t-1", "account": "crm-1042", "status": "open", "priority": "high", "opened_at": "2026-11-20T10:00:00Z"},
    "requests": {"external_id": "r-1", "account": "crm-1042", "kind": "discount", "status": "open", "asked_at": "2026-11-20T10:00:00Z"},
    "sentiments": {"external_id": "m-1", "account": "crm-1042", "author": "eva@example.com", "score": 4, "recorded_at": "2026-11-20T10:00:00Z"},
    "churns": {"external_id": "h-1", "account": "crm-1042", "churned_at": "2026-11-20"},
    "users": {"external_id": "u-1", "name": "Eva", "email": "eva@example.com", "role": "csm"},
    "stages": {"slug": "trial", "name": "Trial", "position": 1},
    **{name: {"slug": "software", "name": "Software"} for name in ("products", "features", "teams", "industries")},
}  # fmt: skip


def _route(entity: Entity) -> Route:
    known_by = {"external_id": "`external_id`", "slug": "`slug`", "none": "account, contact, feature and day"}[
        entity.key
    ]
    return Route(
        "POST", f"/v1/{entity.name}/bulk", bulk.operation(entity.name), _handler(entity), f"Make or change many {entity.name}",
        TAGS.get(entity.name, RELATED), WORDS.format(key=known_by, faults=rules.FAULTS), parameters=(IDEMPOTENCY_KEY,),
        answer=Payload(ANSWER), body=_body(entity), problems=("conflict",),
    )  # fmt: skip


ROUTES = tuple(_route(entity) for entity in ENTITIES.values() if entity.imported)
