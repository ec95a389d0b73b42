"""The interfaces as documents."""

import click


@click.command("openapi")
def openapi_command() -> None:
    """Print the REST interface as OpenAPI."""
    from app.main import openapi

    click.echo(openapi())


@click.command("schema")
def schema_command() -> None:
    """Print the GraphQL schema."""
    from app.main import schema

    click.echo(schema())
