"""Words in pictures: as long as there is room for, and numbers that say what they are."""

from __future__ import annotations

import pytest

from app.domain.pictures.svg import amount, amounts, counted, fit, percent, width, wrapped

LONG = "Customers of our enterprise business in Northern Europe"


@pytest.mark.parametrize("room", [13.0, 60.0, 200.0, 900.0])
def test_what_is_cut_fits_and_says_so(room: float) -> None:
    cut = fit(LONG, room, 13)
    assert width(cut, 13) <= room
    assert cut == LONG or cut.endswith("…")


def test_lines_hold_whole_words_and_the_last_one_is_cut() -> None:
    lines = wrapped(LONG, 150, 13, 9)
    assert " ".join(lines) == LONG
    assert all(width(line, 13) <= 150 for line in lines)
    two = wrapped(LONG, 150, 13, 2)
    assert two[0] == lines[0]
    assert two[1].endswith("…")
    assert wrapped("", 150, 13, 2) == []


@pytest.mark.parametrize(("value", "digits", "told"), [(460.0, 2, "460"), (999_499.0, 3, "999k"), (-0.0001, 3, "-0.0001"), (3e18, 3, "3000000T")])  # fmt: skip
def test_amounts_have_no_powers(value: float, digits: int, told: str) -> None:
    assert amount(value, False, digits=digits) == told


def test_amounts_beside_each_other_differ_where_they_do() -> None:
    assert amounts([1_001_000, 1_002_000, 1_003_000], True, "USD") == ["$1.001M", "$1.002M", "$1.003M"]
    assert amounts([0, 5000, 5000], True, "EUR") == ["€0", "€5k", "€5k"]


def test_shares_and_counts() -> None:
    assert [percent(share) for share in (0, 0.004, 0.0996, 0.5, 1, -0.25)] == [
        "0%",
        "0.4%",
        "10%",
        "50%",
        "100%",
        "-25%",
    ]
    assert [counted(n) for n in (0, 1, 1200)] == ["0 accounts", "1 account", "1,200 accounts"]
