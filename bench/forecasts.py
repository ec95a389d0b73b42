"""Forecasts: the distribution of a book by its cosine series, by what drawing it at random costs."""

from __future__ import annotations

from time import process_time

import numpy as np

from app.domain.forecasting import normals
from app.domain.forecasting.book import Floats, independent
from app.domain.forecasting.distribution import distribution
from bench.ratios import Goal, Ratio, Rounds

DRAWS = 10_000
"""Draws of a simulation that errs by about 1 % of the interval's width; the series errs by 0.01 %."""
TAKEN = 100
"""Draws that are really made: their cost grows evenly."""
SHOCK = 0.15
"""Logits of a month's common shock, for the same book whose accounts move together."""
GOAL = Goal(10.0, most=False)


def measured(accounts: int, rounds: int) -> Ratio:
    """How many times cheaper than a simulation, over one book of independent renewals."""
    rng = np.random.default_rng(accounts)
    amounts: Floats = np.round(rng.lognormal(9, 1.2, accounts), 2)
    probabilities: Floats = rng.beta(8, 2, accounts)
    eta: Floats = np.log(probabilities / (1 - probabilities))
    shock: Floats = np.full(accounts, SHOCK)

    def series() -> dict[str, float]:
        began = process_time()
        made = distribution(independent(amounts, probabilities))
        made.quantile(0.05), made.quantile(0.5), made.quantile(0.95)
        return {"python": (process_time() - began) * 1000}

    def shocked() -> dict[str, float]:
        began = process_time()
        made = normals.shocked(amounts, eta, shock)
        made.quantile(0.05), made.quantile(0.5), made.quantile(0.95)
        return {"python": (process_time() - began) * 1000}

    def simulation() -> dict[str, float]:
        began = process_time()
        drawn = [amounts[rng.random(accounts) < probabilities].sum() for _ in range(TAKEN)]
        np.quantile(drawn, (0.05, 0.5, 0.95))
        return {"python": (process_time() - began) * 1000 * DRAWS / TAKEN}

    taken = Rounds()
    series()
    taken.take({"series": series, "simulation": simulation, "shocked": shocked}, rounds)
    figures = {
        "series ms": f"{taken.median('series', 'python'):,.1f}", "with a shock ms": f"{taken.median('shocked', 'python'):,.1f}",
        "simulation ms": f"{taken.median('simulation', 'python'):,.0f}",
    }  # fmt: skip
    return Ratio(f"forecast of {accounts:,} accounts", GOAL, taken.ratios("simulation", "series"), figures)
