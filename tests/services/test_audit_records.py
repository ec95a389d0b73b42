"""Writes of many records at once, found in the audit by the id of each: what it was and what it became."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from app.api.rest import bulk as door
from app.persistence import audit_records
from app.persistence.database import Database
from app.services import accounts, attributes, audit, bulk, hand_overs, lists, stages, workspaces
from tests.services.files import bring, csv
from tests.services.organisations import Organisation, document, organisation

Told = tuple[str, str | None, Any, Any]


async def entries(org: Organisation, **told: object) -> list[dict[str, Any]]:
    """What the audit tells, oldest first."""
    asked = {name: str(value) for name, value in told.items()}
    page, _, _ = await audit.page(org.db, org.people["admin"], asked, None, 1000)
    return [
        {**one, **{side: one[side] and document(bytes(one[side])) for side in ("before", "after")}} for one in page
    ][::-1]


async def kept(org: Organisation, record_id: object) -> list[Told]:
    """What became of a record: by what, what it is, before and after."""
    found = await entries(org, entity_id=record_id)
    return [(e["operation"], e["entity"], e["before"], e["after"]) for e in found]


async def send(org: Organisation, kind: str, told: Sequence[Mapping[str, object]]) -> list[str]:
    """A bulk call; the ids of its records."""
    read, _ = door.asked(msgspec.json.encode({"records": told}))
    written = await bulk.upsert(org.db, org.call(), kind, read, "all")
    return [one["id"] for one in document(written.body)["results"]]


async def rows(org: Organisation) -> int:
    """How many rows the audit has of single records."""
    ((count,),) = await org.rows("SELECT count(*) FROM audit_records WHERE workspace_id = $1")
    return int(count)


async def test_bulk_tells_of_each_record_what_changed(db: Database) -> None:
    org = await organisation(db)
    told = {"external_id": "a", "name": "A", "arr": 10.5, "health": 70, "is_reference": True, "csm": "csm"}
    (first, other) = await send(org, "accounts", [told, {"external_id": "b", "name": "B"}])
    await send(org, "accounts", [{"external_id": "a", "arr": 20, "health": None, "is_reference": True}])
    assert await kept(org, first) == [
        (
            "records.bulk", "accounts", None,
            {
                "external_id": "a", "name": "A", "arr": Decimal("10.5"), "health": 70, "is_reference": True,
                "csm_id": str(org.user("csm")),
            },
        ),
        ("records.bulk", "accounts", {"arr": Decimal("10.5"), "health": 70}, {"arr": 20, "health": None}),
    ]  # fmt: skip
    assert [after for *_, after in await kept(org, other)] == [{"external_id": "b", "name": "B", "is_reference": False}]
    (entry,) = (e for e in await entries(org, operation="records.bulk") if e["after"]["updated"])
    assert entry["after"]["ids"] == [first]
    assert (await entries(org, entity_id=first))[-1]["id"] == entry["id"]


async def test_what_is_unchanged_leaves_nothing(db: Database) -> None:
    org = await organisation(db)
    told = [{"external_id": name, "name": name} for name in "ab"]
    await send(org, "accounts", told)
    before = await rows(org)
    await send(org, "accounts", told)
    await send(org, "accounts", [told[0], {"external_id": "b", "name": "C"}])
    assert await rows(org) == before + 1


async def test_own_attributes_that_changed_alone(db: Database) -> None:
    org = await organisation(db)
    for slug, kind in (("region", "text"), ("budget", "money"), ("size", "text")):
        await attributes.create(db, org.call(), {"entity": "accounts", "slug": slug, "name": slug, "type": kind})
    org = org.with_workspace(attributes=(await workspaces.load(db, org.workspace.id)).attributes)
    own = {"region": "EU", "budget": 10, "size": "S"}
    (record, other) = await send(
        org, "accounts", [{"external_id": "a", "name": "A", "custom": own}, {"external_id": "b", "name": "B"}]
    )
    changed = [
        {"external_id": "a", "custom": {"region": None, "budget": 12.5, "size": "S"}},
        {"external_id": "b", "custom": {"region": "EU"}},
    ]
    await send(org, "accounts", changed)
    assert (await kept(org, other))[1][2:] == ({"custom": {"region": None}}, {"custom": {"region": "EU"}})
    assert (await kept(org, record))[1:] == [
        (
            "records.bulk", "accounts", {"custom": {"region": "EU", "budget": 10}},
            {"custom": {"region": None, "budget": Decimal("12.5")}},
        )
    ]  # fmt: skip


async def test_values_of_each_kind_are_spelt_as_answers_spell_them(db: Database) -> None:
    org = await organisation(db)
    await send(org, "accounts", [{"external_id": "a", "name": "A"}])
    interaction = {
        "external_id": "i", "account": "a", "kind": "call", "direction": "inbound", "occurred_at": "2026-11-02T10:00:00Z",
        "subject": "5", "attended": True,
    }  # fmt: skip
    (record,) = await send(org, "interactions", [interaction])
    (after,) = (after for *_, after in await kept(org, record))
    ((account,),) = await org.rows("SELECT id::text FROM accounts WHERE workspace_id = $1")
    assert {name: after[name] for name in ("account_id", "occurred_at", "subject", "attended")} == {
        "account_id": account, "occurred_at": "2026-11-02T10:00:00Z", "subject": "5", "attended": True,
    }  # fmt: skip


async def test_an_import_tells_of_each_record_what_changed(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    header = ("external_id", "name", "arr")
    first = await bring(org, tmp_path, "accounts", csv(header, ("a", "A", 10.5), ("b", "B", "")))
    again = await bring(org, tmp_path, "accounts", csv(header, ("a", "A", 20), ("b", "B", "")))
    ids = dict(await org.rows("SELECT external_id, id FROM accounts WHERE workspace_id = $1"))
    made, changed = sorted(await kept(org, ids["a"]), key=lambda one: one[2] is not None)  # moments of both are made up
    assert made == ("imports.create", "imports", None, {"kind": "accounts", "state": "staged"})
    assert [e["entity_id"] for e in await entries(org, entity_id=ids["b"])] == [UUID(first["id"])]
    assert [e["entity_id"] for e in await entries(org, entity_id=ids["b"], entity="accounts")] == [UUID(first["id"])]
    assert await entries(org, entity_id=ids["b"], entity="contacts") == []
    assert (changed[2], changed[3]) == ({"arr": Decimal("10.5")}, {"arr": 20})
    assert len(await kept(org, ids["b"])) == 1
    told = [e["after"] for e in await entries(org, entity_id=first["id"])]
    assert told[1] == {"kind": "accounts", "state": "running", "created": 2, "updated": 0}
    told = [e["after"] for e in await entries(org, entity_id=again["id"])]
    assert told[1] == {"kind": "accounts", "state": "running", "created": 0, "updated": 1}


async def test_days_of_usage_are_counted_only(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await send(org, "accounts", [{"external_id": "a", "name": "A"}])
    await send(org, "features", [{"slug": "login", "name": "Login"}])
    before = await rows(org)
    shown = await bring(
        org, tmp_path, "usage", csv(("account", "feature", "day", "value"), ("a", "login", "2026-11-01", 3))
    )
    assert shown["created"] == 1
    assert await rows(org) == before
    assert len(await entries(org, entity_id=shown["id"])) == 2


async def test_a_hand_over_is_found_by_what_moved_and_by_whose_it_was(db: Database) -> None:
    org = await organisation(db)
    csm, heir = org.user("csm"), org.user("manager")
    made = [(await accounts.create(db, org.call(), {"name": f"A{n}", "csm": "csm"})).id for n in range(30)]
    body = {"entity": "accounts", "name": "L", "criteria": {"text": "arr > 0"}}
    owned = await lists.create(db, org.call("csm"), body)
    await hand_overs.hand_over(db, org.call(), csm, {"to_id": str(heir)})
    for one in (made[0], made[-1]):
        assert (await kept(org, one))[-1] == (
            "users.write", "accounts", {"csm_id": str(csm)}, {"csm_id": str(heir)},
        )  # fmt: skip
    assert (await kept(org, owned.id))[-1] == (
        "users.write", "lists", {"owner_id": str(csm)}, {"owner_id": str(heir)},
    )  # fmt: skip
    told = {"to_id": str(heir), "accounts": 30, "opportunities": 0, "lists": 1}
    assert (await kept(org, csm))[-1] == ("users.write", "users", {}, told)
    before = len(await entries(org))
    await hand_overs.hand_over(db, org.call(), csm, {"to_id": str(heir)})
    assert len(await entries(org)) == before


async def test_accounts_of_a_stage_that_goes(db: Database) -> None:
    org = await organisation(db)
    await stages.create(db, org.call(), {"slug": "paused", "name": "Paused"})
    made = [(await accounts.create(db, org.call(), {"name": f"A{n}", "stage": "paused"})).id for n in range(25)]
    await stages.delete(db, org.call(), "slug", "paused", 1, "trial")
    for one in (made[0], made[-1]):
        assert (await kept(org, one))[-1] == ("stages.write", "accounts", {"stage": "paused"}, {"stage": "trial"})


async def test_records_that_go_with_their_account(db: Database) -> None:
    org = await organisation(db)
    (account,) = await send(org, "accounts", [{"external_id": "a", "name": "A"}])
    (contact,) = await send(
        org, "contacts", [{"external_id": "c", "account": "a", "name": "C", "email": "c@example.com"}]
    )
    contract = {"external_id": "k", "account": "a", "arr": 1200.5, "start_date": "2026-01-01"}
    (other,) = await send(org, "contracts", [contract])
    await accounts.delete(db, org.call(), UUID(account), await version_of(org), with_records=True)
    (operation, entity, before, after) = (await kept(org, contact))[-1]
    assert (operation, entity, after) == ("accounts.delete", "contacts", None)
    assert before == {
        "external_id": "c", "account_id": account, "name": "C", "email": "c@example.com", "is_primary": False,
    }  # fmt: skip
    (_, entity, before, _) = (await kept(org, other))[-1]
    assert (entity, before["arr"], before["start_date"]) == ("contracts", Decimal("1200.5"), "2026-01-01")
    (_, entity, before, _) = (await kept(org, account))[-1]
    assert (entity, before["records"]) == ("accounts", {"contacts": 1, "contracts": 1})


async def test_beyond_a_bound_records_that_go_are_counted_only(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_records, "FULL", 3)
    org = await organisation(db)
    (account,) = await send(org, "accounts", [{"external_id": "a", "name": "A"}])
    await send(org, "contacts", [{"external_id": f"c{n}", "account": "a", "name": "C"} for n in range(5)])
    before = await rows(org)
    await accounts.delete(db, org.call(), UUID(account), await version_of(org), with_records=True)
    assert await rows(org) == before + 3
    (_, _, told, _) = (await kept(org, account))[-1]
    assert (told["records"], told["records_in_full"]) == ({"contacts": 5}, 3)


async def version_of(org: Organisation) -> int:
    """The version of the only account."""
    ((version,),) = await org.rows("SELECT version FROM accounts WHERE workspace_id = $1")
    return int(version)


async def test_filters_hold_for_records_too(db: Database) -> None:
    org = await organisation(db)
    (record,) = await send(org, "accounts", [{"external_id": "a", "name": "A"}])
    for told, there in (
        ({"entity": "accounts"}, 1), ({"entity": "contacts"}, 0), ({"operation": "records.bulk"}, 1),
        ({"operation": "accounts.write"}, 0), ({"outcome": "refused"}, 0), ({"actor_id": org.user("admin")}, 1),
        ({"actor_id": org.user("csm")}, 0), ({"to": "2026-01-01"}, 0), ({"from": "2026-01-01"}, 1),
    ):  # fmt: skip
        assert len(await entries(org, entity_id=record, **told)) == there, told
    other = await organisation(db)
    assert await entries(other, entity_id=record) == []


async def test_pages_go_through_entries_and_rows_alike(db: Database) -> None:
    org = await organisation(db)
    (record,) = await send(org, "accounts", [{"external_id": "a", "name": "A"}])
    for n in range(3):
        await accounts.change(db, org.call(), UUID(record), {"health": n}, 2 * n + 1)
        await send(org, "accounts", [{"external_id": "a", "health": 50 + n}])
    whole = await entries(org, entity_id=record)
    assert len(whole) == 7
    paged: list[object] = []
    after = None
    while True:
        page, keys, more = await audit.page(org.db, org.people["admin"], {"entity_id": record}, after, 2)
        paged += [one["id"] for one in page]
        if not more:
            break
        after = keys[-1]
    assert paged == [one["id"] for one in whole[::-1]]


@pytest.mark.parametrize(
    "sql", ["UPDATE audit_records SET entity = ''", "DELETE FROM audit_records", "TRUNCATE audit_records"]
)
async def test_nobody_changes_a_row(db: Database, dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(sql)
    await connection.close()
