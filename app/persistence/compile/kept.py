"""Facts kept per account as data arrives, where they say exactly what rows would: asked instead of the rows."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.criteria.meant import (
    All,
    And,
    Between,
    Bounds,
    Column,
    Compare,
    FoldOf,
    Match,
    Meaning,
    Missing,
    Not,
    OneOf,
    Operand,
    Or,
    Related,
    Tagged,
)  # fmt: skip
from app.persistence.compile.rows import OF_FEATURE, Rows
from app.persistence.compile.scope import Scope

WINDOWS = {"last_7": (6, -1), "last_30": (29, -1), "last_90": (89, -1), "before_30": (59, 29)}
"""Columns of usage_windows by their half-open bounds, in days before the day that they are right for."""


def usage_window(of: FoldOf, rows: Rows, scope: Scope) -> str | None:
    """The column of usage_windows that holds this sum, if one does; the statement then leans on `facts_day`."""
    if not scope.kept or of.fn != "sum" or of.relation.name != "usage" or rows.entity.name != "accounts":
        return None
    if of.field is None or of.field.name != "value" or not (of.where is None or _of_feature_alone(of.where)):
        return None
    column = _window(of.bounds, scope.workspace.facts_day)
    scope.leaned = scope.leaned or column is not None
    return column


def _window(bounds: Bounds | None, day: date) -> str | None:
    if bounds is not None:
        for column, (first, end) in WINDOWS.items():
            if bounds.lo == day - timedelta(days=first) and bounds.hi == day - timedelta(days=end):
                return column
    return None


def _of_feature_alone(meaning: Meaning) -> bool:
    match meaning:
        case All():
            return True
        case And(args) | Or(args):
            return all(_of_feature_alone(arg) for arg in args)
        case Not(arg):
            return _of_feature_alone(arg)
        case Compare(of, _, value):
            return is_of_feature(of) and (not isinstance(value, Operand) or is_of_feature(value))
        case OneOf(of) | Between(of) | Match(of) | Tagged(of) | Missing(of):
            return is_of_feature(of)
        case _:
            return False


def is_of_feature(of: Operand) -> bool:
    """Whether a usage row's value is its feature's."""
    return isinstance(of, Column) and of.through is None and of.field.name in OF_FEATURE


def last_interaction(meaning: Related, rows: Rows) -> bool:
    """Whether the account's `last_interaction_at` decides, but for windows that end before it."""
    of_account = rows.entity.name == "accounts" and meaning.relation.name == "interactions"
    return of_account and meaning.where is None
