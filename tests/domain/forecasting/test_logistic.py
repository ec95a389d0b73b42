"""The regression: its maximum, its reasons, its doubt, and the figures of forecasting.md 1 on the IBM Telco file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from app.domain.forecasting import logistic, rates
from bench import telco
from bench.published import TELCO
from tests.domain.forecasting.published import needs


@needs(TELCO)
def test_the_table_is_reached() -> None:
    """Thirty splits, seeds 0 to 29, exactly; the first ten, which are harder, to the digits that the table has."""
    known = telco.read()
    table = telco.table(known, telco.by_regression, 30)
    mean, ten = telco.mean(table), telco.mean(table[:10])
    print(f"Telco, ridge logistic: {mean}, the first ten {ten}")
    assert round(ten.brier, 3) <= 0.134
    assert round(ten.auc, 3) >= 0.848
    assert round(ten.log_loss, 3) <= 0.413
    assert ten.calibration_error <= 0.026
    assert 0.95 <= ten.slope <= 1.05
    assert mean.brier <= 0.134
    assert mean.auc >= 0.848
    assert mean.log_loss <= 0.413
    assert mean.calibration_error <= 0.026
    assert 0.95 <= mean.slope <= 1.05


@pytest.mark.parametrize("pairs", [(), ((0, 1), (0, 2))])
def test_newton_finds_the_maximum(pairs: logistic.Pairs) -> None:
    rng, size = np.random.default_rng(1), 4 + len(pairs)
    ridge = np.array([0.0, 1.0, 1.0, 1.0, *(logistic.PAIRED for _ in pairs)])
    inputs, weights = rng.normal(3, 2, (200, 3)), rng.uniform(0.2, 1, 200)
    kept = (rng.random(200) < logistic.expit(inputs @ np.array([0.5, -0.4, 0.0]))).astype(np.float64)
    model = logistic.fit(inputs, kept, weights, pairs=pairs)
    design = model.design(inputs)
    assert design.shape == (200, size)

    def loss(at: rates.Floats) -> float:
        eta = design @ at
        prior = rates.PRIOR_SIZE * (np.logaddexp(0, at[0]) - rates.PRIOR_MEAN * at[0])
        return float(weights @ (np.logaddexp(0, eta) - kept * eta) + prior + logistic.PENALTY * ridge @ at**2 / 2)

    best = optimize.minimize(loss, np.zeros(size), method="BFGS", options={"gtol": 1e-9})
    assert np.concatenate([[model.intercept], model.slopes]) == pytest.approx(best.x, abs=1e-5)
    steps = 1e-3 * np.eye(size)
    curvature = [
        [loss(best.x + a + b) - loss(best.x + a - b) - loss(best.x - a + b) + loss(best.x - a - b) for b in steps]
        for a in steps
    ]
    assert model.covariance @ np.array(curvature) / 4e-6 == pytest.approx(np.eye(size), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40), st.integers(0, 4), st.sampled_from([1e-9, 1.0, 1e12, 1e200]))
def test_reasons_add_up_to_the_logit(seed: int, rows: int, columns: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(0, 1, (rows, columns)) * unit
    inputs[rng.random((rows, columns)) < 0.2] = np.nan
    pairs = [(n, n + 1) for n in range(columns - 1)]
    model = logistic.fit(inputs, (rng.random(rows) < 0.8).astype(np.float64), rng.random(rows), pairs=pairs)
    p = model.predict(inputs)
    assert np.isfinite(model.covariance).all()
    assert (np.linalg.eigvalsh(model.covariance) > 0).all()
    assert model.intercept + model.reasons(inputs).sum(axis=1) == pytest.approx(logistic.logit(p), abs=1e-6)
    assert (model.reasons(inputs)[np.isnan(inputs)] == 0).all()


@pytest.mark.parametrize("kept", [[], [1.0], [0.0], [1.0] * 500, [0.0] * 500])
def test_few_or_extreme_data_give_a_finite_answer(kept: list[float]) -> None:
    inputs = np.arange(2.0 * len(kept)).reshape(len(kept), 2)
    model = logistic.fit(inputs, np.array(kept), np.ones(len(kept)))
    p = model.predict(np.array([[np.nan, np.nan], [1e300, -1e300]]))
    assert ((p > 0) & (p < 1)).all()
    doubt = float(np.sqrt(model.covariance[0, 0]))
    if len(kept) < 2:
        assert logistic.expit(np.array([model.intercept - 1.645 * doubt]))[0] < 0.5


def test_no_history_is_the_stated_prior() -> None:
    model = logistic.fit(np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    assert model.predict(np.ones((2, 3))) == pytest.approx([rates.PRIOR_MEAN] * 2)


def test_where_it_starts_changes_nothing_but_the_work() -> None:
    """From another month's regression, whose inputs lay elsewhere, one of which never changed then and one never does."""
    rng = np.random.default_rng(6)
    inputs, weights = rng.normal(3, 2, (900, 4)), rng.uniform(0.2, 1, 900)
    inputs[:300, 1] = 7.0
    inputs[:, 2] = 5.0
    kept = (rng.random(900) < logistic.expit(inputs[:, 0] - 2 + inputs[:, 3] / 5)).astype(np.float64)
    pairs = ((0, 1), (1, 2), (0, 3))
    before = logistic.fit(inputs[:300], kept[:300], weights[:300], pairs=pairs)
    cold = logistic.fit(inputs, kept, weights, pairs=pairs)
    warm = logistic.fit(inputs, kept, weights, start=before, pairs=pairs)
    assert warm.intercept == pytest.approx(cold.intercept, abs=1e-9)
    assert warm.slopes == pytest.approx(cold.slopes, abs=1e-9)
    assert warm.covariance == pytest.approx(cold.covariance, rel=1e-9, abs=1e-12)


def test_what_two_inputs_say_together_is_found_and_told_of_each_by_half() -> None:
    """Neither input says anything alone: those stay who have both or neither."""
    rng = np.random.default_rng(5)
    inputs = rng.choice([-1.0, 1.0], (4_000, 2))
    kept = (rng.random(4_000) < logistic.expit(inputs[:, 0] * inputs[:, 1])).astype(np.float64)
    alone = logistic.fit(inputs, kept, np.ones(4_000))
    both = logistic.fit(inputs, kept, np.ones(4_000), pairs=((0, 1),))
    assert np.ptp(alone.predict(inputs)) < 0.1
    assert np.ptp(both.predict(inputs)) > 0.4
    told = both.reasons(np.array([[1.0, 1.0]]))[0]
    assert told == pytest.approx([0.5, 0.5], abs=0.1)
