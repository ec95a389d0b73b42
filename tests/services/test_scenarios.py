"""Scenarios side by side, exactly one active, and the impact of every account right before the answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence import facts
from app.persistence.database import Database
from app.services import accounts, scenarios, segmentations
from app.services.calls import Effect, Written
from tests.services.organisations import Organisation, document, organisation


async def furnished(db: Database) -> Organisation:
    """With three industries and an account in each, and one in none."""
    org = await organisation(db)
    for slug in ("banking", "retail", "travel"):
        await org.industry(slug)
        await accounts.create(db, org.call(), {"name": slug.title(), "industry": slug})
    await accounts.create(db, org.call(), {"name": "None"})
    return org


async def make(org: Organisation, slug: str, role: str = "admin", **body: Any) -> Written:
    return await scenarios.create(org.db, org.call(role), {"name": slug.title(), "slug": slug, **body})


async def change(org: Organisation, slug: str, /, **body: Any) -> Written:
    return await scenarios.change(org.db, org.call(), "slug", slug, body, await version(org, slug))


async def version(org: Organisation, slug: str) -> int:
    [(found,)] = await org.rows("SELECT version FROM scenarios WHERE workspace_id = $1 AND slug = $2", slug)
    return int(found)


async def impacts(org: Organisation) -> dict[str, str | None]:
    return dict(await org.rows("SELECT name, impact FROM accounts WHERE workspace_id = $1"))


async def active(org: Organisation) -> list[str]:
    return [slug for (slug,) in await org.rows("SELECT slug FROM scenarios WHERE workspace_id = $1 AND is_active")]


NOTHING = {"Banking": None, "Retail": None, "Travel": None, "None": None}


async def test_the_first_scenario_is_active_and_every_account_has_its_impact(db: Database) -> None:
    org = await furnished(db)
    written = await make(org, "downturn", impacts={"travel": "severe", "retail": "medium"})
    shown = document(written.body)
    assert {name: shown[name] for name in ("slug", "impacts", "lanes", "is_active", "version")} == {
        "slug": "downturn", "impacts": {"retail": "medium", "travel": "severe"}, "is_active": True, "version": 1,
        "lanes": {"severe": Decimal("-1.2"), "medium": Decimal("-0.6"), "low": 0},
    }  # fmt: skip
    assert await impacts(org) == NOTHING | {"Retail": "medium", "Travel": "severe"}
    assert [(effect.entity, effect.before) for effect in written.effects] == [("scenarios", None)]


async def test_others_are_kept_beside_it(db: Database) -> None:
    org = await furnished(db)
    await make(org, "downturn", impacts={"travel": "severe"})
    await make(org, "calm", impacts={"travel": "low"})
    assert await active(org) == ["downturn"]
    assert await impacts(org) == NOTHING | {"Travel": "severe"}


async def test_switching_settles_every_account(db: Database) -> None:
    org = await furnished(db)
    first = await make(org, "downturn", impacts={"travel": "severe", "retail": "low"})
    second = await make(org, "calm", impacts={"banking": "low", "retail": "low"})
    written = await change(org, "calm", is_active=True)
    assert await active(org) == ["calm"]
    assert await impacts(org) == NOTHING | {"Banking": "low", "Retail": "low"}
    assert written.effects == (
        Effect("scenarios", first.id, {"is_active": True}, {"is_active": False}),
        Effect("scenarios", second.id, {"is_active": False}, {"is_active": True}),
    )
    assert await version(org, "downturn") == 2


async def test_a_new_one_may_take_the_place(db: Database) -> None:
    org = await furnished(db)
    await make(org, "downturn", impacts={"travel": "severe"})
    await make(org, "boom", impacts={"travel": "low"}, is_active=True)
    assert (await active(org), (await impacts(org))["Travel"]) == (["boom"], "low")


async def test_editing_the_active_one_settles_and_names_what_changed(db: Database) -> None:
    org = await furnished(db)
    made = await make(org, "downturn", impacts={"travel": "severe", "retail": "low"})
    written = await change(org, "downturn", impacts={"travel": "medium", "retail": None, "banking": "low"})
    assert await impacts(org) == NOTHING | {"Travel": "medium", "Banking": "low"}
    assert written.effects == (
        Effect(
            "scenarios", made.id, {"impacts": {"retail": "low", "travel": "severe"}},
            {"impacts": {"banking": "low", "travel": "medium"}},
        ),
    )  # fmt: skip
    again = await change(org, "downturn", impacts={"travel": "medium"}, lanes={"low": 0})
    assert (again.version, again.effects) == (2, ())


async def test_segments_follow_the_impact(db: Database) -> None:
    org = await furnished(db)
    body = {"name": "Lanes", "kind": "rules", "rest": "calm",
            "segments": [{"slug": "act", "name": "Act", "criteria": 'impact = "severe"'}]}  # fmt: skip
    await segmentations.put(db, org.call(), "lanes", body, None)
    await make(org, "downturn", impacts={"travel": "severe"})
    acting = (
        "SELECT a.name FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id"
        " WHERE m.workspace_id = $1 AND m.segment = 'act'"
    )
    assert await org.rows(acting) == [("Travel",)]
    await change(org, "downturn", impacts={"travel": "low", "banking": "severe"})
    assert await org.rows(acting) == [("Banking",)]


async def test_keeping_facts_anew_finds_nothing_to_change(db: Database) -> None:
    org = await furnished(db)
    await make(org, "downturn", impacts={"travel": "severe", "retail": "low"})
    await make(org, "calm", impacts={"travel": "low"}, is_active=True)
    async with db.transaction() as tx:
        await facts.lock(tx, org.workspace.id, None)
        assert await facts.refresh(tx, org.workspace.id, None) == 0


async def test_accounts_keep_their_version(db: Database) -> None:
    org = await furnished(db)
    await make(org, "downturn", impacts={"travel": "severe"})
    assert await org.rows("SELECT DISTINCT version FROM accounts WHERE workspace_id = $1") == [(1,)]


async def test_lanes_shift_by_impact(db: Database) -> None:
    org = await organisation(db)
    shown = document((await make(org, "downturn", lanes={"severe": -2, "low": 0.25})).body)
    assert {impact: float(shift) for impact, shift in shown["lanes"].items()} == {
        "severe": -2,
        "medium": -0.6,
        "low": 0.25,
    }
    shown = document((await change(org, "downturn", lanes={"medium": -1})).body)
    assert {impact: float(shift) for impact, shift in shown["lanes"].items()} == {
        "severe": -2,
        "medium": -1,
        "low": 0.25,
    }


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"impacts": {"banking": "sever"}}, [("/impacts/banking", "severe")]),
        ({"impacts": {"bankng": "low"}}, [("/impacts/bankng", "banking")]),
        ({"impacts": {"banking": 3, "retail": ["low"]}}, [("/impacts/banking", None), ("/impacts/retail", None)]),
        ({"impacts": ["banking"]}, [("/impacts", None)]),
        ({"impacts": None}, [("/impacts", None)]),
        ({"lanes": {"sever": -1}}, [("/lanes/sever", "severe")]),
        ({"lanes": {"severe": "-1"}}, [("/lanes/severe", None)]),
        ({"lanes": {"severe": -11}}, [("/lanes/severe", None)]),
        ({"lanes": {"severe": True, "low": None}}, [("/lanes/severe", None), ("/lanes/low", None)]),
        ({"lanes": {"a/b": 1}}, [("/lanes/a~1b", None)]),
        ({"lane": {}}, [("/lane", "lanes")]),
        ({"slug": "query"}, [("/slug", None)]),
        ({"is_active": "yes"}, [("/is_active", None)]),
        ({"is_active": False}, [("/is_active", None)]),
    ],
)
async def test_what_is_no_scenario(db: Database, body: dict[str, Any], faults: list[tuple[str, str | None]]) -> None:
    org = await furnished(db)
    with pytest.raises(Invalid) as caught:
        await scenarios.create(db, org.call(), {"name": "X", "slug": "x", **body})
    found = [(fault.pointer, fault.suggestion) for fault in caught.value.faults]
    assert found == faults
    assert await org.rows("SELECT slug FROM scenarios WHERE workspace_id = $1") == []


async def test_one_is_active_always(db: Database) -> None:
    org = await furnished(db)
    await make(org, "downturn", impacts={"travel": "severe"})
    await make(org, "calm")
    with pytest.raises(Invalid) as caught:
        await change(org, "downturn", is_active=False)
    assert [fault.pointer for fault in caught.value.faults] == ["/is_active"]
    with pytest.raises(Conflict):
        await scenarios.delete(db, org.call(), "slug", "downturn", 1)
    assert (await active(org), (await impacts(org))["Travel"]) == (["downturn"], "severe")


async def test_deleting(db: Database) -> None:
    org = await furnished(db)
    made = await make(org, "downturn", impacts={"travel": "severe"})
    await make(org, "calm")
    with pytest.raises(VersionRequired):
        await scenarios.delete(db, org.call(), "slug", "calm", None)
    with pytest.raises(VersionStale):
        await scenarios.delete(db, org.call(), "slug", "calm", 9)
    await scenarios.delete(db, org.call(), "slug", "calm", 1)
    with pytest.raises(NotFound):
        await scenarios.delete(db, org.call(), "slug", "calm", 1)
    written = await scenarios.delete(db, org.call(), "id", str(made.id), 1)
    assert (await active(org), await impacts(org)) == ([], NOTHING)
    assert [(effect.id, effect.after) for effect in written.effects] == [(made.id, None)]


async def test_an_upsert_makes_then_changes(db: Database) -> None:
    org = await furnished(db)
    made = await scenarios.upsert(db, org.call(), "downturn", {"name": "D", "impacts": {"travel": "low"}}, None)
    changed = await scenarios.upsert(db, org.call(), "downturn", {"impacts": {"retail": "low"}}, 1)
    assert (made.created, changed.created) == (True, False)
    assert document(changed.body)["impacts"] == {"retail": "low", "travel": "low"}
    with pytest.raises(VersionRequired):
        await scenarios.upsert(db, org.call(), "downturn", {"name": "E"}, None)


async def test_switching_at_once_leaves_one_active_and_its_impact(db: Database) -> None:
    org = await furnished(db)
    for n, impact in enumerate(("severe", "medium", "low")):
        await make(org, f"s{n}", impacts={"travel": impact, "retail": impact})

    async def switch(n: int) -> None:
        try:
            await change(org, f"s{n % 3}", is_active=True)
        except VersionStale:
            return

    async def add(n: int) -> None:
        await accounts.create(db, org.call(), {"name": f"New {n}", "industry": "travel"})

    await asyncio.gather(*(switch(n) if n % 2 else add(n) for n in range(24)))
    [slug] = await active(org)
    expected = ("severe", "medium", "low")[int(slug[1])]
    found = await impacts(org)
    assert {name: found[name] for name in found if name.startswith(("New", "Travel", "Retail"))} == dict.fromkeys(
        (name for name in found if name.startswith(("New", "Travel", "Retail"))), expected
    )


STRESS_SECONDS = 3.0


async def test_switching_while_accounts_change_their_industry(db: Database) -> None:
    """Both lock in one order: nobody waits in a circle, and every account ends with the impact on its own industry."""
    org = await furnished(db)
    ids = [one for (one,) in await org.rows("SELECT id FROM accounts WHERE workspace_id = $1 ORDER BY id")]
    await make(org, "calm", impacts={"banking": "low", "retail": "low", "travel": "low"})
    await make(org, "bad", impacts={"banking": "severe", "retail": "medium"})
    end, done = time.monotonic() + STRESS_SECONDS, Counter[str]()

    async def switch() -> None:
        while time.monotonic() < end:
            try:
                await change(org, ("calm", "bad")[done["switch"] % 2], is_active=True)
            except VersionStale:  # it was edited in between
                continue
            done["switch"] += 1

    async def edit() -> None:
        while time.monotonic() < end:
            severe = ("severe", "medium")[done["edit"] % 2]
            try:
                await change(org, "bad", impacts={"travel": severe})
            except VersionStale:  # it was switched in between
                continue
            done["edit"] += 1

    async def move(n: int) -> None:
        dice = random.Random(n)
        while time.monotonic() < end:
            one = dice.choice(ids)
            [(version,)] = await org.rows("SELECT version FROM accounts WHERE workspace_id = $1 AND id = $2", one)
            body = {"industry": dice.choice(("banking", "retail", "travel", None))}
            try:
                await accounts.change(db, org.call(), one, body, version)
            except VersionStale:
                continue
            await accounts.create(db, org.call(), {"name": "New", **body})
            done["move"] += 1

    await asyncio.gather(switch(), edit(), *(move(n) for n in range(3)))
    assert min(done.values()) >= 3, done
    async with db.transaction() as tx:
        await facts.lock(tx, org.workspace.id, None)
        assert await facts.refresh(tx, org.workspace.id, None) == 0


async def test_another_organisations_scenario_is_not_there(db: Database) -> None:
    org, other = await furnished(db), await furnished(db)
    await make(other, "downturn")
    with pytest.raises(NotFound):
        await scenarios.change(db, org.call(), "slug", "downturn", {"is_active": True}, 1)
    await make(org, "downturn", impacts={"travel": "severe"})
    assert await impacts(other) == NOTHING


@pytest.mark.parametrize("role", ["csm", "viewer"])
async def test_scenarios_are_for_managers(db: Database, role: str) -> None:
    org = await organisation(db)
    await make(org, "downturn", "manager")
    for act in (
        make(org, "x", role),
        scenarios.change(db, org.call(role), "slug", "downturn", {"name": "X"}, 1),
        scenarios.upsert(db, org.call(role), "downturn", {"name": "X"}, 1),
        scenarios.delete(db, org.call(role), "slug", "downturn", 1),
    ):
        with pytest.raises(Forbidden):
            await act
