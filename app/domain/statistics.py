"""Tests, effect sizes and their intervals in plain Python, from counts and rank sums alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
EXACT = 40.0
"""Up to this noncentrality the distribution is summed; above it its approximation agrees to three digits."""

EXACT_PLACES = 17
"""Places behind the point after which numbers up to 1 do not differ."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A statistic with its degrees of freedom and P(at least as much by chance), and the effect size with its 95 % interval."""

    statistic: float
    freedom: int
    p: float
    size: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A group's known values: how many there are, and the sum of their mid-ranks among the values of all groups."""

    known: int
    ranks: float


def kruskal_wallis(groups: Sequence[Ranked], ties: float) -> Effect | None:
    """Whether groups differ in rank, `ties` the sum of t^3 - t over values that t accounts share; the size is epsilon
    squared, H / (n - 1) (Tomczak and Tomczak 2014). None where there are no two groups, or one value alone."""
    groups = [group for group in groups if group.known]
    n = sum(group.known for group in groups)
    if len(groups) < 2 or n < 3:
        return None
    correction = 1.0 - ties / (float(n) ** 3 - n)
    if correction <= 1e-12:
        return None
    h = 12.0 / (n * (n + 1.0)) * sum(group.ranks**2 / group.known for group in groups) - 3.0 * (n + 1.0)
    h, freedom = max(0.0, h / correction), len(groups) - 1
    low, high = noncentrality(h, freedom)
    sizes = [min(1.0, value / (n - 1)) for value in (h, low, high)]
    return Effect(h, freedom, chi2_above(h, freedom), *sizes)


def cramer(table: Sequence[Sequence[int]]) -> Effect | None:
    """Whether the columns of a table are as frequent in each row; the size is Cramer's V, its interval by the noncentral
    chi-squared distribution (Smithson 2003). None where fewer than two rows or columns are filled."""
    rows = [row for row in table if sum(row)]
    if not rows:
        return None
    columns = [column for column in zip(*rows, strict=True) if sum(column)]
    if len(rows) < 2 or len(columns) < 2:
        return None
    n, sides = sum(map(sum, columns)), [sum(row) for row in zip(*columns, strict=True)]
    chi2 = 0.0
    for column in columns:
        for seen, side in zip(column, sides, strict=True):
            meant = sum(column) * side / n
            chi2 += (seen - meant) ** 2 / meant
    freedom = (len(rows) - 1) * (len(columns) - 1)
    most = n * min(len(rows) - 1, len(columns) - 1)
    low, high = noncentrality(chi2, freedom)
    sizes = [math.sqrt(min(1.0, value / most)) for value in (chi2, low, high)]
    return Effect(chi2, freedom, chi2_above(chi2, freedom), *sizes)


def cliff(group: Ranked, rest: int) -> tuple[float, float, float] | None:
    """Cliff's delta of a group against `rest` other values, -1 to 1, with its 95 % interval: of P(x > y) + P(x = y) / 2 by
    the score method (Newcombe 2006, method 5). None where either side is empty."""
    if not group.known or not rest:
        return None
    pairs = float(group.known) * rest
    above = min(1.0, max(0.0, (group.ranks - group.known * (group.known + 1) / 2) / pairs))
    half = (group.known + rest) / 2 - 1

    def spread(a: float) -> float:
        return math.sqrt(a * (1 - a) * (1 + half * (1 - a) / (2 - a) + half * a / (1 + a)) / pairs)

    low = _root(lambda a: above - a - Z * spread(a), 0.0, above) if above > 0 else 0.0
    high = _root(lambda a: above - a + Z * spread(a), above, 1.0) if above < 1 else 1.0
    return 2 * above - 1, 2 * low - 1, 2 * high - 1


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n (Wilson 1927); everything from 0 to 1 where n is 0."""
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = 0.0 if hits == 0 else middle - half, 1.0 if hits == n else middle + half
    return max(0.0, low), min(1.0, high)


def gap(hits: int, n: int, others: int, of: int) -> tuple[float, float, float] | None:
    """A share less another share, with its 95 % interval (Newcombe 1998, method 10). None where either is of nothing."""
    if n == 0 or of == 0:
        return None
    share, other = hits / n, others / of
    (low, high), (other_low, other_high) = wilson(hits, n), wilson(others, of)
    apart = share - other
    return (
        apart,
        apart - math.hypot(share - low, other_high - other),
        apart + math.hypot(high - share, other - other_low),
    )


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """The q of each p among all that were tried: the false discovery rate at which it would be held (1995)."""
    order = sorted(range(len(ps)), key=lambda place: ps[place], reverse=True)
    found, least = [1.0] * len(ps), 1.0
    for behind, place in enumerate(order):
        least = min(least, ps[place] * len(ps) / (len(ps) - behind))
        found[place] = least
    return found


# -- distributions -----------------------------------------------------------------------------------------------------


def chi2_above(x: float, freedom: float) -> float:
    """P(X > x) of a chi-squared distribution."""
    return 1.0 - _gamma_below(freedom / 2, x / 2) if x < freedom + 2 else _gamma_above(freedom / 2, x / 2)


def noncentral_below(x: float, freedom: int, shift: float) -> float:
    """P(X <= x) of a noncentral chi-squared distribution: a mixture of central ones, to three digits where it is far off."""
    if shift > EXACT:
        return _sankaran(x, freedom, shift)
    half = shift / 2
    reach = int(10 * math.sqrt(half + 1)) + 20
    total = 0.0
    for j in range(max(0, int(half) - reach), int(half) + reach):
        weight = math.exp(j * math.log(half) - half - math.lgamma(j + 1)) if half > 0 else float(j == 0)
        total += weight * (1.0 - chi2_above(x, freedom + 2 * j))
    return min(1.0, total)


def _sankaran(x: float, freedom: int, shift: float) -> float:
    """A power of it is nearly normal (Sankaran 1963)."""
    mean, spread = freedom + shift, freedom + 2 * shift
    power = 1 - 2 / 3 * mean * (freedom + 3 * shift) / spread**2
    part = spread / mean**2
    skew = (power - 1) * (1 - 3 * power)
    middle = 1 + power * part * (power - 1 - 0.5 * (2 - power) * skew * part)
    width = power * math.sqrt(2 * part) * (1 + 0.5 * skew * part)
    return NormalDist().cdf(((x / mean) ** power - middle) / width)


def noncentrality(x: float, freedom: int) -> tuple[float, float]:
    """The 95 % interval of the noncentrality of which x was drawn; 0 where even none would give more."""
    tail = (1 - LEVEL) / 2
    most = x + 20 * math.sqrt(x + 1) + 20
    below_at_none = 1.0 - chi2_above(x, freedom)

    def end(want: float) -> float:
        return 0.0 if below_at_none <= want else _root(lambda at: noncentral_below(x, freedom, at) - want, 0.0, most)

    return end(1 - tail), end(tail)


def _root(of: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function is 0, by halving."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if of(middle) > 0 else (low, middle)
        if high - low <= 1e-7 * max(1.0, high):
            break
    return (low + high) / 2


def _gamma_below(a: float, x: float) -> float:
    """The lower regularised incomplete gamma function by its series."""
    if x <= 0:
        return 0.0
    term = total = 1.0 / a
    step = a
    while abs(term) > abs(total) * 1e-15:
        step += 1
        term *= x / step
        total += term
    return total * math.exp(a * math.log(x) - x - math.lgamma(a))


def _gamma_above(a: float, x: float) -> float:
    """The upper one by its continued fraction (Lentz)."""
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / (b or tiny)
    found = d
    for n in range(1, 10_000):
        factor = -n * (n - a)
        b += 2
        d = 1 / (factor * d + b or tiny)
        c = b + factor / c or tiny
        found *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return found * math.exp(a * math.log(x) - x - math.lgamma(a))


def beside(value: float, limit: float, places: int) -> str:
    """A number with so many places behind the point, and more where it would read as being on another side of a limit than
    it is."""
    while True:
        text = f"{value:.{places}f}"
        if places >= EXACT_PLACES or ((float(text) > limit) - (float(text) < limit)) == (
            (value > limit) - (value < limit)
        ):
            return text
        places += 1
