"""Own attributes of staged rows: one JSON object a row, put among what the record has of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.catalogue import Entity, Field
from app.domain.imports import Problem, unfit
from app.persistence.compile.operands import attribute, literal
from app.persistence.database import Transaction

NAME = "custom"
"""The column of typed rows: values by key, null for what is to be emptied, nothing for what a line leaves out."""
TEXTS = ("text", "enum", "date")
HEARD = "r.errs IS NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)"
TAKEN = """
WITH standing AS (SELECT r.line, r.id, {given} AS value FROM import_rows r WHERE {heard})
UPDATE import_rows r SET errs = ARRAY[$2::int]
FROM standing s JOIN {table} x ON x.workspace_id = $1 AND {stored} = s.value AND x.id <> s.id WHERE s.line = r.line
"""
TAKEN_BEFORE = """
WITH standing AS (SELECT r.line, r.id, {given} AS value FROM import_rows r WHERE {heard})
UPDATE import_rows r SET errs = ARRAY[$1::int]
FROM (SELECT value, min(line) AS first FROM standing WHERE value IS NOT NULL GROUP BY value HAVING count(*) > 1) o
JOIN standing s ON s.value = o.value
WHERE s.line = r.line AND s.line > o.first
"""

# Casts and these functions are immutable, as writes must be on a cluster; to_jsonb and its like are not.


def given(field: Field, value: str, absent: str | None) -> str:
    """What a row says of one attribute, as an object; of one that it leaves out, an empty one."""
    key = literal(field.key)
    empty = f"jsonb_object(ARRAY[{key}, NULL]::text[])"
    match field.kind:
        case kind if kind in TEXTS:
            made = f"jsonb_object(ARRAY[{key}, {value}::text])"
        case "instant":
            made = f"jsonb_object(ARRAY[{key}, {_moment(value)}])"
        case "tags":
            made = f"coalesce(jsonb_set('{{}}'::jsonb, ARRAY[{key}], nullif({value}, '[]'::jsonb)), {empty})"
        case _:
            made = f"""coalesce(('{{"' || {key} || '":' || {value}::text || '}}')::jsonb, {empty})"""
    return made if absent is None else f"CASE WHEN {absent} THEN '{{}}'::jsonb ELSE {made} END"


def _moment(value: str) -> str:
    """An instant in its one spelling: UTC, with six digits of a second or none."""
    text = f"({value} AT TIME ZONE 'UTC')::text"
    fraction = f"CASE WHEN length({text}) > 19 THEN rpad(substr({text}, 20), 7, '0') ELSE '' END"
    return f"replace(left({text}, 19), ' ', 'T') || {fraction} || 'Z'"


def tags(field: Field, v: str, known: str | None) -> str:
    """An array of JSON from text: `a;b`, or an array as JSON has it; NULL where it is none, or not of these values."""
    listed = f"array_remove(regexp_split_to_array(trim({v}), '\\s*;\\s*'), '')"
    split = f"jsonb_path_query_array(jsonb_object({listed}, {listed}), '$.keyvalue().key')"
    # CASE alone keeps the server from casting what is no JSON.
    told = (
        f"CASE WHEN {v} LIKE '[%' THEN CASE WHEN pg_input_is_valid({v}, 'jsonb') THEN {v}::jsonb END ELSE {split} END"
    )
    sound = (
        f"jsonb_path_exists({told}, '$[*] ? (@.type() != \"string\")') IS FALSE AND jsonb_array_length({told}) <= 100"
    )
    if field.values and known is not None:
        sound += f" AND {told} <@ {known}::jsonb"
    return f"CASE WHEN {sound} THEN {told} END"


def merged(stored: str, patch: str) -> str:
    """What the record keeps: the row's values among those that stand."""
    return f"nullif(jsonb_strip_nulls(coalesce({stored}, '{{}}'::jsonb) || coalesce({patch}, '{{}}'::jsonb)), '{{}}'::jsonb)"


async def taken(
    tx: Transaction, workspace_id: UUID, entity: Entity, fields: Sequence[Field], problems: list[Problem]
) -> None:
    """Refuses the rows whose value of a unique attribute another record has, stored or in an earlier row."""
    for field in fields:
        if not field.unique:
            continue
        problems.append(unfit(field, "taken", field.name, 0))
        said, stored = attribute(field, "r"), attribute(field, "x")
        sql = TAKEN.format(given=said, stored=stored, table=entity.name, heard=HEARD)
        await tx.execute(sql, workspace_id, len(problems))
        await tx.execute(TAKEN_BEFORE.format(given=said, heard=HEARD), len(problems))
