"""Imports of every kind: what lands, what is counted, and that the same file changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.catalogue import ENTITIES
from app.domain.errors import Forbidden, Invalid, NotFound, TooLarge
from app.domain.imports import ADVICE, MEND
from app.persistence.database import Database
from app.persistence.planner import MANY
from app.services import accounts, imports, mappings, scores, segmentations
from app.services.calls import Call, Written
from app.services.importing import files
from tests.services.files import bring, counted, csv, ndjson, warnings, wrong
from tests.services.organisations import NOW, Organisation, organisation

KINDS: list[tuple[str, bytes]] = [
    ("industries", b"slug,name\nsoftware,Software\nretail,Retail\n"),
    ("products", b"name,slug,list_price\nPro,pro,1200.50\nBasic,basic,\n"),
    ("features", b"slug,name,module,is_key\nlogin,Login,core,true\nexport,Export,,false\n"),
    ("stages", b"slug,name,position\ntrial,Try-out,1\nlate,Late,9\n"),
    ("teams", b"slug,name,external_id\nsouth,South,t-2\n"),
    ("users", b"external_id,name,email,role,team\nu-1,Eva,eva@example.com,csm,south\n"),
    ("accounts", b"external_id,name,industry,stage,csm,parent,arr,country,is_reference,employees,health\na-1,One,software,trial,u-1,,100.25,DE,true,10,55.5\na-2,Two,,,eva@example.com,a-1,,,false,,\n"),
    ("contacts", b"external_id,account,name,email,role,is_primary\nc-1,a-1,Ann,ann@example.com,champion,true\n"),
    ("contracts", b"external_id,account,product,arr,start_date,end_date,auto_renew\nk-1,a-1,pro,500,2026-01-01,2026-12-31,true\n"),
    ("opportunities", b"external_id,account,product,owner,name,stage,opened_at\no-1,a-1,pro,u-1,More,open,2026-02-01\n"),
    ("interactions", b"external_id,account,contact,kind,direction,occurred_at,subject\ni-1,a-1,c-1,email,inbound,2026-11-01T10:00:00Z,\"Hi,\nyou\"\n"),
    ("invoices", b"external_id,account,status,amount,issued_at,due_at\nn-1,a-1,unpaid,99.99,2026-10-01,2026-11-01\n"),
    ("surveys", b"external_id,account,contact,kind,score,answered_at\ns-1,a-1,c-1,nps,9,2026-11-02T00:00:00+01:00\n"),
    ("tickets", b"external_id,account,status,priority,opened_at,escalated\nt-1,a-1,open,high,2026-11-03T08:00:00Z,false\n"),
    ("requests", b"external_id,account,kind,status,asked_at,amount\nr-1,a-1,discount,open,2026-11-04T08:00:00Z,5\n"),
    ("sentiments", b"external_id,account,author,score,recorded_at\nm-1,a-1,u-1,4,2026-11-05T08:00:00Z\n"),
    ("churns", b"external_id,account,churned_at,reason,refund\nh-1,a-2,2026-06-30,price,4.03\n"),
    ("usage", b"account,contact,feature,day,value\na-1,c-1,login,2026-11-20,3\na-1,,login,2026-11-20,2.5\na-1,,login,2026-11-20,1\n"),
]  # fmt: skip


async def stored(org: Organisation, table: str) -> list[Any]:
    """Every row of a table, in one order."""
    return sorted(map(repr, await org.db.fetch(f"SELECT * FROM {table} WHERE workspace_id = $1", org.workspace.id)))


async def test_every_kind_lands_and_the_same_file_changes_nothing(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    assert {kind for kind, _ in KINDS} == {name for name, entity in ENTITIES.items() if entity.imported}
    for kind, body in KINDS:
        shown = await bring(org, tmp_path, kind, body)
        assert (shown["state"], shown["rejected"], shown["unchanged"]) == ("done", 0, 0), shown
    tables = ["usage_days" if kind == "usage" else kind for kind, _ in KINDS] + ["stage_moves", "usage_windows"]
    before = {table: await stored(org, table) for table in tables}
    for kind, body in KINDS:
        shown = await bring(org, tmp_path, kind, body)
        assert counted(shown) == (0, 0, shown["rows"], 0), shown
    assert {table: await stored(org, table) for table in tables} == before


async def test_what_follows_is_right_at_once(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    for kind, body in KINDS:
        await bring(org, tmp_path, kind, body)
    rows = await org.rows(
        "SELECT external_id, name, arr, arr_by_hand, status, industry, stage, stage_since::text, nps, open_tickets, "
        "open_invoices_amount, growth_potential, sentiment, products FROM accounts WHERE workspace_id = $1 ORDER BY 1"
    )
    assert rows == [
        ("a-1", "One", 50000, 10025, "customer", "software", "trial", "2026-11-22", 9.0, 1, 9999, 120050, 4.0, ["pro"]),
        ("a-2", "Two", 0, None, "churned", None, None, None, None, 0, 0, None, None, []),
    ]
    parents = await org.rows(
        "SELECT a.external_id, p.external_id, u.external_id FROM accounts a "
        "LEFT JOIN accounts p ON p.workspace_id = $1 AND p.id = a.parent_id "
        "JOIN users u ON u.workspace_id = $1 AND u.id = a.csm_id WHERE a.workspace_id = $1 ORDER BY 1"
    )
    assert parents == [("a-1", None, "u-1"), ("a-2", "a-1", "u-1")]
    moves = await org.rows("SELECT stage, moved_at FROM stage_moves WHERE workspace_id = $1")
    assert [(stage, moved_at - NOW < timedelta(minutes=1)) for stage, moved_at in moves] == [("trial", True)]
    usage = await org.rows("SELECT amounts FROM usage_days WHERE workspace_id = $1")
    assert [sorted(row[0]) for row in usage] == [[3.0, 3.5]]
    assert await org.rows("SELECT is_active, role FROM users WHERE workspace_id = $1 AND external_id = 'u-1'") == [
        (True, "csm")
    ]
    assert await org.rows("SELECT subject FROM interactions WHERE workspace_id = $1") == [("Hi,\nyou",)]


async def test_the_planner_is_told_of_a_large_import(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    known = "SELECT reltuples::int FROM pg_class WHERE relname = $1"
    for kind, lines in (
        ("accounts", (f"a-{n},A,{n}" for n in range(MANY))),
        ("contacts", (f"c-{n},a-{n},{n}" for n in range(MANY))),
    ):
        head = {"accounts": "external_id,name,arr", "contacts": "external_id,account,name"}[kind]
        await bring(org, tmp_path, kind, "\n".join((head, *lines, "")).encode())
        assert await db.fetchval(known, kind) >= MANY, kind


async def test_columns_that_a_file_lacks_are_left_as_they_are(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await bring(
        org,
        tmp_path,
        "accounts",
        csv(("external_id", "name", "domain", "health"), ("a", "A", "a.com", 50), ("b", "B", "", "")),
    )
    shown = await bring(org, tmp_path, "accounts", csv(("health", "external_id"), ("", "a"), (70, "b"), (10, "c")))
    assert (counted(shown), wrong(shown)) == ((0, 2, 0, 1), [(4, "name", "required")])
    rows = await org.rows(
        "SELECT external_id, name, domain, health, version FROM accounts WHERE workspace_id = $1 ORDER BY 1"
    )
    assert rows == [("a", "A", "a.com", None, 2), ("b", "B", None, 70.0, 2)]


async def test_members_that_a_line_leaves_out_are_left_as_they_are(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await bring(
        org, tmp_path, "accounts", ndjson({"external_id": "a", "name": "A", "domain": "a.com", "is_reference": True})
    )
    lines = (
        {"external_id": "a", "health": 1.5},
        {"external_id": "b", "name": "B"},
        {"external_id": "c", "domain": "c.com"},
        {"external_id": "a2", "name": "A2", "domain": None, "is_reference": True},
    )
    shown = await bring(org, tmp_path, "accounts", ndjson(*lines))
    assert (counted(shown), wrong(shown)) == ((2, 1, 0, 1), [(3, "name", "required")])
    rows = await org.rows(
        "SELECT external_id, name, domain, is_reference, health FROM accounts WHERE workspace_id = $1 ORDER BY 1"
    )
    assert rows == [("a", "A", "a.com", True, 1.5), ("a2", "A2", None, True, None), ("b", "B", None, False, None)]
    again = await bring(org, tmp_path, "accounts", ndjson(*lines))
    assert counted(again) == (0, 0, 3, 1)


async def test_a_later_row_of_the_same_record_wins(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    body = csv(("external_id", "name"), ("a", "First"), ("b", "B"), ("a", "Second"), ("a", "x" * 501))
    shown = await bring(org, tmp_path, "accounts", body)
    assert counted(shown) == (2, 0, 1, 1)
    assert (warnings(shown), shown["warned"]) == ([("duplicate", 1, [2])], 1)
    assert await org.rows("SELECT name FROM accounts WHERE workspace_id = $1 ORDER BY external_id") == [
        ("Second",),
        ("B",),
    ]


async def test_usage_of_one_import_is_summed_and_a_later_one_replaces(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await bring(org, tmp_path, "accounts", csv(("external_id", "name"), ("a", "A")))
    mapping = {
        "columns": {
            "account": "account",
            "feature": {"from": "feature", "create": True},
            "day": "day",
            "value": "value",
            "external_id": "id",
        }
    }
    head = ("id", "account", "feature", "day", "value")
    first = csv(
        head,
        (1, "a", "f", "2026-11-01", 0.1),
        (2, "a", "f", "2026-11-01", 0.2),
        (2, "a", "f", "2026-11-01", 0.2),
        (2, "a", "g", "2026-11-01", 7),
    )
    shown = await bring(org, tmp_path, "usage", first, mapping)
    assert counted(shown) == (3, 0, 1, 0)
    assert warnings(shown) == [
        ("duplicate", 1, [3]), ("repeated", 1, [5]), ("made", 4, [2, 3, 4, 5]),
    ]  # fmt: skip
    assert counted(await bring(org, tmp_path, "usage", first, mapping)) == (0, 0, 4, 0)
    shown = await bring(
        org, tmp_path, "usage", csv(head, (9, "a", "f", "2026-11-01", 5), (8, "a", "f", "2026-11-02", 1)), mapping
    )
    assert counted(shown) == (1, 1, 0, 0)
    rows = await org.rows("SELECT day::text, features, amounts FROM usage_days WHERE workspace_id = $1 ORDER BY day")
    assert rows == [("2026-11-01", [1, 2], [5.0, 7.0]), ("2026-11-02", [1], [1.0])]
    sums = await org.rows("SELECT sum(last_30) FROM usage_windows WHERE workspace_id = $1")
    assert sums == [(13.0,)]


async def test_parents_may_come_in_any_order_and_never_in_a_circle(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    body = csv(
        ("external_id", "name", "parent"),
        ("leaf", "Leaf", "branch"), ("branch", "Branch", "root"), ("root", "Root", ""),
        ("x", "X", "y"), ("y", "Y", "x"), ("self", "Self", "self"), ("below", "Below", "x"), ("lost", "Lost", "nobody"),
    )  # fmt: skip
    shown = await bring(org, tmp_path, "accounts", body)
    assert counted(shown) == (3, 0, 0, 5)
    assert sorted(wrong(shown)) == [
        (5, "parent", "circle"), (6, "parent", "circle"), (7, "parent", "circle"), (8, "parent", "unknown"), (9, "parent", "unknown"),
    ]  # fmt: skip
    shown = await bring(org, tmp_path, "accounts", csv(("external_id", "parent"), ("root", "leaf")))
    assert wrong(shown) == [(2, "parent", "circle")]
    chain = [("external_id", "name", "parent"), *((f"n{i}", "N", f"n{i + 1}" if i < 70 else "") for i in range(71))]
    shown = await bring(org, tmp_path, "accounts", csv(*chain))
    assert counted(shown) == (64, 0, 0, 7)
    assert {one["code"] for one in shown["errors"]} == {"depth"}


async def test_what_hangs_below_counts_to_the_depth(db: Database, tmp_path: Path) -> None:
    """As by hand: 64 accounts in one chain, whoever of them is moved."""
    org = await organisation(db)
    high = [("external_id", "name", "parent"), *((f"h{i}", "H", f"h{i - 1}" if i else "") for i in range(40))]
    low = [("external_id", "name", "parent"), *((f"l{i}", "L", f"l{i - 1}" if i else "") for i in range(25))]
    await bring(org, tmp_path, "accounts", csv(*high))
    await bring(org, tmp_path, "accounts", csv(*low))
    move = ("external_id", "parent")
    shown = await bring(org, tmp_path, "accounts", csv(move, ("l0", "h39")))
    assert wrong(shown) == [(2, "parent", "depth")]
    with pytest.raises(Invalid):
        await accounts.upsert(db, org.call(), "l0", {"parent": "h39"}, 1)
    # One that the file itself moves on its way is as deep as its parent is then, with what hangs below it.
    shown = await bring(org, tmp_path, "accounts", csv(move, ("l0", "h39"), ("l20", "l19")))
    assert sorted(wrong(shown)) == [(2, "parent", "depth"), (3, "parent", "depth")]
    shown = await bring(org, tmp_path, "accounts", csv(move, ("l0", "h39"), ("l24", "")))
    assert counted(shown) == (0, 2, 0, 0)
    # The chain of 64 takes nobody in, and what is refused stays where it was: also for those that count on it.
    shown = await bring(
        org,
        tmp_path,
        "accounts",
        csv(("external_id", "name", "parent"), ("h0", "H", "l24"), ("l24", "L", ""), ("n", "N", "l23")),
    )
    assert sorted(wrong(shown)) == [(2, "parent", "depth"), (4, "parent", "depth")]
    shown = await bring(org, tmp_path, "accounts", csv(move, ("h1", ""), ("h0", "h20")))
    assert counted(shown) == (0, 2, 0, 0)
    shown = await bring(org, tmp_path, "accounts", csv(move, ("h1", "h0"), ("h0", "x")))
    assert sorted(wrong(shown)) == [(2, "parent", "circle"), (3, "parent", "unknown")]


async def test_an_account_has_one_primary_contact(db: Database, tmp_path: Path) -> None:
    """The last row that says so; a file that was sent already changes nothing."""
    org = await organisation(db)
    await bring(org, tmp_path, "accounts", csv(("external_id", "name"), ("a", "A"), ("b", "B")))
    head = ("external_id", "account", "name", "is_primary")
    await bring(org, tmp_path, "contacts", csv(head, ("1", "a", "One", "true"), ("9", "b", "Nine", "true")))
    told = csv(head, ("2", "a", "Two", "true"), ("3", "a", "Three", "true"), ("4", "a", "Four", "false"))
    assert counted(await bring(org, tmp_path, "contacts", told)) == (3, 0, 0, 0)
    primaries = "SELECT external_id FROM contacts WHERE workspace_id = $1 AND is_primary ORDER BY 1"
    assert await org.rows(primaries) == [("3",), ("9",)]
    before = await stored(org, "contacts")
    assert counted(await bring(org, tmp_path, "contacts", told)) == (0, 0, 3, 0)
    assert await stored(org, "contacts") == before
    # One that comes along as the primary one, as it does by hand.
    await bring(org, tmp_path, "contacts", csv(("external_id", "account"), ("9", "a")))
    assert await org.rows(primaries) == [("9",)]
    rows = await org.rows(
        "SELECT c.external_id FROM accounts a JOIN contacts c ON c.workspace_id = $1 AND c.id = a.primary_contact_id WHERE a.workspace_id = $1"
    )
    assert rows == [("9",)]


async def test_identifiers_that_are_taken_are_refused_row_by_row(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    head = ("external_id", "name", "email", "role")
    body = csv(
        head, ("new", "N", "csm@example.com", "csm"), ("n2", "N", "n@example.com", "csm"), ("n3", "N", "n@example.com", "csm"),
        ("csm", "Renamed", "csm@example.com", "viewer"),
    )  # fmt: skip
    shown = await bring(org, tmp_path, "users", body)
    assert counted(shown) == (1, 1, 0, 2)
    assert wrong(shown) == [(2, "email", "taken"), (4, "email", "taken")]
    by_mail = await bring(org, tmp_path, "users", csv(("email", "name"), ("csm@example.com", "Once more")))
    assert counted(by_mail) == (0, 1, 0, 0)
    teams = await bring(org, tmp_path, "teams", csv(("slug", "name", "external_id"), ("a", "A", "t"), ("b", "B", "t")))
    assert wrong(teams) == [(3, "external_id", "taken")]


async def test_a_contact_belongs_to_the_row_s_account(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await bring(org, tmp_path, "accounts", csv(("external_id", "name"), ("a", "A"), ("b", "B")))
    await bring(
        org,
        tmp_path,
        "contacts",
        csv(("external_id", "account", "name", "email"), ("c", "a", "C", "c@x"), ("d", "b", "D", "c@x")),
    )
    head = ("external_id", "account", "contact", "kind", "score", "answered_at")
    rows = [("s1", "a", "c"), ("s2", "b", "c"), ("s3", "a", "nobody")]
    shown = await bring(
        org, tmp_path, "surveys", csv(head, *((*row, "nps", 9, "2026-11-01T00:00:00Z") for row in rows))
    )
    assert wrong(shown) == [(3, "contact", "foreign"), (4, "contact", "unknown")]
    columns = {name: name for name in head} | {"contact": {"from": "contact", "ref": "email"}}
    body = csv(head, *((i, a, "c@x", "nps", 5, "2026-11-02T00:00:00Z") for i, a in (("m1", "a"), ("m2", "b"))))
    assert counted(await bring(org, tmp_path, "surveys", body, {"columns": columns})) == (2, 0, 0, 0)
    found = await org.rows(
        "SELECT s.external_id, c.external_id FROM surveys s JOIN contacts c ON c.workspace_id = $1 AND c.id = s.contact_id "
        "WHERE s.workspace_id = $1 ORDER BY 1"
    )
    assert found == [("m1", "c"), ("m2", "d"), ("s1", "c")]


async def test_another_workspace_s_records_are_unknown(db: Database, tmp_path: Path) -> None:
    org, other = await organisation(db), await organisation(db)
    await bring(other, tmp_path, "accounts", csv(("external_id", "name"), ("theirs", "T")))
    identity = (await other.rows("SELECT id FROM accounts WHERE workspace_id = $1"))[0][0]
    shown = await bring(org, tmp_path, "contacts", csv(("external_id", "account", "name"), ("c", "theirs", "C")))
    assert wrong(shown) == [(2, "account", "unknown")]
    shown = await bring(org, tmp_path, "contacts", csv(("external_id", "account_id", "name"), ("c", identity, "C")))
    assert wrong(shown) == [(2, "account_id", "unknown")]


async def test_memberships_are_right_after_an_import(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    body = {"name": "R", "kind": "rules", "segments": [{"slug": "high", "name": "High", "criteria": "arr >= 1000"}]}
    await segmentations.put(db, org.call(), "tier", body, None)
    await bring(org, tmp_path, "accounts", csv(("external_id", "name", "arr"), ("a", "A", 2000), ("b", "B", 1)))
    rows = await org.rows(
        "SELECT a.external_id, m.segment FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id "
        "WHERE m.workspace_id = $1 ORDER BY 1"
    )
    assert [segment == "high" for _, segment in rows] == [True, False]


async def chunked(body: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def over(org: Organisation, written: Written) -> dict[str, Any]:
    """The resource once nobody is at it."""
    shown: dict[str, Any] = {}
    for _ in range(200):
        shown = msgspec.json.decode(await imports.get(org.db, org.as_("admin"), written.id, NOW))
        if shown["state"] in ("done", "failed"):
            return shown
        await asyncio.sleep(0.05)
    raise AssertionError(shown)


BODY = csv(("external_id", "name", "arr"), ("a", "A", "1.001"), ("b", "B", 2))


async def test_a_received_file_is_imported_after_the_answer(db: Database) -> None:
    org = await organisation(db)
    written = await imports.start(db, org.call(), "accounts", "text/csv; charset=utf-8", None, chunked(BODY))
    staged = msgspec.json.decode(written.body)
    assert (staged["state"], staged["kind"], staged["rows"], written.created) == ("staged", "accounts", 0, True)
    shown = await over(org, written)
    assert (counted(shown), wrong(shown)) == ((1, 0, 0, 1), [(2, "arr", "decimals")])
    found, places, more = await imports.errors(db, org.as_("admin"), written.id, 1, None)
    assert msgspec.json.decode(found[0])["code"] == "decimals"
    assert (len(places), more) == (1, False)
    listed, _ = await imports.latest(db, org.as_("manager"), 10, None)
    assert [msgspec.json.decode(one)["id"] for one in listed] == [str(written.id)]


async def test_the_same_key_and_file_are_one_import(db: Database) -> None:
    org = await organisation(db)

    async def send(body: bytes, key: str) -> Written:
        call = Call(org.as_("admin"), NOW, key, b"POST")
        return await imports.start(db, call, "accounts", "text/csv", None, chunked(body))

    first, second = await send(BODY, "k"), await send(BODY, "k")
    assert (first.id, first.body) == (second.id, second.body)
    assert (await send(BODY, "other")).id != first.id
    await over(org, first)


async def test_errors_are_paged_by_line(db: Database) -> None:
    org = await organisation(db)
    body = csv(("external_id", "name", "arr"), *((f"a{i}", "", "x") for i in range(120)))
    written = await imports.start(db, org.call(), "accounts", "text/csv", None, chunked(body, 4096))
    shown = await over(org, written)
    assert (shown["rejected"], len(shown["errors"])) == (120, 100)
    assert {(one["code"], one["count"]) for one in shown["summary"]} == {("empty", 120), ("money", 120)}
    seen: list[tuple[int, str]] = []
    after: str | None = None
    while True:
        found, places, more = await imports.errors(db, org.as_("admin"), written.id, 50, after)
        seen += [(one["line"], one["code"]) for one in map(msgspec.json.decode, found)]
        if not more:
            break
        after = places[-1]
    assert sorted(seen) == sorted((line, code) for line in range(2, 122) for code in ("empty", "money"))
    with pytest.raises(Invalid):
        await imports.errors(db, org.as_("admin"), written.id, 50, "1")


async def test_who_may_import(db: Database) -> None:
    org = await organisation(db)
    for role in ("csm", "viewer"):
        with pytest.raises(Forbidden):
            await imports.start(db, org.call(role), "accounts", "text/csv", None, chunked(BODY))
    service = Call(org.as_("service", "import"), NOW)
    written = await imports.start(db, service, "accounts", "text/csv", None, chunked(BODY))
    await over(org, written)
    with pytest.raises(Forbidden):
        await imports.start(db, org.call("manager"), "users", "text/csv", None, chunked(b"email,name\n"))
    with pytest.raises(Forbidden):
        await imports.get(db, org.as_("viewer"), written.id)
    with pytest.raises(NotFound):
        await imports.get(db, (await organisation(db)).as_("admin"), written.id)


async def test_what_cannot_be_an_import_is_refused_at_once(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await organisation(db)
    for kind, media, mapping in (
        ("account", "text/csv", None), ("accounts", "application/json", None), ("accounts", "text/csv", "nowhere"),
        ("accounts", "text/csv", b"{"), ("accounts", "text/csv", b'{"columns": {"nam": "x"}}'),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            await imports.start(db, org.call(), kind, media, mapping, chunked(BODY))
    with pytest.raises(TooLarge):
        await files.spool(chunked(BODY), limit=10)
    assert await org.rows("SELECT id FROM imports WHERE workspace_id = $1") == []


async def test_a_mapping_is_kept_by_name(db: Database) -> None:
    org = await organisation(db)
    told = {"kind": "accounts", "columns": {"external_id": "id", "name": "title"}, "constants": {"region": "EMEA"}}
    await mappings.put(db, org.call("manager"), "crm", told)
    assert msgspec.json.decode(await mappings.get(db, org.as_("admin"), "crm")) == {"name": "crm", "mapping": told}
    assert len(await mappings.every(db, org.as_("admin"))) == 1
    written = await imports.start(
        db, org.call(), "accounts", "text/csv", "crm", chunked(csv(("title", "id"), ("A", "a")))
    )
    assert counted(await over(org, written)) == (1, 0, 0, 0)
    assert await org.rows("SELECT external_id, name, region FROM accounts WHERE workspace_id = $1") == [
        ("a", "A", "EMEA")
    ]
    with pytest.raises(NotFound):
        await mappings.get(db, org.as_("admin"), "nothing")


async def test_an_import_whose_process_is_gone_is_failed(db: Database) -> None:
    org = await organisation(db)
    written = await imports.start(db, org.call(), "accounts", "text/csv", None, chunked(BODY))
    await over(org, written)
    await org.run(
        "UPDATE imports SET state = 'running', finished_at = NULL, alive_at = $2 WHERE workspace_id = $1", NOW
    )
    later = NOW + imports.SILENT * 2
    assert msgspec.json.decode(await imports.get(db, org.as_("admin"), written.id, NOW))["state"] == "running"
    assert msgspec.json.decode(await imports.get(db, org.as_("admin"), written.id, later))["state"] == "failed"


async def test_many_chunks_of_both_doors_at_once_stand_in_nobody_s_way(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    body = csv(("external_id", "name", "arr"), *((f"a{i}", "A", i) for i in range(3000)))
    turned = csv(("external_id", "name", "arr"), *((f"a{i}", "A", i) for i in reversed(range(3000))))
    one, two = await asyncio.gather(bring(org, tmp_path, "accounts", body), bring(org, tmp_path, "accounts", turned))
    assert {one["state"], two["state"]} == {"done"}
    assert await org.rows("SELECT count(*), sum(arr) FROM accounts WHERE workspace_id = $1") == [(3000, 449850000)]


async def test_contracts_that_cannot_be_right_land_with_a_warning(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await bring(org, tmp_path, "accounts", b"external_id,name\na-1,One\n")
    body = b"external_id,account,arr,start_date,end_date\nk-1,a-1,5,2026-02-01,2026-01-01\nk-2,a-1,-5,2026-01-01,2026-12-31\n"
    shown = await bring(org, tmp_path, "contracts", body)
    assert counted(shown) == (2, 0, 0, 0)
    assert warnings(shown) == [("ends_first", 1, [2]), ("negative", 1, [3])]


async def test_health_is_not_taken_from_files_where_a_model_gives_it(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    measures = [{"of": "case_studies", "worst": 0, "best": 10}]
    await scores.put(db, org.call(), {"health": {"source": "model", "measures": measures}}, 1)
    body = csv(("external_id", "name", "case_studies", "health"), ("a", "A", 2, 90), ("b", "B", 3, 80))
    shown = await bring(org, tmp_path, "accounts", body)
    assert (warnings(shown), shown["rejected"]) == ([("modelled", 1, [1])], 0)
    kept = "SELECT external_id, health, version FROM accounts WHERE workspace_id = $1 ORDER BY 1"
    assert await org.rows(kept) == [("a", 20.0, 1), ("b", 30.0, 1)]
    assert counted(await bring(org, tmp_path, "accounts", body)) == (0, 0, 2, 0)
    assert await org.rows(kept) == [("a", 20.0, 1), ("b", 30.0, 1)]
    lines = [{"external_id": "a", "case_studies": 4}, {"external_id": "b", "employees": 9, "health": 1}]
    for n, codes in ((1, []), (2, ["modelled"])):
        shown = await bring(org, tmp_path, "accounts", ndjson(*lines[:n]))
        assert [code for code, _, _ in warnings(shown)] == codes
    assert await org.rows(kept) == [("a", 40.0, 2), ("b", 30.0, 2)]


async def test_columns_that_a_mapping_does_not_name_are_told(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    mapping = {"columns": {"external_id": "id", "name": "title"}}
    shown = await bring(
        org, tmp_path, "accounts", csv(("id", "title", "colour", "size"), ("a", "A", "red", 5)), mapping
    )
    assert (counted(shown), shown["warned"]) == ((1, 0, 0, 0), 0)
    (entry,) = shown["summary"]
    assert (entry["code"], entry["column"], entry["is_warning"], entry["count"]) == ("unmapped", None, True, 2)
    assert [one["name"] for one in entry["names"]] == ["colour", "size"]
    shown = await bring(org, tmp_path, "accounts", ndjson({"id": "a", "title": "A", "colour": "red"}), mapping)
    assert warnings(shown) == [("unmapped", 1, [1])]
    shown = await bring(org, tmp_path, "accounts", csv(("external_id", "name"), ("a", "A")))
    assert shown["summary"] == []


async def test_what_is_made_on_the_way_is_told(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await org.industry("retail")
    mapping = {
        "columns": {"external_id": "id", "name": "id", "industry": {"from": "sector", "slugify": True, "create": True}}
    }
    rows = (("a", "Retail"), ("b", "Retial"), ("c", "Retial"), ("x" * 501, "Never"), ("d", ""), ("e", "Banks"))
    body = csv(("id", "sector"), *rows)
    shown = await bring(org, tmp_path, "accounts", body, mapping)
    assert counted(shown) == (5, 0, 0, 1)
    made = {
        "code": "made", "column": "sector", "is_warning": True, "count": 3, "lines": [3, 4, 7],
        "message": "2 of the industries made on the way, not being there yet.", "advice": ADVICE["made"],
        "names": [{"name": "retial", "count": 2, "lines": [3, 4]}, {"name": "banks", "count": 1, "lines": [7]}],
    }  # fmt: skip
    assert [one for one in shown["summary"] if one["is_warning"]] == [made]
    assert (shown["summary"][0]["code"], shown["summary"][0]["advice"]) == ("text", MEND)
    assert warnings(await bring(org, tmp_path, "accounts", body, mapping)) == []


async def test_a_template_stands_around_the_text(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    people = {
        "columns": {
            "external_id": {"from": "id", "template": "hr-{}"},
            "name": "name",
            "email": {
                "from": "name",
                "slugify": True,
                "template": "{}@example.invalid",
                "default": "nobody@example.invalid",
            },
        },
        "constants": {"role": "csm"},
    }
    owned = {
        "columns": {
            "external_id": {"from": "id", "map": {"none": None}, "template": "crm-{}'s"},
            "name": {"from": "id", "template": "Account {}"},
            "csm": {"from": "owner", "ref": "external_id", "template": "hr-{}"},
        }
    }
    users = ({"id": 1, "name": "Mei-Mei O'Hara"}, {"id": "2", "name": "?"})
    accounts = ({"id": 7, "owner": 1}, {"id": "8", "owner": None}, {"id": "none"}, {"id": "9", "owner": 3})
    for told in (ndjson(*users), csv(("id", "name"), (1, "Mei-Mei O'Hara"), (2, "?"))):
        assert (await bring(org, tmp_path, "users", told, people))["rejected"] == 0
        assert await org.rows(
            "SELECT external_id, email FROM users WHERE workspace_id = $1 AND external_id LIKE 'hr-%' ORDER BY 1"
        ) == [("hr-1", "mei-mei-o-hara@example.invalid"), ("hr-2", "nobody@example.invalid")]
    for told in (ndjson(*accounts), csv(("id", "owner"), (7, 1), (8, ""), ("none", ""), (9, 3))):
        shown = await bring(org, tmp_path, "accounts", told, owned)
        assert wrong(shown)[-2:] == [
            (len(told.splitlines()) - 1, "id", "empty"),
            (len(told.splitlines()), "owner", "unknown"),
        ]
        assert await org.rows(
            "SELECT a.external_id, a.name, u.external_id FROM accounts a LEFT JOIN users u ON u.workspace_id = $1 AND u.id = a.csm_id"
            " WHERE a.workspace_id = $1 ORDER BY 1"
        ) == [("crm-7's", "Account 7", "hr-1"), ("crm-8's", "Account 8", None)]


async def test_an_empty_text_of_ndjson_is_refused_as_in_a_body(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    lines = (
        {"external_id": "a", "name": "A", "domain": ""},
        {"external_id": "b", "name": ""},
        {"external_id": "c", "name": "C", "domain": None, "health": 5},
    )
    shown = await bring(org, tmp_path, "accounts", ndjson(*lines))
    assert (counted(shown), wrong(shown)) == ((1, 0, 0, 2), [(1, "domain", "hollow"), (2, "name", "blank")])
    assert await org.rows("SELECT external_id, domain FROM accounts WHERE workspace_id = $1") == [("c", None)]


async def test_what_lines_of_ndjson_leave_out_of_new_records(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    await bring(org, tmp_path, "accounts", csv(("external_id", "name"), ("a", "A")))
    await bring(org, tmp_path, "products", csv(("slug", "name", "list_price"), ("pro", "Pro", 7)))
    await bring(org, tmp_path, "features", csv(("slug", "name"), ("f", "F")))
    deal = {"account": "a", "name": "D", "stage": "open", "opened_at": "2026-01-01"}
    lines = (
        {**deal, "external_id": "1", "amount": 5},
        {**deal, "external_id": "2", "product": "pro"},
        {**deal, "external_id": "3"},
    )
    shown = await bring(org, tmp_path, "opportunities", ndjson(*lines))
    assert (counted(shown), wrong(shown)) == ((2, 0, 0, 1), [(3, "amount", "empty")])
    assert await org.rows("SELECT amount FROM opportunities WHERE workspace_id = $1 ORDER BY external_id") == [
        (500,),
        (700,),
    ]
    used = {"account": "a", "feature": "f", "day": "2026-01-01"}
    shown = await bring(org, tmp_path, "usage", ndjson({**used, "value": 1}, used))
    assert (counted(shown), wrong(shown)) == ((1, 0, 0, 1), [(2, "value", "empty")])
