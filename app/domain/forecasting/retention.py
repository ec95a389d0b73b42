"""Retention in its several meanings, each with its own denominator and cohort (forecasting.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Name = Literal["grr", "nrr", "logo_churn", "gross_renewal_rate", "net_renewal_rate"]
NAMES: tuple[Name, ...] = get_args(Name)

ACTIVE = "accounts with money in force at the start; new and returning accounts are left out"
DUE = "renewals due in the period that are decided, by hand or as their time is over; those that are open are left out"
COHORTS: dict[Name, str] = {
    "grr": ACTIVE, "nrr": ACTIVE, "logo_churn": ACTIVE, "gross_renewal_rate": DUE, "net_renewal_rate": DUE,
}  # fmt: skip
NUMERATORS: dict[Name, str] = {
    "grr": "what they pay at the end, at most what they paid at the start",
    "nrr": "what they pay at the end",
    "logo_churn": "those of them with nothing in force at the end",
    "gross_renewal_rate": "what goes on after the renewal, at most what was due",
    "net_renewal_rate": "what goes on after the renewal",
}


@dataclass(frozen=True, slots=True)
class Sums:
    """What a set of accounts adds up to in a period; money in minor units, of accounts active at the start and of renewals (terms that end).

    `began`, `stayed`, `ended`: in force at the start; of that still at the end; all in force at the end. `due`, `gross`
    and `net` of `renewals` of `accounts_due`. Left out: accounts with nothing at the start, renewals that are open.
    """

    accounts: int = 0
    began: int = 0
    stayed: int = 0
    ended: int = 0
    lost: int = 0
    left_out_accounts: int = 0
    left_out: int = 0
    accounts_due: int = 0
    renewals: int = 0
    due: int = 0
    gross: int = 0
    net: int = 0
    open_renewals: int = 0
    open_due: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio of whole numbers: minor units, or accounts for `logo_churn`. `value` is None where nothing is below.

    The numerator is the sum of its accounts' contributions, to the cent. `accounts`, `renewals` (None where it is not of
    renewals) and `arr` are what it is of: the denominator in each unit.
    """

    name: Name
    numerator: int
    denominator: int
    accounts: int
    renewals: int | None
    arr: int

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None


def figures(sums: Sums) -> tuple[Figure, ...]:
    """The five figures, in the order of NAMES."""
    return (
        Figure("grr", sums.stayed, sums.began, sums.accounts, None, sums.began),
        Figure("nrr", sums.ended, sums.began, sums.accounts, None, sums.began),
        Figure("logo_churn", sums.lost, sums.accounts, sums.accounts, None, sums.began),
        Figure("gross_renewal_rate", sums.gross, sums.due, sums.accounts_due, sums.renewals, sums.due),
        Figure("net_renewal_rate", sums.net, sums.due, sums.accounts_due, sums.renewals, sums.due),
    )
