"""Mappings: which column of a file is which field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from app.domain import sources
from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, escape
from app.domain.records import MAX_FAULTS
from app.domain.sources import ANY, Source
from app.domain.values import MisfitError
from app.domain.workspaces import Workspace

DELIMITERS = (",", ";", "\t", "|")

Own = Mapping[str, Field]
NO_OWN: Own = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FileMapping:
    """What one file holds; `fields` by field name. `named` mappings leave columns out, others take every one. `own` are
    the organisation's own attributes as `custom.<slug>`."""

    entity: Entity
    fields: Mapping[str, Source]
    delimiter: str = ","
    named: bool = True
    own: Own = field(default_factory=lambda: NO_OWN)

    @property
    def known(self) -> Mapping[str, Field]:
        """The fields that the file may have."""
        return {**importable(self.entity), **self.own}


def importable(entity: Entity) -> Mapping[str, Field]:
    """The fields that a file may have. Usage may have an identifier of its rows, looked at for repeats alone."""
    fields = {f.name: f for f in entity.fields.values() if f.writable and f.kind not in ("json", "tags")}
    if entity.key == "none":
        fields["external_id"] = ENTITIES["accounts"].fields["external_id"]
    return fields


def known_by(entity: Entity) -> tuple[str, ...]:
    """The fields by which a row is found again when the file is sent again."""
    if entity.key == "none":
        return entity.required
    return ("external_id", "email") if entity.name == "users" else (entity.key,)


def own_of(workspace: Workspace, entity: Entity) -> Own:
    """The organisation's own attributes of an entity, as files name them."""
    found = {f"custom.{slug}": field for (owner, slug), field in workspace.attributes.items() if owner == entity.name}
    return MappingProxyType({path: replace(field, name=path, stored=field.key) for path, field in found.items()})


def natural(entity: Entity, columns: Sequence[str], own: Own = NO_OWN, *, anyhow: bool = False) -> FileMapping:
    """The mapping of a file whose columns are named as the fields; references as `account` or, by id, `account_id`;
    `anyhow` means those of the first kind by whatever they can be told by.

    Raises Invalid with line 1 and the column's number for a name that is no field.
    """
    fields, found, faults = {**importable(entity), **own}, dict[str, Source](), []
    ids = {f.column: f for f in fields.values() if f.kind == "ref"}
    for number, column in enumerate(columns, 1):
        field = fields.get(column) or ids.get(column)
        if field is None:
            derived = column in entity.fields
            message = (
                "Expected no such column: Strata keeps it."
                if derived
                else f"Expected the name of a field of {entity.name}, or a mapping."
            )
            faults.append(
                Fault(message, line=1, column=number, suggestion=None if derived else nearest(column, [*fields, *ids]))
            )
        elif field.name in found:
            faults.append(Fault(f"Expected one column for {field.name}.", line=1, column=number))
        else:
            by = ANY if anyhow and field.kind == "ref" else sources.usual_ref(field)
            found[field.name] = Source(column, "id" if column in ids else by)
    if faults:
        raise Invalid(faults=tuple(faults))
    return _whole(FileMapping(entity, MappingProxyType(found), named=False, own=own))


def read(told: object, entity: Entity, own: Own = NO_OWN) -> FileMapping:
    """A mapping as JSON for this kind. Raises Invalid with a JSON pointer per fault."""
    members = _members(told, "", ("kind", "columns", "constants", "delimiter", "decimal"))
    faults: list[Fault] = []
    if members.get("kind", entity.name) != entity.name:
        faults.append(Fault(f"Expected {entity.name}: that is what the file is imported as.", pointer="/kind"))
    delimiter = members.get("delimiter", ",")
    if delimiter not in DELIMITERS:
        faults.append(Fault("Expected one of the delimiters: comma, semicolon, tab, bar.", pointer="/delimiter"))
    decimal = None
    if "decimal" in members:
        try:
            decimal = sources.sign(members["decimal"])
        except MisfitError as misfit:
            faults.append(misfit.fault("/decimal"))
    readers: dict[str, Callable[[Field, object], Source]] = {
        "columns": partial(sources.of_column, decimal=decimal),
        "constants": sources.constant,
    }
    fields, found = {**importable(entity), **own}, dict[str, Source]()
    for part, reader in readers.items():
        for name, one in _members(members.get(part, {}), f"/{part}", None).items():
            if len(faults) >= MAX_FAULTS:
                break
            pointer = f"/{part}/{escape(name)}"
            try:
                if name not in fields:
                    raise MisfitError(f"a field of {entity.name} that can be set", nearest(name, fields))
                if name in found:
                    raise MisfitError("the field once, as a column or as a constant")
                found[name] = reader(fields[name], one)
            except MisfitError as misfit:
                faults.append(misfit.fault(pointer))
    if faults:
        raise Invalid(faults=tuple(faults))
    return _whole(FileMapping(entity, MappingProxyType(found), str(delimiter), own=own))


def faults_of(mapping: FileMapping, columns: Sequence[str]) -> tuple[Fault, ...]:
    """The columns that the mapping names and a file's header does not have."""
    wanted = {source.column: name for name, source in mapping.fields.items() if source.column is not None}
    return tuple(
        Fault(f"Expected the column that the mapping names for {name}.", line=1, suggestion=nearest(column, columns))
        for column, name in wanted.items()
        if column not in columns
    )


def _whole(mapping: FileMapping) -> FileMapping:
    """What no file can be imported without: that by which a row is known when it is sent again."""
    entity, given = mapping.entity, mapping.fields
    if entity.key == "none":
        missing = [name for name in entity.required if name not in given]
    elif entity.name == "users":
        missing = [] if "external_id" in given or "email" in given else ["external_id"]
    else:
        missing = [] if entity.key in given else [entity.key]
    if missing:
        message = f"Expected a column for {', '.join(missing)}: by it a row is known when the file is sent again."
        raise Invalid(faults=(Fault(message, line=1),))
    return mapping


def _members(told: object, pointer: str, known: Sequence[str] | None) -> Mapping[str, Any]:
    if not isinstance(told, Mapping):
        raise Invalid(faults=(Fault("Expected a JSON object.", pointer=pointer),))
    unknown = [name for name in told if known is not None and name not in known]
    if unknown:
        raise Invalid(
            faults=tuple(
                Fault(
                    "Expected no member of this name.",
                    pointer=f"{pointer}/{escape(name)}",
                    suggestion=nearest(name, known or ()),
                )
                for name in unknown[:MAX_FAULTS]
            )
        )
    return told
