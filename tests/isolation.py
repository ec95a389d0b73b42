"""The application under forced row-level security: a statement sees the one workspace that it names, and no other.

The application itself tells PostgreSQL of no workspace but by the values that it binds. With `pytest --rls` this does so
before each of its statements, and PostgreSQL hides and refuses all other rows: what comes out must be what came out without.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self
from weakref import WeakKeyDictionary

import asyncpg

from app.persistence.tables import metadata
from tests import scoping, senders

VARIABLE = "STRATA_TEST_RLS"
EVERYBODY, NOBODY = "everybody", ""
"""Said instead of a workspace: for what scoping.EXEMPT lists and tests send for themselves; where none is named."""

# An error, not an absence, where no workspace is said: nothing may pass because nothing was found.
SEEN = """CASE current_setting('strata.workspace') WHEN 'everybody' THEN true
ELSE {key} = current_setting('strata.workspace')::uuid END"""
# Partitions are made while the application runs, and could be read without their parent.
PARTITIONS = f"""
CREATE FUNCTION isolate_partition() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
  FOR made IN SELECT * FROM pg_event_trigger_ddl_commands()
    WHERE schema_name = 'public' AND object_type = 'table' AND object_identity LIKE 'public.usage\\_days\\_%'
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made.object_identity);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', made.object_identity);
    EXECUTE format($policy$CREATE POLICY one_workspace ON %s USING ({SEEN.format(key="workspace_id")})$policy$, made.object_identity);
  END LOOP;
END$$;
CREATE EVENT TRIGGER isolate_partition ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION isolate_partition()
"""


def on() -> bool:
    """Whether this run is under row-level security."""
    return VARIABLE in os.environ


def driver() -> type[Any]:
    """The class of this run's connections."""
    return Isolated if on() else asyncpg.Connection


def program() -> str:
    """The module that is the `strata` command of this run."""
    return "tests.isolated_server" if on() else "app.cli"


async def force(superuser_dsn: str) -> None:
    """Puts every table of a migrated database under row-level security, its owner's access too."""
    connection = await asyncpg.connect(superuser_dsn)
    try:
        for name, table in metadata.tables.items():
            if table.info["kind"] in ("tenant", "reference"):
                key = "id" if name == "workspaces" else "workspace_id"
                await connection.execute(
                    f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
                    f"CREATE POLICY one_workspace ON {name} USING ({SEEN.format(key=key)})"
                )
        await connection.execute(PARTITIONS)
    finally:
        await connection.close()


# -- whose a statement is ----------------------------------------------------------------------------------------------


def whose(sql: str, args: Sequence[Any]) -> str | None:
    """The workspace that a statement of the application names; None where it is about the session alone."""
    if sql in scoping.EXEMPT:
        return EVERYBODY
    place = scoping.place(sql)
    if place is None:
        return None
    return str(args[place - 1]) if place else NOBODY


def _named(sql: str, args: Sequence[Any]) -> str | None:
    """The same of whoever sends it now."""
    path, _ = senders.line()
    if not senders.by_application(path):
        return None if scoping.place(sql) is None else EVERYBODY
    workspace = whose(sql, args)
    if workspace and workspace != EVERYBODY:
        _one_per_request(workspace)
    return workspace


_of_requests: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()


def _one_per_request(workspace: str) -> None:
    """In a server: whatever a request sends names the workspace that it named first."""
    task = asyncio.current_task()
    if task is not None and getattr(task.get_coro(), "__name__", "") == "run_asgi":
        assert _of_requests.setdefault(task, workspace) == workspace, "one request names two workspaces"


# -- the driver --------------------------------------------------------------------------------------------------------


def _first(name: str) -> Any:
    """A method that tells PostgreSQL whose rows the statement may see, and then sends it."""
    run = getattr(asyncpg.Connection, name)

    def told_first(self: Isolated, sql: str, *args: Any, **options: Any) -> Awaitable[Any]:
        return self.after(_named(sql, args), run, sql, *args, **options)

    return told_first


def _unknown(name: str) -> Any:
    """A method by which a statement is sent more than once, or out: tests may, the application does not."""
    run = getattr(asyncpg.Connection, name)

    def told_first(self: Isolated, what: str, *args: Any, **options: Any) -> Awaitable[Any]:
        path, number = senders.line()
        assert not senders.by_application(path), f"{path}:{number}: tests/isolation.py does not know {name} yet"
        return self.after(EVERYBODY, run, what, *args, **options)

    return told_first


def _copying(name: str) -> Any:
    """COPY into a table, which PostgreSQL does not do under row-level security: beside it, then from there."""
    run = getattr(asyncpg.Connection, name)

    def copied(self: Isolated, table: str, **options: Any) -> Awaitable[Any]:
        path, _ = senders.line()
        own = NOBODY if senders.by_application(path) else EVERYBODY
        if table not in scoping.HELD and not scoping.PARTITION.fullmatch(table):
            return self.after(own, run, table, **options)
        return self.beside(own, run, table, **options)

    return copied


class Isolated(asyncpg.Connection):
    """The driver's connection under row-level security."""

    _told: str | None = None
    _numbers = itertools.count(1)

    execute, fetch, fetchrow, fetchval = map(_first, ("execute", "fetch", "fetchrow", "fetchval"))
    copy_from_query = _first("copy_from_query")
    copy_records_to_table, copy_to_table = map(_copying, ("copy_records_to_table", "copy_to_table"))
    executemany, fetchmany, prepare, copy_from_table = map(
        _unknown, ("executemany", "fetchmany", "prepare", "copy_from_table")
    )

    def cursor(self, query: str, *args: Any, **options: Any) -> Any:
        """Rows; before the first PostgreSQL is told whose."""
        return _Rows(self, _named(query, args), super().cursor(query, *args, **options))

    async def tell(self, workspace: str | None) -> None:
        """Whose rows may be seen from now on; None where a statement may end a transaction, and what was told in it."""
        if workspace == self._told and workspace is not None:
            return
        self._told = None
        if workspace is not None:
            await super().execute(f"SET strata.workspace = '{workspace}'")
            self._told = workspace

    async def after(self, workspace: str | None, run: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        """What `run` gives after PostgreSQL was told."""
        await self.tell(workspace)
        return await run(self, *args, **options)

    async def beside(
        self, own: str, run: Callable[..., Awaitable[Any]], table: str, columns: Sequence[str], **options: Any
    ) -> Any:
        """COPY to a temporary table and from there, as the workspace that the rows name, or as `own` where that sees all."""
        copied, names = f"copied_{next(self._numbers)}", ", ".join(f'"{column}"' for column in columns)
        await self.tell(EVERYBODY)
        await super().execute(f"CREATE TEMP TABLE {copied} AS SELECT {names} FROM {table} WITH NO DATA")
        tag = await run(self, copied, columns=columns, **options)
        if own != EVERYBODY:
            found = await super().fetch(f"SELECT DISTINCT workspace_id::text FROM {copied}")
            assert len(found) <= 1, f"rows of {len(found)} workspaces are copied at once"
            await self.tell(found[0][0] if found else own)
        await super().execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {copied}; DROP TABLE {copied}")
        return tag


class _Rows:
    """A cursor's rows."""

    def __init__(self, connection: Isolated, workspace: str | None, rows: Any):
        self.connection = connection
        self.workspace = workspace
        self.rows = rows
        self.begun: Any = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self.begun is None:
            await self.connection.tell(self.workspace)
            self.begun = aiter(self.rows)
        return await anext(self.begun)
