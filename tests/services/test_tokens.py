"""JWTs: who one stands for, whose are believed, and how sparingly the issuer's keys are asked for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Unauthenticated, Unavailable
from app.domain.tokens import LEEWAY_SECONDS, addressable
from app.persistence.database import Database
from app.services import jwks, keys, tokens
from app.settings import SettingsError, read
from tests.forgeries import FORGERIES, PUBLISHED
from tests.issuers import LocalIssuer, b64, ec_pair, issuing, rsa_pair
from tests.services.organisations import Organisation, organisation


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalIssuer]:
    with issuing() as made:
        yield made


@pytest.fixture
async def issuer(shared: LocalIssuer, db: Database) -> AsyncIterator[LocalIssuer]:
    """An issuer that the service believes, and that nobody has asked yet."""
    shared.jwks, shared.answer, shared.delay, shared.asked = [shared.rsa.public, shared.ec.public], None, 0.0, 0
    keys.forget(db)
    yield shared
    tokens.distrust(db)


@pytest.fixture
async def org(db: Database) -> Organisation:
    return await organisation(db)


def now() -> datetime:
    return datetime.now(UTC)


def claims(issuer: LocalIssuer, org: Organisation, who: str = "csm", **more: Any) -> dict[str, Any]:
    return issuer.claims(f"{who}@example.com", org.workspace.slug, **more)


async def refused(db: Database, token: str, at: datetime | None = None) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await tokens.authenticate(db, token, at or now())
    assert caught.value.presented


async def test_a_token_says_who_and_the_tables_say_what(issuer: LocalIssuer, org: Organisation) -> None:
    tokens.trust(org.db, issuer.issuer)
    for pair in (issuer.rsa, issuer.ec):
        told = claims(issuer, org, role="admin", roles=["admin"], scope="write", team="x")
        principal = await tokens.authenticate(org.db, issuer.token(told, pair), now())
        assert (principal.role, principal.user_id, principal.scopes) == ("csm", org.user("csm"), frozenset())
        assert principal.workspace == org.workspace
        assert principal.person is not None
        assert set(principal.person.team) == {org.user("csm"), org.user("other")}
        assert principal.credential_id == org.user("csm")


async def test_a_workspace_is_named_by_slug_or_id_and_an_audience_may_be_one_of_several(
    issuer: LocalIssuer, org: Organisation
) -> None:
    tokens.trust(org.db, issuer.issuer)
    for more in ({"workspace": str(org.workspace.id)}, {"aud": ["billing", "strata"]}, {"email": "CSM@Example.com"}):
        found = await tokens.authenticate(org.db, issuer.token({**claims(issuer, org), **more}), now())
        assert (found.user_id, found.workspace.id) == (org.user("csm"), org.workspace.id)


async def test_another_claim_names_users_by_external_id_and_never_by_address(
    issuer: LocalIssuer, org: Organisation
) -> None:
    tokens.trust(org.db, replace(issuer.issuer, user_claim="sub", workspace_claim="https://example.com/org"))
    told = claims(issuer, org, sub="manager", **{"https://example.com/org": org.workspace.slug}, email_verified=False)
    assert (await tokens.authenticate(org.db, issuer.token(told), now())).user_id == org.user("manager")
    await refused(org.db, issuer.token({**told, "sub": "manager@example.com"}))


async def test_whoever_believes_no_issuer_refuses_every_token(issuer: LocalIssuer, org: Organisation) -> None:
    good = issuer.token(claims(issuer, org))
    await refused(org.db, good)
    tokens.trust(org.db, issuer.issuer)
    await tokens.authenticate(org.db, good, now())
    tokens.distrust(org.db)
    await refused(org.db, good)
    assert issuer.asked == 1


@pytest.mark.parametrize("what", FORGERIES)
async def test_what_is_forged_is_refused(issuer: LocalIssuer, org: Organisation, what: str) -> None:
    issuer.jwks += PUBLISHED
    tokens.trust(org.db, issuer.issuer)
    good = claims(issuer, org)
    await tokens.authenticate(org.db, issuer.token(good), now())
    await refused(org.db, FORGERIES[what](issuer, good))


async def test_a_user_of_one_workspace_is_nobody_in_another(issuer: LocalIssuer, org: Organisation) -> None:
    tokens.trust(org.db, issuer.issuer)
    other = await organisation(org.db)
    await org.run("UPDATE users SET email = 'one@ours.example' WHERE workspace_id = $1 AND id = $2", org.user("csm"))
    told = issuer.claims("one@ours.example", org.workspace.slug)
    assert (await tokens.authenticate(org.db, issuer.token(told), now())).user_id == org.user("csm")
    for workspace in (other.workspace.slug, str(other.workspace.id)):
        await refused(org.db, issuer.token({**told, "workspace": workspace}))


async def test_a_token_lasts_until_its_end_and_a_little_longer(issuer: LocalIssuer, org: Organisation) -> None:
    tokens.trust(org.db, issuer.issuer)
    begins = now()
    ends = begins + timedelta(minutes=1)
    token = issuer.token(claims(issuer, org, exp=ends.timestamp(), nbf=begins.timestamp() + LEEWAY_SECONDS - 1))
    last = ends + timedelta(seconds=LEEWAY_SECONDS)
    await tokens.authenticate(org.db, token, begins)
    await tokens.authenticate(org.db, token, last - timedelta(milliseconds=1))
    await refused(org.db, token, last)


async def test_what_changes_of_a_user_is_known_within_a_second(issuer: LocalIssuer, org: Organisation) -> None:
    elsewhere = await Database.open(org.db.dsn, size=1)
    tokens.trust(elsewhere, issuer.issuer)
    token = issuer.token(claims(issuer, org, "manager"))
    assert (await tokens.authenticate(elsewhere, token, now())).role == "manager"
    await org.run("UPDATE users SET role = 'viewer' WHERE workspace_id = $1 AND id = $2", org.user("manager"))
    await asyncio.sleep(keys.FRESH_SECONDS)
    assert (await tokens.authenticate(elsewhere, token, now())).role == "viewer"
    await org.run("UPDATE users SET is_active = false WHERE workspace_id = $1 AND id = $2", org.user("manager"))
    await asyncio.sleep(keys.FRESH_SECONDS)
    await refused(elsewhere, token)
    tokens.distrust(elsewhere)
    await elsewhere.close()


# -- the issuer's keys -------------------------------------------------------------------------------------------------


async def test_many_at_once_ask_the_issuer_once(issuer: LocalIssuer, org: Organisation) -> None:
    issuer.delay = 0.2
    tokens.trust(org.db, issuer.issuer)
    good = [issuer.token(claims(issuer, org, jti=str(n))) for n in range(20)]
    gone = asyncio.create_task(tokens.authenticate(org.db, good[0], now()))
    await asyncio.sleep(0.05)
    gone.cancel()
    found = await asyncio.gather(*(tokens.authenticate(org.db, token, now()) for token in good))
    assert {one.user_id for one in found} == {org.user("csm")}
    assert issuer.asked == 1


async def test_forged_names_of_keys_make_nobody_hammer_the_issuer(
    issuer: LocalIssuer, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.trust(org.db, issuer.issuer)
    told = claims(issuer, org)
    await tokens.authenticate(org.db, issuer.token(told), now())
    for n in range(50):
        await refused(org.db, issuer.token(told, replace(issuer.rsa, kid=f"forged-{n}")))
    assert issuer.asked == 1
    monkeypatch.setattr(jwks, "UNKNOWN_SECONDS", 0.3)
    await asyncio.sleep(0.3)
    for n in range(50):
        await refused(org.db, issuer.token(told, replace(issuer.rsa, kid=f"forged-{n}")))
    assert issuer.asked == 2


async def test_a_new_key_is_found_and_an_old_one_forgotten(
    issuer: LocalIssuer, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.trust(org.db, issuer.issuer)
    told, fresh = claims(issuer, org), ec_pair("ec-2")
    await tokens.authenticate(org.db, issuer.token(told), now())
    issuer.jwks = [fresh.public]
    await refused(org.db, issuer.token(told, fresh))
    monkeypatch.setattr(jwks, "UNKNOWN_SECONDS", 0.0)
    await tokens.authenticate(org.db, issuer.token(told, fresh), now())
    await refused(org.db, issuer.token({**told, "jti": "2"}))


async def test_keys_grow_old_beside_the_requests_that_use_them(
    issuer: LocalIssuer, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.trust(org.db, issuer.issuer)
    told = claims(issuer, org)
    await tokens.authenticate(org.db, issuer.token(told), now())
    issuer.jwks, issuer.delay = [issuer.ec.public], 0.2
    for name in ("FRESH_SECONDS", "UNKNOWN_SECONDS"):
        monkeypatch.setattr(jwks, name, 0.0)
    began = time.monotonic()
    await tokens.authenticate(org.db, issuer.token({**told, "jti": "2"}), now())
    assert time.monotonic() - began < 0.2
    await asyncio.sleep(0.4)
    await refused(org.db, issuer.token({**told, "jti": "3"}))


async def test_an_issuer_that_is_down_is_believed_for_a_day(
    issuer: LocalIssuer, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.trust(org.db, issuer.issuer)
    told = claims(issuer, org)
    await tokens.authenticate(org.db, issuer.token(told), now())
    issuer.answer = (503, {}, b"")
    for name in ("FRESH_SECONDS", "UNKNOWN_SECONDS"):
        monkeypatch.setattr(jwks, name, 0.0)
    for n in range(3):
        await tokens.authenticate(org.db, issuer.token({**told, "jti": f"a{n}"}), now())
        await asyncio.sleep(0.05)
    assert issuer.asked > 1
    monkeypatch.setattr(jwks, "STALE_SECONDS", 0.0)
    with pytest.raises(Unavailable):
        await tokens.authenticate(org.db, issuer.token({**told, "jti": "b"}), now())


BODY = json.dumps({"keys": [{"kid": "rsa-1"}]}).encode()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (500, {}, BODY), (204, {}, b""), (302, {"Location": "/elsewhere"}, BODY), (200, {}, b""), (200, {}, b"<html>"),
        (200, {}, b"[]"), (200, {}, b'{"keys": {}}'), (200, {}, b'{"keys": []}'), (200, {}, BODY), (200, {}, b"\xff"),
        (200, {}, b'{"keys": [], "keys": []}'), (200, {"Content-Length": "900000"}, BODY),
        (200, {"Content-Length": "none"}, BODY), (200, {}, b'{"keys": [], "x": "' + b"x" * jwks.LARGEST + b'"}'),
        (200, {}, json.dumps({"keys": [None, 1, [], "x", {}] * 21}).encode()), (200, {}, b"[" * 100_000),
    ],
)  # fmt: skip
async def test_an_answer_without_keys_is_none(
    issuer: LocalIssuer, org: Organisation, status: int, headers: dict[str, str], body: bytes
) -> None:
    issuer.answer = (status, headers, body)
    tokens.trust(org.db, issuer.issuer)
    began = time.monotonic()
    for n in range(3):
        with pytest.raises(Unavailable, match="issuer's keys"):
            await tokens.authenticate(org.db, issuer.token(claims(issuer, org, jti=str(n))), now())
    assert issuer.asked == 1
    assert time.monotonic() - began < jwks.FETCH_SECONDS


async def test_nobody_waits_for_ever(issuer: LocalIssuer, org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.2)
    issuer.delay = 1.0
    tokens.trust(org.db, issuer.issuer)
    with pytest.raises(Unavailable):
        await tokens.authenticate(org.db, issuer.token(claims(issuer, org)), now())
    with pytest.raises(jwks.UnreadableKeysError, match="connection"):
        await jwks.fetched("http://127.0.0.1:9/jwks")
    with pytest.raises(jwks.UnreadableKeysError, match="connection"):
        await jwks.fetched(issuer.url.replace("http:", "https:"))


async def test_chunks_are_read(org: Organisation) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n')
        await writer.drain()
        writer.write(b'4\r\n": 1\r\n1\r\n}\r\n0\r\n\r\n')
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await jwks.fetched(f"http://127.0.0.1:{port}/") == b'{"a": 1}'


async def test_keys_may_lie_in_a_file(issuer: LocalIssuer, org: Organisation, tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": issuer.jwks}))
    tokens.trust(org.db, replace(issuer.issuer, keys=str(path)))
    await tokens.authenticate(org.db, issuer.token(claims(issuer, org)), now())
    tokens.trust(org.db, replace(issuer.issuer, keys=str(tmp_path / "none")))
    with pytest.raises(Unavailable):
        await tokens.authenticate(org.db, issuer.token(claims(issuer, org, jti="2")), now())
    assert issuer.asked == 0


GOOD = rsa_pair("k").public


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True), ({"alg": ...}, True), ({"use": ...}, True), ({"key_ops": ["verify"]}, True), ({"x5t": "a"}, True),
        ({"kid": ...}, False), ({"kid": ""}, False), ({"kid": 1}, False), ({"kty": "oct"}, False), ({"kty": "OKP"}, False),
        ({"kty": "EC"}, False), ({"kty": ["RSA"]}, False), ({"alg": "HS256"}, False), ({"alg": "RS512"}, False),
        ({"alg": "ES256"}, False), ({"use": "enc"}, False), ({"key_ops": ["sign"]}, False), ({"key_ops": 1}, False),
        ({"d": "AQAB"}, False), ({"e": "Aw"}, False), ({"e": b64(b"\x01" * 5)}, False), ({"e": ""}, False),
        ({"e": 65_537}, False), ({"n": ...}, False), ({"n": b64(b"\xff" * 255)}, False), ({"n": b64(b"\xff" * 1_025)}, False),
        ({"n": "!"}, False),
    ],
)  # fmt: skip
def test_a_key_is_one_that_we_can_verify_by(change: dict[str, Any], taken: bool) -> None:
    told = {name: value for name, value in {**GOOD, **change}.items() if value is not ...}
    raw = json.dumps({"keys": [told, ec_pair("other").public]}).encode()
    assert ({"k", "other"} if taken else {"other"}) == {kid for kid, _ in jwks.usable(raw)}


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://login.example/jwks", True), ("https://login.example:8443/a/b?x=1", True),
        ("http://127.0.0.1:80/jwks", True), ("http://localhost/jwks", True), ("http://[::1]:1/jwks", True),
        ("http://login.example/jwks", False), ("https://user:pass@login.example/jwks", False), ("file:///etc/passwd", False),
        ("ftp://login.example/", False), ("https://", False), ("https://login.example/#a", False), ("login.example", False),
        ("https://login.example/a b", False), ("https://login.example:99999/", False), ("https://[::1/", False),
        ("http://127.0.0.1.evil.example/", False), ("https://login.example/\r\nX: 1", False),
    ],
)  # fmt: skip
def test_keys_come_by_https_or_from_this_machine(url: str, fine: bool) -> None:
    assert addressable(url) == fine


URL = "https://login.example/jwks"
ISSUER = {"STRATA_JWT_ISSUER": "https://login.example", "STRATA_JWT_AUDIENCE": "strata"}


@pytest.mark.parametrize(
    "told",
    [
        ISSUER, {"STRATA_JWT_JWKS_URL": URL}, {"STRATA_JWT_ISSUER": "x", "STRATA_JWT_JWKS_URL": URL},
        {**ISSUER, "STRATA_JWT_JWKS_URL": URL, "STRATA_JWT_JWKS_FILE": "/x"}, {"STRATA_JWT_USER_CLAIM": "sub"},
        {**ISSUER, "STRATA_JWT_JWKS_URL": "http://login.example/jwks"}, {**ISSUER, "STRATA_JWT_JWKS_FILE": "/none"},
    ],
)  # fmt: skip
def test_an_issuer_that_is_told_by_halves_is_refused(told: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="STRATA_JWT"):
        read({"STRATA_DATA_DIR": str(tmp_path), **told})


def test_an_issuer_is_told_by_settings(tmp_path: Path) -> None:
    told = {"STRATA_DATA_DIR": str(tmp_path), **ISSUER, "STRATA_JWT_JWKS_URL": URL}
    assert read({"STRATA_DATA_DIR": str(tmp_path)}).issuer is None
    made = read(told).issuer
    assert made is not None
    assert (made.name, made.keys, made.user_claim, made.workspace_claim) == (
        "https://login.example", URL, "email", "workspace",
    )  # fmt: skip
    other = read({**told, "STRATA_JWT_USER_CLAIM": "sub", "STRATA_JWT_WORKSPACE_CLAIM": "tid"}).issuer
    assert other is not None
    assert (other.user_claim, other.workspace_claim) == ("sub", "tid")
