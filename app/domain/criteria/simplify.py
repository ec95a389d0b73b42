"""Comparisons reduced to what readers know: values of the field's own type, and half-open bounds."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from app.domain.criteria.fields import Typing
from app.domain.criteria.meant import And, Between, Bounds, Compare, Meaning, Not, OneOf, Operand, Or, Typed
from app.domain.criteria.nodes import At, Comparison
from app.domain.criteria.suggest import invalid

Given = Typed | Decimal | Bounds | Operand
"""A value; Decimal is a fraction beside whole numbers, Bounds a whole day beside instants."""


def compared(of: Operand, typing: Typing, cmp: Comparison, value: Given, at: At) -> Meaning:
    """Raises Invalid where a fraction is asked to equal whole numbers."""
    match value:
        case Bounds():
            return _beside_day(of, cmp, value)
        case Decimal():
            if cmp in ("eq", "ne"):
                raise invalid(at, f"{typing.label} is a whole number.")
            return Compare(of, cmp, math.floor(value) if cmp in ("gt", "le") else math.ceil(value))
        case _:
            return Compare(of, cmp, value)


def _beside_day(of: Operand, cmp: Comparison, day: Bounds) -> Meaning:
    match cmp:
        case "eq":
            return Between(of, day.lo, day.hi, hi_open=True)
        case "ne":
            return Not(Between(of, day.lo, day.hi, hi_open=True))
        case "lt":
            return Between(of, None, day.lo, hi_open=True)
        case "le":
            return Between(of, None, day.hi, hi_open=True)
        case "gt":
            return Between(of, day.hi, None, hi_open=False)
        case "ge":
            return Between(of, day.lo, None, hi_open=False)
        case _:
            assert_never(cmp)


def one_of(of: Operand, typing: Typing, values: list[tuple[Given, At]]) -> Meaning:
    """Raises Invalid as `compared` does."""
    plain: dict[Typed, None] = {}
    others: list[Meaning] = []
    for value, at in values:
        if isinstance(value, (str, int, float, date, UUID)):
            plain[value] = None
        else:
            others.append(compared(of, typing, "eq", value, at))
    parts: list[Meaning] = [OneOf(of, tuple(plain))] if plain else []
    return _joined(parts + others, Or)


def within(of: Operand, lo: Given | None, hi: Given | None, hi_open: bool) -> Meaning:
    """`lo <= of <= hi`, or `< hi`. A fraction moves to the next whole number inside, a day to its edge."""
    match lo:
        case Decimal():
            lo = math.ceil(lo)
        case Bounds():
            lo = lo.lo
    match hi:
        case Decimal():
            hi = math.ceil(hi) if hi_open else math.floor(hi)
        case Bounds():
            hi, hi_open = (hi.lo if hi_open else hi.hi), True
    others: list[Meaning] = []
    if not (lo is None or isinstance(lo, (str, int, float, date, UUID))):
        others.append(Compare(of, "ge", lo))
        lo = None
    if not (hi is None or isinstance(hi, (str, int, float, date, UUID))):
        others.append(Compare(of, "lt" if hi_open else "le", hi))
        hi = None
    parts: list[Meaning] = [] if lo is None and hi is None else [Between(of, lo, hi, hi_open and hi is not None)]
    return _joined(parts + others, And)


def _joined(parts: list[Meaning], join: type[And] | type[Or]) -> Meaning:
    return parts[0] if len(parts) == 1 else join(tuple(parts))
