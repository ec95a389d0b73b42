"""NRR and GRR of the months to come, with how such forecasts did on the months that are over."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np

from app.domain.criteria.time import months
from app.domain.forecasting import outlook as arithmetic
from app.domain.forecasting.outlook import LEAST_TESTED, Month, Outlook, Past, Renewals
from app.domain.forecasting.periods import cut
from app.domain.forecasting.retention import Sums
from app.domain.roles import Principal
from app.domain.workspaces import Workspace
from app.persistence import retention as rows
from app.persistence.database import Database
from app.services import retention
from app.services.aside import aside
from app.services.retention import Wanted

USUAL, MOST = 3, 12
REPLAYED = 24
"""Months that are over of which forecasts are made again."""
HISTORY = 48
"""Months of renewals that they are made from."""
_WORDS = (
    "Every month is of what is in force on {day}, its start, as if it stood alone: what the months before it lose or win is not known yet. "
    "Low and high hold what comes in 90 % of months; they widen with what is due, with how little is known, and with each month ahead."
)


async def read(db: Database, principal: Principal, told: Wanted, ahead: int, now: datetime) -> dict[str, Any]:
    """The figures of the month that has begun and of the next ones, `ahead` in all. Raises Unreadable, Invalid."""
    scope = await retention.reading(db, principal, told, now)
    this = scope.of.today.replace(day=1)
    asked = [months(this, n) for n in range(ahead)]
    steps = cut(months(this, -REPLAYED), this, "month")
    async with db.transaction() as tx, tx.hashing():
        past = await rows.series(tx, scope.of, [*steps, (this, scope.of.today)])
        columns = await rows.renewals(tx, scope.of, months(this, -HISTORY), months(this, ahead))
    book = past.pop().began
    found = await aside(partial(_compute, columns, past, [lo for lo, _ in steps], book, asked))
    workspace = principal.workspace
    return {
        "as_of": now, "currency": workspace.currency, "scope": {"filter": scope.text, "product": None, "words": f"{scope.words}."},
        "words": _WORDS.format(day=this),
        **{one.kind: _figure(one, workspace) for one in found},
    }  # fmt: skip


def _compute(
    columns: tuple[list[Any], ...], past: list[Sums], begun: list[date], book: int, asked: list[date]
) -> tuple[Outlook, ...]:
    due, paid, day, known, parent, product = columns
    child = [f"{one} / {other}" for one, other in zip(parent, product, strict=True)]
    renewals = Renewals(
        _ints(due),
        _ints(paid),
        _days(day),
        _days(known),
        np.array(parent, dtype=np.str_),
        np.array(child, dtype=np.str_),
    )
    over = Past(_days(begun), *(_ints([getattr(one, name) for one in past]) for name in ("began", "stayed", "ended")))
    return arithmetic.outlook(renewals, over, book, _days(asked))


def _ints(values: list[int]) -> Any:
    return np.array(values, dtype=np.int64)


def _days(values: list[date]) -> Any:
    return np.array(values, dtype="datetime64[D]")


def _figure(of: Outlook, workspace: Workspace) -> dict[str, Any]:
    tested = of.tested
    if tested.error is None or tested.last_three is None:
        months_told = {0: "No month", 1: "Only one month"}.get(tested.months, f"Only {tested.months} months")
        verdict = f"{months_told} with something due could be replayed, {LEAST_TESTED} are needed to tell: how good this is, is not shown."
    else:
        better = "better" if tested.error < tested.last_three else "not better"
        verdict = f"A month ahead it missed by {tested.error:.2f} points on average, {better} than the mean of the last three months "
        verdict += f"({tested.last_three:.2f}), over {tested.months} months with something due."
    return {
        "months": [_month(one, workspace) for one in of.months],
        "tested": {"months": tested.months, "error": _rounded(tested.error), "last_three_months_error": _rounded(tested.last_three), "verdict": verdict},
    }  # fmt: skip


def _month(of: Month, workspace: Workspace) -> dict[str, Any]:
    return {
        "month": str(of.month)[:7], "start": workspace.major(of.start_minor), "due": workspace.major(of.due_minor),
        "uncorrected": _rounded(of.plain), "value": _rounded(of.value), "low": _rounded(of.low), "high": _rounded(of.high),
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
