"""Statements: held to one workspace, one text for one shape, bounded names."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.meant import Column, Meaning
from app.domain.criteria.nodes import Node
from app.domain.errors import Invalid
from app.domain.questions import Page, Pick, Question, Selection
from app.domain.selections import everything, selection, sort
from app.domain.workspaces import clock
from app.persistence.compile import Statement, any_record, page, record
from tests.laws.trees import AS_OF, SETTING, WORKSPACE, criteria
from tests.scoping import unscoped

FIELDS = "name,arr,segment,custom,csm.name,primary_contact.custom.topic,parent.segment.tier"
INCLUDE = "contacts(3),usage,csm,interactions(2),parent"
ORDERS = ("", "-arr,name", "segment.tier,-health", "-custom.score", "renewal_date", "-health", "id")
GENERATE = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])


def meant(source: str, entity: str = "accounts", setting: Setting = SETTING) -> Meaning:
    return check(text.parse(source), ENTITIES[entity], setting).meaning


def asked(source: str = "ALL", entity: str = "accounts", order: str = "", **told: Any) -> Statement:
    known = ENTITIES[entity]
    shows = told.pop("selection", None) or Selection((Pick("id", Column(known.fields["id"])),))
    keys = sort(order, known, WORKSPACE) if order else ()
    return page(Question(entity, meant(source, entity, told.pop("setting", SETTING)), shows, keys, **told), WORKSPACE)


@GENERATE
@given(
    tree=criteria(ENTITIES["accounts"]), order=st.sampled_from(ORDERS), edges=st.booleans(),
    count=st.sampled_from(("none", "capped", "exact")), archived=st.sampled_from(("without", "only", "with")),
)  # fmt: skip
def test_every_table_of_a_page_of_accounts_is_held_to_the_workspace(tree: Node, order: str, **told: Any) -> None:
    shows = selection(FIELDS, INCLUDE, ENTITIES["accounts"], WORKSPACE)
    statement = asked(text.format(tree), order=order, selection=shows, **told)
    assert unscoped(statement.text) == []
    assert statement.args[0] == WORKSPACE.id


@GENERATE
@given(tree=criteria(ENTITIES["contacts"]))
def test_every_table_of_a_page_of_contacts_is_held_to_the_workspace(tree: Node) -> None:
    shows = selection("name,account.name,account.segment", "account,usage(2)", ENTITIES["contacts"], WORKSPACE)
    statement = asked(text.format(tree), "contacts", "account.segment.lanes,-account.name", selection=shows)
    assert unscoped(statement.text) == []


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_every_entity_has_statements_that_are_held_to_the_workspace(entity: str) -> None:
    shows = everything(ENTITIES[entity])
    statements = [
        page(Question(entity, meant("ALL"), shows, edges=edges, count="exact"), WORKSPACE).text
        for edges in (True, False)
    ]
    if entity != "usage":
        statements += [
            record(ENTITIES[entity], shows, "id", WORKSPACE).text,
            any_record({entity: shows}, WORKSPACE).text,
        ]
    assert [unscoped(one) for one in statements] == [[]] * len(statements)


# -- one text for one shape --------------------------------------------------------------------------------------------

PAIRS = [
    ("arr > 100", "arr > 20000.55"),
    ('name = "a"', 'name = "it\'s"'),
    ('industry IN ("industry-a", "industry-b")', 'industry IN ("industry-c")'),
    ("any(interactions WHERE kind = \"call\", last(30d))", "any(interactions WHERE kind = \"email\", last(7d))"),
    ("none(interactions, last(30d))", "none(interactions, last(90d))"),
    ("renewal_date IN next(90d)", "renewal_date IN next(30d)"),
    ("sum(usage.value, last(7d)) > 1", "sum(usage.value, last(7d)) > 100.5"),
    ('csm IN (@me, "x")', 'csm IN (@my_team, "y", "z")'),
    ('custom.plan = "free"', 'custom.plan = "paid"'),
    ('in_segment("tier", "high")', 'in_segment("lanes", "calm")'),
    ('name : "x"', 'name : "%_"'),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_same_shape_has_the_same_text(one: str, other: str) -> None:
    assert asked(one).text == asked(other).text
    assert asked(one).args != asked(other).args


@pytest.mark.parametrize(("source", "_"), PAIRS)
def test_a_statement_made_like_another_is_the_same_as_one_made_anew(source: str, _: str) -> None:
    shows = selection(FIELDS, INCLUDE, ENTITIES["accounts"], WORKSPACE)
    later = replace(SETTING, clock=clock(WORKSPACE, AS_OF + timedelta(hours=1)))
    first = Question("accounts", meant(source), shows, sort("-arr", ENTITIES["accounts"], WORKSPACE), count="capped")
    second = replace(first, criteria=meant(source, setting=later))
    assert page(second, WORKSPACE, known={(made := page(first, WORKSPACE)).condition: made}) == page(second, WORKSPACE)


def test_no_value_is_in_the_text_but_page_sizes() -> None:
    statement = asked('name = "needle" AND arr > 4242 AND custom.region-2 = "hay"', page=Page(37))
    assert "needle" not in statement.text
    assert "4242" not in statement.text
    assert "hay" not in statement.text
    assert "LIMIT 38" in statement.text
    places = {int(n) for n in re.findall(r"\$(\d+)", statement.text)}
    assert places == set(range(1, len(statement.args) + 1))


def test_kept_windows_are_read_where_they_say_the_same() -> None:
    kept = ("last(7d)", "last(30d)", "last(90d)")
    for window in kept:
        statement = asked(f'sum(usage.value WHERE feature = "x", {window}) < 5')
        assert statement.leans
        assert "usage_windows" in statement.text
        assert "usage_days" not in statement.text
    month_ago = replace(SETTING, clock=clock(WORKSPACE, AS_OF - timedelta(days=30)))
    assert ".before_30" in asked("sum(usage.value, last(30d)) < 5", setting=month_ago).text
    for source in (
        "sum(usage.value, last(31d)) < 5",
        "sum(usage.value WHERE value > 1, last(30d)) < 5",
        "count(usage, last(7d)) < 5",
    ):
        assert not asked(source).leans
    yesterday = replace(SETTING, clock=clock(WORKSPACE, AS_OF - timedelta(days=1)))
    assert not asked("sum(usage.value, last(30d)) < 5", setting=yesterday).leans


def test_the_latest_interaction_decides_without_rows_where_it_can() -> None:
    assert "interactions" not in asked("none(interactions)").text
    assert "last_interaction_at" in asked("any(interactions, last(30d))").text
    assert "last_interaction_at" not in asked('any(interactions WHERE kind = "call", last(30d))').text


@pytest.mark.parametrize(
    ("order", "after", "expected"),
    [
        ("-arr,-name", (1, "a", None), "(a.arr, a.name, a.id) < ("),
        ("arr,-name", (1, "a", None), "(a.arr >= $2::int8 AND (a.arr > $2::int8 OR (a.name, a.id) < ("),
        ("-health", (1.0, None), "(a.health, a.id) < ("),
        ("-health", (None, None), "a.health IS NULL AND a.id < "),
        ("-nps", (1.0, None), "(a.nps < $2::float8 OR a.nps IS NULL OR (a.nps = $2::float8 AND a.id < "),
    ],
)
def test_the_range_after_a_row_is_one_of_an_index_where_it_can_be(
    order: str, after: tuple[Any, ...], expected: str
) -> None:
    places = (*after[:-1], SETTING.person and SETTING.person.id)
    assert expected in asked(order=order, page=Page(10, places)).text


def test_a_name_that_the_database_would_cut_is_refused() -> None:
    column = Column(ENTITIES["accounts"].fields["name"])
    assert asked(selection=Selection((Pick("n" * 63, column),))).text
    with pytest.raises(Invalid):
        asked(selection=Selection((Pick("ü" * 32, column),)))


def test_sorts_by_id_need_nothing_more() -> None:
    assert asked(order="-id").keys == 1
    assert asked(order="-arr,id,name").keys == 2
