"""The demo workspace: made once, in one transaction, from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from uuid import UUID

from app.domain.demo import world
from app.domain.demo.cast import ADMIN
from app.domain.demo.life import HISTORY, Rows
from app.domain.errors import Conflict, Unauthenticated
from app.domain.roles import Principal
from app.domain.workspaces import Person
from app.persistence import demo, scenario_versions, usage, workspaces
from app.persistence.database import Database, Reader, Transaction
from app.services import keys, lists, people, segmentations, settle
from app.services.calls import Call, new_id
from app.services.workspaces import create_in

SLUG = "demo"
SEED = 2017
CHUNK = 200
TIMEOUT = 600.0
FACTS_AT = 0.85

Progress = Callable[[str, float], None]
"""Told what is being done, and the share done, 0 to 1."""


async def load(db: Database, now: datetime, progress: Progress, seed: int = SEED) -> UUID:
    """Makes the demo workspace and answers its id. Deterministic for one seed and day; nothing is left by a failure.

    Raises Conflict where it is there already.
    """
    if await workspaces.find(db, SLUG) is not None:
        raise Conflict("The demo workspace is there already.")
    today = now.astimezone(UTC).date()
    async with db.transaction(statement_timeout=TIMEOUT) as tx:
        progress("teams, products, features, scenarios", 0.0)
        workspace_id = await create_in(tx, "Demo", now, slug=SLUG)
        base = world.foundation(seed, today)
        for table, rows in base.rows.items():
            await demo.copy_rows(tx, workspace_id, table, rows)
        await scenario_versions.keep(tx, workspace_id, None, now)
        await usage.ensure_months(tx, today - HISTORY, today)
        await _accounts(tx, workspace_id, world.accounts(seed, today, base), progress)
        progress("facts, usage windows and segments", FACTS_AT)
        await demo.analyse(tx)
        workspace = await workspaces.load(tx, workspace_id)
        await settle.settle(tx, workspace, None, now)
        await segmentations.install_presets(tx, workspace, now)
        workspace = await workspaces.load(tx, workspace_id)
        admin = await _admin(tx, workspace_id)
        await lists.install_templates(tx, Call(Principal(new_id(), workspace, "admin", admin), now))
    progress("done", 1.0)
    return workspace_id


async def ensure(db: Database, known_key: str | None, now: datetime, progress: Progress) -> str | None:
    """A key of the demo workspace that works: the known one, else a new one; makes the demo where there is no workspace.

    Answers None where there are workspaces, but no demo.
    """
    if known_key is not None:
        try:
            await keys.authenticate(db, known_key, now)
        except Unauthenticated:
            pass
        else:
            return known_key
    workspace_id = await workspaces.find(db, SLUG)
    if workspace_id is None:
        if await workspaces.are_there(db):
            return None
        workspace_id = await load(db, now, progress)
    admin = await _admin(db, workspace_id)
    return (await keys.create_key(db, workspace_id, "demo", "admin", admin.id, (), now))[1]


async def _admin(reader: Reader, workspace_id: UUID) -> Person:
    return await people.person(reader, workspace_id, world.email(ADMIN[0]))


async def _accounts(
    tx: Transaction, workspace_id: UUID, lives: Iterator[tuple[Rows, Iterator[str]]], progress: Progress
) -> None:
    done = 0
    while chunk := list(islice(lives, CHUNK)):
        together: Rows = {}
        for rows, _ in chunk:
            for table, some in rows.items():
                together.setdefault(table, []).extend(some)
        for table in sorted(together, key=demo.LIVES.index):
            await demo.copy_rows(tx, workspace_id, table, together[table])
        await demo.copy_usage(tx, workspace_id, chain.from_iterable(lines for _, lines in chunk))
        if not done:
            await demo.analyse(tx)
        done += len(chunk)
        progress(f"{done:,} of {world.ACCOUNTS:,} accounts with their daily usage", FACTS_AT * done / world.ACCOUNTS)
