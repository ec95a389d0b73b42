"""The characteristic function of what a book renews, averaged over its nodes."""

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.book import Book, Cell, Floats

Complexes = NDArray[np.complex128]

# How many (account, node) pairs go through the exact product; smaller amounts beyond it enter by four cumulants.
EXACT_PAIRS = 100_000
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


def characteristic(book: Book, frequencies: Floats, threshold: float = 0.0) -> Complexes:
    """E exp(i w R), (frequencies,), w in 1 / money. Amounts up to `threshold` enter by their cumulants."""
    result = np.ones((len(book.weights), len(frequencies)), dtype=np.complex128)
    for group in book.groups:
        product = np.ones((len(book.weights), len(group.weights), len(frequencies)), dtype=np.complex128)
        for cell in group.cells:
            product *= _cell(cell, frequencies, threshold)
        result *= _average(product, group.weights, group.spread, frequencies)
    return np.asarray(_average(result, book.weights, book.spread, frequencies), dtype=np.complex128)


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
    """Sum over the last node axis. A quadrature repeats itself beyond its reach, where the truth is nought."""
    mixed = np.einsum("...nk,n->...k", values, weights)
    if len(weights) == 1 or spread <= 0:
        return np.asarray(mixed, dtype=np.complex128)
    return np.asarray(mixed * np.exp(-((np.abs(frequencies) * spread / _REPEATS) ** 12)), dtype=np.complex128)


def _cell(cell: Cell, frequencies: Floats, threshold: float) -> Complexes:
    """(common, shared, frequencies): the cell's accounts multiplied, its own nodes averaged."""
    p = cell.probabilities
    shape = p.shape[:3]
    flat = p.reshape(-1, p.shape[-1])
    large = cell.amounts > threshold
    result = _product(cell.amounts[large], _columns(flat, large), _rows(cell.ratios, large), frequencies)
    small = ~large & (cell.amounts > 0)
    if small.any():
        result = result * _cumulants(cell.amounts[small], _columns(flat, small), _rows(cell.ratios, small), frequencies)
    return _average(result.reshape(*shape, len(frequencies)), cell.weights, cell.spread, frequencies)


def _columns(p: Floats, chosen: NDArray[np.bool_]) -> Floats:
    return p if p.shape[1] == 1 else p[:, chosen]


def _rows(ratios: Floats, chosen: NDArray[np.bool_]) -> Floats:
    return ratios if len(ratios) == 1 else ratios[chosen]


def _product(amounts: Floats, p: Floats, ratios: Floats, frequencies: Floats) -> Complexes:
    """prod_i (1 - p + p mean_g exp(i w a_i g)), (nodes, frequencies), in blocks of bounded memory."""
    alike = p.shape[1] == 1 and len(ratios) == 1
    if alike and ratios.shape[1] == 1 and len(amounts) <= _MANY:
        wave = np.exp(1j * (amounts * ratios[0, 0])[:, None] * frequencies) - 1
        return np.asarray(np.multiply.reduce(1 + p[:, :, None] * wave, axis=1), dtype=np.complex128)
    # Equal amounts at one rate are a power, not a product.
    if alike:
        amounts, times = np.unique(amounts, return_counts=True)
    else:
        times = np.ones(len(amounts), dtype=np.int64)
    result = np.ones((len(p), len(frequencies)), dtype=np.complex128)
    step = max(1, _BLOCK // max(len(frequencies), 1))
    for start in range(0, len(amounts), step):
        chunk = slice(start, start + step)
        paid = amounts[chunk, None] * (ratios if len(ratios) == 1 else ratios[chunk])
        wave = sum(np.exp(1j * paid[:, k, None] * frequencies) for k in range(paid.shape[1])) / paid.shape[1] - 1
        repeated = bool((times[chunk] > 1).any())
        nodes = max(1, step // len(wave))
        for first in range(0, len(p), nodes):
            rate = p[first : first + nodes] if p.shape[1] == 1 else p[first : first + nodes, chunk]
            factor = 1 + rate[:, :, None] * wave
            if repeated:
                factor = factor ** times[chunk, None]
            result[first : first + nodes] *= np.multiply.reduce(factor, axis=1)
    return result


def _cumulants(amounts: Floats, p: Floats, ratios: Floats, frequencies: Floats) -> Complexes:
    """The same product for many small amounts: exp of its first four cumulants, (nodes, frequencies)."""
    orders = cumulants(p, ratios)
    k1, k2, k3, k4 = (_weighted(order, amounts ** (power + 1))[:, None] for power, order in enumerate(orders))
    w = frequencies
    # The fourth may not win over the second: far out, where it would, the truth is nought.
    real = np.minimum(-(w**2) * k2 / 2 + w**4 * k4 / 24, -(w**2) * k2 / 4)
    return np.asarray(np.exp(real + 1j * (w * k1 - w**3 * k3 / 6)), dtype=np.complex128)


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
