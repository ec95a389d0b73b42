"""Law: what matches only because a value is empty is what would not match if emptiness held for nothing; SQL counts it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from app.domain.catalogue import ENTITIES
from app.domain.criteria import empties, text
from app.domain.criteria.check import check
from app.domain.criteria.evaluate import holds, value
from app.domain.criteria.meant import Column, Meaning, Missing
from app.domain.criteria.nodes import Node
from app.domain.questions import Page, Pick, Question, Selection
from app.persistence import criteria as rows
from app.persistence.compile.previews import preview
from app.persistence.database import Database
from tests.laws.population import Population, populate, store
from tests.laws.trees import SETTING, WORKSPACE, criteria

USUAL = 200
ROUNDS = int(os.environ.get("STRATA_LAW_ROUNDS", "0")) * 3 or USUAL
RUN = settings(
    max_examples=ROUNDS, deadline=None, derandomize=ROUNDS == USUAL, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)  # fmt: skip
ID = Selection((Pick("id", Column(ENTITIES["accounts"].fields["id"])),))


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    made = populate(WORKSPACE, seed=5)
    async with db.transaction() as tx:
        await store(tx, made)
    return made


def meant(node: Node, entity: str) -> Meaning:
    return check(node, ENTITIES[entity], SETTING).meaning


async def agree(db: Database, population: Population, entity: str, node: Node) -> None:
    meaning, records = meant(node, entity), population.records[entity]
    sites = list(empties.sites(node, meaning))
    further = [empties.because_empty(meaning)]
    further += [empties.because_empty(meaning, lambda leaf, ids=ids: id(leaf) in ids) for _, ids in sites]  # type: ignore[misc]  # mypy infers no defaulted lambda
    matched = [one for one in records if holds(meaning, one)]
    strictly = [empties.strict(meaning)]
    strictly += [empties.strict(meaning, lambda leaf, ids=ids: id(leaf) in ids) for _, ids in sites]  # type: ignore[misc]  # the same
    wanted = [[one for one in matched if not holds(of, one)] for of in strictly]
    for lost, of in zip(wanted, further, strict=True):
        assert [one for one in matched if holds(of, one)] == lost, text.format(node)
    question = Question(entity, meaning, ID, page=Page(10))
    found = await rows.preview(db, preview(question, further, WORKSPACE))
    assert (found.count, list(found.further)) == (len(matched), [len(lost) for lost in wanted]), text.format(node)
    assert found.fresh


@RUN
@given(node=criteria(ENTITIES["accounts"]))
async def test_accounts(db: Database, population: Population, node: Node) -> None:
    await agree(db, population, "accounts", node)


@RUN
@given(node=criteria(ENTITIES["contacts"]))
async def test_contacts(db: Database, population: Population, node: Node) -> None:
    await agree(db, population, "contacts", node)


@RUN
@given(node=criteria(ENTITIES["accounts"]))
def test_strictly_is_as_usual_where_nothing_is_empty(population: Population, node: Node) -> None:
    """Strictness takes records away, and only such as have an empty value among those that are asked."""
    meaning = meant(node, "accounts")
    strictly = empties.strict(meaning)
    asked = [of for _, of in _operands(meaning)]
    for one in population.records["accounts"]:
        usual, strict = holds(meaning, one), holds(strictly, one)
        assert usual or not strict
        if usual != strict:
            assert any(value(of, one) is None for of in asked)


def _operands(meaning: Any) -> Sequence[tuple[Meaning, Any]]:
    if hasattr(meaning, "args"):
        return [pair for arg in meaning.args for pair in _operands(arg)]
    if hasattr(meaning, "arg"):
        return _operands(meaning.arg)
    return (
        [(meaning, of) for of in empties.asked(meaning)]
        if hasattr(meaning, "of") and not isinstance(meaning, Missing)
        else []
    )


async def test_kept_windows_of_another_day_are_told(db: Database, population: Population) -> None:
    del population
    node = text.parse("sum(usage.value, last(30d)) > 1")
    question = Question("accounts", meant(node, "accounts"), ID, page=Page(10))
    assert (await rows.preview(db, preview(question, [], WORKSPACE))).fresh
    async with db.transaction() as tx:
        await tx.execute("UPDATE workspaces SET facts_day = facts_day - 1 WHERE id = $1", WORKSPACE.id)
    assert not (await rows.preview(db, preview(question, [], WORKSPACE))).fresh
    assert (await rows.preview(db, preview(question, [], WORKSPACE, kept=False))).fresh
