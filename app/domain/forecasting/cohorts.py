"""Beyond the next renewal: survival curves of cohorts whose accounts differ, by maximum likelihood.

Source: Fader and Hardie, "How to Project Customer Retention" (2007), sBG; and the beta-discrete-Weibull (2018), BdW.
An account's chance to leave is Beta(a, b); in the BdW its t-th term counts as t^c, so c = 1 is the sBG. Wide priors
(the rates' own mean for the first term, a factor of e^4 either way) keep few data, no losses and only losses finite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.domain.forecasting import beta, rates
from app.domain.forecasting.rates import Floats

LEAST_TERMS = 4
_PRIOR = np.log(np.array([rates.PRIOR_SIZE * (1 - rates.PRIOR_MEAN), rates.PRIOR_SIZE * rates.PRIOR_MEAN, 1.0]))
_SPREAD = np.array([4.0, 4.0, 4.0])
_BOUND = 12.0
_START = 0.5
_SETTLED = 1e-6
_FURTHEST = 25.0
_MOST_STEPS = 2_000
_CURVED = 0.02
_DRAWS = 400
_SEED = 6


@dataclass(frozen=True)
class Curve:
    """A fitted cohort: `a`, `b` of the chance to leave, `c` of the terms (1 for sBG), and the terms it was fitted on."""

    model: Literal["sBG", "BdW"]
    a: float
    b: float
    c: float
    terms: int
    covariance: Floats

    def band(self, terms: int) -> tuple[Floats, Floats]:
        """The 90 % interval of `survival`, (terms + 1,) each, from draws of the parameters around their maximum."""
        sides, turned = np.linalg.eigh(self.covariance)
        free = len(self.covariance)
        logs = np.tile(np.log(np.array([self.a, self.b, self.c])), (_DRAWS, 1))
        shaken = np.random.default_rng(_SEED).standard_normal((_DRAWS, free))
        logs[:, :free] += shaken * np.sqrt(np.maximum(sides, 0.0)) @ turned.T
        logs = np.clip(logs, -_BOUND, _BOUND)[:, :, None]
        survival = np.exp(_log_survival(logs.transpose(1, 0, 2), np.arange(terms + 1, dtype=np.float64)))
        low, high = np.quantile(survival, (0.05, 0.95), axis=0)
        return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)

    def survival(self, terms: int) -> Floats:
        """P(still there after t terms), t = 0 .. `terms`, (terms + 1,)."""
        t = np.arange(terms + 1, dtype=np.float64)
        return np.exp(_log_survival(np.log(np.array([self.a, self.b, self.c])), t))

    def retention(self, terms: int) -> Floats:
        """P(renewing at term t | still there before), t = 1 .. `terms`, (terms,)."""
        log = _log_survival(np.log(np.array([self.a, self.b, self.c])), np.arange(terms + 1, dtype=np.float64))
        return np.exp(np.diff(log))


def fit(alive: Floats) -> Curve:
    """BdW where the cohort has four terms or more, else sBG. `alive` (terms + 1,): accounts after 0, 1, ... terms."""
    return fit_bdw(alive) if len(alive) > LEAST_TERMS else fit_sbg(alive)


def fit_sbg(alive: Floats) -> Curve:
    """Shifted beta-geometric; raises ValueError where `alive` is empty, rises, or is negative."""
    return _fitted(*_counted(alive), 2)


def fit_bdw(alive: Floats) -> Curve:
    """Beta-discrete-Weibull; raises ValueError as `fit_sbg`."""
    return _fitted(*_counted(alive), 3)


def fit_lives(lost: Floats, kept: Floats) -> Curve:
    """Of accounts of unlike age, (terms,) each: of those at risk in term 1, 2, … so many `lost`, so many `kept`. BdW where four
    terms or more were seen, else sBG. Raises ValueError as `fit_sbg`."""
    if len(kept) != len(lost) or bool((lost < 0).any() or (kept < 0).any()):
        raise ValueError("accounts lost and kept are counted per term and never negative")
    return _fitted(lost, kept, 3 if len(lost) >= LEAST_TERMS else 2)


def _counted(alive: Floats) -> tuple[Floats, Floats]:
    if not len(alive) or bool((alive < 0).any() or (np.diff(alive) > 0).any()):
        raise ValueError("the accounts alive are counted from the start and never rise")
    return -np.diff(alive), alive[1:]


def _fitted(lost: Floats, kept: Floats, free: int) -> Curve:
    """The maximum over the first `free` of (a, b, c)."""
    terms = np.arange(len(lost) + 1, dtype=np.float64)

    def loss(at: Floats) -> float:
        point = np.append(at, _PRIOR[free:])
        each = np.diff(_log_survival(np.clip(point, -_BOUND, _BOUND), terms))
        # ln S(t) / S(t-1) of those who stayed in term t, ln (1 - S(t) / S(t-1)) of those who left in it.
        gone = np.log(-np.expm1(np.minimum(each, -1e-300)))
        prior = (((point - _PRIOR) / _SPREAD) ** 2).sum() / 2
        return float(prior - lost @ np.maximum(gone, -1e6) - kept @ np.maximum(each, -1e6))

    best = np.clip(_lowest(loss, _PRIOR[:free].copy()), -_BOUND, _BOUND)
    a, b, c = np.exp(np.append(best, _PRIOR[free:])).tolist()
    return Curve("sBG" if free == 2 else "BdW", a, b, c, len(lost), _covariance(loss, best))


def _covariance(loss: Callable[[Floats], float], at: Floats) -> Floats:
    """The inverse of the curvature at the maximum, no wider than the prior in any direction."""
    free, steps = len(at), _CURVED * np.eye(len(at))
    curvature = np.zeros((free, free))
    for i in range(free):
        for j in range(i + 1):
            around = [loss(at + x * steps[i] + y * steps[j]) for x, y in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            curvature[i, j] = curvature[j, i] = (around[0] - around[1] - around[2] + around[3]) / (4 * _CURVED**2)
    sides, turned = np.linalg.eigh(curvature)
    return np.asarray((turned / np.maximum(sides, _SPREAD[0] ** -2)) @ turned.T, dtype=np.float64)


def _log_survival(logs: Floats, terms: Floats) -> Floats:
    """ln S(t), (terms,), from t = 0 on; of many `logs` (3, draws, 1) together, (draws, terms)."""
    a, b, c = np.exp(logs)
    # t^c, as far as it still tells: beyond that nobody is left.
    counted = np.where(terms > 0, np.exp(np.minimum(c * np.log(np.maximum(terms, 1.0)), _FURTHEST)), 0.0)
    log = beta.betaln(a, b + counted)
    # Of huge numbers the last digits are noise; what is left never rises.
    falling = np.minimum.accumulate(np.minimum(log - log[..., :1], 0.0), axis=-1)
    return np.asarray(falling, dtype=np.float64)


def _lowest(loss: Callable[[Floats], float], start: Floats) -> Floats:
    """Where `loss` is lowest, by Nelder and Mead's simplex, begun again once from where it settles."""
    for size in (_START, _START / 4):
        start = _simplex(loss, start, size)
    return start


def _simplex(loss: Callable[[Floats], float], start: Floats, size: float) -> Floats:
    corners = np.vstack([start, start + size * np.eye(len(start))])
    height = np.array([loss(corner) for corner in corners])
    for _ in range(_MOST_STEPS):
        order = np.argsort(height, kind="stable")
        corners, height = corners[order], height[order]
        if float(np.abs(corners[1:] - corners[0]).max()) < _SETTLED:
            break
        middle = corners[:-1].mean(axis=0)
        tried = {reach: middle + reach * (middle - corners[-1]) for reach in (1.0, 2.0, 0.5, -0.5)}
        mirrored = loss(tried[1.0])
        if mirrored < height[0]:
            further = loss(tried[2.0])
            corners[-1], height[-1] = (tried[2.0], further) if further < mirrored else (tried[1.0], mirrored)
        elif mirrored < height[-2]:
            corners[-1], height[-1] = tried[1.0], mirrored
        else:
            reach = 0.5 if mirrored < height[-1] else -0.5
            nearer = loss(tried[reach])
            if nearer < min(mirrored, float(height[-1])):
                corners[-1], height[-1] = tried[reach], nearer
            else:
                corners[1:] = corners[0] + 0.5 * (corners[1:] - corners[0])
                height[1:] = [loss(corner) for corner in corners[1:]]
    return np.asarray(corners[int(np.argmin(height))], dtype=np.float64)
