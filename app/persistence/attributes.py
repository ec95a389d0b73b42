"""Attributes: their rows, the values that records have of them, and the lists, segmentations and mappings that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.domain.attributes import Attribute
from app.domain.catalogue import Field
from app.domain.dependents import EXAMPLES
from app.persistence.compile.operands import attribute as expression
from app.persistence.database import Reader, Record, Transaction

COLUMNS = (
    'id, external_id, entity, slug, name, type, "values", is_required, is_unique, is_promoted, retired_at, '
    "coalesce(key, slug) AS key"
)
ALL = f"SELECT {COLUMNS} FROM attributes WHERE workspace_id = $1 ORDER BY entity, slug"
ONE = {
    by: f"SELECT {COLUMNS}, version, index_state, index_due FROM attributes WHERE workspace_id = $1 AND {by} = $2"
    for by in ("id", "external_id")
}
DELETE = "DELETE FROM attributes WHERE workspace_id = $1 AND id = $2"
PAGE = 10_000
"""Records whose values one statement takes away."""

LISTS = """
SELECT l.id, l.entity, l.name, l.visibility, l.criteria, l.columns, l.sort
FROM lists l
WHERE l.workspace_id = $1
    AND (strpos(l.criteria::text, $2) > 0 OR strpos(array_to_string(l.columns || l.sort, ' '), $2) > 0)
ORDER BY l.name, l.id FOR UPDATE
"""
RENAME_LIST = """
UPDATE lists SET criteria = $3, columns = $4, sort = $5, version = version + 1, updated_at = $6
WHERE workspace_id = $1 AND id = $2
"""
SEGMENTATIONS = """
SELECT s.id, s.slug, s.spec, s.segments FROM segmentations s
WHERE s.workspace_id = $1 AND (strpos(s.segments::text, $2) > 0 OR strpos(s.spec::text, $2) > 0)
ORDER BY s.slug FOR UPDATE
"""
RENAME_SEGMENTATION = """
UPDATE segmentations SET spec = $3, segments = $4, version = version + 1, updated_at = $5
WHERE workspace_id = $1 AND id = $2
"""
MAPPINGS = """
SELECT m.name, m.mapping FROM mappings m WHERE m.workspace_id = $1 AND strpos(m.mapping::text, $2) > 0
ORDER BY m.name FOR UPDATE
"""
RENAME_MAPPING = "UPDATE mappings SET mapping = $3, updated_at = $4 WHERE workspace_id = $1 AND name = $2"


async def all_of(reader: Reader, workspace_id: UUID) -> list[Attribute]:
    """Every attribute, retired ones too."""
    return [made(row) for row in await reader.fetch(ALL, workspace_id, point=True)]


async def one(reader: Reader, workspace_id: UUID, attribute_id: UUID) -> Record | None:
    """The attribute's row with `version`, `index_state` and `index_due`."""
    return await reader.fetchrow(ONE["id"], workspace_id, attribute_id, point=True)


async def locked(
    tx: Transaction, workspace_id: UUID, by: Literal["id", "external_id"], value: UUID | str
) -> Record | None:
    """The same, locked until the transaction ends."""
    return await tx.fetchrow(f"{ONE[by]} FOR UPDATE", workspace_id, value)


def made(row: Record) -> Attribute:
    """The attribute of a row."""
    names = [name for name in Attribute.__slots__ if name != "values"]
    return Attribute(values=tuple(row["values"]), **{name: row[name] for name in names})


async def delete(tx: Transaction, workspace_id: UUID, attribute_id: UUID) -> None:
    """Removes the attribute; the values that records have of it are removed by `purge`."""
    await tx.execute(DELETE, workspace_id, attribute_id)


# -- values of records -----------------------------------------------------------------------------------------------------


async def without(reader: Reader, workspace_id: UUID, of: Attribute) -> tuple[int, list[str]]:
    """How many records have no value of it, and the names of the first."""
    value = expression(of.field, "r")
    empty = f"coalesce(jsonb_array_length({value}), 0) = 0" if of.type == "tags" else f"{value} IS NULL"
    sql = f"""SELECT count(*) AS n, (array_agg(r.name ORDER BY r.created_at, r.id))[:{EXAMPLES}] AS names
    FROM {of.entity} r WHERE r.workspace_id = $1 AND {empty}"""
    return _counted(await reader.fetchrow(sql, workspace_id))


async def repeated(reader: Reader, workspace_id: UUID, of: Attribute) -> tuple[int, list[str]]:
    """How many records share their value with another one, and the names of the first."""
    value = expression(of.field, "r")
    sql = f"""SELECT count(*) AS n, (array_agg(s.name ORDER BY s.value, s.created_at, s.id))[:{EXAMPLES}] AS names
    FROM (
        SELECT r.name, r.created_at, r.id, {value} AS value, count(*) OVER (PARTITION BY {value}) AS times
        FROM {of.entity} r WHERE r.workspace_id = $1 AND {value} IS NOT NULL
    ) s WHERE s.times > 1"""
    return _counted(await reader.fetchrow(sql, workspace_id))


async def others(reader: Reader, workspace_id: UUID, of: Attribute, values: Sequence[str]) -> list[tuple[str, int]]:
    """The values that records have beside these, and how many records have each."""
    source, value = f"{of.entity} r", expression(of.field, "r")
    if of.type == "tags":
        source, value = f"{source} CROSS JOIN LATERAL jsonb_array_elements_text({value}) v(value)", "v.value"
    sql = f"""SELECT {value} AS value, count(*) AS n FROM {source}
    WHERE r.workspace_id = $1 AND {value} <> ALL ($2::text[]) GROUP BY 1 ORDER BY 1"""
    return [(row["value"], row["n"]) for row in await reader.fetch(sql, workspace_id, list(values))]


async def replace_value(
    tx: Transaction, workspace_id: UUID, of: Attribute, value: str, instead: str | None, now: datetime
) -> None:
    """Records that have a value of an enum or of tags get another one, or none."""
    told = None if instead is None else msgspec.json.encode([instead])
    if of.type == "tags":
        tags = f"({expression(of.field, 'r')} - $3::text)"
        new = f"CASE WHEN $4::jsonb IS NULL OR {tags} @> $4::jsonb THEN {tags} ELSE {tags} || $4::jsonb END"
        holds = f"{expression(of.field, 'r')} ? $3::text"
    else:
        new, holds = "coalesce($4::jsonb -> 0, 'null'::jsonb)", f"{expression(of.field, 'r')} = $3::text"
    custom = f"jsonb_strip_nulls(jsonb_set(r.custom, ARRAY[$5::text], nullif({new}, '[]'::jsonb)))"
    left = f"coalesce({custom}, r.custom - $5::text)"  # jsonb_set gives null for no tags
    await tx.execute(
        f"""UPDATE {of.entity} r SET custom = nullif({left}, '{{}}'::jsonb), version = r.version + 1, updated_at = $2
        WHERE r.workspace_id = $1 AND {holds}""",
        workspace_id, now, value, told, of.key,
    )  # fmt: skip


async def purge(tx: Transaction, workspace_id: UUID, of: Attribute) -> None:
    """Takes every value away, page by page; what records show does not change, so their versions stay."""
    page = f"""SELECT (array_agg(p.id ORDER BY p.id DESC))[1] FROM (
        SELECT r.id FROM {of.entity} r WHERE r.workspace_id = $1 AND ($2::uuid IS NULL OR r.id > $2) ORDER BY r.id LIMIT {PAGE}
    ) p"""
    sweep = f"""UPDATE {of.entity} r SET custom = nullif(r.custom - $4::text, '{{}}'::jsonb)
    WHERE r.workspace_id = $1 AND ($2::uuid IS NULL OR r.id > $2) AND r.id <= $3 AND r.custom ? $4::text"""
    after: UUID | None = None
    while (last := await tx.fetchval(page, workspace_id, after)) is not None:
        await tx.execute(sweep, workspace_id, after, last, of.key)
        after = last


async def holder(
    reader: Reader, workspace_id: UUID, entity: str, field: Field, value: Any, but: UUID | None
) -> UUID | None:
    """Another record than `but` that has this value."""
    sql = f"""SELECT r.id FROM {entity} r
    WHERE r.workspace_id = $1 AND {expression(field, "r")} = $2 AND r.id IS DISTINCT FROM $3::uuid LIMIT 1"""
    found: UUID | None = await reader.fetchval(sql, workspace_id, value, but)
    return found


def _counted(row: Record | None) -> tuple[int, list[str]]:
    assert row is not None  # an aggregate
    return row["n"], list(row["names"] or ())


# -- where it is named ----------------------------------------------------------------------------------------------------


async def lists(tx: Transaction, workspace_id: UUID, path: str) -> list[Record]:
    """Lists that have the path somewhere, locked."""
    return await tx.fetch(LISTS, workspace_id, path)


async def rename_list(
    tx: Transaction, workspace_id: UUID, list_id: UUID, said: Mapping[str, Any], now: datetime
) -> None:
    """A list with its paths renamed, as its next version."""
    await tx.execute(RENAME_LIST, workspace_id, list_id, said["criteria"], said["columns"], said["sort"], now)


async def segmentations(tx: Transaction, workspace_id: UUID, path: str) -> list[Record]:
    """Segmentations that have the path somewhere, locked."""
    return await tx.fetch(SEGMENTATIONS, workspace_id, path)


async def rename_segmentation(
    tx: Transaction, workspace_id: UUID, segmentation_id: UUID, spec: bytes, segments: bytes, now: datetime
) -> None:
    """A segmentation with its paths renamed, as its next version."""
    await tx.execute(RENAME_SEGMENTATION, workspace_id, segmentation_id, spec, segments, now)


async def mappings(tx: Transaction, workspace_id: UUID, path: str) -> list[Record]:
    """Stored mappings that have the path somewhere, locked."""
    return await tx.fetch(MAPPINGS, workspace_id, path)


async def rename_mapping(tx: Transaction, workspace_id: UUID, name: str, mapping: bytes, now: datetime) -> None:
    """A mapping with its fields renamed."""
    await tx.execute(RENAME_MAPPING, workspace_id, name, mapping, now)
