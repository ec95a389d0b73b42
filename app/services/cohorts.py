"""Cohort curves: how many accounts that began together, and how much of their money, are still there, and will be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from app.domain.criteria.suggest import nearest
from app.domain.forecasting.lives import (
    UNIT_DAYS,
    UNITS,
    Age,
    Expected,
    Lives,
    Survival,
    Unit,
    survival,
)
from app.domain.forecasting.outcomes import LATE
from app.domain.forecasting.rates import Floats
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
_MODELS = {"sBG": "an sBG", "BdW": "a BdW"}


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
    cut, unit, found, scope = await _curves(db, principal, told, by, term, now)
    whole, *cohorts = found
    workspace = principal.workspace
    return {
        "as_of": now, "currency": workspace.currency, "by": cut, "term": unit,
        "scope": {"filter": scope.text, "product": told.product, "words": f"{scope.words}."}, "words": _words(whole, unit, cut),
        "all": _cohort(whole, workspace), "cohorts": [_cohort(one, workspace) for one in cohorts],
    }  # fmt: skip


async def chart(
    db: Database, principal: Principal, told: Wanted, by: str | None, term: str | None, now: datetime
) -> str:
    """The curve of all accounts, fitted, and the observed ones of the latest cohorts, as SVG. Raises as `read`."""
    _, unit, found, _ = await _curves(db, principal, told, by, term, now)
    whole, *cohorts = found
    drawn = pictures.Cohorts("Accounts still there", unit, _drawn(whole, cohorts), _caption(whole, unit))
    return await aside(partial(pictures.cohorts, drawn))


async def _curves(
    db: Database, principal: Principal, told: Wanted, by: str | None, term: str | None, now: datetime
) -> tuple[Unit, Unit, list[Fitted], retention.Scope]:
    cut, said = _unit(by, "by") or "quarter", _unit(term, "term")
    scope = await retention.reading(db, principal, told, now)
    await retention.sold(db, principal, told.product)
    async with db.transaction() as tx, tx.hashing():
        unit = said or _usual(await rows.usual_term(tx, scope.of, told.product))
        found = await rows.lives(tx, scope.of, told.product, cut)
    names = sorted({row["cohort"] for row in found})
    if len(names) > MOST_COHORTS:
        raise Place("by").fault(f"Expected at most {MOST_COHORTS} cohorts: take a longer one.", "year")
    return cut, unit, await aside(partial(_fit, found, names, UNIT_DAYS[unit])), scope


def _unit(told: str | None, name: str) -> Unit | None:
    found = next((one for one in UNITS if one == told), None)
    if told is not None and found is None:
        raise Place(name).fault(f"Expected one of {', '.join(UNITS)}.", nearest(told, UNITS))
    return found


def _usual(days: float | None) -> Unit:
    """The unit that contracts usually run for; a year without any."""
    return "year" if days is None or days > 135 else "quarter" if days > 45 else "month"


def _fit(found: list[Record], names: list[str], term: float) -> list[Fitted]:
    parts = ((name, [row for row in found if row["cohort"] == name]) for name in names)
    return [_fitted(None, found, term), *(_fitted(name, mine, term) for name, mine in parts)]


def _fitted(name: str | None, mine: list[Record], term: float) -> Fitted:
    accounts, arr = sum(row["accounts"] for row in mine), sum(row["arr"] for row in mine)
    squares = sum(row["squares"] for row in mine)
    logos = _lives(mine, "accounts", term, 1.0)
    money = _lives(mine, "arr", term, arr / squares if squares else 1.0)
    return Fitted(name, accounts, arr, (logos, money), survival(logos), survival(money))


def _lives(mine: list[Record], column: str, term: float, worth: float) -> Lives:
    seen: Floats = np.array([row["days"] for row in mine], dtype=np.float64) / term
    amount: Floats = np.array([row[column] for row in mine], dtype=np.float64)
    return Lives(seen, np.array([row["lost"] for row in mine], dtype=np.bool_), amount, worth)


def _words(whole: Fitted, unit: Unit, by: Unit) -> str:
    said = (
        f"A cohort is the accounts whose first contract began in the same {by}; ages are {unit}s since. An account is lost where "
        f"nothing followed its contracts within {LATE} days, so all are seen until {LATE} days ago; a later return is no part of "
        "this life. Money counts as it was at the start."
    )
    if not whole.accounts:
        return (
            "No account in scope has had a contract with ARR above zero: the curve is the stated prior, and says nothing of "
            f"them. {said}"
        )
    curve = whole.logos.curve
    if not curve.terms:
        return f"{said} No account has been seen for a whole {unit} yet: the curve is its stated prior."
    terms = f"{curve.terms} {unit}" if curve.terms == 1 else f"{curve.terms} {unit}s"
    return f"{said} Beyond what was observed the curve is {_MODELS[curve.model]}, fitted on {terms}.{_few(whole)}"


def _caption(whole: Fitted, unit: Unit) -> str:
    """What fits above the picture; the answer without one says all of it."""
    if not whole.accounts:
        return "No account in scope has had a contract with ARR above zero."
    if not whole.logos.curve.terms:
        return f"No account has been seen for a whole {unit} yet."
    return f"Lost is whose contracts nothing followed within {LATE} days. Dashed: the expected curve, with its 90 % band.{_few(whole)}"


def _drawn(whole: Fitted, cohorts: list[Fitted]) -> tuple[pictures.Curve, ...]:
    """All together, expected and observed, and the latest cohorts of which somebody has reached an age."""
    if not whole.accounts or not whole.logos.curve.terms:
        return ()
    fitted = tuple(pictures.Age(one.age, one.rate, one.low, one.high) for one in whole.logos.expected)
    old = [one for one in cohorts if len(_whole(one)) > 1]
    return (
        pictures.Curve(f"all, {whole.logos.curve.model}", fitted, whole.accounts, fitted=True, every=True),
        *(_observed(one) for one in (whole, *old[-MOST_DRAWN:])),
    )


def _few(whole: Fitted) -> str:
    lives = whole.lives[0]
    lost = int(lives.amount[lives.lost].sum())
    if lost >= _FEW:
        return ""
    told = {0: "No account was lost", 1: "Only one account was lost"}.get(lost, f"Only {lost} accounts were lost")
    return f" {told}: the curve leans on its prior."


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


def _age(of: Age, amount: Any) -> dict[str, Decimal | int | float | bool]:
    return {
        "age": of.age, "at_risk": amount(of.at_risk), "lost": amount(of.lost), "rate": round(of.rate, 6), "low": round(of.low, 6),
        "high": round(of.high, 6), "whole": of.whole,
    }  # fmt: skip


def _expected(of: Expected) -> dict[str, int | float | None]:
    return {
        "age": of.age, "rate": round(of.rate, 6), "low": round(of.low, 6), "high": round(of.high, 6),
        "retention": None if of.retention is None else round(of.retention, 6),
    }  # fmt: skip


def _observed(of: Fitted) -> pictures.Curve:
    ages = tuple(pictures.Age(one.age, one.rate, one.low, one.high) for one in _whole(of))
    return pictures.Curve(of.name or "all, observed", ages, of.accounts, every=of.name is None)


def _whole(of: Fitted) -> tuple[Age, ...]:
    """The ages that somebody has reached: of a part of one the share has not come down yet."""
    return tuple(one for one in of.logos.observed if one.whole)
