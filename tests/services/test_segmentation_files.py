"""Segmentations as code: what a file would change, and a file that is made to stand as a whole or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound, VersionStale
from app.domain.segmentation import presets
from app.persistence.database import Database, Transaction
from app.services import accounts, segmentation_files, segmentations, versions, workspaces
from app.services.calls import ENCODER, Call
from tests.services.organisations import NOW, Organisation, document, organisation

LATER = NOW + timedelta(hours=1)
SIZE: dict[str, Any] = {
    "name": "Size", "kind": "rules", "rest": "small",
    "segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 100"}],
}  # fmt: skip
LOWER = SIZE | {"segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 10"}]}
HEALTHY: dict[str, Any] = {
    "name": "Healthy", "kind": "bands", "spec": {"field": "health", "cuts": {"by": "absolute", "at": [50]}},
    "segments": [{"slug": "well", "name": "Well"}, {"slug": "ill", "name": "Ill"}],
}  # fmt: skip


async def office(db: Database) -> Organisation:
    org = await organisation(db)
    for arr in (5, 50, 500):
        await accounts.create(db, org.call(), {"name": f"A{arr}", "arr": arr, "health": 60})
    await segmentations.put(db, org.call(), "size", SIZE, None)
    return org


async def test_a_plan_says_what_is_new_what_changes_and_who_moves_and_writes_nothing(db: Database) -> None:
    org = await office(db)
    before = await org.rows("SELECT * FROM segmentation_versions WHERE workspace_id = $1")
    file = {"segmentations": {"size": LOWER, "healthy": HEALTHY}}
    size, healthy = await segmentation_files.plan(db, org.people["manager"], file, LATER)
    assert (size.slug, size.state, size.version, healthy.state, healthy.version) == ("size", "changed", 1, "new", None)
    changed = [line for line in size.lines if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert [line.strip("+- ,") for line in changed] == ['"criteria": "arr >= 100"', '"criteria": "arr >= 10"']
    assert size.simulated is not None
    assert [(one["from"], one["to"], one["accounts"]) for one in size.simulated["moves"]] == [("small", "big", 1)]
    assert healthy.simulated is not None
    assert healthy.simulated["moved"]["accounts"] == 3
    assert await org.rows("SELECT * FROM segmentation_versions WHERE workspace_id = $1") == before


async def test_what_is_applied_stands_and_applied_again_changes_nothing(db: Database) -> None:
    org = await office(db)
    file = {"segmentations": {"size": LOWER, "healthy": HEALTHY}}
    planned = await segmentation_files.plan(db, org.people["admin"], file, LATER)
    await segmentation_files.apply(db, org.call(now=LATER), planned, "smaller customers matter")
    told = {
        one["slug"]: one["version"] for one in await segmentations.all_segmentations(db, org.people["viewer"], LATER)
    }
    assert (told["size"], told["healthy"]) == (2, 1)
    found = await segmentations.segments(db, org.people["viewer"], "size", LATER)
    assert {one["slug"]: one["accounts"] for one in found["data"]} == {"big": 2, "small": 1}
    notes = await org.rows("SELECT note FROM segmentation_versions WHERE workspace_id = $1 AND note IS NOT NULL")
    assert notes == [("smaller customers matter",)] * 2
    again = await segmentation_files.plan(db, org.people["admin"], file, LATER)
    assert [(one.state, one.lines) for one in again] == [("same", ()), ("same", ())]
    entries = await org.rows("SELECT id FROM audit WHERE workspace_id = $1")
    await segmentation_files.apply(db, org.call(now=LATER), again)
    assert await org.rows("SELECT id FROM audit WHERE workspace_id = $1") == entries


async def test_accounts_are_placed_once_for_the_whole_file(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org, sent = await office(db), list[str]()
    fetchval = Transaction.fetchval

    async def noted(self: Any, query: str, *args: Any, **options: Any) -> Any:
        sent.append(query)
        return await fetchval(self, query, *args, **options)

    file = {"segmentations": {"size": LOWER, "healthy": HEALTHY}}
    planned = await segmentation_files.plan(db, org.people["admin"], file, LATER)
    monkeypatch.setattr(Transaction, "fetchval", noted)
    await segmentation_files.apply(db, org.call(now=LATER), planned)
    assert sum("INSERT INTO members" in query for query in sent) == 1
    placed = await org.rows(
        "SELECT count(*) FROM members WHERE workspace_id = $1 AND segment IN ('big', 'small', 'well')"
    )
    assert placed == [(6,)]


async def test_what_changed_since_the_plan_is_not_overwritten_and_nothing_of_the_file_lands(db: Database) -> None:
    org = await office(db)
    file = {"segmentations": {"healthy": HEALTHY, "size": LOWER}}
    planned = await segmentation_files.plan(db, org.people["admin"], file, LATER)
    await segmentations.put(db, org.call(now=LATER), "size", SIZE | {"name": "How large"}, 1)
    with pytest.raises(VersionStale):
        await segmentation_files.apply(db, org.call(now=LATER), planned)
    told = {one["slug"]: one["name"] for one in await segmentations.all_segmentations(db, org.people["viewer"], LATER)}
    assert told["size"] == "How large"
    assert "healthy" not in told


async def test_the_file_of_what_stands_changes_nothing_whatever_the_kind(db: Database) -> None:
    org = await office(db)
    for slug, body in presets.presets().items():
        version = (org.workspace.segmentations and (slug in presets.INSTALLED)) or None
        await segmentations.put(db, org.call(), slug, body, 1 if version else None)
    file = await segmentation_files.every(db, org.people["viewer"])
    assert set(presets.presets()) <= set(file["segmentations"])
    read = document(ENCODER.encode(file))
    planned = await segmentation_files.plan(db, org.people["admin"], read, LATER)
    assert {one.slug: one.lines for one in planned} == dict.fromkeys(file["segmentations"], ())


async def test_every_fault_of_a_file_says_where_in_the_file_it_is(db: Database) -> None:
    org = await office(db)
    wrong = {"size": SIZE | {"colour": "red"}, "healthy": HEALTHY | {"kind": "stripes"}}
    with pytest.raises(Invalid) as refused:
        await segmentation_files.plan(db, org.people["admin"], {"segmentations": wrong}, LATER)
    assert [fault.pointer for fault in refused.value.faults] == [
        "/segmentations/size/colour", "/segmentations/healthy/kind",
    ]  # fmt: skip
    unknown = {"size": SIZE | {"segments": [SIZE["segments"][0] | {"criteria": "arrr >= 1"}]}}
    with pytest.raises(Invalid) as refused:
        await segmentation_files.plan(db, org.people["admin"], {"segmentations": unknown}, LATER)
    assert refused.value.faults[0].pointer == "/segmentations/size/segments/0/criteria"
    told: object
    for told in ({}, [], {"segmentations": {}}, {"size": SIZE}, {"segmentations": {"size": SIZE}, "more": 1}):
        with pytest.raises(Invalid):
            await segmentation_files.plan(db, org.people["admin"], told, LATER)


async def test_who_may_not_define_segmentations_plans_none(db: Database) -> None:
    org = await office(db)
    with pytest.raises(Forbidden):
        await segmentation_files.plan(db, org.people["csm"], {"segmentations": {"size": LOWER}}, LATER)


async def test_at_the_command_line_a_version_is_somebodys_or_says_where_it_was_made(db: Database) -> None:
    org = await office(db)
    ada = await workspaces.commanded(db, org.workspace.slug, "manager@example.com")
    planned = await segmentation_files.plan(db, ada, {"segmentations": {"size": LOWER}}, LATER)
    await segmentation_files.apply(db, Call(ada, LATER), planned)
    (version, *_), _, _ = await versions.every(db, org.people["viewer"], "size", None, 5)
    assert (version["author_id"], version["author"]) == (org.user("manager"), "Manager")
    entries = await org.rows("SELECT door, actor_id, role FROM audit WHERE workspace_id = $1 AND at = $2", LATER)
    assert entries == [("command", org.user("manager"), "manager")]
    viewer = await workspaces.commanded(db, org.workspace.slug, "viewer@example.com")
    with pytest.raises(Forbidden):
        await segmentation_files.plan(db, viewer, {"segmentations": {"size": LOWER}}, LATER)
    with pytest.raises(NotFound, match="no active user"):
        await workspaces.commanded(db, org.workspace.slug, "nobody@example.com")
