"""Ridge logistic regression by Newton steps: probabilities, reasons that add up, and how sure the parameters are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.forecasting import rates
from app.domain.forecasting.rates import Floats

PENALTY = 5.0
_STEPS = 50
# Steps shrink to their square: after one of this size the next would be lost in the last digits.
_SETTLED = 1e-6
# What lies further from the mean than anything learnt from is not extrapolated for ever.
_FURTHEST = 8.0
_STEEPEST = 500.0
PAIRED = 4.0
"""By how much what two inputs say together is held nearer to nought: at half the spread of what one says."""
Pairs = Sequence[tuple[int, int]]
"""Places of two inputs that say something together: their product is an input too."""


@dataclass(frozen=True)
class Logistic:
    """A fitted regression. `centre` and `scale` (inputs,) standardise; `intercept` is the logit of an average account.

    `slopes` (inputs + pairs,) are per standard deviation, those of the products of `pairs` last; `covariance` (1 + inputs +
    pairs, as many), intercept first, is V.
    """

    centre: Floats
    scale: Floats
    intercept: float
    slopes: Floats
    covariance: Floats
    pairs: tuple[tuple[int, int], ...] = ()

    def design(self, inputs: Floats) -> Floats:
        """(rows, 1 + inputs + pairs): ones, the standardised `inputs` and their products; what is unknown (NaN) is average."""
        return _design(_standard(inputs, self.centre, self.scale), self.pairs)

    def reasons(self, inputs: Floats) -> Floats:
        """b_j (x_j - mean_j) in logits, (rows, inputs): with the intercept a row adds up to the account's logit.

        What two inputs say together is told of each by half: their Shapley values from the average account.
        """
        parts = np.asarray(self.design(inputs)[:, 1:] * self.slopes, dtype=np.float64)
        told = parts[:, : len(self.centre)].copy()
        for place, pair in enumerate(self.pairs, len(self.centre)):
            for one in pair:
                told[:, one] += parts[:, place] / 2
        return told

    def logit(self, inputs: Floats) -> Floats:
        """(rows,): the intercept and the reasons."""
        return np.asarray(self.intercept + self.reasons(inputs).sum(axis=1), dtype=np.float64)

    def predict(self, inputs: Floats) -> Floats:
        """P(renewal), (rows,), from `inputs` (rows, inputs)."""
        return expit(self.logit(inputs))


def fit(
    inputs: Floats, kept: Floats, weights: Floats, penalty: float = PENALTY, start: Logistic | None = None,
    pairs: Pairs = (),
) -> Logistic:  # fmt: skip
    """Maximum of the weighted likelihood less penalty / 2 per squared slope, of products PAIRED times it.

    `inputs` (rows, inputs), NaN where unknown, and the products of `pairs` of them; `kept` (rows,) in [0, 1]; `weights` (rows,) by age. The intercept leans
    on the rates' own wide prior (.85, worth four renewals), so no history, all renewed and all churned stay finite.
    `start` is a regression of the same inputs, such as the month before's: the maximum is the same, and is found sooner.
    """
    known = ~np.isnan(inputs)
    share = weights[:, None] * known
    evidence = share.sum(axis=0)
    filled = np.where(known, inputs, 0.0)
    # Relative to the largest, so that squares of a billion keep their digits and those of 1e200 stay finite.
    unit = np.maximum(np.abs(filled).max(axis=0, initial=0.0), 1e-300)
    relative = filled / unit
    centre = np.divide((share * relative).sum(axis=0), evidence, out=np.zeros(len(unit)), where=evidence > 0)
    squares = (share * (relative - centre) ** 2).sum(axis=0)
    spread = np.sqrt(np.divide(squares, evidence, out=np.zeros(len(unit)), where=evidence > 0))
    # A column that never changed says nothing, and says nothing about values it never had.
    scale = np.where(spread > 1e-9, spread * unit, np.inf)
    centre = centre * unit
    design = _design(_standard(inputs, centre, scale), pairs)
    begin = np.zeros(design.shape[1]) if start is None else _standardised(start, centre, scale)
    if start is None:
        begin[0] = float(logit(np.asarray(rates.PRIOR_MEAN)))
    ridge = np.full(design.shape[1], penalty)
    ridge[0], ridge[1 + inputs.shape[1] :] = 0.0, penalty * PAIRED
    found, curvature = _newton(design, kept, weights, ridge, begin)
    covariance = np.asarray(np.linalg.inv(curvature), dtype=np.float64)
    return Logistic(centre, scale, float(found[0]), found[1:], covariance, tuple(pairs))


def expit(value: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    made = np.asarray(np.negative(np.clip(value, -_STEEPEST, _STEEPEST)), dtype=np.float64)
    # In place: of a large book the columns in between are what costs.
    np.exp(made, out=made)
    made += 1
    return np.asarray(np.reciprocal(made, out=made), dtype=np.float64)


def logit(p: Floats) -> Floats:
    """ln p / (1 - p) for p in [0, 1]; nought and one are as sure as 1e-12."""
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)


def _standard(inputs: Floats, centre: Floats, scale: Floats) -> Floats:
    distance = np.clip((inputs - centre) / scale, -_FURTHEST, _FURTHEST)
    return np.asarray(np.where(np.isnan(distance), 0.0, distance), dtype=np.float64)


def _design(standard: Floats, pairs: Pairs) -> Floats:
    products = [np.clip(standard[:, one] * standard[:, other], -_FURTHEST, _FURTHEST) for one, other in pairs]
    return np.column_stack([np.ones(len(standard)), standard, *products])


def _standardised(model: Logistic, centre: Floats, scale: Floats) -> Floats:
    """About the parameters of `model` where its inputs are standardised otherwise; what never changed there or here starts at
    nought, and products start as they are."""
    changed, alone = np.isfinite(model.scale) & np.isfinite(scale), len(scale)
    slope = np.divide(model.slopes[:alone], model.scale, out=np.zeros(alone), where=changed)
    intercept = model.intercept + float(slope @ np.where(changed, centre - model.centre, 0.0))
    return np.concatenate([[intercept], slope * np.where(changed, scale, 0.0), model.slopes[alone:]])


def _newton(design: Floats, kept: Floats, weights: Floats, ridge: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Parameters and curvature at the maximum, from `at`; a step that would climb the loss is halved."""
    loss, p = _loss(design, kept, weights, ridge, at)
    for _ in range(_STEPS):
        gradient, curvature = _slopes(design, kept, weights, ridge, at, p)
        step, size = np.linalg.solve(curvature, gradient), 1.0
        moved, p = _loss(design, kept, weights, ridge, at - step)
        while moved > loss and size > 1e-6:
            size /= 2
            moved, p = _loss(design, kept, weights, ridge, at - size * step)
        at, loss = at - size * step, moved
        if float(np.abs(step).max()) * size < _SETTLED:
            break
    return at, _slopes(design, kept, weights, ridge, at, p)[1]


def _loss(design: Floats, kept: Floats, weights: Floats, ridge: Floats, at: Floats) -> tuple[float, Floats]:
    """What is to be small, and the chances (rows,) there, from one exponential of each row."""
    eta = design @ at
    small = np.exp(-np.abs(eta))
    evidence = float(weights @ (np.maximum(eta, 0.0) + np.log1p(small) - kept * eta))
    prior = rates.PRIOR_SIZE * float(np.logaddexp(0.0, at[0]) - rates.PRIOR_MEAN * at[0])
    p = np.where(eta >= 0, 1.0, small) / (1 + small)
    return evidence + prior + float(ridge @ at**2) / 2, p


def _slopes(
    design: Floats, kept: Floats, weights: Floats, ridge: Floats, at: Floats, p: Floats
) -> tuple[Floats, Floats]:
    gradient = design.T @ (weights * (p - kept)) + ridge * at
    # A product with its own transpose is half the work of one of two matrices.
    scaled = design * np.sqrt(weights * p * (1 - p))[:, None]
    curvature = scaled.T @ scaled + np.diag(ridge)
    average = float(expit(at[:1])[0])
    gradient[0] += rates.PRIOR_SIZE * (average - rates.PRIOR_MEAN)
    curvature[0, 0] += rates.PRIOR_SIZE * average * (1 - average)
    return gradient, curvature
