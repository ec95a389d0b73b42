"""Forecasts from a history of one's own: what was known then, and few data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from app.domain.forecasting.outcomes import Term
from app.persistence.database import Database
from app.services import forecasts
from app.services.calls import new_id
from tests.services import terms as made
from tests.services.organisations import NOW, Organisation, document, organisation

TODAY = NOW.date()
TICKETS = """
INSERT INTO tickets (workspace_id, id, account_id, status, priority, opened_at, escalated, created_at, updated_at)
SELECT $1, t.id, t.account_id, 'open', 'high', t.opened_at, false, $5, $5
FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) t(id, account_id, opened_at)
"""


def term(account: str, start: date, days: int = 365, arr: int = 100_00) -> Term:
    return Term(str(new_id()), account, "core", arr, start, start + timedelta(days=days - 1), start)


def lives(rng: Random, count: int) -> list[Term]:
    """Accounts whose first year ended within the last 20 months, of which seven in ten went on; all of these are due in a
    month."""
    found = []
    for n in range(count):
        start = TODAY - timedelta(days=365 + 70 + rng.randrange(600))
        found.append(term(f"account {n}", start))
        if rng.random() < 0.7:
            again = start + timedelta(days=365)
            found.append(term(f"account {n}", again, (TODAY - again).days + 31))
    return found


async def asked(org: Organisation, **body: object) -> dict[str, Any]:
    told: dict[str, Any] = document(
        await forecasts.preview(org.db, org.as_("admin"), NOW, {"to": "2029-01-01", **body})
    )
    return told


async def planted(db: Database, when: Literal["before", "after"]) -> dict[str, Any]:
    """A history in which a ticket was opened for whoever churned: long before it was due, or once that was known."""
    org, rng = await organisation(db), Random(8)
    terms = lives(rng, 300)
    ids = await made.accounts(org, sorted({one.account for one in terms}))
    await made.contracts(org, terms, ids)
    last = {one.account: one for one in terms}
    churned = [one for one in last.values() if one.end and one.end < TODAY]
    days = [one.end + timedelta(days=-70 if when == "before" else 2) for one in churned if one.end]
    opened = [datetime.combine(day, time(9), tzinfo=ZoneInfo("UTC")) for day in days]
    await org.run(TICKETS, [new_id() for _ in churned], [ids[one.account] for one in churned], opened, NOW)
    return await asked(org)


async def test_a_column_that_was_known_only_afterwards_is_not_used(db: Database) -> None:
    leaking, honest = await planted(db, "after"), await planted(db, "before")
    assert (leaking["model"], leaking["challenger"]["verdict"]) == ("segment", "no skill shown")
    assert "did not predict better" in leaking["challenger"]["because"]
    assert (honest["model"], honest["skill"]["verdict"]) == ("logistic", "skill shown")
    assert honest["skill"]["brier_skill"] > 0.5


CHURNED, RENEWED = 0, 1
HISTORIES: dict[str, list[int]] = {
    "none": [], "one": [RENEWED], "one lost": [CHURNED], "all renewed": [RENEWED] * 60, "all churned": [CHURNED] * 60,
    "mixed": [RENEWED, CHURNED] * 30,
}  # fmt: skip


@pytest.mark.parametrize("arr", [0, 100_00, 100_000_000_000])
@pytest.mark.parametrize("history", list(HISTORIES))
async def test_few_data_are_answered_honestly(db: Database, history: str, arr: int) -> None:
    org = await organisation(db)
    terms = []
    for n, went_on in enumerate(HISTORIES[history]):
        start = TODAY - timedelta(days=365 + 90 + n * 4)
        terms.append(term(f"account {n}", start, arr=arr))
        if went_on:
            terms.append(term(f"account {n}", start + timedelta(days=365), arr=arr))
    terms.append(replace(term("due", TODAY - timedelta(days=300)), arr=arr))
    ids = await made.accounts(org, sorted({one.account for one in terms}))
    await made.contracts(org, terms, ids)
    told = await asked(org, group_by=["month", "lane"], target=1)
    still_due = 1 + (sum(HISTORIES[history]))
    assert told["due"] == {"renewals": still_due, "accounts": still_due, "arr": still_due * arr // 100}
    assert (told["model"], told["skill"]["verdict"]) == ("segment", "no skill shown")
    assert told["skill"]["because"].endswith((".", "apart."))
    for one in (told, *told["groups"]):
        assert 0 <= one["p05"] <= one["p50"] <= one["p95"] <= one["due"]["arr"]
        assert 0 <= one["expected"] <= one["net"]["expected"] + 1
    assert sum(one["expected"] for one in told["groups"]) == told["expected"]
    if arr and history in ("none", "one lost"):
        assert told["p05"] == 0  # the only one may be lost, or come
        assert told["p95"] == told["due"]["arr"]


async def test_an_account_without_contracts_is_due_on_its_own_date(db: Database) -> None:
    org = await organisation(db)
    days = [TODAY + timedelta(days=30), TODAY + timedelta(days=40)]
    await made.accounts(org, ["one", "two"], arr=[0, 500_00], renewal_date=days)
    told = await asked(org)
    assert told["due"] == {"renewals": 2, "accounts": 2, "arr": 500}
    assert told["p05"] == 0 < told["expected"] < told["p95"] == 500


async def test_what_is_carried_on_is_due_no_more(db: Database) -> None:
    """A renewal that is signed before its day, or late, is not forecast from then on; one of two products is."""
    org = await organisation(db)
    early, late, half = (
        term(name, TODAY - timedelta(days=back), 365) for name, back in (("e", 350), ("l", 380), ("h", 350))
    )
    other = replace(half, id=str(new_id()), product="plus")
    on = [
        term("e", TODAY - timedelta(days=10), 400),
        term("l", TODAY - timedelta(days=5), 400),
        term("h", TODAY - timedelta(days=10), 400),
    ]
    ids = await made.accounts(org, ["e", "h", "l"])
    await made.contracts(org, [early, late, half, other, *on], ids)
    due = {"from": str(TODAY - timedelta(days=60)), "to": str(TODAY + timedelta(days=60))}
    told = await asked(org, **due, group_by=["product"])
    assert [(one["key"]["product"], one["due"]["renewals"]) for one in told["groups"]] == [("plus", 1)]
