"""The law: for every criteria the statement selects exactly the records that the reference evaluator holds.

STRATA_LAW_ROUNDS=600 asks some 50,000 criteria instead of some thousands.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import check
from app.domain.criteria.nodes import Node, Not, Or
from app.domain.workspaces import clock
from app.persistence.database import Database
from tests.laws.picked import by_reference, by_sql, key
from tests.laws.population import Population, populate, store
from tests.laws.trees import AS_OF, POOLS, SETTING, WORKSPACE, criteria

BATCH = 24
USUAL = 60
ROUNDS = int(os.environ.get("STRATA_LAW_ROUNDS", USUAL))
"""Rounds of each test, each of which asks a batch of criteria in one statement; others than usual are other criteria."""
OTHERS = tuple(name for name in ENTITIES if name not in ("accounts", "contacts"))
SHIFTS = (timedelta(0), timedelta(0), timedelta(days=-30), timedelta(days=1), timedelta(hours=16), timedelta(days=-365))


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    """The workspace that is asked, beside another one with the same ids and other values."""
    made = populate(WORKSPACE, seed=1)
    other = populate(replace(WORKSPACE, id=UUID(int=8)), seed=2)
    async with db.transaction() as tx:
        await store(tx, made)
        await store(tx, other)
    return made


async def agree(db: Database, population: Population, entity: str, trees: list[Node], shift: timedelta) -> None:
    setting = replace(SETTING, clock=clock(WORKSPACE, AS_OF + shift))
    meanings = [check(tree, ENTITIES[entity], setting).meaning for tree in trees]
    found = await by_sql(db, entity, meanings)
    for tree, meaning, picked in zip(trees, meanings, found, strict=True):
        assert picked == by_reference(population, entity, meaning), text.format(tree)


async def parted(db: Database, population: Population, entity: str, trees: list[Node], shift: timedelta) -> None:
    """`p` and `NOT p`, and what both say within `NOT`, take every record between them and none twice."""
    setting = replace(SETTING, clock=clock(WORKSPACE, AS_OF + shift))
    whole = {key(entity, one) for one in population.records[entity]}
    spelled = [tree for one in trees for tree in (one, Not(one), Not(Or((one, Not(one)))))]
    found = await by_sql(db, entity, [check(tree, ENTITIES[entity], setting).meaning for tree in spelled])
    for n, tree in enumerate(trees):
        yes, no, none = found[3 * n : 3 * n + 3]
        assert yes | no == whole, text.format(tree)
        assert not yes & no, text.format(tree)
        assert not none, text.format(tree)


# Shrinking would take a batch apart for minutes, where the failure already names the one criteria.
RUN = settings(
    max_examples=ROUNDS,
    deadline=None,
    derandomize=ROUNDS == USUAL,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


FEWER = settings(RUN, max_examples=max(1, ROUNDS // 15))


@RUN
@given(trees=st.lists(criteria(ENTITIES["accounts"]), min_size=BATCH, max_size=BATCH), shift=st.sampled_from(SHIFTS))
async def test_accounts(db: Database, population: Population, trees: list[Node], shift: timedelta) -> None:
    await agree(db, population, "accounts", trees, shift)


@RUN
@given(trees=st.lists(criteria(ENTITIES["contacts"]), min_size=BATCH, max_size=BATCH), shift=st.sampled_from(SHIFTS))
async def test_contacts(db: Database, population: Population, trees: list[Node], shift: timedelta) -> None:
    await agree(db, population, "contacts", trees, shift)


@pytest.mark.parametrize("entity", OTHERS)
@FEWER
@given(data=st.data(), shift=st.sampled_from(SHIFTS))
async def test_every_other_entity(
    db: Database, population: Population, entity: str, data: st.DataObject, shift: timedelta
) -> None:
    trees = data.draw(st.lists(criteria(ENTITIES[entity]), min_size=BATCH, max_size=BATCH))
    await agree(db, population, entity, trees, shift)


@pytest.mark.parametrize("entity", ENTITIES)
@FEWER
@given(data=st.data(), shift=st.sampled_from(SHIFTS))
async def test_what_is_so_and_what_is_not_are_everything(
    db: Database, population: Population, entity: str, data: st.DataObject, shift: timedelta
) -> None:
    trees = data.draw(st.lists(criteria(ENTITIES[entity]), min_size=BATCH // 3, max_size=BATCH // 3))
    await parted(db, population, entity, trees, shift)


WINDOWS = (
    "last(1h)",
    "last(1d)",
    "last(30d)",
    "next(30d)",
    "this(day)",
    "this(week)",
    "previous(month)",
    "next(week)",
    "last(2y)",
)
FEATURES = (
    "",
    ' WHERE feature IN ("feature-a", "feature-b")',
    " WHERE is_key = true",
    ' WHERE NOT module : "a"',
    " WHERE module IS EMPTY",
)
MOMENTS = sorted({one - AS_OF + by for one in POOLS.instants for by in (timedelta(0), timedelta(microseconds=1))})


async def all_agree(db: Database, population: Population, sources: list[str], shift: timedelta) -> None:
    await agree(db, population, "accounts", [text.parse(source) for source in sources], shift)


async def test_the_latest_interaction_says_what_the_rows_say(db: Database, population: Population) -> None:
    asked = [
        f"{q}(interactions{window})" for q in ("any", "none", "all") for window in ("", *(f", {w}" for w in WINDOWS))
    ]
    for shift in MOMENTS:
        await all_agree(db, population, [*asked, *(f"NOT {one}" for one in asked)], shift)


async def test_kept_windows_say_what_the_rows_say(db: Database, population: Population) -> None:
    sums = [
        f"sum(usage.value{where}, last({days}d))" for where in FEATURES for days in (6, 7, 8, 29, 30, 31, 89, 90, 91)
    ]
    asked = [f"{one} {cmp} {value}" for one in sums for cmp in (">", "=") for value in (0, 1, 2.5)]
    for days in (0, 1, -1, -29, -30, -31):
        await all_agree(db, population, asked, timedelta(days=days))


async def test_changes_and_last_values_of_usage(db: Database, population: Population) -> None:
    changes = [
        f"{fn}({of}, {w}) < {v}"
        for fn in ("change", "change_abs")
        for of in ("sum(usage.value)", "count(usage)")
        for w in ("last(30d), last(90d)", "last(7d), last(8d)")
        for v in (-1, 0, 0.5)
    ]
    features = [
        f'last_value(usage.feature{window}) = "feature-{one}"' for one in "abcd" for window in ("", ", last(90d)")
    ]
    values = [f"last_value(usage.value{where}) >= {value}" for where in FEATURES for value in POOLS.numbers]
    for days in (0, -1, 7, -60):
        await all_agree(db, population, [*changes, *features, *values], timedelta(days=days))
