"""Values of criteria resolved in a setting: constants, parameters, people, points and windows of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, assert_never
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria import fields, meant, nodes
from app.domain.criteria.coerce import identity, said, scalar
from app.domain.criteria.fields import Typing
from app.domain.criteria.formatter import window as spelled
from app.domain.criteria.meant import Bounds, Column, Typed
from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import invalid, nearest
from app.domain.criteria.time import Axis, point, resolve
from app.domain.workspaces import Clock, Person, Workspace


@dataclass(frozen=True, slots=True)
class Setting:
    """What a criteria is read in. `params`: values of `$name` as they would be written (money in major units).

    `people` is False where nobody's own view may enter (segments): `@me` and `@my_team` are then errors.
    """

    workspace: Workspace
    clock: Clock
    person: Person | None = None
    params: Mapping[str, Typed | Decimal] = field(default_factory=dict)
    people: bool = True


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
        self.windows: dict[Echo, None] = {}
        self.relative = False

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
        if value.name not in self._setting.params:
            raise invalid(value.at, "There is no such parameter.", nearest(value.name, self._setting.params))
        return said(self._setting.params[value.name], value.at)

    def literal(self, value: nodes.Value, of: Typing) -> str:
        """Text that is written out, or a parameter."""
        if isinstance(value, (nodes.Const, nodes.Param)):
            written = value.value if isinstance(value, nodes.Const) else self._param(value)
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
