"""Every version of a scenario is kept, and any of them can be brought back."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound, VersionStale
from app.persistence.database import Database
from app.services import accounts, scenario_versions, scenarios
from app.services.calls import Written
from tests.services.organisations import Organisation, document, organisation


async def furnished(db: Database) -> Organisation:
    """Two industries with an account in each, and a scenario that was changed twice and left by another."""
    org = await organisation(db)
    for slug in ("retail", "travel"):
        await org.industry(slug)
        await accounts.create(db, org.call(), {"name": slug.title(), "industry": slug})
    body = {"slug": "downturn", "name": "Downturn", "impacts": {"travel": "severe"}}
    await scenarios.create(db, org.call(), body)
    await change(org, 1, impacts={"travel": "medium", "retail": "low"}, lanes={"medium": -0.8})
    await change(org, 2, name="Long downturn", impacts={"travel": None})
    return org


async def change(org: Organisation, version: int, **body: Any) -> Written:
    return await scenarios.change(org.db, org.call("manager"), "slug", "downturn", body, version)


async def rollback(org: Organisation, wanted: object, version: int, role: str = "manager") -> Written:
    body = {"version": wanted}
    return await scenario_versions.rollback(org.db, org.call(role), "slug", "downturn", body, version)


async def versions(org: Organisation, slug: str = "downturn", **page: Any) -> list[dict[str, Any]]:
    asked = {"before": None, "limit": 50, **page}
    return (await scenario_versions.every(org.db, org.people["viewer"], slug, **asked))[0]


async def test_versions_say_what_stood_and_who_wrote_it(db: Database) -> None:
    org = await furnished(db)
    found = await versions(org)
    assert [(one["version"], one["name"], one["impacts"], one["author"]) for one in found] == [
        (3, "Long downturn", {"retail": "low"}, "Manager"),
        (2, "Downturn", {"retail": "low", "travel": "medium"}, "Manager"),
        (1, "Downturn", {"travel": "severe"}, "Admin"),
    ]
    assert found[1]["lanes"] == {"severe": -1.2, "medium": -0.8, "low": 0.0}
    page, keys, more = await scenario_versions.every(db, org.people["viewer"], "downturn", 3, 1)
    assert ([one["version"] for one in page], keys, more) == ([2], [(2,)], True)


async def test_switching_is_a_version_of_both(db: Database) -> None:
    org = await furnished(db)
    body = {"slug": "calm", "name": "Calm", "impacts": {"travel": "low"}, "is_active": True}
    await scenarios.create(db, org.call(), body)
    assert [(one["version"], one["is_active"]) for one in await versions(org)][:2] == [(4, False), (3, True)]
    assert [(one["version"], one["is_active"]) for one in await versions(org, "calm")] == [(1, True)]


async def test_a_version_comes_back_as_the_next_one_and_accounts_follow(db: Database) -> None:
    org = await furnished(db)
    written = document((await rollback(org, 1, 3)).body)
    assert (written["version"], written["name"], written["impacts"]) == (4, "Downturn", {"travel": "severe"})
    assert dict(await org.rows("SELECT name, impact FROM accounts WHERE workspace_id = $1")) == {
        "Retail": None, "Travel": "severe",
    }  # fmt: skip
    assert [one["version"] for one in await versions(org)] == [4, 3, 2, 1]
    again = await rollback(org, 1, 4)
    assert (again.version, again.effects) == (4, ())


async def test_what_cannot_come_back_says_why(db: Database) -> None:
    org = await furnished(db)
    with pytest.raises(VersionStale):
        await rollback(org, 1, 2)
    with pytest.raises(NotFound):
        await rollback(org, 9, 3)
    with pytest.raises(Forbidden):
        await rollback(org, 1, 3, "csm")
    for wanted in ("1", 0, True, None, 2**40):
        with pytest.raises(Invalid):
            await rollback(org, wanted, 3)
    await org.run("UPDATE accounts SET industry = NULL WHERE workspace_id = $1")
    await org.run("DELETE FROM industries WHERE workspace_id = $1 AND slug = 'travel'")
    with pytest.raises(Invalid) as refused:
        await rollback(org, 1, 3)
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.suggestion) == ("/impacts/travel", None)
    assert "travel is none any more" in fault.message
    with pytest.raises(NotFound):
        await versions(org, "nothing")


async def test_they_go_with_the_scenario(db: Database) -> None:
    org = await furnished(db)
    await scenarios.delete(db, org.call(), "slug", "downturn", 3)
    assert await org.rows("SELECT version FROM scenario_versions WHERE workspace_id = $1") == []
