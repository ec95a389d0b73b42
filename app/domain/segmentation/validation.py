"""Whether a segmentation separates what it claims to: as of a past day, the outcome fixed before looking, scored on what came."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.statistics import Effect, Ranked, Z, chi2_above, cramer, kruskal_wallis

Outcome = Literal["churned", "renewed", "nrr"]
OUTCOMES: tuple[Outcome, ...] = ("churned", "renewed", "nrr")
BOOTSTRAPS = 20
NOTHING = Ranked(0, 0.0)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of a group of accounts: of `n` the outcome came for `hits`; `kept` are the ranks of money kept over money
    had, of those that had any; money in minor units."""

    n: int
    hits: int
    kept: Ranked = NOTHING
    had: int = 0
    has: int = 0
    ties: float = 0.0


@dataclass(frozen=True, slots=True)
class Rival:
    """A field that the segmentation reads, alone: outcomes per level, the rank correlation with money kept, and over how many."""

    field: str
    levels: Mapping[str, Outcomes]
    rho: float | None = None
    known: int = 0


@dataclass(frozen=True, slots=True)
class Skill:
    """Rates learnt before the day and scored after it: Brier skill over one rate for all, its standard error, and how many
    times the rate of all the top tenth has."""

    skill: float
    standard_error: float
    lift: float | None


@dataclass(frozen=True, slots=True)
class LogRank:
    """Whether times until the loss differ."""

    statistic: float
    freedom: int
    p: float


def separated(segments: Mapping[str, Outcomes]) -> Effect | None:
    """Cramer's V of segment by outcome."""
    return cramer([(one.hits, one.n - one.hits) for one in segments.values()])


def money(segments: Mapping[str, Outcomes]) -> Effect | None:
    """Epsilon squared of the money kept over the money had."""
    return kruskal_wallis([one.kept for one in segments.values()], sum(one.ties for one in segments.values()))


def information(segments: Mapping[str, Outcomes]) -> float | None:
    """The information value: sum of (share of hits - share of others) ln of their ratio, half an account added to each
    cell. None where the outcome came for nobody, or for all."""
    groups = [one for one in segments.values() if one.n]
    hits = sum(one.hits for one in groups)
    others = sum(one.n for one in groups) - hits
    if not hits or not others:
        return None
    total, more = 0.0, 0.5 * len(groups)
    for one in groups:
        good, bad = (one.hits + 0.5) / (hits + more), (one.n - one.hits + 0.5) / (others + more)
        total += (good - bad) * math.log(good / bad)
    return total


def skill(before: Mapping[str, Outcomes], after: Mapping[str, Outcomes]) -> Skill | None:
    """Each segment's earlier rate, drawn towards that of all by one account, scored on what came later. None where either
    has no accounts."""
    learnt, scored = sum(one.n for one in before.values()), sum(one.n for one in after.values())
    if not learnt or not scored:
        return None
    every = sum(one.hits for one in before.values()) / learnt
    nothing = Outcomes(0, 0)
    rates = {name: (before.get(name, nothing).hits + every) / (before.get(name, nothing).n + 1) for name in after}
    gains: list[tuple[int, float]] = []
    base = 0.0
    for name, one in after.items():
        for count, came in ((one.hits, 1.0), (one.n - one.hits, 0.0)):
            base += count * (came - every) ** 2
            gains.append((count, (came - every) ** 2 - (came - rates[name]) ** 2))
    mean = sum(n * gain for n, gain in gains) / scored
    spread = math.sqrt(sum(n * (gain - mean) ** 2 for n, gain in gains) / scored)
    base /= scored
    if base == 0.0:
        return None
    return Skill(mean / base, spread / math.sqrt(scored) / base, _lift(rates, after))


def _lift(rates: Mapping[str, float], after: Mapping[str, Outcomes]) -> float | None:
    """Of segments that stand on the edge of the top tenth, and of those with one rate, a part of the accounts counts."""
    total, hits = sum(one.n for one in after.values()), sum(one.hits for one in after.values())
    if not hits:
        return None
    left = tenth = total / 10
    top = 0.0
    for rate in sorted(set(rates.values()), reverse=True):
        tied = [after[name] for name in after if rates[name] == rate]
        n = sum(one.n for one in tied)
        part = min(1.0, left / n) if n else 0.0
        top += part * sum(one.hits for one in tied)
        left -= part * n
    return top / tenth / (hits / total)


def log_rank(counts: Mapping[str, int], losses: Sequence[tuple[str, int, int]]) -> LogRank | None:
    """Of `counts` accounts per segment the losses (segment, day, how many); all others are watched to the end. None where
    fewer than two segments have accounts, or nobody was lost."""
    names = [name for name, n in counts.items() if n]
    lost: dict[int, dict[str, int]] = {}
    for name, day, n in losses:
        if name in names:
            lost.setdefault(day, {})[name] = lost.get(day, {}).get(name, 0) + n
    if len(names) < 2 or not lost:
        return None
    at_risk = {name: counts[name] for name in names}
    size = len(names) - 1
    apart, spread = [0.0] * size, [[0.0] * size for _ in range(size)]
    for day in sorted(lost):
        n, d = sum(at_risk.values()), sum(lost[day].values())
        shares = [at_risk[name] / n for name in names[:size]]
        weight = d * (n - d) / (n - 1) if n > 1 else 0.0
        for i in range(size):
            apart[i] += lost[day].get(names[i], 0) - d * shares[i]
            for j in range(size):
                spread[i][j] += weight * shares[i] * ((i == j) - shares[j])
        for name, gone in lost[day].items():
            at_risk[name] -= gone
    solved = _solved(spread, apart)
    if solved is None:
        return None
    statistic = sum(a * b for a, b in zip(apart, solved, strict=True))
    return LogRank(statistic, size, chi2_above(max(0.0, statistic), size))


def _solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float] | None:
    """x of matrix x = right, by elimination; None where there is none."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        best = max(range(i, len(rows)), key=lambda row: abs(rows[row][i]))
        if abs(rows[best][i]) < 1e-12:
            return None
        rows[i], rows[best] = rows[best], rows[i]
        for k in range(i + 1, len(rows)):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [value - factor * above for value, above in zip(rows[k], rows[i], strict=True)]
    found = [0.0] * len(rows)
    for i in reversed(range(len(rows))):
        found[i] = (rows[i][-1] - sum(rows[i][k] * found[k] for k in range(i + 1, len(rows)))) / rows[i][i]
    return found


def correlation(rho: float, n: int) -> tuple[float, float, float] | None:
    """A rank correlation over n accounts with its 95 % interval (Fisher; Bonett and Wright 2000). None below 10 accounts."""
    if n < 10:
        return None
    held = max(-0.999999, min(0.999999, rho))
    half = Z * math.sqrt((1 + held * held / 2) / (n - 3))
    return rho, math.tanh(math.atanh(held) - half), math.tanh(math.atanh(held) + half)


# -- stability ---------------------------------------------------------------------------------------------------------


def adjusted_rand(one: Sequence[object], other: Sequence[object]) -> float:
    """How far two partitions of the same things agree beyond chance: 1 where they are the same (Hubert and Arabie 1985)."""
    pairs = _pairs(Counter(zip(one, other, strict=True)).values())
    first, second = _pairs(Counter(one).values()), _pairs(Counter(other).values())
    every = len(one) * (len(one) - 1) / 2
    meant = first * second / every if every else 0.0
    most = (first + second) / 2
    return 1.0 if most == meant else (pairs - meant) / (most - meant)


def _pairs(counts: Iterable[int]) -> float:
    return sum(n * (n - 1) / 2 for n in counts)


@dataclass(frozen=True, slots=True)
class Cut:
    """An axis as it is cut again: the accounts' values, those of them that cuts are taken over, and the shares to cut at."""

    values: Sequence[float | None]
    among: Sequence[bool]
    shares: Sequence[float]


def stability(axes: Sequence[Cut], seed: int) -> float | None:
    """The mean adjusted Rand index between the levels as they are cut and as they are cut over accounts drawn anew,
    BOOTSTRAPS times. None where there is nobody."""
    n = len(axes[0].values) if axes else 0
    if n < 2:
        return None
    drawn, every = random.Random(seed), list(range(n))
    meant = _levels(axes, every)
    again = [adjusted_rand(meant, _levels(axes, drawn.choices(every, k=n))) for _ in range(BOOTSTRAPS)]
    return sum(again) / BOOTSTRAPS


def _levels(axes: Sequence[Cut], taken: Sequence[int]) -> list[tuple[int, ...]]:
    cuts = []
    for axis in axes:
        over = sorted(value for place in taken if axis.among[place] and (value := axis.values[place]) is not None)
        cuts.append([over[max(0, math.ceil(share * len(over)) - 1)] for share in axis.shares] if over else [])
    return [
        tuple(_level(axis.values[n], at) for axis, at in zip(axes, cuts, strict=True))
        for n in range(len(axes[0].values))
    ]


def _level(value: float | None, cuts: Sequence[float]) -> int:
    return -1 if value is None else sum(value >= cut for cut in cuts)
