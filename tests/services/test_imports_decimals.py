"""Files with decimal commas, as they come from spreadsheets and programs: CSV and NDJSON, by file, by column, and unsaid."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.persistence.database import Database
from tests.services.files import bring, counted, ndjson, wrong
from tests.services.organisations import Organisation, organisation
from tests.services.test_attribute_imports import with_own

EXAMPLE = Path(__file__).parents[2] / "examples/decimal_commas"
FILE = {
    "columns": {"external_id": "id", "name": "id", "arr": "arr", "employees": "employees", "custom.number": "rate", "health": {"from": "health", "decimal": "."}},
    "decimal": ",",
    "delimiter": ";",
}  # fmt: skip
STORED = "SELECT external_id, arr, employees, health, custom ->> $2 FROM accounts WHERE workspace_id = $1 ORDER BY 1"


async def _org(db: Database) -> tuple[Organisation, str]:
    """With an attribute of its own, and the key under which its values are kept."""
    org = await with_own(await organisation(db), {"number": {}})
    return org, org.workspace.attributes["accounts", "number"].key


async def test_csv_and_ndjson_say_the_same(db: Database, tmp_path: Path) -> None:
    csv = "id;arr;employees;rate;health\na;1.234,56;1.250;0,5;12.5\nb;12,5;;-3,25;\nc;\u202f;7;;1,234\nd;1 000 000;8;1;9\n"
    lines = ndjson(
        {"id": "a", "arr": "1.234,56", "employees": "1.250", "rate": 0.5, "health": 12.5},
        {"id": "b", "arr": 12.5, "rate": -3.25},
        {"id": "c", "arr": "\u202f", "employees": 7, "health": "1,234"},
        {"id": "d", "arr": "1 000 000", "employees": 8, "rate": 1, "health": "9"},
    )
    for body, first in ((csv.encode(), 2), (lines, 1)):
        org, key = await _org(db)
        shown = await bring(org, tmp_path, "accounts", body, FILE)
        assert wrong(shown) == [(first + 2, "arr", "decimal_comma"), (first + 2, "health", "range")]
        assert await org.rows(STORED, key) == [
            ("a", 123456, 1250, 12.5, "0.5"), ("b", 1250, None, None, "-3.25"), ("d", 100000000, 8, 9.0, "1"),
        ]  # fmt: skip
        assert counted(await bring(org, tmp_path, "accounts", body, FILE)) == (0, 0, 3, 1)


async def test_numbers_of_json_are_what_they_are_whatever_their_length(db: Database, tmp_path: Path) -> None:
    org, key = await _org(db)
    body = b'{"id": "a", "arr": 1234567890123.25}\n{"id": "b", "arr": 1.5e3}\n{"id": "c", "arr": 1e999}\n{"id": "d", "arr": true}\n'
    shown = await bring(org, tmp_path, "accounts", body, FILE)
    assert wrong(shown) == [(3, "arr", "money"), (4, "arr", "type")]
    assert [row[:2] for row in await org.rows(STORED, key)] == [("a", 123456789012325), ("b", 150000)]


async def test_who_does_not_say_it_is_told_which_member_to_set(db: Database, tmp_path: Path) -> None:
    org, _ = await _org(db)
    told = {"columns": {"external_id": "id", "name": "id", "arr": "arr"}}
    shown = await bring(org, tmp_path, "accounts", b'id,arr\na,"1,234"\nb,1.23\nc,"1.234,56"\n', told)
    assert wrong(shown) == [(2, "arr", "separated"), (4, "arr", "separated")]
    (entry,) = [one for one in shown["summary"] if one["code"] == "separated"]
    assert '"decimal": ","' in entry["advice"]
    assert '"decimal": "."' in entry["advice"]
    shown = await bring(org, tmp_path, "accounts", ndjson({"id": "a", "arr": "1,5"}), told)
    assert wrong(shown) == [(1, "arr", "type")]
    assert "decimal" in shown["summary"][0]["advice"]


async def test_the_example_lands_as_it_is_written(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    mapping = msgspec.json.decode((EXAMPLE / "kunden.json").read_bytes())
    shown = await bring(org, tmp_path, "accounts", (EXAMPLE / "kunden.csv").read_bytes(), mapping)
    assert (counted(shown), [one["code"] for one in shown["summary"]]) == ((4, 0, 0, 0), ["made"])
    assert await org.rows(
        "SELECT external_id, arr, growth_potential, employees, health FROM accounts WHERE workspace_id = $1 ORDER BY 1"
    ) == [
        ("K-1001", 12_500_000, 4_000_050, 1250, 82.5), ("K-1002", 960_000, None, 48, 64.0),
        ("K-1003", 123_456_789, 25_000_000, 12_400, 71.25), ("K-1004", 0, 1_250, 7, None),
    ]  # fmt: skip
