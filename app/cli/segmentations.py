"""Segmentations as code: a file of definitions, planned, applied, written."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import msgspec

from app.cli.terminal import WORKSPACE, now, say, with_database
from app.persistence.database import Database
from app.services.segmentation_files import Planned

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
NOTE = click.option("--note", help="Why, kept with each version.")
USER = click.option(
    "--user", metavar="EMAIL", help="The member whose version it is.  [default: nobody's, and the audit says command]"
)
COLOURS = {"+": "green", "-": "red"}
DIFFERS = 3
"""What a plan that would change anything exits with; 1 and 2 are errors."""
SIGNS = {"new": "+", "changed": "~", "same": "="}


@click.group()
def segmentations() -> None:
    """Segmentations as code: FILE is JSON, {"segmentations": {slug: body}}, as `strata segmentations show` prints."""


@segmentations.command("show")
@WORKSPACE
def show(workspace: str) -> None:
    """Print the segmentations that stand, as a file that changes nothing."""
    from app.services import segmentation_files
    from app.services.calls import ENCODER
    from app.services.workspaces import commanded

    async def work(db: Database) -> dict[str, Any]:
        return await segmentation_files.every(db, await commanded(db, workspace))

    click.echo(msgspec.json.format(ENCODER.encode(with_database(work)), indent=2))


@segmentations.command("plan")
@FILE
@WORKSPACE
def plan(file: Path, workspace: str) -> None:
    """Say what applying FILE would change, and which accounts would move; exits 3 where it would change anything."""
    from app.services import segmentation_files
    from app.services.workspaces import commanded

    document = _read(file)

    async def work(db: Database) -> tuple[Planned, ...]:
        return await segmentation_files.plan(db, await commanded(db, workspace), document, now())

    planned = with_database(work)
    _say(planned)
    sys.exit(DIFFERS if any(one.state != "same" for one in planned) else 0)


@segmentations.command("apply")
@FILE
@WORKSPACE
@click.option("--yes", is_flag=True, help="Apply without asking.")
@NOTE
@USER
def apply(file: Path, workspace: str, yes: bool, note: str | None, user: str | None) -> None:
    """Make what FILE says stand: all of it in one transaction, or nothing."""
    from app.services import segmentation_files
    from app.services.calls import Call
    from app.services.workspaces import commanded

    document = _read(file)

    async def work(db: Database) -> int:
        principal = await commanded(db, workspace, user)
        planned = await segmentation_files.plan(db, principal, document, now())
        _say(planned)
        changed = sum(one.state != "same" for one in planned)
        if changed and not yes:
            click.confirm(f"Apply {changed} of {len(planned)}?", abort=True, err=True)
        await segmentation_files.apply(db, Call(principal, now()), planned, _noted(note, user))
        return changed

    changed = with_database(work)
    say(f"applied {changed}" if changed else "nothing to apply")


@segmentations.command("refreeze")
@click.argument("slug")
@WORKSPACE
@click.option("--yes", is_flag=True, help="Take them without asking.")
@NOTE
@USER
def refreeze(slug: str, workspace: str, yes: bool, note: str | None, user: str | None) -> None:
    """Take the cuts of segmentation SLUG anew from the accounts of today: `apply` keeps those that a file says as before."""
    from app.services import simulations, versions
    from app.services.calls import Call
    from app.services.workspaces import commanded

    async def work(db: Database) -> bool:
        principal = await commanded(db, workspace, user)
        version, simulated = await simulations.refrozen(db, principal, slug, now())
        for line in (*_cuts(simulated), *_moves(simulated)):
            click.echo(line)
        if not yes:
            click.confirm(f"Take the cuts of {slug} anew?", abort=True, err=True)
        written = await versions.refreeze(db, Call(principal, now()), slug, {"note": _noted(note, user)}, version)
        return written.version != version

    say("cuts taken" if with_database(work) else "cuts are what they were")


def _noted(note: str | None, user: str | None) -> str | None:
    """Whose version it is where it has no author."""
    return note if user else f"At the command line: {note}" if note else "At the command line."


def _read(file: Path) -> object:
    try:
        return msgspec.json.Decoder(float_hook=Decimal).decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise click.ClickException(f"{file} is not JSON: {error}") from None


def _say(planned: Iterable[Planned]) -> None:
    for one in planned:
        click.echo(f"{SIGNS[one.state]} {one.slug}: {one.state}")
        for line in one.lines[2:]:
            click.secho(f"    {line}", fg=COLOURS.get(line[0]))
        if one.simulated is not None:
            for line in (*_moves(one.simulated), *left_out(one)):
                click.echo(f"    {line}")


def _cuts(simulated: Mapping[str, Any]) -> Iterable[str]:
    for cut in simulated["cuts"]:
        at = ", ".join(f"{amount:,}" for amount in cut["at"])
        yield (
            f"{cut['field']} at {at}"
            if at
            else f"{cut['field']} within {len(cut['books'])} books"
            if cut["books"]
            else f"{cut['field']} nowhere: no account has it"
        )


def _moves(simulated: Mapping[str, Any]) -> Iterable[str]:
    from app.services.leaving import called

    moved, segments = simulated["moved"], simulated["segments"]
    several = {name for name, count in Counter(one["name"] for one in segments).items() if count > 1}
    known = {
        one["slug"]: called(one["slug"], one["name"]) if one["name"] in several else one["name"] for one in segments
    }
    yield f"{moved['accounts']:,} accounts would move, with {moved['arr']:,} of ARR"
    for move in simulated["moves"]:
        was, becomes = (known.get(move[side], "nowhere") for side in ("from", "to"))
        yield f"  {was} -> {becomes}: {move['accounts']:,}, {move['arr']:,}"


def left_out(one: Planned) -> Iterable[str]:
    """A line for each segment that would be left out: what becomes of what names it."""
    from app.services.leaving import WAY, called

    known = {segment.slug: called(segment.slug, segment.name) for segment in one.wanted.segments}
    for gone in one.simulated["removed"] if one.simulated else ():
        named, segment = ", ".join(map(str, gone["dependents"])), called(gone["slug"], gone["name"])
        if gone["becomes"]:
            instead = known.get(gone["becomes"], gone["becomes"])
            yield f"{segment} is left out: {instead} takes its place" + (f" in {named}" if named else "")
        elif not named:
            yield f"{segment} is left out: nothing names it"
        elif one.said.along:
            yield f"{segment} is left out: {named} would mean nothing"
        else:
            yield f"{segment} is left out, which apply refuses: {named} would mean nothing. {WAY[0].upper()}{WAY[1:]}."
