"""The catalogue as a program reads it: what can be asked for in this workspace, how, and with which values.

It is enough to draw a filter builder that knows no field by heart: a field names its operators, an operator its
spellings and what it takes, a kind how its values are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast, get_args

from app.domain.calendars import FiscalUnit
from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria import gaps, limits, lint
from app.domain.criteria.cost import CLASSES
from app.domain.criteria.fields import find, paths
from app.domain.criteria.literals import CALENDARS, UNITS
from app.domain.criteria.meant import SegmentOf, Shown
from app.domain.criteria.phrases import UNITS as SPANS
from app.domain.criteria.phrases import label
from app.domain.criteria.reference import FUNCTIONS, JOINED, KINDS, OPERATORS, REFERENCES, WORDS, Function, operators
from app.domain.lists import DEFAULT_COLUMNS, MINE, SEARCHED, ListEntity
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace
from app.persistence import criteria as rows
from app.persistence.database import Reader

EXAMPLES = (
    "arr >= 50000 AND renewal_date IN next(90d)",
    "csm = @me AND health < 50",
    "none(interactions, last(30d))",
    'any(invoices WHERE status IN ("unpaid", "failed"))',
    'NOT (industry IS EMPTY) AND name : "ac"',
)
HOURS = ("min", "h")
CALLED = ("name", "email", "slug")
"""Fields by which people look for a record, where its entity has them."""
GROUPS = {"segment": "segments", "custom": "own attributes"}
ERRORS = {
    "unreadable": "The text is no criteria: mend what stands at line and column.",
    "invalid": "The criteria means nothing here: a name is not known, or a value does not fit.",
}


def describe(principal: Principal) -> dict[str, Any]:
    """Entities with their fields and relations, and all that criteria are made of; what `known` says stands apart."""
    permit(principal, "catalog.read")
    workspace = principal.workspace
    return {
        "entities": [_entity(entity, workspace) for entity in ENTITIES.values()],
        "kinds": [
            {"name": name, "description": kind.description, "operators": operators(name), "example": kind.example,
             "text": kind.text or None}
            for name, kind in KINDS.items()
        ],
        "operators": [
            {"name": one.name, "label": one.label, "of": one.of, "takes": one.takes, "text": one.text, "json": one.json,
             "kinds": one.kinds}
            for one in OPERATORS
        ],
        "joined": [{"name": name, **of} for name, of in JOINED.items()],
        "functions": [_function(one) for one in FUNCTIONS],
        "windows": {
            "rolling": {
                "spellings": ["last(30d)", "next(90d)"],
                "units": list(UNITS),
                "units_of_dates": [unit for unit in UNITS if unit not in HOURS],
                "text": "{dir}({n}{unit})",
                "json": {"win": "rolling", "dir": "{dir}", "n": "{n}", "unit": "{unit}"},
                "dir": ["last", "next"],
                "labels": {"last": "the last", "next": "the next", **{unit: f"{word}s" for unit, word in SPANS.items()}},
                "duration": "{n}{unit}",
            },
            "period": {
                "spellings": ["this(month)", "previous(quarter)", "next(week)"],
                "units": list(CALENDARS),
                "text": "{which}({unit})",
                "json": {"win": "period", "which": "{which}", "unit": "{unit}"},
                "which": ["this", "previous", "next"],
                "labels": {
                    "this": "this", "previous": "the previous", "next": "the following",
                    **{unit: unit.replace("_", " ") for unit in CALENDARS},
                },
                "fiscal": _fiscal(workspace),
            },
        },
        "references": [
            {"label": one.label, "text": one.text, "json": one.json, "description": one.description, "kinds": one.kinds, "types": one.types}
            for one in REFERENCES
        ],
        "people": ["@me", "@my_team"],
        "keywords": list(WORDS),
        "limits": {
            "depth": limits.DEPTH, "nodes": limits.NODES, "related": limits.RELATED, "values": limits.VALUES,
            "arguments": limits.ARGS, "text_bytes": limits.TEXT_BYTES,
        },
        "problems": [
            *({"code": code, "severity": "error", "description": told} for code, told in ERRORS.items()),
            *({"code": code, "severity": "warning", "description": told} for code, told in lint.CODES.items()),
            {"code": gaps.NO_DATA, "severity": "warning", "description": gaps.MEANING},
        ],
        "costs": [{"class": name, "description": told} for name, told in CLASSES.items()],
        "examples": list(EXAMPLES),
    }  # fmt: skip


async def known(db: Reader, principal: Principal) -> list[dict[str, Any]]:
    """The slugs that there are, by the entity that they are of; `whole` where these are all. One statement."""
    permit(principal, "catalog.read")
    found = await rows.known(db, principal.workspace.id)
    return [
        {
            "target": target,
            "whole": of.whole,
            "values": [{"value": slug, "name": name} for slug, name in of.names.items()],
        }
        for target, of in found.items()
    ]


def _fiscal(workspace: Workspace) -> dict[str, Any]:
    """What fiscal units are: periods of the workspace's own calendar, which are known from the one day to the other, or
    months and what they make from the first month on."""
    known = workspace.calendar
    return {
        "units": [unit for unit in CALENDARS if unit in get_args(FiscalUnit)],
        "calendar": None if known is None else {"from": str(known.first), "to": str(known.last)},
        "first_month": workspace.fiscal_month if known is None else None,
    }


def _function(one: Function) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Function.__slots__}


def _entity(entity: Entity, workspace: Workspace) -> dict[str, Any]:
    listed = cast(ListEntity, entity.name) if entity.name in DEFAULT_COLUMNS else None
    return {
        "name": entity.name,
        "singular": entity.singular,
        "time_field": entity.time_field,
        "searched": list(SEARCHED[listed]) if listed else [name for name in CALLED if name in entity.fields],
        "columns": list(DEFAULT_COLUMNS[listed]) if listed else None,
        "mine": MINE.get(entity.name),
        "fields": [_field(path, of, entity, workspace) for path, of in _fields(entity, workspace)],
        "relations": [
            {
                "name": r.name,
                "target": r.target,
                "many": r.many,
                "time_field": ENTITIES[r.target].time_field if r.many else None,
                "asked": r.many,
            }
            for r in entity.relations.values()
        ],
    }


def _fields(entity: Entity, workspace: Workspace) -> Iterator[tuple[str, Shown]]:
    for path in paths(entity, workspace):
        if (found := find(path, entity, workspace)) is not None:
            yield path, found


def _group(path: str, entity: Entity) -> str:
    """What fields like this one stand under where they are chosen."""
    head, _, rest = path.partition(".")
    if not rest:
        return entity.name
    if head in GROUPS:
        return GROUPS[head]
    inner = rest.partition(".")[0]
    return f"{head}: {GROUPS[inner]}" if inner in GROUPS else head


def _of(path: str, found: Shown, workspace: Workspace) -> Field:
    """The field of a path; of a segmentation one whose values are its segments."""
    if not isinstance(found, SegmentOf):
        return replace(found.field, optional=True) if path.partition(".")[0] == "custom" else found.field
    segments = workspace.segmentations[found.slug].segments
    description = "the segment that the account stands in"
    return Field(path, "enum", description, optional=True, derived=True, values=segments)


def _field(path: str, found: Shown, entity: Entity, workspace: Workspace) -> dict[str, Any]:
    field, own = _of(path, found, workspace), found.through is None
    return {
        "path": path,
        "label": label(path.rpartition(".")[2]),
        "group": _group(path, entity),
        "answered_as": f"{path}_id" if field.kind == "ref" else path,
        "kind": field.kind,
        "description": field.description or None,
        "unit": field.unit,
        "optional": field.optional,
        "writable": field.writable and own,
        "filterable": bool(operators(field.kind)),
        "sortable": field.sortable,
        "groupable": field.groupable,
        "foldable": "." not in path,
        "operators": operators(field.kind),
        "values": list(field.values) or None,
        "target": field.target or (path if field.kind == "tags" and path in rows.NAMED else None),
        "minimum": field.low,
        "maximum": field.high,
    }
