"""Criteria tried out on the demo: what they cost is what the database reads for them; lists and ranks are brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria.check import Setting, check
from app.domain.criteria.cost import CLASSES, Kept, cost
from app.domain.criteria.text import parse
from app.domain.roles import Principal
from app.domain.workspaces import Workspace, clock
from app.persistence import criteria as rows
from app.persistence.compile import Scope, condition
from app.persistence.database import Database
from app.services import criteria, workspaces
from app.services.calls import new_id
from tests.servers import DEMO_NOW

ACCOUNTS = ENTITIES["accounts"]
READ_BY = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")
COSTS = (
    ("cheap", "ALL"),
    ("cheap", "health < 50 AND arr > 1000"),
    ("cheap", "renewal_date IN next(90d)"),
    ("cheap", 'industry = "saas" OR external_id = "x"'),
    ("cheap", "none(interactions, last(30d))"),
    ("cheap", 'NOT (name : "a" OR country = "DE")'),
    ("cheap", "sum(usage.value, last(30d)) > 10 AND renewal_date IN next(30d)"),
    ("moderate", 'in_segment("tier", "high")'),
    ("moderate", "sum(usage.value, last(30d)) > 10"),
    ("moderate", 'renewal_date IN next(30d) AND any(tickets WHERE priority = "urgent")'),
    ("moderate", 'count(interactions WHERE kind = "meeting") > 3 AND external_id = "x"'),
    ("heavy", "sum(usage.value, last(31d)) > 10"),
    ("heavy", 'any(tickets WHERE priority = "urgent")'),
    ("heavy", "count(interactions, last(90d)) > 3"),
    ("heavy", "avg(surveys.score) > 8 OR arr > 5"),
    ("heavy", "count(contacts) > 2 AND arr > 100"),
)


@pytest.fixture(scope="module")
async def workspace(demo_db: Database) -> Workspace:
    found = await demo_db.fetchrow("SELECT id FROM workspaces WHERE slug IS NOT NULL")
    assert found
    return await workspaces.load(demo_db, found["id"])


def classed(source: str, workspace: Workspace) -> Any:
    meaning = check(parse(source), ACCOUNTS, Setting(workspace, clock(workspace, DEMO_NOW))).meaning
    kept = Kept(rows.indexed(ACCOUNTS), lambda fold: rows.is_kept(fold, ACCOUNTS, workspace))
    return meaning, cost(meaning, ACCOUNTS, kept)


async def read_for(db: Database, source: str, workspace: Workspace) -> float:
    """Rows that the database reads to count what matches, as EXPLAIN counts them."""
    scope = Scope(workspace)
    meets = condition(classed(source, workspace)[0], ACCOUNTS, "a", scope)
    told = await db.fetchval(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT count(*) {scope.rows('accounts', 'a', [meets])}",
        *scope.args,
    )
    return _rows(json.loads(told)[0]["Plan"])


def _rows(plan: Mapping[str, Any]) -> float:
    own = 0.0
    if plan["Node Type"] in READ_BY:
        own = plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    return own + sum(_rows(inner) for inner in plan.get("Plans", ()))


@pytest.mark.parametrize(("name", "source"), COSTS)
async def test_the_class_tells_what_is_read(demo_db: Database, workspace: Workspace, name: str, source: str) -> None:
    _, found = classed(source, workspace)
    assert found.cost_class == name
    assert found.reason.endswith(".")
    accounts = await read_for(demo_db, "ALL", workspace)
    read = await read_for(demo_db, source, workspace)
    if name == "cheap":
        assert read <= accounts * 1.01
    if name == "heavy":
        assert read > accounts * 1.2


@pytest.mark.parametrize(
    ("moderate", "heavy"),
    [
        ("sum(usage.value, last(30d)) > 10", "sum(usage.value, last(31d)) > 10"),
        ('renewal_date IN next(30d) AND any(tickets WHERE priority = "urgent")', 'any(tickets WHERE priority = "urgent")'),
        ("count(interactions) > 3 AND external_id = \"x\"", "count(interactions) > 3"),
    ],
)  # fmt: skip
async def test_moderate_reads_less_than_heavy(
    demo_db: Database, workspace: Workspace, moderate: str, heavy: str
) -> None:
    assert [classed(one, workspace)[1].cost_class for one in (moderate, heavy)] == ["moderate", "heavy"]
    assert await read_for(demo_db, moderate, workspace) < 0.6 * await read_for(demo_db, heavy, workspace)


def test_every_class_is_told() -> None:
    assert {name for name, _ in COSTS} == set(CLASSES)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("ALL", "The accounts themselves hold what is asked; each is looked at once."),
        ('external_id = "x"', "An index finds the accounts."),
        ('in_segment("tier", "high") AND segment.tier != "low"', "For each of the accounts segments are looked up."),
        ("any(tickets) OR count(surveys) > 1", "The rows of tickets and surveys of all accounts are read: narrow it by an indexed field."),
        ("external_id = \"x\" AND any(tickets)", "An index finds few accounts; only of those the rows of tickets are read."),
    ],
)  # fmt: skip
async def test_it_says_why(workspace: Workspace, source: str, reason: str) -> None:
    assert classed(source, workspace)[1].reason == reason


# -- lists and ranks ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def admin(workspace: Workspace) -> Principal:
    return Principal(new_id(), workspace, "admin")


async def test_ranks_are_asked_of_their_cut_offs(demo_db: Database, admin: Principal) -> None:
    body = {"entity": "accounts", "filter": "rank_desc(arr) <= 10"}
    checked = await criteria.check(demo_db, admin, body, DEMO_NOW)
    assert (checked["ok"], checked["problems"]) == (True, [])
    found = await criteria.preview(demo_db, admin, {**body, "columns": ["name", "arr"]}, DEMO_NOW)
    assert found["count"] >= 10
    assert len(json.loads(found["sample"])) == 10


async def test_a_list_that_is_not_there_is_a_problem(demo_db: Database, admin: Principal) -> None:
    told = 'in_list("0190c0de-0000-7000-8000-000000000001")'
    found = await criteria.check(demo_db, admin, {"entity": "accounts", "filter": told}, DEMO_NOW)
    assert not found["ok"]
    assert found["problems"][0]["line"] == 1
