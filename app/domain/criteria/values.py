"""Values of criteria resolved in a setting: constants, parameters, people, points and windows of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal, assert_never
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria import fields, meant, nodes
from app.domain.criteria.coerce import identity, said, scalar
from app.domain.criteria.fields import Typing
from app.domain.criteria.formatter import operand
from app.domain.criteria.formatter import window as spelled
from app.domain.criteria.meant import Bounds, Column, Typed
from app.domain.criteria.nodes import At
from app.domain.criteria.ranks import Cuts, Threshold
from app.domain.criteria.suggest import invalid, nearest
from app.domain.criteria.time import Axis, point, resolve
from app.domain.workspaces import Clock, Person, Workspace, clock

NO_CUTS = Cuts((), datetime.min.replace(tzinfo=UTC))


class Whatever(str):
    """What stands for a parameter of text that has no value yet, while its list is saved: any that fits its field."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NamedList:
    """A saved list that criteria name: what it asks for, and its parameters' defaults. `fault`: why it means nothing."""

    id: UUID
    name: str
    entity: str
    node: nodes.Node
    params: Mapping[str, Typed | Decimal] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a criteria is read in. `params`: values of `$name` as they would be written (money in major units).

    `people` is False where nobody's own view may enter (segments): `@me` and `@my_team` are then errors. `lists` are
    those that may be named, and those that they name; `within` is the list whose criteria these are. `cuts` are the
    cut-offs that ranks are compared by; None where no record will be asked and ranks may mean anything.
    """

    workspace: Workspace
    clock: Clock
    person: Person | None = None
    params: Mapping[str, Typed | Decimal] = field(default_factory=dict)
    people: bool = True
    lists: Mapping[UUID, NamedList] = field(default_factory=dict)
    within: UUID | None = None
    cuts: Mapping[Threshold, Cuts] | None = field(default_factory=dict)


def for_nobody(workspace: Workspace, now: datetime) -> Setting:
    """The setting of a moment, in the workspace's own zone, into which nobody's own view may enter."""
    return Setting(workspace, clock(workspace, now), people=False)


@dataclass(frozen=True, slots=True)
class RankEcho:
    """A rank and the number that it was compared with, as text, and the cut-offs that this was resolved to: values in
    the field's own type, which for `money` is minor units."""

    rank: str
    at: Decimal
    cuts: Cuts
    money: bool = False


@dataclass(frozen=True, slots=True)
class Echo:
    """A window as written, canonically, and the half-open bounds that it was resolved to."""

    window: str
    lo: date | datetime | None
    hi: date | datetime | None
    zone: str


class Values:
    """Resolves the values of one criteria, and keeps the windows that it met and whether anything was relative."""

    def __init__(self, setting: Setting) -> None:
        self._workspace = setting.workspace
        self._setting = setting
        self.params = setting.params
        self.cuts: dict[Threshold, Cuts] = {}
        self.lacking: dict[Threshold, At] = {}
        self.windows: dict[Echo, None] = {}
        self.ranks: dict[Threshold, RankEcho] = {}
        self.relative = False

    @property
    def workspace(self) -> Workspace:
        return self._workspace

    def cut(self, of: Threshold, rank: nodes.Rank) -> None:
        """Finds the cut-offs of a threshold; those that nobody brought are kept as lacking, and taken for none."""
        self.relative = True
        known = self._setting.cuts
        found = NO_CUTS if known is None else known.get(of)
        if found is None:
            self.lacking[of] = rank.at
            found = NO_CUTS
        self.cuts[of] = found
        self.ranks[of] = RankEcho(operand(rank), of.at, found, of.rank.of.field.kind == "money")

    def bounds(self, window: nodes.Window, kind: Axis) -> Bounds:
        """The window at the setting's clock. Raises Invalid as `resolve` does."""
        self.relative = True
        bounds = resolve(window, kind, self._setting.clock)
        self.windows[Echo(spelled(window), bounds.lo, bounds.hi, self._setting.clock.zone.key)] = None
        return bounds

    def value(self, value: nodes.Value, of: Typing, entity: Entity) -> Typed | Decimal | Bounds | meant.Operand:
        """What is compared with `of`, as `scalar` gives it, or another field. Raises Invalid."""
        match value:
            case nodes.Const(written):
                return self._scalar(written, of, value.at)
            case nodes.Param():
                return self._scalar(self._param(value), of, value.at)
            case nodes.FieldValue(path):
                other, typing = fields.resolve(path, entity, self._workspace, value.at)
                if not _comparable(of, typing):
                    raise invalid(value.at, f"{of.label} cannot be compared with {typing.label}.")
                return other
            case nodes.Ago(span):
                return self._point(span, "ago", of, value.at)
            case nodes.FromNow(span):
                return self._point(span, "from_now", of, value.at)
            case nodes.Me() | nodes.MyTeam():
                raise invalid(value.at, f"{of.label} is not a person.")
            case _:
                assert_never(value)

    def _scalar(self, written: nodes.Scalar, of: Typing, at: At) -> Typed | Decimal | Bounds:
        clock = self._setting.clock
        if isinstance(written, Whatever) and of.values:
            written = of.values[0]
        found = scalar(written, of, self._workspace.minor_digits, clock.zone, at)
        self.relative |= isinstance(found, Bounds)  # where a day begins depends on the zone
        return found

    def _point(
        self, span: nodes.Duration, direction: Literal["ago", "from_now"], of: Typing, at: At
    ) -> date | datetime:
        if of.kind not in ("date", "instant"):
            raise invalid(at, f"{of.label} is not a time.")
        self.relative = True
        return point(span, direction, "date" if of.kind == "date" else "instant", self._setting.clock, at)

    def _param(self, value: nodes.Param) -> nodes.Scalar:
        if value.name not in self.params:
            raise invalid(value.at, "There is no such parameter.", nearest(value.name, self.params))
        return said(self.params[value.name], value.at)

    def written(self, value: nodes.Const | nodes.Param) -> nodes.Scalar:
        """What is written out, or a parameter stands for."""
        return value.value if isinstance(value, nodes.Const) else self._param(value)

    def literal(self, value: nodes.Value, of: Typing) -> str:
        """Text that is written out, or a parameter."""
        if isinstance(value, (nodes.Const, nodes.Param)):
            written = self.written(value)
            if isinstance(written, str) and written:
                return written
        raise invalid(value.at, f"Expected text in quotes, of at least one character, for {of.label}.")

    def refers(self, of: meant.Operand, typing: Typing, values: tuple[nodes.Value, ...]) -> meant.Refers:
        """The reference is one of these: names, ids, people. Raises Invalid."""
        assert isinstance(of, Column)  # neither segments nor own attributes are references
        names: dict[str, None] = {}
        ids: dict[UUID, None] = {}
        for value in values:
            match value:
                case nodes.Me() | nodes.MyTeam():
                    person = self._person(typing, value.at)
                    ids.update(dict.fromkeys((person.id,) if isinstance(value, nodes.Me) else person.team))
                case nodes.Const() | nodes.Param():
                    name = self.literal(value, typing)
                    names[name] = None
                    if (known := identity(name)) is not None:
                        ids[known] = None
                case _:
                    raise invalid(value.at, f"{typing.label} takes an id, external id or e-mail in quotes.")
        return meant.Refers(of, tuple(names), tuple(ids))

    def _person(self, typing: Typing, at: At) -> Person:
        if typing.target != "users":
            raise invalid(at, f"{typing.label} is not a person of the workspace.")
        if not self._setting.people:
            raise invalid(at, "What everybody shares cannot depend on who asks: name the person.")
        if self._setting.person is None:
            raise invalid(at, "@me and @my_team need a person: ask as a user, or for one with for_user.")
        self.relative = True
        return self._setting.person


def _comparable(one: Typing, other: Typing) -> bool:
    groups = (("text", "slug", "enum"), ("number", "integer"), ("money",), ("date",), ("instant",), ("bool",), ("id",))
    return any(one.kind in group and other.kind in group for group in groups)
