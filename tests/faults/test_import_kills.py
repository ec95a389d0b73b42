"""An import that is killed anywhere and sent again leaves what an undisturbed one leaves, and no second change."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.persistence.database import Database
from app.services import segmentations
from tests import isolation
from tests.servers import ROOT
from tests.services.organisations import Organisation, organisation

TABLES = ("accounts", "stage_moves", "members", "usage_days", "usage_windows", "industries", "features")
MADE = (
    "workspace_id",
    "id",
    "created_at",
    "updated_at",
    "since",
    "moved_at",
    "actor_id",
    "segmentation_id",
    "no",
    "feature",
)
"""What names a row or says when it came: no two imports agree on it."""
ACCOUNTS, DAYS = 15_000, 30_000

MAPPINGS: dict[str, dict[str, Any]] = {
    "accounts": {
        "columns": {
            **{name: name for name in ("external_id", "name", "arr", "stage", "parent", "health")},
            "industry": {"from": "sector", "slugify": True, "create": True},
        }
    },
    "usage": {
        "columns": {
            **{name: name for name in ("account", "day", "value")},
            "feature": {"from": "feature", "slugify": True, "create": True},
        }
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files, of several chunks each, and their mappings."""
    folder = tmp_path_factory.mktemp("files")
    rng = random.Random(7)
    with (folder / "accounts.csv").open("w") as file:
        file.write("external_id,name,arr,stage,parent,health,sector\n")
        for n in range(ACCOUNTS):
            parent = f"a{rng.randrange(n, ACCOUNTS)}" if n % 7 == 0 and n < ACCOUNTS - 50 else ""
            parent = "" if parent == f"a{n}" else parent
            stage, health = rng.choice(("trial", "adoption", "")), rng.randrange(101)
            file.write(f"a{n},Account {n},{rng.randrange(10**7) / 100},{stage},{parent},{health},Sector {n % 9}\n")
        file.write("bad,,x,,,,\n")
    with (folder / "usage.csv").open("w") as file:
        file.write("account,feature,day,value\n")
        for n in range(DAYS):
            file.write(
                f"a{rng.randrange(2000)},Feature {n % 3},2026-{rng.randrange(1, 13):02}-10,{rng.randrange(1000) / 8}\n"
            )
    for kind, mapping in MAPPINGS.items():
        (folder / f"{kind}.json").write_bytes(msgspec.json.encode({"kind": kind, **mapping}))
    return folder


async def send(dsn: str, org: Organisation, folder: Path, kind: str) -> asyncio.subprocess.Process:
    """The real command, on its way."""
    files = [str(folder / f"{kind}.csv"), "--mapping", str(folder / f"{kind}.json")]
    environment = {**os.environ, "STRATA_DATABASE_URL": dsn, "STRATA_DATA_DIR": str(folder)}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", isolation.program(), "import", kind, *files, "--json", "--workspace", org.workspace.slug, cwd=ROOT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def finished(dsn: str, org: Organisation, folder: Path, kind: str) -> dict[str, Any]:
    """The resource of an import that nobody disturbs."""
    out, _ = await (await send(dsn, org, folder, kind)).communicate()
    shown: dict[str, Any] = msgspec.json.decode(out)
    assert shown["state"] == "done", shown
    return shown


async def begun(process: asyncio.subprocess.Process, org: Organisation, known: int) -> None:
    """Waits until one more import is there than were known; a command that ended before it began one has failed."""
    while (await org.rows("SELECT count(*) FROM imports WHERE workspace_id = $1"))[0][0] <= known:
        assert process.returncode is None
        await asyncio.sleep(0.01)


async def stored(org: Organisation, *, whole: bool) -> dict[str, list[str]]:
    """Every row of every table; unless `whole`, told by external ids and without what no two imports agree on."""
    names: dict[str, str] = {
        str(row[0]): row[1] for row in await org.rows("SELECT id, external_id FROM accounts WHERE workspace_id = $1")
    }
    numbers = dict(await org.rows("SELECT no, slug FROM features WHERE workspace_id = $1"))
    found: dict[str, list[str]] = {}
    for table in TABLES:
        rows = [
            dict(row) for row in await org.db.fetch(f"SELECT * FROM {table} WHERE workspace_id = $1", org.workspace.id)
        ]
        if not whole:
            rows = [_told(row, names, numbers) for row in rows]
        found[table] = sorted(map(repr, rows))
    return found


def _told(row: dict[str, Any], names: dict[str, str], numbers: dict[int, str]) -> dict[str, Any]:
    told = {
        key: names.get(str(value), value) if isinstance(value, UUID) else value
        for key, value in row.items()
        if key not in MADE
    }
    if "feature" in row:
        told["slug"] = numbers[row["feature"]]
    if "features" in row:
        told["features"] = [numbers[no] for no in row["features"]]
    return told


async def new(db: Database) -> Organisation:
    org = await organisation(db)
    rules = {"name": "R", "kind": "rules", "segments": [{"slug": "high", "name": "H", "criteria": "arr >= 50000"}]}
    await segmentations.put(db, org.call(), "tier", rules, None)
    return org


async def test_killed_anywhere_and_sent_again(db: Database, dsn: str, folder: Path) -> None:
    calm, killed = await new(db), await new(db)
    for kind in MAPPINGS:
        await finished(dsn, calm, folder, kind)
    rng = random.Random()
    for kind, kills in (("accounts", 4), ("usage", 3)):
        for _ in range(kills):
            known = (await killed.rows("SELECT count(*) FROM imports WHERE workspace_id = $1"))[0][0]
            process = await send(dsn, killed, folder, kind)
            await begun(process, killed, known)
            await asyncio.sleep(rng.uniform(0, 3.0))
            if process.returncode is None:
                process.kill()
            await process.communicate()
        await finished(dsn, killed, folder, kind)
    assert await stored(killed, whole=False) == await stored(calm, whole=False)
    before = await stored(killed, whole=True)
    for kind in MAPPINGS:
        shown = await finished(dsn, killed, folder, kind)
        assert (shown["created"], shown["updated"]) == (0, 0)
    assert await stored(killed, whole=True) == before


async def test_a_cut_connection_fails_the_import_and_the_next_one_goes_on(db: Database, dsn: str, folder: Path) -> None:
    org = await new(db)
    process = await send(dsn, org, folder, "accounts")
    await begun(process, org, 0)
    cut = r"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%import\_%' AND pid <> pg_backend_pid()"
    while process.returncode is None and not await db.fetch(cut):
        await asyncio.sleep(0.05)
    out, _ = await process.communicate()
    shown = msgspec.json.decode(out)
    assert (shown["state"], "again" in shown["detail"]) == ("failed", True)
    assert (await finished(dsn, org, folder, "accounts"))["rejected"] == 1
    assert await org.rows("SELECT count(*) FROM accounts WHERE workspace_id = $1") == [(ACCOUNTS,)]
