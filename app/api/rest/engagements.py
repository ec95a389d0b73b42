"""/v1/engagements: touches and steps that are due and overdue by each segment's engagement model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api import schemas
from app.api.conditions import call
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.envelopes import paging
from app.api.rest.parameters import (
    ACCOUNT,
    CURSOR,
    FILTER,
    FOR_USER,
    IDEMPOTENCY_KEY,
    IDENTITY,
    LIMIT,
    SLUG,
    path,
)  # fmt: skip
from app.api.rest.parameters import COUNT as HOW_MANY
from app.api.rest.segmented import COMPUTED, COUNT, INSTANT, INSTANT_OR_NONE, MONEY, TEXT, TEXT_OR_NONE
from app.api.rest.writes import bare
from app.api.routes import Parameter, Payload, Route
from app.domain.errors import Fault, Invalid
from app.domain.segmentation.care import KINDS, OWNERS, PLANS
from app.domain.segmentation.reading import NAME_LENGTH
from app.domain.values import PROSE
from app.services import engagements, steps
from app.services.engagements import STATES, WHATS, Asked, Whose

TAG = "engagements"
DAY_OR_NONE: dict[str, Any] = {"type": ["string", "null"], "format": "date"}
SEGMENTATION = Parameter("segmentation", "whose engagement models hold; `tier` where it is left out", SLUG)
CSM = Parameter("csm", "only accounts of this user: id, external id or e-mail", TEXT)
MINE = Parameter(
    "mine",
    "only accounts of whoever asks; a service says whose by `for_user`",
    {"type": "string", "enum": ["true", "false"], "default": "false"},
)
ASKED = (
    SEGMENTATION,
    Parameter("segment", "only accounts that stand in this segment", SLUG),
    CSM,
    Parameter("kind", "only touches of this kind, and steps that one fulfils", {"type": "string", "enum": list(KINDS)}),
    Parameter(
        "what",
        "only touches, or only steps of playbooks or of success plans; `left` as the state",
        {"type": "string", "enum": list(WHATS)},
    ),
    Parameter(
        "state",
        "only what is overdue, or due and not overdue; `left`: the accounts whose next touch comes after their renewal, or for "
        "which none is planned",
        {"type": "string", "enum": list(STATES)},
    ),
    FILTER,
    Parameter(
        "until",
        "the last day that is looked at; 30 days ahead where it is left out",
        {"type": "string", "format": "date"},
    ),
    MINE,
    FOR_USER,
)
NAMED: dict[str, Any] = {
    "type": "object",
    "properties": {"id": IDENTITY, "external_id": TEXT_OR_NONE, "name": TEXT},
    "description": "the account, by what it is known by",
}
COUNTED: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {"value": COUNT, "exact": {"type": "boolean"}},
    "description": "how many there are on all pages, where `count` asks for it",
}
SEGMENTED = {"type": "object", "properties": {"slug": SLUG, "name": TEXT, "version": COUNT, **COMPUTED}}
ENGAGEMENT = {
    "type": "object",
    "properties": {
        "state": {"type": "string", "enum": list(STATES)},
        "what": {"type": "string", "enum": list(WHATS)},
        "account_id": IDENTITY, "account": NAMED, "csm_id": schemas.nullable(dict(IDENTITY)), "csm_name": TEXT_OR_NONE,
        "arr": MONEY, "segment": TEXT, "segment_name": TEXT,
        "kind": {"type": ["string", "null"], "enum": [*KINDS, None], "description": "of touch; `any`: a check-in of whatever kind"},
        "phase": {**TEXT_OR_NONE, "description": "of the cadence, such as a guided on-boarding"},
        "step": TEXT_OR_NONE, "owner": {"type": ["string", "null"], "enum": [*OWNERS, None], "description": "who has the step to do"},
        "last_at": {**INSTANT_OR_NONE, "description": "the last touch of the kind; null where there never was one"},
        "due_on": DAY_OR_NONE, "days_overdue": COUNT,
        "next_on": {**DAY_OR_NONE, "description": "of who is left: the day of the next touch, null where none is planned"},
        "renewal_date": DAY_OR_NONE,
    },
}  # fmt: skip
SUMMARY = {
    "type": "object",
    "properties": {
        "segmentation": SEGMENTED, "until": {"type": "string", "format": "date"}, "due": COUNT, "overdue": COUNT,
        "by_csm": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "csm_id": schemas.nullable(dict(IDENTITY)), "csm_name": TEXT_OR_NONE, "due": COUNT, "overdue": COUNT,
                    "accounts": COUNT, "accounts_overdue": COUNT, "longest_overdue": {**COUNT, "description": "in days"},
                },
            },
        },
        "left": {
            "type": "object",
            "properties": {"accounts": COUNT, "arr": MONEY, "no_touch_planned": COUNT, "after_renewal": COUNT},
            "description": "accounts that would be left alone until their renewal",
        },
        "as_of": INSTANT,
    },
}  # fmt: skip
ANSWER = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": ENGAGEMENT},
        "page": {"type": "object", "properties": {"next": TEXT_OR_NONE, "limit": COUNT}},
        "count": COUNTED,
        "summary": {**SUMMARY, "description": "of all that was asked for, whatever the page and the state"},
    },
}

PLAN = {"type": "string", "enum": list(PLANS)}
MARK = {
    "type": "object", "required": ["plan", "step"], "additionalProperties": False,
    "properties": {
        "plan": PLAN, "step": {**TEXT, "minLength": 1, "maxLength": NAME_LENGTH},
        "done": {"type": ["boolean", "null"], "description": "true where it is left out"},
        "note": {**TEXT_OR_NONE, "maxLength": PROSE},
    },
}  # fmt: skip
MARKED = {
    "type": "object",
    "properties": {
        "segmentation": SLUG, "account_id": IDENTITY, "account": NAMED, "segment": TEXT, "since": INSTANT, "plan": PLAN, "step": TEXT,
        "done": {"type": "boolean"}, "note": TEXT_OR_NONE, "done_at": INSTANT_OR_NONE, "author_id": schemas.nullable(dict(IDENTITY)),
    },
}  # fmt: skip
OF = path("segmentation", "the segmentation's slug", SLUG, "tier")


def whose(told: Mapping[str, str]) -> Whose:
    """Which accounts the parameters ask about. Raises Invalid."""
    if told.get("mine") not in (None, "true", "false"):
        raise Invalid(faults=(Fault("Expected true or false.", parameter="mine"),))
    return Whose(told.get("filter"), told.get("csm"), told.get("mine") == "true", told.get("for_user"))


async def due(request: Request) -> Answer:
    """A page of what is due."""
    page = paging(request, *(one.name for one in (*ASKED, HOW_MANY)))
    said = {
        name: page.told.get(name) for name in ("segmentation", "segment", "kind", "what", "state", "until", "count")
    }
    asked = Asked(**said, whose=whose(page.told), limit=page.limit, after=page.after)
    found = await engagements.engagements(request.db, request.principal, asked, request.now)
    following = page.cursor(found.keys[-1] if found.more else None)
    told = {"page": {"next": following, "limit": page.limit}, "count": found.count, "summary": found.summary}
    return json({"data": found.data, **told})


async def mark(request: Request) -> Answer:
    """The step as it is now."""
    request.query(())
    body = await request.object()
    return bare(await steps.mark(request.db, call(request, body), request.uuid(0), request.values[1], body))


ROUTES = (
    Route("GET", "/v1/engagements", engagements.READ, due, "Touches and steps that are due", TAG,
          "By the engagement model of the segment in which an account stands, the earliest first. A touch counts where it went out or "
          "was attended; one that never was counts from when the account had entered the segment and become a customer. Steps of "
          "playbooks and success plans count from when it entered the segment. Churned and archived accounts are asked nothing.",
          parameters=(*ASKED, LIMIT, CURSOR, HOW_MANY), answer=Payload(ANSWER)),
    Route("PUT", "/v1/accounts/{id}/segments/{segmentation}/steps", steps.STEP, mark, "Say that a step is done", TAG,
          "A step of the playbook or success plan of the segment in which the account stands; with `done: false` it is to be done "
          "again. It counts until the account leaves the segment.",
          parameters=(ACCOUNT, OF, IDEMPOTENCY_KEY), answer=Payload(MARKED),
          body=Payload(MARK, example={"plan": "playbook", "step": "Send the guide for the first steps"}), problems=("conflict",)),
)  # fmt: skip
