"""What a waterfall stands on: the renewals of a period and what became of them, the calls of them, and forecasts that were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.forecasting.asked import Asked, Dimension
from app.domain.workspaces import SegmentationName, Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader, Record
from app.persistence.forecasts import AS_THINGS_ARE, DAY, KEYS
from app.persistence.renewals import RENEWALS

# A renewal by hand is closed from the day after it was decided on, others from the day that something carries them on.
CLOSES = "CASE WHEN r.by_hand THEN r.decided_on + 1 ELSE least(r.decided_on + 1, r.followed_on) END"
PLAIN = f"{AS_THINGS_ARE} AND f.asked->>'where' IS NULL"
# Those of a csm cover the csm's own accounts alone.
KEPT = f"""
SELECT f.id, f.as_of FROM forecasts f LEFT JOIN users u ON u.workspace_id = $1 AND u.id = f.created_by
WHERE f.workspace_id = $1 AND timezone($2, f.as_of)::date <= $3 AND {PLAIN} AND u.role IS DISTINCT FROM 'csm'
  AND (f.answer->>'to')::date >= $5 AND (f.answer->>'from')::date <= greatest($4::date, timezone($2, f.as_of)::date)
  AND EXISTS (SELECT FROM forecast_renewals r WHERE r.workspace_id = $1 AND r.forecast_id = f.id)
ORDER BY f.as_of DESC, f.id DESC LIMIT 1
"""
ROWS = f"""
SELECT coalesce(array_agg(r.renewal_id ORDER BY r.no), '{{}}'), coalesce(array_agg(r.account_id ORDER BY r.no), '{{}}'),
  coalesce(array_agg(r.arr ORDER BY r.no), '{{}}'),
  coalesce(array_agg({DAY.format("r.due_on")} ORDER BY r.no), '{{}}'), coalesce(array_agg(r.probability ORDER BY r.no), '{{}}'),
  coalesce(array_agg(r.expected ORDER BY r.no), '{{}}')
FROM forecast_renewals r WHERE r.workspace_id = $1 AND r.forecast_id = $2
"""
CALLS = """
SELECT t.contract_ids, t.account_id, t.probability, t.amount FROM (
  SELECT DISTINCT ON (k.account_id, k.due_on) k.* FROM renewal_calls k
  WHERE k.workspace_id = $1 AND timezone($2, k.called_at)::date <= $3
  ORDER BY k.account_id, k.due_on, k.version DESC
) t WHERE t.category IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class RenewalColumns:
    """Renewals, one list per column; money in minor units, days since 1970. `closes` is the first day on which it is closed,
    None where that is not known; `known` since when its term has begun and is recorded; `keys` a list per grouping asked for.
    """

    ids: list[UUID]
    account_ids: list[UUID]
    arr: list[int]
    kept: list[int]
    due_on: list[int]
    closes: list[int | None]
    known: list[int]
    keys: tuple[list[str], ...]


@dataclass(frozen=True, slots=True)
class KeptColumns:
    """What a kept forecast said of each renewal, one list per column."""

    ids: list[UUID]
    account_ids: list[UUID]
    arr: list[int]
    due_on: list[int]
    probability: list[float]
    expected: list[int]


async def renewals(
    reader: Reader, workspace: Workspace, asked: Asked, where: Meaning, beyond: Sequence[UUID]
) -> RenewalColumns:
    """Every renewal due in the period, and those `beyond`, of accounts that meet `where` and are not archived."""
    scope = Scope(workspace)
    first, last, others = scope.bind(asked.start), scope.bind(asked.end), scope.bind(list(beyond))
    keys = [_key(group, scope) for _, group in asked.groups]
    inside = condition(where, ACCOUNTS, "a", scope)
    days = [DAY.format(f"d.{name}") for name in ("due_on", "closes", "known_on")]
    columns = ["d.id", "a.id", "d.arr", "d.kept", *days, *keys]
    row = await reader.fetchrow(
        f"""
        WITH {RENEWALS}
        SELECT {", ".join(f"coalesce(array_agg({c} ORDER BY d.due_on, a.id, d.id), '{{}}')" for c in columns)}
        FROM (
          SELECT r.id, r.account_id, r.arr, r.kept, r.due_on, r.product, {CLOSES} AS closes,
            greatest(r.start_date, timezone('UTC', c.created_at)::date) AS known_on
          FROM renewals r JOIN contracts c ON c.workspace_id = $1 AND c.id = r.id
          UNION ALL
          SELECT b.id, b.id, greatest(b.arr, 0), 0, b.renewal_date, '', NULL, timezone('UTC', b.created_at)::date
          FROM accounts b
          WHERE b.workspace_id = $1 AND b.renewal_date IS NOT NULL
            AND NOT EXISTS (SELECT FROM contracts e WHERE e.workspace_id = $1 AND e.account_id = b.id)
        ) d
        JOIN accounts a ON a.workspace_id = $1 AND a.id = d.account_id
        WHERE a.archived_at IS NULL AND {inside} AND ((d.due_on >= {first} AND d.due_on < {last}) OR d.id = ANY ({others}))
        """,
        *scope.args,
    )
    assert row is not None  # an aggregate answers one row
    ids, accounts, arr, kept_, due_on, closes, known, *rest = row
    return RenewalColumns(ids, accounts, arr, kept_, due_on, closes, known, tuple(rest))


def _key(group: Dimension | SegmentationName, scope: Scope) -> str:
    if group == "lane":
        return "coalesce(a.impact, '')"
    if not isinstance(group, SegmentationName):
        return KEYS[group]
    which = scope.bind(group.id)
    return (
        "coalesce((SELECT m.segment FROM members m WHERE m.workspace_id = $1 "
        f"AND m.segmentation_id = {which} AND m.account_id = a.id), '')"
    )


async def kept(reader: Reader, workspace: Workspace, day: date, start: date, end: date) -> Record | None:
    """The last forecast kept on or before a day that speaks of all renewals of the period: id, as_of."""
    return await reader.fetchrow(KEPT, workspace.id, workspace.zone.key, day, start, end)


async def said(reader: Reader, workspace_id: UUID, forecast_id: UUID) -> KeptColumns:
    """What it said of each renewal."""
    row = await reader.fetchrow(ROWS, workspace_id, forecast_id)
    assert row is not None  # an aggregate answers one row
    return KeptColumns(*row)


async def calls(reader: Reader, workspace: Workspace, day: date) -> list[Record]:
    """The calls that stood when a day was over: contract_ids (none: the account's own renewal), account_id, probability, amount."""
    return await reader.fetch(CALLS, workspace.id, workspace.zone.key, day)


async def names(reader: Reader, workspace_id: UUID, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What accounts are called."""
    found = await reader.fetch(
        "SELECT a.id, a.name FROM accounts a WHERE a.workspace_id = $1 AND a.id = ANY ($2)",
        workspace_id,
        list(account_ids),
    )
    return {row["id"]: row["name"] for row in found}
