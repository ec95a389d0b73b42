"""The law: pages one after another are the whole, each record once and in order, whatever others write meanwhile."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.domain.catalogue import ENTITIES, Field
from app.domain.criteria.evaluate import value
from app.domain.criteria.fields import find, paths
from app.domain.criteria.meant import SegmentOf, Shown
from app.domain.questions import Sort
from app.domain.roles import Principal
from app.domain.selections import order_of, sort, usual_order
from app.persistence.database import Database
from app.services.reads import Ask, collection
from tests.laws.population import Population, Record, populate, store
from tests.laws.trees import AS_OF, WORKSPACE

OWN = replace(WORKSPACE, id=UUID(int=9), epoch="pages")
PRINCIPAL = Principal(UUID(int=1), OWN, "admin")
SECRET = b"a secret of the test's own, 32 b"
NAMED = tuple(name for name, entity in ENTITIES.items() if entity.key != "none")
COPIED = "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attgenerated = '' AND attname NOT IN ('id', 'external_id')"


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    made = populate(OWN, seed=3, accounts=30)
    async with db.transaction() as tx:
        await store(tx, made)
    return made


def sortable(entity: str) -> list[str]:
    found = []
    for path in paths(ENTITIES[entity], OWN):
        of = find(path, ENTITIES[entity], OWN)
        field = getattr(of, "field", None)
        if not isinstance(field, Field) or field.sortable:
            found.append(path)
    return found


def orders(entity: str, several: int) -> list[str]:
    """Each field both ways, and some combinations of fields."""
    dice, known = random.Random(entity), sortable(entity)
    single = [sign + path for path in known for sign in ("", "-")]
    joint = [
        ",".join(dice.choice(("", "-")) + path for path in dice.sample(known, dice.choice((2, 3))))
        for _ in range(several)
    ]
    return single + joint


def ordered(records: list[Record], keys: tuple[Sort, ...]) -> list[UUID]:
    """The order by the reference: one stable sort for each key, the last one first; empty values last."""
    found = sorted(records, key=lambda one: one["id"], reverse=bool(keys) and keys[-1].descending)
    for key in reversed(keys):
        order = order_of(key.of, OWN)

        def place(one: Record, of: Shown = key.of, order: tuple[str, ...] | None = order) -> Any:
            said = value(of, one)
            return said if order is None or said is None else order.index(str(said))

        filled = [one for one in found if place(one) is not None]
        empty = [one for one in found if place(one) is None]
        # Reversing keeps ties in their order only when they are reversed before.
        filled = filled[::-1] if key.descending else filled
        filled = sorted(filled, key=place)
        found = (filled[::-1] if key.descending else filled) + empty
    return [one["id"] for one in found]


async def pages(db: Database, ask: Ask, principal: Principal = PRINCIPAL) -> AsyncIterator[list[dict[str, Any]]]:
    while True:
        answer = await collection(db, principal, ask, AS_OF, secret=SECRET)
        yield json.loads(answer.data)
        if answer.next is None:
            return
        ask = replace(ask, cursor=answer.next)


async def whole(db: Database, ask: Ask) -> list[UUID]:
    return [UUID(one["id"]) async for page in pages(db, ask) for one in page]


@pytest.mark.parametrize("entity", NAMED)
async def test_pages_are_the_whole_in_order(db: Database, population: Population, entity: str) -> None:
    count = len(population.records[entity])
    for order in orders(entity, 40 if count > 20 else 5):
        keys = sort(order, ENTITIES[entity], OWN)
        found = await whole(db, Ask(entity, sort=order, limit=max(3, count // 4), fields="id"))
        assert found == ordered(population.records[entity], keys), order


async def test_the_usual_order(db: Database, population: Population) -> None:
    for entity in ("accounts", "contacts", "invoices", "surveys", "churns"):
        found = await whole(db, Ask(entity, limit=11, fields="id"))
        assert found == ordered(population.records[entity], usual_order(ENTITIES[entity])), entity


def far(entity: str) -> list[str]:
    """Fields of what a record leads to, one of each kind of each reference."""
    found: dict[tuple[str, str], str] = {}
    for relation in (one for one in ENTITIES[entity].relations.values() if not one.many):
        for path in sortable(relation.target):
            of = find(path, ENTITIES[relation.target], OWN)
            if of is not None and of.through is None:
                kind = type(of).__name__ if isinstance(of, SegmentOf) else of.field.kind
                found.setdefault((relation.name, kind), f"{relation.name}.{path}")
    return list(found.values())


@pytest.mark.parametrize("entity", ["accounts", "contacts", "contracts", "tickets"])
async def test_pages_by_what_a_record_leads_to_are_the_whole_in_order(
    db: Database, population: Population, entity: str
) -> None:
    records, dice = population.records[entity], random.Random(entity)
    paths = far(entity)
    joint = [
        ",".join(dice.choice(("", "-")) + one for one in (path, "created_at", dice.choice(paths))) for path in paths
    ]
    for order in [*(sign + path for path in paths for sign in ("", "-")), *joint]:
        if len({key.removeprefix("-") for key in order.split(",")}) < order.count(",") + 1:
            continue
        found = await whole(db, Ask(entity, sort=order, limit=max(3, len(records) // 4), fields="id"))
        assert found == ordered(records, sort(order, ENTITIES[entity], OWN)), order


@pytest.mark.parametrize("order", ["stage", "-stage,name", "-segment.tier"])
async def test_what_the_workspace_was_read_too_early_for_comes_last(
    db: Database, population: Population, order: str
) -> None:
    tier = OWN.segmentations["tier"]
    fewer = replace(
        OWN, stages=OWN.stages[1:], segmentations={"tier": replace(tier, segments=tier.segments[1:])}, epoch="early"
    )
    asked = Ask("accounts", sort=order, limit=4, fields=("id", "stage", "segment.tier"))
    found = [one async for page in pages(db, asked, replace(PRINCIPAL, workspace=fewer)) for one in page]
    assert sorted(UUID(one["id"]) for one in found) == sorted(one["id"] for one in population.records["accounts"])
    if "stage" in order:
        places = [fewer.stages.index(one["stage"]) if one["stage"] in fewer.stages else None for one in found]
    else:
        places = [
            tier.segments.index(s) if (s := one["segment"]["tier"]) in tier.segments[1:] else None for one in found
        ]
    known = [place for place in places if place is not None]
    assert places == sorted(known, reverse=order.startswith("-")) + [None] * (len(places) - len(known))


async def test_usage_has_pages_too(db: Database, population: Population) -> None:
    for order in (None, "day", "-value", "feature,-day", "module"):
        ask = Ask("usage", sort=order, limit=13)
        found = [one async for page in pages(db, ask) for one in page]
        seen = [
            (one["account_id"], one["contact_id"], one["feature"], one["day"], float(one["value"])) for one in found
        ]
        wanted = [
            (
                str(r["account"]["id"]),
                str(r["contact"]["id"]) if r["contact"] else None,
                r["feature"],
                r["day"].isoformat(),
                r["value"],
            )
            for r in population.records["usage"]
        ]
        assert sorted(map(repr, seen)) == sorted(map(repr, wanted)), order


async def test_edges_have_a_cursor_each_that_leads_on_from_there(db: Database, population: Population) -> None:
    for order in ("-health", "nps,-arr", "segment.tier", "-stage"):
        ask = Ask("accounts", sort=order, limit=1000, fields="id", edges=True)
        answer = await collection(db, PRINCIPAL, ask, AS_OF, secret=SECRET)
        found = [UUID(json.loads(one)["id"]) for one in answer.rows.records]
        assert found == ordered(population.records["accounts"], sort(order, ENTITIES["accounts"], OWN))
        for n in range(len(found)):
            rest = await whole(db, replace(ask, cursor=answer.cursor(n), edges=False))
            assert rest == found[n + 1 :]


@pytest.mark.parametrize("entity", ["accounts", "contacts"])
async def test_nothing_is_lost_or_doubled_while_others_write(db: Database, population: Population, entity: str) -> None:
    """By every sort there is: what is inserted are twins of what is there, ties and empty values of each."""
    columns = await db.fetchval(COPIED, entity)
    for order in orders(entity, 10):
        dice = random.Random(order)
        made: set[UUID] = set()
        found: list[UUID] = []
        async for page in pages(db, Ask(entity, sort=order, limit=len(population.records[entity]) // 4, fields="id")):
            found += [UUID(one["id"]) for one in page]
            made |= await insert_twins(db, population, entity, columns, dice)
        assert len(found) == len(set(found)), order
        kept = [one for one in found if one not in made]
        assert kept == ordered(population.records[entity], sort(order, ENTITIES[entity], OWN)), order
        async with db.transaction() as tx:
            await tx.execute(f"DELETE FROM {entity} WHERE workspace_id = $1 AND id = ANY($2)", OWN.id, list(made))


async def insert_twins(
    db: Database, population: Population, entity: str, columns: str, dice: random.Random
) -> set[UUID]:
    """Copies of some records under ids of their own, which they are told by alone."""
    twins = [one["id"] for one in dice.sample(population.records[entity], 5)]
    made = [UUID(int=dice.getrandbits(128), version=4) for _ in twins]
    async with db.transaction() as tx:
        await tx.execute(
            f"""INSERT INTO {entity} (id, {columns}) SELECT t.new, {columns} FROM {entity} e
            JOIN unnest($2::uuid[], $3::uuid[]) t(twin, new) ON t.twin = e.id WHERE e.workspace_id = $1""",
            OWN.id, twins, made,
        )  # fmt: skip
    return set(made)
