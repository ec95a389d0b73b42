"""What tables are made of: types, and the columns that follow from the catalogue."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Double,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID
from sqlalchemy.types import TypeEngine

from app.domain.catalogue import ENTITIES, Field

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

TEXT = Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
TYPES: dict[str, TypeEngine[Any]] = {
    "text": TEXT, "enum": TEXT, "slug": TEXT, "number": Double(), "integer": Integer(), "money": BigInteger(),
    "date": Date(), "instant": INSTANT, "bool": Boolean(), "tags": ARRAY(TEXT), "json": JSONB(), "id": UUID(), "ref": UUID(),
}  # fmt: skip
GENERATED = {
    ("accounts", "mrr"): "round(arr / 12.0)::bigint",
    ("accounts", "margin"): "arr - cost_to_serve",
    ("accounts", "seat_utilisation"): (
        "CASE WHEN seats_licensed > 0 AND seats_active IS NOT NULL THEN least(1::double precision, "
        "seats_active::double precision / seats_licensed::double precision) ELSE NULL::double precision END"
    ),
}


def _default(field: Field) -> str | None:
    if field.optional:
        return None
    if field.initial is not None:
        return repr(field.initial)
    if field.kind == "bool":
        return "false"
    if field.kind == "tags":
        return "'{}'"
    return "0" if field.derived and field.kind in ("money", "number", "integer") else None


def _column(table: str, field: Field) -> Column[Any]:
    generated = GENERATED.get((table, field.name))
    if generated:
        return Column(field.column, TYPES[field.kind], Computed(generated, persisted=True), nullable=field.optional)
    default = _default(field)
    return Column(
        field.column, TYPES[field.kind], nullable=field.optional, server_default=text(default) if default else None
    )


def _by_hand(field: Field) -> Column[Any]:
    """What was set by hand, kept apart from what follows from related records."""
    return Column(f"{field.name}_by_hand", TYPES[field.kind])


def _checks(field: Field) -> list[CheckConstraint]:
    if field.values:
        return [CheckConstraint(f"{field.name} IN ({', '.join(repr(v) for v in field.values)})", field.name)]
    return []


def _references(field: Field) -> list[ForeignKeyConstraint]:
    if field.target is None or (field.derived and field.kind == "ref"):
        return []  # accounts and contacts refer to each other: the derived side has no constraint
    to = "slug" if field.kind == "slug" else "id"
    return [
        ForeignKeyConstraint(["workspace_id", field.column], [f"{field.target}.workspace_id", f"{field.target}.{to}"])
    ]


def workspace() -> Column[Any]:
    return Column("workspace_id", UUID(), nullable=False)


def entity(name: str, *extra: Any, kind: str = "tenant") -> Table:
    """The table of a catalogue's entity: its fields, what is set by hand, its checks and references."""
    declared = ENTITIES[name]
    fields = [field for field in declared.fields.values() if field.kept]
    return Table(
        name, metadata, workspace(),
        *(_column(name, f) for f in fields),
        *(_by_hand(f) for f in fields if f.fallback and name == "accounts"),
        *(c for f in fields for c in _checks(f)),
        *(c for f in fields for c in _references(f)),
        PrimaryKeyConstraint("workspace_id", "id"),
        UniqueConstraint("workspace_id", "external_id"),
        *([UniqueConstraint("workspace_id", "slug")] if declared.key == "slug" else []),
        *extra,
        info={"kind": kind},
    )  # fmt: skip


def tenant(name: str, *parts: Any, **options: Any) -> Table:
    return Table(name, metadata, workspace(), *parts, info={"kind": "tenant"}, **options)
