"""Workspaces: made with their stages, loaded in one statement, settings changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence.database import Database
from app.services import accounts, records, workspaces
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
        ("arr_per_csm", Decimal("0.001")), ("hours_per_csm", 0), ("hours_per_csm", 745), ("slug", "No Slug"), ("colour", "red"), ("name", ""), ("arr_per_csm", 10**400),
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
        "hours_per_csm": 120, "fiscal_calendar": None, "version": 1,
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
    for body in ({"slug": "x"}, {"currency": "yen"}, {"health_yellow": 70}, {"id": "x"}, {"keep_amounts": "yes"}):
        with pytest.raises(Invalid):
            await workspaces.change(db, org.call(), body, 1)
    assert (await workspaces.load(db, org.workspace.id)).version == 1


async def test_the_currency_changes_freely_while_no_amount_is_stored(db: Database) -> None:
    org = await organisation(db)
    await accounts.create(db, org.call(), {"name": "Acme"})
    written = await workspaces.change(db, org.call(), {"currency": "JPY"}, 1)
    assert (document(written.body)["currency"], document(written.body)["arr_per_csm"]) == ("JPY", 2_000_000)
    workspace = await workspaces.load(db, org.workspace.id)
    assert (workspace.minor_digits, workspace.arr_per_csm) == (0, 2_000_000)
    written = await workspaces.change(db, org.call(), {"currency": "KWD", "arr_per_csm": Decimal("0.125")}, 2)
    assert (await workspaces.load(db, org.workspace.id)).arr_per_csm == 125


STORED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("accounts", {"name": "A", "arr": 5}), ("accounts", {"name": "A", "growth_potential": 5}),
    ("products", {"name": "P", "slug": "p", "list_price": 5}), ("accounts", {"name": "A", "cost_to_serve": 5}),
)  # fmt: skip


@pytest.mark.parametrize(("entity", "told"), STORED)
async def test_amounts_that_are_stored_are_never_converted(db: Database, entity: str, told: dict[str, Any]) -> None:
    org, other = await organisation(db), await organisation(db)
    if entity == "accounts":
        await accounts.create(db, org.call(), told)
    else:
        await records.create(db, org.call(), entity, told)
    with pytest.raises(Conflict) as refused:
        await workspaces.change(db, org.call(), {"currency": "EUR"}, 1)
    assert [f.pointer for f in refused.value.faults] == ["/currency"]
    with pytest.raises(Invalid):
        await workspaces.change(db, org.call(), {"currency": "JPY", "keep_amounts": True}, 1)
    written = await workspaces.change(db, org.call(), {"currency": "EUR", "keep_amounts": True}, 1)
    assert (written.version, document(written.body)["currency"]) == (2, "EUR")
    assert (await workspaces.change(db, other.call(), {"currency": "EUR"}, 1)).version == 2


async def test_another_zone_brings_its_day(db: Database) -> None:
    org = await organisation(db)
    account = await accounts.create(db, org.call(), {"name": "Acme", "became_customer_at": "2026-11-23"})
    assert document(account.body)["status"] == "prospect"
    await workspaces.change(db, org.call(), {"zone": "Pacific/Kiritimati"}, 1)
    assert (await workspaces.load(db, org.workspace.id)).facts_day == date(2026, 11, 23)
    assert await org.rows("SELECT status FROM accounts WHERE workspace_id = $1") == [("customer",)]
    await workspaces.change(db, org.call(), {"zone": "Pacific/Pago_Pago"}, 2)
    assert (await workspaces.load(db, org.workspace.id)).facts_day == date(2026, 11, 23)


async def test_a_workspace_that_is_not_there_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound):
        await workspaces.load(db, new_id())


async def test_a_new_workspace_has_the_preset_segmentations(db: Database) -> None:
    made = await workspaces.create_workspace(db, "Preset", NOW)
    assert sorted((await workspaces.load(db, made)).segmentations) == ["portfolio", "tier"]
