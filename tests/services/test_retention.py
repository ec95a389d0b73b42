"""Retention over the demo: figures and groups that add up, a CSM's own accounts, cohorts, months to come, what is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid, Unreadable
from app.domain.forecasting.outcomes import Term
from app.domain.forecasting.retention import NAMES
from app.domain.roles import Principal
from app.persistence.database import Database
from app.services import cohorts, outlook, retention
from app.services.calls import new_id
from app.services.retention import Wanted
from tests.servers import DEMO_NOW
from tests.services import terms
from tests.services.organisations import organisation
from tests.services.test_forecasts import principal_of


@pytest.fixture(scope="module")
async def admin(demo_db: Database) -> Principal:
    return await principal_of(demo_db, "admin")


async def read(db: Database, who: Principal, **told: Any) -> dict[str, Any]:
    return await retention.read(db, who, Wanted(**told), DEMO_NOW)


async def test_figures_have_their_own_denominators(demo_db: Database, admin: Principal) -> None:
    found = await read(demo_db, admin)
    of_start, of_due = ({str(found[name]["denominator"]) for name in names} for names in (NAMES[:3], NAMES[3:]))
    assert len(of_start) == len(of_due) == 1
    assert of_start != of_due
    for name in NAMES:
        below = found[name]["denominator"]["accounts" if name == "logo_churn" else "arr"]
        assert found[name]["value"] == pytest.approx(float(found[name]["numerator"] / below), abs=1e-6)
    assert found["grr"]["value"] < found["nrr"]["value"]
    assert found["without_contracts"]["accounts"] > 0


@pytest.mark.parametrize("by", ["segment.tier", "csm", "lane"])
async def test_groups_add_up_to_the_whole(demo_db: Database, admin: Principal, by: str) -> None:
    found = await read(demo_db, admin, group_by=by)
    assert len(found["groups"]) > 1
    for name in NAMES:
        assert sum(group[name]["numerator"] for group in found["groups"]) == found[name]["numerator"]
        assert sum(group[name]["denominator"]["arr"] for group in found["groups"]) == found[name]["denominator"]["arr"]


async def test_renewals_of_the_months_are_those_of_the_period(demo_db: Database, admin: Principal) -> None:
    found = await read(demo_db, admin, group_by="month")
    assert [group["from"] for group in found["groups"]][1:] == [group["to"] for group in found["groups"]][:-1]
    for name in NAMES[3:]:
        assert sum(group[name]["numerator"] for group in found["groups"]) == found[name]["numerator"]


@pytest.mark.parametrize("figure", NAMES)
async def test_accounts_add_up_to_the_figure(demo_db: Database, admin: Principal, figure: str) -> None:
    whole, after = await read(demo_db, admin), None
    rows: list[dict[str, Any]] = []
    while True:
        page = await retention.accounts(demo_db, admin, Wanted(), figure, "contribution", after, 1_000, DEMO_NOW)
        rows, after = [*rows, *page.data], page.following
        if after is None:
            break
    assert sum(row["contribution"] for row in rows) == whole[figure]["numerator"]
    assert {row["contribution"] for row in rows if not row["in_cohort"]} <= {0, Decimal(0)}


async def test_a_csm_sees_the_own_accounts_alone(demo_db: Database, admin: Principal) -> None:
    csm = await principal_of(demo_db, "csm")
    mine = await read(demo_db, csm)
    told = await read(demo_db, admin, filter=f'csm = "{csm.user_id}"')
    assert mine["scope"]["words"].startswith("The CSM's own accounts")
    assert [mine[name]["numerator"] for name in NAMES] == [told[name]["numerator"] for name in NAMES]
    object.__setattr__(csm, "role", "viewer")
    with pytest.raises(Forbidden):
        await read(demo_db, csm)


async def test_cohorts_go_on_beyond_what_was_seen(demo_db: Database, admin: Principal) -> None:
    found = await cohorts.read(demo_db, admin, Wanted(), "year", None, DEMO_NOW)
    assert (found["term"], found["all"]["logos"]["model"], found["all"]["logos"]["terms"]) == ("year", "sBG", 3)
    found = await cohorts.read(demo_db, admin, Wanted(), "year", "quarter", DEMO_NOW)
    assert (found["term"], found["all"]["logos"]["model"]) == ("quarter", "BdW")
    assert sum(one["accounts"] for one in found["cohorts"]) == found["all"]["accounts"]
    assert sum(one["arr"] for one in found["cohorts"]) == found["all"]["arr"]
    for one in (found["all"], *found["cohorts"]):
        for kind in ("logos", "money"):
            rates = [age["rate"] for age in one[kind]["expected"]]
            assert rates == sorted(rates, reverse=True)
            assert len(rates) == len(one[kind]["observed"]) + 5
    assert "<svg" in await cohorts.chart(demo_db, admin, Wanted(), "year", None, DEMO_NOW)


async def test_months_to_come_say_how_good_they_are(demo_db: Database, admin: Principal) -> None:
    found = await outlook.read(demo_db, admin, Wanted(), 3, DEMO_NOW)
    for kind in ("grr", "nrr"):
        assert [month["month"] for month in found[kind]["months"]] == ["2026-11", "2026-12", "2027-01"]
        assert all(month["low"] <= month["value"] <= month["high"] for month in found[kind]["months"])
        assert found[kind]["tested"]["error"] < found[kind]["tested"]["last_three_months_error"]


async def test_nobody_is_an_honest_nothing(demo_db: Database, admin: Principal) -> None:
    nobody = Wanted(filter='name = "nobody is called so"')
    found = await retention.read(demo_db, admin, nobody, DEMO_NOW)
    assert {found[name]["value"] for name in NAMES} == {None}
    ahead = await outlook.read(demo_db, admin, nobody, 1, DEMO_NOW)
    assert (ahead["nrr"]["months"][0]["value"], ahead["nrr"]["tested"]["error"]) == (None, None)
    assert "6 are needed" in ahead["nrr"]["tested"]["verdict"]
    assert "says nothing" in (await cohorts.read(demo_db, admin, nobody, None, None, DEMO_NOW))["words"]
    assert "<svg" in await cohorts.chart(demo_db, admin, nobody, None, None, DEMO_NOW)


@pytest.mark.parametrize(
    ("told", "parameter", "suggestion"),
    [
        ({"product": "enterprize"}, "product", "enterprise"), ({"group_by": "segment.teir"}, "group_by", "segment.tier"),
        ({"filter": "arrr > 5"}, "filter", "arr"), ({"archived": "some"}, "archived", None), ({"start": "soon"}, "from", None),
    ],
)  # fmt: skip
async def test_what_means_nothing_is_named(
    demo_db: Database, admin: Principal, told: dict[str, str], parameter: str, suggestion: str | None
) -> None:
    with pytest.raises((Invalid, Unreadable)) as refused:
        await read(demo_db, admin, **told)
    fault = refused.value.faults[0]
    assert fault.parameter == parameter
    assert suggestion is None or fault.suggestion == suggestion


async def test_a_figure_an_order_and_a_unit_are_named_too(demo_db: Database, admin: Principal) -> None:
    for figure, sort, parameter in (("nr", None, "figure"), (None, "-name", "sort")):
        with pytest.raises(Invalid) as refused:
            await retention.accounts(demo_db, admin, Wanted(), figure, sort, None, 1, DEMO_NOW)
        assert refused.value.faults[0].parameter == parameter
    with pytest.raises(Invalid) as refused:
        await cohorts.read(demo_db, admin, Wanted(), "yaer", None, DEMO_NOW)
    assert refused.value.faults[0].suggestion == "year"


async def test_contracts_worth_nothing_are_not_called_none(db: Database) -> None:
    org = await organisation(db)
    ids = await terms.accounts(org, ["free"])
    day = DEMO_NOW.date()
    await terms.contracts(org, [Term(str(new_id()), "free", "", 0, day, None, day)], ids)
    found = await cohorts.read(db, org.people["admin"], Wanted(), None, None, DEMO_NOW)
    assert found["words"].startswith("No account in scope has had a contract with ARR above zero")


async def test_one_term_and_none_are_said_in_words(demo_db: Database, admin: Principal) -> None:
    found = await cohorts.read(demo_db, admin, Wanted(), "year", "year", DEMO_NOW)
    assert "A cohort is the accounts" in found["words"]
    org = await organisation(demo_db)
    ids = await terms.accounts(org, ["young", "old"])
    day = DEMO_NOW.date()
    for name, days, words in (
        ("young", 100, "No account has been seen for a whole year yet"),
        ("old", 500, "fitted on 1 year. No account was lost"),
    ):
        since = day - timedelta(days)
        await terms.contracts(org, [Term(str(new_id()), name, "", 5, since, None, since)], ids)
        told = (await cohorts.read(demo_db, org.people["admin"], Wanted(), None, None, DEMO_NOW))["words"]
        assert words in told
