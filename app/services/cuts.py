"""Cuts of a definition: kept as they were frozen where it says them as it did, else taken from the accounts as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check, for_nobody, shown
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import All, Column, CustomOf, Meaning, SegmentOf, Shown
from app.domain.criteria.nodes import Node
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.segmentation import keeping
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.breaks import breaks
from app.domain.segmentation.cuts import Book, Frozen
from app.domain.segmentation.keeping import Population, Standing
from app.domain.segmentation.model import Segmentation
from app.domain.segmentation.parts import of_segments
from app.domain.workspaces import Workspace, clock
from app.persistence import cuts as found_in
from app.persistence.database import Reader, Transaction
from app.services import named

Shares = dict[Decimal, Frozen]
"""What each share of a population is cut at."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An axis, and what it asks of the accounts."""

    axis: Axis
    asked: found_in.Asked

    @property
    def is_money(self) -> bool:
        """Whether what it cuts is kept in minor units."""
        return not isinstance(self.asked.of, SegmentOf) and self.asked.of.field.kind == "money"


async def counted(tx: Transaction, workspace: Workspace, paths: Sequence[str], now: datetime) -> list[int]:
    """How many unarchived accounts have a value above 0, for each field."""
    setting = for_nobody(workspace, now)
    return [
        await found_in.count(
            tx,
            workspace,
            found_in.Asked(Column(ACCOUNTS.fields[path]), meant(text.parse(f"{path} > 0"), "", setting)),
        )
        for path in paths
    ]


# -- cuts --------------------------------------------------------------------------------------------------------------


async def freeze(
    reader: Reader, workspace: Workspace, wanted: Segmentation, now: datetime, standing: Standing = ()
) -> tuple[Frozen, ...]:
    """The cuts of every axis. What is told as in `standing` stays as it was frozen there, each share on its own; what is not is taken from
    the accounts, a statement for each population. Raises Invalid."""
    today = clock(workspace, now).today
    fields = [_numeric(axis, workspace) for axis in wanted.axes]

    def asked(setting: Setting) -> list[Cut]:
        return [
            Cut(axis, found_in.Asked(of, _among(axis, setting), _by(axis, workspace)))
            for of, axis in zip(fields, wanted.axes, strict=True)
        ]

    every = await named.reading(reader, for_nobody(workspace, now), None, now, asked)
    found = await _shares(reader, workspace, every, standing, today)
    return tuple([await _frozen(reader, workspace, one, standing, found, today) for one in every])


async def _frozen(
    reader: Reader, workspace: Workspace, cut: Cut, standing: Standing, found: Mapping[Population, Shares], today: date
) -> Frozen:
    if cut.axis.cuts.shares:
        of_all = found[keeping.population(cut.axis)]
        frozen = keeping.joined([of_all[share] for share in cut.axis.cuts.shares])
        assert frozen is not None, "those of its population go together"
        return frozen
    kept = keeping.whole(cut.axis, standing)
    if kept is not None:
        return kept
    if cut.axis.cuts.by == "absolute":
        return Frozen(cut.axis.cuts.at, today)
    histogram = await found_in.histogram(reader, workspace, cut.asked)
    accounts = sum(one.count for one in histogram.bins)
    at = [histogram.least[place] for place in breaks(histogram.bins, cut.axis.cuts.parts)]
    return Frozen(_major(at, cut.is_money, workspace), today, accounts)


async def _shares(
    reader: Reader, workspace: Workspace, every: Sequence[Cut], standing: Standing, today: date
) -> dict[Population, Shares]:
    """By population what each share of it is cut at, kept or taken; all are taken where those that were kept and those that were
    not do not go together."""
    wanted: dict[Population, dict[Decimal, Cut]] = {}
    for cut in every:
        if cut.axis.cuts.shares:
            wanted.setdefault(keeping.population(cut.axis), {}).update(dict.fromkeys(cut.axis.cuts.shares, cut))
    found: dict[Population, Shares] = {}
    for of, asked in wanted.items():
        cut, ascending = next(iter(asked.values())), sorted(asked)
        kept = keeping.shares(of, standing)
        missing = [share for share in ascending if share not in kept]
        at = {**kept, **(await _taken(reader, workspace, cut, missing, today) if missing else {})}
        if keeping.joined([at[share] for share in ascending]) is None:
            at = await _taken(reader, workspace, cut, ascending, today)
        found[of] = at
    return found


async def _taken(reader: Reader, workspace: Workspace, cut: Cut, shares: Sequence[Decimal], today: date) -> Shares:
    found = await found_in.quantiles(reader, workspace, cut.asked, [float(share) for share in shares])
    accounts = sum(n for _, n in found.values())
    by_book = {key: Book(_major(at, cut.is_money, workspace), n) for key, (at, n) in found.items()}
    if cut.axis.cuts.within is not None:
        return keeping.single(Frozen((), today, accounts, by_book), shares)
    return keeping.single(Frozen(by_book[""].at if by_book else (), today, accounts), shares)


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
    return meant(axis.cuts.among, f"{axis.pointer}/cuts/among", setting)


# -- checking ----------------------------------------------------------------------------------------------------------


def meant(node: Node, pointer: str, setting: Setting) -> Meaning:
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
