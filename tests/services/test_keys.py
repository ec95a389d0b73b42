"""API keys: shown once, known within a second, ended at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.domain import keys as tokens
from app.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from app.domain.roles import Principal
from app.persistence.database import Database
from app.services import keys
from app.services.calls import Call, new_id
from tests.services.organisations import NOW, Organisation, document, organisation


async def key_of(org: Organisation, role: str = "csm") -> tuple[Principal, str]:
    _, token = await keys.create_key(org.db, org.workspace.id, "key", org.people[role].role, org.user(role), (), NOW)
    return await keys.authenticate(org.db, token, NOW), token


async def test_a_key_stands_for_its_user(db: Database) -> None:
    org = await organisation(db)
    principal, token = await key_of(org)
    assert tokens.well_formed(token)
    assert (principal.role, principal.user_id, principal.workspace) == ("csm", org.user("csm"), org.workspace)
    assert principal.person is not None
    assert set(principal.person.team) == {org.user("csm"), org.user("other")}
    stored = await db.fetch("SELECT * FROM api_keys WHERE workspace_id = $1", org.workspace.id)
    assert token not in repr([tuple(row) for row in stored])


async def test_a_service_has_scopes_and_is_nobody(db: Database) -> None:
    org = await organisation(db)
    _, token = await keys.create_key(db, org.workspace.id, "sync", "service", None, ("read", "import"), NOW)
    principal = await keys.authenticate(db, token, NOW)
    assert (principal.role, principal.person, principal.scopes) == ("service", None, frozenset({"read", "import"}))


async def test_what_is_no_key_never_reaches_the_database(db: Database) -> None:
    org = await organisation(db)
    _, token = await key_of(org)
    slip = token[:-1] + ("a" if token[-1] != "a" else "b")
    closed = await Database.open(db._points.dsn, size=1)
    await closed.close()
    for told in ("", "x", slip, token.upper(), token + " ", "strata_" + "ä" * 39):
        with pytest.raises(Unauthenticated):
            await keys.authenticate(closed, told, NOW)


async def test_unknown_revoked_and_expired_keys_are_the_same(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(db, tokens.token(bytes(20)), NOW)
    principal, token = await key_of(org)
    await keys.revoke(db, org.call(), principal.credential_id)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(db, token, NOW)
    _, token = await keys.create_key(
        db, org.workspace.id, "short", "csm", org.user("csm"), (), NOW, expires_at=NOW + timedelta(minutes=1)
    )
    await keys.authenticate(db, token, NOW + timedelta(seconds=59))
    with pytest.raises(Unauthenticated):
        await keys.authenticate(db, token, NOW + timedelta(seconds=60))


async def test_a_revocation_elsewhere_is_known_within_a_second(db: Database) -> None:
    org = await organisation(db)
    elsewhere = await Database.open(db._points.dsn, size=1)
    principal, token = await key_of(org)
    await keys.authenticate(elsewhere, token, NOW)
    await keys.revoke(db, org.call(), principal.credential_id)
    await asyncio.sleep(keys.FRESH_SECONDS)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(elsewhere, token, NOW)
    await elsewhere.close()


async def test_a_key_never_does_more_than_its_user(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid):
        await keys.create_key(db, org.workspace.id, "up", "admin", org.user("csm"), (), NOW)
    _, token = await keys.create_key(db, org.workspace.id, "boss", "manager", org.user("manager"), (), NOW)
    await org.run("UPDATE users SET role = 'viewer' WHERE workspace_id = $1 AND id = $2", org.user("manager"))
    assert (await keys.authenticate(db, token, NOW)).role == "viewer"
    fresh = await Database.open(db._points.dsn, size=1)
    await org.run("UPDATE users SET is_active = false WHERE workspace_id = $1 AND id = $2", org.user("manager"))
    with pytest.raises(Unauthenticated):
        await keys.authenticate(fresh, token, NOW)
    await fresh.close()


async def test_what_is_remembered_is_bounded(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await organisation(db)
    monkeypatch.setattr(keys, "REMEMBERED", 3)
    for _ in range(6):
        await key_of(org)
    assert len(keys._seen[db]) == 3


async def test_keys_are_made_listed_and_ended_by_admins(db: Database) -> None:
    org = await organisation(db)
    call = Call(org.people["admin"], NOW, "make", b"1")
    body = {"name": "sync", "role": "service", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00Z"}
    first, again = await keys.create(db, call, body), await keys.create(db, call, body)
    made = document(first.body)
    assert (await keys.authenticate(db, made["token"], NOW)).scopes == {"read"}
    assert document(again.body) == {**made, "token": None}
    page, after = await keys.all_keys(db, org.people["admin"], limit=1)
    assert (page[0]["name"], page[0]["token"], after) == ("sync", None, None)
    ended = await keys.revoke(db, org.call(), first.id)
    assert document(ended.body)["revoked_at"] is not None
    assert await keys.get(db, org.people["admin"], first.id) == ended.body
    for role in ("manager", "csm", "viewer"):
        with pytest.raises(Forbidden):
            await keys.create(db, org.call(role), body)
        with pytest.raises(Forbidden):
            await keys.all_keys(db, org.people[role])
        with pytest.raises(Forbidden):
            await keys.revoke(db, org.call(role), first.id)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": "service", "scopes": ["read"]}, "/name"), ({"name": "x"}, "/role"), ({"name": "x", "role": "boss"}, "/role"),
        ({"name": "x", "role": "service"}, "/scopes"), ({"name": "x", "role": "csm"}, "/user_id"),
        ({"name": "x", "role": "service", "scopes": ["all"]}, "/scopes"), ({"name": "x", "rolle": "csm"}, "/rolle"),
        ({"name": "x", "role": "service", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "role": "csm", "user_id": str(new_id())}, "/user_id"),
    ],
)  # fmt: skip
async def test_a_key_is_read_strictly(db: Database, body: dict[str, object], pointer: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await keys.create(db, org.call(), body)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


async def test_another_workspaces_key_is_not_found(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    principal, token = await key_of(other)
    with pytest.raises(NotFound):
        await keys.revoke(db, org.call(), principal.credential_id)
    with pytest.raises(NotFound):
        await keys.get(db, org.people["admin"], principal.credential_id)
    with pytest.raises(Invalid):
        await keys.create(db, org.call(), {"name": "x", "role": "csm", "user_id": str(other.user("csm"))})
    assert await keys.authenticate(db, token, NOW) == principal
