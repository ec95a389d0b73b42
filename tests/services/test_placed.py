"""Why an account is where it is, in numbers: each axis value, how far it is from each cut, and what each part gave."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.persistence.database import Database
from app.services import accounts, explain, pins, segmentations, workspaces
from tests.services.organisations import NOW, Organisation, organisation


def axis(field: str, *at: float, **more: Any) -> dict[str, Any]:
    return {"field": field, "cuts": {"by": "absolute", "at": [*at]} if at else more}


def cell(x: str, y: str) -> dict[str, Any]:
    return {"slug": f"{x}-{y}", "name": f"{x} {y}", "x": x, "y": y}


CELLS = [cell(x, y) for x in ("high", "low") for y in ("high", "low")]
BANDS = {
    "name": "Bands", "kind": "bands", "spec": axis("arr", 0, 100, 1000),
    "segments": [{"slug": slug, "name": slug} for slug in ("a", "b", "c", "d")],
}  # fmt: skip
MATRIX = {
    "name": "Matrix", "kind": "matrix", "segments": CELLS,
    "spec": {"x": axis("arr", 200), "y": axis("growth_potential", 50.5)},
}  # fmt: skip
OWN = {
    "name": "Own book", "kind": "matrix", "segments": CELLS,
    "spec": {"x": axis("arr", by="median", within="csm"), "y": axis("growth_potential", by="median", within="csm")},
}  # fmt: skip
SCORE = {
    "name": "Score", "kind": "score", "segments": [{"slug": slug, "name": slug} for slug in ("top", "mid", "low")],
    "spec": {
        "at": [2, 7],
        "measures": [
            {**axis("arr", 200, 400), "points": [0, 1, 3], "weight": 2},
            {"field": "industry", "values": {"steel": 2}, "otherwise": -1, "empty": -0.5},
            {"criteria": "growth_potential >= 60", "points": 5, "otherwise": 0.5},
            {**axis("health", 50), "points": [0, 1], "empty": 0.25},
        ],
    },
}  # fmt: skip
LANES = {
    "name": "Lanes", "kind": "lanes",
    "segments": [{"slug": lane, "name": lane, "lane": lane} for lane in ("severe", "medium", "low")],
    "spec": {
        "considerations": [
            {"field": "arr", "lifts_from": 250}, {"field": "health", "lowers_below": 30},
            {"field": "growth_potential", "lifts_from": 90, "lowers_below": 50},
        ]
    },
}  # fmt: skip
PUT = {"bands": BANDS, "matrix": MATRIX, "own": OWN, "score": SCORE, "lanes": LANES}


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Small (ARR 10), Mid (300.50, growth 40) and Big (500, 80) are in one book, Lone (100) is in none."""
    made = await organisation(db)
    await made.industry("steel")
    csm = str(made.user("csm"))
    await accounts.create(db, made.call(), {
        "name": "Mid", "arr": Decimal("300.5"), "growth_potential": 40, "csm": csm, "industry": "steel",
    })  # fmt: skip
    await accounts.create(db, made.call(), {"name": "Big", "arr": 500, "growth_potential": 80, "csm": csm})
    await accounts.create(db, made.call(), {"name": "Small", "arr": 10, "csm": csm})
    await accounts.create(db, made.call(), {"name": "Lone", "arr": 100})
    for slug, body in PUT.items():
        await segmentations.put(db, made.call(), slug, body, None)
    loaded = await workspaces.load(db, made.workspace.id)
    return made.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)


async def explained(org: Organisation, name: str, slug: str) -> dict[str, Any]:
    rows = await org.rows("SELECT id FROM accounts WHERE workspace_id = $1 AND name = $2", name)
    account: UUID = rows[0][0]
    return await explain.of_segments(org.db, org.as_("viewer"), account, slug, NOW)


def away(one: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(cut["at"], cut["distance"], cut["share"]) for cut in one["cuts"]]


async def test_it_says_where_the_criteria_put_it_and_where_it_stands(org: Organisation) -> None:
    """`segment` is the verdict of the criteria, `stands.segment` where it is; one sentence says both, and what keeps it."""
    told = await explained(org, "Big", "bands")
    assert told["says"] == "Its criteria put it in b, where it stands."
    account: UUID = told["account"]["id"]
    await pins.pin(org.db, org.call(), account, "bands", {"segment": "d", "reason": "A pilot."})
    pinned = await explained(org, "Big", "bands")
    assert (pinned["segment"], pinned["stands"]["segment"], pinned["stands"]["pending"]["held_by"]) == ("b", "d", "pin")
    assert pinned["says"] == "Its criteria put it in b; it stands in d, where it is pinned."
    assert [one["segment"] for one in pinned["segments"] if one["decides"]] == ["b"]


@pytest.mark.parametrize(
    ("steady", "says"),
    [({"band": 0.5}, "; it stands in b, which it has not left by more than the band: it stays while arr >= 50."),
     ({"confirm": "2d"}, f"; it stands in b until the move is confirmed, at {(NOW + timedelta(days=2)).isoformat().replace('+00:00', 'Z')}.")],
)  # fmt: skip
async def test_it_says_what_keeps_it(org: Organisation, steady: dict[str, Any], says: str) -> None:
    await segmentations.put(org.db, org.call(), "steady", {**BANDS, **steady}, None)
    ((account, version),) = await org.rows("SELECT id, version FROM accounts WHERE workspace_id = $1 AND name = 'Lone'")
    await accounts.change(org.db, org.call(), account, {"arr": 90}, version)
    told = await explained(org, "Lone", "steady")
    assert told["says"] == "Its criteria put it in c" + says


async def test_bands_say_how_far_each_cut_is(org: Organisation) -> None:
    found = await explained(org, "Mid", "bands")
    (one,) = found["placed_by"]["axes"]
    assert (one["field"], one["value"], one["reached"], found["segment"]) == ("arr", Decimal("300.5"), 2, "b")
    assert away(one) == [
        (0, Decimal("300.5"), None),
        (100, Decimal("200.5"), 2.005),
        (1000, Decimal("-699.5"), -0.6995),
    ]
    (lone,) = (await explained(org, "Lone", "bands"))["placed_by"]["axes"]
    assert (lone["reached"], away(lone)[1]) == (2, (100, 0, 0.0))


async def test_a_matrix_names_its_levels_and_says_what_lacks_a_value(org: Organisation) -> None:
    x, y = (await explained(org, "Mid", "matrix"))["placed_by"]["axes"]
    assert [(one["axis"], one["level"], away(one)) for one in (x, y)] == [
        ("x", "high", [(200, Decimal("100.5"), 0.5025)]), ("y", "low", [(Decimal("50.5"), Decimal("-10.5"), -0.207921)]),
    ]  # fmt: skip
    x, y = (await explained(org, "Lone", "matrix"))["placed_by"]["axes"]
    assert (x["level"], y["level"], y["value"], y["cuts"]) == ("low", None, None, [])


async def test_within_a_book_the_cuts_are_those_of_the_book(org: Organisation) -> None:
    for name, level, distance in (
        ("Small", "low", Decimal("-290.5")),
        ("Mid", "high", 0),
        ("Big", "high", Decimal("199.5")),
    ):
        found = await explained(org, name, "own")
        x, y = found["placed_by"]["axes"]
        assert (x["within"], x["book"]) == ("csm", str(org.user("csm")))
        assert (x["level"], [cut["distance"] for cut in x["cuts"]]) == (level, [distance]), name
        assert found["segment"] == (f"{level}-{y['level']}" if y["level"] else "unclassified")
    lone = await explained(org, "Lone", "own")
    assert [(one["book"], one["cuts"], one["level"]) for one in lone["placed_by"]["axes"]] == [(None, [], None)] * 2


async def test_the_parts_of_a_score_add_up_and_decide(org: Organisation) -> None:
    given = {}
    for name in ("Mid", "Big", "Lone"):
        found = await explained(org, name, "score")
        score = found["placed_by"]["score"]
        parts = [part["given"] for part in score["measures"]]
        assert score["points"] == sum(parts)
        reached = sum(cut["distance"] >= 0 for cut in score["cuts"])
        assert found["segment"] == ("low", "mid", "top")[reached], name
        given[name] = parts
    half, quarter = Decimal("0.5"), Decimal("0.25")
    assert given == {
        "Mid": [2, 2, half, quarter], "Big": [6, -half, 5, quarter], "Lone": [0, -half, half, quarter],
    }  # fmt: skip


async def test_a_lane_says_what_lifts_and_what_lowers(org: Organisation) -> None:
    found = (await explained(org, "Mid", "lanes"))["placed_by"]["lane"]
    assert [(one["field"], one["effect"]) for one in found["considerations"]] == [
        ("arr", "lifts"), ("health", "none"), ("growth_potential", "lowers"),
    ]  # fmt: skip
    assert (found["net"], found["considerations"][0]["cuts"][0]["distance"]) == (0, Decimal("50.5"))
