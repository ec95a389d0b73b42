"""The records that criteria pick, by SQL and by the reference: both name them by the same keys."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.catalogue import ENTITIES
from app.domain.criteria.evaluate import holds
from app.domain.criteria.meant import Meaning
from app.persistence.compile import Scope, condition
from app.persistence.compile.rows import NOBODY, start, stored, ties
from app.persistence.database import Database
from tests.laws.population import Population, Record
from tests.laws.trees import WORKSPACE


def key(entity: str, one: Record) -> str:
    """What tells a record from all others of its entity."""
    if entity != "usage":
        return str(one["id"])
    contact = one["contact"]["id"] if one["contact"] else NOBODY[1:37]
    return f"{one['day']} {one['account']['id']} {one['no']} {contact}"


def by_reference(population: Population, entity: str, meaning: Meaning) -> set[str]:
    return {key(entity, one) for one in population.records[entity] if holds(meaning, one)}


async def by_sql(db: Database, entity: str, meanings: Sequence[Meaning]) -> list[set[str]]:
    """What each of them picks, in one statement."""
    scope, declared = Scope(WORKSPACE), ENTITIES[entity]
    rows = start(declared, "a")
    keys = ties(rows)
    columns = [
        f"ARRAY(SELECT concat_ws(' ', {', '.join(keys)}) {stored(rows, scope, [condition(meaning, declared, 'a', scope)])})"
        for meaning in meanings
    ]
    row = await db.fetchrow(f"SELECT {', '.join(columns)}", *scope.args)
    assert row is not None
    assert all(len(found) == len(set(found)) for found in row)
    return [set(found) for found in row]
