"""Lists inside lists: what they hold, for whom, and what stands against changing them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Invalid
from app.persistence.database import Database
from app.services import accounts, list_rows, lists, reads, segmentations, workspaces
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, document, organisation

SECRET = b"s" * 32
NAMES = {"Acme": 10, "Bolt": 20, "Crux": 30, "Dyne": 40}


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Four accounts; the csm has the first two."""
    made = await organisation(db)
    for n, (name, arr) in enumerate(NAMES.items()):
        csm = {"csm_id": str(made.user("csm"))} if n < 2 else {}
        await accounts.create(made.db, made.call("admin"), {"name": name, "arr": arr, **csm})
    return made


async def make(org: Organisation, criteria: str, role: str = "manager", name: str = "L", **body: Any) -> UUID:
    told = {"entity": "accounts", "name": name, "visibility": "public", "columns": ["name"], "sort": ["name"], **body}
    return (await lists.create(org.db, org.call(role), {**told, "criteria": {"text": criteria}})).id


async def held(org: Organisation, list_id: UUID, role: str = "manager") -> str:
    ask = await list_rows.ask(org.db, org.people[role], list_id, NOW)
    answer = await reads.collection(org.db, org.people[role], ask, NOW, secret=SECRET)
    return "".join(one["name"][0] for one in document(answer.data))


async def matched(org: Organisation, criteria: str, role: str = "manager") -> str:
    ask = reads.Ask("accounts", filter=criteria, fields="name", sort="name")
    answer = await reads.collection(org.db, org.people[role], ask, NOW, secret=SECRET)
    return "".join(one["name"][0] for one in document(answer.data))


async def state(org: Organisation, list_id: UUID, role: str = "manager") -> tuple[str, str | None]:
    shown = lists.document(await lists.get(org.db, org.people[role], list_id, NOW))
    return shown["state"], shown["reason"]


async def change(org: Organisation, list_id: UUID, role: str = "manager", **body: Any) -> None:
    version = (await lists.get(org.db, org.people[role], list_id, NOW)).list.version
    await lists.change(org.db, org.call(role), list_id, body, version)


def of(list_id: UUID) -> str:
    return f'in_list("{list_id}")'


async def test_a_list_holds_what_the_lists_that_it_names_hold(org: Organisation) -> None:
    big = await make(org, "arr > 15")
    some = await make(org, f"{of(big)} AND arr < 35")
    assert await held(org, some) == "BC"
    assert await matched(org, f"NOT {of(some)} OR arr = 20") == "ABD"
    await change(org, big, criteria={"text": "arr > 25"})
    assert (await held(org, some), await matched(org, of(some)), await matched(org, f"NOT {of(some)}")) == (
        "C",
        "C",
        "ABD",
    )


async def test_it_is_read_for_whoever_asks_with_its_own_parameters(org: Organisation) -> None:
    low = [{"name": "low", "type": "number", "default": 15}]
    inner = await make(org, "arr > $low", params=low, mine=True)
    outer = await make(org, f"{of(inner)} OR arr > $low", params=[{"name": "low", "type": "number", "default": 35}])
    assert [await held(org, outer, role) for role in ("csm", "manager")] == ["BD", "D"]
    assert (await matched(org, of(inner), "csm"), await matched(org, of(inner))) == ("B", "")


async def test_a_diamond_is_fine_and_takes_one_statement(org: Organisation) -> None:
    bottom = await make(org, "arr > 15")
    sides = [await make(org, f"{of(bottom)} AND arr {sign}") for sign in ("< 45", "> 25")]
    top = await make(org, " AND ".join(map(of, sides)))
    assert await held(org, top) == "CD"
    ask = await list_rows.ask(org.db, org.people["manager"], top, NOW)
    read = await reads.collection(Counting(org.db), org.people["manager"], ask, NOW, secret=SECRET)
    assert document(read.data) == [{"name": "Crux"}, {"name": "Dyne"}]
    assert Counting.sent == 2


class Counting:
    """A reader that counts what it is asked."""

    sent = 0

    def __init__(self, db: Database) -> None:
        self._db = db

    async def fetch(self, sql: str, *args: Any, point: bool = False) -> Any:
        Counting.sent += 1
        return await self._db.fetch(sql, *args, point=point)

    async def fetchrow(self, sql: str, *args: Any, point: bool = False) -> Any:
        Counting.sent += 1
        return await self._db.fetchrow(sql, *args, point=point)

    async def fetchval(self, sql: str, *args: Any, point: bool = False) -> Any:
        Counting.sent += 1
        return await self._db.fetchval(sql, *args, point=point)


async def test_circles_and_depth_are_refused_when_saving(org: Organisation) -> None:
    chain = [await make(org, "arr > 15")]
    for _ in range(5):
        chain.append(await make(org, of(chain[-1])))
    assert await held(org, chain[-1]) == "BCD"
    with pytest.raises(Invalid, match="At most 5 lists stand one inside another"):
        await make(org, of(chain[-1]))
    for again in (chain[0], chain[3], chain[5]):
        with pytest.raises(Invalid, match=r"circle|At most 5"):
            await change(org, chain[0], criteria={"text": of(again)})
    two = [await make(org, "ALL"), await make(org, "ALL")]
    await change(org, two[0], criteria={"text": of(two[1])})
    with pytest.raises(Invalid, match="circle"):
        await change(org, two[1], criteria={"text": f"arr > 1 OR {of(two[0])}"})
    other = await make(org, "ALL")
    with pytest.raises(Conflict, match="would mean nothing"):  # it would stand too deep for what names it
        await change(org, chain[0], criteria={"text": of(other)})
    assert await held(org, chain[-1]) == "BCD"


async def test_what_is_of_another_entity_or_not_there_is_refused(org: Organisation) -> None:
    people = await make(org, "ALL", entity="contacts")
    for told, why in (
        (of(people), "Expected a list of accounts"),
        (of(new_id()), "no such list"),
        ('in_list("x")', "no such list"),
    ):
        for attempt in (matched(org, told), make(org, told)):
            with pytest.raises(Invalid, match=why):
                await attempt
    assert await matched(org, f"none(contacts WHERE {of(people)})") == "ABCD"


async def test_somebody_elses_private_list_is_not_there(org: Organisation) -> None:
    private = await make(org, "arr > 15", "csm", visibility="private")
    assert await matched(org, of(private), "csm") == "BCD"
    for role in ("manager", "admin", "other"):
        with pytest.raises(Invalid, match="no such list"):
            await matched(org, of(private), role)
    assert await held(org, await make(org, f"NOT {of(private)}", "csm", visibility="private"), "csm") == "A"
    with pytest.raises(Invalid, match="no such list"):
        await make(org, of(private), "csm")


async def test_what_lost_sight_of_a_list_is_broken(org: Organisation) -> None:
    inner = await make(org, "arr > 15", "csm", "Inner", visibility="private")
    outer = await make(org, of(inner), "csm", visibility="private")
    version = (await lists.get(org.db, org.people["csm"], inner, NOW)).list.version
    await lists.change(org.db, org.call("admin"), inner, {"owner_id": str(org.user("other"))}, version)
    assert await state(org, outer, "csm") == (
        "broken", "There is no such list, or not everybody who reads this may see it.",
    )  # fmt: skip
    with pytest.raises(Conflict, match="broken"):
        await held(org, outer, "csm")


async def test_a_broken_list_breaks_what_names_it_with_the_reason(org: Organisation) -> None:
    await segmentations.put(org.db, org.call("admin"), "care", RULES, None)
    changed = org.with_workspace(segmentations=(await workspaces.load(org.db, org.workspace.id)).segmentations)
    inner = await make(changed, 'segment.care = "big"', name="Inner")
    outer = await make(changed, of(inner))
    assert await held(changed, outer) == "CD"
    for table in ("members", "past_stays", "segmentation_versions"):
        await org.run(f"DELETE FROM {table} WHERE workspace_id = $1")
    await org.run("DELETE FROM segmentations WHERE workspace_id = $1")
    gone = org.with_workspace(segmentations={})
    status, reason = await state(gone, outer)
    assert (status, reason) == ("broken", "The list Inner means nothing: There is no such segmentation.")
    page, _ = await all_of(gone)
    assert {one.list.id: one.state for one in page}[outer] == "broken"


async def all_of(org: Organisation) -> tuple[list[lists.Listing], Any]:
    return await lists.all_lists(org.db, org.people["manager"], NOW)


async def test_what_is_named_is_not_deleted(org: Organisation) -> None:
    inner = await make(org, "arr > 15")
    outer = await make(org, of(inner), name="Outer")
    with pytest.raises(Conflict, match=r"1 saved list \(Outer\)"):
        await lists.delete(org.db, org.call("manager"), inner, 1)
    await lists.delete(org.db, org.call("manager"), outer, 1)
    await lists.delete(org.db, org.call("manager"), inner, 1)


async def test_a_list_that_others_name_stays_public(org: Organisation) -> None:
    inner = await make(org, "arr > 15")
    outer = await make(org, of(inner), name="Outer")
    with pytest.raises(Conflict, match=r"stays public|would mean nothing"):
        await change(org, inner, visibility="private")
    assert await held(org, outer) == "BCD"
    await segmentations.put(org.db, org.call("admin"), "care", rules(of(outer)), None)
    with pytest.raises(Conflict, match="care"):
        await change(org, outer, visibility="private")


RULES = {
    "name": "Care", "kind": "rules", "rest": "small",
    "segments": [{"slug": "big", "name": "Big", "criteria": "arr > 25"}],
}  # fmt: skip


def rules(criteria: str) -> dict[str, Any]:
    return {**RULES, "segments": [{"slug": "big", "name": "Big", "criteria": criteria}]}


async def stand(org: Organisation) -> str:
    rows = await org.rows(
        "SELECT a.name FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id"
        " WHERE m.workspace_id = $1 AND m.segment = 'big' ORDER BY a.name"
    )
    return "".join(name[0] for (name,) in rows)


async def test_segments_stand_on_public_lists(org: Organisation) -> None:
    inner = await make(org, "arr > 15")
    middle = await make(org, of(inner))
    await segmentations.put(org.db, org.call("admin"), "care", rules(of(middle)), None)
    assert await stand(org) == "BCD"
    await change(org, inner, criteria={"text": "arr > 35"})
    assert await stand(org) == "D"
    await accounts.create(org.db, org.call("admin"), {"name": "Edge", "arr": 50})
    assert await stand(org) == "DE"
    for body in ({"criteria": {"text": "csm = @me"}}, {"mine": True}, {"criteria": {"text": 'segment.care = "big"'}}):
        known = org.with_workspace(segmentations=(await workspaces.load(org.db, org.workspace.id)).segmentations)
        with pytest.raises(Conflict, match="care"):
            await change(known, inner, **body)
    with pytest.raises(Conflict, match="care"):
        await lists.delete(org.db, org.call("manager"), middle, 1)
    assert await stand(org) == "DE"


async def test_segments_stand_on_nothing_that_somebody_keeps_private(org: Organisation) -> None:
    private = await make(org, "arr > 15", "admin", visibility="private")
    own = await make(org, "csm = @me", "admin")
    for one, why in ((private, "no such list"), (own, "name the person")):
        with pytest.raises(Invalid, match=why):
            await segmentations.put(org.db, org.call("admin"), "care", rules(of(one)), None)


async def test_what_lists_hold_together_is_bounded(org: Organisation) -> None:
    wide = await make(org, " AND ".join(["arr > 1"] * 99))
    wider = await make(org, " OR ".join([of(wide)] * 9))
    assert await held(org, wider) == "ABCD"
    with pytest.raises(Invalid, match="hold at most 1,000 nodes"):
        await make(org, " OR ".join([of(wider)] * 2))
