"""Filters as inputs become the tree that criteria are loaded from, and errors find their way back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, get_variable_values, parse, validate
from graphql.execution.values import get_argument_values
from graphql.language import FieldNode, OperationDefinitionNode

from app.api.graphql.engine import CORE
from app.api.graphql.filters import Spelled
from app.api.graphql.scalars import exact, floating
from app.domain.criteria import text, tree
from app.domain.errors import Fault, Invalid


def coerced(where: str) -> dict[str, Any]:
    """`where` as graphql-core reads the literal."""
    operation = parse(f"{{accounts(where: {where}) {{totalCount}}}}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    field = operation.selection_set.selections[0]
    assert isinstance(field, FieldNode)
    assert CORE.query_type is not None
    variables = get_variable_values(CORE, [], {})
    assert not isinstance(variables, list)
    found: dict[str, Any] = get_argument_values(CORE.query_type.fields["accounts"], field, variables)["where"]
    return found


SPELLINGS = [
    ("{all: true}", "ALL"),
    ('{cmp: {of: "health", cmp: lt, value: 50}}', "health < 50"),
    ('{cmp: {of: "arr", cmp: ge, value: 0.1}}', "arr >= 0.1"),
    ('{not: {empty: {of: "csm"}}}', "NOT csm IS EMPTY"),
    ('{cmp: {of: "csm", cmp: eq, value: {ref: me}}}', "csm = @me"),
    ('{cmp: {of: "csm", cmp: eq, value: {ref: "me"}}}', "csm = @me"),
    ('{in: {of: "industry", values: ["retail", "energy"]}}', 'industry IN ("retail", "energy")'),
    ('{range: {of: "arr", lo: 10000, hi: 50000, hiOpen: true}}', "arr IN 10000..<50000"),
    ('{time: {of: "renewal_date", in: {rolling: {dir: next, n: 90, unit: d}}}}', "renewal_date IN next(90d)"),
    (
        '{time: {of: "renewal_date", in: {period: {which: this, unit: fiscal_quarter}}}}',
        "renewal_date IN this(fiscal_quarter)",
    ),
    ('{text: {of: "name", match: starts_with, value: "Ac"}}', 'starts_with(name, "Ac")'),
    ('{has: {of: "products", anyOf: ["core", "api"]}}', 'has_any(products, ("core", "api"))'),
    (
        '{quant: {q: none, rel: "interactions", in: {rolling: {dir: last, n: 30, unit: d}}}}',
        "none(interactions, last(30d))",
    ),
    (
        '{quant: {q: any, rel: "invoices", where: {in: {of: "status", values: ["unpaid", "failed"]}}}}',
        'any(invoices WHERE status IN ("unpaid", "failed"))',
    ),
    (
        (
            '{cmp: {fold: {fn: sum, rel: "usage", field: "value", where: {cmp: {of: "feature", cmp: eq, value: "api"}}, '
            "in: {rolling: {dir: last, n: 30, unit: d}}}, cmp: lt, value: 50}}"
        ),
        'sum(usage.value WHERE feature = "api", last(30d)) < 50',
    ),
    (
        (
            '{cmp: {change: {fn: change, of: {fn: count, rel: "interactions"}, now: {rolling: {dir: last, n: 30, unit: d}}, '
            "was: {period: {which: previous, unit: month}}}, cmp: lt, value: -0.2}}"
        ),
        "change(count(interactions), last(30d), previous(month)) < -0.2",
    ),
    ('{cmp: {rank: {fn: percent_rank, field: "arr"}, cmp: ge, value: 0.9}}', "percent_rank(arr) >= 0.9"),
    ('{segment: {segmentation: "tier", segment: "high"}}', 'in_segment("tier", "high")'),
    ('{list: "0198c0de-0000-7000-8000-000000000001"}', 'in_list("0198c0de-0000-7000-8000-000000000001")'),
    (
        '{and: [{cmp: {of: "health", cmp: lt, value: 50}}, {or: [{empty: {of: "csm"}}, {all: true}]}]}',
        "health < 50 AND (csm IS EMPTY OR ALL)",
    ),
    ('{cmp: {of: "renewal_date", cmp: lt, value: {ago: "30d"}}}', "renewal_date < ago(30d)"),
    ('{cmp: {of: "renewalDate", cmp: lt, value: {ago: "30d"}}}', "renewal_date < ago(30d)"),
    ('{empty: {of: "custom.plan-b"}}', "custom.plan-b IS EMPTY"),
    (
        '{cmp: {rank: {fn: percent_rank, field: "openTickets", by: "healthBand"}, cmp: ge, value: 0.9}}',
        "percent_rank(open_tickets BY health_band) >= 0.9",
    ),
]


@pytest.mark.parametrize(("where", "said"), SPELLINGS)
def test_spells_what_text_says(where: str, said: str) -> None:
    assert tree.load(Spelled(coerced(where), "/where").tree) == text.parse(said)


@pytest.mark.parametrize(
    "where",
    ["{}", '{all: true, empty: {of: "csm"}}', "{unknown: 1}", '{cmp: {of: "arr", cmp: "lt", value: 1}}', "{all: null}"],
)
def test_one_member_alone(where: str) -> None:
    if not validate(CORE, parse(f"{{accounts(where: {where}) {{totalCount}}}}")):
        with pytest.raises(GraphQLError):
            coerced(where)


@pytest.mark.parametrize(
    ("where", "pointer"),
    [
        ("{all: false}", "/where/all"),
        ("{and: [{all: true}, {all: false}]}", "/where/and/1/all"),
        ("{cmp: {cmp: lt, value: 1}}", "/where/cmp"),
        ('{cmp: {of: "arr", rank: {fn: ntile4, field: "arr"}, cmp: lt, value: 1}}', "/where/cmp"),
    ],
)
def test_refuses_with_where_it_stands(where: str, pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        tree.load(Spelled(coerced(where), "/where").tree)
    assert refusal.value.faults[0].pointer == pointer


def test_points_into_the_filter() -> None:
    where = '{and: [{all: true}, {not: {cmp: {fold: {fn: sum, rel: "usage", field: "nope", where: {all: true}}, cmp: lt, value: 1}}}]}'
    spelled = Spelled(coerced(where), "/where")
    inside = {
        "/args/1/arg/of/field": "/where/and/1/not/cmp/fold/field",
        "/args/1/arg/of/where": "/where/and/1/not/cmp/fold/where",
        "/args/0": "/where/and/0",
        "/args/1/arg/value": "/where/and/1/not/cmp/value",
        "": "/where",
    }
    for at, wanted in inside.items():
        error = Invalid(faults=(Fault("nope", pointer=at),))
        assert spelled.mend(error).faults[0].pointer == wanted


def test_numbers_stay_exact() -> None:
    body = floating({"a": Decimal("12345678901234567.89"), "b": [Decimal("0.1")], "c": 3})
    assert isinstance(body["a"], float)
    assert exact(body) == {"a": Decimal("12345678901234567.89"), "b": [Decimal("0.1")], "c": 3}
    with pytest.raises(GraphQLError):
        exact(float("nan"))
