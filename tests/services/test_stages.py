"""Stages in order, and nothing that depends on one lost with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence.database import Database
from app.services import accounts, lists, segmentations, stages
from app.services.calls import Effect, Written
from tests.services.organisations import Organisation, document, organisation

USUAL = ["trial", "onboarding", "adoption", "established", "advocate"]


async def order(org: Organisation) -> list[str]:
    """Slugs in order; positions must be dense."""
    rows = await org.rows("SELECT slug, position FROM stages WHERE workspace_id = $1 ORDER BY position, slug")
    assert [position for _, position in rows] == list(range(1, len(rows) + 1))
    return [slug for slug, _ in rows]


async def version(org: Organisation, slug: str) -> int:
    [(found,)] = await org.rows("SELECT version FROM stages WHERE workspace_id = $1 AND slug = $2", slug)
    return int(found)


async def make(org: Organisation, slug: str, **body: Any) -> Written:
    return await stages.create(org.db, org.call(), {"name": slug.title(), "slug": slug, **body})


async def change(org: Organisation, slug: str, /, **body: Any) -> Written:
    return await stages.change(org.db, org.call(), "slug", slug, body, await version(org, slug))


async def remove(org: Organisation, slug: str, move_to: str | None = None) -> Written:
    return await stages.delete(org.db, org.call(), "slug", slug, await version(org, slug), move_to)


async def test_a_new_stage_comes_last_or_where_it_is_put(db: Database) -> None:
    org = await organisation(db)
    last = await make(org, "renewal")
    assert (document(last.body)["position"], last.created) == (6, True)
    await make(org, "signed", position=2)
    await make(org, "beyond", position=70)
    assert await order(org) == ["trial", "signed", *USUAL[1:], "renewal", "beyond"]
    assert last.effects == (Effect("stages", last.id, None, {"name": "Renewal", "slug": "renewal", "position": 6}),)


async def test_what_a_new_stage_moves_is_told_and_is_another_version(db: Database) -> None:
    org = await organisation(db)
    written = await make(org, "signed", position=5)
    advocate = Effect("stages", (await ids(org))["advocate"], {"position": 5}, {"position": 6})
    assert written.effects[1:] == (advocate,)
    assert [await version(org, slug) for slug in ("established", "signed", "advocate")] == [1, 1, 2]


async def ids(org: Organisation) -> dict[str, Any]:
    return dict(await org.rows("SELECT slug, id FROM stages WHERE workspace_id = $1"))


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (1, ["established", "trial", "onboarding", "adoption", "advocate"]),
        (4, USUAL),
        (5, ["trial", "onboarding", "adoption", "advocate", "established"]),
        (999, ["trial", "onboarding", "adoption", "advocate", "established"]),
    ],
)
async def test_a_position_moves_the_others(db: Database, position: int, expected: list[str]) -> None:
    org = await organisation(db)
    await change(org, "established", position=position)
    assert await order(org) == expected


async def test_a_name_changes_alone(db: Database) -> None:
    org = await organisation(db)
    written = await change(org, "trial", name="Proof of concept")
    assert (document(written.body)["name"], written.version) == ("Proof of concept", 2)
    assert written.effects == (Effect("stages", written.id, {"name": "Trial"}, {"name": "Proof of concept"}),)
    again = await change(org, "trial", name="Proof of concept", position=1)
    assert (again.version, again.effects) == (2, ())


async def test_name_and_position_change_together(db: Database) -> None:
    org = await organisation(db)
    written = await change(org, "advocate", name="Fan", position=1)
    shown = document(written.body)
    assert (shown["name"], shown["position"], shown["version"]) == ("Fan", 1, written.version)
    assert await order(org) == ["advocate", *USUAL[:4]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"slug": "x"}, "/name"),
        ({"slug": "x", "name": "X", "position": 0}, "/position"),
        ({"slug": "x", "name": "X", "position": None}, "/position"),
        ({"slug": "order", "name": "X"}, "/slug"),
        ({"slug": "summary", "name": "X"}, "/slug"),
        ({"slug": "X", "name": "X"}, "/slug"),
        ({"slug": "x", "name": "X", "colour": "red"}, "/colour"),
    ],
)
async def test_what_is_no_stage(db: Database, body: dict[str, Any], pointer: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await stages.create(db, org.call(), body)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]
    assert await order(org) == USUAL


async def test_slugs_are_each_their_own_and_stay(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Conflict) as caught:
        await make(org, "trial")
    assert [fault.pointer for fault in caught.value.faults] == ["/slug"]
    with pytest.raises(Invalid):
        await change(org, "trial", slug="proof")
    assert await order(org) == USUAL


async def test_versions_guard_changes(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(VersionRequired):
        await stages.change(db, org.call(), "slug", "trial", {"name": "X"}, None)
    with pytest.raises(VersionStale):
        await stages.delete(db, org.call(), "slug", "trial", 7)
    with pytest.raises(NotFound):
        await stages.change(db, org.call(), "slug", "nowhere", {"name": "X"}, 1)


async def test_an_upsert_makes_then_changes(db: Database) -> None:
    org = await organisation(db)
    made = await stages.upsert(db, org.call(), "renewal", {"name": "Renewal", "position": 1}, None)
    assert made.created
    changed = await stages.upsert(db, org.call(), "renewal", {"name": "Renewals"}, made.version)
    assert (changed.created, document(changed.body)["position"]) == (False, 1)
    with pytest.raises(VersionRequired):
        await stages.upsert(db, org.call(), "renewal", {"name": "X"}, None)
    with pytest.raises(VersionStale):
        await stages.upsert(db, org.call(), "nowhere", {"name": "X"}, 1)


async def test_all_are_put_in_order_at_once(db: Database) -> None:
    org = await organisation(db)
    written = await stages.arrange(db, org.call(), {"stages": USUAL[::-1]})
    assert [one["slug"] for one in document(written.body)["data"]] == USUAL[::-1] == await order(org)
    assert len(written.effects) == 4  # the middle one stays
    assert await version(org, "adoption") == 1


@pytest.mark.parametrize(
    ("told", "pointers", "suggestion"),
    [
        (USUAL[1:], ["/stages"], None),
        ([*USUAL, "trial"], ["/stages/5"], None),
        (["trail", *USUAL[1:]], ["/stages/0", "/stages"], "trial"),
        ("trial", ["/stages"], None),
        ([*USUAL[:4], 5], ["/stages"], None),
    ],
)
async def test_an_order_names_every_stage_once(
    db: Database, told: object, pointers: list[str], suggestion: str | None
) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await stages.arrange(db, org.call(), {"stages": told})
    assert [fault.pointer for fault in caught.value.faults] == pointers
    assert caught.value.faults[0].suggestion == suggestion
    assert await order(org) == USUAL


async def test_imported_positions_become_dense_with_the_next_write(db: Database) -> None:
    org = await organisation(db)
    await org.run("UPDATE stages SET position = 40 WHERE workspace_id = $1 AND slug IN ('trial', 'adoption')")
    await make(org, "renewal")
    assert await order(org) == ["onboarding", "established", "advocate", "trial", "adoption", "renewal"]


async def test_reordering_at_once_leaves_a_dense_order(db: Database) -> None:
    org = await organisation(db)

    async def shuffle(n: int) -> None:
        if n % 3 == 0:
            await stages.arrange(db, org.call(), {"stages": USUAL[n % 5 :] + USUAL[: n % 5]})
            return
        try:
            await change(org, USUAL[n % 5], position=n % 4 + 1)
        except VersionStale:
            return

    async with asyncio.timeout(30):
        await asyncio.gather(*(shuffle(n) for n in range(20)))
    assert sorted(await order(org)) == sorted(USUAL)


async def test_new_stages_at_once_take_each_a_place(db: Database) -> None:
    org = await organisation(db)
    await asyncio.gather(*(make(org, f"s{n}", position=2) for n in range(8)))
    assert {"trial", *(f"s{n}" for n in range(8))} == set((await order(org))[:9])


async def test_a_stage_in_use_is_not_deleted(db: Database) -> None:
    org = await organisation(db)
    await accounts.create(db, org.call(), {"name": "Acme", "stage": "adoption"})
    with pytest.raises(Conflict) as caught:
        await remove(org, "adoption")
    assert (
        caught.value.detail
        == "Expected nothing that depends on it: 1 account (Acme); accounts go to another stage by move_to (moveTo)."
    )
    assert await order(org) == USUAL


async def test_accounts_move_before_their_stage_goes(db: Database) -> None:
    org = await organisation(db)
    acme = await accounts.create(db, org.call(), {"name": "Acme", "stage": "adoption"})
    old = await accounts.create(db, org.call(), {"name": "Old", "stage": "adoption"})
    await accounts.archive(db, org.call(), old.id, old.version)
    written = await remove(org, "adoption", "established")
    assert await order(org) == ["trial", "onboarding", "established", "advocate"]
    stand = await org.rows("SELECT name, stage, version FROM accounts WHERE workspace_id = $1 ORDER BY name")
    assert stand == [("Acme", "established", 2), ("Old", "established", 3)]
    kept = await org.rows(
        "SELECT stage, was FROM stage_moves WHERE workspace_id = $1 AND account_id = $2 ORDER BY moved_at", acme.id
    )
    assert kept == [("adoption", None), ("established", "adoption")]
    assert [(e.entity, e.before, e.after) for e in written.effects] == [
        ("stages", {"name": "Adoption", "slug": "adoption", "position": 3}, None),
        ("accounts", {"stage": "adoption"}, {"stage": "established", "count": 2, "ids": sorted([acme.id, old.id])}),
        ("stages", {"position": 4}, {"position": 3}),
        ("stages", {"position": 5}, {"position": 4}),
    ]


async def test_moved_accounts_stand_in_their_segments(db: Database) -> None:
    org = await organisation(db)
    body = {"name": "Phase", "kind": "rules", "rest": "early",
            "segments": [{"slug": "late", "name": "Late", "criteria": 'stage = "advocate"'}]}  # fmt: skip
    await segmentations.put(db, org.call(), "phase", body, None)
    acme = await accounts.create(db, org.call(), {"name": "Acme", "stage": "adoption"})
    await remove(org, "adoption", "advocate")
    segment = await org.rows(
        "SELECT m.segment FROM members m JOIN segmentations s ON s.workspace_id = $1 AND s.id = m.segmentation_id"
        " WHERE m.workspace_id = $1 AND s.slug = 'phase' AND m.account_id = $2",
        acme.id,
    )
    assert segment == [("late",)]


async def test_who_met_the_last_stage_s_criteria_moves_as_those_left_say(db: Database) -> None:
    org = await organisation(db)
    for slug in ("onboarding", "advocate"):
        await change(org, slug, entry="case_studies >= 1")
    acme = await accounts.create(db, org.call(), {"name": "Acme", "case_studies": 2})
    await remove(org, "advocate", "trial")
    assert await org.rows("SELECT stage FROM accounts WHERE workspace_id = $1 AND id = $2", acme.id) == [
        ("onboarding",)
    ]
    assert await org.rows("SELECT stage FROM stage_verdicts WHERE workspace_id = $1") == [("onboarding",)]


@pytest.mark.parametrize(("move_to", "suggestion"), [("adoption", None), ("advocat", "advocate"), ("nowhere", None)])
async def test_accounts_move_to_another_stage_that_is_there(db: Database, move_to: str, suggestion: str | None) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await remove(org, "adoption", move_to)
    [fault] = caught.value.faults
    assert (fault.parameter, fault.suggestion) == ("move_to", suggestion)
    assert await order(org) == USUAL


async def test_criteria_that_name_a_stage_keep_it(db: Database) -> None:
    org = await organisation(db)
    told = {"entity": "accounts", "name": "Young", "visibility": "public", "criteria": {"text": 'stage = "trial"'}}
    await lists.create(db, org.call(), told)
    await accounts.create(db, org.call(), {"name": "Acme", "stage": "trial"})
    with pytest.raises(Conflict, match=r"1 saved list \(Young\)"):
        await remove(org, "trial", "adoption")
    assert await org.rows("SELECT stage, version FROM accounts WHERE workspace_id = $1") == [("trial", 1)]


async def test_another_organisation_has_stages_of_its_own(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    await make(other, "theirs", position=1)
    with pytest.raises(NotFound):
        await stages.delete(db, org.call(), "slug", "theirs", 1)
    with pytest.raises(NotFound):
        await stages.change(db, org.call(), "id", str((await ids(other))["trial"]), {"name": "X"}, 1)
    assert await order(org) == USUAL


@pytest.mark.parametrize("role", ["csm", "viewer"])
async def test_stages_are_for_managers(db: Database, role: str) -> None:
    org = await organisation(db)
    for act in (
        stages.create(db, org.call(role), {"name": "X", "slug": "x"}),
        stages.change(db, org.call(role), "slug", "trial", {"name": "X"}, 1),
        stages.arrange(db, org.call(role), {"stages": USUAL}),
        stages.delete(db, org.call(role), "slug", "trial", 1),
    ):
        with pytest.raises(Forbidden):
            await act
