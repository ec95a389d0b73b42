"""Forecasts over the demo: what is due, group by group, for whom, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.domain.errors import Forbidden, Invalid, NotFound
from app.domain.roles import Principal
from app.persistence.database import Database
from app.services import accounts, demo, forecasts, keys, records
from app.services.calls import Call
from tests.servers import DEMO_NOW
from tests.services.organisations import NOW, document, organisation

DECODER = msgspec.json.Decoder(float_hook=Decimal)
PERIOD = {"from": "2026-12-01", "to": "2027-03-01"}


async def principal_of(db: Database, role: Any) -> Principal:
    admin = await demo.ensure(db, None, DEMO_NOW, lambda _step, _share: None)
    assert admin is not None
    chief = await keys.authenticate(db, admin, DEMO_NOW)
    if role == "admin":
        return chief
    user = await db.fetchval("SELECT id FROM users WHERE role = $1 ORDER BY email LIMIT 1", role)
    _, token = await keys.create_key(db, chief.workspace.id, role, role, user, (), DEMO_NOW)
    return await keys.authenticate(db, token, DEMO_NOW)


@pytest.fixture(scope="module")
async def admin(demo_db: Database) -> Principal:
    return await principal_of(demo_db, "admin")


async def made(db: Database, who: Principal, body: Mapping[str, object]) -> dict[str, Any]:
    written = await forecasts.create(db, Call(who, DEMO_NOW), body)
    answer: dict[str, Any] = DECODER.decode(written.body)
    return answer


async def due_rows(db: Database) -> list[Any]:
    """The same renewals, found by plain rows."""
    rows = await db.fetch("SELECT c.*, a.csm_id, a.archived_at FROM contracts c JOIN accounts a ON a.id = c.account_id")
    first, last = (date.fromisoformat(PERIOD[k]) for k in ("from", "to"))
    today = DEMO_NOW.date()
    return [
        r for r in rows
        if r["end_date"] and first <= r["end_date"] < last and r["start_date"] <= today
        and (r["outcome"] is None or (r["decided_at"] or r["end_date"]) >= today)
    ]  # fmt: skip


async def test_what_is_due_is_what_the_contracts_say(demo_db: Database, admin: Principal) -> None:
    answer = await made(demo_db, admin, {**PERIOD, "group_by": ["month"]})
    rows = await due_rows(demo_db)
    assert len(rows) > 100
    assert answer["due"] == {
        "renewals": len(rows), "accounts": len({r["account_id"] for r in rows}), "arr": Decimal(sum(r["arr"] for r in rows)) / 100,
    }  # fmt: skip
    by_month: dict[str, int] = {}
    for row in rows:
        by_month[f"{row['end_date']:%Y-%m}"] = by_month.get(f"{row['end_date']:%Y-%m}", 0) + row["arr"]
    assert {g["key"]["month"]: g["due"]["arr"] * 100 for g in answer["groups"]} == by_month


async def test_groups_add_up_to_the_total_to_the_cent(demo_db: Database, admin: Principal) -> None:
    for group_by in (["month"], ["segment.tier"], ["csm", "quarter"], ["lane", "product"]):
        answer = await made(demo_db, admin, {**PERIOD, "group_by": group_by})
        assert sum(g["expected"] for g in answer["groups"]) == answer["expected"]
        assert sum(g["due"]["arr"] for g in answer["groups"]) == answer["due"]["arr"]
        assert sum(g["expected_renewals"] for g in answer["groups"]) == answer["expected_renewals"]
        for part in (answer, *answer["groups"]):
            assert 0 <= part["p05"] <= part["p50"] <= part["p95"] <= part["due"]["arr"]


async def test_the_target_has_a_probability(demo_db: Database, admin: Principal) -> None:
    sure = await made(demo_db, admin, {**PERIOD, "target": 0})
    never = await made(demo_db, admin, {**PERIOD, "target": 10**9})
    middle = await made(demo_db, admin, {**PERIOD, "target": round(float(sure["p50"]))})
    assert (sure["target_probability"], never["target_probability"]) == (1, 0)
    assert 0.4 < middle["target_probability"] < 0.6


async def test_where_narrows_it(demo_db: Database, admin: Principal) -> None:
    whole = await made(demo_db, admin, {**PERIOD, "group_by": ["product"]})
    part = await made(demo_db, admin, {**PERIOD, "where": 'segment.tier = "high"'})
    assert 0 < part["due"]["renewals"] < whole["due"]["renewals"]


async def test_a_csm_sees_the_own_book_alone(demo_db: Database, admin: Principal) -> None:
    csm = await principal_of(demo_db, "csm")
    answer = await made(demo_db, csm, {**PERIOD, "group_by": ["csm"]})
    mine = [r for r in await due_rows(demo_db) if r["csm_id"] == csm.user_id]
    assert [g["key"]["csm"] for g in answer["groups"]] == [str(csm.user_id)]
    assert answer["due"]["renewals"] == len(mine) > 0
    others = await made(demo_db, admin, PERIOD)
    assert DECODER.decode(await forecasts.get(demo_db, csm, UUID(answer["id"])))["id"] == answer["id"]
    with pytest.raises(NotFound):
        await forecasts.get(demo_db, csm, UUID(others["id"]))


async def test_a_viewer_may_not(demo_db: Database) -> None:
    viewer = await principal_of(demo_db, "csm")
    object.__setattr__(viewer, "role", "viewer")
    with pytest.raises(Forbidden):
        await forecasts.create(demo_db, Call(viewer, DEMO_NOW), PERIOD)


async def test_nothing_due_is_an_honest_nothing(demo_db: Database, admin: Principal) -> None:
    answer = await made(demo_db, admin, {**PERIOD, "where": 'name = "nobody is called so"', "group_by": ["month"]})
    assert (answer["due"], answer["expected"], answer["groups"]) == ({"renewals": 0, "accounts": 0, "arr": 0}, 0, [])
    assert (answer["p05"], answer["p95"]) == (0, 0)


async def test_what_nothing_dates_is_said(db: Database) -> None:
    """Contracts without an end, and accounts with neither contracts nor a date, are counted beside what is due."""
    org = await organisation(db)
    for name, told in (("Open", {"arr": 100}), ("Over", {"arr": 50, "end_date": "2026-12-31"}), ("Later", {"arr": 7, "start_date": "2027-01-01"})):  # fmt: skip
        account = (await accounts.create(org.db, org.call(), {"name": name})).id
        await records.create(
            org.db, org.call(), "contracts", {"start_date": "2026-01-01", **told}, account=account
        )  # fmt: skip
    await accounts.create(org.db, org.call(), {"name": "Bare", "arr": 30})
    answer = DECODER.decode(await forecasts.preview(db, org.as_("manager"), NOW, {}))
    told = answer["without_date"]
    assert (told["contracts"], told["accounts"], told["arr"]) == (1, 2, 130)
    assert answer["due"] == {"renewals": 1, "accounts": 1, "arr": 50}
    some = DECODER.decode(await forecasts.preview(db, org.as_("manager"), NOW, {"where": 'name = "Bare"'}))
    assert some["without_date"]["arr"] == 30


async def test_what_is_overdue_is_said_and_how_to_include_it(db: Database) -> None:
    """What was due before and is open is beside the forecast, until the period begins with it; two of one account are two."""
    org = await organisation(db)
    late, alone = [(await accounts.create(org.db, org.call(), {"name": name})).id for name in ("Late", "Alone")]
    since = {day: (NOW - timedelta(days=day)).date().isoformat() for day in (400, 30, 20, 5, -30)}
    terms = [
        (late, {"arr": 100, "start_date": since[400], "end_date": since[30]}),
        (late, {"arr": 40, "start_date": since[400], "end_date": since[5]}),
        (late, {"arr": 20, "start_date": since[400], "end_date": since[-30]}),
        (alone, {"arr": 10, "start_date": since[400], "end_date": since[20], "outcome": "churned"}),
    ]
    for account, told in terms:
        await records.create(org.db, org.call(), "contracts", told, account=account)
    answer = DECODER.decode(await forecasts.preview(db, org.as_("manager"), NOW, {}))
    assert answer["due"] == {"renewals": 1, "accounts": 1, "arr": 20}
    told = answer["overdue"]
    assert (told["renewals"], told["arr"], told["since"]) == (2, 140, since[30])
    assert since[30] in told["because"]
    whole = DECODER.decode(await forecasts.preview(db, org.as_("manager"), NOW, {"from": told["since"]}))
    assert whole["due"] == {"renewals": 3, "accounts": 1, "arr": 160}
    assert (whole["overdue"]["renewals"], whole["overdue"]["since"]) == (0, None)
    other = {"where": 'name = "Alone"', "from": since[-30]}
    none = DECODER.decode(await forecasts.preview(db, org.as_("manager"), NOW, other))
    assert (none["overdue"]["renewals"], none["overdue"]["arr"]) == (0, 0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"from": "2026-13-01"}, "/from"),
        ({"from": "2027-01-01", "to": "2027-01-01"}, "/to"),
        ({"from": "2020-01-01", "to": "2040-01-01"}, "/to"),
        ({"group_by": ["weather"]}, "/group_by/0"),
        ({"group_by": ["segment.nowhere"]}, "/group_by/0"),
        ({"group_by": ["month", "month"]}, "/group_by"),
        ({"group_by": "month"}, "/group_by"),
        ({"target": "much"}, "/target"),
        ({"scenario": "calmer"}, "/scenario"),
        ({"where": "arrr > 5"}, "/where"),
    ],
)
async def test_what_means_nothing_is_named(
    demo_db: Database, admin: Principal, body: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await forecasts.create(demo_db, Call(admin, DEMO_NOW), body)
    assert refused.value.faults[0].pointer == pointer


async def test_as_of_a_day_is_as_of_its_end(db: Database) -> None:
    org = await organisation(db, zone="Asia/Tokyo")
    body = {"from": "2026-12-01", "to": "2027-01-01"}

    async def as_of(told: str) -> str:
        return str(document(await forecasts.preview(db, org.people["admin"], NOW, {**body, "as_of": told}))["as_of"])

    assert await as_of("2026-10-31") == "2026-10-31T14:59:59.999999Z"
    assert await as_of("2026-10-31T12:00Z") == await as_of("2026-10-31T21:00:00+09:00") == "2026-10-31T12:00:00Z"
    assert await as_of("2026-11-22") == "2026-11-22T12:00:00Z", "of today what has been"
    for told, message in (("2026-11-23", "that has come"), ("2026-11-22T12:00:01Z", "that has come"), ("31.10.2026", "Expected a day or an instant, as in 2026-01-31")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await as_of(told)
        (fault,) = refused.value.faults
        assert message in fault.message
        assert fault.pointer == "/as_of"
