"""/v1/accounts/{id}/hierarchy, …/children and /v1/accounts/roots: what hangs under what, and what it comes to."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from app.api import schemas
from app.api.requests import Request, unreadable
from app.api.responses import Answer, encoded, json
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import ACCOUNT, CURSOR, LIMIT
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import ACCOUNTS
from app.persistence.hierarchies import SHOWN
from app.services import hierarchies
from app.services.hierarchies import InRow, InTree

TAG = "accounts"
PASSED = "An archived account is passed through: what hangs under it is shown under the next one above."
GROUPS = Parameter(
    "groups", "`true`: only accounts that others name as their parent", {"type": "string", "enum": ["true", "false"], "default": "false"},
)  # fmt: skip
_COUNT = {"type": "integer", "minimum": 0}
_SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_HEALTH = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
NODE: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: schemas.of_field(next(f for f in ACCOUNTS.fields.values() if f.column == name)) for name in SHOWN},
        "csm_name": {"type": ["string", "null"]},
    },
}
IN_TREE: dict[str, Any] = {
    "type": "object",
    "properties": {
        **NODE["properties"],
        "parent_id": {"type": ["string", "null"], "format": "uuid", "description": "what it hangs under, archived accounts passed through"},
        "depth": {**_COUNT, "description": "levels below the account that was asked for"},
        "children": {**_COUNT, "description": "accounts right under it"},
    },
}  # fmt: skip
ROLL_UP: dict[str, Any] = {
    "type": "object",
    "description": "of the account and everything below it, archived accounts left out",
    "properties": {
        "accounts": _COUNT, "customers": _COUNT, "arr": {"type": "number"}, "mrr": {"type": "number"},
        "growth_potential": {"type": ["number", "null"]}, "open_invoices_amount": {"type": "number"}, "open_tickets": _COUNT,
        "health": {**_HEALTH, "description": "average weighted by ARR; plain where none with a health has any"},
        "health_minimum": _HEALTH,
        "red_arr_share": {**_SHARE, "description": "share of the ARR that is with accounts in red; null without ARR"},
        "next_renewal_date": {"type": ["string", "null"], "format": "date", "description": "the first of a customer from today on"},
    },
}  # fmt: skip
_PAGED = schemas.collection(IN_TREE)
TREE = {
    **_PAGED,
    "required": ["account", "ancestors", "roll_up", *_PAGED["required"]],
    "properties": {
        "account": IN_TREE,
        "ancestors": {"type": "array", "items": NODE, "description": "the top first"},
        "roll_up": ROLL_UP,
        **_PAGED["properties"],
    },
}
SIBLINGS = schemas.collection({**IN_TREE, "properties": {**IN_TREE["properties"], "roll_up": ROLL_UP}})


async def tree(request: Request) -> Answer:
    """An account, who is above it, what it comes to, and a page of what is below it."""
    account_id, page = request.uuid(0), paging(request)
    after = cast(InTree, page.after) if page.after else None
    shown, following = await hierarchies.tree(request.db, request.principal, account_id, request.now, after, page.limit)
    below = {"next": page.cursor(following), "limit": page.limit}
    return json({**shown, "page": below, "count": None, "as_of": request.now, "windows": []})


async def children(request: Request) -> Answer:
    """A page of what hangs right under an account."""
    return await _siblings(request, request.uuid(0))


async def roots(request: Request) -> Answer:
    """A page of the accounts that hang under none."""
    return await _siblings(request, None)


async def _siblings(request: Request, parent_id: UUID | None) -> Answer:
    page = paging(request, "groups")
    groups = page.told.get("groups", "false")
    if groups not in ("true", "false"):
        raise unreadable("groups", "Expected true or false.")
    after = cast(InRow, page.after) if page.after else None
    found, following = await hierarchies.siblings(
        request.db, request.principal, parent_id, request.now, after, page.limit, groups=groups == "true"
    )
    return envelope([encoded(one) for one in found], request.now, page.limit, page.cursor(following))


ROUTES = (
    Route("GET", "/v1/accounts/{id}/hierarchy", "records.read", tree, "The tree around an account, and what it comes to", TAG,
          f"`data` is everything below it, by depth and name, so that each account comes after what it hangs under. {PASSED}",
          parameters=(ACCOUNT, LIMIT, CURSOR), answer=Payload(TREE)),
    Route("GET", "/v1/accounts/{id}/children", "records.read", children, "What hangs right under an account, rolled up", TAG, PASSED,
          parameters=(ACCOUNT, GROUPS, LIMIT, CURSOR), answer=Payload(SIBLINGS)),
    Route("GET", "/v1/accounts/roots", "records.read", roots, "The accounts at the top of every tree, rolled up", TAG, PASSED,
          parameters=(GROUPS, LIMIT, CURSOR), answer=Payload(SIBLINGS)),
)  # fmt: skip
