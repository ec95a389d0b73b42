"""One import from its file to its last chunk; each chunk is one transaction with everything that follows from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, Entity
from app.domain.errors import StrataError, Unavailable
from app.domain.imports import Finding, Named, Problem, State, problem
from app.domain.mappings import FileMapping, importable
from app.domain.workspaces import Workspace
from app.persistence import imports, planner, usage, workspaces
from app.persistence.audit_records import Of
from app.persistence.database import Database, Transaction
from app.persistence.members import PLACED
from app.persistence.sessions import Session, session
from app.persistence.staging import checks, doubts, plans, records, rules
from app.persistence.staging.records import Todo
from app.persistence.staging.rows import Column, Plan, Staged
from app.services import effects, hours, settle, starting_cuts, users
from app.services.calls import Call, Effect, keep, keep_command, new_id
from app.services.importing import report, staged
from app.services.importing.files import Progress
from app.services.importing.staged import Writer
from app.services.importing.staging import Opened, stage, unmapped

TIMEOUT = 3_600.0
"""Seconds that one statement over a whole file may take."""
# Not force_custom_plan: it would plan the check of every foreign key of every row anew.
SETTINGS = {"work_mem": "64MB", "temp_buffers": "32MB"}
OPERATION = "imports.create"
COUNTED = ("kind", "state", "rows", "created", "updated", "unchanged", "rejected", "warned", "detail")
ALIVE = 10.0
"""Seconds between two signs of life."""
TRIES = 4
NEW = 1_000
"""Slugs of one kind that a file may make on the way."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is imported, for whom and since when; `call` is None at the command line."""

    workspace: Workspace
    import_id: UUID
    now: datetime
    call: Call | None
    began: float

    @property
    def actor(self) -> UUID | None:
        """The user whose import it is."""
        return self.call.principal.user_id if self.call else None

    @property
    def moment(self) -> datetime:
        """The time by now."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


def job(workspace: Workspace, import_id: UUID, now: datetime, call: Call | None) -> Job:
    """A job that begins now."""
    return Job(workspace, import_id, now, call, time.monotonic())


async def run(db: Database, work: Job, file: Opened, progress: Progress) -> None:
    """Imports the file; what goes wrong with the whole is told in the resource, as state `failed` and why. What follows from
    it beside its rows, that starting cuts were taken from the accounts, is told there too."""
    state: State = "failed"
    detail: str | None = "The import was stopped: send the file again, it goes on where it was."
    try:
        async with _alive(db, work), session(db, TIMEOUT, **SETTINGS) as own:
            entity, total = await _import(own, work, file, progress)
            if total >= planner.MANY:
                async with own.transaction() as tx:
                    await planner.tell(tx, *_written(entity))
            async with own.transaction() as tx:
                await hours.refresh(tx, work.workspace.id, work.moment)
            async with own.transaction() as tx:
                told = await starting_cuts.take(tx, work.workspace.id, work.moment)
        state, detail = "done", told
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
    """Ends the resource, and puts into the audit what the import counted."""
    async with db.transaction() as tx:
        await imports.finish(tx, work.workspace.id, work.import_id, state, detail, work.moment)
        row = await imports.get(tx, work.workspace.id, work.import_id)
        assert row is not None
        counted = Effect("imports", work.import_id, {"state": "staged"}, {name: row[name] for name in COUNTED})
        await _keep(tx, work, work.moment, counted)


async def _keep(tx: Transaction, work: Job, now: datetime, *done: Effect) -> None:
    if work.call is None:
        await keep_command(tx, work.workspace.id, now, OPERATION, done)
    else:
        await keep(tx, replace(work.call, now=now), OPERATION, done)


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


def _written(entity: Entity) -> set[str]:
    """Tables that an import writes. Days of usage are read through indexes alone, and have too many partitions to look at."""
    return {*PLACED, *(() if entity.key == "none" else (entity.name,))}


async def _import(own: Session, work: Job, file: Opened, progress: Progress) -> tuple[Entity, int]:
    """What was imported, and how many records or values of usage were written."""
    progress("reading", 0.0)
    mapping, held = await stage(own, file, lambda step, part: progress(step, part * 0.3))
    plan = plans.plan(mapping, held, work.workspace, work.import_id, work.now)
    problems = list(plan.problems)
    progress("checking", 0.3)
    await _check(own, work, mapping, plan, held, problems)
    made = await _create(own, work, mapping, problems)
    todo, months = await _prepare(own, work, mapping, plan, held)
    beside = [*made, *_modelled(work, mapping), *report.unread(unmapped(file))]
    async with own.transaction() as tx:
        await report.keep(tx, work.workspace.id, work.import_id, problems, todo, beside, work.moment)
    for first, last in staged.runs(months):
        async with own.transaction() as tx:
            await usage.ensure_months(tx, first, last)
    await _apply(own, work, mapping, plan, held, todo, progress)
    return mapping.entity, todo.total


async def _check(
    own: Session, work: Job, mapping: FileMapping, plan: Plan, held: Staged, problems: list[Problem]
) -> None:
    async with own.transaction() as tx:
        await staged.check(tx, work.workspace.id, mapping, plan, held.partial, problems)
        await doubts.mark(tx, work.workspace.id, mapping.entity, plan.columns, problems)
        if _modelled(work, mapping):
            await rules.leave_as_modelled(tx, work.workspace.id)


def _modelled(work: Job, mapping: FileMapping) -> list[Finding]:
    """The column of health, for the summary, where the workspace has a model of its own, which gives it."""
    if mapping.entity.name != ACCOUNTS.name or "health" not in mapping.fields or work.workspace.scores.health is None:
        return []
    return [Finding(problem(mapping.fields["health"].column, "modelled"), 1, [1])]


async def _create(own: Session, work: Job, mapping: FileMapping, problems: list[Problem]) -> list[Finding]:
    """Makes the industries, products, features or teams that the mapping allows a file to bring along; for the
    summary, as a misspelt one may be among them."""
    fields = importable(mapping.entity)
    told: list[Finding] = []
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
                made = await checks.naming(tx, work.workspace.id, table, column, fresh)
                told += report.made(source.column, table, [Named(*one) for one in made])
            if len(fresh) == NEW:
                await checks.unknown_slugs(tx, work.workspace.id, table, column, problems)
    return told


async def _prepare(own: Session, work: Job, mapping: FileMapping, plan: Plan, held: Staged) -> tuple[Todo, list[date]]:
    async with own.transaction() as tx:
        return await staged.prepare(tx, work.workspace.id, mapping.entity, plan, held.partial)


async def _apply(
    own: Session, work: Job, mapping: FileMapping, plan: Plan, held: Staged, todo: Todo, progress: Progress
) -> None:
    # Rows of what is made would cost a third of an import; its ids begin as the import's own does.
    writer = staged.writer(
        work.workspace, mapping.entity, plan, held.partial, work.import_id, work.now, with_made=False
    )
    for first in range(1, todo.total + 1, writer.size):
        progress(f"writing {mapping.entity.name}", 0.4 + 0.6 * (first - 1) / todo.total)
        last = min(first + writer.size - 1, todo.total)
        await _again(
            own, work.actor, partial(_chunk, work=work, writer=writer, columns=plan.columns, first=first, last=last)
        )


async def _chunk(tx: Transaction, work: Job, writer: Writer, columns: Sequence[Column], first: int, last: int) -> None:
    """Everything that a chunk changes, and its counts, together."""
    now = work.moment
    done: list[Effect] = []
    follow = partial(_follow, work, columns, first, last, now, done) if writer.entity.name == "contacts" else None
    of = Of(new_id(), now)
    applied = await writer.write(tx, first, last, of, work.actor, follow)
    if writer.entity.name == "users" and work.call is not None:
        await users.keep_an_admin(tx, work.workspace.id)
    await imports.add(tx, work.workspace.id, work.import_id, applied.created, applied.updated, applied.same, now)
    if writer.entity.key != "none" and applied.created + applied.updated:
        counts = {"created": applied.created, "updated": applied.updated}
        told = {"kind": writer.entity.name, "state": "running", **counts}
        done.append(Effect("imports", work.import_id, {}, told, entry_id=of.entry_id))
        await _keep(tx, work, now, *done)


async def _follow(
    work: Job, columns: Sequence[Column], first: int, last: int, now: datetime, done: list[Effect], tx: Transaction
) -> None:
    others = await records.one_primary(tx, work.workspace.id, columns, first, last, now)
    done += effects.several("contacts", others, {"is_primary": True}, {"is_primary": False})


async def _again(own: Session, actor: UUID | None, chunk: Callable[[Transaction], Awaitable[None]]) -> None:
    """A chunk, once more where somebody else stood in its way."""
    for attempt in range(1, TRIES + 1):
        try:
            async with own.transaction() as tx:
                tx.actor = actor
                await chunk(tx)
                return
        except Unavailable:
            if attempt == TRIES or own.connection.is_closed():
                raise
            await asyncio.sleep(0.2 * attempt)
