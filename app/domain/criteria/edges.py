"""Moments at which criteria may say something else of a record though nothing is written: the edges of its times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields as members
from dataclasses import is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Literal, assert_never

from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import fields, nodes
from app.domain.criteria.check import Setting
from app.domain.criteria.coerce import identity
from app.domain.criteria.evaluate import Record, value
from app.domain.criteria.leaves import at_moment
from app.domain.criteria.nodes import NOWHERE, Node
from app.domain.criteria.time import Axis, months, point, resolve, start
from app.domain.errors import Invalid

END = datetime(2200, 1, 1, tzinfo=UTC)
"""What flips later flips never."""
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
ABSOLUTE: dict[str, timedelta] = {
    "min": timedelta(minutes=1), "h": HOUR, "d": timedelta(days=1), "w": timedelta(weeks=1),
}  # fmt: skip
"""Spans of instants that no calendar enters."""
MONTHS = {"mo": 1, "q": 3, "y": 12}
NEAR = 4
"""Days by which stepping months there and back can miss: month ends and clock changes."""
Span = nodes.Ago | nodes.FromNow
Bound = Callable[[datetime], date | datetime]
"""Where an end of a window, or a point in time, lies at a moment."""


def moves(part: object, setting: Setting) -> bool:
    """Whether a criteria means something else at another moment."""
    if isinstance(part, nodes.Rolling | nodes.Period | nodes.Ago | nodes.FromNow):
        return True
    if isinstance(part, nodes.InList):
        key = identity(part.list)
        return key is not None and key in setting.lists and moves(setting.lists[key].node, setting)
    if isinstance(part, tuple):
        return any(moves(one, setting) for one in part)
    if is_dataclass(part) and not isinstance(part, type):
        return any(moves(getattr(part, one.name), setting) for one in members(part) if one.name != "at")
    return False


def edges(node: Node, entity: Entity, record: Record, setting: Setting) -> list[datetime]:
    """Every moment after the setting's, in order, at which the criteria can change its verdict on the record."""
    found = {moment for moment in _Edges(setting).of(node, entity, record) if setting.clock.as_of < moment < END}
    return sorted(found)


class _Edges:
    """The edges of one criteria at one clock; what many rows share is computed once."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._zone = setting.clock.zone
        self._today = setting.clock.today
        self._within = cache(self._window)
        self._beside = cache(self._point)
        self._pieces = cache(self._day_pieces)

    # -- the tree ------------------------------------------------------------------------------------------------------

    def of(self, node: Node, entity: Entity, record: Record) -> Iterator[datetime]:  # noqa: C901 - one arm for each node
        match node:
            case nodes.And(args) | nodes.Or(args):
                for arg in args:
                    yield from self.of(arg, entity, record)
            case nodes.Not(arg):
                yield from self.of(arg, entity, record)
            case nodes.All() | nodes.Text() | nodes.Has():
                return
            case nodes.Cmp(of, _, one):
                yield from self._compared(of, (one,), entity, record)
            case nodes.In(of, values):
                yield from self._compared(of, values, entity, record)
            case nodes.Range(of, lo, hi):
                yield from self._compared(of, [end for end in (lo, hi) if end is not None], entity, record)
            case nodes.Empty(of):
                yield from self._operand(of, entity, record)
            case nodes.Time(of, window):
                yield from self._operand(of, entity, record)
                for when in self._times(of, entity, record):
                    yield from self._within(window, when)
            case nodes.Quant(_, rel, where, window):
                yield from self._rows(rel, where, [window], entity, record)
            case nodes.Segment(segmentation, segment, _, window):
                if window is not None:
                    for slug, stood, *ends in record["memberships"]:
                        if (slug, stood) == (segmentation, segment):
                            yield from self._inside([window], ends)
            case nodes.InList(told):
                key = identity(told)
                if key is not None and key in self._setting.lists:
                    yield from self.of(self._setting.lists[key].node, entity, record)
            case _:
                assert_never(node)

    def _compared(
        self, of: nodes.Operand, values: Iterable[nodes.Value], entity: Entity, record: Record
    ) -> Iterator[datetime]:
        yield from self._operand(of, entity, record)
        points = [one for one in values if isinstance(one, Span)]
        if points:
            for when in self._times(of, entity, record):
                for one in points:
                    yield from self._beside(one, when)

    def _operand(self, of: nodes.Operand, entity: Entity, record: Record) -> Iterator[datetime]:
        match of:
            case nodes.Aggregate():
                yield from self._rows(of.rel, of.where, [of.window], entity, record)
            case nodes.Change(_, nodes.Aggregate() as inner, now, was):
                yield from self._rows(inner.rel, inner.where, [now, was], entity, record)
            case nodes.Path() | nodes.Rank() | nodes.Change():
                return
            case _:
                assert_never(of)

    def _rows(
        self, rel: str, where: Node | None, windows: Iterable[nodes.Window | None], entity: Entity, record: Record
    ) -> Iterator[datetime]:
        target = ENTITIES[entity.relations[rel].target]
        known = [one for one in windows if one is not None]
        inner = where if where is not None and moves(where, self._setting) else None
        for row in record[rel]:
            if known:
                yield from self._inside(known, [row[str(target.time_field)]])
            if inner is not None:
                yield from self.of(inner, target, row)

    def _inside(self, windows: Iterable[nodes.Window], times: Iterable[date | datetime | None]) -> Iterator[datetime]:
        for when in times:
            for window in windows:
                if when is not None:
                    yield from self._within(window, when)

    def _times(self, of: nodes.Operand, entity: Entity, record: Record) -> list[date | datetime]:
        """The times that an operand can have."""
        found: Iterable[object] = ()
        match of:
            case nodes.Path(name):
                known = fields.find(name, entity, self._setting.workspace)
                found = () if known is None else (value(known, record),)
            case nodes.Aggregate(_, rel, str() as name):
                found = (row[name] for row in record[rel])
        return [one for one in found if isinstance(one, date)]

    # -- one time ------------------------------------------------------------------------------------------------------

    def _window(self, window: nodes.Window, when: date | datetime) -> tuple[datetime, ...]:
        """When a time comes into the window, and when it goes out of it: an end of the window passes it."""
        if isinstance(when, datetime) and isinstance(window, nodes.Rolling):
            sign = 1 if window.dir == "next" else -1
            return (when + TICK, *self._instants(nodes.Duration(window.n, window.unit), sign, when))
        # The ends lie at beginnings of days: an instant is passed as its day is.
        day = when.astimezone(self._zone).date() if isinstance(when, datetime) else when
        return tuple(self._passing(self._end(window, upper=upper), day) for upper in (False, True))

    def _end(self, window: nodes.Window, *, upper: bool) -> Bound:
        def end(moment: datetime) -> date | datetime:
            bounds = resolve(window, "date", at_moment(self._setting, moment).clock)
            found = bounds.hi if upper else bounds.lo
            assert found is not None, "windows have both ends"
            return found

        return end

    def _point(self, span: Span, when: date | datetime) -> tuple[datetime, ...]:
        """When a point in time reaches a time, and when it passes it."""
        sign = 1 if isinstance(span, nodes.FromNow) else -1
        if isinstance(when, datetime):
            return self._instants(span.duration, sign, when, reached=True)
        ago = self._at(span.duration, sign, "date")
        return self._passing(ago, when), self._passing(ago, when, reached=True)

    def _at(self, span: nodes.Duration, sign: int, axis: Axis) -> Bound:
        direction: Literal["ago", "from_now"] = "from_now" if sign > 0 else "ago"
        return lambda moment: point(span, direction, axis, at_moment(self._setting, moment).clock, NOWHERE)

    def _passing(self, bound: Bound, when: date, *, reached: bool = False) -> datetime:
        """The beginning of the first day on which the bound, which never goes back, lies behind `when`, or on it where
        it is enough that it is `reached`; END where there is none."""

        def behind(days: int) -> bool:
            try:
                at = bound(start(self._today + timedelta(days), self._zone))
            except (Invalid, OverflowError, ValueError):
                return True
            return at >= when if reached else at > when

        last = (END.date() - self._today).days
        far = 1
        while far < last and not behind(far):
            far *= 2
        near, far = far // 2, min(far, last)
        while far - near > 1:
            middle = (near + far) // 2
            near, far = (near, middle) if behind(middle) else (middle, far)
        return start(self._today + timedelta(far), self._zone)

    # -- spans of instants ---------------------------------------------------------------------------------------------

    def _instants(
        self, span: nodes.Duration, sign: int, when: datetime, *, reached: bool = False
    ) -> tuple[datetime, ...]:
        """When the moment that lies a span away passes `when`, and where that is asked, when it reaches it."""
        try:
            if span.unit in ABSOLUTE:
                met = [(when - sign * span.n * ABSOLUTE[span.unit], TICK)]
            else:
                met = list(self._stepped(span, sign, when))
        except (OverflowError, ValueError):
            return ()
        return tuple(moment for at, more in met for moment in ((at, at + more) if reached else (at + more,)))

    def _stepped(self, span: nodes.Duration, sign: int, when: datetime) -> Iterator[tuple[datetime, timedelta]]:
        """When it reaches `when`, and how much later it passes it. Months keep the wall clock, so that what lies months
        away leaps at month ends and clock changes: it is followed piece by piece."""
        about = months(when.astimezone(self._zone).date(), -sign * span.n * MONTHS[span.unit])
        days = (about + timedelta(n) for n in range(-NEAR, NEAR + 1))
        pieces = [piece for day in days for piece in self._pieces(span, sign, day)]
        for (begins, shift), (ends, following) in pairwise(pieces):
            if begins - TICK <= when - shift <= ends:
                yield when - shift, TICK
            if min(shift, following) - TICK <= when - ends <= max(shift, following):
                yield ends, timedelta(0)

    def _day_pieces(self, span: nodes.Duration, sign: int, day: date) -> list[tuple[datetime, timedelta]]:
        """Where on this day what lies a span away begins to run along at another distance, and that distance."""
        at, moment, end = self._at(span, sign, "instant"), start(day, self._zone), start(day + timedelta(1), self._zone)
        found = [(moment, _shift(at, moment))]
        while moment < end:
            following = min(moment + HOUR, end - TICK)
            if _shift(at, following) != found[-1][1]:
                found.append(_leap(at, moment, following))
            moment = following if following < end - TICK else end
        return found


def _shift(at: Bound, moment: datetime) -> timedelta:
    met = at(moment)
    assert isinstance(met, datetime), "asked on the axis of instants"
    return met - moment


def _leap(at: Bound, before: datetime, after: datetime) -> tuple[datetime, timedelta]:
    """The first moment with the later one's distance, to the microsecond."""
    was = _shift(at, before)
    while after - before > TICK:
        middle = before + (after - before) // 2
        before, after = (middle, after) if _shift(at, middle) == was else (before, middle)
    return after, _shift(at, after)
