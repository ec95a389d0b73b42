"""What runs until somebody stops it, and what makes it ready: serve, worker, migrate, demo."""

import asyncio
import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from app import settings
from app.cli.terminal import DATE, database, now, opened, say, share, with_database
from app.persistence import migrations
from app.serving import address, listen, serve


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: PORT or 8000]"
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--demo/--no-demo", default=True, show_default=True, help="Make the demo workspace when there is none.")
@click.option(
    "--worker/--no-worker",
    default=None,
    help="Do the periodic work too; without, `strata worker` does.  [default: worker]",
)
@click.option("--address-file", type=click.Path(path_type=Path), hidden=True)
def serve_command(
    host: str, port: int | None, workers: int, demo: bool, worker: bool | None, address_file: Path | None
) -> None:
    """Start the database, migrate, and answer over HTTP until Ctrl-C."""
    signal.signal(signal.SIGTERM, _terminated)
    read, stopping = settings.read(), threading.Event()
    with listen(host, read.port if port is None else port) as listening, database(read, stopping) as dsn:
        migrations.upgrade(dsn)
        key = asyncio.run(_demo_key(dsn, read)) if demo else None
        os.environ["STRATA_DATABASE_URL"] = dsn
        if worker is not None:
            os.environ["STRATA_WORKER"] = "on" if worker else "off"
        url = address(listening)

        def started() -> None:
            if address_file is not None:
                address_file.write_text(url)
            say(_greeting(url, key))

        serve(listening, workers, started, stopping)


@click.command("worker")
@click.option(
    "--every", type=click.FloatRange(0.1, 3600), default=60, show_default=True, help="Seconds between two rounds."
)
def worker_command(every: float) -> None:
    """Do the periodic work apart from the server, until Ctrl-C; several may run.

    You need it where `strata serve` runs with --no-worker or STRATA_WORKER=off, so that what answers does nothing else: `strata
    serve` does the same work otherwise, and `make run` needs no worker beside it. It moves accounts that time moves, begins each
    workspace's day, ends pins, confirms moves, takes cuts anew on schedule, and checks members once a night. It logs a line for
    each round that did something, as `strata serve` logs.
    """
    from app import worker

    read = settings.read()
    with database(read, threading.Event()) as dsn:
        migrations.upgrade(dsn)
        asyncio.run(worker.run(dsn, read.pool_size, every, lambda: say(_works(every))))


def _works(every: float) -> str:
    return f"""the worker works; Ctrl-C stops it
  every {every:g} seconds: accounts that time moves, the day of each workspace, pins that end, moves that are confirmed, cuts that are
  due, watched lists, and once a night every member against a full evaluation; a line is logged for each round that did something"""


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


async def _demo_key(dsn: str, read: settings.Settings) -> str | None:
    """A key of the demo workspace that works; None when there are workspaces but no demo."""
    from app.services import demo

    # Keys are stored as hashes only: the demo's own is kept beside the data, so that the next start can show it.
    kept = read.data_dir / "demo.key"
    async with opened(dsn) as db:
        key = await demo.ensure(db, settings.kept_text(kept), now(), share)
    if key is not None:
        settings.keep_text(kept, key)
    return key


def _greeting(url: str, key: str | None) -> str:
    if key is None:
        commands = "strata workspace create NAME · user create EMAIL · key create --user EMAIL"
        return f"\nStrata answers on {url}\n  a workspace of your own, and a key for it:  {commands}\n"
    document = '{ accounts(orderBy: [\\"-arr\\"], first: 3) { nodes { name arr csm { name } } } }'
    return f"""
Strata answers on {url}
  documentation   {url}/docs
  GraphiQL        {url}/graphql
  API key         {key}

The three largest accounts, over REST:
  curl -s -H 'Authorization: Bearer {key}' '{url}/v1/accounts?limit=3&sort=-arr'

and over GraphQL (the query alone goes into GraphiQL):
  curl -s -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' '{url}/graphql' \\
    -d '{{"query":"{document}"}}'

Ctrl-C stops the server and its database.
"""


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with database(settings.read()) as dsn:
        migrations.upgrade(dsn)
    say("the schema is up to date")


@click.command("demo")
@click.option(
    "--seed", type=int, default=2017, show_default=True, help="The same seed and day make the same workspace."
)
@click.option("--today", type=DATE, help="Last day of its history, YYYY-MM-DD.  [default: today]")
def demo_command(seed: int, today: datetime | None) -> None:
    """Make the demo workspace: 2,000 believable accounts over 24 months."""
    from app.services import demo

    at = today.replace(tzinfo=UTC) if today else now()
    with_database(lambda db: demo.load(db, at, share, seed))
    say("the demo workspace is loaded; `strata key create` makes a key for it")
