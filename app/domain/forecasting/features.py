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
    columns = [_column(fact, account, day.astype("datetime64[D]")) for fact in facts]
    return np.column_stack(columns) if columns else np.zeros((len(account), 0))


def _column(fact: Facts, account: Ints, day: Dates) -> Floats:
    found = np.full(len(account), np.nan)
    told = ~np.isnat(fact.known)
    if not told.any():
        return found
    whose, value = fact.account[told], fact.value[told]
    days = fact.known[told].astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((days, whose))
    whose, days, value = whose[order], days[order], value[order]
    # Ranks instead of days: account and day then share one sortable number, whatever the calendar.
    calendar = np.unique(days)
    width = len(calendar) + 1
    keys = whose * width + np.searchsorted(calendar, days)
    asked = account * width + np.searchsorted(calendar, day.astype(np.int64), side="left")
    place = np.searchsorted(keys, asked, side="left") - 1
    mine = (place >= 0) & (whose[np.maximum(place, 0)] == account)
    found[mine] = value[place[mine]]
    return found
