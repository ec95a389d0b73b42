"""API keys."""

from datetime import UTC, datetime
from uuid import UUID

import click
import msgspec

from app.cli.terminal import DATE, WORKSPACE, now, say, with_database
from app.domain.errors import NotFound
from app.domain.keys import MOST_OVERLAP_HOURS, OVERLAP_HOURS
from app.domain.roles import Role
from app.persistence.database import Database


@click.group()
def key() -> None:
    """API keys; a token is shown once, when it is made."""


@key.command("create")
@WORKSPACE
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
            return (await keys.create_key(db, place, name, "service", None, scopes, now(), ends))[1]
        try:
            user_id, own = await people.member(db, place, email)
        except NotFound:
            raise click.ClickException(
                f"no active user {email} in {workspace}: `strata user create` makes one"
            ) from None
        return (await keys.create_key(db, place, name, role or own, user_id, (), now(), ends))[1]

    click.echo(with_database(work))


@key.command("list")
@WORKSPACE
def key_list(workspace: str) -> None:
    """Print the keys of a workspace, without their tokens, as JSON."""
    from app.services import keys, workspaces

    async def work(db: Database) -> list[dict[str, object]]:
        return await keys.list_keys(db, await workspaces.find(db, workspace))

    click.echo(msgspec.json.format(msgspec.json.encode(with_database(work)), indent=2))


@key.command("rotate")
@click.argument("key_id", type=click.UUID)
@WORKSPACE
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
        return (await keys.rotate_key(db, place, key_id, overlap_hours, now()))[1]

    click.echo(with_database(work))


@key.command("revoke")
@click.argument("key_id", type=click.UUID)
@WORKSPACE
def key_revoke(key_id: UUID, workspace: str) -> None:
    """End a key with all its tokens."""
    from app.services import keys, workspaces

    async def work(db: Database) -> None:
        await keys.revoke_key(db, await workspaces.find(db, workspace), key_id, now())

    with_database(work)
    say("the key has ended: every process refuses it within a second")
