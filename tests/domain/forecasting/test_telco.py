"""Books and segment rates on the IBM Telco file (bench.telco says how; the regression is in test_logistic.py)."""

import pytest

from bench import telco
from bench.published import TELCO
from bench.telco import AT_RANDOM, CONTRACTS, Telco
from tests.domain.forecasting.published import needs

pytestmark = needs(TELCO)


@pytest.fixture(scope="module")
def known() -> Telco:
    return telco.read()


def test_brier_and_calibration_reach_the_table(known: Telco) -> None:
    found = telco.mean(telco.table(known, telco.by_segment, 10))
    print(f"Telco, segments: {found}")
    assert found.brier <= 0.1396
    assert found.auc >= 0.835
    assert found.log_loss <= 0.430
    assert found.calibration_error <= 0.023
    assert 0.95 <= found.slope <= 1.05


@pytest.mark.parametrize(("kinds", "books", "least", "most"), [(AT_RANDOM, 10, 0.88, 0.93), (CONTRACTS, 4, 0.87, 1.0)])
def test_books_of_300_hold_their_renewed_arr(
    known: Telco, kinds: tuple[str, ...], books: int, least: float, most: float
) -> None:
    """40 splits, and from the 30 % not learnt from 400 books at random, 480 with 85 % of one contract type.

    Four concentrated books of each contract per split tell as much as ten: shares of splits spread by about .086, of which
    the chance of 30 books is sqrt(.9 x .1 / 30) = .055 and the split's own luck sqrt(.086^2 - .055^2) = .066. Over 40 splits
    the standard error is .0136 with 30 books each (1,200 held .909), sqrt((.066^2 + .09 / 12) / 40) = .017 with 12: a third
    of the margin to .87. Books at random are one kind, so there ten are kept: error .013, margins .01 and more.
    """
    held = telco.held(known, kinds, 40, books)
    print(f"{kinds}: {held.share:.4f} of {held.books} books held, standard error over splits {held.error:.4f}")
    assert least <= held.share <= most
    assert held.error <= 0.02


def test_books_are_not_much_wider_than_independent_ones(known: Telco) -> None:
    """Doubt of the rates and the usual common shock, by 300 accounts that renew each on its own."""
    found = telco.widths(known, 10)
    print(f"book intervals by independent ones: mean {found.mean():.3f}, widest {found.max():.3f}")
    assert (found > 1).all()
    assert found.mean() <= 1.25
