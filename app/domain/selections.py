"""What to show and in which order, as doors are told it: `fields`, `include` and `sort`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from app.domain.catalogue import ENTITIES, Entity, Relation
from app.domain.criteria.check import shown
from app.domain.criteria.meant import Column, CustomOf, SegmentOf, Shown
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, Together
from app.domain.questions import Group, Item, Nest, Pick, Selection, Sort
from app.domain.workspaces import Workspace

MAX_FIELDS = 200
MAX_INCLUDES = 10
MAX_SORT = 8
MAX_RELATED = 100
DEFAULT_RELATED = 10
MAX_STEPS = 3
"""References that a path of fields may follow, one from another."""

Told = str | Sequence[str] | None
"""Names separated by commas, or a list of names."""
INCLUDED = re.compile(r"([a-z_]+)(?:\(([^()]*)\))?")
COMMA = re.compile(",")
BETWEEN = re.compile(r",(?![^()]*\))")
"""A comma outside of parentheses."""
NUMBER = re.compile(r"-?[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was told, for faults: a query parameter, or a member of a JSON body; of several names `item` counts
    those of an array from 0, and `column` is where one begins in a text, from 1."""

    name: str
    body: bool = False
    item: int | None = None
    column: int | None = None

    def fault(self, message: str, suggestion: str | None = None) -> Invalid:
        pointer, parameter = (f"/{self.name}", None) if self.body else (None, self.name)
        if pointer is not None and self.item is not None:
            pointer += f"/{self.item}"
        line = None if self.column is None else 1
        return Invalid(None, (Fault(message, pointer, parameter, line, self.column, suggestion),))


def names(told: Told, place: Place, most: int) -> tuple[str, ...] | None:
    """The names told, None where nothing was. Raises Invalid for an empty name and for too many."""
    if told is None:
        return None
    listed = told.split(",") if isinstance(told, str) else told
    found = tuple(one.strip() for one in listed)
    if not all(found):
        raise place.fault("Expected names, separated by single commas.")
    if len(found) > most:
        raise place.fault(f"Expected at most {most} names.")
    return found


def each(told: Told, place: Place, most: int, between: re.Pattern[str] = COMMA) -> tuple[tuple[str, Place], ...] | None:
    """The same, each with where it was told; where `place` is one of several already, that is where."""
    if told is None:
        return None
    found = names(between.split(told) if isinstance(told, str) else told, place, most) or ()
    if place.item is not None or place.column is not None:
        return tuple((name, place) for name in found)
    if not isinstance(told, str):
        return tuple((name, replace(place, item=n if place.body else None)) for n, name in enumerate(found))
    begins = (0, *(comma.end() for comma in between.finditer(told)))
    return tuple(
        (name, replace(place, column=told.index(name, at) + 1)) for name, at in zip(found, begins, strict=True)
    )


def everything(entity: Entity) -> Selection:
    """Every column of an entity."""
    return Selection(tuple(Pick(f.column, Column(f)) for f in entity.fields.values()))


def order_of(of: Shown, workspace: Workspace) -> tuple[str, ...] | None:
    """The order of values that have one: segments as they are defined, stages as they follow each other. None: by value."""
    if isinstance(of, SegmentOf):
        found = workspace.segmentations.get(of.slug)
        return found.segments if found is not None else ()
    if isinstance(of, Column) and (of.field.kind, of.field.target) == ("slug", "stages"):
        return workspace.stages
    return None


def selection(fields: Told, include: Told, entity: Entity, workspace: Workspace, *, body: bool = False) -> Selection:
    """What of each record is shown: the fields told, else every column; and the related records that are included.

    `segment.tier` answers as `segment: {tier}`, `custom.region` as `custom: {region}`, `csm.name` as `csm: {name}`.
    Raises Invalid with the nearest known name.
    """
    wanted, included = Place("fields", body), Place("include", body)
    tree, parts = _Tree(entity), Together()
    paths = parts.part(lambda: each(fields, wanted, MAX_FIELDS), ())
    if paths is None:
        tree.show(everything(entity))
    for path, place in paths or ():
        parts.part(partial(_field, path, path, tree, workspace, place, MAX_STEPS), None)
    for name, place in parts.part(lambda: each(include, included, MAX_INCLUDES, BETWEEN), ()) or ():
        parts.part(partial(_include, name, tree, workspace, place), None)
    parts.verify()
    return tree.selection()


def sort(told: Told, entity: Entity, workspace: Workspace, *, body: bool = False) -> tuple[Sort, ...]:
    """The order told: `-arr,csm.name` is by falling ARR, then by the CSM's name. Raises Invalid with the nearest known name."""
    return _order(told, entity, workspace, Place("sort", body))


def _order(told: Told, entity: Entity, workspace: Workspace, place: Place) -> tuple[Sort, ...]:
    keys: dict[Shown, Sort] = {}
    parts = Together()
    for name, at in each(told, place, MAX_SORT) or ():
        parts.part(partial(_key, name, keys, entity, workspace, at), None)
    parts.verify()
    return tuple(keys.values())


def _key(name: str, keys: dict[Shown, Sort], entity: Entity, workspace: Workspace, place: Place) -> None:
    """Adds the order that a name tells. Raises Invalid."""
    path = name.removeprefix("-")
    of = _ordering(path, entity, workspace, place)
    if not isinstance(of, SegmentOf) and not of.field.sortable:
        raise place.fault(*_unordered(path, of))
    if of in keys:
        raise place.fault(f"{path} is named twice.")
    keys[of] = Sort(of, descending=path != name)


def _ordering(path: str, entity: Entity, workspace: Workspace, place: Place) -> Shown:
    """A field of the record, or of one that it leads to. Raises Invalid."""
    head, _, rest = path.partition(".")
    relation = entity.relations.get(head)
    if not rest or relation is None or relation.many:
        return _shown(path, path, entity, workspace, place)
    target = ENTITIES[relation.target]
    further = target.relations.get(rest.partition(".")[0])
    if further and not further.many and "." in rest:
        raise place.fault("Expected a path over one reference: records are sorted no further away.", f"{head}.name")
    return replace(_shown(rest, path, target, workspace, place), through=relation)


def _unordered(path: str, of: Column | CustomOf) -> tuple[str, str | None]:
    target = ENTITIES.get(of.field.target or "")
    if of.field.kind != "ref" or target is None or of.through is not None or "name" not in target.fields:
        return f"{path} has no order.", None
    return (
        f"{of.field.name} is a reference and has no order: name a field of what it refers to.",
        f"{of.field.name}.name",
    )


def usual_order(entity: Entity) -> tuple[Sort, ...]:
    """The order where none is told: what has positions by those, what happened latest first, everything else as it was
    made."""
    if "position" in entity.fields:
        return (Sort(Column(entity.fields["position"])),)
    if entity.time_field is None or entity.time_field == "created_at":
        return ()
    return (Sort(Column(entity.fields[entity.time_field]), descending=True),)


# -- building ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tree:
    """What is shown of an entity's records while it is told, each name once."""

    entity: Entity
    items: dict[str, Pick] = field(default_factory=dict)
    groups: dict[str, dict[str, Pick]] = field(default_factory=dict)
    nests: dict[str, tuple[Relation, _Tree, int | None, tuple[Sort, ...]]] = field(default_factory=dict)
    order: dict[str, None] = field(default_factory=dict)

    def show(self, selection: Selection) -> None:
        for item in selection.items:
            assert isinstance(item, Pick), "columns alone"
            self.pick(item)

    def pick(self, item: Pick) -> None:
        self.items[item.key] = item
        self.groups.pop(item.key, None)
        self.order[item.key] = None

    def group(self, name: str, item: Pick) -> None:
        if name not in self.items:
            self.groups.setdefault(name, {})[item.key] = item
            self.order[name] = None

    def nest(self, relation: Relation, limit: int | None = None, order: tuple[Sort, ...] = ()) -> _Tree:
        made = (relation, _Tree(ENTITIES[relation.target]), limit, order)
        _, tree, *_ = self.nests.setdefault(relation.name, made)
        self.order[relation.name] = None
        return tree

    def selection(self) -> Selection:
        return Selection(tuple(self._item(name) for name in self.order))

    def _item(self, name: str) -> Item:
        if name in self.items:
            return self.items[name]
        if name in self.groups:
            return Group(name, Selection(tuple(self.groups[name].values())))
        relation, tree, limit, order = self.nests[name]
        return Nest(name, relation, tree.selection(), None, order, limit)


def _field(path: str, whole: str, tree: _Tree, workspace: Workspace, place: Place, steps: int) -> None:
    head, _, rest = path.partition(".")
    relation = tree.entity.relations.get(head)
    if rest and relation and not relation.many:
        if steps == 0:
            raise place.fault(f"Expected a path over at most {MAX_STEPS} references.")
        _field(rest, whole, tree.nest(relation), workspace, place, steps - 1)
    elif relation and relation.many:
        raise place.fault(f"{head} are many: name them in include.")
    elif path == "segment" and tree.entity.name == "accounts":
        for known in workspace.segmentations.values():
            tree.group("segment", Pick(known.slug, SegmentOf(known.id, known.slug)))
    else:
        of = _shown(path, whole, tree.entity, workspace, place)
        if isinstance(of, Column):
            tree.pick(Pick(of.field.column, of))
        else:
            tree.group(head, Pick(rest, of))


def _shown(path: str, whole: str, entity: Entity, workspace: Workspace, place: Place) -> Shown:
    """Raises Invalid as `shown`, with the suggestion as the whole path."""
    try:
        return shown(path, entity, workspace)
    except Invalid as error:
        fault = error.faults[0]
        prefix = whole.removesuffix(path)
        raise place.fault(fault.message, prefix + fault.suggestion if fault.suggestion else None) from None


def _include(told: str, tree: _Tree, workspace: Workspace, place: Place) -> None:
    """`csm`, `interactions`, `interactions(3)`, `interactions(3,-occurred_at)`."""
    found = INCLUDED.fullmatch(told)
    relation = tree.entity.relations.get(found[1]) if found else None
    if found is None or relation is None:
        raise place.fault(
            f"{tree.entity.name} have no such related records.", nearest(told.partition("(")[0], tree.entity.relations)
        )
    target = ENTITIES[relation.target]
    if not relation.many:
        if found[2] is not None:
            raise place.fault(f"{relation.name} is one: it takes no number and no order.")
        tree.nest(relation).show(everything(target))
        return
    limit, order = _many(found[2], relation, workspace, place)
    tree.nest(relation, limit, order).show(everything(target))


def _many(told: str | None, relation: Relation, workspace: Workspace, place: Place) -> tuple[int, tuple[Sort, ...]]:
    """How many of a relation's records, and in which order: `3,-occurred_at`, either of them or both."""
    target = ENTITIES[relation.target]
    if told is None:
        return DEFAULT_RELATED, usual_order(target)
    first, _, rest = (part.strip() for part in told.partition(","))
    if not NUMBER.fullmatch(first):
        return DEFAULT_RELATED, _order(told, target, workspace, place)
    if not 1 <= int(first) <= MAX_RELATED:
        raise place.fault(f"Expected from 1 to {MAX_RELATED} records of {relation.name}.")
    return int(first), _order(rest, target, workspace, place) if "," in told else usual_order(target)
