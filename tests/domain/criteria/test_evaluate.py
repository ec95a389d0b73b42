"""The reference evaluator: empty values, order, text, related rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.catalogue import ACCOUNTS, CONTACTS, Entity
from app.domain.criteria.check import check
from app.domain.criteria.evaluate import fold, holds
from app.domain.criteria.text import parse
from tests.laws.trees import AS_OF, PERSON, SETTING, TODAY, id_of


def account(**given: Any) -> dict[str, Any]:
    """An account with nothing but what is given."""
    bare: dict[str, Any] = dict.fromkeys(ACCOUNTS.fields)
    rows: dict[str, Any] = {name: [] for name, relation in ACCOUNTS.relations.items() if relation.many}
    return bare | rows | {"segment": {}, "custom": {}, "products": (), "arr": 0} | given


def means(source: str, record: dict[str, Any], entity: Entity = ACCOUNTS) -> bool:
    positive = holds(check(parse(source), entity, SETTING).meaning, record)
    assert holds(check(parse(f"NOT ({source})"), entity, SETTING).meaning, record) is not positive
    return positive


FALSE = (
    'name = "a"', 'name IN ("a", "b")', 'name < "b"', 'name IN *.."z"', 'name : "a"', "health > -1", "health IN 0..100",
    "renewal_date IN next(90d)", "last_active_at < ago(1d)", "last_active_at = 2026-01-31", "csm = @me", "health = field(nps)",
    "renewal_date = field(contract_end)", 'segment.tier = "high"', "custom.score = 1", "auto_renew = false",
    'has_any(products, ("a"))', 'has_all(products, ("a"))', "avg(usage.value) >= 0", "max(usage.value) <= 0",
    "last_value(surveys.score) > 0", "change(sum(usage.value), last(30d), previous(month)) > -9",
    "all(usage)", "all(usage WHERE value > 0)", "any(usage)",
)  # fmt: skip
TRUE = (
    "ALL", 'name != "a"', 'name NOT IN ("a", "b")', 'NOT name : "a"', "health != field(nps)", "csm != @me",
    "name IS EMPTY", "products IS EMPTY", "segment.tier IS EMPTY", "avg(usage.value) != 0", "min(usage.value) IS EMPTY",
    "count(usage) = 0", "sum(usage.value) = 0", "count_distinct(usage.contact) = 0", "none(usage)",
    "none(usage WHERE value > 0)", "change(sum(usage.value), last(30d), previous(month)) IS EMPTY",
    "change_abs(sum(usage.value), last(30d), previous(month)) = 0", "NOT auto_renew = false",
    'segment.tier != "high"', "last_active_at != 2026-01-31", "count(usage) IS NOT EMPTY",
)  # fmt: skip


@pytest.mark.parametrize("source", FALSE)
def test_empty_is_false(source: str) -> None:
    assert not means(source, account())


@pytest.mark.parametrize("source", TRUE)
def test_empty_is_true(source: str) -> None:
    assert means(source, account())


@pytest.mark.parametrize(
    ("source", "record"),
    [
        ("arr IN 5..10", {"arr": 1000}),
        ("NOT arr IN 5..<10", {"arr": 1000}),
        ('name < "a"', {"name": "Z"}),
        ('name > "ﬀ"', {"name": "𝔘"}),
        ('name : "ÜR"', {"name": "Zürich"}),
        ('starts_with(name, "ac")', {"name": "ACME"}),
        ('NOT starts_with(name, "me")', {"name": "ACME"}),
        ('ends_with(name, "ME")', {"name": "acme"}),
        ('NOT name : "ss"', {"name": "ß"}),
        ('NOT name = "ACME"', {"name": "acme"}),
        ('segment.tier = "high"', {"segment": {"tier": "high"}}),
        ("custom.vip = true", {"custom": {"vip": True}}),
        ('has_any(products, ("x", "b"))', {"products": ("a", "b")}),
        ('NOT has_all(products, ("x", "b"))', {"products": ("a", "b")}),
        ("csm = @me", {"csm": {"id": PERSON.id, "external_id": None, "email": "a@b.c"}}),
        ('csm IN ("x", "a@b.c")', {"csm": {"id": UUID(int=1), "external_id": None, "email": "a@b.c"}}),
        ('csm = "u-1"', {"csm": {"id": UUID(int=1), "external_id": "u-1", "email": "a@b.c"}}),
        (f'csm = "{str(id_of("users", 1)).upper()}"', {"csm": {"id": id_of("users", 1), "external_id": None}}),
        ("renewal_date IN next(90d)", {"renewal_date": TODAY}),
        ("NOT renewal_date IN next(90d)", {"renewal_date": TODAY + timedelta(90)}),
        ("renewal_date IN last(30d)", {"renewal_date": TODAY - timedelta(29)}),
        ("NOT renewal_date IN last(30d)", {"renewal_date": TODAY - timedelta(30)}),
        ("last_active_at IN last(30d)", {"last_active_at": AS_OF - timedelta(30)}),
        ("NOT last_active_at IN last(30d)", {"last_active_at": AS_OF}),
    ],
)
def test_present(source: str, record: dict[str, Any]) -> None:
    assert means(source, account(**record))


def usage(day: date, value: float, feature: str = "api", contact: int | None = None) -> dict[str, Any]:
    person = None if contact is None else {"id": id_of("contacts", contact), "external_id": None, "email": None}
    return {"day": day, "value": value, "feature": feature, "contact": person, "module": None, "is_key": False}


BUSY = account(
    usage=[
        usage(TODAY, 1.5, "api", 1), usage(TODAY, 2.0, "reports"), usage(TODAY, 4.0, "reports", 2),
        usage(TODAY - timedelta(30), 8.0, "api", 1),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "count(usage) = 4",
        "count(usage, last(30d)) = 3",
        'sum(usage.value WHERE feature = "api") = 9.5',
        "sum(usage.value, last(30d)) = 7.5",
        "avg(usage.value, last(30d)) = 2.5",
        "min(usage.value) = 1.5",
        "max(usage.day) = 2026-11-22",
        "count_distinct(usage.contact) = 2",
        "count_distinct(usage.feature, last(30d)) = 2",
        "last_value(usage.value) = 4",
        "change(sum(usage.value), last(30d), previous(month)) = -0.0625",
        "change_abs(sum(usage.value), last(30d), previous(month)) = -0.5",
        "any(usage WHERE value > 5)",
        "none(usage WHERE value > 5, last(30d))",
        "all(usage WHERE value < 5, last(30d))",
        "NOT all(usage WHERE value < 5)",
        "all(usage)",
    ],
)
def test_related_rows(source: str) -> None:
    assert means(source, BUSY)


def survey(n: int, at: datetime, score: float | None) -> dict[str, Any]:
    return {"id": UUID(int=n), "answered_at": at, "score": score, "kind": "nps", "comment": None}


def test_the_last_value_is_that_of_the_latest_row() -> None:
    rows = [survey(1, AS_OF, 3.0), survey(2, AS_OF, None), survey(3, AS_OF - timedelta(1), 9.0)]
    assert means("last_value(surveys.comment) IS EMPTY", account(surveys=rows))
    assert means("last_value(surveys.score) IS EMPTY", account(surveys=rows))
    assert means("last_value(surveys.score) = 3", account(surveys=[rows[0], rows[2]]))


def test_contacts_through_their_account() -> None:
    contact: dict[str, Any] = {"account": account(arr=500, id=UUID(int=9)), "name": "x", "account_id": UUID(int=9)}
    assert means("account.arr = 5", contact, CONTACTS)
    assert means("account.custom.score IS EMPTY", contact, CONTACTS)
    assert means("account.csm != @me", contact, CONTACTS)


def test_folding_takes_each_character_by_itself() -> None:
    assert fold("ΣΊΣΥΦΟΣ") == "σίσυφοσ"
    assert fold("İẞ") == "İß"
