"""Pins, where accounts stood, and how far members can be trusted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound
from app.persistence import usage
from app.persistence.database import Database
from app.services import accounts, days, memberships, pins, segmentations, workspaces
from tests.services.organisations import NOW, Organisation, organisation
from tests.services.test_drafts import SIZE

HOUR = timedelta(hours=1)
PILOT = {"segment": "big", "reason": "A pilot."}


async def office(db: Database) -> tuple[Organisation, Any]:
    """A workspace with a small account of the csm's."""
    org = await organisation(db)
    body = {"name": "A", "arr": 5, "csm_id": str(org.user("csm"))}
    made = await accounts.create(db, org.call(), body)
    await segmentations.put(db, org.call(), "size", SIZE, None)
    return org, made.id


async def stands(org: Organisation, account: Any, now: Any, on: str | None = None) -> dict[str, Any]:
    (one,) = await memberships.standing(org.db, org.people["viewer"], account, now, on)
    return one


async def test_a_pin_keeps_an_account_and_the_criteria_decide_when_it_ends(db: Database) -> None:
    org, account = await office(db)
    told = PILOT | {"expires_at": (NOW + 2 * HOUR).isoformat()}
    assert (await pins.pin(db, org.call("csm", now=NOW + HOUR), account, "size", told)).created
    one = await stands(org, account, NOW + HOUR)
    assert (one["segment"], one["reason"], one["pin"]["reason"]) == ("big", "pin", "A pilot.")
    assert one["pin"]["author_id"] == org.user("csm")
    await accounts.change(db, org.call(now=NOW + HOUR), account, {"health": 90}, 1)
    assert (await stands(org, account, NOW + HOUR))["segment"] == "big"
    assert await pins.expire_all(db, NOW + 2 * HOUR) >= 1
    one = await stands(org, account, NOW + 2 * HOUR)
    assert (one["segment"], one["reason"], one["pin"]) == ("well", "unpin", None)
    found, keys, more = await memberships.history(db, org.people["viewer"], account, "size", None, 2)
    assert [(entry["segment"], entry["reason"]) for entry in found] == [("well", "unpin"), ("big", "pin")]
    assert more
    older, _, _ = await memberships.history(db, org.people["viewer"], account, "size", keys[-1][0], 2)
    assert [(entry["segment"], entry["to"]) for entry in older] == [("small", found[-1]["from"])]


async def test_an_unpinned_account_stands_where_the_criteria_put_it(db: Database) -> None:
    org, account = await office(db)
    await pins.pin(db, org.call(), account, "size", PILOT)
    assert not (await pins.pin(db, org.call(), account, "size", PILOT | {"segment": "small"})).created
    gone = await pins.unpin(db, org.call(now=NOW + HOUR), account, "size")
    assert [effect.after for effect in gone.effects] == [{"pins": {"size": None}}]
    assert (await stands(org, account, NOW + HOUR))["segment"] == "small"
    with pytest.raises(NotFound):
        await pins.unpin(db, org.call(), account, "size")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"segment": "bigg"}, "/segment"), ({"segment": None}, "/segment"), ({"reason": " "}, "/reason"), ({"reason": None}, "/reason"),
        ({"expires_at": NOW.isoformat()}, "/expires_at"), ({"expires_at": "soon"}, "/expires_at"), ({"until": "soon"}, "/until"),
    ],
)  # fmt: skip
async def test_what_a_pin_cannot_be(db: Database, change: dict[str, Any], pointer: str) -> None:
    org, account = await office(db)
    with pytest.raises(Invalid) as caught:
        await pins.pin(db, org.call(), account, "size", PILOT | change)
    assert pointer in [fault.pointer for fault in caught.value.faults]


async def test_who_may_pin(db: Database) -> None:
    org, account = await office(db)
    for who in ("other", "viewer"):
        with pytest.raises(Forbidden):
            await pins.pin(db, org.call(who), account, "size", PILOT)
    elsewhere, _ = await office(db)
    for slug, held in (("size", account), ("nothing", account)):
        with pytest.raises(NotFound):
            await pins.pin(db, elsewhere.call(), held, slug, PILOT)


async def test_where_an_account_stood_on_a_day_that_has_been(db: Database) -> None:
    org, account = await office(db)
    later = NOW + timedelta(days=2)
    await accounts.change(db, org.call(now=later), account, {"arr": 500}, 1)
    today, before = later.date().isoformat(), NOW.date().isoformat()
    assert (await stands(org, account, later, before))["segment"] == "small"
    assert (await stands(org, account, later, today))["segment"] == "big"
    assert (await stands(org, account, later, "2026-01-01"))["segment"] is None
    counted = await segmentations.segments(db, org.people["viewer"], "size", later, before)
    assert {one["slug"]: one["accounts"] for one in counted["data"]} == {"big": 0, "well": 0, "small": 1}
    for wrong in ("2027-01-01", "yesterday"):
        with pytest.raises(Invalid):
            await stands(org, account, later, wrong)


async def test_members_are_stale_until_the_day_was_followed(db: Database) -> None:
    org, account = await office(db)
    tomorrow = NOW + timedelta(days=1)
    one = await stands(org, account, tomorrow)
    assert (one["state"], one["as_of"]) == ("stale", one["computed_at"])
    await days.roll(db, org.workspace.id, tomorrow)
    org = org.with_workspace(facts_day=(await workspaces.load(db, org.workspace.id)).facts_day)
    one = await stands(org, account, tomorrow)
    assert (one["state"], one["detail"]) == ("fresh", None)


async def test_a_rule_that_cannot_be_computed_keeps_its_members_and_no_other_from_it(db: Database) -> None:
    org, account = await office(db)
    huge = {"name": "Huge", "kind": "rules", "rest": "rest",
            "segments": [{"slug": "huge", "name": "Huge", "criteria": "sum(usage.value) > 5"}]}  # fmt: skip
    await segmentations.put(db, org.call(), "huge", huge, None)
    await org.run(
        "INSERT INTO features (workspace_id, id, name, slug, is_key, no, created_at, updated_at) VALUES ($1, $2, 'F', 'f', false, 1, $3, $3)",
        account, NOW,
    )  # fmt: skip
    async with db.transaction() as tx:
        await usage.ensure_months(tx, NOW.date() - timedelta(days=401), NOW.date())
    for day in (1, 2):
        await org.run(
            "INSERT INTO usage_days (workspace_id, account_id, day, features, contacts, amounts) VALUES ($1, $2, $3, '{1}', '{NULL}', '{1.7e308}')",
            account, NOW.date() - timedelta(days=200 * day),
        )  # fmt: skip
    later = NOW + timedelta(days=1)
    assert await days.roll(db, org.workspace.id, later)
    org = org.with_workspace(facts_day=later.date())
    huge_, size = await memberships.standing(db, org.people["viewer"], account, later)
    assert (huge_["segment"], huge_["state"], size["state"]) == ("rest", "degraded", "fresh")
    assert huge_["detail"].startswith("It could not be computed")
    await accounts.change(db, org.call(now=later), account, {"arr": 500}, 1)
    _, size = await memberships.standing(db, org.people["viewer"], account, later)
    assert size["segment"] == "big"
    await org.run("DELETE FROM usage_days WHERE workspace_id = $1")
    assert await days.roll(db, org.workspace.id, later + timedelta(days=1))
    huge_, _ = await memberships.standing(db, org.people["viewer"], account, later)
    assert (huge_["state"], huge_["detail"]) == ("fresh", None)
