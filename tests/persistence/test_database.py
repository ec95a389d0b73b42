"""Reads, transactions, cancels, and a server that goes away and comes back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.errors import Conflict, Invalid, Unavailable
from app.persistence import embedded
from app.persistence.database import Database
from tests.servers import Cluster


@pytest.fixture
async def table(db: Database) -> AsyncIterator[str]:
    async with db.transaction() as tx:
        await tx.execute("CREATE TABLE thing (id bigint PRIMARY KEY, name text, body jsonb)")
    yield "thing"
    async with db.transaction() as tx:
        await tx.execute("DROP TABLE thing")


async def test_reads_give_values_rows_and_nothing(db: Database) -> None:
    assert await db.fetchval("SELECT $1::bigint + 1", 41) == 42
    assert await db.fetchval("SELECT 1 WHERE false", point=True) is None
    assert await db.fetchrow("SELECT 1 WHERE false") is None
    assert [row["n"] for row in await db.fetch("SELECT generate_series(1, 3) AS n")] == [1, 2, 3]


MOMENTS = [
    datetime.min.replace(tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
    datetime.max.replace(tzinfo=UTC),
]


async def test_the_first_and_the_last_moment_are_no_infinities(db: Database) -> None:
    days = [moment.date() for moment in MOMENTS]
    for moment, day in zip(MOMENTS, days, strict=True):
        row = await db.fetchrow(
            "SELECT $1::timestamptz AS moment, $2::date AS day, isfinite($1::timestamptz) AND isfinite($2::date) AS finite, to_json($2::date)::text AS told",
            moment, day,
        )  # fmt: skip
        assert dict(row or {}) == {"moment": moment, "day": day, "finite": True, "told": f'"{day}"'}
    row = await db.fetchrow(
        "SELECT $1::timestamptz[] AS moments, $2::date[] AS days, ($2::date[])[3]::text AS last", MOMENTS, days
    )
    assert dict(row or {}) == {"moments": MOMENTS, "days": days, "last": "9999-12-31"}
    elsewhere = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=-23, minutes=-59)))
    assert await db.fetchval("SELECT $1::timestamptz", elsewhere) == elsewhere


async def test_json_goes_in_and_comes_out_as_bytes(db: Database) -> None:
    assert await db.fetchval("SELECT json_build_object('a', 1)") == b'{"a" : 1}'
    assert await db.fetchval("SELECT $1::jsonb", b'{"a":1}') == b'{"a": 1}'
    assert await db.fetchval("SELECT $1::jsonb", '{"a":1}', point=True) == b'{"a": 1}'


async def test_sessions_begin_with_our_settings(db: Database) -> None:
    names = ("timezone", "jit", "statement_timeout", "lock_timeout", "plan_cache_mode")
    shown = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    assert tuple(await db.fetchrow(shown) or ()) == ("UTC", "off", "30s", "5s", "force_custom_plan")
    assert tuple(await db.fetchrow(shown, point=True) or ()) == ("UTC", "off", "30s", "5s", "auto")


@pytest.mark.usefixtures("table")
async def test_a_failed_block_leaves_nothing(db: Database) -> None:
    with pytest.raises(LookupError):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO thing VALUES (1, 'a')")
            raise LookupError
    assert await db.fetchval("SELECT count(*) FROM thing") == 0


@pytest.mark.usefixtures("table")
async def test_the_drivers_errors_leave_as_ours(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO thing VALUES (1, 'a')")
    with pytest.raises(Conflict):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO thing VALUES (1, 'again')")
    with pytest.raises(Invalid):
        await db.fetchval("SELECT name FROM thing WHERE id = $1", "not a number")
    with pytest.raises(Invalid):
        await db.fetchval("SELECT $1::text", "nul \x00")
    with pytest.raises(Unavailable):
        async with db.transaction(statement_timeout=0.1) as tx:
            await tx.execute("SELECT pg_sleep(5)")
    assert await db.fetchval("SELECT count(*) FROM thing", point=True) == 1


@pytest.mark.usefixtures("table")
async def test_copy_takes_rows_and_csv_bytes(db: Database) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"id,na", b'me\n3,"x,', b'y"\n4,\n'):
            yield part

    async with db.transaction() as tx:
        assert await tx.copy_records("thing", [(1, "a"), (2, None)], ("id", "name")) == "COPY 2"
        assert await tx.copy_csv("thing", parts(), ("id", "name"), header=True) == "COPY 2"
    rows = await db.fetch("SELECT id, name FROM thing ORDER BY id")
    assert [tuple(row) for row in rows] == [(1, "a"), (2, None), (3, "x,y"), (4, None)]


async def test_a_cursor_streams(db: Database) -> None:
    async with db.cursor("SELECT generate_series(1, $1::bigint)", 5000, prefetch=500) as rows:
        assert sum([row[0] async for row in rows]) == 5000 * 5001 // 2
    with pytest.raises(LookupError):
        async with db.cursor("SELECT 1") as rows:
            raise LookupError
    assert await db.fetchval("SELECT 1") == 1


@pytest.mark.usefixtures("table")
async def test_a_changed_result_type_is_asked_for_again(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO thing VALUES (1, 'a')")
    statement = "SELECT * FROM thing WHERE id = $1"
    before = await asyncio.gather(*(db.fetchrow(statement, 1, point=True) for _ in range(8)))
    assert all(row is not None and len(row) == 3 for row in before)
    async with db.transaction() as tx:
        await tx.execute("ALTER TABLE thing ADD COLUMN more int DEFAULT 7")
    after = await asyncio.gather(*(db.fetchrow(statement, 1, point=True) for _ in range(8)))
    assert all(row is not None and row["more"] == 7 for row in after)


@pytest.mark.usefixtures("table")
async def test_a_stale_plan_in_a_transaction_spoils_only_one(db: Database) -> None:
    statement = "SELECT thing.* FROM thing WHERE id = $1"

    async def look() -> int:
        async with db.transaction() as tx:
            await asyncio.sleep(0.02)
            await tx.fetch(statement, 1)
        return 0

    await asyncio.gather(*(look() for _ in range(4)))
    async with db.transaction() as tx:
        await tx.execute("ALTER TABLE thing ADD COLUMN more int")
    with pytest.raises(Unavailable):
        await look()
    assert await look() == 0


async def test_cancelled_callers_leak_nothing(cluster: Cluster) -> None:
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    dsn = await cluster.clone()
    db = await Database.open(dsn, size=4)
    await db.fetchval("CREATE TABLE IF NOT EXISTS storm (id bigint)")

    async def one(number: int) -> None:
        if number % 3 == 0:
            async with db.transaction() as tx:
                await tx.execute("INSERT INTO storm VALUES ($1)", number)
                await tx.fetchval("SELECT pg_sleep(0.01)")
                await asyncio.sleep(0.01)
                raise LookupError
        elif number % 3 == 1:
            await db.fetchval("SELECT pg_sleep(0.02)", point=True)
        else:
            async with db.cursor("SELECT generate_series(1, 100000)") as rows:
                async for _ in rows:
                    pass

    for wave in range(10):
        tasks = [asyncio.create_task(one(number)) for number in range(60)]
        for number, task in enumerate(tasks):
            await asyncio.sleep(0.0005 * (number % 3))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await asyncio.wait_for(db.fetchval("SELECT $1::int", wave, point=True), 5) == wave
    # Every connection is usable, in no transaction, and answers its own question.
    answers = await asyncio.gather(*(db.fetchval("SELECT $1::int", number) for number in range(50)))
    assert answers == list(range(50))
    idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    await asyncio.sleep(0.2)
    assert await db.fetchval(idle) == 0
    assert await db.fetchval(sessions) <= 2 * 4 + 1
    assert await db.fetchval("SELECT count(*) FROM storm", point=True) == 0
    await db.close()


async def test_waiting_for_a_connection_is_bounded(dsn: str) -> None:
    db = await Database.open(dsn, size=1)
    began = time.monotonic()
    async with db.transaction():
        with pytest.raises(Unavailable):
            await db.fetchval("SELECT 1", point=True)
    assert time.monotonic() - began < 5
    assert await db.fetchval("SELECT 1", point=True) == 1
    await db.close()


async def test_a_server_that_dies_is_an_error_and_heals(home: Path) -> None:
    data = home / "dies"
    async with embedded.running(data) as dsn:
        db = await Database.open(dsn, size=2)
        cluster = embedded.Cluster(data)
        sleeping = asyncio.create_task(db.fetchval("SELECT pg_sleep(20)"))
        await asyncio.sleep(0.1)
        os.kill(cluster.pid() or 0, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await sleeping
        with pytest.raises(Unavailable):
            await db.fetchval("SELECT pg_sleep(0.1)", point=True)
        assert time.monotonic() - began < 5
        await asyncio.to_thread(cluster.start)
        await _heals(db)
        await db.close()


async def test_a_server_that_swallows_bytes_is_an_error_and_heals(dsn: str, tmp_path: Path) -> None:
    async with _proxy(dsn, tmp_path) as (address, swallow):
        db = await Database.open(address, size=2)
        assert await db.fetchval("SELECT 1") == 1
        swallow.set()
        began = time.monotonic()
        results = await asyncio.gather(
            *(db.fetchval("SELECT 1", point=bool(n % 2)) for n in range(20)), return_exceptions=True
        )
        assert all(isinstance(result, Unavailable) for result in results)
        assert time.monotonic() - began < 5
        swallow.clear()
        await _heals(db)
        await db.close()


async def _heals(db: Database) -> None:
    """Within two seconds reads succeed, and from then on all of them."""
    began = time.monotonic()
    while True:
        try:
            assert await db.fetchval("SELECT 1", point=True) == 1
            break
        except Unavailable:
            assert time.monotonic() - began < 2
            await asyncio.sleep(0.05)
    answers = await asyncio.gather(*(db.fetchval("SELECT $1::int", number) for number in range(20)))
    assert answers == list(range(20))


@asynccontextmanager
async def _proxy(dsn: str, folder: Path) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A socket in front of the server's that, while the event is set, takes every byte and passes none on."""
    behind, database = parse_qs(urlsplit(dsn).query)["host"][0], urlsplit(dsn).path
    swallow = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lost = False
        while data := await reader.read(65536):
            lost = lost or swallow.is_set()
            if not lost:
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(f"{behind}/.s.PGSQL.5432")
        tasks.update((asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))))

    server = await asyncio.start_unix_server(serve, folder / ".s.PGSQL.5432")
    try:
        yield f"postgresql://strata@{database}?host={folder}", swallow
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
