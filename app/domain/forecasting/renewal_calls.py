"""What somebody calls of a renewal: how likely it is, by a category or a probability, and what it would be worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from app.domain import records, values
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.forecasting.ledger import CATEGORIES, DEFAULTS, Category

T = TypeVar("T")
MEMBERS = ("category", "probability", "amount", "note", "due_on")


@dataclass(frozen=True, slots=True)
class Said:
    """A call as it was told. `amount` in minor units is what the renewal brings if it comes, None: what is due.

    `due_on` names one of several renewals that are open, None: the next one.
    """

    category: Category
    probability: float
    amount: int | None
    note: str | None
    due_on: date | None


def read(body: object, minor_digits: int) -> Said:
    """Reads `{category, probability?, amount?, note?, due_on?}`. Raises Invalid with a Fault per wrong member."""
    told = records.only(body, MEMBERS)
    faults: list[Fault] = []

    def member(name: str, reader: Callable[[object], T]) -> T | None:
        try:
            return None if told.get(name) is None else reader(told[name])
        except values.MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
            return None

    category, probability = member("category", _category), member("probability", _probability)
    amount = member("amount", lambda given: _amount(given, minor_digits))
    note, due_on = member("note", lambda given: values.text(given, values.PROSE)), member("due_on", values.day)
    if told.get("category") is None:
        faults.append(Fault("Expected a category: it cannot be left out.", pointer="/category"))
    if faults or category is None:
        raise Invalid(faults=tuple(faults))
    chance = DEFAULTS[category] if probability is None else probability
    return Said(category, chance, amount, note or None, due_on)


def expected(probability: float, amount: int) -> int:
    """What a call comes to, in whole minor units."""
    return round(probability * amount)


def _category(told: object) -> Category:
    for known in CATEGORIES:
        if told == known:
            return known
    near = nearest(told, CATEGORIES) if isinstance(told, str) else None
    raise values.MisfitError(f"one of {', '.join(CATEGORIES)}", near)


def _probability(told: object) -> float:
    chance = float(values.decimal(told))
    if not 0 <= chance <= 1:
        raise values.MisfitError("a probability from 0 to 1")
    return chance


def _amount(told: object, minor_digits: int) -> int:
    amount = values.money(told, minor_digits)
    if amount < 0:
        raise values.MisfitError("an amount from 0")
    return amount
