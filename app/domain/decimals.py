"""Numbers as people write them: which sign stands before the decimals, and what may part groups of three digits."""

from __future__ import annotations

from typing import Literal

Decimals = Literal[",", "."]
"""The sign before the decimals."""
DECIMALS: tuple[Decimals, ...] = (",", ".")
NUMERIC = ("number", "integer", "money")
"""Kinds of fields that are written with it."""
GAPS = (" \u00a0\u2009\u202f", "'\u2019")
"""Beside the other of the two signs, what may part groups: spaces, or apostrophes."""
SIGNS = ",." + "".join(GAPS)
"""All that may stand between the digits of a number that somebody wrote."""


def parting(decimals: Decimals) -> str:
    """The characters that may part groups of three digits."""
    return ("." if decimals == "," else ",") + "".join(GAPS)


def pattern(decimals: Decimals) -> str:
    """A regular expression, of Python and of PostgreSQL, for a whole number text. Groups have three digits each, the first one to
    three, of which none leads with 0, and one way of parting: `1.23` and `0.125` are no numbers where a comma stands before
    decimals."""
    other = parting(decimals)[0]
    group = "[0-9][0-9][0-9]"
    parted = "|".join(f"([{gap}]{group})+" for gap in (other, *GAPS))
    plain = f"([0-9]+[{decimals}]?[0-9]*|[{decimals}][0-9]+)([eE][-+]?[0-9]+)?"
    return f"^[-+]?([1-9][0-9]?[0-9]?({parted})([{decimals}][0-9]+)?|{plain})$"
