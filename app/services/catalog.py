"""The catalogue as a program reads it: what can be asked for in this workspace, how, and with which values."""

from __future__ import annotations

from typing import Any, get_args

from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria import limits
from app.domain.criteria.fields import QUESTIONS, SPELLINGS
from app.domain.criteria.literals import UNITS
from app.domain.criteria.nodes import Calendar, Fold
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace

FUNCTIONS = {
    "count": 'count(interactions WHERE kind = "meeting", last(90d)) >= 2',
    "count_distinct": "count_distinct(usage.feature, last(30d)) < 3",
    "sum": 'sum(usage.value WHERE feature = "reports", last(30d)) < 50',
    "avg": "avg(surveys.score, last(1y)) >= 8",
    "min": "min(tickets.satisfaction, last(90d)) <= 2",
    "max": "max(invoices.amount, last(1y)) > 10000",
    "last_value": "last_value(surveys.score) <= 6",
}
"""Each fold of related rows with an example."""
EXAMPLES = (
    "arr >= 50000 AND renewal_date IN next(90d)",
    "csm = @me AND health < 50",
    "none(interactions, last(30d))",
    'any(invoices WHERE status IN ("unpaid", "failed"))',
    'NOT (industry IS EMPTY) AND name : "ac"',
)


def describe(principal: Principal) -> dict[str, Any]:
    """Entities with their fields and relations, and the windows, functions and limits of criteria."""
    permit(principal, "catalog.read")
    workspace = principal.workspace
    return {
        "entities": [_entity(entity, workspace) for entity in ENTITIES.values()],
        "windows": {
            "rolling": {"spellings": ["last(30d)", "next(90d)"], "units": list(UNITS)},
            "period": {
                "spellings": ["this(month)", "previous(quarter)", "next(week)"],
                "units": list(get_args(Calendar)),
            },
        },
        "functions": [{"name": name, "example": FUNCTIONS[name]} for name in get_args(Fold)],
        "people": ["@me", "@my_team"],
        "limits": {
            "depth": limits.DEPTH, "nodes": limits.NODES, "related": limits.RELATED, "values": limits.VALUES,
            "text_bytes": limits.TEXT_BYTES,
        },
        "examples": list(EXAMPLES),
    }  # fmt: skip


def _entity(entity: Entity, workspace: Workspace) -> dict[str, Any]:
    own = {path: workspace.attributes[entity.name, slug] for path, slug in _custom(entity, workspace)}
    return {
        "name": entity.name,
        "time_field": entity.time_field,
        "fields": [
            *(_field(field.name, field) for field in entity.fields.values()),
            *(_segment(slug, workspace) for slug in workspace.segmentations if entity.name == "accounts"),
            *(_field(path, field) for path, field in own.items()),
        ],
        "relations": [
            {
                "name": r.name,
                "target": r.target,
                "many": r.many,
                "time_field": ENTITIES[r.target].time_field if r.many else None,
            }
            for r in entity.relations.values()
        ],
    }


def _custom(entity: Entity, workspace: Workspace) -> list[tuple[str, str]]:
    return [(f"custom.{slug}", slug) for owner, slug in workspace.attributes if owner == entity.name]


def _segment(slug: str, workspace: Workspace) -> dict[str, Any]:
    segments = workspace.segmentations[slug].segments
    field = Field(
        f"segment.{slug}",
        "enum",
        "the segment that the account stands in",
        optional=True,
        derived=True,
        values=segments,
    )
    return _field(field.name, field)


def _field(path: str, field: Field) -> dict[str, Any]:
    return {
        "path": path,
        "answered_as": field.column if path == field.name else path,
        "kind": field.kind,
        "description": field.description or None,
        "unit": field.unit,
        "optional": field.optional,
        "writable": field.writable,
        "filterable": bool(QUESTIONS[field.kind]),
        "sortable": field.sortable,
        "groupable": field.groupable,
        "operators": [SPELLINGS[question] for question in QUESTIONS[field.kind]],
        "values": list(field.values) or None,
        "target": field.target,
        "minimum": field.low,
        "maximum": field.high,
    }
