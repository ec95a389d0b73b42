"""Reads: collections, single records, any record; each is one statement whose JSON is passed on as it comes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from app.domain.catalogue import ENTITIES
from app.domain.criteria.check import Echo, RankEcho
from app.domain.criteria.coerce import identity, is_identity
from app.domain.errors import NotFound
from app.domain.questions import COUNT_CAP, Count, Selection
from app.domain.roles import Principal, permit
from app.domain.selections import Place, Told, selection
from app.domain.values import UNSTORABLE
from app.domain.workspaces import Person
from app.persistence import compile, reads
from app.persistence.compile import Record
from app.persistence.compile.records import By
from app.persistence.database import Reader
from app.persistence.reads import Key, Rows
from app.services import cursors, gaps, named, people, plans
from app.services.asks import Ask
from app.services.plans import KEPT_PLANS, Recent
from app.services.segment_states import State, doubtful

__all__ = ["Answer", "Ask", "One", "any_one", "collection", "one", "one_selected"]

_records: Recent[Record] = Recent(KEPT_PLANS)
_selected: Recent[Record] = Recent(KEPT_PLANS)
"""Apart from the others: selections that depend on the moment come once and never again."""


@dataclass(slots=True)
class Answer:
    """A page: in `rows` a JSON array, or with edges a JSON record each; `count` is how many match, and whether that is
    all of them. `windows` are those of the criteria as they were resolved at `as_of`, `ranks` its ranks with the
    cut-offs that they were compared by, `segmentations` those it names that are not fresh; `notes` say of what the
    criteria ask nothing is known. Cursors are sealed when asked for.
    """

    rows: Rows
    count: tuple[int, bool] | None
    as_of: datetime
    windows: tuple[Echo, ...]
    limit: int
    secret: bytes = field(repr=False)
    bound: bytes = field(repr=False)
    ranks: tuple[RankEcho, ...] = ()
    segmentations: tuple[State, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """The records as a JSON array."""
        return self.rows.data

    @property
    def next(self) -> str | None:
        """The cursor of the page that follows, None on the last one."""
        return self.end if self.rows.more else None

    @property
    def end(self) -> str | None:
        """The cursor behind the last record, None where there is none."""
        return self._sealed(self.rows.last) if self.rows.last else None

    def cursor(self, n: int) -> str:
        """The cursor behind the n-th of the records that were asked for as edges."""
        return self._sealed(self.rows.keys[n])

    def _sealed(self, keys: Sequence[Key]) -> str:
        return cursors.seal(self.secret, self.bound, self.as_of, keys)


@dataclass(frozen=True, slots=True)
class One:
    """A record as JSON, and its version where it has one."""

    body: bytes
    version: int | None


async def collection(db: Reader, principal: Principal, ask: Ask, now: datetime, *, secret: bytes) -> Answer:
    """The page that an ask means; one statement, and one where it stands on what may be unknown. `secret` seals its cursors.

    Raises Unreadable for criteria that are none and cursors of another question, Invalid for what means nothing here,
    NotFound for an account that is not there.
    """
    permit(principal, "records.read")
    workspace = principal.workspace
    person = principal.person if ask.for_user is None else await on_behalf(db, principal, ask)
    plan = plans.planned(ask, workspace)
    bound = plan.bound_to(person)
    moment = plans.moment(ask, plan, workspace, now)
    as_of, after = _moment(ask, bound, plan.template.frame.as_of, moment, secret)
    asked = plans.kept(plan, workspace, after)
    if asked is None:
        setting = plans.setting(ask, plan, workspace, person, as_of)
        read = partial(plans.asked, ask, plan, after)
        asked = await named.reading(db, setting, principal.user_id, now, read)
    rows = await reads.page(db, asked.statement, after or ())
    if not rows.fresh:
        anew = compile.page(plans.continued(asked.question, after), workspace, kept=False)
        rows = await reads.page(db, anew, after or ())
    if ask.account is not None and after is None and not rows.found:
        await _account(db, workspace.id, ask.account)
    count = None if rows.count is None else _counted(rows.count, asked.question.count)
    doubted = await doubtful(db, workspace, asked.segmentations, now)
    notes = await gaps.notes(db, workspace.id, asked.standing, ENTITIES[ask.entity], now)
    return Answer(rows, count, as_of, asked.windows, asked.statement.limit, secret, bound, asked.ranks, doubted, notes)


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


def _counted(found: int, asked: Count) -> tuple[int, bool]:
    return (COUNT_CAP, False) if asked == "capped" and found > COUNT_CAP else (found, True)


async def on_behalf(db: Reader, principal: Principal, ask: Ask) -> Person:
    """Who `@me` is where a service asks for a person."""
    place = Place("for_user", ask.body)
    if principal.role != "service":
        raise place.fault("Only a service asks for somebody else.")
    try:
        return await people.person(db, principal.workspace.id, str(ask.for_user))
    except NotFound:
        raise place.fault("Expected the id, external id or e-mail of an active user.") from None


async def _account(db: Reader, workspace_id: UUID, account_id: UUID) -> None:
    if not await reads.account_exists(db, workspace_id, account_id):
        raise NotFound("There is no such account in this workspace.")


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
) -> One:
    """One record, archived or not. Raises NotFound, and Invalid for fields that are not there."""
    permit(principal, "records.read")
    workspace = principal.workspace
    key = (workspace.id, workspace.epoch, entity, by, _kept(fields), _kept(include))
    statement = _records.get(key)
    if statement is None:
        shows = selection(fields, include, ENTITIES[entity], workspace)
        statement = compile.record(ENTITIES[entity], shows, by, workspace)
        _records.put(key, statement)
    return await _one(db, statement, entity, by, value)


async def one_selected(db: Reader, principal: Principal, entity: str, by: By, value: str, shows: Selection) -> One:
    """The same for a door that has its own selection."""
    permit(principal, "records.read")
    key = (principal.workspace.id, principal.workspace.epoch, entity, by, shows)
    made = _selected.get(key)
    statement = made or _selected.put(key, compile.record(ENTITIES[entity], shows, by, principal.workspace))
    return await _one(db, statement, entity, by, value)


async def _one(db: Reader, statement: Record, entity: str, by: By, value: str) -> One:
    # The driver reads an id's text itself.
    sound = is_identity(value) if by == "id" else not UNSTORABLE.search(value)
    found = await reads.record(db, statement, value) if sound else None
    if found is None:
        raise NotFound(f"There is no such {ENTITIES[entity].singular.replace('_', ' ')} in this workspace.")
    return One(*found)


def _kept(told: Told) -> Hashable:
    return told if told is None or isinstance(told, str) else tuple(told)


async def any_one(db: Reader, principal: Principal, value: str, shows: Mapping[str, Selection]) -> tuple[str, bytes]:
    """The record of an id, whichever of these entities has it: the entity's name and its JSON. Raises NotFound."""
    permit(principal, "records.read")
    record_id = identity(value)
    if record_id is None or not shows:
        raise NotFound
    key = (principal.workspace.id, principal.workspace.epoch, *shows.items())
    statement = _selected.get(key) or _selected.put(key, compile.any_record(shows, principal.workspace))
    found = await reads.any_record(db, statement, record_id)
    if found is None:
        raise NotFound
    return found
