"""Renewals: terms that end, and what became of them, told by the contracts in one statement.

`app.domain.forecasting.outcomes` says the rule in plain Python; tests hold this against it, row by row.
"""

from __future__ import annotations

from app.domain.forecasting.outcomes import EARLY, LATE, SWITCH, TOLERANCE

RENEWALS = f"""
  term AS MATERIALIZED (
    SELECT c.id, c.account_id, coalesce(c.product, '') AS product, c.arr, c.seats, c.start_date, c.end_date, c.outcome,
           c.decided_at, least(c.start_date, (c.created_at AT TIME ZONE 'UTC')::date) AS known_on,
           min(c.start_date) OVER (PARTITION BY c.account_id) AS first_started
    FROM contracts c WHERE c.workspace_id = $1 AND c.arr >= 0
  ),
  carrying AS (
    SELECT DISTINCT ON (s.id) s.id, s.account_id, e.end_date AS due_on, s.product, s.arr, s.known_on
    FROM term s
    JOIN term e ON e.account_id = s.account_id AND e.start_date < s.start_date
      AND (s.end_date IS NULL OR s.end_date > e.end_date)
      AND s.start_date - e.end_date BETWEEN -{EARLY} AND {LATE}
      AND (e.product = s.product OR s.start_date - e.end_date BETWEEN -{SWITCH} AND {SWITCH})
    ORDER BY s.id, e.product <> s.product, abs(s.start_date - e.end_date - 1), e.end_date
  ),
  beside AS (
    SELECT t.id, t.account_id, t.end_date AS due_on, t.product, t.arr::float8 AS due, 0::float8 AS came, NULL::date AS known_on
    FROM term t WHERE t.end_date IS NOT NULL
    UNION ALL
    SELECT NULL, y.account_id, y.due_on, y.product, 0, y.arr, y.known_on FROM carrying y
  ),
  line AS (
    SELECT b.id, b.due_on, row_number() OVER own AS nth, b.account_id, sum(b.due) OVER own AS due,
           least(sum(b.due) OVER own, sum(b.came) OVER own) AS own, sum(b.due) OVER pool AS pool_due,
           sum(b.came) OVER pool AS pool_came, max(b.known_on) OVER pool AS known_on
    FROM beside b
    WINDOW pool AS (PARTITION BY b.account_id, b.due_on), own AS (PARTITION BY b.account_id, b.due_on, b.product)
  ),
  pool AS (
    SELECT l.id, l.due, l.own, l.pool_due, l.pool_came, l.known_on,
           sum(l.own) FILTER (WHERE l.nth = 1) OVER (PARTITION BY l.account_id, l.due_on) AS pool_own
    FROM line l
  ),
  went AS MATERIALIZED (
    SELECT p.id, p.due, p.known_on,
           p.own + CASE WHEN p.pool_due > p.pool_own
             THEN (p.due - p.own) * least(p.pool_came - p.pool_own, p.pool_due - p.pool_own) / (p.pool_due - p.pool_own)
             ELSE 0 END
           + ((p.pool_came - p.pool_own) - least(p.pool_came - p.pool_own, p.pool_due - p.pool_own))
             * CASE WHEN p.pool_own > 0 THEN p.own / p.pool_own WHEN p.pool_due > 0 THEN p.due / p.pool_due ELSE 0 END AS kept
    FROM pool p WHERE p.id IS NOT NULL
  ),
  told AS (
    SELECT t.id, t.account_id, t.product, t.arr, t.seats, t.start_date, t.first_started, t.end_date AS due_on, t.outcome,
           t.decided_at, w.due, w.kept AS went_on, CASE WHEN w.kept > 0 OR w.due = 0 THEN w.known_on END AS followed_on,
           CASE WHEN w.due > 0 THEN round(w.kept * t.arr / w.due)::bigint ELSE 0 END AS mine
    FROM term t
    JOIN went w ON w.id = t.id
  ),
  renewals AS (
    SELECT t.id, t.account_id, t.product, t.arr, t.seats, t.start_date, t.first_started, t.due_on, t.followed_on,
           t.outcome IS NOT NULL AS by_hand,
           CASE WHEN t.outcome IS NOT NULL THEN coalesce(t.decided_at, t.due_on) ELSE t.due_on + {LATE} END AS decided_on,
           CASE WHEN t.outcome IS NOT NULL THEN t.outcome
                WHEN t.followed_on IS NULL THEN 'churned'
                WHEN t.went_on < t.due * {1 - TOLERANCE} THEN 'contracted'
                WHEN t.due > 0 AND t.went_on > t.due * {1 + TOLERANCE} THEN 'expanded'
                ELSE 'renewed' END AS result,
           CASE WHEN t.outcome IS NULL THEN t.mine
                WHEN t.outcome = 'churned' THEN 0
                WHEN t.outcome = 'expanded' THEN greatest(t.arr, t.mine)
                WHEN t.mine = 0 THEN t.arr
                WHEN t.outcome = 'contracted' THEN least(t.arr, t.mine)
                ELSE t.mine END AS kept
    FROM told t
  )"""
"""What follows WITH; `$1` is the workspace. `renewals` has a row per term that ends: `arr` that is due on `due_on`, `kept`
of it in minor units, `result`, `by_hand`, `decided_on`, which may be to come, and `followed_on`, since when it is known
what carries it on; `first_started` is the day on which the account's first contract began. `carrying` has a row per contract
that carries a renewal on, with the day `due_on` until which the terms last that it does."""
