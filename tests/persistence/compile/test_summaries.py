"""How summaries are read: from indexes alone where these hold what is asked, each row once, each join once."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.catalogue import ACCOUNTS, CONTACTS
from app.domain.criteria.meant import All
from app.domain.summaries import summary
from app.domain.workspaces import Workspace
from app.persistence import workspaces
from app.persistence.compile.summaries import Statement
from app.persistence.compile.summaries import summary as compiled
from app.persistence.database import Database
from app.services.settle import place
from bench import population


@pytest.fixture(scope="module")
async def workspace(db: Database) -> Workspace:
    """Enough accounts that an index is worth its while."""
    workspace_id, admin, _ = await population.organisation(db, "summed")
    await population.accounts(db, workspace_id, admin, 4_000)
    async with db.transaction() as tx:
        await place(tx, await workspaces.load(tx, workspace_id), population.NOW)
    for table in ("accounts", "members"):
        async with asyncio.timeout(10):  # a first vacuum may come too early to know that everybody sees the rows
            while not await db.fetchval("SELECT relallvisible > 0 FROM pg_class WHERE relname = $1", table):
                await asyncio.sleep(0.1)
                await db.fetch(f"VACUUM (ANALYZE) {table}")
    return await workspaces.load(db, workspace_id)


def asked(of: Workspace, group_by: str | None, measures: str) -> Statement:
    return compiled(summary(group_by, measures, None, ACCOUNTS, of), ACCOUNTS, All(), "without", of.zone, 50, of)


async def plan(db: Database, statement: Statement) -> str:
    rows = await db.fetch(f"EXPLAIN (COSTS OFF) {statement.text}", *statement.args)
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("group_by", "measures"),
    [
        ("segment.tier,stage", "count,sum(arr)"), ("csm", "count,sum(arr),average(health)"), ("health_band,industry", "median(arr)"),
        (None, "count,sum(arr)"), ("status,segment.portfolio", "max(health)"),
    ],
)  # fmt: skip
async def test_what_lists_are_summed_up_by_is_read_from_indexes_alone(
    db: Database, workspace: Workspace, group_by: str | None, measures: str
) -> None:
    told = await plan(db, asked(workspace, group_by, measures))
    assert "Index Only Scan using accounts_summary_idx" in told, told
    assert "Seq Scan" not in told, told
    if group_by and "segment." in group_by:
        assert "using members_" in told, told
        assert "Index Only Scan using members_" in told, told


async def test_no_row_is_asked_for_by_itself(db: Database, workspace: Workspace) -> None:
    statement = asked(workspace, "segment.tier,segment.portfolio", "count,sum(arr),median(arr)")
    assert statement.text.count("FROM accounts") == 1
    assert statement.text.count("LEFT JOIN members") == 2
    of = summary("account.csm,account.segment.tier", "sum(account.arr),max(account.health)", None, CONTACTS, workspace)
    joined = compiled(of, CONTACTS, All(), "without", workspace.zone, 50, workspace).text
    assert joined.count("LEFT JOIN accounts") == 1
    assert joined.count("LEFT JOIN members") == 1


def test_the_text_depends_on_the_shape_alone(workspace: Workspace) -> None:
    one, other = asked(workspace, "segment.tier", "count"), asked(workspace, "segment.portfolio", "count")
    assert one.text.replace("tier", "portfolio") == other.text
    assert one.args != other.args
