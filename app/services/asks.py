"""What a door was told, and how it is read: each part strictly, into the question it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache, partial
from hashlib import sha256
from typing import Any, TypeVar, get_args
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from app.domain import history, moments
from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import meant, spellings, text
from app.domain.criteria.check import Checked, Setting, check
from app.domain.criteria.meant import And, Column, Compare, Meaning, Typed
from app.domain.criteria.nodes import All, Node
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, StrataError, Together, Unreadable
from app.domain.lists import both
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT, Archived, Count, Page, Question, Selection, Sort
from app.domain.selections import MAX_SORT, Place, Told, names, selection, sort, usual_order
from app.domain.values import DAY, MisfitError
from app.domain.workspaces import Workspace

KEPT_TEXTS = 4_096
LONGEST_KEPT = 2_000
FIRST_YEAR, LAST_YEAR = 1900, 2199
COUNTS: tuple[Count, ...] = get_args(Count)
ARCHIVED: tuple[Archived, ...] = ("only", "with")
"""What can be asked of the archive; without a word it is left out."""
FORM = 1
"""Counted up when cursors handed out before cannot be read any longer."""
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a door was told of a collection, as it was told; None is what was left out.

    `criteria` is as bodies spell it, or nodes; at most one of it and `filter`; `within` holds besides. `selection` takes
    the place of `fields` and `include` for doors that have one; made by a function, it is asked for the setting that
    criteria are read in.
    `account` asks for what is related to one account. `edges` asks for each record by itself, with a cursor of its own.
    `segmentation`: the one whose page it is, which is told where it is not fresh, whatever is shown; of a day's history,
    what has none is shown, and sorted by, as it is today.
    `body`: members of a JSON body, so that faults point into it. Two asks that are equal are one question, whatever
    their cursors.
    """

    entity: str
    filter: str | None = None
    criteria: Node | Mapping[str, Any] | str | None = None
    within: Node | None = None
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
    segmentation: str | None = None
    body: bool = False
    hashed: int | None = field(default=None, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        """Made once: an ask is looked up by each request that asks it."""
        made = self.hashed
        if made is None:
            made = hash(tuple([getattr(self, name) for name in _COMPARED]))
            object.__setattr__(self, "hashed", made)
        return made


_COMPARED = tuple(one.name for one in fields(Ask) if one.compare)


@dataclass(frozen=True, slots=True)
class Said:
    """Criteria as a tree and in their one spelling."""

    node: Node
    text: str


EVERYTHING = Said(All(), "ALL")


@dataclass(frozen=True, slots=True)
class Frame:
    """What an ask says besides its criteria and what it shows: `as_of` where it was told, the zone in any case, and of
    the day whose history is asked its last moment."""

    limit: int
    count: Count
    archived: Archived
    as_of: datetime | None
    zone: ZoneInfo
    on: datetime | None = None


def said(ask: Ask) -> Said:
    """The criteria. Raises Unreadable or Invalid, placed where they were told."""
    own = _own(ask)
    if ask.within is None:
        return own
    node = ask.within if isinstance(own.node, All) else both(ask.within, own.node)
    return Said(node, text.format(node))


def _own(ask: Ask) -> Said:
    if ask.filter is not None and ask.criteria is not None:
        raise Place("criteria", ask.body).fault("Expected filter or criteria, not both.")
    if ask.filter is not None:
        try:
            return _parsed(ask.filter)
        except StrataError as error:
            raise placed(ask, error) from None
    if ask.criteria is None:
        return EVERYTHING
    node = spellings.read(ask.criteria, "/criteria") if isinstance(ask.criteria, Mapping | str) else ask.criteria
    return Said(node, text.format(node))


def _parsed(source: str) -> Said:
    if not source.strip():
        raise Unreadable(None, (Fault("Expected criteria: leave filter out to ask for everything.", line=1, column=1),))
    return _kept(source) if len(source) <= LONGEST_KEPT else _said(text.parse(source))


@lru_cache(KEPT_TEXTS)
def _kept(source: str) -> Said:
    return _said(text.parse(source))


def _said(node: Node) -> Said:
    return Said(node, text.format(node))


def placed(ask: Ask, error: StrataError) -> StrataError:
    """The error of criteria with where they were told beside line and column."""
    if ask.filter is None:
        return error
    pointer, parameter = ("/filter", None) if ask.body else (None, "filter")
    faults = (replace(f, pointer=pointer, parameter=parameter) if f.line is not None else f for f in error.faults)
    return type(error)(None, tuple(faults))


def frame(ask: Ask, workspace: Workspace, *, days: bool = False) -> Frame:
    """Raises Invalid with all that parameters cannot be. `days`: the history of one can be asked here."""
    parts, usual = Together(), _usual(ask, workspace)
    zone = usual.zone if ask.tz is None else parts.part(partial(_zone, ask, ask.tz), usual.zone)
    found = Frame(
        usual.limit if ask.limit is None else parts.part(partial(_limit, ask, ask.limit), usual.limit),
        usual.count if ask.count is None else parts.part(partial(_one_of, ask, "count", ask.count, COUNTS), usual.count),
        usual.archived if ask.archived is None else parts.part(partial(_one_of, ask, "archived", ask.archived, ARCHIVED), usual.archived),
        usual.as_of if ask.as_of is None else parts.part(partial(_moment, ask, "as_of", ask.as_of, zone), usual.as_of),
        zone,
        usual.on if ask.on is None else parts.part(partial(_on, ask, ask.on, zone, days=days), usual.on),
    )  # fmt: skip
    parts.verify()
    return found


def _usual(ask: Ask, workspace: Workspace) -> Frame:
    """Where nothing is said."""
    return Frame(DEFAULT_LIMIT, "none", "without" if ask.account is None else "with", None, workspace.zone)


def framed(ask: Ask, workspace: Workspace) -> tuple[Frame, Question]:
    """What a question says but for its criteria. Raises Invalid with all that is wrong with it."""
    parts = Together()
    of = parts.part(partial(frame, ask, workspace, days=True), _usual(ask, workspace))
    asked = parts.part(partial(question, ask, of, workspace), None)
    parts.verify()
    assert asked is not None, "it was read, or refused"
    return of, asked


def _on(ask: Ask, told: str, zone: ZoneInfo, *, days: bool) -> datetime:
    if not days:
        raise Place("on", ask.body).fault("Expected no day here: history is read from collections, page by page.")
    if not DAY.fullmatch(told):
        raise Place("on", ask.body).fault("Expected a day, as in 2026-01-31.")
    return _moment(ask, "on", told, zone)


def _one_of(ask: Ask, name: str, told: str, known: tuple[Word, ...]) -> Word:
    for word in known:
        if word == told:
            return word
    raise Place(name, ask.body).fault(f"Expected one of {', '.join(known)}.", nearest(told, known))


def _limit(ask: Ask, told: int | str) -> int:
    if isinstance(told, str) and len(told) <= 6 and told.isascii() and told.isdigit():
        told = int(told)
    if isinstance(told, int) and not isinstance(told, bool) and 1 <= told <= MAX_LIMIT:
        return told
    raise Place("limit", ask.body).fault(f"Expected a whole number from 1 to {MAX_LIMIT:,}.")


def _zone(ask: Ask, told: str) -> ZoneInfo:
    if told in _zones():
        return ZoneInfo(told)
    raise Place("tz", ask.body).fault(
        "Expected a zone of the IANA database, as in Europe/Berlin.", nearest(told, _zones())
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _moment(ask: Ask, name: str, told: str, zone: ZoneInfo) -> datetime:
    """An instant as told; of a day its last microsecond in the zone, so that all of the day lies behind it."""
    try:
        moment = moments.last(told, zone)
    except MisfitError as misfit:
        raise Place(name, ask.body).fault(misfit.fault().message) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Place(name, ask.body).fault(f"Expected a moment in the years {FIRST_YEAR} to {LAST_YEAR}.")
    return moment


def fingerprint(ask: Ask, told: Said, of: Frame, workspace: Workspace) -> bytes:
    """What a cursor is bound to: whatever decides which records there are, and their order, but for who asks."""
    order = names(ask.sort, Place("sort", ask.body), MAX_SORT)
    params = sorted((name, repr(value)) for name, value in (ask.params or {}).items())
    parts = (FORM, str(workspace.id), ask.entity, told.text, order, of.archived, of.zone.key, str(ask.account), params)
    return sha256(repr(parts if of.on is None else (*parts, of.on)).encode()).digest()


def checked(ask: Ask, told: Said, setting: Setting) -> Checked:
    """The criteria as meant. Raises Invalid, placed where they were told."""
    try:
        return check(told.node, ENTITIES[ask.entity], setting)
    except StrataError as error:
        raise placed(ask, error) from None


def question(ask: Ask, of: Frame, workspace: Workspace) -> Question:
    """The question, but for its criteria and for a selection that depends on the setting. Raises Invalid for fields,
    includes and orders that are not there."""
    entity, parts = ENTITIES[ask.entity], Together()
    shows = parts.part(partial(_shows, ask, entity, workspace), Selection(()))
    order = parts.part(partial(_order, ask, entity, workspace), ())
    parts.verify()
    return Question(ask.entity, meant.All(), shows, order, Page(of.limit), of.count, of.archived, ask.edges)


def _shows(ask: Ask, entity: Entity, workspace: Workspace) -> Selection:
    if isinstance(ask.selection, Selection):
        return ask.selection
    if ask.selection is not None:
        return Selection(())
    if ask.on is not None and ask.fields is None and ask.include is None:
        return selection(history.SHOWN, None, entity, workspace, body=ask.body)
    return selection(ask.fields, ask.include, entity, workspace, body=ask.body)


def _order(ask: Ask, entity: Entity, workspace: Workspace) -> tuple[Sort, ...]:
    return usual_order(entity) if ask.sort is None else sort(ask.sort, entity, workspace, body=ask.body)


def then(ask: Ask, of: Frame, asked: Question) -> Question:
    """The question as of the day whose history is asked. Raises Invalid that names what has none."""
    if of.on is None:
        return asked
    try:
        return history.then(asked, of.on, beside=ask.segmentation is not None)
    except Invalid as error:
        raise Place("on", ask.body).fault(error.detail) from None


def within(ask: Ask, meaning: Meaning) -> Meaning:
    """The criteria among what is related to the account that is asked about."""
    if ask.account is None:
        return meaning
    related = Compare(Column(ENTITIES[ask.entity].fields["account"]), "eq", ask.account)
    return related if isinstance(meaning, meant.All) else And((related, meaning))
