"""/v1/capacity: CSMs needed per segment and in all, the load of each, and hand-overs that put it right."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.engagements import CSM, MINE, NAMED, SEGMENTATION, SEGMENTED, whose
from app.api.rest.parameters import FILTER, FOR_USER, IDENTITY
from app.api.rest.segmented import COUNT, INSTANT, MONEY, NEEDED, TEXT, TEXT_OR_NONE
from app.api.routes import Parameter, Payload, Route
from app.domain.segmentation.care import TOUCHES
from app.services import capacity
from app.services.capacity import BY, LEAST_USE, MOST_USE, TARGET_USE, Asked

TAG = "engagements"
ASKED = (
    SEGMENTATION,
    Parameter("by", "what moves are to balance", {"type": "string", "enum": list(BY), "default": BY[0]}),
    Parameter(
        "target_use", "the share of what a CSM may have that is planned with",
        {"type": "number", "minimum": float(LEAST_USE), "maximum": float(MOST_USE), "default": float(TARGET_USE)},
    ),
    FILTER, CSM, MINE, FOR_USER,
)  # fmt: skip
HOURS: dict[str, Any] = {"type": "number", "description": "a month"}
LOAD: dict[str, Any] = {
    "accounts": COUNT,
    "arr": MONEY,
    "hours": HOURS,
    "touches": {**HOURS, "description": "touches a month"},
}
HIRES = (
    "people that it takes besides, by the measure that `by` names alone, so that nobody is above the target use; `needed` counts "
    "the other measure too, so that it may take more. Moves to them have no `to_id`"
)
STATE = {"type": "string", "enum": ["over", "even", "under"], "description": "against the target use"}


def _each(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


CAPACITY = {
    "type": "object",
    "properties": {
        "by": {"type": "string", "enum": list(BY)}, "target_use": {"type": "number"}, "arr_per_csm": MONEY, "hours_per_csm": HOURS,
        "segmentation": SEGMENTED, **LOAD, "needed": NEEDED, "present": {**COUNT, "description": "active CSMs and owners"},
        "segments": _each(
            slug=TEXT_OR_NONE, name=TEXT, touch={"type": ["string", "null"], "enum": [*TOUCHES, None]}, **LOAD, needed=NEEDED
        ),
        "csms": _each(
            csm_id=IDENTITY, csm_name=TEXT, is_active={"type": "boolean"}, **LOAD,
            teams={**COUNT, "description": "accounts above what one may have: they count in no load"}, use={"type": "number"},
            state=STATE, room={"type": "number", "description": "up to the target use; below 0 what is too much"},
            accounts_after=COUNT, use_after={"type": "number"}, state_after=STATE,
        ),
        "unowned": {"type": "object", "properties": LOAD, "description": "accounts of nobody"},
        "moves": {
            "type": "object",
            "properties": {
                "count": COUNT, "fewest": {"type": "boolean", "description": "no way with fewer leads there"},
                "still_over": {**COUNT, "description": "who would be without hires"},
                "hires": {**COUNT, "description": HIRES},
                "teams": {**COUNT, "description": "accounts that are teams of their own"}, "why": TEXT,
                "data": {
                    **_each(
                        account_id=IDENTITY, account=schemas.nullable(NAMED), from_id=IDENTITY, from_name=TEXT,
                        to_id=schemas.nullable(dict(IDENTITY)), to_name=TEXT, arr=MONEY, hours=HOURS,
                    ),
                    "description": "the first 1,000",
                },
            },
        },
        "missing": {"type": "array", "items": TEXT, "description": "what the answer lacks, and what to do about it, in words"},
        "as_of": INSTANT,
    },
}  # fmt: skip


async def needed(request: Request) -> Answer:
    """Who is needed, who has too much, who should have what."""
    told = request.query(tuple(one.name for one in ASKED))
    asked = Asked(told.get("segmentation"), told.get("by"), told.get("target_use"), whose(told))
    return json(await capacity.capacity(request.db, request.principal, asked, request.now))


ROUTES = (
    Route("GET", "/v1/capacity", capacity.READ, needed, "CSMs needed, loads, and moves", TAG,
          "CSMs by the workspace's `arr_per_csm` and `hours_per_csm`, packed by best fit; an account above what one may have is a team "
          "of its own. `needed` is the greater of what ARR and hours take; moves and hires go by the one that `by` "
          "names alone. Moves hand over the fewest accounts after which nobody is above the target use. Churned and archived accounts "
          "are left out.",
          parameters=ASKED, answer=Payload(CAPACITY), problems=("invalid",)),
)  # fmt: skip
