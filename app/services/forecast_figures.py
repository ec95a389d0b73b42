"""What a forecast is made of: columns read once, what the history taught, and the figures under what is supposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import numpy as np

from app.domain.criteria.meant import Meaning
from app.domain.forecasting import renewals, supposed
from app.domain.forecasting.asked import Asked, Under
from app.domain.forecasting.inputs import Terms, Told, inputs
from app.domain.forecasting.renewals import Assumed, Due, Forecast, History, Known, Learnt
from app.domain.forecasting.skill import ahead, asked_on
from app.domain.scenarios import LANES
from app.domain.workspaces import Workspace
from app.persistence import forecasts, known, scenarios
from app.persistence.database import Reader, Record
from app.persistence.forecasts import ClosedColumns, DueColumns, Overdue, RenewalColumns, Undated

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a scenario means for industries, by slug, and how far it moves its lanes, in logits."""

    name: str
    impacts: Mapping[str, str]
    lanes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was read for a forecast. `active` is the scenario that accounts have their impact from, if any."""

    today: date
    due: DueColumns
    closed: ClosedColumns
    told: Told
    scenarios: Mapping[str, Scenario]
    active: str | None
    undated: Undated
    overdue: Overdue


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast under one way to see things: `lane` per renewal due in its scenario, `undated` and `overdue` what is not in it."""

    computed: Forecast
    under: Under
    scenario: Scenario | None
    lane: list[str]
    undated: Undated
    overdue: Overdue


async def read(
    reader: Reader, workspace: Workspace, wanted: Asked, where: Meaning, met: Sequence[Meaning], today: date,
    ways: Sequence[Under] = (),
) -> Figures:  # fmt: skip
    """A few statements, whatever the number of renewals. `met` are criteria that something is supposed of.

    Raises Invalid for a scenario of `ways` that there is not, before anything that takes time.
    """
    rows = await scenarios.every(reader, workspace.id)
    known_ways = {row["slug"]: _scenario(row) for row in rows}
    for way in ways:
        _chosen(known_ways, way)
    due = await forecasts.due(reader, workspace, wanted, where, met, today)
    undated = await forecasts.undated(reader, workspace, where, today)
    overdue = await forecasts.overdue(reader, workspace, wanted.start, where, today)
    closed = await forecasts.closed(reader, workspace, today)
    asked = _closed_asked(closed, _ahead(due, today)).astype(np.int64).tolist() + [(today - EPOCH).days] * len(due.arr)
    told = await known.columns(reader, workspace, [*closed.account_ids, *due.account_ids], asked)
    active = next((row["slug"] for row in rows if row["is_active"]), None)
    return Figures(today, due, closed, told, known_ways, active, undated, overdue)


def _scenario(row: Record) -> Scenario:
    lanes = {**LANES, **msgspec.json.decode(row["lanes"])}
    return Scenario(row["name"], msgspec.json.decode(row["impacts"]), lanes)


def made(figures: Figures, wanted: Asked, ways: Sequence[Under]) -> list[Made]:
    """The forecast under each of the ways: the history is learnt from once, and groups are those of the first.

    Raises Invalid for an unknown scenario, and for a target of a group that there is not.
    """
    chosen = [_chosen(figures.scenarios, under) for under in ways]
    # Else who changes lanes between two scenarios would be taken for what they do.
    keys = _keys(figures, wanted, ways[0])
    supposed.there(wanted.targets, set(zip(*(key.tolist() for key in keys), strict=True)))
    lanes = _lanes(figures, figures.active, figures.closed.industries)
    history = _history(figures.closed, lanes)
    facts = inputs(figures.told, _terms(figures))
    closed, due = len(figures.closed.arr), len(figures.due.arr)
    known_then = Known(facts, np.arange(closed, closed + due), np.arange(closed))
    far = _ahead(figures.due, figures.today)
    learnt = renewals.learnt(history, np.datetime64(figures.today), known_then, far)
    found, place = [], 0
    for under, scenario in zip(ways, chosen, strict=True):
        met = figures.due.supposed[place : place + len(under.what_if)]
        place += len(under.what_if)
        found.append(_made(figures, wanted, under, scenario, met, keys, (learnt, known_then)))
    return found


def _keys(figures: Figures, wanted: Asked, under: Under) -> list[Any]:
    """Each renewal's value of each grouping, lanes as they are under one way."""
    lane = _lanes(figures, under.scenario or figures.active, figures.due.industries)
    rest = iter(figures.due.keys)
    return [_texts(lane if group == "lane" else next(rest)) for _, group in wanted.groups]


def _chosen(scenarios_: Mapping[str, Scenario], under: Under) -> Scenario | None:
    if under.scenario is None:
        return None
    slug = supposed.one_of(under.scenario, tuple(scenarios_), f"{under.pointer}/scenario")
    scenario = scenarios_[slug]
    return Scenario(scenario.name, scenario.impacts, {**scenario.lanes, **under.lanes})


def _made(
    figures: Figures, wanted: Asked, under: Under, scenario: Scenario | None, met: Sequence[Sequence[bool]],
    keys: Sequence[Any], taught: tuple[Learnt, Known],
) -> Made:  # fmt: skip
    columns, lane = figures.due, _lanes(figures, under.scenario or figures.active, figures.due.industries)
    told = _texts(_lanes(figures, figures.active, columns.industries))
    due = Due(
        _texts(list(map(str, columns.renewal_ids))), _ints(columns.arr), _days(columns.due_on), _texts(columns.industries),
        _pairs(columns.industries, columns.products), told, _texts(list(map(str, columns.account_ids))),
    )  # fmt: skip
    targets = {tuple(target.key[name] for name, _ in wanted.groups): target.amount for target in wanted.targets}
    learnt, known_then = taught
    assumed = _assumed(scenario, lane, under, met)
    return Made(
        renewals.stated(due, learnt, keys, wanted.target, known_then, assumed, targets),
        under,
        scenario,
        lane,
        figures.undated,
        figures.overdue,
    )


def _assumed(scenario: Scenario | None, lane: Sequence[str], under: Under, met: Sequence[Sequence[bool]]) -> Assumed:
    """What is supposed last of an account stands; shifts add up, prices multiply."""
    count = len(lane)
    shifts = {} if scenario is None else scenario.lanes
    moved = np.array([shifts.get(one, 0.0) for one in lane], dtype=np.float64)
    shift, chance, factor = np.zeros(count), np.full(count, np.nan), np.ones(count)
    for one, rows in zip(under.what_if, met, strict=True):
        mine = np.array(rows, dtype=np.bool_)
        shift[mine] += one.shift
        factor[mine] *= one.arr_factor
        if one.probability is not None:
            chance[mine] = one.probability
    return Assumed(moved, shift, chance, factor)


def _lanes(figures: Figures, slug: str | None, industries: Sequence[str]) -> list[str]:
    impacts = figures.scenarios[slug].impacts if slug is not None else {}
    return [impacts.get(industry, "") for industry in industries]


def _history(closed: ClosedColumns, lanes: Sequence[str]) -> History:
    paid = np.array(closed.paid, dtype=np.float64)
    return History(
        _ints(closed.arr), _days(closed.due_on), _days(closed.closed_on), np.minimum(paid, 1.0), _texts(closed.industries),
        _pairs(closed.industries, closed.products), _texts(lanes), paid,
    )  # fmt: skip


def _terms(figures: Figures) -> Terms:
    """Of closed renewals, then of those due."""
    closed, due = figures.closed, figures.due
    today = np.full(len(due.arr), np.datetime64(figures.today), dtype="datetime64[D]")
    seats = [np.nan if value is None else value for value in (*closed.seats, *due.seats)]
    return Terms(
        np.concatenate([_closed_asked(closed, _ahead(due, figures.today)), today]), _ints([*closed.arr, *due.arr]), np.array(seats, dtype=np.float64),
        _days([*closed.started, *due.started]), _days([*closed.first_started, *due.first_started]),
        _days([*closed.due_on, *due.due_on]),
    )  # fmt: skip


def _ahead(due: DueColumns, today: date) -> int:
    return ahead(_days(due.due_on), np.datetime64(today))


def _closed_asked(closed: ClosedColumns, far: int) -> Any:
    """The day each closed renewal is learnt from as it was known on: the first of a month so many months before its own, or
    when it closed before."""
    return np.minimum(asked_on(_days(closed.due_on), far), _days(closed.closed_on))


def _ints(values: Sequence[int]) -> Any:
    return np.array(values, dtype=np.int64)


def _days(values: Sequence[int | None]) -> Any:
    missing = np.iinfo(np.int64).min
    days = np.array([missing if value is None else value for value in values], dtype=np.int64)
    return days.astype("datetime64[D]")


def _texts(values: Sequence[str]) -> Any:
    return np.array(values, dtype=np.str_)


def _pairs(parents: Sequence[str], children: Sequence[str]) -> Any:
    return _texts([f"{p} / {c}" for p, c in zip(parents, children, strict=True)])


def kept(made_: Made, figures: Figures) -> RenewalColumns:
    """What each renewal is expected to bring, to be kept: behind its reasons what leads from its chance to money."""
    due, computed = figures.due, made_.computed
    bounds = (computed.p05_minor, computed.p95_minor)
    leads = (computed.money_probability, computed.kept_share, computed.paid_share, *bounds)
    told = np.column_stack([computed.reasons.parts, *leads])
    return RenewalColumns(
        due.renewal_ids, due.account_ids, due.products, made_.lane, due.due_on, due.arr,
        computed.probability.tolist(), computed.expected_minor.tolist(), computed.net_minor.tolist(),
        told.ravel().tolist(), told.shape[1],
    )  # fmt: skip
