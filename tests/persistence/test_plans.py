"""Moves and ranks in a workspace of 200,000: what a page reads is found by an index."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.meant import Column, Meaning
from app.domain.history import then
from app.domain.questions import Page, Pick, Question, Selection
from app.domain.selections import sort
from app.domain.workspaces import clock
from app.persistence.compile import page
from app.persistence.database import Database
from app.services import named, segmentations, workspaces
from tests.services.organisations import NOW, Organisation, organisation

pytestmark = pytest.mark.without_rls("plans: only leakproof operators reach an index there")

ROWS = 200_000
SIZES = {
    "name": "Size", "kind": "rules", "rest": "small",
    "segments": [{"slug": "big", "name": "Big", "criteria": "arr > 1000000000"}],
}  # fmt: skip


@pytest.fixture(scope="module")
async def org(db: Database) -> Organisation:
    """Every account came into a segment at a minute of its own, and each hundredth is in another by now."""
    made = await organisation(db)
    await segmentations.put(db, made.call(), "size", SIZES, None)
    await made.run(
        f"""INSERT INTO accounts (workspace_id, id, name, created_at, updated_at, arr, industry)
        SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'a' || n, $2, $2, n * 7919 % {ROWS}, NULL
        FROM generate_series(1, {ROWS}) n""",
        NOW - timedelta(days=365),
    )
    await made.run(
        """INSERT INTO past_stays (workspace_id, segmentation_id, account_id, segment, from_at, to_at, reason)
        SELECT $1, s.id, a.id, 'small', $2::timestamptz - a.arr * interval '1 minute', $2::timestamptz - a.arr * interval '1 second', 'write'
        FROM accounts a, segmentations s WHERE a.workspace_id = $1 AND s.workspace_id = $1 AND a.arr % 100 = 1""",
        NOW,
    )
    await made.run(
        """INSERT INTO members (workspace_id, segmentation_id, account_id, segment, since, reason)
        SELECT $1, s.id, a.id, CASE WHEN a.arr % 100 = 1 THEN 'big' ELSE 'small' END,
          $2::timestamptz - a.arr * CASE WHEN a.arr % 100 = 1 THEN interval '1 second' ELSE interval '1 minute' END, 'write'
        FROM accounts a, segmentations s WHERE a.workspace_id = $1 AND s.workspace_id = $1""",
        NOW,
    )
    await made.run(
        """INSERT INTO stage_moves (workspace_id, id, account_id, stage, moved_at)
        SELECT $1, id, id, CASE WHEN arr % 1000 = 0 THEN 'trial' ELSE 'advocate' END, created_at FROM accounts WHERE workspace_id = $1"""
    )
    for table in ("accounts", "members", "past_stays", "stage_moves"):
        await made.db.fetch(f"ANALYZE {table}")
    loaded = await workspaces.load(db, made.workspace.id)
    return made.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)


async def meaning(org: Organisation, criteria: str) -> Meaning:
    setting = Setting(org.workspace, clock(org.workspace, NOW))
    return await named.reading(
        org.db, setting, None, NOW, lambda within: check(text.parse(criteria), ACCOUNTS, within).meaning
    )


async def explained(org: Organisation, asked: Question) -> tuple[str, int]:
    """The plan of a page, and how many rows the page found."""
    statement = page(asked, org.workspace)
    plan = "\n".join(row[0] for row in await org.db.fetch(f"EXPLAIN {statement.text}", *statement.args))
    row = await org.db.fetchrow(statement.text, *statement.args)
    assert row is not None
    return plan, len(msgspec.json.decode(row[0] or b"[]"))


async def question(org: Organisation, criteria: str, order: str) -> Question:
    shows = Selection((Pick("id", Column(ACCOUNTS.fields["id"])),))
    return Question(
        "accounts", await meaning(org, criteria), shows, sort(order or None, ACCOUNTS, org.workspace), Page(50)
    )


@pytest.mark.parametrize("order", ["", "-arr"])
@pytest.mark.parametrize(
    ("criteria", "index", "found"),
    [
        ('entered("size", "small", last(20min))', "members_entered_idx", 20),
        ('left("size", "small", last(1h))', "past_stays_left_idx", 36),
        ("rank_desc(arr) <= 40", "accounts_arr_idx", 40), ("percent_rank(arr) >= 0.9999", "accounts_arr_idx", 20),
        ("ntile10(arr) = 10 AND rank_desc(arr) <= 30", "accounts_arr_idx", 30),
    ],
)  # fmt: skip
async def test_what_is_rare_is_found_by_its_index(
    org: Organisation, criteria: str, index: str, found: int, order: str
) -> None:
    plan, rows = await explained(org, await question(org, criteria, order))
    assert rows == found
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("order", ["", "-arr"])
@pytest.mark.parametrize(
    "criteria",
    [
        'entered("size", "small", last(90d))', 'NOT left("size", "small", last(90d))', "ntile4(arr) = 4",
        "NOT percent_rank(arr) > 0.5", "rank_desc(arr BY industry) <= 100000",
    ],
)  # fmt: skip
async def test_what_is_common_is_walked_in_order(org: Organisation, criteria: str, order: str) -> None:
    plan, rows = await explained(org, await question(org, criteria, order))
    assert rows == 50
    assert "Seq Scan" not in plan, plan


async def test_a_day_that_has_been_is_looked_up_account_by_account(org: Organisation) -> None:
    asked = then(await question(org, 'stage = "advocate" AND segment.size = "small"', ""), NOW - timedelta(minutes=5))
    plan, rows = await explained(org, replace(asked, count="capped"))
    assert rows == 50
    assert "stage_moves_account_idx" in plan, plan
    assert "members_pk" in plan, plan
    assert "past_stays_pk" in plan or "past_stays_entered_idx" in plan, plan
    assert "Seq Scan on stage_moves" not in plan, plan
