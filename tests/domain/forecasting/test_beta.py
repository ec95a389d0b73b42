"""The beta function and its distribution against scipy."""

import numpy as np
import pytest
from scipy import special, stats

from app.domain.forecasting import beta

SIZES = np.array([1e-6, 0.02, 0.5, 1.0, 3.3, 8.0, 47.5, 1e3, 1e6])


def test_log_gamma_matches_scipy_from_a_millionth_to_a_billion() -> None:
    x = np.concatenate([np.geomspace(1e-6, 1e9, 400), [1.0, 2.0, 1e13]])
    assert beta.gammaln(x) == pytest.approx(special.gammaln(x), rel=1e-12, abs=1e-13)


def test_log_beta_matches_scipy() -> None:
    a, b = SIZES[:, None], SIZES[None, :]
    assert beta.betaln(a, b) == pytest.approx(special.betaln(a, b), rel=1e-9, abs=1e-8)


def test_cdf_matches_scipy() -> None:
    a, b, x = SIZES[:, None, None], SIZES[None, :, None], np.linspace(0, 1, 41)
    assert beta.cdf(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-8)


def test_quantiles_match_scipy() -> None:
    a, b = SIZES[1:-1, None, None], SIZES[None, 1:-1, None]
    q = np.array([0.001, 0.05, 0.5, 0.95, 0.999])
    assert beta.quantile(a, b, q) == pytest.approx(stats.beta.ppf(q, a, b), abs=1e-9)
