"""The law of time: between two edges nothing changes, and at an edge exactly the records that it names change sides, in SQL too."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import check
from app.domain.criteria.edges import TICK, moves
from app.domain.criteria.explain import explain, read
from app.domain.criteria.flips import followed
from app.domain.criteria.leaves import at_moment, grown, leaves
from app.domain.criteria.nodes import Node
from app.persistence.database import Database
from tests.laws.picked import by_sql, key
from tests.laws.population import Population, Record, populate, store
from tests.laws.trees import AS_OF, SETTING, WORKSPACE, criteria

USUAL = 40
ROUNDS = int(os.environ.get("STRATA_LAW_ROUNDS", USUAL))
RUN = settings(
    max_examples=ROUNDS, deadline=None, derandomize=ROUNDS == USUAL, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)  # fmt: skip
STEPS = 3
SHIFTS = [timedelta(days=n) for n in (0, 0, -400, -31, -7, 1, 30)] + [timedelta(hours=16), timedelta(minutes=-7)]
SEEN = [0]


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    made = populate(WORKSPACE, seed=7, accounts=16)
    async with db.transaction() as tx:
        await store(tx, made)
    return made


def next_flip(node: Node, entity: str, moment: datetime, record: Record) -> datetime | None:
    """When the record changes sides next, as explaining tells it."""
    tree = grown(node, ENTITIES[entity], at_moment(SETTING, moment))
    found = [read(leaf, record) for leaf in leaves(tree)]
    flip = explain(tree, found, followed(leaves(tree), [one.verdict for one in found], record)).flip
    assert flip.known
    return flip.at


async def picked(db: Database, entity: str, node: Node, moments: list[datetime]) -> list[set[str]]:
    settled = [at_moment(SETTING, moment) for moment in moments]
    return await by_sql(db, entity, [check(node, ENTITIES[entity], setting).meaning for setting in settled])


async def moves_on(db: Database, population: Population, entity: str, node: Node, moment: datetime) -> None:
    flips = {key(entity, one): next_flip(node, entity, moment, one) for one in population.records[entity]}
    for _ in range(STEPS):
        edge = min((flip for flip in flips.values() if flip is not None), default=None)
        if edge is None:
            later = [moment + timedelta(days=days) for days in (0, 1, 35, 500)]
            first, *rest = await picked(db, entity, node, later)
            assert all(one == first for one in rest), text.format(node)
            return
        now, before, then = await picked(db, entity, node, [moment, edge - TICK, edge])
        named = {name for name, flip in flips.items() if flip == edge}
        assert before == now, (text.format(node), edge)
        assert before ^ then == named, (text.format(node), edge)
        SEEN[0] += len(named)
        moment = edge
        flips |= {
            key(entity, one): next_flip(node, entity, moment, one)
            for one in population.records[entity]
            if key(entity, one) in named
        }


@RUN
@given(node=criteria(ENTITIES["accounts"]).filter(lambda node: moves(node, SETTING)), shift=st.sampled_from(SHIFTS))
async def test_accounts(db: Database, population: Population, node: Node, shift: timedelta) -> None:
    await moves_on(db, population, "accounts", node, AS_OF + shift)


@RUN
@given(node=criteria(ENTITIES["contacts"]).filter(lambda node: moves(node, SETTING)), shift=st.sampled_from(SHIFTS))
async def test_contacts(db: Database, population: Population, node: Node, shift: timedelta) -> None:
    await moves_on(db, population, "contacts", node, AS_OF + shift)


def test_edges_were_seen() -> None:
    assert SEEN[0] > 100
