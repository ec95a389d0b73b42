"""docs/decisions: the index names every page once, and no page that is not there."""

from __future__ import annotations

import re
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "decisions"


def test_the_index_is_the_folder() -> None:
    index = (PAGES / "README.md").read_text()
    named = re.findall(r"^\| \[([a-z-]+\.md)\]\(([a-z-]+\.md)\) \| \S.* \|$", index, re.MULTILINE)
    assert all(name == target for name, target in named)
    assert sorted(name for name, _ in named) == sorted(
        page.name for page in PAGES.glob("*.md") if page.name != "README.md"
    )
