"""Accounts that move between stages by themselves: verdicts of entry criteria, stages that have lasted, and the stuck."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.lifecycle import Cause
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader, Record, Transaction
from app.persistence.facts import FEW
from app.persistence.scoped import Scoped, bound, restricted
from app.persistence.staging.rows import prefix

Onward = tuple[UUID, str]
"""An account and the stage that it moves to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The statement that keeps verdicts and gives who moves by them; after `args` it binds the accounts, unless all."""

    text: str
    args: tuple[object, ...]


JUDGE = """
WITH v AS MATERIALIZED (
  SELECT {a}.id, {a}.stage, CASE {cases} END AS verdict {source}
), c AS MATERIALIZED (
  SELECT v.id, v.stage, v.verdict FROM v LEFT JOIN stage_verdicts s ON s.workspace_id = $1 AND s.account_id = v.id
  WHERE s.stage IS DISTINCT FROM v.verdict
), gone AS (
  DELETE FROM stage_verdicts s USING c WHERE s.workspace_id = $1 AND s.account_id = c.id AND c.verdict IS NULL
), kept AS (
  INSERT INTO stage_verdicts AS s (workspace_id, account_id, stage) SELECT $1, c.id, c.verdict FROM c WHERE c.verdict IS NOT NULL
  ON CONFLICT (workspace_id, account_id) DO UPDATE SET stage = excluded.stage
)
SELECT c.id, c.verdict AS stage FROM c
WHERE array_position({order}::text[], c.verdict) > coalesce(array_position({order}::text[], c.stage::text), 0) ORDER BY c.id
"""
LASTED = """
SELECT a.id, n.following AS stage
FROM accounts a JOIN unnest($2::text[], $3::int[], $4::text[]) n(stage, days, following) ON n.stage = a.stage
WHERE a.workspace_id = $1{only} AND a.archived_at IS NULL AND a.status <> 'churned' AND a.stage_since <= $5::date - n.days ORDER BY a.id
"""
LASTED_ALL = LASTED.format(only="")
LASTED_SOME = LASTED.format(only=" AND a.id = ANY ($6)")
# An account's moves follow each other, whatever the clocks of those who moved it said. Their ids count up from one.
RECORD = """
INSERT INTO stage_moves (workspace_id, id, account_id, stage, moved_at, cause, was, was_since)
SELECT $1, ($2::text || lpad(to_hex(n.place), 10, '0'))::uuid, n.account_id, n.stage,
  greatest($5::timestamptz, l.moved_at + interval '1 microsecond'), $6, l.stage, l.moved_at
FROM unnest($3::uuid[], $4::text[]) WITH ORDINALITY n(account_id, stage, place)
LEFT JOIN LATERAL (
  SELECT m.stage, m.moved_at FROM stage_moves m WHERE m.workspace_id = $1 AND m.account_id = n.account_id
  ORDER BY m.moved_at DESC, m.id DESC LIMIT 1
) l ON true
"""
MOVE = """
UPDATE accounts a SET stage = n.stage, stage_since = $4 FROM unnest($2::uuid[], $3::text[]) n(id, stage)
WHERE a.workspace_id = $1 AND a.id = n.id
"""
FORGET = "DELETE FROM stage_verdicts WHERE workspace_id = $1"
STUCK = """
SELECT a.id, a.external_id, a.name, a.arr, a.csm_id, a.stage, a.stage_since, $2::date - a.stage_since AS days, s.expected_days,
  $2::date - a.stage_since - s.expected_days AS over, a.stage_since + s.leaves_after_days AS leaves_on
FROM accounts a JOIN stages s ON s.workspace_id = $1 AND s.slug = a.stage
WHERE a.workspace_id = $1 AND a.archived_at IS NULL AND a.status <> 'churned' AND ($3::text IS NULL OR a.stage = $3)
  AND $2::date - a.stage_since > s.expected_days
  AND ($4::int IS NULL OR ($2::date - a.stage_since - s.expected_days, a.id) < ($4, $5::uuid))
ORDER BY over DESC, a.id DESC LIMIT $6
"""


def plan(entries: Sequence[tuple[str, Meaning]], workspace: Workspace, scoped: Scoped) -> Plan:
    """Verdicts by these entry criteria, in the order of the stages; archived accounts stay as they are."""
    scope = Scope(workspace)
    alias = scope.alias()
    cases = [
        f"WHEN {condition(meaning, ACCOUNTS, alias, scope)} THEN {scope.bind(slug)}::text"
        for slug, meaning in reversed(entries)
    ]
    order = scope.bind(list(workspace.stages))
    accounts = f"${len(scope.args) + 1}"
    source = scope.rows("accounts", alias, [f"{alias}.archived_at IS NULL", *restricted(scoped, alias, accounts)])
    return Plan(JUDGE.format(a=alias, cases=" ".join(cases), source=source, order=order), tuple(scope.args))


async def judge(tx: Transaction, plan: Plan, account_ids: Sequence[UUID] | None) -> list[Onward]:
    """Brings verdicts up to date; who moves by them where. The plan must be for as many, and the accounts locked."""
    async with tx.hashing() if account_ids is None or len(account_ids) > FEW else nullcontext():
        return [(row["id"], row["stage"]) for row in await tx.fetch(plan.text, *plan.args, *bound(account_ids))]


async def lasted(tx: Transaction, workspace: Workspace, account_ids: Sequence[UUID] | None) -> list[Onward]:
    """Who has stood in a stage for as long as it lasts, and the stage behind it."""
    rules = workspace.rules
    lasting = [
        (rule.slug, rule.leaves_after_days, rules[n].slug)
        for n, rule in enumerate(rules[:-1], 1)
        if rule.leaves_after_days is not None
    ]
    if not lasting:
        return []
    args = (workspace.id, *(list(column) for column in zip(*lasting, strict=True)), workspace.facts_day)
    if account_ids is None:
        found = await tx.fetch(LASTED_ALL, *args)
    else:
        found = await tx.fetch(LASTED_SOME, *args, list(account_ids))
    return [(row["id"], row["stage"]) for row in found]


async def move(
    tx: Transaction, workspace: Workspace, first_id: UUID, onward: Sequence[Onward], cause: Cause, now: datetime
) -> None:
    """Moves accounts, locked before, with their history; their versions stay, as with all that nobody changed by hand."""
    ids, stages = [one for one, _ in onward], [stage for _, stage in onward]
    await tx.execute(RECORD, workspace.id, prefix(first_id), ids, stages, now, cause)
    await tx.execute(MOVE, workspace.id, ids, stages, workspace.facts_day)


async def forget(tx: Transaction, workspace_id: UUID) -> None:
    """No verdict is kept: there are no entry criteria any more."""
    await tx.execute(FORGET, workspace_id)


async def stuck(
    reader: Reader, workspace_id: UUID, today: date, stage: str | None, after: tuple[int, UUID] | None, limit: int
) -> list[Record]:
    """Accounts that stand in a stage for longer than is expected there, the longest beyond it first."""
    over, account_id = after or (None, None)
    return await reader.fetch(STUCK, workspace_id, today, stage, over, account_id, limit)
