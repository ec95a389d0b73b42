"""Laws of windows: they tile time, neighbours meet, SQL over a calendar's rows says the same, edges name every flip."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.calendar_bodies import PATTERNS, read
from app.domain.calendars import FiscalCalendar, FiscalPeriod, FiscalUnit, calendar
from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.edges import TICK, edges
from app.domain.criteria.evaluate import holds
from app.domain.criteria.explain import read as told
from app.domain.criteria.flips import UntoldError, followed
from app.domain.criteria.leaves import Leaf, at_moment, grown
from app.domain.criteria.literals import CALENDARS
from app.domain.criteria.nodes import Calendar, Period
from app.domain.criteria.time import period, resolve, start
from app.domain.errors import Invalid
from app.domain.workspaces import Clock, clock
from app.persistence import calendars as stored
from app.persistence.database import Database
from app.services import accounts, reads, workspaces
from app.services.asks import Ask
from tests.laws.trees import SETTING, WORKSPACE
from tests.services.organisations import NOW, organisation

USUAL = 60
ROUNDS = int(os.environ.get("STRATA_LAW_ROUNDS", "0")) * 5 or USUAL
RUN = settings(max_examples=ROUNDS, deadline=None, derandomize=ROUNDS == USUAL, suppress_health_check=list(HealthCheck))
DAY = timedelta(days=1)
FISCAL: tuple[FiscalUnit, ...] = get_args(FiscalUnit)
WHICH = {"previous": -1, "this": 0, "next": 1}
EAST_AND_WEST = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "Pacific/Auckland",
    "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo",
)  # fmt: skip
SEEN: Counter[str] = Counter()


# -- calendars -----------------------------------------------------------------------------------------------------------


@st.composite
def by_rows(draw: Any) -> FiscalCalendar:
    """Any calendar that rows can say: years of one to four quarters, of periods of any length."""
    day, year = date(2020, 1, 1) + timedelta(days=draw(st.integers(0, 3000))), draw(st.integers(1990, 2100))
    rows: list[FiscalPeriod] = []
    for n in range(draw(st.integers(1, 3))):
        quarters = [q for q in range(1, draw(st.integers(1, 4)) + 1) for _ in range(draw(st.integers(1, 3)))]
        for number, quarter in enumerate(quarters, 1):
            end = day + timedelta(days=draw(st.integers(0, 40)))
            rows.append(FiscalPeriod(year + n, quarter, number, day, end))
            day = end + DAY
    return calendar(rows)


@st.composite
def by_pattern(draw: Any) -> FiscalCalendar:
    """What a pattern makes, long years among them."""
    years = draw(st.integers(1, 4))
    first_day = date(2020, 1, 1) + timedelta(days=draw(st.integers(0, 3000)))
    long_years = draw(st.lists(st.integers(2024, 2024 + years - 1), max_size=2))
    asked = {"pattern": draw(st.sampled_from(tuple(PATTERNS))), "first_day": str(first_day), "first_year": 2024}
    return read({"generate": {**asked, "years": years, "long_years": long_years}})


CALENDARS_AS_ROWS = st.one_of(by_rows(), by_pattern())


def days(of: FiscalCalendar) -> Iterator[date]:
    """Every day that it knows."""
    day = of.first
    while day <= of.last:
        yield day
        day += DAY


def clock_at(moment: datetime, zone: str, **more: Any) -> Clock:
    return Clock(moment, ZoneInfo(zone), **more)


# -- windows tile time ---------------------------------------------------------------------------------------------------


def tiled(spans: list[tuple[date, date]], of: list[date]) -> None:
    """Each day lies in its span; those of following days are the same, or meet."""
    for day, (lo, hi) in zip(of, spans, strict=True):
        assert lo <= day < hi
    for (lo, hi), (next_lo, next_hi) in pairwise(spans):
        assert (lo, hi) == (next_lo, next_hi) or hi == next_lo


@RUN
@given(of=CALENDARS_AS_ROWS, unit=st.sampled_from(FISCAL))
def test_periods_of_rows_tile_the_calendar(of: FiscalCalendar, unit: FiscalUnit) -> None:
    every = list(days(of))
    spans = [of.span(unit, day, 0) for day in every]
    tiled(spans, every)
    assert (spans[0][0], spans[-1][1]) == (of.first, of.last + DAY)
    months, quarters, years = (set(of.starts[one]) for one in FISCAL)
    assert years <= quarters <= months


@RUN
@given(
    unit=st.sampled_from(CALENDARS), week_start=st.integers(1, 7), fiscal_month=st.integers(1, 12),
    first=st.integers(0, 4000), zone=st.sampled_from(EAST_AND_WEST),
)  # fmt: skip
def test_periods_of_months_and_weeks_tile_time(
    unit: Calendar, week_start: int, fiscal_month: int, first: int, zone: str
) -> None:
    """Leap days and the ends of years among them."""
    every = [date(2019, 6, 1) + timedelta(days=first + n) for n in range(420)]
    clocks = [
        clock_at(start(day, ZoneInfo(zone)), zone, week_start=week_start, fiscal_month=fiscal_month) for day in every
    ]
    tiled([period("this", unit, clock) for clock in clocks], every)


def within(clock: Clock, unit: FiscalUnit, which: Any, axis: Any) -> Any:
    """The bounds, None where the calendar does not reach so far."""
    try:
        return resolve(Period(which, unit), axis, clock)
    except Invalid as error:
        assert clock.calendar is not None
        reach = f"which reaches from {clock.calendar.first} to {clock.calendar.last}."
        assert error.detail.endswith(reach)  # noqa: PT017 - either outcome is right
        return None


@RUN
@given(of=CALENDARS_AS_ROWS, unit=st.sampled_from(FISCAL), zone=st.sampled_from(EAST_AND_WEST), data=st.data())
def test_neighbours_meet_and_the_calendar_ends(
    of: FiscalCalendar, unit: FiscalUnit, zone: str, data: st.DataObject
) -> None:
    day = data.draw(st.sampled_from(list(days(of))))
    moment = start(day, ZoneInfo(zone)) + timedelta(hours=data.draw(st.integers(0, 22)))
    clock = clock_at(moment, zone, calendar=of)
    for axis in ("date", "instant"):
        found = {which: within(clock, unit, which, axis) for which in WHICH}
        here, ends = found["this"], (of.first, of.last + DAY)
        lo, hi = ends if axis == "date" else tuple(start(end, ZoneInfo(zone)) for end in ends)
        assert lo <= here.lo <= (clock.today if axis == "date" else moment) < here.hi <= hi
        assert (here.lo == lo) if found["previous"] is None else (found["previous"].hi == here.lo)
        assert (here.hi == hi) if found["next"] is None else (found["next"].lo == here.hi)


@RUN
@given(
    of=CALENDARS_AS_ROWS, unit=st.sampled_from(FISCAL), which=st.sampled_from(tuple(WHICH)), away=st.integers(1, 900)
)
def test_beyond_the_rows_nothing_is_answered(of: FiscalCalendar, unit: FiscalUnit, which: Any, away: int) -> None:
    for day in (of.first - away * DAY, of.last + away * DAY):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        with pytest.raises(Invalid, match=f"reaches from {of.first} to {of.last}"):
            resolve(Period(which, unit), "date", clock_at(noon, "UTC", calendar=of))


# -- SQL says the same ---------------------------------------------------------------------------------------------------

GROUPS: Mapping[FiscalUnit, str] = {
    "fiscal_month": "year, quarter, period", "fiscal_quarter": "year, quarter", "fiscal_year": "year",
}  # fmt: skip


def of_rows(unit: FiscalUnit) -> str:
    """The bounds of the unit `$2` places away from that of each day `$3`, by nothing but rows: day, lo, hi."""
    return f"""
    WITH of AS (
      SELECT min(start_date) AS lo, max(end_date) + 1 AS hi, row_number() OVER (ORDER BY min(start_date)) AS n
      FROM fiscal_periods WHERE workspace_id = $1 GROUP BY {GROUPS[unit]}
    )
    SELECT d.day, there.lo, there.hi FROM unnest($3::date[]) AS d(day)
    LEFT JOIN of here ON d.day >= here.lo AND d.day < here.hi
    LEFT JOIN of there ON there.n = here.n + $2
    """


@settings(RUN, max_examples=max(10, ROUNDS // 4))
@given(of=CALENDARS_AS_ROWS)
async def test_the_reference_is_sql_over_the_rows(db: Database, of: FiscalCalendar) -> None:
    org, other = await organisation(db), await organisation(db)
    async with db.transaction() as tx:
        await stored.put(tx, other.workspace.id, [FiscalPeriod(2001, 1, 1, of.first, of.last)])
        await stored.put(tx, org.workspace.id, of.periods)
    kept = (await workspaces.load(db, org.workspace.id)).calendar
    assert kept == of
    every = [of.first - DAY, *days(of), of.last + DAY]
    for unit in FISCAL:
        for which, n in WHICH.items():
            by_sql = {row[0]: (row[1], row[2]) for row in await org.rows(of_rows(unit), n, every)}
            for day in every:
                clock = clock_at(datetime(day.year, day.month, day.day, 12, tzinfo=UTC), "UTC", calendar=kept)
                try:
                    bounds = resolve(Period(which, unit), "date", clock)  # type: ignore[arg-type]  # one of its words
                    assert (bounds.lo, bounds.hi) == by_sql[day], (unit, which, day)
                except Invalid:
                    assert by_sql[day] == (None, None), (unit, which, day)


def of_months(unit: Calendar) -> str:
    """Bounds in UTC of the unit that each day `$2` lies in, in the zone `$3`: weeks begin `$4` days after Monday, fiscal
    years `$5` months after January."""
    word = unit.removeprefix("fiscal_")
    shift = (
        "make_interval(days => $4)"
        if unit == "week"
        else "make_interval(months => $5)"
        if word != unit
        else "interval '0'"
    )
    step = "3 months" if word == "quarter" else f"1 {word}"
    return f"""
    SELECT d.day, (lo.at AT TIME ZONE $3), ((lo.at + interval '{step}') AT TIME ZONE $3)
    FROM unnest($2::date[]) AS d(day),
    LATERAL (SELECT date_trunc('{word}', d.day::timestamp - {shift}) + {shift} AS at) lo
    WHERE $1::uuid IS NOT NULL AND $4::int4 >= 0 AND $5::int4 >= 0
    """


@settings(RUN, max_examples=max(20, ROUNDS // 2))
@given(
    unit=st.sampled_from(CALENDARS), week_start=st.integers(1, 7), fiscal_month=st.integers(1, 12),
    zone=st.sampled_from(EAST_AND_WEST), offsets=st.lists(st.integers(0, 4500), min_size=20, max_size=40),
)  # fmt: skip
async def test_the_reference_is_sql_in_every_zone(
    db: Database, unit: Calendar, week_start: int, fiscal_month: int, zone: str, offsets: list[int]
) -> None:
    every = [date(2012, 1, 1) + timedelta(days=n) for n in offsets]
    every += [date(2024, 2, 29), date(2025, 2, 28), date(2025, 3, 30), date(2025, 10, 26), date(2017, 10, 15)]
    rows = await db.fetch(of_months(unit), WORKSPACE.id, every, zone, week_start - 1, fiscal_month - 1)
    by_sql = {row[0]: (row[1], row[2]) for row in rows}
    for day in every:
        noon = start(day, ZoneInfo(zone)) + timedelta(hours=9)
        bounds = resolve(Period("this", unit), "instant", Clock(noon, ZoneInfo(zone), week_start, fiscal_month))
        assert (bounds.lo, bounds.hi) == by_sql[day], (unit, day)


# -- edges ---------------------------------------------------------------------------------------------------------------

SPELLED = (
    "renewal_date IN this({0})", "renewal_date IN previous({0})", "renewal_date IN next({0})", "last_active_at IN this({0})",
    "last_active_at IN previous({0})", "none(interactions, this({0}))", "count(interactions, previous({0})) >= 2",
    "change_abs(count(interactions), this({0}), previous({0})) > 0", "sum(invoices.amount, next({0})) > 1",
)  # fmt: skip


def flips_by_walking(leaf: Leaf, record: Any) -> list[tuple[datetime, bool]]:
    """Asked on every day from now on, at its beginning, until the calendar is over."""
    setting, found = leaf.setting, list[tuple[datetime, bool]]()
    verdict = holds(leaf.meaning, record)
    day = setting.clock.today + DAY
    while True:
        moment = start(day, setting.clock.zone)
        try:
            says = holds(check(leaf.node, leaf.entity, at_moment(setting, moment)).meaning, record)
        except Invalid:
            return found
        if says != verdict:
            found.append((moment, says))
            verdict = says
        day += DAY


def flips_as_told(leaf: Leaf, record: Any) -> list[tuple[datetime, bool]]:
    """As explaining follows them."""
    found: list[tuple[datetime, bool]] = []
    (turns,) = followed([leaf], [told(leaf, record).verdict], record)
    try:
        found += ((moment, says) for moment, _, says in turns)
    except UntoldError:
        SEEN["ends"] += 1
    return found


@settings(RUN, max_examples=ROUNDS * 2)
@given(of=CALENDARS_AS_ROWS, source=st.sampled_from(SPELLED), unit=st.sampled_from(FISCAL),
       zone=st.sampled_from(EAST_AND_WEST), data=st.data())  # fmt: skip
def test_moving_as_of_flips_what_edges_name(
    of: FiscalCalendar, source: str, unit: FiscalUnit, zone: str, data: st.DataObject
) -> None:
    """Rows are asked at every beginning of a day; what flips there flips at an edge, and at no other moment."""
    zoned = ZoneInfo(zone)
    day = data.draw(st.sampled_from(list(days(of))[:150]))
    now = start(day, zoned) + timedelta(hours=data.draw(st.integers(0, 20)))
    setting: Setting = replace(SETTING, clock=clock_at(now, zone, calendar=of))
    try:
        leaf = grown(text.parse(source.format(unit)), ENTITIES["accounts"], setting)
    except Invalid:
        SEEN["beyond"] += 1
        return
    assert isinstance(leaf, Leaf)
    near = st.integers(-60, 120).map(lambda n: now + timedelta(days=n, hours=n % 23))
    times = sorted(data.draw(st.lists(near, min_size=1, max_size=4)))
    record: Any = {
        "renewal_date": times[0].date(), "last_active_at": times[-1],
        "interactions": tuple({"id": n, "occurred_at": one} for n, one in enumerate(times)),
        "invoices": tuple({"id": n, "issued_at": one.date(), "amount": 100} for n, one in enumerate(times)),
    }  # fmt: skip
    walked = flips_by_walking(leaf, record)
    named = edges(leaf.node, leaf.entity, record, setting)
    assert {moment for moment, _ in walked} <= set(named)
    assert flips_as_told(leaf, record) == walked
    SEEN["flips"] += len(walked)
    for moment, says in walked:
        before = check(leaf.node, leaf.entity, at_moment(setting, moment - TICK)).meaning
        assert holds(before, record) != says


@settings(RUN, max_examples=max(6, ROUNDS // 10))
@given(of=CALENDARS_AS_ROWS, unit=st.sampled_from(FISCAL), which=st.sampled_from(tuple(WHICH)), data=st.data())
async def test_rows_of_the_database_flip_at_their_edges(
    db: Database, of: FiscalCalendar, unit: FiscalUnit, which: str, data: st.DataObject
) -> None:
    """The accounts that a list holds, day by day: who comes and goes is who an edge names on that day."""
    org = await organisation(db, zone="America/St_Johns")
    workspace = replace(org.workspace, calendar=of, epoch=repr(of.periods))
    principal, zone = replace(org.people["admin"], workspace=workspace), workspace.zone
    every = list(days(of))
    dates = data.draw(st.lists(st.sampled_from(every[:100]), min_size=8, max_size=8))
    names = [f"{n}" for n in range(len(dates))]
    for name, day in zip(names, dates, strict=True):
        await accounts.create(db, org.call(), {"name": name, "renewal_date": str(day)})
    said = f"renewal_date IN {which}({unit})"

    async def held(day: date) -> frozenset[str] | None:
        ask = Ask("accounts", filter=said, fields="name", as_of=f"{start(day, zone).isoformat()}")
        try:
            answer = await reads.collection(db, principal, ask, NOW, secret=b"x" * 32)
        except Invalid:
            return None
        return frozenset(one["name"] for one in msgspec.json.decode(answer.data))

    inside = [(day, there) for day in every[:90] if (there := await held(day)) is not None]
    if not inside:
        SEEN["beyond"] += 1
        return
    setting = Setting(workspace, clock(workspace, start(inside[0][0], zone)))
    leaf = grown(text.parse(said), ENTITIES["accounts"], setting)
    assert isinstance(leaf, Leaf)
    named = {
        name: {at for at, _ in flips_as_told(leaf, {"renewal_date": day})}
        for name, day in zip(names, dates, strict=True)
    }
    for (_, before), (day, after) in pairwise(inside):
        assert before ^ after == {name for name, flips in named.items() if start(day, zone) in flips}
        SEEN["rows"] += len(before ^ after)


def test_flips_and_ends_were_seen() -> None:
    assert min(SEEN["flips"], SEEN["ends"], SEEN["beyond"], SEEN["rows"]) >= 10
