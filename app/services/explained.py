"""Explanations as documents: every leaf with its value, its threshold and what shows it, in the units of answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, assert_never

from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import text, tree
from app.domain.criteria.english import english
from app.domain.criteria.evaluate import spelled
from app.domain.criteria.evidence import Evidence
from app.domain.criteria.explain import Explanation, Found
from app.domain.criteria.flips import Flip
from app.domain.criteria.leaves import Asked, Branch, Leaf, Tree, asked, decided, is_operand, leaves
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    ChangeOf,
    Column,
    Compare,
    CustomOf,
    FoldOf,
    Grouped,
    Match,
    Meaning,
    Missing,
    Moved,
    Not,
    OneOf,
    Operand,
    Or,
    Refers,
    Related,
    SegmentOf,
    Tagged,
)
from app.domain.criteria.referred import Names
from app.domain.workspaces import Workspace

Values = Mapping[Asked, Any]


def whole(of: Explanation, entity: Entity, workspace: Workspace, names: Names) -> dict[str, Any]:
    """The criteria in both spellings of people, the verdict, what would admit the record, the tree, and its leaves alone."""
    every = {leaf.index: leaf for leaf in leaves(of.tree)}
    node = of.tree.node
    tree = _Writer(of, entity, workspace, names).tree(of.tree)
    return {
        "text": text.format(node),
        "english": english(node, entity, workspace, names),
        "result": of.verdict,
        **flipping(of.flip),
        "fewest": None if of.fewest is None else [
            {"pointer": every[index].pointer, "text": text.format(every[index].node)} for index in of.fewest
        ],
        "leaves": list(_flat(tree)),
        "tree": tree,
    }  # fmt: skip


def _flat(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The leaves of a tree as it is told, in document order."""
    if "args" not in tree:
        yield tree
        return
    for arg in tree["args"]:
        yield from _flat(arg)


def flipping(flip: Flip) -> dict[str, Any]:
    """When it says something else, and whether that is known."""
    return {"flips_at": flip.at, "flips_known": flip.known}


class _Writer:
    """Writes one explanation."""

    def __init__(self, of: Explanation, entity: Entity, workspace: Workspace, names: Names) -> None:
        told = zip(leaves(of.tree), of.found, of.flips, strict=True)
        self._told = {leaf.index: (found, flip) for leaf, found, flip in told}
        self._verdicts = {index: found.verdict for index, (found, _) in self._told.items()}
        self._entity, self._workspace, self._names = entity, workspace, names

    def tree(self, part: Tree) -> dict[str, Any]:
        if isinstance(part, Leaf):
            return self._leaf(part, *self._told[part.index])
        return self._branch(part)

    def _branch(self, part: Branch) -> dict[str, Any]:
        named = {} if part.name is None else {**tree.dump(part.node), "name": part.name}
        return {
            **named,
            "op": part.op,
            "pointer": part.pointer,
            "result": decided(part, self._verdicts),
            "args": [self.tree(arg) for arg in part.args],
        }

    def _leaf(self, leaf: Leaf, found: Found, flip: Flip) -> dict[str, Any]:
        of = asked(leaf.meaning)
        values = dict(zip(of, found.values, strict=True))
        ranks = [{"rank": one.rank, "at": one.at, "computed_at": one.cuts.computed_at} for one in leaf.checked.ranks]
        return {
            "op": tree.dump(leaf.node)["op"],
            "pointer": leaf.pointer,
            "text": text.format(leaf.node),
            "english": english(leaf.node, self._entity, self._workspace, self._names),
            "result": found.verdict,
            "because_empty": found.by_emptiness,
            "value": self._shown(values[of[0]], of[0]) if of else None,
            "threshold": self._threshold(leaf.meaning, values),
            "windows": list(leaf.checked.windows),
            "ranks": ranks,
            "evidence": [self._evidence(row) for row in found.evidence],
            **flipping(flip),
        }

    # -- values --------------------------------------------------------------------------------------------------------

    def _shown(self, value: Any, of: Asked) -> Any:
        """As answers have it: money in major units."""
        if value is None or not _is_money(of):
            return list(value) if isinstance(value, tuple) else value
        return self._major(value)

    def _major(self, value: Any) -> Any:
        if isinstance(value, float):  # an average
            return float(Decimal(repr(value)).scaleb(-self._workspace.minor_digits))
        return self._workspace.major(value)

    def _threshold(self, meaning: Meaning, values: Values) -> dict[str, Any]:  # noqa: C901 - one arm for each node
        match meaning:
            case And(args) | Or(args):
                joint = "and" if isinstance(meaning, And) else "or"
                return {joint: [self._threshold(arg, values) for arg in args]}
            case Not(arg):
                return {"not": self._threshold(arg, values)}
            case All():
                return {"cmp": "everything"}
            case Compare(of, cmp, other):
                if is_operand(other):
                    return {"cmp": cmp, "field": _label(other), "value": self._shown(values[other], other)}
                return {"cmp": cmp, "value": self._shown(other, of)}
            case OneOf(of, several):
                return {"cmp": "in", "values": [self._shown(one, of) for one in several]}
            case Between(of, lo, hi, hi_open):
                ends = {name: self._shown(end, of) for name, end in (("lo", lo), ("hi", hi)) if end is not None}
                return {"cmp": "between", **ends, "hi_open": hi_open}
            case Match(_, match, value):
                return {"cmp": match, "value": value}
            case Tagged(_, every, several):
                return {"cmp": "has_all" if every else "has_any", "values": list(several)}
            case Missing():
                return {"cmp": "empty"}
            case Refers(_, names, ids):
                return {"cmp": "is", "values": list(dict.fromkeys((*names, *map(str, ids))))}
            case Related(q, relation, where, bounds):
                every_row = FoldOf("count", relation, None, None, bounds)
                return {"cmp": q} | ({"rows": values[every_row]} if q == "all" and where is not None else {})
            case Moved(_, slug, segment, event):
                return {"cmp": event, "segmentation": slug, "segment": segment}
            case Grouped():
                return self._grouped(meaning, values)
            case _:
                assert_never(meaning)

    def _grouped(self, meaning: Grouped, values: Values) -> dict[str, Any]:
        """The bounds of the record's own group; without them no value of it would do."""
        key = spelled(values[meaning.by])
        names = ("gt", "le") if meaning.rising else ("lt", "ge")
        ends = next((ends for group, *ends in meaning.groups if group == key), None)
        shown = zip(names, ends or (), strict=False)
        bounds = {name: self._shown(end, meaning.of) for name, end in shown if end is not None}
        return {"cmp": "group", "by": _label(meaning.by), "group": key or None, "found": ends is not None, **bounds}

    def _evidence(self, row: Evidence) -> dict[str, Any]:
        entity = ENTITIES.get(row.entity)
        money = {f.column for f in entity.fields.values() if f.kind == "money"} if entity else set()
        values = {
            name: self._major(value) if name in money and value is not None else value
            for name, value in row.values.items()
        }
        return {"entity": row.entity, "inside": row.inside, "passes": row.passes, "values": values}


def _is_money(of: Asked) -> bool:
    match of:
        case Column(field) | CustomOf(field):
            return field.kind == "money"
        case FoldOf(fn, _, folded):
            return folded is not None and folded.kind == "money" and fn not in ("count", "count_distinct")
        case ChangeOf(now, _, relative):
            return not relative and _is_money(now)
        case SegmentOf() | Moved():
            return False
        case _:
            assert_never(of)


def _label(of: Operand) -> str:
    """A field as criteria spell it."""
    match of:
        case FoldOf() | ChangeOf():
            return of.fn if isinstance(of, FoldOf) else "change"
        case SegmentOf(_, slug):
            name = f"segment.{slug}"
        case CustomOf(field):
            name = f"custom.{field.name}"
        case Column(field):
            name = field.name
        case _:
            assert_never(of)
    return f"{of.through.name}.{name}" if of.through else name
