"""JSON Web Tokens of an issuer that is trusted: read strictly before anything is believed, and what they must say."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast
from urllib.parse import urlsplit
from uuid import UUID

from app.domain.criteria.coerce import identity
from app.domain.values import LINE, SLUG, UNSTORABLE

Algorithm = Literal["RS256", "ES256"]
LONGEST = 8_192
"""Characters that a token may have; it is measured before it is read."""
LEEWAY_SECONDS = 30
"""How far the issuer's clock may be from ours."""
LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
LOOPBACK = ("localhost", "127.0.0.1", "::1")
EMAIL = "email"
"""The claim that names a user by e-mail address; any other one names them by external id."""

PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
KID = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)
TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
REFUSED = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "epk", "cty"})
"""Members of a header that bring a key along, say where one is, or change what is signed."""


class ForgedError(ValueError):
    """It is no token of the issuer's, or none for us. Nobody outside learns why."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are believed. `keys` is the https address of its JWKS, or a file's path."""

    name: str
    audience: str
    keys: str
    user_claim: str = EMAIL
    workspace_claim: str = "workspace"

    @property
    def remote(self) -> bool:
        """Whether the keys are fetched."""
        return addressable(self.keys)


@dataclass(frozen=True, slots=True)
class Header:
    """How a token says it is signed: one of two algorithms, and the name of the key."""

    algorithm: Algorithm
    kid: str


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a token stands for: a user by e-mail address or external id, and a workspace by id or slug; until when."""

    user: str
    workspace: UUID | str
    expires_at: datetime


def addressable(url: str) -> bool:
    """Whether keys may be fetched there: https, or http from this machine; no credentials, no fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc and not parts.fragment
    return secure and plain and bool(parts.hostname) and port != 0


def header(token: str) -> Header:
    """The header of a token whose three parts are well made. Raises ForgedError."""
    parts = token.split(".", 3)
    if len(token) > LONGEST or len(parts) != 3:
        raise ForgedError
    for part in parts:
        _canonical(part)
    told = members(_canonical(parts[0]))
    algorithm, kid, kind = told.get("alg"), told.get("kid"), told.get("typ", "JWT")
    if algorithm not in ("RS256", "ES256") or REFUSED & told.keys():
        raise ForgedError
    if not isinstance(kid, str) or not KID.fullmatch(kid) or not isinstance(kind, str) or kind.lower() not in TYPES:
        raise ForgedError
    return Header(cast(Algorithm, algorithm), kid)


def claims(payload: bytes, issuer: Issuer, now: datetime) -> Claims:
    """What a payload whose signature is right says. Raises ForgedError."""
    told = members(payload)
    if told.get("iss") != issuer.name or not _is_for(told.get("aud"), issuer.audience) or "cnf" in told:
        raise ForgedError  # `cnf` binds a token to a key of its bearer's, which a bearer token does not show
    expires, moment = _moment(told.get("exp")), now.timestamp()
    if moment >= expires + LEEWAY_SECONDS:
        raise ForgedError
    for begins in ("nbf", "iat"):
        if begins in told and _moment(told[begins]) > moment + LEEWAY_SECONDS:
            raise ForgedError
    if issuer.user_claim == EMAIL and told.get("email_verified") is not True:
        raise ForgedError
    workspace = _name(told.get(issuer.workspace_claim))
    by_id = identity(workspace)
    if by_id is None and not SLUG.fullmatch(workspace):
        raise ForgedError
    return Claims(_name(told.get(issuer.user_claim)), by_id or workspace, datetime.fromtimestamp(expires, UTC))


def members(raw: bytes) -> Mapping[str, Any]:
    """The members of a JSON object in UTF-8: none of them twice at any depth. Raises ForgedError."""
    try:
        told = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ForgedError from None
    if not isinstance(told, dict):
        raise ForgedError
    return told


def _canonical(part: str) -> bytes:
    """The bytes of a part; another spelling of the same bytes is no spelling."""
    if not PART.fullmatch(part) or len(part) % 4 == 1:
        raise ForgedError
    raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise ForgedError
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ForgedError
    return told


def _no_number(_: str) -> None:
    raise ForgedError


def _is_for(told: object, audience: str) -> bool:
    return told == audience or (
        isinstance(told, list) and all(isinstance(one, str) for one in told) and audience in told
    )


def _moment(told: object) -> float:
    """Seconds since 1970."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= LAST:
        raise ForgedError
    return float(told)


def _name(told: object) -> str:
    if not isinstance(told, str) or not 0 < len(told) <= LINE or UNSTORABLE.search(told):
        raise ForgedError
    return told
