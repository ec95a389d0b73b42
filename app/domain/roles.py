"""Who may do what: one table, the only place where a role decides anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from app.domain.errors import Forbidden
from app.domain.workspaces import Person, Workspace

Role = Literal["admin", "manager", "csm", "viewer", "service"]
ROLES: tuple[Role, ...] = ("admin", "manager", "csm", "viewer", "service")
PEOPLE: tuple[Role, ...] = ROLES[:4]
"""Roles of people, the one that may do most first."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a credential of one workspace. `person` is None for a service; `scopes` bind services alone."""

    credential_id: UUID
    workspace: Workspace
    role: Role
    person: Person | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def user_id(self) -> UUID | None:
        """The person's id, None for a service."""
        return self.person.id if self.person else None


@dataclass(frozen=True, slots=True)
class Rule:
    """`always` may; `own` may where the thing is theirs (their account, their list); `scope` lets a service."""

    always: frozenset[Role]
    own: frozenset[Role] = frozenset()
    scope: str | None = None


def _rule(*always: Role, own: tuple[Role, ...] = (), scope: str | None = None) -> Rule:
    return Rule(frozenset(always), frozenset(own), scope)


READ = _rule("admin", "manager", "csm", "viewer", scope="read")
STEER = _rule("admin", "manager", scope="write")
ADMIN = _rule("admin")
OF_ACCOUNT = _rule("admin", "manager", own=("csm",), scope="write")

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "me.read": READ,
        "me.defaults.write": _rule("admin", "manager", "csm", "viewer"),
        "workspace.read": READ,
        "workspace.write": ADMIN,
        "catalog.read": READ,
        "criteria.read": READ,
        "records.read": READ,
        "accounts.create": STEER,
        "accounts.write": OF_ACCOUNT,
        "accounts.archive": OF_ACCOUNT,
        "accounts.delete": ADMIN,
        "accounts.stage": OF_ACCOUNT,
        "accounts.pin": OF_ACCOUNT,
        "accounts.step": OF_ACCOUNT,
        "accounts.call": OF_ACCOUNT,
        "records.write": OF_ACCOUNT,
        "records.bulk": STEER,
        "directory.write": STEER,
        "scenarios.write": STEER,
        "stages.write": STEER,
        "scores.write": STEER,
        "attributes.write": ADMIN,
        "audit.read": ADMIN,
        "lists.read": READ,
        "lists.create": _rule("admin", "manager", "csm", own=("viewer",)),
        "lists.write": _rule("admin", "manager", own=("csm", "viewer")),
        "lists.transfer": _rule("admin", own=("manager", "csm", "viewer")),
        "lists.favourite": _rule("admin", "manager", "csm", "viewer"),
        "lists.watch": _rule("admin", "manager", "csm", "viewer", scope="write"),
        "segmentations.read": READ,
        "segmentations.write": STEER,
        "segmentations.suggest": _rule("admin", "manager", scope="read"),
        "forecasts.read": _rule("admin", "manager", own=("csm",), scope="read"),
        "forecasts.create": _rule("admin", "manager", own=("csm",), scope="write"),
        "retention.read": _rule("admin", "manager", own=("csm",), scope="read"),
        "imports.read": _rule("admin", "manager", scope="import"),
        "imports.create": _rule("admin", "manager", scope="import"),
        "users.read": READ,
        "users.write": ADMIN,
        "keys.read": ADMIN,
        "keys.write": ADMIN,
    }
)
"""Every operation, on both doors. An operation that is not here does not exist: declaring a route with it fails."""

SCOPES = tuple(sorted({r.scope for r in RULES.values() if r.scope}))


def allows(principal: Principal, operation: str, *, own: bool = False) -> bool:
    """Whether the principal may do `operation`; `own` says that the thing in question is theirs."""
    rule = RULES[operation]
    if principal.role == "service":
        return rule.scope is not None and rule.scope in principal.scopes
    return principal.role in rule.always or (own and principal.role in rule.own)


def permit(principal: Principal, operation: str, *, own: bool = False) -> None:
    """Raises Forbidden unless the principal may do `operation`."""
    if not allows(principal, operation, own=own):
        refused = Forbidden(_refusal(principal, operation))
        refused.scope = RULES[operation].scope if principal.role == "service" else None
        raise refused


def _refusal(principal: Principal, operation: str) -> str:
    rule = RULES[operation]
    if principal.role == "service" and rule.scope is None:
        return f"{operation} is for people: no scope of a service's key allows it. Ask with a person's key."
    return f"{operation} needs {_needed(rule)}."


def grantable(role: Role) -> frozenset[str]:
    """The scopes that somebody of this role may give to a service: those under which it can do no more than they."""
    beyond = {rule.scope for rule in RULES.values() if role not in rule.always}
    return frozenset(SCOPES) - beyond


def _needed(rule: Rule) -> str:
    ways = [f"the role {' or '.join(role for role in PEOPLE if role in rule.always)}"]
    if rule.own:
        ways.append(f"{' or '.join(role for role in PEOPLE if role in rule.own)} on what is their own")
    if rule.scope:
        ways.append(f"a service's scope {rule.scope}")
    return ", or ".join(ways)


def weaker(one: Role, other: Role) -> Role:
    """Of two people's roles the one that may do less."""
    return max(one, other, key=PEOPLE.index)
