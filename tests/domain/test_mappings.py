"""Mappings, as told, as understood and as refused."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain import mappings
from app.domain.catalogue import ACCOUNTS, CONTACTS, CONTRACTS, USAGE, USERS
from app.domain.errors import Invalid
from app.domain.sources import Source

KEY = {"external_id": "id"}


def faults(told: object) -> list[tuple[str | None, str | None]]:
    """Pointers and suggestions."""
    with pytest.raises(Invalid) as caught:
        mappings.read(told, CONTRACTS)
    return [(fault.pointer, fault.suggestion) for fault in caught.value.faults]


def test_a_column_is_a_name_or_what_becomes_of_it() -> None:
    told = {
        "kind": "contracts",
        "columns": {
            "external_id": {"from": "id", "template": "crm-{}{x}"}, "account": "customer",
            "auto_renew": {"from": "auto", "map": {"True": True, "False": False, "": None}, "otherwise": False},
            "product": {"from": "plan", "slugify": True, "create": True, "default": "basic"},
            "start_date": {"from": "start", "format": ["%Y-%m-%d", "%d.%m.%Y"]},
        },
        "constants": {"billing": "annual", "seats": 5},
        "delimiter": ";",
    }  # fmt: skip
    found = mappings.read(told, CONTRACTS)
    assert found.delimiter == ";"
    assert found.fields["account"] == Source("customer", "external_id")
    assert dict(found.fields["auto_renew"].map or {}) == {"True": "true", "False": "false", "": None}
    assert (found.fields["auto_renew"].otherwise, found.fields["auto_renew"].leaves) == ("false", False)
    assert (found.fields["product"].ref, found.fields["product"].default) == ("slug", "basic")
    assert len(found.fields["start_date"].formats) == 2
    assert (found.fields["seats"].column, found.fields["seats"].default) == (None, "5")
    assert found.fields["external_id"].template == ("crm-", "{x}")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"acount": "x"}, ("/columns/acount", "account")),
        ({"tcv~/x": "x"}, ("/columns/tcv~0~1x", None)),
        ({"status": "x"}, ("/columns/status", None)),
        ({"account": {"form": "x"}}, ("/columns/account", None)),
        ({"account": {"from": "x", "reff": "id"}}, ("/columns/account", "ref")),
        ({"account": {"from": "x", "ref": "name"}}, ("/columns/account", None)),
        ({"account": {"from": "x", "via": "contract"}}, ("/columns/account", "contracts")),
        ({"arr": {"from": "x", "format": "%Y"}}, ("/columns/arr", None)),
        ({"arr": {"from": "x", "ref": "id"}}, ("/columns/arr", None)),
        ({"arr": {"from": "x", "slugify": True}}, ("/columns/arr", None)),
        ({"account": {"from": "x", "create": True}}, ("/columns/account", None)),
        ({"start_date": {"from": "x", "format": "%y"}}, ("/columns/start_date", None)),
        ({"arr": {"from": "x", "template": "{}"}}, ("/columns/arr", None)),
        ({"account": {"from": "x", "template": "crm-"}}, ("/columns/account", None)),
        ({"account": {"from": "x", "template": "{}{}"}}, ("/columns/account", None)),
        ({"account": {"from": "x", "templat": "{}"}}, ("/columns/account", "template")),
        ({"seats": {"from": "x", "map": {}}}, ("/columns/seats", None)),
        ({"seats": {"from": "x", "map": {"a": []}}}, ("/columns/seats", None)),
        ({"seats": {"from": ""}}, ("/columns/seats", None)),
        ({"seats": {"from": "\0"}}, ("/columns/seats", None)),
        ({"seats": 5}, ("/columns/seats", None)),
    ],
)
def test_what_means_nothing_is_pointed_at(columns: dict[str, Any], expected: tuple[str, str | None]) -> None:
    assert faults({"columns": {**KEY, **columns}})[0][0] == expected[0]
    if expected[1]:
        assert faults({"columns": {**KEY, **columns}})[0][1] == expected[1]


def test_the_whole_is_looked_at_too() -> None:
    assert faults([]) == [("", None)]
    assert faults({"colums": {}}) == [("/colums", "columns")]
    assert faults({"columns": []}) == [("/columns", None)]
    assert faults({"kind": "accounts", "columns": KEY})[0][0] == "/kind"
    assert faults({"columns": KEY, "delimiter": "x"})[0][0] == "/delimiter"
    assert faults({"columns": KEY, "constants": {"external_id": "x"}})[0][0] == "/constants/external_id"
    assert faults({"columns": {"arr": "arr"}}) == [(None, None)]


def test_every_kind_needs_that_by_which_a_row_is_known() -> None:
    for entity, columns in (
        (ACCOUNTS, ["name"]),
        (CONTACTS, ["account"]),
        (USAGE, ["account", "day", "value"]),
        (USERS, ["name"]),
    ):
        with pytest.raises(Invalid):
            mappings.natural(entity, columns)
    assert set(mappings.natural(USERS, ["email", "name"]).fields) == {"email", "name"}


def test_references_go_by_their_name_or_by_id() -> None:
    found = mappings.natural(CONTACTS, ["external_id", "account_id", "name"])
    assert found.fields["account"] == Source("account_id", "id")
    with pytest.raises(Invalid) as caught:
        mappings.natural(CONTACTS, ["external_id", "account_id", "account", "nme"])
    assert [(fault.line, fault.column, fault.suggestion) for fault in caught.value.faults] == [
        (1, 3, None),
        (1, 4, "name"),
    ]


def test_a_file_or_a_column_says_how_numbers_are_written() -> None:
    told = {
        "columns": {**KEY, "arr": "betrag", "seats": {"from": "plätze", "decimal": "."}, "start_date": "beginn"},
        "constants": {"notice_days": 30},
        "decimal": ",",
    }
    found = mappings.read(told, CONTRACTS).fields
    assert {name: source.decimal for name, source in found.items()} == {
        "external_id": None, "arr": ",", "seats": ".", "start_date": None, "notice_days": None,
    }  # fmt: skip
    assert faults({"columns": KEY, "decimal": ";"}) == [("/decimal", None)]
    assert faults({"columns": KEY, "decimals": ","}) == [("/decimals", "decimal")]
    assert faults({"columns": {**KEY, "arr": {"from": "x", "decimal": "comma"}}}) == [("/columns/arr", None)]
    assert faults({"columns": {**KEY, "arr": {"from": "x", "decimls": ","}}}) == [("/columns/arr", "decimal")]
    assert faults({"columns": {**KEY, "start_date": {"from": "x", "decimal": ","}}}) == [("/columns/start_date", None)]
