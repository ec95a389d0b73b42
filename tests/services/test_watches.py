"""Watched lists: who enters and leaves, when, and why; what cannot be watched."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound
from app.persistence.database import Database
from app.services import accounts, list_rows, lists, reads, watches
from app.services.asks import Ask
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, document, organisation

MINUTE = timedelta(minutes=1)
SECRET = b"s" * 32


async def make(org: Organisation, role: str = "csm", **body: Any) -> UUID:
    told = {"entity": "accounts", "name": "L", "criteria": {"text": "arr > 10"}, "visibility": "public", **body}
    return (await lists.create(org.db, org.call(role), told)).id


async def account(org: Organisation, name: str, arr: int) -> UUID:
    return (await accounts.create(org.db, org.call(), {"name": name, "arr": arr, "external_id": f"x-{name}"})).id


async def set_arr(org: Organisation, account_id: UUID, arr: int) -> None:
    await org.run("UPDATE accounts SET arr = $3 WHERE workspace_id = $1 AND id = $2", account_id, arr * 100)


async def changes(org: Organisation, list_id: UUID, role: str = "viewer", **told: Any) -> watches.Changes:
    return await watches.changes(org.db, org.people[role], list_id, **told)


async def told(org: Organisation, list_id: UUID, **more: Any) -> list[tuple[Any, ...]]:
    found = await changes(org, list_id, **more)
    return [(one["name"], one["event"], (one["at"] - NOW) // MINUTE, one["cause"]) for one in found.data]


async def test_who_enters_and_leaves_is_kept(db: Database) -> None:
    org = await organisation(db)
    ids = {name: await account(org, name, arr) for name, arr in (("a", 20), ("b", 5), ("c", 30))}
    list_id = await make(org)
    written = document((await watches.watch(db, org.call("viewer"), list_id)).body)
    assert written["watched_since"] == "2026-11-22T12:00:00Z"
    assert await told(org, list_id) == []
    await set_arr(org, ids["a"], 1)
    await set_arr(org, ids["b"], 50)
    assert await watches.check_one(db, org.workspace.id, list_id, NOW + MINUTE)
    assert await watches.check_one(db, org.workspace.id, list_id, NOW + 2 * MINUTE)
    await set_arr(org, ids["a"], 20)
    await accounts.archive(db, org.call(), ids["c"], 1)
    assert await watches.check_one(db, org.workspace.id, list_id, NOW + 3 * MINUTE)
    seen = [
        ("c", "left", 3, "records"),
        ("a", "entered", 3, "records"),
        ("a", "left", 1, "records"),
        ("b", "entered", 1, "records"),
    ]
    assert sorted(await told(org, list_id)) == sorted(seen)
    assert [one[2] for one in await told(org, list_id)] == [3, 3, 1, 1]
    found = await changes(org, list_id, lo="2026-11-22T12:02:00Z")
    assert (found.entered, found.left, found.checked_at) == (1, 1, NOW + 3 * MINUTE)
    assert {one["external_id"] for one in found.data} == {"x-a", "x-c"}
    assert await told(org, list_id, hi="2026-11-22T12:01:00Z") == []
    assert [one[0] for one in await told(org, list_id, event="left")] == ["c", "a"]


async def test_changes_come_in_pages(db: Database) -> None:
    org = await organisation(db)
    list_id = await make(org)
    await watches.watch(db, org.call(), list_id)
    for n in range(7):
        await account(org, f"n{n}", 50)
        if n % 3 == 0:
            await watches.check_one(db, org.workspace.id, list_id, NOW + n * MINUTE + MINUTE)
    whole = (await changes(org, list_id, limit=100)).data
    found, after, entered = [], None, set()
    for _ in range(4):
        page = await changes(org, list_id, after=after, limit=2)
        found += page.data
        after = page.following
        entered.add(page.entered)
    assert (found, after, len(found), entered) == (whole, None, 7, {7})


async def test_a_list_that_asks_for_something_else_says_why_its_members_moved(db: Database) -> None:
    org = await organisation(db)
    for name, arr in (("a", 20), ("b", 5)):
        await account(org, name, arr)
    list_id = await make(org)
    await watches.watch(db, org.call(), list_id)
    await lists.change(db, org.call("csm"), list_id, {"name": "Other", "sort": ["name"]}, 1)
    await watches.check_one(db, org.workspace.id, list_id, NOW + MINUTE)
    await lists.change(db, org.call("csm", now=NOW + 2 * MINUTE), list_id, {"criteria": {"text": "arr < 10"}}, 2)
    await account(org, "c", 6)
    await watches.check_one(db, org.workspace.id, list_id, NOW + 3 * MINUTE)
    assert sorted(await told(org, list_id)) == [
        ("a", "left", 2, "list"), ("b", "entered", 2, "list"), ("c", "entered", 3, "records"),
    ]  # fmt: skip


async def test_what_records_did_before_the_list_changed_is_theirs(db: Database) -> None:
    """Between two rounds records change, then the list, then records again: who moves without the list is told so."""
    org = await organisation(db)
    ids = {name: await account(org, name, arr) for name, arr in (("raven", 5), ("gone", 20), ("old", 40), ("new", 95))}
    list_id = await make(org, criteria={"text": "arr > 10 AND arr < 90"})
    await watches.watch(db, org.call(), list_id)
    await set_arr(org, ids["raven"], 50)  # on it by both
    await set_arr(org, ids["gone"], 1)  # on it by neither
    body = {"criteria": {"text": "arr > 45"}}
    await lists.change(db, org.call("csm", now=NOW + timedelta(seconds=20)), list_id, body, 1)
    await set_arr(org, ids["old"], 60)
    await watches.check_one(db, org.workspace.id, list_id, NOW + MINUTE)
    found = (await changes(org, list_id)).data
    assert sorted((one["name"], one["event"], one["cause"]) for one in found) == [
        ("gone", "left", "records"), ("new", "entered", "list"), ("old", "entered", "records"),
        ("old", "left", "list"), ("raven", "entered", "records"),
    ]  # fmt: skip


async def test_a_list_that_was_broken_is_mended_while_it_is_watched(db: Database) -> None:
    org = await organisation(db)
    list_id, inside = await make(org), await account(org, "a", 20)
    await watches.watch(db, org.call(), list_id)
    gone = f'{{"v": 1, "filter": {{"op": "cmp", "of": "segment.{new_id()}", "cmp": "eq", "value": "x"}}}}'
    await org.run("UPDATE lists SET criteria = $3::text::jsonb WHERE workspace_id = $1 AND id = $2", list_id, gone)
    await set_arr(org, inside, 1)
    assert not await watches.check_one(db, org.workspace.id, list_id, NOW + MINUTE)
    body = {"criteria": {"text": "arr > 5"}}
    await lists.change(db, org.call("csm", now=NOW + 2 * MINUTE), list_id, body, 1)
    assert await told(org, list_id) == [("a", "left", 2, "list")]
    assert (await changes(org, list_id)).reason is None


async def test_a_record_that_is_gone_has_left_without_its_name(db: Database) -> None:
    org = await organisation(db)
    list_id, gone = await make(org), await account(org, "a", 20)
    await watches.watch(db, org.call(), list_id)
    await accounts.delete(db, org.call(), gone, 1)
    await watches.check_one(db, org.workspace.id, list_id, NOW + MINUTE)
    (one,) = (await changes(org, list_id)).data
    assert (one["event"], one["record_id"], one["name"]) == ("left", gone, None)


async def test_contacts_are_watched_too_and_time_moves_records(db: Database) -> None:
    org = await organisation(db)
    of = await account(org, "a", 20)
    await org.run(
        "INSERT INTO contacts (workspace_id, id, account_id, name, last_seen_at, created_at, updated_at) VALUES ($1, $2, $3, 'Ann', $4, $4, $4)",
        new_id(), of, NOW - timedelta(days=6),
    )  # fmt: skip
    list_id = await make(org, entity="contacts", criteria={"text": "last_seen_at IN last(7d)"})
    await watches.watch(db, org.call(), list_id)
    await watches.check_one(db, org.workspace.id, list_id, NOW + timedelta(days=2))
    found = await changes(org, list_id)
    assert [(one["name"], one["event"]) for one in found.data] == [("Ann", "left")]


@pytest.mark.parametrize(
    "body",
    [
        {"mine": True}, {"criteria": {"text": "csm = @me"}}, {"criteria": {"text": "csm IN (@my_team)"}, "visibility": "private"},
    ],
)  # fmt: skip
async def test_what_depends_on_who_looks_cannot_be_watched(db: Database, body: dict[str, Any]) -> None:
    org = await organisation(db)
    list_id = await make(org, **body)
    with pytest.raises(Conflict, match="the same for everybody"):
        await watches.watch(db, org.call("csm"), list_id)
    plain = await make(org)
    await watches.watch(db, org.call("csm"), plain)
    with pytest.raises(Conflict, match="the same for everybody"):
        await lists.change(
            db, org.call("csm"), plain, {name: one for name, one in body.items() if name != "visibility"}, 1
        )


async def test_watching_has_a_bound_that_is_named(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await organisation(db)
    monkeypatch.setattr(watches, "MOST", 2)
    made = [await make(org) for _ in range(3)]
    for list_id in (*made[:2], made[0]):
        await watches.watch(db, org.call(), list_id)
    with pytest.raises(Conflict, match="At most 2 lists"):
        await watches.watch(db, org.call(), made[2])
    await watches.unwatch(db, org.call(), made[0])
    await watches.watch(db, org.call(), made[2])


async def test_anybody_begins_and_whoever_may_change_the_list_ends(db: Database) -> None:
    org = await organisation(db)
    list_id = await make(org)
    await account(org, "a", 20)
    with pytest.raises(Conflict, match="not watched"):
        await changes(org, list_id)
    await watches.watch(db, org.call("viewer"), list_id)
    for role in ("viewer", "other"):
        with pytest.raises(Forbidden):
            await watches.unwatch(db, org.call(role), list_id)
    await watches.unwatch(db, org.call("csm"), list_id)
    assert await org.rows("SELECT count(*) FROM list_members WHERE workspace_id = $1") == [(0,)]
    private = await make(org, visibility="private")
    await watches.watch(db, org.call("csm"), private)
    for role in ("admin", "manager", "other", "viewer"):
        for attempt in (
            watches.watch(db, org.call(role), private),
            watches.unwatch(db, org.call(role), private),
            changes(org, private, role),
        ):
            with pytest.raises(NotFound):
                await attempt
    await lists.delete(db, org.call("csm"), private, 1)
    assert await org.rows("SELECT count(*) FROM list_watches WHERE workspace_id = $1") == [(0,)]


async def test_only_times_that_were_watched_are_answered(db: Database) -> None:
    org = await organisation(db, zone="Europe/Berlin")
    list_id = await make(org)
    await watches.watch(db, org.call(), list_id)
    assert (await changes(org, list_id, lo="2026-11-22")).span.lo == NOW
    for given in ({"lo": "2026-11-21"}, {"lo": "2026-11-22T11:59:59Z"}, {"lo": "yesterday"}):
        with pytest.raises(Invalid) as caught:
            await changes(org, list_id, **given)
        assert caught.value.faults[0].parameter == "from"
    for given in ({"hi": "2026-11-20"}, {"hi": "9999-12-31"}, {"event": "moved"}):
        with pytest.raises(Invalid):
            await changes(org, list_id, **given)


async def test_a_broken_list_keeps_its_members_and_says_why(db: Database) -> None:
    org = await organisation(db)
    list_id, inside = await make(org), await account(org, "a", 20)
    await watches.watch(db, org.call(), list_id)
    gone = f'{{"v": 1, "filter": {{"op": "cmp", "of": "segment.{new_id()}", "cmp": "eq", "value": "x"}}}}'
    await org.run("UPDATE lists SET criteria = $3::text::jsonb WHERE workspace_id = $1 AND id = $2", list_id, gone)
    await set_arr(org, inside, 1)
    assert not await watches.check_one(db, org.workspace.id, list_id, NOW + MINUTE)
    found = await changes(org, list_id)
    assert (found.data, found.checked_at) == ([], NOW)
    assert found.reason
    assert "segmentation" in found.reason


async def test_every_watched_list_is_checked_once_a_round(db: Database) -> None:
    orgs = [await organisation(db) for _ in range(2)]
    made = [(org, await make(org)) for org in orgs for _ in range(2)]
    for org, list_id in made:
        await watches.watch(db, org.call(), list_id)
        await account(org, str(list_id), 20)
    later = NOW + timedelta(days=1)
    assert await watches.check_all(db, lambda: later) >= 4
    assert await watches.check_all(db, lambda: later + timedelta(seconds=1)) == 0
    for org, list_id in made:
        assert (await changes(org, list_id)).entered >= 1


async def test_the_history_is_what_the_list_held_at_each_moment(db: Database) -> None:
    """The law: who was on it at one moment, with whoever entered and without whoever left since, is who is on it at another."""
    org, dice = await organisation(db), random.Random(7)
    list_id = await make(org, criteria={"text": 'arr > 10 AND (health < 50 OR name : "x")'})
    ids = [await account(org, f"{dice.choice('wxyz')}{n}", dice.randint(0, 20)) for n in range(30)]
    await watches.watch(db, org.call(), list_id)
    held: dict[datetime, set[UUID]] = {NOW: await holds(org, list_id)}
    for n in range(1, 12):
        for one in dice.sample(ids, 6):
            await org.run(
                "UPDATE accounts SET arr = $3, health = $4, archived_at = $5 WHERE workspace_id = $1 AND id = $2",
                one, dice.randint(0, 2000), dice.choice((10.0, 90.0, None)), dice.choice((None, None, NOW)),
            )  # fmt: skip
        moment = NOW + n * MINUTE
        assert await watches.check_one(db, org.workspace.id, list_id, moment)
        held[moment] = await holds(org, list_id)
    moments = sorted(held)
    for n, lo in enumerate(moments):
        for hi in moments[n:]:
            members = set(held[lo])
            span = {
                "lo": (lo + timedelta(microseconds=1)).isoformat(),
                "hi": (hi + timedelta(microseconds=1)).isoformat(),
            }
            for one in reversed((await changes(org, list_id, limit=1000, **span)).data):
                (members.add if one["event"] == "entered" else members.remove)(one["record_id"])
            assert members == held[hi]


async def test_each_list_is_checked_at_its_own_moment(db: Database) -> None:
    """A round over many lists takes its time: what entered meanwhile did not enter before it."""
    org = await organisation(db)
    made = [await make(org, name=f"L{n}") for n in range(3)]
    for list_id in made:
        await watches.watch(db, org.call(), list_id)
    ticks = itertools.count(1)
    start = NOW + timedelta(days=3)
    await watches.check_all(db, lambda: start + next(ticks) * MINUTE)
    moments = {(await changes(org, list_id)).checked_at for list_id in made}
    assert len(moments) == 3
    assert all(start < moment for moment in moments)


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_asks_on_from_the_last_answer_misses_nothing(db: Database, seed: int) -> None:
    """The law: the answers of somebody who goes on from each one's end are the whole history, each change once. Some ask
    between the moment of a comparison and its end, which may take minutes."""
    org, dice = await organisation(db), random.Random(seed)
    list_id = await make(org)
    ids = [await account(org, f"{n}", dice.randint(0, 20)) for n in range(8)]
    await watches.watch(db, org.call(), list_id)
    seen: list[Any] = []
    end: str | None = None

    async def ask() -> None:
        nonlocal end
        found = await changes(org, list_id, lo=end, limit=1000)
        seen.extend(watches.place(one) for one in found.data)
        end = found.span.hi.isoformat()

    for n in range(1, 10):
        for one in dice.sample(ids, 4):
            await set_arr(org, one, dice.randint(0, 20))
        if dice.random() < 0.5:
            async with db.transaction() as tx:  # the comparison has its moment, and waits
                await tx.execute("SELECT FROM list_members WHERE workspace_id = $1 FOR UPDATE", org.workspace.id)
                checking = asyncio.create_task(watches.check_one(db, org.workspace.id, list_id, NOW + n * MINUTE))
                await asyncio.sleep(0.05)
                await ask()
            assert await checking
        else:
            assert await watches.check_one(db, org.workspace.id, list_id, NOW + n * MINUTE)
        if dice.random() < 0.5:
            await ask()
    await ask()
    whole = [watches.place(one) for one in (await changes(org, list_id, limit=1000)).data]
    assert sorted(seen) == sorted(whole)
    assert len(whole) > 5


async def holds(org: Organisation, list_id: UUID) -> set[UUID]:
    ask: Ask = await list_rows.ask(org.db, org.people["csm"], list_id, NOW, {"fields": "id", "limit": 1000})
    answer = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    return {UUID(one["id"]) for one in document(answer.data)}
