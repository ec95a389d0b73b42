"""API keys: made and shown once, found on every request, rotated with an overlap, ended at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest
from typing import Any, Literal, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec

from app.domain import key_bodies
from app.domain import keys as tokens
from app.domain.errors import Conflict, Fault, Invalid, NotFound, Unauthenticated
from app.domain.key_bodies import NewKey, Rotation
from app.domain.roles import PEOPLE, Principal, Role, grantable, permit, weaker
from app.domain.workspaces import Person
from app.persistence import keys, users, workspaces
from app.persistence.database import Database, Record, Transaction
from app.services import key_uses, references
from app.services.calls import Call, Effect, Written, keep_command, new_id, once

FRESH_SECONDS = 1.0
REMEMBERED = 4_096
NOUN = "api-keys"
WRITE = "keys.write"


@dataclass(frozen=True, slots=True)
class Seen:
    """A principal as it was at `at`, a monotonic time in seconds."""

    principal: Principal
    at: float
    expires_at: datetime | None


_seen: WeakKeyDictionary[Database, dict[bytes, Seen]] = WeakKeyDictionary()


async def authenticate(db: Database, token: str, now: datetime) -> Principal:
    """Who the token stands for, with their workspace as it was at most a second ago. Raises Unauthenticated."""
    if not token.isascii():
        raise Unauthenticated(presented=True)
    digest, seen = tokens.digest(token), _seen.setdefault(db, {})
    known, tick = seen.get(digest), time.monotonic()
    if known is None or tick - known.at >= FRESH_SECONDS:
        if not tokens.well_formed(token):
            raise Unauthenticated(presented=True)
        known = await _found(db, digest, tick, now)
        remember(seen, digest, known)
    if known.expires_at is not None and known.expires_at <= now:
        raise Unauthenticated(presented=True)
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
    body = {"name": name, "role": role, "user_id": user_id, "scopes": list(scopes), "expires_at": expires_at}
    new = key_bodies.new(body, now)
    async with db.transaction() as tx:
        written, token = await _create(tx, workspace_id, new, now)
        await keep_command(tx, workspace_id, now, WRITE, written.effects)
    return written.id, token


async def rotate_key(
    db: Database, workspace_id: UUID, key_id: UUID, overlap_hours: int | None, now: datetime
) -> tuple[UUID, str]:
    """The same as `rotate` for the command line: the id and the new token. Raises Invalid, NotFound, Conflict."""
    rotation = key_bodies.rotation({"overlap_hours": overlap_hours}, now)
    async with db.transaction() as tx:
        written, token = await _rotate(tx, workspace_id, key_id, rotation, now)
        await keep_command(tx, workspace_id, now, WRITE, written.effects)
    forget(db)
    return written.id, token


async def revoke_key(db: Database, workspace_id: UUID, key_id: UUID, now: datetime) -> None:
    """The same as `revoke` for the command line. Raises NotFound."""
    async with db.transaction() as tx:
        written = await _revoke(tx, workspace_id, key_id, now)
        await keep_command(tx, workspace_id, now, WRITE, written.effects)
    forget(db)


async def list_keys(db: Database, workspace_id: UUID) -> list[dict[str, Any]]:
    """Every key of a workspace without its token, for the command line."""
    return [_shown(row) for row in await keys.page(db, workspace_id, None, None)]


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A key as `{name, role, user_id?, scopes?, expires_at?}` says; the first answer alone has its `token`.

    The same Idempotency-Key again gives the key with `token` null: tokens are not stored. Raises Invalid.
    """
    permit(call.principal, WRITE)
    new, workspace_id = key_bodies.new(body, call.now), call.principal.workspace.id
    own = grantable(call.principal.role)
    if not new.scopes <= own:
        raise Invalid(faults=(Fault(f"Expected scopes among your own: {', '.join(sorted(own))}.", pointer="/scopes"),))
    return await _telling(db, call, f"{WRITE} create", lambda tx: _create(tx, workspace_id, new, call.now))


async def rotate(db: Database, call: Call, key_id: UUID, body: Mapping[str, object]) -> Written:
    """A new token for the same key, in the first answer alone. The token of before lives on for `overlap_hours`, 24
    where nothing is said, never longer than it would have; with 0 every earlier token ends at once.

    `expires_at` moves the key's own end. Raises Invalid, NotFound, Conflict where the key has ended already or
    too many of its tokens are alive.
    """
    permit(call.principal, WRITE)
    rotation, workspace_id = key_bodies.rotation(body, call.now), call.principal.workspace.id
    written = await _telling(
        db, call, f"{WRITE} rotate {key_id}", lambda tx: _rotate(tx, workspace_id, key_id, rotation, call.now)
    )
    forget(db)
    return written


async def revoke(db: Database, call: Call, key_id: UUID) -> Written:
    """Ends a key with all its tokens: here at once, in other processes within a second. Raises NotFound."""
    permit(call.principal, WRITE)
    written = await once(
        db,
        call,
        f"{WRITE} revoke {key_id}",
        lambda tx: _revoke(tx, call.principal.workspace.id, key_id, call.now),
    )
    forget(db)
    return written


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


def remembered(db: Database) -> dict[bytes, Seen]:
    """Who credentials stood for when they were looked up last, by their SHA-256; what is older than FRESH_SECONDS may
    not be used. Whoever looks one up takes this before, and remembers it there: what is forgotten meanwhile stays so."""
    return _seen.setdefault(db, {})


def remember(seen: dict[bytes, Seen], digest: bytes, known: Seen) -> None:
    """Keeps who a credential stands for, in place of those that were kept first where there are too many."""
    seen.pop(digest, None)
    while len(seen) >= REMEMBERED:
        seen.pop(next(iter(seen)))
    seen[digest] = known


def forget(db: Database) -> None:
    """Principals are looked up anew: a key or what the workspace is was changed by this process."""
    _seen.pop(db, None)


async def _found(db: Database, digest: bytes, tick: float, now: datetime) -> Seen:
    row = await keys.by_hash(db, digest)
    if row is None or not compare_digest(bytes(row["hash"]), digest):
        raise Unauthenticated(presented=True)
    if row["expires_at"] is not None and row["expires_at"] <= now:
        raise Unauthenticated(presented=True)
    workspace = workspaces.made(row)
    if row["user_id"] is None:
        principal = Principal(row["key_id"], workspace, "service", None, frozenset(row["scopes"]))
    elif row["user_role"] is None:  # the user is not active any more
        raise Unauthenticated(presented=True)
    else:
        person = Person(row["user_id"], tuple(row["team"]) or (row["user_id"],))
        principal = Principal(row["key_id"], workspace, weaker(row["key_role"], row["user_role"]), person)
    key_uses.note(db, workspace.id, row["key_id"], now)
    return Seen(principal, tick, row["expires_at"])


async def _telling(
    db: Database, call: Call, operation: str, make: Callable[[Transaction], Awaitable[tuple[Written, str]]]
) -> Written:
    """What `make` wrote, with the token that it gives beside: the answer that is kept never has it."""
    made: list[str] = []

    async def act(tx: Transaction) -> Written:
        written, token = await make(tx)
        made.append(token)
        return written

    written = await once(db, call, operation, act)
    if not made:
        return written
    shown = msgspec.json.decode(written.body) | {"token": made[-1]}
    return replace(written, body=msgspec.json.encode(shown))


async def _create(tx: Transaction, workspace_id: UUID, new: NewKey, now: datetime) -> tuple[Written, str]:
    if new.user_id is not None:
        await _no_more_than_the_user(tx, workspace_id, new.user_id, new.role)
    key_id, token = new_id(), _token()
    digest, hint, scopes = tokens.digest(token), tokens.hint(token), sorted(new.scopes)
    await keys.insert(
        tx, workspace_id, key_id, new.name, digest, hint, new.role, new.user_id, scopes, now, new.expires_at
    )
    return _written(key_id, None, await keys.one(tx, workspace_id, key_id)), token


async def _no_more_than_the_user(tx: Transaction, workspace_id: UUID, user_id: UUID, role: Role) -> None:
    found = await references.user(tx, workspace_id, user_id, "/user_id")
    if isinstance(found, Fault):
        raise Invalid(faults=(found,))
    own = cast(Literal["admin", "manager", "csm", "viewer"], await users.role(tx, workspace_id, user_id))
    if PEOPLE.index(role) < PEOPLE.index(own):
        raise Invalid(faults=(Fault("Expected no more than the user's own role.", pointer="/role", suggestion=own),))


async def _rotate(
    tx: Transaction, workspace_id: UUID, key_id: UUID, rotation: Rotation, now: datetime
) -> tuple[Written, str]:
    digest = await keys.locked(tx, workspace_id, key_id)
    before = await keys.one(tx, workspace_id, key_id)
    if digest is None or before is None:
        raise NotFound
    ends_at: datetime | None = before["expires_at"]
    if before["revoked_at"] is not None or (ends_at is not None and ends_at <= now):
        raise Conflict("The key has ended: make a new one.")
    alive = await keys.end_earlier(tx, workspace_id, key_id, now if rotation.overlap else None)
    if alive >= tokens.MOST_EARLIER:
        raise Conflict(f"{alive} earlier tokens of this key are alive: rotate it with overlap_hours 0 to end them.")
    if rotation.overlap:
        until = now + rotation.overlap
        await keys.keep_earlier(
            tx, workspace_id, new_id(), key_id, digest, until if ends_at is None else min(until, ends_at)
        )
    token = _token()
    await keys.rotate(
        tx, workspace_id, key_id, tokens.digest(token), tokens.hint(token), rotation.expires_at or ends_at, now
    )
    return _written(key_id, before, await keys.one(tx, workspace_id, key_id)), token


async def _revoke(tx: Transaction, workspace_id: UUID, key_id: UUID, now: datetime) -> Written:
    if await keys.locked(tx, workspace_id, key_id) is None:
        raise NotFound
    before = await keys.one(tx, workspace_id, key_id)
    if before is not None and before["revoked_at"] is None:
        await keys.revoke(tx, workspace_id, key_id, now)
    return _written(key_id, before, await keys.one(tx, workspace_id, key_id))


def _token() -> str:
    return tokens.token(secrets.token_bytes(tokens.RANDOM_BYTES))


def _written(key_id: UUID, before: Record | None, after: Record | None) -> Written:
    """A key as it is now, and what of it changed."""
    was, is_ = _as_is(before) if before else {}, _as_is(after) if after else {}
    changed = [name for name in is_ if before is None or was[name] != is_[name]]
    then = None if before is None else {name: was[name] for name in changed}
    effects = (Effect(NOUN, key_id, then, {name: is_[name] for name in changed}),) if changed else ()
    return Written(key_id, 1, _body(after), created=before is None, effects=effects)


def _shown(row: Record) -> dict[str, Any]:
    return {**_as_is(row), "token": None}


def _as_is(row: Record) -> dict[str, Any]:
    """A key with the role that it has now: no more than its user's."""
    shown = dict(row)
    of_user = shown.pop("user_role")
    return shown if of_user is None else {**shown, "role": weaker(shown["role"], of_user)}


def _body(row: Record | None) -> bytes:
    if row is None:
        raise NotFound
    return msgspec.json.encode(_shown(row))
