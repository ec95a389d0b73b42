"""Forecasts as pictures: the months of a kept one with what happened since, the past's chances, what moved one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound
from app.persistence.database import Database
from app.services import accounts, forecast_charts, forecasts, records, waterfalls
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, document, organisation

MADE = NOW - timedelta(days=200)


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Two contracts that end in July, one renewed and one churned, and one that ends in December."""
    made = await organisation(db)
    early = MADE - timedelta(days=300)
    for name, end, arr, outcome in (
        ("Kept", date(2026, 7, 31), 100, "renewed"), ("Lost", date(2026, 7, 15), 60, "churned"), ("Open", date(2026, 12, 31), 40, None),
    ):  # fmt: skip
        written = await accounts.create(db, made.call("admin", now=early), {"name": name})
        body: dict[str, Any] = {
            "account": str(document(written.body)["id"]), "arr": arr, "start_date": "2025-08-01", "end_date": end.isoformat(),
        }  # fmt: skip
        if outcome is not None:
            body |= {"outcome": outcome, "decided_at": end.isoformat()}
        await records.create(db, made.call("admin", now=early), "contracts", body)
    return made


async def kept(org: Organisation, **told: Any) -> Any:
    body = {"from": "2026-07-01", "to": "2027-01-01", **told}
    written = await forecasts.create(org.db, org.call("manager", now=MADE), body)
    return written.id


def words(drawn: str) -> tuple[list[str], str]:
    root = ElementTree.fromstring(drawn)
    found = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    return found, root.findtext("{http://www.w3.org/2000/svg}desc") or ""


async def test_a_forecast_by_month_says_what_was_kept_since(org: Organisation) -> None:
    by_month = await kept(org, group_by=["month"])
    texts, told = words(await forecast_charts.months(org.db, org.as_("manager"), by_month, NOW))
    assert texts[0] == "Renewals due 1 Jul 2026 to 31 Dec 2026"
    months = [part for part in told.split("; ") if "2026: " in part]
    july, august, *_, december = months
    assert [part.partition(" 2026")[0][-3:] for part in months] == ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    assert ("due $0" in august, "p95 $0" in august, "actual" in august) == (True, True, False)
    assert ("due $160" in july, "actual $100" in july, "p05" in july) == (True, True, True)
    assert ("due $40" in december, "actual" in december) == (True, False)
    at_once = await kept(org)
    texts, told = words(await forecast_charts.months(org.db, org.as_("manager"), at_once, NOW))
    assert forecast_charts.RANGES in " ".join(texts)
    assert "p05" not in told


async def test_a_period_that_had_begun_says_since_when_it_is_open(org: Organisation) -> None:
    """What was decided before the day of the forecast is not in it, and a month without renewals has its place."""
    written = await forecasts.create(
        org.db, org.call("manager"), {"from": "2026-07-01", "to": "2027-01-01", "group_by": ["month"]}
    )
    texts, _ = words(await forecast_charts.months(org.db, org.as_("manager"), written.id, NOW))
    assert f"Of what was due before {NOW.day} {NOW:%b %Y} only what was open then is in it." in " ".join(texts)


async def test_who_may_not_read_a_forecast_may_not_look_at_it(org: Organisation) -> None:
    forecast_id = await kept(org)
    for role, error in (("csm", NotFound), ("viewer", Forbidden)):
        with pytest.raises(error):
            await forecast_charts.months(org.db, org.as_(role), forecast_id, NOW)
    with pytest.raises(NotFound):
        await forecast_charts.months(org.db, org.as_("manager"), new_id(), NOW)


async def test_chances_are_drawn_where_there_is_a_past_and_refused_by_name(org: Organisation) -> None:
    drawn = await forecast_charts.backtest(org.db, org.as_("manager"), NOW, None, None, None, None)
    assert "no skill shown" in words(drawn)[1]
    with pytest.raises(Invalid) as caught:
        await forecast_charts.backtest(org.db, org.as_("manager"), NOW, None, None, None, "crystal")
    assert [fault.parameter for fault in caught.value.faults] == ["model"]


async def test_what_moved_adds_up_in_words(org: Organisation) -> None:
    ask = waterfalls.Ask("2026-06-01", "2026-09-01", "2026-06-01", "2027-06-01")
    texts, _ = words(await forecast_charts.moved(org.db, org.as_("manager"), NOW, ask))
    assert {"On 1 Jun 2026", "On 1 Sep 2026", "Closed: churned"} <= set(texts)
