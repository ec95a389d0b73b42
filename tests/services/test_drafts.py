"""Drafts, what they would do, their publication, versions and the way back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence.database import Database
from app.services import accounts, drafts, memberships, pins, segmentations, simulations, ticks, versions
from tests import stays
from tests.services.organisations import NOW, Organisation, document, organisation

LATER = NOW + timedelta(hours=1)
SIZE: dict[str, Any] = {
    "name": "Size", "kind": "rules", "rest": "small",
    "segments": [
        {"slug": "big", "name": "Big", "criteria": "arr >= 100"},
        {"slug": "well", "name": "Well", "criteria": "health >= 50"},
    ],
}  # fmt: skip
LOWER = SIZE | {"segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 10"}, SIZE["segments"][1]]}
BANDS: dict[str, Any] = {
    "name": "Bands", "kind": "bands", "spec": {"field": "arr", "cuts": {"by": "median"}},
    "segments": [{"slug": "high", "name": "High"}, {"slug": "low", "name": "Low"}], "refreeze": "month",
}  # fmt: skip


async def office(db: Database) -> tuple[Organisation, dict[int, UUID]]:
    """Accounts of 5, 50 and 500, the last two well, and a segmentation of their size."""
    org = await organisation(db)
    made = {}
    for arr, health in ((5, None), (50, 60), (500, 70)):
        made[arr] = (await accounts.create(db, org.call(), {"name": f"A{arr}", "arr": arr, "health": health})).id
    await segmentations.put(db, org.call(), "size", SIZE, None)
    return org, made


async def standing(org: Organisation, slug: str) -> dict[str, int]:
    found = await segmentations.segments(org.db, org.people["viewer"], slug, LATER)
    return {one["slug"]: one["accounts"] for one in found["data"] if one["accounts"]}


async def test_a_draft_says_who_would_move_and_moves_nobody_until_it_is_published(db: Database) -> None:
    org, made = await office(db)
    before = await stays.moves(org.db, org.workspace.id)
    await drafts.put(db, org.call(), "size", LOWER, None)
    told = await simulations.simulate(db, org.people["viewer"], "size", {}, LATER)
    assert {one["slug"]: (one["before"]["accounts"], one["after"]["accounts"]) for one in told["segments"]} == {
        "big": (1, 2), "well": (1, 0), "small": (1, 1),
    }  # fmt: skip
    assert told["moves"] == [{"from": "well", "to": "big", "accounts": 1, "arr": Decimal(50)}]
    assert told["moved"] == {"accounts": 1, "arr": Decimal(50)}
    assert told["rest"] == {"accounts": 1, "arr": Decimal(5)}
    assert told["overlap"] == [{"segments": ["big", "well"], "accounts": 2, "arr": Decimal(550)}]
    assert [(one["id"], one["was"], one["becomes"]) for one in told["sample"]] == [(str(made[50]), "well", "big")]
    assert await stays.moves(org.db, org.workspace.id) == before
    with pytest.raises(VersionRequired):
        await drafts.publish(db, org.call(), "size", {}, None)
    written = await drafts.publish(db, org.call("manager", now=LATER), "size", {"note": "Agreed."}, 1)
    assert (written.version, await standing(org, "size")) == (2, {"big": 2, "small": 1})
    with pytest.raises(NotFound):
        await drafts.get(db, org.people["viewer"], "size")
    found, _, more = await versions.every(db, org.people["viewer"], "size", None, 10)
    assert not more
    assert [(one["version"], one["cause"], one["note"], one["author"]) for one in found] == [
        (2, "publish", "Agreed.", "Manager"), (1, "put", None, "Admin"),
    ]  # fmt: skip


async def test_what_simulation_says_is_what_publication_does(db: Database) -> None:
    org, _ = await office(db)
    for n, body in enumerate((LOWER, BANDS, SIZE), 1):
        told = await simulations.simulate(db, org.people["csm"], "size", body, LATER)
        await drafts.put(db, org.call(), "size", body, None)
        await drafts.publish(db, org.call(now=LATER), "size", {}, n)
        wanted = {one["slug"]: one["after"]["accounts"] for one in told["segments"] if one["after"]["accounts"]}
        assert await standing(org, "size") == wanted
        again = await simulations.simulate(db, org.people["csm"], "size", {}, LATER)
        assert again["moves"] == []


async def test_a_draft_may_be_of_what_is_not_there_yet(db: Database) -> None:
    org, _ = await office(db)
    await drafts.put(db, org.call(), "new", LOWER, None)
    told = await simulations.simulate(db, org.people["viewer"], "new", {}, NOW)
    assert {one["from"] for one in told["moves"]} == {None}
    assert (await drafts.publish(db, org.call(), "new", {}, None)).created
    with pytest.raises(NotFound):
        await drafts.publish(db, org.call(), "new", {}, 1)
    with pytest.raises(NotFound):
        await simulations.simulate(db, org.people["viewer"], "nothing", {}, NOW)


async def test_drafts_have_versions_and_are_for_those_who_may_define(db: Database) -> None:
    org, _ = await office(db)
    assert (await drafts.put(db, org.call(), "size", LOWER, None)).version == 1
    with pytest.raises(VersionRequired):
        await drafts.put(db, org.call(), "size", SIZE, None)
    assert (await drafts.put(db, org.call(), "size", SIZE, 1)).version == 2
    with pytest.raises(VersionStale):
        await drafts.discard(db, org.call(), "size", 1)
    for act in (drafts.put(db, org.call("csm"), "size", SIZE, 2), drafts.discard(db, org.call("csm"), "size", 2),
                drafts.publish(db, org.call("csm"), "size", {}, 1), versions.rollback(db, org.call("csm"), "size", {"version": 1}, 1)):  # fmt: skip
        with pytest.raises(Forbidden):
            await act
    with pytest.raises(Invalid):
        wrong = SIZE | {"segments": [{"slug": "a", "name": "A", "criteria": "arrr > 5"}]}
        await drafts.put(db, org.call(), "size", wrong, 2)
    found = await drafts.get(db, org.people["viewer"], "size")
    assert {name: found[name] for name in ("name", "kind", "rest")} == {
        "name": "Size",
        "kind": "rules",
        "rest": "small",
    }
    await drafts.discard(db, org.call(), "size", 2)
    with pytest.raises(NotFound):
        await drafts.discard(db, org.call(), "size", 2)


async def test_a_rollback_brings_back_the_cuts_too(db: Database) -> None:
    org, made = await office(db)
    first = document((await segmentations.put(db, org.call(), "bands", BANDS, None)).body)
    await accounts.change(db, org.call(), made[500], {"arr": 1}, 1)
    second = document((await versions.refreeze(db, org.call(now=LATER), "bands", {}, 1)).body)
    assert (first["cuts"][0]["at"], second["cuts"][0]["at"]) == ([50], [5])
    with pytest.raises(NotFound):
        await versions.rollback(db, org.call(), "bands", {"version": 3}, 2)
    with pytest.raises(Invalid):
        await versions.rollback(db, org.call(), "bands", {"version": "1"}, 2)
    third = document((await versions.rollback(db, org.call(now=LATER), "bands", {"version": 1}, 2)).body)
    assert (third["version"], third["cuts"]) == (3, [one | {"taken": [False]} for one in first["cuts"]])
    assert await standing(org, "bands") == {"high": 1, "low": 2}
    found, _, more = await versions.every(db, org.people["viewer"], "bands", None, 2)
    assert more
    assert [(one["version"], one["cause"], one["restores"]) for one in found] == [
        (3, "rollback", 1),
        (2, "refreeze", None),
    ]
    older, _, _ = await versions.every(db, org.people["viewer"], "bands", 2, 2)
    assert [one["version"] for one in older] == [1]


async def test_cuts_are_taken_anew_when_the_month_is_over(db: Database) -> None:
    org, made = await office(db)
    await segmentations.put(db, org.call(), "bands", BANDS, None)
    await accounts.change(db, org.call(), made[500], {"arr": 1}, 1)
    assert await ticks.refreeze(db, org.workspace.id, NOW + timedelta(days=3)) == 0
    later = NOW + timedelta(days=30)
    assert await ticks.refreeze_all(db, later) >= 1
    found = await segmentations.get(db, org.people["viewer"], "bands", later)
    assert (found["version"], found["cuts"][0]["at"], found["cuts"][0]["frozen_at"]) == (
        2,
        [5],
        later.date().isoformat(),
    )
    assert await ticks.refreeze(db, org.workspace.id, later) == 0
    kept, _, _ = await versions.every(db, org.people["viewer"], "bands", None, 1)
    assert (kept[0]["cause"], kept[0]["author_id"]) == ("refreeze", None)


async def test_pins_into_segments_that_are_gone_are_gone(db: Database) -> None:
    org, made = await office(db)
    await pins.pin(db, org.call(), made[5], "size", {"segment": "well", "reason": "A pilot."})
    await pins.pin(db, org.call(), made[50], "size", {"segment": "big", "reason": "A pilot."})
    fewer = SIZE | {"segments": SIZE["segments"][:1]}
    told = await simulations.simulate(db, org.people["viewer"], "size", fewer, LATER)
    assert told["pinned"] == 1
    await segmentations.put(db, org.call(now=LATER), "size", fewer, 1)
    assert await standing(org, "size") == {"big": 2, "small": 1}
    stands = await memberships.standing(db, org.people["viewer"], made[5], LATER)
    assert (stands[0]["segment"], stands[0]["pin"]) == ("small", None)


async def test_a_draft_that_was_changed_since_it_was_seen_is_not_published(db: Database) -> None:
    org, _ = await office(db)
    seen = document((await drafts.put(db, org.call(), "size", LOWER, None)).body)["version"]
    await drafts.put(db, org.call("manager"), "size", SIZE | {"name": "Another"}, seen)
    with pytest.raises(VersionStale):
        await drafts.publish(db, org.call(), "size", {"draft_version": seen}, 1)
    with pytest.raises(Invalid):
        await drafts.publish(db, org.call(), "size", {"draft_version": "1"}, 1)
    written = document((await drafts.publish(db, org.call(), "size", {"draft_version": seen + 1}, 1)).body)
    assert (written["name"], written["version"]) == ("Another", 2)
