"""Answers to writes, the same for every resource."""

from __future__ import annotations

from app.api.responses import JSON, Answer, etag
from app.services.calls import Written


def answered(written: Written, location: str | None = None) -> Answer:
    """The resource as it is now: 201 with its address where it was made, else 200; always with its ETag."""
    headers = [JSON, (b"etag", etag(written.version, written.body)), *again(written)]
    if not written.created or location is None:
        return Answer(written.body, 200, headers)
    return Answer(written.body, 201, [*headers, (b"location", location.encode())])


def again(written: Written) -> list[tuple[bytes, bytes]]:
    """The header of an answer that was given before."""
    return [(b"idempotency-replayed", b"true")] if written.is_again else []


def bare(written: Written) -> Answer:
    """What became of a write whose answer is no versioned resource."""
    return Answer(written.body, 200, [JSON, *again(written)])


def gone(written: Written) -> Answer:
    """Nothing: what the address named is no more."""
    return Answer(b"", 204, again(written))
