"""Usage written by hand: values of (account, contact or none, feature, day), which have no id and no version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from app.domain import records
from app.domain.catalogue import USAGE
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.roles import permit
from app.domain.values import Named
from app.domain.workspaces import clock
from app.persistence import records as rows
from app.persistence import usage
from app.persistence.database import Database, Transaction
from app.persistence.usage import Key
from app.services import references, settle, writing
from app.services.calls import ENCODER, Call, Effect, Written, once

WRITE = "records.write"
MOST = 1_000
"""Rows of one call."""
MEMBERS = ("rows",)


class _NewMonthsError(Exception):
    """Days fall into months that nothing was kept of yet."""

    def __init__(self, months: Sequence[date]):
        self.months = months


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as told; `pointer` is where, references are told with their own."""

    pointer: str
    feature: str
    day: date
    value: float
    account: UUID | Named
    contact: UUID | Named | None


async def put(db: Database, call: Call, body: Mapping[str, object], *, account: UUID | None = None) -> Written:
    """Gives every key of `rows` its value: one that stands is replaced, equal keys of one call are summed, as in files.

    `account` is whose they are where the address says so. The body of the answer is `{"rows": [...]}`: the keys with the
    values that they have now. Raises Invalid, Forbidden, NotFound for an unknown `account`.
    """
    permit(call.principal, WRITE, own=True)
    told, faults = _read(call, body, account)

    async def act(tx: Transaction) -> Written:
        return await _put(tx, call, await _values(tx, call, told, faults, account))

    while True:
        try:
            return await once(db, call, f"{WRITE} put usage {account or ''}", act)
        except _NewMonthsError as first:
            # Making a partition makes writers of accounts wait: in a transaction that holds nothing else.
            async with db.transaction() as tx:
                for month in first.months:
                    await usage.ensure_months(tx, month, month)


async def delete(db: Database, call: Call, account: UUID, key: Mapping[str, object]) -> Written:
    """Takes the value of a key away: `feature`, `day`, and `contact` or `contact_id` where it is somebody's.

    Raises NotFound where it has none, Invalid for what is no key.
    """
    permit(call.principal, WRITE, own=True)
    workspace = call.principal.workspace
    row = _row(call, "", {**key, "value": 0}, account)

    async def act(tx: Transaction) -> Written:
        ((where, _),) = (await _values(tx, call, [row], (), account)).items()
        standing = (await usage.stored(tx, workspace.id, [where])).get(where)
        if standing is None:
            raise NotFound
        await usage.delete(tx, workspace.id, where)
        await settle.settle(tx, workspace, [account], call.now, wrote=USAGE.name)
        effect = Effect(USAGE.name, account, _shown(where, row.feature, standing), None)
        return Written(account, 0, b"", False, (effect,))

    return await once(db, call, f"{WRITE} delete usage {account}", act)


def _read(call: Call, body: Mapping[str, object], account: UUID | None) -> tuple[list[_Row], list[Fault]]:
    """The rows of a body that can be read, and a Fault per wrong member of the others. Raises Invalid for no such body."""
    told = records.only(body, MEMBERS).get("rows")
    if not isinstance(told, list) or not 1 <= len(told) <= MOST:
        raise Invalid(faults=(Fault(f"Expected an array of 1 to {MOST:,} rows.", pointer="/rows"),))
    read: list[_Row] = []
    faults: list[Fault] = []
    for n, one in enumerate(told):
        try:
            read.append(_row(call, f"/rows/{n}", one, account))
        except Invalid as invalid:
            faults += invalid.faults
    return read, faults


def _row(call: Call, pointer: str, told: Any, account: UUID | None) -> _Row:
    """One row. Raises Invalid with pointers to its members below the row's own."""
    try:
        given = writing.read(
            call, USAGE, writing.below(told, account) if isinstance(told, dict) else told, partial=False
        )
        day = cast(date, given["day"])
        # A day begins earlier in the east than where the workspace is.
        last = clock(call.principal.workspace, call.now).today + timedelta(days=1)
        if not date(usage.OLDEST, 1, 1) <= day <= last:
            raise Invalid(faults=(Fault(f"Expected a day from {usage.OLDEST} to today.", pointer="/day"),))
    except Invalid as invalid:
        invalid.faults = tuple(replace(fault, pointer=f"{pointer}{fault.pointer}") for fault in invalid.faults)
        raise
    account_told, contact_told = (
        replace(one, pointer=f"{pointer}{one.pointer}") if isinstance(one, Named) else cast(UUID | None, one)
        for one in (given["account"], given.get("contact"))
    )
    assert account_told is not None  # it is required
    value, feature = cast(float, given["value"]), cast(str, given["feature"])
    return _Row(pointer, feature, day, value, account_told, contact_told)


async def _values(
    tx: Transaction, call: Call, told: Sequence[_Row], wrong: Sequence[Fault], address: UUID | None
) -> dict[Key, _Row]:
    """The rows by key, equal keys summed; their accounts are held. Features come before accounts, as where one is
    deleted. Raises Invalid for what is `wrong` and what leads nowhere, NotFound where that is the address, Forbidden."""
    workspace_id = call.principal.workspace.id
    numbers = await usage.numbers(tx, workspace_id, {row.feature for row in told})
    accounts = await references.accounts(tx, workspace_id, [(row.account, f"{row.pointer}/account_id") for row in told])
    if address is not None and any(isinstance(found, Fault) for found in accounts):
        raise NotFound
    await _hold(tx, call, {found for found in accounts if isinstance(found, UUID)})
    contacts = await _contacts(tx, workspace_id, told, accounts)
    unknown = [(row.feature, f"{row.pointer}/feature") for row in told if row.feature not in numbers]
    faults = [*wrong, *(one for one in (*accounts, *contacts) if isinstance(one, Fault))]
    faults += await references.no_slugs(tx, workspace_id, "features", unknown)
    sums: dict[Key, _Row] = {}
    for row, account_id, contact in zip(told, accounts, contacts, strict=True):
        if isinstance(account_id, Fault) or isinstance(contact, Fault) or row.feature not in numbers:
            continue
        key = (account_id, row.day, numbers[row.feature], contact)
        sums[key] = replace(row, value=_sum(sums[key].value, row.value)) if key in sums else row
    if faults:
        raise Invalid(faults=tuple(faults[: records.MAX_FAULTS]))
    return sums


def _sum(one: float, other: float) -> float:
    """As the numbers are written: 0.1 and 0.2 are 0.3."""
    return float(Decimal(repr(one)) + Decimal(repr(other)))


async def _contacts(
    tx: Transaction, workspace_id: UUID, told: Sequence[_Row], accounts: Sequence[UUID | Fault]
) -> list[UUID | Fault | None]:
    """Whose each row is of the account's contacts; None where it is nobody's, or no account's."""
    asked = [
        (n, row.contact, f"{row.pointer}/contact_id", account_id)
        for n, (row, account_id) in enumerate(zip(told, accounts, strict=True))
        if row.contact is not None and isinstance(account_id, UUID)
    ]
    found: list[UUID | Fault | None] = [None] * len(told)
    if asked:
        named = await references.contacts(tx, workspace_id, [one[1:] for one in asked])
        for (n, *_), one in zip(asked, named, strict=True):
            found[n] = one
    return found


async def _hold(tx: Transaction, call: Call, account_ids: set[UUID]) -> None:
    owners = await rows.hold(tx, call.principal.workspace.id, list(account_ids))
    if owners.keys() != account_ids:  # deleted since it was found
        raise Invalid(faults=(references.no_account("/rows"),))
    for owner in owners.values():
        permit(call.principal, WRITE, own=owner is not None and owner == call.principal.user_id)


async def _put(tx: Transaction, call: Call, told: Mapping[Key, _Row]) -> Written:
    workspace = call.principal.workspace
    if months := await usage.missing(tx, {day for _, day, _, _ in told}):
        raise _NewMonthsError(months)
    before = await usage.stored(tx, workspace.id, list(told))
    fresh = {key: row.value for key, row in told.items() if before.get(key) != row.value}
    if fresh:
        await usage.put(tx, workspace.id, fresh)
        await settle.settle(tx, workspace, [account_id for account_id, _, _, _ in fresh], call.now, wrote=USAGE.name)
    done = tuple(
        Effect(
            USAGE.name, key[0], _shown(key, told[key].feature, before[key]) if key in before else None,
            _shown(key, told[key].feature, value),
        )
        for key, value in fresh.items()
    )  # fmt: skip
    shown = [{"account_id": key[0], **_shown(key, row.feature, row.value)} for key, row in told.items()]
    return Written(next(iter(told))[0], 0, ENCODER.encode({"rows": shown}), False, done, is_told=True)


def _shown(key: Key, feature: str, value: float) -> dict[str, Any]:
    return {"contact_id": key[3], "feature": feature, "day": key[1], "value": value}
