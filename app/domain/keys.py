"""The text of an API key: `strata_`, 160 random bits, and a checksum that tells a slip from a stranger's key."""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import sha256
from zlib import crc32

PREFIX = "strata_"
RANDOM_BYTES = 20
HINT_LENGTH = len(PREFIX) + 8
OVERLAP_HOURS = 24
"""How long a token outlives its rotation where nothing is said."""
MOST_OVERLAP_HOURS = 7 * 24
MOST_EARLIER = 5
"""Tokens of one key that may be alive beside its newest."""
SHAPE = re.compile(r"strata_([a-z2-7]{32})([a-z2-7]{7})", re.ASCII)


def token(random: bytes) -> str:
    """The key made of 20 random bytes: `strata_`, 32 characters, 7 of checksum, in base 32."""
    body = _base32(random)
    return PREFIX + body + _checksum(body)


def well_formed(told: str) -> bool:
    """Whether the text can be a key at all: shape and checksum."""
    found = SHAPE.fullmatch(told)
    return found is not None and _checksum(found[1]) == found[2]


def hint(told: str) -> str:
    """As much of a key as may be shown for good, so that people can tell keys apart: 120 of its bits stay hidden."""
    return told[:HINT_LENGTH]


def digest(told: str) -> bytes:
    """What is stored of a key: its SHA-256."""
    return sha256(told.encode()).digest()


def _checksum(body: str) -> str:
    return _base32(crc32(body.encode()).to_bytes(4, "big"))


def _base32(raw: bytes) -> str:
    return b32encode(raw).decode().rstrip("=").lower()
