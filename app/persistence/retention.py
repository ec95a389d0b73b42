"""Retention from contracts, by sets: what was in force on a day, what was due, and what followed it.

The same in plain Python by rows is in the tests (laws). An account's money on a day is that of its contracts in force
on that day; one that carries a term on counts from the day after that term, so that a renewal ahead of its day counts
once; credits never take it below nought. What became of renewals is what forecasts learn from, see `renewals`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.forecasting.periods import Asked, Dimension, Step
from app.domain.forecasting.retention import Name, Sums
from app.domain.questions import Archived
from app.domain.workspaces import SegmentationName, Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.pages import in_scope
from app.persistence.compile.rows import start
from app.persistence.database import Reader, Record
from app.persistence.renewals import RENEWALS

KEYS: Mapping[Dimension, str] = {"csm": "a.csm_id::text", "lane": "a.impact", "product": "NULL"}
MOST_GROUPS = 1_000

SUMS = """
  count(*) FILTER (WHERE x.began > 0) AS accounts, coalesce(sum(x.began), 0)::bigint AS began,
  coalesce(sum(least(x.began, x.ended)), 0)::bigint AS stayed, coalesce(sum(x.ended) FILTER (WHERE x.began > 0), 0)::bigint AS ended,
  count(*) FILTER (WHERE x.began > 0 AND x.ended = 0) AS lost,
  count(*) FILTER (WHERE x.began = 0 AND x.ended > 0) AS left_out_accounts,
  coalesce(sum(x.ended) FILTER (WHERE x.began = 0), 0)::bigint AS left_out,
  count(DISTINCT x.account_id) FILTER (WHERE x.due > 0) AS accounts_due, count(*) FILTER (WHERE x.due > 0) AS renewals,
  coalesce(sum(x.due), 0)::bigint AS due, coalesce(sum(least(x.due, x.paid)), 0)::bigint AS gross, coalesce(sum(x.paid), 0)::bigint AS net,
  count(*) FILTER (WHERE x.open > 0) AS open_renewals, coalesce(sum(x.open), 0)::bigint AS open_due
"""
NAMES = tuple(field.name for field in fields(Sums))
CONTRIBUTIONS: Mapping[Name, tuple[str, str]] = {
    "grr": ("stayed", "began"), "nrr": ("ended", "began"), "logo_churn": ("lost", "accounts"),
    "gross_renewal_rate": ("gross", "due"), "net_renewal_rate": ("net", "due"),
}  # fmt: skip
"""Of each figure an account's part of the numerator and of the denominator."""


@dataclass(frozen=True, slots=True)
class Of:
    """Whose retention it is: criteria that accounts meet as they are today, and whether archived ones are among them."""

    workspace: Workspace
    where: Meaning
    archived: Archived
    today: date


@dataclass(frozen=True, slots=True)
class Group:
    """The sums of a step (by its place in the series) and of a key, None where it is empty."""

    step: int
    key: tuple[str | None, ...]
    sums: Sums


def rows(
    of: Of, steps: Sequence[Step], scope: Scope, *, product: str | None, by_product: bool, keys: Sequence[str] = ()
) -> str:
    """The statement's WITH: `a` are the accounts with `keys` as k0, k1 …; `x` has a row per step n and account (and product) with
    began and ended, and one per renewal with due and paid (decided) or open, each nought in the other's rows; `asked` are renewals."""
    lo, hi = scope.bind([lo for lo, _ in steps]), scope.bind([hi for _, hi in steps])
    day = f"{scope.bind(of.today)}::date"
    of_account = start(ACCOUNTS, "a")
    inside = [*in_scope(ACCOUNTS, of.archived, of_account, scope), condition(of.where, ACCOUNTS, "a", scope)]
    named = "".join(f", {key} AS k{n}" for n, key in enumerate(keys))
    sold = "" if product is None else f" AND c.product = {scope.bind(product)}"
    return f"""
    WITH s AS MATERIALIZED (SELECT * FROM unnest({lo}::date[], {hi}::date[]) WITH ORDINALITY AS s(lo, hi, n)),
    a AS MATERIALIZED (SELECT a.id{named} FROM accounts a WHERE a.workspace_id = $1 AND {" AND ".join(inside)}),
    {RENEWALS},
    spells AS MATERIALIZED (
      SELECT c.account_id, {_product("c.product", by_product=by_product)} AS product, c.arr, greatest(c.start_date, f.due_on + 1) AS start_date, c.end_date
      FROM contracts c LEFT JOIN carrying f ON f.id = c.id
      WHERE c.workspace_id = $1 AND c.account_id IN (SELECT a.id FROM a){sold}
    ),
    held AS MATERIALIZED (
      SELECT s.n, c.account_id, c.product,
        greatest(coalesce(sum(c.arr) FILTER (WHERE {in_force("c", "s.lo")}), 0), 0) AS began,
        greatest(coalesce(sum(c.arr) FILTER (WHERE {in_force("c", "s.hi")}), 0), 0) AS ended
      FROM spells c JOIN s ON {in_force("c", "s.lo")} OR {in_force("c", "s.hi")} GROUP BY 1, 2, 3
    ),
    known AS MATERIALIZED (SELECT r.* FROM renewals r),
    asked AS MATERIALIZED (
      SELECT c.account_id, c.product, c.arr, c.kept, c.due_on, c.decided_on, c.decided_on < {day} AS decided
      FROM known c WHERE c.arr > 0 AND c.account_id IN (SELECT a.id FROM a){sold}
    ),
    x AS (
      SELECT n, account_id, product, began, ended, 0 AS due, 0 AS paid, 0 AS open FROM held
      UNION ALL
      SELECT s.n, r.account_id, {_product("r.product", by_product=by_product)}, 0, 0,
        CASE WHEN r.decided THEN r.arr ELSE 0 END, CASE WHEN r.decided THEN r.kept ELSE 0 END, CASE WHEN r.decided THEN 0 ELSE r.arr END
      FROM asked r JOIN s ON r.due_on >= s.lo AND r.due_on < s.hi
    )
    """


def _product(column: str, *, by_product: bool) -> str:
    return f"coalesce({column}, '')" if by_product else "''"


def in_force(contract: str, day: str) -> str:
    """Both ends of a contract belong to it."""
    return f"({contract}.start_date <= {day} AND ({contract}.end_date IS NULL OR {contract}.end_date >= {day}))"


async def totals(reader: Reader, of: Of, asked: Asked) -> Sums:
    """What everybody in scope adds up to over the whole period."""
    scope = Scope(of.workspace)
    made = rows(of, [(asked.start, asked.end)], scope, product=asked.product, by_product=asked.product is not None)
    row = await reader.fetchrow(f"{made} SELECT {SUMS} FROM x", *scope.args)
    assert row is not None, "an aggregate gives a row"
    return Sums(*row)


async def groups(reader: Reader, of: Of, asked: Asked) -> list[Group]:
    """By step and key, in their order; one more than MOST_GROUPS where there are more than that."""
    scope = Scope(of.workspace)
    sql = [_key(dimension, scope) for _, dimension in asked.groups]
    made = rows(of, asked.steps, scope, product=asked.product, by_product=asked.by_product, keys=sql)
    keys = [
        "nullif(x.product, '')" if dimension == "product" else f"a.k{n}"
        for n, (_, dimension) in enumerate(asked.groups)
    ]
    by = ", ".join(("x.n", *keys))
    found = await reader.fetch(
        f"{made} SELECT {SUMS}, {by} FROM x JOIN a ON a.id = x.account_id GROUP BY {by} ORDER BY {by} LIMIT {MOST_GROUPS + 1}",
        *scope.args,
    )
    size = len(NAMES)
    return [Group(row[size] - 1, tuple(row[size + 1 :]), Sums(*row[:size])) for row in map(tuple, found)]


def _key(dimension: Dimension | SegmentationName, scope: Scope) -> str:
    if not isinstance(dimension, SegmentationName):
        return KEYS[dimension]
    which = scope.bind(dimension.id)
    return f"(SELECT m.segment FROM members m WHERE m.workspace_id = $1 AND m.segmentation_id = {which} AND m.account_id = a.id)"


async def series(reader: Reader, of: Of, steps: Sequence[Step]) -> list[Sums]:
    """What everybody in scope adds up to in each step; a step without anything is nought."""
    scope = Scope(of.workspace)
    made = rows(of, steps, scope, product=None, by_product=False)
    found = await reader.fetch(f"{made} SELECT {SUMS}, x.n FROM x GROUP BY x.n", *scope.args)
    known = {row[-1]: Sums(*row[:-1]) for row in map(tuple, found)}
    return [known.get(n + 1, Sums()) for n in range(len(steps))]


async def apart(reader: Reader, of: Of) -> tuple[int, int]:
    """Accounts in scope without any contract, and what they pay today: of a past day nothing is known of them."""
    scope = Scope(of.workspace)
    inside = [*in_scope(ACCOUNTS, of.archived, start(ACCOUNTS, "a"), scope), condition(of.where, ACCOUNTS, "a", scope)]
    row = await reader.fetchrow(
        f"""
        SELECT count(*), coalesce(sum(a.arr), 0)::bigint FROM accounts a WHERE a.workspace_id = $1 AND {" AND ".join(inside)}
          AND NOT EXISTS (SELECT FROM contracts c WHERE c.workspace_id = $1 AND c.account_id = a.id)
        """,
        *scope.args,
    )
    assert row is not None, "an aggregate gives a row"
    return row[0], row[1]


async def products(reader: Reader, workspace_id: UUID) -> list[str]:
    """The slugs of what is sold."""
    return [
        row["slug"]
        for row in await reader.fetch("SELECT p.slug FROM products p WHERE p.workspace_id = $1", workspace_id)
    ]


async def accounts(
    reader: Reader, of: Of, asked: Asked, figure: Name, *, ascending: bool, after: tuple[int, UUID] | None, limit: int
) -> list[Record]:
    """Accounts with their sums, and their part of the figure; by contribution, then by id. At most `limit`, behind `after`."""
    scope = Scope(of.workspace)
    made = rows(of, [(asked.start, asked.end)], scope, product=asked.product, by_product=asked.product is not None)
    contribution, denominator = CONTRIBUTIONS[figure]
    sign, direction = (">", "ASC") if ascending else ("<", "DESC")
    behind = ""
    if after is not None:
        behind = f"WHERE (y.{contribution}, y.account_id) {sign} ({scope.bind(after[0])}::bigint, {scope.bind(after[1])}::uuid)"
    return await reader.fetch(
        f"""
        {made}, y AS (SELECT x.account_id, {SUMS} FROM x GROUP BY x.account_id),
        p AS MATERIALIZED (
          SELECT y.*, y.{contribution} AS contribution, y.{denominator} AS denominator FROM y {behind}
          ORDER BY y.{contribution} {direction}, y.account_id {direction} LIMIT {limit:d}
        )
        SELECT p.*, b.name, b.external_id FROM p JOIN accounts b ON b.workspace_id = $1 AND b.id = p.account_id
        ORDER BY p.contribution {direction}, p.account_id {direction}
        """,
        *scope.args,
    )


async def renewals(reader: Reader, of: Of, first: date, last: date) -> tuple[list[Any], ...]:
    """Renewals due in `[first, last)`, those to come among them, a list per column: due and kept in minor units, due on, decided on
    (which may be to come), industry, product."""
    scope = Scope(of.workspace)
    made = rows(of, [(first, last)], scope, product=None, by_product=True, keys=["coalesce(a.industry, '')"])
    columns = ("r.arr", "r.kept", "r.due_on", "r.decided_on", "a.k0", "r.product")
    order = "r.due_on, r.account_id, r.product, r.arr, r.kept"
    row = await reader.fetchrow(
        f"""{made} SELECT {", ".join(f"coalesce(array_agg({c} ORDER BY {order}), '{{}}')" for c in columns)}
        FROM asked r JOIN a ON a.id = r.account_id JOIN s ON r.due_on >= s.lo AND r.due_on < s.hi""",
        *scope.args,
    )
    assert row is not None, "an aggregate gives a row"
    return tuple(row)
