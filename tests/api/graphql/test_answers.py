"""What GraphQL says of errors names its own arguments, and says where text goes."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, OperationDefinitionNode, get_variable_values, parse, validate

from app.api.graphql.answers import of_document, of_field
from app.api.graphql.engine import CORE
from app.domain.errors import Fault, Invalid

VARIABLE = "query($v: ForecastInput!) { previewForecast(input: $v) { expected } }"


def test_parameters_are_named_as_arguments() -> None:
    for rest, argument in (("group_by", "groupBy"), ("due_to", "dueTo"), ("lag", "lag"), ("If-Match", "If-Match")):
        told = of_field(Invalid(faults=(Fault("Expected less.", parameter=rest),)), (), (), "r")
        assert [one["parameter"] for one in told["extensions"]["errors"]] == [argument]


@pytest.mark.parametrize(
    "field", ["previewForecast(input: {where: %s}) { expected }", "accounts(where: %s) { totalCount }"]
)
def test_text_in_place_of_a_tree_is_sent_to_filter(field: str) -> None:
    (error,) = validate(CORE, parse("{ " + field % '"arr > 5"' + " }"))
    assert of_document(error, "r")["message"].endswith("to be an object. Criteria as text go into `filter`.")
    (other,) = validate(CORE, parse("{ " + field % "{nonsense: 1}" + " }"))
    assert "as text" not in of_document(other, "r")["message"]


def test_so_is_text_in_a_variable() -> None:
    (operation,) = parse(VARIABLE).definitions
    assert isinstance(operation, OperationDefinitionNode)
    errors = get_variable_values(CORE, operation.variable_definitions or (), {"v": {"where": "arr > 5"}})
    assert isinstance(errors, list)
    (error,) = errors
    assert isinstance(error, GraphQLError)
    told = of_document(error, "r")["extensions"]["errors"][0]
    assert told["suggestion"] == "filter"
