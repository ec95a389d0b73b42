"""Backtests over imported contracts: what is scored, what is kept, and what is said of few."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from time import process_time
from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid
from app.persistence import demo
from app.persistence.database import Database
from app.services import backtests
from app.services.calls import first_id, new_id
from tests.services.organisations import NOW, Organisation, document, organisation

START = date(2024, 9, 1)


def terms(renewals: int, months: int, spread: float, seed: int = 3) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Accounts of 6 industries with one term each that ended in one of the months, and how: industries differ by `spread`."""
    drawn = random.Random(seed)
    for number in range(renewals):
        industry = number % 6
        chance = min(max(0.8 + spread * (industry - 2.5) / 2.5, 0.02), 0.98)
        end = START + timedelta(days=drawn.randrange(months * 30))
        renewed = drawn.random() < chance
        account, at = new_id(), first_id()
        yield (
            {"id": account, "name": f"A {number}", "industry": f"i{industry}", "arr": 0},
            {
                "id": at, "account_id": account, "arr": round(drawn.lognormvariate(11, 1)), "tcv": 0, "start_date": end - timedelta(days=365),
                "end_date": end, "status": "ended", "outcome": "renewed" if renewed else "churned",
                "decided_at": end + timedelta(days=drawn.randrange(-20, 20)), "auto_renew": False,
            },
        )  # fmt: skip


async def history(db: Database, renewals: int, months: int, spread: float) -> Organisation:
    """A workspace whose contracts were imported with their outcomes."""
    org = await organisation(db)
    for slug in range(6):
        await org.industry(f"i{slug}")
    made = list(terms(renewals, months, spread))
    csms = [org.user("csm"), org.user("other"), None]
    async with db.transaction() as tx:
        await demo.copy_rows(tx, org.workspace.id, "accounts", [
            {**account, "csm_id": csms[n % 3], "status": "customer"} for n, (account, _) in enumerate(made)
        ])  # fmt: skip
        await demo.copy_rows(tx, org.workspace.id, "contracts", [contract for _, contract in made])
        await demo.analyse(tx)
    return org


async def tried(org: Organisation, role: str = "manager", **told: str) -> Any:
    return document(await backtests.get(org.db, org.people[role], NOW, **told))


async def test_segments_that_differ_show_skill_and_are_computed_once(db: Database) -> None:
    org = await history(db, 500, 8, 0.25)
    found = await tried(org, lags="0,1")
    assert (found["renewals"], found["verdict"], found["in_charge"]) == (500, "skill shown", "segment")
    assert {(one["model"], one["lag"]) for one in found["scores"]} >= {
        (model, lag) for model in ("overall", "segment", "last_three_months") for lag in (0, 1)
    }
    for one in found["scores"]:
        assert sum(part["renewals"] for part in one["calibration"]) == one["renewals"]
    assert {(one["lag"], one["of"]) for one in found["coverage"]} == {
        (lag, of) for lag in (0, 1) for of in ("months", "books")
    }
    assert all(one["held"] >= 0.7 for one in found["coverage"])
    began = process_time()
    again = document(await backtests.get(db, org.people["admin"], NOW + timedelta(hours=1), lags="0,1"))
    assert again == found
    assert process_time() - began < 0.3
    await org.run("UPDATE contracts SET arr = arr + 1 WHERE workspace_id = $1")
    anew = document(await backtests.get(db, org.people["admin"], NOW + timedelta(hours=1), lags="0"))
    assert anew["computed_at"] > found["computed_at"]
    narrow = {"start": "2025-03-01", "end": "2025-05-01", "lags": "0"}
    within = await tried(org, **narrow)
    assert {one["months"] for one in within["scores"]} == {2}
    assert within["renewals"] == 500


async def test_segments_that_are_alike_show_no_skill(db: Database) -> None:
    found = await tried(await history(db, 400, 9, 0.0), lags="0")
    assert found["verdict"] == "no skill shown"
    assert "no skill shown" in found["words"]


async def test_without_a_history_it_says_so(db: Database) -> None:
    for renewals in (0, 1):
        org = await history(db, renewals, 1, 0.0) if renewals else await organisation(db)
        found = await tried(org)
        assert (found["renewals"], found["verdict"], found["lags"]) == (renewals, "no skill shown", [0, 1, 3])
        assert "Only 0 renewals in 0 months could be replayed" in found["because"]
        assert all(one["brier"] is None and one["calibration"] == [] for one in found["scores"])
        assert all(one["held"] is None for one in found["coverage"])


async def test_what_is_refused(db: Database) -> None:
    org = await organisation(db)
    for role in ("viewer", "csm"):
        with pytest.raises(Forbidden):
            await tried(org, role)
    for told in (
        {"lags": "a"}, {"lags": "0,0"}, {"lags": "13"}, {"lags": "0,1,2,3"}, {"lags": ""}, {"start": "2026"},
        {"start": "2026-03-02", "end": "2026-03-30"},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            await tried(org, **told)
