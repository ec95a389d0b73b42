"""Waterfalls: what moved, on kept forecasts and on none, adding up to the cent in total, by group and by account."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Forbidden, Invalid
from app.domain.roles import Principal
from app.persistence.database import Database
from app.services import accounts, forecasts, records, renewal_calls, waterfalls
from app.services.calls import Call
from app.services.waterfalls import Ask
from tests.servers import DEMO_NOW
from tests.services.organisations import NOW, Organisation, document, organisation
from tests.services.test_forecasts import principal_of

LATER = NOW + timedelta(days=20)
PERIOD = {"due_from": "2026-12-01", "due_to": "2027-12-01"}


async def term(
    org: Organisation, name: str, arr: int = 100, end: str = "2027-03-31", csm: str = "csm", now: datetime = NOW
) -> tuple[UUID, UUID]:
    made = await accounts.create(org.db, org.call(now=now), {"name": name, "csm_id": str(org.user(csm))})
    told = {"start_date": "2026-04-01", "end_date": end, "arr": arr}
    return made.id, (await records.create(org.db, org.call(now=now), "contracts", told, account=made.id)).id


async def fallen(org: Organisation, role: str = "manager", now: datetime = LATER, **told: Any) -> Any:
    return document(await waterfalls.get(org.db, org.people[role], now, Ask(**{**PERIOD, **told})))


async def changed(org: Organisation, contract: UUID, body: dict[str, Any]) -> None:
    await records.change(org.db, org.call(now=LATER), "contracts", "id", str(contract), body, 1)


def steps(told: Any) -> dict[str, Decimal]:
    return {step: money for step, money in told["steps"].items() if money}


def adds_up(told: Any) -> bool:
    return bool(told["opening"] + sum(told["steps"].values()) == told["closing"])


async def test_between_kept_forecasts_each_step_has_its_cause(db: Database) -> None:
    org = await organisation(db)
    made = {name: await term(org, name) for name in ("won", "lost", "more", "less", "away", "called", "gone", "same")}
    made["back"] = await term(org, "back", end="2028-03-31")
    body = {"from": "2026-12-01", "to": "2028-12-01"}
    opened = document((await forecasts.create(db, org.call(), body)).body)
    await changed(org, made["won"][1], {"outcome": "renewed", "decided_at": "2026-12-05"})
    await changed(org, made["lost"][1], {"outcome": "churned", "decided_at": "2026-12-05"})
    await changed(org, made["more"][1], {"arr": 150})
    await changed(org, made["less"][1], {"arr": 60})
    await changed(org, made["away"][1], {"end_date": "2028-01-31"})
    await changed(org, made["back"][1], {"end_date": "2027-05-31"})
    await records.delete(org.db, org.call(now=LATER), "contracts", "id", str(made["gone"][1]), 1)
    await term(org, "new", csm="other", now=LATER)
    call = Call(org.people["csm"], LATER)
    await renewal_calls.put(db, call, made["called"][0], {"category": "at_risk", "amount": 50}, None)
    await forecasts.create(db, Call(org.people["admin"], LATER), body)
    found = await fallen(org, start="2026-11-22", end="2026-12-12", group_by=("csm", "month"))
    assert (found["basis"], found["before"]["forecast_id"], found["after"]["calls"]) == ("kept", opened["id"], 1)
    assert adds_up(found)
    told = steps(found)
    assert set(told) >= {
        "entered",
        "moved_in",
        "left",
        "moved_out",
        "renewed",
        "churned",
        "amount_up",
        "amount_down",
        "called",
    }
    assert told["renewed"] > 0 > told["churned"]
    assert told["amount_up"] > 0 > told["amount_down"]
    assert told["moved_in"] > 0 > told["moved_out"]
    assert told["entered"] > 0 > told["left"]
    assert -100 < told["called"] < 0
    assert all(adds_up(group) for group in found["groups"])
    for name in ("opening", "closing", "renewals"):
        assert sum(group[name] for group in found["groups"]) == found[name]
    mine = await fallen(org, "csm", start="2026-11-22", end="2026-12-12")
    assert "entered" not in steps(mine)
    assert (mine["basis"], mine["renewals"]) == ("kept", found["renewals"] - 2)  # nor what is gone, which is nobody's


async def test_accounts_add_up_page_by_page(db: Database) -> None:
    org = await organisation(db)
    made = [await term(org, f"A {number}", 100 + number) for number in range(5)]
    await forecasts.create(db, org.call(), {"from": "2026-12-01", "to": "2027-12-01"})
    for _, contract in made[:3]:
        await changed(org, contract, {"outcome": "churned", "decided_at": "2026-12-05"})
    await forecasts.create(db, Call(org.people["admin"], LATER), {"from": "2026-12-01", "to": "2027-12-01"})
    ask = Ask("2026-11-22", "2026-12-12", PERIOD["due_from"], PERIOD["due_to"])
    whole = document(await waterfalls.get(db, org.people["admin"], LATER, ask))
    rows: list[Any] = []
    after, more = None, True
    while more:
        page, keys, more = await waterfalls.accounts(db, org.people["admin"], LATER, ask, after, 2)
        rows += page
        after = keys[-1]
    assert len({row["account_id"] for row in rows}) == whole["renewals"] == 5
    assert {row["name"] for row in rows[:3]} == {"A 0", "A 1", "A 2"}
    for name in ("opening", "closing"):
        assert sum(row[name] for row in rows) == whole[name]
    for step, money in whole["steps"].items():
        assert sum(row["steps"][step] for row in rows) == money


async def test_without_kept_forecasts_both_days_are_recomputed_and_it_says_so(db: Database) -> None:
    org = await organisation(db)
    won, lost = await term(org, "won"), await term(org, "lost")
    await changed(org, won[1], {"outcome": "renewed", "decided_at": "2026-12-05"})
    await changed(org, lost[1], {"outcome": "churned", "decided_at": "2026-12-06"})
    found = await fallen(org, start="2026-11-22", end="2026-12-12")
    assert (found["basis"], set(steps(found))) == ("recomputed", {"renewed", "churned"})
    assert "computed from today's records" in found["words"]
    assert adds_up(found)
    assert found["closing"] == 100
    none = await fallen(org, start="2026-11-22", end="2026-12-12", due_from="2030-01-01", due_to="2031-01-01")
    assert (none["renewals"], none["opening"], none["closing"]) == (0, 0, 0)


async def test_what_is_not_told_is_not_to_blame(db: Database) -> None:
    org = await organisation(db)
    for told, blamed in (
        ({"start": "2030-01-01"}, "from"), ({"start": "2026-12-01", "end": "2026-11-01"}, "to"),
        ({"due_from": "2027-01-01", "due_to": "2026-01-01"}, "due_to"), ({"group_by": ("wat",)}, "group_by"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await fallen(org, **told)
        assert [(one.pointer, one.parameter) for one in refused.value.faults] == [(None, blamed)]


async def test_a_filter_is_of_today_and_it_says_so(db: Database) -> None:
    org = await organisation(db)
    await term(org, "Mine")
    plain = await fallen(org, start="2026-11-23", end="2026-12-12")
    some = await fallen(org, start="2026-11-23", end="2026-12-12", filter="arr >= 1")
    assert (waterfalls.FILTERED in plain["words"], waterfalls.FILTERED in some["words"]) == (False, True)
    assert "Nothing moved." in plain["words"]


async def test_what_is_refused(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Forbidden):
        await fallen(org, "viewer")
    for told in (
        {"start": "soon"}, {"end": "2030-01-01"}, {"start": "2026-12-01", "end": "2026-11-01"}, {"basis": "guessed"},
        {"basis": "kept"}, {"group_by": ("csms",)}, {"filter": "nothing = 1"}, {"due_to": "2026-01-01"},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            await fallen(org, **told)


async def test_the_demo_adds_up_in_every_grouping(demo_db: Database) -> None:
    who: Principal = await principal_of(demo_db, "admin")
    start = (DEMO_NOW - timedelta(days=60)).date().isoformat()
    for groups in (("csm", "product"), ("lane", "segment.tier")):
        ask = Ask(start, DEMO_NOW.date().isoformat(), group_by=groups)
        found = document(await waterfalls.get(demo_db, who, DEMO_NOW, ask))
        assert adds_up(found)
        assert found["renewals"] > 100
        assert found["steps"]["renewed"] > 0 > found["steps"]["churned"]
        assert sum(group["closing"] for group in found["groups"]) == found["closing"]
        assert all(adds_up(group) for group in found["groups"])
