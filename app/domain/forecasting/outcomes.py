"""What became of renewals, told by the contracts alone: the rule in plain Python, which the statement is held against.

A term that ends is a renewal due on its last day. What an account has ending on one day is one pool. A later contract of
the account carries a pool on when it begins at most 90 days before and 60 days after that day, or 30 either way where
the pool has no contract of its product, and lasts beyond it. It carries one pool: of its own product first, then the
nearest, then the earlier. What carries on is given to its own product up to what was due, then to what others lack,
the rest as expansion. Whatever nobody carries on has churned. What is set by hand stands above all this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

EARLY, LATE, SWITCH = 90, 60, 30
"""Days before and after the last day in which a successor begins; both ways for one of another product."""
TOLERANCE = 0.05
"""A renewal within this share of what was due is neither expanded nor contracted."""
Result = Literal["renewed", "expanded", "contracted", "churned"]


@dataclass(frozen=True, slots=True)
class Term:
    """A contract: its `arr` >= 0 in minor units, both days its own, what was set by hand, and since when it is known."""

    id: str
    account: str
    product: str
    arr: int
    start: date
    end: date | None
    known_on: date
    outcome: Result | None = None
    decided_on: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a term: the ARR that went on, its name, and the day it is held to be decided on, which may be to come.

    `followed_on`: since when it is known what carries it on; None where nothing does.
    """

    kept: int
    result: Result
    decided_on: date
    by_hand: bool
    followed_on: date | None


Pool = tuple[str, date]


def outcomes(terms: Sequence[Term]) -> dict[str, Outcome]:
    """The outcome of every term that has an end, by its id."""
    carried: dict[Pool, list[Term]] = defaultdict(list)
    for later in terms:
        pools = list(_carries(later, terms))
        if pools:
            carried[min(pools)[-1]].append(later)
    ending: dict[Pool, list[Term]] = defaultdict(list)
    for term in terms:
        if term.end is not None:
            ending[term.account, term.end].append(term)
    return {
        term.id: _outcome(term, due, kept, carried[pool])
        for pool, ended in ending.items()
        for due, kept in [_kept(ended, carried[pool])]
        for term in ended
    }


def _carries(later: Term, terms: Sequence[Term]) -> Iterator[tuple[bool, int, date, Pool]]:
    for term in terms:
        if term.account != later.account or term.end is None or term.start >= later.start:
            continue
        gap = (later.start - term.end).days
        other = term.product != later.product
        near = abs(gap) <= SWITCH if other else -EARLY <= gap <= LATE
        if near and (later.end is None or later.end > term.end):
            yield other, abs(gap - 1), term.end, (term.account, term.end)


def _kept(ended: Sequence[Term], carried: Sequence[Term]) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """By product: what was due of the pool, and what of it went on."""
    due, came = _by_product(ended), _by_product(carried)
    own = {product: min(amount, came.get(product, 0.0)) for product, amount in due.items()}
    whole, first, surplus = sum(due.values()), sum(own.values()), sum(came.values()) - sum(own.values())
    lack = whole - first
    filled = min(surplus, lack)
    kept = {}
    for product, amount in due.items():
        share = own[product] / first if first > 0 else amount / whole if whole > 0 else 0.0
        more = (amount - own[product]) * filled / lack if lack > 0 else 0.0
        kept[product] = own[product] + more + (surplus - filled) * share
    return due, kept


def _by_product(terms: Sequence[Term]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for term in terms:
        found[term.product] += term.arr
    return found


def _outcome(term: Term, dues: Mapping[str, float], kept: Mapping[str, float], carried: Sequence[Term]) -> Outcome:
    assert term.end is not None  # only terms that end have one
    due, went_on = dues[term.product], kept[term.product]
    mine = round(went_on * term.arr / due) if due > 0 else 0
    goes_on = bool(carried) and (went_on > 0 or due == 0)
    followed = max(one.known_on for one in carried) if goes_on else None
    if term.outcome is not None:
        amount = _by_hand(term.outcome, term.arr, mine)
        return Outcome(amount, term.outcome, term.decided_on or term.end, True, followed)
    return Outcome(mine, _result(due, went_on, goes_on), term.end + timedelta(days=LATE), False, followed)


def _by_hand(outcome: Result, arr: int, mine: int) -> int:
    if outcome == "churned":
        return 0
    if outcome == "expanded":
        return max(arr, mine)
    if mine == 0:
        return arr
    return min(arr, mine) if outcome == "contracted" else mine


def _result(due: float, kept: float, goes_on: bool) -> Result:
    if not goes_on:
        return "churned"
    if kept < due * (1 - TOLERANCE):
        return "contracted"
    return "expanded" if due > 0 and kept > due * (1 + TOLERANCE) else "renewed"
