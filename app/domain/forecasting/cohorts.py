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
_SETTLED = 1e-8
_MOST_STEPS = 2_000


@dataclass(frozen=True)
class Curve:
    """A fitted cohort: `a`, `b` of the chance to leave, `c` of the terms (1 for sBG), and the terms it was fitted on."""

    model: Literal["sBG", "BdW"]
    a: float
    b: float
    c: float
    terms: int

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
    a, b, c = np.exp(_fitted(alive, 2)).tolist()
    return Curve("sBG", a, b, c, len(alive) - 1)


def fit_bdw(alive: Floats) -> Curve:
    """Beta-discrete-Weibull; raises ValueError as `fit_sbg`."""
    a, b, c = np.exp(_fitted(alive, 3)).tolist()
    return Curve("BdW", a, b, c, len(alive) - 1)


def _fitted(alive: Floats, free: int) -> Floats:
    """(a, b, c) as logarithms: the maximum over the first `free` of them."""
    if not len(alive) or bool((alive < 0).any() or (np.diff(alive) > 0).any()):
        raise ValueError("the accounts alive are counted from the start and never rise")
    lost = np.append(-np.diff(alive), alive[-1])
    terms = np.arange(len(alive), dtype=np.float64)

    def loss(at: Floats) -> float:
        point = np.clip(np.append(at, _PRIOR[free:]), -_BOUND, _BOUND)
        log = _log_survival(point, terms)
        # ln (S(t-1) - S(t)), and ln S(T) for those still there.
        gone = np.append(log[:-1] + np.log(-np.expm1(np.minimum(np.diff(log), -1e-300))), log[-1])
        prior = (((np.append(at, _PRIOR[free:]) - _PRIOR) / _SPREAD) ** 2).sum() / 2
        return float(prior - lost @ np.maximum(gone, -1e6))

    best = _lowest(loss, _PRIOR[:free].copy())
    return np.append(np.clip(best, -_BOUND, _BOUND), _PRIOR[free:])


def _log_survival(logs: Floats, terms: Floats) -> Floats:
    a, b, c = np.exp(logs)
    return np.asarray(beta.betaln(a, b + terms**c) - beta.betaln(a, b), dtype=np.float64)


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
