"""Staged rows checked, compared with what is stored, and written, each in the transaction that it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, Entity
from app.domain.imports import Problem, problem
from app.domain.mappings import FileMapping
from app.domain.workspaces import Workspace
from app.persistence import facts, usage, workspaces
from app.persistence.audit_records import Of
from app.persistence.database import Transaction
from app.persistence.staging import checks, records, rows, rules
from app.persistence.staging import usage as days
from app.persistence.staging.records import Applied, Todo
from app.persistence.staging.rows import Column, Plan
from app.services import settle

Following = Callable[[Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Strict:
    """That rows are held to what single writes ask for too; `told_by`: whose records say a field of an account, `last`:
    the last day of usage, `by_model`: why health cannot be set, where the workspace has a model of its own."""

    told_by: Mapping[str, str]
    last: date
    by_model: str | None


async def check(
    tx: Transaction,
    workspace_id: UUID,
    mapping: FileMapping,
    plan: Plan,
    partial: bool,
    problems: list[Problem],
    strict: Strict | None = None,
) -> None:
    """Turns staged lines into typed rows and refuses the wrong ones; new problems are added to `problems`."""
    names = [column.name for column in plan.columns]
    parent = next((c.bit for c in plan.columns if c.name == "parent_id"), 0)
    await rows.fill(tx, plan)
    if mapping.entity.key == "none":
        words = f"Expected a day from {usage.OLDEST} to {usage.NEWEST if strict is None else 'today'}."
        problems.append(problem("day", "range", words))
        await days.refuse_days(tx, len(problems), None if strict is None else strict.last)
    elif strict is not None:
        told_by, by_model = strict.told_by, strict.by_model
        await rules.all_of(tx, workspace_id, mapping.entity, plan.columns, partial, told_by, by_model, problems)
    attributes = [field for name, field in mapping.own.items() if name in mapping.fields]
    await checks.across(tx, workspace_id, mapping.entity, names, problems, parent, attributes)


async def prepare(
    tx: Transaction, workspace_id: UUID, entity: Entity, plan: Plan, partial: bool
) -> tuple[Todo, list[date]]:
    """Finds what is to be written, and the months of usage that it falls into."""
    if entity.key == "none":
        return await days.prepare(tx, workspace_id, [c.name for c in plan.columns])
    return await records.prepare(tx, workspace_id, entity, plan.columns, partial), []


@dataclass(frozen=True, slots=True)
class Writer:
    """How rows of one file or call are written; `size` of one transaction, `changed` the fields that rows may change."""

    workspace: Workspace
    entity: Entity
    chunks: records.Chunks | days.Days
    size: int
    changed: frozenset[str]

    async def write(
        self, tx: Transaction, first: int, last: int, of: Of, actor: UUID | None, follow: Following | None = None
    ) -> Applied:
        """Rows, what is to `follow` from them at once, facts and segments together. Locks are taken in the order that all
        writes keep: workspace, accounts. What changed of each record is told beside the entry of the audit that `of` is."""
        workspace_id, now = self.workspace.id, of.at
        await workspaces.hold(tx, workspace_id)
        fresh, known = await records.touched(tx, self.entity, first, last)
        if known:
            await facts.lock(tx, workspace_id, known)
        applied = await self.chunks.apply(tx, workspace_id, first, last, of, actor, known)
        if follow is not None:
            await follow(tx)
        if self.entity.name == ACCOUNTS.name:
            # Somebody else may have made one of them since: then it has records, and no facts of ours.
            await settle.settle(tx, self.workspace, fresh, now, fresh=applied.created == len(fresh))
            await settle.settle(tx, self.workspace, known, now, changed=self.changed, fresh=True)
            await settle.settle(tx, self.workspace, applied.strays, now)
        elif known:
            await settle.settle(tx, self.workspace, known, now, wrote=self.entity.name)
        elif self.entity.name == "features":  # what share of them an account uses changes for every account
            await settle.settle(tx, self.workspace, None, now)
        return applied


def writer(
    workspace: Workspace, entity: Entity, plan: Plan, partial: bool, import_id: UUID, now: datetime, *, with_made: bool
) -> Writer:
    """The statements for these columns. `with_made`: the audit has a row of what is made, too."""
    if entity.key == "none":
        return Writer(workspace, entity, days.Days(), days.CHUNK, frozenset())
    today = now.astimezone(workspace.zone).date()
    chunks = records.chunks(entity, plan.columns, partial, import_id, today, with_made=with_made)
    return Writer(workspace, entity, chunks, records.CHUNK, _changed(workspace, entity, plan.columns))


def _changed(workspace: Workspace, entity: Entity, columns: tuple[Column, ...]) -> frozenset[str]:
    """The fields whose values may be others now, own attributes by slug, and those that move with every change."""
    names = {"updated_at", "version", "margin", "stage_since"}
    if any(column.name == "custom" for column in columns):
        names |= {slug for owner, slug in workspace.attributes if owner == entity.name}
    return frozenset(names.union(*({c.name, c.target, c.name.removesuffix("_id")} for c in columns)))


def runs(months: Sequence[date]) -> list[tuple[date, date]]:
    """Months that follow each other, as first and last of each run."""
    found: list[tuple[date, date]] = []
    for month in months:
        if found and (month - found[-1][1]).days <= 31:
            found[-1] = (found[-1][0], month)
        else:
            found.append((month, month))
    return found
