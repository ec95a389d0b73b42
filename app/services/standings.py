"""How a forecast stood on each of two days: what was open and forecast, what had closed, and what people called of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np

from app.domain.forecasting.allocation import to_the_cent
from app.domain.forecasting.asked import Asked
from app.domain.forecasting.ledger import Standing
from app.domain.forecasting.renewal_calls import expected
from app.persistence.database import Record
from app.persistence.waterfalls import RenewalColumns

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Side:
    """One day's forecast: what was read for it. `as_of` and `forecast_id` are of a kept one."""

    day: date
    ids: list[UUID]
    account_ids: list[UUID]
    arr: list[int]
    due_on: list[int]
    probability: list[float]
    expected: list[int]
    calls: list[Record]
    as_of: datetime | None = None
    forecast_id: UUID | None = None


def of(
    sides: tuple[Side, Side], known: RenewalColumns, place: Mapping[UUID, int], asked: Asked
) -> tuple[Standing, Standing]:
    """Both days'; `place` is where each renewal is among those `known`."""
    before, after = (_standing(side, known, place, asked) for side in sides)
    return (
        replace(before, elsewhere=_known_before(sides[0], known)),
        replace(after, elsewhere=_open_elsewhere(sides[1], known, asked)),
    )


def with_gone(side: Side, known: RenewalColumns) -> RenewalColumns:
    """With renewals that were forecast and whose record is gone or archived: they are in no group, and are closed by nothing."""
    there, last = set(known.ids), np.iinfo(np.int64).max
    gone = [at for at, one in enumerate(side.ids) if one not in there]
    return RenewalColumns(
        [*known.ids, *(side.ids[at] for at in gone)], [*known.account_ids, *(side.account_ids[at] for at in gone)],
        [*known.arr, *(side.arr[at] for at in gone)], [*known.kept, *(0 for _ in gone)],
        [*known.due_on, *(side.due_on[at] for at in gone)], [*known.closes, *(last for _ in gone)],
        [*known.known, *(last for _ in gone)], tuple([*key, *("" for _ in gone)] for key in known.keys),
    )  # fmt: skip


def _standing(side: Side, known: RenewalColumns, place: Mapping[UUID, int], asked: Asked) -> Standing:
    """What was open and forecast, and what of the period had closed by then, with what it brought."""
    first, last, day = (_number(one) for one in (asked.start, asked.end, side.day))
    closed = [
        at for at, closes in enumerate(known.closes)
        if closes is not None and closes <= day and first <= known.due_on[at] < last
    ]  # fmt: skip
    gone = {known.ids[at] for at in closed}
    still = [
        row for row, one in enumerate(side.ids) if one in place and one not in gone and first <= side.due_on[row] < last
    ]
    called = _called(side, still)
    money = [side.expected[row] for row in still]
    brought = [known.kept[at] for at in closed]
    ids = [str(side.ids[row]) for row in still] + [str(known.ids[at]) for at in closed]
    return Standing(
        np.array(ids, dtype=np.str_),
        np.array([*(side.arr[row] for row in still), *(known.arr[at] for at in closed)], dtype=np.int64),
        np.array([*(side.probability[row] for row in still), *(float(one > 0) for one in brought)], dtype=np.float64),
        np.array([*money, *brought], dtype=np.int64),
        np.array([False] * len(still) + [True] * len(closed), dtype=np.bool_),
        np.array([*(called.get(side.ids[row], one) for row, one in zip(still, money, strict=True)), *brought], dtype=np.int64),
    )  # fmt: skip


def _called(side: Side, still: Sequence[int]) -> dict[UUID, int]:
    """What people call of open renewals, by renewal; a call of several terms is split by what is due of each."""
    arr = {side.ids[row]: side.arr[row] for row in still}
    found: dict[UUID, int] = {}
    for call in side.calls:
        ids = [one for one in (call["contract_ids"] or [call["account_id"]]) if one in arr]
        due = np.array([arr[one] for one in ids], dtype=np.float64)
        if not ids:
            continue
        share = due / due.sum() if due.sum() > 0 else np.full(len(ids), 1 / len(ids))
        money = np.full(len(ids), expected(call["probability"], call["amount"]), dtype=np.int64)
        parts = to_the_cent(money, share, np.array([str(one) for one in ids]))
        found |= dict(zip(ids, parts.tolist(), strict=True))
    return found


def _known_before(side: Side, known: RenewalColumns) -> Any:
    """Whatever was there on the day: what comes into the period later was due outside of it."""
    day = _number(side.day)
    return np.array(
        [str(one) for one, since in zip(known.ids, known.known, strict=True) if since <= day], dtype=np.str_
    )


def _open_elsewhere(side: Side, known: RenewalColumns, asked: Asked) -> Any:
    """What is open still, and due outside the period now."""
    first, last, day = (_number(one) for one in (asked.start, asked.end, side.day))
    columns = zip(known.ids, known.due_on, known.closes, strict=True)
    return np.array(
        [str(one) for one, due, closes in columns if not first <= due < last and (closes is None or closes > day)], dtype=np.str_
    )  # fmt: skip


def _number(day: date) -> int:
    return (day - EPOCH).days
