"""Segmentations as code: definitions of a file beside those that stand, and made to stand in one transaction."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from app.domain.errors import Fault, Invalid, StrataError, VersionStale
from app.domain.roles import Principal, permit
from app.domain.segmentation import leaving
from app.domain.segmentation.bodies import read
from app.domain.segmentation.kinds import body
from app.domain.segmentation.leaving import STAYING, Leaving
from app.domain.segmentation.model import Segmentation
from app.persistence import segments as kept
from app.persistence import workspaces
from app.persistence.database import Database, Reader, Record, Transaction
from app.services import definitions, keys, simulations
from app.services.calls import ENCODER, Call, Written, once
from app.services.segmentation_documents import stood
from app.services.versions import finish_all, note_of

MEMBER = "segmentations"
State = Literal["new", "changed", "same"]


@dataclass(frozen=True, slots=True)
class Planned:
    """What applying a file would do to one segmentation. `version`: the one that stands, None where none does.

    `lines`: how the definition differs, as a unified diff. `simulated`: what `simulate` tells, None where it stays. `said`: of
    segments that it leaves out.
    """

    wanted: Segmentation
    state: State
    version: int | None
    lines: tuple[str, ...] = ()
    simulated: Mapping[str, Any] | None = None
    said: Leaving = STAYING

    @property
    def slug(self) -> str:
        """What it is known by."""
        return self.wanted.slug


async def plan(db: Reader, principal: Principal, document: object, now: datetime) -> tuple[Planned, ...]:
    """What applying `{"segmentations": {slug: body}}`, fractions as Decimal, would do, in the file's order; nothing is written.

    Segmentations that the file does not name stay as they are. Raises Invalid with every fault, its pointer from the
    document's root.
    """
    permit(principal, "segmentations.write")
    return tuple([await _planned(db, principal, wanted, said, now) for wanted, said in _read(document)])


async def apply(db: Database, call: Call, planned: Sequence[Planned], note: str | None = None) -> None:
    """Makes what was planned stand: one version more of each that differs, all of them in one transaction.

    Raises VersionStale where one was changed since it was planned, Invalid where it means nothing any more, Conflict that
    tells what names segments that are left out.
    """
    permit(call.principal, "segmentations.write")
    note = note_of({"note": note})
    wanted = [one for one in planned if one.state != "same"]

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        defined = {one.slug: await _defined(tx, call, one) for one in wanted}
        changed = {slug: before for slug, (before, differs) in defined.items() if differs}
        said = {one.slug: one.said for one in wanted}
        written = await finish_all(tx, call, changed, "put", note=note, said=said)
        return Written(workspace_id, 0, b"", False, tuple(effect for one in written for effect in one.effects))

    if wanted:
        await once(db, call, "segmentations.write apply", act)
        keys.forget(db)


async def _defined(tx: Transaction, call: Call, one: Planned) -> tuple[Record | None, bool]:
    """Stores the definition; what stood before, and whether it is another."""
    workspace_id = call.principal.workspace.id
    workspace = await workspaces.load(tx, workspace_id)
    standing = await kept.hold(tx, workspace_id, one.slug)
    if (standing["version"] if standing else None) != one.version:
        raise VersionStale
    before = await kept.one(tx, workspace_id, one.slug) if standing is not None else None
    return before, await definitions.redefine(tx, workspace, one.wanted, before, call.now)


async def every(db: Reader, principal: Principal) -> dict[str, Any]:
    """The file of what stands: planning it changes nothing."""
    permit(principal, "segmentations.read")
    rows = await kept.all_of(db, principal.workspace.id)
    return {MEMBER: {row["slug"]: body(stood(row)) for row in rows}}


# -- the document ------------------------------------------------------------------------------------------------------


def _read(document: object) -> list[tuple[Segmentation, Leaving]]:
    told = document.get(MEMBER) if isinstance(document, Mapping) and set(document) == {MEMBER} else None
    if not isinstance(told, Mapping) or not told:
        raise Invalid(
            faults=(Fault(f"Expected an object with {MEMBER}, a body by slug, and nothing else.", pointer=""),)
        )
    wanted: list[tuple[Segmentation, Leaving]] = []
    faults: list[Fault] = []
    for slug, one in told.items():
        try:
            definition, said = leaving.read(one)
            wanted.append((read(slug, definition), said))
        except Invalid as error:
            faults += _within(slug, error)
    if faults:
        raise Invalid(faults=tuple(faults))
    return wanted


def _within(slug: str, error: StrataError) -> Iterator[Fault]:
    for fault in error.faults:
        pointer = f"/{MEMBER}/{slug}{fault.pointer or ''}"
        yield Fault(fault.message, pointer, None, fault.line, fault.column, fault.suggestion)


# -- beside what stands ------------------------------------------------------------------------------------------------


async def _planned(db: Reader, principal: Principal, wanted: Segmentation, said: Leaving, now: datetime) -> Planned:
    row = await kept.one(db, principal.workspace.id, wanted.slug)
    version = None if row is None else row["version"]
    try:
        made = await definitions.made(db, principal.workspace, wanted, now, row)
        if row is not None and definitions.same(row, made.stored):
            return Planned(wanted, "same", version, said=said)
        simulated = await simulations.tried(db, principal, row, made, said, now)
    except Invalid as error:
        raise Invalid(faults=tuple(_within(wanted.slug, error))) from None
    lines = _difference(wanted.slug, None if row is None else stood(row), wanted)
    return Planned(wanted, "new" if row is None else "changed", version, lines, simulated, said)


def _difference(slug: str, before: Segmentation | None, after: Segmentation) -> tuple[str, ...]:
    sides = [] if before is None else _lines(before)
    return tuple(difflib.unified_diff(sides, _lines(after), f"{slug} (stands)", f"{slug} (file)", lineterm="", n=2))


def _lines(of: Segmentation) -> list[str]:
    """By name: the database keeps members in an order of its own, and numbers without zeros at their ends."""
    plain = msgspec.json.decode(ENCODER.encode(body(of)))
    return msgspec.json.format(msgspec.json.encode(plain, order="sorted"), indent=2).decode().splitlines()
