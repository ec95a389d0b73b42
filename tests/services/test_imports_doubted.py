"""Rows that do not go with what else is known of their account: they land, and are told."""

from __future__ import annotations

from pathlib import Path

from app.persistence.database import Database
from tests.services.files import bring, counted, csv, ndjson, warnings
from tests.services.organisations import Organisation, organisation

CHURNS = ("external_id", "account", "churned_at")


async def _org(db: Database, folder: Path) -> Organisation:
    """`old` is a customer since 2026-03-01, of `new` no beginning is known."""
    org = await organisation(db)
    body = csv(("external_id", "name", "became_customer_at"), ("old", "Old", "2026-03-01"), ("new", "New", None))
    await bring(org, folder, "accounts", body)
    return org


async def test_what_only_customers_have_is_told_where_it_is_from_before(db: Database, tmp_path: Path) -> None:
    org = await _org(db, tmp_path)
    tickets = csv(
        ("external_id", "account", "status", "priority", "opened_at"),
        *((f"t{n}", account, "open", "low", opened) for n, (account, opened) in enumerate((
            ("old", "2026-02-28T23:59:59Z"), ("old", "2026-03-01T00:00:00Z"), ("new", "2020-01-01T00:00:00Z"),
        ))),
    )  # fmt: skip
    surveys = csv(
        ("external_id", "account", "kind", "score", "answered_at"), ("s", "old", "nps", 9, "2026-01-01T00:00:00Z")
    )
    churns = csv(CHURNS, ("h", "old", "2026-02-28"))
    for kind, body, rows in (("tickets", tickets, 3), ("surveys", surveys, 1), ("churns", churns, 1)):
        for landed in ((rows, 0, 0, 0), (0, 0, rows, 0)):
            shown = await bring(org, tmp_path, kind, body)
            assert (counted(shown), warnings(shown), shown["warned"]) == (landed, [("before_customer", 1, [2])], 1)
    called = csv(
        ("external_id", "account", "kind", "direction", "occurred_at"),
        ("i", "old", "call", "outbound", "2026-01-01T00:00:00Z"),
    )
    assert (await bring(org, tmp_path, "interactions", called))["warned"] == 0  # prospects are called


async def test_days_before_are_those_where_the_workspace_is(db: Database, tmp_path: Path) -> None:
    org = await _org(db, tmp_path)
    body = csv(
        ("external_id", "account", "status", "priority", "opened_at"),
        ("t", "old", "open", "low", "2026-02-28T23:30:00Z"),
    )
    assert (await bring(org, tmp_path, "tickets", body))["warned"] == 1
    await org.run("UPDATE workspaces SET zone = 'Europe/Berlin' WHERE id = $1")
    assert (await bring(org, tmp_path, "tickets", body))["warned"] == 0


async def test_a_churn_is_told_while_a_contract_goes_on(db: Database, tmp_path: Path) -> None:
    org = await _org(db, tmp_path)
    contracts = csv(
        ("external_id", "account", "arr", "start_date", "end_date", "outcome", "decided_at"),
        ("k1", "old", 5, "2026-03-01", "2026-06-30", None, None),
        ("k2", "old", 5, "2026-09-01", None, None, None),
        ("k3", "new", 5, "2026-03-01", "2026-12-31", "churned", "2026-06-01"),
    )
    await bring(org, tmp_path, "contracts", contracts)
    # Within a contract, on its last day, between two, on the first day of one without an end; of one that was given notice.
    days = ("2026-06-29", "2026-06-30", "2026-08-31", "2026-09-01")
    for day, told in zip(days, (True, False, False, True), strict=True):
        shown = await bring(org, tmp_path, "churns", csv(CHURNS, ("h", "old", day)))
        assert warnings(shown) == ([("in_force", 1, [2])] if told else []), day
    assert (await bring(org, tmp_path, "churns", csv(CHURNS, ("n", "new", "2026-06-01"))))["warned"] == 0


async def test_a_further_churn_is_told_of_the_file_and_of_what_is_stored(db: Database, tmp_path: Path) -> None:
    org = await _org(db, tmp_path)
    first = csv(CHURNS, ("h1", "old", "2026-04-01"), ("h2", "new", "2026-04-01"), ("h3", "old", "2026-05-01"))
    for _ in range(2):
        assert warnings(await bring(org, tmp_path, "churns", first)) == [("further_churn", 1, [4])]
    # Another file with one that is there, as it is, and without its account; and one that is new.
    lines = (
        {"external_id": "h2", "reason": "price"},
        {"external_id": "h4", "account": "new", "churned_at": "2026-07-01"},
    )
    for _ in range(2):
        assert warnings(await bring(org, tmp_path, "churns", ndjson(*lines))) == [("further_churn", 1, [2])]
    assert (await bring(org, tmp_path, "churns", csv(("external_id", "reason"), ("h4", "price"))))["warned"] == 0
    twice = csv(CHURNS, ("h2", "new", "2026-04-02"), ("h2", "new", "2026-04-03"), ("h4", "new", "2026-07-01"))
    assert warnings(await bring(org, tmp_path, "churns", twice)) == [("duplicate", 1, [2]), ("further_churn", 1, [4])]


async def test_an_arr_that_is_emptied_is_told(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    head = ("external_id", "name", "arr")
    await bring(org, tmp_path, "accounts", csv(head, ("a", "A", 5000), ("b", "B", None), ("c", "C", 7000)))
    shown = await bring(
        org, tmp_path, "accounts", csv(head, ("a", "A", None), ("b", "B", None), ("d", "D", None), ("c", "C", 0))
    )
    assert (warnings(shown), counted(shown)) == ([("emptied", 1, [2])], (1, 2, 1, 0))
    lines = ({"external_id": "c", "arr": 7000}, {"external_id": "a", "name": "Ay"})
    await bring(org, tmp_path, "accounts", ndjson(*lines))
    shown = await bring(
        org, tmp_path, "accounts", ndjson({"external_id": "c", "arr": None}, {"external_id": "a", "name": "A"})
    )
    assert warnings(shown) == [("emptied", 1, [1])]
