"""Tokens that are not the issuer's, or not for us: what is forged, and the token, made from a good one's claims."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.issuers import LocalIssuer, Pair, b64, compact, ec_pair, hmac, rsa_pair

Claims = dict[str, Any]
Forge = Callable[[LocalIssuer, Claims], str]

ROGUE, ROGUE_EC = rsa_pair("rsa-1"), ec_pair("ec-1")
WEAK, ENCRYPTING, LEAKED = rsa_pair("weak", 1_024), rsa_pair("encrypting"), rsa_pair("leaked")
P384 = ec_pair("p384", ec.SECP384R1())
PUBLISHED = (
    WEAK.public,
    {**ENCRYPTING.public, "use": "enc"},
    {**LEAKED.public, "d": "AQAB"},
    {**P384.public, "alg": "ES384"},
    {"kty": "oct", "kid": "shared", "k": b64(b"s" * 32), "alg": "HS256"},
)
"""Keys in the issuer's set with which nothing may be signed."""


def _header(**members: Any) -> Forge:
    """The good key's signature under another header; a member told as `...` is left out."""

    def forge(issuer: LocalIssuer, claims: Claims) -> str:
        told = {"alg": "RS256", "kid": issuer.rsa.kid, "typ": "JWT", **members}
        return compact({name: value for name, value in told.items() if value is not ...}, claims, issuer.rsa.sign)

    return forge


def _raw_header(text: str) -> Forge:
    return lambda issuer, claims: compact(text.encode(), claims, issuer.rsa.sign)


def _said(**members: Any) -> Forge:
    """A well signed token that says something else."""

    def forge(issuer: LocalIssuer, claims: Claims) -> str:
        told = {**claims, **members}
        return issuer.token({name: value for name, value in told.items() if value is not ...})

    return forge


def _raw_claims(change: Callable[[str], str]) -> Forge:
    def forge(issuer: LocalIssuer, claims: Claims) -> str:
        header = {"alg": "RS256", "kid": issuer.rsa.kid}
        return compact(header, change(json.dumps(claims)).encode(), issuer.rsa.sign)

    return forge


def _at(**seconds: float) -> Forge:
    """A well signed token whose moments are so many seconds from now."""
    return lambda issuer, claims: issuer.token({**claims, **{name: time.time() + s for name, s in seconds.items()}})


def _shared_secret(secret: Callable[[LocalIssuer], bytes], kid: str = "rsa-1") -> Forge:
    return lambda issuer, claims: compact({"alg": "HS256", "kid": kid}, claims, hmac(secret(issuer)))


def _public(issuer: LocalIssuer, encoding: serialization.Encoding) -> bytes:
    key = issuer.rsa.private.public_key()
    return key.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def _signed(algorithm: str, sign: Callable[[LocalIssuer, bytes], bytes], kid: str = "rsa-1") -> Forge:
    return lambda issuer, claims: compact({"alg": algorithm, "kid": kid}, claims, lambda text: sign(issuer, text))


def _rsa(issuer: LocalIssuer) -> rsa.RSAPrivateKey:
    assert isinstance(issuer.rsa.private, rsa.RSAPrivateKey)
    return issuer.rsa.private


def _ec(issuer: LocalIssuer) -> ec.EllipticCurvePrivateKey:
    assert isinstance(issuer.ec.private, ec.EllipticCurvePrivateKey)
    return issuer.ec.private


def _by(pair: Pair, kid: str | None = None, **header: Any) -> Forge:
    members = {"alg": pair.algorithm, "kid": kid or pair.kid, **header}
    return lambda _, claims: compact(members, claims, pair.sign)


def _bent(change: Callable[[str, str, str], str]) -> Forge:
    """A good token whose three parts are put together otherwise."""
    return lambda issuer, claims: change(*issuer.token(claims).split("."))


def _flipped(part: str) -> str:
    return part[:20] + ("A" if part[20] != "A" else "B") + part[21:]


def _loose(part: str) -> str:
    """The same bytes with other bits after their end."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + letters[letters.index(part[-1]) ^ 1]


DIGEST = hashes.SHA256()
PSS = padding.PSS(padding.MGF1(DIGEST), 32)

FORGERIES: dict[str, Forge] = {
    # which algorithm, which key
    "no algorithm, no signature": lambda i, c: compact({"alg": "none", "kid": "rsa-1"}, c, lambda _: b""),
    "no algorithm, in other letters": lambda i, c: compact({"alg": "nOnE", "kid": "rsa-1"}, c, lambda _: b""),
    "no algorithm, a good signature": _header(alg="none"),
    "algorithm left out": _header(alg=...),
    "algorithm null": _header(alg=None),
    "algorithm an array": _header(alg=["RS256"]),
    "HMAC with the public key as PEM": _shared_secret(lambda i: _public(i, serialization.Encoding.PEM)),
    "HMAC with the public key as DER": _shared_secret(lambda i: _public(i, serialization.Encoding.DER)),
    "HMAC with the public key as JWK": _shared_secret(lambda i: json.dumps(i.rsa.public).encode()),
    "HMAC with nothing": _shared_secret(lambda _: b""),
    "HMAC with a secret of the issuer's own set": _shared_secret(lambda _: b"s" * 32, "shared"),
    "RS384 by the right key": _signed("RS384", lambda i, t: _rsa(i).sign(t, padding.PKCS1v15(), hashes.SHA384())),
    "PS256 by the right key": _signed("PS256", lambda i, t: _rsa(i).sign(t, PSS, DIGEST)),
    "PS256 that says RS256": _signed("RS256", lambda i, t: _rsa(i).sign(t, PSS, DIGEST)),
    "ES256 under the name of the RSA key": _signed("ES256", lambda i, t: i.ec.sign(t)),
    "RS256 under the name of the EC key": _signed("RS256", lambda i, t: i.rsa.sign(t), "ec-1"),
    "another curve": _by(P384, alg="ES384"),
    "another curve that says ES256": _by(P384),
    "EdDSA": _header(alg="EdDSA"),
    "somebody else's RSA key under the name of ours": _by(ROGUE),
    "somebody else's EC key under the name of ours": _by(ROGUE_EC),
    "somebody else's key under a new name": _by(ROGUE, "rsa-2"),
    "a key of 1,024 bits in the set": _by(WEAK),
    "a key for encryption in the set": _by(ENCRYPTING),
    "a key whose private part is in the set": _by(LEAKED),
    # how the key is named
    "no name of a key": _header(kid=...),
    "an empty name of a key": _header(kid=""),
    "a number for a name of a key": _header(kid=1),
    "a path for a name of a key": _shared_secret(lambda _: b"", "../../../../dev/null"),
    "SQL for a name of a key": _header(kid="x' UNION SELECT 'rsa-1"),
    "NUL behind the name of the key": _header(kid="rsa-1\0"),
    "a long name of a key": _header(kid="r" * 300),
    # what the header brings along
    "a key of its own": _by(ROGUE, jwk=ROGUE.public),
    "an address of keys": _header(jku="http://127.0.0.1:9/jwks"),
    "an address of certificates": _header(x5u="http://127.0.0.1:9/x5u"),
    "a certificate": _by(ROGUE, x5c=["MIIB"]),
    "something critical that nobody knows": _header(crit=["exp"], exp=1),
    "something critical that is not there": _header(crit=["b64"]),
    "nothing critical": _header(crit=[]),
    "a payload that is not encoded": _header(crit=["b64"], b64=False),
    "a compressed payload": _header(zip="DEF"),
    "a token within the token": _header(cty="JWT"),
    "a token for logging out": _header(typ="logout+jwt"),
    "a proof of possession": _header(typ="dpop+jwt"),
    "the algorithm twice": _raw_header('{"alg": "none", "kid": "rsa-1", "alg": "RS256"}'),
    "the key twice": _raw_header('{"alg": "RS256", "kid": "rsa-9", "kid": "rsa-1"}'),
    "a header that is an array": _raw_header('["RS256"]'),
    "a header that is no JSON": _raw_header('{"alg": "RS256", "kid": "rsa-1"'),
    "a header that is no UTF-8": lambda i, c: compact(b'{"alg": "RS256", "kid": "rsa-1", "x": "\xff"}', c, i.rsa.sign),
    "a deep header": _raw_header('{"alg": "RS256", "kid": "rsa-1", "x": ' + "[" * 2_500 + "]" * 2_500 + "}"),
    # the signature
    "no signature": _bent(lambda h, p, s: f"{h}.{p}."),
    "half a signature": _bent(lambda h, p, s: f"{h}.{p}.{s[: len(s) // 2]}"),
    "a signature with another letter": _bent(lambda h, p, s: f"{h}.{p}.{_flipped(s)}"),
    "another payload under the signature": _bent(lambda h, p, s: f"{h}.{_flipped(p)}.{s}"),
    "an ES256 signature of zeros": lambda i, c: compact({"alg": "ES256", "kid": "ec-1"}, c, lambda _: bytes(64)),
    "an ES256 signature as DER": _signed("ES256", lambda i, t: _ec(i).sign(t, ec.ECDSA(DIGEST)), "ec-1"),
    "an ES256 signature that is too long": _signed("ES256", lambda i, t: bytes(2) + i.ec.sign(t), "ec-1"),
    # how it is written
    "two parts": _bent(lambda h, p, s: f"{h}.{p}"),
    "five parts": _bent(lambda h, p, s: f"{h}.{p}.{s}.{s}.{s}"),
    "empty parts": lambda *_: "..",
    "padding": _bent(lambda h, p, s: f"{h}.{p}.{s}=="),
    "loose bits behind the signature": _bent(lambda h, p, s: f"{h}.{p}.{_loose(s)}"),
    "letters of another alphabet": _bent(lambda h, p, s: f"{h}.{p}.+/{s[2:]}"),
    "a letter that is not ASCII": _bent(lambda h, p, s: f"{h}.{p}.{s[:-1]}\u00e9"),
    "more than 8,192 characters": _said(x="x" * 8_192),
    # when
    "expired": _at(exp=-31),
    "no end": _said(exp=...),
    "an end as text": lambda i, c: i.token({**c, "exp": str(c["exp"])}),
    "an end that is true": _said(exp=True),
    "an end beyond every number": _raw_claims(lambda t: t.replace('"exp": ', '"exp": 1e400, "end": ')),
    "an end of many digits": _raw_claims(lambda t: t.replace('"exp": ', f'"exp": 1{"0" * 400}, "end": ')),
    "an end that is no number": _raw_claims(lambda t: t.replace('"exp": ', '"exp": NaN, "end": ')),
    "not yet begun": _at(nbf=60),
    "a beginning that is null": _said(nbf=None),
    "issued tomorrow": _at(iat=86_400),
    # by whom, for whom
    "another issuer": _said(iss="https://evil.example"),
    "an issuer with a slash more": _said(iss="https://login.example/"),
    "no issuer": _said(iss=...),
    "an array of issuers": _said(iss=["https://login.example"]),
    "another audience": _said(aud="billing"),
    "no audience": _said(aud=...),
    "an audience that begins like ours": _said(aud="strata-admin"),
    "an empty array of audiences": _said(aud=[]),
    "audiences that are not all text": _said(aud=["strata", 1]),
    "an audience within an object": _said(aud={"strata": True}),
    "a token bound to a key of its bearer's": _said(cnf={"jkt": "x"}),
    # whom it names
    "an address that is not verified": _said(email_verified=False),
    "an address verified in words": _said(email_verified="true"),
    "an address of which nothing is said": _said(email_verified=...),
    "no address": _said(email=...),
    "an address that nobody has": _said(email="nobody@ours.example"),
    "an empty address": _said(email=""),
    "addresses in an array": lambda i, c: i.token({**c, "email": [c["email"]]}),
    "a pattern for an address": _said(email="%"),
    "NUL in the address": lambda i, c: i.token({**c, "email": f"{c['email']}\0"}),
    "half a character in the address": lambda i, c: i.token({**c, "email": f"{c['email']}\ud800"}),
    "the address twice": _raw_claims(lambda t: t.replace('"email": ', '"email": "viewer@ours.example", "email": ')),
    "a letter that folds to one of the address": lambda i, c: i.token({**c, "email": c["email"].replace("s", "\u017f")}),
    "no workspace": _said(workspace=...),
    "a workspace that is not there": _said(workspace="nowhere"),
    "a workspace as a number": _said(workspace=1),
    "a workspace as a path": _said(workspace="../ours"),
    "a workspace of other letters": lambda i, c: i.token({**c, "workspace": str(c["workspace"]).title()}),
    "an id that no workspace has": _said(workspace="00000000-0000-7000-8000-000000000000"),
    "claims that are an array": _raw_claims(lambda t: f"[{t}]"),
    "claims that are no JSON": _raw_claims(lambda t: t[:-1]),
    "deep claims": _raw_claims(lambda t: t[:-1] + ', "x": ' + "[" * 2_000 + "]" * 2_000 + "}"),
}  # fmt: skip
