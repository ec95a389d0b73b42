"""A connection of one's own, for work of several transactions that share temporary tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.persistence.database import CLIENT_MARGIN, Database, Transaction, translated
from app.persistence.pool import Connection, connect, settings

CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Session:
    """One connection; its temporary tables go with it."""

    connection: Connection
    limit: float

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """READ COMMITTED; committed when the block ends, rolled back by any exception. The driver's errors leave as ours."""
        try:
            await self.connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            yield Transaction(self.connection, self.limit)
            await self.connection.execute("COMMIT")
        except BaseException as error:
            if isinstance(error, Exception) and not self.connection.is_closed():
                await self._undo()
            else:
                self.connection.terminate()
            raise translated(error) from error

    async def _undo(self) -> None:
        try:
            if self.connection.is_in_transaction():
                await self.connection.execute("ROLLBACK")
        except Exception:  # the session is beyond use, and the first error says why
            self.connection.terminate()


@asynccontextmanager
async def session(db: Database, statement_timeout: float, **extra: str) -> AsyncIterator[Session]:
    """A session beside the pools, so that long work takes none of theirs; `extra` are its own settings."""
    try:
        opened = await connect(db.dsn, settings(statement_timeout, extra), statement_timeout + CLIENT_MARGIN)
    except Exception as error:
        raise translated(error) from error
    try:
        yield Session(opened, statement_timeout + CLIENT_MARGIN)
    finally:
        await _close(opened)


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=CLOSE_SECONDS)
    except Exception:  # whatever it is: nobody needs this connection any longer
        connection.terminate()
