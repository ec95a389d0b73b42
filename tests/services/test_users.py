"""Users: who may be made what, who stays an admin, who goes, and what becomes of what they looked after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, VersionRequired, VersionStale
from app.persistence.database import Database
from app.services import accounts, defaults, favourites, hand_overs, imports, keys, lists, people, users
from tests.services.organisations import NOW, Organisation, document, organisation

LATER = NOW + timedelta(hours=1)
NEW = {"name": "Eva", "email": "eva@example.com", "role": "csm"}


async def test_a_user_joins_a_team_that_exists(db: Database) -> None:
    org = await organisation(db)
    identity = await users.create_user(db, org.workspace.id, "eva@example.com", "Eva", "csm", "north", NOW, "u-7")
    for name in (str(identity), "u-7", "eva@example.com"):
        person = await people.person(db, org.workspace.id, name)
        assert person.id == identity
        assert set(person.team) == {identity, org.user("csm"), org.user("other")}
    alone = await people.person(db, org.workspace.id, "viewer")
    assert alone.team == (alone.id,)
    with pytest.raises(Invalid) as caught:
        await users.create_user(db, org.workspace.id, "b@example.com", "B", "csm", "nort", NOW)
    assert [(f.pointer, f.suggestion) for f in caught.value.faults] == [("/team", "north")]


async def test_e_mail_and_external_id_are_taken_once(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    for email, external_id in (("csm@example.com", None), ("CSM@Example.com", None), ("new@example.com", "csm")):
        with pytest.raises(Conflict):
            await users.create_user(db, org.workspace.id, email, "X", "csm", None, NOW, external_id)
    await users.create_user(db, other.workspace.id, "new@example.com", "X", "csm", None, NOW)


@pytest.mark.parametrize(
    ("email", "name", "role"), [("no mail", "X", "csm"), ("a@b.c", "", "csm"), ("a@b.c", "X", "boss")]
)
async def test_a_user_is_read_strictly(db: Database, email: str, name: str, role: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid):
        await users.create_user(db, org.workspace.id, email, name, role, None, NOW)  # type: ignore[arg-type]  # what a person may type


async def test_strangers_and_the_inactive_are_nobody(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    await org.run("UPDATE users SET is_active = false WHERE workspace_id = $1 AND id = $2", org.user("other"))
    for name in ("nobody", str(other.user("csm")), "other"):
        with pytest.raises(NotFound):
            await people.person(db, org.workspace.id, name)


async def test_a_user_is_made_changed_and_put(db: Database) -> None:
    org = await organisation(db)
    made = await users.create(db, org.call(), {**NEW, "team": "north"})
    shown = document(made.body)
    assert (made.created, made.version) == (True, 1)
    assert (shown["email"], shown["role"], shown["team"], shown["is_active"]) == (
        "eva@example.com",
        "csm",
        "north",
        True,
    )
    assert made.effects[0].after == {**NEW, "team": "north", "is_active": True}
    changed = await users.change(db, org.call(), "id", str(made.id), {"role": "manager", "team": None}, 1)
    assert (changed.effects[0].before, changed.effects[0].after) == (
        {"role": "csm", "team": "north"}, {"role": "manager", "team": None},
    )  # fmt: skip
    same = await users.change(db, org.call(), "external_id", "csm", {"role": "csm"}, 1)
    assert (same.version, same.effects) == (1, ())
    put = await users.upsert(db, org.call(), "u-9", {**NEW, "email": "nine@example.com"}, None)
    assert put.created
    again = await users.upsert(db, org.call(), "u-9", {"name": "Nine"}, 1)
    assert (again.created, document(again.body)["name"], document(again.body)["external_id"]) == (False, "Nine", "u-9")
    with pytest.raises(VersionRequired):
        await users.upsert(db, org.call(), "u-9", {"name": "Ten"}, None)
    with pytest.raises(VersionStale):
        await users.upsert(db, org.call(), "u-10", {**NEW, "email": "ten@example.com"}, 1)


@pytest.mark.parametrize(
    ("body", "pointer", "suggestion"),
    [
        ({"role": "mangaer"}, "/role", "manager"), ({"team": "nort"}, "/team", "north"), ({"mail": "x@y.z"}, "/mail", "email"),
        ({"email": "x"}, "/email", None), ({"version": 3}, "/version", None), ({"name": ""}, "/name", None),
        ({"is_active": "no"}, "/is_active", None),
    ],
)  # fmt: skip
async def test_what_means_nothing_is_pointed_at(
    db: Database, body: dict[str, Any], pointer: str, suggestion: str | None
) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await users.change(db, org.call(), "id", str(org.user("csm")), body, 1)
    assert [(f.pointer, f.suggestion) for f in caught.value.faults] == [(pointer, suggestion)]


async def test_what_another_user_has_is_a_conflict(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Conflict) as caught:
        await users.create(db, org.call(), {**NEW, "email": "Viewer@example.com", "external_id": "csm"})
    assert [f.pointer for f in caught.value.faults] == ["/email", "/external_id"]
    with pytest.raises(Conflict) as caught:
        await users.change(db, org.call(), "id", str(org.user("csm")), {"email": "other@example.com"}, 1)
    assert [f.pointer for f in caught.value.faults] == ["/email"]


async def test_users_are_an_admins_and_of_one_workspace(db: Database) -> None:
    org, foreign = await organisation(db), await organisation(db)
    stranger = str(foreign.user("csm"))
    for role in ("manager", "csm", "viewer"):
        for act in (
            users.create(db, org.call(role), NEW), users.change(db, org.call(role), "id", stranger, {}, 1),
            users.upsert(db, org.call(role), "csm", {}, 1), users.delete(db, org.call(role), "id", stranger, 1),
            hand_overs.hand_over(db, org.call(role), org.user("csm"), {"to": "other"}),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                await act
    for act in (
        users.change(db, org.call(), "id", stranger, {"name": "X"}, 1), users.delete(db, org.call(), "id", stranger, 1),
        hand_overs.hand_over(db, org.call(), foreign.user("csm"), {"to": "other"}),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await act
    with pytest.raises(Invalid):
        await hand_overs.hand_over(db, org.call(), org.user("csm"), {"to": stranger})


# -- the last admin ----------------------------------------------------------------------------------------------------


async def test_the_last_active_admin_stays_one(db: Database) -> None:
    org = await organisation(db)
    admin = str(org.user("admin"))
    for body, pointer in (({"role": "manager"}, "/role"), ({"is_active": False}, "/is_active")):
        with pytest.raises(Conflict) as caught:
            await users.change(db, org.call(), "id", admin, body, 1)
        assert [f.pointer for f in caught.value.faults] == [pointer]
    with pytest.raises(Conflict):
        await users.delete(db, org.call(), "id", admin, 1)
    retired = await users.create(db, org.call(), {**NEW, "role": "admin", "is_active": False})
    with pytest.raises(Conflict):
        await users.change(db, org.call(), "id", admin, {"role": "csm"}, 1)
    await users.change(db, org.call(), "id", str(retired.id), {"is_active": True}, 1)
    await users.change(db, org.call(), "id", admin, {"role": "csm"}, 1)


async def test_two_admins_who_demote_each_other_leave_one(db: Database) -> None:
    for _ in range(5):
        org = await organisation(db)
        second = await users.create(db, org.call(), {**NEW, "role": "admin"})
        told = await asyncio.gather(
            users.change(db, org.call(), "id", str(second.id), {"role": "csm"}, 1),
            users.change(db, org.call(), "id", str(org.user("admin")), {"is_active": False}, 1),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in told) == ["Conflict", "Written"]
        left = await org.rows("SELECT count(*) FROM users WHERE workspace_id = $1 AND role = 'admin' AND is_active")
        assert left == [(1,)]


async def test_a_file_leaves_an_admin_too(db: Database) -> None:
    org = await organisation(db)
    body = b"external_id,email,name,role\nadmin,admin@example.com,Admin,csm\ncsm,csm@example.com,Csm,manager\n"

    async def chunks() -> AsyncIterator[bytes]:
        yield body

    written = await imports.start(db, org.call(), "users", "text/csv", None, chunks())
    shown: dict[str, Any] = {}
    for _ in range(200):
        shown = document(await imports.get(db, org.as_("admin"), written.id, NOW))
        if shown["state"] in ("done", "failed"):
            break
        await asyncio.sleep(0.05)
    assert shown["state"] == "failed"
    assert shown["detail"] == "Expected an active admin to remain: nobody could let anybody in again."
    roles = await org.rows(
        "SELECT role FROM users WHERE workspace_id = $1 AND external_id IN ('admin', 'csm') ORDER BY 1"
    )
    assert roles == [("admin",), ("csm",)]


# -- keys --------------------------------------------------------------------------------------------------------------


async def test_keys_weaken_and_end_with_their_user(db: Database) -> None:
    org = await organisation(db)
    _, token = await keys.create_key(db, org.workspace.id, "k", "manager", org.user("manager"), (), NOW)
    assert (await keys.authenticate(db, token, NOW)).role == "manager"
    await users.change(db, org.call(), "id", str(org.user("manager")), {"role": "viewer"}, 1)
    assert (await keys.authenticate(db, token, NOW)).role == "viewer"
    await users.change(db, org.call(), "id", str(org.user("manager")), {"is_active": False}, 2)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(db, token, NOW)
    await users.change(db, org.call(), "id", str(org.user("manager")), {"is_active": True, "role": "admin"}, 3)
    assert (await keys.authenticate(db, token, NOW)).role == "manager"


# -- going -------------------------------------------------------------------------------------------------------------


async def test_who_left_no_trace_is_deleted(db: Database) -> None:
    org = await organisation(db)
    made = await users.create(db, org.call(), NEW)
    with pytest.raises(VersionRequired):
        await users.delete(db, org.call(), "id", str(made.id), None)
    gone = await users.delete(db, org.call(), "id", str(made.id), 1)
    assert (gone.body, gone.effects[0].after) == (b"", None)
    with pytest.raises(NotFound):
        await users.delete(db, org.call(), "id", str(made.id), 1)


async def test_what_depends_on_a_user_is_named(db: Database) -> None:
    org = await organisation(db)
    await accounts.create(db, org.call(), {"name": "Acme", "csm": "csm"})
    await lists.create(
        db,
        org.call("csm"),
        {"entity": "accounts", "name": "Mine", "criteria": {"text": "ALL"}, "visibility": "private"},
    )
    with pytest.raises(Conflict) as caught:
        await users.delete(db, org.call(), "id", str(org.user("csm")), 1)
    told = " ".join(fault.message for fault in caught.value.faults)
    assert "1 account (Acme)" in told
    assert "1 list of their own (Mine)" in told, "an admin sees names, though no more, of private lists"


async def test_whom_history_names_is_not_deleted(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "Acme", "csm": "csm"})
    await accounts.change(db, org.call(now=LATER), made.id, {"csm": "other"}, 1)
    with pytest.raises(Conflict):
        await users.delete(db, org.call(), "id", str(org.user("csm")), 1)


# -- handing over ------------------------------------------------------------------------------------------------------

CONTENTS = """
SELECT 'account', a.name, u.external_id FROM accounts a JOIN users u ON u.workspace_id = $1 AND u.id = a.csm_id WHERE a.workspace_id = $1
UNION ALL SELECT 'opportunity', o.name, u.external_id FROM opportunities o JOIN users u ON u.workspace_id = $1 AND u.id = o.owner_id
  WHERE o.workspace_id = $1
UNION ALL SELECT 'list', l.name, u.external_id FROM lists l JOIN users u ON u.workspace_id = $1 AND u.id = l.owner_id
  WHERE l.workspace_id = $1
ORDER BY 1, 2
"""


async def _book(org: Organisation) -> None:
    """Two accounts of the csm's, one of them archived, one of another's; opportunities; lists."""
    for name, csm in (("a", "csm"), ("b", "csm"), ("c", "other")):
        made = await accounts.create(org.db, org.call(), {"name": name, "csm": csm})
        for stage in ("open", "won"):
            await org.run(
                "INSERT INTO opportunities (workspace_id, id, account_id, owner_id, name, stage, amount, opened_at, created_at, updated_at)"
                " VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, 5, '2026-01-01', $6, $6)",
                made.id, org.user("csm"), f"{name} {stage}", stage, NOW,
            )  # fmt: skip
        if name == "b":
            await accounts.archive(org.db, org.call(), made.id, 1)
    for visibility in ("public", "private"):
        told = {"entity": "accounts", "name": visibility, "criteria": {"text": "ALL"}, "visibility": visibility}
        written = await lists.create(org.db, org.call("csm"), told)
        await defaults.choose(org.db, org.call("csm"), "accounts", written.id)
        await favourites.mark(org.db, org.call("csm"), written.id, favourite=True)


async def test_a_leaving_csm_hands_everything_over(db: Database) -> None:
    org = await organisation(db)
    await _book(org)
    written = await hand_overs.hand_over(db, org.call(now=LATER), org.user("csm"), {"to": "other"})
    assert document(written.body) == {
        "user_id": str(org.user("csm")), "to_id": str(org.user("other")), "accounts": 2, "opportunities": 3, "lists": 2,
    }  # fmt: skip
    assert (written.effects[0].entity, written.effects[0].id, written.effects[0].before) == ("users", written.id, {})
    assert [
        (e.entity, e.before, {name: e.after[name] for name in e.before} if e.before and e.after else None)
        for e in written.effects[1:]
    ] == [
        (what, {whose: org.user("csm")}, {whose: org.user("other")})
        for what, whose in (("accounts", "csm_id"), ("opportunities", "owner_id"), ("lists", "owner_id"))
    ]
    assert [(e.after["count"], len(e.after["ids"])) for e in written.effects[1:] if e.after] == [(2, 2), (3, 3), (2, 2)]
    assert await org.rows(CONTENTS) == [
        ("account", "a", "other"), ("account", "b", "other"), ("account", "c", "other"),
        ("list", "private", "other"), ("list", "public", "other"),
        ("opportunity", "a open", "other"), ("opportunity", "a won", "csm"), ("opportunity", "b open", "other"),
        ("opportunity", "b won", "csm"), ("opportunity", "c open", "other"), ("opportunity", "c won", "csm"),
    ]  # fmt: skip
    assert await defaults.own(db, org.people["csm"]) == {}
    marked = await org.rows(
        "SELECT l.name FROM list_favourites f JOIN lists l ON l.workspace_id = $1 AND l.id = f.list_id WHERE f.workspace_id = $1"
    )
    assert marked == [("public",)]
    history = await org.rows(
        "SELECT value_id, from_at, actor_id FROM account_changes WHERE workspace_id = $1 AND field = 'csm' AND to_at IS NULL"
    )
    assert history.count((org.user("other"), LATER, org.user("admin"))) == 2
    again = await hand_overs.hand_over(db, org.call(now=LATER), org.user("csm"), {"to": "other"})
    assert document(again.body)["accounts"] == 0
    assert again.effects == ()


async def test_some_of_it_is_handed_over_even_by_who_is_gone(db: Database) -> None:
    org = await organisation(db)
    await _book(org)
    await users.change(db, org.call(), "id", str(org.user("csm")), {"is_active": False}, 1)
    body = {"to_id": str(org.user("manager")), "what": ["lists"]}
    written = await hand_overs.hand_over(db, org.call(now=LATER), org.user("csm"), body)
    assert {name: n for name, n in document(written.body).items() if isinstance(n, int)} == {
        "accounts": 0, "opportunities": 0, "lists": 2,
    }  # fmt: skip
    assert ("account", "a", "csm") in await org.rows(CONTENTS)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/to"), ({"to": "csm", "to_id": "x"}, "/to"), ({"to": "nobody"}, "/to"), ({"to": "csm"}, "/to"),
        ({"to": "viewer"}, "/to"), ({"to": 7}, "/to"), ({"to_id": "x"}, "/to_id"), ({"to": "other", "what": "lists"}, "/what"),
        ({"to": "other", "what": []}, "/what"), ({"to": "other", "what": ["list"]}, "/what/0"),
        ({"to": "other", "what": [["lists"]]}, "/what/0"), ({"to": "other", "whom": 1}, "/whom"),
    ],
)  # fmt: skip
async def test_a_hand_over_is_read_strictly(db: Database, body: dict[str, Any], pointer: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await hand_overs.hand_over(db, org.call(), org.user("csm"), body)
    assert [f.pointer for f in caught.value.faults] == [pointer]


async def test_nobody_inactive_is_an_heir(db: Database) -> None:
    org = await organisation(db)
    await users.change(db, org.call(), "id", str(org.user("other")), {"is_active": False}, 1)
    with pytest.raises(Invalid):
        await hand_overs.hand_over(db, org.call(), org.user("csm"), {"to": "other"})
