"""Own attributes in files and in calls of many records: put in, left alone, emptied, refused by line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Invalid
from app.persistence.database import Database
from app.services import attributes, mappings, segmentations, workspaces
from tests.services.files import bring, counted, csv, ndjson, wrong
from tests.services.organisations import Organisation, document, organisation
from tests.services.test_bulk import outcomes, send
from tests.services.test_bulk import wrong as refused

TYPES: dict[str, dict[str, Any]] = {
    "text": {}, "number": {}, "integer": {}, "money": {}, "date": {}, "instant": {}, "bool": {},
    "enum": {"values": ["a", "b"]}, "tags": {"values": ["x", "y", "z"]},
}  # fmt: skip
HEADER = ("external_id", "name", *(f"custom.{kind}" for kind in TYPES))
FULL = (
    "a-1",
    "One",
    "Ém|ile",
    "2.50",
    2**40,
    "12.34",
    "2026-01-31",
    "2026-01-31T13:00:00.5+01:00",
    "false",
    "b",
    "y; x ;y",
)
KEPT = {
    "text": "Ém|ile", "number": Decimal("2.5"), "integer": 2**40, "money": 1234, "date": "2026-01-31",
    "instant": "2026-01-31T12:00:00.500000Z", "bool": False, "enum": "b", "tags": ["x", "y"],
}  # fmt: skip


@pytest.fixture
async def org(db: Database) -> Organisation:
    """With an attribute of each type."""
    return await with_own(await organisation(db), TYPES)


async def with_own(org: Organisation, told: Mapping[str, dict[str, Any]], entity: str = "accounts") -> Organisation:
    for slug, more in told.items():
        body = {"entity": entity, "slug": slug, "name": slug, "type": slug, **more}
        await attributes.create(org.db, org.call(), body)
    workspace = await workspaces.load(org.db, org.workspace.id)
    return org.with_workspace(attributes=workspace.attributes, epoch=workspace.epoch)


async def kept(org: Organisation, table: str = "accounts") -> dict[str, Any]:
    """What is stored, by slug; money in minor units."""
    rows = await org.rows(f"SELECT external_id, custom FROM {table} WHERE workspace_id = $1")
    slugs = {field.key: slug for (_, slug), field in org.workspace.attributes.items()}
    return {name: custom and {slugs[key]: value for key, value in document(custom).items()} for name, custom in rows}


async def test_every_type_lands_and_the_same_file_changes_nothing(org: Organisation, tmp_path: Path) -> None:
    body = csv(HEADER, FULL, ("a-2", "Two", *[None] * 9))
    assert counted(await bring(org, tmp_path, "accounts", body)) == (2, 0, 0, 0)
    assert await kept(org) == {"a-1": KEPT, "a-2": None}
    before = await org.rows("SELECT * FROM accounts WHERE workspace_id = $1 ORDER BY id")
    assert counted(await bring(org, tmp_path, "accounts", body)) == (0, 0, 2, 0)
    assert await org.rows("SELECT * FROM accounts WHERE workspace_id = $1 ORDER BY id") == before


async def test_columns_that_a_file_has_are_put_among_the_others(org: Organisation, tmp_path: Path) -> None:
    await bring(org, tmp_path, "accounts", csv(HEADER, FULL))
    told = csv(("external_id", "name", "custom.text", "custom.enum"), ("a-1", "One", None, "a"))
    assert counted(await bring(org, tmp_path, "accounts", told)) == (0, 1, 0, 0)
    assert await kept(org) == {"a-1": {name: value for name, value in KEPT.items() if name != "text"} | {"enum": "a"}}


async def test_members_that_lines_leave_out_stay(org: Organisation, tmp_path: Path) -> None:
    lines = ndjson(
        {"external_id": "a-1", "name": "One", "custom.integer": 5, "custom.tags": "z"},
        {"external_id": "a-2", "name": "Two", "custom.integer": 6},
    )
    assert counted(await bring(org, tmp_path, "accounts", lines)) == (2, 0, 0, 0)
    lines = ndjson(
        {"external_id": "a-1", "custom.integer": None},
        {"external_id": "a-2", "custom.text": "t"},
        {"external_id": "a-2"},
    )
    assert counted(await bring(org, tmp_path, "accounts", lines)) == (
        0,
        1,
        2,
        0,
    )  # of two rows for one the last is taken
    assert await kept(org) == {"a-1": {"tags": ["z"]}, "a-2": {"integer": 6}}


async def test_wrong_values_are_named_by_line(org: Organisation, tmp_path: Path) -> None:
    values = ("t" * 501, "much", "1.5", "1.234", "2026-02-30", "noon", "yes", "c", "x;w")
    rows = [(f"a-{n}", "x", *(value if m == n else None for m, value in enumerate(values))) for n in range(len(values))]
    shown = await bring(org, tmp_path, "accounts", csv(HEADER, *rows))
    codes = ("text", "number", "integer", "decimals", "date", "instant", "bool", "one_of", "tags")
    assert wrong(shown) == [(n + 2, f"custom.{kind}", codes[n]) for n, kind in enumerate(TYPES)]
    assert counted(shown) == (0, 0, 0, 9)


async def test_mappings_name_attributes(org: Organisation, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        await mappings.put(
            org.db, org.call(), "m", {"kind": "accounts", "columns": {"external_id": "id", "custom.txt": "t"}}
        )
    assert [(f.pointer, f.suggestion) for f in caught.value.faults] == [("/columns/custom.txt", "custom.text")]
    with pytest.raises(Invalid):
        await bring(org, tmp_path, "accounts", csv(("external_id", "name", "custom.txt"), ("a", "A", "t")))
    told = {
        "columns": {
            "external_id": "id", "name": "n", "custom.date": {"from": "d", "format": "%d.%m.%Y"},
            "custom.enum": {"from": "e", "map": {"A": "a"}, "otherwise": "b"},
        },
        "constants": {"custom.number": 7},
    }  # fmt: skip
    shown = await bring(org, tmp_path, "accounts", csv(("id", "n", "d", "e"), ("a", "A", "31.01.2026", "A")), told)
    assert counted(shown) == (1, 0, 0, 0)
    assert await kept(org) == {"a": {"date": "2026-01-31", "enum": "a", "number": 7}}


async def test_required_and_unique_hold_for_files(db: Database, tmp_path: Path) -> None:
    org = await with_own(await organisation(db), {"text": {"is_unique": True}, "integer": {"is_required": True}})
    header = ("external_id", "name", "custom.text", "custom.integer")
    first = await bring(
        org, tmp_path, "accounts", csv(header, ("a", "A", "s1", 1), ("b", "B", "s2", None), ("c", "C", "s1", 3))
    )
    assert wrong(first) == [(3, "custom.integer", "empty"), (4, "custom.text", "taken")]
    second = await bring(org, tmp_path, "accounts", csv(header[:3], ("a", "A", "s9"), ("d", "D", "s8")))
    assert wrong(second) == [(3, "custom.integer", "required")]
    third = await bring(org, tmp_path, "accounts", csv(header, ("e", "E", "s9", 5), ("a", "A", "s9", 5)))
    assert (wrong(third), counted(third)) == ([(2, "custom.text", "taken")], (0, 1, 0, 1))


async def test_segments_follow_a_file(db: Database, tmp_path: Path) -> None:
    org = await with_own(await organisation(db), {"number": {}})
    await segmentations.put(db, org.call(), "scores", {
        "name": "S", "kind": "rules", "segments": [{"slug": "high", "name": "High", "criteria": "custom.number > 5"}],
    }, None)  # fmt: skip
    for value, segment in ((9, "high"), (1, "unclassified"), (7, "high")):
        await bring(org, tmp_path, "accounts", csv(("external_id", "name", "custom.number"), ("a", "A", value)))
        assert await org.rows("SELECT segment FROM members WHERE workspace_id = $1") == [(segment,)]


async def test_contacts_have_their_own(db: Database, tmp_path: Path) -> None:
    org = await with_own(await organisation(db), {"text": {}}, "contacts")
    await bring(org, tmp_path, "accounts", csv(("external_id", "name"), ("a", "A")))
    await bring(org, tmp_path, "contacts", csv(("external_id", "account", "name", "custom.text"), ("c", "a", "C", "t")))
    assert await kept(org, "contacts") == {"c": {"text": "t"}}


async def test_a_call_of_many_records(org: Organisation) -> None:
    custom = {
        "text": "t", "number": 2.5, "integer": 2**40, "money": 12.34, "date": "2026-01-31",
        "instant": "2026-01-31T12:00:00.5Z", "bool": False, "enum": "b", "tags": ["y", "x"],
    }  # fmt: skip
    sent = [{"external_id": "a", "name": "A", "custom": custom}, {"external_id": "b", "name": "B"}]
    assert outcomes(await send(org, "accounts", sent)) == ["created", "created"]
    assert await kept(org) == {"a": KEPT | {"text": "t", "tags": ["y", "x"]}, "b": None}
    assert outcomes(await send(org, "accounts", sent)) == ["unchanged", "unchanged"]
    changed = [{"external_id": "a", "custom": {"text": None}}, {"external_id": "b", "custom": {"tags": []}}]
    assert outcomes(await send(org, "accounts", changed)) == ["updated", "unchanged"]
    shown = await send(
        org,
        "accounts",
        [{"external_id": "a", "custom": {"enum": "c"}}, {"external_id": "b", "custom": {"x": 1}}],
        "rows",
    )
    assert refused(shown) == {0: ["/records/0/custom/enum"], 1: ["/records/1/custom/x"]}
