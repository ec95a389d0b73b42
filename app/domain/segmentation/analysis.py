"""How segments differ in what was measured of their accounts: an effect size each, and a word, never means alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.statistics import Effect, Ranked, benjamini_hochberg, cliff, cramer, gap, kruskal_wallis, wilson

Area = Literal["activity", "adoption", "value", "support"]
Unit = Literal["days", "users", "points", "money", "tickets", "minutes", "hours", "usage", "share"]
Word = Literal["none", "small", "medium", "large"]
WORDS: tuple[Word, ...] = ("none", "small", "medium", "large")
EPSILON, CRAMER, CLIFF = (0.01, 0.06, 0.14), (0.1, 0.3, 0.5), (0.147, 0.33, 0.474)
"""From where on an epsilon squared, a V of a table with two columns (Cohen 1988) and a delta (Romano 2006) are small,
medium, large."""
FALSE = 0.05
"""The false discovery rate among all that was tried; above it nothing is said to differ."""
LEAST = 5
"""Accounts with a value that a segment needs to be compared."""
USAGE_DAYS, SUPPORT_DAYS, EXPANSION_DAYS, ADOPTION_DAYS = 30, 90, 365, 90


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured of each account; `share_of` makes it the share of accounts where that measure is above 0."""

    name: str
    area: Area
    unit: Unit
    description: str
    share_of: str | None = None


MEASURES = (
    Measure("usage_days", "activity", "days", f"days with usage in the last {USAGE_DAYS}"),
    Measure("active_users", "activity", "users", f"contacts with usage in the last {USAGE_DAYS} days"),
    Measure("engagement_score", "activity", "points", "0 to 100"),
    Measure("consumption_score", "activity", "points", "0 to 100"),
    Measure("arr", "value", "money", "annual recurring revenue"),
    Measure("expansion", "value", "money", f"ARR now less that of the contracts in force {EXPANSION_DAYS} days ago, where there were any"),
    Measure("nps", "value", "points", "the latest score, 0 to 10"),
    Measure("sentiment", "value", "points", "the CSM's latest assessment, 1 to 5"),
    Measure("health", "value", "points", "0 to 100"),
    Measure("tickets", "support", "tickets", f"opened in the last {SUPPORT_DAYS} days"),
    Measure("first_response", "support", "minutes", "until the first response, the mean of an account's tickets"),
    Measure("resolution", "support", "hours", "until the solution, the mean of an account's tickets"),
    Measure("escalations", "support", "tickets", f"escalated, of those of the last {SUPPORT_DAYS} days"),
    Measure("escalated", "support", "share", "accounts with an escalation among them", share_of="escalations"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A measure's known values in a segment; `ranks` sums their mid-ranks among the known values of all segments."""

    known: int
    above_nought: int
    mean: float
    q1: float
    median: float
    q3: float
    ranks: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A measure as it was taken: what was seen of it by segment, and the sum of t^3 - t over shared values."""

    of: Measure
    seen: Mapping[str, Seen]
    ties: float = 0.0


@dataclass(frozen=True, slots=True)
class Stand:
    """A segment's place in a measure: of a number what was `seen`, of a share its share, and Cliff's delta against all
    others, which of a share is by how much it is larger; with 95 % intervals, None where nothing can be said."""

    segment: str
    n: int
    seen: Seen | None = None
    share: tuple[float, float, float] | None = None
    delta: tuple[float, float, float] | None = None
    word: Word = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure compared. `effect` is epsilon squared of numbers and V of shares, `q` its false discovery rate among all
    that was tried; without one `because` says why."""

    of: Measure
    stands: tuple[Stand, ...]
    effect: Effect | None = None
    q: float | None = None
    word: Word = "none"
    because: str | None = None


def compared(taken: Sequence[Taken], accounts: Mapping[str, int]) -> tuple[Difference, ...]:
    """How the segments differ in each measure; `accounts` says how many each segment has."""
    effects = [_effect(one, accounts) for one in taken]
    known = [effect.p for effect, _ in effects if effect is not None]
    qs = iter(benjamini_hochberg(known))
    return tuple(
        _difference(one, accounts, effect, None if effect is None else next(qs), because)
        for one, (effect, because) in zip(taken, effects, strict=True)
    )


def word(size: float, edges: Sequence[float]) -> Word:
    """What a size is called."""
    return WORDS[sum(abs(size) >= edge for edge in edges)]


def _effect(one: Taken, accounts: Mapping[str, int]) -> tuple[Effect | None, str | None]:
    if one.of.share_of is not None:
        shares = [(one.seen[name].above_nought if name in one.seen else 0, n) for name, n in accounts.items()]
        if sum(n >= LEAST for _, n in shares) < 2:
            return None, _TOO_FEW
        effect = cramer([(hits, n - hits) for hits, n in shares if n >= LEAST])
        return effect, None if effect else "It is so of all accounts, or of none."
    if sum(seen.known >= LEAST for seen in one.seen.values()) < 2:
        return None, _TOO_FEW
    effect = kruskal_wallis([Ranked(seen.known, seen.ranks) for seen in one.seen.values()], one.ties)
    return effect, None if effect else "All accounts have the same value."


_TOO_FEW = f"Fewer than two segments have {LEAST} accounts with a value."


def _difference(
    one: Taken, accounts: Mapping[str, int], effect: Effect | None, q: float | None, because: str | None
) -> Difference:
    shares = one.of.share_of is not None
    known = sum(seen.known for seen in one.seen.values())
    differs = effect is not None and q is not None and q <= FALSE
    stands = tuple(
        _share(one, name, accounts, differs) if shares else _number(name, n, one.seen.get(name), known, differs)
        for name, n in accounts.items()
    )
    said = word(effect.size, CRAMER if shares else EPSILON) if effect is not None and differs else "none"
    return Difference(one.of, stands, effect, q, said, because)


def _number(name: str, n: int, seen: Seen | None, known: int, differs: bool) -> Stand:
    if seen is None:
        return Stand(name, n)
    delta = cliff(Ranked(seen.known, seen.ranks), known - seen.known) if seen.known >= LEAST else None
    return Stand(name, n, seen, delta=delta, word=_apart(delta, differs))


def _share(one: Taken, name: str, accounts: Mapping[str, int], differs: bool) -> Stand:
    hits = {segment: one.seen[segment].above_nought if segment in one.seen else 0 for segment in accounts}
    own, n = hits[name], accounts[name]
    delta = gap(own, n, sum(hits.values()) - own, sum(accounts.values()) - n) if n >= LEAST else None
    return Stand(name, n, None, (own / n, *wilson(own, n)) if n else None, delta, _apart(delta, differs))


def _apart(delta: tuple[float, float, float] | None, differs: bool) -> Word:
    """None as long as the interval holds 0."""
    return word(delta[0], CLIFF) if differs and delta is not None and (delta[1] > 0 or delta[2] < 0) else "none"
