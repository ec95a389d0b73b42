"""What a door was told, and how it is read: each part strictly, into the question it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text, tree
from app.domain.criteria.check import Checked, Setting, check
from app.domain.criteria.meant import And, Column, Compare, Meaning, Typed
from app.domain.criteria.nodes import All, Node
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, StrataError, Unreadable
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT, Archived, Count, Page, Question, Selection
from app.domain.selections import Place, Told, selection, sort, usual_order
from app.domain.workspaces import Clock, Person, Workspace

KEPT_TEXTS = 4_096
LONGEST_KEPT = 2_000
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
COUNTS: tuple[Count, ...] = get_args(Count)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a door was told of a collection, as it was told; None is what was left out.

    `criteria` is a tree, as JSON or as nodes; at most one of it and `filter`. `selection` takes the place of `fields`
    and `include` for doors that have one; made by a function, it is asked for the setting that criteria are read in.
    `account` asks for what is related to one account. `edges` asks for each record by itself, with a cursor of its own.
    `body`: members of a JSON body, so that faults point into it. Two asks that are equal are one question, whatever
    their cursors.
    """

    entity: str
    filter: str | None = None
    criteria: Node | Mapping[str, Any] | None = None
    fields: Told = None
    include: Told = None
    sort: Told = None
    limit: int | str | None = None
    cursor: str | None = field(default=None, compare=False)
    count: str | None = None
    as_of: str | None = None
    on: str | None = None
    tz: str | None = None
    for_user: str | None = None
    archived: str | None = None
    account: UUID | None = None
    params: Mapping[str, Typed | Decimal] | None = None
    selection: Selection | Callable[[Setting], Selection] | None = None
    edges: bool = False
    body: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Criteria as a tree and in their one spelling."""

    node: Node
    text: str


EVERYTHING = Said(All(), "ALL")


def said(ask: Ask) -> Said:
    """The criteria. Raises Unreadable or Invalid, placed where they were told."""
    if ask.filter is not None and ask.criteria is not None:
        raise Place("criteria", ask.body).fault("Expected filter or criteria, not both.")
    if ask.filter is not None:
        return _placed(ask, "filter", lambda: _parsed(str(ask.filter)))
    if isinstance(ask.criteria, Mapping):
        node = tree.load(ask.criteria, "/criteria")
        return Said(node, text.format(node))
    return EVERYTHING if ask.criteria is None else Said(ask.criteria, text.format(ask.criteria))


def _parsed(source: str) -> Said:
    if not source.strip():
        raise Invalid(None, (Fault("Expected criteria: leave filter out to ask for everything."),))
    return _kept(source) if len(source) <= LONGEST_KEPT else _kept.__wrapped__(source)


@lru_cache(KEPT_TEXTS)
def _kept(source: str) -> Said:
    node = text.parse(source)
    return Said(node, text.format(node))


def _placed[T](ask: Ask, name: str, act: Callable[[], T]) -> T:
    return act()
