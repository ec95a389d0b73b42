"""Alembic's entry: an asynchronous engine, one migrator at a time, one transaction per migration."""

import asyncio
import os

import asyncpg
from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.persistence.tables import metadata

ATTEMPTS = 10
CONNECT_SECONDS = 10
MIGRATORS = 0x7374726174610001
LOCK_NOT_AVAILABLE = "55P03"
SESSION = {"application_name": "strata migrate", "timezone": "UTC", "lock_timeout": "1s"}


def address() -> str:
    """The database: the `dsn` given by the caller, else STRATA_DATABASE_URL."""
    dsn = context.config.attributes.get("dsn") or os.environ.get("STRATA_DATABASE_URL")
    if not dsn:
        raise SystemExit("no database: run `strata migrate`, or set STRATA_DATABASE_URL")
    return str(dsn)


async def connect() -> asyncpg.Connection:
    """A connection as the server itself makes it, so that every form of address works here too."""
    return await asyncpg.connect(address(), timeout=CONNECT_SECONDS, server_settings=SESSION)


def migrate(connection: Connection) -> None:
    """Run what is asked for, each migration in its own transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def online() -> None:
    """Wait for other migrators, then migrate; a busy table is asked for again instead of queued on."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.connect() as gate, engine.connect() as connection:
        # Held by a session that does nothing else, so that no migration's rollback gives it up; asked for in turns,
        # because a session that waits inside the server would hold up CREATE INDEX CONCURRENTLY.
        while not await gate.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATORS}):
            await gate.rollback()
            await asyncio.sleep(0.2)
        await gate.commit()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await connection.run_sync(migrate)
                break
            except DBAPIError as error:
                await connection.rollback()
                if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(0.2 * attempt)
    await engine.dispose()


def offline() -> None:
    """Write the SQL instead of running it."""
    context.configure(target_metadata=metadata, dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    offline()
else:
    asyncio.run(online())
