"""Calls of renewals: what they cover, who may make them, what is kept of them, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence.database import Database
from app.services import accounts, forecasts, records, renewal_calls
from app.services.calls import Written
from tests.services.organisations import NOW, Organisation, document, organisation

HOUR = timedelta(hours=1)
LIKELY = {"category": "likely"}


async def customer(org: Organisation, *terms: dict[str, Any], **body: object) -> UUID:
    """An account of the csm's with contracts."""
    made = await accounts.create(org.db, org.call(), {"name": "A", "csm_id": str(org.user("csm")), **body})
    for term in terms:
        told = {"start_date": "2026-01-01", "arr": 100, **term}
        await records.create(org.db, org.call(), "contracts", told, account=made.id)
    return made.id


async def called(
    org: Organisation, account: UUID, body: Any, version: int | None = None, role: str = "csm", hours: int = 0
) -> Written:
    return await renewal_calls.put(org.db, org.call(role, now=NOW + hours * HOUR), account, body, version)


async def stands(org: Organisation, account: UUID, role: str = "manager") -> Any:
    body, version = await renewal_calls.get(org.db, org.people[role], account, NOW + HOUR)
    told = document(body)
    assert told["version"] == version
    return told


async def test_a_call_covers_what_is_due_next_and_stands_for_its_category(db: Database) -> None:
    org = await organisation(db)
    account = await customer(
        org, {"end_date": "2026-12-31", "arr": 70.5}, {"end_date": "2026-12-31"}, {"end_date": "2027-05-31"}
    )
    made = await called(org, account, {**LIKELY, "note": "They said so."})
    told = document(made.body)
    assert (made.created, made.version) == (True, 1)
    assert told["renewal"] | {"contract_ids": None} == {
        "due_on": "2026-12-31", "due": Decimal("170.5"), "contract_ids": None, "is_overdue": False,
    }  # fmt: skip
    assert len(told["call"]["contract_ids"]) == 2
    wanted = {
        "category": "likely",
        "probability": Decimal("0.8"),
        "amount": Decimal("170.5"),
        "expected": Decimal("136.4"),
    }
    assert {name: told["call"][name] for name in wanted} == wanted
    assert told["call"]["author_id"] == told["call"]["csm_id"] == str(org.user("csm"))
    (done,) = made.effects
    assert done.after is not None
    assert (done.before, done.after["renewal_call"]["note"]) == ({"renewal_call": None}, "They said so.")
    assert await stands(org, account) == told
    later = document((await called(org, account, {"category": "commit", "due_on": "2027-05-31"}, 1)).body)
    assert (later["version"], later["call"]["category"]) == (2, "commit")
    assert (await stands(org, account))["call"]["category"] == "likely"
    body, _ = await renewal_calls.get(db, org.people["csm"], account, NOW, "2027-05-31")
    assert document(body)["call"]["category"] == "commit"
    await renewal_calls.withdraw(db, org.call("csm"), account, 2, "2027-05-31")
    assert (await stands(org, account))["call"]["category"] == "likely"
    for wrong in ("2027-05-30", "soon"):
        with pytest.raises(Invalid):
            await renewal_calls.get(db, org.people["csm"], account, NOW, wrong)


async def test_corrections_and_withdrawals_are_versions(db: Database) -> None:
    org = await organisation(db)
    account = await customer(org, arr=10, renewal_date="2027-01-15")
    await called(org, account, LIKELY)
    with pytest.raises(VersionRequired):
        await called(org, account, LIKELY)
    with pytest.raises(VersionStale):
        await called(org, account, LIKELY, 7)
    told = {"category": "at_risk", "probability": 0.25, "amount": 8.4}
    assert not (await called(org, account, told, 1, "manager", 1)).created
    with pytest.raises(VersionStale):
        await renewal_calls.withdraw(db, org.call("csm"), account, 1)
    gone = await renewal_calls.withdraw(db, org.call("csm", now=NOW + 2 * HOUR), account, 2)
    assert (gone.version, gone.body) == (3, b"")
    assert (await stands(org, account))["call"] is None
    with pytest.raises(NotFound):
        await renewal_calls.withdraw(db, org.call("csm"), account, 3)
    assert (await called(org, account, {"category": "commit"}, hours=3)).created
    found, keys, more = await renewal_calls.history(db, org.people["csm"], account, None, 3)
    assert [(one["version"], one["category"], one["probability"], one["is_withdrawn"]) for one in found] == [
        (4, "commit", 0.95, False), (3, None, None, True), (2, "at_risk", 0.25, False),
    ]  # fmt: skip
    assert found[2]["expected"] == Decimal("2.10")
    assert [one["until"] for one in found] == [None, found[0]["called_at"], found[1]["called_at"]]
    assert more
    rest, _, _ = await renewal_calls.history(db, org.people["csm"], account, keys[-1][0], 3)
    assert [one["version"] for one in rest] == [1]


async def test_an_overdue_renewal_is_called_where_nothing_else_is_due(db: Database) -> None:
    org = await organisation(db)
    account = await customer(
        org, {"end_date": "2026-10-31"}, {"start_date": "2025-01-01", "end_date": "2025-12-31", "outcome": "renewed"}
    )
    told = document((await called(org, account, LIKELY)).body)
    assert (told["renewal"]["due_on"], told["renewal"]["is_overdue"]) == ("2026-10-31", True)


async def test_who_may_call(db: Database) -> None:
    org = await organisation(db)
    account = await customer(org, {"end_date": "2026-12-31"})
    for role in ("viewer", "other"):
        with pytest.raises(Forbidden):
            await called(org, account, LIKELY, role=role)
        with pytest.raises(Forbidden):
            await renewal_calls.get(db, org.people[role], account, NOW)
        with pytest.raises(Forbidden):
            await renewal_calls.history(db, org.people[role], account, None, 1)
    service = org.call("admin")
    assert (await renewal_calls.put(db, service, account, LIKELY, None)).created
    stranger = await organisation(db)
    with pytest.raises(NotFound):
        await called(stranger, account, LIKELY, role="manager")
    with pytest.raises(NotFound):
        await renewal_calls.get(db, stranger.people["admin"], account, NOW)


async def test_what_cannot_be_called(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Conflict, match="renewal to come"):
        await called(org, await customer(org), LIKELY)
    account = await customer(org, {"end_date": "2026-12-31"}, {"end_date": "2027-12-31"})
    with pytest.raises(Invalid) as refused:
        await called(org, account, {"category": "comit", "probability": 1.2, "amount": -1, "note": 5, "due_on": "soon"})
    assert [fault.pointer for fault in refused.value.faults] == [
        "/category",
        "/probability",
        "/amount",
        "/note",
        "/due_on",
    ]
    assert refused.value.faults[0].suggestion == "commit"
    with pytest.raises(Invalid) as refused:
        await called(org, account, {})
    assert [fault.pointer for fault in refused.value.faults] == ["/category"]
    with pytest.raises(Invalid) as refused:
        await called(org, account, {**LIKELY, "due_on": "2027-12-01"})
    assert refused.value.faults[0].suggestion == "2027-12-31"


async def test_a_deleted_account_takes_its_calls_along(db: Database) -> None:
    org = await organisation(db)
    account = await customer(org, arr=10, renewal_date="2027-01-15")
    await called(org, account, LIKELY)
    await accounts.delete(db, org.call(), account, 1)
    assert await org.rows("SELECT version FROM renewal_calls WHERE workspace_id = $1") == []


async def test_calls_are_shown_beside_what_was_computed(db: Database) -> None:
    org = await organisation(db)
    account = await customer(org, {"end_date": "2026-12-31", "arr": 70.5}, {"end_date": "2027-05-31"})
    written = await forecasts.create(db, org.call(), {"to": "2028-01-01"})

    async def shown() -> list[Any]:
        rows, _, _ = await forecasts.accounts(db, org.people["manager"], NOW, written.id, forecasts.Ask())
        return [document(row)["call"] for row in rows]

    assert await shown() == [None, None]
    await called(org, account, {"category": "at_risk", "amount": 60})
    await called(org, account, {"category": "commit", "due_on": "2027-05-31"}, 1)
    corrected = await called(org, account, {"category": "likely", "amount": 65.5}, 2)
    first, second = await shown()
    assert first == {"category": "likely", "probability": Decimal("0.8"), "amount": Decimal("65.5")}
    assert second["category"] == "commit"
    await renewal_calls.withdraw(db, org.call("csm"), account, corrected.version)
    assert await shown() == [None, second]
