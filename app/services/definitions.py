"""A segmentation checked, its cuts frozen, and stored as ordered criteria."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check, shown
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import All, Column, CustomOf, Meaning, SegmentOf
from app.domain.criteria.nodes import Node
from app.domain.errors import Conflict, Fault, Invalid, Unreadable
from app.domain.segmentation.cuts import Frozen, frozen, stored
from app.domain.segmentation.matrix import expanded
from app.domain.segmentation.model import Axis, Segmentation, spec
from app.domain.segmentation.parts import of_segments
from app.domain.workspaces import Workspace, clock
from app.persistence import segments as kept
from app.persistence.database import Transaction
from app.services import named
from app.services.calls import ENCODER, new_id

MOST = 50
"""Segmentations of one workspace."""


async def counted(tx: Transaction, workspace: Workspace, paths: Sequence[str], now: datetime) -> list[int]:
    """How many unarchived accounts have a value above 0, for each field."""
    setting = _setting(workspace, now)
    asked = [
        kept.Asked(Column(ACCOUNTS.fields[path]), (0.5,), _meaning(text.parse(f"{path} > 0"), "", setting))
        for path in paths
    ]
    return [n for _, n in await kept.quantiles(tx, workspace, asked)]


async def define(
    tx: Transaction, workspace: Workspace, wanted: Segmentation, standing: UUID | None, now: datetime
) -> None:
    """Check, freeze and store. Raises Invalid, Conflict where there are too many or another one came first."""
    cuts = await _freeze(tx, workspace, wanted, now)
    cases = expanded(wanted, cuts)
    await named.reading(tx, _setting(workspace, now), None, now, partial(_sound, cases))
    written = {
        "name": wanted.name, "kind": wanted.kind, "spec": ENCODER.encode(spec(wanted)),
        "segments": ENCODER.encode(_cases(wanted, cases)), "rest": wanted.rest, "cuts": ENCODER.encode(stored(cuts)),
    }  # fmt: skip
    if standing is not None:
        await kept.replace(tx, workspace.id, standing, written, now)
        return
    if await kept.count(tx, workspace.id) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} segmentations.")
    if not await kept.insert(tx, workspace.id, new_id(), wanted.slug, written, now):
        raise Conflict


def _cases(wanted: Segmentation, cases: Sequence[Node]) -> list[dict[str, Any]]:
    shown_cases = []
    for segment, node in zip(wanted.segments, cases, strict=True):
        case: dict[str, Any] = {"slug": segment.slug, "name": segment.name, "criteria": text.format(node)}
        if segment.cell:
            case |= dict(zip("xy", segment.cell, strict=True))
        shown_cases.append(case | {"colour": segment.colour, "engagement": segment.engagement})
    return shown_cases


async def _freeze(tx: Transaction, workspace: Workspace, wanted: Segmentation, now: datetime) -> tuple[Frozen, ...]:
    """The cuts of every axis, those that are relative looked up in one statement."""
    today = clock(workspace, now).today
    fields = [_numeric(axis, pointer, workspace) for axis, pointer in zip(wanted.axes, _pointers(wanted), strict=True)]

    def among(setting: Setting) -> list[kept.Asked]:
        return [
            kept.Asked(of, axis.cuts.shares, _among(axis, f"{pointer}/cuts/among", setting))
            for of, axis, pointer in zip(fields, wanted.axes, _pointers(wanted), strict=True)
            if axis.cuts.shares
        ]

    asked = await named.reading(tx, _setting(workspace, now), None, now, among)
    answers = iter(await kept.quantiles(tx, workspace, asked) if asked else ())
    return tuple(_cuts(axis, of, answers, workspace, today) for axis, of in zip(wanted.axes, fields, strict=True))


def _cuts(
    axis: Axis, of: Column | CustomOf, answers: Iterator[tuple[list[Any], int]], workspace: Workspace, today: date
) -> Frozen:
    if not axis.cuts.shares:
        return frozen(axis, None, None, today)
    values, accounts = next(answers)
    money = of.field.kind == "money"
    at = [workspace.major(int(v)) if money else Decimal(repr(v)) for v in values]
    return frozen(axis, at, accounts, today)


def _pointers(wanted: Segmentation) -> tuple[str, ...]:
    return ("/spec/x", "/spec/y")[: len(wanted.axes)] if wanted.kind == "matrix" else ("/spec",)[: len(wanted.axes)]


def _numeric(axis: Axis, pointer: str, workspace: Workspace) -> Column | CustomOf:
    of = shown(axis.field, ACCOUNTS, workspace, pointer=f"{pointer}/field")
    if isinstance(of, SegmentOf) or of.field.kind not in NUMBERS:
        raise Invalid(faults=(Fault("Expected a field of numbers or money.", pointer=f"{pointer}/field"),))
    return of


def _among(axis: Axis, pointer: str, setting: Setting) -> Meaning:
    if axis.cuts.among is None:
        return All()
    return _meaning(axis.cuts.among, pointer, setting)


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


def _sound(cases: Sequence[Node], setting: Setting) -> None:
    faults: list[Fault] = []
    for n, node in enumerate(cases):
        try:
            _meaning(node, f"/segments/{n}/criteria", setting)
        except Invalid as error:
            faults += error.faults
    if faults:
        raise Invalid(faults=tuple(faults))
