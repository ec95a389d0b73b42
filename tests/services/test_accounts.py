"""Accounts: create, change, upsert, archive, restore, delete."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.domain.catalogue import ENTITIES, Field
from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence import accounts as rows
from app.persistence import tables
from app.persistence import workspaces as kept
from app.persistence.database import Database
from app.services import accounts, records, scores, usage
from app.services.calls import Written, new_id
from tests.services.organisations import NOW, Organisation, document, organisation

CONTRACT = (
    "INSERT INTO contracts (workspace_id, id, account_id, arr, start_date, created_at, updated_at)"
    " VALUES ($1, $2, $3, 500000, '2026-01-01', $4, $4)"
)
OPPORTUNITY = (
    "INSERT INTO opportunities (workspace_id, id, account_id, name, stage, amount, opened_at, created_at, updated_at)"
    " VALUES ($1, $2, $3, 'More', 'open', 100, '2026-01-01', $4, $4)"
)
CHURN = (
    "INSERT INTO churns (workspace_id, id, account_id, churned_at, reason, created_at, updated_at)"
    " VALUES ($1, $2, $3, '2026-01-01', 'price', $4, $4)"
)

SEGMENTATION = (
    "INSERT INTO segmentations (workspace_id, id, slug, name, kind, spec, segments, rest, cuts, state, created_at, updated_at)"
    " VALUES ($1, $2, 'side', 'Side', 'rules', '{}', $3, 'out', '{}', 'ok', $4, $4)"
)


async def make(org: Organisation, role: str = "admin", **body: Any) -> Written:
    return await accounts.create(org.db, org.call(role), {"name": "Acme", **body})


async def change(org: Organisation, written: Written, role: str = "admin", **body: Any) -> Written:
    return await accounts.change(org.db, org.call(role), written.id, body, written.version)


def pointers(error: Invalid | Conflict) -> list[str | None]:
    return [fault.pointer for fault in error.faults]


async def test_a_new_account_answers_whole(db: Database) -> None:
    org = await organisation(db)
    await org.industry("retail")
    parent = await make(org, external_id="p-1")
    written = await make(
        org, name="Child", external_id="c-1", industry="retail", stage="trial", csm="csm@example.com", parent="p-1",
        arr=Decimal("1234.56"), cost_to_serve=1000, health=71, seats_licensed=10, seats_active=5, renewal_date="2027-01-31",
        country="DE", domain=None, is_reference=True,
    )  # fmt: skip
    shown = document(written.body)
    assert (written.version, written.created, shown["id"]) == (1, True, str(written.id))
    expected = {
        "name": "Child", "external_id": "c-1", "industry": "retail", "stage": "trial", "stage_since": "2026-11-22",
        "csm_id": str(org.user("csm")), "parent_id": str(parent.id), "health": 71, "renewal_date": "2027-01-31",
        "country": "DE", "domain": None, "is_reference": True, "version": 1, "archived_at": None,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected
    stored = await org.rows(
        "SELECT arr, mrr, margin, seat_utilisation FROM accounts WHERE workspace_id = $1 AND id = $2", written.id
    )
    assert stored == [(123456, 10288, 23456, 0.5)]
    moves = await org.rows(
        "SELECT stage, moved_at, actor_id FROM stage_moves WHERE workspace_id = $1 AND account_id = $2", written.id
    )
    assert moves == [("trial", NOW, org.user("admin"))]


async def test_only_what_is_given_changes(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, arr=10, domain="a.example", csm_id=str(org.user("csm")))
    changed = await change(org, made, name="Beta", domain=None)
    shown = document(changed.body)
    assert (shown["name"], shown["domain"], shown["csm_id"], shown["arr"]) == ("Beta", None, str(org.user("csm")), 10)
    assert (changed.version, changed.created, shown["version"]) == (2, False, 2)


async def test_nothing_new_is_no_new_version(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, arr=10, stage="trial")
    for body in ({}, {"name": "Acme"}, {"arr": Decimal("10.00"), "stage": "trial", "health": None}):
        assert await change(org, made, **body) == Written(made.id, 1, made.body, created=False)


async def test_a_stale_version_is_refused(db: Database) -> None:
    org = await organisation(db)
    made = await make(org)
    await change(org, made, name="B")
    with pytest.raises(VersionStale):
        await change(org, made, name="C")
    with pytest.raises(VersionRequired):
        await accounts.change(db, org.call(), made.id, {"name": "C"}, None)


async def test_twenty_writers_of_one_field_lose_no_update(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, case_studies=0)

    async def add_one() -> int:
        tries = 0
        while True:
            tries += 1
            row = (
                await org.rows(
                    "SELECT case_studies, version FROM accounts WHERE workspace_id = $1 AND id = $2", made.id
                )
            )[0]
            try:
                await accounts.change(db, org.call(), made.id, {"case_studies": row[0] + 1}, row[1])
            except VersionStale:
                continue
            return tries

    tries = await asyncio.gather(*(add_one() for _ in range(20)))
    assert sum(tries) >= 20
    assert await org.rows(
        "SELECT case_studies, version FROM accounts WHERE workspace_id = $1 AND id = $2", made.id
    ) == [(20, 21)]


async def test_what_related_records_say_is_not_set_by_hand(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, arr=5000, growth_potential=7)
    for sql in (CONTRACT, OPPORTUNITY, CHURN):
        await org.run(sql, new_id(), made.id, NOW)
    with pytest.raises(Invalid) as caught:
        await change(
            org, made, arr=1, renewal_date="2027-01-01", seats_licensed=3, growth_potential=2, churned_at="2026-01-02",
            churn_reason="x", name="B",
        )  # fmt: skip
    assert pointers(caught.value) == [
        "/arr", "/renewal_date", "/seats_licensed", "/growth_potential", "/churned_at", "/churn_reason",
    ]  # fmt: skip
    assert "contracts" in caught.value.faults[0].message
    assert (await change(org, made, arr=5000, name="B")).version == 2


async def test_references_lead_somewhere_within_the_workspace(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    await org.industry("retail")
    await other.industry("mining")
    foreign = await make(other, external_id="far")
    await org.run("UPDATE users SET is_active = false WHERE workspace_id = $1 AND id = $2", org.user("other"))
    with pytest.raises(Invalid) as caught:
        await make(org, industry="retial", stage="trail", csm="other", parent="far")
    told = {f.pointer: f.suggestion for f in caught.value.faults}
    assert told == {"/industry": "retail", "/stage": "trial", "/csm": None, "/parent": None}
    for body in (
        {"csm_id": str(other.user("csm"))}, {"parent_id": str(foreign.id)}, {"csm": str(other.user("csm"))},
        {"industry": "mining"}, {"csm": "nobody@example.com"}, {"parent_id": str(new_id())},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            await make(org, **body)


async def test_no_account_is_above_itself(db: Database) -> None:
    org = await organisation(db)
    first = await make(org)
    second = await make(org, parent_id=str(first.id))
    third = await make(org, parent_id=str(second.id))
    for parent in (first, second, third):
        with pytest.raises(Invalid) as caught:
            await change(org, first, parent_id=str(parent.id))
        assert pointers(caught.value) == ["/parent_id"]
    moved = await change(org, second, parent_id=None)
    await change(org, first, parent_id=str(moved.id))


async def test_two_at_once_close_no_circle(db: Database) -> None:
    org = await organisation(db)
    for _ in range(5):
        one, two = await make(org), await make(org)
        results = await asyncio.gather(
            change(org, one, parent_id=str(two.id)), change(org, two, parent_id=str(one.id)), return_exceptions=True
        )
        assert sorted(type(result).__name__ for result in results) == ["Invalid", "Written"]


async def test_parents_are_bounded(db: Database) -> None:
    org = await organisation(db)
    ids = [new_id() for _ in range(64)]
    sql = (
        "INSERT INTO accounts (workspace_id, id, name, parent_id, created_at, updated_at)"
        " SELECT $1, u.id, 'x', u.parent, $4, $4 FROM unnest($2::uuid[], $3::uuid[]) AS u(id, parent)"
    )
    parents: list[UUID | None] = [None, *ids[:-1]]
    await org.run(sql, ids, parents, NOW)
    made = await make(org)
    with pytest.raises(Invalid):
        await change(org, made, parent_id=str(ids[-1]))
    await change(org, made, parent_id=str(ids[-2]))


async def test_an_external_id_is_taken_once(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    made = await make(org, external_id="a-1")
    await make(other, external_id="a-1")
    with pytest.raises(Conflict) as caught:
        await make(org, external_id="a-1")
    assert pointers(caught.value) == ["/external_id"]
    assert str(made.id) in caught.value.detail
    second = await make(org)
    with pytest.raises(Conflict):
        await change(org, second, external_id="a-1")
    assert document((await change(org, second, external_id="a-2")).body)["external_id"] == "a-2"


async def test_upsert_makes_and_then_changes(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.upsert(db, org.call(), "a-1", {"name": "Acme", "arr": 5}, None)
    assert (made.created, document(made.body)["external_id"]) == (True, "a-1")
    with pytest.raises(VersionRequired):
        await accounts.upsert(db, org.call(), "a-1", {"name": "Beta"}, None)
    changed = await accounts.upsert(db, org.call(), "a-1", {"external_id": "a-1", "health": 5}, 1)
    shown = document(changed.body)
    assert (changed.id, changed.created, changed.version) == (made.id, False, 2)
    assert (shown["name"], shown["arr"], shown["health"]) == ("Acme", 5, 5)
    with pytest.raises(VersionStale):
        await accounts.upsert(db, org.call(), "a-2", {"name": "Acme"}, 1)
    for body in ({"external_id": "b", "name": "x"}, {"health": 5}):
        with pytest.raises(Invalid):
            await accounts.upsert(db, org.call(), "a-2", body, None)
    with pytest.raises(Invalid):
        await accounts.upsert(db, org.call(), "", {"name": "x"}, None)


async def test_upserts_at_once_make_one_account(db: Database) -> None:
    org = await organisation(db)
    results = await asyncio.gather(
        *(accounts.upsert(db, org.call(), "a-1", {"name": "Acme"}, None) for _ in range(12)), return_exceptions=True
    )
    assert sum(isinstance(result, Written) for result in results) == 1
    assert all(isinstance(result, Written | Conflict | VersionRequired) for result in results)


async def test_archived_accounts_come_back(db: Database) -> None:
    org = await organisation(db)
    made = await make(org)
    archived = await accounts.archive(db, org.call(), made.id, 1)
    assert document(archived.body)["archived_at"] is not None
    assert (await accounts.archive(db, org.call(), made.id, 2)) == archived
    restored = await accounts.restore(db, org.call(), made.id, 2)
    assert (restored.version, document(restored.body)["archived_at"]) == (3, None)
    with pytest.raises(VersionStale):
        await accounts.archive(db, org.call(), made.id, 1)


async def test_stages_keep_their_history(db: Database) -> None:
    org = await organisation(db, zone="Pacific/Auckland")
    made = await make(org)
    now, version = NOW, 1
    for stage in ("trial", "adoption", None):
        now += timedelta(days=1)
        written = await accounts.change(db, org.call("manager", now=now), made.id, {"stage": stage}, version)
        version = written.version
    moves = await org.rows(
        "SELECT stage, moved_at, actor_id FROM stage_moves WHERE workspace_id = $1 AND account_id = $2 ORDER BY moved_at",
        made.id,
    )
    actor = org.user("manager")
    assert moves == [(s, NOW + timedelta(days=n), actor) for n, s in enumerate(("trial", "adoption", None), 1)]
    again = await accounts.change(db, org.call(now=NOW), made.id, {"stage": "trial"}, version)
    assert document(again.body)["stage_since"] == "2026-11-23"


async def test_own_attributes_are_merged(db: Database) -> None:
    org = (await organisation(db)).with_workspace(
        attributes={
            ("accounts", "region"): Field("region", "enum", optional=True, values=("emea", "apac")),
            ("accounts", "budget"): Field("budget", "number", optional=True),
            ("accounts", "since"): Field("since", "date", optional=True),
        }
    )
    stored = "SELECT custom FROM accounts WHERE workspace_id = $1 AND id = $2"
    made = await make(org, custom={"region": "emea", "budget": Decimal("1.5"), "since": "2026-01-01"})
    assert document((await org.rows(stored, made.id))[0][0]) == {
        "region": "emea",
        "budget": Decimal("1.5"),
        "since": "2026-01-01",
    }
    changed = await change(org, made, custom={"region": "apac", "since": None})
    assert document((await org.rows(stored, made.id))[0][0]) == {"region": "apac", "budget": Decimal("1.5")}
    with pytest.raises(Invalid) as caught:
        await change(org, changed, custom={"regoin": "apac"})
    assert [(f.pointer, f.suggestion) for f in caught.value.faults] == [("/custom/regoin", "region")]
    await change(org, changed, custom={"region": None, "budget": None})
    assert (await org.rows(stored, made.id))[0][0] is None


async def test_another_workspaces_account_cannot_be_told_from_none(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    foreign = await make(other, external_id="x")
    for identity in (foreign.id, new_id()):
        for version in (1, 2, None):
            for call in (org.call(), org.call("csm")):
                with pytest.raises(NotFound):
                    await accounts.change(db, call, identity, {"name": "B"}, version)
                with pytest.raises(NotFound):
                    await accounts.archive(db, call, identity, version)
                with pytest.raises(NotFound):
                    await accounts.restore(db, call, identity, version)
    assert (await accounts.upsert(db, org.call(), "x", {"name": "Mine"}, None)).created


async def test_a_csm_writes_their_own_accounts(db: Database) -> None:
    org = await organisation(db)
    mine = await make(org, csm="csm")
    assert (await change(org, mine, "csm", name="B")).version == 2
    theirs = await make(org, csm="other")
    with pytest.raises(Forbidden):
        await change(org, theirs, "csm", name="B")
    with pytest.raises(Forbidden):
        await accounts.upsert(db, org.call("csm"), "new", {"name": "B"}, None)


@pytest.mark.parametrize(
    ("criteria", "body", "off"),
    [
        ("margin > 5", {"cost_to_serve": 1}, {"cost_to_serve": 1000}),
        ('health_band = "green"', {"health": 90}, {"health": 10}),
        ('stage = "trial"', {"stage": "trial"}, {"stage": None}),
        ("arr > 100", {"arr": 101}, {"arr": 99}),
        ("version = 2", {"name": "B"}, {"name": "C"}),
        ('name = "B"', {"name": "B"}, {"name": "C"}),
    ],
)
async def test_segments_follow_every_change(
    db: Database, criteria: str, body: dict[str, Any], off: dict[str, Any]
) -> None:
    org = await organisation(db)
    segments = msgspec.json.encode([{"slug": "in", "name": "In", "criteria": criteria}])
    await org.run(SEGMENTATION, new_id(), segments, NOW)
    made = await make(org, arr=50)
    stands = "SELECT segment FROM members WHERE workspace_id = $1 AND account_id = $2"
    assert await org.rows(stands, made.id) == [("out",)]
    inside = await change(org, made, **body)
    assert await org.rows(stands, made.id) == [("in",)]
    await change(org, inside, **off)
    assert await org.rows(stands, made.id) == [("out",)]


EACH: dict[str, dict[str, Any]] = {
    "contracts": {"arr": 1, "start_date": "2026-01-01"},
    "opportunities": {"name": "More", "stage": "open", "amount": 1, "opened_at": "2026-11-01"},
    "interactions": {"kind": "call", "direction": "inbound", "occurred_at": "2026-11-20T10:00:00Z", "contact": "p-1"},
    "invoices": {"status": "paid", "amount": 1, "issued_at": "2026-11-01", "due_at": "2026-12-01"},
    "surveys": {"kind": "nps", "score": 9, "answered_at": "2026-11-20T10:00:00Z", "contact": "p-1"},
    "tickets": {"status": "open", "priority": "low", "opened_at": "2026-11-20T10:00:00Z", "contact": "p-1"},
    "requests": {"kind": "other", "status": "open", "asked_at": "2026-11-20T10:00:00Z"},
    "sentiments": {"score": 4, "recorded_at": "2026-11-20T10:00:00Z"},
    "churns": {"churned_at": "2026-11-01"},
}


async def with_everything(org: Organisation) -> Written:
    """An account in a segment and in a stage, with a record of every kind, a day of usage, and a child."""
    segments = msgspec.json.encode([{"slug": "in", "name": "In", "criteria": "arr > 0"}])
    await org.run(SEGMENTATION, new_id(), segments, NOW)
    made = await make(org, external_id="a-1", csm="csm", stage="trial")
    await records.create(
        org.db, org.call(), "contacts", {"account": "a-1", "external_id": "p-1", "name": "Ada", "is_primary": True}
    )
    for entity, body in EACH.items():
        await records.create(org.db, org.call(), entity, {"account": "a-1", **body})
    await records.create(org.db, org.call(), "features", {"name": "Reports", "slug": "reports"})
    rows = [{"account": "a-1", "contact": "p-1", "feature": "reports", "day": "2026-11-20", "value": 1}]
    await usage.put(org.db, org.call(), {"rows": rows})
    await org.run(
        "INSERT INTO pins (workspace_id, segmentation_id, account_id, segment, reason, pinned_at) "
        "SELECT $1, id, $2, 'in', 'A pilot.', $3 FROM segmentations WHERE workspace_id = $1",
        made.id, NOW,
    )  # fmt: skip
    await org.run("INSERT INTO stage_verdicts (workspace_id, account_id, stage) VALUES ($1, $2, 'trial')", made.id)
    await org.run(
        "INSERT INTO steps_done (workspace_id, segmentation_id, account_id, since, plan, step, done_at) "
        "SELECT $1, id, $2, $3, 'playbook', 'Kick-off', $3 FROM segmentations WHERE workspace_id = $1",
        made.id, NOW,
    )  # fmt: skip
    await org.run(
        "INSERT INTO renewal_calls (workspace_id, account_id, version, due_on, contract_ids, due, category, called_at) "
        "VALUES ($1, $2, 1, '2027-01-01', '{}', 100, 'likely', $3)",
        made.id, NOW,
    )  # fmt: skip
    async with org.db.transaction() as tx:
        assert await scores.close(tx, await kept.load(tx, org.workspace.id)) == 1
    return made


def test_all_that_belongs_to_an_account_is_known() -> None:
    """Told by the schema: every table that refers to accounts."""
    referring = [
        table.name
        for table in tables.metadata.sorted_tables
        if any(key.column.table.name == "accounts" for key in table.foreign_keys) and table.name != "accounts"
    ]
    unreferred = ("members", "past_stays")  # a million are written at a time
    assert set(rows.BELONGING) == {*referring, *unreferred}
    assert rows.BELONGING[-1] == "contacts"  # others refer to them


async def test_an_account_is_not_deleted_over_what_belongs_to_it(db: Database) -> None:
    org = await organisation(db)
    made = await with_everything(org)
    child = await make(org, name="Child", parent="a-1")
    with pytest.raises(Conflict) as caught:
        await accounts.delete(db, org.call(), made.id, 1)
    named = (
        "1 child account (Child)",
        "1 contact",
        *(f"1 {ENTITIES[entity].singular}" for entity in EACH),
        "1 day of usage",
    )
    for one in named:
        assert one in caught.value.detail
    assert len(caught.value.faults) == len(named)
    for role in ("manager", "csm", "viewer"):
        with pytest.raises(Forbidden):
            await accounts.delete(db, org.call(role), made.id, 1, with_records=True)
    with pytest.raises(VersionStale):
        await accounts.delete(db, org.call(), made.id, 2, with_records=True)
    assert (await change(org, made, name="B")).version == 2
    await accounts.delete(db, org.call(), child.id, 1)
    with pytest.raises(NotFound):
        await change(org, child, name="B")


async def test_an_account_goes_with_all_that_belongs_to_it(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    made, foreign = await with_everything(org), await with_everything(other)
    children = [await make(org, parent="a-1") for _ in range(2)]
    for identity in (foreign.id, new_id()):
        with pytest.raises(NotFound):
            await accounts.delete(db, org.call(), identity, 1, with_records=True)
    gone = await accounts.delete(db, org.call(key="d"), made.id, 1, with_records=True)
    assert (gone.id, gone.body) == (made.id, b"")
    assert await accounts.delete(db, org.call(key="d"), made.id, 1, with_records=True) == gone
    counted = {"contacts": 1, **dict.fromkeys(EACH, 1), "usage_days": 1}
    assert (gone.effects[0].before or {})["records"] == counted
    assert {e.id: (e.before, e.after) for e in gone.effects[1:]} == {
        child.id: ({"parent_id": made.id}, {"parent_id": None}) for child in children
    }
    for table in rows.BELONGING:
        left = f"SELECT count(*) FROM {table} WHERE workspace_id = $1 AND account_id = $2"
        assert await org.rows(left, made.id) == [(0,)], table
        assert await other.rows(left, foreign.id) != [(0,)], table
    for child in children:
        shown = document((await accounts.change(db, org.call(), child.id, {}, 2)).body)
        assert (shown["parent_id"], shown["version"]) == (None, 2)
