"""Many records upserted in one call and one transaction: all of them, or the good ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from app.domain import bulk as rules
from app.domain.bulk import FAULTS, Mode
from app.domain.catalogue import Entity
from app.domain.errors import Fault, Invalid
from app.domain.imports import Problem, kind_of
from app.domain.roles import permit
from app.domain.workspaces import clock
from app.persistence import bulk, usage, workspaces
from app.persistence.audit_records import Of
from app.persistence.database import Database, Record, Transaction
from app.persistence.stages import ordered
from app.persistence.staging import plans, records, rows
from app.services import effects, hours, keys, stages, users
from app.services.accounts import MODELLED, TOLD_BY
from app.services.aside import aside
from app.services.calls import ENCODER, Call, Effect, Written, first_id, once
from app.services.importing import json_records, ndjson_lines, staged
from app.services.importing.json_records import Read, Sent
from app.services.importing.staged import Strict

NO_VERSION = 0
AT_ONCE = 100
"""Records that are read within a few milliseconds."""
Faults = Mapping[int, Sequence[Fault]]


@dataclass(frozen=True, slots=True)
class _Work:
    call: Call
    entity: Entity
    told: Sent
    read: Read
    mode: Mode
    bulk_id: UUID

    @property
    def of(self) -> Of:
        """The call's entry in the audit."""
        return Of(self.bulk_id, self.call.now)


async def upsert(db: Database, call: Call, kind: str, told: Sent, mode: Mode) -> Written:
    """Makes or changes each record by its external id, slug, or what usage is known by; members that are not given stay
    as they are. The answer is `{created, updated, unchanged, rejected, results: [{index, id, outcome, version, errors}]}`.

    With mode `all` one bad record refuses everything; with `rows` the others land. Nothing is written for a record that
    says what is stored already. The audit gets one entry for the call, `before` empty, `after` with the counts and the ids
    of what was made or changed, the first NAMED of them in the order of the records, each of which is found by its id
    with what changed; and entries of what went with it: contacts that are primary no more, stages that moved.

    Raises Forbidden, Invalid with pointers such as `/records/17/arr`, Unreadable, Conflict.
    """
    entity = _permitted(call, kind)
    rules.counted(told.count)
    read = await _aside(told.count, partial(json_records.read, entity, told, call.principal.workspace, call.now))
    await _make_months(db, read, _strict(call).last)
    work = _Work(call, entity, told, read, mode, first_id())
    written = await once(db, call, f"{operation(entity.name)} bulk {entity.name} {mode}", lambda tx: _upsert(tx, work))
    if entity.name == "users":
        keys.forget(db)
    return written


async def _aside(count: int, work: Callable[[], Any]) -> Any:
    """What takes long for many records, beside the loop that serves everybody else."""
    return work() if count <= AT_ONCE else await aside(work)


def _permitted(call: Call, kind: str) -> Entity:
    entity = kind_of(kind)
    permit(call.principal, operation(entity.name))
    return entity


def operation(kind: str) -> str:
    """What roles call a bulk upsert of this kind: whoever makes users gives roles."""
    return {"users": "users.write", "stages": "stages.write"}.get(kind, "records.bulk")


async def _make_months(db: Database, read: Read, latest: date) -> None:
    """What days of usage are kept in, made before the call's own transaction: others wait while one is made."""
    days = (found for text in read.days if (found := _day(text)) is not None and found <= latest)
    months = sorted({found.replace(day=1) for found in days})
    for first, last in staged.runs(months):
        async with db.transaction() as tx:
            await usage.ensure_months(tx, first, last)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if usage.OLDEST <= found.year <= usage.NEWEST else None


async def _upsert(tx: Transaction, work: _Work) -> Written:
    workspace, entity, read = work.call.principal.workspace, work.entity, work.read
    await workspaces.hold(tx, workspace.id)
    held = read.staged
    await tx.execute(rows.staging(held.columns))
    columns = [*(f"c{n}" for n in range(len(held.columns))), "bad"]
    await tx.copy_csv("import_lines", _once(read.csv), columns, encoding="utf-8", **ndjson_lines.COPY)
    plan = plans.plan(read.mapping, held, workspace, work.bulk_id, work.call.now)
    problems = list(plan.problems)
    await staged.check(tx, workspace.id, read.mapping, plan, held.partial, problems, _strict(work.call))
    faults = await _faults(tx, work, problems)
    if faults and work.mode == "all":
        raise _refusal(faults, work.told.count)
    todo, _ = await staged.prepare(tx, workspace.id, entity, plan, held.partial)
    done: list[Effect] = []
    if todo.total:
        writer = staged.writer(workspace, entity, plan, held.partial, work.bulk_id, work.call.now, with_made=True)
        follow = partial(_follow, work=work, columns=plan.columns, done=done)
        await writer.write(tx, 1, todo.total, work.of, work.call.principal.user_id, follow)
        if todo.total >= rules.LOAD:
            await hours.refresh(tx, workspace.id, work.call.now)
    errors = {n: ENCODER.encode(found) for n, found in faults.items()}
    row = await bulk.answered(tx, workspace.id, entity, [c.name for c in plan.columns], work.bulk_id, errors)
    await bulk.forget(tx)
    return _written(work, row, done)


def _strict(call: Call) -> Strict:
    # A day begins earlier in the east than where the workspace is.
    workspace = call.principal.workspace
    by_model = None if workspace.scores.health is None else MODELLED
    return Strict(TOLD_BY, clock(workspace, call.now).today + timedelta(days=1), by_model)


async def _follow(tx: Transaction, work: _Work, columns: Sequence[rows.Column], done: list[Effect]) -> None:
    """What single writes of this kind also see to, before facts are made of it; what that changed is added to `done`."""
    workspace_id = work.call.principal.workspace.id
    match work.entity.name:
        case "contacts":
            others = await records.one_primary(tx, workspace_id, columns, 1, rules.RECORDS, work.call.now)
            done += effects.several(work.entity.name, others, {"is_primary": True}, {"is_primary": False})
        case "stages":
            order = await ordered(tx, workspace_id)
            done += await stages.number(tx, work.call, order, [row["id"] for row in order])
        case "users":
            await users.keep_an_admin(tx, workspace_id)


async def _once(csv: bytes) -> AsyncIterator[bytes]:
    yield csv


async def _faults(tx: Transaction, work: _Work, problems: Sequence[Problem]) -> dict[int, tuple[Fault, ...]]:
    """What is wrong, by record: what the reader of single writes finds in it, and what all records together tell besides."""
    found: dict[int, list[Record]] = {}
    for row in await bulk.refused(tx, problems):
        found.setdefault(row["line"], []).append(row)
    return await _aside(len(found), partial(_found, work, found)) if found else {}


def _found(work: _Work, found: Mapping[int, Sequence[Record]]) -> dict[int, tuple[Fault, ...]]:
    told, workspace = work.told.read(), work.call.principal.workspace
    faults: dict[int, tuple[Fault, ...]] = {}
    for n, rows_ in found.items():
        wrong = work.read.faults.get(n) or json_records.faults(work.entity, n, told[n], workspace, work.call.now)
        problems = ((n, row["col"], row["message"]) for row in rows_)
        more = json_records.pointed(work.entity, told[n], problems, wrong)
        faults[n] = (*wrong, *more)
    return faults


def _refusal(faults: Faults, records: int) -> Invalid:
    every = [fault for _, found in sorted(faults.items()) for fault in found]
    words = f"{len(faults):,} of {records:,} records cannot be taken; nothing was written."
    if len(every) > FAULTS:
        words += f" {len(every) - FAULTS:,} more faults are not told."
    return Invalid(words, tuple(every[:FAULTS]))


def _written(work: _Work, row: Record, done: Sequence[Effect]) -> Written:
    counts: dict[str, int] = {name: int(row[name]) for name in rules.OUTCOMES}
    body = msgspec.json.encode(counts)[:-1] + b',"results":[' + row["results"].encode() + b"]}"
    if counts["created"] or counts["updated"]:
        told = {**counts, "ids": list(row["changed"] or ())}
        done = (Effect(work.entity.name, None, {}, told, entry_id=work.of.entry_id), *done)
    return Written(work.bulk_id, NO_VERSION, body, created=False, effects=tuple(done), is_told=True)
