"""docs/membership.md: every recipe is run on the real server with the demo, and its answers are held against what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.guides import PREPARATION, blocks, recipes, tell
from tests.servers import Server

OWN = blocks("membership.md")
BLOCKS = (*(one for one in blocks("segments.md") if one.heading == PREPARATION), *OWN)
RECIPES = recipes(OWN)


@pytest.mark.parametrize("recipe", RECIPES)
async def test_a_recipe(recipe: str, server: Server, demo_key: str, tmp_path: Path) -> None:
    """It runs, and what is shown of its answers is so."""
    told = await tell(BLOCKS, recipe, tmp_path, server, demo_key)
    answered = [lines[-1] for lines in told if lines]
    if recipe.startswith("1."):
        (explained, *_) = answered
        assert [one["segment"] for one in explained["segments"] if one["decides"]] == [explained["segment"]]
    if recipe.startswith("2."):
        entered, left = answered
        assert {one["segment"]["portfolio"] for one in entered["data"]} == {"strategic"}
        assert left["accounts"]["totalCount"] > 0


def test_nothing_is_left_out() -> None:
    """Every block that can be run belongs to a recipe."""
    assert {one.heading for one in OWN if one.language in ("sh", "graphql")} == set(RECIPES)
    assert len(RECIPES) == 3
