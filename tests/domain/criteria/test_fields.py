"""What is said of paths that name no field, and where it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria.fields import resolve, shown
from app.domain.criteria.nodes import NOWHERE
from app.domain.errors import Invalid
from app.domain.forecasting.rows import ROWS
from tests.laws.trees import WORKSPACE

BARE = replace(WORKSPACE, attributes={})


@pytest.mark.parametrize(
    ("entity", "path", "message", "suggestion"),
    [
        (
            "contacts",
            "account.parent.name",
            "account.parent is compared by id, external id or e-mail",
            "account.parent",
        ),
        ("contacts", "account.helth", "accounts have no such field.", "account.health"),
        ("contacts", "account.tickets.status", "account.tickets are many", None),
        ("contacts", "account.segment.teir", "There is no such segmentation.", "account.segment.tier"),
        ("accounts", "custom.foo", "accounts have no such attribute.", None),
        ("contacts", "account.custom.foo", "accounts have no such attribute.", None),
    ],
)
def test_of_what_is_asked(entity: str, path: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        resolve(path, ENTITIES[entity], BARE, NOWHERE)
    (fault,) = refused.value.faults
    assert fault.message.startswith(message)
    assert fault.suggestion == suggestion


@pytest.mark.parametrize(
    ("entity", "what"),
    [
        ("accounts", "accounts have no such field: expected a name that GET /v1/catalog (`catalog` in GraphQL) lists, custom.<attribute>, and segment.<segmentation>."),
        ("contacts", "lists, custom.<attribute>, and what the account has, as in account.arr."),
        ("invoices", "GET /v1/catalog (`catalog` in GraphQL) lists."),
    ],
)  # fmt: skip
def test_where_nothing_is_near_it_says_what_there_is(entity: str, what: str) -> None:
    with pytest.raises(Invalid) as refused:
        resolve("foo", ENTITIES[entity], BARE, NOWHERE)
    (fault,) = refused.value.faults
    assert fault.message.endswith(what)
    assert fault.suggestion is None


def test_where_few_fields_are_known_all_are_named() -> None:
    with pytest.raises(Invalid) as refused:
        resolve("qqqqq", ROWS, BARE, NOWHERE)
    assert (
        refused.value.faults[0].message == f"{ROWS.name} have no such field: expected one of {', '.join(ROWS.fields)}."
    )


def test_of_what_is_grouped() -> None:
    with pytest.raises(Invalid) as refused:
        shown("csm.name", ENTITIES["accounts"], BARE, parameter="group_by")
    (fault,) = refused.value.faults
    assert (
        fault.message
        == "csm is a reference: accounts are not grouped by the fields of what it refers to; they can be grouped by it itself."
    )
    assert (fault.parameter, fault.suggestion) == ("group_by", None)
    with pytest.raises(Invalid, match=r"account\.csm is a reference"):
        shown("account.csm.name", ENTITIES["contacts"], BARE)
