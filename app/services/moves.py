"""Accounts moved between lifecycle stages, what they went through, and how long they stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain import records, values
from app.domain.catalogue import ACCOUNTS
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.domain.values import MisfitError
from app.domain.workspaces import clock
from app.persistence import records as rows
from app.persistence import stages
from app.persistence.database import Database, Reader, Record, Transaction
from app.services import lifecycle, references, settle, writing
from app.services.calls import Call, Effect, Written, first_id, once, versioned

MEMBERS = ("stage", "note")
CHANGED = ("stage", "stage_since", "updated_at", "version")
DAY = timedelta(days=1)
Key = tuple[datetime, UUID]
"""When an account moved, and which move that was."""


async def move(
    db: Database, call: Call, account_id: UUID, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The account in another stage, or with null in none, as `{stage, note?}` says; one in that stage stays as it is.

    Who says where it should stand overwrites nothing else: the version is compared where one is told, and else not.
    Raises Invalid, NotFound, Forbidden, VersionStale.
    """
    permit(call.principal, "accounts.stage", own=True)
    stage, note = _read(body)

    async def act(tx: Transaction) -> Written:
        workspace = call.principal.workspace
        standing = await rows.locked(tx, ACCOUNTS, workspace.id, "id", account_id)
        if standing is None:
            raise NotFound
        mine = call.principal.user_id is not None and standing["csm_id"] == call.principal.user_id
        permit(call.principal, "accounts.stage", own=mine)
        if expected_version is not None:
            versioned(standing["version"], expected_version)
        if standing["stage"] == stage:
            return await writing.answer(tx, call, ACCOUNTS, account_id)
        if stage is not None:
            found = await references.slug(tx, workspace.id, "stages", stage, "/stage")
            if isinstance(found, Fault):
                raise Invalid(faults=(found,))
        await place(tx, call, [account_id], stage, note)
        done = (Effect(ACCOUNTS.name, account_id, {"stage": standing["stage"]}, {"stage": stage}),)
        return await writing.answer(tx, call, ACCOUNTS, account_id, done)

    return await once(db, call, f"accounts.stage {account_id}", act)


async def place(
    tx: Transaction, call: Call, account_ids: Sequence[UUID], stage: str | None, note: str | None = None
) -> None:
    """Moves accounts, locked before, into a stage or out of any, history and segments included."""
    if not account_ids:
        return
    workspace = call.principal.workspace
    await keep(tx, call, account_ids, stage, note)
    since = clock(workspace, call.now).today if stage is not None else None
    await stages.move(tx, workspace.id, account_ids, stage, since, call.now)
    await settle.settle(tx, workspace, account_ids, call.now, changed=CHANGED)


async def keep(
    tx: Transaction, call: Call, account_ids: Sequence[UUID], stage: str | None, note: str | None = None
) -> None:
    """Writes into history that accounts moved to a stage, or to none: whatever changes a stage goes through here."""
    principal = call.principal
    await stages.record(tx, principal.workspace.id, first_id(), account_ids, stage, call.now, principal.user_id, note)


async def standing(db: Reader, principal: Principal, account_id: UUID, now: datetime) -> dict[str, Any]:
    """The stage of an account, the day since which it stands there, and the whole days since then. Raises NotFound."""
    permit(principal, "records.read")
    row = await stages.current(db, principal.workspace.id, account_id)
    if row is None:
        raise NotFound
    since = row["stage_since"]
    days = None if since is None else (clock(principal.workspace, now).today - since).days
    return {"stage": row["stage"], "stage_since": since, "days": days}


async def history(
    db: Reader, principal: Principal, account_id: UUID, now: datetime, after: Key | None, limit: int
) -> tuple[list[dict[str, Any]], list[Key], bool]:
    """The stages that an account went through, the latest first, `to` null where it stands there still; the key of each,
    which the next page begins after; and whether there is one. Days have two decimals. Raises NotFound."""
    permit(principal, "records.read")
    if await stages.current(db, principal.workspace.id, account_id) is None:
        raise NotFound
    found = await stages.history(db, principal.workspace.id, account_id, after, limit + 1)
    page = found[:limit]
    return [_entry(row, now) for row in page], [(row["moved_at"], row["id"]) for row in page], len(found) > limit


async def summary(db: Reader, principal: Principal, now: datetime) -> dict[str, Any]:
    """Per stage, in order: accounts and ARR now, how long they have been there, how long those that left it stayed, and
    how many of them went on to the next stage, and whether its entry criteria mean something; and how many accounts are in none. Archived accounts are left out of
    what is now. Encode Decimals as numbers."""
    permit(principal, "records.read")
    workspace = principal.workspace
    today = clock(workspace, now).today
    found = await stages.summary(db, workspace.id, today)
    data = [_summed(row, principal) for row in found if row["slug"] is not None]
    none = next((row for row in found if row["slug"] is None), None)
    accounts, arr = (none["accounts"], none["arr"]) if none else (0, 0)
    return {"data": data, "without": {"accounts": accounts, "arr": workspace.major(arr)}, "on": today}


def _read(body: Mapping[str, object]) -> tuple[str | None, str | None]:
    members = records.only(body, MEMBERS)
    faults: list[Fault] = []
    if "stage" not in members:
        faults.append(Fault("Expected the slug of a stage, or null: it cannot be left out.", pointer="/stage"))
    stage, note = members.get("stage"), members.get("note")
    for name, told, read in (("stage", stage, values.slug), ("note", note, _note)):
        try:
            if told is not None:
                read(told)
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return (None if stage is None else str(stage)), (str(note) if note else None)


def _note(told: object) -> str:
    return values.text(told, values.PROSE)


def _entry(row: Record, now: datetime) -> dict[str, Any]:
    until = row["left_at"] or max(now, row["moved_at"])
    return {
        "stage": row["stage"], "from_at": _instant(row["moved_at"]), "to_at": _instant(row["left_at"]),
        "days": round((until - row["moved_at"]) / DAY, 2), "note": row["note"], "cause": row["cause"], "actor_id": row["actor_id"],
        "actor_name": row["actor_name"],
    }  # fmt: skip


def _summed(row: Record, principal: Principal) -> dict[str, Any]:
    return {
        "slug": row["slug"], "name": row["name"], "position": row["position"], "accounts": row["accounts"],
        "arr": principal.workspace.major(row["arr"]), "days_median": row["median"],
        "days_p90": _rounded(row["p90"]), "left": row["moves"], "days_completed": _rounded(row["average"]),
        "next": row["next_stage"], "advanced": row["advanced"],
        "conversion": round(row["advanced"] / row["moves"], 4) if row["moves"] else None,
        **lifecycle.told(principal.workspace, row["slug"]),
    }  # fmt: skip


def _rounded(days: float | None) -> float | None:
    return None if days is None else round(days, 2)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
