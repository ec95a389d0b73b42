"""Clusters told as rules: boxes on the fields that a tree cut out, as criteria of the accounts that were looked at, and names."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from app.domain.criteria import text
from app.domain.criteria.nodes import All, And, Cmp, Const, Empty, Node, Not, Or, Path
from app.domain.criteria.phrases import label
from app.domain.segmentation.reading import NAME_LENGTH, Faults

KINDS = ("clusters",)
MEMBERS = ("kind", "fields", "count", "where", "name")
FIELDS, COUNTS = (1, 8), (2, 8)
STABLE = 0.75
"""The mean adjusted Rand index over accounts drawn anew below which clusters are refused."""
AGREED = 0.8
"""The share of accounts that rules have to place as the clusters did, below which they are refused."""
BOOTSTRAPS = 20
DIGITS, MOST_DIGITS = 3, 9
"""Significant digits of a threshold, and how many where clusters lie too close for so few."""
REST = "not-clustered"
"""The segment of whoever was not looked at."""
APART = 0.5
"""From how many standard deviations off the mean on a cluster is called high or low in a field."""


NEEDED = {
    "fields": f"an array of 1 to {FIELDS[1]} fields",
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
    faults.one_of(members.get("kind"), "/kind", KINDS)
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


def readable(threshold: float, whole: bool, digits: int = DIGITS) -> float:
    """A threshold as people say it: so many significant digits, a whole number where values are."""
    if whole:
        threshold = math.ceil(threshold)
    if threshold == 0 or not math.isfinite(threshold):
        return threshold
    places = digits - 1 - math.floor(math.log10(abs(threshold)))
    return float(round(threshold, places))


def criteria(boxes: Sequence[Box], cluster: int, where: Node | None, lacking: Collection[str]) -> Node | None:
    """Whoever meets `where`, has a value in each of the fields that accounts may be `lacking`, and lies in a box of the
    cluster; None where it has none."""
    own = [box for box in boxes if box.cluster == cluster and box.sides]
    if not own:
        return None
    said = [_within(box) for box in own]
    rule = said[0] if len(said) == 1 else Or(tuple(said))
    has = [Not(Empty(Path(name))) for name in lacking if any(name not in box.sides for box in own)]
    asked = () if where is None or isinstance(where, All) else where.args if isinstance(where, And) else (where,)
    every = (*asked, *has, *(rule.args if isinstance(rule, And) else (rule,)))
    return every[0] if len(every) == 1 else And(every)


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


# -- names -------------------------------------------------------------------------------------------------------------


def ranged(field: str, boxes: Sequence[Box], clusters: int, whole: bool) -> list[str]:
    """A name for each cluster on one field: from where to where its rule reaches."""
    sides = {box.cluster: box.sides.get(field, EVERYWHERE) for box in boxes}
    return [_first(_range(_title(field), *sides[n], whole)) for n in range(clusters)]


def _range(title: str, low: float, high: float, whole: bool) -> str:
    if not math.isfinite(low):
        return f"{title} below {_said(high)}"
    if not math.isfinite(high):
        return f"{title} from {_said(low)}"
    last = high - 1 if whole else high
    return f"{title} {_said(low)}" if last == low else f"{title} {_said(low)} to {_said(last)}"


def called(offs: Sequence[Mapping[str, float]], medians: Sequence[Mapping[str, float]]) -> list[str]:
    """A name for each cluster, each once: by the fields in which it stands furthest off the middle of all, in standard
    deviations; where that is so of several, by their medians too."""
    names = [_first(", ".join(_levels(n, offs, medians)) or "in the middle") for n in range(len(offs))]
    for name in {name for name in names if names.count(name) > 1}:
        alike = [n for n, one in enumerate(names) if one == name]
        apart = sorted(offs[0], key=lambda field: -_spread([offs[n][field] for n in alike]))
        for n in alike:
            names[n] = _apart(name, apart, [medians[one] for one in alike], alike.index(n), names)
    return names


def _levels(n: int, offs: Sequence[Mapping[str, float]], medians: Sequence[Mapping[str, float]]) -> list[str]:
    furthest = sorted(offs[n].items(), key=lambda one: -abs(one[1]))[:2]
    return [f"{_level(n, field, offs, medians)} {_title(field)}" for field, off in furthest if abs(off) >= APART]


def _level(n: int, field: str, offs: Sequence[Mapping[str, float]], medians: Sequence[Mapping[str, float]]) -> str:
    """High or low; of several that are the one that is so most."""
    side = 1 if offs[n][field] > 0 else -1
    others = [side * medians[one][field] for one, off in enumerate(offs) if one != n and side * off[field] >= APART]
    most = bool(others) and side * medians[n][field] > max(others)
    return ("high" if side > 0 else "low") + ("est" if most else "")


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _apart(
    name: str, fields: Sequence[str], medians: Sequence[Mapping[str, float]], n: int, taken: Collection[str]
) -> str:
    """The name with as many medians as tell the n-th from the others of this name."""
    for many in range(1, len(fields) + 1):
        said = [[f"{_title(field)} about {_said(one[field])}" for field in fields[:many]] for one in medians]
        found = f"{name}: {', '.join(said[n])}"[:NAME_LENGTH]
        if said.count(said[n]) == 1 and found not in taken:
            return found
    return next(one for one in (f"{name} {number}" for number in count(2)) if one not in taken)


def _title(field: str) -> str:
    return label(field.rpartition(".")[2])


def _first(told: str) -> str:
    return (told[0].upper() + told[1:])[:NAME_LENGTH]


def _said(value: float) -> str:
    return f"{_plain(value):,}"


# -- what can be put ---------------------------------------------------------------------------------------------------


def definition(wanted: Wanted, boxes: Sequence[Box], names: Sequence[str], lacking: Collection[str]) -> dict[str, Any]:
    """A body of kind `rules` that can be put or kept as a draft: whoever was not looked at is left to the rest, and so are
    clusters without a box."""
    told = [(n, name, criteria(boxes, n, wanted.where, lacking)) for n, name in enumerate(names)]
    segments = [
        {"slug": slug(n), "name": name, "criteria": text.format(node)} for n, name, node in told if node is not None
    ]
    return {
        "name": wanted.name,
        "kind": "rules",
        "spec": {},
        "segments": segments,
        "rest": REST,
        "refreeze": None,
    }


def slug(cluster: int) -> str:
    """Of its segment."""
    return f"cluster-{cluster + 1}"
