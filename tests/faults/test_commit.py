"""No write answers before COMMIT, and each leaves its entry in the audit: every write of both doors."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.api.door import Door
from app.api.graphql.schema import SCHEMA
from app.api.rest import table
from app.api.routes import PUBLIC
from app.persistence.database import Database
from tests.faults.writes import MUTATIONS, REST, World, matching, world
from tests.servers import Cluster, Server, start_server, stop_process

SECONDS = 0.5
SLOW, AGAIN = "slow-", "again-"
AT_ONCE = 6
"""Groups of writes at once: a COMMIT that waits holds one of the server's connections."""
# Every write adds to the audit in its own transaction, so that one trigger there holds up every COMMIT: a deferred
# constraint is checked as the first thing that COMMIT does. Once per transaction, for requests that ask for it.
HOLD = f"""
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  IF NEW.request_id LIKE '{SLOW}%' AND current_setting('hold.done', true) IS DISTINCT FROM NEW.request_id THEN
    PERFORM set_config('hold.done', NEW.request_id, true);
    PERFORM pg_sleep({SECONDS});
  END IF;
  RETURN NULL;
END$$;
CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()
"""
MUTATION = SCHEMA._schema.mutation_type
_numbers = itertools.count(1)


def routes() -> set[tuple[str, str]]:
    """Every route that writes."""
    return {
        (route.method, route.path)
        for route in table(Door())[0].routes
        if route.method != "GET" and route.operation != PUBLIC and not route.operation.endswith((".read", ".suggest"))
    }


def mutations() -> set[str]:
    assert MUTATION is not None
    return set(MUTATION.fields)


def test_every_route_that_writes_is_in_the_table() -> None:
    assert routes() == set(REST)


def test_every_mutation_is_in_the_table() -> None:
    assert mutations() == set(MUTATIONS)


@pytest.fixture(scope="module")
async def slow(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server on a database of its own in which COMMIT takes a while for those who ask for it."""
    dsn = await cluster.clone()
    connection = await asyncpg.connect(dsn)
    await connection.execute(HOLD)
    await connection.close()
    server = start_server(dsn, tmp_path_factory.mktemp("slow"))
    yield server
    stop_process(server.process)
    await cluster.drop(dsn)


@pytest.fixture(scope="module")
async def slow_db(slow: Server) -> AsyncIterator[Database]:
    db = await Database.open(slow.dsn, size=AT_ONCE)
    yield db
    await db.close()


Row = Callable[[World], Awaitable[str | None]]
"""Sends one write; gives what is wrong with how it went."""


async def timed(
    send: Callable[[dict[str, str]], Awaitable[httpx.Response]], keyed: bool, number: int | None = None
) -> str | None:
    """What is wrong with an answer or with when it came, or with the one that is given again for its key."""
    number = next(_numbers) if number is None else number
    headers = {"x-request-id": f"{SLOW}{number}"} | ({"idempotency-key": f"k-{number}"} if keyed else {})
    began = time.monotonic()
    first = await send(headers)
    took = time.monotonic() - began
    if first.status_code >= 300 or b'"errors":[{"message"' in first.content:
        return f"{first.status_code}: {first.text[:300]}"
    if took < SECONDS:
        return f"answered after {took:.3f} s"
    if keyed:
        again = await send({**headers, "x-request-id": f"{AGAIN}{number}"})
        if (again.status_code, untold(again)) != (first.status_code, untold(first)):
            return f"another answer to the same key: {again.status_code} {again.text[:300]}"
    return None


def untold(answer: httpx.Response) -> Any:
    """The body without an API key's token, which is told once."""
    if not answer.content or b'"token"' not in answer.content:
        return answer.content
    return {**answer.json(), "token": None}


async def groups(db: Database, server: Server, rows: dict[str, list[tuple[str, Row]]]) -> list[str]:
    """Sends the rows, those of one group one after another in a workspace of its own; what went wrong."""
    few = asyncio.Semaphore(AT_ONCE)

    async def each(named: list[tuple[str, Row]]) -> list[str]:
        async with few:
            place = await world(db, server)
            found = [(name, await _outcome(place, row)) for name, row in named]
            await place.admin.aclose()
        return [f"{name}: {wrong}" for name, wrong in found if wrong]

    return sorted(itertools.chain.from_iterable(await asyncio.gather(*map(each, rows.values()))))


async def entries(server: Server, begin: str) -> int:
    """How many requests whose ids begin so have entries in the audit."""
    connection = await asyncpg.connect(server.dsn)
    found: int = await connection.fetchval(
        "SELECT count(DISTINCT request_id) FROM audit WHERE starts_with(request_id, $1)", begin
    )
    await connection.close()
    return found


async def misnamed(server: Server, named: dict[int, str]) -> list[tuple[str, str]]:
    """Operations as the audit calls them and as what was sent declares them, where these differ."""
    connection = await asyncpg.connect(server.dsn)
    found = await connection.fetch(
        "SELECT DISTINCT operation, request_id FROM audit WHERE request_id = ANY ($1)", [f"{SLOW}{n}" for n in named]
    )
    await connection.close()
    told = [(row["operation"], named[int(row["request_id"].removeprefix(SLOW))]) for row in found]
    return [(kept, declared) for kept, declared in told if kept != declared]


async def _outcome(place: World, row: Row) -> str | None:
    try:
        return await row(place)
    except AssertionError as wrong:  # what the write needed beforehand could not be made
        return str(wrong)


async def test_no_write_over_rest_answers_before_commit(slow: Server, slow_db: Database) -> None:
    declared = {(r.method, r.path): r for r in table(Door())[0].routes}
    documented = {at: any(p.name == "Idempotency-Key" for p in r.parameters) for at, r in declared.items()}
    numbers: dict[int, str] = {}
    rows: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for (method, path), prepare in REST.items():
        keyed = documented.get((method, path), False)

        async def row(
            place: World, method: str = method, path: str = path, prepare: Any = prepare, keyed: bool = keyed
        ) -> str | None:
            sent = await prepare(place)
            number = next(_numbers)
            numbers[number] = declared[method, path].operation
            named = {**sent.headers, **(matching(sent.version) if sent.version is not None else {})}
            body: dict[str, Any] = {"content": sent.content} if sent.content is not None else {}
            if sent.json is not None:
                body["json"] = sent.json
            return await timed(
                lambda headers: place.admin.request(method, sent.path, headers={**named, **headers}, **body),
                keyed,
                number,
            )

        rows[path.split("/")[-1] if "bulk" in path else path.split("/")[2]].append((f"{method} {path}", row))
        if method == "POST":
            assert keyed, f"{method} {path} takes no Idempotency-Key"
    before = await entries(slow, SLOW)
    assert await groups(slow_db, slow, rows) == []
    assert await entries(slow, SLOW) == before + sum(map(len, rows.values()))
    assert await entries(slow, AGAIN) == 0
    assert await misnamed(slow, numbers) == []


async def test_no_mutation_answers_before_commit(slow: Server, slow_db: Database) -> None:
    assert MUTATION is not None
    numbers: dict[int, str] = {}
    rows: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for name, field in MUTATION.fields.items():
        types = {argument: str(told.type) for argument, told in field.args.items()}
        assert "idempotencyKey" in types, name

        async def row(place: World, name: str = name, types: dict[str, str] = types) -> str | None:
            given = await MUTATIONS[name](place)
            told = ", ".join(f"${one}: {types[one]}" for one in given)
            passed = ", ".join(f"{one}: ${one}" for one in given)
            document = f"mutation({told}) {{ {name}({passed}) {{ __typename }} }}"
            asked = {"query": document, "variables": given}
            number = next(_numbers)
            definition: Any = MUTATION.fields[name].extensions["strawberry-definition"]
            numbers[number] = definition.operation
            return await timed(lambda headers: place.admin.post("/graphql", json=asked, headers=headers), True, number)

        noun = name.removeprefix("create").removeprefix("update").removeprefix("upsert").removeprefix("delete")
        rows[noun].append((name, row))
    before = await entries(slow, SLOW)
    assert await groups(slow_db, slow, rows) == []
    assert await entries(slow, SLOW) == before + sum(map(len, rows.values()))
    assert await entries(slow, AGAIN) == 0
    assert await misnamed(slow, numbers) == []


async def test_reading_a_private_list_for_a_reason_is_a_write_too(
    slow: Server, slow_db: Database, tmp_path: Path
) -> None:
    place = await world(slow_db, slow)
    body = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}}
    made = await place.post("/v1/lists", body)
    handed = await place.admin.patch(f"/v1/lists/{made['id']}", json={"owner_id": place.other}, headers=matching(1))
    assert handed.status_code == 200
    path = f"/v1/lists/{made['id']}?reason=asked"
    wrong = await timed(lambda headers: place.admin.get(path, headers=headers), False)
    assert wrong is None
