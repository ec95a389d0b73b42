"""Keys and tokens at the doors of a real server of two workers: forged ones, rotated ones, revoked ones, used ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.main import USES_SECONDS
from app.persistence.database import Database
from app.services import keys
from tests.api.conftest import House, client, furnished
from tests.forgeries import FORGERIES, PUBLISHED
from tests.issuers import AUDIENCE, NAME, LocalIssuer, issuing
from tests.servers import Cluster, Server, start_server, stop_process

WORKERS = 2
QUERY = {"query": "{ me { role user { email } } }"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    with issuing() as made:
        made.jwks += PUBLISHED
        yield made


@pytest.fixture(scope="module")
async def door(cluster: Cluster, home: Path, issuer: LocalIssuer) -> AsyncIterator[Server]:
    """A server of two workers that believes the issuer."""
    dsn = await cluster.clone()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATA_JWT_ISSUER", NAME)
        patch.setenv("STRATA_JWT_AUDIENCE", AUDIENCE)
        patch.setenv("STRATA_JWT_JWKS_URL", issuer.url)
        started = start_server(dsn, home / "auth", "--workers", str(WORKERS))
    yield started
    stop_process(started.process)
    await cluster.drop(dsn)


@pytest.fixture(scope="module")
async def beside(door: Server) -> AsyncIterator[Database]:
    """The server's database, seen by a third process."""
    db = await Database.open(door.dsn, size=2)
    yield db
    await db.close()


@pytest.fixture(scope="module")
async def ours(door: Server, beside: Database) -> AsyncIterator[House]:
    made = await furnished(beside, door, "Ours")
    yield made
    for each in made.clients.values():
        await each.aclose()


@pytest.fixture(scope="module")
async def anybody(door: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a credential; each request is a connection of its own, so that either worker may answer."""
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=door.url, timeout=20, limits=limits) as made:
        yield made


async def asked(anybody: httpx.AsyncClient, token: str | None) -> tuple[httpx.Response, httpx.Response]:
    """What both doors answer."""
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode("latin-1"))]
    rest = await anybody.get("/v1/me", headers=headers)
    return rest, await anybody.post("/graphql", json=QUERY, headers=headers)


def told(answer: httpx.Response) -> dict[str, Any]:
    """The problem of an answer, without the request's name."""
    body = answer.json()
    problem = body["errors"][0]["extensions"] if "data" not in body and "type" not in body else body
    return {name: value for name, value in problem.items() if name != "request_id"}


def good(issuer: LocalIssuer, who: str = "viewer", **more: Any) -> dict[str, Any]:
    return issuer.claims(f"{who}@ours.example", "ours", **more)


# -- tokens ------------------------------------------------------------------------------------------------------------


async def test_a_token_opens_both_doors_and_its_roles_open_nothing(
    anybody: httpx.AsyncClient, ours: House, issuer: LocalIssuer
) -> None:
    for pair in (issuer.rsa, issuer.ec):
        token = issuer.token(good(issuer, role="admin", roles=["admin"], scope="write"), pair)
        rest, graphql = await asked(anybody, token)
        assert (rest.status_code, rest.json()["role"], rest.json()["user_id"]) == (
            200,
            "viewer",
            str(ours.users["viewer"]),
        )
        assert graphql.json()["data"]["me"] == {"role": "viewer", "user": {"email": "viewer@ours.example"}}
        denied = await anybody.get("/v1/api-keys", headers={"authorization": f"Bearer {token}"})
        assert (denied.status_code, denied.headers["www-authenticate"]) == (
            403, 'Bearer realm="strata", error="insufficient_scope"',
        )  # fmt: skip


@pytest.mark.parametrize("what", FORGERIES)
async def test_what_is_forged_gets_the_same_answer_at_both_doors(
    anybody: httpx.AsyncClient, ours: House, issuer: LocalIssuer, what: str
) -> None:
    rest, graphql = await asked(anybody, FORGERIES[what](issuer, good(issuer)))
    for answer in (rest, graphql):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="strata", error="invalid_token"'
        assert told(answer) == {
            "type": "/problems/unauthenticated", "title": "A valid credential is needed", "status": 401,
            "detail": "A valid credential is needed: send `Authorization: Bearer <API key or JWT>`.", "errors": [],
        }  # fmt: skip


async def test_the_issuer_was_asked_once_by_each_worker_for_all_of_that(ours: House, issuer: LocalIssuer) -> None:
    # One more each for the names of keys that nobody knows.
    assert issuer.asked <= 2 * WORKERS


async def test_no_credential_is_told_no_more_than_the_scheme(anybody: httpx.AsyncClient, ours: House) -> None:
    rest, graphql = await asked(anybody, None)
    assert (rest.status_code, graphql.status_code) == (401, 401)
    for headers in ({"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
        answer = await anybody.get("/v1/me", headers=headers)
        assert told(answer) == told(rest)
        assert answer.headers["www-authenticate"] == rest.headers["www-authenticate"] == 'Bearer realm="strata"'
    wrong = await anybody.get("/v1/me", headers={"authorization": f"Bearer strata_{'a' * 39}"})
    assert wrong.headers["www-authenticate"] == 'Bearer realm="strata", error="invalid_token"'
    assert told(wrong) == told(rest)


async def test_repetitions_are_known_by_the_person_whatever_the_token(
    anybody: httpx.AsyncClient, ours: House, issuer: LocalIssuer
) -> None:
    made = set()
    for n in range(3):
        token = issuer.token(good(issuer, "admin", jti=str(n)))
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "one account"}
        answer = await anybody.post("/v1/accounts", json={"name": "One"}, headers=headers)
        assert answer.status_code == 201
        made.add(answer.json()["id"])
    assert len(made) == 1


async def test_a_server_that_believes_no_issuer_refuses_good_tokens(
    nobody: httpx.AsyncClient, ours: House, issuer: LocalIssuer
) -> None:
    answer = await nobody.get("/v1/me", headers={"authorization": f"Bearer {issuer.token(good(issuer))}"})
    assert answer.status_code == 401


# -- keys --------------------------------------------------------------------------------------------------------------


async def statuses(anybody: httpx.AsyncClient, token: str, number: int = 12) -> set[int]:
    """What requests on connections of their own are answered, side by side, so that every worker has some."""
    headers = {"authorization": f"Bearer {token}"}
    return {
        a.status_code for a in await asyncio.gather(*(anybody.get("/v1/me", headers=headers) for _ in range(number)))
    }


async def service_key(house: House, **more: Any) -> tuple[str, str]:
    """A new service's key: id and token."""
    body = {"name": "sync", "role": "service", "scopes": ["read"], **more}
    made = await house.admin.post("/v1/api-keys", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"], made.json()["token"]


@pytest.mark.parametrize("by", ["rest", "graphql", "another process"])
async def test_a_revoked_key_opens_nothing_after_a_second(
    anybody: httpx.AsyncClient, ours: House, beside: Database, by: str
) -> None:
    key_id, token = await service_key(ours)
    for _ in range(4):
        assert await statuses(anybody, token) == {200}
    match by:
        case "rest":
            assert (await ours.admin.delete(f"/v1/api-keys/{key_id}")).status_code == 200
        case "graphql":
            document = f'mutation {{ revokeApiKey(id: "{key_id}") {{ apiKey {{ revokedAt }} }} }}'
            answer = await ours.admin.post("/graphql", json={"query": document})
            assert answer.json()["data"]["revokeApiKey"]["apiKey"]["revokedAt"] is not None
        case _:
            await keys.revoke_key(beside, ours.id, UUID(key_id), datetime.now(UTC))
    ended = time.monotonic()
    while time.monotonic() - ended < 1.0:  # keeps every worker's memory of the key warm
        await statuses(anybody, token, 4)
    for _ in range(4):
        assert await statuses(anybody, token) == {401}


async def test_a_rotated_key_has_two_tokens_for_a_while(anybody: httpx.AsyncClient, ours: House) -> None:
    key_id, old = await service_key(ours)
    assert await statuses(anybody, old) == {200}
    again = {"idempotency-key": f"rotate {key_id}"}
    rotated = await ours.admin.post(f"/v1/api-keys/{key_id}/rotate", headers=again)
    told = rotated.json()
    assert (rotated.status_code, told["id"], told["hint"]) == (200, key_id, told["token"][:15])
    until = datetime.fromisoformat(told["overlap_until"]) - datetime.now(UTC)
    assert timedelta(hours=23) < until <= timedelta(hours=24)
    repeated = (await ours.admin.post(f"/v1/api-keys/{key_id}/rotate", headers=again)).json()
    assert repeated == {**told, "token": None}
    assert await statuses(anybody, old) == await statuses(anybody, told["token"]) == {200}
    document = (
        "mutation($id: ID!) { rotateApiKey(id: $id, input: {overlapHours: 0}) { apiKey { token overlapUntil } } }"
    )
    answer = await ours.admin.post("/graphql", json={"query": document, "variables": {"id": key_id}})
    newest = answer.json()["data"]["rotateApiKey"]["apiKey"]
    assert newest["overlapUntil"] is None
    await asyncio.sleep(1.0)
    assert await statuses(anybody, old) == await statuses(anybody, told["token"]) == {401}
    assert await statuses(anybody, newest["token"]) == {200}


async def test_both_doors_show_the_same_keys_page_by_page(ours: House) -> None:
    for _ in range(3):
        await service_key(ours)
    rest: list[Any] = []
    cursor = None
    while cursor is not None or not rest:
        page = (
            await ours.admin.get("/v1/api-keys", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        rest += page["data"]
        cursor = page["page"]["next"]
    document = """query($after: String) { apiKeys(first: 2, after: $after) {
        nodes { id name role userId scopes hint createdAt expiresAt rotatedAt revokedAt token } pageInfo { hasNextPage end: endCursor } } }"""
    graphql: list[Any] = []
    after, more = None, True
    while more:
        answer = await ours.admin.post("/graphql", json={"query": document, "variables": {"after": after}})
        found = answer.json()["data"]["apiKeys"]
        graphql += found["nodes"]
        after, more = found["pageInfo"]["end"], found["pageInfo"]["hasNextPage"]
    assert [one["id"] for one in rest] == [one["id"] for one in graphql]
    assert [(one["user_id"], one["hint"], one["created_at"], one["token"]) for one in rest] == [
        (one["userId"], one["hint"], one["createdAt"], one["token"]) for one in graphql
    ]
    single = await ours.admin.post("/graphql", json={"query": f'{{ apiKey(id: "{rest[-1]["id"]}") {{ id hint }} }}'})
    assert single.json()["data"]["apiKey"] == {"id": rest[-1]["id"], "hint": rest[-1]["hint"]}


async def test_uses_are_kept_every_few_seconds(ours: House, beside: Database) -> None:
    begins = datetime.now(UTC)
    assert (await ours.csm.get("/v1/me")).status_code == 200
    used = None
    for _ in range(int(USES_SECONDS * 2)):
        used = await last_use(beside, ours, "csm")
        if used is not None and used >= begins:
            break
        await asyncio.sleep(1.0)
    assert used is not None
    assert begins <= used < begins + timedelta(seconds=1)
    shown = (await ours.admin.get("/v1/api-keys")).json()["data"]
    assert used in [datetime.fromisoformat(one["last_used_at"]) for one in shown if one["last_used_at"]]


async def test_uses_are_kept_at_the_end(cluster: Cluster, tmp_path: Path) -> None:
    dsn = await cluster.clone()
    started = start_server(dsn, tmp_path)
    db = await Database.open(dsn, size=2)
    try:
        house = await furnished(db, started, "Used")
        assert (await house.manager.get("/v1/me")).status_code == 200
    finally:
        stop_process(started.process)
    assert await last_use(db, house, "manager") is not None
    assert await last_use(db, house, "viewer") is None
    for each in house.clients.values():
        await each.aclose()
    await db.close()
    await cluster.drop(dsn)


async def last_use(db: Database, house: House, name: str) -> datetime | None:
    sql = "SELECT last_used_at FROM api_keys WHERE workspace_id = $1 AND name = $2"
    found: datetime | None = await db.fetchval(sql, house.id, name)
    return found


async def test_a_key_is_written_off_when_its_end_has_come(door: Server, ours: House) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=1.5)
    _, token = await service_key(ours, expires_at=ends.isoformat())
    async with client(door, token) as short:
        assert (await short.get("/v1/me")).status_code == 200
        await asyncio.sleep(1.6)
        assert (await short.get("/v1/me")).status_code == 401
