"""Workspaces and their members."""

from uuid import UUID

import click

from app.cli.terminal import WORKSPACE, now, with_database
from app.domain.roles import Role
from app.persistence.database import Database


@click.group()
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
    click.echo(with_database(lambda db: workspaces.create_workspace(db, name, now(), **given)))


@click.group()
def user() -> None:
    """Members of a workspace."""


@user.command("create")
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--role", type=click.Choice(["admin", "manager", "csm", "viewer"]), default="admin", show_default=True)
@click.option("--team", help="Slug of a team that exists.")
@WORKSPACE
def user_create(email: str, name: str, role: Role, team: str | None, workspace: str) -> None:
    """Make a member and print the id."""
    from app.services import users, workspaces

    async def work(db: Database) -> UUID:
        return await users.create_user(db, await workspaces.find(db, workspace), email, name, role, team, now())

    click.echo(with_database(work))
