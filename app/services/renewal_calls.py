"""Calls of renewals: what the csm says of an account's next renewal, every version kept, beside what was computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain import values
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.forecasting import renewal_calls as calling
from app.domain.forecasting.ledger import DEFAULTS
from app.domain.forecasting.outcomes import Term, outcomes
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace, clock
from app.persistence import renewal_calls as rows
from app.persistence.database import Database, Reader, Record, Transaction
from app.services import effects
from app.services.calls import ENCODER, Call, Written, once, versioned
from app.services.segmentation_documents import instant

CALL, READ = "accounts.call", "forecasts.read"
FEW = 10
"""Days that are named to those who asked for another one."""
NOTHING = "Expected an account with a renewal to come: a contract that ends and is not decided, or a renewal date."


@dataclass(frozen=True, slots=True)
class Renewal:
    """What of an account is due on one day, in minor units: all its terms that end then, or none where it has no contracts."""

    due_on: date
    due: int
    contract_ids: tuple[UUID, ...]


async def put(
    db: Database, call: Call, account_id: UUID, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Calls the account's next renewal: `{category, probability?, amount?, note?, due_on?}`; what was said before is kept.

    Raises Invalid, NotFound, Forbidden, Conflict where nothing is to renew, VersionRequired and VersionStale where a call
    stands that this one corrects.
    """
    permit(call.principal, CALL, own=True)
    said = calling.read(body, call.principal.workspace.minor_digits)

    async def act(tx: Transaction) -> Written:
        workspace = call.principal.workspace
        csm_id = await _held(tx, call, account_id)
        due = _meant(
            await _open(tx, call.principal.workspace, account_id, _today(call)), said.due_on, _today(call), "/due_on"
        )
        if due is None:
            raise Conflict(NOTHING, (Fault(NOTHING),))
        last = await rows.latest(tx, workspace.id, account_id)
        before = await rows.standing(tx, workspace.id, account_id, due.due_on)
        stands = before is not None and before["category"] is not None
        if stands or expected_version is not None:
            versioned(last, expected_version)
        amount = due.due if said.amount is None else said.amount
        await rows.add(
            tx, workspace.id, account_id, last + 1, due.due_on, due.contract_ids, due.due, said.category,
            said.probability, amount, said.note, csm_id, call.principal.user_id, call.now,
        )  # fmt: skip
        return await _written(tx, call, account_id, before, due.due_on, not stands)

    return await once(db, call, f"{CALL} {account_id}", act)


async def withdraw(
    db: Database, call: Call, account_id: UUID, expected_version: int | None, due_on: str | None = None
) -> Written:
    """Takes back what stands of the next renewal, or of that due on a day: the computed forecast alone speaks of it again, and the call is kept.

    Raises NotFound where nothing is called, Forbidden, VersionRequired, VersionStale.
    """
    permit(call.principal, CALL, own=True)
    day = _day(due_on)

    async def act(tx: Transaction) -> Written:
        workspace = call.principal.workspace
        csm_id = await _held(tx, call, account_id)
        due = _meant(await _open(tx, call.principal.workspace, account_id, _today(call)), day, _today(call))
        before = None if due is None else await rows.standing(tx, workspace.id, account_id, due.due_on)
        if due is None or before is None or before["category"] is None:
            raise NotFound
        last = await rows.latest(tx, workspace.id, account_id)
        versioned(last, expected_version)
        await rows.add(
            tx, workspace.id, account_id, last + 1, due.due_on, due.contract_ids, due.due, None, None, None, None,
            csm_id, call.principal.user_id, call.now,
        )  # fmt: skip
        written = await _written(tx, call, account_id, before, due.due_on, False)
        return Written(account_id, written.version, b"", False, written.effects)

    return await once(db, call, f"{CALL} withdraw {account_id} {day}", act)


async def get(
    db: Reader, principal: Principal, account_id: UUID, now: datetime, due_on: str | None = None
) -> tuple[bytes, int]:
    """The account's next renewal, or that due on a day, what is called of it, and the version.

    Raises NotFound, Forbidden, Invalid.
    """
    await _seen(db, principal, account_id)
    body = await _body(db, principal.workspace, account_id, _day(due_on), clock(principal.workspace, now).today)
    return ENCODER.encode(body), body["version"]


async def history(
    db: Reader, principal: Principal, account_id: UUID, before: int | None, limit: int
) -> tuple[list[dict[str, Any]], list[tuple[int]], bool]:
    """Every call of an account, the latest first: the entries, the key of each, and whether there are more.

    Raises NotFound, Forbidden.
    """
    await _seen(db, principal, account_id)
    found = await rows.history(db, principal.workspace.id, account_id, before, limit + 1)
    page = found[:limit]
    entries = [{**shown(row, principal.workspace), "until": instant(row["until"])} for row in page]
    return entries, [(row["version"],) for row in page], len(found) > limit


def shown(row: Record, workspace: Workspace) -> dict[str, Any]:
    """A call as answers have it; one that was withdrawn says nothing but that."""
    category, amount = row["category"], row["amount"]
    withdrawn = category is None
    return {
        "version": row["version"], "due_on": row["due_on"], "due": workspace.major(row["due"]),
        "contract_ids": list(row["contract_ids"]), "category": category,
        "category_probability": None if withdrawn else DEFAULTS[category], "probability": row["probability"],
        "amount": None if withdrawn else workspace.major(amount),
        "expected": None if withdrawn else workspace.major(calling.expected(row["probability"], amount)),
        "note": row["note"], "is_withdrawn": withdrawn, "csm_id": row["csm_id"], "author_id": row["author_id"],
        "author": row["author"], "called_at": instant(row["called_at"]),
    }  # fmt: skip


async def _written(
    tx: Transaction, call: Call, account_id: UUID, before: Record | None, due_on: date, created: bool
) -> Written:
    """The answer of a write, and what it changed of the account for the audit."""
    after = await rows.standing(tx, call.principal.workspace.id, account_id, due_on)
    sides = (_audited(row, call.principal.workspace) for row in (before, after))
    body = await _body(tx, call.principal.workspace, account_id, due_on, _today(call))
    done = effects.differing("accounts", account_id, *sides)
    return Written(account_id, body["version"], ENCODER.encode(body), created, done)


async def _body(
    reader: Reader, workspace: Workspace, account_id: UUID, due_on: date | None, today: date
) -> dict[str, Any]:
    due = _meant(await _open(reader, workspace, account_id, today), due_on, today)
    row = None if due is None else await rows.standing(reader, workspace.id, account_id, due.due_on)
    stands = row is not None and row["category"] is not None
    return {
        "account_id": account_id, "version": await rows.latest(reader, workspace.id, account_id),
        "renewal": None if due is None else {
            "due_on": due.due_on, "due": workspace.major(due.due), "contract_ids": list(due.contract_ids),
            "is_overdue": due.due_on < today,
        },
        "call": shown(row, workspace) if row is not None and stands else None,
    }  # fmt: skip


async def _held(tx: Transaction, call: Call, account_id: UUID) -> UUID | None:
    """The csm of an account that the principal may call; it is locked."""
    account = await rows.locked(tx, call.principal.workspace.id, account_id)
    if account is None:
        raise NotFound
    permit(call.principal, CALL, own=_is_own(call.principal, account))
    csm_id: UUID | None = account["csm_id"]
    return csm_id


async def _seen(reader: Reader, principal: Principal, account_id: UUID) -> None:
    permit(principal, READ, own=True)
    account = await rows.account(reader, principal.workspace.id, account_id)
    if account is None:
        raise NotFound
    permit(principal, READ, own=_is_own(principal, account))


def _is_own(principal: Principal, account: Record) -> bool:
    return principal.user_id is not None and account["csm_id"] == principal.user_id


def _today(call: Call) -> date:
    return clock(call.principal.workspace, call.now).today


async def _open(reader: Reader, workspace: Workspace, account_id: UUID, today: date) -> list[Renewal]:
    """Renewals of an account that are neither decided nor carried on, by day."""
    listed = await rows.terms(reader, workspace.id, account_id)
    told = outcomes([_term(row) for row in listed])
    found: dict[date, list[Record]] = {}
    for row in listed:
        became = told.get(str(row["id"]))
        if became is None or became.by_hand or became.followed_on is not None or became.decided_on < today:
            continue
        if row["start_date"] <= today:
            found.setdefault(row["end_date"], []).append(row)
    own = await rows.its_own(reader, workspace.id, account_id)
    if own is not None:
        return [Renewal(own["renewal_date"], own["arr"], ())]
    return [
        Renewal(day, sum(row["arr"] for row in ending), tuple(row["id"] for row in ending))
        for day, ending in sorted(found.items())
    ]


def _term(row: Record) -> Term:
    return Term(
        str(row["id"]), "", row["product"], row["arr"], row["start_date"], row["end_date"], row["known_on"], row["outcome"],
        row["decided_at"],
    )  # fmt: skip


def _day(told: str | None) -> date | None:
    try:
        return None if told is None else values.day(told)
    except values.MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(parameter="due_on"),)) from None


def _meant(found: Sequence[Renewal], due_on: date | None, today: date, pointer: str | None = None) -> Renewal | None:
    """The renewal due on a day; where none is told, the first that is due today or later, and where all are overdue, the last.

    Raises Invalid where none is due that day.
    """
    if due_on is None or not found:
        return next((row for row in found if row.due_on >= today), found[-1] if found else None)
    for row in found:
        if row.due_on == due_on:
            return row
    days = [row.due_on for row in found]
    near = min(days, key=lambda day: abs(day - due_on))
    message = f"Expected a day that a renewal is due on: {', '.join(map(str, days[-FEW:]))}."
    raise Invalid(faults=(Fault(message, pointer, None if pointer else "due_on", suggestion=str(near)),))


def _audited(row: Record | None, workspace: Workspace) -> dict[str, Any]:
    """A call as a member of its account."""
    if row is None or row["category"] is None:
        return {"renewal_call": None}
    said = shown(row, workspace)
    return {"renewal_call": {name: said[name] for name in ("due_on", "category", "probability", "amount", "note")}}
