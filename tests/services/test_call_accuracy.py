"""Calls against what happened: which call counts, what is compared, and for whom."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid
from app.persistence.database import Database
from app.services import accounts, call_accuracy, forecasts, records, renewal_calls
from tests.services.organisations import NOW, Organisation, document, organisation

DAY = timedelta(days=1)


async def term(
    org: Organisation, calls: list[tuple[int, Any]], outcome: str | None, decided: str = "2026-12-20", csm: str = "csm"
) -> None:
    """A term of 100 that ends with the year, what was called of it so many days later, and how it ended."""
    made = await accounts.create(org.db, org.call(), {"name": "A", "csm_id": str(org.user(csm))})
    told = {"start_date": "2026-01-01", "end_date": "2026-12-31", "arr": 100, "external_id": str(made.id)}
    contract = await records.create(org.db, org.call(), "contracts", told, account=made.id)
    version = None
    for days, body in calls:
        call = org.call("manager", now=NOW + days * DAY)
        version = (await renewal_calls.put(org.db, call, made.id, body, version)).version
    if outcome is not None:
        body = {"outcome": outcome, "decided_at": decided}
        await records.change(org.db, org.call(), "contracts", "id", str(contract.id), body, contract.version)


async def accuracy(org: Organisation, role: str = "admin", **told: str) -> Any:
    return document(await call_accuracy.get(org.db, org.people[role], NOW + 60 * DAY, **told))


async def test_the_last_call_before_a_renewal_closed_counts(db: Database) -> None:
    org = await organisation(db)
    await forecasts.create(db, org.call(), {})
    await term(
        org,
        [(0, {"category": "at_risk"}), (5, {"category": "likely", "amount": 90}), (28, {"category": "commit"})],
        "churned",
    )
    await term(org, [(0, {"category": "commit"})], "renewed", csm="other")
    await term(org, [(0, {"category": "commit"})], None)
    await term(org, [(28, {"category": "commit"})], "renewed")
    found = await accuracy(org, by="category")
    # The third was never decided and carried on by nobody: it had churned 60 days after it was due.
    assert [(one["key"], one["calls"], one["called"], one["brought"]) for one in found["groups"]] == [
        ("commit", 1, 95, 100), ("likely", 1, 72, 0),
    ]  # fmt: skip
    likely = found["groups"][1]
    assert (likely["bias"], likely["accuracy"], likely["verdict"]) == (Decimal("0.72"), Decimal("0.28"), "too few")
    assert likely["category_probability"] == Decimal("0.8")
    assert likely["brier"] == pytest.approx(Decimal("0.64"))
    assert "too few to tell" in found["words"]
    assert found["calls"] == 2
    later = document(await call_accuracy.get(db, org.people["admin"], NOW + 200 * DAY, by="category"))
    assert later["calls"] == 3
    people = await accuracy(org)
    assert {one["name"]: one["calls"] for one in people["groups"]} == {"Csm": 1, "Other": 1}
    mine = await accuracy(org, "csm")
    assert [one["name"] for one in mine["groups"]] == ["Csm"]
    assert [one["name"] for one in (await accuracy(org, by="author"))["groups"]] == ["Manager"]
    months = {one["key"] for one in (await accuracy(org, by="month"))["groups"]}
    assert months == {"2026-12"}
    early = await accuracy(org, end="2026-12-20")
    assert (early["calls"], early["total"]) == (0, None)
    assert early["words"] == "No renewal that was called has closed: there is nothing to compare."


async def test_what_is_refused(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Forbidden):
        await accuracy(org, "viewer")
    with pytest.raises(Invalid) as refused:
        await accuracy(org, by="categroy")
    assert refused.value.faults[0].suggestion == "category"
    for told in ({"start": "now"}, {"start": "2026-12-02", "end": "2026-12-01"}):
        with pytest.raises(Invalid):
            await accuracy(org, **told)


async def test_forecasts_are_held_against_the_same_renewals(db: Database) -> None:
    org = await organisation(db)
    for _ in range(3):
        await term(org, [(0, {"category": "commit"})], None)
    await forecasts.create(db, org.call(), {})
    await org.run("UPDATE contracts SET outcome = 'renewed', decided_at = '2026-12-20' WHERE workspace_id = $1")
    (found,) = (await accuracy(org))["groups"]
    assert found["calls"] == found["computed"]["calls"] == 3
    assert found["computed"]["brought"] == 300
    assert 0 < found["computed"]["called"] < 300
