"""What criteria name, wherever in them, and how a dependent is told."""

from __future__ import annotations

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.dependents import Dependent, Mention, mentions, of_path


@pytest.mark.parametrize(
    ("entity", "criteria", "named"),
    [
        ("accounts", 'industry = "retail"', {("industries", "retail")}),
        ("accounts", 'industry IN ("retail", "banking")', {("industries", "retail"), ("industries", "banking")}),
        ("accounts", 'NOT (arr > 5 OR stage != "trial") AND health > 3', {("stages", "trial")}),
        ("accounts", 'stage >= "a" AND name = "retail"', {("stages", "a")}),
        ("contacts", 'account.industry = "retail" AND account.csm = "eve"', {("industries", "retail"), ("users", "eve")}),
        ("accounts", 'csm_id = "eve"', {("users", "eve")}),
        ("accounts", "csm = @me", set()),
        ("accounts", 'has_any(products, ("suite", "api"))', {("products", "suite"), ("products", "api")}),
        ("accounts", 'any(contracts WHERE product = "suite", last(30d))', {("products", "suite")}),
        ("accounts", 'count(interactions WHERE kind = "call") > 2', set()),
        ("accounts", 'sum(usage.value WHERE feature = "api", last(30d)) < 3', {("features", "api")}),
        ("accounts", 'segment.tier = "high"', {("segmentations", "tier")}),
        ("accounts", "segment.tier IS EMPTY", {("segmentations", "tier")}),
        ("accounts", 'in_segment("tier", "high")', {("segmentations", "tier")}),
        ("contacts", 'account.segment.tier = "high"', {("segmentations", "tier")}),
        ("accounts", 'in_list("mine")', {("lists", "mine")}),
        ("accounts", "ALL", set()),
        ("accounts", 'gone.field = "x" AND nothing = "y"', set()),
    ],
)  # fmt: skip
def test_criteria_name_things_by_value(entity: str, criteria: str, named: set[tuple[str, str]]) -> None:
    found = mentions(text.parse(criteria), ENTITIES[entity])
    assert set(found) == {Mention(*one) for one in named}


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("segment.tier", ["tier"]), ("-segment.tier", ["tier"]), ("-account.segment.tier", ["tier"]), ("arr", []),
        ("custom.segment.tier", []), ("", []),
    ],
)  # fmt: skip
def test_columns_and_sort_keys_name_segmentations(path: str, named: list[str]) -> None:
    assert [one.told for one in of_path(path)] == named


@pytest.mark.parametrize(
    ("dependent", "told"),
    [
        (Dependent("accounts", 1, ("Acme",)), "1 account (Acme)"),
        (Dependent("accounts", 1200, ("Acme", "Cole")), "1,200 accounts (Acme, Cole, …)"),
        (Dependent("saved lists", 2), "2 saved lists"),
        (Dependent("saved lists", 2, ("Shops",)), "2 saved lists (Shops, …)"),
        (Dependent("API keys", 1, ("export",)), "1 API key (export)"),
    ],
)
def test_a_dependent_is_told_in_words(dependent: Dependent, told: str) -> None:
    assert str(dependent) == told
