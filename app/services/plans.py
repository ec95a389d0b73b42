"""Asks as far as they can be read once: kept, with their statements, for whoever asks the same again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from app.domain.catalogue import ENTITIES
from app.domain.criteria.check import Echo, RankEcho, Setting
from app.domain.criteria.gaps import Stand, stands
from app.domain.errors import Together
from app.domain.questions import Page, Question, Selection
from app.domain.selections import Place
from app.domain.workspaces import Person, Workspace, clock
from app.persistence import compile
from app.persistence.compile import Statement
from app.persistence.reads import Key
from app.services import asks, segment_states
from app.services.asks import Ask, Frame, Said

KEPT_PLANS = 2_000
KEPT_CONDITIONS = 100
Thing = TypeVar("Thing")


class Recent(Generic[Thing]):
    """The things made last, by what they were made from. To know those used last, each use would hash its key again."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._things: dict[Hashable, Thing] = {}

    def get(self, key: Hashable) -> Thing | None:
        """The thing; None where it is not kept. Raises TypeError for what has no hash."""
        return self._things.get(key)

    def put(self, key: Hashable, thing: Thing) -> Thing:
        """Keeps the thing, in place of the oldest."""
        if len(self._things) >= self._size:
            del self._things[next(iter(self._things))]
        self._things[key] = thing
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

    `fixed`: nothing does, and `question`, `windows`, `statements`, `standing` and `segmentations` are whole.
    """

    template: Template
    told: Said
    bound: bytes
    question: Question
    fixed: bool = False
    windows: tuple[Echo, ...] = ()
    statements: dict[Shape, Statement] = field(default_factory=dict)
    standing: tuple[Stand, ...] = ()
    segmentations: frozenset[str] = frozenset()

    def bound_to(self, person: Person | None) -> bytes:
        """What cursors are bound to: where the criteria name who asks, to that too."""
        return self.bound + person.id.bytes if person and "@m" in self.told.text else self.bound


_templates: Recent[Template] = Recent(KEPT_PLANS)
_plans: Recent[Plan] = Recent(KEPT_PLANS)


def planned(ask: Ask, workspace: Workspace) -> Plan:
    """The plan of an ask, kept where the ask can be: a tree as JSON, parameters and lists are read anew each time.

    Raises Unreadable or Invalid for what the ask cannot be.
    """
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
    key = _key(replace(ask, filter=None, criteria=None, within=None, params=None, for_user=None), workspace)
    try:
        template = _templates.get(key)
    except TypeError:
        return _framed(ask, workspace)
    if template is None:
        template = _framed(ask, workspace)
        _templates.put(key, template)
    return template


def _framed(ask: Ask, workspace: Workspace) -> Template:
    return Template(*asks.framed(ask, workspace))


def _key(ask: Ask, workspace: Workspace) -> Hashable:
    # True equals 1, and is no limit.
    return workspace.id, workspace.epoch, type(ask.limit), ask


def _read(ask: Ask, workspace: Workspace) -> Plan:
    parts = Together()
    template = parts.part(partial(_template, ask, workspace), None)
    told = parts.part(partial(asks.said, ask), asks.EVERYTHING)
    parts.verify()
    assert template is not None, "it was read, or refused"
    return Plan(template, told, asks.fingerprint(ask, told, template.frame, workspace), template.question)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its statement, what its windows and its ranks were resolved to, what its criteria stand on, and the
    segmentations that it names as they are now."""

    question: Question
    statement: Statement
    windows: tuple[Echo, ...]
    ranks: tuple[RankEcho, ...] = ()
    standing: tuple[Stand, ...] = ()
    segmentations: frozenset[str] = frozenset()


def kept(plan: Plan, workspace: Workspace, after: tuple[Key, ...] | None) -> Asked | None:
    """What `asked` gives, where nothing of it depends on the moment or on who asks and it was asked before."""
    if not plan.fixed:
        return None
    shape = _shape(after)
    statement = plan.statements.get(shape)
    if statement is None:
        question = continued(plan.question, after)
        statement = plan.statements[shape] = plan.template.statement(question, workspace, shape)
    return Asked(plan.question, statement, plan.windows, (), plan.standing, plan.segmentations)


def moment(ask: Ask, plan: Plan, workspace: Workspace, now: datetime) -> datetime:
    """The moment of an ask: as it was told, else the end of the day whose history is asked, else now. Raises Invalid for
    a day to come."""
    frame = plan.template.frame
    if frame.on is None:
        return frame.as_of or now
    if frame.on.astimezone(frame.zone).date() > clock(workspace, now, frame.zone).today:
        raise Place("on", ask.body).fault("Expected a day that has been, or today.")
    return frame.as_of or min(now, frame.on)


def setting(ask: Ask, plan: Plan, workspace: Workspace, person: Person | None, as_of: datetime) -> Setting:
    """What the criteria of an ask are read in."""
    return Setting(workspace, clock(workspace, as_of, plan.template.frame.zone), person, ask.params or {})


def _shape(after: tuple[Key, ...] | None) -> Shape:
    return None if after is None else tuple([key is None for key in after])


def asked(ask: Ask, plan: Plan, after: tuple[Key, ...] | None, setting: Setting) -> Asked:
    """The question in its setting. Raises Invalid for criteria that mean nothing here."""
    shape, frame, workspace = _shape(after), plan.template.frame, setting.workspace
    checked = asks.checked(ask, plan.told, setting)
    standing = tuple(stands(checked.meaning, ENTITIES[ask.entity]))
    question = replace(plan.question, criteria=asks.within(ask, checked.meaning), page=Page(frame.limit, after))
    if ask.selection is not None and not isinstance(ask.selection, Selection):
        question = asks.then(ask, frame, replace(question, selection=ask.selection(setting)))
        statement = compile.page(question, workspace)
        return Asked(question, statement, checked.windows, checked.ranks, standing, _named(ask, question))
    question = asks.then(ask, frame, question)
    statement, segmentations = plan.template.statement(question, workspace, shape), _named(ask, question)
    if not checked.relative:
        plan.fixed, plan.question, plan.windows = True, continued(question, None), checked.windows
        plan.statements[shape], plan.standing, plan.segmentations = statement, standing, segmentations
    return Asked(question, statement, checked.windows, checked.ranks, standing, segmentations)


def _named(ask: Ask, question: Question) -> frozenset[str]:
    """The segmentations that it stands on as they are now, the one whose page it is among them; of a past day that is none."""
    own = {ask.segmentation} if ask.segmentation is not None and ask.on is None else frozenset()
    return segment_states.named_in(question) | own


def continued(of: Question, after: Sequence[Key] | None) -> Question:
    """The question for the page behind the record with these keys; for the first page where there are none."""
    return replace(of, page=Page(of.page.limit, None if after is None else tuple(after)))
