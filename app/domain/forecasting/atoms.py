"""The exact distribution of a small or regular book: every reachable sum with its probability."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.book import Book, Cell, Floats

MOST_ATOMS = 4_096
_MOST_CELLS = 4_000_000


@dataclass(frozen=True)
class Atoms:
    """Sums `values` (atoms,), ascending, and their `probabilities` (..., atoms), one row per node."""

    values: Floats
    probabilities: Floats


def reachable(book: Book) -> bool:
    """Whether the book has few enough different sums to list them: 12 accounts, or many on a common step."""
    if any(cell.ratios.shape != (1, 1) or cell.ratios[0, 0] != 1 for cell in book.cells):
        return _few(book)
    amounts = np.concatenate([cell.amounts for cell in book.cells] or [np.zeros(0)])
    amounts = amounts[amounts > 0]
    unique, times = np.unique(amounts, return_counts=True)
    most = _most(book)
    if float(np.log2(times + 1.0).sum()) <= math.log2(most):
        return True
    # Sums above 2^53 are not whole numbers any more, and a common step cannot be told.
    if float(amounts.sum()) > 2**53 or not np.array_equal(amounts, np.round(amounts)):
        return False
    step = int(np.gcd.reduce(unique.astype(np.int64)))
    return bool(amounts.sum() / step + 1 <= most)


def _few(book: Book) -> bool:
    """Whether the accounts are few enough to list what each of them may come to, ratio by ratio."""
    outcomes = sum(int((cell.amounts > 0).sum()) * math.log2(cell.ratios.shape[1] + 1) for cell in book.cells)
    return outcomes <= math.log2(_most(book))


def _most(book: Book) -> int:
    nodes = len(book.weights) * max((len(g.weights) * len(c.weights) for g in book.groups for c in g.cells), default=1)
    return max(1, min(MOST_ATOMS, _MOST_CELLS // max(nodes, 1)))


def enumerate_sums(book: Book) -> Atoms:
    """Every sum of the book with its probability, (atoms,); call it only where `reachable`."""
    total = Atoms(np.zeros(1), np.ones((len(book.weights), 1)))
    for group in book.groups:
        inner = Atoms(np.zeros(1), np.ones((len(book.weights), len(group.weights), 1)))
        for cell in group.cells:
            inner = _convolve(inner, _mix(_cell(cell), cell.weights))
        total = _convolve(total, _mix(inner, group.weights))
    return _mix(total, book.weights)


def _cell(cell: Cell) -> Atoms:
    result = Atoms(np.zeros(1), np.ones((*cell.probabilities.shape[:3], 1)))
    if cell.probabilities.shape[-1] == 1 and cell.ratios.shape == (1, 1) and cell.ratios[0, 0] > 0:
        unique, times = np.unique(cell.amounts[cell.amounts > 0] * cell.ratios[0, 0], return_counts=True)
        for amount, count in zip(unique.tolist(), times.tolist(), strict=True):
            result = _convolve(result, _alike(amount, count, cell.probabilities))
        return result
    for index, amount in enumerate(cell.amounts):
        if amount > 0:
            p = cell.probabilities[..., min(index, cell.probabilities.shape[-1] - 1), None]
            result = _convolve(result, _account(amount, p, cell.ratios[min(index, len(cell.ratios) - 1)]))
    return result


def _alike(amount: float, accounts: int, p: Floats) -> Atoms:
    """What so many accounts of one amount and one rate come to: a binomial at every node of `p` (..., 1)."""
    renewed = np.arange(accounts + 1)
    ways = math.lgamma(accounts + 1) - np.array([math.lgamma(k + 1) + math.lgamma(accounts - k + 1) for k in renewed])
    # A rate of nought leaves one outcome: its logarithm has to be finite for that one.
    log = ways + renewed * np.log(np.maximum(p, 1e-300)) + (accounts - renewed) * np.log(np.maximum(1 - p, 1e-300))
    return Atoms(np.asarray(amount * renewed, dtype=np.float64), np.asarray(np.exp(log), dtype=np.float64))


def _account(amount: float, p: Floats, ratios: Floats) -> Atoms:
    """What one account comes to: nothing, or its amount times one of its ratios."""
    paid, times = np.unique(ratios, return_counts=True)
    share = times / len(ratios)
    nothing = 1 - p * share[paid > 0].sum()
    values = np.concatenate([[0.0], amount * paid[paid > 0]])
    return Atoms(values, np.concatenate([nothing, p * share[paid > 0]], axis=-1))


def _mix(atoms: Atoms, weights: Floats) -> Atoms:
    return Atoms(atoms.values, np.einsum("...na,n->...a", atoms.probabilities, weights))


def _convolve(first: Atoms, second: Atoms) -> Atoms:
    """Sums of both, equal ones merged. One account at a time keeps the rows of `second` few."""
    if len(second.values) > len(first.values):
        first, second = second, first
    values, place = np.unique((first.values[:, None] + second.values).ravel(), return_inverse=True)
    places: NDArray[np.intp] = place.reshape(len(first.values), len(second.values))
    rows = np.broadcast_shapes(first.probabilities.shape[:-1], second.probabilities.shape[:-1])
    merged = np.zeros((*rows, len(values)))
    for column in range(len(second.values)):
        # Within one column the sums differ, so no place is written twice.
        merged[..., places[:, column]] += first.probabilities * second.probabilities[..., column, None]
    return Atoms(values, merged)
