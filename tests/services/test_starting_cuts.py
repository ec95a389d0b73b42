"""What a workspace begins with: cuts that are nobody's say so, and are taken from the accounts once an import brought them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.domain.segmentation.presets import ENOUGH
from app.persistence import workspaces as rows
from app.persistence.database import Database
from app.services import days, segmentations, versions, workspaces
from tests.services.files import bring
from tests.services.organisations import NOW, Organisation, organisation


async def begun(db: Database) -> Organisation:
    """A workspace as it is when it is made."""
    org = await organisation(db)
    async with db.transaction() as tx:
        await segmentations.install_presets(tx, await rows.load(tx, org.workspace.id), NOW)
    return org.with_workspace(segmentations=(await workspaces.load(db, org.workspace.id)).segmentations)


def many(count: int, first: int = 0) -> bytes:
    """Accounts of 1,000, 2,000, … of ARR."""
    lines = [f"a-{n},Account {n},{1_000 * (n + 1)}" for n in range(first, first + count)]
    return "\n".join(["external_id,name,arr", *lines, ""]).encode()


async def shown(org: Organisation, slug: str, now: datetime = NOW) -> dict[str, Any]:
    return await segmentations.get(org.db, org.people["viewer"], slug, now)


async def sizes(org: Organisation) -> dict[str, int]:
    found = await segmentations.segments(org.db, org.people["viewer"], "tier", NOW)
    return {one["slug"]: one["accounts"] for one in found["data"]}


async def told(org: Organisation, slug: str) -> list[tuple[str, str | None]]:
    listed, _, _ = await versions.every(org.db, org.people["viewer"], slug, None, 10)
    return [(one["cause"], one["note"]) for one in listed]


async def test_a_new_workspace_says_that_its_cuts_are_starting_values(db: Database) -> None:
    org = await begun(db)
    tier = await shown(org, "tier")
    assert [(cut["from"], [float(at) for at in cut["at"]], cut["accounts"]) for cut in tier["cuts"]] == [
        ("start", [25_000, 100_000], None)
    ]
    said = (
        "Cuts of arr are starting values, of no account: they are taken from yours at the end of the first import after which "
        f"{ENOUGH} have the value, or when a preset is put."
    )
    assert (tier["state"], tier["detail"]) == ("fresh", said)
    assert "arr and growth_potential" in (await shown(org, "portfolio"))["detail"]


async def test_the_first_import_that_brings_enough_accounts_takes_them_from_these(db: Database, tmp_path: Path) -> None:
    org = await begun(db)
    few = await bring(org, tmp_path, "accounts", many(ENOUGH - 1))
    assert (few["state"], few["detail"], (await shown(org, "tier"))["version"]) == ("done", None, 1)
    enough = await bring(org, tmp_path, "accounts", many(31, ENOUGH - 1))
    said = "Cuts of portfolio were taken from the accounts that have come: arr of 50. "
    assert enough["detail"] == f"{said}{said.strip().replace('portfolio', 'tier')}"
    tier = await shown(org, "tier")
    assert [(cut["from"], [float(at) for at in cut["at"]], cut["accounts"]) for cut in tier["cuts"]] == [
        ("data", [25_000, 40_000], 50)
    ]
    assert (tier["version"], tier["detail"]) == (2, None)
    assert await sizes(org) == {"high": 11, "medium": 15, "low": 24, "unclassified": 0}
    note = "Starting values until then; cuts taken from the accounts that have come: arr of 50."
    assert await told(org, "tier") == [("refreeze", note), ("put", None)]
    assert [cut["from"] for cut in (await shown(org, "portfolio"))["cuts"]] == ["data", "start"]


async def test_they_are_taken_once(db: Database, tmp_path: Path) -> None:
    org = await begun(db)
    await bring(org, tmp_path, "accounts", many(ENOUGH))
    again = await bring(org, tmp_path, "accounts", many(30, ENOUGH))
    assert (again["detail"], (await shown(org, "tier"))["version"]) == (None, 2)
    before = (await shown(org, "portfolio"))["cuts"][0]
    lines = [f"a-{n},{100 * (n + 1)}" for n in range(ENOUGH)]
    grown = await bring(org, tmp_path, "accounts", "\n".join(["external_id,growth_potential", *lines, ""]).encode())
    assert grown["detail"] == "Cuts of portfolio were taken from the accounts that have come: growth_potential of 20."
    portfolio = await shown(org, "portfolio")
    assert ([cut["from"] for cut in portfolio["cuts"]], portfolio["version"]) == (["data", "data"], 3)
    assert portfolio["cuts"][0] == before | {"taken": [False]}


async def test_what_somebody_defined_or_brought_back_stays(db: Database, tmp_path: Path) -> None:
    org = await begun(db)
    body = (await shown(org, "tier"))["definition"]
    await segmentations.put(db, org.call(), "tier", {**body, "name": "Our tiers"}, 1)
    assert [cut["from"] for cut in (await shown(org, "tier"))["cuts"]] == ["definition"]
    await bring(org, tmp_path, "accounts", many(50))
    assert (await shown(org, "tier"))["version"] == 2
    await versions.rollback(db, org.call(), "portfolio", {"version": 1}, 2)
    await bring(org, tmp_path, "accounts", many(30, 50))
    portfolio = await shown(org, "portfolio")
    assert ([cut["from"] for cut in portfolio["cuts"]], portfolio["version"]) == (["start", "start"], 3)


async def test_members_that_time_does_not_move_are_right_for_when_they_were_placed(db: Database) -> None:
    org = await begun(db)
    later = await shown(org, "tier", NOW + timedelta(hours=3))
    assert (later["state"], later["as_of"]) == ("fresh", "2026-11-22T12:00:00Z")
    tomorrow = NOW + timedelta(days=1)
    behind = await shown(org, "tier", tomorrow)
    assert (behind["state"], behind["as_of"]) == ("stale", "2026-11-22T12:00:00Z")
    await days.roll(db, org.workspace.id, tomorrow)
    followed = await shown(org, "tier", tomorrow)
    assert followed["as_of"] == followed["computed_at"] == "2026-11-23T12:00:00Z"


async def test_members_that_time_moves_are_right_for_up_to_when_it_was_followed(db: Database) -> None:
    org = await begun(db)
    newcomers = {
        "name": "Age", "kind": "rules", "segments": [{"slug": "new", "name": "New", "criteria": "created_at IN last(48h)"}],
    }  # fmt: skip
    await segmentations.put(db, org.call(), "age", newcomers, None)
    later = await shown(org, "age", NOW + timedelta(minutes=3))
    assert (later["state"], later["as_of"]) == ("fresh", "2026-11-22T12:00:00Z")
