"""Saved lists: what one is, who may see it, and how its references are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria.nodes import All, And, Cmp, Const, FieldValue, InList, Me, Node, Or, Path, Rank, Segment, Text
from app.domain.errors import Fault, Invalid
from app.domain.roles import Principal, allows
from app.domain.selections import selection
from app.domain.selections import sort as order
from app.domain.workspaces import Workspace

ListEntity = Literal["accounts", "contacts"]
Visibility = Literal["private", "public"]
ParameterKind = Literal["text", "number", "date", "instant", "bool"]
Sight = Literal["whole", "name", "nothing"]

ENTITIES: tuple[ListEntity, ...] = ("accounts", "contacts")
"""What lists can be over."""
VISIBILITIES: tuple[Visibility, ...] = ("private", "public")
PARAMETER_KINDS: tuple[ParameterKind, ...] = ("text", "number", "date", "instant", "bool")
DEFAULT_COLUMNS: Mapping[ListEntity, tuple[str, ...]] = MappingProxyType(
    {
        "accounts": ("name", "arr", "health", "renewal_date", "primary_contact.name", "last_interaction_at", "nps"),
        "contacts": ("name", "email", "title", "account.name", "last_seen_at"),
    }
)
MINE: Mapping[str, str] = MappingProxyType({"accounts": "csm", "contacts": "account.csm"})
"""The field that makes a record the caller's own."""
SEARCHED: Mapping[ListEntity, tuple[str, ...]] = MappingProxyType(
    {"accounts": ("name", "domain", "external_id"), "contacts": ("name", "email", "external_id")}
)
"""What records are called by."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name` in the list's criteria. `default` is as JSON has it; None asks the caller for a value. Money is in major units."""

    name: str
    type: ParameterKind
    default: str | int | Decimal | bool | None = None


@dataclass(frozen=True, slots=True)
class List:
    """A saved list. `criteria` names segmentations by their current slugs; `mine` adds that the record is the caller's own.

    `used_at`: when somebody last asked what it holds; `watched_since`: since when it is kept who enters and leaves it;
    `favourite`: whether it is one of whoever looks.
    """

    id: UUID
    entity: ListEntity
    name: str
    description: str | None
    criteria: Node
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    visibility: Visibility
    mine: bool
    params: tuple[Parameter, ...]
    owner_id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    folder: str | None = None
    used_at: datetime | None = None
    watched_since: datetime | None = None
    favourite: bool = False


def sight(principal: Principal, visibility: Visibility, owner_id: UUID) -> Sight:
    """What the principal may see of a list: a private one is there for its owner alone, but for its name."""
    if visibility == "public" or owner_id == principal.user_id:
        return "whole"
    return "name" if knows_names(principal) else "nothing"


def knows_names(principal: Principal) -> bool:
    """Whether the principal knows the names of private lists: whoever may hand a list over has to find it."""
    return allows(principal, "lists.transfer")


def asked(entity: ListEntity, criteria: Node, mine: bool) -> Node:
    """What the list asks for: its criteria, and where it is `mine`, the caller's own records only."""
    return both(criteria, Cmp(Path(MINE[entity]), "eq", Me())) if mine else criteria


def row_fields(columns: Sequence[str], *, past: bool = False) -> tuple[str, ...]:
    """What a row of a list shows: by what it is known, and can be changed by unless it is of the past, then its columns."""
    return tuple(dict.fromkeys((*(("id",) if past else ("id", "version")), *columns)))


def both(criteria: Node, other: Node) -> Node:
    """What meets the one and the other."""
    match criteria:
        case All():
            return other
        case And(args):
            return And((*args, other))
        case _:
            return And((criteria, other))


def searched(entity: ListEntity, words: str) -> Node:
    """Records with these words in what they are called by."""
    return Or(tuple(Text(Path(name), "contains", Const(words)) for name in SEARCHED[entity]))


def by_id(criteria: Node, workspace: Workspace) -> Node:
    """The same criteria with segmentations named by id: as lists are stored, so that no other takes a slug's place."""
    ids = {slug: str(named.id) for slug, named in workspace.segmentations.items()}
    renamed: Node = _renamed(criteria, lambda name: ids.get(name, name))
    return renamed


def by_slug(criteria: Node, workspace: Workspace) -> Node:
    """The same criteria with segmentations named by slug; what is gone keeps its id, and so is no known name."""
    slugs = {str(named.id): slug for slug, named in workspace.segmentations.items()}
    renamed: Node = _renamed(criteria, lambda name: slugs.get(name, name))
    return renamed


def path_by_id(path: str, workspace: Workspace) -> str:
    """The same for a column, or for a sort key with its sign."""
    return _path(path, lambda name: str(workspace.segmentations[name].id) if name in workspace.segmentations else name)


def path_by_slug(path: str, workspace: Workspace) -> str:
    """The other way."""
    slugs = {str(named.id): slug for slug, named in workspace.segmentations.items()}
    return _path(path, lambda name: slugs.get(name, name))


def check_columns(columns: Sequence[str], entity: Entity, workspace: Workspace) -> None:
    """Raises Invalid with all that are neither a field nor a field of what the entity leads to (`primary_contact.name`)."""
    _each("columns", columns, lambda path: selection([path], None, entity, workspace))


def check_sort(sort: Sequence[str], entity: Entity, workspace: Workspace) -> None:
    """Raises Invalid with all that records cannot be sorted by, with `-` before it for descending."""
    _each("sort", sort, lambda key: order([key], entity, workspace))


def _each(name: str, told: Sequence[str], read: Callable[[str], object]) -> None:
    """Raises Invalid that points at each one that cannot be read."""
    faults: list[Fault] = []
    for index, one in enumerate(told):
        try:
            read(one)
        except Invalid as error:
            faults += (replace(fault, pointer=f"/{name}/{index}", parameter=None) for fault in error.faults)
    if faults:
        raise Invalid(faults=tuple(faults))


def _renamed(thing: Any, rename: Callable[[str], str]) -> Any:
    """The tree with every segmentation renamed, wherever a node names one."""
    match thing:
        case Path(name):
            return replace(thing, name=_path(name, rename))
        case FieldValue(path):
            return replace(thing, path=_path(path, rename))
        case Rank(_, field, by):
            return replace(thing, field=_path(field, rename), by=_path(by, rename) if by is not None else None)
        case Segment(segmentation):
            return replace(thing, segmentation=rename(segmentation))
        case InList(name):
            return replace(thing, list=name.lower())
        case tuple():
            return tuple(_renamed(one, rename) for one in thing)
        case _ if is_dataclass(thing) and not isinstance(thing, type):
            return replace(thing, **{f.name: _renamed(getattr(thing, f.name), rename) for f in fields(thing)})
        case _:
            return thing


def _path(path: str, rename: Callable[[str], str]) -> str:
    """`segment.<name>` wherever it stands at the end: alone, behind a sign, behind `account.`."""
    before, found, name = path.rpartition("segment.")
    return f"{before}{found}{rename(name)}" if found and before in ("", "-", "account.", "-account.") else path
