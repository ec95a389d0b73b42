"""What was known of an account on a day: facts with the date they became known, and their columns as of then."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.rates import Floats, Ints

Dates = NDArray[np.datetime64]

MOST_CATEGORIES = 20


@dataclass(frozen=True)
class Facts:
    """One input's values as they became known, (facts,): whose (a number per account), from which day on, which value.

    A fact without a day (NaT) is never known. Raises ValueError where columns differ in length.
    """

    name: str
    account: Ints
    known: Dates
    value: Floats

    def __post_init__(self) -> None:
        if len({len(self.account), len(self.known), len(self.value)}) != 1:
            raise ValueError("columns of facts have one length")


def categories(name: str, account: Ints, known: Dates, value: NDArray[np.str_]) -> tuple[Facts, ...]:
    """A text fact as one fact of nought or one per value, the most frequent 20 of them."""
    names, times = np.unique(value, return_counts=True)
    chosen = names[np.argsort(-times, kind="stable")[:MOST_CATEGORIES]]
    return tuple(Facts(f"{name} = {told}", account, known, (value == told).astype(np.float64)) for told in chosen)


def as_of(facts: Sequence[Facts], account: Ints, day: Dates) -> Floats:
    """(rows, inputs): for each row's account the last value known before the row's day, NaN where there was none."""
    asked, found = day.astype("datetime64[D]"), np.full((len(account), len(facts)), np.nan)
    # Facts that are told of the same accounts on the same days are found at the same places.
    places: dict[tuple[int, int], tuple[Ints, Ints]] = {}
    for column, fact in enumerate(facts):
        told = (id(fact.account), id(fact.known))
        if told not in places:
            places[told] = _places(fact.account, fact.known, account, asked)
        rows, place = places[told]
        found[rows, column] = fact.value[place]
    return found


def _places(whose: Ints, known: Dates, account: Ints, asked: Dates) -> tuple[Ints, Ints]:
    """The rows for which anything was known, and where their last fact is."""
    told = np.flatnonzero(~np.isnat(known))
    days = known[told].astype("datetime64[D]").astype(np.int64)
    order = told[np.lexsort((days, whose[told]))]
    whose, days = whose[order], known[order].astype("datetime64[D]").astype(np.int64)
    # Ranks instead of days: account and day then share one sortable number, whatever the calendar.
    calendar = np.unique(days)
    width = len(calendar) + 1
    keys = whose * width + np.searchsorted(calendar, days)
    sought = account * width + np.searchsorted(calendar, asked.astype(np.int64), side="left")
    place = np.searchsorted(keys, sought, side="left") - 1
    rows = np.flatnonzero(place >= 0)
    rows = rows[whose[place[rows]] == account[rows]]
    return rows, order[place[rows]]
