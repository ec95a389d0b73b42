"""Files brought in."""

import sys
from pathlib import Path

import click
import msgspec

from app.cli.terminal import now, say, share, with_database


@click.command("import")
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
    result = with_database(lambda db: imports.run_import(db, workspace, kind, file, text, now(), share))
    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2))
    if result["rejected"]:
        say(
            f"{result['rejected']:,} of {result['rows']:,} rows were rejected, the others landed: mend them and send the file again"
        )
        sys.exit(1)
