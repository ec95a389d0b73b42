"""The rows of an entity inside a statement: where they stand, what their columns are called, what leads to them."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.catalogue import ENTITIES, Entity, Field, Relation
from app.domain.criteria.meant import Bounds
from app.domain.entries import read_all
from app.persistence.compile.scope import Scope

# A day's usage of an account is packed into arrays of one length: the language sees a row for each place in them.
UNPACKED = " CROSS JOIN LATERAL unnest({0}.features, {0}.contacts, {0}.amounts) AS {0}u(feature, contact_id, value)"
OF_FEATURE = {"feature": "slug", "module": "module", "is_key": "is_key"}
"""Fields of a usage row that are its feature's, by the feature's column."""
NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of an entity under an alias; stored usage names features by number, in the SQL that `number` gives."""

    entity: Entity
    alias: str
    number: str | None = None

    def column(self, field: Field, scope: Scope) -> str:
        """The SQL of a field's column; money in minor units, slugs as stored."""
        if not field.kept:
            return _of_entry(field, self.alias, scope)
        if self.number is None or field.name in ("account", "day"):
            return f"{self.alias}.{field.column}"
        if field.name in OF_FEATURE:
            inner = scope.alias()
            return f"(SELECT {inner}.{OF_FEATURE[field.name]} {scope.rows('features', inner, [f'{inner}.no = {self.number}'])})"
        return f"{self.alias}u.{field.column}"


def _of_entry(field: Field, alias: str, scope: Scope) -> str:
    """What a stage tells of whether its entry criteria mean something, which the workspace says."""
    _, broken = read_all(scope.workspace)
    is_state = field.name == "state"
    if not broken:
        return "'ok'::text" if is_state else "NULL::text"
    # Slugs as they are: of a field that is never empty nothing may come to be asked, and a value that is bound must be.
    if is_state:
        return f"CASE WHEN {alias}.slug IN ({', '.join(map(_literal, broken))}) THEN 'broken' ELSE 'ok' END"
    told = " ".join(f"WHEN {_literal(slug)} THEN {scope.bind(why)}::text" for slug, why in broken.items())
    return f"CASE {alias}.slug {told} END"


def _literal(slug: str) -> str:
    return "'" + slug.replace("'", "''") + "'"


def table_of(entity: Entity) -> str:
    """The table that holds the entity's rows."""
    return "usage_days" if entity.name == "usage" else entity.name


def start(entity: Entity, alias: str) -> Rows:
    """Stored rows of an entity under an alias."""
    return Rows(entity, alias, f"{alias}u.feature" if entity.name == "usage" else None)


def stored(rows: Rows, scope: Scope, conditions: list[str], joined: str = "") -> str:
    """`FROM … WHERE …` of stored rows, joined with what is made of each."""
    unpacked = "" if rows.number is None else UNPACKED.format(rows.alias)
    return scope.rows(table_of(rows.entity), rows.alias, conditions, joined=unpacked + joined)


def towards(relation: Relation, origin: Rows, scope: Scope) -> tuple[Rows, list[str]]:
    """The rows that a relation leads to from the row under `origin`, and what ties them to it."""
    target = start(ENTITIES[relation.target], scope.alias())
    if not relation.many:
        field = origin.entity.fields[relation.by]
        return target, [f"{target.alias}.id = {origin.column(field, scope)}"]
    if target.number and relation.by == "contact":
        # Usage lies with its account: without that column no index leads to a contact's rows.
        account = origin.column(origin.entity.fields["account"], scope)
        return target, [f"{target.alias}.account_id = {account}", f"{target.alias}u.contact_id = {origin.alias}.id"]
    back = target.entity.fields[relation.by]
    return target, [f"{target.column(back, scope)} = {origin.alias}.id"]


def within(rows: Rows, bounds: Bounds | None, scope: Scope) -> list[str]:
    """The half-open window on the entity's time field."""
    if bounds is None or rows.entity.time_field is None:
        return []
    field = rows.entity.fields[rows.entity.time_field]
    column = rows.column(field, scope)
    parts = []
    if bounds.lo is not None:
        parts.append(f"{column} >= {scope.typed(bounds.lo, field.kind)}")
    if bounds.hi is not None:
        parts.append(f"{column} < {scope.typed(bounds.hi, field.kind)}")
    return parts


def ties(rows: Rows) -> list[str]:
    """Columns, never empty, that tell apart rows equal in everything sorted by."""
    if rows.number is None:
        return [f"{rows.alias}.id"]
    return [
        f"{rows.alias}.day", f"{rows.alias}.account_id", rows.number,
        f"coalesce({rows.alias}u.contact_id, {NOBODY})",
    ]  # fmt: skip
