"""The picture of cohorts: colours that tell, words that are whole, an axis that fits."""

from __future__ import annotations

import re

from app.domain.pictures.cohorts import Age, Cohorts, Curve, cohorts
from app.domain.pictures.svg import COLOURS

AGES = (Age(0, 1.0), Age(1, 0.96), Age(2, 0.93))


def drawn(count: int = 6) -> str:
    names = [f"2025-Q{n}, which has a long name" for n in range(count)]
    curves = [Curve("all, BdW", AGES, 1_430, fitted=True, every=True), Curve("all, observed", AGES, 1_430, every=True)]
    return cohorts(Cohorts("Accounts still there", "quarter", (*curves, *(Curve(name, AGES, 123) for name in names))))


def test_no_cohort_has_the_colour_of_all() -> None:
    strokes = re.findall(r'stroke-width="2.4"[^>]*', drawn(9))
    found = re.findall(r'stroke="(#[0-9a-f]+)" stroke-width="2.4"', drawn(9))
    assert len(strokes) == len(found) == 11
    assert found[:2] == [COLOURS[0]] * 2
    assert COLOURS[0] not in found[2:]
    assert len(set(found[2:10])) == 8
    # A colour that comes again is dotted.
    assert ['dasharray="2 3"' in one for one in strokes[2:]] == [False] * 8 + [True]


def test_keys_are_whole_words() -> None:
    assert "…" not in drawn()
    assert "93%" in re.sub("<[^>]+>", " ", drawn())


def test_the_axis_fits_and_the_start_is_no_dot() -> None:
    told = re.findall(r">(\d+)%<", drawn())
    assert min(map(int, told)) >= 90
    assert drawn().count("<circle") == 1 + 7 * 2
