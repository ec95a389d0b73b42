"""Reads: collections, single records, any record; each is one statement whose JSON is passed on as it comes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from app.domain.catalogue import ENTITIES
from app.domain.criteria.check import Echo, Setting
from app.domain.errors import NotFound
from app.domain.questions import COUNT_CAP, Count, Page, Question, Selection
from app.domain.records import UNSTORABLE
from app.domain.roles import Principal, permit
from app.domain.selections import Place, Told, selection
from app.domain.workspaces import Clock, Person, Workspace
from app.persistence import compile, reads, users
from app.persistence.compile import Record, Statement
from app.persistence.compile.records import By
from app.persistence.database import Reader
from app.persistence.reads import Key, Rows
from app.services import asks, cursors
from app.services.asks import Ask, Frame, Said

__all__ = ["Answer", "Ask", "One", "any_one", "collection", "one", "one_selected", "question"]

KEPT_PLANS = 2_000
KEPT_CONDITIONS = 100
Thing = TypeVar("Thing")


class Recent(Generic[Thing]):
    """The last things asked for, by what they were made from."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._things: OrderedDict[Hashable, Thing] = OrderedDict()

    def get(self, key: Hashable) -> Thing | None:
        found = self._things.get(key)
        if found is not None:
            self._things.move_to_end(key)
        return found

    def put(self, key: Hashable, thing: Thing) -> Thing:
        self._things[key] = thing
        if len(self._things) > self._size:
            self._things.popitem(last=False)
        return thing


Shape = tuple[bool, ...] | None
"""What of the row that a page continues after is empty; None on the first page."""


@dataclass(slots=True)
class Template:
    """An ask but for its criteria, read once for all of them; statements by shape and condition."""

    frame: Frame
    question: Question
    statements: dict[Shape, dict[str, Statement]] = field(default_factory=dict)

    def statement(self, asked: Question, workspace: Workspace, shape: Shape) -> Statement:
        """The statement of a question of this template: criteria of one shape share its text, and bind their values."""
        known = self.statements.setdefault(shape, {})
        made = compile.page(asked, workspace, known=known)
        if len(known) >= KEPT_CONDITIONS:
            known.clear()
        known[made.condition] = made
        return made


@dataclass(slots=True)
class Plan:
    """An ask as far as it was read: what does not depend on the moment, and on who asks, is read once.

    `fixed`: nothing does, and `question`, `windows` and `statements` are whole.
    """

    template: Template
    told: Said
    bound: bytes
    question: Question
    fixed: bool = False
    windows: tuple[Echo, ...] = ()
    statements: dict[Shape, Statement] = field(default_factory=dict)

    def bound_to(self, person: Person | None) -> bytes:
        """What cursors are bound to: where the criteria name who asks, to that too."""
        return self.bound + person.id.bytes if person and "@m" in self.told.text else self.bound


_templates: Recent[Template] = Recent(KEPT_PLANS)
_plans: Recent[Plan] = Recent(KEPT_PLANS)
_records: Recent[Record] = Recent(KEPT_PLANS)
_selected: Recent[Record] = Recent(KEPT_PLANS)
"""Apart from the others: selections that depend on the moment come once and never again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A page. `data` is a JSON array; with edges there is a JSON record each in `records`, and `cursor` of each.

    `next` is the cursor of the page that follows, None on the last one. `count` is how many match, and whether that is
    all of them. `windows` are those of the criteria as they were resolved at `as_of`.
    """

    data: bytes
    next: str | None
    count: tuple[int, bool] | None
    as_of: datetime
    windows: tuple[Echo, ...]
    limit: int
    more: bool
    records: Sequence[bytes] = ()
    keys: Sequence[tuple[Key, ...]] = ()
    secret: bytes = field(default=b"", repr=False)
    bound: bytes = field(default=b"", repr=False)

    def cursor(self, n: int) -> str:
        """The cursor behind the n-th record of `records`."""
        return cursors.seal(self.secret, self.bound, self.as_of, self.keys[n])


@dataclass(frozen=True, slots=True)
class One:
    """A record as JSON, and its version where it has one."""

    body: bytes
    version: int | None


async def collection(db: Reader, principal: Principal, ask: Ask, now: datetime, *, secret: bytes) -> Answer:
    """The page that an ask means; one statement. `secret` seals its cursors.

    Raises Unreadable for criteria that are none and cursors of another question, Invalid for what means nothing here,
    NotFound for an account that is not there.
    """
    permit(principal, "records.read")
    workspace = principal.workspace
    person = principal.person if ask.for_user is None else await _on_behalf(db, principal, ask)
    plan = _planned(ask, workspace)
    bound = plan.bound_to(person)
    as_of, after = _moment(ask, bound, plan.template.frame.as_of, now, secret)
    asked, windows, statement = _asked(ask, plan, workspace, person, as_of, after)
    rows = await reads.page(db, statement, after or ())
    if not rows.fresh:
        rows = await reads.page(db, compile.page(_continued(asked, after), workspace, kept=False), after or ())
    if ask.account is not None and after is None and not rows.found:
        await _account(db, workspace.id, ask.account)
    following = cursors.seal(secret, bound, as_of, rows.last) if rows.last else None
    count = _counted(rows.count, asked.count)
    return Answer(
        rows.data, following, count, as_of, windows, statement.limit, rows.more, rows.records, rows.keys, secret, bound
    )


def _planned(ask: Ask, workspace: Workspace) -> Plan:
    """The plan of an ask, kept where the ask can be: a tree as JSON, parameters and lists are read anew each time."""
    key = _key(ask, workspace)
    try:
        plan = _plans.get(key)
    except TypeError:
        return _read(ask, workspace)
    if plan is None:
        plan = _read(ask, workspace)
        _plans.put(key, plan)
    return plan


def _template(ask: Ask, workspace: Workspace) -> Template:
    key = _key(replace(ask, filter=None, criteria=None, params=None, for_user=None), workspace)
    try:
        template = _templates.get(key)
    except TypeError:
        return _framed(ask, workspace)
    if template is None:
        template = _framed(ask, workspace)
        _templates.put(key, template)
    return template


def _framed(ask: Ask, workspace: Workspace) -> Template:
    frame = asks.frame(ask, workspace)
    return Template(frame, asks.question(ask, frame, workspace))


def _key(ask: Ask, workspace: Workspace) -> Hashable:
    # True equals 1, and is no limit.
    return workspace.id, workspace.epoch, type(ask.limit), ask


def _read(ask: Ask, workspace: Workspace) -> Plan:
    template, told = _template(ask, workspace), asks.said(ask)
    return Plan(template, told, asks.fingerprint(ask, told, template.frame, workspace), template.question)


def _asked(
    ask: Ask, plan: Plan, workspace: Workspace, person: Person | None, as_of: datetime, after: tuple[Key, ...] | None
) -> tuple[Question, tuple[Echo, ...], Statement]:
    """The question at its moment, its windows, its statement."""
    shape = None if after is None else tuple([key is None for key in after])
    if plan.fixed:
        statement = plan.statements.get(shape)
        if statement is None:
            asked = _continued(plan.question, after)
            statement = plan.statements[shape] = plan.template.statement(asked, workspace, shape)
        return plan.question, plan.windows, statement
    frame = plan.template.frame
    clock = Clock(as_of, frame.zone, workspace.week_start, workspace.fiscal_month)
    setting = Setting(workspace, clock, person, ask.params or {})
    checked = asks.checked(ask, plan.told, setting)
    asked = replace(plan.question, criteria=asks.within(ask, checked.meaning), page=Page(frame.limit, after))
    if ask.selection is not None and not isinstance(ask.selection, Selection):
        asked = replace(asked, selection=ask.selection(setting))
        return asked, checked.windows, compile.page(asked, workspace)
    statement = plan.template.statement(asked, workspace, shape)
    if not checked.relative:
        plan.fixed, plan.question, plan.windows = True, asked, checked.windows
        plan.statements[shape] = statement
    return asked, checked.windows, statement


def _moment(
    ask: Ask, bound: bytes, told: datetime | None, now: datetime, secret: bytes
) -> tuple[datetime, tuple[Key, ...] | None]:
    """A continued page keeps the moment of the first one."""
    if ask.cursor is None:
        return told or now, None
    as_of, after = cursors.unseal(secret, bound, ask.cursor)
    if told is not None and told != as_of:
        raise cursors.refusal()
    return as_of, after


def _continued(of: Question, after: Sequence[Key] | None) -> Question:
    return of if after is None else replace(of, page=Page(of.page.limit, tuple(after)))


def _counted(found: int | None, asked: Count) -> tuple[int, bool] | None:
    if found is None:
        return None
    return (COUNT_CAP, False) if asked == "capped" and found > COUNT_CAP else (found, True)


async def _on_behalf(db: Reader, principal: Principal, ask: Ask) -> Person:
    """Who `@me` is where a service asks for a person."""
    place = Place("for_user", ask.body)
    if principal.role != "service":
        raise place.fault("Only a service asks for somebody else.")
    told = str(ask.for_user)
    found = await users.named(db, principal.workspace.id, _identity(told), told)
    person = await users.person(db, principal.workspace.id, found["id"]) if found else None
    if person is None:
        raise place.fault("Expected the id, external id or e-mail of an active user.")
    return person


async def _account(db: Reader, workspace_id: UUID, account_id: UUID) -> None:
    if not await reads.account_exists(db, workspace_id, account_id):
        raise NotFound


# -- single records ----------------------------------------------------------------------------------------------------


async def one(
    db: Reader,
    principal: Principal,
    entity: str,
    by: By,
    value: str,
    *,
    fields: Told = None,
    include: Told = None,
    now: datetime | None = None,  # noqa: ARG001 - what reads history will read it at
) -> One:
    """One record, archived or not. Raises NotFound, and Invalid for fields that are not there."""
    permit(principal, "records.read")
    workspace = principal.workspace
    key = (
        workspace.id,
        workspace.epoch,
        entity,
        by,
        *(t if t is None or isinstance(t, str) else tuple(t) for t in (fields, include)),
    )
    statement = _records.get(key)
    if statement is None:
        shows = selection(fields, include, ENTITIES[entity], workspace)
        statement = compile.record(ENTITIES[entity], shows, by, workspace)
        _records.put(key, statement)
    return await _one(db, statement, by, value)


async def one_selected(db: Reader, principal: Principal, entity: str, by: By, value: str, shows: Selection) -> One:
    """The same for a door that has its own selection."""
    permit(principal, "records.read")
    key = (principal.workspace.id, principal.workspace.epoch, entity, by, shows)
    statement = _records.get(key) or _records.put(key, compile.record(ENTITIES[entity], shows, by, principal.workspace))
    return await _one(db, statement, by, value)


async def _one(db: Reader, statement: Record, by: By, value: str) -> One:
    named = _identity(value) if by == "id" else None if UNSTORABLE.search(value) else value
    found = await reads.record(db, statement, named) if named is not None else None
    if found is None:
        raise NotFound
    return One(*found)


async def any_one(db: Reader, principal: Principal, value: str, shows: Mapping[str, Selection]) -> tuple[str, bytes]:
    """The record of an id, whichever of these entities has it: the entity's name and its JSON. Raises NotFound."""
    permit(principal, "records.read")
    identity = _identity(value)
    if identity is None or not shows:
        raise NotFound
    key = (principal.workspace.id, principal.workspace.epoch, *shows.items())
    statement = _records.get(key) or _records.put(key, compile.any_record(shows, principal.workspace))
    found = await reads.any_record(db, statement, identity)
    if found is None:
        raise NotFound
    return found


async def question(db: Reader, principal: Principal, asked: Question) -> Rows:
    """The page of a question that is already one; its cursors are the caller's matter."""
    permit(principal, "records.read")
    after = asked.page.after or ()
    rows = await reads.page(db, compile.page(asked, principal.workspace), after)
    if not rows.fresh:
        rows = await reads.page(db, compile.page(asked, principal.workspace, kept=False), after)
    return rows


def _identity(value: str) -> UUID | None:
    try:
        return UUID(value) if len(value) == 36 else None
    except ValueError:
        return None
