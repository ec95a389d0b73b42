"""The layer of `pytest --rls` bites: what a statement does not name it neither sees nor changes, whatever it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.domain.errors import Invalid
from app.persistence import demo, keys, usage, workspaces
from app.persistence.database import Database
from app.persistence.tables import metadata
from tests import isolation, scoping, senders
from tests.isolation import EVERYBODY, NOBODY, Isolated
from tests.servers import Cluster
from tests.services.organisations import NOW, Organisation, organisation

FORCED = {name for name, table in metadata.tables.items() if table.info["kind"] in ("tenant", "reference")}
SAME = UUID(int=7)
"""The id of an account and of its contact in both workspaces: an id alone is nobody's."""
ACCOUNT = "INSERT INTO accounts (workspace_id, id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)"
CONTACT = (
    "INSERT INTO contacts (workspace_id, id, account_id, name, created_at, updated_at) VALUES ($1, $2, $2, $3, $4, $4)"
)


@pytest.fixture(scope="module")
async def forced(cluster: Cluster) -> AsyncIterator[Database]:
    """A database under row-level security, whatever this run is."""
    dsn = await cluster.clone()
    if not isolation.on():
        await isolation.force(dsn.replace("strata@", "postgres@"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg, "connect", partial(asyncpg.connect, connection_class=Isolated))
        database = await Database.open(dsn, size=2)
        yield database
        await database.close()
    await cluster.drop(dsn)


@pytest.fixture(scope="module")
async def pair(forced: Database) -> tuple[Organisation, Organisation]:
    """Two workspaces with an account and a contact each, of the same ids."""
    ours, theirs = await organisation(forced), await organisation(forced)
    for one, name in ((ours, "ours"), (theirs, "theirs")):
        await one.run(ACCOUNT, SAME, name, NOW)
        await one.run(CONTACT, SAME, name, NOW)
    return ours, theirs


@pytest.fixture
async def raw(forced: Database, pair: object) -> AsyncIterator[Isolated]:
    """A connection on which PostgreSQL was told of no workspace yet."""
    connection = await asyncpg.connect(forced.dsn, connection_class=Isolated)
    yield connection
    await connection.close()


async def run(connection: Isolated, sql: str, *args: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement, of which PostgreSQL is told nothing."""
    return [tuple(row) for row in await asyncpg.Connection.fetch(connection, sql, *args)]


def as_application(source: str) -> Callable[..., Awaitable[Any]]:
    """A function `sent` that stands in a file of the application."""
    made: dict[str, Any] = {}
    exec(compile(source, str(senders.APP / "persistence" / "forgetful.py"), "exec"), made)
    found: Callable[..., Awaitable[Any]] = made["sent"]
    return found


fetched = as_application("async def sent(db, sql, *args): return [tuple(row) for row in await db.fetch(sql, *args)]")
executed = as_application("async def sent(tx, sql, *args): return await tx.execute(sql, *args)")

# -- what PostgreSQL is told to do -------------------------------------------------------------------------------------


async def test_every_table_is_forced_and_the_application_is_nobody_special(raw: Isolated) -> None:
    (role,) = await run(raw, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    assert role == (False, False)
    rows = await run(
        raw,
        "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid AND p.polcmd = '*' "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity AND c.relforcerowsecurity",
    )
    assert {name for (name,) in rows} - FORCED == {name for (name,) in rows if scoping.PARTITION.fullmatch(name)}
    assert {name for (name,) in rows} >= FORCED


@pytest.mark.parametrize("workspace", [None, NOBODY])
@pytest.mark.parametrize(
    "sql",
    ["SELECT 1 FROM accounts", "UPDATE accounts SET name = 'x'", "DELETE FROM contacts", "SELECT 1 FROM workspaces"],
)
async def test_without_a_workspace_nothing_passes(raw: Isolated, sql: str, workspace: str | None) -> None:
    await raw.tell(workspace)
    with pytest.raises((asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError)):
        await run(raw, sql)


async def test_another_workspace_is_neither_seen_nor_changed(
    raw: Isolated, pair: tuple[Organisation, Organisation]
) -> None:
    ours, theirs = (one.workspace.id for one in pair)
    await raw.tell(str(ours))
    assert await run(raw, "SELECT workspace_id, name FROM accounts") == [(ours, "ours")]
    assert await run(raw, "SELECT id FROM workspaces") == [(ours,)]
    assert await run(raw, "SELECT name FROM accounts WHERE workspace_id = $1", theirs) == []
    assert await run(raw, "UPDATE accounts SET name = 'x' WHERE workspace_id = $1 RETURNING 1", theirs) == []
    assert await run(raw, "DELETE FROM contacts WHERE workspace_id = $1 RETURNING 1", theirs) == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(raw, ACCOUNT, theirs, UUID(int=8), "planted", NOW)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(raw, "UPDATE accounts SET workspace_id = $1", theirs)
    assert [row[0] for row in await pair[1].rows("SELECT name FROM accounts WHERE workspace_id = $1")] == ["theirs"]


# -- what the application sends ----------------------------------------------------------------------------------------


async def test_a_statement_of_the_application_that_forgets_its_workspace_is_an_error(
    forced: Database, pair: tuple[Organisation, Organisation]
) -> None:
    for sql in ("SELECT name FROM accounts", f"SELECT name FROM accounts WHERE id = '{SAME}'"):
        with pytest.raises(Invalid):  # '' is no uuid
            await fetched(forced, sql)
    async with forced.transaction() as tx:
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await executed(tx, "DELETE FROM contacts")


async def test_what_a_statement_forgets_in_a_join_is_hidden(
    forced: Database, pair: tuple[Organisation, Organisation]
) -> None:
    sql = (
        "SELECT c.name FROM accounts a JOIN contacts c ON c.account_id = a.id WHERE a.workspace_id = $1 ORDER BY c.name"
    )
    for one, name in zip(pair, ("ours", "theirs"), strict=True):
        assert await fetched(forced, sql, one.workspace.id) == [(name,)]
        assert await one.rows(sql) == [("ours",), ("theirs",)], "a test sees everything"


async def test_a_rollback_takes_back_what_was_told(forced: Database, pair: tuple[Organisation, Organisation]) -> None:
    sql = "SELECT name FROM accounts WHERE workspace_id = $1"
    for one, name in zip(pair * 2, ("ours", "theirs") * 2, strict=True):
        with pytest.raises(LookupError):
            async with forced.transaction() as tx:
                await executed(tx, "UPDATE accounts SET name = 'gone' WHERE workspace_id = $1", one.workspace.id)
                raise LookupError
        assert await fetched(forced, sql, one.workspace.id) == [(name,)]


async def test_a_cursor_is_told_too(forced: Database, pair: tuple[Organisation, Organisation]) -> None:
    walked = as_application(
        "async def sent(db, sql, *args):\n  async with db.cursor(sql, *args) as rows: return [row[0] async for row in rows]"
    )
    sql = "SELECT name FROM accounts WHERE workspace_id = $1"
    assert [await walked(forced, sql, one.workspace.id) for one in pair] == [["ours"], ["theirs"]]
    with pytest.raises(Invalid):
        await walked(forced, "SELECT name FROM accounts")


async def test_copy_lands_where_the_rows_say(forced: Database, pair: tuple[Organisation, Organisation]) -> None:
    ours, theirs = pair
    async with forced.transaction() as tx:
        rows: list[dict[str, object]] = [{"id": UUID(int=n), "name": "Copied", "slug": f"copied-{n}"} for n in (1, 2)]
        await demo.copy_rows(tx, ours.workspace.id, "industries", rows)
    copied = "SELECT slug FROM industries WHERE workspace_id = $1 AND name = 'Copied' ORDER BY slug"
    assert await ours.rows(copied) == [("copied-1",), ("copied-2",)]
    assert await theirs.rows(copied) == []
    both = as_application(
        "async def sent(tx, rows): return await tx.copy_records('teams', rows, ('workspace_id', 'id', 'name', 'slug', 'created_at', 'updated_at'))"
    )
    with pytest.raises(AssertionError, match="2 workspaces"):
        async with forced.transaction() as tx:
            await both(tx, [(one.workspace.id, UUID(int=1), "T", "t", NOW, NOW) for one in pair])


async def test_a_partition_is_isolated_as_soon_as_it_is_made(
    forced: Database, raw: Isolated, pair: tuple[Organisation, Organisation]
) -> None:
    ours, theirs = pair
    async with forced.transaction() as tx:
        await usage.ensure_months(tx, NOW.date(), NOW.date())
        for one in pair:
            await usage.put(tx, one.workspace.id, {(SAME, NOW.date(), 1, None): 2.5})
    await raw.tell(str(ours.workspace.id))
    for table in ("usage_days", usage.partition(NOW.date())):
        assert await run(raw, f"SELECT workspace_id FROM {table}") == [(ours.workspace.id,)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(raw, f"UPDATE {usage.partition(NOW.date())} SET workspace_id = $1", theirs.workspace.id)


# -- who may see everything --------------------------------------------------------------------------------------------


async def test_only_exempt_statements_see_more_than_one_workspace(
    forced: Database, pair: tuple[Organisation, Organisation]
) -> None:
    assert {isolation.whose(sql, ()) for sql in scoping.EXEMPT} == {EVERYBODY}
    assert await workspaces.find(forced, pair[1].workspace.slug) == pair[1].workspace.id
    spelt_otherwise = workspaces.FIND + " "
    assert isolation.whose(spelt_otherwise, ("x",)) == NOBODY
    with pytest.raises(Invalid):
        await fetched(forced, spelt_otherwise, pair[1].workspace.slug)
    assert await keys.by_hash(forced, bytes(32)) is None


@pytest.mark.parametrize(
    ("sql", "args", "workspace"),
    [
        ("SELECT 1 FROM accounts a WHERE a.id = $1 AND a.workspace_id = $2", (1, "w"), "w"),
        ("WITH x AS (SELECT 1) INSERT INTO members (workspace_id, segment) SELECT $1, $2 FROM x", ("w", "s"), "w"),
        ("SELECT 1", (), NOBODY),
        ("CREATE TEMP TABLE import_rows (id uuid)", (), NOBODY),
        ("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 1", (), None),
        ("ROLLBACK", (), None),
    ],
)
def test_whose_a_statement_is(sql: str, args: tuple[object, ...], workspace: str | None) -> None:
    assert isolation.whose(sql, args) == workspace


async def test_a_request_names_one_workspace(forced: Database, pair: tuple[Organisation, Organisation]) -> None:
    sql = "SELECT name FROM accounts WHERE workspace_id = $1"

    async def run_asgi(*named: Organisation) -> list[Any]:
        return [await fetched(forced, sql, one.workspace.id) for one in named]

    ours, theirs = pair
    assert await asyncio.create_task(run_asgi(ours, ours)) == [[("ours",)], [("ours",)]]
    with pytest.raises(AssertionError, match="two workspaces"):
        await asyncio.create_task(run_asgi(ours, theirs))
