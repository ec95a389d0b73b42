"""The inputs of the regression: what was known of each renewal when it was asked for, on scales that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.book import Floats
from app.domain.forecasting.features import Dates, Facts
from app.domain.forecasting.rates import Ints

Told = Mapping[str, tuple[Sequence[int], Mapping[str, Sequence[float | None]]]]
"""By source the renewals that it knows anything of, and what it knows of them, by name."""
TOGETHER = (("term", "arr"), ("term", "tenure"))
"""Inputs that say something together: what an account pays and how long it has been one says more the shorter it is bound."""
LAST = ("nps", "sentiment")
"""What is not known where nothing is told; of the rest there was none."""


@dataclass(frozen=True)
class Terms:
    """Of each renewal, (n,): the day it is asked for on, ARR in minor units, seats (NaN: unknown), when its own term and
    the account's first one began, when it is due; NaT where nobody knows."""

    asked: Dates
    arr_minor: Ints
    seats: Floats
    started: Dates
    first_started: Dates
    due: Dates


def inputs(told: Told, terms: Terms) -> tuple[Facts, ...]:
    """Facts of renewals, numbered as they come, known the day before each is asked for.

    A source that knew of no renewal before a day is held not to have been there then: nothing told is not known.
    """
    known = terms.asked - 1
    number = np.arange(len(known))
    columns = _terms(terms)
    for place, values in told.values():
        columns |= _source(terms.asked, np.asarray(place, dtype=np.int64), values)
    return tuple(Facts(name, number, known, value) for name, value in columns.items())


def pairs(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Places among the names of the inputs that say something together, of those that are there."""
    place = {name: number for number, name in enumerate(names)}
    return tuple((place[one], place[other]) for one, other in TOGETHER if one in place and other in place)


def _terms(terms: Terms) -> dict[str, Floats]:
    return {
        "arr": np.log1p(terms.arr_minor.astype(np.float64)),
        "seats": np.log1p(np.maximum(terms.seats, 0.0)),
        "term": _days(terms.due - terms.started),
        "tenure": _days(terms.asked - terms.first_started),
    }


def _days(span: NDArray[np.timedelta64]) -> Floats:
    known = ~np.isnat(span)
    days = np.where(known, span.astype("timedelta64[D]").astype(np.int64), 0)
    return np.asarray(np.where(known, np.log1p(np.maximum(days, 0)), np.nan), dtype=np.float64)


def _source(asked: Dates, place: Ints, values: Mapping[str, Sequence[float | None]]) -> dict[str, Floats]:
    begun = asked >= asked[place].min() if len(place) else np.zeros(len(asked), dtype=np.bool_)
    found = {}
    for name, column in values.items():
        told = np.array([np.nan if value is None else value for value in column], dtype=np.float64)
        whole = np.full(len(asked), np.nan) if name in LAST else np.where(begun, 0.0, np.nan)
        whole[place] = told if name in LAST else np.nan_to_num(told)
        found[name] = whole if name in LAST else np.sign(whole) * np.log1p(np.abs(whole))
    if "usage_before" in found:
        found["usage_change"] = found["usage"] - found.pop("usage_before")
    return found
