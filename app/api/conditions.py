"""Conditional requests: ETag, If-Match, If-None-Match, and the Idempotency-Key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from app.api.requests import Request, unreadable
from app.api.responses import JSON, Answer, etag
from app.domain.errors import Fault, VersionRequired, VersionStale
from app.services.calls import Call

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_OURS = re.compile(r"(\d{1,10})(?:-[0-9a-f]{16})?", re.ASCII)
_SORTED = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def tagged(request: Request, body: bytes, version: int | None) -> Answer:
    """A resource with its ETag, or 304 when the caller has just this."""
    tag = etag(version, body)
    known = request.header(b"if-none-match")
    if known is not None and matches(known, tag.decode()):
        return Answer(b"", 304, [(b"etag", tag)])
    return Answer(body, 200, [JSON, (b"etag", tag)])


def matches(known: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag; weakly, as RFC 9110 has it for this header."""
    if known.strip() == "*":
        return True
    return any(f'"{found.group(2)}"' == tag for found in _TAG.finditer(known))


def expected_version(request: Request) -> int:
    """The version that `If-Match` asks for: in an ETag, or, of a row that was read on a page, in quotes alone.

    VersionRequired without one or for `*`, VersionStale for a tag that no version can have (a weak one, one of
    somebody else's making), Unreadable for what is no entity tag.
    """
    given = request.header(b"if-match")
    if given is None:
        raise VersionRequired(faults=(Fault("If-Match is missing.", parameter="If-Match"),))
    version = _version(given.strip())
    if version is None:
        raise VersionRequired(
            faults=(Fault("Name the version: `*` would overwrite whatever is there.", parameter="If-Match"),)
        )
    return version


def expected_if_any(request: Request) -> int | None:
    """The version of `If-Match`, or None where there is no such header (creating something under a given name)."""
    if request.header(b"if-match") is None:
        return None
    return expected_version(request)


@contextmanager
def only_new(request: Request) -> Iterator[None]:
    """Around a write under a given name: with `If-None-Match: *`, what is there already is VersionStale."""
    given = request.header(b"if-none-match")
    if given is not None and given.strip() != "*":
        raise unreadable("If-None-Match", "If-None-Match takes only * on a write.")
    try:
        yield
    except VersionRequired:
        if given is None:
            raise VersionRequired(
                faults=(Fault("If-Match is missing: it is there already.", parameter="If-Match"),)
            ) from None
        message = "There is one already."
        raise VersionStale(message, (Fault(message, parameter="If-None-Match"),)) from None


def _version(given: str) -> int | None:
    """None for `*`."""
    if given == "*":
        return None
    found = _TAG.fullmatch(given)
    if found is None:
        raise unreadable(
            "If-Match",
            'If-Match takes one entity tag as it was given in ETag, or a version, quotes included: "3-0123456789abcdef", "3".',
        )
    ours = _OURS.fullmatch(found.group(2))
    if found.group(1) or ours is None:
        raise VersionStale(faults=(Fault("No version of this resource has that entity tag.", parameter="If-Match"),))
    return int(ours.group(1))


def call(request: Request, body: object = None, *, keyed: bool = True) -> Call:
    """The call of a write; an Idempotency-Key, unless it is no matter, is bound to method, path and body."""
    key = request.header(b"idempotency-key") if keyed else None
    if key is None:
        return Call(request.principal, request.now, door="rest", request_id=request.id)
    payload = _SORTED.encode([request.scope["method"], request.scope["path"], body])
    return Call(request.principal, request.now, key, payload, "rest", request.id)
