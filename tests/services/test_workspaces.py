"""Workspaces: made with their stages, loaded in one statement, settings changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence.database import Database
from app.services import accounts, workspaces
from app.services.calls import new_id
from tests.services.organisations import NOW, document, organisation


async def test_a_new_workspace_has_its_settings_and_stages(db: Database) -> None:
    made = await workspaces.create_workspace(
        db,
        "Acme & Söhne",
        datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
        currency="JPY",
        zone="Asia/Tokyo",
        fiscal_month=4,
    )
    workspace = await workspaces.load(db, made)
    assert (workspace.slug, workspace.name, workspace.minor_digits) == ("acme-s-hne", "Acme & Söhne", 0)
    assert (workspace.zone.key, workspace.facts_day, workspace.fiscal_month) == ("Asia/Tokyo", date(2026, 11, 23), 4)
    assert workspace.arr_per_csm == 2_000_000
    stages = await db.fetch("SELECT slug, name, position FROM stages WHERE workspace_id = $1 ORDER BY position", made)
    slugs = ("trial", "onboarding", "adoption", "established", "advocate")
    assert [tuple(row) for row in stages] == [(slug, slug.title(), n) for n, slug in enumerate(slugs, 1)]


async def test_a_slug_is_taken_once(db: Database) -> None:
    await workspaces.create_workspace(db, "Twice", NOW)
    with pytest.raises(Conflict) as caught:
        await workspaces.create_workspace(db, "Twice", NOW)
    assert [fault.pointer for fault in caught.value.faults] == ["/slug"]
    await workspaces.create_workspace(db, "Twice", NOW, slug="twice-again")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("zone", "Europe/Berln"), ("zone", None), ("currency", "usd"), ("week_start", 0), ("week_start", True),
        ("fiscal_month", 13), ("health_green", 101), ("health_yellow", 80), ("arr_per_csm", 0), ("arr_per_csm", "5"),
        ("arr_per_csm", Decimal("0.001")), ("slug", "No Slug"), ("colour", "red"), ("name", ""), ("arr_per_csm", 10**400),
    ],
)  # fmt: skip
async def test_a_setting_that_means_nothing_is_refused(db: Database, setting: str, told: object) -> None:
    settings: dict[str, Any] = {"name": "Refused", setting: told}
    with pytest.raises(Invalid) as caught:
        await workspaces.create_workspace(db, now=NOW, **settings)
    assert [fault.pointer for fault in caught.value.faults] == [f"/{setting}"]


async def test_what_a_workspace_knows_changes_its_epoch(db: Database) -> None:
    org = await organisation(db)
    first = await workspaces.load(db, org.workspace.id)
    assert first == await workspaces.load(db, org.workspace.id)
    assert first.segmentations == {}
    segments = b'[{"slug": "high"}, {"slug": "medium"}]'
    identity = new_id()
    await org.run(
        "INSERT INTO segmentations (workspace_id, id, slug, name, kind, spec, segments, rest, cuts, state, created_at, updated_at)"
        " VALUES ($1, $2, 'tier', 'Tier', 'bands', '{}', $3, 'low', '{}', 'current', $4, $4)",
        identity, segments, NOW,
    )  # fmt: skip
    second = await workspaces.load(db, org.workspace.id)
    assert second.epoch != first.epoch
    assert second.segmentations["tier"].id == identity
    assert second.segmentations["tier"].segments == ("high", "medium", "low")


async def test_settings_are_shown_and_changed(db: Database) -> None:
    org = await organisation(db)
    account = await accounts.create(db, org.call(), {"name": "Acme", "health": 60})
    assert document(account.body)["health_band"] in ("yellow", None)
    shown = document(workspaces.get(org.people["viewer"]))
    assert shown == {
        "id": str(org.workspace.id), "slug": org.workspace.slug, "name": org.workspace.name, "currency": "USD", "zone": "UTC",
        "week_start": 1, "fiscal_month": 1, "health_yellow": 40, "health_green": 70, "arr_per_csm": Decimal("2000000.00"),
        "version": 1,
    }  # fmt: skip
    body = {"health_green": 50, "arr_per_csm": Decimal("1500000.50"), "zone": "Europe/Berlin"}
    written = await workspaces.change(db, org.call(), body, 1)
    assert written.version == 2
    assert document(written.body) == {**shown, **body, "version": 2}
    assert (await workspaces.load(db, org.workspace.id)).arr_per_csm == 150_000_050
    again = await workspaces.change(db, org.call(), body, 2)
    assert again.version == 2


async def test_settings_are_an_admins_and_need_their_version(db: Database) -> None:
    org = await organisation(db)
    for role in ("manager", "csm", "viewer"):
        with pytest.raises(Forbidden):
            await workspaces.change(db, org.call(role), {"week_start": 7}, 1)
    with pytest.raises(VersionRequired):
        await workspaces.change(db, org.call(), {"week_start": 7}, None)
    with pytest.raises(VersionStale):
        await workspaces.change(db, org.call(), {"week_start": 7}, 2)
    for body in ({"slug": "x"}, {"currency": "JPY"}, {"health_yellow": 70}, {"id": "x"}):
        with pytest.raises(Invalid):
            await workspaces.change(db, org.call(), body, 1)
    assert (await workspaces.load(db, org.workspace.id)).version == 1


async def test_a_workspace_that_is_not_there_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound):
        await workspaces.load(db, new_id())


async def test_a_new_workspace_has_the_preset_segmentations(db: Database) -> None:
    made = await workspaces.create_workspace(db, "Preset", NOW)
    assert sorted((await workspaces.load(db, made)).segmentations) == ["portfolio", "tier"]
