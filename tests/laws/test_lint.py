"""Law: what lint says of criteria is so. Putting what a finding says instead changes no row of any workspace."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria import nodes, text
from app.domain.criteria.check import check
from app.domain.criteria.evaluate import holds
from app.domain.criteria.lint import CODES, Finding, lint
from app.domain.criteria.logic import WRITTEN_NOW, is_past
from app.domain.criteria.nodes import Node
from tests.laws.population import Population, Record, populate
from tests.laws.trees import AS_OF, COUNT, SETTING, WORKSPACE, criteria, related, slug

USUAL = 500
ROUNDS = int(os.environ.get("STRATA_LAW_ROUNDS", "0")) * 8 or USUAL
RUN = settings(
    max_examples=ROUNDS, deadline=None, derandomize=ROUNDS == USUAL, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)  # fmt: skip
"""Rounds of each test; others than usual are other criteria."""
KNOWN = {
    name: tuple(slug(name, n) for n in range(COUNT))
    for name in ("industries", "stages", "products", "features", "teams")
}


LOST = {("users", "nobody@x"), ("accounts", "A-99999999"), ("contacts", "P-nope")}


def declared(made: Population) -> Population:
    """The same with every value inside what the catalogue declares, and nothing written later than now."""
    for name, records in made.records.items():
        for record in records:
            for field in ENTITIES[name].fields.values():
                record[field.name] = _within(field, record.get(field.name))
    return made


def _within(field: Field, value: Any) -> Any:
    low, high = field.low, field.high
    if field.name in WRITTEN_NOW and isinstance(value, datetime):
        return min(value, AS_OF - timedelta(microseconds=1))
    if is_past(field) and isinstance(value, date):
        latest = AS_OF + timedelta(days=1)
        return min(value, latest if isinstance(value, datetime) else latest.date())
    if isinstance(value, int | float) and not isinstance(value, bool):
        kind = type(value)
        value = kind(low) if low is not None and value < low else value
        value = kind(high) if high is not None and value > high else value
    return value


@pytest.fixture(scope="module")
def worlds() -> Sequence[Population]:
    return [declared(populate(WORKSPACE, seed=seed, accounts=30)) for seed in (11, 12)]


def changed(node: Any, finding: Finding) -> Any:
    """The tree with what the finding says instead; an argument that can be left out is left out."""
    if node is finding.node:
        return finding.instead
    if isinstance(node, tuple):
        return tuple(new for old in node if (new := changed(old, finding)) is not None)
    if not is_dataclass(node) or isinstance(node, nodes.Const | nodes.Path):
        return node
    inner = {f.name: changed(getattr(node, f.name), finding) for f in fields(node) if f.name != "at"}
    return replace(node, **inner)  # type: ignore[type-var]  # a node is a dataclass


def rows(node: Node, entity: Entity, records: Sequence[Record]) -> list[Any]:
    meaning = check(node, entity, SETTING).meaning
    return [one["id"] for one in records if holds(meaning, one)]


def agree(node: Node, entity: Entity, worlds: Sequence[Population]) -> Counter[str]:
    found = lint(node, entity, SETTING, AS_OF, KNOWN, LOST)
    for finding in found:
        other = changed(node, finding)
        assert other != node, (finding.code, text.format(node))
        for world in worlds:
            records = world.records[entity.name]
            assert rows(other, entity, records) == rows(node, entity, records), (
                finding.code,
                text.format(node),
                text.format(finding.node),
            )
    return Counter(finding.code for finding in found)


@RUN
@given(node=criteria(ENTITIES["accounts"]))
def test_of_accounts(worlds: Sequence[Population], node: Node) -> None:
    agree(node, ENTITIES["accounts"], worlds)


@RUN
@given(node=criteria(ENTITIES["contacts"]))
def test_of_contacts(worlds: Sequence[Population], node: Node) -> None:
    agree(node, ENTITIES["contacts"], worlds)


# Of few operands and few values, so that what stands side by side has to do with each other.
LEAVES = (
    "health > 40", "health >= 50", "health < 40", "health <= 100", "health = 50", "health != 50", "health IS EMPTY",
    "health IN 40..50", "health IN 50..<40", "health > 100", "arr > 0", "arr <= 0", "arr >= 100", "arr > 0.01",
    "arr IS EMPTY", "arr < field(mrr)", 'status = "customer"', 'status != "customer"', 'status IN ("prospect", "churned")',
    'status NOT IN ("customer", "prospect", "churned")', 'health_band = "green"', 'health_band IN ("green", "yellow", "red")',
    'industry = "industry-a"', 'industry = "technolgy"', 'industry NOT IN ("technolgy", "industry-b")', 'industry : "a"',
    'has_all(products, ("product-a", "product-z"))', 'has_any(products, ("product-a", "product-z"))',
    "is_reference = true", "is_reference != true", "employees > 2", "employees < 3", "employees = 2", "employees < 0",
    "created_at IN next(30d)", "created_at < 2027-01-01", "renewal_date IN last(7d)", "renewal_date IN next(7d)",
    "renewal_date > 2026-11-22", "renewal_date < 2026-11-23", "last_active_at = 2026-11-22", "last_active_at != 2026-11-22",
    "count(tickets) >= 0", "count(tickets) = 0", "count(tickets) > 0", "max(surveys.score) > 10", "avg(surveys.score) > 2",
    "any(tickets)", "none(tickets)", "any(contacts, next(7d))", "count(contacts, next(month)) > 0", "csm = @me",
    "ntile4(arr) = 5", "percent_rank(arr) > 1", "rank_desc(arr) < 1", "ntile10(health BY industry) IN 11..20", "ntile4(arr) >= 4",
    "last_interaction_at IN next(30d)", "none(interactions, next(7d))", "count(interactions, next(30d)) > 0",
    "stage_since IN next(30d)", "stage_since > 2027-01-01", "any(interactions, next(year))", "last_interaction_at IN last(7d)",
    "arr > field(arr)", "health <= field(health)", "health != field(health)", "avg(surveys.score) > 11",
    'has_any(products, ("product-a", "product-b"))', "products IS EMPTY", 'starts_with(name, "a")', 'starts_with(name, "AC")',
    'starts_with(name, "b")', 'ends_with(domain, "e")', 'ends_with(domain, "x")', 'domain : "a"', "domain IS EMPTY",
    "csm != @me", 'csm = "nobody@x"', 'csm NOT IN (@me, "nobody@x")', 'parent != "A-99999999"', 'primary_contact = "P-nope"',
    'in_segment("tier", "high")', 'segment.tier = "low"', 'segment.tier IN ("high", "medium", "low")',
    "last_value(surveys.score) IS NOT EMPTY", "sum(usage.value) IS EMPTY", "ALL",
    'any(tickets WHERE satisfaction > 5)', 'any(tickets WHERE satisfaction > 2 AND satisfaction > 1)',
    'none(tickets WHERE status = "open" AND status = "closed")', "change(count(tickets), last(30d), last(90d)) != 0",
)  # fmt: skip


@st.composite
def pressed(draw: Callable[[Any], Any], depth: int = 3) -> Node:
    shape = draw(st.sampled_from(("leaf", "and", "and", "or", "or", "not"))) if depth else "leaf"
    if shape == "leaf":
        return text.parse(draw(st.sampled_from(LEAVES)))
    if shape == "not":
        return nodes.Not(draw(pressed(depth - 1)))
    args = tuple(draw(pressed(depth - 1)) for _ in range(draw(st.sampled_from((2, 2, 3)))))
    return nodes.And(args) if shape == "and" else nodes.Or(args)


SEEN: Counter[str] = Counter()


@RUN
@given(node=pressed().filter(lambda node: related(node) <= 10))
def test_of_what_has_to_do_with_each_other(worlds: Sequence[Population], node: Node) -> None:
    SEEN.update(agree(node, ENTITIES["accounts"], worlds))


def test_every_warning_was_met() -> None:
    assert {code for code, times in SEEN.items() if times > 5} == set(CODES)
