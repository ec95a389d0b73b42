"""What was done and by whom, kept with the write itself: members that changed, as they were and as they are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.domain.catalogue import Field
from app.domain.errors import Invalid, NotFound
from app.persistence.database import Database, Transaction
from app.services import accounts, audit, defaults, keys, lists, mappings, refusals, segmentations, users, workspaces
from app.services.calls import Effect, Written, new_id, once
from tests.servers import Cluster
from tests.services.files import bring, csv
from tests.services.organisations import NOW, Organisation, document, organisation

Told = tuple[str, str | None, Any, Any]
SECRET = "very secret"


async def entries(org: Organisation, **told: str) -> list[dict[str, Any]]:
    """What the audit has, oldest first."""
    page, _, more = await audit.page(org.db, org.people["admin"], told, None, 1000)
    assert not more
    found = [
        {**one, **{side: one[side] and document(bytes(one[side])) for side in ("before", "after")}} for one in page
    ]
    return found[::-1]


async def kept(org: Organisation, **told: str) -> list[Told]:
    """The same, but for the users that the organisation was furnished with: what, of what, before and after."""
    found = [(e["operation"], e["entity"], e["before"], e["after"]) for e in await entries(org, **told)]
    return [one for one in found if one[1] != "users"]


async def test_accounts(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A", "arr": Decimal("10.5")})
    await accounts.change(db, org.call("manager"), made.id, {"arr": 3, "csm": "csm"}, 1)
    await accounts.archive(db, org.call(), made.id, 2)
    await accounts.archive(db, org.call(), made.id, 3)
    await accounts.restore(db, org.call(), made.id, 3)
    csm, moment = str(org.user("csm")), "2026-11-22T12:00:00Z"
    assert await kept(org, entity_id=str(made.id)) == [
        ("accounts.create", "accounts", None, {"name": "A", "arr": Decimal("10.5")}),
        ("accounts.write", "accounts", {"arr": Decimal("10.5"), "csm_id": None}, {"arr": 3, "csm_id": csm}),
        ("accounts.archive", "accounts", {"archived_at": None}, {"archived_at": moment}),
        ("accounts.archive", "accounts", {"archived_at": moment}, {"archived_at": None}),
    ]


async def test_an_answer_that_is_given_again_is_no_second_write(db: Database) -> None:
    org = await organisation(db)
    for _ in range(3):
        await accounts.create(db, org.call(key="k"), {"name": "A"})
    assert [operation for operation, *_ in await kept(org)] == ["accounts.create"]


@pytest.mark.parametrize("key", [None, "k"])
async def test_what_is_rolled_back_leaves_no_entry(db: Database, key: str | None) -> None:
    org = await organisation(db)

    async def act(tx: Transaction) -> Written:
        await tx.execute("SET CONSTRAINTS ALL DEFERRED")
        await tx.execute(
            "INSERT INTO teams (workspace_id, id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
            org.workspace.id, new_id(), "T", "north", NOW,
        )  # fmt: skip
        return Written(new_id(), 1, b"", created=True, effects=(Effect("teams", new_id(), None, {}),))

    before = await entries(org)
    with pytest.raises(Exception, match="already stands against it"):
        await once(db, org.call(key=key), "directory.write", act)
    with pytest.raises(Invalid):
        await accounts.create(db, org.call(key=key), {"name": "A", "industry": "none"})
    assert await entries(org) == before


async def test_a_write_whose_entry_cannot_be_kept_does_not_happen(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A"})
    with pytest.raises(Invalid):
        await accounts.change(db, replace(org.call(), request_id="\0"), made.id, {"name": "B"}, 1)
    assert await org.rows("SELECT name FROM accounts WHERE workspace_id = $1") == [("A",)]


@pytest.mark.parametrize("sql", ["UPDATE audit SET times = 2", "DELETE FROM audit", "TRUNCATE audit"])
async def test_nobody_changes_an_entry(db: Database, dsn: str, sql: str) -> None:
    """Asked beside the application, which has no such statement: its role may not."""
    connection = await asyncpg.connect(dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(sql)
    await connection.close()


async def test_own_attributes_that_changed_alone(db: Database) -> None:
    org = await organisation(db)
    own = {("accounts", slug): Field(slug, "text", optional=True) for slug in ("region", "size")}
    org = org.with_workspace(attributes=own)
    made = await accounts.create(db, org.call(), {"name": "A", "custom": {"region": "EU", "size": "S"}})
    await accounts.change(db, org.call(), made.id, {"custom": {"size": "L"}}, 1)
    assert (await kept(org, entity_id=str(made.id)))[1][2:] == ({"custom": {"size": "S"}}, {"custom": {"size": "L"}})


LIST = {"entity": "accounts", "name": "L", "criteria": {"text": f'name = "{SECRET}"'}, "description": SECRET}


async def test_what_a_private_list_says_stays_its_owners(db: Database) -> None:
    org = await organisation(db)
    owner = org.call("csm")
    made = await lists.create(db, owner, LIST)
    await lists.change(db, owner, made.id, {"description": f"still {SECRET}"}, 1)
    await lists.change(db, owner, made.id, {"name": "M"}, 2)
    told = await kept(org)
    assert [operation for operation, *_ in told] == ["lists.create", "lists.write", "lists.write"]
    assert SECRET not in repr(told)
    assert [told[0][3]["name"], told[1][2:], told[2][2:]] == ["L", ({}, {}), ({"name": "L"}, {"name": "M"})]
    await lists.change(db, owner, made.id, {"visibility": "public"}, 3)
    await lists.change(db, owner, made.id, {"description": None}, 4)
    public, changed = (await kept(org))[3:]
    assert (public[2]["visibility"], public[2]["description"]) == ("private", None)
    assert (public[3]["visibility"], public[3]["description"]) == ("public", f"still {SECRET}")
    assert changed[2:] == ({"description": f"still {SECRET}"}, {"description": None})


async def test_a_private_list_that_is_deleted_takes_what_it_said_along(db: Database) -> None:
    org = await organisation(db)
    made = await lists.create(db, org.call("csm"), LIST)
    await lists.delete(db, org.call("csm"), made.id, 1)
    gone = (await kept(org))[-1]
    assert (gone[0], gone[2]["name"], gone[3]) == ("lists.write", "L", None)
    assert SECRET not in repr(await kept(org))


async def test_defaults_of_a_person(db: Database) -> None:
    org = await organisation(db)
    made = await lists.create(db, org.call("csm"), LIST)
    for list_id in (made.id, made.id, None):
        await defaults.choose(db, org.call("csm"), "accounts", list_id)
    assert (await kept(org, entity="me")) == [
        ("me.defaults.write", "me", {"accounts": None}, {"accounts": str(made.id)}),
        ("me.defaults.write", "me", {"accounts": str(made.id)}, {"accounts": None}),
    ]


async def test_keys_never_show_a_token(db: Database) -> None:
    org = await organisation(db)
    made = await keys.create(db, org.call(), {"name": "nightly", "role": "service", "scopes": ["read"]})
    await keys.revoke(db, org.call(), made.id)
    _, token = await keys.create_key(db, org.workspace.id, "again", "service", None, ("read",), NOW)
    told = await entries(org, entity="api-keys")
    assert [(e["operation"], e["door"], e["role"]) for e in told] == [
        ("keys.write", "command", "admin"), ("keys.write", "command", "admin"), ("keys.write", "command", None),
    ]  # fmt: skip
    stored = await org.rows("SELECT hash FROM api_keys WHERE workspace_id = $1")
    said = repr(told)
    assert document(made.body)["token"] not in said
    assert token not in said
    assert not any(bytes(digest).hex() in said for (digest,) in stored)
    assert "hash" not in said
    assert set(told[1]["before"]) == {"revoked_at"}


async def test_workspaces_and_users_at_the_command_line(db: Database) -> None:
    workspace_id = await workspaces.create_workspace(db, f"Commanded {new_id()}", NOW)
    user_id = await users.create_user(db, workspace_id, "a@example.com", "A", "admin", None, NOW)
    found = await db.fetch(
        "SELECT operation, door, actor_id, role, entity_id FROM audit WHERE workspace_id = $1 ORDER BY at, id",
        workspace_id,
    )
    assert [tuple(row) for row in found] == [
        ("workspace.write", "command", None, None, workspace_id),
        ("users.write", "command", None, None, user_id),
    ]


async def test_workspace_settings(db: Database) -> None:
    org = await organisation(db)
    version = (await workspaces.load(db, org.workspace.id)).version
    await workspaces.change(
        db, org.call(), {"zone": "Europe/Berlin", "arr_per_csm": 3_000_000, "week_start": 1}, version
    )
    assert await kept(org) == [
        ("workspace.write", "workspace", {"zone": "UTC", "arr_per_csm": 2_000_000}, {"zone": "Europe/Berlin", "arr_per_csm": 3_000_000})
    ]  # fmt: skip


async def test_segmentations(db: Database) -> None:
    org = await organisation(db)
    rules = {"name": "R", "kind": "rules", "segments": [{"slug": "high", "name": "H", "criteria": "arr >= 50000"}]}
    await segmentations.put(db, org.call(), "size", rules, None)
    await segmentations.put(db, org.call(), "size", {**rules, "name": "S"}, 1)
    made, changed = await kept(org)
    assert (made[1], made[2], made[3]["slug"], made[3]["segments"][0]["criteria"]["text"]) == (
        "segmentations", None, "size", "arr >= 50000",
    )  # fmt: skip
    assert changed[2:] == ({"name": "R", "version": 1}, {"name": "S", "version": 2})


async def test_mappings(db: Database) -> None:
    org = await organisation(db)
    body = {"kind": "accounts", "columns": {"external_id": {"from": "id"}, "name": {"from": "name"}}}
    for _ in range(2):
        await mappings.put(db, org.call("manager"), "crm", body)
    assert await kept(org) == [("imports.create", "imports/mappings", None, {"name": "crm", **body})]


async def test_imports_tell_that_they_came_and_what_they_counted(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    shown = await bring(org, tmp_path, "accounts", csv(("external_id", "name"), ("a", "A"), ("b", "")))
    begun, written, finished = await entries(org, entity_id=shown["id"])
    assert (begun["operation"], begun["after"]) == ("imports.create", {"kind": "accounts", "state": "staged"})
    assert written["after"] == {"kind": "accounts", "state": "running", "created": 1, "updated": 0}
    assert (finished["operation"], finished["door"], finished["role"]) == ("imports.create", "command", None)
    assert finished["after"] == {
        "kind": "accounts", "state": "done", "rows": 2, "created": 1, "updated": 0, "unchanged": 0, "rejected": 1,
        "warned": 0, "detail": None,
    }  # fmt: skip


# -- refused attempts --------------------------------------------------------------------------------------------------


async def test_equal_refusals_are_counted(db: Database) -> None:
    org = await organisation(db)
    thing = new_id()
    for _ in range(5):
        await refusals.keep(db, org.call("csm"), "accounts.write", "forbidden", "accounts", thing)
    await refusals.keep(db, org.call("viewer"), "accounts.write", "forbidden", "accounts", thing)
    assert [e["times"] for e in await entries(org, outcome="refused")] == [1, 1]
    await refusals.settle(db)
    told = [(e["role"], e["entity_id"], e["times"]) for e in await entries(org, outcome="refused")]
    assert sorted(told) == [("csm", thing, 1), ("csm", thing, 4), ("viewer", thing, 1)]


async def test_trying_everything_fills_no_disk(db: Database) -> None:
    org = await organisation(db)
    for _ in range(500):
        await refusals.keep(db, org.call("csm"), "accounts.write", "forbidden", "accounts", new_id())
    await refusals.settle(db)
    told = await entries(org, outcome="refused")
    assert len(told) == refusals.APART + 1
    assert sum(e["times"] for e in told) == 500
    assert [e["times"] for e in told if e["entity"] is None] == [500 - refusals.APART]


async def test_a_refusal_that_cannot_be_kept_is_no_error(cluster: Cluster) -> None:
    dsn = await cluster.clone()
    gone = await Database.open(dsn, size=1)
    org = await organisation(gone)
    await cluster.drop(dsn)
    await refusals.keep(gone, org.call("csm"), "accounts.write", "forbidden", "accounts", None)
    await refusals.settle(gone)
    await gone.close()


# -- reading -----------------------------------------------------------------------------------------------------------

MANY = """
INSERT INTO audit (workspace_id, id, at, outcome, door, operation, actor_id, entity, entity_id)
SELECT $1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $2::timestamptz - make_interval(secs => n),
    CASE WHEN n % 1000 = 0 THEN 'refused' ELSE 'done' END, 'rest',
    'accounts.' || (ARRAY['create', 'write', 'archive'])[n % 3 + 1],
    ('00000000-0000-7000-8001-' || lpad(to_hex(n % 500), 12, '0'))::uuid,
    CASE WHEN n % 2000 = 0 THEN 'lists' ELSE 'accounts' END,
    ('00000000-0000-7000-8002-' || lpad(to_hex(n % 5000), 12, '0'))::uuid
FROM generate_series(1, 200000) n
"""
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"from": "2026-11-20", "to": "2026-11-21"}, {"actor_id": "00000000-0000-7000-8001-000000000007"},
    {"entity": "accounts", "entity_id": "00000000-0000-7000-8002-000000000007"}, {"entity": "lists"},
    {"operation": "accounts.delete"}, {"outcome": "refused"},
    {"outcome": "refused", "actor_id": "00000000-0000-7000-8001-000000000000"},
)  # fmt: skip


@pytest.fixture(scope="module")
async def crowded(db: Database) -> Organisation:
    """An organisation with 200,000 entries."""
    org = await organisation(db)
    await org.run(MANY, NOW)
    async with db.transaction() as tx:
        await tx.execute("ANALYZE audit")
    return org


@pytest.mark.parametrize("told", FILTERS, ids=lambda told: "+".join(told) or "none")
async def test_a_page_is_an_index_range(
    crowded: Organisation, told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the page's one statement reads is little more than what it answers."""
    sent: list[tuple[str, tuple[Any, ...]]] = []
    explained: list[str] = []

    class Explaining:
        """The database, which also tells how each statement is run."""

        async def fetch(self, sql: str, *args: Any, point: bool = False) -> Any:
            sent.append((sql, args))
            plan = await crowded.db.fetch(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}", *args)
            explained.extend(row[0] for row in plan)
            return await crowded.db.fetch(sql, *args)

    admin = crowded.people["admin"]
    page, keys, more = await audit.page(Explaining(), admin, told, None, 50)  # type: ignore[arg-type]  # fetch alone is used
    assert len(sent) == 1
    text = "\n".join(explained)
    assert "Seq Scan on audit" not in text, text
    removed = sum(int(line.rsplit(" ", 1)[1]) for line in explained if "Rows Removed by Filter" in line)
    assert removed <= 1000, text
    if more:
        following, _, _ = await audit.page(crowded.db, admin, told, keys[-1], 50)
        assert following[0]["at"] <= page[-1]["at"]
        assert not {e["id"] for e in page} & {e["id"] for e in following}


async def test_an_entry_of_another_workspace_is_not_there(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A"})
    assert await kept(other, entity_id=str(made.id)) == []
    with pytest.raises(NotFound):
        await lists.read(db, other.call(), made.id, "why not")


@pytest.mark.parametrize(("said", "near"), [
    ({"operation": "accounts.writ"}, "accounts.write"), ({"entity": "account"}, "accounts"), ({"entity": "Lists"}, "lists"),
    ({"operation": "foo"}, None), ({"entity": ""}, None),
])  # fmt: skip
async def test_names_that_no_entry_has_are_no_empty_answer(
    db: Database, said: dict[str, str], near: str | None
) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as refused:
        await entries(org, **said)
    assert [(f.parameter, f.suggestion) for f in refused.value.faults] == [(next(iter(said)), near)]


async def test_what_has_no_rule_is_no_operation(db: Database) -> None:
    org = await organisation(db)

    async def act(_: Transaction) -> Written:
        return Written(new_id(), 1, b"", created=True, effects=(Effect("teams", new_id(), None, {}),))

    with pytest.raises(LookupError):
        await once(db, org.call(), "teams.create", act)
