"""Saved lists: made, changed, copied, found by those who may."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unreadable, VersionRequired, VersionStale
from app.persistence.database import Database
from app.services import defaults, lists, workspaces
from app.services.calls import ENCODER, Written, new_id
from tests.services.organisations import NOW, Organisation, document, organisation, with_tier

BODY = {"entity": "accounts", "name": "Big", "criteria": {"text": "arr > 5"}}
SEGMENTATION = (
    "INSERT INTO segmentations (workspace_id, id, slug, name, kind, spec, segments, rest, cuts, state, created_at, updated_at)"
    " VALUES ($1, $2, 'tier', 'Tier', 'bands', '{}', '[{\"slug\": \"high\"}]', 'low', '{}', 'current', $3, $3)"
)


async def make(org: Organisation, role: str = "csm", **body: Any) -> Written:
    return await lists.create(org.db, org.call(role), {**BODY, **body})


async def shown(org: Organisation, role: str, list_id: UUID) -> dict[str, Any]:
    return lists.document(await lists.get(org.db, org.people[role], list_id, NOW))


async def names(org: Organisation, role: str, entity: str | None = None) -> list[str]:
    page, after = await lists.all_lists(org.db, org.people[role], NOW, lists.Search(entity))
    assert after is None
    return [listing.list.name for listing in page]


async def test_a_new_list_answers_whole(db: Database) -> None:
    org = await organisation(db)
    params = [
        {"name": "low", "type": "number", "default": 5},
        {"name": "from", "type": "date", "default": "2026-01-01"},
    ]
    written = await make(
        org, criteria={"text": "arr > $low and created_at >= $from"}, columns=["name", "csm.name"], sort=["-arr"], mine=True,
        description="", params=params,
    )  # fmt: skip
    made = document(written.body)
    assert made.pop("created_at") == made.pop("updated_at")
    assert made.pop("criteria")["text"] == "arr > $low AND created_at >= $from"
    assert made == {
        "id": str(written.id), "entity": "accounts", "name": "Big", "description": None, "columns": ["name", "csm.name"],
        "sort": ["-arr"], "visibility": "private", "mine": True, "params": params, "owner_id": str(org.user("csm")),
        "state": "ok", "reason": None, "size": None, "version": 1, "folder": None, "favourite": False, "watched_since": None,
        "used_at": None,
    }  # fmt: skip
    assert (written.created, written.version) == (True, 1)
    assert lists.body(await lists.get(db, org.people["csm"], written.id, NOW)) == written.body
    plain = document((await make(org, entity="contacts", criteria={"text": "ALL"})).body)
    assert (plain["columns"][0], plain["sort"], plain["mine"]) == ("name", [], False)


async def test_every_ready_made_list_can_be_saved(db: Database) -> None:
    org = await with_tier(await organisation(db))
    for template in lists.templates(org.people["viewer"]):
        body = {name: value for name, value in template.items() if name != "slug"}
        written = await lists.create(db, org.call("viewer"), document(ENCODER.encode(body)))
        assert document(written.body)["criteria"]["text"] == template["criteria"]["text"]
    assert len(await names(org, "viewer")) == 15


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"criteria": {"text": "arrr > 5"}}, "/criteria/text"), ({"columns": ["name", "nmae"]}, "/columns/1"),
        ({"criteria": {"tree": {"v": 1, "filter": {"op": "empty", "of": "nmae"}}}}, "/criteria/tree/filter/of"),
        ({"sort": ["csm"]}, "/sort/0"), ({"criteria": {"text": "arr > $low"}}, "/criteria/text"),
        ({"criteria": {"text": 'segment.tier = "high"'}}, "/criteria/text"), ({"owner_id": str(new_id())}, "/owner_id"),
    ],
)  # fmt: skip
async def test_what_a_list_names_is_there(db: Database, told: dict[str, Any], pointer: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await make(org, **told)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]
    assert await names(org, "csm") == []


async def test_a_private_list_exists_for_its_owner(db: Database) -> None:
    org = await organisation(db)
    made = await make(org)
    assert (await shown(org, "csm", made.id))["name"] == "Big"
    for role in ("manager", "other", "viewer"):
        assert await names(org, role) == []
        for attempt in (
            lists.get(db, org.people[role], made.id, NOW),
            lists.change(db, org.call(role), made.id, {"name": "X"}, 1),
            lists.delete(db, org.call(role), made.id, 1),
            lists.copy(db, org.call(role), made.id),
        ):
            with pytest.raises(NotFound):
                await attempt


async def test_an_admin_sees_the_name_of_a_private_list_only(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, description="secret", criteria={"text": 'name = "secret"'})
    known = await shown(org, "admin", made.id)
    assert (known["name"], known["owner_id"], known["visibility"]) == ("Big", org.user("csm"), "private")
    assert "secret" not in repr(known)
    assert known["criteria"] is None
    assert await names(org, "admin") == ["Big"]
    with pytest.raises(NotFound):
        await lists.copy(db, org.call("admin"), made.id)
    for body in ({"name": "X"}, {"visibility": "public"}, {"owner_id": str(org.user("admin")), "name": "X"}):
        with pytest.raises(Forbidden):
            await lists.change(db, org.call("admin"), made.id, body, 1)
    handed = await lists.change(db, org.call("admin"), made.id, {"owner_id": str(org.user("viewer"))}, 1)
    assert "secret" not in handed.body.decode()
    assert (await shown(org, "viewer", made.id))["description"] == "secret"
    await lists.delete(db, org.call("admin"), made.id, 2)
    with pytest.raises(NotFound):
        await shown(org, "viewer", made.id)


async def test_a_public_list_is_read_by_all_and_edited_by_some(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, visibility="public")
    for role in ("admin", "manager", "csm", "other", "viewer"):
        assert await names(org, role) == ["Big"]
    for role in ("other", "viewer"):
        with pytest.raises(Forbidden):
            await lists.change(db, org.call(role), made.id, {"name": "X"}, 1)
        with pytest.raises(Forbidden):
            await lists.delete(db, org.call(role), made.id, 1)
    written = made
    for version, role in enumerate(("csm", "manager", "admin"), 1):
        written = await lists.change(db, org.call(role), made.id, {"name": f"By {role}"}, version)
        assert written.version == version + 1
    copied = document((await lists.copy(db, org.call("other"), made.id, {"name": "Mine"})).body)
    assert (copied["name"], copied["visibility"], copied["owner_id"]) == ("Mine", "private", str(org.user("other")))
    assert copied["criteria"] == document(written.body)["criteria"]


async def test_a_viewer_owns_private_lists_only(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Forbidden):
        await make(org, "viewer", visibility="public")
    made = await make(org, "viewer")
    with pytest.raises(Forbidden):
        await lists.change(db, org.call("viewer"), made.id, {"visibility": "public"}, 1)
    assert (await lists.change(db, org.call("viewer"), made.id, {"name": "Small"}, 1)).version == 2
    public = await make(org, "manager", visibility="public")
    with pytest.raises(Invalid):
        await lists.change(db, org.call("admin"), public.id, {"owner_id": str(org.user("viewer"))}, 1)
    with pytest.raises(Forbidden):
        await lists.change(db, org.call("other"), public.id, {"owner_id": str(org.user("other"))}, 1)


async def test_publishing_is_the_owners(db: Database) -> None:
    org = await organisation(db)
    made = await make(org)
    await lists.change(db, org.call("csm"), made.id, {"visibility": "public"}, 1)
    for role in ("manager", "admin"):
        with pytest.raises(Forbidden):
            await lists.change(db, org.call(role), made.id, {"visibility": "private"}, 2)
    await defaults.choose(db, org.call("viewer"), "accounts", made.id)
    with pytest.raises(Conflict):
        await lists.change(db, org.call("csm"), made.id, {"visibility": "private"}, 2)
    await defaults.choose(db, org.call("viewer"), "accounts", None)
    await lists.change(db, org.call("csm"), made.id, {"visibility": "private"}, 2)


async def test_changes_keep_what_they_do_not_name(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, sort=["-arr"])
    written = await lists.change(db, org.call("csm"), made.id, {"criteria": {"text": "arr > 6"}}, 1)
    after = document(written.body)
    assert (after["criteria"]["text"], after["sort"], after["name"], after["version"]) == (
        "arr > 6",
        ["-arr"],
        "Big",
        2,
    )
    assert (await lists.change(db, org.call("csm"), made.id, {"name": "Big"}, 2)).version == 2
    with pytest.raises(VersionRequired):
        await lists.change(db, org.call("csm"), made.id, {"name": "X"}, None)
    for attempt in (
        lists.change(db, org.call("csm"), made.id, {"name": "X"}, 1),
        lists.delete(db, org.call("csm"), made.id, 1),
    ):
        with pytest.raises(VersionStale):
            await attempt
    with pytest.raises(Invalid):
        await lists.change(db, org.call("csm"), made.id, {"entity": "contacts"}, 2)


async def test_a_list_that_lost_what_it_names_is_broken(db: Database) -> None:
    org = await organisation(db)
    identity = new_id()
    await org.run(SEGMENTATION, identity, NOW)
    org = org.with_workspace(**_names(await workspaces.load(db, org.workspace.id)))
    made = await make(
        org, criteria={"text": 'segment.tier = "high"'}, columns=["name", "segment.tier"], sort=["-segment.tier"]
    )
    kept = await org.rows(
        "SELECT criteria::text, columns, sort FROM lists WHERE workspace_id = $1 AND id = $2", made.id
    )
    assert "tier" not in repr(kept)
    assert str(identity) in repr(kept)
    await org.run("UPDATE segmentations SET slug = 'tiers' WHERE workspace_id = $1")
    org = org.with_workspace(**_names(await workspaces.load(db, org.workspace.id)))
    renamed = await shown(org, "csm", made.id)
    assert (renamed["criteria"]["text"], renamed["state"]) == ('segment.tiers = "high"', "ok")
    assert (renamed["columns"], renamed["sort"]) == (("name", "segment.tiers"), ("-segment.tiers",))
    await org.run("DELETE FROM segmentations WHERE workspace_id = $1")
    org = org.with_workspace(**_names(await workspaces.load(db, org.workspace.id)))
    broken = await shown(org, "csm", made.id)
    assert (broken["state"], broken["reason"] is not None) == ("broken", True)
    page, _ = await lists.all_lists(db, org.people["csm"], NOW)
    assert [listing.state for listing in page] == ["broken"]


def _names(workspace: Any) -> dict[str, Any]:
    return {"segmentations": workspace.segmentations, "epoch": workspace.epoch}


async def test_lists_come_in_pages_by_one_statement(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await organisation(db)
    for name in ("c", "a", "b", "a"):
        await make(org, name=name)
    await make(org, "manager", name="aa", visibility="public", entity="contacts", criteria={"text": "ALL"})
    await make(org, "manager", name="hidden")
    statements = 0
    fetch = Database.fetch

    async def counted(self: Database, *args: Any, **options: Any) -> Any:
        nonlocal statements
        statements += 1
        return await fetch(self, *args, **options)

    monkeypatch.setattr(Database, "fetch", counted)
    found, after = [], None
    for _ in range(3):
        page, after = await lists.all_lists(db, org.people["csm"], NOW, after=after, limit=2)
        found += [listing.list.name for listing in page]
    assert (found, after, statements) == (["a", "a", "aa", "b", "c"], None, 3)
    assert await names(org, "csm", "contacts") == ["aa"]
    with pytest.raises(Invalid):
        await names(org, "csm", "users")


async def test_people_begin_with_their_own_lists(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    public, contacts = (
        await make(org, visibility="public"),
        await make(org, "viewer", entity="contacts", criteria={"text": "ALL"}),
    )
    assert await defaults.choose(db, org.call("viewer"), "accounts", public.id) == {"accounts": public.id}
    both = await defaults.choose(db, org.call("viewer"), "contacts", contacts.id)
    assert both == {"accounts": public.id, "contacts": contacts.id} == await defaults.own(db, org.people["viewer"])
    assert await defaults.own(db, org.people["csm"]) == {}
    foreign = await make(other, visibility="public")
    for entity, list_id in (
        ("accounts", contacts.id),
        ("contacts", new_id()),
        ("accounts", foreign.id),
        ("contacts", public.id),
    ):
        with pytest.raises(Invalid):
            await defaults.choose(db, org.call("csm"), entity, list_id)
    with pytest.raises(NotFound):
        await defaults.choose(db, org.call("csm"), "users", None)
    await lists.delete(db, org.call("csm"), public.id, 1)
    assert await defaults.own(db, org.people["viewer"]) == {"contacts": contacts.id}


async def test_another_workspaces_list_cannot_be_told_from_none(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    foreign = await make(other, visibility="public")
    for list_id in (foreign.id, new_id()):
        for role in ("admin", "csm"):
            for attempt in (
                lists.get(db, org.people[role], list_id, NOW),
                lists.change(db, org.call(role), list_id, {"name": "X"}, 1),
                lists.delete(db, org.call(role), list_id, None),
                lists.copy(db, org.call(role), list_id),
            ):
                with pytest.raises(NotFound):
                    await attempt


async def test_a_repeated_copy_is_one_copy(db: Database) -> None:
    org = await organisation(db)
    made = await make(org, visibility="public")
    first = await lists.copy(db, org.call("other", key="k"), made.id)
    await lists.delete(db, org.call("csm"), made.id, 1)
    assert await lists.copy(db, org.call("other", key="k"), made.id) == first


async def test_a_refused_list_hears_all_that_is_wrong_at_once(db: Database) -> None:
    org = await organisation(db)
    body = {
        "entity": "accounts", "name": "Wrong", "criteria": {"text": "helth < 5 AND arrr > 3"}, "columns": ["name", "nmae", "csm.nme"],
        "sort": ["-arrr", "csm"], "visibility": "secret", "colour": "red", "mine": 3,
    }  # fmt: skip
    with pytest.raises(Invalid) as refused:
        await lists.create(db, org.call("csm"), body)
    assert {(one.pointer, one.suggestion) for one in refused.value.faults} == {
        ("/colour", "columns"), ("/visibility", None), ("/mine", None), ("/criteria/text", "health"), ("/criteria/text", "arr"),
        ("/columns/1", "name"), ("/columns/2", "csm.name"), ("/sort/0", "arr"), ("/sort/1", "csm.name"),
    }  # fmt: skip
    sound = {name: body[name] for name in ("entity", "name", "criteria", "columns", "sort")}
    with pytest.raises(Invalid) as refused:
        await lists.create(db, org.call("csm"), sound)
    assert [one.pointer for one in refused.value.faults] == [
        "/criteria/text", "/criteria/text", "/columns/1", "/columns/2", "/sort/0", "/sort/1"
    ]  # fmt: skip
    with pytest.raises(Unreadable) as unread:
        await lists.create(db, org.call("csm"), {**sound, "criteria": {"text": "arr >"}})
    assert [one.pointer for one in unread.value.faults][:2] == ["/criteria/text", "/columns/1"]


async def test_criteria_are_not_judged_by_parameters_that_cannot_be_read(db: Database) -> None:
    org = await organisation(db)
    params = [{"name": "low", "type": "nmber"}]
    with pytest.raises(Invalid) as refused:
        await make(org, criteria={"text": "arr > $low"}, params=params, sort=["nmae"])
    assert [one.pointer for one in refused.value.faults] == ["/params/0/type", "/sort/0"]
    with pytest.raises(Invalid) as refused:
        await lists.create(db, org.call("csm"), {"entity": "acounts", "name": "", "criteria": {"text": "arrr > 1"}})
    assert [one.pointer for one in refused.value.faults] == ["/entity", "/name"]
