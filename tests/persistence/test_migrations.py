"""The migrations make exactly what the schema's page says, and that page keeps the house's rules for data."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Column,
    Connection,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.domain.catalogue import ENTITIES
from app.persistence.tables import metadata

TENANT = [t for t in metadata.tables.values() if t.info.get("kind") == "tenant"]
DRIVER = "postgresql+asyncpg://"


def _differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_migrations_and_metadata_agree(dsn: str) -> None:
    engine = create_async_engine(dsn.replace("postgresql://", DRIVER), poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


async def test_checks_partitions_and_collations_are_in_the_database(dsn: str) -> None:
    """What compare_metadata does not look at."""
    engine = create_async_engine(dsn.replace("postgresql://", DRIVER), poolclass=NullPool)
    async with engine.connect() as connection:
        checks = await connection.scalars(text("SELECT conname FROM pg_constraint WHERE contype = 'c'"))
        present = set(checks)
        partitioned = await connection.scalar(
            text("SELECT partstrat::text FROM pg_partitioned_table WHERE partrelid = 'usage_days'::regclass")
        )
        uncollated = await connection.scalars(
            text(
                "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                "JOIN pg_collation o ON o.oid = a.attcollation WHERE c.relnamespace = 'public'::regnamespace "
                "AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND o.collname <> 'C' AND c.relname <> 'alembic_version'"
            )
        )
        uncollated_columns = list(uncollated)
    await engine.dispose()
    declared = {
        f"{name}_{field.name}_check"
        for name, entity in ENTITIES.items()
        if name != "usage"
        for field in entity.fields.values()
        if field.values and field.kept
    }
    assert declared <= present
    assert partitioned == "r"
    assert uncollated_columns == []


async def test_views_show_what_who_asks_may_see(dsn: str) -> None:
    engine = create_async_engine(dsn.replace("postgresql://", DRIVER), poolclass=NullPool)
    async with engine.connect() as connection:
        views = await connection.execute(
            text(
                "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
            )
        )
        assert {name: set(options) for name, options in views} == {"stays": {"security_invoker=true"}}
    await engine.dispose()


def test_every_table_says_its_kind() -> None:
    kinds = {name: table.info.get("kind") for name, table in metadata.tables.items()}
    assert {name for name, kind in kinds.items() if kind not in ("tenant", "reference", "local")} == set()


@pytest.mark.parametrize("table", TENANT, ids=lambda t: t.name)
def test_a_tenant_table_is_keyed_by_its_workspace(table: Table) -> None:
    columns = list(table.columns)
    assert columns[0].name == "workspace_id"
    assert not columns[0].nullable
    keys: list[PrimaryKeyConstraint | UniqueConstraint] = [
        c for c in table.constraints if isinstance(c, PrimaryKeyConstraint | UniqueConstraint)
    ]
    for key in keys:
        assert next(iter(key.columns)).name == "workspace_id", key.name
    for index in table.indexes:
        if index.unique:
            assert index.columns.keys()[0] == "workspace_id", index.name


@pytest.mark.parametrize("table", TENANT, ids=lambda t: t.name)
def test_foreign_keys_stay_within_the_workspace(table: Table) -> None:
    for key in (c for c in table.constraints if isinstance(c, ForeignKeyConstraint)):
        pairs = [(e.parent.name, e.column.name) for e in key.elements]
        assert ("workspace_id", "workspace_id") in pairs, key.name
        assert key.ondelete is None, key.name


@pytest.mark.parametrize("table", list(metadata.tables.values()), ids=lambda t: t.name)
def test_columns_are_of_the_house_types(table: Table) -> None:
    for column in table.columns:
        assert _plain(column), f"{table.name}.{column.name}"


def _plain(column: Column[object]) -> bool:
    """Text compares by code point, instants know their zone, and nothing makes a value but a constant."""
    kind = getattr(column.type, "item_type", column.type)
    if isinstance(kind, Text) and kind.collation != "C":
        return False
    if isinstance(kind, TIMESTAMP) and not kind.timezone:
        return False
    default = getattr(column.server_default, "arg", None)
    return default is None or "(" not in str(default)


def test_money_is_whole_minor_units() -> None:
    for name, entity in ENTITIES.items():
        for field in entity.fields.values():
            if field.kind == "money":
                assert str(metadata.tables[name].columns[field.column].type) == "BIGINT", f"{name}.{field.name}"
