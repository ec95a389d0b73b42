"""One record by what names it, as one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.domain.catalogue import ENTITIES, Entity
from app.domain.questions import Selection
from app.domain.workspaces import Workspace
from app.persistence.compile.rows import Rows
from app.persistence.compile.scope import Scope
from app.persistence.compile.selections import object_of

By = Literal["id", "external_id", "slug"]
ROW, SHAPE = "a", "t$"


@dataclass(frozen=True, slots=True)
class Record:
    """Gives at most one row: the record's JSON and its version, null where the entity has none; `args` are followed by
    the value that names it."""

    text: str
    args: tuple[object, ...]


def record(entity: Entity, selection: Selection, by: By, workspace: Workspace) -> Record:
    """The statement for one record, archived or not."""
    scope = Scope(workspace)
    version = f"{ROW}.version" if "version" in entity.fields else "NULL::int"
    source = _found(entity, selection, by, scope)
    return Record(f"SELECT row_to_json({SHAPE}), {version} {source} = ${len(scope.args) + 1}", tuple(scope.args))


def any_record(selections: Mapping[str, Selection], workspace: Workspace) -> Record:
    """The statement for the record of an id, whichever of these entities has it: its entity's name, then its JSON."""
    scope = Scope(workspace)
    parts = []
    for name, selection in selections.items():
        source = _found(ENTITIES[name], selection, "id", scope)
        parts.append(f"SELECT {scope.bind(name)}::text, row_to_json({SHAPE}) {source} = ")
    place = f"${len(scope.args) + 1}"
    return Record(" UNION ALL ".join(part + place for part in parts), tuple(scope.args))


def _found(entity: Entity, selection: Selection, by: By, scope: Scope) -> str:
    """`FROM … WHERE …` up to what is asked to equal the value."""
    joined = f" CROSS JOIN LATERAL {object_of(selection, Rows(entity, ROW), scope, SHAPE)}"
    return f"{scope.rows(entity.name, ROW, joined=joined)} AND {ROW}.{by}"
