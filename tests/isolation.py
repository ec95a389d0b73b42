"""The application under forced row-level security: a statement sees the one workspace that it names, and no other.

The application itself tells PostgreSQL of no workspace but by the values that it binds. With `pytest --rls` this does so
before each of its statements, and PostgreSQL hides and refuses all other rows: what comes out must be what came out without.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any
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


_of_requests: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()


def _one_per_request(workspace: str) -> None:
    """In a server: whatever a request sends names the workspace that it named first."""
    task = asyncio.current_task()
    if task is None or getattr(task.get_coro(), "__name__", "") != "run_asgi":
        return
    first = _of_requests.setdefault(task, workspace)
    assert first == workspace, "a request names two workspaces"


class Isolated(asyncpg.Connection):  # type: ignore[type-arg]  # its type has no argument when it runs
    """The driver's connection, which tells PostgreSQL whose rows a statement may see, and then sends it."""

    _told: str | None = None
    _numbers = itertools.count(1)

    async def _tell(self, workspace: str | None) -> None:
        """None: the statement may end a transaction, and with it what was told in it."""
        if workspace is None:
            self._told = None
        elif workspace != self._told:
            self._told = None
            await super().execute(f"SET strata.workspace = '{workspace}'")
            self._told = workspace

    def _of(self, sql: str, args: Sequence[Any]) -> str | None:
        path, _ = senders.line()
        said = whose(sql, args if senders.by_application(path) else ())if senders.by_application(path) else None
        return said

    def cursor(self, query: str, *args: Any, **options: Any) -> Any:
        """Rows that are told of when the first is asked for."""
        return _Rows(partial(self._tell, self._named(query, args)), super().cursor(query, *args, **options))
