"""Clusters suggested from accounts: rules that can be put, and refusals that say what to do."""

from __future__ import annotations

import asyncio
import re
import sys
from functools import partial
from random import Random
from threading import Event
from typing import Any

import pytest

from app.domain.errors import Busy, Forbidden, Invalid
from app.domain.segmentation.clusters import BOOTSTRAPS
from app.persistence.database import Database
from app.services import clusters, segmentations
from app.services.aside import apart, aside
from app.services.calls import new_id
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
        ({"where": "arrr > 1"}, "/where"), ({"count": 9}, "/count"), ({"kind": "bands"}, "/kind"),
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
    with pytest.raises(Invalid, match="strata\\[clusters\\]"):
        await suggested(org, count=2)
