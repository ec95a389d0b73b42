"""What makes sense of records that belong to accounts: values that go together, people, the one primary contact."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid
from app.domain.related import RELATED
from app.persistence.database import Database
from app.services import accounts, records
from app.services.calls import ENCODER, Call, Written, new_id
from tests.services.files import bring
from tests.services.organisations import NOW, Organisation, document, organisation
from tests.services.test_records import CASES, account, change, fact, make, pointers

AT = "2026-11-20T10:00:00+00:00"
TICKET = {"status": "open", "priority": "low", "opened_at": AT}
NEW = {case.entity: case.new for case in CASES}


async def product(org: Organisation, slug: str, price: Any = None) -> None:
    await records.create(org.db, org.call(), "products", {"name": slug, "slug": slug, "list_price": price})


async def stored(org: Organisation, entity: str, record_id: UUID) -> dict[str, Any]:
    rows = await org.db.fetch(
        f"SELECT * FROM {entity} WHERE workspace_id = $1 AND id = $2", org.workspace.id, record_id
    )
    return dict(rows[0])


# -- values that go together -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "wrong", "pointer"),
    [
        ("contracts", {"start_date": "2026-02-01", "end_date": "2026-01-31"}, "/end_date"),
        ("contracts", {"decided_at": "2026-02-01"}, "/decided_at"),
        ("opportunities", {"opened_at": "2026-02-01", "closed_at": "2026-01-31"}, "/closed_at"),
        ("invoices", {"issued_at": "2026-02-01", "due_at": "2026-01-31"}, "/due_at"),
        ("tickets", {"opened_at": AT, "closed_at": "2026-11-20T09:59:59Z"}, "/closed_at"),
        ("requests", {"asked_at": AT, "resolved_at": "2026-11-20T09:59:59Z"}, "/resolved_at"),
        ("surveys", {"kind": "nps", "score": 11}, "/score"),
        ("surveys", {"kind": "csat", "score": 0}, "/score"),
        ("surveys", {"kind": "csat", "score": 6}, "/score"),
        ("surveys", {"kind": "ces", "score": 8}, "/score"),
        ("sentiments", {"score": 6}, "/score"),
    ],
)
async def test_what_does_not_go_together_is_refused(
    db: Database, entity: str, wrong: Mapping[str, Any], pointer: str
) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    with pytest.raises(Invalid) as caught:
        await make(org, entity, {"account": "a-1", **NEW[entity], **wrong})
    assert pointer in pointers(caught.value)
    made = await make(org, entity, {"account": "a-1", **NEW[entity]})
    with pytest.raises(Invalid) as caught:
        await change(org, entity, made, **wrong)
    assert pointer in pointers(caught.value)
    assert caught.value.detail.startswith("Expected ")


async def test_more_faults_than_are_told_hide_no_answer(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await make(org, "contacts", {"custom": {f"m{n}": n for n in range(2_000)}, "name": "Ada", "account": ""})
    assert "/custom/m0" in pointers(caught.value)


async def test_the_member_that_was_said_is_to_blame(db: Database) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    contract = await make(org, "contracts", {"account": "a-1", **NEW["contracts"]})
    with pytest.raises(Invalid) as caught:
        await change(org, "contracts", contract, start_date="2027-01-01")
    assert pointers(caught.value) == ["/start_date"]
    survey = await make(org, "surveys", {"account": "a-1", **NEW["surveys"]})
    with pytest.raises(Invalid) as caught:
        await change(org, "surveys", survey, kind="csat")
    assert pointers(caught.value) == ["/kind"]


async def test_edges_go_together(db: Database) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    for entity, body in (
        ("contracts", {"start_date": "2026-02-01", "end_date": "2026-02-01", "outcome": "renewed", "decided_at": "2026-01-01"}),
        ("contracts", {"outcome": "churned"}),
        ("tickets", {"status": "closed", "closed_at": AT}),
        ("surveys", {"kind": "nps", "score": 0}),
        ("surveys", {"kind": "csat", "score": 5}),
        ("surveys", {"kind": "ces", "score": 7}),
    ):  # fmt: skip
        await make(org, entity, {"account": "a-1", **NEW[entity], **body})


async def test_what_came_as_it_is_can_be_changed_in_other_ways(db: Database) -> None:
    org = await organisation(db)
    here = await account(org)
    contract_id = new_id()
    await org.run(
        "INSERT INTO contracts (workspace_id, id, account_id, arr, start_date, end_date, created_at, updated_at)"
        " VALUES ($1, $2, $3, 1, '2026-02-01', '2026-01-01', $4, $4)", contract_id, here, NOW,
    )  # fmt: skip
    changed = await records.change(db, org.call(), "contracts", "id", str(contract_id), {"seats": 5}, 1)
    with pytest.raises(Invalid):
        await change(org, "contracts", changed, end_date="2026-01-02")
    await change(org, "contracts", changed, end_date="2026-02-02")


# -- what follows where nothing is given -------------------------------------------------------------------------------


async def test_an_opportunity_is_worth_its_products_list_price(db: Database) -> None:
    org = await organisation(db)
    here = await account(org, external_id="a-1")
    await product(org, "suite", 500)
    await product(org, "plus", 700)
    await product(org, "gift")
    body = {"account": "a-1", "name": "More", "stage": "open", "opened_at": "2026-11-01"}
    made = await make(org, "opportunities", {**body, "product": "suite"})
    assert document(made.body)["amount"] == 500
    changed = await change(org, "opportunities", made, product="plus")
    assert document(changed.body)["amount"] == 500  # as it was said then, or followed then
    followed = await change(org, "opportunities", changed, amount=None)
    assert document(followed.body)["amount"] == 700
    assert await fact(org, "growth_potential", here) == 70000
    assert document((await make(org, "opportunities", {**body, "product": "suite", "amount": 0})).body)["amount"] == 0
    for wrong in ({}, {"product": "gift"}, {"amount": None}, {"amount": ""}):
        with pytest.raises(Invalid) as caught:
            await make(org, "opportunities", {**body, **wrong})
        assert pointers(caught.value) == ["/amount"]


async def test_a_sentiment_is_the_callers_unless_told(db: Database) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1", csm="csm")
    body = {"account": "a-1", **NEW["sentiments"]}
    for role in ("admin", "csm"):
        for nobody in ({}, {"author": None}, {"author_id": None}):
            made = await make(org, "sentiments", {**body, **nobody}, role)
            assert document(made.body)["author_id"] == str(org.user(role))
    await org.run("UPDATE users SET is_active = false WHERE workspace_id = $1 AND id = $2", org.user("other"))
    left = await make(org, "sentiments", {**body, "author": "other@example.com"})
    assert document(left.body)["author_id"] == str(org.user("other"))
    service = Call(org.as_("service", "write"), NOW)
    with pytest.raises(Invalid) as caught:
        await records.create(db, service, "sentiments", body)
    assert pointers(caught.value) == ["/author_id"]
    assert (await records.create(db, service, "sentiments", {**body, "author": "csm"})).created


FILES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    *((case.entity, case.new) for case in CASES if case.entity != "sentiments"),
    ("sentiments", {**NEW["sentiments"], "author": "admin"}),
    ("contacts", {"name": "Bob", "email": "bob@a.example", "role": "user", "last_seen_at": AT}),
    ("contracts", {"arr": 5, "product": "suite", "start_date": "2027-01-01"}),
    ("contracts", {"arr": 5, "start_date": "2024-01-01", "end_date": "2024-12-31", "auto_renew": True, "notice_days": 30,
                   "billing": "annual", "outcome": "expanded", "decided_at": "2024-12-01", "tcv": Decimal("9.75")}),
    ("opportunities", {"name": "Sold", "product": "suite", "stage": "won", "owner": "csm", "opened_at": "2026-01-01", "closed_at": "2026-02-01"}),
    ("interactions", {"kind": "meeting", "direction": "outbound", "occurred_at": AT, "contact": "p-1", "attended": False, "is_automated": True}),
    ("tickets", {**TICKET, "contact": "p-1", "first_response_minutes": 1.5, "escalated": True}),
    ("surveys", {"kind": "ces", "score": 2.5, "contact": "p-1", "answered_at": AT, "comment": "x"}),
    ("requests", {"kind": "other", "status": "open", "asked_at": AT, "note": "n"}),
    ("churns", {"churned_at": "2026-01-01", "is_reactivation": True, "refund": 3, "note": "n"}),
)  # fmt: skip


@pytest.mark.parametrize(("entity", "body"), FILES, ids=[f"{n}-{entity}" for n, (entity, _) in enumerate(FILES)])
async def test_written_by_hand_and_imported_are_the_same_row(
    db: Database, tmp_path: Path, entity: str, body: Mapping[str, Any]
) -> None:
    by_hand, by_file = await organisation(db), await organisation(db)
    for org in (by_hand, by_file):
        await account(org, external_id="a-1")
        await product(org, "suite", 500)
        await make(org, "contacts", {"account": "a-1", "external_id": "p-1", "name": "Ada"})
    said = {"account": "a-1", "external_id": "x-1", **body}
    await make(by_hand, entity, said)
    shown = await bring(by_file, tmp_path, entity, ENCODER.encode(said))
    assert (shown["created"], shown["errors"]) == (1, [])
    kept = [await whole(org, entity) for org in (by_hand, by_file)]
    assert kept[0] == kept[1]


async def whole(org: Organisation, entity: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record x-1 and its account as stored, references by external id."""
    found = []
    for table, where in ((entity, "external_id = 'x-1'"), ("accounts", "external_id = 'a-1'")):
        row = (await org.db.fetch(f"SELECT * FROM {table} WHERE workspace_id = $1 AND {where}", org.workspace.id))[0]
        names: dict[str, Any] = {}
        for column, value in row.items():
            if column in ("workspace_id", "id", "created_at", "updated_at"):
                continue
            names[column] = await name_of(org, column, value) if isinstance(value, UUID) else value
        found.append(names)
    return found[0], found[1]


async def name_of(org: Organisation, column: str, value: UUID) -> str | None:
    tables = {"account_id": "accounts", "contact_id": "contacts", "primary_contact_id": "contacts"}
    table = tables.get(column, "users")
    return str((await org.rows(f"SELECT external_id FROM {table} WHERE workspace_id = $1 AND id = $2", value))[0][0])


# -- references --------------------------------------------------------------------------------------------------------


async def test_references_are_told_by_id_external_id_or_mail(db: Database) -> None:
    org = await organisation(db)
    here = await account(org, external_id="a-1")
    person = await make(
        org, "contacts", {"account": "a-1", "external_id": "p-1", "name": "Ada", "email": "ada@a.example"}
    )
    for told in (
        {"contact_id": str(person.id)},
        {"contact": str(person.id)},
        {"contact": "p-1"},
        {"contact": "ada@a.example"},
    ):
        made = await make(org, "tickets", {"account_id": str(here), **TICKET, **told})
        assert document(made.body)["contact_id"] == str(person.id)
    for told in ({"owner": "csm"}, {"owner": "csm@example.com"}, {"owner_id": str(org.user("csm"))}):
        made = await make(org, "opportunities", {"account": "a-1", **NEW["opportunities"], **told})
        assert document(made.body)["owner_id"] == str(org.user("csm"))


async def test_references_that_lead_nowhere_are_named(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    await account(org, external_id="a-1")
    await account(other, external_id="a-1")
    await product(org, "suite", 500)
    await product(other, "theirs", 500)
    foreign = await make(
        other, "contacts", {"account": "a-1", "external_id": "p-1", "name": "Ada", "email": "ada@a.example"}
    )
    for entity, told, pointer, suggestion in (
        ("contracts", {"product": "siute"}, "/product", "suite"), ("contracts", {"product": "theirs"}, "/product", None),
        ("opportunities", {"owner": "nobody"}, "/owner", None),
        ("opportunities", {"owner_id": str(other.user("csm"))}, "/owner_id", None),
        ("tickets", {"contact": "p-1"}, "/contact", None), ("tickets", {"contact": "ada@a.example"}, "/contact", None),
        ("tickets", {"contact_id": str(foreign.id)}, "/contact_id", None),
        ("sentiments", {"author": "nobody"}, "/author", None),
    ):  # fmt: skip
        with pytest.raises(Invalid) as caught:
            await make(org, entity, {"account": "a-1", **NEW[entity], **told})
        assert [(fault.pointer, fault.suggestion) for fault in caught.value.faults] == [(pointer, suggestion)]


async def test_a_contact_is_of_the_records_own_account(db: Database) -> None:
    org = await organisation(db)
    here, there = await account(org), await account(org)
    mail = {"name": "Ada", "email": "ada@a.example"}
    ada, twin = [await make(org, "contacts", {"account_id": str(at), **mail}) for at in (here, there)]
    ticket = await make(org, "tickets", {"account_id": str(here), **TICKET, "contact": "ada@a.example"})
    assert document(ticket.body)["contact_id"] == str(ada.id)
    for wrong in (
        {"contact_id": str(twin.id)},
        {"account_id": str(there)},
        {"account_id": str(there), "contact_id": str(ada.id)},
    ):
        with pytest.raises(Invalid) as caught:
            await change(org, "tickets", ticket, **wrong)
        assert pointers(caught.value) == ["/contact_id"]
    moved = await change(org, "tickets", ticket, account_id=str(there), contact="ada@a.example")
    assert document(moved.body)["contact_id"] == str(twin.id)
    back = await change(org, "tickets", moved, account_id=str(here), contact=None)
    assert document(back.body)["contact_id"] is None


async def test_a_contact_that_something_names_stays(db: Database) -> None:
    org = await organisation(db)
    here, there = await account(org), await account(org)
    ada = await make(org, "contacts", {"account_id": str(here), "name": "Ada"})
    tickets = [
        await make(org, "tickets", {"account_id": str(here), **TICKET, "contact_id": str(ada.id)}) for _ in range(2)
    ]
    for attempt in (
        records.delete(db, org.call(), "contacts", "id", str(ada.id), 1),
        change(org, "contacts", ada, account_id=str(there)),
    ):
        with pytest.raises(Conflict) as caught:
            await attempt
        assert "2 tickets" in caught.value.detail
    for ticket in tickets:
        await records.delete(db, org.call(), "tickets", "id", str(ticket.id), 1)
    moved = await change(org, "contacts", ada, account_id=str(there))
    await records.delete(db, org.call(), "contacts", "id", str(ada.id), moved.version)


# -- the one primary contact -------------------------------------------------------------------------------------------


async def primaries(org: Organisation, account_id: UUID) -> list[UUID]:
    sql = "SELECT id FROM contacts WHERE workspace_id = $1 AND account_id = $2 AND is_primary"
    return [row[0] for row in await org.rows(sql, account_id)]


async def test_an_account_has_one_primary_contact(db: Database) -> None:
    org = await organisation(db)
    here, there = await account(org), await account(org)
    body = {"account_id": str(here), "name": "x"}
    first = await make(org, "contacts", {**body, "is_primary": True})
    second = await make(org, "contacts", {**body, "is_primary": True})
    assert await primaries(org, here) == [second.id] == [await fact(org, "primary_contact_id", here)]
    taken = [(e.id, e.before, e.after) for e in second.effects[1:]]
    assert taken == [(first.id, {"is_primary": True}, {"is_primary": False})]
    assert (await stored(org, "contacts", first.id))["version"] == 2
    again = await records.change(db, org.call(), "contacts", "id", str(first.id), {"is_primary": True}, 2)
    assert await primaries(org, here) == [first.id] == [await fact(org, "primary_contact_id", here)]
    third = await make(org, "contacts", {"account_id": str(there), "name": "x", "is_primary": True})
    await change(org, "contacts", again, account_id=str(there))
    assert (await primaries(org, there), await primaries(org, here)) == ([first.id], [])
    assert await fact(org, "primary_contact_id", here) is None
    assert not (await stored(org, "contacts", third.id))["is_primary"]
    await records.delete(db, org.call(), "contacts", "id", str(first.id), 4)
    assert await fact(org, "primary_contact_id", there) is None


async def test_of_many_who_become_primary_at_once_one_is(db: Database) -> None:
    org = await organisation(db)
    here = await account(org)
    made = [await make(org, "contacts", {"account_id": str(here), "name": "x"}) for _ in range(8)]
    await asyncio.gather(*(change(org, "contacts", one, is_primary=True) for one in made))
    assert [await fact(org, "primary_contact_id", here)] == await primaries(org, here)


# -- services, hostile values ------------------------------------------------------------------------------------------


async def test_a_service_writes_with_its_scope(db: Database) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    body = {"account": "a-1", **NEW["churns"]}
    assert (await records.create(db, Call(org.as_("service", "write"), NOW), "churns", body)).created
    for scopes in ((), ("read",), ("import",)):
        with pytest.raises(Forbidden):
            await records.create(db, Call(org.as_("service", *scopes), NOW), "churns", body)


HOSTILE: tuple[Any, ...] = (
    None, True, "", "x", "a\0b", "\ud800", "x" * 100_000, 10**30, -(2**63), float("nan"), Decimal("1e400"), [], [[]], {}, {"a": 1},
    "9999-99-99", "0000-01-01", "2026-01-01T00:00:00", "00000000-0000-0000-0000-000000000000", "'; DROP TABLE contacts; --",
)  # fmt: skip


@pytest.mark.parametrize("entity", RELATED)
async def test_no_value_breaks_a_write(db: Database, entity: str) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    made = await make(org, entity, {"account": "a-1", **NEW[entity]})
    for member in (
        *NEW[entity],
        "account",
        "account_id",
        "contact",
        "external_id",
        "custom",
        "id",
        "version",
        "no such",
    ):
        for value in HOSTILE:
            with suppress(Invalid, Conflict):
                await make(org, entity, {"account": "a-1", **NEW[entity], member: value})
            with suppress(Invalid, Conflict):
                version = (await stored(org, entity, made.id))["version"]
                await records.change(db, org.call(), entity, "id", str(made.id), {member: value}, version)


async def test_entities_with_rules_of_their_own_are_not_written_here(db: Database) -> None:
    org = await organisation(db)
    for entity in ("accounts", "users", "stages", "scenarios", "attributes", "usage"):
        with pytest.raises(LookupError):
            await records.create(db, org.call(), entity, {})


async def test_an_account_that_goes_meanwhile_leaves_no_record_behind(db: Database) -> None:
    org = await organisation(db)
    for n in range(6):
        here = await account(org, external_id=f"a-{n}")
        made, gone = await asyncio.gather(
            make(org, "churns", {"account": f"a-{n}", **NEW["churns"]}),
            accounts.delete(db, org.call(), here, 1, with_records=True), return_exceptions=True,
        )  # fmt: skip
        assert isinstance(gone, Written)
        if isinstance(made, Invalid):
            assert pointers(made) in [["/account"], ["/account_id"]]
        else:
            assert isinstance(made, Written)
        assert await org.rows("SELECT count(*) FROM churns WHERE workspace_id = $1") == [(0,)]
