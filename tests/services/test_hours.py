"""Ranks by the hour: the same cut-offs until they are refreshed, then new ones, in lists and in segments."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from app.api.rest import bulk as door
from app.domain.errors import Invalid
from app.persistence import ranks, workspaces
from app.persistence.database import Database
from app.services import accounts, bulk, hours, list_rows, lists, reads, segmentations
from tests.services.files import bring, csv
from tests.services.organisations import NOW, Organisation, document, organisation

SECRET = b"s" * 32
TOP = "rank_desc(arr) <= 2"
HOUR = timedelta(hours=1)
RULES = {
    "name": "Care", "kind": "rules", "rest": "small", "segments": [{"slug": "big", "name": "Big", "criteria": TOP}],
}  # fmt: skip


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Accounts A to E, each with more ARR than the one before."""
    made = await organisation(db)
    for n, name in enumerate("ABCDE"):
        await accounts.create(made.db, made.call("admin"), {"name": name, "arr": n, "external_id": name})
    return made


async def matched(org: Organisation, criteria: str, minutes: int = 0) -> str:
    now = NOW + timedelta(minutes=minutes)
    ask = reads.Ask("accounts", filter=criteria, fields="name", sort="name")
    answer = await reads.collection(org.db, org.people["csm"], ask, now, secret=SECRET)
    return "".join(one["name"] for one in document(answer.data))


async def add(org: Organisation, name: str, arr: int) -> None:
    await accounts.create(org.db, org.call("admin"), {"name": name, "arr": arr})


async def stand(org: Organisation) -> str:
    rows = await org.rows(
        "SELECT a.name FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id"
        " WHERE m.workspace_id = $1 AND m.segment = 'big' ORDER BY a.name"
    )
    return "".join(name for (name,) in rows)


async def test_cut_offs_stay_for_an_hour(org: Organisation) -> None:
    assert await matched(org, TOP) == "DE"
    await add(org, "F", 9)
    assert await matched(org, TOP, 30) == "DEF"  # it has more than the second had
    assert await matched(org, "rank_asc(arr) <= 2", 30) == "AB"
    assert await hours.refresh_all(org.db, NOW + timedelta(minutes=59)) == 0
    await hours.refresh_all(org.db, NOW + HOUR + timedelta(seconds=1))
    assert await matched(org, TOP, 61) == "EF"
    echo = (await answered(org, TOP, 70)).ranks[0]
    assert (echo.rank, echo.at, echo.cuts.computed_at) == ("rank_desc(arr)", Decimal(2), NOW + timedelta(minutes=61))
    assert [(group.key, group.n, group.passes) for group in echo.cuts.groups] == [("", 6, 400)]


async def answered(org: Organisation, criteria: str, minutes: int) -> reads.Answer:
    ask = reads.Ask("accounts", filter=criteria, fields="name")
    return await reads.collection(org.db, org.people["csm"], ask, NOW + timedelta(minutes=minutes), secret=SECRET)


async def test_another_moment_does_not_date_them(org: Organisation) -> None:
    ask = reads.Ask("accounts", filter=TOP, as_of="2020-01-01")
    answer = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    assert answer.ranks[0].cuts.computed_at == NOW


async def test_segments_follow(org: Organisation) -> None:
    await segmentations.put(org.db, org.call("admin"), "care", RULES, None)
    assert await stand(org) == "DE"
    await add(org, "F", 9)
    assert await stand(org) == "DEF"
    await hours.refresh_all(org.db, NOW + HOUR + timedelta(seconds=1))
    assert await stand(org) == "EF"
    reasons = await org.rows("SELECT DISTINCT h.reason FROM stays h WHERE h.workspace_id = $1 ORDER BY 1")
    assert reasons == [("definition",), ("ranks",), ("write",)]


async def test_many_records_at_once_refresh_them(org: Organisation) -> None:
    await segmentations.put(org.db, org.call("admin"), "care", RULES, None)
    assert await matched(org, TOP) == "DE"
    for size, found in ((3, "DEX0X1X2"), (1_003, "X1001X1002")):
        records = [{"external_id": f"X{n}", "name": f"X{n}", "arr": 100 + n} for n in range(size)]
        told, _ = door.asked(msgspec.json.encode({"records": records}))
        await bulk.upsert(org.db, org.call("admin"), "accounts", told, "all")
        assert (await matched(org, TOP), await stand(org)) == (found, found)


async def test_so_does_a_file(org: Organisation, tmp_path: Path) -> None:
    assert await matched(org, TOP) == "DE"
    await bring(org, tmp_path, "accounts", csv(("external_id", "name", "arr"), ("F", "F", 9), ("G", "G", 8)))
    assert await matched(org, TOP) == "FG"


async def test_saved_lists_keep_no_cut_off_that_is_not_asked(org: Organisation) -> None:
    body = {"entity": "accounts", "name": "Top", "criteria": {"text": TOP}, "columns": ["name"]}
    made = await lists.create(org.db, org.call("csm"), body)
    assert await org.rows("SELECT fn FROM rank_cuts WHERE workspace_id = $1") == []
    ask = await list_rows.ask(org.db, org.people["csm"], made.id, NOW)
    answer = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    assert {one["name"] for one in document(answer.data)} == {"D", "E"}
    assert await org.rows("SELECT fn FROM rank_cuts WHERE workspace_id = $1") == [("rank_desc",)]


async def test_no_accounts_no_rank(db: Database) -> None:
    org = await organisation(db)
    assert [await matched(org, c) for c in (TOP, f"NOT {TOP}", "rank_desc(arr) IS EMPTY")] == ["", "", ""]
    assert await ranks.due(db, NOW + HOUR + timedelta(seconds=1)) != []


@pytest.mark.parametrize(
    ("criteria", "why"),
    [
        ('rank_desc(name) <= 2', "ranks are of numbers and money"), ("rank_desc(arr BY arr) <= 2", "makes no groups"),
        ('rank_desc(arr) = "x"', "is compared with numbers"), ("rank_desc(arr) > field(mrr)", "is compared with numbers"),
        ("rank_desc(arr) IN last(3d)", "is a number"), ("any(tickets WHERE rank_desc(satisfaction) = 1)", "of accounts and of contacts"),
        ("rank_desc(arrr) <= 2", "no such field"), ("rank_desc(arr BY csmm) <= 2", "no such field"),
    ],
)  # fmt: skip
async def test_refusals(db: Database, criteria: str, why: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid, match=why):
        await matched(org, criteria)


async def test_nobody_waits_for_cut_offs_that_a_long_write_keeps(org: Organisation) -> None:
    """A write that asks for new cut-offs keeps them when it ends; who asks for the same ones meanwhile is answered."""
    asked = reads.Ask("accounts", filter=TOP, fields="name", sort="name")
    async with org.db.transaction() as tx:
        answers = [await reads.collection(one, org.people["csm"], asked, NOW, secret=SECRET) for one in (tx, org.db)]
        began = time.monotonic()
        assert await matched(org, TOP) == "DE"
        assert time.monotonic() - began < 2
    assert answers[0].data == answers[1].data
    assert await org.rows("SELECT count(*) FROM rank_cuts WHERE workspace_id = $1") == [(1,)]


async def test_the_hour_and_a_load_of_records_wait_for_each_other(org: Organisation) -> None:
    """Both take the cut-offs away: a load has the workspace before, and so has the hour."""
    await segmentations.put(org.db, org.call("admin"), "care", RULES, None)
    async with org.db.transaction() as tx:
        await workspaces.hold(tx, org.workspace.id)
        turning = asyncio.create_task(hours.refresh_all(org.db, NOW + 2 * HOUR))
        await asyncio.sleep(0.2)
        assert await hours.refresh(tx, org.workspace.id, NOW)
    assert await turning >= 0
    assert await stand(org) == "DE"
