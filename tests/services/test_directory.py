"""What the organisation has named: made, changed and deleted under a slug that stays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.persistence.database import Database
from app.persistence.records import By
from app.services import accounts, records, usage
from app.services.calls import Call, Written, new_id
from app.services.records import DIRECTORY
from tests.services.organisations import NOW, Organisation, document, organisation

CHANGES: Mapping[str, Mapping[str, Any]] = {
    "industries": {"name": "Retail and trade"},
    "products": {"list_price": 13},
    "features": {"module": "analytics"},
    "teams": {"name": "Northern Europe"},
}
EACH = pytest.mark.parametrize("entity", DIRECTORY)
SEGMENTATION = (
    "INSERT INTO segmentations (workspace_id, id, slug, name, kind, spec, segments, rest, cuts, state, created_at, updated_at)"
    " VALUES ($1, $2, 'side', 'Side', 'rules', '{}', $3, 'out', '{}', 'ok', $4, $4)"
)


async def make(org: Organisation, entity: str, slug: str, /, **body: Any) -> Written:
    return await records.create(org.db, org.call(), entity, {"name": slug.title(), "slug": slug, **body})


async def change(org: Organisation, entity: str, slug: str, version: int | None, /, **body: Any) -> Written:
    return await records.change(org.db, org.call(), entity, "slug", slug, body, version)


def test_every_entity_is_told_here() -> None:
    assert set(CHANGES) == set(DIRECTORY)


@EACH
async def test_made_changed_and_gone(db: Database, entity: str) -> None:
    org = await organisation(db)
    made = await make(org, entity, "one", external_id="x-1")
    shown = document(made.body)
    assert (made.created, made.version, shown["slug"], shown["external_id"]) == (True, 1, "one", "x-1")
    assert [(e.entity, e.id, e.before) for e in made.effects] == [(entity, made.id, None)]
    changed = await change(org, entity, "one", 1, **CHANGES[entity])
    assert {name: document(changed.body)[name] for name in CHANGES[entity]} == CHANGES[entity]
    assert set(changed.effects[0].after or ()) == set(CHANGES[entity])
    again = await change(org, entity, "one", 2, **CHANGES[entity], slug="one")
    assert (again.version, again.effects) == (2, ())
    with pytest.raises(VersionRequired):
        await change(org, entity, "one", None, name="x")
    for version in (1, 3):
        with pytest.raises(VersionStale):
            await change(org, entity, "one", version, name="x")
        with pytest.raises(VersionStale):
            await records.delete(db, org.call(), entity, "slug", "one", version)
    gone = await records.delete(db, org.call(), entity, "id", str(made.id), 2)
    assert (gone.id, gone.body, gone.effects[0].after) == (made.id, b"", None)
    with pytest.raises(NotFound):
        await change(org, entity, "one", 2, name="x")


@EACH
async def test_a_slug_stays_and_is_taken_once(db: Database, entity: str) -> None:
    org, other = await organisation(db), await organisation(db)
    first = await make(org, entity, "one", external_id="x-1")
    await make(other, entity, "one", external_id="x-1")
    await make(org, entity, "two")
    for body, pointer in (({"slug": "one"}, "/slug"), ({"slug": "three", "external_id": "x-1"}, "/external_id")):
        with pytest.raises(Conflict) as caught:
            await records.create(db, org.call(), entity, {"name": "x", **body})
        assert [fault.pointer for fault in caught.value.faults] == [pointer]
        assert str(first.id) in caught.value.detail
    with pytest.raises(Conflict):
        await change(org, entity, "two", 1, external_id="x-1")
    with pytest.raises(Invalid) as refused:
        await change(org, entity, "two", 1, slug="three")
    assert [fault.pointer for fault in refused.value.faults] == ["/slug"]
    for slug in ("Two", "", "a b", "-a", "x" * 64, None, 5):
        with pytest.raises(Invalid):
            await records.create(db, org.call(), entity, {"name": "x", "slug": slug})


@EACH
async def test_upsert_makes_and_then_changes(db: Database, entity: str) -> None:
    org = await organisation(db)
    made = await records.upsert(db, org.call(), entity, "one", {"name": "One"}, None)
    assert (made.created, document(made.body)["slug"]) == (True, "one")
    with pytest.raises(VersionRequired):
        await records.upsert(db, org.call(), entity, "one", {"name": "Two"}, None)
    changed = await records.upsert(db, org.call(), entity, "one", {"slug": "one", **CHANGES[entity]}, 1)
    assert (changed.id, changed.created, changed.version) == (made.id, False, 2)
    with pytest.raises(VersionStale):
        await records.upsert(db, org.call(), entity, "new", {"name": "New"}, 1)
    for slug, body in (
        ("new", {}),
        ("new", {"name": "x", "slug": "other"}),
        ("Not One", {"name": "x"}),
        ("", {"name": "x"}),
    ):
        with pytest.raises(Invalid):
            await records.upsert(db, org.call(), entity, slug, body, None)
    results = await asyncio.gather(
        *(records.upsert(db, org.call(), entity, "many", {"name": "Many"}, None) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Written) for result in results) == 1
    assert all(isinstance(result, Written | VersionRequired) for result in results)


@EACH
async def test_who_may(db: Database, entity: str) -> None:
    org = await organisation(db)
    for role in ("csm", "viewer"):
        with pytest.raises(Forbidden):
            await records.create(db, org.call(role), entity, {"name": "x", "slug": "x"})
    for n, call in enumerate((org.call(), org.call("manager"), Call(org.as_("service", "write"), NOW))):
        await records.create(db, call, entity, {"name": "x", "slug": f"x{n}"})
    for role in ("csm", "viewer"):
        with pytest.raises(Forbidden):
            await records.change(db, org.call(role), entity, "slug", "x0", {"name": "y"}, 1)
        with pytest.raises(Forbidden):
            await records.delete(db, org.call(role), entity, "slug", "x0", 1)


@EACH
async def test_anothers_cannot_be_told_from_none(db: Database, entity: str) -> None:
    org, other = await organisation(db), await organisation(db)
    foreign = await make(other, entity, "theirs")
    keys: tuple[tuple[By, str], ...] = (
        ("slug", "theirs"), ("slug", "nothing"), ("slug", "a\0b"), ("id", str(foreign.id)), ("id", "x"),
    )  # fmt: skip
    for by, value in keys:
        for version in (1, 5, None):
            with pytest.raises(NotFound):
                await records.change(db, org.call(), entity, by, value, {"name": "x"}, version)
            with pytest.raises(NotFound):
                await records.delete(db, org.call(), entity, by, value, version)


@EACH
async def test_what_depends_on_it_is_named(db: Database, entity: str) -> None:
    org = await organisation(db)
    await make(org, entity, "used")
    await make(org, entity, "free")
    acme = await accounts.create(db, org.call(), {"name": "Acme", "external_id": "a-1"})
    if entity == "industries":
        await accounts.change(db, org.call(), acme.id, {"industry": "used"}, 1)
    elif entity == "products":
        contract = {"account": "a-1", "product": "used", "arr": 1, "start_date": "2026-01-01"}
        await records.create(db, org.call(), "contracts", contract)
    elif entity == "features":
        row = {"account": "a-1", "feature": "used", "day": "2026-11-20", "value": 1}
        await usage.put(db, org.call(), {"rows": [row]})
    else:
        await org.run("UPDATE users SET team = 'used' WHERE workspace_id = $1 AND id = $2", org.user("csm"))
    with pytest.raises(Conflict) as caught:
        await records.delete(db, org.call(), entity, "slug", "used", 1)
    kinds = {"industries": "1 account", "products": "1 contract", "features": "1 day of usage", "teams": "1 user"}
    assert kinds[entity] in caught.value.detail
    await records.delete(db, org.call(), entity, "slug", "free", 1)


# -- features ----------------------------------------------------------------------------------------------------------


async def test_features_are_numbered_however_many_come_at_once(db: Database) -> None:
    org = await organisation(db)
    await asyncio.gather(*(make(org, "features", f"f{n}") for n in range(10)))
    numbers = await org.rows("SELECT no FROM features WHERE workspace_id = $1 ORDER BY no")
    assert numbers == [(n,) for n in range(1, 11)]


async def test_scores_follow_the_features(db: Database) -> None:
    org = await organisation(db)
    await make(org, "features", "reports", module="a")
    acme = await accounts.create(db, org.call(), {"name": "Acme"})
    body = {"rows": [{"feature": "reports", "day": "2026-11-21", "value": 1}]}
    await usage.put(db, org.call(), body, account=acme.id)
    scores = []

    async def note() -> None:
        sql = "SELECT consumption_score FROM accounts WHERE workspace_id = $1 AND id = $2"
        scores.append((await org.rows(sql, acme.id))[0][0])

    await note()
    await make(org, "features", "exports", module="b")
    await note()  # one of two is used
    await change(org, "features", "exports", 1, module="a")
    await note()  # and all of its one module
    await change(org, "features", "exports", 2, is_key=True)
    await note()
    await records.delete(db, org.call(), "features", "slug", "exports", 3)
    await note()
    assert scores[1] < scores[2] == scores[3] < scores[4] == scores[0]


async def test_segments_follow_what_is_a_key_feature(db: Database) -> None:
    org = await organisation(db)
    await make(org, "features", "reports")
    segments = msgspec.json.encode(
        [{"slug": "in", "name": "In", "criteria": "sum(usage.value WHERE is_key = true, last(30d)) > 0"}]
    )
    await org.run(SEGMENTATION, new_id(), segments, NOW)
    acme = await accounts.create(db, org.call(), {"name": "Acme"})
    body = {"rows": [{"feature": "reports", "day": "2026-11-21", "value": 1}]}
    await usage.put(db, org.call(), body, account=acme.id)
    stands = "SELECT segment FROM members WHERE workspace_id = $1 AND account_id = $2"
    assert await org.rows(stands, acme.id) == [("out",)]
    await change(org, "features", "reports", 1, is_key=True)
    assert await org.rows(stands, acme.id) == [("in",)]
