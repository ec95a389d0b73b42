"""Segments taken as polynomials in their rates, against the product account by account."""

import numpy as np
import pytest

from app.domain.forecasting import polynomials
from app.domain.forecasting.book import Cell, Floats


@pytest.mark.parametrize("ratios", [np.ones((1, 1)), np.array([[0.0, 0.7, 1.3]])])
@pytest.mark.parametrize("frequencies", [64, 5])
def test_every_node_has_its_product(ratios: Floats, frequencies: int) -> None:
    """Of one account, of one part, and of several; rates that are far apart cost the most digits."""
    rng = np.random.default_rng(7)
    cells = [
        Cell(rng.uniform(0, 9, accounts), rng.uniform(0, 1, (3, 2, 4, 1)), np.full(4, 0.25), 0.0, ratios)
        for accounts in (1, 12, 30, 2, 13)
    ]
    w: Floats = 0.4 * np.arange(7.0, 7.0 + frequencies)
    found = polynomials.products(polynomials.parts(cells), w)
    assert sorted(found) == list(range(len(cells)))
    for number, cell in enumerate(cells):
        wave = np.exp(1j * cell.amounts[:, None, None] * ratios[0][:, None] * w).mean(axis=1)
        each = (1 - cell.probabilities[..., None] + cell.probabilities[..., None] * wave).prod(axis=3)
        wanted = each if len(cell.amounts) > 12 else np.einsum("csnk,n->csk", each, cell.weights)
        assert np.abs(found[number] - wanted.reshape(-1, frequencies)).max() < 1e-11


def test_accounts_with_rates_or_ratios_of_their_own_are_left_out() -> None:
    one, rates = np.ones(1), np.full((1, 1, 1, 1), 0.5)
    own = Cell(np.ones(3), np.full((1, 1, 1, 3), 0.5), one)
    paid = Cell(np.ones(3), rates, one, 0.0, np.ones((3, 1)))
    many, none = Cell(np.ones(2_001), rates, one), Cell(np.zeros(0), rates, one)
    assert polynomials.parts([own, paid, many, none]) == ()
    assert polynomials.products((), np.arange(8.0)) == {}
