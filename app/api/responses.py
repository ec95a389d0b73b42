"""What handlers give back: status, headers, bytes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

JSON = (b"content-type", b"application/json")

Stream = Callable[[Callable[[bytes], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]]
"""Writes an answer where it is told to, piece by piece, and returns when it is whole."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(slots=True)
class Answer:
    """A complete answer; content-length and what every answer carries are added when it is sent.

    `stream` takes the place of the body.
    """

    body: bytes = b""
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: [JSON])
    stream: Stream | None = None


def json(value: object, status: int = 200) -> Answer:
    """A value as JSON; Decimal as a number, instants as RFC 3339."""
    return Answer(_ENCODER.encode(value), status)


def encoded(value: object) -> bytes:
    """A value as the bytes of JSON."""
    return _ENCODER.encode(value)


def nothing() -> Answer:
    """204."""
    return Answer(b"", 204, [])


def etag(version: int | None, body: bytes) -> bytes:
    """Strong entity tag: the version, which `If-Match` compares, and the representation, which `If-None-Match` does."""
    return b'"%d-%s"' % (version or 0, blake2b(body, digest_size=8).hexdigest().encode())
