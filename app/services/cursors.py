"""Cursors: where a page ended, in a form that nobody else can make and that fits one question alone."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import blake2b, sha256
from typing import Any
from uuid import UUID

import msgspec

from app.domain.criteria.meant import Typed
from app.domain.errors import Fault, Unreadable

SEAL = 16
"""Bytes of the keyed BLAKE2b that a cursor carries."""
LONGEST = 16_384
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY, INSTANT, IDENTITY = 1, 2, 3
"""What a value was where MessagePack has no type for it."""

_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder()
Key = Typed | None


def seal(secret: bytes, question: bytes, as_of: datetime, keys: Sequence[Key]) -> str:
    """The cursor behind the record with these sort keys. `question` stands for workspace, entity, criteria and order:
    the cursor is no good for another one."""
    told = _encoder.encode([(as_of - EPOCH) // MICROSECOND, *map(_told, keys)])
    return urlsafe_b64encode(_mark(secret, question, told) + told).rstrip(b"=").decode()


def unseal(secret: bytes, question: bytes, cursor: str) -> tuple[datetime, tuple[Key, ...]]:
    """The moment that the first page was read at, and the keys. Raises Unreadable, the same for whatever is wrong."""
    if len(cursor) > LONGEST or not cursor.isascii():
        raise refusal()
    try:
        sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise refusal() from None
    mark, told = sealed[:SEAL], sealed[SEAL:]
    # Compared as text too: base64 reads some different texts as the same bytes.
    if (
        not hmac.compare_digest(mark, _mark(secret, question, told))
        or urlsafe_b64encode(sealed).rstrip(b"=") != cursor.encode()
    ):
        raise refusal()
    moment, *keys = _decoder.decode(told)
    return EPOCH + moment * MICROSECOND, tuple(map(_read, keys))


def refusal() -> Unreadable:
    """What every cursor gets that was not given out for this question."""
    message = "This is not a cursor of this question: ask the question again without it."
    return Unreadable(None, (Fault(message, parameter="cursor"),))


def _mark(secret: bytes, question: bytes, told: bytes) -> bytes:
    # The length keeps one part from passing for the beginning of the other.
    return blake2b(len(question).to_bytes(8) + question + told, key=_key(secret), digest_size=SEAL).digest()


@cache
def _key(secret: bytes) -> bytes:
    return sha256(secret).digest()


def _told(key: Key) -> Any:
    match key:
        case datetime():
            return [INSTANT, (key - EPOCH) // MICROSECOND]
        case date():
            return [DAY, key.toordinal()]
        case UUID():
            return [IDENTITY, key.bytes]
        case _:
            return key


def _read(told: Any) -> Key:
    match told:
        case [2, int(moment)]:
            return EPOCH + moment * MICROSECOND
        case [1, int(day)]:
            return date.fromordinal(day)
        case [3, bytes(identity)]:
            return UUID(bytes=identity)
        case str() | int() | float() | None:
            return told
        case _:
            raise refusal()
