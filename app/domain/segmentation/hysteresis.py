"""What stops flapping: a band around cuts, and a time that a move waits until it is confirmed.

The criteria's verdict and where an account stands are two things here. It stays where it is while its segment would still
take it with every number of the criteria moved by the band in its favour; once it is out of that, it moves when the
verdict has been the same for the time to confirm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from app.domain.criteria import nodes
from app.domain.criteria.meant import And, Between, Compare, Grouped, Meaning, Not, Or
from app.domain.criteria.nodes import Const, Node, Value

Held = Literal["pin", "band", "confirmation"]
"""What keeps an account out of the segment that the criteria say."""
CONFIRM = re.compile("([1-9][0-9]{0,3})([hdw])", re.ASCII)
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
LONGEST = timedelta(days=366)
WHOLE = ("integer", "money")
Cases = Sequence[tuple[str, Meaning]]


@dataclass(frozen=True, slots=True)
class Steady:
    """`band`: a share, 0 to 1, of each number that is compared with; `confirm`: how long a verdict holds before it moves
    anybody. None of either is off."""

    band: float | None = None
    confirm: timedelta | None = None

    def __bool__(self) -> bool:
        return self != OFF


OFF = Steady()


@dataclass(frozen=True, slots=True)
class Stand:
    """Where an account stands. `rule`: where the criteria put it, None where that is the same; `held`: what keeps it;
    `pending_since`: since when its move waits to be confirmed."""

    segment: str
    rule: str | None = None
    held: Held | None = None
    pending_since: datetime | None = None


def span(confirm: str) -> timedelta | None:
    """`36h`, `2d` or `1w` as a time; None for what is none, or is longer than LONGEST."""
    found = CONFIRM.fullmatch(confirm)
    told = None if found is None else int(found[1]) * UNITS[found[2]]
    return None if told is None or told > LONGEST else told


def stands(
    was: Stand | None, verdict: str, keeping: Collection[str], steady: Steady, now: datetime, pin: str | None = None
) -> Stand:
    """Where an account stands after an evaluation; `keeping` are the segments that would keep it within the band.

    The first time, and when its pin has ended, it goes where the criteria put it at once. The statement of
    persistence/members.py says the same of all accounts; this is what it is held to.
    """
    if pin is not None:
        return Stand(pin) if pin == verdict else Stand(pin, verdict, "pin")
    if was is None or was.segment == verdict or was.held == "pin":
        return Stand(verdict)
    if steady.band is not None and was.segment in keeping:
        return Stand(was.segment, verdict, "band")
    if steady.confirm is None:
        return Stand(verdict)
    waiting = was.pending_since if was.held == "confirmation" and was.rule == verdict else None
    since = now if waiting is None else waiting
    return Stand(verdict) if since + steady.confirm <= now else Stand(was.segment, verdict, "confirmation", since)


def kept(cases: Cases, rest: str, band: float, holds: Callable[[Meaning], bool]) -> frozenset[str]:
    """The segments that would keep an account: each that takes it with its numbers moved in the account's favour, while
    none before it takes it with its own moved against."""
    found: set[str] = set()
    for slug, meaning in cases:
        if holds(moved(meaning, band, wider=True)):
            found.add(slug)
        if holds(moved(meaning, band, wider=False)):
            return frozenset(found)
    return frozenset({*found, rest})


def moved(meaning: Meaning, band: float, *, wider: bool) -> Meaning:
    """The criteria with each number that something of the account is compared with moved by the band: so that more
    accounts meet them (`wider`), or fewer. Equality, dates, and what is asked of single related rows stay as they are."""
    match meaning:
        case And(args):
            return And(tuple(moved(arg, band, wider=wider) for arg in args))
        case Or(args):
            return Or(tuple(moved(arg, band, wider=wider) for arg in args))
        case Not(arg):
            return Not(moved(arg, band, wider=not wider))
        case Compare(_, "ge" | "gt", value) if _is_number(value):
            return replace(meaning, value=_moved(value, band, up=not wider))
        case Compare(_, "le" | "lt", value) if _is_number(value):
            return replace(meaning, value=_moved(value, band, up=wider))
        case Between(_, lo, hi):
            lo = _moved(lo, band, up=not wider) if _is_number(lo) else lo
            return replace(meaning, lo=lo, hi=_moved(hi, band, up=wider) if _is_number(hi) else hi)
        case Grouped():
            return replace(meaning, groups=tuple(_group(one, meaning, band, wider) for one in meaning.groups))
        case _:
            return meaning


def said(node: Node, band: float, *, wider: bool) -> Node:
    """The same of criteria as they are written, to be shown: a number may have more places than its field takes."""
    match node:
        case nodes.And(args):
            return nodes.And(tuple(said(arg, band, wider=wider) for arg in args))
        case nodes.Or(args):
            return nodes.Or(tuple(said(arg, band, wider=wider) for arg in args))
        case nodes.Not(arg):
            return nodes.Not(said(arg, band, wider=not wider))
        case nodes.Cmp(of, "ge" | "gt" as cmp, value):
            return nodes.Cmp(of, cmp, _shifted(value, band, up=not wider))
        case nodes.Cmp(of, "le" | "lt" as cmp, value):
            return nodes.Cmp(of, cmp, _shifted(value, band, up=wider))
        case nodes.Range(of, lo, hi, hi_open):
            ends = (
                None if lo is None else _shifted(lo, band, up=not wider),
                None if hi is None else _shifted(hi, band, up=wider),
            )
            return nodes.Range(of, *ends, hi_open)
        case _:
            return node


def _shifted(value: Value, band: float, *, up: bool) -> Value:
    if not isinstance(value, Const) or isinstance(value.value, str | bool):
        return value
    number = Decimal(value.value)
    shifted = number + abs(number) * Decimal(str(band)) * (1 if up else -1)
    return Const(int(shifted) if shifted == shifted.to_integral_value() else shifted.normalize())


def _group(
    group: tuple[str, int | float | None, int | float | None], of: Grouped, band: float, wider: bool
) -> tuple[str, int | float | None, int | float | None]:
    key, *ends = group
    rises = (not wider, wider) if of.rising else (wider, not wider)
    whole = (math.floor if of.rising else math.ceil) if of.of.field.kind in WHOLE else float
    lo, hi = (None if end is None else whole(_moved(end, band, up=up)) for end, up in zip(ends, rises, strict=True))
    return key, lo, hi


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moved(value: object, band: float, *, up: bool) -> float:
    """A number further from or nearer to 0 by a share of itself, as if it were reckoned by hand."""
    number, share = Decimal(str(value)), Decimal(str(band))
    return float(number + abs(number) * (share if up else -share))
