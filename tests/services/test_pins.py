"""Pins, where accounts stood, and how far members can be trusted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound
from app.persistence import segments, usage
from app.persistence.database import Database
from app.services import accounts, confirmations, days, memberships, pins, segmentations, workspaces
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
    assert one["detail"].startswith(f"Time was last followed on {NOW.date()}, and it is {tomorrow.date()}.")
    await days.roll(db, org.workspace.id, tomorrow)
    org = org.with_workspace(facts_day=(await workspaces.load(db, org.workspace.id)).facts_day)
    one = await stands(org, account, tomorrow)
    assert (one["state"], one["detail"]) == ("fresh", None)


async def test_members_are_right_for_no_moment_before_the_last_of_them_came(db: Database) -> None:
    org, account = await office(db)
    later = NOW + HOUR
    await accounts.change(db, org.call(now=later), account, {"arr": 500}, 1)
    one = await stands(org, account, later)
    assert (one["as_of"], one["computed_at"]) == ("2026-11-22T13:00:00Z", "2026-11-22T12:00:00Z")
    told = await segmentations.get(db, org.people["viewer"], "size", later)
    assert (told["state"], told["as_of"]) == ("fresh", one["as_of"])


async def test_a_pin_that_ended_and_nobody_followed_makes_members_stale(db: Database) -> None:
    org, account = await office(db)
    ends = NOW + 2 * HOUR
    await pins.pin(db, org.call(), account, "size", PILOT | {"expires_at": ends.isoformat()})
    assert (await stands(org, account, ends + timedelta(minutes=4)))["state"] == "fresh"
    one = await stands(org, account, ends + timedelta(minutes=6))
    assert (one["state"], one["as_of"]) == ("stale", "2026-11-22T12:00:00Z")
    assert one["detail"].startswith(
        "A pin or a confirmation ended at 2026-11-22T14:00:00Z, which was not yet followed."
    )
    await pins.expire(db, org.workspace.id, ends + timedelta(minutes=6))
    one = await stands(org, account, ends + timedelta(minutes=6))
    assert (one["state"], one["detail"], one["as_of"]) == ("fresh", None, "2026-11-22T14:06:00Z")


async def test_a_move_that_waited_long_enough_and_nobody_made_makes_members_stale(db: Database) -> None:
    org, account = await office(db)
    await segmentations.put(db, org.call(), "size", SIZE | {"confirm": "2h"}, 1)
    await accounts.change(db, org.call(now=NOW + HOUR), account, {"arr": 500}, 1)
    due = NOW + 3 * HOUR
    assert (await stands(org, account, due + timedelta(minutes=4)))["state"] == "fresh"
    assert (await stands(org, account, due + timedelta(minutes=6)))["state"] == "stale"
    await confirmations.confirm(db, org.workspace.id, due + timedelta(minutes=6))
    one = await stands(org, account, due + timedelta(minutes=6))
    assert (one["state"], one["segment"], one["reason"]) == ("fresh", "big", "confirmation")


async def test_a_pin_that_ended_is_why_its_account_moves_whoever_places_it(db: Database) -> None:
    org, account = await office(db)
    ends = NOW + HOUR
    await pins.pin(db, org.call(), account, "size", PILOT | {"expires_at": ends.isoformat()})
    await segmentations.put(db, org.call(now=ends + HOUR), "other", SIZE, None)
    one = await segmentations.get(db, org.people["viewer"], "size", ends + HOUR)
    found, _, _ = await memberships.history(db, org.people["viewer"], account, "size", None, 9)
    assert (found[0]["segment"], found[0]["reason"], one["as_of"]) == ("small", "unpin", "2026-11-22T14:00:00Z")


async def broken(db: Database) -> tuple[Organisation, Any]:
    """A workspace with an account in a segmentation that means nothing any more."""
    org, account = await office(db)
    row = await segments.one(db, org.workspace.id, "size")
    assert row is not None
    gone = """UPDATE segmentations SET segments = replace(segments::text, 'arr >= 100', 'custom.gone = 1')::jsonb, updated_at = $2
      WHERE workspace_id = $1"""
    await org.run(gone, NOW + timedelta(seconds=1))
    await accounts.change(db, org.call(), account, {"arr": 6}, 1)
    one = await stands(org, account, NOW)
    assert (one["state"], one["segment"]) == ("broken", "small")
    return org, account


async def test_a_pin_needs_no_criteria_that_mean_something(db: Database) -> None:
    org, account = await broken(db)
    await pins.pin(db, org.call(now=NOW + HOUR), account, "size", PILOT | {"expires_at": (NOW + 3 * HOUR).isoformat()})
    one = await stands(org, account, NOW + HOUR)
    assert (one["segment"], one["reason"], one["state"]) == ("big", "pin", "broken")
    await pins.pin(db, org.call(now=NOW + 2 * HOUR), account, "size", PILOT | {"segment": "well"})
    assert (await stands(org, account, NOW + 2 * HOUR))["segment"] == "well"
    await pins.unpin(db, org.call(now=NOW + 2 * HOUR), account, "size")
    one = await stands(org, account, NOW + 2 * HOUR)
    assert (one["segment"], one["reason"], one["pending"]) == ("small", "unpin", None)


async def test_where_criteria_mean_nothing_the_end_of_a_pin_leads_to_where_they_put_it_last(db: Database) -> None:
    org, account = await broken(db)
    await pins.pin(db, org.call(now=NOW + HOUR), account, "size", PILOT | {"expires_at": (NOW + 2 * HOUR).isoformat()})
    assert await pins.expire(db, org.workspace.id, NOW + 2 * HOUR) == 1
    one = await stands(org, account, NOW + 2 * HOUR)
    assert (one["segment"], one["reason"]) == ("small", "unpin")
    await segmentations.put(db, org.call(now=NOW + 3 * HOUR), "size", SIZE, 1)
    assert (await stands(org, account, NOW + 3 * HOUR))["state"] == "fresh"


async def test_who_waited_for_confirmation_and_was_pinned_goes_where_the_criteria_say_when_the_pin_ends(
    db: Database,
) -> None:
    org, account = await office(db)
    await segmentations.put(db, org.call(), "size", SIZE | {"confirm": "2h"}, 1)
    await accounts.change(db, org.call(now=NOW + HOUR), account, {"arr": 500}, 1)
    await pins.pin(db, org.call(now=NOW + HOUR), account, "size", PILOT | {"segment": "well"})
    await pins.unpin(db, org.call(now=NOW + HOUR), account, "size")
    one = await stands(org, account, NOW + HOUR)
    assert (one["segment"], one["reason"], one["pending"]) == ("big", "unpin", None)


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
