"""The text of an API key: `strata_`, 160 random bits, and a checksum that tells a slip from a stranger's key."""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import sha256
from zlib import crc32

PREFIX = "strata_"
RANDOM_BYTES = 20
SHAPE = re.compile(r"strata_([a-z2-7]{32})([a-z2-7]{7})", re.ASCII)


def token(random: bytes) -> str:
    """The key made of 20 random bytes: `strata_`, 32 characters, 7 of checksum, in base 32."""
    body = _base32(random)
    return PREFIX + body + _checksum(body)


def well_formed(told: str) -> bool:
    """Whether the text can be a key at all: shape and checksum."""
    found = SHAPE.fullmatch(told)
    return found is not None and _checksum(found[1]) == found[2]


def digest(told: str) -> bytes:
    """What is stored of a key: its SHA-256."""
    return sha256(told.encode()).digest()


def _checksum(body: str) -> str:
    return _base32(crc32(body.encode()).to_bytes(4, "big"))


def _base32(raw: bytes) -> str:
    return b32encode(raw).decode().rstrip("=").lower()
