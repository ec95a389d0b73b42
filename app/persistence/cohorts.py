"""The lives of accounts by cohort, by sets: when each began, and whether and when it was lost."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.catalogue import ACCOUNTS
from app.domain.forecasting.lives import Unit
from app.domain.forecasting.outcomes import LATE
from app.persistence.compile import Scope, condition
from app.persistence.compile.pages import in_scope
from app.persistence.compile.rows import start
from app.persistence.database import Reader, Record
from app.persistence.retention import Of

FORMATS: Mapping[Unit, str] = {"month": "YYYY-MM", "quarter": 'YYYY-"Q"Q', "year": "YYYY"}
"""How cohorts are called."""


async def usual_term(reader: Reader, of: Of, product: str | None) -> float | None:
    """The median term of contracts, in days; None without contracts that end."""
    scope = Scope(of.workspace)
    mine = _spells(of, product, scope)
    row = await reader.fetchrow(
        f"{mine} SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c.end_date - c.start_date + 1) FROM c WHERE c.end_date < 'infinity'",
        *scope.args,
    )
    assert row is not None, "an aggregate gives a row"
    days: float | None = row[0]
    return days


async def lives(reader: Reader, of: Of, product: str | None, by: Unit) -> list[Record]:
    """Accounts by their cohort (the month, quarter or year of their first contract), for how many days each was seen, and whether
    it was lost then: cohort, lost, days, accounts, arr (at their start) and the sum of its squares.

    An account is lost where nothing followed the end of its contracts in time; a return later is no part of this life. All are
    seen until the last day on which that is known of all: whoever stayed is seen no longer than whoever left.
    """
    scope = Scope(of.workspace)
    mine = _spells(of, product, scope)
    horizon = f"({scope.bind(of.today)}::date - {LATE})"
    return await reader.fetch(
        f"""
        {mine}, breaks AS (
          SELECT o.account_id, min(o.start_date) FILTER (WHERE o.start_date > o.before + {LATE}) AS back
          FROM (SELECT c.account_id, c.start_date, max(c.end_date) OVER (
                  PARTITION BY c.account_id ORDER BY c.start_date, c.end_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM c) o GROUP BY o.account_id
        ), first AS (
          SELECT c.account_id, min(c.start_date) AS began, max(c.end_date) AS until
          FROM c JOIN breaks b ON b.account_id = c.account_id AND (b.back IS NULL OR c.start_date < b.back) GROUP BY c.account_id
        ), life AS (
          SELECT f.account_id, f.began, sum(c.arr) FILTER (WHERE c.start_date = f.began) AS arr, f.until < {horizon} AS lost,
            CASE WHEN f.until < {horizon} THEN f.until + 1 - f.began ELSE greatest({horizon} - f.began, 0) END AS days
          FROM first f JOIN c ON c.account_id = f.account_id AND c.start_date <= f.until GROUP BY f.account_id, f.began, f.until
        )
        SELECT to_char(l.began, '{FORMATS[by]}') AS cohort, l.lost, l.days, count(*) AS accounts, sum(l.arr)::bigint AS arr,
          sum(l.arr::float8 * l.arr::float8) AS squares
        FROM life l GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """,
        *scope.args,
    )


def _spells(of: Of, product: str | None, scope: Scope) -> str:
    """WITH `c`: the contracts worth something of accounts in scope that have begun; one without an end ends at infinity."""
    inside = [*in_scope(ACCOUNTS, of.archived, start(ACCOUNTS, "a"), scope), condition(of.where, ACCOUNTS, "a", scope)]
    sold = "" if product is None else f" AND c.product = {scope.bind(product)}"
    return f"""
    WITH c AS MATERIALIZED (
      SELECT c.account_id, c.start_date, coalesce(c.end_date, 'infinity'::date) AS end_date, c.arr
      FROM contracts c JOIN accounts a ON a.workspace_id = $1 AND a.id = c.account_id
      WHERE c.workspace_id = $1 AND c.arr > 0 AND c.start_date <= {scope.bind(of.today)}::date{sold} AND {" AND ".join(inside)}
    )
    """
