"""Analysis through its use case: what the database folds is what the accounts have, and every figure has its accounts."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from random import Random
from statistics import fmean, quantiles
from typing import Any

import pytest
from scipy import stats

from app.domain.errors import Invalid, NotFound
from app.persistence.database import Database
from app.services import analysis, segmentations
from app.services.calls import new_id
from app.services.settle import settle
from tests.services.organisations import NOW, Organisation, organisation

DAY = timedelta(days=1)
SIZE: dict[str, Any] = {
    "name": "Size", "kind": "rules", "rest": "small",
    "segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 1000"}, {"slug": "none", "name": "None", "criteria": "arr < 0"}],
}  # fmt: skip


async def peopled(org: Organisation, seed: int = 1) -> dict[str, dict[str, list[float]]]:
    """Sixty accounts with tickets, contracts and usage; what each segment then has of some measures."""
    drawn = Random(seed)
    have: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    async with org.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO features (workspace_id, id, name, slug, is_key, no, created_at, updated_at) "
            "VALUES ($1, $2, 'Search', 'search', true, 1, $3, $3), ($1, $4, 'Export', 'export', false, 2, $3, $3)",
            org.workspace.id, new_id(), NOW, new_id(),
        )  # fmt: skip
        for n in range(60):
            account, arr, was, health = (
                new_id(),
                drawn.choice((200, 900, 1000, 5000)),
                drawn.choice((100, 900)),
                drawn.randint(1, 99),
            )
            of = have["big" if arr >= 1000 else "small"]
            await tx.execute(
                "INSERT INTO accounts (workspace_id, id, name, health, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
                org.workspace.id, account, f"A{n}", health if n % 3 else None, NOW,
            )  # fmt: skip
            for value, start, end in ((was, NOW - 800 * DAY, NOW - 300 * DAY), (arr, NOW - 299 * DAY, None)):
                await tx.execute(
                    "INSERT INTO contracts (workspace_id, id, account_id, arr, start_date, end_date, created_at, updated_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
                    org.workspace.id, new_id(), account, value * 100, start.date(), end.date() if end else None, NOW,
                )  # fmt: skip
            opened = [drawn.randint(1, 180) for _ in range(drawn.randint(0, 4))]
            for age in opened:
                await tx.execute(
                    "INSERT INTO tickets (workspace_id, id, account_id, status, priority, opened_at, escalated, created_at, updated_at) "
                    "VALUES ($1, $2, $3, 'closed', 'low', $4, $5, $6, $6)",
                    org.workspace.id, new_id(), account, NOW - age * DAY, age < 20, NOW,
                )  # fmt: skip
            of["arr"].append(arr)
            of["expansion"].append(arr - was)
            of["tickets"].append(sum(age < 90 for age in opened))
            of["escalated"].append(float(any(age < 20 for age in opened)))
            if n % 3:
                of["health"].append(health)
        await settle(tx, org.workspace, None, NOW)
    await segmentations.put(org.db, org.call(), "size", SIZE, None)
    return have


async def test_what_is_told_is_what_accounts_have(db: Database) -> None:
    org = await organisation(db)
    have = await peopled(org)
    found = await analysis.analysis(db, org.people["viewer"], "size", NOW)
    assert (found["accounts"], found["sampled"], found["features"]) == (60, 60, 2)
    assert [one["slug"] for one in found["segments"]] == ["big", "none", "small"]
    measures = {one["name"]: one for one in found["measures"]}
    assert set(measures) >= {"usage_days", "nps", "adoption.search", "intensity.search", "adoption.export"}
    for name in ("arr", "expansion", "tickets", "health"):
        groups = [have[segment][name] for segment in ("big", "small")]
        meant = stats.kruskal(*groups)
        of = measures[name]
        assert of["effect"]["value"] == pytest.approx(meant.statistic / (sum(map(len, groups)) - 1), abs=1e-4), name
        assert of["effect"]["p"] == pytest.approx(meant.pvalue, rel=0.01), name
        for stand, group in zip((of["segments"][0], of["segments"][1]), groups, strict=True):
            q1, median, q3 = quantiles(group, n=4, method="inclusive")
            assert stand["known"] == len(group), name
            told = [float(stand[one]) for one in ("mean", "q1", "median", "q3")]
            assert told == pytest.approx([fmean(group), q1, median, q3], abs=0.01), name
    escalated = {one["slug"]: one["share"] for one in measures["escalated"]["segments"]}
    assert escalated == {
        segment: pytest.approx(fmean(have[segment]["escalated"]), abs=1e-4) for segment in ("big", "small")
    }
    assert [one["name"] for one in found["measures"] if one["defining"]] == ["arr"]
    assert isinstance(measures["arr"]["segments"][0]["median"], Decimal)
    assert measures["nps"]["effect"] is None
    assert "Fewer than two segments" in measures["nps"]["because"]


async def test_windows_end_at_the_moment_that_is_told(db: Database) -> None:
    org = await organisation(db)
    await peopled(org)
    earlier = await analysis.analysis(db, org.people["viewer"], "size", NOW, (NOW - 90 * DAY).date().isoformat())
    now = await analysis.analysis(db, org.people["viewer"], "size", NOW)
    tickets, before = ({one["name"]: one for one in found["measures"]}["tickets"] for found in (now, earlier))
    assert tickets["segments"] != before["segments"]
    with pytest.raises(Invalid):
        await analysis.analysis(db, org.people["viewer"], "size", NOW, "yesterday")


async def test_nobody_is_no_difference(db: Database) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "size", SIZE, None)
    found = await analysis.analysis(db, org.people["viewer"], "size", NOW)
    assert (found["accounts"], found["tried"]) == (0, 0)
    assert all(one["effect"] is None and one["because"] for one in found["measures"])
    with pytest.raises(NotFound):
        await analysis.analysis(db, org.people["viewer"], "other", NOW)


async def test_of_many_accounts_a_sample_is_measured(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await organisation(db)
    await peopled(org)
    monkeypatch.setattr("app.persistence.analysis.SAMPLE", 30)
    found = await analysis.analysis(db, org.people["viewer"], "size", NOW)
    assert found["accounts"] == 60
    assert 10 <= found["sampled"] <= 50
    assert (await analysis.analysis(db, org.people["viewer"], "size", NOW))["measures"] == found["measures"]


async def mixed(org: Organisation) -> list[tuple[str, str, float]]:
    """Ninety accounts, a third of which are customers: each with its segment, its status and its health."""
    drawn, found = Random(3), []
    async with org.db.transaction() as tx:
        for n in range(90):
            account, status = new_id(), ("customer", "prospect", "churned")[n % 3]
            arr = drawn.choice((500, 5_000)) if status == "customer" else 0
            health = drawn.gauss(60 if arr > 1_000 else 55 if arr else 20, 8)
            await tx.execute(
                "INSERT INTO accounts (workspace_id, id, name, health, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
                org.workspace.id, account, f"M{n}", health, NOW,
            )  # fmt: skip
            if status != "prospect":
                end = (NOW - 30 * DAY).date() if status == "churned" else None
                await tx.execute(
                    "INSERT INTO contracts (workspace_id, id, account_id, arr, start_date, end_date, created_at, updated_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
                    org.workspace.id, new_id(), account, arr * 100 or 70_000, (NOW - 500 * DAY).date(), end, NOW,
                )  # fmt: skip
            found.append(("big" if arr >= 1_000 else "small", status, health))
        await settle(tx, org.workspace, None, NOW)
    await segmentations.put(org.db, org.call(), "size", SIZE, None)
    return found


@pytest.mark.parametrize(
    ("filter", "statuses"),
    [
        (None, {"customer"}),
        ("ALL", {"customer", "prospect", "churned"}),
        ('status != "prospect"', {"customer", "churned"}),
    ],
)
async def test_customers_are_counted_unless_told_otherwise(
    db: Database, filter: str | None, statuses: set[str]
) -> None:
    org = await organisation(db)
    there = await mixed(org)
    found = await analysis.analysis(db, org.people["viewer"], "size", NOW, None, filter)
    groups = {
        segment: [health for of, status, health in there if of == segment and status in statuses]
        for segment in ("big", "small")
    }
    meant = stats.kruskal(*groups.values())
    n = sum(map(len, groups.values()))
    health = next(one for one in found["measures"] if one["name"] == "health")
    assert health["effect"]["value"] == pytest.approx(meant.statistic / (n - 1), abs=1e-4)
    assert health["effect"]["p"] == pytest.approx(meant.pvalue, rel=0.01)
    assert [(one["n"], one["known"]) for one in health["segments"]] == [(len(group),) * 2 for group in groups.values()]
    assert (found["accounts"], found["left_out"], found["sampled"]) == (n, 90 - n, n)
    assert {one["slug"]: (one["accounts"], one["left_out"]) for one in found["segments"] if one["slug"] != "none"} == {
        segment: (len(group), sum(of == segment for of, _, _ in there) - len(group))
        for segment, group in groups.items()
    }
    assert found["filter"] == (filter or 'status = "customer"')
    said = {
        None: "Customers are counted, and 60 other accounts are left out; filter=ALL counts everybody.",
        "ALL": "Every account is counted, prospects and churned ones too; archived ones are not.",
    }
    others = (
        "Accounts that meet the filter are counted, and 30 other accounts are left out; filter=ALL counts everybody."
    )
    assert found["counted"] == said.get(filter, others)


async def test_where_nobody_is_a_customer_it_says_so(db: Database) -> None:
    org = await organisation(db)
    await org.run(
        "INSERT INTO accounts (workspace_id, id, name, created_at, updated_at) VALUES ($1, $2, 'P', $3, $3)",
        new_id(),
        NOW,
    )
    async with db.transaction() as tx:
        await settle(tx, org.workspace, None, NOW)
    await segmentations.put(db, org.call(), "size", SIZE, None)
    found = await analysis.analysis(db, org.people["viewer"], "size", NOW)
    assert found["counted"] == (
        "Customers are counted, but no account is a customer: 1 other account is left out; filter=ALL counts everybody."
    )
    with pytest.raises(Invalid) as refused:
        await analysis.analysis(db, org.people["viewer"], "size", NOW, None, "healt > 3")
    assert refused.value.faults[0].parameter == "filter"
