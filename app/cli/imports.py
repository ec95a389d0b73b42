"""Files brought in."""

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from app.cli.import_report import report
from app.cli.terminal import now, say, share, with_database
from app.persistence.database import Database

ERRORS = ("line", "column", "code", "message", "is_warning")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("kind")
@click.argument("file", type=FILE)
@click.option("--mapping", type=FILE, help="Columns to fields, JSON.")
@click.option("--workspace", default="demo", show_default=True, help="Slug of the workspace to import into.")
@click.option(
    "--errors",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write every row that is refused or doubtful to this CSV, by line.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the import as REST answers it.")
def import_command(
    kind: str, file: Path, mapping: Path | None, workspace: str, errors: Path | None, as_json: bool
) -> None:
    """Import FILE (CSV or NDJSON) of KIND, such as `accounts` or `usage`; sent again, it changes nothing."""
    from app.services import imports

    text = mapping.read_bytes() if mapping else None

    async def work(db: Database) -> Mapping[str, Any]:
        result = await imports.run_import(db, workspace, kind, file, text, now(), share)
        if errors is not None:
            with errors.open("w", newline="", encoding="utf-8") as out:
                rows = csv.DictWriter(out, ERRORS)
                rows.writeheader()
                async for one in imports.every_error(db, workspace, result["id"]):
                    rows.writerow(one)
        return result

    result = with_database(work)
    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2) if as_json else report(result, file, errors))
    if result["rejected"]:
        say(
            f"rejected: {result['rejected']:,} of {result['rows']:,}; the others landed. Mend these rows and send the file again"
        )
    if result["rejected"] or result["state"] == "failed":
        sys.exit(1)
