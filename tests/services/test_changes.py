"""Who looked after an account, whom it was met through, what it hung under: kept by every way of writing."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.api.rest import bulk as bodies
from app.domain.errors import Conflict, Invalid, NotFound
from app.persistence.database import Database
from app.services import accounts, bulk, changes, days, hand_overs, imports, records
from app.services.calls import Call
from tests.services.files import csv
from tests.services.organisations import NOW, Organisation, organisation

HISTORY = """
SELECT field, value_id, from_at, to_at, actor_id FROM account_changes WHERE workspace_id = $1 AND account_id = $2
ORDER BY from_at, field
"""
# What stands, and what the last rows of history say, each as (account, field, value) where there is one.
STANDS = """
SELECT a.id, v.field, v.value_id FROM accounts a
CROSS JOIN LATERAL (VALUES ('csm', a.csm_id), ('primary_contact', a.primary_contact_id), ('parent', a.parent_id)) v(field, value_id)
WHERE a.workspace_id = $1 AND v.value_id IS NOT NULL
"""
OPEN = "SELECT account_id, field, value_id FROM account_changes WHERE workspace_id = $1 AND to_at IS NULL AND value_id IS NOT NULL"
PRIMARY = """
SELECT DISTINCT ON (c.account_id) c.account_id, 'primary_contact', c.id FROM contacts c
WHERE c.workspace_id = $1 AND c.is_primary ORDER BY c.account_id, c.created_at, c.id
"""
# One period ends where the next begins, each says something else, and the last alone is open.
BROKEN = """
SELECT h.account_id, h.field, h.from_at FROM (
    SELECT c.*, lead(c.from_at) OVER w AS next_at, lead(c.value_id) OVER w AS next_id
    FROM account_changes c WHERE c.workspace_id = $1 WINDOW w AS (PARTITION BY c.account_id, c.field ORDER BY c.from_at)
) h
WHERE h.to_at IS DISTINCT FROM h.next_at OR (h.next_at IS NOT NULL AND h.value_id IS NOT DISTINCT FROM h.next_id)
"""


def minutes(n: int) -> datetime:
    return NOW + timedelta(minutes=n)


async def test_a_change_by_hand_is_kept(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A", "csm": "csm"})
    await accounts.change(db, org.call("manager", now=minutes(1)), made.id, {"csm": "other", "health": 50}, 1)
    await accounts.change(db, org.call("manager", now=minutes(2)), made.id, {"health": 60}, 2)
    await accounts.change(db, org.call("manager", now=minutes(3)), made.id, {"csm": None}, 3)
    assert await org.rows(HISTORY, made.id) == [
        ("csm", org.user("csm"), NOW, minutes(1), org.user("admin")),
        ("csm", org.user("other"), minutes(1), minutes(3), org.user("manager")),
        ("csm", None, minutes(3), None, org.user("manager")),
    ]


async def test_a_service_changes_by_nobodys_hand(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, Call(org.as_("service", "write"), NOW), {"name": "A", "csm": "csm"})
    assert await org.rows(HISTORY, made.id) == [("csm", org.user("csm"), NOW, None, None)]


async def test_two_changes_at_one_moment_are_one(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A", "csm": "csm"})
    await accounts.change(db, org.call("manager"), made.id, {"csm": "other"}, 1)
    await accounts.change(db, org.call(now=minutes(-5)), made.id, {"csm": "manager"}, 2)
    assert await org.rows(HISTORY, made.id) == [("csm", org.user("manager"), NOW, None, org.user("admin"))]


async def test_what_fails_leaves_no_history(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A", "csm": "csm"})
    before = await org.rows(HISTORY, made.id)
    with pytest.raises(Invalid):
        await accounts.change(db, org.call(now=minutes(1)), made.id, {"csm": "other", "industry": "none"}, 1)
    assert await org.rows(HISTORY, made.id) == before


async def test_a_day_that_passes_changes_nothing(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A", "csm": "csm"})
    before = await org.rows(HISTORY, made.id)
    assert await days.roll(db, org.workspace.id, NOW + timedelta(days=2)) is not None
    assert await org.rows(HISTORY, made.id) == before


async def test_names_are_as_they_are_now_and_of_what_is_gone_as_they_were(db: Database) -> None:
    org = await organisation(db)
    parent = await accounts.create(db, org.call(), {"name": "Parent"})
    made = await accounts.create(db, org.call(), {"name": "A", "csm": "csm", "parent_id": str(parent.id)})
    told = {"account_id": str(made.id), "name": "Ada", "is_primary": True}
    contact = await records.create(db, org.call(now=minutes(1)), "contacts", told)
    await accounts.change(db, org.call(now=minutes(2)), parent.id, {"name": "Renamed"}, 1)
    found, _ = await changes.page(db, org.people["viewer"], made.id, None)
    assert [(one["field"], one["name"], one["actor_name"]) for one in found] == [
        ("primary_contact", "Ada", "Admin"), ("parent", "Renamed", "Admin"), ("csm", "Csm", "Admin"),
    ]  # fmt: skip
    await records.delete(db, org.call("manager", now=minutes(3)), "contacts", "id", str(contact.id), 1)
    found, _ = await changes.page(db, org.people["viewer"], made.id, "primary_contact")
    assert [(one["value_id"], one["name"], one["to_at"], one["actor_name"]) for one in found] == [
        (None, None, None, "Manager"), (contact.id, "Ada", minutes(3), "Admin"),
    ]  # fmt: skip
    renamed = await accounts.change(db, org.call(now=minutes(4)), parent.id, {"name": "At the end"}, 2)
    await accounts.delete(db, org.call(now=minutes(5)), parent.id, renamed.version, with_records=True)
    found, _ = await changes.page(db, org.people["viewer"], made.id, "parent")
    assert [(one["value_id"], one["name"]) for one in found] == [(None, None), (parent.id, "At the end")]


async def test_pages_meet_without_gap(db: Database) -> None:
    org, foreign = await organisation(db), await organisation(db)
    parent = await accounts.create(db, org.call(), {"name": "Parent"})
    made = await accounts.create(db, org.call(), {"name": "A", "csm": "csm", "parent_id": str(parent.id)})
    for n, csm in enumerate(("other", "manager", "admin"), 1):
        await accounts.change(db, org.call(now=minutes(n)), made.id, {"csm": csm}, n)
    whole, _ = await changes.page(db, org.people["viewer"], made.id, None)
    for limit in (1, 2, 5):
        found: list[dict[str, Any]] = []
        after: changes.Place | None = None
        while True:
            page, after = await changes.page(db, org.people["viewer"], made.id, None, after, limit)
            found += page
            if after is None:
                break
        assert found == whole
    with pytest.raises(NotFound):
        await changes.page(db, foreign.people["admin"], made.id, None)
    with pytest.raises(Invalid) as caught:
        await changes.page(db, org.people["viewer"], made.id, "csmm")
    assert [(f.parameter, f.suggestion) for f in caught.value.faults] == [("field", "csm")]


# -- the law -----------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """Accounts and contacts by external id, written at random; `actor` is whose hand the last write was."""

    org: Organisation
    chance: random.Random
    folder: Path
    step: int = 0
    actor: UUID | None = None
    names: tuple[str, ...] = tuple(f"a{n}" for n in range(6))
    contacts: tuple[str, ...] = tuple(f"c{n}" for n in range(8))
    people: tuple[str, ...] = ("csm", "other", "manager")
    done: set[str] = field(default_factory=set)

    def call(self) -> Call:
        role = self.chance.choice(("admin", "manager"))
        self.actor = self.org.user(role)
        return self.org.call(role, now=minutes(self.step))

    async def version(self, table: str, name: str) -> int | None:
        sql = f"SELECT version FROM {table} WHERE workspace_id = $1 AND external_id = $2"
        found = [int(row[0]) for row in await self.org.rows(sql, name)]
        return found[0] if found else None

    def account(self) -> dict[str, Any]:
        told: dict[str, Any] = {"name": "A", "health": self.chance.randrange(100)}
        if self.chance.random() < 0.6:
            told["csm"] = self.chance.choice((*self.people, None))
        return told

    async def accounts_by_hand(self) -> None:
        name = self.chance.choice(self.names)
        told, version = self.account(), await self.version("accounts", name)
        if self.chance.random() < 0.4:
            told["parent"] = self.chance.choice((*await self.there(), None))
        await accounts.upsert(self.org.db, self.call(), name, told, version)

    async def contacts_by_hand(self) -> None:
        name = self.chance.choice(self.contacts)
        told = {
            "name": "C",
            "is_primary": self.chance.random() < 0.5,
            "account": self.chance.choice(await self.there()),
        }
        await records.upsert(self.org.db, self.call(), "contacts", name, told, await self.version("contacts", name))

    async def contacts_go(self) -> None:
        name = self.chance.choice(self.contacts)
        await records.delete(
            self.org.db, self.call(), "contacts", "external_id", name, await self.version("contacts", name)
        )

    async def accounts_go(self) -> None:
        name = self.chance.choice(self.names)
        ((account_id, version),) = await self.org.rows(
            "SELECT id, version FROM accounts WHERE workspace_id = $1 AND external_id = $2", name
        )
        self.actor = self.org.user("admin")
        call = self.org.call(now=minutes(self.step))
        await accounts.delete(self.org.db, call, account_id, version, with_records=True)

    async def archived(self) -> None:
        name = self.chance.choice(self.names)
        ((account_id, version),) = await self.org.rows(
            "SELECT id, version FROM accounts WHERE workspace_id = $1 AND external_id = $2", name
        )
        act = self.chance.choice((accounts.archive, accounts.restore))
        await act(self.org.db, self.call(), account_id, version)

    async def handed_over(self) -> None:
        leaving, heir = self.chance.sample(self.people, 2)
        self.actor = self.org.user("admin")
        call = self.org.call(now=minutes(self.step))
        await hand_overs.hand_over(self.org.db, call, self.org.user(leaving), {"to": heir})

    async def accounts_in_bulk(self) -> None:
        told = [{"external_id": name, **self.account()} for name in self.chance.sample(self.names, 3)]
        await self.bulk("accounts", told)

    async def contacts_in_bulk(self) -> None:
        there = await self.there()
        told = [
            {
                "external_id": name,
                "name": "C",
                "account": self.chance.choice(there),
                "is_primary": self.chance.random() < 0.5,
            }
            for name in self.chance.sample(self.contacts, 4)
        ]
        await self.bulk("contacts", told)

    async def bulk(self, kind: str, told: list[dict[str, Any]]) -> None:
        sent, _ = bodies.asked(msgspec.json.encode({"records": told}))
        await bulk.upsert(self.org.db, self.call(), kind, sent, "rows")

    async def accounts_by_file(self) -> None:
        rows: list[tuple[str, ...]] = [("external_id", "name", "csm", "parent")]
        rows += [(n, "A", self.chance.choice(self.people), "") for n in self.chance.sample(self.names, 3)]
        await self.bring("accounts", rows)

    async def contacts_by_file(self) -> None:
        there = await self.there()
        rows: list[tuple[str, ...]] = [("external_id", "account", "name", "is_primary")]
        rows += [
            (name, self.chance.choice(there), "C", self.chance.choice(("true", "false")))
            for name in self.chance.sample(self.contacts, 4)
        ]
        await self.bring("contacts", rows)

    async def bring(self, kind: str, rows: list[tuple[str, ...]]) -> None:
        path = self.folder / f"{self.step}.csv"
        path.write_bytes(csv(*rows))
        self.actor = None
        slug = self.org.workspace.slug
        await imports.run_import(self.org.db, slug, kind, path, None, minutes(self.step), lambda _step, _part: None)

    async def there(self) -> list[str]:
        return [
            row[0] for row in await self.org.rows("SELECT external_id FROM accounts WHERE workspace_id = $1 ORDER BY 1")
        ]

    def ways(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            self.accounts_by_hand, self.accounts_by_hand, self.contacts_by_hand, self.contacts_by_hand, self.contacts_go,
            self.accounts_go, self.archived, self.handed_over, self.accounts_in_bulk, self.contacts_in_bulk,
            self.accounts_by_file, self.contacts_by_file,
        ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_history_says_what_stands_however_it_was_written(db: Database, tmp_path: Path, seed: int) -> None:
    world = World(await organisation(db), random.Random(seed), tmp_path)
    org = world.org
    for name in world.names:
        await accounts.upsert(db, world.call(), name, world.account(), None)
    landed: set[str] = set()
    for step in range(1, 60):
        # An import's clock runs on: steps are further apart than one takes.
        world.step = step
        way = world.chance.choice(world.ways())
        try:
            await way()
            landed.add(way.__name__)
        except (Conflict, Invalid, NotFound, ValueError):  # chance asked for what cannot be, or names what is gone
            pass
        told = f"seed {seed}, step {step}: {way.__name__}"
        stands, opened = set(await org.rows(STANDS)), set(await org.rows(OPEN))
        assert stands == opened, told
        assert {row for row in stands if row[1] == "primary_contact"} == set(await org.rows(PRIMARY)), told
        assert await org.rows(BROKEN) == [], told
        fresh = await org.rows(
            "SELECT DISTINCT actor_id FROM account_changes WHERE workspace_id = $1 AND from_at >= $2", minutes(step)
        )
        assert fresh in ([], [(world.actor,)]), told
    assert landed == {way.__name__ for way in world.ways()}
