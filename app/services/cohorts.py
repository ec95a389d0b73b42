"""Cohort curves: how many accounts that began together, and how much of their money, are still there, and will be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from app.domain.criteria.suggest import nearest
from app.domain.forecasting.lives import (
    MOST_TERMS,
    TOLERANCE,
    UNIT_DAYS,
    UNITS,
    Age,
    Expected,
    Lives,
    Survival,
    Unit,
    survival,
)
from app.domain.forecasting.rates import Floats
from app.domain.forecasting.retention import LATE
from app.domain.pictures import cohorts as pictures
from app.domain.roles import Principal
from app.domain.selections import Place
from app.domain.workspaces import Workspace
from app.persistence import cohorts as rows
from app.persistence.database import Database, Record
from app.services import retention
from app.services.aside import aside
from app.services.retention import Wanted

MOST_COHORTS = 60
MOST_DRAWN = 6
_FEW = 30


@dataclass(frozen=True, slots=True)
class Fitted:
    """A cohort by name (None: all together), its lives in accounts and in money, and what became of both."""

    name: str | None
    accounts: int
    arr: int
    lives: tuple[Lives, Lives]
    logos: Survival
    money: Survival


async def read(
    db: Database, principal: Principal, told: Wanted, by: str | None, term: str | None, now: datetime
) -> dict[str, Any]:
    """Survival by age of all accounts together and of each cohort, the latest last. Raises Unreadable, Invalid."""
    unit, found, scope = await _curves(db, principal, told, by, term, now)
    whole, *cohorts = found
    workspace = principal.workspace
    return {
        "as_of": now, "currency": workspace.currency, "by": by or UNITS[1], "term": unit,
        "scope": {"filter": scope.text, "product": told.product, "words": f"{scope.words}."}, "words": _words(whole, unit),
        "all": _cohort(whole, workspace), "cohorts": [_cohort(one, workspace) for one in cohorts],
    }  # fmt: skip


async def chart(
    db: Database, principal: Principal, told: Wanted, by: str | None, term: str | None, now: datetime
) -> str:
    """The curve of all accounts, fitted, and the observed ones of the latest cohorts, as SVG. Raises as `read`."""
    unit, found, _ = await _curves(db, principal, told, by, term, now)
    whole, *cohorts = found
    fitted = tuple(pictures.Age(one.age, one.rate, one.low, one.high) for one in whole.logos.expected)
    curves = [pictures.Curve(f"all, {whole.logos.curve.model}", fitted, whole.accounts, fitted=True)]
    if whole.accounts:
        curves += [_observed(one) for one in (whole, *cohorts[-MOST_DRAWN:])]
    drawn = pictures.Cohorts("Accounts still there", unit, tuple(curves) if whole.accounts else (), _words(whole, unit))
    return await aside(partial(pictures.cohorts, drawn))


async def _curves(
    db: Database, principal: Principal, told: Wanted, by: str | None, term: str | None, now: datetime
) -> tuple[Unit, list[Fitted], retention.Scope]:
    cut, said = _unit(by, "by"), _unit(term, "term")
    scope = await retention.reading(db, principal, told, now)
    await retention.sold(db, principal, told.product)
    async with db.transaction() as tx, tx.hashing():
        unit = said or _usual(await rows.usual_term(tx, scope.of, told.product))
        found = await rows.lives(tx, scope.of, told.product, cut or "quarter", UNIT_DAYS[unit], TOLERANCE, MOST_TERMS)
    names = sorted({row["cohort"] for row in found})
    if len(names) > MOST_COHORTS:
        raise Place("by").fault(f"Expected at most {MOST_COHORTS} cohorts: take a longer one.", "year")
    return unit, await aside(partial(_fit, found, names)), scope


def _unit(told: str | None, name: str) -> Unit | None:
    found = next((one for one in UNITS if one == told), None)
    if told is not None and found is None:
        raise Place(name).fault(f"Expected one of {', '.join(UNITS)}.", nearest(told, UNITS))
    return found


def _usual(days: float | None) -> Unit:
    """The unit that contracts usually run for; a year without any."""
    return "year" if days is None or days > 135 else "quarter" if days > 45 else "month"


def _fit(found: list[Record], names: list[str]) -> list[Fitted]:
    return [_fitted(None, found), *(_fitted(name, [row for row in found if row["cohort"] == name]) for name in names)]


def _fitted(name: str | None, mine: list[Record]) -> Fitted:
    accounts, arr = sum(row["accounts"] for row in mine), sum(row["arr"] for row in mine)
    squares = sum(row["squares"] for row in mine)
    logos = _lives(mine, "accounts", 1.0)
    money = _lives(mine, "arr", arr / squares if squares else 1.0)
    return Fitted(name, accounts, arr, (logos, money), survival(logos), survival(money))


def _lives(mine: Iterable[Record], column: str, worth: float) -> Lives:
    lost: Floats = np.zeros(MOST_TERMS)
    there: Floats = np.zeros(MOST_TERMS + 1)
    for row in mine:
        if row["lost"]:
            lost[row["terms"] - 1] += row[column]
        else:
            there[row["terms"]] += row[column]
    return Lives(lost, there, worth)


def _words(whole: Fitted, unit: Unit) -> str:
    said = (
        f"A cohort are the accounts whose first contract began in it; ages are {unit}s since. An account is lost where nothing "
        f"followed its contracts within {LATE} days; a later return is no part of this life. Money counts as it was at the start."
    )
    if not whole.accounts:
        return (
            f"No account in scope has had a contract: the curve is the stated prior, and says nothing of them. {said}"
        )
    lost = int(whole.lives[0].lost.sum())
    few = f" Only {lost} accounts were lost: the curve leans on its prior." if lost < _FEW else ""
    return f"{said} Beyond what was observed the curve is a {whole.logos.curve.model}, fitted on {whole.logos.curve.terms} terms.{few}"


def _cohort(of: Fitted, workspace: Workspace) -> dict[str, Any]:
    return {
        "cohort": of.name, "accounts": of.accounts, "arr": workspace.major(of.arr),
        "logos": _survival(of.logos, int), "money": _survival(of.money, lambda value: workspace.major(int(value))),
    }  # fmt: skip


def _survival(of: Survival, amount: Any) -> dict[str, Any]:
    curve = of.curve
    return {
        "model": curve.model, "a": round(curve.a, 4), "b": round(curve.b, 4), "c": round(curve.c, 4), "terms": curve.terms,
        "observed": [_age(one, amount) for one in of.observed], "expected": [_expected(one) for one in of.expected],
    }  # fmt: skip


def _age(of: Age, amount: Any) -> dict[str, Decimal | int | float]:
    return {
        "age": of.age, "at_risk": amount(of.at_risk), "lost": amount(of.lost), "rate": round(of.rate, 6), "low": round(of.low, 6),
        "high": round(of.high, 6),
    }  # fmt: skip


def _expected(of: Expected) -> dict[str, int | float | None]:
    return {
        "age": of.age, "rate": round(of.rate, 6), "low": round(of.low, 6), "high": round(of.high, 6),
        "retention": None if of.retention is None else round(of.retention, 6),
    }  # fmt: skip


def _observed(of: Fitted) -> pictures.Curve:
    ages = tuple(pictures.Age(one.age, one.rate, one.low, one.high) for one in of.logos.observed)
    return pictures.Curve(of.name or "all, observed", ages, of.accounts)
