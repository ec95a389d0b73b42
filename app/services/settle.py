"""What every write ends with, inside its transaction: kept facts, history, then segments, of the accounts it touched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

from app.domain.facts import INPUTS
from app.domain.segmentation.hysteresis import OFF
from app.domain.segmentation.spans import Span, UnfollowedError, spans
from app.domain.workspaces import Workspace
from app.persistence import changes, confirmations, facts, members, segments, workspaces
from app.persistence.database import Transaction
from app.persistence.members import Plan
from app.persistence.scoped import Scoped, scoped
from app.persistence.spans import within
from app.services import lifecycle, measures
from app.services.prepared import Prepared, defined, names_more, prepare

K = TypeVar("K")
V = TypeVar("V")
Reason = Literal["write", "day", "time", "definition", "ranks", "unpin", "check"]
"""Why a membership began: something was written, a day or a moment passed, the segmentation or a list that it names was
defined anew, the hour came at which ranks are compared with what the records have become, somebody's pin ended, a full check
found that it was elsewhere. Of those that are pinned it is always `pin`, of those that waited `confirmation`."""
SCORED = ("write", "day", "definition")
"""After what health by a workspace's own model, and stages, may be others; segments that weigh health may move it at any
time, and stages by it."""
REMEMBERED = ("csm", "parent")
"""The fields of accounts, set by hand, whose changes are kept as history; the primary contact follows from contacts."""
TICK = timedelta(microseconds=1)
KEPT = 256
"""Workspaces whose definitions are kept compiled in this process."""
_prepared: dict[tuple[UUID, str], Prepared] = {}
_plans: dict[tuple[UUID, str, Scoped], Plan] = {}


async def settle(
    tx: Transaction,
    workspace: Workspace,
    account_ids: Sequence[UUID] | None,
    now: datetime,
    *,
    changed: Iterable[str] | None = None,
    fresh: bool = False,
    wrote: str | None = None,
    reason: Reason = "write",
) -> None:
    """Bring facts and segments of these accounts (None: all) up to date with the rows that the transaction wrote.

    `changed` names the fields of the accounts where nothing else was written: what no fact and no rule reads is then
    not computed again; leave it out for new accounts and related records. `wrote` names the entity of the related records
    where nothing else was written. `fresh`: the transaction wrote them with the facts that follow.
    """
    if account_ids is not None:
        account_ids = list(dict.fromkeys(account_ids))
        if not account_ids:
            return
    touched = written = None if changed is None else frozenset(changed)
    if touched is None or not touched.isdisjoint(INPUTS):
        if not fresh:
            await facts.lock(tx, workspace.id, account_ids)
            await facts.refresh(tx, workspace.id, account_ids, usage=touched is None)
        touched = None
    # Of related records contacts alone move a reference of an account, and a day that passes moves none.
    moved = wrote in (None, "contacts") if written is None else not written.isdisjoint(REMEMBERED)
    if moved and reason == "write":
        await changes.keep(tx, workspace.id, account_ids, now)
    await _place_now(tx, workspace.id, account_ids, now, touched, reason)


async def place(
    tx: Transaction, workspace: Workspace, now: datetime, *, reason: Reason = "definition", anew: Collection[UUID] = ()
) -> None:
    """Place every account anew because segmentations were defined; facts stay as they are. For `ranks` only where some
    segmentation may stand on them. `anew`: by these accounts go where the criteria put them, whatever held them."""
    if reason == "ranks":
        every = await defined(tx, workspace)
        if not any(names_more(node) for one in every for _, node in one.cases):
            return
    await facts.lock(tx, workspace.id, None)
    await _place_now(tx, workspace.id, None, now, None, reason, anew)


async def placed(
    tx: Transaction, workspace: Workspace, account_ids: Sequence[UUID], now: datetime, *, reason: Reason
) -> None:
    """Place these accounts, which are locked, because of what is no field of theirs: a pin. It holds where criteria mean
    nothing any more, too."""
    await _place_now(tx, workspace.id, account_ids, now, None, reason)
    await members.keep(tx, workspace.id, account_ids, now, reason)


async def _place_now(
    tx: Transaction,
    workspace_id: UUID,
    account_ids: Sequence[UUID] | None,
    now: datetime,
    touched: frozenset[str] | None,
    reason: Reason,
    anew: Collection[UUID] = (),
) -> None:
    # Read after the lock: whoever defines segments anew has either finished or waits for these accounts.
    current = await workspaces.current(tx, workspace_id)
    weighs, told, moved = measures.weighs(current), touched, frozenset[str]()
    if weighs:  # what health weighs is by segment: those come first, and again where health moved anything
        await _place(tx, current, account_ids, now, touched, reason, anew)
        touched = frozenset()
    if weighs or reason in SCORED:
        moved = await measures.keep(tx, current, account_ids, None if weighs else told)
        told = moved if reason not in SCORED else None if told is None else told | moved
        moved |= await lifecycle.follow(tx, current, account_ids, told, now)
    touched = None if touched is None else touched | moved
    if current.segmentations:
        await _place(tx, current, account_ids, now, touched, reason, anew)


async def _place(
    tx: Transaction,
    workspace: Workspace,
    account_ids: Sequence[UUID] | None,
    now: datetime,
    touched: frozenset[str] | None,
    reason: Reason,
    anew: Collection[UUID],
) -> None:
    key = (workspace.id, workspace.epoch)
    prepared = _prepared.get(key)
    if prepared is not None and not prepared.named and touched is not None and touched.isdisjoint(prepared.read):
        return
    if prepared is None or prepared.relative:
        prepared = await _prepare(tx, workspace, now)
    if account_ids is None:
        afresh = tuple(replace(rule, steady=OFF) if rule.id in anew else rule for rule in prepared.rules)
        await _place_all(tx, workspace, replace(prepared, rules=afresh), now, reason)
        return
    rules = [rule for rule in prepared.rules if rule.id not in prepared.degraded]
    if not rules:
        return
    size = scoped(account_ids)
    plan = None if prepared.relative else _plans.get((*key, size))
    if plan is None:
        plan = members.plan(rules, workspace, size)
        _keep(_plans, (*key, size), plan)
    await members.write(tx, plan, account_ids, now, reason)


async def _prepare(tx: Transaction, workspace: Workspace, now: datetime) -> Prepared:
    """What can be computed now; what means nothing any more says so."""
    key = (workspace.id, workspace.epoch)
    prepared = await prepare(tx, await defined(tx, workspace), workspace, now)
    _keep(_prepared, key, prepared)
    if prepared.broken:
        await segments.failed(tx, workspace.id, prepared.broken, "broken", prepared.details)
    return prepared


async def _place_all(tx: Transaction, workspace: Workspace, prepared: Prepared, now: datetime, reason: Reason) -> None:
    """Every account by every rule; where that fails, rule by rule, so that one that cannot be computed keeps no other from
    it. Its members stay as they were, and it says so."""
    if not prepared.rules:
        return
    failed: dict[UUID, str] = {}
    if await members.attempt(tx, prepared.rules, workspace, now, reason) is not None:
        for rule in prepared.rules:
            detail = await members.attempt(tx, [rule], workspace, now, reason)
            if detail is not None:
                failed[rule.id] = detail
    done = [rule.id for rule in prepared.rules if rule.id not in failed]
    ticking = await _ticking(tx, workspace, now) if prepared.relative else frozenset()
    await segments.computed(tx, workspace.id, done, ticking, now)
    if failed:
        await segments.failed(tx, workspace.id, list(failed), "degraded", list(failed.values()))


async def _ticking(tx: Transaction, workspace: Workspace, now: datetime) -> frozenset[UUID]:
    """Those that time alone moves within a day."""
    every = await defined(tx, workspace)
    before, after = [await prepare(tx, every, workspace, at) for at in (now, now + TICK)]
    meant = {rule.id: rule for rule in after.rules}
    return frozenset(rule.id for rule in before.rules if meant.get(rule.id) != rule)


async def follow(tx: Transaction, workspace: Workspace, since: datetime, now: datetime) -> bool:
    """Move by time alone whoever changed sides between the two moments: those accounts are found by index, and placed.
    Raises UnfollowedError where they cannot be found: then `place` all."""
    every = await defined(tx, workspace)
    before, after = [await prepare(tx, every, workspace, at) for at in (since, now)]
    moved = _spans(before, after)
    found = await within(tx, workspace, moved) if moved else []
    if found:
        await facts.lock(tx, workspace.id, found)
        await _place_now(tx, workspace.id, found, now, None, "time")
    await segments.followed(tx, workspace.id, now)
    return bool(found)


async def confirm(tx: Transaction, workspace_id: UUID, now: datetime) -> int:
    """Make the moves that have waited for as long as they had to; how many accounts those were of."""
    found = await confirmations.confirmed(tx, workspace_id, now)
    if found:
        await facts.lock(tx, workspace_id, found)
        await _place_now(tx, workspace_id, found, now, None, "time")
    return len(found)


async def compare(tx: Transaction, workspace: Workspace, now: datetime) -> dict[UUID, int] | None:
    """How many accounts stand elsewhere than a full evaluation says, by each segmentation that can be computed; None where
    one cannot after all."""
    prepared = await _prepare(tx, workspace, now)
    rules = [rule for rule in prepared.rules if rule.id not in prepared.degraded]
    if not rules:
        return {}
    found = await members.compare(tx, members.plan(rules, workspace, "all"), now)
    return None if found is None else {rule.id: found.get(rule.id, 0) for rule in rules}


def _spans(before: Prepared, after: Prepared) -> tuple[Span, ...]:
    """Raises UnfollowedError."""
    meant = {rule.id: rule for rule in before.rules}
    if meant.keys() != {rule.id for rule in after.rules}:
        raise UnfollowedError
    found = (
        spans(was, now)
        for rule in after.rules
        for (_, was), (_, now) in zip(meant[rule.id].cases, rule.cases, strict=True)
    )
    return tuple(dict.fromkeys(span for several in found for span in several))


def _keep(cache: dict[K, V], key: K, value: V) -> None:
    if len(cache) >= KEPT:
        cache.clear()
    cache[key] = value
