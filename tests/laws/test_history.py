"""The law of history: of any moment SQL says of every account what the stays and the moves up to it say."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import check
from app.domain.criteria.evaluate import holds, value
from app.domain.criteria.meant import Column, SegmentOf
from app.domain.errors import Invalid
from app.domain.history import SHOWN, then
from app.domain.questions import Page, Question
from app.domain.selections import selection, sort
from app.persistence.compile import page
from app.persistence.database import Database
from tests.laws.population import Population, populate, store
from tests.laws.trees import POOLS, SETTING, WORKSPACE

ASKED = (
    "ALL",
    'segment.tier = "high"',
    'segment.tier != "high" OR segment.lanes IS EMPTY',
    'stage = "stage-a"',
    'NOT (stage IN ("stage-a", "stage-b")) AND segment.lanes IN ("calm")',
    "stage IS EMPTY",
    'stage : "c" OR entered("tier", "low", last(30d))',
    'in_segment("lanes", "severe") AND NOT left("lanes", "calm", last(90d))',
)
REFUSED = {
    'name = "Acme"': "name", "arr > 5": "arr", "csm = @me": "csm", "any(contacts)": "contacts", "custom.score > 1": "custom.score",
    "count(usage) > 3": "usage", "change(sum(usage.value), last(7d), last(30d)) > 1": "usage", "rank_desc(arr) <= 3": "arr",
    'stage = field(type)': "type",
}  # fmt: skip


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    """Some accounts are archived, some made, in the middle of what is asked."""
    made = populate(WORKSPACE, seed=5)
    for n, one in enumerate(made.records["accounts"]):
        one["created_at"] = POOLS.instants[n % 4]
        one["archived_at"] = POOLS.instants[4 + n % 5] if n % 3 == 0 else None
    async with db.transaction() as tx:
        await store(tx, made)
    return made


def question(source: str, fields: object = SHOWN, order: str = "stage,-segment.tier") -> Question:
    shows = selection(fields, None, ACCOUNTS, WORKSPACE)  # type: ignore[arg-type]  # what a question may say as text too
    meaning = check(text.parse(source), ACCOUNTS, SETTING).meaning
    return Question("accounts", meaning, shows, sort(order, ACCOUNTS, WORKSPACE), Page(1_000))


def shown(one: dict[str, object], moment: datetime) -> dict[str, object]:
    segments = WORKSPACE.segmentations.values()
    return {
        "id": str(one["id"]), "external_id": one["external_id"],
        "stage": value(Column(ACCOUNTS.fields["stage"], on=moment), one),
        "segment": {s.slug: value(SegmentOf(s.id, s.slug, on=moment), one) for s in segments},
    }  # fmt: skip


@pytest.mark.parametrize("moment", POOLS.instants)
async def test_rows_of_a_moment(db: Database, population: Population, moment: datetime) -> None:
    for source in ASKED:
        asked = then(question(source), moment)
        statement = page(asked, WORKSPACE)
        row = await db.fetchrow(statement.text, *statement.args)
        assert row is not None
        there = [
            one for one in population.records["accounts"]
            if one["created_at"] <= moment and not (one["archived_at"] and one["archived_at"] <= moment)
        ]  # fmt: skip
        wanted = [shown(one, moment) for one in there if holds(asked.criteria, one)]
        found = msgspec.json.decode(row[0] or b"[]")
        assert sorted(found, key=lambda one: one["id"]) == sorted(wanted, key=lambda one: str(one["id"])), source


@pytest.mark.parametrize("source", REFUSED)
def test_what_has_no_history_is_refused_by_name(source: str) -> None:
    with pytest.raises(Invalid, match=f"^{REFUSED[source]} has no history"):
        then(question(source), POOLS.instants[0])


@pytest.mark.parametrize(
    ("fields", "order", "name"),
    [
        ("id,name", "", "name"),
        ("stage,csm.name", "", "csm"),
        ("id", "-arr", "arr"),
        ("custom.score", "", "custom.score"),
    ],
)
def test_so_are_columns_and_orders(fields: str, order: str, name: str) -> None:
    asked = question("ALL", fields, order or "id")
    with pytest.raises(Invalid, match=f"^{name} has no history"):
        then(asked, POOLS.instants[0])
