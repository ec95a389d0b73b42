"""What a path of criteria names: a field of the catalogue, a segmentation, an own attribute; and what it can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, assert_never

from app.domain.catalogue import ENTITIES, Entity, Kind, Relation
from app.domain.criteria.meant import Column, CustomOf, SegmentOf, Shown
from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import invalid, nearest
from app.domain.errors import Fault, Invalid
from app.domain.workspaces import Workspace

Question = Literal["equal", "order", "time", "text", "tags", "empty"]

QUESTIONS: Mapping[Kind, tuple[Question, ...]] = MappingProxyType(
    {
        "text": ("equal", "order", "text", "empty"),
        "slug": ("equal", "order", "text", "empty"),
        "enum": ("equal", "empty"),
        "number": ("equal", "order", "empty"),
        "integer": ("equal", "order", "empty"),
        "money": ("equal", "order", "empty"),
        "date": ("equal", "order", "time", "empty"),
        "instant": ("equal", "order", "time", "empty"),
        "bool": ("equal", "empty"),
        "ref": ("equal", "empty"),
        "id": ("equal", "empty"),
        "tags": ("tags", "empty"),
        "json": (),
    }
)
"""What can be asked of each kind of field. `equal`: =, != and IN a list; `order`: <, <=, >, >= and ranges."""

SPELLINGS: Mapping[Question, str] = MappingProxyType(
    {
        "equal": "=, !=, IN (…)",
        "order": "<, <=, >, >=, lo..hi",
        "time": "IN last(…), next(…), this(…), previous(…)",
        "text": ":, starts_with(…), ends_with(…)",
        "tags": "has_any(…), has_all(…)",
        "empty": "IS EMPTY",
    }
)


@dataclass(frozen=True, slots=True)
class Typing:
    """What an operand yields. `values`: all that it can be, where that is known; `target`: what a reference leads to.

    `share`: an average of money, which need not be whole minor units.
    """

    label: str
    kind: Kind
    values: tuple[str, ...] = ()
    target: str | None = None
    share: bool = False


def find(path: str, entity: Entity, workspace: Workspace) -> Shown | None:
    """The field, or None where there is no such field."""
    head, _, rest = path.partition(".")
    if not rest:
        field = entity.fields.get(path) or next((f for f in entity.fields.values() if f.column == path), None)
        return Column(field) if field else None
    if head == "segment" and entity.name == "accounts":
        segmentation = workspace.segmentations.get(rest)
        return SegmentOf(segmentation.id, segmentation.slug) if segmentation else None
    if head == "custom":
        attribute = workspace.attributes.get((entity.name, rest))
        return CustomOf(attribute) if attribute else None
    through = _reached(entity)
    if through and head == through.name:
        inner = find(rest, ENTITIES[through.target], workspace)
        return replace(inner, through=through) if inner and not inner.through else None
    return None


def _reached(entity: Entity) -> Relation | None:
    """The relation whose fields can be named too: contacts reach their account."""
    return entity.relations["account"] if entity.name == "contacts" else None


def paths(entity: Entity, workspace: Workspace) -> Iterator[str]:
    """Every path that `find` finds, each field under its name."""
    yield from entity.fields
    if entity.name == "accounts":
        yield from (f"segment.{slug}" for slug in workspace.segmentations)
    yield from (f"custom.{slug}" for owner, slug in workspace.attributes if owner == entity.name)
    if through := _reached(entity):
        yield from (f"{through.name}.{path}" for path in paths(ENTITIES[through.target], workspace))


def typing(path: str, of: Shown, workspace: Workspace) -> Typing:
    """What the field yields, labelled as it was named."""
    match of:
        case SegmentOf():
            return Typing(path, "enum", workspace.segmentations[of.slug].segments)
        case Column(field) | CustomOf(field):
            return Typing(path, field.kind, field.values, field.target)
        case _:
            assert_never(of)


def resolve(path: str, entity: Entity, workspace: Workspace, at: At) -> tuple[Shown, Typing]:
    """Raises Invalid with the nearest known field."""
    found = find(path, entity, workspace)
    if found is None:
        raise invalid(at, *_unknown(path, entity, workspace))
    return found, typing(path, found, workspace)


def shown(
    path: str, entity: Entity, workspace: Workspace, *, parameter: str | None = None, pointer: str | None = None
) -> Shown:
    """A field to answer or sort by; raises Invalid with the nearest known field."""
    found = find(path, entity, workspace)
    if found is None:
        told = _reference(path, entity)
        message, suggestion = (told, None) if told else _unknown(path, entity, workspace)
        raise Invalid(None, (Fault(message, pointer=pointer, parameter=parameter, suggestion=suggestion),))
    return found


def _reference(path: str, entity: Entity) -> str | None:
    """What is said of a reference's own field, where records are grouped."""
    head, _, rest = path.partition(".")
    through = _reached(entity)
    if through and rest and head == through.name:
        told = _reference(rest, ENTITIES[through.target])
        return told and f"{head}.{told}"
    if not rest or head not in entity.fields or entity.fields[head].kind != "ref":
        return None
    return (
        f"{head} is a reference: {entity.name} are not grouped by the fields of what it refers to; "
        "they can be grouped by it itself."
    )


def _unknown(path: str, entity: Entity, workspace: Workspace) -> tuple[str, str | None]:
    head, _, rest = path.partition(".")
    through = _reached(entity)
    if through and rest and head == through.name:
        return _beyond(rest, through, workspace)
    many = entity.relations.get(head)
    if many and many.many:
        return f"{many.name} are many: ask any({many.name} WHERE …) or count({many.name} WHERE …).", None
    if head == "segment" and entity.name == "contacts":
        if find(f"account.{path}", entity, workspace) or through is None:
            return "Segments are of accounts.", f"account.{path}"
        return "Segments are of accounts.", _beyond(path, through, workspace)[1]
    if head in entity.fields and entity.fields[head].kind == "ref":
        return f"{head} is compared by id, external id or e-mail; its own fields cannot be asked here.", head
    if path == "segment":
        known = [one for one in paths(entity, workspace) if one.startswith("segment.")]
        return "Expected the segmentation behind it: segment.<slug>.", known[0] if len(known) == 1 else None
    if head == "custom" and (entity.name, rest) in workspace.retired:
        message = f"The attribute {rest} of {entity.name} was retired: expected it put back, or another one."
        return message, None
    what = {"segment": "There is no such segmentation.", "custom": f"{entity.name} have no such attribute."}
    if rest and head in what:
        known = [one for one in paths(entity, workspace) if one.startswith(f"{head}.")]
        return what[head], nearest(path, known)
    near = nearest(path, paths(entity, workspace))
    return f"{entity.name} have no such field{'.' if near else _instead(entity)}", near


def _instead(entity: Entity) -> str:
    """What there is, where nothing that there is comes near."""
    if entity.name not in ENTITIES:
        return f": expected one of {', '.join(entity.fields)}."
    more = {
        "accounts": ", custom.<attribute>, and segment.<segmentation>",
        "contacts": ", custom.<attribute>, and what the account has, as in account.arr",
    }
    return f": expected a name that GET /v1/catalog (`catalog` in GraphQL) lists{more.get(entity.name, '')}."


def _beyond(rest: str, through: Relation, workspace: Workspace) -> tuple[str, str | None]:
    """The same of a field that is reached through a relation, told as it was named."""
    target = ENTITIES[through.target]
    head = rest.partition(".")[0]
    if head in target.relations and target.relations[head].many:
        return f"{through.name}.{head} are many: only fields of the {target.singular} itself are asked here.", None
    message, suggestion = _unknown(rest, target, workspace)
    if head in target.fields and target.fields[head].kind == "ref":
        message = f"{through.name}.{message}"
    return message, suggestion and f"{through.name}.{suggestion}"
