"""Questions about a day that has been: asked of what is kept as history, or refused by the name of what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import (
    All,
    And,
    Between,
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
    Shown,
    Tagged,
)
from app.domain.errors import Fault, Invalid
from app.domain.questions import Archived, Fixed, Group, Item, Nest, Pick, Question, Selection

KEPT = ("stage",)
TIMELESS = ("id", "external_id", "created_at")
"""What a record is told by: that does not change."""
SHOWN = ("id", "external_id", "stage", "segment")
"""What is shown of a day where nothing else is asked for."""


def then(asked: Question, moment: datetime, *, beside: bool = False) -> Question:
    """The same question as of a moment: among the accounts that were there, stages and segments as they were then.

    `beside`: what else is shown and sorted by is of today. Raises Invalid that names a field without a history, in criteria
    or, unless it is beside, anywhere.
    """
    if asked.entity != ACCOUNTS.name:
        raise _without(asked.entity)
    return replace(
        asked,
        criteria=And((*_there(asked.archived, moment), _meaning(asked.criteria, moment))),
        selection=_selection(asked.selection, moment, beside),
        sort=tuple(replace(key, of=_shown(key.of, moment, beside)) for key in asked.sort),
        archived="with",
    )


def _there(archived: Archived, moment: datetime) -> tuple[Meaning, ...]:
    """Made by then; and not archived by then, or archived, as it was asked."""
    made = Compare(Column(ACCOUNTS.fields["created_at"]), "le", moment)
    gone = Compare(Column(ACCOUNTS.fields["archived_at"]), "le", moment)
    match archived:
        case "without":
            return (made, Not(gone))
        case "only":
            return (made, gone)
        case "with":
            return (made,)
        case _:
            assert_never(archived)


def _meaning(meaning: Meaning, moment: datetime) -> Meaning:
    match meaning:
        case All() | Moved():
            return meaning
        case And(args):
            return And(tuple(_meaning(arg, moment) for arg in args))
        case Or(args):
            return Or(tuple(_meaning(arg, moment) for arg in args))
        case Not(arg):
            return Not(_meaning(arg, moment))
        case Compare(of, _, value) if isinstance(value, Operand):
            return replace(meaning, of=_operand(of, moment), value=_operand(value, moment))
        case Compare(of) | OneOf(of) | Between(of) | Match(of) | Tagged(of) | Missing(of):
            return replace(meaning, of=_operand(of, moment))
        case Related(_, relation):
            raise _without(relation.name)
        case Refers(of) | Grouped(of):
            raise _without(of.field.name)
        case _:
            assert_never(meaning)


def _operand(of: Operand, moment: datetime) -> Operand:
    match of:
        case FoldOf(_, relation) | ChangeOf(FoldOf(_, relation)):
            raise _without(relation.name)
        case _:
            return _shown(of, moment)


def _shown(of: Shown, moment: datetime, beside: bool = False) -> Shown:
    match of:
        case SegmentOf() | Column() | CustomOf() if of.through is not None:
            if beside:
                return of
            raise _without(of.through.name)
        case SegmentOf():
            return replace(of, on=moment)
        case Column(field) if field.name in KEPT:
            return replace(of, on=moment)
        case Column(field) if field.name in TIMELESS or beside:
            return of
        case CustomOf() if beside:
            return of
        case Column(field):
            raise _without(field.name)
        case CustomOf(field):
            raise _without(f"custom.{field.name}")
        case _:
            assert_never(of)


def _selection(selection: Selection, moment: datetime, beside: bool) -> Selection:
    return Selection(tuple(_item(item, moment, beside) for item in selection.items))


def _item(item: Item, moment: datetime, beside: bool) -> Item:
    match item:
        case Pick(_, of):
            return replace(item, of=_shown(of, moment, beside))
        case Group(_, selection):
            return replace(item, selection=_selection(selection, moment, beside))
        case Fixed():
            return item
        case Nest() if beside:
            return item
        case Nest(_, relation):
            raise _without(relation.name)
        case _:
            assert_never(item)


def _without(name: str) -> Invalid:
    kept, always = ", ".join((*KEPT, "segment.<segmentation>")), ", ".join(TIMELESS)
    return Invalid(faults=(Fault(f"{name} has no history. Of accounts {kept} have one, and {always} never change."),))
