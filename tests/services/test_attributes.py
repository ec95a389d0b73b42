"""Own attributes: defined, held to, renamed, retired and deleted; indexed while everybody writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.attributes import MOST_INDEXED, key_of
from app.domain.criteria import text, tree
from app.domain.errors import Conflict, Forbidden, Invalid, StrataError, VersionStale
from app.persistence.database import Database
from app.services import (
    accounts,
    attribute_indexes,
    attributes,
    lists,
    mappings,
    reads,
    records,
    segmentations,
    simulations,
    versions,
    workspaces,
)
from app.services.asks import Ask
from app.services.calls import Written
from tests.services.organisations import NOW, Organisation, document, organisation

DEFAULTS = {"text": "plain", "integer": 3, "number": 1.5, "date": "2026-01-31", "bool": True}


async def fresh(org: Organisation) -> Organisation:
    """The same organisation, with its workspace as it is now."""
    workspace = await workspaces.load(org.db, org.workspace.id)
    people = {role: replace(principal, workspace=workspace) for role, principal in org.people.items()}
    return Organisation(org.db, workspace, people)


async def defined(org: Organisation, slug: str, type_: str = "text", **more: Any) -> tuple[Organisation, Written]:
    body = {"entity": "accounts", "slug": slug, "name": slug.title(), "type": type_, **more}
    written = await attributes.create(org.db, org.call(), body)
    return await fresh(org), written


async def changed(org: Organisation, of: Written, **said: Any) -> tuple[Organisation, Written]:
    standing = document((await reads.one(org.db, org.people["admin"], "attributes", "id", str(of.id))).body)
    written = await attributes.change(org.db, org.call(), of.id, said, standing["version"])
    return await fresh(org), written


async def made(org: Organisation, name: str = "Acme", **custom: Any) -> Written:
    return await accounts.create(org.db, org.call(), {"name": name, "custom": custom})


async def names(org: Organisation, criteria: str, **more: Any) -> list[str]:
    ask = Ask("accounts", filter=criteria, fields="name", sort="name", **more)
    answer = await reads.collection(org.db, org.people["viewer"], ask, NOW, secret=b"s" * 32)
    return [one["name"] for one in document(answer.data)]


async def state(org: Organisation, of: Written) -> str | None:
    one = document((await reads.one(org.db, org.people["admin"], "attributes", "id", str(of.id))).body)
    found: str | None = one["index_state"]
    return found


async def built(org: Organisation, of: Written) -> Organisation:
    for _ in range(200):
        if await state(org, of) != "building":
            break
        await asyncio.sleep(0.05)
    assert await state(org, of) == "ready"
    return await fresh(org)


async def indexes(org: Organisation, of: Written) -> list[str]:
    sql = "SELECT indexname FROM pg_indexes WHERE starts_with(indexname, $1) ORDER BY 1"
    return [row[0].removeprefix(f"own_{of.id.hex}_") for row in await org.db.fetch(sql, f"own_{of.id.hex}_")]


def faults(error: pytest.ExceptionInfo[StrataError]) -> list[tuple[str | None, str]]:
    return [(fault.pointer, fault.message) for fault in error.value.faults]


# -- definitions -----------------------------------------------------------------------------------------------------------


async def test_an_attribute_is_answered_whole_and_known_at_once(db: Database) -> None:
    org = await organisation(db)
    org, written = await defined(org, "region", "enum", values=["emea", "apac"], external_id="crm-7")
    told = document(written.body)
    assert {name: told[name] for name in ("slug", "type", "values", "index_state", "retired_at", "version")} == {
        "slug": "region", "type": "enum", "values": ["emea", "apac"], "index_state": None, "retired_at": None, "version": 1,
    }  # fmt: skip
    (effect,) = written.effects
    assert (effect.entity, effect.id, effect.before) == ("attributes", written.id, None)
    assert effect.after is not None
    assert effect.after["values"] == ("emea", "apac")
    account = await made(org, region="apac")
    assert document(account.body)["custom"] == {"region": "apac"}
    assert account.effects[0].after == {"name": "Acme", "custom": {"region": "apac"}}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"type": "enum"}, "/values"),
        ({"values": ["a"]}, "/values"),
        ({"type": "enum", "values": [""]}, "/values"),
        ({"type": "colour"}, "/type"),
        ({"slug": "No Slug"}, "/slug"),
        ({"entity": "contracts"}, "/entity"),
        ({"type": "bool", "is_unique": True}, "/is_unique"),
        ({"type": "tags", "is_promoted": True}, "/is_promoted"),
        ({"retired_at": "2999-01-01T00:00:00Z"}, "/retired_at"),
        ({"colour": "red"}, "/colour"),
        ({"index_state": "ready"}, "/index_state"),
    ],
)
async def test_what_is_no_attribute_is_refused(db: Database, body: dict[str, Any], pointer: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await defined(org, "region", **body) if "slug" not in body else await attributes.create(
            db, org.call(), {"entity": "accounts", "name": "x", "type": "text", **body}
        )
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


async def test_the_first_of_all_moments_is_one(db: Database) -> None:
    org = await organisation(db)
    body = {"entity": "accounts", "slug": "old", "name": "Old", "type": "text", "retired_at": "0001-01-01T00:00:00Z"}
    made = await attributes.create(db, org.call(), body)
    assert document(made.body)["retired_at"] == "0001-01-01T00:00:00+00:00"
    changed = await attributes.change(db, org.call(), made.id, {"name": "Older"}, 1)
    assert document(changed.body)["name"] == "Older"


async def test_admins_alone_define(db: Database) -> None:
    org = await organisation(db)
    body = {"entity": "accounts", "slug": "region", "name": "Region", "type": "text"}
    for role in ("manager", "csm", "viewer"):
        with pytest.raises(Forbidden):
            await attributes.create(db, org.call(role), body)
    _, written = await defined(org, "region")
    with pytest.raises(Conflict) as caught:
        await defined(org, "region")
    assert [fault.pointer for fault in caught.value.faults] == ["/slug"]
    with pytest.raises(VersionStale):
        await attributes.change(db, org.call(), written.id, {"name": "x"}, 7)


async def test_upserting_by_external_id(db: Database) -> None:
    org = await organisation(db)
    body = {"entity": "accounts", "slug": "region", "name": "Region", "type": "text"}
    first = await attributes.upsert(db, org.call(), "crm-1", body, None)
    second = await attributes.upsert(db, org.call(), "crm-1", {"name": "Area"}, 1)
    assert (first.created, second.created, second.id, second.version) == (True, False, first.id, 2)
    assert await attributes.upsert(db, org.call(), "crm-1", {"name": "Area"}, 2) == second  # nothing differs


# -- values ----------------------------------------------------------------------------------------------------------------

VALUES: list[tuple[str, dict[str, Any], Any, str, Any]] = [
    ("text", {}, "Émile", 'custom.x = "Émile"', 5),
    ("number", {}, Decimal("2.5"), "custom.x IN 2..<3", "2.5"),
    ("integer", {}, 2**40, f"custom.x = {2**40}", 1.5),
    ("money", {}, Decimal("12.34"), "custom.x = 12.34", Decimal("1.234")),
    ("date", {}, "2026-01-31", "custom.x < 2026-02-01", "2026-02-31"),
    ("instant", {}, "2026-01-31T12:00:00.5Z", "custom.x IN 2026-01-31T12:00:00Z..2026-01-31T12:00:01Z", "noon"),
    ("bool", {}, False, "custom.x = false", "no"),
    ("enum", {"values": ["a", "b"]}, "b", 'custom.x IN ("b")', "c"),
    ("tags", {"values": ["a", "b"]}, ["b", "a"], 'has_all(custom.x, ("a", "b"))', ["c"]),
    ("tags", {}, ["anything"], 'has_any(custom.x, ("anything"))', [1]),
]


@pytest.mark.parametrize(("type_", "more", "value", "criteria", "wrong"), VALUES)
async def test_values_of_every_type(
    db: Database, type_: str, more: dict[str, Any], value: Any, criteria: str, wrong: Any
) -> None:
    org, _ = await defined(await organisation(db), "x", type_, **more)
    account = await made(org, "With", x=value)
    await made(org, "Without")
    answered = document(account.body)["custom"]["x"]
    assert answered == ("2026-01-31T12:00:00.500000Z" if type_ == "instant" else value)
    assert await names(org, criteria) == ["With"]
    assert await names(org, "custom.x IS EMPTY") == ["Without"]
    with pytest.raises(Invalid) as caught:
        await made(org, x=wrong)
    assert [fault.pointer for fault in caught.value.faults] == ["/custom/x"]


async def test_a_name_of_a_field_means_nothing_as_an_attribute(db: Database) -> None:
    org, _ = await defined(await organisation(db), "email")
    org, _ = await defined(org, "note", is_unique=True)
    assert document((await made(org, email="no address")).body)["custom"] == {"email": "no address", "note": None}
    with pytest.raises(Invalid):
        await made(org, note="x" * 501)


async def test_required_attributes_are_asked_for(db: Database) -> None:
    org = await organisation(db)
    for name in ("A", "B", "C", "D"):
        await made(org, name)
    with pytest.raises(Conflict) as caught:
        await defined(org, "region", is_required=True)
    assert faults(caught) == [
        ("/is_required", "Expected a value of every record first: 4 accounts (A, B, C, …) have none.")
    ]
    org, written = await defined(org, "region")
    for (account_id,) in await org.rows("SELECT id FROM accounts WHERE workspace_id = $1"):
        await accounts.change(db, org.call(), account_id, {"custom": {"region": "x"}}, 1)
    org, _ = await changed(org, written, is_required=True)
    for body in ({}, {"region": ""}, {"region": None}):
        with pytest.raises(Invalid) as refused:
            await made(org, **body)
        assert [fault.pointer for fault in refused.value.faults] == ["/custom/region"]
    account = await made(org, region="y")
    with pytest.raises(Invalid):
        await accounts.change(db, org.call(), account.id, {"custom": {"region": None}}, 1)


async def test_unique_values_are_held_apart(db: Database) -> None:
    org, written = await defined(await organisation(db), "serial")
    first, second = await made(org, "One", serial="s-1"), await made(org, "Two", serial="s-1")
    with pytest.raises(Conflict) as caught:
        await changed(org, written, is_unique=True)
    assert faults(caught) == [
        ("/is_unique", "Expected no value twice: 2 accounts (One, Two) share theirs with others.")
    ]
    await accounts.change(db, org.call(), second.id, {"custom": {"serial": "s-2"}}, 1)
    org, written = await changed(org, written, is_unique=True)
    assert document(written.body)["index_state"] == "ready"
    assert await indexes(org, written) == ["text_key"]
    with pytest.raises(Conflict) as taken:
        await made(org, serial="s-1")
    assert faults(taken) == [("/custom/serial", f"Expected a value of its own: account {first.id} has it.")]
    await accounts.change(db, org.call(), first.id, {"custom": {"serial": "s-1"}, "health": 5}, 1)
    await made(org), await made(org)  # two without a value are not the same


async def test_ten_equal_values_at_once_leave_one(db: Database) -> None:
    org, written = await defined(await organisation(db), "serial", "integer", is_unique=True)
    assert await state(org, written) == "ready"
    answers = await asyncio.gather(*(made(org, f"N{n}", serial=7) for n in range(10)), return_exceptions=True)
    assert [isinstance(answer, Written) for answer in answers].count(True) == 1
    assert {type(answer) for answer in answers} == {Written, Conflict}


async def test_another_workspaces_values_are_nobodys(db: Database) -> None:
    ours, _ = await defined(await organisation(db), "serial", is_unique=True)
    theirs, _ = await defined(await organisation(db), "serial", is_unique=True)
    await made(ours, serial="s"), await made(theirs, serial="s")


# -- changes ---------------------------------------------------------------------------------------------------------------


async def test_values_in_use_are_not_dropped_in_silence(db: Database) -> None:
    org, written = await defined(await organisation(db), "tier", "enum", values=["gold", "silver", "tin"])
    org, tags = await defined(org, "labels", "tags", values=["a", "b", "c"])
    for n, tier in enumerate(("gold", "gold", "silver")):
        await made(org, f"N{n}", tier=tier, labels=["a", "b"])
    org, written = await changed(org, written, values=["gold", "silver"])  # nobody had the third
    with pytest.raises(Conflict) as caught:
        await changed(org, written, values=["silver", "bronze"])
    assert faults(caught) == [
        ("/values", "Expected what becomes of values that accounts have, under replace: gold (2).")
    ]
    for wrong in ({"gold": "nothing"}, {"silver": "bronze"}):
        with pytest.raises(Invalid):
            await changed(org, written, values=["silver", "bronze"], replace=wrong)
    org, written = await changed(org, written, values=["silver", "bronze"], replace={"gold": "bronze"})
    assert await names(org, 'custom.tier = "bronze"') == ["N0", "N1"]
    org, _ = await changed(org, written, values=["bronze"], replace={"silver": None})
    assert await names(org, "custom.tier IS EMPTY") == ["N2"]
    await changed(org, tags, values=["b", "c"], replace={"a": "c"})
    sql = "SELECT DISTINCT custom -> $2 FROM accounts WHERE workspace_id = $1"
    stored = await org.rows(sql, org.workspace.attributes["accounts", "labels"].key)
    assert [document(one) for (one,) in stored] == [["b", "c"]]


async def test_lists_and_segmentations_follow_the_values_that_others_take_the_place_of(db: Database) -> None:
    org, written = await defined(await organisation(db), "tier", "enum", values=["gold", "silver", "tin"])
    org, tags = await defined(org, "labels", "tags", values=["a", "b", "c"])
    await made(org, "One", tier="gold", labels=["a"])
    one = 'custom.tier = "gold" OR custom.tier IN ("gold", "silver", "tin") OR has_any(custom.labels, ("a", "b")) OR name = "gold"'
    body = {"name": "L", "visibility": "public"}
    other = {"entity": "contacts", "criteria": {"text": 'account.custom.tier = "gold"'}}
    of_accounts = await lists.create(org.db, org.call(), {**body, "entity": "accounts", "criteria": {"text": one}})
    of_contacts = await lists.create(org.db, org.call(), {**body, **other})
    rule = {
        "name": "R",
        "kind": "rules",
        "segments": [{"slug": "top", "name": "T", "criteria": 'custom.tier = "gold"'}],
    }
    await segmentations.put(org.db, org.call(), "grade", rule, None)
    org, written = await changed(org, written, values=["silver", "tin"], replace={"gold": "silver"})
    org, tags = await changed(org, tags, values=["b", "c"], replace={"a": "b"})
    said = {
        list_id: text.format(tree.load_document(document(criteria)))
        for list_id, criteria in await org.rows("SELECT id, criteria FROM lists WHERE workspace_id = $1")
    }
    assert said[of_contacts.id] == 'account.custom.tier = "silver"'
    assert said[of_accounts.id] == (
        'custom.tier = "silver" OR custom.tier IN ("silver", "tin") OR has_any(custom.labels, ("b")) OR name = "gold"'
    )
    found = await org.rows("SELECT segments FROM segmentations WHERE workspace_id = $1 AND slug = 'grade'")
    assert document(found[0][0])[0]["criteria"] == 'custom.tier = "silver"'
    assert await names(org, 'segment.grade = "top"') == ["One"]


async def test_a_value_that_a_list_asks_for_is_not_removed_without_another(db: Database) -> None:
    org, written = await defined(await organisation(db), "tier", "enum", values=["gold", "silver"])
    body = {"entity": "accounts", "criteria": {"text": 'custom.tier = "gold"'}}
    await lists.create(org.db, org.call(), {**body, "name": "Best", "visibility": "public"})
    for instead in ({}, {"gold": None}):
        with pytest.raises(Conflict) as caught:
            await changed(org, written, values=["silver"], replace=instead)
        ((pointer, message),) = faults(caught)
        assert pointer == "/values"
        assert "1 saved list (Best)" in message
        assert "with_dependents" in message
    await changed(org, written, values=["silver"], with_dependents=True)


async def test_a_segmentation_keeps_the_values_that_it_asks_for(db: Database) -> None:
    org, written = await defined(await organisation(db), "tier", "enum", values=["gold", "tin"])
    rules = {"name": "T", "kind": "rules", "segments": [{"slug": "g", "name": "G", "criteria": 'custom.tier = "gold"'}]}
    await segmentations.put(db, org.call(), "t", rules, None)
    with pytest.raises(Conflict) as caught:
        await changed(org, written, values=["tin"])
    assert "t do" in faults(caught)[0][1]


async def test_types_may_become_wider_alone(db: Database) -> None:
    org, written = await defined(await organisation(db), "x", "integer", is_promoted=True)
    org = await built(org, written)
    await made(org, x=5)
    with pytest.raises(Invalid) as caught:
        await changed(org, written, type="text")
    assert [(f.pointer, f.suggestion) for f in caught.value.faults] == [("/type", "number")]
    org, written = await changed(org, written, type="number")
    org = await built(org, written)
    assert await indexes(org, written) == ["number_idx"]
    await made(org, "Half", x=Decimal("5.5"))
    assert await names(org, "custom.x > 5") == ["Half"]
    org, tier = await defined(org, "tier", "enum", values=["a"])
    org, _ = await changed(org, tier, type="text")
    assert document((await made(org, tier="anything")).body)["custom"]["tier"] == "anything"


RULES = {
    "name": "Areas", "kind": "rules",
    "segments": [{"slug": "north", "name": "North", "criteria": 'custom.region = "north" AND any(contacts WHERE account.custom.region = "north")'}],
}  # fmt: skip


async def test_a_new_slug_is_followed_wherever_the_old_one_stood(db: Database) -> None:
    org, written = await defined(await organisation(db), "region")
    org, _ = await defined(org, "score", "number")
    org, _ = await defined(org, "region", entity="contacts")
    account = await made(org, "North", region="north", score=Decimal(5))
    await records.create(
        db, org.call(), "contacts", {"account_id": str(account.id), "name": "Ann", "custom": {"region": "hers"}}
    )
    said = {"entity": "accounts", "name": "L", "criteria": {"text": 'custom.region = "north" AND any(contacts WHERE custom.region = "hers")'},
            "columns": ["name", "custom.region", "parent.custom.region", "primary_contact.custom.region"], "sort": ["-custom.region"]}  # fmt: skip
    of_accounts = await lists.create(db, org.call(), said)
    of_contacts = await lists.create(db, org.call(), {
        "entity": "contacts", "name": "C", "criteria": {"text": 'account.custom.region = "north" AND custom.region = "hers"'},
        "columns": ["custom.region", "account.custom.region"], "sort": ["account.custom.region"],
    })  # fmt: skip
    await segmentations.put(db, org.call(), "areas", RULES, None)
    await segmentations.put(db, org.call(), "bands", {
        "name": "Bands", "kind": "bands", "spec": {"field": "custom.score", "cuts": {"by": "median", "among": 'custom.region = "north"'}},
        "segments": [{"slug": "high", "name": "High"}, {"slug": "low", "name": "Low"}],
    }, None)  # fmt: skip
    await segmentations.put(db, org.call(), "scored", {
        "name": "Scored", "kind": "score", "spec": {"at": [1], "measures": [
            {"field": "custom.region", "values": {"north": 1}}, {"criteria": 'custom.region = "north"', "points": 1}]},
        "segments": [{"slug": "high", "name": "High"}, {"slug": "low", "name": "Low"}],
    }, None)  # fmt: skip
    columns = {"external_id": "id", "custom.region": {"from": "area"}}
    await mappings.put(db, org.call(), "crm", {"kind": "accounts", "columns": columns})

    org, renamed = await changed(org, written, slug="territory")
    assert {(e.entity, e.id) for e in renamed.effects} >= {
        ("attributes", written.id),
        ("lists", of_accounts.id),
        ("lists", of_contacts.id),
    }
    first = lists.document(await lists.get(db, org.people["admin"], of_accounts.id, NOW))
    assert first["state"] == "ok"
    assert first["criteria"]["text"] == 'custom.territory = "north" AND any(contacts WHERE custom.region = "hers")'
    assert first["columns"] == ("name", "custom.territory", "parent.custom.territory", "primary_contact.custom.region")
    assert (first["sort"], first["version"]) == (("-custom.territory",), 2)
    second = lists.document(await lists.get(db, org.people["admin"], of_contacts.id, NOW))
    assert second["criteria"]["text"] == 'account.custom.territory = "north" AND custom.region = "hers"'
    assert (second["columns"], second["sort"]) == (
        ("custom.region", "account.custom.territory"),
        ("account.custom.territory",),
    )
    areas = await segmentations.get(db, org.people["admin"], "areas", NOW)
    (latest, *_), _, _ = await versions.every(db, org.people["admin"], "areas", None, 10)
    assert (latest["version"], latest["note"]) == (areas["version"], "custom.region is custom.territory now.")
    assert [(e.before or {}).get("name") for e in renamed.effects if e.entity == "imports/mappings"] == ["crm"]
    assert areas["segments"][0]["criteria"]["text"] == (
        'custom.territory = "north" AND any(contacts WHERE account.custom.territory = "north")'
    )
    assert (await segmentations.get(db, org.people["admin"], "bands", NOW))["spec"]["cuts"][
        "among"
    ] == 'custom.territory = "north"'
    scored = await segmentations.get(db, org.people["admin"], "scored", NOW)
    assert "custom.region" not in str(scored["spec"])
    assert "custom.territory" in str(scored["spec"])
    stored = document(await mappings.get(db, org.people["admin"], "crm"))
    assert stored["mapping"]["columns"] == {"external_id": "id", "custom.territory": {"from": "area"}}
    assert document((await reads.one(db, org.people["viewer"], "accounts", "id", str(account.id))).body)["custom"] == {
        "score": 5, "territory": "north",
    }  # fmt: skip
    assert await names(org, 'custom.territory = "north" AND segment.areas = "north"') == ["North"]
    with pytest.raises(Invalid):
        await names(org, 'custom.region = "north"')


async def test_a_slug_that_is_free_again_begins_anew(db: Database) -> None:
    org, written = await defined(await organisation(db), "region")
    account = await made(org, "Old", region="old")
    org, _ = await changed(org, written, slug="territory")
    org, second = await defined(org, "region", "integer")
    assert document((await reads.one(db, org.people["viewer"], "accounts", "id", str(account.id))).body)["custom"] == {
        "region": None, "territory": "old",
    }  # fmt: skip
    await accounts.change(db, org.call(), account.id, {"custom": {"region": 7, "territory": "new"}}, 1)
    assert await names(org, 'custom.region = 7 AND custom.territory = "new"') == ["Old"]
    org, _ = await changed(org, second, slug="number")
    org, _ = await changed(org, written, slug="region")  # and back
    assert await names(org, 'custom.number = 7 AND custom.region = "new"') == ["Old"]


async def test_retired_attributes_hide_and_come_back(db: Database) -> None:
    org, written = await defined(await organisation(db), "region", is_promoted=True)
    org = await built(org, written)
    org, _ = await defined(org, "other")
    account = await made(org, "Kept", region="north", other="x")
    listed = await lists.create(
        db,
        org.call(),
        {"entity": "accounts", "name": "L", "visibility": "public", "criteria": {"text": 'custom.region = "north"'}},
    )
    await segmentations.put(db, org.call(), "areas", {
        "name": "A", "kind": "rules", "segments": [{"slug": "n", "name": "N", "criteria": 'custom.region = "north"'}],
    }, None)  # fmt: skip
    gone = "2026-11-22T11:00:00Z"
    with pytest.raises(Conflict) as caught:
        await changed(org, written, retired_at=gone)
    assert faults(caught) == [
        (None, "Expected no saved lists that name it: 1 saved list (L)."),
        (None, "Expected no segmentations that name it: 1 segmentation (areas)."),
    ]
    assert "mean nothing until the attribute is back" in caught.value.detail
    with pytest.raises(Invalid):
        await changed(org, written, retired_at=gone, with_dependents="yes")
    org, written = await changed(org, written, retired_at=gone, with_dependents=True)
    assert ("accounts", "region") not in org.workspace.attributes
    with pytest.raises(Invalid):
        await made(org, region="south")
    changed_meanwhile = await accounts.change(db, org.call(), account.id, {"custom": {"other": None}}, 1)
    assert document(changed_meanwhile.body)["custom"] == {"other": None}
    assert (await lists.get(db, org.people["admin"], listed.id, NOW)).state == "broken"
    assert (await segmentations.get(db, org.people["admin"], "areas", NOW))["state"] == "broken"
    with pytest.raises(Conflict) as caught:
        await attributes.delete(db, org.call(), written.id, written.version)
    assert faults(caught) == [
        (None, "Expected no saved lists that name it: 1 saved list (L)."),
        (None, "Expected no segmentations that name it: 1 segmentation (areas)."),
    ]
    broken = await lists.get(db, org.people["admin"], listed.id, NOW)
    said = "The attribute region of accounts was retired: expected it put back, or another one."
    assert broken.reason == said
    assert (await segmentations.get(db, org.people["admin"], "areas", NOW))["detail"] == said
    org, written = await changed(org, written, retired_at=None)
    org = await built(org, written)
    assert await names(org, 'custom.region = "north" AND segment.areas = "n"') == ["Kept"]
    assert (await segmentations.get(db, org.people["admin"], "areas", NOW))["state"] == "fresh"


async def test_the_last_good_members_are_read_though_an_axis_is_retired(db: Database) -> None:
    org, written = await defined(await organisation(db), "points", "number")
    await made(org, "One", points=7)
    await segmentations.put(db, org.call(), "fit", {
        "name": "Fit", "kind": "bands", "spec": {"field": "custom.points", "cuts": {"by": "absolute", "at": [5]}},
        "segments": [{"slug": "much", "name": "Much"}, {"slug": "little", "name": "Little"}],
    }, None)  # fmt: skip
    org, _ = await changed(org, written, retired_at="2026-11-22T11:00:00Z", with_dependents=True)
    org = await fresh(org)
    viewer = org.people["viewer"]
    ask = await segmentations.members(db, viewer, "fit", "much", Ask("accounts"))
    answer = await reads.collection(db, viewer, ask, NOW, secret=b"s" * 32)
    (one,) = document(answer.data)
    assert (one["name"], one["segment"]) == ("One", {"fit": "much"})
    with pytest.raises(Conflict, match="The segmentation is broken: The attribute points"):
        await simulations.simulate(db, viewer, "fit", {}, NOW)
    said = {"name": "Fit", "kind": "rules", "segments": [{"slug": "a", "name": "A", "criteria": "custom.points > 5"}]}
    with pytest.raises(Invalid) as caught:
        await simulations.simulate(db, viewer, "fit", said, NOW)
    assert caught.value.faults[0].pointer == "/segments/0/criteria"


async def test_deleting_takes_the_values_along(db: Database) -> None:
    org, written = await defined(await organisation(db), "region", is_unique=True)
    org, other = await defined(org, "other")
    await made(org, "One", region="a"), await made(org, "Two", region="b", other="x")
    with pytest.raises(Conflict):
        await attributes.delete(db, org.call(), written.id, written.version)
    org, written = await changed(org, written, retired_at="2026-11-22T11:00:00Z")
    gone = await attributes.delete(db, org.call(), written.id, written.version)
    assert (gone.body, gone.effects[0].after) == (b"", None)
    assert await org.rows("SELECT custom FROM accounts WHERE workspace_id = $1 ORDER BY name") == [
        (None,), (b'{"%s": "x"}' % key_of(other.id).encode(),),
    ]  # fmt: skip
    assert await indexes(org, written) == []
    org, _ = await defined(org, "region", "number")
    assert await names(org, "custom.region IS EMPTY") == ["One", "Two"]


# -- indexes ---------------------------------------------------------------------------------------------------------------


async def test_indexes_come_and_go(db: Database) -> None:
    org, written = await defined(await organisation(db), "score", "number", is_promoted=True)
    org = await built(org, written)
    assert await indexes(org, written) == ["number_idx"]
    assert org.workspace.attributes["accounts", "score"].indexed
    org, written = await changed(org, written, is_promoted=False)
    assert not org.workspace.attributes["accounts", "score"].indexed
    for _ in range(200):
        if not await indexes(org, written):
            break
        await asyncio.sleep(0.05)
    assert (await indexes(org, written), await state(org, written)) == ([], None)


async def test_only_so_many_are_indexed(db: Database) -> None:
    org = await organisation(db)
    for n in range(MOST_INDEXED):
        org, _ = await defined(org, f"x{n}", "integer", is_promoted=True)
    with pytest.raises(Conflict) as caught:
        await defined(org, "one-more", is_unique=True)
    assert faults(caught) == [("/is_unique", "Expected at most 10 promoted and unique attributes in a workspace.")]


async def test_writes_go_on_while_an_index_waits(db: Database) -> None:
    """A build waits for a transaction that was there before it; meanwhile others write and read."""
    org, written = await defined(await organisation(db), "score", "number")
    account = await made(org, "Old", score=Decimal(1))
    async with db.transaction() as old:
        await old.execute(
            "UPDATE accounts SET name = 'Held' WHERE workspace_id = $1 AND id = $2", org.workspace.id, account.id
        )
        org, written = await changed(org, written, is_promoted=True)
        await asyncio.sleep(0.5)
        assert await state(org, written) == "building"
        async with asyncio.timeout(5):
            during = await made(org, "During", score=Decimal(2))
            assert await names(org, "custom.score = 2") == ["During"]
        assert during.created
    org = await built(org, written)
    assert await names(org, "custom.score IN 1..2") == ["During", "Held"]


async def test_a_value_that_comes_twice_during_a_build_leaves_nothing_invalid(db: Database) -> None:
    org, written = await defined(await organisation(db), "serial")
    first, second = await made(org, "One", serial="a"), await made(org, "Two", serial="b")
    async with db.transaction() as old:
        sql = "UPDATE accounts SET custom = $3 WHERE workspace_id = $1 AND id = $2"
        await old.execute(sql, org.workspace.id, second.id, b'{"%s": "a"}' % key_of(written.id).encode())
        task = asyncio.create_task(changed(org, written, is_unique=True))
        await asyncio.sleep(0.5)
    org, written = await task
    assert await state(org, written) == "failed"
    assert await indexes(org, written) == []
    await accounts.change(db, org.call(), first.id, {"custom": {"serial": "c"}}, 1)
    org, written = await changed(org, written, is_unique=True)  # asked once more
    assert (await state(org, written), await indexes(org, written)) == ("ready", ["text_key"])


async def test_what_a_killed_process_left_is_taken_up(db: Database) -> None:
    org, written = await defined(await organisation(db), "score", "number")
    await org.run(
        "UPDATE attributes SET is_promoted = true, index_due = true, index_state = 'building', index_at = $3 "
        "WHERE workspace_id = $1 AND id = $2", written.id, NOW,
    )  # fmt: skip
    await attribute_indexes.resume(db, NOW)  # somebody may still be at it
    assert await state(org, written) == "building"
    await attribute_indexes.resume(db, NOW + 2 * attribute_indexes.SILENT)
    assert (await state(org, written), await indexes(org, written)) == ("ready", ["number_idx"])


async def test_the_same_key_has_one_effect(db: Database) -> None:
    org = await organisation(db)
    body = {"entity": "accounts", "slug": "region", "name": "Region", "type": "text"}
    first = await attributes.create(db, org.call(key="k"), body)
    again = await attributes.create(db, org.call(key="k"), body)
    assert (again.id, again.body) == (first.id, first.body)
    assert await org.rows("SELECT count(*) FROM attributes WHERE workspace_id = $1") == [(1,)]


def test_ids_name_indexes() -> None:
    assert len(f"own_{UUID(int=2**128 - 1).hex}_integer_key") <= 63


async def test_another_workspaces_values_of_another_type_disturb_no_index(db: Database) -> None:
    """Statistics are taken over the whole table: what stands under one workspace's key stands in no other."""
    theirs, _ = await defined(await organisation(db), "score", "text")
    await made(theirs, score="no number")
    ours, written = await defined(await organisation(db), "score", "number", is_promoted=True)
    ours = await built(ours, written)
    await made(ours, "Ours", score=Decimal(1))
    assert await names(ours, "custom.score = 1") == ["Ours"]
