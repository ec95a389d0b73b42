"""The characteristic function of what a book renews, averaged over its nodes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import polynomials
from app.domain.forecasting.book import Book, Cell, Floats
from app.domain.forecasting.polynomials import Complexes, Part

# How many (account, node) pairs go through the exact product; smaller amounts beyond it enter by four cumulants.
EXACT_PAIRS = 20_000
_BLOCK = 1 << 17
# Fewer amounts than that are not worth a search for equal ones.
_MANY = 24
# In standard deviations of the shock: beyond it 32 nodes no longer integrate a wave.
_REPEATS = 6.0


def moments(book: Book) -> tuple[float, float]:
    """Mean and standard deviation of the renewed money, parameter uncertainty included."""
    at_common = np.zeros(len(book.weights))
    spread = np.zeros(len(book.weights))
    for group in book.groups:
        at_shared = np.zeros((len(book.weights), len(group.weights)))
        within = np.zeros_like(at_shared)
        for cell in group.cells:
            first, second = (raw_moment(cell.probabilities, cell.ratios, order) for order in (1, 2))
            given = _weighted(first, cell.amounts)
            noise = _weighted(second - first**2, cell.amounts**2)
            centre = given @ cell.weights
            at_shared += centre
            within += noise @ cell.weights + ((given - centre[..., None]) ** 2) @ cell.weights
        centre = at_shared @ group.weights
        at_common += centre
        spread += within @ group.weights + ((at_shared - centre[:, None]) ** 2) @ group.weights
    mean = float(at_common @ book.weights)
    variance = float(spread @ book.weights + ((at_common - mean) ** 2) @ book.weights)
    return mean, float(np.sqrt(max(variance, 0.0)))


def raw_moment(p: Floats, ratios: Floats, order: int) -> Floats:
    """E (X g)^order per account of amount one, (..., n or 1): renewed with `p` (..., n or 1), then a ratio g."""
    return np.asarray(p * (ratios**order).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class _Ready:
    """A cell before any frequency: `times` each of the large `amounts` is there, their rates `p` (nodes, n or 1), where the
    cumulants of the small ones lie among those of all cells, and the `shape` of the nodes."""

    amounts: Floats
    times: NDArray[np.int64]
    p: Floats
    ratios: Floats
    small: slice
    shape: tuple[int, ...]
    weights: Floats
    spread: float


@dataclass(frozen=True)
class Waves:
    """A book whose characteristic function can be asked for, frequencies after frequencies: cells that are taken as
    polynomials in `parts`, the others, by number, in `cells`, with all their cumulants together, (4, nodes)."""

    book: Book
    parts: tuple[Part, ...]
    cells: Mapping[int, _Ready]
    cumulants: Floats


def waves(book: Book, threshold: float = 0.0) -> Waves:
    """What all frequencies share. Amounts up to `threshold` enter by their cumulants."""
    parts = polynomials.parts(book.cells if threshold == 0 else ())
    taken = {part.place for part in parts}
    others, told, nodes = {}, [np.zeros((4, 0))], 0
    for number, cell in enumerate(book.cells):
        if number not in taken:
            given = _small(cell, threshold)
            others[number] = _ready(cell, threshold, slice(nodes, nodes + given.shape[1]))
            told.append(given)
            nodes += given.shape[1]
    return Waves(book, parts, others, np.concatenate(told, axis=1))


def characteristic(of: Waves, frequencies: Floats) -> Complexes:
    """E exp(i w R), (frequencies,), w in 1 / money, evenly spaced."""
    book, together, number = of.book, polynomials.products(of.parts, frequencies), 0
    result = np.ones((len(book.weights), len(frequencies)), dtype=np.complex128)
    # Of all cells at once: of a few nodes the calls are what costs.
    smooth = _smooth(of.cumulants, frequencies)
    for group in book.groups:
        product = np.ones((len(book.weights), len(group.weights), len(frequencies)), dtype=np.complex128)
        for cell in group.cells:
            if number in of.cells:
                product *= _cell(of.cells[number], smooth, frequencies)
            else:
                product *= _mixed(cell, together[number].reshape(*product.shape[:2], -1, len(frequencies)), frequencies)
            number += 1
        result *= _average(product, group.weights, group.spread, frequencies)
    return np.asarray(_average(result, book.weights, book.spread, frequencies), dtype=np.complex128)


def _mixed(cell: Cell, given: Complexes, frequencies: Floats) -> Complexes:
    """The average of `given` (common, shared, own or 1, frequencies) over the cell's own nodes, if it is not yet one."""
    if given.shape[2] == 1:
        return _damped(given[:, :, 0], len(cell.weights), cell.spread, frequencies)
    return _average(given, cell.weights, cell.spread, frequencies)


def pairs(book: Book) -> int:
    """How many (account, node) pairs the exact product takes; an account counts once per ratio."""
    return sum(len(cell.amounts) * _cost(cell) for cell in book.cells)


def exact_threshold(book: Book) -> float:
    """The amount up to which accounts have to enter by cumulants, so that the work stays bounded; 0 if none need to."""
    cells = book.cells
    if pairs(book) <= EXACT_PAIRS:
        return 0.0
    amounts = np.concatenate([cell.amounts for cell in cells])
    cost = np.concatenate([np.full(len(cell.amounts), _cost(cell)) for cell in cells])
    order = np.argsort(-amounts, kind="stable")
    over = int(np.searchsorted(np.cumsum(cost[order]), EXACT_PAIRS, side="right"))
    return float(amounts[order[min(over, len(order) - 1)]])


def _cost(cell: Cell) -> int:
    return int(cell.probabilities[..., 0].size * cell.ratios.shape[1])


def _weighted(values: Floats, amounts: Floats) -> Floats:
    if values.shape[-1] == 1:
        return np.asarray(values[..., 0] * amounts.sum(), dtype=np.float64)
    return np.asarray(values @ amounts, dtype=np.float64)


def _average(values: Complexes, weights: Floats, spread: float, frequencies: Floats) -> Complexes:
    """Sum over the last node axis."""
    mixed = np.asarray(np.einsum("...nk,n->...k", values, weights), dtype=np.complex128)
    return _damped(mixed, len(weights), spread, frequencies)


def _damped(mixed: Complexes, nodes: int, spread: float, frequencies: Floats) -> Complexes:
    """A quadrature repeats itself beyond its reach, where the truth is nought."""
    if nodes == 1 or spread <= 0:
        return mixed
    return np.asarray(mixed * np.exp(-((np.abs(frequencies) * spread / _REPEATS) ** 12)), dtype=np.complex128)


def _ready(cell: Cell, threshold: float, small: slice) -> _Ready:
    p = cell.probabilities
    flat, large = p.reshape(-1, p.shape[-1]), cell.amounts > threshold
    amounts, rates, ratios = cell.amounts[large], _columns(flat, large), _rows(cell.ratios, large)
    times = np.ones(len(amounts), dtype=np.int64)
    # Equal amounts at one rate are a power, not a product.
    if rates.shape[1] == 1 and len(ratios) == 1 and len(amounts) > _MANY:
        amounts, times = np.unique(amounts, return_counts=True)
    return _Ready(amounts, times, rates, ratios, small, p.shape[:3], cell.weights, cell.spread)


def _small(cell: Cell, threshold: float) -> Floats:
    """The cumulants of a cell's small amounts, (4, nodes), or (4, 0) where there is none: their product is exp of the sums."""
    small = (cell.amounts > 0) & (cell.amounts <= threshold)
    if not small.any():
        return np.zeros((4, 0))
    p, amounts = cell.probabilities, cell.amounts[small]
    orders = cumulants(_columns(p.reshape(-1, p.shape[-1]), small), _rows(cell.ratios, small))
    return np.stack([_weighted(order, amounts ** (power + 1)) for power, order in enumerate(orders)])


def _cell(cell: _Ready, smooth: Complexes, frequencies: Floats) -> Complexes:
    """(common, shared, frequencies): the cell's accounts multiplied, its own nodes averaged."""
    result = smooth[cell.small] if cell.small.start < cell.small.stop else np.ones((1, 1), dtype=np.complex128)
    if len(cell.amounts):
        result = result * _product(cell, frequencies)
    given = np.broadcast_to(result, (len(cell.p), len(frequencies))).reshape(*cell.shape, len(frequencies))
    return _average(given, cell.weights, cell.spread, frequencies)


def _smooth(cumulants: Floats, w: Floats) -> Complexes:
    """exp of the series of `cumulants` (4, nodes) at the frequencies, (nodes, frequencies)."""
    k1, k2, k3, k4 = cumulants[:, :, None]
    square = w * w
    # The fourth may not win over the second: far out, where it would, the truth is nought.
    size = np.exp(square * np.minimum(k4 / 24 * square - k2 / 2, k2 / -4))
    turn = w * (k1 - k3 / 6 * square)
    made = np.empty(size.shape, dtype=np.complex128)
    np.multiply(size, np.cos(turn), out=made.real)
    np.multiply(size, np.sin(turn), out=made.imag)
    return made


def _columns(p: Floats, chosen: NDArray[np.bool_]) -> Floats:
    return p if p.shape[1] == 1 else p[:, chosen]


def _rows(ratios: Floats, chosen: NDArray[np.bool_]) -> Floats:
    return ratios if len(ratios) == 1 else ratios[chosen]


def _product(cell: _Ready, frequencies: Floats) -> Complexes:
    """prod_i (1 - p + p mean_g exp(i w a_i g)), (nodes, frequencies), in blocks of bounded memory."""
    p, ratios, repeated = cell.p, cell.ratios, bool((cell.times > 1).any())
    result = np.ones((len(p), len(frequencies)), dtype=np.complex128)
    step = max(1, _BLOCK // max(len(frequencies), 1))
    for start in range(0, len(cell.amounts), step):
        chunk = slice(start, start + step)
        paid = cell.amounts[chunk, None] * (ratios if len(ratios) == 1 else ratios[chunk])
        wave = _turned(paid, frequencies) - 1
        nodes = max(1, step // len(wave))
        for first in range(0, len(p), nodes):
            rate = p[first : first + nodes] if p.shape[1] == 1 else p[first : first + nodes, chunk]
            factor = rate[:, :, None] * wave
            factor += 1
            if repeated:
                factor = factor ** cell.times[chunk, None]
            result[first : first + nodes] *= np.multiply.reduce(factor, axis=1)
    return result


def _turned(paid: Floats, frequencies: Floats) -> Complexes:
    """mean_g exp(i w paid_g), (n, frequencies). Equally distant frequencies are sums of a few: their waves are products."""
    fine = 1 << (len(frequencies).bit_length() // 2)
    if len(frequencies) % fine:
        return np.asarray(np.exp(1j * paid[:, :, None] * frequencies).mean(axis=1), dtype=np.complex128)
    coarse = np.exp(1j * paid[:, :, None] * frequencies[::fine])
    near = np.exp(1j * paid[:, :, None] * (frequencies[:fine] - frequencies[0]))
    both = np.einsum("ngc,ngf->ncf", coarse, near) if paid.shape[1] > 1 else coarse[:, 0, :, None] * near[:, 0, None, :]
    return np.asarray(both.reshape(len(paid), -1) / paid.shape[1], dtype=np.complex128)


def cumulants(p: Floats, ratios: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The first four cumulants of X g per account of amount one, (nodes, n or 1) each."""
    if ratios.shape[1] == 1:
        # As products: powers of arrays cost many times more.
        g, pq = ratios[:, 0], p * (1 - p)
        g2 = g * g
        return p * g, pq * g2, pq * (1 - 2 * p) * (g2 * g), pq * (1 - 6 * pq) * (g2 * g2)
    m1, m2, m3, m4 = (raw_moment(p, ratios, order) for order in (1, 2, 3, 4))
    variance = m2 - m1**2
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    return m1, variance, third, m4 - 4 * m3 * m1 - 3 * m2**2 + 12 * m2 * m1**2 - 6 * m1**4
