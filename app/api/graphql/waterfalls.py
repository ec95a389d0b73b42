"""What moved a forecast between two days."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from app.api.graphql.build import argument, member, operated, output
from app.api.graphql.callers import ENCODER
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body
from app.api.graphql.writing import Arguments
from app.domain.forecasting.ledger import STEPS
from app.services import waterfalls
from app.services.waterfalls import Ask


def _summed() -> list[Any]:
    return [
        member("renewals", "int"), member("opening", "Money"), member("steps", "WaterfallSteps"), member("closing", "Money"),
    ]  # fmt: skip


output(
    "WaterfallSteps",
    [member(step, "Money") for step in STEPS],
    "They and the opening add up to the closing, to the cent.",
)
output("WaterfallSide", [
    member("day", "Date"), member("as_of", "Optional[DateTime]"), member("forecast_id", "Optional[ID]"),
    member("calls", "int", "Calls by hand that stood then."),
])  # fmt: skip
output("WaterfallGroup", [member("key", "JSON", "What it is grouped by."), *_summed()])
output("Waterfall", [
    member("from", "Date"), member("to", "Date"), member("due_from", "Date"), member("due_to", "Date"),
    member("basis", "str", "kept or recomputed."), member("words", "str"), member("before", "WaterfallSide"),
    member("after", "WaterfallSide"), *_summed(), member("groups", "list[WaterfallGroup]"),
], "What moved a forecast between two days.")  # fmt: skip
output("WaterfallAccount", [member("account_id", "ID"), member("name", "Optional[str]"), *_summed()])
connect("WaterfallAccount")
ARGUMENTS = [
    argument("from", "Optional[Date]", None, "The day that it begins at; 30 days before `to` where it is left out."),
    argument("to", "Optional[Date]", None, "The day that it ends at; today where it is left out."),
    argument(
        "due_from", "Optional[Date]", None, "The first day on which renewals are due; `from` where it is left out."
    ),
    argument(
        "due_to", "Optional[Date]", None, "The day after the last one; a year after `dueFrom` where it is left out."
    ),
    argument("filter", "Optional[str]", None, "Criteria as text."),
    argument("basis", "Optional[str]", None, "kept or recomputed; kept where both days have one."),
]
GROUP_BY = argument("group_by", "Optional[list[str]]", None, "month, quarter, csm, lane, product, segment.<slug>.")


def _ask(said: Arguments) -> Ask:
    first, last, due_from, due_to, where = (said.get(name) for name in ("from_", "to", "due_from", "due_to", "filter"))
    return Ask(first, last, due_from, due_to, where, tuple(said.get("group_by") or ()), said.get("basis"))


async def _get(_: Any, info: Any, said: Arguments) -> Any:
    caller, ask = info.context, _ask(said)
    return {**body(await waterfalls.get(caller.db, caller.principal, caller.now, ask)), "ask": ask}


async def _accounts(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after = None if page.after is None else (cast(int, page.after[0]), cast(UUID, page.after[1]))
    found, keys, more = await waterfalls.accounts(
        caller.db, caller.principal, caller.now, _ask(said), after, page.limit
    )
    return page.connection(body(ENCODER.encode(found)), keys, more)


QUERIES = [
    operated(
        waterfalls.READ, "waterfall", "Waterfall", _get, *ARGUMENTS, GROUP_BY,
        description="Opening and all steps add up to closing, in total and in every group.",
    ),
    operated(
        waterfalls.READ, "waterfall_accounts", "WaterfallAccountConnection", _accounts, *ARGUMENTS, *PAGING,
        description="What each account adds to a waterfall, those that moved it most first.",
    ),
]  # fmt: skip
