"""Kinds expanded into ordered criteria, as text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.domain.criteria import text
from app.domain.segmentation.bodies import read
from app.domain.segmentation.cuts import Frozen, loaded, stored
from app.domain.segmentation.kinds import expanded
from app.domain.segmentation.presets import presets

DAY = date(2026, 3, 29)


def frozen(*at: str) -> Frozen:
    return Frozen(tuple(map(Decimal, at)), DAY, 30)


def test_bands_go_from_the_highest_and_leave_the_empty_to_the_rest() -> None:
    tier = read("tier", presets()["tier"])
    assert [text.format(node) for node in expanded(tier, (frozen("1000", "2500.5"),))] == [
        "arr >= 2500.5",
        "arr >= 1000",
        "arr IS NOT EMPTY",
    ]


def test_cells_of_the_portfolio() -> None:
    portfolio = read("portfolio", presets()["portfolio"])
    nodes = expanded(portfolio, (frozen("1000"), frozen("10")))
    assert {s.slug: text.format(node) for s, node in zip(portfolio.segments, nodes, strict=True)} == {
        "strategic": "arr >= 1000 AND growth_potential >= 10",
        "key": "arr >= 1000 AND growth_potential < 10",
        "monitor": "arr < 1000 AND growth_potential >= 10",
        "maintain": "arr < 1000 AND growth_potential < 10",
    }


def test_without_cuts_nobody_is_placed() -> None:
    for slug, cuts in (("tier", (frozen(),)), ("portfolio", (frozen("1000"), frozen()))):
        wanted = read(slug, presets()[slug])
        assert {text.format(node) for node in expanded(wanted, cuts)} == {"NOT ALL"}


def test_middle_levels_lie_between_two_cuts() -> None:
    cuts = {"by": "absolute", "at": [1, 2]}
    cells = [
        {"slug": f"{x}-{y}", "name": x, "x": x, "y": y} for x in ("high", "medium", "low") for y in ("high", "low")
    ]
    body = {
        "name": "M", "kind": "matrix", "segments": cells,
        "spec": {"x": {"field": "health", "cuts": cuts}, "y": {"field": "arr", "cuts": {"by": "median"}}},
    }  # fmt: skip
    found = expanded(read("m", body), (frozen("1", "2"), frozen("7")))
    assert text.format(found[2]) == "health >= 1 AND health < 2 AND arr >= 7"


def test_cuts_are_kept_exactly() -> None:
    cuts = (frozen("0.10", "12345678901.23"), Frozen((), DAY, 0), Frozen((Decimal(3),), DAY))
    assert loaded(stored(cuts)) == cuts
