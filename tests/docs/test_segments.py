"""docs/segments.md: every recipe is run against the real server with the demo, and what it shows is held against answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.guides import answered, blocks, prepared, recipes, unsaid, untrue
from tests.servers import Server

BLOCKS = blocks("segments.md")
RECIPES = recipes(BLOCKS)


@pytest.mark.parametrize("recipe", RECIPES)
async def test_a_recipe(recipe: str, server: Server, demo_key: str, tmp_path: Path) -> None:
    """It runs, and what is shown of its answers is so."""
    for one, lines in await answered(BLOCKS, recipe, tmp_path, server, demo_key):
        if isinstance(one.shown, list):
            assert not list(unsaid(one.shown, lines)), lines
        elif one.shown is not None:
            assert not list(untrue(one.shown, lines[-1])), lines[-1]
