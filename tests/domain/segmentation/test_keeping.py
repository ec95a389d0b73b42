"""Cuts that stay: which of those that stand a definition says again, and which go together with others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from app.domain.criteria import text
from app.domain.segmentation import keeping
from app.domain.segmentation.axes import Axis, Cuts
from app.domain.segmentation.cuts import Book, Frozen, loaded, stored

OLD, NEW = date(2025, 12, 1), date(2026, 11, 22)
HALF, MOST = Decimal("0.5"), Decimal("0.8")
AXIS = Axis("arr", Cuts("percentile", (HALF, MOST), text.parse("arr > 0")))
FROZEN = Frozen((Decimal(10), Decimal(40)), OLD, 9)


def cut(at: int, day: date = NEW, accounts: int = 5) -> Frozen:
    return Frozen((Decimal(at),), day, accounts)


def test_a_share_is_found_however_it_is_spelt_and_in_whatever_kind_it_stands() -> None:
    spelt = replace(AXIS, cuts=replace(AXIS.cuts, among=text.parse("(arr>0)")), pointer="/spec/x")
    assert keeping.population(spelt) == keeping.population(AXIS)
    found = keeping.shares(keeping.population(spelt), [(AXIS, FROZEN)])
    assert {share: (one.at, one.kept) for share, one in found.items()} == {
        HALF: ((Decimal(10),), (True,)), MOST: ((Decimal(40),), (True,)),
    }  # fmt: skip
    median = replace(AXIS, cuts=Cuts("median", among=AXIS.cuts.among))
    assert list(keeping.shares(keeping.population(median), [(median, cut(7))])) == [HALF]
    among = replace(AXIS, cuts=replace(AXIS.cuts, among=text.parse("arr > 1")))
    assert keeping.shares(keeping.population(among), [(AXIS, FROZEN)]) == {}


def test_what_could_not_be_cut_is_kept_by_nobody() -> None:
    assert keeping.shares(keeping.population(AXIS), [(AXIS, Frozen((), OLD, 0))]) == {}
    natural = Axis("arr", Cuts("natural", parts=3))
    assert keeping.whole(natural, [(natural, Frozen((), OLD, 0))]) is None
    assert keeping.whole(natural, [(natural, FROZEN)]) == replace(FROZEN, kept=(True, True))
    assert keeping.whole(natural, [(Axis("arr", Cuts("natural", parts=4)), FROZEN)]) is None


def test_cuts_of_two_days_go_together_where_they_ascend() -> None:
    old = replace(cut(10, OLD, 9), kept=(True,))
    assert keeping.joined([old, cut(40)]) == Frozen((Decimal(10), Decimal(40)), OLD, 9, kept=(True, False))
    assert keeping.joined([old, cut(10)]) is not None
    assert keeping.joined([old, cut(9)]) is None
    assert keeping.joined([old, Frozen((), NEW, 0)]) is None
    assert keeping.joined([cut(1), cut(2)]) == Frozen((Decimal(1), Decimal(2)), NEW, 5)


def test_a_book_has_cuts_where_it_has_all_of_them() -> None:
    def books(day: date, **at: int) -> Frozen:
        return Frozen((), day, 6, {key: Book((Decimal(one),), 3) for key, one in at.items()})

    old = replace(books(OLD, ada=10, bob=20), kept=(True,))
    found = keeping.joined([old, books(NEW, ada=30, cy=40)])
    assert found == Frozen((), OLD, 6, {"ada": Book((Decimal(10), Decimal(30)), 3)}, kept=(True, False))
    assert keeping.joined([old, books(NEW, cy=40)]) is None
    assert keeping.joined([old, books(NEW, ada=5)]) is None


def test_what_was_kept_is_stored() -> None:
    kept = replace(FROZEN, kept=(True, False))
    assert loaded(stored([kept, FROZEN])) == (kept, FROZEN)
