"""Backtests: what forecasts would have said of the organisation's own past, and how that went."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import numpy as np

from app.domain.errors import Fault, Invalid
from app.domain.forecasting import backtest as testing
from app.domain.forecasting import chances
from app.domain.forecasting.backtest import LAGS, Backtest, Coverage, Score
from app.domain.forecasting.inputs import Terms, inputs
from app.domain.forecasting.renewals import History
from app.domain.forecasting.skill import Skill, asked_on
from app.domain.roles import Principal, permit
from app.domain.values import MisfitError, day
from app.domain.workspaces import clock
from app.persistence import backtests as kept
from app.persistence import forecasts
from app.persistence.database import Database
from app.persistence.forecasts import ClosedColumns
from app.persistence.known import columns
from app.services.aside import aside, in_turns
from app.services.calls import ENCODER
from app.services.segmentation_documents import instant

READ = "forecasts.read"
METHOD = b"4"
"""Changes whenever the same inputs give other figures, so that what was kept is not taken for them."""
MOST_LAGS, LONGEST_LAG = 3, 12
MOST = 300_000
"""Closed renewals that are replayed at most."""
_running: dict[tuple[UUID, bytes], asyncio.Task[bytes]] = {}
"""What is being computed: the same question waits for it instead of asking anew."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Months [first, last) whose renewals are scored, None: all; lags in months."""

    start: date | None
    end: date | None
    lags: tuple[int, ...]


async def get(
    db: Database, principal: Principal, now: datetime, start: str | None = None, end: str | None = None,
    lags: str | None = None,
) -> bytes:  # fmt: skip
    """Scores, calibration, coverage and the verdict of a replay of every renewal that has closed.

    `start` and `end` bound the months in which renewals were due, `lags` are months ahead, such as `0,1,3`. What was
    computed from the same renewals is answered again; else it takes seconds, aside. Raises Forbidden, Invalid.
    """
    permit(principal, READ)
    wanted, workspace = _read(start, end, lags), principal.workspace
    closed = await forecasts.closed(db, workspace, clock(workspace, now).today)
    if len(closed.arr) > MOST:
        message = f"Expected at most {MOST:,} closed renewals: a backtest replays all of them."
        raise Invalid(message, (Fault(message),))
    books = await kept.books(db, workspace.id)
    today = clock(workspace, now).today
    digest = await aside(partial(_digest, closed, books, wanted, today))
    found = await kept.found(db, workspace.id, digest)
    if found is not None:
        return bytes(found["answer"])
    key = (workspace.id, digest)
    if key not in _running:
        task = _running[key] = asyncio.create_task(_computed(db, principal, now, _Told(closed, books, wanted), digest))
        task.add_done_callback(lambda _: _running.pop(key, None))
    return await asyncio.shield(_running[key])


@dataclass(frozen=True, slots=True)
class _Told:
    """What a backtest is computed from."""

    closed: ClosedColumns
    books: Mapping[UUID, str]
    wanted: Wanted


async def _computed(db: Database, principal: Principal, now: datetime, told: _Told, digest: bytes) -> bytes:
    """Month by month, so that others who need the worker come in between; kept before it is answered."""
    rated = await aside(lambda: chances.rated(_history(told.closed)))
    history = rated.history
    book = np.array([told.books.get(account, "") for account in told.closed.account_ids], dtype=np.str_)
    tried = []
    for lag in told.wanted.lags:
        asked = np.minimum(asked_on(history.due, lag), history.closed)
        known = await columns(db, principal.workspace, told.closed.account_ids, asked.astype(np.int64).tolist())
        facts = await aside(partial(inputs, known, Terms(asked, *_terms(told.closed))))
        work = testing.trying(rated, lag, np.arange(len(book)), facts, _months(told.wanted), book)
        tried.append(await in_turns(work))
    answer = ENCODER.encode(_answer(told.wanted, len(history.due), testing.judged(tried), now))
    async with db.transaction() as tx:
        await kept.keep(tx, principal.workspace.id, digest, answer, now)
    return answer


def _terms(closed: ClosedColumns) -> tuple[Any, ...]:
    """Of closed renewals, all but the day that they are asked for on."""
    seats = [np.nan if value is None else value for value in closed.seats]
    arr, seats_ = np.array(closed.arr, dtype=np.int64), np.array(seats, dtype=np.float64)
    return arr, seats_, _days(closed.started), _days(closed.first_started), _days(closed.due_on)


def _read(start: str | None, end: str | None, lags: str | None) -> Wanted:
    faults: list[Fault] = []
    days: list[date | None] = []
    for name, told in (("from", start), ("to", end)):
        try:
            days.append(None if told is None else day(told))
        except MisfitError as misfit:
            faults.append(misfit.fault(parameter=name))
            days.append(None)
    if days[0] and days[1] and _month(days[1]) <= _month(days[0]):
        faults.append(Fault("Expected a day in a month after that of `from`.", parameter="to"))
    found = LAGS if lags is None else tuple(int(part) for part in lags.split(",") if part.isdecimal() and len(part) < 3)
    if lags is not None and (
        len(found) != len(lags.split(","))
        or not 1 <= len(set(found)) == len(found) <= MOST_LAGS
        or max(found) > LONGEST_LAG
    ):
        message = (
            f"Expected up to {MOST_LAGS} whole months from 0 to {LONGEST_LAG}, separated by commas, such as 0,1,3."
        )
        faults.append(Fault(message, parameter="lag"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return Wanted(days[0], days[1], found)


def _month(day: date) -> int:
    return (day.year - 1970) * 12 + day.month - 1


def _months(wanted: Wanted) -> testing.Months | None:
    if wanted.start is None and wanted.end is None:
        return None
    return (_month(wanted.start or date.min), _month(wanted.end or date.max))


def _digest(closed: ClosedColumns, books: Mapping[UUID, str], wanted: Wanted, today: date) -> bytes:
    """Of the columns that are computed from; what else was known of accounts is read anew once a day."""
    told = (
        closed.account_ids, closed.arr, closed.due_on, closed.closed_on, closed.paid, closed.products, closed.industries
    )  # fmt: skip
    made = sha256(METHOD + repr((wanted, today)).encode())
    for column in told:
        made.update(repr(column).encode())
    made.update(repr(sorted(books.items())).encode())
    return made.digest()


def _history(closed: ClosedColumns) -> History:
    parents = np.array(closed.industries, dtype=np.str_)
    children = np.array([f"{p} / {c}" for p, c in zip(closed.industries, closed.products, strict=True)], dtype=np.str_)
    kept_of = np.minimum(np.array(closed.paid, dtype=np.float64), 1.0)
    arr = np.array(closed.arr, dtype=np.int64)
    return History(arr, _days(closed.due_on), _days(closed.closed_on), kept_of, parents, children)


def _days(values: Sequence[int | None]) -> Any:
    """Days since 1970, NaT where there is none."""
    missing = np.iinfo(np.int64).min
    return np.array([missing if value is None else value for value in values], dtype=np.int64).astype("datetime64[D]")


def _answer(wanted: Wanted, renewals: int, found: Backtest, now: datetime) -> dict[str, Any]:
    return {
        "from": wanted.start, "to": wanted.end, "lags": list(wanted.lags), "renewals": renewals,
        "verdict": found.skill.verdict, "because": found.skill.because, "words": found.words, "in_charge": found.in_charge,
        "scores": [_score(one) for one in found.scores], "coverage": [_coverage(one) for one in found.coverage],
        "challengers": [{"model": model, **_skill(skill)} for model, skill in found.verdicts.items()],
        "computed_at": instant(now),
    }  # fmt: skip


def _skill(found: Skill) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "because": found.because,
        "brier_skill": found.brier_skill,
        "standard_error": found.standard_error,
    }


def _score(found: Score) -> dict[str, Any]:
    return {
        "model": found.model, "lag": found.lag, "renewals": found.renewals, "months": found.months, "brier": found.brier,
        "brier_skill": dict(found.brier_skill), "log_loss": found.log_loss, "auc": found.auc,
        "money_error": found.money_error, "verdict": found.verdict and found.verdict.verdict,
        "because": found.verdict and found.verdict.because, "calibration": _bins(found),
    }  # fmt: skip


def _bins(found: Score) -> Sequence[dict[str, Any]]:
    return [
        {
            "low": part.low, "high": part.high, "renewals": part.renewals, "predicted": part.predicted,
            "renewed": part.renewed, "renewed_low": part.renewed_low, "renewed_high": part.renewed_high,
        }
        for part in found.calibration
    ]  # fmt: skip


def _coverage(found: Coverage) -> dict[str, Any]:
    return {
        "lag": found.lag, "of": found.of, "level": testing.LEVEL, "intervals": found.intervals, "held": found.held,
        "low": found.low, "high": found.high, "width": found.width,
    }  # fmt: skip
