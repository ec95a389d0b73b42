"""Users, and the teams that they are in."""

from __future__ import annotations

import pytest

from app.domain.errors import Conflict, Invalid, NotFound
from app.persistence.database import Database
from app.services import users
from tests.services.organisations import NOW, organisation


async def test_a_user_joins_a_team_that_exists(db: Database) -> None:
    org = await organisation(db)
    identity = await users.create_user(db, org.workspace.id, "eva@example.com", "Eva", "csm", "north", NOW, "u-7")
    for name in (str(identity), "u-7", "eva@example.com"):
        person = await users.person(db, org.workspace.id, name)
        assert person.id == identity
        assert set(person.team) == {identity, org.user("csm"), org.user("other")}
    alone = await users.person(db, org.workspace.id, "viewer")
    assert alone.team == (alone.id,)
    with pytest.raises(Invalid) as caught:
        await users.create_user(db, org.workspace.id, "b@example.com", "B", "csm", "nort", NOW)
    assert [(f.pointer, f.suggestion) for f in caught.value.faults] == [("/team", "north")]


async def test_e_mail_and_external_id_are_taken_once(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    for email, external_id in (("csm@example.com", None), ("new@example.com", "csm")):
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
            await users.person(db, org.workspace.id, name)
