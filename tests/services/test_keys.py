"""API keys: shown once, known within a second, ended at once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.domain import keys as tokens
from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from app.domain.roles import ROLES, SCOPES, Principal, grantable
from app.persistence.database import Database
from app.services import key_uses, keys
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


async def test_what_is_forgotten_while_it_is_looked_up_is_not_remembered(db: Database) -> None:
    """Else a request that began before a write would have those that come after it answered as if there had been none."""
    org = await organisation(db)
    _, token = await key_of(org)
    keys.forget(db)
    async with db.transaction() as tx:
        await tx.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
        early = asyncio.create_task(keys.authenticate(db, token, NOW))
        while not await tx.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'api_keys'::regclass)"
        ):
            await asyncio.sleep(0.01)
        keys.forget(db)
    assert (await early).workspace.id == org.workspace.id
    assert not keys.remembered(db)
    await keys.authenticate(db, token, NOW)
    assert keys.remembered(db)


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


async def test_a_key_is_shown_with_the_role_that_it_has_now(db: Database) -> None:
    org = await organisation(db)
    key_id, _ = await keys.create_key(db, org.workspace.id, "boss", "manager", org.user("manager"), (), NOW)
    await org.run("UPDATE users SET role = 'viewer' WHERE workspace_id = $1 AND id = $2", org.user("manager"))
    shown = document(await keys.get(db, org.people["admin"], key_id))
    assert shown["role"] == "viewer"
    assert "user_role" not in shown


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


# -- rotation ----------------------------------------------------------------------------------------------------------


async def service(org: Organisation, **more: object) -> tuple[UUID, str]:
    made = await keys.create(org.db, org.call(), {"name": "sync", "role": "service", "scopes": ["read"], **more})
    return made.id, document(made.body)["token"]


async def alive(db: Database, token: str, at: datetime = NOW) -> bool:
    keys.forget(db)
    try:
        await keys.authenticate(db, token, at)
    except Unauthenticated:
        return False
    return True


async def test_the_token_of_before_lives_on_for_the_overlap(db: Database) -> None:
    org = await organisation(db)
    key_id, old = await service(org)
    rotated = await keys.rotate(db, org.call(), key_id, {"overlap_hours": 3})
    told = document(rotated.body)
    new, until = told["token"], NOW + timedelta(hours=3)
    assert (rotated.id, told["hint"], told["overlap_until"]) == (key_id, tokens.hint(new), "2026-11-22T15:00:00Z")
    assert tokens.well_formed(new)
    assert [await alive(db, token) for token in (old, new)] == [True, True]
    last = until - timedelta(microseconds=1)
    assert [await alive(db, token, at) for token in (old, new) for at in (last, until)] == [True, False, True, True]
    assert (await keys.authenticate(db, old, NOW)).credential_id == key_id
    effect = rotated.effects[0]
    assert (effect.entity, effect.id, set(effect.after or {})) == (
        "api-keys",
        key_id,
        {"hint", "rotated_at", "overlap_until"},
    )
    stored = await org.rows("SELECT hash FROM earlier_tokens WHERE workspace_id = $1")
    assert stored == [(tokens.digest(old),)]


async def test_a_remembered_token_ends_with_its_overlap(db: Database) -> None:
    org = await organisation(db)
    key_id, old = await service(org)
    await keys.rotate(db, org.call(), key_id, {})
    await keys.authenticate(db, old, NOW + timedelta(hours=24) - timedelta(seconds=0.1))
    with pytest.raises(Unauthenticated):
        await keys.authenticate(db, old, NOW + timedelta(hours=24))


async def test_without_overlap_every_earlier_token_ends_at_once(db: Database) -> None:
    org = await organisation(db)
    key_id, first = await service(org)
    second = document((await keys.rotate(db, org.call(), key_id, {})).body)["token"]
    third = document((await keys.rotate(db, org.call(), key_id, {"overlap_hours": 168})).body)["token"]
    assert [await alive(db, token) for token in (first, second, third)] == [True, True, True]
    told = document((await keys.rotate(db, org.call(), key_id, {"overlap_hours": 0})).body)
    assert told["overlap_until"] is None
    assert [await alive(db, token) for token in (first, second, third, told["token"])] == [False, False, False, True]


async def test_a_lost_answer_to_a_rotation_ends_nobodys_token(db: Database) -> None:
    """Who did not read the new token rotates again, while what is in use goes on working."""
    org = await organisation(db)
    key_id, used = await service(org)
    for _ in range(tokens.MOST_EARLIER):
        await keys.rotate(db, org.call(), key_id, {})
        assert await alive(db, used)
    with pytest.raises(Conflict, match="overlap_hours 0"):
        await keys.rotate(db, org.call(), key_id, {})
    await keys.rotate(db, org.call(now=NOW + timedelta(days=2)), key_id, {})
    assert len(await org.rows("SELECT 1 FROM earlier_tokens WHERE workspace_id = $1")) == 1


async def test_a_rotation_may_move_the_end_and_the_token_of_before_ends_where_it_would_have(db: Database) -> None:
    org = await organisation(db)
    ends = NOW + timedelta(hours=1)
    key_id, old = await service(org, expires_at=ends.isoformat())
    body = {"expires_at": "2027-01-01T00:00:00Z"}
    new = document((await keys.rotate(db, org.call(), key_id, body)).body)["token"]
    assert [await alive(db, token, ends) for token in (old, new)] == [False, True]
    kept = document((await keys.rotate(db, org.call(), key_id, {"overlap_hours": 1})).body)
    assert kept["expires_at"] == "2027-01-01T00:00:00Z"


async def test_what_has_ended_is_not_rotated(db: Database) -> None:
    org = await organisation(db)
    key_id, old = await service(org)
    new = document((await keys.rotate(db, org.call(), key_id, {})).body)["token"]
    await keys.revoke(db, org.call(), key_id)
    assert [await alive(db, token) for token in (old, new)] == [False, False]
    assert await org.rows("SELECT 1 FROM earlier_tokens WHERE workspace_id = $1") == []
    expired, _ = await service(org, expires_at=(NOW + timedelta(hours=1)).isoformat())
    for ended, now in ((key_id, NOW), (expired, NOW + timedelta(hours=1))):
        with pytest.raises(Conflict):
            await keys.rotate(db, org.call(now=now), ended, {})
    again = await keys.revoke(db, org.call(now=NOW + timedelta(days=1)), key_id)
    assert (document(again.body)["revoked_at"], again.effects) == ("2026-11-22T12:00:00Z", ())


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"overlap_hours": -1}, "/overlap_hours"), ({"overlap_hours": 169}, "/overlap_hours"), ({"overlap_hours": 1.5}, "/overlap_hours"),
        ({"overlap_hours": True}, "/overlap_hours"), ({"overlap_hours": "1"}, "/overlap_hours"), ({"overlap": 1}, "/overlap"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"), ({"expires_at": 1}, "/expires_at"),
    ],
)  # fmt: skip
async def test_a_rotation_is_read_strictly(db: Database, body: dict[str, object], pointer: str) -> None:
    org = await organisation(db)
    key_id, _ = await service(org)
    with pytest.raises(Invalid) as caught:
        await keys.rotate(db, org.call(), key_id, body)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


async def test_rotations_at_once_each_leave_a_token_that_lives(db: Database) -> None:
    org = await organisation(db)
    key_id, old = await service(org)
    made = await asyncio.gather(*(keys.rotate(db, org.call(), key_id, {}) for _ in range(4)))
    assert all([await alive(db, token) for token in (old, *(document(one.body)["token"] for one in made))])


async def test_only_admins_of_the_workspace_rotate(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    key_id, _ = await service(org)
    for role in ("manager", "csm", "viewer"):
        with pytest.raises(Forbidden):
            await keys.rotate(db, org.call(role), key_id, {})
    with pytest.raises(NotFound):
        await keys.rotate(db, other.call(), key_id, {})


def test_scopes_are_at_most_those_of_whoever_gives_them() -> None:
    assert {role: grantable(role) for role in ROLES} == {
        "admin": frozenset(SCOPES), "manager": frozenset(SCOPES),
        "csm": frozenset(), "viewer": frozenset(), "service": frozenset(),
    }  # fmt: skip


# -- last use ----------------------------------------------------------------------------------------------------------


async def used(org: Organisation, key_id: UUID) -> datetime | None:
    found: datetime | None = (
        await org.rows("SELECT last_used_at FROM api_keys WHERE workspace_id = $1 AND id = $2", key_id)
    )[0][0]
    return found


async def test_uses_are_kept_together_and_never_go_back(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    made = [await service(one) for one in (org, org, other)]
    for n, (_, token) in enumerate(made):
        await keys.authenticate(db, token, NOW + timedelta(minutes=n))
    assert await used(org, made[0][0]) is None
    await key_uses.keep(db)
    await key_uses.keep(db)
    by_statement = "SELECT DISTINCT xmin::text, cmin::text FROM api_keys WHERE id = ANY ($1)"
    assert len(await db.fetch(by_statement, [key_id for key_id, _ in made])) == 1
    moments = [await used(owner, key_id) for owner, (key_id, _) in zip((org, org, other), made, strict=True)]
    assert moments == [NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)]
    keys.forget(db)
    await keys.authenticate(db, made[1][1], NOW)
    await key_uses.keep(db)
    assert await used(org, made[1][0]) == NOW + timedelta(minutes=1)


async def test_what_was_refused_is_no_use(db: Database) -> None:
    org = await organisation(db)
    key_id, token = await service(org, expires_at=(NOW + timedelta(minutes=1)).isoformat())
    with pytest.raises(Unauthenticated):
        await keys.authenticate(db, token, NOW + timedelta(minutes=1))
    await key_uses.keep(db)
    assert await used(org, key_id) is None


async def test_keeping_uses_waits_for_a_rotation_and_no_request_waits_for_it(db: Database) -> None:
    org = await organisation(db)
    key_id, token = await service(org)
    await keys.authenticate(db, token, NOW)
    async with db.transaction() as tx:
        await tx.execute("SELECT 1 FROM api_keys WHERE workspace_id = $1 FOR UPDATE", org.workspace.id)
        keeping = asyncio.create_task(key_uses.keep(db))
        await asyncio.sleep(0.1)
        assert not keeping.done()
        keys.forget(db)
        async with asyncio.timeout(2):
            await keys.authenticate(db, token, NOW + timedelta(minutes=1))
    await keeping
    assert await used(org, key_id) == NOW
    await key_uses.keep(db)
    assert await used(org, key_id) == NOW + timedelta(minutes=1)


async def test_uses_that_could_not_be_kept_are_kept_the_next_time(db: Database) -> None:
    org = await organisation(db)
    key_id, token = await service(org)
    await keys.authenticate(db, token, NOW)
    async with db.transaction() as tx:
        await tx.execute("SELECT 1 FROM api_keys WHERE workspace_id = $1 FOR UPDATE", org.workspace.id)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await key_uses.keep(db)
    await key_uses.keep(db)
    assert await used(org, key_id) == NOW


async def test_the_command_line_lists_rotates_and_ends(db: Database) -> None:
    org = await organisation(db)
    key_id, old = await service(org)
    again, new = await keys.rotate_key(db, org.workspace.id, key_id, 0, NOW)
    assert (again, await alive(db, old), await alive(db, new)) == (key_id, False, True)
    assert [one["hint"] for one in await keys.list_keys(db, org.workspace.id)] == [tokens.hint(new)]
    await keys.revoke_key(db, org.workspace.id, key_id, NOW)
    assert not await alive(db, new)
    done = await org.rows("SELECT operation FROM audit WHERE workspace_id = $1 AND door = 'command' ORDER BY id")
    assert [operation for (operation,) in done][-2:] == ["keys.write", "keys.write"]
