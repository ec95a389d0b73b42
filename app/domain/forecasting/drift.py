"""What moves all renewals at once: monthly shocks of the past, their damped drift, and shifts of lanes.

Source: forecasting.md 2, but for tau (docs/decisions/shocks-as-missed.md). A month of few renewals is held to nought by a normal prior of half a logit, so that one
renewal, all renewed or all churned give a finite shock of little weight; a month of hundreds hardly feels it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.logistic import expit, logit
from app.domain.forecasting.rates import Floats, Ints

USUAL_SHOCK = 0.10
USUAL_MONTHS = 4
RECENT = 3
DAMPING = 0.5
STARTING_SHIFTS: Mapping[str, float] = MappingProxyType({"severe": -1.2, "medium": -0.6, "low": 0.0})
"""Logits by which a scenario moves each lane at first."""
_LOOSE = 0.5
_STEPS = 60
_STUDENT = 0.93


@dataclass(frozen=True)
class Drift:
    """`drift` moves every logit of the months to come, `tau` is the standard deviation of a month's common shock.

    `month` (months,) and `shocks` (months,), in logits, are the closed months replayed, oldest first.
    """

    drift: float = 0.0
    tau: float = USUAL_SHOCK
    month: tuple[int, ...] = ()
    shocks: tuple[float, ...] = ()


@dataclass(frozen=True)
class LaneShift:
    """A lane's own shift in logits on top of the common drift, its variance, and the recent renewals it rests on."""

    lane: str
    shift: float
    variance: float
    renewals: int


def measure(predicted: Floats, renewed: NDArray[np.bool_], month: Ints) -> Drift:
    """Drift and common shock from out-of-time predictions, (rows,) each; without any, the usual shock and no drift."""
    months = np.unique(month)
    if not len(months):
        return Drift()
    eta, came = logit(predicted), renewed.astype(np.float64)
    solved = [_shift(eta[month == m], came[month == m], 0.0, _LOOSE**-2) for m in months]
    shocks, information = np.array([s for s, _ in solved]), np.array([i for _, i in solved])
    told = information / (information + _LOOSE**-2)
    chance = information / (information + _LOOSE**-2) ** 2
    before = [slice(max(m - RECENT, 0), m) for m in range(len(months))]
    # What each month was off the drift that was known before it: the error that a forecast of it would have made.
    missed = shocks - np.array([_damped(shocks[:m]) for m in range(len(months))])
    known = np.array([DAMPING**2 * float(chance[one].sum()) / max(one.stop - one.start, 1) ** 2 for one in before])
    # The prior drew each shock towards nought, to the share `told`, and its square to told^2; chance is taken off the sum,
    # for off each month what is above nought alone would stay. A month that could tell nothing counts for nothing.
    excess = max(float(told @ (missed**2 - chance - known)), 0.0)
    tau = _shock(excess, float((told**3).sum()), len(months))
    return Drift(_damped(shocks), tau, tuple(months.tolist()), tuple(shocks.tolist()))


def _damped(shocks: Floats) -> float:
    """Half the mean of the last three; nought before any."""
    return DAMPING * float(shocks[-RECENT:].mean()) if len(shocks) else 0.0


def _shock(excess: float, months: float, replayed: int) -> float:
    """tau from the sum of squared errors beyond chance, for how many months they count, and how many there were.

    The usual shock counts for four months, and for fewer as the months say more than it: not before there are more than
    three of them, and fully from six on. What is estimated from few months is itself uncertain: the quantiles of Student's t
    at 90 % are those of the normal times 1 + .93 / degrees of freedom.
    """
    if months <= 0:
        return USUAL_SHOCK
    contradicted = min(1.0, USUAL_SHOCK**2 * months / max(excess, 1e-12))
    # As far as there are months to contradict it: few leave the usual shock as it is.
    heard = min(max(replayed - RECENT, 0) / RECENT, 1.0)
    usual = USUAL_MONTHS * contradicted ** (heard * months / (USUAL_MONTHS + months))
    counted = usual + months
    doubt = 1 + _STUDENT * (months / counted) / counted
    return float(np.sqrt((usual * USUAL_SHOCK**2 + excess) / counted) * doubt)


def lane_shifts(
    predicted: Floats,
    renewed: NDArray[np.bool_],
    month: Ints,
    lane: NDArray[np.str_],
    common: Drift,
    starting: Mapping[str, float] = MappingProxyType({}),
) -> tuple[LaneShift, ...]:
    """Each lane's shift over the recent months, against the common shocks, by lane name.

    The prior is the common one, normal with `common.tau`, around the lane's `starting` shift (nought if not named).
    Lanes that only `starting` names are there with that shift.
    """  # fmt: skip
    recent = np.isin(month, common.month[-RECENT:])
    shock = dict(zip(common.month, common.shocks, strict=True))
    eta = logit(predicted[recent]) + np.array([shock[m] for m in month[recent].tolist()])
    came, lanes = renewed[recent].astype(np.float64), lane[recent]
    found = []
    for name in sorted({*lane.tolist(), *starting}):
        mine = lanes == name
        shift, information = _shift(eta[mine], came[mine], starting.get(name, 0.0), common.tau**-2)
        found.append(LaneShift(name, shift, 1 / (information + common.tau**-2), int(mine.sum())))
    return tuple(found)


def moved(p: Floats, shift: Floats | float) -> Floats:
    """Probabilities after a shift in logits, broadcast."""
    return expit(logit(p) + shift)


def common_factor(design: Floats, covariance: Floats, amounts: Floats, eta: Floats, tau: float) -> Floats:
    """How far one standard deviation of what all share moves each logit, (n,): parameters and the common shock.

    `design` (n, 1 + inputs) and `covariance` of a regression, intercept first. The sum of money has the gradient
    g = sum a p (1 - p) x; moving the parameters along V g gives it the variance g' V g in one dimension.
    """
    shaken = covariance.copy()
    shaken[0, 0] += tau**2
    p = expit(eta)
    gradient = (amounts * p * (1 - p)) @ design
    moving = shaken @ gradient
    size = float(np.sqrt(max(float(gradient @ moving), 0.0)))
    return np.asarray(design @ moving / size if size > 0 else np.zeros(len(design)), dtype=np.float64)


def _shift(eta: Floats, came: Floats, centre: float, precision: float) -> tuple[float, float]:
    """d with sum y = sum expit(eta + d) + precision (d - centre), and the renewals' own information at d."""
    low, high = centre - len(eta) / precision - 1.0, centre + len(eta) / precision + 1.0
    at, information = centre, 0.0
    for _ in range(_STEPS):
        p = expit(eta + at)
        error = float((p - came).sum()) + precision * (at - centre)
        information = float((p * (1 - p)).sum())
        if abs(error) < 1e-12 * (1 + len(eta)):
            break
        low, high = (at, high) if error < 0 else (low, at)
        newton = at - error / (information + precision)
        at = newton if low < newton < high else (low + high) / 2
    return float(at), information
