"""Where an account stands among the cuts of a segmentation, and how far from each, in the units of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting, check, for_nobody, shown
from app.domain.criteria.meant import Meaning, SegmentOf, Shown
from app.domain.criteria.nodes import Node
from app.domain.criteria.text import format as spelled
from app.domain.errors import Invalid
from app.domain.segmentation import distances
from app.domain.segmentation.axes import LEVELS, Axis, Cuts
from app.domain.segmentation.cuts import Frozen, loaded
from app.domain.segmentation.distances import Part, Placed
from app.domain.segmentation.kinds import MAKING
from app.domain.segmentation.lanes import IMPACT
from app.domain.segmentation.matrix import SIDES
from app.domain.segmentation.reading import Faults
from app.domain.segmentation.scorecard import levels
from app.domain.workspaces import Workspace
from app.persistence import placed as rows
from app.persistence.database import Reader, Record
from app.services import named

NONE: dict[str, Any] = {"axes": [], "score": None, "lane": None}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of an account: fields by path, and criteria."""

    fields: dict[str, Shown]
    meanings: tuple[Meaning, ...]


async def placed(reader: Reader, workspace: Workspace, account_id: UUID, row: Record, now: datetime) -> dict[str, Any]:
    """`axes` of bands and matrices, `score` with its parts and sums, or `lane` with its considerations: each value with its
    cuts and how far it is from them. Of rules, and of a field that is gone, nothing."""
    kind = row["kind"]
    if kind not in ("bands", "matrix", "score", "lanes"):
        return NONE
    spec = MAKING[kind].read(Faults(), msgspec.json.decode(row["spec"]))
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    try:
        if kind == "score":
            return {**NONE, "score": await _score(reader, workspace, account_id, spec, cuts, now)}
        if kind == "lanes":
            return {**NONE, "lane": await _lane(reader, workspace, account_id, spec)}
        return {**NONE, "axes": await _axes(reader, workspace, account_id, MAKING[kind].axes(spec), cuts, kind)}
    except Invalid:
        return NONE


# -- axes --------------------------------------------------------------------------------------------------------------


async def _axes(
    reader: Reader, workspace: Workspace, account_id: UUID, axes: Sequence[Axis], cuts: Sequence[Frozen], kind: str
) -> list[dict[str, Any]]:
    asked = _fields(workspace, [path for axis in axes for path in _paths(axis)])
    found = await _values(reader, workspace, account_id, asked)
    told = []
    for n, (axis, frozen) in enumerate(zip(axes, cuts, strict=True)):
        one = _placed(axis, frozen, found, asked, workspace)
        name = None if one.level is None or kind == "bands" else LEVELS[axis.cuts.count][one.level]
        told.append({"axis": SIDES[n] if kind == "matrix" else None, **_shown(one), "level": name})
    return told


def _paths(axis: Axis) -> list[str]:
    return [axis.field, *([axis.cuts.within] if axis.cuts.within is not None else [])]


def _fields(workspace: Workspace, paths: Sequence[str]) -> dict[str, Shown]:
    return {path: shown(path, ACCOUNTS, workspace) for path in dict.fromkeys(paths)}


async def _values(reader: Reader, workspace: Workspace, account_id: UUID, asked: dict[str, Shown]) -> dict[str, Any]:
    found, _ = await rows.values(reader, workspace, account_id, [*asked.values()], ())
    return dict(zip(asked, found, strict=True))


def _placed(axis: Axis, cuts: Frozen, found: dict[str, Any], asked: dict[str, Shown], workspace: Workspace) -> Placed:
    book = None if axis.cuts.within is None or found[axis.cuts.within] is None else str(found[axis.cuts.within])
    return distances.placed(axis, cuts, _number(found[axis.field], asked[axis.field], workspace), book)


def _number(value: Any, of: Shown, workspace: Workspace) -> Decimal | None:
    if value is None:
        return None
    money = not isinstance(of, SegmentOf) and of.field.kind == "money"
    return workspace.major(int(value)) if money else Decimal(str(value))


def _shown(one: Placed) -> dict[str, Any]:
    return {
        "field": one.field, "value": one.value, "reached": one.level, "within": one.within, "book": one.book,
        "cuts": [_cut(cut) for cut in one.cuts],
    }  # fmt: skip


def _cut(cut: distances.Cut) -> dict[str, Any]:
    return {"at": cut.at, "distance": cut.distance, "share": cut.share}


# -- scores ------------------------------------------------------------------------------------------------------------


async def _score(
    reader: Reader, workspace: Workspace, account_id: UUID, spec: Any, cuts: Sequence[Frozen], now: datetime
) -> dict[str, Any]:
    numbers = [one for one in spec.measures if one.axis is not None]
    others = [(one, levels(one)) for one in spec.measures if one.axis is None]
    nodes = [node for _, told in others for _, node in told]
    setting = for_nobody(workspace, now)

    def read(known: Setting) -> _Asked:
        paths = [path for one in numbers for path in _paths(one.axis)] + [one.field for one, _ in others if one.field]
        return _Asked(_fields(workspace, paths), tuple(_meaning(node, known) for node in nodes))

    asked = await named.reading(reader, setting, None, now, read)
    found, held = await rows.values(reader, workspace, account_id, [*asked.fields.values()], asked.meanings)
    by_path, verdicts, frozen = dict(zip(asked.fields, found, strict=True)), iter(held), iter(cuts)
    parts = []
    for one in spec.measures:
        if one.axis is not None:
            parts.append(distances.scored(one, _placed(one.axis, next(frozen), by_path, asked.fields, workspace)))
            continue
        told = [(points, next(verdicts)) for points, _ in levels(one)]
        points = next((points for points, meets in told if meets), None)
        met = told[0][1] if one.criteria is not None else None
        parts.append(Part(one, points, None, by_path.get(one.field), met))
    sums = distances.total(parts)
    at = [] if sums is None else [_cut(distances.away(sums, cut)) for cut in spec.at]
    return {"points": sums, "cuts": at, "measures": [_part(part) for part in parts]}


def _meaning(node: Node, setting: Setting) -> Meaning:
    return check(node, ACCOUNTS, setting).meaning


def _part(part: Part) -> dict[str, Any]:
    one, number = part.measure, part.placed
    return {
        "field": one.field or None, "criteria": None if one.criteria is None else spelled(one.criteria),
        "value": part.value if number is None else number.value, "met": part.met,
        "reached": None if number is None else number.level, "cuts": [] if number is None else [_cut(cut) for cut in number.cuts],
        "points": part.points, "weight": one.weight, "given": part.given,
    }  # fmt: skip


# -- lanes -------------------------------------------------------------------------------------------------------------


async def _lane(reader: Reader, workspace: Workspace, account_id: UUID, spec: Any) -> dict[str, Any]:
    asked = _fields(workspace, [IMPACT, *(one.field for one in spec)])
    found = await _values(reader, workspace, account_id, asked)
    told, net = [], 0
    for one in spec:
        at = [cut for cut in (one.lowers_below, one.lifts_from) if cut is not None]
        number = _placed(
            Axis(one.field, Cuts("absolute", tuple(at))),
            Frozen(tuple(at), date.min),
            found,
            asked,
            workspace,
        )
        effect = 0
        if number.value is not None:
            lifts = one.lifts_from is not None and number.value >= one.lifts_from
            lowers = one.lowers_below is not None and number.value < one.lowers_below
            effect = lifts - lowers
        net += effect
        told.append({
            "field": one.field, "value": number.value, "effect": {1: "lifts", -1: "lowers", 0: "none"}[effect],
            "lifts_from": one.lifts_from, "lowers_below": one.lowers_below, "cuts": [_cut(cut) for cut in number.cuts],
        })  # fmt: skip
    return {"impact": found[IMPACT], "net": net, "considerations": told}
