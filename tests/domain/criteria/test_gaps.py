"""What leaves stand on, and what follows where there is none of it."""

from __future__ import annotations

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria import gaps, text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.gaps import Gap, Stand
from app.domain.criteria.meant import Column, Grouped
from app.domain.workspaces import clock
from tests.laws.trees import AS_OF, WORKSPACE

SETTING = Setting(WORKSPACE, clock(WORKSPACE, AS_OF), cuts=None)


def told(criteria: str, entity: str = "accounts") -> list[tuple[Gap, bool]]:
    meaning = check(text.parse(criteria), ENTITIES[entity], SETTING).meaning
    return [(one.gap, one.met) for one in gaps.stands(meaning, ENTITIES[entity])]


@pytest.mark.parametrize(
    ("criteria", "stands"),
    [
        ("none(interactions, last(30d))", [("interactions", None, True)]),
        ("any(interactions)", [("interactions", None, False)]),
        ("NOT all(interactions WHERE kind = \"call\")", [("interactions", None, True)]),
        ("avg(surveys.score) < 5", [("surveys", None, False)]),
        ("NOT avg(surveys.score) >= 5", [("surveys", None, True)]),
        ("change(sum(usage.value), last(30d), last(60d)) < -0.2", [("usage", None, False)]),
        ("sum(usage.value WHERE is_key = true OR feature = \"f1\") < 5", [("usage", None, True)]),
        ("sum(usage.value WHERE is_key = true AND value > 2) < 5", [("usage", None, True), ("features", "is_key", True)]),
        ("open_tickets = 0 AND nps != 3", [("tickets", None, True), ("surveys", None, True)]),
        ("has_any(products, (\"p1\"))", [("contracts", None, False)]),
        ("csm IS EMPTY", [("accounts", "csm", True)]),
        ('health_band = "red" AND impact != "low"', [("accounts", "health", False), ("accounts", "industry", True)]),
        ("percent_rank(growth_potential BY industry) >= 0.5", []),
        ("arr > 5 OR open_tickets > field(case_studies)", []),
        ("segment.tier = \"high\"", []),
    ],
)  # fmt: skip
def test_what_stands_on_what(criteria: str, stands: list[tuple[str, str | None, bool]]) -> None:
    found = [(gap.entity, gap.field, met) for gap, met in told(criteria)]
    assert [one for one in found if one[1] is None or one[1] in ("is_key", "csm", "health", "industry")] == stands


def test_fields_of_the_account_are_told_of_contacts_too() -> None:
    assert told("account.last_interaction_at IS EMPTY", "contacts") == [(Gap("interactions"), True)]


def test_a_rank_of_what_nobody_has_is_never_met() -> None:
    of, by = (Column(ENTITIES["accounts"].fields[name]) for name in ("health", "industry"))
    ranked = Grouped(of, by, (("saas", None, 3.0),), rising=True)
    assert list(gaps.stands(ranked, ENTITIES["accounts"])) == [Stand(Gap("accounts", "health"), met=False)]
