"""A book of renewals whose probabilities are themselves uncertain: cells inside groups inside one common shock.

Given every shock the accounts are independent. A cell (a child segment) has its own nodes, a group (a parent) nodes
that its cells share, the book nodes that all share; summing a conditional result over nodes, innermost first, is what
both the series and the exact enumeration do. Drift (forecasting.md 2) is part of the common shock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.logistic import expit

Floats = NDArray[np.float64]

# Nodes offered, fewest first; `_REACH` is the frequency in standard deviations up to which a Gauss-Hermite rule of
# L nodes integrates a wave to 1e-6: L! r^(2L) / (2L)! < 1e-6. A normal's own wave is below that from 5.5 on.
_NODES = (3, 5, 7, 11, 15, 24, 32)
_REACH = (0.22, 0.70, 1.22, 2.18, 3.00, 4.48, 5.55)
_FREQUENCIES = 5.5
# A conditional spread of this share of the shock's hides the gaps between 32 nodes.
_HIDDEN = 0.35


@dataclass(frozen=True)
class Cell:
    """Accounts of one segment. `amounts` (n,), money, >= 0; `probabilities` (common, shared, own, n or 1).

    `weights` (own,) sum to 1. `spread` is the standard deviation, in money, of what the cell's own shock moves,
    or 0 where the accounts' own chance hides the gaps between the nodes. `ratios` (n or 1, quantiles), >= 0: what an
    account that renews pays as a share of its amount, each quantile as likely as the others.
    """

    amounts: Floats
    probabilities: Floats
    weights: Floats
    spread: float = 0.0
    ratios: Floats = field(default_factory=lambda: np.ones((1, 1)))


@dataclass(frozen=True)
class Group:
    """Cells under one parent; `weights` (shared,) sum to 1; `spread` as in Cell, for the shared shock."""

    cells: tuple[Cell, ...]
    weights: Floats
    spread: float = 0.0


@dataclass(frozen=True)
class Book:
    """Groups under one common shock; `weights` (common,) sum to 1; `spread` as in Cell, for the common shock."""

    groups: tuple[Group, ...]
    weights: Floats
    spread: float = 0.0

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(cell for group in self.groups for cell in group.cells)


@dataclass(frozen=True)
class Uncertainty:
    """A segment's rate and who shares the variance of it: itself, its siblings, the whole book."""

    mean: float
    own: float = 0.0
    shared: float = 0.0
    common: float = 0.0


def independent(amounts: Floats, probabilities: Floats) -> Book:
    """A book without parameter uncertainty; both (n,)."""
    one = np.ones(1)
    cell = Cell(np.asarray(amounts, dtype=np.float64), np.clip(probabilities, 0.0, 1.0)[None, None, None, :], one)
    return Book((Group((cell,), one),), one)


def mixture(amounts: Floats, probabilities: Floats, weights: Floats) -> Book:
    """Accounts that are independent given a node: `amounts` (n,), `probabilities` (nodes, n), `weights` (nodes,)."""
    given = np.clip(np.asarray(probabilities, dtype=np.float64), 0.0, 1.0)
    cell = Cell(np.asarray(amounts, dtype=np.float64), given[:, None, None, :], np.ones(1))
    spread = float(np.sqrt(_variance(given @ cell.amounts, weights)))
    return Book((Group((cell,), np.ones(1)),), np.asarray(weights, dtype=np.float64), spread)


def factored(amounts: Floats, eta: Floats, factor: Floats, ratios: Floats | None = None) -> Book:
    """Accounts with one common normal shock z: P(renewal) = expit(eta + factor z); all (n,), in money and logits.

    `ratios` (n or 1, quantiles) as in Cell. As many nodes as the shock's share of the book's deviation needs.
    """
    money, p = np.asarray(amounts, dtype=np.float64), expit(eta)
    paid = np.ones((1, 1)) if ratios is None else np.asarray(ratios, dtype=np.float64)
    mean, square = paid.mean(axis=1), (paid**2).mean(axis=1)
    noise = float((money**2 * (p * square - (p * mean) ** 2)).sum())
    spread = abs(float((money * mean * p * (1 - p) * factor).sum()))
    nodes, weights = _nodes(spread, float(np.sqrt(noise + spread**2)))
    given = expit(eta + nodes[:, None] * factor)
    cell = Cell(money, given[:, None, None, :], np.ones(1), 0.0, paid)
    return Book((Group((cell,), np.ones(1)),), weights, _visible(spread, noise))


def segmented(
    groups: Sequence[Sequence[tuple[Floats, Uncertainty]]], ratios: Sequence[Sequence[Floats]] | None = None
) -> Book:
    """A book from segment rates: per parent, per child, the accounts' amounts (n,) and the child's rate.

    `ratios` per parent and child are (n or 1, quantiles) as in Cell. Each shock is normal on the logit, scaled so that
    mean and variance of the child's probability are those given.
    """
    parents = [[(np.asarray(a, dtype=np.float64), rate) for a, rate in group] for group in groups]
    paid = [[np.ones((1, 1)) for _ in group] for group in parents] if ratios is None else ratios
    sums = [
        [_paid(a, g) for (a, _), g in zip(group, row, strict=True)] for group, row in zip(parents, paid, strict=True)
    ]
    common = sum(s * r.common**0.5 for group, ss in zip(parents, sums, strict=True) for (_, r), s in _pairs(group, ss))
    shared = [
        sum(s * r.shared**0.5 for (_, r), s in _pairs(group, ss)) for group, ss in zip(parents, sums, strict=True)
    ]
    own = [[s * r.own**0.5 for (_, r), s in _pairs(group, ss)] for group, ss in zip(parents, sums, strict=True)]
    noise = sum(
        _chance(a, r.mean, g)
        for group, row in zip(parents, paid, strict=True)
        for (a, r), g in zip(group, row, strict=True)
    )
    total = noise + common**2 + sum(value**2 for value in shared) + sum(value**2 for row in own for value in row)
    sd = float(np.sqrt(total))
    outer, outer_weights = _nodes(common, sd)
    built = []
    for group, between, within, row in zip(parents, shared, own, paid, strict=True):
        middle, middle_weights = _nodes(between, sd)
        cells = []
        for (amounts, rate), spread, given_ratios in zip(group, within, row, strict=True):
            inner, inner_weights = _nodes(spread, sd)
            given = _conditional(rate, (len(outer), len(middle), len(inner)))
            cells.append(Cell(amounts, given[..., None], inner_weights, _visible(spread, noise), given_ratios))
        built.append(Group(tuple(cells), middle_weights, _visible(between, noise)))
    return Book(tuple(built), outer_weights, _visible(common, noise))


def _paid(amounts: Floats, ratios: Floats) -> float:
    """What accounts come to if all of them renew."""
    # Of small arrays the calls are what costs.
    return float(ratios[0, 0] * amounts.sum() if ratios.shape == (1, 1) else (amounts * ratios.mean(axis=1)).sum())


def _chance(amounts: Floats, p: float, ratios: Floats) -> float:
    """The variance of what accounts come to by their own chance."""
    if ratios.shape == (1, 1):
        return float(ratios[0, 0]) ** 2 * p * (1 - p) * float(amounts @ amounts)
    mean, square = ratios.mean(axis=1), (ratios**2).mean(axis=1)
    return float((amounts**2 * (p * square - (p * mean) ** 2)).sum())


def _visible(spread: float, noise: float) -> float:
    return spread if noise < (_HIDDEN * spread) ** 2 else 0.0


def _pairs(
    group: list[tuple[Floats, Uncertainty]], sums: list[float]
) -> Sequence[tuple[tuple[Floats, Uncertainty], float]]:
    return list(zip(group, sums, strict=True))


def _nodes(spread: float, sd: float) -> tuple[Floats, Floats]:
    """Standard normal nodes and weights, as many as a shock of this share of the book's deviation needs."""
    if spread <= 0 or sd <= 0:
        return _standard(1)
    reach = _FREQUENCIES * spread / sd
    return _standard(next((n for n, most in zip(_NODES, _REACH, strict=True) if reach <= most), _NODES[-1]))


@lru_cache(maxsize=16)
def _standard(count: int) -> tuple[Floats, Floats]:
    """As many nodes of the standard normal and their weights; one is nought itself."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


@lru_cache(maxsize=8_192)
def _conditional(rate: Uncertainty, counts: tuple[int, int, int]) -> Floats:
    """P(renewal | common, shared, own), (common, shared, own) nodes, with the rate's mean exactly and its variance closely.

    Kept: the groups of a forecast, and the books of a backtest, are made of the same segments.
    """
    nodes, weights = zip(*(_standard(count) for count in counts), strict=True)
    share = np.array([rate.common, rate.shared, rate.own])
    variance, mean = float(share.sum()), rate.mean
    if variance <= 0 or mean <= 0 or mean >= 1:
        return np.full(counts, float(np.clip(mean, 0.0, 1.0)))
    share = np.sqrt(share / variance)
    outer, middle, inner = nodes
    z = share[0] * outer[:, None, None] + share[1] * middle[None, :, None] + share[2] * inner
    weight = weights[0][:, None, None] * weights[1][None, :, None] * weights[2]
    # No distribution on [0, 1] has more than m (1 - m), a normal on the logit comes close only for huge scales.
    wanted = min(variance, 0.8 * mean * (1 - mean))
    scale, given, eta = np.sqrt(wanted) / (mean * (1 - mean)), np.full(counts, mean), float(np.log(mean / (1 - mean)))
    for _ in range(12):
        given, eta = _centred(mean, scale * z, weight, eta)
        reached = _variance(given, weight)
        if reached <= 0 or abs(reached / wanted - 1) < 1e-6:
            break
        scale = min(scale * np.sqrt(wanted / reached), 12.0)
    return given


def _centred(mean: float, shift: Floats, weight: Floats, eta: float) -> tuple[Floats, float]:
    """expit(eta + shift) with eta such that the weighted mean is `mean`, and eta: Newton from `eta` inside a bracket."""
    low, high = -40.0 - float(shift.max()), 40.0 - float(shift.min())
    given = shift
    for _ in range(60):
        given = expit(eta + shift)
        error = float((weight * given).sum()) - mean
        if abs(error) < 1e-14 + 1e-12 * min(mean, 1 - mean):
            break
        low, high = (eta, high) if error < 0 else (low, eta)
        slope = float((weight * given * (1 - given)).sum())
        newton = eta - error / slope if slope > 0 else low
        eta = newton if low < newton < high else (low + high) / 2
    return np.asarray(np.clip(given, 0.0, 1.0), dtype=np.float64), eta


def _variance(values: Floats, weights: Floats) -> float:
    mean = float((values * weights).sum())
    return float(((values - mean) ** 2 * weights).sum())
