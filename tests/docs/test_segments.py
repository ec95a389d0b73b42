"""docs/segments.md: every recipe is run on the real server with the demo, and its answers are held against what is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docs.guides import blocks, cents, recipes, tell
from tests.servers import Server

BLOCKS = blocks("segments.md")
RECIPES = recipes(BLOCKS)


@pytest.mark.parametrize("recipe", RECIPES)
async def test_a_recipe(recipe: str, server: Server, demo_key: str, tmp_path: Path) -> None:
    """It runs, what is shown of its answers is so, and they are what the words around it say."""
    told = await tell(BLOCKS, recipe, tmp_path, server, demo_key)
    if check := CHECKS.get(int(recipe.partition(".")[0])):
        check([lines[-1] for lines in told if lines])


def looked_at(told: list[Any]) -> None:
    rest, graphql, accounts = told
    segments = graphql["segmentation"]["segments"]
    assert [(one["slug"], one["accounts"], one["arr"]) for one in rest["data"]] == [
        (one["slug"], one["accounts"], one["arr"]) for one in segments
    ]
    assert sum(one["accounts"] for one in segments) == rest["accounts"] == 2000
    assert sum(cents(one["arr"]) for one in segments) == cents(rest["arr"])
    assert [one["name"] for one in accounts["data"]] == [
        one["name"] for one in graphql["segmentation"]["accounts"]["nodes"]
    ]


def simulated(told: list[Any]) -> None:
    would, by_graphql, renamed = told
    for side in ("before", "after"):
        assert sum(one[side]["accounts"] for one in would["segments"]) == 2000
    assert sum(one["accounts"] for one in would["moves"]) == would["moved"]["accounts"] > 0
    assert would["load"]["after"]["hours"] < would["load"]["before"]["hours"]
    assert sum(one["after"]["accounts"] for one in by_graphql["simulateSegmentation"]["segments"]) == 2000
    (left,) = renamed["removed"]
    assert all(one["count"] == len(one["examples"]) for one in left["dependents"])
    assert (left["slug"], left["becomes"]) in [(one["from"], one["to"]) for one in renamed["moves"]]
    assert left["slug"] not in [one["to"] for one in renamed["moves"]]


def published(told: list[Any]) -> None:
    ((back, published_),) = [one["data"] for one in told]
    assert (back["version"], back["restores"]) == (published_["version"] + 1, published_["version"] - 1)


def moved(told: list[Any]) -> None:
    flow, _ = told
    assert flow["before"]["accounts"] + flow["entered"]["accounts"] - flow["left"]["accounts"] == 2000
    assert sum(one["accounts"] for one in flow["flow"]) == flow["after"]["accounts"] == 2000


def counted(told: list[Any]) -> None:
    rest, graphql = told
    assert graphql["capacity"]["needed"]["csms"] == rest["needed"]["csms"]
    assert graphql["capacity"]["moves"] == {name: rest["moves"][name] for name in ("count", "hires", "why")}
    assert len(rest["moves"]["data"]) == rest["moves"]["count"]


def healthy(told: list[Any]) -> None:
    health, source, engaged = told
    for score in (health, engaged):
        assert sum(part["contribution"] for part in score["parts"]) == pytest.approx(score["score"], abs=0.1)
    assert source == "outside"


def compared(told: list[Any]) -> None:
    (side_by_side,) = told
    for one in side_by_side["scenarios"]:
        assert sum(impact["accounts"] for impact in one["impacts"]) == side_by_side["accounts"]


def laned(told: list[Any]) -> None:
    (lanes,) = told
    assert sum(one["accounts"] for one in lanes["data"]) == 2000
    assert lanes["data"][-1]["accounts"] > 0


CHECKS: dict[int, Callable[[list[Any]], None]] = {
    2: looked_at, 3: simulated, 4: published, 7: moved, 15: counted, 16: healthy, 18: compared, 20: laned,
}  # fmt: skip


def test_nothing_is_left_out() -> None:
    """Every block that names a language belongs to a recipe, or is what an answer looks like."""
    assert {one.heading for one in BLOCKS} == {"Before you begin", *RECIPES}
    assert {one.language for one in BLOCKS} == {"sh", "graphql", "json", "text"}
