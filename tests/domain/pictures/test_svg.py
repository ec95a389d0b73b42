"""Words in pictures: as long as there is room for, and numbers that say what they are."""

from __future__ import annotations

import pytest

from app.domain.pictures.svg import (
    ASIDE,
    COLOURS,
    REST,
    amount,
    amounts,
    apart,
    balanced,
    counted,
    fit,
    painted,
    percent,
    width,
    wrapped,
)

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


def test_shares_are_never_nought_or_all_where_they_are_not() -> None:
    assert [percent(share) for share in (0.0001, 0.9961, 0.99999, -0.0001)] == ["<0.1%", "99.6%", ">99.9%", "-<0.1%"]


def test_names_that_begin_alike_are_cut_in_the_middle() -> None:
    cuts = {fit(f"{LONG}, number {n}", 150, 13, middle=True) for n in range(9)}
    assert len(cuts) == 9
    assert all("…" in cut and width(cut, 13) <= 150 for cut in cuts)


def test_a_word_wider_than_a_line_is_parted() -> None:
    word = "Rindfleischetikettierungsüberwachungsaufgabe"
    lines = wrapped(word, 150, 13, 9)
    assert "".join(lines) == word
    assert all(width(line, 13) <= 150 for line in lines)


def test_titles_are_parted_evenly_and_days_stay_whole() -> None:
    assert balanced("Renewals due 22 Nov 2026 to 21 Nov 2027", 452, 18) == [
        "Renewals due 22 Nov 2026",
        "to 21 Nov 2027",
    ]
    assert balanced("Tier", 452, 18) == ["Tier"]


def test_names_from_right_to_left_are_isolated() -> None:
    assert apart("Key") == "Key"
    assert apart("\u05db\u05dc") == "\u2068\u05db\u05dc\u2069"


def test_colours_of_their_own_are_kept_and_no_other_has_them() -> None:
    assert painted([COLOURS[1], None, None]) == [COLOURS[1], COLOURS[0], COLOURS[2]]
    assert painted([REST, REST]) == [REST, ASIDE]
    assert painted([None, REST]) == [COLOURS[0], REST]
