"""Renewals as columns: those to come, those that closed, and what was known of their accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.book import Floats
from app.domain.forecasting.features import Dates, Facts
from app.domain.forecasting.rates import Ints

Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Due:
    """Renewals to come, columns (n,): ids, ARR in minor units (int64, >= 0), due dates (datetime64[D]), segments.

    `account_id` is whose each is; None where every one is an account of its own. `parent` and `child` name the account's segment on two levels; an empty text is a segment like any other. `lane` is
    the account's lane of reaction, empty where it has none; None where nobody knows lanes.
    Raises ValueError where columns differ in length or an amount is negative.
    """

    renewal_id: Texts
    arr_minor: Ints
    date: Dates
    parent: Texts
    child: Texts
    lane: Texts | None = None
    account_id: Texts | None = None

    def __post_init__(self) -> None:
        lane = self.renewal_id if self.lane is None else self.lane
        columns = (self.renewal_id, self.arr_minor, self.date, self.parent, self.child, lane, self.owner)
        _check(columns, self.arr_minor)

    @property
    def owner(self) -> Texts:
        """Whose renewal each is."""
        return self.renewal_id if self.account_id is None else self.account_id


@dataclass(frozen=True)
class History:
    """Closed renewals, columns (m,): ARR that was due in minor units, due and closing dates, the share of it kept.

    `kept` is 0 for churned, 1 for renewed or expanded, between for contracted; NaN and what lies outside is refused.
    `paid` is the same with what was bought more, so above 1 for expanded; None where nobody knows more than `kept`.
    A renewal counts from the day it closed on, and ages from the day it was due. `lane` as in Due.
    """

    arr_minor: Ints
    due: Dates
    closed: Dates
    kept: Floats
    parent: Texts
    child: Texts
    lane: Texts | None = None
    paid: Floats | None = None

    def __post_init__(self) -> None:
        lane, paid = self.parent if self.lane is None else self.lane, self.kept if self.paid is None else self.paid
        columns = (self.arr_minor, self.due, self.closed, self.kept, self.parent, self.child, lane, paid)
        _check(columns, self.arr_minor)
        if not bool(((self.kept >= 0) & (self.kept <= 1)).all()):
            raise ValueError("the share kept lies between 0 and 1")
        if not bool((np.isfinite(paid) & (paid >= self.kept)).all()):
            raise ValueError("what is paid is at least what is kept")

    def chosen(self, rows: Ints) -> History:
        """Some of its rows."""
        return History(
            self.arr_minor[rows],
            self.due[rows],
            self.closed[rows],
            self.kept[rows],
            self.parent[rows],
            self.child[rows],
            None if self.lane is None else self.lane[rows],
            None if self.paid is None else self.paid[rows],
        )


@dataclass(frozen=True)
class Known:
    """What was known of accounts, for the regression: facts, and the account of each renewal due (n,) and closed (m,)."""

    facts: tuple[Facts, ...]
    due_account: Ints
    past_account: Ints


def _check(columns: tuple[NDArray[np.generic], ...], arr_minor: Ints) -> None:
    if len({len(column) for column in columns}) != 1:
        raise ValueError("columns of renewals have one length")
    if bool((arr_minor < 0).any()):
        raise ValueError("an ARR that is due is not negative")
