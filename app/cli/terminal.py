"""A person at the terminal: words, progress, errors that say what to do, and the database for one piece of work."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import click

from app import logs, settings
from app.domain.errors import Fault, StrataError
from app.persistence import embedded, migrations
from app.persistence.database import Database
from app.persistence.embedded_files import EmbeddedError
from app.serving import ServingError

EXPECTED = (EmbeddedError, ServingError, StrataError, settings.SettingsError)
DATE = click.DateTime(formats=["%Y-%m-%d"])
WORKSPACE = click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace.")
T = TypeVar("T")
_shown: set[str] = set()


def say(message: str) -> None:
    """Tell a person at the terminal; results go to stdout, words to stderr."""
    click.echo(message, err=True)


def share(step: str, part: float) -> None:
    """Show how much of a long work is done, 0 to 1: one line that moves on a terminal, a line per step elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K  {part:4.0%}  {step}" + ("\n" if part >= 1 else ""), err=True, nl=False)
    elif step not in _shown:
        _shown.add(step)
        say(f"  {step}")


class Commands(click.Group):
    """Shows what we expect to go wrong as one line that says what to do."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except EXPECTED as error:
            raise click.ClickException(_explained(error)) from error


def _explained(error: Exception) -> str:
    """The message where it says more than the faults do, and of each fault where it is and what may have been meant."""
    if not isinstance(error, StrataError) or not error.faults:
        return str(error)
    told = [] if error.detail == error.faults[0].message else [error.detail]
    told += (
        f"{_place(fault)}{fault.message}" + (f" Did you mean {fault.suggestion}?" if fault.suggestion else "")
        for fault in error.faults
    )
    return "\n  ".join(told)


def _place(fault: Fault) -> str:
    if fault.pointer or fault.parameter:
        return f"{fault.pointer or fault.parameter}: "
    if fault.line is None:
        return ""
    return f"line {fault.line}: " if fault.column is None else f"line {fault.line}, column {fault.column}: "


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Run one piece of work against the migrated database."""

    async def run(dsn: str) -> T:
        async with opened(dsn) as db:
            return await work(db)

    with database(settings.read()) as dsn:
        migrations.upgrade(dsn)
        return asyncio.run(run(dsn))


@contextmanager
def database(read: settings.Settings, stopping: threading.Event | None = None) -> Iterator[str]:
    """Address of the database: the server given, or ours for as long as it is needed; for what runs until it is
    `stopping`, ours is started again when it ends before."""
    logs.configure(read.log_level)
    if read.database_url is not None:
        yield read.database_url
        return
    ours = embedded.kept(read.data_dir, stopping, say) if stopping else embedded.running(read.data_dir, progress=say)
    with ours as dsn:
        yield dsn


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Database]:
    """The database, closed when the work is done."""
    db = await Database.open(dsn, size=2)
    try:
        yield db
    finally:
        await db.close()


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)
