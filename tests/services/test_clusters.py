"""Clusters suggested from accounts: rules that can be put, and refusals that say what to do."""

from __future__ import annotations

import asyncio
import math
import re
import sys
from functools import partial
from random import Random
from threading import Event
from typing import Any

import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import shown
from app.domain.errors import Busy, Forbidden, Invalid, NotInstalled
from app.domain.segmentation.clusters import AGREED, BOOTSTRAPS, Box, read
from app.persistence.database import Database
from app.services import clusters, segmentations
from app.services.aside import apart, aside
from app.services.calls import new_id
from app.services.grouping import Grouped, grouped
from app.services.settle import settle
from tests.services.organisations import NOW, Organisation, organisation

ASKED = {"kind": "clusters", "fields": ["arr", "health"], "count": 3}


async def peopled(org: Organisation, centres: list[tuple[int, float]], spread: float) -> None:
    """Fifty accounts about each centre of (ARR, health)."""
    drawn = Random(4)
    async with org.db.transaction() as tx:
        for arr, health in centres:
            for n in range(50):
                values = (
                    max(1, int(drawn.gauss(arr, arr * spread / 10) * 100)),
                    min(100.0, max(0.0, drawn.gauss(health, spread))),
                )
                await tx.execute(
                    "INSERT INTO accounts (workspace_id, id, name, arr_by_hand, health, created_at, updated_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $6)",
                    org.workspace.id, new_id(), f"A{n}", *values, NOW,
                )  # fmt: skip
        await settle(tx, org.workspace, None, NOW)


async def suggested(org: Organisation, **said: Any) -> dict[str, Any]:
    return await clusters.suggest(org.db, org.people["manager"], ASKED | said, NOW)


async def test_clusters_that_are_there_are_told_as_rules_that_place_the_accounts(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, [(10_000, 80.0), (50_000, 30.0), (12_000, 20.0)], 2.0)
    found = await suggested(org)
    assert (found["accounts"], found["sampled"]) == (150, 150)
    assert found["stability"] > 0.95
    assert found["agreement"] > 0.95
    assert [one["accounts"] for one in found["clusters"]] == [50, 50, 50]
    await segmentations.put(db, org.call(), "suggested", found["definition"], None)
    standing = await segmentations.segments(db, org.people["viewer"], "suggested", NOW)
    assert sum(one["accounts"] for one in standing["data"][:3]) == 150
    assert {one["accounts"] for one in standing["data"][:3]} <= {49, 50, 51}
    assert await suggested(org) == found


async def test_a_field_by_which_nobody_differs_is_refused(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, [(10_000, 80.0)] * 3, 0.0)
    with pytest.raises(Invalid) as refused:
        await suggested(org)
    assert [fault.pointer for fault in refused.value.faults] == ["/fields/0", "/fields/1"]


async def test_clusters_that_are_not_there_are_refused(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, [(30_000, 50.0)] * 5, 9.0)
    with pytest.raises(Invalid) as refused:
        await suggested(org, count=7)
    assert refused.value.faults[0].pointer == "/count"
    told = re.search(r"agree by (0\.\d+) .* of (\d+)\), below 0\.75", refused.value.detail)
    assert told is not None
    assert (float(told[1]) < 0.75, int(told[2]) < BOOTSTRAPS) == (True, True), "no draw more could lift the mean"
    for said, pointer in (
        ({"fields": ["nps"]}, "/fields"), ({"fields": ["name"]}, "/fields/0"), ({"fields": ["arrr"]}, "/fields/0"),
        ({"where": "arrr > 1"}, "/where"), ({"where": 'segment.tier = "low"'}, "/where"), ({"count": 9}, "/count"), ({"kind": "bands"}, "/kind"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as wrong:
            await suggested(org, **said)
        assert wrong.value.faults[0].pointer == pointer, said


async def once_free(org: Organisation) -> dict[str, Any]:
    while True:
        try:
            return await suggested(org, count=2)
        except Busy:
            await asyncio.sleep(0.01)


async def test_one_at_a_time_and_nobody_else_waits(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, [(10_000, 80.0), (50_000, 30.0)], 2.0)
    free = Event()
    taken = asyncio.create_task(apart(partial(free.wait, 30)))
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        await suggested(org, count=2)
    assert refused.value.retry_after > 0
    assert await aside(lambda: "at once") == "at once"
    taken.cancel()
    with pytest.raises(Busy):  # the work goes on though nobody waits for it
        await suggested(org, count=2)
    free.set()
    assert (await once_free(org))["bootstraps"] == BOOTSTRAPS


async def test_whoever_may_not_put_them_is_suggested_nothing(db: Database) -> None:
    org = await organisation(db)
    for role in ("csm", "viewer"):
        with pytest.raises(Forbidden):
            await clusters.suggest(org.db, org.people[role], ASKED, NOW)


async def test_without_the_extra_it_says_how_to_install_it(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await organisation(db)
    await peopled(org, [(10_000, 80.0), (50_000, 30.0)], 2.0)
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(NotInstalled, match="run `make clusters`"):
        await suggested(org, count=2)


async def spread(org: Organisation, seed: int) -> None:
    """Accounts of every status, a fifth of which lack each value: four groups of (ARR, health, employees), blurred."""
    drawn = Random(seed)
    async with org.db.transaction() as tx:
        for n in range(320):
            arr, health, employees = ((3_000, 85, 20), (40_000, 80, 400), (45_000, 25, 90), (900_000, 60, 5_000))[n % 4]
            values = (
                int(drawn.lognormvariate(0, 0.3) * arr * 100),
                min(100.0, max(0.0, drawn.gauss(health, 7))) if n % 5 else None,
                int(drawn.lognormvariate(0, 0.4) * employees) if n % 5 != 3 else None,
                ("smb", "large")[drawn.random() < 0.7],
            )
            await tx.execute(
                "INSERT INTO accounts (workspace_id, id, name, arr_by_hand, health, employees, type, created_at, updated_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
                org.workspace.id, new_id(), f"S{n}", *values, NOW,
            )  # fmt: skip
        await settle(tx, org.workspace, None, NOW)


@pytest.mark.parametrize(
    ("fields", "count", "where", "sql"),
    [
        (["arr", "health", "employees"], 4, 'type = "large"', "a.type = 'large'"),
        (["arr", "health"], 3, 'type = "large" OR arr > 500000', "(a.type = 'large' OR a.arr > 50000000)"),
        (["employees"], 4, 'type = "large" AND arr > 1000', "a.type = 'large' AND a.arr > 100000"),
        (["health", "employees"], 2, None, "true"),
    ],
)
async def test_a_definition_places_whom_it_was_made_of_and_nobody_else(
    db: Database, fields: list[str], count: int, where: str | None, sql: str
) -> None:
    org = await organisation(db)
    await spread(org, count)
    found = await suggested(org, fields=fields, count=count, where=where)
    await segmentations.put(db, org.call(), "suggested", found["definition"], None)
    values = ", ".join(f"a.{field} / 100.0::float8" if field == "arr" else f"a.{field}::float8" for field in fields)
    has = " AND ".join(f"a.{field} IS NOT NULL" for field in fields)
    there = await org.rows(
        f"SELECT m.segment, {sql} AND {has}, {values} FROM members m JOIN accounts a ON a.id = m.account_id "
        "JOIN segmentations s ON s.id = m.segmentation_id WHERE m.workspace_id = $1 AND s.slug = 'suggested' ORDER BY a.id"
    )
    inside = [row for row in there if row[1]]
    columns = [list(column) for column in zip(*(row[2:] for row in inside), strict=True)]
    meant = grouped(fields, columns, [field == "employees" for field in fields], count)
    assert [row[0] for row in inside] == [f"cluster-{place + 1}" for place in meant.placed]
    assert {row[0] for row in there if not row[1]} == {"not-clustered"}
    assert found["agreement"] == round(meant.agreement, 4) >= AGREED
    assert found["accounts"] == found["sampled"] == len(inside) < len(there) == 320
    assert [one["slug"] for one in found["clusters"]] == [f"cluster-{n + 1}" for n in range(count)]


async def test_as_many_are_told_on_one_field_as_were_asked_for(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, [(1_000 * 4**n, 50.0) for n in range(6)], 1.0)
    async with db.transaction() as tx:  # the most valuable are few
        await tx.execute(
            "UPDATE accounts SET arr_by_hand = arr_by_hand * 100 WHERE workspace_id = $1 AND id IN "
            "(SELECT id FROM accounts WHERE workspace_id = $1 AND arr_by_hand > 80000000 ORDER BY id LIMIT 4)",
            org.workspace.id,
        )
        await settle(tx, org.workspace, None, NOW)
    found = await suggested(org, fields=["arr"], count=7)
    assert (found["agreement"], [one["slug"] for one in found["clusters"]]) == (
        1.0,
        [f"cluster-{n}" for n in range(1, 8)],
    )
    assert [one["accounts"] for one in found["clusters"]] == [4, 46, 50, 50, 50, 50, 50]
    medians = [one["medians"]["arr"] for one in found["clusters"]]
    assert medians == sorted(medians, reverse=True)
    names = [one["name"] for one in found["clusters"]]
    assert names[0].startswith("ARR from ")
    assert names[-1].startswith("ARR below ")
    assert all(re.fullmatch(r"ARR [\d,]+ to [\d,]+", name) for name in names[1:-1])
    assert all(one["because"] is None for one in found["clusters"])


async def test_clusters_that_rules_do_not_tell_are_refused(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await organisation(db)
    await spread(org, 4)
    monkeypatch.setattr("app.services.clusters.AGREED", 0.999)
    with pytest.raises(Invalid, match=r"place 0\.9\d+ of the accounts as the clusters did, below 0\.999") as refused:
        await suggested(org, fields=["arr", "health", "employees"], count=4)
    assert refused.value.faults[0].pointer == "/count"


async def test_a_cluster_without_a_rule_says_where_its_accounts_stand(db: Database) -> None:
    org = await organisation(db)
    of = shown("arr", ACCOUNTS, org.workspace, pointer="/fields/0")
    boxes = (Box(0, {"arr": (-math.inf, 50.0)}), Box(1, {"arr": (50.0, math.inf)}))
    grouped_ = Grouped((0, 0, 1, 1, 2, 2, 2), ((-1.0,), (1.0,), (0.1,)), 1.0, 20, boxes, (0, 0, 1, 1, 1, 0, 1))
    columns = [[10.0, 12.0, 90.0, 94.0, 60.0, 40.0, 70.0]]
    told = clusters.document(read({"fields": ["arr"], "count": 3}), grouped_, [of], columns, 7)
    assert told["agreement"] == round(4 / 7, 4)
    assert [(one["slug"], one["name"], one["because"]) for one in told["clusters"]] == [
        ("cluster-1", "Low ARR", None), ("cluster-2", "High ARR", None),
        (None, "In the middle", "Thresholds on these fields do not tell it from the others: by the rules 2 of its 3 accounts stand in cluster-2, High ARR."),
    ]  # fmt: skip
    assert [one["slug"] for one in told["definition"]["segments"]] == ["cluster-1", "cluster-2"]
