"""Cuts looked up in the accounts: values at shares, of all or by book, and histograms of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning, Shown
from app.domain.segmentation.breaks import BINS, Bin
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader

FULLEST = BINS // 2 - 1
"""Edges by counts, and as many by values: many accounts lie at one end, much money at the other."""
QUANTILES = """
SELECT {key} AS key, (percentile_disc({shares}::float8[]) WITHIN GROUP (ORDER BY {value}))::text[] AS at, count({value}) AS n
{source} GROUP BY 1 HAVING count({value}) > 0 ORDER BY 1
"""
# Each value on its own where there are few; else bins that hold as many accounts each, cut further into equal widths.
HISTOGRAM = f"""
WITH v AS MATERIALIZED (
  SELECT {{value}} AS v {{source}}
), few AS MATERIALIZED (
  SELECT DISTINCT v FROM v LIMIT {BINS + 1}
), edges AS MATERIALIZED (
  SELECT CASE WHEN (SELECT count(*) FROM few) <= {BINS} THEN ARRAY(SELECT v::float8 FROM few ORDER BY 1)
    ELSE ARRAY(SELECT DISTINCT e FROM (
      SELECT unnest(percentile_disc(ARRAY(SELECT n / {FULLEST}.0 FROM generate_series(0, {FULLEST}) n)) WITHIN GROUP (ORDER BY v))::float8 AS e FROM v
      UNION SELECT min(v) + (max(v) - min(v))::float8 * n / {FULLEST}.0 FROM v, generate_series(1, {FULLEST}) n GROUP BY n
    ) b ORDER BY 1) END AS at
)
SELECT min(v.v)::text AS least, count(*) AS n, avg(v.v)::float8 AS mean
FROM v, edges GROUP BY width_bucket(v.v::float8, edges.at) ORDER BY min(v.v)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A numeric field's values among the accounts that a criteria holds for; `by` makes books of them."""

    of: Shown
    among: Meaning
    by: Shown | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bins in ascending order, and the least value of each, exactly."""

    bins: tuple[Bin, ...]
    least: tuple[Decimal, ...]


async def quantiles(
    reader: Reader, workspace: Workspace, asked: Asked, shares: Sequence[float]
) -> dict[str, tuple[list[Decimal], int]]:
    """Per book, under its key, the values at these shares, each that of an account, and how many accounts had one;
    unarchived accounts only. Without books all are one, under the empty key; who is in no book is left out."""
    scope = Scope(workspace)
    alias, value, source = _source(asked, scope)
    rows = start(ACCOUNTS, alias)
    key = "''::text" if asked.by is None else f"{shown(asked.by, rows, scope).sql}::text"
    text = QUANTILES.format(key=key, shares=scope.bind(list(shares)), value=value, source=source)
    found = await reader.fetch(text, *scope.args, point=False)
    return {row["key"]: ([Decimal(v) for v in row["at"]], row["n"]) for row in found if row["key"] is not None}


async def histogram(reader: Reader, workspace: Workspace, asked: Asked) -> Histogram:
    """The values in at most BINS bins, bounds and means in the field's own unit."""
    scope = Scope(workspace)
    _, value, source = _source(asked, scope)
    found = await reader.fetch(HISTOGRAM.format(value=value, source=source), *scope.args, point=False)
    bins = tuple(Bin(float(row["least"]), row["n"], row["mean"]) for row in found)
    return Histogram(bins, tuple(Decimal(row["least"]) for row in found))


async def count(reader: Reader, workspace: Workspace, asked: Asked) -> int:
    """How many accounts have a value."""
    scope = Scope(workspace)
    _, value, source = _source(asked, scope)
    found: int = await reader.fetchval(f"SELECT count({value}) {source}", *scope.args, point=False)
    return found


def _source(asked: Asked, scope: Scope) -> tuple[str, str, str]:
    alias = scope.alias()
    value = shown(asked.of, start(ACCOUNTS, alias), scope).sql
    among = condition(asked.among, ACCOUNTS, alias, scope)
    return alias, value, scope.rows("accounts", alias, [f"{alias}.archived_at IS NULL", f"{value} IS NOT NULL", among])
