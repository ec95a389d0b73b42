"""A segmentation checked, its cuts frozen, and stored as ordered criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check, shown
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import All, Column, CustomOf, Meaning, SegmentOf, Shown
from app.domain.criteria.nodes import Node
from app.domain.errors import Conflict, Fault, Invalid, Unreadable
from app.domain.segmentation import books
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.bodies import axes_of
from app.domain.segmentation.breaks import breaks
from app.domain.segmentation.cuts import Book, Frozen, loaded, stored
from app.domain.segmentation.kinds import expanded, own, spec
from app.domain.segmentation.model import Segmentation
from app.domain.segmentation.parts import of_segments
from app.domain.segmentation.points import TooManyError
from app.domain.workspaces import Workspace, clock
from app.persistence import cuts as found_in
from app.persistence import segments as kept
from app.persistence.database import Reader, Record, Transaction
from app.services import measures, named
from app.services.calls import ENCODER, new_id

MOST = 50
"""Segmentations of one workspace."""


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


async def counted(tx: Transaction, workspace: Workspace, paths: Sequence[str], now: datetime) -> list[int]:
    """How many unarchived accounts have a value above 0, for each field."""
    setting = _setting(workspace, now)
    return [
        await found_in.count(
            tx,
            workspace,
            found_in.Asked(Column(ACCOUNTS.fields[path]), _meaning(text.parse(f"{path} > 0"), "", setting)),
        )
        for path in paths
    ]


async def made(reader: Reader, workspace: Workspace, wanted: Segmentation, now: datetime) -> Made:
    """Cut by the accounts as they are and checked; nothing is written. Raises Invalid."""
    cuts = await _freeze(reader, workspace, wanted, now)
    try:
        cases = expanded(wanted, cuts)
    except TooManyError:
        raise _too_large() from None
    if wanted.kind != "rules":
        _sayable(cases)
    within = books.of(wanted.axes, cuts)
    weighed = measures.weighed_by(workspace, wanted.slug)
    await named.reading(reader, _setting(workspace, now), None, now, partial(_sound, cases, within, weighed))
    return Made(wanted, cuts, cases)


async def define(
    tx: Transaction,
    workspace: Workspace,
    wanted: Segmentation,
    standing: UUID | None,
    now: datetime,
    *,
    starting: bool = False,
) -> None:
    """Check, freeze and store; `starting` where amounts that are cut at are nobody's wish. Raises Invalid, Conflict where there
    are too many or another one came first."""
    found = await made(tx, workspace, wanted, now)
    if starting:
        found = replace(found, cuts=tuple(replace(one, starting=one.accounts is None) for one in found.cuts))
    await _store(tx, workspace, found, standing, now)


async def redefine(
    tx: Transaction, workspace: Workspace, wanted: Segmentation, before: Record | None, now: datetime
) -> bool:
    """The same, but where it stands so already, with these cuts: then nothing is written, and it gives False."""
    found = await made(tx, workspace, wanted, now)
    if before is not None and same(before, found.stored):
        return False
    await _store(tx, workspace, found, None if before is None else before["id"], now)
    return True


def same(standing: Record, other: Mapping[str, Any] | Record) -> bool:
    """Whether a segmentation that is whole says what another stored definition does, and is cut where that is; never mind
    on which day, and over how many accounts."""
    return standing["state"] == "ok" and _said(standing) == _said(other)


def _said(stored_: Mapping[str, Any] | Record) -> tuple[Any, ...]:
    plain = tuple(stored_[name] for name in ("name", "kind", "rest", "refreeze", "band", "confirm"))
    decoded = tuple(msgspec.json.decode(stored_[name]) for name in ("spec", "segments"))
    cuts = loaded(msgspec.json.decode(stored_["cuts"]))
    return *plain, *decoded, [(one.at, {key: book.at for key, book in one.books.items()}) for one in cuts]


async def _store(tx: Transaction, workspace: Workspace, made: Made, standing: UUID | None, now: datetime) -> None:
    wanted, written = made.of, made.stored
    if standing is not None:
        await kept.replace(tx, workspace.id, standing, written, now)
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
    await named.reading(reader, _setting(workspace, now), None, now, partial(_sound, cases, within, weighed))


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


# -- cuts --------------------------------------------------------------------------------------------------------------


async def _freeze(reader: Reader, workspace: Workspace, wanted: Segmentation, now: datetime) -> tuple[Frozen, ...]:
    """The cuts of every axis, those that are relative looked up, a statement each."""
    today = clock(workspace, now).today
    fields = [_numeric(axis, workspace) for axis in wanted.axes]

    def asked(setting: Setting) -> list[found_in.Asked]:
        return [
            found_in.Asked(of, _among(axis, setting), _by(axis, workspace))
            for of, axis in zip(fields, wanted.axes, strict=True)
        ]

    every = await named.reading(reader, _setting(workspace, now), None, now, asked)
    return tuple([await _cuts(reader, workspace, axis, of, today) for axis, of in zip(wanted.axes, every, strict=True)])


async def _cuts(reader: Reader, workspace: Workspace, axis: Axis, asked: found_in.Asked, today: date) -> Frozen:
    if axis.cuts.by == "absolute":
        return Frozen(axis.cuts.at, today)
    money = not isinstance(asked.of, SegmentOf) and asked.of.field.kind == "money"
    if axis.cuts.by == "natural":
        histogram = await found_in.histogram(reader, workspace, asked)
        accounts = sum(one.count for one in histogram.bins)
        at = [histogram.least[place] for place in breaks(histogram.bins, axis.cuts.parts)]
        return Frozen(_major(at, money, workspace), today, accounts)
    shares = [float(share) for share in axis.cuts.shares]
    found = await found_in.quantiles(reader, workspace, asked, shares)
    accounts = sum(n for _, n in found.values())
    if axis.cuts.within is None:
        return Frozen(_major(found[""][0], money, workspace) if found else (), today, accounts)
    by_book = {key: Book(_major(at, money, workspace), n) for key, (at, n) in found.items()}
    return Frozen((), today, accounts, by_book)


def _major(values: Sequence[Decimal], money: bool, workspace: Workspace) -> tuple[Decimal, ...]:
    return tuple(workspace.major(int(v)) if money else v for v in values)


def _numeric(axis: Axis, workspace: Workspace) -> Column | CustomOf:
    pointer = f"{axis.pointer}/field"
    of = shown(axis.field, ACCOUNTS, workspace, pointer=pointer)
    if isinstance(of, SegmentOf) or of.field.kind not in NUMBERS:
        raise Invalid(faults=(Fault("Expected a field of numbers or money.", pointer=pointer),))
    return of


def _by(axis: Axis, workspace: Workspace) -> Shown | None:
    return None if axis.cuts.within is None else shown(axis.cuts.within, ACCOUNTS, workspace)


def _among(axis: Axis, setting: Setting) -> Meaning:
    if axis.cuts.among is None:
        return All()
    return _meaning(axis.cuts.among, f"{axis.pointer}/cuts/among", setting)


# -- checking ----------------------------------------------------------------------------------------------------------


def _setting(workspace: Workspace, now: datetime) -> Setting:
    return Setting(workspace, clock(workspace, now), people=False)


def _meaning(node: Node, pointer: str, setting: Setting) -> Meaning:
    """Checked, and standing on no other segment: those are placed at the same moment, in no order."""
    try:
        meaning = check(node, ACCOUNTS, setting).meaning
    except (Invalid, Unreadable) as error:
        raise Invalid(faults=tuple(_placed(fault, pointer) for fault in error.faults)) from None
    if of_segments(meaning):
        raise Invalid(
            faults=(
                Fault(
                    "Expected criteria that ask for no segment: segments do not build on each other.", pointer=pointer
                ),
            )
        )
    return meaning


def _placed(fault: Fault, pointer: str) -> Fault:
    return Fault(fault.message, fault.pointer or pointer, None, fault.line, fault.column, fault.suggestion)


def _sound(cases: Sequence[Node], within: books.Books, weighed: bool, setting: Setting) -> None:
    faults: list[Fault] = []
    for n, node in enumerate(cases):
        pointer = f"/segments/{n}/criteria"
        try:
            meaning = _meaning(node, pointer, books.over(setting, within))
        except Invalid as error:
            faults += error.faults
        else:
            faults += [Fault(measures.CIRCLE, pointer=pointer)] if weighed and measures.comes_later(meaning) else []
    if faults:
        raise Invalid(faults=tuple(faults))
