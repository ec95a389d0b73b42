"""Figures to reach (forecasting.md): what the arithmetic comes to on the public files, beside what it has to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import convolution, curves, published, shocks, telco
from bench.published import Scores

SEGMENTS_ROW = Scores(0.1396, 0.835, 0.430, 0.023, math.nan)
"""What the study's segment rates reached; the slope is held to what is to be reached."""
TO_REACH = Scores(0.134, 0.848, 0.413, 0.026, math.nan)
SLOPE = (0.95, 1.05)
BOOKS_AT_RANDOM = (0.88, 0.93)
BOOKS_ALIKE = 0.87
MONTHS = 0.92
WIDEST = 1.25
SERIES_ERROR = 1e-4
_TITLES = ("Brier", "AUC", "log loss", "ECE", "slope")
_TOLD = 3
"""Digits to which the table tells what is to be reached."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report: `value` is to lie between `least` and `most`; `digits` are shown.

    Where a goal is told to so many digits alone (`told`), the value is compared to as many.
    """

    name: str
    value: float
    least: float = -math.inf
    most: float = math.inf
    digits: int = 4
    note: str = ""
    told: int | None = None

    @property
    def met(self) -> bool:
        return self.least <= (self.value if self.told is None else round(self.value, self.told)) <= self.most

    @property
    def goal(self) -> str:
        """The bounds as people read them."""
        low, high = f"{self.least:.{self.digits}g}", f"{self.most:.{self.digits}g}"
        if math.isinf(self.least):
            return f"≤ {high}"
        return f"≥ {low}" if math.isinf(self.most) else f"{low}-{high}"

    def line(self) -> str:
        """The line as people read it."""
        shown, verdict = f"{self.value:.{self.digits}f}", "met" if self.met else "NOT MET"
        return f"{self.name:<44} {shown:>9}  {self.goal:>13}  {verdict:<7}  {self.note}".rstrip()

    def record(self) -> dict[str, Any]:
        """The line as programs read it."""
        bounds = {"least": self.least, "most": self.most}
        told = {name: None if math.isinf(bound) else bound for name, bound in bounds.items()}
        return {"name": self.name, "value": self.value, **told, "met": self.met, "note": self.note}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is computed: splits of the table, splits and books per kind for coverage, planted months, exact books."""

    tables: tuple[int, ...] = (10, 30)
    splits: int = 40
    at_random: int = 10
    alike: int = 4
    widths: int = 10
    months: int = 120
    books: tuple[tuple[int, int], ...] = convolution.BOOKS


FULL = Size()
QUICK = Size((2,), 2, 1, 1, 1, 2, convolution.BOOKS[:1])


def measured(size: Size) -> Iterator[Figure | str]:
    """Every figure; a line that says what is left out, where a file is missing."""
    yield from _series(size)
    yield from _shocked(size)
    yield from _telco(size) if published.TELCO.exists() else _left_out(published.TELCO)
    yield from _curves() if published.RETENTION.exists() else _left_out(published.RETENTION)


def _left_out(file: Path) -> Iterator[str]:
    yield f"NOT RUN: {file} is missing; set STRATA_SHARED_DATA"


def _series(size: Size) -> Iterator[Figure]:
    for accounts, largest in size.books:
        found = 100 * convolution.error(accounts, largest)
        note = "largest error of a quantile, % of the 90 % width, by exact whole-dollar convolution"
        yield Figure(f"series, {accounts:,} accounts", found, most=100 * SERIES_ERROR, note=note)


def _shocked(size: Size) -> Iterator[Figure]:
    found = shocks.held(size.months)
    note = f"{size.months} months, 90 % intervals: exact ones hold .9; shocks of {shocks.TAU}; by independent renewals {found.alone:.3f}"
    yield Figure("months held, planted shocks", found.ours, MONTHS, digits=3, note=note)


def _telco(size: Size) -> Iterator[Figure]:
    known = telco.read()
    for name, model, row in (
        ("segments", telco.by_segment, SEGMENTS_ROW),
        ("regression", telco.by_regression, TO_REACH),
    ):
        scored = telco.table(known, model, max(size.tables))
        for splits in size.tables:
            yield from _row(f"Telco {name}, {splits} splits", telco.mean(scored[:splits]), row)
    held = telco.held(known, telco.AT_RANDOM, size.splits, size.at_random)
    yield Figure("Telco books held, at random", held.share, *BOOKS_AT_RANDOM, 3, _books(held))
    held = telco.held(known, telco.CONTRACTS, size.splits, size.alike)
    yield Figure("Telco books held, concentrated", held.share, BOOKS_ALIKE, digits=3, note=_books(held))
    wide = telco.widths(known, size.widths)
    note = f"{telco.ACCOUNTS} accounts, usual shock, mean over {wide.size} books; widest {wide.max():.3f}"
    yield Figure("book interval by the independent one", float(wide.mean()), most=WIDEST, digits=3, note=note)


def _books(held: telco.Held) -> str:
    return f"{held.books:,} books, standard error over splits {held.error:.3f}"


def _row(name: str, found: Scores, row: Scores) -> Iterator[Figure]:
    for column, title, value, goal in zip(Scores._fields, _TITLES, found, row, strict=True):
        bounds = {"slope": SLOPE, "auc": (goal, math.inf)}.get(column, (-math.inf, goal))
        told = _TOLD if row is TO_REACH else None
        yield Figure(
            f"{name}: {title}", value, *bounds, note="" if told is None else f"compared to {told} digits", told=told
        )


def _curves() -> Iterator[Figure]:
    for kind, wanted in curves.PUBLISHED.items():
        found = curves.sbg(kind)
        for name, value, near in zip("ab", (found.a, found.b), wanted, strict=True):
            yield Figure(f"sBG {kind}: {name}", value, near - curves.NEAR, near + curves.NEAR, note=f"published {near}")
    for kind in curves.PUBLISHED:
        for years, most in curves.ERRORS:
            model, error = curves.foretold(kind, years)
            note = f"hold-out error up to year 12, %, fitted on {years} years"
            yield Figure(f"{model.model} {kind}, {years} years", 100 * error, most=100 * most, digits=2, note=note)
