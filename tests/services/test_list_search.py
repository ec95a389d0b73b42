"""Lists found: by folder, owner, favourite, words; in an order; and what of it nobody else's private list is part of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Invalid, NotFound, StrataError
from app.persistence.database import Database
from app.services import defaults, favourites, list_rows, lists, summaries, transfers, uses, watches
from app.services.lists import Search
from tests.services.organisations import NOW, Organisation, document, organisation

BODY = {"entity": "accounts", "criteria": {"text": "ALL"}, "columns": ["name"]}


async def make(org: Organisation, name: str, role: str = "csm", **body: Any) -> UUID:
    return (await lists.create(org.db, org.call(role, now=body.pop("now", NOW)), {**BODY, "name": name, **body})).id


async def found(org: Organisation, role: str = "csm", **told: Any) -> list[str]:
    page, after = await lists.all_lists(org.db, org.people[role], NOW, Search(**told))
    assert after is None
    return [listing.list.name for listing in page]


@pytest.fixture(scope="module")
async def org(db: Database) -> Organisation:
    """Lists of three people, two of them public."""
    made = await organisation(db)
    hour = timedelta(hours=1)
    await make(made, "Renewals", folder="Money", visibility="public", description="What ends soon")
    await make(made, "Mine", folder=" Money ", now=NOW - hour)
    await make(made, "Ärger", "manager", visibility="public", now=NOW - 2 * hour)
    await make(made, "Secret of the manager", "manager", folder="Money", description="What ends soon", now=NOW + hour)
    await make(made, "People", "viewer", entity="contacts", folder="People")
    return made


async def test_lists_are_found_by_folder_owner_and_words(org: Organisation) -> None:
    assert await found(org) == ["Mine", "Renewals", "Ärger"]
    assert await found(org, folder="Money") == ["Mine", "Renewals"]
    assert await found(org, folder="money") == []
    for owner in ("manager", "manager@example.com", str(org.user("manager"))):
        assert await found(org, owner=owner) == ["Ärger"]
    assert await found(org, search="EW") == ["Renewals"]
    assert await found(org, search="äRG") == ["Ärger"]
    assert await found(org, search="ends soon") == ["Renewals"]
    assert await found(org, search="ends soon", owner="manager") == []
    assert await found(org, "viewer", entity="contacts") == ["People"]


async def test_lists_have_an_order_and_pages(org: Organisation) -> None:
    uses.note(org.db, org.workspace.id, (await lists.all_lists(org.db, org.people["csm"], NOW))[0][1].list.id, NOW)
    await uses.keep(org.db)
    orders = {
        None: ["Mine", "Renewals", "Ärger"], "-name": ["Ärger", "Renewals", "Mine"], "updated_at": ["Ärger", "Mine", "Renewals"],
        "-updated_at": ["Renewals", "Mine", "Ärger"],
    }  # fmt: skip
    for sort, names in orders.items():
        assert await found(org, sort=sort) == names
    for sort in ("used_at", "-used_at"):
        assert (await found(org, sort=sort))[0] == "Renewals"
    for sort in (*orders, "used_at", "-used_at"):
        whole, names, after = await found(org, sort=sort), [], None
        for _ in range(3):
            page, after = await lists.all_lists(org.db, org.people["csm"], NOW, Search(sort=sort), after, 1)
            names += [listing.list.name for listing in page]
        assert (names, after) == (whole, None)


@pytest.mark.parametrize(
    ("told", "parameter", "suggestion"),
    [
        ({"sort": "nam"}, "sort", "name"), ({"sort": "-size"}, "sort", None), ({"entity": "acounts"}, "entity", "accounts"),
        ({"owner": "nobody"}, "owner", None), ({"folder": "x" * 101}, "folder", None), ({"search": "x" * 201}, "search", None),
    ],
)  # fmt: skip
async def test_what_cannot_be_looked_for(
    org: Organisation, told: dict[str, Any], parameter: str, suggestion: str | None
) -> None:
    with pytest.raises(Invalid) as caught:
        await found(org, **told)
    assert [(fault.parameter, fault.suggestion) for fault in caught.value.faults] == [(parameter, suggestion)]


async def test_folders_count_what_each_sees(org: Organisation) -> None:
    def counts(rows: list[dict[str, Any]]) -> dict[str | None, int]:
        return {row["folder"]: row["lists"] for row in rows}

    assert counts(await lists.folders(org.db, org.people["csm"])) == {"Money": 2, None: 1}
    assert counts(await lists.folders(org.db, org.people["manager"])) == {"Money": 2, None: 1}
    assert counts(await lists.folders(org.db, org.people["viewer"])) == {"Money": 1, "People": 1, None: 1}
    assert counts(await lists.folders(org.db, org.people["viewer"], "contacts")) == {"People": 1}
    assert counts(await lists.folders(org.db, org.people["admin"])) == {"Money": 1, None: 1}
    assert counts(await lists.folders(org.db, org.as_("service", "read"))) == {"Money": 1, None: 1}


async def test_an_admin_finds_names_and_nothing_else(org: Organisation) -> None:
    assert await found(org, "admin", search="secret") == ["Secret of the manager"]
    assert await found(org, "admin", search="ends soon") == ["Renewals"]
    assert await found(org, "admin", folder="Money") == ["Renewals"]
    page, _ = await lists.all_lists(org.db, org.people["admin"], NOW, Search(search="secret"))
    shown = lists.document(page[0])
    assert (shown["folder"], shown["description"], shown["used_at"], shown["favourite"]) == (None, None, None, False)


async def test_favourites_are_each_persons_own(db: Database) -> None:
    org = await organisation(db)
    public, other = await make(org, "A", visibility="public"), await make(org, "B", visibility="public")
    await favourites.mark(db, org.call("viewer"), public, favourite=True)
    marked = document((await favourites.mark(db, org.call("viewer"), public, favourite=True)).body)
    await favourites.mark(db, org.call("csm"), other, favourite=True)
    assert (marked["favourite"], marked["version"]) == (True, 1)
    assert (await found(org, "viewer", favourite=True), await found(org, favourite=True)) == (["A"], ["B"])
    assert [one["favourite"] for one in await documents(org, "viewer")] == [True, False]
    assert lists.document(await lists.get(db, org.people["viewer"], public, NOW))["favourite"]
    entries = await org.rows(
        "SELECT before, after FROM audit WHERE workspace_id = $1 AND operation = 'lists.favourite'"
    )
    assert len(entries) == 2
    await favourites.mark(db, org.call("viewer"), public, favourite=False)
    assert await found(org, "viewer", favourite=True) == []
    await lists.delete(db, org.call("csm"), other, 1)


async def documents(org: Organisation, role: str) -> list[dict[str, Any]]:
    page, _ = await lists.all_lists(org.db, org.people[role], NOW)
    return [lists.document(one) for one in page]


async def test_when_a_list_was_used_is_kept_later(db: Database) -> None:
    org = await organisation(db)
    list_id = await make(org, "A")
    for moment in (NOW, NOW + timedelta(minutes=1)):
        await list_rows.ask(db, org.people["csm"], list_id, moment)
        await uses.keep(db)
    shown = lists.document(await lists.get(db, org.people["csm"], list_id, NOW))
    assert (shown["used_at"], shown["version"]) == (NOW + timedelta(minutes=1), 1)
    uses.note(db, org.workspace.id, list_id, NOW)
    await uses.keep(db)
    assert lists.document(await lists.get(db, org.people["csm"], list_id, NOW))["used_at"] == NOW + timedelta(minutes=1)


async def test_people_begin_with_the_workspaces_list_until_they_choose(db: Database) -> None:
    org = await organisation(db)
    public, own = await make(org, "A", visibility="public"), await make(org, "B")
    people = await make(org, "C", visibility="public", entity="contacts")
    assert await defaults.choose_shared(db, org.call(), "accounts", public) == {"accounts": public}
    await defaults.choose(db, org.call("csm"), "accounts", own)
    shared = await defaults.shared(db, org.people["viewer"])
    for role, wanted in (("csm", defaults.Effective(own, "me")), ("viewer", defaults.Effective(public, "workspace"))):
        chosen = await defaults.own(db, org.people[role])
        assert defaults.effective(chosen, shared) == {"accounts": wanted, "contacts": None}
    for entity, list_id in (("accounts", own), ("accounts", people), ("contacts", public)):
        with pytest.raises(Invalid):
            await defaults.choose_shared(db, org.call(), entity, list_id)
    with pytest.raises(NotFound):
        await defaults.choose_shared(db, org.call(), "users", None)
    with pytest.raises(StrataError, match="The workspace begins with this list"):
        await lists.change(db, org.call("csm"), public, {"visibility": "private"}, 1)
    assert await defaults.choose_shared(db, org.call(), "accounts", None) == {}
    await lists.change(db, org.call("csm"), public, {"visibility": "private"}, 1)
    await defaults.choose_shared(db, org.call(), "contacts", people)
    with pytest.raises(Conflict, match="1 workspace default \\(contacts\\)"):
        await lists.delete(db, org.call("csm"), people, 1)
    await defaults.choose_shared(db, org.call(), "contacts", None)
    await lists.delete(db, org.call("csm"), people, 1)
    assert await defaults.shared(db, org.people["csm"]) == {}


async def test_a_list_is_handed_over_by_its_owner_or_an_admin(db: Database) -> None:
    org = await organisation(db)
    private = await make(org, "A")
    await favourites.mark(db, org.call("csm"), private, favourite=True)
    await defaults.choose(db, org.call("csm"), "accounts", private)
    handed = await transfers.transfer(db, org.call("csm"), private, {"to": "viewer@example.com"})
    assert (handed.version, document(handed.body)["owner_id"], document(handed.body)["criteria"]) == (
        2,
        str(org.user("viewer")),
        None,
    )
    assert (await found(org), await found(org, "viewer")) == ([], ["A"])
    assert await defaults.own(db, org.people["csm"]) == {}
    assert await org.rows("SELECT count(*) FROM list_favourites WHERE workspace_id = $1") == [(0,)]
    again = await transfers.transfer(db, org.call("admin"), private, {"to_id": str(org.user("csm"))})
    assert (again.version, await found(org)) == (3, ["A"])
    assert (await transfers.transfer(db, org.call("csm"), private, {"to": "csm"})).version == 3
    public = await make(org, "B", "manager", visibility="public")
    for body, pointer in (
        ({"to": "viewer"}, "/to"), ({"to": "nobody"}, "/to"), ({}, "/to"), ({"to": "csm", "to_id": str(org.user("csm"))}, "/to"),
        ({"to_id": "x"}, "/to_id"), ({"too": "csm"}, "/too"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as caught:
            await transfers.transfer(db, org.call("manager"), public, body)
        assert [fault.pointer for fault in caught.value.faults] == [pointer]


async def test_what_is_made_private_meanwhile_is_nobody_elses_choice(db: Database) -> None:
    """Who chooses a list waits for whoever changes it, and then sees whether it is there for them."""
    org = await organisation(db)
    for choose in (
        lambda one: defaults.choose(db, org.call("other"), "accounts", one),
        lambda one: favourites.mark(db, org.call("other"), one, favourite=True),
    ):
        public = await make(org, "A", visibility="public")
        async with db.transaction() as tx:
            await tx.execute(
                "UPDATE lists SET visibility = 'private' WHERE workspace_id = $1 AND id = $2", org.workspace.id, public
            )
            choosing = asyncio.create_task(choose(public))
            await asyncio.sleep(0.1)
            assert not choosing.done()
        with pytest.raises((Invalid, NotFound)):
            await choosing
    assert await defaults.own(db, org.people["other"]) == {}
    assert await org.rows("SELECT count(*) FROM list_favourites WHERE workspace_id = $1") == [(0,)]


MANY = """
INSERT INTO lists (workspace_id, id, entity, name, criteria, columns, sort, visibility, mine, params, owner_id, version, created_at, updated_at)
SELECT l.workspace_id, gen_random_uuid(), l.entity, l.name, l.criteria, l.columns, l.sort, l.visibility, l.mine, l.params,
    $2, 1, l.created_at, l.updated_at FROM lists l, generate_series(1, $3::int) WHERE l.workspace_id = $1 AND l.id = $4
"""


async def test_a_person_and_a_workspace_have_so_many_lists(db: Database) -> None:
    org = await organisation(db)
    one = await make(org, "A", visibility="public")
    await org.run(MANY, org.user("csm"), lists.MOST - 2, one)
    await make(org, "B")
    for refused in (lambda: make(org, "C"), lambda: lists.copy(db, org.call("csm"), one)):
        with pytest.raises(Conflict, match=r"at most 1,000 lists: delete one first"):
            await refused()
    assert (await lists.copy(db, org.call("manager"), one)).created
    await org.run(MANY, org.user("admin"), lists.MOST_OF_ALL, one)
    await lists.delete(db, org.call("csm"), one, 1)
    with pytest.raises(Conflict, match=r"A workspace has at most 20,000 lists"):
        await make(org, "D", "manager")


# -- a private list of somebody else is absent everywhere --------------------------------------------------------------

Attempt = Callable[[Organisation, str, UUID], Awaitable[object]]
ATTEMPTS: dict[str, Attempt] = {
    "rows, count, export": lambda org, role, one: list_rows.ask(org.db, org.people[role], one, NOW),
    "copy": lambda org, role, one: lists.copy(org.db, org.call(role), one),
    "dependents": lambda org, role, one: lists.dependents(org.db, org.people[role], one),
    "favourite": lambda org, role, one: favourites.mark(org.db, org.call(role), one, favourite=True),
    "watch": lambda org, role, one: watches.watch(org.db, org.call(role), one),
    "unwatch": lambda org, role, one: watches.unwatch(org.db, org.call(role), one),
    "changes": lambda org, role, one: watches.changes(org.db, org.people[role], one),
}
TOO_FOR_AN_ADMIN: dict[str, Attempt] = {
    "get": lambda org, role, one: lists.get(org.db, org.people[role], one, NOW),
    "change": lambda org, role, one: lists.change(org.db, org.call(role), one, {"name": "X"}, 1),
    "delete": lambda org, role, one: lists.delete(org.db, org.call(role), one, 1),
    "transfer": lambda org, role, one: transfers.transfer(org.db, org.call(role), one, {"to": "other"}),
}


@pytest.mark.parametrize("attempt", [*ATTEMPTS, *TOO_FOR_AN_ADMIN])
@pytest.mark.parametrize("role", ["admin", "manager", "other", "viewer"])
async def test_a_private_list_is_not_there(org: Organisation, role: str, attempt: str) -> None:
    if role == "admin" and attempt in TOO_FOR_AN_ADMIN:
        return
    private = await make(org, "Hidden")
    await watches.watch(org.db, org.call("csm"), private)
    with pytest.raises(NotFound):
        await (ATTEMPTS | TOO_FOR_AN_ADMIN)[attempt](org, role, private)
    await lists.delete(org.db, org.call("csm"), private, 1)


@pytest.mark.parametrize("role", ["admin", "manager", "other", "viewer"])
async def test_a_private_list_is_in_no_search_and_no_count(db: Database, role: str) -> None:
    org = await organisation(db)
    private = await make(org, "Zebra", folder="Zoo", description="Zebra")
    public = await make(org, "Public", visibility="public")
    named = f'in_list("{public}")'
    await make(org, "Names it", criteria={"text": named})
    known = ["Public"] if role != "admin" else ["Names it", "Public", "Zebra"]
    assert await found(org, role) == known
    assert await found(org, role, search="zebra") == (["Zebra"] if role == "admin" else [])
    assert await found(org, role, folder="Zoo") == []
    assert await found(org, role, owner="csm") == known
    assert await lists.folders(db, org.people[role]) == [{"folder": None, "lists": 1}]
    told = [str(one) for one in await lists.dependents(db, org.people[role], public)]
    assert told == (["1 saved list (Names it)"] if role == "admin" else [])
    assert [str(one) for one in await lists.dependents(db, org.people["csm"], public)] == ["1 saved list (Names it)"]
    with pytest.raises(Invalid):
        await defaults.choose(db, org.call(role), "accounts", private)
    with pytest.raises(Invalid):
        await make(org, "In", role, criteria={"text": f'in_list("{private}")'})
    with pytest.raises(Invalid):
        ask = await list_rows.ask(db, org.people[role], public, NOW, {"filter": f'in_list("{private}")'})
        await summaries.summarise(db, org.people[role], ask, None, None, NOW)
