"""Bodies read strictly: what is refused, where, and what exact values come out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.domain import records, values
from app.domain.catalogue import ACCOUNTS, CONTACTS, ENTITIES, INTERACTIONS, PRODUCTS, Field
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.values import Named

ATTRIBUTES = {
    ("accounts", "region"): Field("region", "enum", optional=True, values=("emea", "apac")),
    ("accounts", "seats"): Field("seats", "integer", optional=True),
    ("contacts", "shoe"): Field("shoe", "text", optional=True),
}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ID = UUID("01939b1e-0000-7000-8000-000000000001")


def read(body: object, entity: str = "accounts", partial: bool = True, digits: int = 2) -> dict[str, values.Value]:
    return records.read(ENTITIES[entity], body, minor_digits=digits, attributes=ATTRIBUTES, partial=partial, now=NOW)


def faults(body: object, entity: str = "accounts", partial: bool = True) -> Mapping[str | None, str | None]:
    """Pointers of what is wrong, each with its suggestion."""
    with pytest.raises(Invalid) as caught:
        read(body, entity, partial)
    return {fault.pointer: fault.suggestion for fault in caught.value.faults}


def test_a_whole_account_comes_out_typed() -> None:
    given = read(
        {
            "name": "Acme", "external_id": "a-1", "country": "DE", "employees": 12, "arr": Decimal("1234.50"),
            "health": 71, "csm_id": str(ID), "parent": "a-0", "renewal_date": "2026-12-31", "industry": "retail",
            "is_reference": False, "custom": {"region": "emea", "seats": None}, "domain": None, "cost_to_serve": None,
        },
        partial=False,
    )  # fmt: skip
    assert given == {
        "name": "Acme", "external_id": "a-1", "country": "DE", "employees": 12, "arr": 123450, "health": 71.0,
        "csm": ID, "parent": Named("a-0", "/parent"), "renewal_date": date(2026, 12, 31), "industry": "retail",
        "is_reference": False, "custom": {"region": "emea", "seats": None}, "domain": None, "cost_to_serve": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "digits", "minor"),
    [
        (0, 2, 0), (12, 2, 1200), (Decimal("0.01"), 2, 1), (Decimal("-7.10"), 2, -710), (Decimal("1.500"), 1, 15),
        (Decimal("1E+3"), 2, 100_000), (99.99, 2, 9999), (1234, 0, 1234), (Decimal("1.234"), 3, 1234),
        (Decimal("92233720368547758.07"), 2, 2**63 - 1), (Decimal("0E-50"), 2, 0),
    ],
)  # fmt: skip
def test_money_is_exact(told: object, digits: int, minor: int) -> None:
    assert values.money(told, digits) == minor


@pytest.mark.parametrize(
    "told",
    [
        Decimal("0.001"), Decimal("1E-999999999"), Decimal("1E+999999999"), Decimal("92233720368547758.08"), 2**63,
        2**62, Decimal("NaN"), Decimal("Infinity"), float("nan"), float("inf"), True, "12", None, [], 0.1 + 0.2,
        10**4000,
    ],
)  # fmt: skip
def test_money_that_is_not_exact_or_no_number_is_refused(told: object) -> None:
    began = time.monotonic()
    with pytest.raises(values.MisfitError):
        values.money(told, 2)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("member", "told"),
    [
        ("name", ""), ("name", None), ("name", 5), ("name", "a\x00b"), ("name", "\ud800"), ("name", "x" * 501),
        ("employees", 5.0), ("employees", Decimal("5.0")), ("employees", "5"), ("employees", True), ("employees", -1),
        ("employees", 2**31), ("employees", 10**400), ("health", 101), ("health", "71"), ("health", Decimal("NaN")),
        ("health", 10**400), ("is_reference", 1), ("is_reference", None), ("is_reference", "true"), ("country", "de"),
        ("country", "DEU"), ("renewal_date", "2026-02-30"), ("renewal_date", "20260101"), ("renewal_date", "2026-1-1"),
        ("renewal_date", "2026-01-01T00:00:00Z"), ("renewal_date", "٢٠٢٦-٠١-٠١"), ("renewal_date", 20260101),
        ("csm_id", "a@b.c"), ("csm_id", "{01939b1e-0000-7000-8000-00000000000}"), ("csm_id", {"id": str(ID)}), ("csm", 5),
        ("industry", "Retail"), ("custom", []), ("arr", None), ("id", str(ID)), ("mrr", 5), ("version", 3), ("segment", {}),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_where_it_stands(member: str, told: object) -> None:
    assert list(faults({member: told})) == [f"/{member}"]


def test_instants_are_rfc_3339_and_come_out_in_utc() -> None:
    body: dict[str, object] = {"account_id": str(ID), "kind": "call", "direction": "inbound"}
    told: object
    for told in ("2026-01-31T12:00:00Z", "2026-01-31t13:00:00+01:00", "2026-01-31T12:00:00.000000z"):
        assert read({**body, "occurred_at": told}, "interactions", False)["occurred_at"] == datetime(
            2026, 1, 31, 12, tzinfo=UTC
        )
    for told in (
        "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-01-31T12:00Z", "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:60Z", "2026-01-31T12:00:00.0000001Z", "0001-01-01T00:00:00+01:00", 1769860800,
        "2026-W05-6T12:00:00Z", "2026-01-31T12:00:00+25:00",
    ):  # fmt: skip
        assert list(faults({**body, "occurred_at": told}, "interactions", False)) == ["/occurred_at"], told
    assert read({"occurred_at": datetime(2026, 1, 1, tzinfo=UTC)}, "interactions")["occurred_at"] == datetime(
        2026, 1, 1, tzinfo=UTC
    )


def test_unknown_members_are_refused_with_the_nearest_name() -> None:
    assert faults({"nmae": "x", "a/b~c": 1, "csm_email": "x"}) == {
        "/nmae": "name",
        "/a~1b~0c": None,
        "/csm_email": "csm_id",
    }
    assert faults({"kind": "cal", "direction": 7}, "interactions") == {"/kind": "call", "/direction": None}


def test_an_unknown_member_is_told_what_would_be_known() -> None:
    with pytest.raises(Invalid) as caught:
        read({"naem": "x"}, "teams")
    assert caught.value.faults == (
        Fault("Expected one of external_id, name, slug.", pointer="/naem", suggestion="name"),
    )
    with pytest.raises(Invalid) as caught:
        records.only({"stagse": []}, ("stages",))
    assert caught.value.faults == (Fault("Expected one of stages.", pointer="/stagse", suggestion="stages"),)


@pytest.mark.parametrize(
    ("entity", "member"),
    [
        ("accounts", "arr"), ("accounts", "growth_potential"), ("accounts", "cost_to_serve"), ("products", "list_price"),
        ("opportunities", "amount"), ("requests", "amount"), ("churns", "refund"),
    ],
)  # fmt: skip
def test_what_cannot_be_less_than_nothing(entity: str, member: str) -> None:
    assert read({member: Decimal("0.00")}, entity) == {member: 0}
    with pytest.raises(Invalid) as caught:
        read({member: Decimal("-0.01")}, entity)
    assert caught.value.faults == (Fault("Expected an amount from 0.", pointer=f"/{member}"),)


@pytest.mark.parametrize(("entity", "member"), [("contracts", "arr"), ("contracts", "tcv"), ("invoices", "amount")])
def test_a_credit_is_less_than_nothing(entity: str, member: str) -> None:
    assert read({member: -5}, entity) == {member: -500}


@pytest.mark.parametrize("blank", [" ", "   ", "\t\n", "\u00a0\u2003", "\u3000"])
def test_a_name_says_something(blank: str) -> None:
    for entity in ("accounts", "contacts", "products", "teams", "opportunities"):
        with pytest.raises(Invalid) as caught:
            read({"name": blank}, entity)
        assert caught.value.faults == (Fault("Expected text that is more than white space.", pointer="/name"),)
    assert read({"name": f"{blank}x", "region": blank})["name"] == f"{blank}x"


@pytest.mark.parametrize(
    ("entity", "member"),
    [
        ("interactions", "occurred_at"), ("surveys", "answered_at"), ("sentiments", "recorded_at"), ("tickets", "opened_at"),
        ("tickets", "closed_at"), ("requests", "asked_at"), ("requests", "resolved_at"), ("contacts", "last_seen_at"),
    ],
)  # fmt: skip
def test_what_has_happened_is_not_far_ahead(entity: str, member: str) -> None:
    assert read({member: "2026-11-23T12:00:00Z"}, entity) == {member: NOW + timedelta(days=1)}
    with pytest.raises(Invalid) as caught:
        read({member: "2026-11-23T12:00:00.000001Z"}, entity)
    message = "Expected an instant that is not more than a day ahead."
    assert caught.value.faults == (Fault(message, pointer=f"/{member}"),)


def test_what_is_sound_is_given_beside_what_is_wrong() -> None:
    body = {"name": "Acme", "health": 300, "csm": "eva", "helth": 1, "custom": {"region": "mars"}}
    told = records.look(ACCOUNTS, body, minor_digits=2, attributes=ATTRIBUTES, partial=False, now=NOW)
    assert told.given == {"name": "Acme", "csm": Named("eva", "/csm"), "custom": {}}
    assert [fault.pointer for fault in told.faults] == ["/health", "/helth", "/custom/region"]
    assert told.wrong == {"health", "helth", "custom"}


def test_what_is_required_is_asked_for_on_creation_only() -> None:
    assert faults({}, partial=False) == {"/name": None}
    assert faults({"name": ""}, partial=False) == {"/name": None}
    assert set(faults({}, "interactions", partial=False)) == {"/account_id", "/kind", "/direction", "/occurred_at"}
    assert read({}) == {}
    assert read({"name": "x", "slug": "x-1", "list_price": 5}, "products", partial=False)["list_price"] == 500


def test_a_reference_is_said_once() -> None:
    assert read({"csm": "eva@example.com"})["csm"] == Named("eva@example.com", "/csm")
    assert read({"csm": None}) == {"csm": None} == read({"csm_id": None})
    assert list(faults({"csm": ""})) == ["/csm"]
    assert list(faults({"csm_id": ""})) == ["/csm_id"]
    assert list(faults({"csm": "eva@example.com", "csm_id": str(ID)})) == ["/csm_id"]


def test_own_attributes_are_those_of_the_workspace() -> None:
    assert faults({"custom": {"regoin": "emea", "region": "mars", "shoe": "x"}}) == {
        "/custom/regoin": "region", "/custom/region": None, "/custom/shoe": None,
    }  # fmt: skip
    assert read({"custom": {"shoe": "x"}}, "contacts")["custom"] == {"shoe": "x"}


@pytest.mark.parametrize(
    ("field", "sound", "wrong"),
    [
        ("website", ("https://a.example", "http://a.example:8080/b?c=d#e", "HTTPS://A.example/", "https://müller.example/ü", "https://a.example?b"),
         ("javascript:alert(1)", "data:text/html,x", "ftp://a.example", "a.example", "https://", "https:///x", "https://a b.example",
          "https://a.example/<b>", 'https://a.example/"', "https://u:p@a.example", "https://-a.example", " https://a.example", "https://a.example\n")),
        ("domain", ("a.example", "A-1.b.example", "müller.example", "xn--mller-kva.example", "localhost", "127.0.0.1"),
         ("https://a.example", "a.example/b", "a b", "-a.example", "a-.example", ".a", "a.", "a..b", "a_b.example", "a@b.example", "a.example:80", "a\u00a0b")),
        ("country", ("DE", "GB"), ("ZZ", "de", "UK", "XX", "D", "DEU", "Germany")),
    ],
)  # fmt: skip
def test_texts_that_have_a_form(field: str, sound: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    assert [read({field: told}) for told in sound] == [{field: told} for told in sound]
    for told in wrong:
        assert list(faults({field: told})) == [f"/{field}"], told


def test_a_typing_error_is_told_what_was_meant() -> None:
    assert faults({"helth": 5, "nope": 1}) == {"/helth": "health", "/nope": None}
    known = ("name", "custom.region", "custom.segment", "segment.tier")
    assert [nearest(told, known) for told in ("custom.nope", "custom.regoin", "custm.region")] == [
        None, "custom.region", "custom.region",
    ]  # fmt: skip


@pytest.mark.parametrize("body", [{"domain": ""}, {"external_id": ""}, {"custom": {"shoe": ""}}])
def test_an_empty_text_is_not_null(body: Mapping[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        read(body, "contacts" if "custom" in body else "accounts")
    assert [fault.message for fault in caught.value.faults] == ["Expected text that is not empty, or null."]


def test_a_body_is_an_object() -> None:
    bodies: tuple[object, ...] = (None, [], "x", 5)
    for body in bodies:
        assert list(faults(body)) == [""]


def test_a_hostile_body_is_answered_quickly_and_briefly() -> None:
    began = time.monotonic()
    with pytest.raises(Invalid) as caught:
        read({f"member_{number}" + "x" * 1000: number for number in range(100_000)})
    assert len(caught.value.faults) == records.MAX_FAULTS
    assert time.monotonic() - began < 1
    assert "member_" not in caught.value.detail


def test_every_writable_field_of_every_entity_can_be_read() -> None:
    examples: dict[str, object] = {
        "text": "a@b.c", "number": 2, "integer": 2, "money": 2, "date": "2026-01-01", "instant": "2026-01-01T00:00:00Z",
        "bool": True, "slug": "x", "ref": str(ID), "json": {}, "id": str(ID), "tags": ["x"],
    }  # fmt: skip
    special = {"country": "DE", "slug": "x", "domain": "b.c", "website": "https://b.c"}
    for entity in (*ENTITIES.values(), ACCOUNTS, CONTACTS, INTERACTIONS, PRODUCTS):
        fields = [f for f in entity.fields.values() if f.writable]
        body: dict[str, object] = {
            f.column: special.get(f.name) or (f.values[0] if f.values else examples[f.kind]) for f in fields
        }
        given = records.read(entity, body, minor_digits=2, attributes={}, partial=False, now=NOW)
        assert set(given) == {f.name for f in fields}
