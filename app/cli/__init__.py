"""The `strata` command."""

import sys

import click

from app.cli import imports, interface, keys, people, running, segmentations
from app.cli.terminal import Commands

COMMANDS = (
    running.serve_command, running.worker_command, running.migrate, running.demo_command, imports.import_command,
    people.workspace, people.user, keys.key, segmentations.segmentations, interface.openapi_command,
    interface.schema_command,
)  # fmt: skip


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def strata() -> None:
    """Strata: customer segments, lists and renewal forecasts over REST and GraphQL.

    The data lies in STRATA_DATA_DIR, or in the PostgreSQL 16+ at STRATA_DATABASE_URL.
    """


for _command in COMMANDS:
    strata.add_command(_command)


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
