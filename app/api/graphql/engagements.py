"""Touches and steps that are due and overdue by each segment's engagement model."""

from __future__ import annotations

from typing import Any

from app.api.graphql.addressed import addressed
from app.api.graphql.build import argument, choices, entered, extend, given, member, operated, output, resolved, told
from app.api.graphql.callers import ENCODER
from app.api.graphql.envelopes import PAGING, connect, paging, total_count
from app.api.graphql.resources import body, uuid
from app.api.graphql.segmentations import COMPUTED
from app.api.graphql.selections import mended
from app.api.graphql.writing import KEY, Arguments
from app.api.graphql.writing import mended as written
from app.domain.errors import StrataError
from app.domain.segmentation.care import KINDS, OWNERS, PLANS
from app.services import engagements, steps
from app.services.engagements import STATES, WHATS, Asked, Whose

choices("EngagementState", STATES, "`left`: the next touch comes after the renewal, or none is planned.")
choices("EngagementWhat", WHATS)
choices("TouchKind", KINDS, "`any`: a check-in of whatever kind.")
choices("StepOwner", OWNERS)
output("NamedAccount", [
    member("id", "ID"), member("external_id", "Optional[str]"), member("name", "str"),
], "An account, by what it is known by.")  # fmt: skip
output("Engagement", [
    member("state", "EngagementState"), member("what", "EngagementWhat"), member("account_id", "ID"), member("account", "NamedAccount"),
    member("csm_id", "Optional[ID]"), member("csm_name", "Optional[str]"), member("arr", "Money"), member("segment", "str"),
    member("segment_name", "str"), member("kind", "Optional[TouchKind]"),
    member("phase", "Optional[str]", "Of the cadence, such as a guided on-boarding."), member("step", "Optional[str]"),
    member("owner", "Optional[StepOwner]", "Who has the step to do."),
    member("last_at", "Optional[DateTime]", "The last touch of the kind; null where there never was one."),
    member("due_on", "Optional[Date]"), member("days_overdue", "int"),
    member("next_on", "Optional[Date]", "Of who is left: the day of the next touch, null where none is planned."),
    member("renewal_date", "Optional[Date]"),
], "A touch or a step that a segment's engagement model asks for, or an account that it leaves alone.")  # fmt: skip
output("CaredSegmentation", [
    member("slug", "str"), member("name", "str"), member("version", "int"), *COMPUTED,
], "Whose engagement models hold.")  # fmt: skip
output("CsmEngagements", [
    member("csm_id", "Optional[ID]"), member("csm_name", "Optional[str]"), member("due", "int"), member("overdue", "int"),
    member("accounts", "int"), member("accounts_overdue", "int"), member("longest_overdue", "int", "In days."),
])  # fmt: skip
output("LeftAlone", [
    member("accounts", "int"), member("arr", "Money"), member("no_touch_planned", "int"), member("after_renewal", "int"),
], "Accounts that would be left alone until their renewal.")  # fmt: skip
output("EngagementSummary", [
    member("segmentation", "CaredSegmentation"), member("until", "Date"), member("due", "int"), member("overdue", "int"),
    member("by_csm", "list[CsmEngagements]"), member("left", "LeftAlone"), member("as_of", "DateTime"),
])  # fmt: skip
connect("Engagement")
extend("EngagementConnection", total_count())
extend(
    "EngagementConnection",
    member("summary", "EngagementSummary", "Of all that was asked for, whatever the page and the state."),
)
choices("CarePlan", PLANS)
output("StepMark", [
    member("segmentation", "str"), member("account_id", "ID"), member("account", "NamedAccount"), member("segment", "str"), member("since", "DateTime"),
    member("plan", "CarePlan"), member("step", "str"), member("done", "bool"), member("note", "Optional[str]"),
    member("done_at", "Optional[DateTime]"), member("author_id", "Optional[ID]"),
], "A step of an account's playbook or success plan; it counts until the account leaves the segment.")  # fmt: skip
output("StepPayload", [resolved("step", "StepMark", lambda source, *_: body(source.body))])
entered("StepInput", [
    given("plan", "CarePlan"), given("step", "str"), given("done", "Optional[bool]", "True where it is left out."),
    given("note", "Optional[str]"),
])  # fmt: skip
SEGMENTATION = argument(
    "segmentation", "Optional[str]", None, "Whose engagement models hold; `tier` where it is left out."
)
BOOK = [
    argument("csm", "Optional[str]", None, "Only accounts of this user: id, external id or e-mail."),
    argument("filter", "Optional[str]", None, "Criteria of accounts, as text."),
    argument("mine", "bool", False, "Only accounts of whoever asks; a service says whose by `forUser`."),
    argument("for_user", "Optional[str]", None, "Who `@me` is, where a service asks: id, external id or e-mail."),
]


def whose(said: Arguments) -> Whose:
    """Which accounts the arguments ask about."""
    return Whose(said.get("filter"), said.get("csm"), said["mine"], said.get("for_user"))


async def _due(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    kind, what, state = (None if said.get(name) is None else said[name].value for name in ("kind", "what", "state"))
    asked = Asked(
        said.get("segmentation"), said.get("segment"), kind, what, state, said.get("until"), whose(said), page.limit, page.after, "exact"
    )  # fmt: skip
    try:
        found = await engagements.engagements(caller.db, caller.principal, asked, caller.now)
    except StrataError as error:
        raise mended(error, None) from None
    connection = page.connection(body(ENCODER.encode(found.data)), found.keys, found.more)
    return {**connection, "summary": body(ENCODER.encode(found.summary)), "count": found.count}


def _mark(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return written(steps.mark(caller.db, call, uuid(said["id"]), said["segmentation"], told(said["input"])))


QUERIES = [
    operated(
        engagements.READ, "engagements", "EngagementConnection", _due, SEGMENTATION,
        argument("segment", "Optional[str]", None, "Only accounts that stand in this segment."),
        argument("kind", "Optional[TouchKind]", None, "Only touches of this kind, and steps that one fulfils."),
        argument("what", "Optional[EngagementWhat]", None, "Only touches, or only steps of playbooks or of success plans; `left` as the state."),
        argument("state", "Optional[EngagementState]", None), *BOOK,
        argument("until", "Optional[str]", None, "The last day that is looked at; 30 days ahead where it is left out."), *PAGING,
        description="Touches and steps that segments' engagement models ask for, the earliest first.",
    ),
]  # fmt: skip
MUTATIONS = [
    addressed(
        steps.STEP, "mark_step", "Optional[StepPayload]", _mark, argument("segmentation", "str"), argument("input", "StepInput"), KEY,
        description="A step of an account's playbook or success plan is done, or is to be done again.",
    ),
]  # fmt: skip
