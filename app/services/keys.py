"""API keys: made and shown once, found on every request, ended at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Literal, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec

from app.domain import keys as tokens
from app.domain import records
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound, Unauthenticated
from app.domain.records import MisfitError
from app.domain.roles import PEOPLE, ROLES, SCOPES, Principal, Role, permit, weaker
from app.domain.workspaces import Person
from app.persistence import keys, users, workspaces
from app.persistence.database import Database, Record, Transaction
from app.services import references
from app.services.calls import Call, Written, new_id, once

FRESH_SECONDS = 1.0
REMEMBERED = 4_096
MEMBERS = ("name", "role", "user_id", "scopes", "expires_at")


@dataclass(frozen=True, slots=True)
class Seen:
    """A principal as it was at `at`, a monotonic time in seconds."""

    principal: Principal
    at: float
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """What making a key needs; `user_id` is None for a service, `scopes` is empty for a person."""

    name: str
    role: Role
    user_id: UUID | None
    scopes: frozenset[str]
    expires_at: datetime | None


_seen: WeakKeyDictionary[Database, dict[bytes, Seen]] = WeakKeyDictionary()


async def authenticate(db: Database, token: str, now: datetime) -> Principal:
    """Who the token stands for, with their workspace as it was at most a second ago. Raises Unauthenticated."""
    if not token.isascii():
        raise Unauthenticated
    digest, seen = tokens.digest(token), _seen.setdefault(db, {})
    known, tick = seen.get(digest), time.monotonic()
    if known is None or tick - known.at >= FRESH_SECONDS:
        if not tokens.well_formed(token):
            raise Unauthenticated
        seen.pop(digest, None)
        known = await _found(db, digest, tick)
        while len(seen) >= REMEMBERED:
            seen.pop(next(iter(seen)))
        seen[digest] = known
    if known.expires_at is not None and known.expires_at <= now:
        raise Unauthenticated
    return known.principal


async def create_key(
    db: Database,
    workspace_id: UUID,
    name: str,
    role: Role,
    user_id: UUID | None,
    scopes: Iterable[str],
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[UUID, str]:
    """A key of a user, or of a service with scopes; its id, and the token, which is shown this once. Raises Invalid."""
    new = _new({"name": name, "role": role, "user_id": user_id, "scopes": list(scopes), "expires_at": expires_at}, now)
    async with db.transaction() as tx:
        return await _insert(tx, workspace_id, new, now)


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A key as `{name, role, user_id?, scopes?, expires_at?}` says; the first answer alone has its `token`.

    The same Idempotency-Key again gives the key with `token` null: tokens are not stored.
    """
    permit(call.principal, "keys.write")
    new = _new(records.only(body, MEMBERS), call.now)
    made: list[str] = []

    async def act(tx: Transaction) -> Written:
        key_id, token = await _insert(tx, call.principal.workspace.id, new, call.now)
        made.append(token)
        return Written(key_id, 1, _body(await keys.one(tx, call.principal.workspace.id, key_id)), created=True)

    written = await once(db, call, "keys.create", act)
    if not made:
        return written
    shown = msgspec.json.decode(written.body) | {"token": made[-1]}
    return Written(written.id, written.version, msgspec.json.encode(shown), created=True)


async def all_keys(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], UUID | None]:
    """The workspace's keys without their tokens, in the order of their making; where the next page begins."""
    permit(principal, "keys.read")
    rows = await keys.page(db, principal.workspace.id, after, limit + 1)
    page = [_shown(row) for row in rows[:limit]]
    return page, page[-1]["id"] if len(rows) > limit else None


async def get(db: Database, principal: Principal, key_id: UUID) -> bytes:
    """One key without its token, as JSON. Raises NotFound."""
    permit(principal, "keys.read")
    return _body(await keys.one(db, principal.workspace.id, key_id))


async def revoke(db: Database, call: Call, key_id: UUID) -> Written:
    """Ends a key: here at once, in other processes within a second. Raises NotFound."""
    permit(call.principal, "keys.write")

    async def act(tx: Transaction) -> Written:
        if not await keys.revoke(tx, call.principal.workspace.id, key_id, call.now):
            raise NotFound
        return Written(key_id, 1, _body(await keys.one(tx, call.principal.workspace.id, key_id)), created=False)

    written = await once(db, call, f"keys.revoke {key_id}", act)
    forget(db)
    return written


def forget(db: Database) -> None:
    """Principals are looked up anew: a key or what the workspace is was changed by this process."""
    _seen.pop(db, None)


async def _found(db: Database, digest: bytes, tick: float) -> Seen:
    row = await keys.by_hash(db, digest)
    if row is None or not compare_digest(bytes(row["hash"]), digest):
        raise Unauthenticated
    workspace = workspaces.made(row)
    if row["user_id"] is None:
        principal = Principal(row["key_id"], workspace, "service", None, frozenset(row["scopes"]))
    elif row["user_role"] is None:  # the user is not active any more
        raise Unauthenticated
    else:
        person = Person(row["user_id"], tuple(row["team"]) or (row["user_id"],))
        principal = Principal(row["key_id"], workspace, weaker(row["key_role"], row["user_role"]), person)
    return Seen(principal, tick, row["expires_at"])


def _new(told: Mapping[str, object], now: datetime) -> NewKey:
    faults: list[Fault] = []

    def take(member: str, read: Any, default: object = None) -> Any:
        try:
            return read(told[member]) if told.get(member) is not None else default
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{member}"))
            return default

    name, role = take("name", records.text), take("role", _role)
    user_id, scopes = take("user_id", records.identity), take("scopes", _scopes, frozenset())
    expires_at = take("expires_at", records.instant)
    if not name and not faults:
        faults.append(Fault("Expected a name.", pointer="/name"))
    if role is None and not faults:
        faults.append(Fault(f"Expected one of {', '.join(ROLES)}.", pointer="/role"))
    if not faults and (role == "service") != (user_id is None):
        faults.append(Fault("Expected a user for a person's role, and none for a service.", pointer="/user_id"))
    if not faults and (role == "service") != bool(scopes):
        faults.append(Fault("Expected scopes for a service, and none for a person.", pointer="/scopes"))
    if expires_at is not None and expires_at <= now:
        faults.append(Fault("Expected an instant to come.", pointer="/expires_at"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return NewKey(name, role, user_id, scopes, expires_at)


def _role(told: object) -> Role:
    if not isinstance(told, str) or told not in ROLES:
        raise MisfitError(f"one of {', '.join(ROLES)}", nearest(told, ROLES) if isinstance(told, str) else None)
    return told


def _scopes(told: object) -> frozenset[str]:
    if not isinstance(told, list) or not all(isinstance(scope, str) and scope in SCOPES for scope in told):
        raise MisfitError(f"an array of {', '.join(SCOPES)}")
    return frozenset(told)


async def _insert(tx: Transaction, workspace_id: UUID, new: NewKey, now: datetime) -> tuple[UUID, str]:
    if new.user_id is not None:
        found = await references.user(tx, workspace_id, new.user_id, "/user_id")
        if isinstance(found, Fault):
            raise Invalid(faults=(found,))
        role = cast(Literal["admin", "manager", "csm", "viewer"], await users.role(tx, workspace_id, new.user_id))
        if PEOPLE.index(new.role) < PEOPLE.index(role):
            raise Invalid(
                faults=(Fault("Expected no more than the user's own role.", pointer="/role", suggestion=role),)
            )
    key_id, token = new_id(), tokens.token(secrets.token_bytes(tokens.RANDOM_BYTES))
    await keys.insert(
        tx,
        workspace_id,
        key_id,
        new.name,
        tokens.digest(token),
        new.role,
        new.user_id,
        sorted(new.scopes),
        now,
        new.expires_at,
    )
    return key_id, token


def _shown(row: Record) -> dict[str, Any]:
    return {**dict(row), "token": None}


def _body(row: Record | None) -> bytes:
    if row is None:
        raise NotFound
    return msgspec.json.encode(_shown(row))
