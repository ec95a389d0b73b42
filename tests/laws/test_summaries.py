"""The law: count, pages and sums of one question agree with each other and with the reference, also while others write."""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES, Field
from app.domain.criteria import text
from app.domain.criteria.check import check
from app.domain.criteria.evaluate import holds, value
from app.domain.criteria.fields import find, paths
from app.domain.criteria.meant import SegmentOf
from app.domain.criteria.nodes import Node
from app.domain.roles import Principal
from app.domain.summaries import NUMBERS, TIMES, Grouping, Measure, Summary
from app.persistence.database import Database
from app.services import named
from app.services.reads import Ask, collection
from app.services.summaries import Answer, summarise
from tests.laws.population import Population, Record, populate, store
from tests.laws.trees import AS_OF, PERSON, SETTING, WORKSPACE, criteria

USUAL = 100
ROUNDS = int(os.environ.get("STRATA_LAW_ROUNDS", USUAL))
OWN = replace(WORKSPACE, id=UUID(int=10), epoch="summaries")
PRINCIPAL = Principal(UUID(int=1), OWN, "admin", PERSON)
SECRET = b"a secret of the test's own, 32 b"
DECODER = msgspec.json.Decoder(float_hook=Decimal)
RUN = settings(
    max_examples=ROUNDS,
    deadline=None,
    derandomize=ROUNDS == USUAL,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    made = populate(OWN, seed=5)
    async with db.transaction() as tx:
        await store(tx, made)
    return made


def groupings(entity: str) -> list[str]:
    """All that records of an entity can be put together by."""
    found = []
    for path in paths(ENTITIES[entity], OWN):
        of = find(path, ENTITIES[entity], OWN)
        field = getattr(of, "field", None)
        if isinstance(of, SegmentOf) or (isinstance(field, Field) and field.groupable):
            found.append(path)
        if isinstance(field, Field) and field.kind in TIMES:
            found += [f"{step}({path})" for step in ("month", "quarter", "year")]
    return found


def measures(entity: str) -> list[str]:
    """All that can be measured of them."""
    found = ["count"]
    for path in paths(ENTITIES[entity], OWN):
        field = getattr(find(path, ENTITIES[entity], OWN), "field", None)
        if isinstance(field, Field) and field.kind in NUMBERS:
            found += [f"{fn}({path})" for fn in ("sum", "average", "min", "max", "median")]
        if isinstance(field, Field) and field.kind in TIMES:
            found += [f"{fn}({path})" for fn in ("min", "max")]
    return found


GROUPINGS, MEASURES = (
    {e: groupings(e) for e in ("accounts", "contacts")},
    {e: measures(e) for e in ("accounts", "contacts")},
)


def stored(entity: str) -> st.SearchStrategy[Node]:
    """Criteria that name no saved list: there are none here."""
    return criteria(ENTITIES[entity]).filter(lambda tree: "in_list" not in text.format(tree))


def asked(entity: str) -> st.SearchStrategy[tuple[list[str], list[str]]]:
    return st.tuples(
        st.lists(st.sampled_from(GROUPINGS[entity]), max_size=2, unique=True),
        st.lists(st.sampled_from(MEASURES[entity]), min_size=1, max_size=4, unique=True),
    )


# -- the reference -----------------------------------------------------------------------------------------------------


def key_of(of: Grouping, record: Record) -> object:
    found: Any = value(of.of, record)
    if isinstance(found, dict):
        return str(found["id"])
    if found is None or of.step is None:
        return found.isoformat() if isinstance(found, date) else str(found) if isinstance(found, UUID) else found
    day = found.astimezone(OWN.zone) if isinstance(found, datetime) else found
    return {"month": f"{day:%Y-%m}", "quarter": f"{day:%Y}-Q{(day.month + 2) // 3}", "year": f"{day:%Y}"}[of.step]


def figure(of: Measure, records: Sequence[Record]) -> object:
    if of.of is None:
        return len(records)
    values: list[Any] = [one for one in (value(of.of, record) for record in records) if one is not None]
    if of.fn == "sum":
        return told(sum(values), of)
    if not values:
        return None
    folds: dict[str, Callable[[list[Any]], Any]] = {
        "average": statistics.fmean,
        "min": min,
        "max": max,
        "median": statistics.median,
    }
    return told(folds[of.fn](values), of)


def told(found: Any, of: Measure) -> object:
    if of.kind == "money":
        return float(Decimal(found).quantize(Decimal(1)) / 100) if not isinstance(found, int) else found / 100
    return found


def same(found: Any, wanted: Any, of: Measure) -> bool:
    if wanted is None or isinstance(wanted, datetime):
        return (None if found is None else datetime.fromisoformat(found)) == wanted
    if isinstance(wanted, date):
        return bool(found == wanted.isoformat())
    # Whole cents are exact; what was rounded to them may have been half of one.
    slack = 0.011 if of.kind == "money" and of.fn in ("average", "median") else 1e-9 * max(1.0, abs(float(wanted)))
    return found is not None and abs(float(found) - float(wanted)) <= slack


def agrees(figures: dict[str, Any], records: Sequence[Record], of: Summary) -> bool:
    return all(same(figures[one.name], figure(one, records), one) for one in of.measures)


# -- the laws ----------------------------------------------------------------------------------------------------------


async def agree(db: Database, made: Population, entity: str, tree: Node, by: list[str], measured: list[str]) -> None:
    ask = Ask(entity, criteria=tree, params=SETTING.params, limit=1000)
    answer = await summarise(db, PRINCIPAL, ask, by, measured, AS_OF)
    read = partial(check, tree, ENTITIES[entity])
    meaning = (
        await named.reading(db, replace(SETTING, workspace=OWN, lists={}, cuts={}), PERSON.id, AS_OF, read)
    ).meaning
    held = [one for one in made.records[entity] if holds(meaning, one)]
    spelled = f"{text.format(tree)} by {by}: {measured}"
    assert agrees(DECODER.decode(answer.groups.totals), held, answer.of), spelled
    wanted: dict[tuple[object, ...], list[Record]] = defaultdict(list)
    for one in held if by else ():
        wanted[tuple(key_of(of, one) for of in answer.of.groupings)].append(one)
    data = DECODER.decode(answer.groups.data)
    found = {
        tuple(group["key"][name] for name in (of.name for of in answer.of.groupings)): group["values"] for group in data
    }
    assert (set(found), answer.groups.count, answer.capped) == (set(wanted), len(wanted), False), spelled
    assert len(found) == len(data)
    for key, records in wanted.items():
        assert agrees(found[key], records, answer.of), f"{spelled}: {key}"


@RUN
@given(tree=stored("accounts"), told=asked("accounts"))
async def test_accounts(db: Database, population: Population, tree: Node, told: tuple[list[str], list[str]]) -> None:
    await agree(db, population, "accounts", tree, *told)


@RUN
@given(tree=stored("contacts"), told=asked("contacts"))
async def test_contacts(db: Database, population: Population, tree: Node, told: tuple[list[str], list[str]]) -> None:
    await agree(db, population, "contacts", tree, *told)


@RUN
@given(tree=stored("accounts"), by=st.sampled_from(GROUPINGS["accounts"]))
async def test_count_pages_and_sums_agree(db: Database, population: Population, tree: Node, by: str) -> None:
    ask = Ask("accounts", criteria=tree, params=SETTING.params, limit=13, fields="id,arr", count="exact")
    rows, counts, page = [], set(), ask
    while True:
        answer = await collection(db, PRINCIPAL, page, AS_OF, secret=SECRET)
        rows += DECODER.decode(answer.data)
        counts.add(answer.count)
        if answer.next is None:
            break
        page = replace(page, cursor=answer.next)
    summary = await summarise(db, PRINCIPAL, replace(ask, limit=1000), by, "count,sum(arr)", AS_OF)
    totals, groups = sums(summary)
    assert counts == {(len(rows), True)}
    assert totals == groups == (len(rows), sum((row["arr"] for row in rows), Decimal(0)))


def sums(answer: Answer) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Count and ARR of the totals row, and of all groups together."""
    values = [group["values"] for group in DECODER.decode(answer.groups.data)]
    totals = DECODER.decode(answer.groups.totals)
    groups = tuple(sum((Decimal(one[name]) for one in values), Decimal(0)) for name in ("count", "sum(arr)"))
    return (totals["count"], totals["sum(arr)"]), (groups[0], groups[1])


async def test_one_answer_agrees_with_itself_while_others_write(db: Database, population: Population) -> None:
    ids, over = [one["id"] for one in population.records["accounts"]], asyncio.Event()

    async def write() -> None:
        dice = random.Random(1)
        while not over.is_set():
            async with db.transaction() as tx:
                await tx.execute(
                    "UPDATE accounts SET arr = $3, health_band = $4, archived_at = $5 WHERE workspace_id = $1 AND id = $2",
                    OWN.id, dice.choice(ids), dice.randint(0, 10**9), dice.choice(("red", "green", None)), dice.choice((AS_OF, None, None)),
                )  # fmt: skip

    writing = asyncio.create_task(write())
    seen = set()
    try:
        for _ in range(150):
            ask = Ask("accounts", count="exact", limit=1000, fields="arr")
            totals, groups = sums(
                await summarise(db, PRINCIPAL, ask, "health_band,segment.tier", "count,sum(arr)", AS_OF)
            )
            assert totals == groups
            page = await collection(db, PRINCIPAL, ask, AS_OF, secret=SECRET)
            assert page.count == (len(json.loads(page.data)), True)
            seen.add(totals)
    finally:
        over.set()
        await writing
    assert len(seen) > 1, "nobody wrote in between"
