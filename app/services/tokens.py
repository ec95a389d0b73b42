"""JSON Web Tokens: who one stands for. It says who; what they may do says the users table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID
from weakref import WeakKeyDictionary

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from app.domain import tokens
from app.domain.errors import Unauthenticated
from app.domain.keys import digest
from app.domain.roles import Principal, Role
from app.domain.tokens import EMAIL, LEEWAY_SECONDS, Claims, ForgedError, Issuer
from app.domain.workspaces import Person
from app.persistence import tokens as rows
from app.persistence import workspaces
from app.persistence.database import Database
from app.services.jwks import Keys
from app.services.keys import FRESH_SECONDS, Seen, remember, remembered

ALGORITHMS = ("RS256", "ES256")
LEEWAY = timedelta(seconds=LEEWAY_SECONDS)
_jws = PyJWS(ALGORITHMS, {"verify_signature": True, "enforce_minimum_key_length": True})


@dataclass(slots=True)
class Trust:
    """An issuer that is believed, and its keys."""

    issuer: Issuer
    keys: Keys


_trusted: WeakKeyDictionary[Database, Trust] = WeakKeyDictionary()


def trust(db: Database, issuer: Issuer) -> None:
    """Tokens of this issuer are believed from now on, and no other's."""
    distrust(db)
    trusted = _trusted[db] = Trust(issuer, Keys(issuer))
    trusted.keys.ask_soon()


def distrust(db: Database) -> None:
    """No token is believed any more."""
    trusted = _trusted.pop(db, None)
    if trusted is not None:
        trusted.keys.stop()


async def authenticate(db: Database, token: str, now: datetime) -> Principal:
    """Who the token stands for: an active user, with role, team and workspace as they were at most a second ago.

    Raises Unauthenticated, the same for whatever is wrong, and Unavailable while the issuer's keys cannot be had.
    """
    trusted = _trusted.get(db)
    if trusted is None or len(token) > tokens.LONGEST:
        raise Unauthenticated(presented=True)
    mark, tick = digest(token), time.monotonic()
    seen = remembered(db)
    known = seen.get(mark)
    if known is None or tick - known.at >= FRESH_SECONDS or _over(known, now):
        try:
            known = await _found(db, trusted, token, now, tick)
        except ForgedError:
            raise Unauthenticated(presented=True) from None
        remember(seen, mark, known)
    return known.principal


def _over(known: Seen, now: datetime) -> bool:
    return known.expires_at is not None and known.expires_at + LEEWAY <= now


async def _found(db: Database, trusted: Trust, token: str, now: datetime, tick: float) -> Seen:
    header = tokens.header(token)
    key = await trusted.keys.find(header)
    try:
        payload = _jws.decode(token, key, algorithms=[header.algorithm])
    except PyJWTError:
        raise ForgedError from None
    claims = tokens.claims(payload, trusted.issuer, now)
    return Seen(await _principal(db, claims, trusted.issuer), tick, claims.expires_at)


async def _principal(db: Database, claims: Claims, issuer: Issuer) -> Principal:
    by_slug = isinstance(claims.workspace, str)
    workspace_id = await workspaces.find(db, cast(str, claims.workspace)) if by_slug else cast(UUID, claims.workspace)
    if workspace_id is None:
        raise ForgedError
    row = await rows.user(db, workspace_id, claims.user, by_email=issuer.user_claim == EMAIL)
    if row is None:
        raise ForgedError
    person = Person(row["user_id"], tuple(row["team"]) or (row["user_id"],))
    # A person's requests are counted and their repetitions known by the person: tokens come and go.
    return Principal(person.id, workspaces.made(row), cast(Role, row["user_role"]), person)
