"""What bodies say of API keys: one that is to be made, and how one changes its token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain import records, values
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.keys import MOST_OVERLAP_HOURS, OVERLAP_HOURS
from app.domain.roles import ROLES, SCOPES, Role
from app.domain.values import MisfitError

NEW = ("name", "role", "user_id", "scopes", "expires_at")
ROTATION = ("overlap_hours", "expires_at")


@dataclass(frozen=True, slots=True)
class NewKey:
    """What making a key needs; `user_id` is None for a service, `scopes` is empty for a person."""

    name: str
    role: Role
    user_id: UUID | None
    scopes: frozenset[str]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """How long the token of before lives on, and when the key ends from now on: None leaves that as it is."""

    overlap: timedelta = timedelta(hours=OVERLAP_HOURS)
    expires_at: datetime | None = None


def new(body: Mapping[str, object], now: datetime) -> NewKey:
    """A key as `{name, role, user_id?, scopes?, expires_at?}` says. Raises Invalid."""
    told = _Told(body, NEW)
    name, role = told.take("name", values.text), told.take("role", _role)
    user_id, scopes = told.take("user_id", values.identity), told.take("scopes", _scopes, frozenset())
    expires_at = told.later("expires_at", now)
    if not (name or "").strip():
        told.missing("name", "a name")
    if role is None:
        told.missing("role", f"one of {', '.join(ROLES)}")
    if not told.faults and (role == "service") != (user_id is None):
        told.fault("user_id", "a user for a person's role, and none for a service")
    if not told.faults and (role == "service") != bool(scopes):
        told.fault("scopes", "scopes for a service, and none for a person")
    told.verify()
    return NewKey(name, role, user_id, scopes, expires_at)


def rotation(body: Mapping[str, object], now: datetime) -> Rotation:
    """A rotation as `{overlap_hours?, expires_at?}` says. Raises Invalid."""
    told = _Told(body, ROTATION)
    hours, expires_at = told.take("overlap_hours", _hours, OVERLAP_HOURS), told.later("expires_at", now)
    told.verify()
    return Rotation(timedelta(hours=hours), expires_at)


class _Told:
    """A body that is being read; `faults` are what was wrong so far."""

    def __init__(self, body: Mapping[str, object], known: tuple[str, ...]):
        self.body = records.only(body, known)
        self.faults: list[Fault] = []

    def take(self, member: str, read: Any, default: Any = None) -> Any:
        """A member's value; the default where it is left out, null, or wrong."""
        try:
            return read(self.body[member]) if self.body.get(member) is not None else default
        except MisfitError as misfit:
            self.faults.append(misfit.fault(f"/{member}"))
            return default

    def later(self, member: str, now: datetime) -> datetime | None:
        """A moment that is still to come."""
        moment: datetime | None = self.take(member, values.instant)
        if moment is not None and moment <= now:
            self.fault(member, "an instant to come")
        return moment

    def missing(self, member: str, expected: str) -> None:
        """A member that is needed is not there, unless what was said of it is wrong already."""
        if all(fault.pointer != f"/{member}" for fault in self.faults):
            self.fault(member, expected)

    def fault(self, member: str, expected: str) -> None:
        """Something is wrong with a member."""
        self.faults.append(Fault(f"Expected {expected}.", pointer=f"/{member}"))

    def verify(self) -> None:
        """Raises Invalid where anything was wrong."""
        if self.faults:
            raise Invalid(faults=tuple(self.faults))


def _role(told: object) -> Role:
    if not isinstance(told, str) or told not in ROLES:
        raise MisfitError(f"one of {', '.join(ROLES)}", nearest(told, ROLES) if isinstance(told, str) else None)
    return told


def _scopes(told: object) -> frozenset[str]:
    if not isinstance(told, list) or not all(isinstance(scope, str) and scope in SCOPES for scope in told):
        raise MisfitError(f"an array of {', '.join(SCOPES)}")
    return frozenset(told)


def _hours(told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told <= MOST_OVERLAP_HOURS:
        raise MisfitError(f"a whole number of hours from 0 to {MOST_OVERLAP_HOURS}")
    return told
