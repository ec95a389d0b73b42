"""What of a record the reference reads for some criteria: its fields, references, related rows since when, history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import assert_never
from uuid import UUID

from app.domain.catalogue import ENTITIES, Entity, Field, Relation
from app.domain.criteria.leaves import is_operand
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    Bounds,
    ChangeOf,
    Column,
    Compare,
    CustomOf,
    FoldOf,
    Grouped,
    Match,
    Meaning,
    Missing,
    Moved,
    Not,
    OneOf,
    Operand,
    Or,
    Refers,
    Related,
    SegmentOf,
    Tagged,
)

SLACK = timedelta(days=5)
"""By so much the beginning of a window can go back again: what lies a month away leaps at month ends."""
FIRST = 1900
"""Windows that begin earlier have no beginning."""
LATEST = ("id", "feature", "contact")
"""What tells which of two rows of one time is the later."""


@dataclass(slots=True)
class Rows:
    """Related rows from `since` on; None: all of them."""

    relation: Relation
    needs: Needs
    since: date | datetime | None


@dataclass(slots=True)
class Needs:
    """By name: columns, records that references lead to, own attributes, segmentations, related rows; of an account
    also the segmentations whose history is read, and whether that of stages is."""

    entity: Entity
    columns: dict[str, Field] = field(default_factory=dict)
    ones: dict[str, Needs] = field(default_factory=dict)
    custom: dict[str, Field] = field(default_factory=dict)
    segments: dict[str, UUID] = field(default_factory=dict)
    many: dict[str, Rows] = field(default_factory=dict)
    memberships: dict[str, UUID] = field(default_factory=dict)
    stage_moves: bool = False


def needs(meanings: Iterable[Meaning], entity: Entity) -> Needs:
    """What all of these read of a record of the entity, also at later moments."""
    made = Needs(entity)
    for meaning in meanings:
        _meaning(meaning, made)
    return made


def _meaning(meaning: Meaning, into: Needs) -> None:  # noqa: C901 - one arm for each node
    match meaning:
        case And(args) | Or(args):
            for arg in args:
                _meaning(arg, into)
        case Not(arg):
            _meaning(arg, into)
        case All():
            return
        case Compare(of, _, value):
            _operand(of, into)
            if is_operand(value):
                _operand(value, into)
        case OneOf(of) | Between(of) | Match(of) | Tagged(of) | Missing(of):
            _operand(of, into)
        case Grouped(of, by):
            _operand(of, into)
            _operand(by, into)
        case Refers(of):
            _operand(of, into)
            home = into.ones[of.through.name] if of.through else into
            other = home.ones[of.field.name]
            for name in ("external_id", "email"):
                if name in other.entity.fields:
                    other.columns[name] = other.entity.fields[name]
        case Related(_, relation, where, bounds):
            _rows(relation, where, bounds, into)
        case Moved(segmentation, slug):
            into.memberships[slug] = segmentation
        case _:
            assert_never(meaning)


def _operand(of: Operand, into: Needs) -> None:
    match of:
        case FoldOf(fn, relation, folded, where, bounds):
            rows = _rows(relation, where, bounds, into)
            if folded is not None:
                _column(folded, rows)
            for name in LATEST if fn == "last_value" else ():
                if name in rows.entity.fields:
                    _column(rows.entity.fields[name], rows)
            return
        case ChangeOf(now, was):
            _operand(now, into)
            _operand(was, into)
            return
    home = _one(of.through.name, into) if of.through else into
    match of:
        case SegmentOf(segmentation, slug, _, on):
            (home.segments if on is None else home.memberships)[slug] = segmentation
        case Column(_, _, on) if on is not None:
            home.stage_moves = True
        case CustomOf(own):
            home.custom[own.name] = own
        case Column(own):
            _column(own, home)
        case _:
            assert_never(of)


def _column(of: Field, into: Needs) -> None:
    if of.kind == "ref":
        _one(of.name, into)
    else:
        into.columns[of.name] = of


def _one(name: str, into: Needs) -> Needs:
    """What a reference leads to, known at least by its id."""
    if name not in into.ones:
        target = ENTITIES[into.entity.relations[name].target]
        into.ones[name] = Needs(target, {"id": target.fields["id"]})
    return into.ones[name]


def _rows(relation: Relation, where: Meaning | None, bounds: Bounds | None, into: Needs) -> Needs:
    target = ENTITIES[relation.target]
    since = None if bounds is None or bounds.lo is None or bounds.lo.year < FIRST else bounds.lo - SLACK
    known = into.many.get(relation.name)
    if known is None:
        known = into.many[relation.name] = Rows(relation, Needs(target), since)
        _column(target.fields[str(target.time_field)], known.needs)
    elif known.since is not None:
        known.since = None if since is None else _earlier(known.since, since)
    if where is not None:
        _meaning(where, known.needs)
    return known.needs


def _earlier(one: date, other: date) -> date:
    """Both are days, or both instants: they are of one relation."""
    return min(one, other)
