"""Usage by hand: values of keys, which have no id and no version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.api import schemas
from app.api.conditions import call
from app.api.requests import Request
from app.api.responses import Answer, nothing
from app.api.rest.parameters import ACCOUNT, IDEMPOTENCY_KEY
from app.api.rest.writes import bare
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import USAGE
from app.domain.errors import Invalid
from app.domain.values import LINE
from app.services import usage

WRITE = "records.write"
TAG = "related records"
ROW: dict[str, Any] = {
    "account": "crm-1042",
    "contact": "ada@example.com",
    "feature": "reports",
    "day": "2026-11-20",
    "value": 12,
}
WORDS = (
    "A row says the value of (account, contact or none, feature, day). A value that stands is replaced, as an import does, "
    "so that saying the same twice changes nothing; equal keys of one call are summed. All rows or none."
)
ANSWER = Payload(
    {
        "type": "object",
        "required": ["rows"],
        "properties": {
            "rows": {
                "type": "array",
                "description": "each key once, with the value that it has now",
                "items": {
                    "type": "object",
                    "properties": {
                        USAGE.fields[n].column: schemas.of_field(USAGE.fields[n])
                        for n in ("account", "contact", "feature", "day", "value")
                    },
                },
            }
        },
    }
)
KEY = (
    Parameter("feature", "the feature's slug", {"type": "string"}, required=True, example="reports"),
    Parameter("day", "the day", {"type": "string", "format": "date"}, required=True, example="2026-11-20"),
    Parameter("contact", "whose value it is: id, external id or e-mail; nobody's in particular where it is left out",
              {"type": "string", "maxLength": LINE}),
)  # fmt: skip


async def put(request: Request) -> Answer:
    """The keys that were named, with their values."""
    request.query(())
    body = await request.object()
    return bare(await usage.put(request.db, call(request, body), body))


async def put_below(request: Request) -> Answer:
    """The same of one account."""
    request.query(())
    account = request.uuid(0)
    body = await request.object()
    return bare(await usage.put(request.db, call(request, body), body, account=account))


async def delete(request: Request) -> Answer:
    """Nothing: the value is gone."""
    key = dict(request.query([parameter.name for parameter in KEY]))
    account = request.uuid(0)
    await request.nothing()
    try:
        await usage.delete(request.db, call(request, key), account, key)
    except Invalid as error:
        error.faults = tuple(
            replace(fault, pointer=None, parameter=(fault.pointer or "").strip("/") or None) for fault in error.faults
        )
        raise
    return nothing()


def _body(entity: dict[str, Any], example: dict[str, Any]) -> Payload:
    rows = {"type": "array", "items": entity, "minItems": 1, "maxItems": usage.MOST}
    schema = {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {"rows": rows}}
    return Payload(schema, example={"rows": [example]})


ROUTES = (
    Route("POST", "/v1/usage", WRITE, put, "Say values of usage", TAG, WORDS,
          parameters=(IDEMPOTENCY_KEY,), answer=ANSWER,
          body=_body(schemas.entered(USAGE, partial=False), ROW), problems=("conflict",)),
    Route("POST", "/v1/accounts/{id}/usage", WRITE, put_below, "Say values of an account's usage", TAG, WORDS,
          parameters=(ACCOUNT, IDEMPOTENCY_KEY), answer=ANSWER,
          body=_body(schemas.entered(USAGE, partial=False, below=True), {n: v for n, v in ROW.items() if n != "account"}),
          problems=("conflict",)),
    Route("DELETE", "/v1/accounts/{id}/usage", WRITE, delete, "Take a value of usage away", TAG,
          "404 where there is none of that key. Values of other contacts, features and days stay.",
          parameters=(ACCOUNT, *KEY, IDEMPOTENCY_KEY), status=204, problems=("unreadable",)),
)  # fmt: skip
