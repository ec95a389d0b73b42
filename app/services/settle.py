"""What every write ends with, inside its transaction: kept facts, history, then segments, of the accounts it touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import nodes, text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.nodes import Node
from app.domain.errors import Invalid, Unreadable
from app.domain.facts import INPUTS
from app.domain.segmentation import books
from app.domain.segmentation.bodies import axes_of
from app.domain.segmentation.cuts import loaded
from app.domain.segmentation.hysteresis import OFF, Steady, span
from app.domain.segmentation.parts import names, of_segments, parts
from app.domain.segmentation.spans import Span, UnfollowedError, spans
from app.domain.workspaces import Workspace, clock
from app.persistence import changes, facts, members, segments, workspaces
from app.persistence.database import Reader, Record, Transaction
from app.persistence.members import Plan, Rule
from app.services import lifecycle, measures, named

K = TypeVar("K")
V = TypeVar("V")
Reason = Literal["write", "day", "time", "definition", "ranks", "unpin", "check"]
"""Why a membership began: something was written, a day or a moment passed, the segmentation or a list that it names was
defined anew, the hour came at which ranks are compared with what the records have become, somebody's pin ended, a full check
found that it was elsewhere. Of those that are pinned it is always `pin`, of those that waited `confirmation`."""
SCORED = ("write", "day", "definition")
"""After what health by a workspace's own model may be another; segments that weigh it may move it at any time."""
REMEMBERED = ("csm", "parent")
"""The fields of accounts, set by hand, whose changes are kept as history; the primary contact follows from contacts."""
TICK = timedelta(microseconds=1)
KEPT = 256
"""Workspaces whose definitions are kept compiled in this process."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A stored segmentation as it is said."""

    id: UUID
    cases: tuple[tuple[str, Node], ...]
    rest: str
    books: books.Books = ()
    degraded: bool = False
    steady: Steady = OFF


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be computed at one moment. `broken` no longer means anything, for the reasons in `details`; `relative` means
    another thing later; `read` are all fields that any rule names; `named`: some rule names a list, which may read others
    by now, or ranks. `degraded` could not be computed the last time: it is tried again with all accounts alone."""

    rules: tuple[Rule, ...]
    broken: tuple[UUID, ...]
    relative: bool
    read: frozenset[str]
    named: bool = False
    details: tuple[str, ...] = ()
    degraded: frozenset[UUID] = frozenset()


_definitions: dict[tuple[UUID, str], tuple[Definition, ...]] = {}
_prepared: dict[tuple[UUID, str], Prepared] = {}
_plans: dict[tuple[UUID, str, str], Plan] = {}


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
    where nothing else was written. `fresh`: the transaction made them with their facts, and nothing is related to them yet.
    """
    if account_ids is not None:
        account_ids = list(dict.fromkeys(account_ids))
        if not account_ids:
            return
    touched = written = None if changed is None else frozenset(changed)
    if not fresh and (touched is None or not touched.isdisjoint(INPUTS)):
        await facts.lock(tx, workspace.id, account_ids)
        await facts.refresh(tx, workspace.id, account_ids, usage=touched is None)
        touched = None
    # Of related records contacts alone move a reference of an account, and a day that passes moves none.
    moved = wrote in (None, "contacts") if written is None else not written.isdisjoint(REMEMBERED)
    if moved and reason == "write":
        await changes.keep(tx, workspace.id, account_ids, now)
    await _place_now(tx, workspace.id, account_ids, now, touched, reason)


async def place(
    tx: Transaction, workspace: Workspace, now: datetime, *, reason: Reason = "definition", anew: UUID | None = None
) -> None:
    """Place every account anew because segmentations were defined; facts stay as they are. For `ranks` only where some
    segmentation may stand on them. `anew`: by this one accounts go where the criteria put them, whatever held them."""
    if reason == "ranks":
        defined = await _defined(tx, (workspace.id, workspace.epoch))
        if not any(names_more(node) for one in defined for _, node in one.cases):
            return
    await facts.lock(tx, workspace.id, None)
    await _place_now(tx, workspace.id, None, now, None, reason, anew)


async def placed(
    tx: Transaction, workspace: Workspace, account_ids: Sequence[UUID], now: datetime, *, reason: Reason
) -> None:
    """Place these accounts, which are locked, because of what is no field of theirs: a pin."""
    await _place_now(tx, workspace.id, account_ids, now, None, reason)


async def _place_now(
    tx: Transaction,
    workspace_id: UUID,
    account_ids: Sequence[UUID] | None,
    now: datetime,
    touched: frozenset[str] | None,
    reason: Reason,
    anew: UUID | None = None,
) -> None:
    # Read after the lock: whoever defines segments anew has either finished or waits for these accounts.
    current = await workspaces.load(tx, workspace_id)
    weighs, told, moved = measures.weighs(current), touched, frozenset[str]()
    if weighs:  # what health weighs is by segment: those come first, and again where health moved anything
        await _place(tx, current, account_ids, now, touched, reason, anew)
        touched = frozenset()
    if weighs or reason in SCORED:
        moved = await measures.keep(tx, current, account_ids, None if weighs else told)
    if reason in SCORED:
        moved |= await lifecycle.follow(tx, current, account_ids, None if told is None else told | moved, now)
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
    anew: UUID | None,
) -> None:
    key = (workspace.id, workspace.epoch)
    prepared = _prepared.get(key)
    if prepared is not None and not prepared.named and touched is not None and touched.isdisjoint(prepared.read):
        return
    if prepared is None or prepared.relative:
        prepared = await _prepare(tx, workspace, now)
    if account_ids is None:
        afresh = tuple(replace(rule, steady=OFF) if rule.id == anew else rule for rule in prepared.rules)
        await _place_all(tx, workspace, replace(prepared, rules=afresh), now, reason)
        return
    rules = [rule for rule in prepared.rules if rule.id not in prepared.degraded]
    if not rules:
        return
    scoped = "one" if len(account_ids) == 1 else "many"
    plan = None if prepared.relative else _plans.get((*key, scoped))
    if plan is None:
        plan = members.plan(rules, workspace, scoped)
        _keep(_plans, (*key, scoped), plan)
    await members.write(tx, plan, account_ids, now, reason)


async def _prepare(tx: Transaction, workspace: Workspace, now: datetime) -> Prepared:
    """What can be computed now; what means nothing any more says so."""
    key = (workspace.id, workspace.epoch)
    prepared = await prepare(tx, await _defined(tx, key), workspace, now)
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
    if await members.attempt(tx, members.plan(prepared.rules, workspace, "all"), now, reason) is not None:
        for rule in prepared.rules:
            detail = await members.attempt(tx, members.plan([rule], workspace, "all"), now, reason)
            if detail is not None:
                failed[rule.id] = detail
    done = [rule.id for rule in prepared.rules if rule.id not in failed]
    ticking = await _ticking(tx, workspace, now) if prepared.relative else frozenset()
    await segments.computed(tx, workspace.id, done, ticking, now)
    if failed:
        await segments.failed(tx, workspace.id, list(failed), "degraded", list(failed.values()))


async def _ticking(tx: Transaction, workspace: Workspace, now: datetime) -> frozenset[UUID]:
    """Those that time alone moves within a day."""
    defined = await _defined(tx, (workspace.id, workspace.epoch))
    before, after = [await prepare(tx, defined, workspace, at) for at in (now, now + TICK)]
    meant = {rule.id: rule for rule in after.rules}
    return frozenset(rule.id for rule in before.rules if meant.get(rule.id) != rule)


async def follow(tx: Transaction, workspace: Workspace, since: datetime, now: datetime) -> bool:
    """Move by time alone whoever changed sides between the two moments: those accounts are found by index, and placed; where
    they cannot be, all are."""
    defined = await _defined(tx, (workspace.id, workspace.epoch))
    before, after = [await prepare(tx, defined, workspace, at) for at in (since, now)]
    try:
        moved = _spans(before, after)
    except UnfollowedError:
        await place(tx, workspace, now, reason="time")
        return True
    found = await members.within(tx, workspace, moved) if moved else []
    if found:
        await facts.lock(tx, workspace.id, found)
        await _place_now(tx, workspace.id, found, now, None, "time")
    await segments.followed(tx, workspace.id, now)
    return bool(found)


async def confirm(tx: Transaction, workspace_id: UUID, now: datetime) -> int:
    """Make the moves that have waited for as long as they had to; how many accounts those were of."""
    found = await members.confirmed(tx, workspace_id, now)
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


async def _defined(tx: Transaction, key: tuple[UUID, str]) -> tuple[Definition, ...]:
    found = _definitions.get(key)
    if found is None:
        found = tuple(definition(row) for row in await segments.all_of(tx, key[0]))
        _keep(_definitions, key, found)
    return found


def definition(row: Record) -> Definition:
    """What is stored, as it is said."""
    cases = msgspec.json.decode(row["segments"])
    told = tuple((case["slug"], text.parse(case["criteria"])) for case in cases)
    cut = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    within = books.of(cut, loaded(msgspec.json.decode(row["cuts"])))
    return Definition(row["id"], told, row["rest"], within, row["state"] == "degraded", steady(row))


def steady(row: Record) -> Steady:
    """What stops flapping in a stored segmentation."""
    return Steady(row["band"], None if row["confirm"] is None else span(row["confirm"]))


async def prepare(reader: Reader, definitions: Sequence[Definition], workspace: Workspace, now: datetime) -> Prepared:
    """Check every definition at this moment, in the workspace's own zone and with nobody's eyes."""
    setting = Setting(workspace, clock(workspace, now), people=False)
    return await named.reading(reader, setting, None, now, partial(_prepared_in, definitions))


def _prepared_in(definitions: Sequence[Definition], setting: Setting) -> Prepared:
    rules: list[Rule] = []
    broken: dict[UUID, str] = {}
    relative = False
    read: frozenset[str] = frozenset()
    for one in definitions:
        within = books.over(setting, one.books)
        try:
            found = [(slug, check(node, ACCOUNTS, within)) for slug, node in one.cases]
        except (Invalid, Unreadable) as error:
            broken[one.id] = error.faults[0].message if error.faults else error.detail
            continue
        relative = relative or any(checked.relative for _, checked in found)
        read = read.union(*(names(checked.meaning) for _, checked in found))
        rules.append(Rule(one.id, tuple((slug, checked.meaning) for slug, checked in found), one.rest, one.steady))
    named = any(names_more(node) for one in definitions for _, node in one.cases)
    degraded = frozenset(one.id for one in definitions if one.degraded)
    details = tuple(broken.values())
    return Prepared(tuple(rules), tuple(broken), relative or named, read, named, details, degraded)


def asks_segments(rule: Rule) -> bool:
    """Whether a rule asks for segments, which it must not: those are placed at the same moment, in no order."""
    return any(of_segments(meaning) for _, meaning in rule.cases)


def names_more(node: Node) -> bool:
    """Whether criteria name a list or rank anything: what that means is not told by the definition alone."""
    return any(isinstance(part, (nodes.InList, nodes.Rank)) for part in parts(node))


def _keep(cache: dict[K, V], key: K, value: V) -> None:
    if len(cache) >= KEPT:
        cache.clear()
    cache[key] = value
