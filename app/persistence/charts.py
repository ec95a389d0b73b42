"""What pictures of a segmentation show: points on its axes, and how a number is spread over its segments."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning, Shown
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader, Record

RANKS = 100
"""The spread of a number is told at so many shares, and at its ends."""
POINTS = """
WITH p AS MATERIALIZED (
  SELECT {m}.segment, ARRAY[{values}]::float8[] AS at, ARRAY[{books}]::text[] AS books, {a}.arr,
    row_number() OVER (ORDER BY {a}.arr DESC, {a}.id) AS place, count(*) OVER () AS total {source}
) SELECT segment, at, books, arr FROM p
WHERE total <= {most}::int8 OR (place - 1) * {most}::int8 / total <> place * {most}::int8 / total ORDER BY place
"""
CELLS = """
SELECT {m}.segment, ARRAY[{levels}]::int4[] AS at, count(*) AS accounts, coalesce(sum({a}.arr), 0)::bigint AS arr {source}
GROUP BY 1, 2 ORDER BY 1, 2
"""
SPREAD = """
SELECT percentile_disc({shares}::float8[]) WITHIN GROUP (ORDER BY ({value})::float8) AS at {source}
"""
BINS = """
WITH v AS MATERIALIZED (
  SELECT {m}.segment, {a}.arr, ({value})::float8 AS v {source}
)
SELECT segment, NULL::int4 AS bin, count(*) AS accounts, coalesce(sum(arr), 0)::bigint AS arr,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY v) AS median FROM v GROUP BY segment
UNION ALL
SELECT segment, least(greatest(width_bucket(v, {edges}::float8[]), 1), {last}::int4), count(*), 0, NULL
FROM v WHERE v IS NOT NULL GROUP BY 1, 2
"""


async def points(
    reader: Reader, workspace: Workspace, segmentation_id: UUID, axes: Sequence[tuple[Shown, Shown | None]], limit: int
) -> list[Record]:
    """Rows (segment, at, books, arr) of unarchived accounts with a value on each axis, and in a book where it is cut within
    books: at most `limit` of them, spread evenly by ARR. `at` are the values and `books` the keys of the books, None where
    an axis has none, by axis."""
    scope = Scope(workspace)
    a, m, source = _members(scope, segmentation_id)
    rows = start(ACCOUNTS, a)
    values = [shown(of, rows, scope).sql for of, _ in axes]
    books = ["NULL" if by is None else f"({shown(by, rows, scope).sql})::text" for _, by in axes]
    known = [f" AND ({value}) IS NOT NULL" for value in (*values, *(key for key in books if key != "NULL"))]
    text = POINTS.format(
        m=m, a=a, values=", ".join(f"({value})::float8" for value in values), books=", ".join(books),
        source=source + "".join(known), most=scope.bind(limit),
    )  # fmt: skip
    return await reader.fetch(text, *scope.args)


async def cells(
    reader: Reader, workspace: Workspace, segmentation_id: UUID, axes: Sequence[Sequence[Meaning]]
) -> list[Record]:
    """Rows (segment, at, accounts, arr) of unarchived members: how many of a segment are on the levels `at`, by axis, the
    lowest 0, None for no level; ARR in minor units. `axes`: what it takes to be on each level or above, the highest first."""
    scope = Scope(workspace)
    a, m, source = _members(scope, segmentation_id)
    cases = [
        [f"WHEN {condition(met, ACCOUNTS, a, scope)} THEN {len(levels) - n:d}" for n, met in enumerate(levels, 1)]
        for levels in axes
    ]
    told = ", ".join(f"CASE {' '.join(whens)} END" for whens in cases)
    return await reader.fetch(CELLS.format(m=m, a=a, levels=told, source=source), *scope.args)


async def spread(reader: Reader, workspace: Workspace, segmentation_id: UUID, of: Shown) -> list[float]:
    """Values of a number among the members from the least to the largest, at even ranks; none where none has one."""
    scope = Scope(workspace)
    a, _, source = _members(scope, segmentation_id)
    shares = scope.bind([n / RANKS for n in range(RANKS + 1)])
    text = SPREAD.format(shares=shares, value=shown(of, start(ACCOUNTS, a), scope).sql, source=source)
    found = await reader.fetchval(text, *scope.args)
    return [] if found is None else [value for value in found if value is not None]


async def bins(
    reader: Reader, workspace: Workspace, segmentation_id: UUID, of: Shown, edges: Sequence[float]
) -> list[Record]:
    """Rows (segment, bin, accounts, arr, median): without a bin for all members of a segment, ARR in minor units; else how
    many of them have a value from that edge on, counted from 1, and below the next. The first bin takes what is less than
    the first edge, the last one what is more than the last."""
    scope = Scope(workspace)
    a, m, source = _members(scope, segmentation_id)
    value = shown(of, start(ACCOUNTS, a), scope).sql
    text = BINS.format(
        m=m, a=a, value=value, source=source, edges=scope.bind(list(edges)), last=scope.bind(len(edges) - 1)
    )
    return await reader.fetch(text, *scope.args)


def _members(scope: Scope, segmentation_id: UUID) -> tuple[str, str, str]:
    """Names of accounts and of members, and where the unarchived ones of a segmentation are."""
    a, m, n = scope.alias(), scope.alias(), scope.bind(segmentation_id)
    tied = [f"{m}.segmentation_id = {n}::uuid", f"{a}.workspace_id = $1", f"{a}.archived_at IS NULL"]
    return a, m, scope.rows("members", m, tied, joined=f" JOIN accounts {a} ON {a}.id = {m}.account_id")
