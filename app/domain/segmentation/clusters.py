"""Clusters told as rules: boxes on the fields that a tree cut out, as criteria in order, and how far they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.criteria import text
from app.domain.criteria.nodes import And, Cmp, Const, Node, Or, Path
from app.domain.segmentation.reading import Faults

MEMBERS = ("kind", "fields", "count", "where", "name")
FIELDS, COUNTS = (1, 8), (2, 8)
STABLE = 0.75
"""The mean adjusted Rand index over accounts drawn anew below which clusters are refused."""
BOOTSTRAPS = 20
DIGITS = 3
"""Significant digits of a threshold."""
APART = 0.5
"""From how many standard deviations off the mean on a cluster is called high or low in a field."""


NEEDED = {
    "kind": "clusters, the kind that can be suggested", "fields": f"an array of 1 to {FIELDS[1]} fields",
    "count": f"how many clusters there are to be, from {COUNTS[0]} to {COUNTS[1]}",
}  # fmt: skip
"""What has to be said, and what is expected of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What clusters are asked for: so many, on these numeric fields, of the accounts that meet `where` (all: None)."""

    fields: tuple[str, ...]
    count: int
    where: Node | None
    name: str


def read(body: object) -> Wanted:
    """From MEMBERS. Raises Invalid with every fault found."""
    faults = Faults()
    members = faults.members(body, "", MEMBERS, NEEDED)
    faults.one_of(members.get("kind"), "/kind", ("clusters",))
    given, asked = members.get("fields"), members.get("count")
    listed = () if given is None else faults.array(given, "/fields", FIELDS[1], "fields")
    fields = tuple(faults.line(one, f"/fields/{n}") for n, one in enumerate(listed))
    for n, one in enumerate(listed):
        if not isinstance(one, str):
            faults.add(f"/fields/{n}", "Expected the path of a field.")
    if len(set(fields)) < len(fields):
        faults.add("/fields", "Expected each field once.")
    count = 0 if asked is None else faults.whole(asked, "/count", *COUNTS)
    where = None if members.get("where") is None else faults.criteria(members["where"], "/where")
    name = "Clusters" if members.get("name") is None else faults.line(members["name"], "/name")
    faults.raise_any()
    return Wanted(fields, count, where, name)


@dataclass(frozen=True, slots=True)
class Box:
    """Accounts with each field in [low, high) as far as it is named; the cluster that most of them are in."""

    cluster: int
    sides: Mapping[str, tuple[float, float]]

    def holds(self, row: Mapping[str, float]) -> bool:
        """Whether a row of values by field lies in it."""
        return all(low <= row[name] < high for name, (low, high) in self.sides.items())


def merged(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """The same with boxes of one cluster put together where they lie side by side."""
    left, found = list(boxes), []
    while left:
        box = left.pop(0)
        for other in left:
            whole = _joined(box, other) if box.cluster == other.cluster else None
            if whole is not None:
                left.remove(other)
                left.append(Box(box.cluster, whole))
                break
        else:
            found.append(box)
    return tuple(found)


EVERYWHERE = (-math.inf, math.inf)


def _joined(box: Box, other: Box) -> dict[str, tuple[float, float]] | None:
    """The sides of both as one; None where they differ in more than one field, or there is a gap."""
    names = dict.fromkeys((*box.sides, *other.sides))
    differ = [name for name in names if box.sides.get(name, EVERYWHERE) != other.sides.get(name, EVERYWHERE)]
    if len(differ) != 1:
        return None
    (low, high), (other_low, other_high) = (one.sides.get(differ[0], EVERYWHERE) for one in (box, other))
    if low > other_high or other_low > high:
        return None
    sides = {**box.sides, **other.sides, differ[0]: (min(low, other_low), max(high, other_high))}
    return {name: side for name, side in sides.items() if side != EVERYWHERE}


def readable(threshold: float, whole: bool) -> float:
    """A threshold as people say it: so many significant digits, a whole number where values are."""
    if whole:
        threshold = math.ceil(threshold)
    if threshold == 0 or not math.isfinite(threshold):
        return threshold
    places = DIGITS - 1 - math.floor(math.log10(abs(threshold)))
    return float(round(threshold, places))


def criteria(boxes: Sequence[Box], cluster: int) -> Node | None:
    """Whoever lies in a box of the cluster; None where it has none."""
    said = [_within(box) for box in boxes if box.cluster == cluster and box.sides]
    if not said:
        return None
    return said[0] if len(said) == 1 else Or(tuple(said))


def _within(box: Box) -> Node:
    parts: list[Node] = []
    for name, (low, high) in box.sides.items():
        if math.isfinite(low):
            parts.append(Cmp(Path(name), "ge", Const(_plain(low))))
        if math.isfinite(high):
            parts.append(Cmp(Path(name), "lt", Const(_plain(high))))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _plain(value: float) -> int | Decimal:
    return int(value) if value == int(value) else Decimal(repr(value))


def agreement(boxes: Sequence[Box], rows: Sequence[Mapping[str, float]], labels: Sequence[int]) -> float:
    """The share of rows that the boxes place as the clusters did; in the order of clusters the first that holds wins."""
    ordered = sorted(boxes, key=lambda box: box.cluster)
    placed = (next((box.cluster for box in ordered if box.holds(row)), None) for row in rows)
    return sum(one == label for one, label in zip(placed, labels, strict=True)) / len(rows)


def called(offs: Sequence[Mapping[str, float]]) -> list[str]:
    """A name for each cluster by the fields in which it stands furthest off the mean, in standard deviations; each once."""
    names: list[str] = []
    for off in offs:
        furthest = sorted(off.items(), key=lambda one: -abs(one[1]))[:2]
        said = [f"{'high' if value > 0 else 'low'} {_title(field)}" for field, value in furthest if abs(value) >= APART]
        told = ", ".join(said) or "in the middle"
        name = told[0].upper() + told[1:]
        names.append(name if name not in names else f"{name} {len(names) + 1}")
    return names


SHORT = ("arr", "mrr", "tcv", "nps")


def _title(field: str) -> str:
    last = field.rpartition(".")[2]
    return last.upper() if last in SHORT else last.replace("_", " ")


def definition(wanted: Wanted, boxes: Sequence[Box], names: Sequence[str]) -> dict[str, Any]:
    """A body of kind `rules` that can be put or kept as a draft; clusters without a box are left to the rest."""
    told = [(n, name, criteria(boxes, n)) for n, name in enumerate(names)]
    segments = [
        {"slug": f"cluster-{n + 1}", "name": name, "criteria": text.format(node)}
        for n, name, node in told
        if node is not None
    ]
    return {
        "name": wanted.name,
        "kind": "rules",
        "spec": {},
        "segments": segments,
        "rest": "unclassified",
        "refreeze": None,
    }
