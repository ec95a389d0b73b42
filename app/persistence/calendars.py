"""A workspace's own fiscal calendar: its rows put in place of those before. It is read with the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.calendars import FiscalPeriod
from app.persistence.database import Transaction

CLEAR = "DELETE FROM fiscal_periods WHERE workspace_id = $1"
INSERT = """
INSERT INTO fiscal_periods (workspace_id, year, quarter, period, start_date, end_date)
SELECT $1, p.year, p.quarter, p.period, p.start_date, p.end_date
FROM unnest($2::smallint[], $3::smallint[], $4::smallint[], $5::date[], $6::date[])
  AS p(year, quarter, period, start_date, end_date)
"""


async def put(tx: Transaction, workspace_id: UUID, periods: Sequence[FiscalPeriod]) -> None:
    """These periods and no others; none leaves the workspace without a calendar."""
    await tx.execute(CLEAR, workspace_id)
    if periods:
        rows = ((one.year, one.quarter, one.period, one.start_date, one.end_date) for one in periods)
        await tx.execute(INSERT, workspace_id, *map(list, zip(*rows, strict=True)))
