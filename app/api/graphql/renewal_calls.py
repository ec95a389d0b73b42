"""What is called of renewals, beside what was computed."""

from __future__ import annotations

from typing import Any, cast

from app.api.graphql.addressed import addressed
from app.api.graphql.build import argument, choices, entered, given, member, output, resolved, told
from app.api.graphql.callers import ENCODER
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body, uuid
from app.api.graphql.writing import KEY, VERSION, VERSION_IF_THERE, Arguments, mended
from app.domain.forecasting.ledger import CATEGORIES
from app.services import renewal_calls


def _called() -> list[Any]:
    return [
        member("version", "int"), member("due_on", "Date", "Of the renewal that is called."), member("due", "Money"),
        member("contract_ids", "list[ID]", "The terms that it covers; none where the account has no contracts."),
        member("category", "Optional[RenewalCategory]"), member("category_probability", "Optional[float]"),
        member("probability", "Optional[float]"), member("amount", "Optional[Money]", "What it brings if it comes."),
        member("expected", "Optional[Money]", "Probability times amount."), member("note", "Optional[str]"),
        member("is_withdrawn", "bool"), member("csm_id", "Optional[ID]"), member("author_id", "Optional[ID]"),
        member("author", "Optional[str]"), member("called_at", "DateTime"),
    ]  # fmt: skip


choices("RenewalCategory", CATEGORIES, "How sure a renewal is; each stands for a probability until another is told.")
output("RenewalCall", _called(), "What somebody calls of a renewal.")
output("RenewalCallVersion", [
    *_called(), member("until", "Optional[DateTime]", "When the next call of the same renewal was made."),
])  # fmt: skip
output("OpenRenewal", [
    member("due_on", "Date"), member("due", "Money"), member("contract_ids", "list[ID]"), member("is_overdue", "bool"),
], "A renewal that nobody has decided.")  # fmt: skip
output("RenewalStanding", [
    member("account_id", "ID"), member("version", "int", "0 where nothing was ever called."),
    member("renewal", "Optional[OpenRenewal]", "The next one."), member("call", "Optional[RenewalCall]"),
], "An account's next renewal, and what is called of it.")  # fmt: skip
connect("RenewalCallVersion")
output("RenewalCallPayload", [
    resolved("renewal_call", "RenewalStanding", lambda source, *_: body(source.body)),
    resolved("created", "bool", lambda source, *_: source.created, description="Whether there was none before."),
])  # fmt: skip
entered("RenewalCallInput", [
    given("category", "RenewalCategory"), given("probability", "Optional[float]", "That of the category where it is left out."),
    given("amount", "Optional[Money]", "What the renewal brings if it comes; what is due where it is left out."),
    given("note", "Optional[str]"),
    given("due_on", "Optional[Date]", "Of several open renewals the one that is meant; the next where it is left out."),
])  # fmt: skip


DUE_ON = argument(
    "due_on", "Optional[Date]", None, "Of several open renewals the one that is meant; the next where it is left out."
)


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    found, _version = await renewal_calls.get(
        caller.db, caller.principal, uuid(said["id"]), caller.now, said.get("due_on")
    )
    return body(found)


async def _history(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    before = cast(int, page.after[0]) if page.after else None
    found, keys, more = await renewal_calls.history(caller.db, caller.principal, uuid(said["id"]), before, page.limit)
    return page.connection(body(ENCODER.encode(found)), keys, more)


def _put(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call, account = caller.call(info, said), uuid(said["id"])
    return mended(renewal_calls.put(caller.db, call, account, told(said["input"]), said.get("expected_version")))


def _withdraw(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call, account = caller.call(info, said), uuid(said["id"])
    return mended(renewal_calls.withdraw(caller.db, call, account, said["expected_version"], said.get("due_on")))


QUERIES = [
    addressed(
        renewal_calls.READ, "renewal_call", "Optional[RenewalStanding]", _one,
        DUE_ON, description="An account's next renewal, and what is called of it.",
    ),
    addressed(
        renewal_calls.READ, "renewal_call_history", "RenewalCallVersionConnection", _history,
        *PAGING,
        description="Every call of an account, the latest first; a correction and a withdrawal are entries of their own.",
    ),
]  # fmt: skip
MUTATIONS = [
    addressed(
        renewal_calls.CALL, "call_renewal", "Optional[RenewalCallPayload]", _put, argument("input", "RenewalCallInput"),
        VERSION_IF_THERE, KEY, description="Calls an account's next renewal, beside the computed forecast; what was called before is kept.",
    ),
    addressed(
        renewal_calls.CALL, "withdraw_renewal_call", "Optional[DeletedPayload]", _withdraw, VERSION, DUE_ON, KEY,
        description="Takes the call of the next renewal back; it stays in the history.",
    ),
]  # fmt: skip
