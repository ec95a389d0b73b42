"""What is known of a workspace from write to write: as it stands, whatever row of it was written and by whom."""

from __future__ import annotations

from typing import NoReturn

import pytest

from app.persistence import workspaces
from app.persistence.database import Database, Transaction
from app.services import attributes, segmentations
from tests.services.organisations import NOW, Organisation, organisation

WRITES = {
    "workspaces": "UPDATE workspaces SET health_green = 71 WHERE id = $1",
    "segmentations": "UPDATE segmentations SET version = version + 1 WHERE workspace_id = $1",
    "attributes": "UPDATE attributes SET is_required = true WHERE workspace_id = $1",
    "fiscal_periods": (
        "INSERT INTO fiscal_periods (workspace_id, year, quarter, period, start_date, end_date) "
        "VALUES ($1, 2026, 1, 1, '2026-01-01', '2026-12-31')"
    ),
    "stages": "UPDATE stages SET leaves_after_days = 9 WHERE workspace_id = $1",
}


@pytest.fixture
async def org(db: Database) -> Organisation:
    made = await organisation(db)
    async with db.transaction() as tx:
        await segmentations.install_presets(tx, made.workspace, NOW)
    await attributes.create(db, made.call(), {"entity": "accounts", "slug": "plan", "name": "Plan", "type": "text"})
    return made


async def undone(tx: Transaction, sql: str, org: Organisation) -> NoReturn:
    await tx.execute(sql, org.workspace.id)
    await workspaces.current(tx, org.workspace.id)
    raise RuntimeError


@pytest.mark.parametrize("table", WRITES)
async def test_it_is_read_anew_where_a_row_of_it_was_written(db: Database, org: Organisation, table: str) -> None:
    async with db.transaction() as tx:
        before = await workspaces.current(tx, org.workspace.id)
        assert await workspaces.current(tx, org.workspace.id) is before
    with pytest.raises(RuntimeError):
        async with db.transaction() as tx:
            await undone(tx, WRITES[table], org)
    async with db.transaction() as tx:
        assert await workspaces.current(tx, org.workspace.id) == before
        assert await tx.execute(WRITES[table], org.workspace.id) != "UPDATE 0"
        told = await workspaces.current(tx, org.workspace.id)
        assert told == await workspaces.load(tx, org.workspace.id) != before
