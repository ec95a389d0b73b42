"""The `strata` command."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar
from uuid import UUID

import click
import msgspec

from app import logs, settings
from app.domain.errors import Fault, NotFound, StrataError
from app.domain.keys import MOST_OVERLAP_HOURS, OVERLAP_HOURS
from app.domain.roles import Role
from app.persistence import embedded, migrations
from app.persistence.database import Database
from app.persistence.embedded_files import EmbeddedError
from app.serving import ServingError, address, listen, serve

EXPECTED = (EmbeddedError, ServingError, StrataError, settings.SettingsError)
_shown: set[str] = set()
DATE = click.DateTime(formats=["%Y-%m-%d"])


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
    """The message, and of each fault where it is and what may have been meant."""
    if not isinstance(error, StrataError) or not error.faults:
        return str(error)
    return "\n  ".join(
        f"{_place(fault)}{fault.message}" + (f" Did you mean {fault.suggestion}?" if fault.suggestion else "")
        for fault in error.faults
    )


def _place(fault: Fault) -> str:
    if fault.pointer or fault.parameter:
        return f"{fault.pointer or fault.parameter}: "
    return "" if fault.line is None else f"line {fault.line}, column {fault.column}: "


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def strata() -> None:
    """Strata: customer segments, lists and renewal forecasts over REST and GraphQL.

    The data lies in STRATA_DATA_DIR, or in the PostgreSQL 16+ at STRATA_DATABASE_URL.
    """


@strata.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: PORT or 8000]"
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--demo/--no-demo", default=True, show_default=True, help="Make the demo workspace when there is none.")
@click.option("--address-file", type=click.Path(path_type=Path), hidden=True)
def serve_command(host: str, port: int | None, workers: int, demo: bool, address_file: Path | None) -> None:
    """Start the database, migrate, and answer over HTTP until Ctrl-C."""
    signal.signal(signal.SIGTERM, _terminated)
    read = settings.read()
    with listen(host, read.port if port is None else port) as listening, _database(read) as dsn:
        migrations.upgrade(dsn)
        key = asyncio.run(_demo_key(dsn, read)) if demo else None
        os.environ["STRATA_DATABASE_URL"] = dsn
        url = address(listening)

        def started() -> None:
            if address_file is not None:
                address_file.write_text(url)
            say(_greeting(url, key))

        serve(listening, workers, started)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


async def _demo_key(dsn: str, read: settings.Settings) -> str | None:
    """A key of the demo workspace that works; None when there are workspaces but no demo."""
    from app.services import demo

    # Keys are stored as hashes only: the demo's own is kept beside the data, so that the next start can show it.
    kept = read.data_dir / "demo.key"
    async with _opened(dsn) as db:
        key = await demo.ensure(db, settings.kept_text(kept), _now(), share)
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


@strata.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with _database(settings.read()) as dsn:
        migrations.upgrade(dsn)
    say("the schema is up to date")


@strata.command("demo")
@click.option(
    "--seed", type=int, default=2017, show_default=True, help="The same seed and day make the same workspace."
)
@click.option("--today", type=DATE, help="Last day of its history, YYYY-MM-DD.  [default: today]")
def demo_command(seed: int, today: datetime | None) -> None:
    """Make the demo workspace: 2,000 believable accounts over 24 months."""
    from app.services import demo

    now = today.replace(tzinfo=UTC) if today else _now()
    _with_database(lambda db: demo.load(db, now, share, seed))
    say("the demo workspace is loaded; `strata key create` makes a key for it")


@strata.command("import")
@click.argument("kind")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Columns to fields, JSON."
)
@click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace to import into.")
def import_command(kind: str, file: Path, mapping: Path | None, workspace: str) -> None:
    """Import FILE (CSV or NDJSON) of KIND, such as `accounts` or `usage`; sent again, it changes nothing."""
    from app.services import imports

    text = mapping.read_bytes() if mapping else None
    result = _with_database(lambda db: imports.run_import(db, workspace, kind, file, text, _now(), share))
    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2))
    if result["rejected"]:
        say(
            f"{result['rejected']:,} of {result['rows']:,} rows were rejected, the others landed: mend them and send the file again"
        )
        sys.exit(1)


@strata.group()
def workspace() -> None:
    """Workspaces: separate organisations in one database."""


@workspace.command("create")
@click.argument("name")
@click.option("--slug", help="Short name for addresses and commands.  [default: made from the name]")
@click.option("--currency", default="USD", show_default=True, help="ISO 4217 code.")
@click.option("--time-zone", default="UTC", show_default=True, help="IANA name, such as Europe/Berlin.")
def workspace_create(name: str, slug: str | None, currency: str, time_zone: str) -> None:
    """Make a workspace and print its id."""
    from app.services import workspaces

    given: dict[str, object] = {"currency": currency, "zone": time_zone}
    if slug:
        given["slug"] = slug
    click.echo(_with_database(lambda db: workspaces.create_workspace(db, name, _now(), **given)))


@strata.group()
def user() -> None:
    """Members of a workspace."""


@user.command("create")
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--role", type=click.Choice(["admin", "manager", "csm", "viewer"]), default="admin", show_default=True)
@click.option("--team", help="Slug of a team that exists.")
@click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace.")
def user_create(email: str, name: str, role: Role, team: str | None, workspace: str) -> None:
    """Make a member and print the id."""
    from app.services import users, workspaces

    async def work(db: Database) -> UUID:
        return await users.create_user(db, await workspaces.find(db, workspace), email, name, role, team, _now())

    click.echo(_with_database(work))


@strata.group()
def key() -> None:
    """API keys; a token is shown once, when it is made."""


@key.command("create")
@click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace.")
@click.option("--user", "email", help="E-mail of the member whose key it is; without, it is a service's.")
@click.option(
    "--role",
    type=click.Choice(["admin", "manager", "csm", "viewer"]),
    help="At most the user's own.  [default: the user's]",
)
@click.option("--scope", "scopes", multiple=True, default=("read",), show_default=True, help="What a service may do.")
@click.option("--name", default="command line", show_default=True, help="What the key is for.")
@click.option("--expires", type=DATE, help="When it ends, YYYY-MM-DD in UTC.  [default: never]")
def key_create(
    workspace: str, email: str | None, role: Role | None, scopes: tuple[str, ...], name: str, expires: datetime | None
) -> None:
    """Make an API key and print it: it cannot be shown again."""
    from app.services import keys, people, workspaces

    if email is None and role is not None:
        raise click.UsageError("--role goes with --user: what a service may do is said by --scope")

    ends = expires.replace(tzinfo=UTC) if expires else None

    async def work(db: Database) -> str:
        place = await workspaces.find(db, workspace)
        if email is None:
            return (await keys.create_key(db, place, name, "service", None, scopes, _now(), ends))[1]
        try:
            user_id, own = await people.member(db, place, email)
        except NotFound:
            raise click.ClickException(
                f"no active user {email} in {workspace}: `strata user create` makes one"
            ) from None
        return (await keys.create_key(db, place, name, role or own, user_id, (), _now(), ends))[1]

    click.echo(_with_database(work))


@key.command("list")
@click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace.")
def key_list(workspace: str) -> None:
    """Print the keys of a workspace, without their tokens, as JSON."""
    from app.services import keys, workspaces

    async def work(db: Database) -> list[dict[str, object]]:
        return await keys.list_keys(db, await workspaces.find(db, workspace))

    click.echo(msgspec.json.format(msgspec.json.encode(_with_database(work)), indent=2))


@key.command("rotate")
@click.argument("key_id", type=click.UUID)
@click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace.")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, MOST_OVERLAP_HOURS),
    default=OVERLAP_HOURS,
    show_default=True,
    help="How long the token of before lives on; 0 ends every earlier one at once.",
)
def key_rotate(key_id: UUID, workspace: str, overlap_hours: int) -> None:
    """Give a key a new token and print it: it cannot be shown again."""
    from app.services import keys, workspaces

    async def work(db: Database) -> str:
        place = await workspaces.find(db, workspace)
        return (await keys.rotate_key(db, place, key_id, overlap_hours, _now()))[1]

    click.echo(_with_database(work))


@key.command("revoke")
@click.argument("key_id", type=click.UUID)
@click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace.")
def key_revoke(key_id: UUID, workspace: str) -> None:
    """End a key with all its tokens."""
    from app.services import keys, workspaces

    async def work(db: Database) -> None:
        await keys.revoke_key(db, await workspaces.find(db, workspace), key_id, _now())

    _with_database(work)
    say("the key has ended: every process refuses it within a second")


@strata.command("openapi")
def openapi_command() -> None:
    """Print the REST interface as OpenAPI."""
    from app.main import openapi

    click.echo(openapi())


@strata.command("schema")
def schema_command() -> None:
    """Print the GraphQL schema."""
    from app.main import schema

    click.echo(schema())


T = TypeVar("T")


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Run one piece of work against the migrated database."""

    async def run(dsn: str) -> T:
        async with _opened(dsn) as db:
            return await work(db)

    with _database(settings.read()) as dsn:
        migrations.upgrade(dsn)
        return asyncio.run(run(dsn))


@contextmanager
def _database(read: settings.Settings) -> Iterator[str]:
    """Address of the database: the server given, or ours for as long as it is needed."""
    logs.configure(read.log_level)
    if read.database_url is not None:
        yield read.database_url
        return
    with embedded.running(read.data_dir, progress=say) as dsn:
        yield dsn


@asynccontextmanager
async def _opened(dsn: str) -> AsyncIterator[Database]:
    db = await Database.open(dsn, size=2)
    try:
        yield db
    finally:
        await db.close()


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Entry of the console script; exits 130 after Ctrl-C."""
    try:
        code = strata(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    sys.exit(code)


if __name__ == "__main__":
    main()
