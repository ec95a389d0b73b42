"""Browsers of other origins: which may read answers, and what they may send."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Scope

EXPOSED = (
    b"Content-Disposition, ETag, Idempotency-Replayed, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    b"X-Strata-As-Of, X-Strata-Windows"
)
SENT = b"Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id"
MAX_AGE = b"600"
VARY = (b"vary", b"Origin")


class Origins:
    """The origins that may use the service from a browser; `*` is every one. Cookies play no part: keys are headers."""

    def __init__(self, allowed: Sequence[str]):
        self.every = "*" in allowed
        self.named = frozenset(origin.encode() for origin in allowed)

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """What an answer says to the browser; nothing to an origin that is not allowed."""
        if not self.named:
            return []
        origin = _header(scope, b"origin")
        if origin is None or not (self.every or origin in self.named):
            return [] if self.every else [VARY]
        shown = b"*" if self.every else origin
        headers = [(b"access-control-allow-origin", shown), (b"access-control-expose-headers", EXPOSED)]
        return headers if self.every else [*headers, VARY]

    def preflight(self, scope: Scope, allow: str) -> list[tuple[bytes, bytes]]:
        """What an answer to OPTIONS adds, where a browser asks before it sends."""
        if not self.headers(scope) or _header(scope, b"access-control-request-method") is None:
            return []
        return [
            (b"access-control-allow-methods", allow.encode()),
            (b"access-control-allow-headers", SENT),
            (b"access-control-max-age", MAX_AGE),
        ]


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
