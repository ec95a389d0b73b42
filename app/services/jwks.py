"""The keys that a trusted issuer signs with (JWKS): read with bounds, kept for a while, asked for again sparingly."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httptools
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_decode

from app.domain.errors import Unavailable
from app.domain.tokens import ForgedError, Header, Issuer, members

log = logging.getLogger("app.services.jwks")

FETCH_SECONDS = 5.0
"""From the first packet to the last byte."""
LARGEST = 256 * 1024
MOST_KEYS = 100
FRESH_SECONDS = 300.0
"""After this, keys are asked for again beside the requests that use them."""
STALE_SECONDS = 24 * 3600.0
"""For so long keys are believed of an issuer that does not answer."""
UNKNOWN_SECONDS = 60.0
"""Names that nobody knows make us ask no more often than this, however many are sent."""
RETRY_SECONDS = 5.0
"""The same while there are no keys at all."""
RSA_BITS = range(2_048, 8_193)
RSA_EXPONENTS = range(65_537, 2**32)


class UnreadableKeysError(Exception):
    """The issuer's keys cannot be had; the message is for the log."""


class Keys:
    """An issuer's keys as this process knows them."""

    def __init__(self, issuer: Issuer):
        self.issuer = issuer
        self.known: Mapping[tuple[str, str], PyJWK] = {}
        self.read_at = self.asked_at = float("-inf")
        self.asking: asyncio.Task[None] | None = None

    async def find(self, header: Header) -> PyJWK:
        """The key of this name for this algorithm. Raises ForgedError, or Unavailable while there are no keys."""
        wanted = (header.kid, header.algorithm)
        self._forget_old()
        if not self.known or wanted not in self.known:
            if self._may_ask(UNKNOWN_SECONDS if self.known else RETRY_SECONDS) or self.asking:
                await self._ask()
        elif time.monotonic() - self.read_at >= FRESH_SECONDS and self._may_ask(UNKNOWN_SECONDS):
            self._begin()
        if not self.known:
            raise Unavailable("The issuer's keys cannot be read: try again in a few seconds.")
        if wanted not in self.known:
            raise ForgedError
        return self.known[wanted]

    def ask_soon(self) -> None:
        """Begins to read the keys, so that what is wrong with them shows before the first token comes."""
        self._begin()

    def stop(self) -> None:
        """Ends asking."""
        if self.asking is not None:
            self.asking.cancel()

    def _forget_old(self) -> None:
        if self.known and time.monotonic() - self.read_at >= STALE_SECONDS:
            self.known = {}

    def _may_ask(self, seconds: float) -> bool:
        return self.asking is None and time.monotonic() - self.asked_at >= seconds

    def _begin(self) -> asyncio.Task[None]:
        if self.asking is None:
            self.asked_at = time.monotonic()
            self.asking = asyncio.create_task(self._read())
        return self.asking

    async def _ask(self) -> None:
        """Asks once for all who wait: one of them going away does not end it for the others."""
        await asyncio.shield(self._begin())

    async def _read(self) -> None:
        try:
            raw = await fetched(self.issuer.keys) if self.issuer.remote else _from_file(self.issuer.keys)
            self.known = usable(raw)
            self.read_at = time.monotonic()
        except UnreadableKeysError as error:
            log.warning("the issuer's keys cannot be read", extra={"because": str(error)})
        except Exception:  # whatever an issuer answers, requests go on with the keys that are known
            log.exception("the issuer's keys cannot be read")
        finally:
            self.asking = None


def usable(raw: bytes) -> dict[tuple[str, str], PyJWK]:
    """The keys of a JWKS by name and algorithm; what is no public key for signatures that we take is left out.

    Raises UnreadableKeysError where none is left.
    """
    try:
        told = members(raw).get("keys")
    except ForgedError:
        raise UnreadableKeysError("it is no JSON object") from None
    if not isinstance(told, list) or len(told) > MOST_KEYS:
        raise UnreadableKeysError(f"expected an array of at most {MOST_KEYS} keys")
    found: dict[tuple[str, str], PyJWK] = {}
    for one in told:
        key = _key(one)
        if key is not None:
            found.setdefault((one["kid"], key.algorithm_name), key)
    if not found:
        raise UnreadableKeysError("none of its keys is one for RS256 (2,048 bits or more) or ES256 with a kid")
    return found


def _key(told: Any) -> PyJWK | None:
    if not isinstance(told, dict) or not isinstance(told.get("kid"), str) or not told["kid"]:
        return None
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(told.get("kty")))
    if algorithm is None or told.get("alg", algorithm) != algorithm or told.get("use", "sig") != "sig":
        return None
    if "d" in told:
        return None  # a private key that is published is everybody's
    try:
        if "verify" not in told.get("key_ops", ("verify",)):
            return None
        if algorithm == "RS256" and not _strong(told):
            return None
        if algorithm == "ES256" and told.get("crv") != "P-256":
            return None
        return PyJWK.from_dict(told, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _strong(told: Mapping[str, Any]) -> bool:
    modulus, exponent = (int.from_bytes(base64url_decode(told[name])) for name in ("n", "e"))
    return modulus.bit_length() in RSA_BITS and exponent in RSA_EXPONENTS


def _from_file(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise UnreadableKeysError(f"the file: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise UnreadableKeysError(f"it has more than {LARGEST:,} bytes")
    return raw


async def fetched(url: str) -> bytes:
    """The body of a 200 answer, within FETCH_SECONDS and LARGEST; nobody is followed elsewhere.

    Raises UnreadableKeysError.
    """
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            return await _got(url)
    except TimeoutError:
        raise UnreadableKeysError(f"no whole answer within {FETCH_SECONDS:g} s") from None
    except (OSError, ssl.CertificateError) as error:
        raise UnreadableKeysError(f"no connection: {type(error).__name__}") from None
    except httptools.HttpParserError:
        raise UnreadableKeysError("no answer as of HTTP") from None


async def _got(url: str) -> bytes:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if secure else 80), ssl=ssl.create_default_context() if secure else None
    )
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: strata\r\nConnection: close\r\n\r\n".encode()
        )
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.whole and (part := await reader.read(65_536)):
            answer.take(len(part))
            parser.feed_data(part)
        if not answer.whole:
            raise UnreadableKeysError("the answer ended early")
        if parser.get_status_code() != 200:
            raise UnreadableKeysError(f"the answer is {parser.get_status_code()}")
        return b"".join(answer.parts)
    finally:
        writer.transport.abort()


class _Answer:
    """What the parser of an answer tells."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.taken = 0
        self.whole = False

    def take(self, length: int) -> None:
        """Count what came, headers included."""
        self.taken += length
        if self.taken > LARGEST:
            raise UnreadableKeysError(f"it has more than {LARGEST:,} bytes")

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self.parts.append(part)

    def on_message_complete(self) -> None:
        """The end."""
        self.whole = True
