"""Reading tokens: nothing that anybody can send does more than be refused."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.tokens import Claims, ForgedError, Header, Issuer, claims, header, members

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ISSUER = Issuer("https://login.example", "strata", "https://login.example/jwks")
SAID: dict[str, Any] = {
    "iss": "https://login.example", "aud": "strata", "exp": NOW.timestamp() + 60, "email": "ada@example.com", "email_verified": True,
    "workspace": "acme",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.sampled_from(("alg", "kid", "typ", "crit", "jwk", "x"))


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_good_token_is_read() -> None:
    parts = [
        b64(json.dumps({"alg": "ES256", "kid": "k/1", "typ": "at+JWT", "x5t": "a"}).encode()),
        b64(b"{}"),
        b64(b"s"),
    ]
    assert header(".".join(parts)) == Header("ES256", "k/1")
    assert claims(json.dumps(SAID).encode(), ISSUER, NOW) == Claims(
        "ada@example.com", "acme", datetime(2026, 11, 22, 12, 1, tzinfo=UTC)
    )


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,12}(\.[A-Za-z0-9_-]{0,12}){0,4}", fullmatch=True))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(ForgedError):
        header(text)


@given(st.dictionaries(HEADERS, JSON | st.sampled_from(("RS256", "none", "JWT", "k")), max_size=5))
def test_a_header_is_read_or_refused(told: dict[str, Any]) -> None:
    try:
        found = header(f"{b64(json.dumps(told).encode())}.e30.cw")
    except ForgedError:
        return
    assert (found.algorithm, found.kid) == (told["alg"], told["kid"])
    assert not {"crit", "jwk"} & told.keys()


@given(st.dictionaries(st.sampled_from((*SAID, "nbf", "iat", "cnf")), JSON, max_size=4))
def test_claims_are_read_or_refused(change: dict[str, Any]) -> None:
    try:
        found = claims(json.dumps({**SAID, **change}).encode(), ISSUER, NOW)
    except ForgedError:
        return
    assert found.user == {**SAID, **change}["email"]
    assert {**SAID, **change}["email_verified"] is True


@given(st.binary(max_size=200))
def test_bytes_are_members_or_refused(raw: bytes) -> None:
    try:
        told = members(raw)
    except ForgedError:
        return
    assert json.loads(raw) == told


@pytest.mark.parametrize(
    "raw",
    [b'{"a": 1, "a": 1}', b'{"x": {"a": 1, "a": 2}}', b'[{"a": 1, "a": 2}]', b'{"a": Infinity}', b"\xef\xbb\xbf{}"],
)
def test_what_two_readers_could_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(ForgedError):
        members(raw)
