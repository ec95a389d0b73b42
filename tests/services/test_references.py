"""What a record refers to by name, said alike by single writes, calls of many and files; and all that is wrong at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Invalid
from app.domain.imports import VALUES
from app.persistence.database import Database
from app.services import accounts, usage
from tests.services.files import bring, csv, wrong
from tests.services.organisations import Organisation, organisation
from tests.services.test_bulk import send
from tests.services.test_records import account, change, make

AT = "2026-11-20T10:00:00+00:00"
CALL = {"kind": "call", "direction": "outbound", "occurred_at": AT}
SHARED = "team@a.example"


async def people(db: Database) -> Organisation:
    """Accounts a-1, where two contacts share an e-mail, and a-2 with one of its own."""
    org = await organisation(db)
    await account(org, external_id="a-1")
    await account(org, external_id="a-2")
    for name, of, mail in (("p-1", "a-1", SHARED), ("p-2", "a-1", SHARED), ("p-3", "a-2", "eve@b.example")):
        await make(org, "contacts", {"account": of, "external_id": name, "name": name, "email": mail})
    return org


async def refused(org: Organisation, contact: str) -> list[tuple[str | None, str]]:
    """Where and why an interaction of a-1 with this contact is refused."""
    with pytest.raises(Invalid) as caught:
        await make(org, "interactions", {"account": "a-1", "contact": contact, **CALL})
    return [(fault.pointer, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("contact", "code"), [(SHARED, "ambiguous"), ("p-3", "foreign"), ("eve@b.example", "foreign"), ("nobody@a.example", "unknown")]
)  # fmt: skip
async def test_a_contact_that_nobody_can_tell_is_refused_alike(
    db: Database, tmp_path: Path, contact: str, code: str
) -> None:
    org = await people(db)
    said = VALUES.get(code, "Expected a contact of this workspace.")
    assert await refused(org, contact) == [("/contact", said)]
    shown = await send(
        org, "interactions", [{"external_id": "i", "account": "a-1", "contact": contact, **CALL}], "rows"
    )
    ((fault,),) = (one["errors"] for one in shown["results"])
    assert fault["pointer"] == "/records/0/contact"
    assert fault["message"] == VALUES.get(code, "Expected one of the workspace's contacts.")
    head = ("external_id", "account", "contact", *CALL)
    mapping = {
        "kind": "interactions",
        "columns": {name: {"from": name} for name in ("external_id", *CALL)}
        | {"account": {"from": "account", "ref": "external_id"}, "contact": {"from": "contact", "ref": "email"}},
    }
    if "@" in contact:
        told = await bring(org, tmp_path, "interactions", csv(head, ("f", "a-1", contact, *CALL.values())), mapping)
        assert wrong(told) == [(2, "contact", code)]


async def test_an_e_mail_that_another_account_has_too_is_the_account_s_own(db: Database, tmp_path: Path) -> None:
    org = await people(db)
    await make(org, "contacts", {"account": "a-1", "external_id": "p-4", "name": "Eve", "email": "eve@b.example"})
    await make(org, "interactions", {"account": "a-1", "external_id": "i-1", "contact": "eve@b.example", **CALL})
    await send(org, "interactions", [{"external_id": "i-2", "account": "a-1", "contact": "eve@b.example", **CALL}])
    await send(org, "interactions", [{"external_id": "i-3", "account": "a-1", "contact": "p-2", **CALL}])
    assert await org.rows(
        "SELECT i.external_id, c.external_id FROM interactions i JOIN contacts c ON c.workspace_id = $1 AND c.id = i.contact_id"
        " WHERE i.workspace_id = $1 ORDER BY 1"
    ) == [("i-1", "p-4"), ("i-2", "p-4"), ("i-3", "p-2")]


async def test_everything_that_is_wrong_is_told_at_once(db: Database) -> None:
    org = await people(db)
    body: dict[str, Any] = {
        "account": "a-1", "contact": SHARED, "status": "closed", "priority": "hihg", "opened_at": AT,
        "closed_at": "2026-11-19T10:00:00Z", "satisfaction": 9, "opnd": 1,
    }  # fmt: skip
    pointers = {"/contact", "/priority", "/closed_at", "/satisfaction", "/opnd"}
    with pytest.raises(Invalid) as caught:
        await make(org, "tickets", body)
    assert {fault.pointer for fault in caught.value.faults} == pointers
    shown = await send(org, "tickets", [{"external_id": "t", **body}], "rows")
    ((found,),) = ([one["errors"]] for one in shown["results"])
    assert {fault["pointer"] for fault in found} == {f"/records/0{pointer}" for pointer in pointers}
    with pytest.raises(Invalid) as caught:
        await make(org, "tickets", {**body, "account": "nobody"})
    assert {fault.pointer for fault in caught.value.faults} == pointers - {"/contact"} | {"/account"}
    ticket = await make(org, "tickets", {"account": "a-1", "status": "open", "priority": "low", "opened_at": AT})
    with pytest.raises(Invalid) as caught:
        await change(org, "tickets", ticket, **{name: told for name, told in body.items() if name != "account"})
    assert {fault.pointer for fault in caught.value.faults} == pointers


async def test_a_member_that_is_wrong_is_told_once(db: Database) -> None:
    org = await people(db)
    with pytest.raises(Invalid) as caught:
        await make(org, "contracts", {"account": "a-1", "arr": 1, "start_date": "soon", "end_date": "2020-01-01",
                                      "decided_at": "2026-01-01", "outcome": "kept"})  # fmt: skip
    assert sorted(str(fault.pointer) for fault in caught.value.faults) == ["/outcome", "/start_date"]
    with pytest.raises(Invalid) as caught:
        await make(org, "surveys", {"account": "a-1", "kind": "csta", "score": 9, "answered_at": AT})
    assert [fault.pointer for fault in caught.value.faults] == ["/kind"]


async def test_an_account_s_faults_are_told_at_once(db: Database) -> None:
    org = await organisation(db)
    body = {"name": " ", "arr": -1, "industry": "none", "csm": "nobody", "parent": "x", "helth": 1}
    with pytest.raises(Invalid) as caught:
        await accounts.create(db, org.call(), body)
    assert {fault.pointer for fault in caught.value.faults} == {f"/{name}" for name in body}


async def test_usage_s_faults_are_told_at_once(db: Database) -> None:
    org = await people(db)
    row = {"account": "a-1", "feature": "none", "day": "2026-11-20", "value": 1}
    told = [row, {**row, "value": "x"}, {**row, "account": "nobody"}, {**row, "contact": SHARED}]
    with pytest.raises(Invalid) as caught:
        await usage.put(db, org.call(), {"rows": told})
    assert sorted(str(fault.pointer) for fault in caught.value.faults) == [
        "/rows/0/feature", "/rows/1/value", "/rows/2/account", "/rows/2/feature", "/rows/3/contact", "/rows/3/feature",
    ]  # fmt: skip
