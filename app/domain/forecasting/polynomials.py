"""Segments with one rate each, many at once: what a segment comes to is a polynomial in its rate.

Given its rate p a segment's characteristic function is prod (1 + p w_i), w_i = E exp(i w a_i g) - 1. Around a rate c it
is a polynomial in p - c, whose coefficients serve all nodes; they are found for parts of few accounts, of all segments
together. A part's coefficients are up to (1 + 2 |p - c|)^accounts <= 2^12, which costs four digits of sixteen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.book import Cell, Floats

Complexes = NDArray[np.complex128]

_PART = 12
_MOST_ACCOUNTS = 2_000
_FINE = 8


@dataclass(frozen=True)
class Part:
    """Up to 12 accounts of the cell that is number `place` in its book; `centre` c is a rate amid the cell's.

    `powers` (nodes, accounts + 1) are (p - c)^0 …; of a cell that is one part they are averaged over the cell's own nodes.
    """

    place: int
    amounts: Floats
    ratios: Floats
    centre: float
    powers: Floats


def parts(cells: Sequence[Cell]) -> tuple[Part, ...]:
    """Of those `cells` whose accounts share a rate and what is paid, and are not too many; the largest first."""
    found: list[Part] = []
    for place, cell in enumerate(cells):
        if not 0 < len(cell.amounts) <= _MOST_ACCOUNTS or cell.probabilities.shape[-1] != 1 or len(cell.ratios) != 1:
            continue
        centre = float(cell.probabilities.max() + cell.probabilities.min()) / 2
        powers = _powers(cell, centre)
        for begin in range(0, len(cell.amounts), _PART):
            amounts = cell.amounts[begin : begin + _PART]
            found.append(Part(place, amounts, cell.ratios, centre, powers[:, : len(amounts) + 1]))
    return tuple(sorted(found, key=lambda part: -len(part.amounts)))


def products(given: Sequence[Part], frequencies: Floats) -> dict[int, Complexes]:
    """By its number in the book each cell's product over its accounts at the nodes of its parts' `powers`, (nodes,
    frequencies). `frequencies` are evenly spaced."""
    if not given:
        return {}
    counts = np.array([len(part.amounts) for part in given])
    begin = np.cumsum(counts) - counts
    centre = np.array([part.centre for part in given])[:, None]
    waves = _each_wave(given, frequencies)
    coefficients = np.zeros((len(counts), int(counts[0]) + 1, len(frequencies)), dtype=np.complex128)
    coefficients[:, 0] = 1.0
    for account in range(int(counts[0])):
        # The parts are in order of size: the first have that many accounts.
        here = slice(0, int(np.searchsorted(-counts, -account, side="left")))
        wave = waves[begin[here] + account]
        higher = coefficients[here, : account + 1] * wave[:, None]
        coefficients[here, : account + 1] *= (1 + centre[here] * wave)[:, None]
        coefficients[here, 1 : account + 2] += higher
    found: dict[int, Complexes] = {}
    # As real numbers, twice as many: a matrix of them is multiplied faster than a mixed one.
    for part, one in zip(given, coefficients.view(np.float64), strict=True):
        made = (part.powers @ one[: part.powers.shape[1]]).view(np.complex128)
        found[part.place] = found[part.place] * made if part.place in found else made
    return found


def _powers(cell: Cell, centre: float) -> Floats:
    """(p - centre)^0 … ^accounts of a part, (nodes, accounts + 1); one part alone is averaged over its own nodes."""
    degree, alone = min(len(cell.amounts), _PART), len(cell.amounts) <= _PART
    raised = np.ones((degree + 1, *cell.probabilities.shape[:3]))
    raised[1:] = cell.probabilities[..., 0] - centre
    raised = np.multiply.accumulate(raised, axis=0)
    mixed = raised @ cell.weights if alone else raised
    return np.ascontiguousarray(mixed.reshape(degree + 1, -1).T)


def _each_wave(given: Sequence[Part], frequencies: Floats) -> Complexes:
    """E exp(i w a g) - 1 of every account, (accounts, frequencies)."""
    if all(part.ratios.shape == (1, 1) for part in given):
        paid = [part.amounts * float(part.ratios[0, 0]) for part in given]
        return np.asarray(_waves(np.concatenate(paid), frequencies) - 1, dtype=np.complex128)
    each = [
        sum(_waves(part.amounts * ratio, frequencies) for ratio in part.ratios[0].tolist()) / part.ratios.shape[1]
        for part in given
    ]
    return np.asarray(np.concatenate(each) - 1, dtype=np.complex128)


def _waves(amounts: Floats, frequencies: Floats) -> Complexes:
    """exp(i w a), (accounts, frequencies): of evenly spaced frequencies a product of two that are few."""
    if len(frequencies) % _FINE:
        return np.asarray(np.exp(1j * amounts[:, None] * frequencies), dtype=np.complex128)
    coarse = np.exp(1j * amounts[:, None] * frequencies[::_FINE])
    fine = np.exp(1j * amounts[:, None] * (frequencies[:_FINE] - frequencies[0]))
    return np.asarray((coarse[:, :, None] * fine[:, None, :]).reshape(len(amounts), -1), dtype=np.complex128)
