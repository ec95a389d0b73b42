"""One import from its file to its last chunk; each chunk is one transaction with everything that follows from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec

from app.domain.errors import StrataError, Unavailable
from app.domain.imports import Problem, State, problem
from app.domain.mappings import FileMapping, importable
from app.domain.workspaces import Workspace
from app.persistence import facts, imports, usage, workspaces
from app.persistence.database import Database, Record, Transaction
from app.persistence.sessions import Session, session
from app.persistence.staging import checks, records, rows
from app.persistence.staging import usage as days
from app.persistence.staging.records import Todo
from app.persistence.staging.rows import Plan, Staged
from app.services import settle
from app.services.calls import new_id
from app.services.importing.files import Progress
from app.services.importing.staging import Opened, stage

TIMEOUT = 3_600.0
"""Seconds that one statement over a whole file may take."""
# Not force_custom_plan: it would plan the check of every foreign key of every row anew.
SETTINGS = {"work_mem": "64MB", "temp_buffers": "32MB"}
ALIVE = 10.0
"""Seconds between two signs of life."""
TRIES = 4
NEW = 1_000
"""Slugs of one kind that a file may make on the way."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is imported, for whom and since when."""

    workspace: Workspace
    import_id: UUID
    now: datetime
    actor: UUID | None
    began: float

    @property
    def moment(self) -> datetime:
        """The time by now."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


def job(workspace: Workspace, import_id: UUID, now: datetime, actor: UUID | None) -> Job:
    """A job that begins now."""
    return Job(workspace, import_id, now, actor, time.monotonic())


async def run(db: Database, work: Job, file: Opened, progress: Progress) -> None:
    """Imports the file; what goes wrong with the whole is told in the resource, as state `failed` and why."""
    state: State = "failed"
    detail: str | None = "The import was stopped: send the file again, it goes on where it was."
    try:
        async with _alive(db, work), session(db, TIMEOUT, **SETTINGS) as own:
            await _import(own, work, file, progress)
        state, detail = "done", None
    except StrataError as error:
        detail = _told(error)
    except Exception:
        detail = "The import failed for a reason that is ours, not the file's: see the server's log."
        raise
    finally:
        await _finish(db, work, state, detail)
    progress("done", 1.0)


def _told(error: StrataError) -> str:
    again = " Send the file again: it goes on where it was." if isinstance(error, Unavailable) else ""
    return f"{error.detail}{again}"


async def _finish(db: Database, work: Job, state: State, detail: str | None) -> None:
    async with db.transaction() as tx:
        await imports.finish(tx, work.workspace.id, work.import_id, state, detail, work.moment)


@asynccontextmanager
async def _alive(db: Database, work: Job) -> AsyncIterator[None]:
    """Shows every few seconds that somebody is at it: what is silent for long has been killed."""

    async def show() -> None:
        while True:
            await asyncio.sleep(ALIVE)
            try:
                async with db.transaction() as tx:
                    await imports.alive(tx, work.workspace.id, work.import_id, work.moment)
            except StrataError:  # the work itself meets the same trouble, and tells
                continue

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _import(own: Session, work: Job, file: Opened, progress: Progress) -> None:
    progress("reading", 0.0)
    mapping, staged = await stage(own, file, lambda step, part: progress(step, part * 0.3))
    plan = rows.plan(mapping, staged, work.workspace, work.import_id)
    problems = list(plan.problems)
    progress("checking", 0.3)
    await _check(own, work, mapping, plan, problems)
    await _create(own, work, mapping, problems)
    todo, months = await _prepare(own, work, mapping, plan, staged)
    await _report(own, work, problems, todo)
    for first, last in _runs(months):
        async with own.transaction() as tx:
            await usage.ensure_months(tx, first, last)
    await _apply(own, work, mapping, plan, staged, todo, progress)


async def _check(own: Session, work: Job, mapping: FileMapping, plan: Plan, problems: list[Problem]) -> None:
    names = [column.name for column in plan.columns]
    parent = next((c.bit for c in plan.columns if c.name == "parent_id"), 0)
    async with own.transaction() as tx:
        await rows.fill(tx, plan)
        if mapping.entity.key == "none":
            problems.append(problem("day", "range", f"Expected a day from {usage.OLDEST} to {usage.NEWEST}."))
            await days.refuse_days(tx, len(problems))
        await checks.across(tx, work.workspace.id, mapping.entity, names, problems, parent)


async def _create(own: Session, work: Job, mapping: FileMapping, problems: list[Problem]) -> None:
    """Makes the industries, products, features or teams that the mapping allows a file to bring along."""
    fields = importable(mapping.entity)
    for name, source in mapping.fields.items():
        if not source.create:
            continue
        table, column = str(fields[name].target), fields[name].column
        async with own.transaction() as tx:
            await workspaces.hold(tx, work.workspace.id)
            fresh = await checks.new_slugs(tx, work.workspace.id, table, column, NEW)
            if fresh:
                await checks.insert_slugs(tx, work.workspace.id, table, [new_id() for _ in fresh], fresh, work.moment)
                if table == "features":  # what share of them an account uses changes for every account
                    await settle.settle(tx, work.workspace, None, work.moment)
            await checks.unknown_slugs(tx, work.workspace.id, table, column, problems)


async def _prepare(
    own: Session, work: Job, mapping: FileMapping, plan: Plan, staged: Staged
) -> tuple[Todo, list[date]]:
    async with own.transaction() as tx:
        if mapping.entity.key == "none":
            return await days.prepare(tx, work.workspace.id, [c.name for c in plan.columns])
        return await records.prepare(tx, work.workspace.id, mapping.entity, plan.columns, staged.partial), []


async def _report(own: Session, work: Job, problems: Sequence[Problem], todo: Todo) -> None:
    """Keeps what is wrong, and what is known of the counts before anything is written."""
    async with own.transaction() as tx:
        counts = dict(await checks.counts(tx))
        counts["unchanged"] = counts["rows"] - counts["rejected"] - todo.rows
        found = await checks.keep(tx, work.workspace.id, work.import_id, problems)
        summary = msgspec.json.encode([_summed(one) for one in found])
        await imports.checked(tx, work.workspace.id, work.import_id, counts, summary, work.moment)


def _summed(one: Record) -> dict[str, object]:
    return {
        "code": one["code"], "column": one["col"], "message": one["message"], "is_warning": one["is_warning"],
        "count": int(one["count"]), "lines": list(one["lines"]),
    }  # fmt: skip


async def _apply(
    own: Session, work: Job, mapping: FileMapping, plan: Plan, staged: Staged, todo: Todo, progress: Progress
) -> None:
    today = work.now.astimezone(work.workspace.zone).date()
    chunks: records.Chunks | days.Days
    if mapping.entity.key == "none":
        chunks, size = days.Days(), days.CHUNK
    else:
        chunks = records.chunks(mapping.entity, plan.columns, staged.partial, work.import_id, today)
        size = records.CHUNK
    for first in range(1, todo.total + 1, size):
        progress(f"writing {mapping.entity.name}", 0.4 + 0.6 * (first - 1) / todo.total)
        last = min(first + size - 1, todo.total)
        await _again(own, partial(_chunk, work=work, mapping=mapping, chunks=chunks, first=first, last=last))


async def _chunk(
    tx: Transaction, work: Job, mapping: FileMapping, chunks: records.Chunks | days.Days, first: int, last: int
) -> None:
    """Rows, facts, segments and counts together. Locks are taken in the order that all writes keep: workspace, accounts."""
    workspace_id, now = work.workspace.id, work.moment
    await workspaces.hold(tx, workspace_id)
    accounts = await records.touched(tx, first, last)
    if accounts:
        await facts.lock(tx, workspace_id, accounts)
    applied = await chunks.apply(tx, workspace_id, first, last, now, work.actor)
    if accounts:
        await settle.settle(tx, work.workspace, accounts, now)
    elif mapping.entity.name == "features":
        await settle.settle(tx, work.workspace, None, now)
    await imports.add(tx, workspace_id, work.import_id, applied.created, applied.updated, applied.same, now)


async def _again(own: Session, chunk: Callable[[Transaction], Awaitable[None]]) -> None:
    """A chunk, once more where somebody else stood in its way."""
    for attempt in range(1, TRIES + 1):
        try:
            async with own.transaction() as tx:
                await chunk(tx)
                return
        except Unavailable:
            if attempt == TRIES or own.connection.is_closed():
                raise
            await asyncio.sleep(0.2 * attempt)


def _runs(months: Sequence[date]) -> list[tuple[date, date]]:
    """Months that follow each other, as first and last of each run."""
    found: list[tuple[date, date]] = []
    for month in months:
        if found and (month - found[-1][1]).days <= 31:
            found[-1] = (found[-1][0], month)
        else:
            found.append((month, month))
    return found
