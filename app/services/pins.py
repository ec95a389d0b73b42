"""Pins: an account kept in a segment by somebody, for a reason and, if they say so, until a moment."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from app.domain import records, values
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound, Unavailable
from app.domain.roles import permit
from app.domain.values import MisfitError
from app.persistence import facts, pins, workspaces
from app.persistence.database import Database, Record, Transaction
from app.services import effects, settle
from app.services.calls import ENCODER, Call, Written, once
from app.services.held import held
from app.services.segmentation_documents import instant, names

MEMBERS = ("segment", "reason", "expires_at")
REASON, SLUG = 500, 63
PIN = "accounts.pin"
TIMEOUT = 300.0
"""Seconds that the pins of one workspace may take."""
log = logging.getLogger("app.pins")


async def pin(db: Database, call: Call, account_id: UUID, slug: str, body: Mapping[str, object]) -> Written:
    """Keeps the account in a segment: `{segment, reason, expires_at?}`. It stands there before this answers.

    Raises Invalid, NotFound for an account or segmentation that is not there, Forbidden.
    """
    permit(call.principal, PIN, own=True)
    segment, reason, expires_at = _read(body, call.now)

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        standing = await held(tx, call, PIN, account_id, slug)
        known = names(standing)
        if segment not in known:
            message, suggestion = "Expected a segment of the segmentation, or its rest.", nearest(segment, known)
            raise Invalid(faults=(Fault(message, pointer="/segment", suggestion=suggestion),))
        before = await pins.one(tx, workspace_id, standing["id"], account_id)
        author = call.principal.user_id
        await pins.put(tx, workspace_id, standing["id"], account_id, segment, reason, author, call.now, expires_at)
        await settle.placed(tx, call.principal.workspace, [account_id], call.now, reason="write")
        after = await pins.one(tx, workspace_id, standing["id"], account_id)
        assert after is not None
        done = effects.differing("accounts", account_id, audited(slug, before), audited(slug, after))
        answer = {"segmentation": slug, "account_id": account_id, **_shown(after)}
        return Written(account_id, 1, ENCODER.encode(answer), before is None, done)

    return await once(db, call, f"{PIN} {account_id} {slug}", act)


async def unpin(db: Database, call: Call, account_id: UUID, slug: str) -> Written:
    """The account stands again where the criteria put it. Raises NotFound where nothing is pinned, Forbidden."""
    permit(call.principal, PIN, own=True)

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        standing = await held(tx, call, PIN, account_id, slug)
        before = await pins.one(tx, workspace_id, standing["id"], account_id)
        if before is None:
            raise NotFound("The account is not pinned in this segmentation.")
        await pins.delete(tx, workspace_id, standing["id"], account_id)
        await settle.placed(tx, call.principal.workspace, [account_id], call.now, reason="unpin")
        done = effects.differing("accounts", account_id, audited(slug, before), audited(slug, None))
        return Written(account_id, 1, b"", False, done)

    return await once(db, call, f"{PIN} unpin {account_id} {slug}", act)


async def expire(db: Database, workspace_id: UUID, now: datetime) -> int:
    """Takes away the pins of a workspace that have ended, and places their accounts; how many those were."""
    async with db.transaction(TIMEOUT) as tx:
        return await end(tx, workspace_id, now)


async def end(tx: Transaction, workspace_id: UUID, now: datetime) -> int:
    """The same, in a transaction."""
    ended = await pins.expired(tx, workspace_id, now)
    if not ended:
        return 0
    await facts.lock(tx, workspace_id, ended)
    ended = await pins.take(tx, workspace_id, ended, now)
    if ended:
        workspace = await workspaces.load(tx, workspace_id)
        await settle.placed(tx, workspace, sorted(set(ended)), now, reason="unpin")
    return len(ended)


async def expire_all(db: Database, now: datetime) -> int:
    """The same in every workspace that has any. Meant to be called each minute, by any number of processes."""
    done = 0
    for workspace_id in await pins.due(db, now):
        try:
            done += await expire(db, workspace_id, now)
        except Unavailable:
            continue
        except Exception:  # one workspace's trouble keeps no other from it
            log.exception("pins could not be ended", extra={"workspace": str(workspace_id)})
    return done


def _read(body: Mapping[str, object], now: datetime) -> tuple[str, str, datetime | None]:
    members = records.only(body, MEMBERS, {"until": "expires_at", "expires": "expires_at"})
    faults: list[Fault] = []
    given: dict[str, Any] = {"expires_at": None}
    readers = (("segment", partial(values.text, limit=SLUG)), ("reason", _reason), ("expires_at", values.instant))
    for name, read in readers:
        told = members.get(name)
        try:
            if told is not None:
                given[name] = read(told)
            elif name != "expires_at":
                faults.append(Fault(f"Expected a {name}: it cannot be left out.", pointer=f"/{name}"))
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
    if given["expires_at"] is not None and given["expires_at"] <= now:
        faults.append(Fault("Expected a moment to come.", pointer="/expires_at"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return given["segment"], given["reason"], given["expires_at"]


def _reason(told: object) -> str:
    found = values.text(told, REASON)
    if not found.strip():
        raise MisfitError("a reason")
    return found


def audited(slug: str, row: Record | None) -> dict[str, Any]:
    """A pin as a member of its account."""
    said = None if row is None else {name: row[name] for name in ("segment", "reason", "expires_at")}
    return {"pins": {slug: said}}


def _shown(row: Record) -> dict[str, Any]:
    return {
        "segment": row["segment"], "reason": row["reason"], "author_id": row["author_id"], "author": row["author"],
        "pinned_at": instant(row["pinned_at"]), "expires_at": instant(row["expires_at"]),
    }  # fmt: skip
