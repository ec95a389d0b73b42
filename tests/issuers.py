"""An issuer of JWTs on this machine: its keys, its JWKS over HTTP, and tokens signed in any way that is asked for."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.domain.tokens import Issuer

NAME, AUDIENCE = "https://login.example", "strata"
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Pair:
    """A key pair under a name."""

    kid: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def algorithm(self) -> str:
        """What it signs with."""
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    def sign(self, text: bytes) -> bytes:
        """The signature of RS256, or of ES256."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        size = (self.private.curve.key_size + 7) // 8
        r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(size) + s.to_bytes(size)

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a JWK."""
        told: dict[str, Any] = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        numbers = self.private.public_key().public_numbers()
        if isinstance(numbers, rsa.RSAPublicNumbers):
            return {**told, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        size = (numbers.curve.key_size + 7) // 8
        curve = {"secp256r1": "P-256", "secp384r1": "P-384"}[numbers.curve.name]
        return {
            **told,
            "kty": "EC",
            "crv": curve,
            "x": b64(numbers.x.to_bytes(size)),
            "y": b64(numbers.y.to_bytes(size)),
        }


def rsa_pair(kid: str, bits: int = 2_048) -> Pair:
    """A new RSA pair."""
    return Pair(kid, rsa.generate_private_key(65_537, bits))


def ec_pair(kid: str, curve: ec.EllipticCurve | None = None) -> Pair:
    """A new pair on P-256, or on another curve."""
    return Pair(kid, ec.generate_private_key(curve or ec.SECP256R1()))


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    """A number as JWKs have it."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def hmac(secret: bytes) -> Sign:
    """The signature of HS256."""
    return lambda text: digest(secret, text, sha256)


def compact(header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes, sign: Sign) -> str:
    """A token of these bytes, or of these values as JSON."""
    parts = [b64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, payload)]
    signed = ".".join(parts)
    return f"{signed}.{b64(sign(signed.encode()))}"


@dataclass
class LocalIssuer:
    """What the issuer serves under `url`, and how often it was `asked`. `answer` replaces its answer: status, headers,
    body; it waits `delay` seconds."""

    url: str = ""
    rsa: Pair = field(default_factory=lambda: rsa_pair("rsa-1"))
    ec: Pair = field(default_factory=lambda: ec_pair("ec-1"))
    jwks: list[Any] = field(default_factory=list)
    answer: tuple[int, dict[str, str], bytes] | None = None
    delay: float = 0.0
    asked: int = 0

    def __post_init__(self) -> None:
        self.jwks = [self.rsa.public, self.ec.public]

    @property
    def issuer(self) -> Issuer:
        """How a service is told to believe it."""
        return Issuer(NAME, AUDIENCE, self.url)

    def claims(self, user: str, workspace: str, **more: Any) -> dict[str, Any]:
        """What a good token says; a member told as `...` is left out."""
        now = time.time()
        told = {
            "iss": NAME, "aud": AUDIENCE, "sub": "s-1", "email": user, "email_verified": True, "workspace": workspace,
            "iat": now, "exp": now + 300, **more,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value is not ...}

    def token(self, claims: Mapping[str, Any], pair: Pair | None = None) -> str:
        """A good token."""
        pair = pair or self.rsa
        return compact({"alg": pair.algorithm, "kid": pair.kid, "typ": "JWT"}, claims, pair.sign)

    def served(self) -> tuple[int, dict[str, str], bytes]:
        """What a request for the keys is answered."""
        return self.answer or (200, {}, json.dumps({"keys": self.jwks}).encode())


@contextmanager
def issuing() -> Iterator[LocalIssuer]:
    """An issuer that answers on a free port."""
    made = LocalIssuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            status, headers, body = made.served()
            time.sleep(made.delay)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test tells."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/jwks"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()
