"""Health by a workspace's own model, in one statement; what scores were, day by day of change; what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Operand
from app.domain.scores import HealthModel, Measure
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope
from app.persistence.compile.conditions import value
from app.persistence.compile.rows import Rows, start
from app.persistence.database import Reader, Record, Transaction
from app.persistence.facts import FEW, SHARED, counts
from app.persistence.scoped import Scoped, bound, restricted


@dataclass(frozen=True, slots=True)
class Plan:
    """`keep` writes health, `look` gives what it is made of: (id, segment, measures). After what each binds come the
    accounts, unless all."""

    keep: str
    keeping: tuple[object, ...]
    look: str
    looking: tuple[object, ...]


KEEP = """
WITH v AS MATERIALIZED ({look}), p AS (
  SELECT v.id, {points} FROM v
), n AS (
  SELECT p.id, CASE WHEN {lacking} THEN NULL ELSE round(10.0::float8 * ({total}) / nullif({known}, 0)) / 10.0::float8 END AS health FROM p
)
UPDATE accounts z SET health = n.health,
  health_band = CASE WHEN n.health >= {green} THEN 'green' WHEN n.health >= {yellow} THEN 'yellow' WHEN n.health IS NOT NULL THEN 'red' END
FROM n WHERE z.workspace_id = $1 AND z.id = n.id AND z.health IS DISTINCT FROM n.health
"""
SAY = (
    "UPDATE accounts a SET health_said = a.health WHERE a.workspace_id = $1 AND a.health IS DISTINCT FROM a.health_said"
)
SAID = (
    "UPDATE accounts a SET health = a.health_said WHERE a.workspace_id = $1 AND a.health IS DISTINCT FROM a.health_said"
)
SETTLE = "UPDATE workspaces SET scores = $2::text::jsonb, scores_version = $3 WHERE id = $1"
VERSION = """
INSERT INTO score_versions (workspace_id, version, scores, author_id, created_at) VALUES ($1, $2, $3::text::jsonb, $4, $5)
"""
VERSIONS = "SELECT version, scores FROM score_versions v WHERE v.workspace_id = $1 AND v.version = ANY ($2::int[])"
LAST = """LEFT JOIN LATERAL (
  SELECT s.health, s.engagement, s.consumption FROM account_scores s
  WHERE s.workspace_id = $1 AND s.account_id = a.id ORDER BY s.day DESC LIMIT 1
) l ON true"""
# An account that was never scored has nothing to tell.
OTHER = """(a.health, a.engagement_score, a.consumption_score)
  IS DISTINCT FROM (l.health, coalesce(l.engagement, 0), coalesce(l.consumption, 0))"""
CHANGED = f"SELECT a.id FROM accounts a {LAST} WHERE a.workspace_id = $1 AND {OTHER} ORDER BY a.id LIMIT {FEW + 1}"
CLOSE = """
WITH {shared}, n AS ({counts})
INSERT INTO account_scores AS s (workspace_id, account_id, day, health, engagement, consumption, version, engaged, consumed)
SELECT $1, a.id, w.day, a.health, a.engagement_score, a.consumption_score, {version}, n.engaged, n.consumed
FROM accounts a JOIN n ON n.id = a.id CROSS JOIN w {last} WHERE a.workspace_id = $1 AND {other}
ON CONFLICT (workspace_id, account_id, day) DO UPDATE SET health = excluded.health, engagement = excluded.engagement,
  consumption = excluded.consumption, version = excluded.version, engaged = excluded.engaged, consumed = excluded.consumed
"""
MEASURED = """
UPDATE account_scores s SET segment = n.segment, measures = n.measures FROM ({look}) n
WHERE s.workspace_id = $1 AND s.day = {day} AND s.account_id = n.id
"""
STANDING = """
SELECT a.health, a.health_band, a.engagement_score, a.consumption_score FROM accounts a WHERE a.workspace_id = $1 AND a.id = $2
"""
# From the row that stood when the first day ended.
HISTORY = """
SELECT s.day, s.health, s.engagement, s.consumption, s.version, s.segment, s.measures, s.engaged, s.consumed
FROM account_scores s
WHERE s.workspace_id = $1 AND s.account_id = $2 AND s.day <= $4 AND s.day >= coalesce((
  SELECT max(b.day) FROM account_scores b WHERE b.workspace_id = $1 AND b.account_id = $2 AND b.day <= $3
), $3)
ORDER BY s.day
"""


def plan(model: HealthModel, operands: Sequence[Operand], workspace: Workspace, scoped: Scoped) -> Plan:
    """The statements for some accounts; `operands` are what the measures mean, in their order, as of the day of the facts."""
    keeping, looking = Scope(workspace), Scope(workspace)
    keep = _keep(model, operands, keeping, scoped)
    places = ", ".join(f"v.v{n}" for n in range(len(operands)))
    look = f"SELECT v.id, v.segment, ARRAY[{places}]::float8[] AS measures FROM ({_look(model, operands, looking, scoped)}) v"
    return Plan(keep, tuple(keeping.args), look, tuple(looking.args))


def _keep(model: HealthModel, operands: Sequence[Operand], scope: Scope, scoped: Scoped) -> str:
    weights = _weights(model, scope)
    parts = [
        f"{_points(one, n, scope)} AS p{n}, {weight} AS w{n}"
        for n, (one, weight) in enumerate(zip(model.measures, weights, strict=True))
    ]
    workspace, places = scope.workspace, range(len(operands))
    green, yellow = scope.typed(workspace.health_green, "number"), scope.typed(workspace.health_yellow, "number")
    lacking = [f"(p.p{n} IS NULL AND p.w{n} > 0)" for n, one in enumerate(model.measures) if one.missing == "no_health"]
    return KEEP.format(
        points=", ".join(parts), lacking=" OR ".join(lacking) or "false", green=green, yellow=yellow,
        total=" + ".join(f"coalesce(p.w{n} * p.p{n}, 0)" for n in places),
        known=" + ".join(f"CASE WHEN p.p{n} IS NULL THEN 0 ELSE p.w{n} END" for n in places),
        look=_look(model, operands, scope, scoped),
    )  # fmt: skip


def _look(model: HealthModel, operands: Sequence[Operand], scope: Scope, scoped: Scoped) -> str:
    """(id, segment, v0, v1, …); its last parameter, the accounts, comes behind all that the scope binds."""
    alias, there = scope.alias(), scope.alias()
    rows = start(ACCOUNTS, alias)
    values = "".join(f", {_value(of, rows, scope)} AS v{n}" for n, of in enumerate(operands))
    joined, segment = "", "NULL::text"
    segmentation = scope.workspace.segmentations.get(model.by or "")
    if segmentation is not None:
        tied = [f"{there}.account_id = {alias}.id", f"{there}.segmentation_id = {scope.bind(segmentation.id)}::uuid"]
        joined, segment = scope.beside("members", there, tied), f"{there}.segment"
    accounts = f"${len(scope.args) + 1}"
    return f"SELECT {alias}.id, {segment} AS segment{values} {scope.rows('accounts', alias, restricted(scoped, alias, accounts), joined=joined)}"


def _value(of: Operand, rows: Rows, scope: Scope) -> str:
    """A double: money in major units, days since a day or an instant, 0 or 1."""
    found = value(of, rows, scope)
    match found.kind:
        case "money":
            return f"({found.sql})::float8 / {10**scope.workspace.minor_digits}::float8"
        case "date":
            return f"({_day(scope)} - ({found.sql}))::float8"
        case "instant":
            zone = f"{scope.bind(scope.workspace.zone.key)}::text"
            return f"({_day(scope)} - (({found.sql}) AT TIME ZONE {zone})::date)::float8"
        case "bool":
            return f"({found.sql})::int::float8"
        case _:
            return f"({found.sql})::float8"


def _day(scope: Scope) -> str:
    return scope.typed(scope.workspace.facts_day, "date")


def _points(one: Measure, n: int, scope: Scope) -> str:
    worst, best = scope.typed(one.worst, "number"), scope.typed(one.best, "number")
    known = f"least(100, greatest(0, 100::float8 * (v.v{n} - {worst}) / ({best} - {worst})))"
    otherwise = scope.typed(one.count_as, "number") if one.missing == "count_as" else "NULL::float8"
    return f"CASE WHEN v.v{n} IS NULL THEN {otherwise} ELSE {known} END"


def _weights(model: HealthModel, scope: Scope) -> list[str]:
    usual = [scope.typed(one.weight, "number") for one in model.measures]
    if not model.weights:
        return usual
    segments = {segment: f"{scope.bind(segment)}::text" for segment in model.weights}
    return [
        "CASE v.segment "
        + " ".join(f"WHEN {segments[s]} THEN {scope.typed(of[n], 'number')}" for s, of in model.weights.items())
        + f" ELSE {weight} END"
        for n, weight in enumerate(usual)
    ]


async def keep(tx: Transaction, plan: Plan, account_ids: Sequence[UUID] | None) -> int:
    """Bring health up to date; gives how many accounts changed. The plan must be for as many, and the accounts locked."""
    async with tx.hashing() if account_ids is None or len(account_ids) > FEW else nullcontext():
        return int((await tx.execute(plan.keep, *plan.keeping, *bound(account_ids))).rpartition(" ")[2])


async def say(tx: Transaction, workspace_id: UUID) -> None:
    """Keeps beside it what health was by hand, before a model gives it; the accounts must be locked."""
    await tx.execute(SAY, workspace_id)


async def said(tx: Transaction, workspace_id: UUID) -> None:
    """Health is again what it was by hand; the accounts must be locked."""
    await tx.execute(SAID, workspace_id)


async def put(
    tx: Transaction, workspace_id: UUID, version: int, scores: str, author: UUID | None, now: datetime
) -> None:
    """What scores are made of, as this version; the workspace must be held."""
    await tx.execute(SETTLE, workspace_id, scores, version)
    await tx.execute(VERSION, workspace_id, version, scores, author, now)


async def versions(reader: Reader, workspace_id: UUID, wanted: Sequence[int]) -> dict[int, str | bytes | None]:
    """What scores were made of, by version; the first one has no row."""
    return {row["version"]: row["scores"] for row in await reader.fetch(VERSIONS, workspace_id, list(wanted))}


# -- history -----------------------------------------------------------------------------------------------------------


async def changed(tx: Transaction, workspace_id: UUID) -> list[UUID] | None:
    """The accounts with another score than was kept of them last; None where they are more than a few."""
    found = await tx.fetch(CHANGED, workspace_id)
    return None if len(found) > FEW else [row["id"] for row in found]


async def close(
    tx: Transaction, workspace_id: UUID, account_ids: Sequence[UUID] | None, version: int, plan: Plan | None, day: date
) -> int:
    """Keeps the scores of these accounts (None: all) that are others than was kept last, as they stand on the day of the
    facts, and what they are made of; of how many. All accounts must be locked, and the plan be for as many."""
    told: tuple[object, ...] = (workspace_id, version)
    if account_ids is not None:
        told = (workspace_id, list(account_ids), version)
    text = CLOSE.format(
        shared=SHARED, counts=counts("all" if account_ids is None else "few"), version=f"${len(told)}", last=LAST, other=OTHER
    )  # fmt: skip
    async with tx.hashing() if account_ids is None else nullcontext():
        kept = int((await tx.execute(text, *told)).rpartition(" ")[2])
        if plan is not None:
            made = (*plan.looking, *bound(account_ids), day)
            await tx.execute(MEASURED.format(look=plan.look, day=f"${len(made)}"), *made)
    return kept


async def standing(reader: Reader, workspace_id: UUID, account_id: UUID) -> Record | None:
    """The scores of an account as they are."""
    return await reader.fetchrow(STANDING, workspace_id, account_id, point=True)


async def counted(reader: Reader, workspace_id: UUID, account_id: UUID) -> Record | None:
    """What its engagement and consumption are made of now: `engaged` and `consumed`."""
    return await reader.fetchrow(f"WITH {SHARED}{counts('one')}", workspace_id, account_id, point=True)


async def measured(reader: Reader, plan: Plan, account_id: UUID) -> Record | None:
    """What its health is made of now: `segment` and `measures`; the plan must be for one."""
    return await reader.fetchrow(plan.look, *plan.looking, account_id, point=True)


async def history(reader: Reader, workspace_id: UUID, account_id: UUID, first: date, last: date) -> list[Record]:
    """What was kept of the days from `first` to `last`, in order, and before them what stood when they began."""
    return await reader.fetch(HISTORY, workspace_id, account_id, first, last, point=True)
