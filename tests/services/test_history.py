"""What has been: moves between segments within a window, and what stood where on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Invalid, Unreadable
from app.persistence.database import Database
from app.services import accounts, moves, reads, segmentations, workspaces
from tests.services.organisations import NOW, Organisation, document, organisation

SECRET = b"s" * 32
DAY = timedelta(days=1)
START = NOW - 40 * DAY


def rules(edge: int) -> dict[str, Any]:
    return {
        "name": "Size", "kind": "rules", "rest": "small",
        "segments": [{"slug": "big", "name": "Big", "criteria": f"arr > {edge}"}],
    }  # fmt: skip


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Grow (ARR 5, then 50 since ten days) and Calm (5), both made 40 days ago; and their stages."""
    made = await organisation(db)
    await segmentations.put(db, made.call("admin", now=START), "size", rules(20), None)
    for name in ("Grow", "Calm"):
        await accounts.create(db, made.call("admin", now=START), {"name": name, "arr": 5, "external_id": name})
    loaded = await workspaces.load(db, made.workspace.id)
    made = made.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)
    await change(made, "Grow", NOW - 10 * DAY, arr=50)
    for name, at, stage in (
        ("Grow", START, "trial"),
        ("Grow", NOW - 20 * DAY, "onboarding"),
        ("Calm", NOW - 5 * DAY, "trial"),
    ):
        await moves.move(db, made.call("admin", now=at), await find(made, name), {"stage": stage}, None)
    return made


async def find(org: Organisation, name: str) -> UUID:
    rows = await org.rows("SELECT id FROM accounts WHERE workspace_id = $1 AND name = $2", name)
    found: UUID = rows[0][0]
    return found


async def change(org: Organisation, name: str, now: datetime, **values: Any) -> None:
    account_id = await find(org, name)
    rows = await org.rows("SELECT version FROM accounts WHERE workspace_id = $1 AND id = $2", account_id)
    await accounts.change(org.db, org.call("admin", now=now), account_id, values, rows[0][0])


async def asked(org: Organisation, **told: Any) -> list[dict[str, Any]]:
    ask = reads.Ask("accounts", **{"sort": "id", **told})
    answer = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    found: list[dict[str, Any]] = document(answer.data)
    return found


async def matched(org: Organisation, criteria: str) -> str:
    return "".join(one["name"][0] for one in await asked(org, filter=criteria, fields="name"))


async def test_moves_within_a_window(org: Organisation) -> None:
    answers = {
        'entered("size", "big", last(11d))': "G",
        'entered("size", "big", last(9d))': "",
        'left("size", "small", last(11d))': "G",
        'left("size", "big", last(90d))': "",
        'NOT entered("size", "big", last(11d))': "C",
        'entered("size", "small", last(90d))': "GC",  # the first stay begins too
        'entered("size", "small", last(30d))': "",
        'entered("size", "big", next(30d))': "",
    }
    assert {criteria: await matched(org, criteria) for criteria in answers} == answers


async def test_the_window_is_echoed_and_moves_with_the_moment(org: Organisation) -> None:
    ask = reads.Ask("accounts", filter='entered("size", "big", last(9d))', as_of=(NOW - 3 * DAY).isoformat())
    answer = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    assert len(document(answer.data)) == 1
    assert [(echo.lo, echo.hi) for echo in answer.windows] == [(NOW - 12 * DAY, NOW - 3 * DAY)]


async def test_a_new_definition_moves_and_archiving_does_not(org: Organisation) -> None:
    await segmentations.put(org.db, org.call("admin"), "size", rules(2), 1)
    later = (NOW + DAY).isoformat()
    assert len(await asked(org, filter='entered("size", "big", last(2d))', as_of=later)) == 1
    rows = await org.rows("SELECT version FROM accounts WHERE workspace_id = $1 AND name = 'Calm'")
    await accounts.archive(org.db, org.call("admin"), await find(org, "Calm"), rows[0][0])
    assert await asked(org, filter='left("size", "big", last(2d))', as_of=later, archived="with") == []


@pytest.mark.parametrize(
    ("criteria", "why"),
    [
        ('entered("sise", "big", last(3d))', "no such segmentation"), ('left("size", "bigg", last(3d))', "no such segment"),
    ],
)  # fmt: skip
async def test_what_is_not_there_is_refused(org: Organisation, criteria: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        await asked(org, filter=criteria)
    with pytest.raises(Invalid, match="is asked of accounts"):
        await reads.collection(org.db, org.people["csm"], reads.Ask("contacts", filter=criteria), NOW, secret=SECRET)


async def test_segments_do_not_stand_on_moves(org: Organisation) -> None:
    body = {**rules(1), "segments": [{"slug": "x", "name": "X", "criteria": 'entered("size", "big", last(3d))'}]}
    with pytest.raises(Invalid, match="segments do not build on each other"):
        await segmentations.put(org.db, org.call("admin"), "other", body, None)


def on(days: int) -> str:
    return (NOW - days * DAY).date().isoformat()


async def test_a_day_that_has_been(org: Organisation) -> None:
    def shown(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return [(one["external_id"], one["stage"], one["segment"]["size"]) for one in found]

    assert shown(await asked(org, on=on(0))) == [("Grow", "onboarding", "big"), ("Calm", "trial", "small")]
    assert shown(await asked(org, on=on(15))) == [("Grow", "onboarding", "small"), ("Calm", None, "small")]
    assert shown(await asked(org, on=on(30))) == [("Grow", "trial", "small"), ("Calm", None, "small")]
    assert await asked(org, on=on(41)) == []
    assert shown(await asked(org, on=on(15), filter='stage = "onboarding"')) == [("Grow", "onboarding", "small")]
    assert await asked(org, on=on(15), filter='segment.size = "big"') == []
    assert await asked(org, on=on(5), filter='entered("size", "big", last(7d))', fields="external_id,segment.size") == [
        {"external_id": "Grow", "segment": {"size": "big"}}
    ]


async def test_pages_of_a_day_go_on(org: Organisation) -> None:
    ask = reads.Ask("accounts", on=on(0), limit=1, sort="segment.size,stage")
    first = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    again = reads.Ask("accounts", on=on(0), limit=1, sort="segment.size,stage", cursor=first.next)
    second = await reads.collection(org.db, org.people["csm"], again, NOW + timedelta(minutes=1), secret=SECRET)
    assert [one["external_id"] for page in (first, second) for one in document(page.data)] == ["Grow", "Calm"]
    assert (second.next, second.as_of) == (None, first.as_of)
    with pytest.raises(Unreadable):
        other = reads.Ask("accounts", on=on(1), limit=1, sort="segment.size,stage", cursor=first.next)
        await reads.collection(org.db, org.people["csm"], other, NOW, secret=SECRET)


async def test_archived_accounts_of_a_day(org: Organisation) -> None:
    rows = await org.rows("SELECT version FROM accounts WHERE workspace_id = $1 AND name = 'Calm'")
    await accounts.archive(org.db, org.call("admin", now=NOW - 3 * DAY), await find(org, "Calm"), rows[0][0])
    names = [[one["external_id"] for one in await asked(org, on=on(days), **more)] for days, more in (
        (4, {}), (2, {}), (2, {"archived": "only"}), (2, {"archived": "with"}), (4, {"archived": "only"}),
    )]  # fmt: skip
    assert names == [["Grow", "Calm"], ["Grow"], ["Calm"], ["Grow", "Calm"], []]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"fields": "id,name"}, "name has no history"), ({"filter": "arr > 5"}, "arr has no history"),
        ({"sort": "-health"}, "health has no history"), ({"include": "contacts"}, "has no history"),
        ({"on": "2099-01-01"}, "a day that has been"), ({"on": "soon"}, "Expected a day"),
        ({"on": "2026-01-01T00:00:00Z"}, "Expected a day"),
    ],
)  # fmt: skip
async def test_what_has_no_history_is_refused_by_name(org: Organisation, told: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        await asked(org, **{"on": on(1), **told})
    assert refused.value.faults[0].parameter == "on"


async def test_contacts_have_none(org: Organisation) -> None:
    ask = reads.Ask("contacts", on=on(1), fields="id")
    with pytest.raises(Invalid, match="contacts has no history"):
        await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)


async def members(org: Organisation, segment: str | None, **told: Any) -> list[dict[str, Any]]:
    ask = await segmentations.members(
        org.db, org.people["viewer"], "size", segment, reads.Ask("accounts", **{"sort": "id", **told})
    )
    answer = await reads.collection(org.db, org.people["viewer"], ask, NOW, secret=SECRET)
    found: list[dict[str, Any]] = document(answer.data)
    return found


async def test_members_of_a_day_show_what_is_of_today_beside(org: Organisation) -> None:
    assert await members(org, "small", on=on(15), fields="name,arr,stage,segment.size", sort="-arr,name") == [
        {"name": "Grow", "arr": 50, "stage": "onboarding", "segment": {"size": "small"}},
        {"name": "Calm", "arr": 5, "stage": None, "segment": {"size": "small"}},
    ]
    (grown,) = await members(org, "big", on=on(5), fields="name,csm.name", include="contacts(1),csm")
    assert (grown["name"], grown["csm"], grown["contacts"]) == ("Grow", None, [])
    (plain,) = await members(org, "big", on=on(5))
    assert list(plain) == ["id", "external_id", "name", "segment"]
    (now,) = await members(org, "big")
    assert (now["external_id"], now["name"], now["segment"]) == ("Grow", "Grow", {"size": "big"})


async def test_members_of_a_day_are_narrowed_by_what_was_then(org: Organisation) -> None:
    assert [one["name"] for one in await members(org, None, on=on(15), filter='stage = "onboarding"')] == ["Grow"]
    with pytest.raises(Invalid, match="arr has no history"):
        await members(org, None, on=on(15), filter="arr > 5")


async def test_pages_of_members_of_a_day_go_on(org: Organisation) -> None:
    ask = reads.Ask("accounts", on=on(15), limit=1, sort="-arr", fields="name")
    named, cursor = [], None
    for _ in range(2):
        told = await segmentations.members(org.db, org.people["viewer"], "size", "small", replace(ask, cursor=cursor))
        answer = await reads.collection(org.db, org.people["viewer"], told, NOW, secret=SECRET)
        named += [one["name"] for one in document(answer.data)]
        cursor = answer.next
    assert (named, cursor) == (["Grow", "Calm"], None)
