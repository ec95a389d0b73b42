"""A segmentation checked, its cuts frozen, and stored as ordered criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from app.domain.criteria import text
from app.domain.criteria.check import Setting, for_nobody
from app.domain.criteria.logic import World, formula
from app.domain.criteria.meant import Meaning
from app.domain.criteria.nodes import Node
from app.domain.errors import Conflict, Fault, Invalid, Unreadable
from app.domain.segmentation import books, hysteresis, squeezed
from app.domain.segmentation.bodies import axes_of
from app.domain.segmentation.cuts import Frozen, loaded, stored
from app.domain.segmentation.keeping import Standing
from app.domain.segmentation.kinds import expanded, own, spec
from app.domain.segmentation.model import Segmentation
from app.domain.segmentation.points import TooManyError
from app.domain.workspaces import Workspace
from app.persistence import segments as kept
from app.persistence.database import Reader, Record, Transaction
from app.services import measures, named
from app.services.calls import ENCODER, new_id
from app.services.cuts import freeze, meant
from app.services.segmentation_documents import stood

MOST = 50
"""Segmentations of one workspace."""
SHUT = (
    "Expected criteria that accounts can come to meet: to leave where they are, each number has to pass its cut by the band, "
    "and all of them cannot at once. Say a narrower band, wider criteria, or confirm in the place of the band."
)


@dataclass(frozen=True, slots=True)
class Made:
    """A segmentation with what it was cut at, and the criteria of its segments in order."""

    of: Segmentation
    cuts: tuple[Frozen, ...]
    cases: tuple[Node, ...]

    @property
    def stored(self) -> dict[str, Any]:
        """By column."""
        return {
            "name": self.of.name, "kind": self.of.kind, "spec": ENCODER.encode(spec(self.of)),
            "segments": ENCODER.encode(_cases(self.of, self.cases)), "rest": self.of.rest,
            "cuts": ENCODER.encode(stored(self.cuts)), "refreeze": self.of.refreeze,
            "band": self.of.band, "confirm": self.of.confirm,
        }  # fmt: skip


async def made(
    reader: Reader, workspace: Workspace, wanted: Segmentation, now: datetime, standing: Record | None = None,
    *, anew: bool = False,
) -> Made:  # fmt: skip
    """Checked and cut; nothing is written. Cuts that it tells as what stands does stay as they were frozen, others are taken
    from the accounts as they are; `anew`: all that are taken are, and amounts stay what they are. Raises Invalid."""
    cuts = await freeze(reader, workspace, wanted, now, () if standing is None else _stands(standing, told=anew))
    if not anew:  # whoever puts what a workspace began with has said it
        cuts = tuple(replace(one, starting=False) for one in cuts)
    try:
        cases = expanded(wanted, cuts)
    except TooManyError:
        raise _too_large() from None
    if wanted.kind != "rules":
        _sayable(cases)
    _wide(wanted, cuts)
    within = books.of(wanted.axes, cuts)
    weighed = measures.weighed_by(workspace, wanted.slug)
    band = wanted.band if wanted.kind == "rules" else None
    await named.reading(reader, for_nobody(workspace, now), None, now, partial(_sound, cases, within, weighed, band))
    return Made(wanted, cuts, cases)


def cut_anew(row: Record) -> Segmentation:
    """What stands, to be cut anew. Raises Conflict where no cuts are taken from the accounts."""
    wanted = stood(row)
    if all(axis.cuts.by == "absolute" for axis in wanted.axes):
        raise Conflict("Expected cuts that are taken from the accounts: this definition tells amounts, or has no cuts.")
    return wanted


async def define(
    tx: Transaction, workspace: Workspace, wanted: Segmentation, standing: Record | None, now: datetime,
    *, starting: bool = False, anew: bool = False,
) -> None:  # fmt: skip
    """Check, freeze as `made` does and store; `starting` where amounts that are cut at are nobody's wish. Raises Invalid,
    Conflict where there are too many or another one came first."""
    found = await made(tx, workspace, wanted, now, standing, anew=anew)
    if starting:
        found = replace(found, cuts=tuple(replace(one, starting=one.accounts is None) for one in found.cuts))
    await _store(tx, workspace, found, standing, now)


async def redefine(
    tx: Transaction, workspace: Workspace, wanted: Segmentation, before: Record | None, now: datetime,
    *, anew: bool = False,
) -> bool:  # fmt: skip
    """The same, but where it stands so already, with these cuts: then nothing is written, and it gives False."""
    found = await made(tx, workspace, wanted, now, before, anew=anew)
    if before is not None and same(before, found.stored):
        return False
    await _store(tx, workspace, found, before, now)
    return True


def same(standing: Record, other: Mapping[str, Any] | Record) -> bool:
    """Whether a segmentation that is whole says what another stored definition does, and is cut where that is; never mind
    on which day, and over how many accounts."""
    plain = ("name", "refreeze", "band", "confirm")
    return (
        places_alike(standing, other)
        and all(standing[name] == other[name] for name in plain)
        and all(
            msgspec.json.decode(standing[name]) == msgspec.json.decode(other[name]) for name in ("spec", "segments")
        )
    )


def places_alike(standing: Record, other: Mapping[str, Any] | Record) -> bool:
    """Whether the criteria of a segmentation that is whole put every account where another stored definition does: names,
    colours and engagement move nobody, and what stops flapping goes on from how long whom it has held."""
    return standing["state"] == "ok" and _placing(standing) == _placing(other)


def _placing(stored_: Mapping[str, Any] | Record) -> tuple[Any, ...]:
    plain = tuple(stored_[name] for name in ("kind", "rest"))
    cases = [(one["slug"], one["criteria"]) for one in msgspec.json.decode(stored_["segments"])]
    cuts = loaded(msgspec.json.decode(stored_["cuts"]))
    return *plain, cases, [(one.at, {key: book.at for key, book in one.books.items()}) for one in cuts]


def brought_back(earlier: Record) -> dict[str, Any]:
    """An earlier version, by column, as the next one: its cuts stand from before, and are taken from nobody."""
    axes = axes_of(earlier["kind"], msgspec.json.decode(earlier["spec"]))
    cuts = [
        frozen if frozen.accounts is None else replace(frozen, kept=(True,) * axis.cuts.count)
        for axis, frozen in zip(axes, loaded(msgspec.json.decode(earlier["cuts"])), strict=True)
    ]
    return {**{name: earlier[name] for name in kept.STORED}, "cuts": ENCODER.encode(stored(cuts))}


def _stands(row: Record, *, told: bool) -> Standing:
    """What a stored segmentation is cut at; `told`: of it only amounts that the definition tells."""
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    return [(axis, frozen) for axis, frozen in zip(axes, cuts, strict=True) if frozen.accounts is None or not told]


async def _store(tx: Transaction, workspace: Workspace, made: Made, standing: Record | None, now: datetime) -> None:
    wanted, written = made.of, made.stored
    if standing is not None:
        await kept.replace(tx, workspace.id, standing["id"], written, now)
        return
    if await kept.count(tx, workspace.id) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} segmentations.")
    if not await kept.insert(tx, workspace.id, new_id(), wanted.slug, written, now):
        raise Conflict


async def sound(reader: Reader, workspace: Workspace, slug: str, row: Record, now: datetime) -> None:
    """Raises Invalid where what is stored of the segmentation of this slug means nothing as things are."""
    cases = [text.parse(case["criteria"]) for case in msgspec.json.decode(row["segments"])]
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    within = books.of(axes, loaded(msgspec.json.decode(row["cuts"])))
    weighed = measures.weighed_by(workspace, slug)
    band = row["band"] if row["kind"] == "rules" else None
    await named.reading(reader, for_nobody(workspace, now), None, now, partial(_sound, cases, within, weighed, band))


def _cases(wanted: Segmentation, cases: Sequence[Node]) -> list[dict[str, Any]]:
    return [
        {"slug": segment.slug, "name": segment.name, "criteria": text.format(node)}
        | own(segment)
        | {"colour": segment.colour, "engagement": segment.engagement}
        for segment, node in zip(wanted.segments, cases, strict=True)
    ]


def _sayable(cases: Sequence[Node]) -> None:
    """What a kind makes is criteria like any other, within the same limits."""
    try:
        for node in cases:
            text.parse(text.format(node))
    except (Invalid, Unreadable):
        raise _too_large() from None


def _too_large() -> Invalid:
    message = (
        "Expected fewer measures, or fewer levels of each: together they make more criteria than a segment may have."
    )
    return Invalid(faults=(Fault(message, pointer="/spec"),))


# -- checking ----------------------------------------------------------------------------------------------------------


def _shut(meaning: Meaning, band: float, world: World) -> bool:
    """Whether nobody could come in any more: some can meet it, but none by so much that the band lets them go elsewhere."""
    narrower = hysteresis.moved(meaning, band, wider=False)
    return world.impossible((formula(narrower),)) and not world.impossible((formula(meaning),))


def _wide(wanted: Segmentation, cuts: Sequence[Frozen]) -> None:
    """Raises Invalid where amounts that are told lie closer together than the band; of cuts that are taken from the accounts
    the answer says it."""
    if wanted.band is None or wanted.kind not in ("bands", "matrix"):
        return
    faults = [
        Fault(
            f"Expected cuts further apart than the band: {said} {squeezed.AFTER}",
            pointer=f"{axis.pointer}/cuts/at/{n}",
        )
        for axis, frozen in zip(wanted.axes, cuts, strict=True)
        if axis.cuts.by == "absolute"
        for n, said in squeezed.squeezed(axis, frozen.at, wanted.band)
    ]
    if faults:
        raise Invalid(faults=tuple(faults))


def _sound(cases: Sequence[Node], within: books.Books, weighed: bool, band: float | None, setting: Setting) -> None:
    faults: list[Fault] = []
    world = World(setting.workspace, setting.clock.as_of)
    for n, node in enumerate(cases):
        pointer = f"/segments/{n}/criteria"
        try:
            meaning = meant(node, pointer, books.over(setting, within))
        except Invalid as error:
            faults += error.faults
        else:
            faults += [Fault(measures.CIRCLE, pointer=pointer)] if weighed and measures.comes_later(meaning) else []
            faults += [Fault(SHUT, pointer=pointer)] if band is not None and _shut(meaning, band, world) else []
    if faults:
        raise Invalid(faults=tuple(faults))
