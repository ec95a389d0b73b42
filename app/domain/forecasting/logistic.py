"""Ridge logistic regression by Newton steps: probabilities, reasons that add up, and how sure the parameters are."""

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


@dataclass(frozen=True)
class Logistic:
    """A fitted regression. `centre` and `scale` (inputs,) standardise; `intercept` is the logit of an average account.

    `slopes` (inputs,) are per standard deviation; `covariance` (1 + inputs, 1 + inputs), intercept first, is V.
    """

    centre: Floats
    scale: Floats
    intercept: float
    slopes: Floats
    covariance: Floats

    def design(self, inputs: Floats) -> Floats:
        """(rows, 1 + inputs): a column of ones and the standardised `inputs`; what is unknown (NaN) is average."""
        return np.column_stack([np.ones(len(inputs)), _standard(inputs, self.centre, self.scale)])

    def reasons(self, inputs: Floats) -> Floats:
        """b_j (x_j - mean_j) in logits, (rows, inputs): with the intercept a row adds up to the account's logit."""
        return np.asarray(self.design(inputs)[:, 1:] * self.slopes, dtype=np.float64)

    def logit(self, inputs: Floats) -> Floats:
        """(rows,): the intercept and the reasons."""
        return np.asarray(self.intercept + self.reasons(inputs).sum(axis=1), dtype=np.float64)

    def predict(self, inputs: Floats) -> Floats:
        """P(renewal), (rows,), from `inputs` (rows, inputs)."""
        return expit(self.logit(inputs))


def fit(
    inputs: Floats, kept: Floats, weights: Floats, penalty: float = PENALTY, start: Logistic | None = None
) -> Logistic:
    """Maximum of the weighted likelihood less penalty / 2 per squared slope.

    `inputs` (rows, inputs), NaN where unknown; `kept` (rows,) in [0, 1]; `weights` (rows,) by age. The intercept leans
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
    standard = np.column_stack([np.ones(len(inputs)), _standard(inputs, centre, scale)])
    begin = np.zeros(standard.shape[1]) if start is None else _standardised(start, centre, scale)
    if start is None:
        begin[0] = float(logit(np.asarray(rates.PRIOR_MEAN)))
    found, curvature = _newton(standard, kept, weights, penalty, begin)
    return Logistic(centre, scale, float(found[0]), found[1:], np.asarray(np.linalg.inv(curvature), dtype=np.float64))


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


def _standardised(model: Logistic, centre: Floats, scale: Floats) -> Floats:
    """The parameters of `model` where its inputs are standardised otherwise; what never changed there or here starts at nought."""
    changed = np.isfinite(model.scale) & np.isfinite(scale)
    slope = np.divide(model.slopes, model.scale, out=np.zeros(len(scale)), where=changed)
    intercept = model.intercept + float(slope @ np.where(changed, centre - model.centre, 0.0))
    return np.concatenate([[intercept], slope * np.where(changed, scale, 0.0)])


def _newton(design: Floats, kept: Floats, weights: Floats, penalty: float, at: Floats) -> tuple[Floats, Floats]:
    """Parameters and curvature at the maximum, from `at`; a step that would climb the loss is halved."""
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 0.0
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
