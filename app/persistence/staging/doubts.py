"""What sound rows of a file say that does not go with what else is known of their accounts: taken, and told as warnings."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.imports import Problem
from app.persistence.database import Transaction
from app.persistence.staging import checks
from app.persistence.staging.rows import Column

OF_CUSTOMERS = ("tickets", "surveys", "churns")
"""Kinds that only customers have. Prospects are called and written to, and a first invoice may go out ahead of its term."""

SOUND = """r.errs IS NULL AND r.account_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)"""
BEFORE_CUSTOMER = f"""(
  SELECT r.line FROM import_rows r JOIN accounts a ON a.workspace_id = $2 AND a.id = r.account_id
  JOIN workspaces w ON w.id = $2
  WHERE {SOUND} AND {{day}} < a.became_customer_at
) d"""
# A contract that is told as churned goes with the churn, also where it runs on to the end of its term.
IN_FORCE = f"""(
  SELECT r.line FROM import_rows r WHERE {SOUND} AND EXISTS (
    SELECT FROM contracts k
    WHERE k.workspace_id = $2 AND k.account_id = r.account_id AND k.start_date <= r.churned_at
      AND (k.end_date IS NULL OR k.end_date > r.churned_at) AND k.outcome IS DISTINCT FROM 'churned')
) d"""
# A stored churn that the file is for is the file's: sent again, the same rows are told.
FURTHER = f"""(
  WITH sound AS (
    SELECT r.line, r.id, r.account_id, row_number() OVER (PARTITION BY r.account_id ORDER BY r.line) AS nth
    FROM import_rows r WHERE {SOUND}
  ), others AS (
    SELECT x.account_id FROM churns x
    WHERE x.workspace_id = $2 AND x.account_id IN (SELECT account_id FROM sound)
      AND NOT EXISTS (SELECT FROM sound s WHERE s.id = x.id)
  )
  SELECT line FROM sound WHERE nth > 1 OR account_id IN (SELECT account_id FROM others)
) d"""

EMPTIED = """(
  SELECT r.line FROM import_rows r JOIN accounts a ON a.workspace_id = $2 AND a.id = r.id
  WHERE r.errs IS NULL AND r.arr IS NULL AND r.gone & $3 = 0 AND a.arr_by_hand <> 0
    AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
) d"""


async def mark(
    tx: Transaction, workspace_id: UUID, entity: Entity, columns: Sequence[Column], problems: list[Problem]
) -> None:
    """Marks the rows; new warnings are added to `problems`. `columns` are those of the rows: only what these say of account
    and time, or of an account's ARR, is judged."""
    when, names = str(entity.time_field), {column.name for column in columns}
    for arr in (column for column in columns if entity.name == "accounts" and column.name == "arr"):
        await checks.warn(tx, problems, "emptied", EMPTIED, workspace_id, arr.bit)
    if entity.name not in OF_CUSTOMERS or not {"account_id", when} <= names:
        return
    day = f"(r.{when} AT TIME ZONE w.zone)::date" if entity.fields[when].kind == "instant" else f"r.{when}"
    await checks.warn(tx, problems, "before_customer", BEFORE_CUSTOMER.format(day=day), workspace_id)
    if entity.name == "churns":
        await checks.warn(tx, problems, "in_force", IN_FORCE, workspace_id)
        await checks.warn(tx, problems, "further_churn", FURTHER, workspace_id)
