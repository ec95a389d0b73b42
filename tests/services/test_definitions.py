"""Definitions: cuts that are said as before stay as they were frozen, and a plan says what is then done, row by row."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Invalid
from app.persistence.database import Database
from app.services import accounts, drafts, segmentation_files, segmentations, simulations, ticks, versions
from tests.services.organisations import NOW, Organisation, document, organisation

LATER = NOW + timedelta(days=3)
BANDS: dict[str, Any] = {
    "name": "Tiers", "kind": "bands", "spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.8], "among": "arr > 0"}},
    "segments": [{"slug": "high", "name": "High"}, {"slug": "medium", "name": "Medium"}, {"slug": "low", "name": "Low"}],
}  # fmt: skip
NATURAL: dict[str, Any] = BANDS | {"spec": {"field": "arr", "cuts": {"by": "natural", "parts": 3}}}
BOOKS: dict[str, Any] = BANDS | {
    "spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.8], "within": "region"}}
}
QUADRANT: dict[str, Any] = {
    "name": "Quadrant", "kind": "matrix",
    "spec": {"x": {"field": "arr", "cuts": {"by": "median"}}, "y": {"field": "health", "cuts": {"by": "percentile", "at": [0.4]}}},
    "segments": [{"slug": "good", "name": "Good", "x": "high", "y": "high"}, {"slug": "mend", "name": "Mend", "x": "high", "y": "low"},
                 {"slug": "light", "name": "Light", "x": "low"}],
}  # fmt: skip
SCORE: dict[str, Any] = {
    "name": "Fit", "kind": "score",
    "spec": {"measures": [{"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.8]}, "points": [0, 1, 2]},
                          {"field": "health", "cuts": {"by": "median"}, "points": [0, 1]}], "at": [1, 2]},
    "segments": BANDS["segments"],
}  # fmt: skip
KINDS = {"bands": BANDS, "natural": NATURAL, "books": BOOKS, "quadrant": QUADRANT, "score": SCORE}


async def office(db: Database, count: int = 12) -> tuple[Organisation, list[UUID]]:
    """Accounts of 10, 20, … of ARR, health 5, 10, … and two regions by turns."""
    org = await organisation(db)
    made = [
        (
            await accounts.create(
                db, org.call(), {"name": f"A{n}", "arr": 10 * n, "health": 5 * n, "region": "ew"[n % 2]}
            )
        ).id
        for n in range(1, count + 1)
    ]
    return org, made


async def change(org: Organisation, made: list[UUID], values: dict[int, int]) -> None:
    """Other ARR of some accounts, by their place from 1."""
    for n, arr in values.items():
        ((version,),) = await org.rows("SELECT version FROM accounts WHERE workspace_id = $1 AND id = $2", made[n - 1])
        await accounts.change(org.db, org.call(now=LATER), made[n - 1], {"arr": arr}, version)


GROWN = {1: 500, 2: 700, 9: 5, 12: 900}
"""After it accounts stand elsewhere, and cuts taken anew lie elsewhere."""


async def stands(org: Organisation, slug: str) -> dict[UUID, str]:
    sql = """SELECT m.account_id, m.segment FROM members m JOIN segmentations s ON s.id = m.segmentation_id
      WHERE m.workspace_id = $1 AND s.workspace_id = $1 AND s.slug = $2"""
    return dict(await org.rows(sql, slug))


async def shown(org: Organisation, slug: str) -> dict[str, Any]:
    return await segmentations.get(org.db, org.people["viewer"], slug, LATER)


async def put(org: Organisation, slug: str, body: Any, version: int | None = None) -> Any:
    return document((await segmentations.put(org.db, org.call(now=LATER), slug, body, version)).body)


def cut(answer: dict[str, Any], axis: int = 0) -> tuple[list[float], list[bool]]:
    told = answer["cuts"][axis]
    return [float(at) for at in told["at"]], told["taken"]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_answered_can_be_put_back_and_changes_nothing(db: Database, kind: str) -> None:
    org, made = await office(db)
    await put(org, kind, KINDS[kind])
    await change(org, made, GROWN)
    before, where = await shown(org, kind), await stands(org, kind)
    again = await put(org, kind, before["definition"], 1)
    assert (again["version"], await stands(org, kind)) == (1, where)
    assert (await shown(org, kind))["cuts"] == before["cuts"]
    assert (await simulations.simulate(db, org.people["viewer"], kind, before["definition"], LATER))["moved"][
        "accounts"
    ] == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_another_name_or_colour_moves_nobody_and_takes_no_cuts(db: Database, kind: str) -> None:
    org, made = await office(db)
    first = await put(org, kind, KINDS[kind])
    await change(org, made, GROWN)
    where = await stands(org, kind)
    named = [one | {"name": one["name"].upper(), "colour": "#2f6fde"} for one in KINDS[kind]["segments"]]
    written = await put(org, kind, KINDS[kind] | {"name": "Ours", "segments": named}, 1)
    assert (written["version"], await stands(org, kind)) == (2, where)
    for axis, was in enumerate(first["cuts"]):
        assert written["cuts"][axis] == was | {"taken": [False] * len(was["taken"])}
        assert all(was["taken"])


async def test_a_share_that_is_new_is_taken_and_the_other_stays(db: Database) -> None:
    org, made = await office(db)
    assert cut(await put(org, "tier", BANDS)) == ([60, 100], [True, True])
    await change(org, made, GROWN)
    other = BANDS | {
        "spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.9], "among": {"text": "arr>0"}}}
    }
    written = await put(org, "tier", other, 1)
    assert cut(written) == ([60, 700], [False, True])
    assert written["cuts"][0]["frozen_at"] == LATER.date().isoformat()
    assert cut(await shown(org, "tier")) == ([60, 700], [False, True])
    renamed = await put(org, "tier", other | {"name": "Ours"}, 2)
    assert cut(renamed) == ([60, 700], [False, False])


async def test_cuts_of_two_days_that_would_cross_are_all_taken(db: Database) -> None:
    org, made = await office(db)
    await put(org, "tier", BANDS)
    await change(org, made, dict.fromkeys(range(1, 13), 3))
    other = BANDS | {"spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.9], "among": "arr > 0"}}}
    assert cut(await put(org, "tier", other, 1)) == ([3, 3], [True, True])


async def test_cuts_over_other_accounts_or_of_another_field_are_taken(db: Database) -> None:
    org, made = await office(db)
    await put(org, "tier", BANDS)
    await change(org, made, GROWN)
    among = BANDS | {"spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.8], "among": "arr > 6"}}}
    assert cut(await put(org, "tier", among, 1))[1] == [True, True]
    health = BANDS | {"spec": {"field": "health", "cuts": {"by": "percentile", "at": [0.5, 0.8], "among": "arr > 6"}}}
    assert cut(await put(org, "tier", health, 2))[1] == [True, True]


async def test_an_axis_more_takes_its_own_cuts_alone(db: Database) -> None:
    org, made = await office(db)
    await put(
        org, "tier", BANDS | {"spec": {"field": "arr", "cuts": {"by": "median"}}, "segments": BANDS["segments"][:2]}
    )
    await change(org, made, GROWN)
    written = await put(org, "tier", QUADRANT, 1)
    assert (cut(written), cut(written, 1)) == (([60], [False]), ([25], [True]))


async def test_a_book_keeps_its_cuts_and_takes_those_that_are_new(db: Database) -> None:
    org, made = await office(db)
    await put(org, "tier", BOOKS)
    await change(org, made, GROWN)
    other = BOOKS | {"spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.9], "within": "region"}}}
    written = await put(org, "tier", other, 1)
    assert cut(written) == ([], [False, True])
    assert {one["book"]: [int(at) for at in one["at"]] for one in written["cuts"][0]["books"]} == {
        "e": [60, 900],
        "w": [50, 500],
    }


async def test_cuts_that_no_account_had_are_taken_when_it_is_put_again(db: Database) -> None:
    org = await organisation(db)
    assert cut(await put(org, "tier", BANDS)) == ([], [])
    await accounts.create(db, org.call(), {"name": "A", "arr": 5})
    assert cut(await put(org, "tier", BANDS, 1)) == ([5, 5], [True, True])


async def test_whoever_a_band_holds_is_held_on_when_a_segment_is_called_something_else(db: Database) -> None:
    org, made = await office(db)
    held = BANDS | {"band": 0.2}
    await put(org, "tier", held)
    await change(org, made, {6: 55})
    where = await stands(org, "tier")
    assert where[made[5]] == "medium"
    renamed = held | {"name": "Ours"}
    assert (await simulations.simulate(db, org.people["viewer"], "tier", renamed, LATER))["sample"] == []
    await put(org, "tier", renamed, 1)
    assert await stands(org, "tier") == where
    await put(org, "tier", renamed | {"band": 0.05}, 2)
    assert (await stands(org, "tier"))[made[5]] == "low"


async def test_a_wider_band_or_a_confirmation_releases_nobody_whom_the_band_holds(db: Database) -> None:
    org, made = await office(db)
    held = BANDS | {"band": 0.2}
    await put(org, "tier", held)
    await change(org, made, {6: 55})
    where = await stands(org, "tier")
    changes: tuple[dict[str, Any], ...] = ({"band": 0.3}, {"band": 0.3, "confirm": "2d"}, {"band": 0.1})
    for version, more in enumerate(changes, 1):
        tried = await simulations.simulate(db, org.people["viewer"], "tier", held | more, LATER)
        assert (await put(org, "tier", held | more, version))["version"] == version + 1
        assert (tried["sample"], await stands(org, "tier")) == ([], where)
    tried = await simulations.simulate(db, org.people["viewer"], "tier", held | {"band": 0.05}, LATER)
    await put(org, "tier", held | {"band": 0.05}, 4)
    assert [(one["was"], one["becomes"]) for one in tried["sample"]] == [("medium", "low")]
    assert await stands(org, "tier") == where | {made[5]: "low"}


async def test_who_waits_waits_on_when_the_time_to_confirm_is_another(db: Database) -> None:
    org, made = await office(db)
    slow = BANDS | {"confirm": "2d"}
    await put(org, "tier", slow)
    where = await stands(org, "tier")
    await change(org, made, {1: 500})
    for version, longer in enumerate(("4d", "3d"), 1):
        tried = await simulations.simulate(db, org.people["viewer"], "tier", slow | {"confirm": longer}, LATER)
        await put(org, "tier", slow | {"confirm": longer}, version)
        assert (tried["sample"], await stands(org, "tier")) == ([], where)
    now = LATER + timedelta(days=2)
    tried = await simulations.simulate(db, org.people["viewer"], "tier", slow | {"confirm": "36h"}, now)
    await segmentations.put(db, org.call(now=now), "tier", slow | {"confirm": "36h"}, 3)
    assert [(one["was"], one["becomes"]) for one in tried["sample"]] == [("low", "high")]
    assert await stands(org, "tier") == where | {made[0]: "high"}


@pytest.mark.parametrize(
    ("criteria", "shut"),
    [("arr > 100 AND arr < 110", True), ("arr IN 100..110", True), ("health >= 95", True), ("arr > 100 AND arr < 200", False),
     ("arr > 100", False), ("arr > 5 AND arr < 4", False), ("(arr > 100 AND arr < 110) OR health > 50", False)],
)  # fmt: skip
async def test_criteria_that_a_band_would_let_nobody_in_by_are_refused(db: Database, criteria: str, shut: bool) -> None:
    org = await organisation(db)
    rules = {"name": "Rules", "kind": "rules", "segments": [{"slug": "a", "name": "A", "criteria": criteria}]}
    await put(org, "free", rules)
    held = rules | {"band": 0.1}
    if not shut:
        await simulations.simulate(db, org.people["viewer"], "rules", held, LATER)
        await put(org, "rules", held)
        return
    for tried in (put(org, "rules", held), simulations.simulate(db, org.people["viewer"], "rules", held, LATER)):
        with pytest.raises(Invalid) as refused:
            await tried
        (fault,) = refused.value.faults
        assert (fault.pointer, "all of them cannot at once" in fault.message) == ("/segments/0/criteria", True)


@pytest.mark.parametrize(
    ("field", "at", "cut", "numbers"),
    [("arr", [100, 105], 1, "from 100 to below 105 of arr nobody could come in from the levels beside it, as from below it takes 110 or more, and from above less than 94.5."),
     ("health", [50, 95], 1, "from 95 of health on nobody could come in, as it takes 104.5 or more, and it is at most 100."),
     ("arr", [100, 110.5], None, ""), ("health", [50, 90], None, ""), ("sentiment", [-1, 0], None, "")],
)  # fmt: skip
async def test_amounts_closer_together_than_the_band_are_refused(
    db: Database, field: str, at: list[float], cut: int | None, numbers: str
) -> None:
    org = await organisation(db)
    axis = {"field": field, "cuts": {"by": "absolute", "at": at}}
    tiers = BANDS | {"spec": axis, "band": 0.1}
    cells = [{"slug": name, "name": name, "x": name} for name in ("high", "medium", "low")]
    cell = QUADRANT | {"spec": {**QUADRANT["spec"], "x": axis}, "segments": cells, "band": 0.1}
    for body, pointer in ((tiers, "/spec/cuts/at"), (cell, "/spec/x/cuts/at")):
        if cut is None:
            await put(org, str(body["kind"]), body)
            continue
        for tried in (put(org, "tier", body), simulations.simulate(db, org.people["viewer"], "tier", body, LATER)):
            with pytest.raises(Invalid) as refused:
                await tried
            (fault,) = refused.value.faults
            assert fault.pointer == f"{pointer}/{cut}"
            assert fault.message.startswith(f"Expected cuts further apart than the band: {numbers}")


async def test_cuts_that_are_found_closer_together_than_the_band_are_told(db: Database) -> None:
    org, _ = await office(db)
    near = BANDS | {"spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.6]}}}
    assert document((await segmentations.put(db, org.call(), "tier", near, None)).body)["detail"] is None
    told = document((await segmentations.put(db, org.call(), "tier", near | {"band": 0.4}, 1)).body)["detail"]
    assert told.startswith("Cuts lie closer together than the band: from ")
    assert (await segmentations.get(db, org.people["viewer"], "tier", NOW))["detail"] == told


async def test_a_segment_that_is_no_more_is_called_what_it_was(db: Database) -> None:
    org, _ = await office(db)
    named = [BANDS["segments"][0] | {"name": "Our best"}, *BANDS["segments"][1:]]
    await segmentations.put(db, org.call(), "tier", BANDS | {"segments": named}, None)
    await put(org, "tier", BANDS | {"segments": [{"slug": "top", "name": "Top"}, *BANDS["segments"][1:]]}, 1)
    found = await segmentations.segments(db, org.people["viewer"], "tier", LATER, NOW.date().isoformat())
    assert ("high", "Our best", 3) in [(one["slug"], one["name"], one["accounts"]) for one in found["data"]]


# -- asked for in words ------------------------------------------------------------------------------------------------


async def test_cuts_are_taken_anew_when_somebody_says_so(db: Database) -> None:
    org, made = await office(db)
    await put(org, "tier", BANDS)
    await change(org, made, GROWN)
    told = await simulations.simulate(db, org.people["viewer"], "tier", {}, LATER)
    where = await stands(org, "tier")
    written = document((await versions.refreeze(db, org.call(now=LATER), "tier", {"note": "A new year"}, 1)).body)
    assert (written["version"], cut(written)) == (2, ([70, 500], [True, True]))
    assert cut(told) == cut(written)
    assert await moved(org, "tier", where) == sample(told)
    (kept, _), _, _ = await versions.every(db, org.people["viewer"], "tier", None, 5)
    assert (kept["cause"], kept["note"], kept["author"]) == ("refreeze", "A new year", "Admin")
    again = document((await versions.refreeze(db, org.call(now=LATER), "tier", {}, 2)).body)
    assert again["version"] == 2


async def test_amounts_that_a_definition_tells_cannot_be_taken_anew(db: Database) -> None:
    org, _ = await office(db)
    await put(org, "tier", BANDS | {"spec": {"field": "arr", "cuts": {"by": "absolute", "at": [5, 50]}}})
    with pytest.raises(Conflict, match="Expected cuts that are taken from the accounts"):
        await versions.refreeze(db, org.call(), "tier", {}, 1)


async def test_a_rollback_brings_the_cuts_of_its_version_and_a_schedule_goes_on(db: Database) -> None:
    org, made = await office(db)
    monthly = BANDS | {"refreeze": "month"}
    await put(org, "tier", monthly)
    await change(org, made, GROWN)
    await versions.refreeze(db, org.call(now=LATER), "tier", {}, 1)
    back = document((await versions.rollback(db, org.call(now=LATER), "tier", {"version": 1}, 2)).body)
    assert cut(back) == ([60, 100], [False, False])
    put_back = await put(org, "tier", back["definition"], 3)
    assert put_back["version"] == 3
    assert await ticks.refreeze(db, org.workspace.id, LATER) == 0
    assert await ticks.refreeze(db, org.workspace.id, NOW + timedelta(days=40)) == 1
    assert cut(await shown(org, "tier")) == ([70, 500], [True, True])


# -- the law -----------------------------------------------------------------------------------------------------------


def sample(told: Any) -> set[tuple[str, str | None, str]]:
    assert told["moved"]["accounts"] == len(told["sample"]) <= 20
    return {(str(one["id"]), one["was"], one["becomes"]) for one in told["sample"]}


async def moved(org: Organisation, slug: str, was: dict[UUID, str]) -> set[tuple[str, str | None, str]]:
    now = await stands(org, slug)
    return {(str(one), was.get(one), segment) for one, segment in now.items() if segment != was.get(one)}


def edited(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    """Another definition, or what stands said again."""
    segments = [{**one, "name": random.choice(("One", "Two", one["name"]))} for one in body["segments"]]
    match random.randrange(6):
        case 0:
            return body
        case 1:
            return body | {"segments": segments, "band": random.choice((None, 0.3))}
        case 2:
            return random.choice(list(KINDS.values()))
        case 3:
            return body | {"name": f"Called {random.random()}"}
        case _ if body["kind"] == "bands" and body["spec"]["cuts"].get("at"):
            cuts = body["spec"]["cuts"] | {"at": sorted(random.sample([0.3, 0.5, 0.8, 0.9], 2))}
            return body | {"spec": body["spec"] | {"cuts": cuts}}
        case _:
            return body | {"segments": segments}


async def test_plan_simulate_put_publish_and_apply_agree_row_by_row(db: Database) -> None:
    org, made = await office(db, 18)
    await put(org, "tier", BANDS)
    random, seen = Random(7), set[str]()
    for _ in range(24):
        if random.random() < 0.6:
            await change(org, made, {random.randint(1, 18): random.choice((1, 15, 57, 64, 105, 400))})
        standing, where = await shown(org, "tier"), await stands(org, "tier")
        wanted, version = edited(random, standing["definition"]), standing["version"]
        wanted = {name: told for name, told in wanted.items() if told is not None}
        file = {"segmentations": {"tier": wanted}}
        planned = await segmentation_files.plan(db, org.people["admin"], file, LATER)
        told = await simulations.simulate(db, org.people["admin"], "tier", wanted, LATER)
        way = random.choice(("put", "publish", "apply"))
        await done(org, way, wanted, version, file)
        answer, went = await shown(org, "tier"), await moved(org, "tier", where)
        assert (answer["version"] == version) == (planned[0].state == "same")
        assert sample(told) == went == (set() if planned[0].simulated is None else sample(planned[0].simulated))
        assert [one["at"] for one in told["cuts"]] == [one["at"] for one in answer["cuts"]]
        if planned[0].state != "same":
            assert told["cuts"] == answer["cuts"]
        seen.add(f"{way} {planned[0].state} {bool(went)}")
    assert len(seen) >= 7, seen


async def done(org: Organisation, way: str, wanted: dict[str, Any], version: int, file: dict[str, Any]) -> None:
    call = org.call(now=LATER)
    if way == "put":
        await segmentations.put(org.db, call, "tier", wanted, version)
    elif way == "publish":
        await drafts.put(org.db, call, "tier", wanted, None)
        await drafts.publish(org.db, call, "tier", {}, version)
    else:
        planned = await segmentation_files.plan(org.db, org.people["admin"], file, LATER)
        await segmentation_files.apply(org.db, call, planned)
