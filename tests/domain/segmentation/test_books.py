"""Cuts within books, told as criteria: what is told can be read again, up to the last book that fits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.criteria import text, tree
from app.domain.criteria.limits import NODES
from app.domain.criteria.nodes import Node
from app.domain.errors import Invalid, Unreadable
from app.domain.segmentation import books
from app.domain.segmentation.bodies import read
from app.domain.segmentation.books import Books
from app.domain.segmentation.cuts import Book, Frozen
from app.domain.segmentation.kinds import expanded
from app.domain.segmentation.presets import presets


def own(count: int, length: int = 1) -> tuple[Node, Books]:
    """The criteria of whoever is high on both axes, and the cuts of so many books whose keys are so long."""
    of = read("book", presets()["book"])
    cut = Frozen((), date(2026, 1, 1), count, {f"{n:0{length}}": Book((Decimal("10.50"),), 1) for n in range(count)})
    return expanded(of, (cut, cut))[0], books.of(of.axes, (cut, cut))


@pytest.mark.parametrize("count", [1, 2, 48, 49])
def test_what_fits_is_read_as_it_is_told(count: int) -> None:
    said = books.spelt(*own(count))
    assert said is not None
    assert text.parse(text.format(said)) == said == tree.load(tree.dump(said))


@pytest.mark.parametrize(("count", "length"), [(50, 1), (NODES + 1, 1), (40, 500)])
def test_what_does_not_fit_is_not_told(count: int, length: int) -> None:
    """50 books of three comparisons each are 201 nodes, and a long text is too long; that much is refused when it is read."""
    node, within = own(count, length)
    assert books.spelt(node, within) is None
    ways = " OR ".join(f'(csm = "{n:0{length}}" AND arr >= 10.5 AND growth_potential >= 10.5)' for n in range(count))
    with pytest.raises((Invalid, Unreadable)):
        text.parse(ways)


def test_one_account_is_told_of_its_own_book() -> None:
    node, within = own(3)
    assert text.format(books.spelt_for(node, within, {"csm": "2"})) == (
        'csm = "2" AND arr >= 10.5 AND growth_potential >= 10.5'
    )
    for nowhere in (None, "7"):
        assert text.format(books.spelt_for(node, within, {"csm": nowhere})) == 'csm IN ("0", "1", "2")'
    assert text.format(books.spelt_for(*own(0), {"csm": "1"})) == "NOT ALL"
