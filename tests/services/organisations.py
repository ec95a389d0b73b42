"""A workspace with a person of each role and a service, to call use cases as."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain.roles import PEOPLE, Principal, Role
from app.domain.segmentation.presets import presets
from app.domain.workspaces import Person, Workspace
from app.persistence.database import Database
from app.services import segmentations, users, workspaces
from app.services.calls import Call, new_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Organisation:
    """One workspace; `people` by role, and `other`, a second csm."""

    db: Database
    workspace: Workspace
    people: dict[str, Principal]

    def as_(self, role: str, *scopes: str) -> Principal:
        """A person of this role, or a service with these scopes."""
        if role == "service":
            return Principal(self.people["admin"].credential_id, self.workspace, "service", None, frozenset(scopes))
        return self.people[role]

    def user(self, role: str) -> UUID:
        """The id of the person of this role."""
        return self.people[role].user_id or UUID(int=0)

    def call(self, role: str = "admin", key: str | None = None, payload: bytes = b"", now: datetime = NOW) -> Call:
        """A call by the person of this role."""
        return Call(self.people[role], now, key, payload)

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        """Rows of a statement whose `$1` is the workspace."""
        return [tuple(row) for row in await self.db.fetch(sql, self.workspace.id, *args)]

    async def run(self, sql: str, *args: Any) -> None:
        """A statement whose `$1` is the workspace."""
        async with self.db.transaction() as tx:
            await tx.execute(sql, self.workspace.id, *args)

    async def industry(self, slug: str) -> None:
        """Adds an industry."""
        await self.run(
            "INSERT INTO industries (workspace_id, id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $3, $4, $4)",
            new_id(), slug, NOW,
        )  # fmt: skip

    def with_workspace(self, **settings: Any) -> Organisation:
        """The same with a workspace that differs, for everybody."""
        changed = replace(self.workspace, **settings)
        people = {role: replace(principal, workspace=changed) for role, principal in self.people.items()}
        return Organisation(self.db, changed, people)


async def organisation(db: Database, **settings: object) -> Organisation:
    """A new workspace of its own, with its people."""
    name = f"Organisation {next(_numbers)}"
    async with db.transaction() as tx:
        workspace_id = await workspaces.create_in(tx, name, NOW, **settings)
        await tx.execute(
            "INSERT INTO teams (workspace_id, id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
            workspace_id, new_id(), "North", "north", NOW,
        )  # fmt: skip
    workspace = await workspaces.load(db, workspace_id)
    people: dict[str, Principal] = {}
    wanted: list[tuple[str, Role]] = [*((role, role) for role in PEOPLE), ("other", "csm")]
    for who, role in wanted:
        team = "north" if role == "csm" else None
        user_id = await users.create_user(db, workspace_id, f"{who}@example.com", who.title(), role, team, NOW, who)
        people[who] = Principal(new_id(), workspace, role, Person(user_id, (user_id,)))
    return Organisation(db, workspace, people)


async def with_tier(org: Organisation) -> Organisation:
    """The same with the segmentation that the most ready-made things name, cut at amounts."""
    await segmentations.put(org.db, org.call(), "tier", presets("absolute")["tier"], None)
    known = await workspaces.load(org.db, org.workspace.id)
    return org.with_workspace(segmentations=known.segmentations, epoch=known.epoch)


def document(body: bytes) -> Any:
    """A body as JSON, numbers with a point as Decimal."""
    return _DECODER.decode(body)
