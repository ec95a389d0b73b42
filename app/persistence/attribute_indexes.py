"""Indexes of promoted and unique attributes: made and dropped beside all writes, which never wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.attributes import Attribute
from app.persistence.compile.operands import attribute as expression
from app.persistence.compile.operands import literal, quoted
from app.persistence.database import Database, Reader, Transaction, translated
from app.persistence.sessions import Session, session

TIMEOUT = 7_200.0
"""Seconds that one index may take."""
# A build waits for the transactions that were there before it, and nobody waits for the build.
SETTINGS = {"lock_timeout": "0", "maintenance_work_mem": "256MB"}

DUE = "SELECT workspace_id, id FROM attributes WHERE index_due AND (index_at IS NULL OR index_at < $1)"
CLAIM = """
UPDATE attributes SET index_at = $3
WHERE workspace_id = $1 AND id = $2 AND index_due AND (index_at IS NULL OR index_at < $4) RETURNING true
"""
ALIVE = "UPDATE attributes SET index_at = $3 WHERE workspace_id = $1 AND id = $2 AND index_due"
WANTED = """
UPDATE attributes SET index_due = true, index_state = $3 WHERE workspace_id = $1 AND id = $2
"""
# Only while it is still to be as it was when the work began; else the work goes on.
DONE = """
UPDATE attributes SET index_due = false, index_at = NULL, index_state = $3
WHERE workspace_id = $1 AND id = $2 AND version = $4 RETURNING true
"""
STANDING = """
SELECT c.relname::text AS name, 'INDEX CONCURRENTLY' AS what, i.indisvalid AS is_whole
FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND starts_with(c.relname, $1)
UNION ALL
SELECT s.stxname::text, 'STATISTICS', true FROM pg_statistic_ext s
WHERE s.stxnamespace = 'public'::regnamespace AND starts_with(s.stxname, $1)
"""


@dataclass(frozen=True, slots=True)
class Index:
    """What is to be made: an index, or statistics. `name` says whose it is, what of, and for what: another type is
    another one."""

    name: str
    sql: str


def wanted(workspace_id: UUID, of: Attribute) -> tuple[Index, ...]:
    """The indexes that an attribute wants: each holds the rows of its workspace alone, by the compiler's own expression.

    The planner takes no statistics from a partial index: without those made beside it, it would take a range that holds
    one record for a third of all.
    """
    value, only = expression(of.field, of.entity), f"workspace_id = {literal(str(workspace_id))}::uuid"
    made = []
    if "unique" in of.indexes:
        name = f"{prefix(of.id)}{of.type}_key"
        columns = f"workspace_id, ({value})"
        made.append(
            Index(name, f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(name)} ON {of.entity} ({columns}) WHERE {only}")
        )
    if "order" in of.indexes:
        name = f"{prefix(of.id)}{of.type}_idx"
        made.append(
            Index(name, f"CREATE INDEX CONCURRENTLY {quoted(name)} ON {of.entity} (({value}), id) WHERE {only}")
        )
        name = f"{prefix(of.id)}{of.type}_stat"
        made.append(Index(name, f"CREATE STATISTICS {quoted(name)} ON ({value}) FROM {of.entity}"))
    return tuple(made)


def prefix(attribute_id: UUID) -> str:
    """What the names of an attribute's indexes begin with."""
    return f"own_{attribute_id.hex}_"


async def due(reader: Reader, before: datetime) -> list[tuple[UUID, UUID]]:
    """Workspace and id of every attribute whose indexes nobody has been at work on since then."""
    return [(row[0], row[1]) for row in await reader.fetch(DUE, before, point=True)]


async def claim(tx: Transaction, workspace_id: UUID, attribute_id: UUID, now: datetime, silent: timedelta) -> bool:
    """Takes the work; False where there is none, or somebody is at it."""
    return bool(await tx.fetchval(CLAIM, workspace_id, attribute_id, now, now - silent))


async def alive(tx: Transaction, workspace_id: UUID, attribute_id: UUID, now: datetime) -> None:
    """Somebody is at it."""
    await tx.execute(ALIVE, workspace_id, attribute_id, now)


async def want(tx: Transaction, workspace_id: UUID, of: Attribute) -> None:
    """The indexes of the attribute are to be made or dropped."""
    await tx.execute(WANTED, workspace_id, of.id, "building" if of.indexes else None)


async def done(tx: Transaction, workspace_id: UUID, attribute_id: UUID, state: str | None, version: int) -> bool:
    """The work is over, unless the attribute is another version by now."""
    return bool(await tx.fetchval(DONE, workspace_id, attribute_id, state, version))


async def build(db: Database, attribute_id: UUID, entity: str, indexes: Sequence[Index]) -> None:
    """Makes the indexes that are not there and drops what is not asked for, each in its own time. Raises Conflict where
    a value comes twice, Unavailable. What fails leaves nothing invalid behind."""
    async with session(db, TIMEOUT, **SETTINGS) as own:
        await _drop_but(own, attribute_id, {one.name for one in indexes})
        names = await _standing(own, attribute_id)
        missing = [one for one in indexes if one.name not in names]
        try:
            for index in missing:
                await _run(own, index.sql)
        except Exception:
            await _drop_but(own, attribute_id, {one.name for one in indexes})
            raise
        if missing:
            await _run(own, f"ANALYZE {entity}")


async def _drop_but(own: Session, attribute_id: UUID, keep: set[str]) -> None:
    """Drops indexes that are not to be kept, and those whose build was broken off."""
    for name, (what, is_whole) in (await _standing(own, attribute_id)).items():
        if not is_whole or name not in keep:
            await _run(own, f"DROP {what} IF EXISTS {quoted(name)}")


async def _standing(own: Session, attribute_id: UUID) -> dict[str, tuple[str, bool]]:
    """What was made for the attribute by name: how it is dropped, and whether it is whole."""
    try:
        rows = await own.connection.fetch(STANDING, prefix(attribute_id))
    except Exception as error:
        raise translated(error) from error
    return {row["name"]: (row["what"], row["is_whole"]) for row in rows}


async def _run(own: Session, sql: str) -> None:
    try:
        await own.connection.execute(sql, timeout=own.limit)
    except Exception as error:
        raise translated(error) from error
