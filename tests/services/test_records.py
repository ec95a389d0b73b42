"""Records written by hand: what belongs to accounts, and what the organisation has named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.domain.related import RELATED
from app.persistence.database import Database
from app.persistence.records import By
from app.services import accounts, records
from app.services.calls import ENCODER, Written, new_id
from tests.services.organisations import Organisation, document, organisation


@dataclass(frozen=True)
class Case:
    """A record of an account: a body that makes it, one that changes it, and an account's fact with both values."""

    entity: str
    new: Mapping[str, Any]
    change: Mapping[str, Any]
    fact: str | None = None
    values: tuple[Any, Any] = (None, None)


CASES = (
    Case("contacts", {"name": "Ada", "email": "ada@a.example", "is_primary": True}, {"title": "Head"}),
    Case(
        "contracts", {"arr": Decimal("1200.5"), "start_date": "2026-01-01", "end_date": "2026-12-31", "seats": 5}, {"arr": 100},
        "arr", (120050, 10000),
    ),
    Case("opportunities", {"name": "More", "stage": "open", "amount": 70, "opened_at": "2026-11-01"}, {"amount": 80},
         "growth_potential", (7000, 8000)),
    Case("interactions", {"kind": "email", "direction": "inbound", "occurred_at": "2026-11-20T10:00:00+00:00"}, {"opened": True},
         "engagement_score", (6.3, 9.2)),
    Case("invoices", {"status": "unpaid", "amount": 20, "issued_at": "2026-11-01", "due_at": "2026-12-01"}, {"status": "paid"},
         "open_invoices_amount", (2000, 0)),
    Case("surveys", {"kind": "nps", "score": 9, "answered_at": "2026-11-20T10:00:00+00:00"}, {"score": 3}, "nps", (9, 3)),
    Case("tickets", {"status": "open", "priority": "high", "opened_at": "2026-11-20T10:00:00+00:00"}, {"status": "closed"},
         "open_tickets", (1, 0)),
    Case("requests", {"kind": "discount", "status": "open", "asked_at": "2026-11-20T10:00:00+00:00", "amount": 5}, {"status": "granted"}),
    Case("sentiments", {"score": 4, "recorded_at": "2026-11-20T10:00:00+00:00"}, {"score": 2}, "sentiment", (4, 2)),
    Case("churns", {"churned_at": "2026-11-01", "reason": "price"}, {"reason": "merger"}, "churn_reason", ("price", "merger")),
)  # fmt: skip
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.entity)


async def account(org: Organisation, **body: Any) -> UUID:
    return (await accounts.create(org.db, org.call(), {"name": "Acme", **body})).id


async def make(org: Organisation, entity: str, body: Mapping[str, Any], role: str = "admin") -> Written:
    return await records.create(org.db, org.call(role), entity, body)


async def change(org: Organisation, entity: str, written: Written, role: str = "admin", **body: Any) -> Written:
    return await records.change(org.db, org.call(role), entity, "id", str(written.id), body, written.version)


async def fact(org: Organisation, name: str, account_id: UUID) -> Any:
    return (await org.rows(f"SELECT {name} FROM accounts WHERE workspace_id = $1 AND id = $2", account_id))[0][0]


def pointers(error: Invalid | Conflict) -> list[str | None]:
    return [fault.pointer for fault in error.faults]


def test_every_entity_is_told_here() -> None:
    assert {case.entity for case in CASES} == set(RELATED)


@EACH
async def test_made_changed_moved_and_gone_with_its_account_settled(db: Database, case: Case) -> None:
    org = await organisation(db)
    here, there = await account(org, external_id="a-1"), await account(org)
    made = await make(org, case.entity, {"account": "a-1", "external_id": "x-1", **case.new})
    shown = document(made.body)
    assert (made.version, made.created, shown["id"], shown["account_id"]) == (1, True, str(made.id), str(here))
    assert {name: shown[name] for name in case.new} == {**case.new}
    changed = await change(org, case.entity, made, **case.change)
    assert (changed.version, changed.created) == (2, False)
    assert {name: document(changed.body)[name] for name in case.change} == case.change
    if case.fact:
        assert await fact(org, case.fact, here) == case.values[1]
    moved = await change(org, case.entity, changed, account_id=str(there))
    assert document(moved.body)["account_id"] == str(there)
    empty = await fact(org, case.fact, await account(org)) if case.fact else None
    if case.fact:
        assert (await fact(org, case.fact, here), await fact(org, case.fact, there)) == (empty, case.values[1])
    gone = await records.delete(db, org.call(), case.entity, "external_id", "x-1", 3)
    assert (gone.id, gone.body) == (made.id, b"")
    if case.fact:
        assert await fact(org, case.fact, there) == empty
    with pytest.raises(NotFound):
        await records.delete(db, org.call(), case.entity, "id", str(made.id), 3)


@EACH
async def test_only_what_is_given_changes_and_nothing_new_is_no_version(db: Database, case: Case) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    made = await make(org, case.entity, {"account": "a-1", **case.new})
    for body in ({}, case.new, {"account": "a-1"}, {"external_id": None}):
        again = await change(org, case.entity, made, **body)
        assert (again, again.effects) == (Written(made.id, 1, made.body, created=False), ())
    with pytest.raises(VersionRequired):
        await records.change(db, org.call(), case.entity, "id", str(made.id), case.change, None)
    changed = await change(org, case.entity, made, **case.change)
    before, after = document(made.body), document(changed.body)
    moved = {name for name in after if before[name] != after[name]}
    assert moved - {"version", "status"} == set(case.change) - {"status"}
    with pytest.raises(VersionStale):
        await change(org, case.entity, made, **case.change)
    with pytest.raises(VersionStale):
        await records.delete(db, org.call(), case.entity, "id", str(made.id), 1)


@EACH
async def test_upsert_makes_and_then_changes(db: Database, case: Case) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    upsert = records.upsert
    with pytest.raises(Invalid):
        await upsert(db, org.call(), case.entity, "x-1", case.change, None)
    made = await upsert(db, org.call(), case.entity, "x-1", {"account": "a-1", **case.new}, None)
    assert (made.created, document(made.body)["external_id"]) == (True, "x-1")
    with pytest.raises(VersionRequired):
        await upsert(db, org.call(), case.entity, "x-1", case.change, None)
    changed = await upsert(db, org.call(), case.entity, "x-1", case.change, 1)
    assert (changed.id, changed.created, changed.version) == (made.id, False, 2)
    with pytest.raises(VersionStale):
        await upsert(db, org.call(), case.entity, "x-2", {"account": "a-1", **case.new}, 1)
    for key in ("", "a\0b", "x" * 501, "\ud800"):
        with pytest.raises(Invalid):
            await upsert(db, org.call(), case.entity, key, {"account": "a-1", **case.new}, None)
    with pytest.raises(Invalid) as caught:
        await upsert(db, org.call(), case.entity, "x-2", {"account": "a-1", **case.new, "external_id": "x-3"}, None)
    assert pointers(caught.value) == ["/external_id"]


@EACH
async def test_an_external_id_is_taken_once(db: Database, case: Case) -> None:
    org, other = await organisation(db), await organisation(db)
    body = {"account": "a-1", **case.new}
    for one in (org, other):
        await account(one, external_id="a-1")
    first = await make(org, case.entity, {**body, "external_id": "x-1"})
    await make(other, case.entity, {**body, "external_id": "x-1"})
    second = await make(org, case.entity, body)
    for attempt in (
        make(org, case.entity, {**body, "external_id": "x-1"}), change(org, case.entity, second, external_id="x-1"),
    ):  # fmt: skip
        with pytest.raises(Conflict) as caught:
            await attempt
        assert pointers(caught.value) == ["/external_id"]
        assert f"{ENTITIES[case.entity].singular} {first.id} has it" in caught.value.detail


@EACH
async def test_whose_account_it_is_decides(db: Database, case: Case) -> None:
    org = await organisation(db)
    mine, theirs = await account(org, csm="csm"), await account(org, csm="other")
    made = await make(org, case.entity, {"account_id": str(mine), **case.new}, "csm")
    foreign = await make(org, case.entity, {"account_id": str(theirs), **case.new})
    for attempt in (
        make(org, case.entity, {"account_id": str(theirs), **case.new}, "csm"),
        change(org, case.entity, foreign, "csm", **case.change),
        change(org, case.entity, foreign, "csm", account_id=str(mine)),
        change(org, case.entity, made, "csm", account_id=str(theirs)),
        records.delete(db, org.call("csm"), case.entity, "id", str(foreign.id), 1),
        make(org, case.entity, {"account_id": str(mine), **case.new}, "viewer"),
        change(org, case.entity, made, "viewer", **case.change),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            await attempt
    changed = await change(org, case.entity, made, "csm", **case.change)
    await records.delete(db, org.call("csm"), case.entity, "id", str(changed.id), 2)


@EACH
async def test_an_account_that_is_not_there(db: Database, case: Case) -> None:
    org, other = await organisation(db), await organisation(db)
    here, foreign = await account(org, external_id="here"), await account(other, external_id="far")
    for member, name in (
        ("account", "far"),
        ("account_id", str(foreign)),
        ("account_id", str(new_id())),
        ("account", str(foreign)),
    ):
        for role in ("admin", "csm"):
            with pytest.raises(Invalid) as caught:
                await make(org, case.entity, {**case.new, member: name}, role)
            assert pointers(caught.value) == [f"/{member}"]
    for unknown in (foreign, new_id()):
        with pytest.raises(NotFound):
            await records.create(db, org.call(), case.entity, case.new, account=unknown)
    with pytest.raises(Invalid) as caught:
        await records.create(db, org.call(), case.entity, {**case.new, "account": "here"}, account=here)
    assert pointers(caught.value) == ["/account"]
    made = await records.create(db, org.call(), case.entity, {**case.new, "account_id": str(here)}, account=here)
    with pytest.raises(Invalid) as caught:
        await change(org, case.entity, made, account="far")
    assert pointers(caught.value) == ["/account"]
    with pytest.raises(Invalid) as caught:
        await make(org, case.entity, case.new)
    assert pointers(caught.value) == ["/account_id"]


@EACH
async def test_anothers_record_cannot_be_told_from_none(db: Database, case: Case) -> None:
    org, other = await organisation(db), await organisation(db)
    await account(other, external_id="a-1")
    foreign = await make(other, case.entity, {"account": "a-1", "external_id": "x-1", **case.new})
    keys: tuple[tuple[By, str], ...] = (
        ("id", str(foreign.id)), ("id", str(new_id())), ("id", "x"), ("external_id", "x-1"), ("external_id", "a\0b"),
    )  # fmt: skip
    for by, value in keys:
        for version in (1, 7, None):
            with pytest.raises(NotFound):
                await records.change(db, org.call(), case.entity, by, value, case.change, version)
            with pytest.raises(NotFound):
                await records.delete(db, org.call("csm"), case.entity, by, value, version)


@EACH
async def test_effects_tell_what_became_of_it(db: Database, case: Case) -> None:
    org = await organisation(db)
    here = await account(org, external_id="a-1")
    made = await make(org, case.entity, {"account": "a-1", **case.new})
    (effect,) = made.effects
    told = document(ENCODER.encode(effect.after))
    assert (effect.entity, effect.id, effect.before, told["account_id"]) == (case.entity, made.id, None, str(here))
    assert {name: told[name] for name in case.new} == spelt(case)
    changed = await change(org, case.entity, made, **case.change)
    (effect,) = changed.effects
    assert set(effect.before or ()) == set(effect.after or ()) == set(case.change)
    gone = await records.delete(db, org.call(), case.entity, "id", str(made.id), 2)
    (effect,) = gone.effects
    assert (effect.after, (effect.before or {})["account_id"]) == (None, here)


def spelt(case: Case) -> dict[str, Any]:
    """The body as the encoder spells values: instants in UTC with Z."""
    return {name: value.replace("+00:00", "Z") if isinstance(value, str) else value for name, value in case.new.items()}


@EACH
async def test_a_key_has_one_effect(db: Database, case: Case) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    body = {"account": "a-1", **case.new}
    results = await asyncio.gather(
        *(records.create(db, org.call(key="k", payload=b"p"), case.entity, body) for _ in range(6)),
        return_exceptions=True,
    )
    first = next(result for result in results if isinstance(result, Written))
    assert await records.create(db, org.call(key="k", payload=b"p"), case.entity, body) == first
    gone = [await records.delete(db, org.call(key="d"), case.entity, "id", str(first.id), 1) for _ in range(2)]
    assert gone[0] == gone[1]
    assert await org.rows(f"SELECT count(*) FROM {case.entity} WHERE workspace_id = $1") == [(0,)]


@EACH
async def test_twenty_writers_of_one_field_lose_no_update(db: Database, case: Case) -> None:
    org = await organisation(db)
    await account(org, external_id="a-1")
    made = await make(org, case.entity, {"account": "a-1", "external_id": "0", **case.new})
    stands = f"SELECT external_id, version FROM {case.entity} WHERE workspace_id = $1 AND id = $2"

    async def add_one() -> None:
        while True:
            ((counted, version),) = await org.rows(stands, made.id)
            body = {"external_id": str(int(counted) + 1)}
            try:
                await records.change(db, org.call(), case.entity, "id", str(made.id), body, version)
            except VersionStale:
                continue
            return

    await asyncio.gather(*(add_one() for _ in range(20)))
    assert await org.rows(stands, made.id) == [("20", 21)]


async def test_movers_and_writers_at_once_leave_every_fact_right(db: Database) -> None:
    org = await organisation(db)
    ids = [await account(org) for _ in range(3)]
    made = [await make(org, "tickets", {"account_id": str(ids[0]), **CASES[6].new}) for _ in range(3)]

    async def wander(ticket: Written, turn: int) -> None:
        for n in range(6):
            to = str(ids[(turn + n) % 3])
            ((version,),) = await org.rows("SELECT version FROM tickets WHERE workspace_id = $1 AND id = $2", ticket.id)
            try:
                await records.change(db, org.call(), "tickets", "id", str(ticket.id), {"account_id": to}, version)
            except VersionStale:
                continue

    await asyncio.gather(*(wander(ticket, turn) for ticket in made for turn in range(3)))
    kept = await org.rows("SELECT id, open_tickets FROM accounts WHERE workspace_id = $1 ORDER BY id")
    counted = await org.rows(
        "SELECT a.id, (SELECT count(*) FROM tickets t WHERE t.workspace_id = $1 AND t.account_id = a.id) FROM accounts a"
        " WHERE a.workspace_id = $1 ORDER BY a.id"
    )
    assert kept == counted
