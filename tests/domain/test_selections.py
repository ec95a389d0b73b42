"""Fields, includes and sort as they are told."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria.meant import Column, SegmentOf
from app.domain.errors import Invalid
from app.domain.questions import Fixed, Group, Nest, Pick, Selection, Sort
from app.domain.selections import everything, selection, sort, usual_order
from tests.laws.trees import WORKSPACE

ACCOUNTS, CONTACTS = ENTITIES["accounts"], ENTITIES["contacts"]


def outline(shows: Selection) -> dict[str, Any]:
    """Members by name: nested ones as outlines of their own."""
    found: dict[str, Any] = {}
    for item in shows.items:
        match item:
            case Pick(key) | Fixed(key):
                found[key] = True
            case Group(key, inner):
                found[key] = outline(inner)
            case Nest(key):
                found[key] = outline(item.selection) | ({"*": item.limit} if item.relation.many else {})
    return found


def told(fields: Any = None, include: Any = None, entity: str = "accounts", **options: Any) -> dict[str, Any]:
    return outline(selection(fields, include, ENTITIES[entity], WORKSPACE, **options))


def test_everything_is_every_column() -> None:
    assert list(told()) == [field.column for field in ACCOUNTS.fields.values()]
    assert outline(everything(CONTACTS)) == told(entity="contacts")


def test_rows_nest() -> None:
    assert told("name,arr,segment.tier,custom.score,primary_contact.name,csm.email") == {
        "name": True, "arr": True, "segment": {"tier": True}, "custom": {"score": True}, "primary_contact": {"name": True},
        "csm": {"email": True},
    }  # fmt: skip
    assert told("account.name,account.csm.name,account.segment.lanes", entity="contacts") == {
        "account": {"name": True, "csm": {"name": True}, "segment": {"lanes": True}}
    }


def test_what_is_named_twice_is_there_once_and_in_order() -> None:
    assert list(told("arr,name,arr")) == ["arr", "name"]
    assert told("segment.tier,arr,segment.lanes") == {"segment": {"tier": True, "lanes": True}, "arr": True}
    assert told("segment") == {"segment": {"tier": True, "lanes": True}}
    assert told("custom.score,custom") == told("custom,custom.score") == {"custom": True}
    assert told("csm.name", "csm")["csm"] == told(entity="users")
    assert list(told(["csm.name"], "csm")["csm"])[:1] == ["name"]


def test_references_answer_as_ids() -> None:
    assert (
        told("csm,parent,industry")
        == told("csm_id,parent_id,industry")
        == {"csm_id": True, "parent_id": True, "industry": True}
    )


def test_includes_come_beside_fields_and_have_limits() -> None:
    found = told("name", "csm,interactions(3),contacts")
    assert list(found) == ["name", "csm", "interactions", "contacts"]
    assert (found["interactions"]["*"], found["contacts"]["*"]) == (3, 10)
    assert set(told(None, "parent")) == set(told()) | {"parent"}
    latest = next(item for item in selection(None, "interactions", ACCOUNTS, WORKSPACE).items if isinstance(item, Nest))
    assert latest.sort == usual_order(ENTITIES["interactions"])


def test_includes_have_an_order_too() -> None:
    def nested(include: Any) -> tuple[int | None, tuple[Sort, ...]]:
        nest = next(item for item in selection("id", include, ACCOUNTS, WORKSPACE).items if isinstance(item, Nest))
        return nest.limit, nest.sort

    interactions = ENTITIES["interactions"]
    assert nested("interactions(3,kind,-occurred_at)") == (3, sort("kind,-occurred_at", interactions, WORKSPACE))
    assert nested("interactions(contact.name)") == (10, sort("contact.name", interactions, WORKSPACE))
    assert nested(["interactions( 3, occurred_at )"]) == (3, sort("occurred_at", interactions, WORKSPACE))
    assert list(told("id", "csm,interactions(2,kind),contacts(name)")) == ["id", "csm", "interactions", "contacts"]


@pytest.mark.parametrize(
    ("include", "message", "suggestion"),
    [
        ("interactions(3,occured_at)", "interactions have no such field.", "occurred_at"),
        ("interactions(occurred_at,3)", "interactions have no such field", None),
        ("interactions(3,)", "Expected names, separated by single commas.", None),
        ("interactions()", "Expected names, separated by single commas.", None),
        ("interactions(3", "accounts have no such related records.", "interactions"),
        ("contacts(3,custom)", "custom has no order.", None),
        ("csm(name)", "csm is one: it takes no number and no order.", None),
    ],
)
def test_orders_of_includes_that_are_none(include: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as raised:
        told("id", include)
    (fault,) = raised.value.faults
    assert fault.message.startswith(message)
    assert (fault.parameter, fault.suggestion) == ("include", suggestion)


def test_order_by_what_a_record_leads_to() -> None:
    by_csm, by_tier = sort("-csm.name,parent.segment.tier", ACCOUNTS, WORKSPACE)
    assert by_csm.of == Column(ENTITIES["users"].fields["name"], ACCOUNTS.relations["csm"])
    assert by_csm.descending
    assert isinstance(by_tier.of, SegmentOf)
    assert by_tier.of.through == ACCOUNTS.relations["parent"]
    for told_, message, suggestion in (
        ("csm.nme", "users have no such field.", "csm.name"),
        ("csm", "csm is a reference and has no order", "csm.name"),
        ("csm_id", "csm is a reference and has no order", "csm.name"),
        ("parent.csm.name", "Expected a path over one reference", "parent.name"),
        ("parent.csm", "parent.csm has no order.", None),
    ):
        with pytest.raises(Invalid) as raised:
            sort(told_, ACCOUNTS, WORKSPACE)
        (fault,) = raised.value.faults
        assert fault.message.startswith(message), told_
        assert fault.suggestion == suggestion, told_


def test_order() -> None:
    keys = sort("-arr, name,segment.tier,-custom.score", ACCOUNTS, WORKSPACE)
    assert [key.descending for key in keys] == [True, False, False, True]
    assert sort(["account.name", "-account.segment.tier"], CONTACTS, WORKSPACE)[1].descending
    assert sort((), ACCOUNTS, WORKSPACE) == sort(None, ACCOUNTS, WORKSPACE) == ()


@pytest.mark.parametrize(
    ("fields", "include", "suggestion"),
    [
        ("nam", None, "name"), ("segment.teir", None, "segment.tier"), ("custom.scor", None, "custom.score"),
        ("csm.nme", None, "csm.name"), ("parent.parent.csm.nme", None, "parent.parent.csm.name"), ("", None, None),
        ("name,,arr", None, None), ("contacts.name", None, None), (None, "contcts", "contacts"), (None, "csm(2)", None),
        (None, "contacts(0)", None), (None, "contacts(1000)", None), (None, "contacts(-1)", None), (None, "name", None),
        (",".join(["name"] * 500), None, None), ("parent.parent.parent.parent.name", None, None), ("csm.segment.tier", None, None),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_where_it_was_told(
    fields: str | None, include: str | None, suggestion: str | None
) -> None:
    with pytest.raises(Invalid) as raised:
        told(fields, include)
    (fault,) = raised.value.faults
    assert fault.parameter == ("fields" if include is None else "include")
    assert fault.suggestion == suggestion
    with pytest.raises(Invalid) as raised:
        told(fields, include, body=True)
    assert raised.value.faults[0].pointer == ("/fields" if include is None else "/include")


@pytest.mark.parametrize(
    "order",
    ["arrr", "-", "--arr", "products", "custom", "csm", "arr,-arr", "name,", "contacts.name", ",".join("abcdefghi")],
)
def test_orders_that_are_none(order: str) -> None:
    with pytest.raises(Invalid) as raised:
        sort(order, ACCOUNTS, WORKSPACE)
    assert raised.value.faults[0].parameter == "sort"


@pytest.mark.parametrize(
    ("told", "body", "where"),
    [
        ("name, nme,helth", False, [(None, 1, 7), (None, 1, 11)]), ("name, nme,helth", True, [("/fields", 1, 7), ("/fields", 1, 11)]),
        (["name", "nme", "helth"], True, [("/fields/1", None, None), ("/fields/2", None, None)]),
    ],
)  # fmt: skip
def test_each_name_that_is_wrong_says_which_it_is(told: Any, body: bool, where: list[Any]) -> None:
    with pytest.raises(Invalid) as caught:
        selection(told, None, ACCOUNTS, WORKSPACE, body=body)
    assert [(fault.pointer, fault.line, fault.column) for fault in caught.value.faults] == where


def test_the_order_of_an_include_is_told_where_the_include_is() -> None:
    with pytest.raises(Invalid) as caught:
        selection(None, "csm,interactions(3,-occured_at)", ACCOUNTS, WORKSPACE)
    assert [(fault.parameter, fault.column) for fault in caught.value.faults] == [("include", 5)]
