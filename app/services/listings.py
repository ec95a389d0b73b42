"""Saved lists as they are stored, seen and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

import msgspec

from app.domain import list_bodies, lists
from app.domain.catalogue import ENTITIES
from app.domain.criteria import text, tree
from app.domain.criteria.check import Setting, check
from app.domain.criteria.suggest import nearest
from app.domain.criteria.values import Whatever
from app.domain.errors import Fault, Invalid, NotFound, StrataError, Together
from app.domain.list_templates import Template
from app.domain.lists import List, ListEntity, Parameter, ParameterKind, Visibility, asked
from app.domain.roles import Principal
from app.domain.values import MisfitError
from app.domain.workspaces import Person, Workspace, clock
from app.persistence.database import Record
from app.services.calls import ENCODER, Effect, Written

DECODER = msgspec.json.Decoder(float_hook=Decimal)
SAID = ("description", "folder", "criteria", "columns", "sort", "mine", "params")
"""What a list says: of a private one its owner's alone."""


LIKELY: Mapping[ParameterKind, Any] = MappingProxyType(
    {
        "text": Whatever(UUID(int=0)),
        "number": 1,
        "date": date(2026, 1, 31),
        "instant": datetime(2026, 1, 31, tzinfo=UTC),
        "bool": True,
    }
)
"""A value of each type that any field of this type takes."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as the principal sees it. `reason` says why it is broken, None where it is ok.

    `hidden`: somebody else's private list, of which an admin sees the name and, in `size`, how many rows it holds.
    """

    list: List
    text: str
    tree: Mapping[str, Any]
    reason: str | None = None
    hidden: bool = False
    size: int | None = None

    @property
    def state(self) -> str:
        return "broken" if self.reason else "ok"


def document(listing: Listing) -> dict[str, Any]:
    """The list's representation; of a hidden one only what an admin may know, all else null."""
    of, shown = listing.list, not listing.hidden
    return {
        "id": of.id,
        "entity": of.entity,
        "name": of.name,
        "description": of.description if shown else None,
        "folder": of.folder if shown else None,
        "criteria": {"text": listing.text, "tree": listing.tree} if shown else None,
        "columns": of.columns if shown else None,
        "sort": of.sort if shown else None,
        "visibility": of.visibility,
        "mine": of.mine if shown else None,
        "params": [_shown(one) for one in of.params] if shown else None,
        "owner_id": of.owner_id,
        "state": listing.state if shown else None,
        "reason": listing.reason if shown else None,
        "size": listing.size,
        "favourite": of.favourite and shown,
        "watched_since": of.watched_since if shown else None,
        "used_at": of.used_at if shown else None,
        "version": of.version,
        "created_at": of.created_at,
        "updated_at": of.updated_at,
    }


def told(of: List) -> dict[str, Any]:
    """The list for the audit, which admins read: of a private one no more than its name and whose it is."""
    known = ("entity", "name", "visibility", "owner_id")
    shown = document(rendered(of, hidden=False))
    return {name: shown[name] for name in (*known, *(SAID if of.visibility == "public" else ()))}


def body(listing: Listing) -> bytes:
    """The representation as JSON."""
    return ENCODER.encode(document(listing))


def written(principal: Principal, of: List, done: tuple[Effect, ...] = (), *, created: bool = False) -> Written:
    """What a write left of the list, as far as the principal sees it."""
    return Written(of.id, of.version, body(rendered(of, is_hidden(principal, of))), created, done)


# -- checking -------------------------------------------------------------------------------------------------------------


def setting_of(workspace: Workspace, now: datetime) -> Setting:
    """What lists are looked at in: whatever their ranks may be."""
    return Setting(workspace, clock(workspace, now), cuts=None)


def verify(made: List, setting: Setting) -> None:
    """Raises Invalid with all that the list names and that is not there, as its owner would ask it."""
    own = replace(setting, person=_owner(made), within=made.id)
    said = {
        "criteria": made.criteria,
        "mine": made.mine,
        "params": made.params,
        "columns": made.columns,
        "sort": made.sort,
    }
    if faults := misfits(made.entity, said, own):
        raise Invalid(faults=faults)


def misfits(entity: ListEntity, said: Mapping[str, Any], setting: Setting) -> tuple[Fault, ...]:
    """What the members of a list that are there name, and is not."""
    of, workspace = ENTITIES[entity], setting.workspace

    def criteria() -> None:
        if "criteria" in said:
            within = replace(setting, params=_likely(said.get("params", ())))
            check(asked(entity, said["criteria"], said.get("mine", False)), of, within)

    parts = Together()
    parts.part(criteria, None)
    parts.part(lambda: lists.check_columns(said.get("columns", ()), of, workspace), None)
    parts.part(lambda: lists.check_sort(said.get("sort", ()), of, workspace), None)
    return parts.faults


def parameters(params: Sequence[Parameter], told: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Values of a list's parameters: the caller's where told, else the defaults. Raises Invalid."""
    values, faults = {}, []
    for one in params:
        given = list_bodies.parameter_text(one.type, told[one.name]) if told and one.name in told else one.default
        if given is None:
            message = f"Expected a value for {one.name}: the list has no default for this parameter."
            faults.append(Fault(message, parameter=f"param.{one.name}"))
            continue
        try:
            values[one.name] = list_bodies.parameter_value(one.type, given)
        except MisfitError as misfit:
            faults.append(misfit.fault(parameter=f"param.{one.name}"))
    known = {one.name for one in params}
    unknown = [name for name in told or {} if name not in known]
    faults += [
        Fault("Expected a parameter of the list.", parameter=f"param.{name[:63]}", suggestion=_near(name, known))
        for name in unknown
    ]
    if faults:
        raise Invalid(faults=tuple(faults))
    return values


def _likely(params: Sequence[Parameter]) -> dict[str, Any]:
    """Values that a list can be checked with before anybody says those of parameters without a default."""
    open_ = {one.name: LIKELY[one.type] for one in params if one.default is None}
    return {**open_, **parameters([one for one in params if one.default is not None])}


def _near(name: str, known: Iterable[str]) -> str | None:
    found = nearest(name, known)
    return found and f"param.{found}"


# -- storing --------------------------------------------------------------------------------------------------------------


def columns(of: List, workspace: Workspace) -> dict[str, Any]:
    """The list by columns, what it names kept by id."""
    return {
        "entity": of.entity,
        "name": of.name,
        "description": of.description,
        "folder": of.folder,
        "criteria": ENCODER.encode(tree.dump_document(lists.by_id(of.criteria, workspace))),
        "columns": [lists.path_by_id(path, workspace) for path in of.columns],
        "sort": [lists.path_by_id(path, workspace) for path in of.sort],
        "visibility": of.visibility,
        "mine": of.mine,
        "params": ENCODER.encode([_shown(one) for one in of.params]),
        "owner_id": of.owner_id,
    }


def loaded(row: Record, workspace: Workspace) -> List:
    """The list of a row, what it names by its current slugs."""
    params = tuple(Parameter(one["name"], one["type"], one["default"]) for one in DECODER.decode(row["params"]))
    return List(
        id=row["id"],
        entity=row["entity"],
        name=row["name"],
        description=row["description"],
        criteria=lists.by_slug(tree.load_document(DECODER.decode(row["criteria"])), workspace),
        columns=tuple(lists.path_by_slug(path, workspace) for path in row["columns"]),
        sort=tuple(lists.path_by_slug(path, workspace) for path in row["sort"]),
        visibility=cast(Visibility, row["visibility"]),
        mine=row["mine"],
        params=params,
        owner_id=row["owner_id"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        folder=row["folder"],
        used_at=row["used_at"],
        watched_since=row.get("watched_since"),
        favourite=row.get("favourite", False),
    )


def seen(principal: Principal, row: Record | None, *, whole: bool = False) -> List:
    """The list, where the principal can see it: whole, or at least its name. Raises NotFound."""
    sight = lists.sight(principal, row["visibility"], row["owner_id"]) if row else "nothing"
    if row is None or sight == "nothing" or (whole and sight != "whole"):
        raise NotFound("There is no such list in this workspace.")
    return loaded(row, principal.workspace)


def is_own(principal: Principal, of: List) -> bool:
    """Whether the principal owns the list."""
    return of.owner_id == principal.user_id


def is_hidden(principal: Principal, of: List) -> bool:
    """Whether the principal may know no more than its name."""
    return lists.sight(principal, of.visibility, of.owner_id) != "whole"


def _owner(of: List) -> Person:
    return Person(of.owner_id, (of.owner_id,))


def rendered(of: List, hidden: bool, reason: str | None = None) -> Listing:
    """The list with both spellings of its criteria."""
    return Listing(of, text.format(of.criteria), tree.dump_document(of.criteria), reason, hidden)


def looked_at(principal: Principal, of: List, setting: Setting) -> Listing:
    """The list as it is now: broken where something that it names is gone."""
    try:
        verify(of, setting)
        reason = None
    except StrataError as error:
        reason = error.detail
    return rendered(of, is_hidden(principal, of), reason)


def _shown(one: Parameter) -> dict[str, Any]:
    return {"name": one.name, "type": one.type, "default": one.default}


def template_body(template: Template) -> dict[str, Any]:
    """The body that makes a ready-made list, with its `slug`."""
    node = text.parse(template.criteria)
    return {
        "slug": template.slug,
        "entity": template.entity,
        "name": template.name,
        "description": template.description,
        "criteria": {"text": text.format(node), "tree": tree.dump_document(node)},
        "columns": template.columns,
        "sort": template.sort,
        "visibility": "private",
        "mine": False,
        "params": [],
    }
