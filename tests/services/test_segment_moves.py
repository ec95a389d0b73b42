"""What moved between two days: the matrix adds up to the counts of both, and every account that moved says why."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest

from app.domain.errors import Invalid, NotFound
from app.persistence.database import Database
from app.services import accounts, reads, segment_moves, segmentations, workspaces
from tests.services.organisations import NOW, Organisation, document, organisation

DAY = timedelta(days=1)
START = NOW - 40 * DAY
SIZE = {
    "name": "Size", "kind": "bands", "spec": {"field": "arr", "cuts": {"by": "absolute", "at": [20, 100]}}, "rest": "none",
    "segments": [{"slug": slug, "name": slug.capitalize()} for slug in ("big", "middle", "small")],
}  # fmt: skip


def day(days_ago: int) -> str:
    return (NOW - days_ago * DAY).date().isoformat()


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Of five accounts: Up moves twice, Calm stays, Down moves, Late is made and Gone is archived on the way."""
    made = await organisation(db)
    await segmentations.put(db, made.call("admin", now=START), "size", SIZE, None)
    for name, arr in (("Up", 5), ("Calm", 50), ("Down", 500), ("Gone", 7)):
        await accounts.create(db, made.call("admin", now=START), {"name": name, "arr": arr, "external_id": name})
    loaded = await workspaces.load(db, made.workspace.id)
    made = made.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)
    await change(made, "Up", NOW - 20 * DAY, arr=50)
    await change(made, "Up", NOW - 10 * DAY, arr=200)
    await change(made, "Down", NOW - 5 * DAY, arr=1)
    await accounts.create(db, made.call("admin", now=NOW - 8 * DAY), {"name": "Late", "arr": 3, "external_id": "Late"})
    rows = await made.rows("SELECT id, version FROM accounts WHERE workspace_id = $1 AND name = 'Gone'")
    await accounts.archive(db, made.call("admin", now=NOW - 3 * DAY), *rows[0])
    return made


async def change(org: Organisation, name: str, now: Any, **values: Any) -> None:
    rows = await org.rows("SELECT id, version FROM accounts WHERE workspace_id = $1 AND name = $2", name)
    account_id: UUID = rows[0][0]
    await accounts.change(org.db, org.call("admin", now=now), account_id, values, rows[0][1])


async def matrix(org: Organisation, since: int | None, until: int | None) -> dict[str, Any]:
    told = (None if ago is None else day(ago) for ago in (since, until))
    return await segment_moves.matrix(org.db, org.as_("viewer"), "size", NOW, *told)


async def test_the_matrix_says_from_where_to_where(org: Organisation) -> None:
    found = await matrix(org, 30, 0)
    flow = {(one["was"], one["becomes"]): (one["accounts"], one["arr"]) for one in found["flow"]}
    assert flow == {
        ("small", "big"): (1, Decimal(200)), ("middle", "middle"): (1, Decimal(50)), ("big", "small"): (1, Decimal(1)),
        (None, "small"): (1, Decimal(3)), ("small", None): (1, Decimal(7)),
    }  # fmt: skip
    assert {name: found[name]["accounts"] for name in ("before", "after", "stayed", "moved", "entered", "left")} == {
        "before": 4, "after": 4, "stayed": 1, "moved": 2, "entered": 1, "left": 1,
    }  # fmt: skip
    assert (found["from"], found["to"]) == (day(30), day(0))
    assert await matrix(org, None, None) == found


async def test_sums_are_the_counts_of_both_days_whichever_they_are(org: Organisation) -> None:
    for since, until in itertools.combinations((45, 39, 20, 15, 8, 4, 3, 0), 2):
        found = await matrix(org, since, until)
        for end, ago in (("before", since), ("after", until)):
            counted = await segmentations.segments(org.db, org.as_("viewer"), "size", NOW, day(ago))
            told = {one["slug"]: one[end] for one in found["segments"]}
            assert told == {one["slug"]: {"accounts": one["accounts"], "arr": one["arr"]} for one in counted["data"]}
            assert found[end] == {"accounts": counted["accounts"], "arr": counted["arr"]}
            parts = (found["stayed"], found["moved"], found["left" if end == "before" else "entered"])
            assert {name: sum(part[name] for part in parts) for name in ("accounts", "arr")} == found[end]


async def test_counts_of_a_day_are_the_accounts_of_that_day(org: Organisation) -> None:
    for ago in (39, 9, 4, 0):
        counted = await segmentations.segments(org.db, org.as_("viewer"), "size", NOW, day(ago))
        ask = await segmentations.members(org.db, org.as_("viewer"), "size", None, reads.Ask("accounts", on=day(ago)))
        answer = await reads.collection(org.db, org.as_("viewer"), ask, NOW, secret=b"s" * 32)
        stood = [one["segment"]["size"] for one in document(answer.data)]
        assert {one["slug"]: one["accounts"] for one in counted["data"]} == {
            one["slug"]: stood.count(one["slug"]) for one in counted["data"]
        }, ago


async def test_who_moved_comes_with_the_moves_in_between_page_by_page(org: Organisation) -> None:
    told = {"from": day(30), "to": day(0)}
    who, after, names = org.as_("viewer"), None, []
    for _ in range(5):
        page, keys, more = await segment_moves.accounts(org.db, who, "size", NOW, told, after, 1)
        names += page
        if not more:
            break
        after = keys[-1]
    assert [one["name"] for one in names] == ["Up", "Gone", "Late", "Down"]
    assert [(one["was"], one["segment"], one["reason"]) for one in names[0]["events"]] == [
        ("small", "middle", "write"), ("middle", "big", "write"),
    ]  # fmt: skip
    assert (names[1]["becomes"], names[1]["archived_at"] is not None, names[1]["events"]) == (None, True, [])
    assert [(one["was"], one["segment"]) for one in names[2]["events"]] == [(None, "small")]
    narrowed, _, _ = await segment_moves.accounts(org.db, who, "size", NOW, {**told, "was": "small"}, None, 9)
    assert [one["name"] for one in narrowed] == ["Up", "Gone"]
    narrowed, _, _ = await segment_moves.accounts(org.db, who, "size", NOW, {**told, "becomes": "small"}, None, 9)
    assert [one["name"] for one in narrowed] == ["Late", "Down"]


@pytest.mark.parametrize(
    ("since", "until", "parameter"),
    [("2026-02-30", None, "from"), (None, "soon", "to"), (None, "2199-01-01", "to"), (day(1), day(2), "from")],
)
async def test_days_that_are_none_are_refused_by_name(
    org: Organisation, since: str | None, until: str | None, parameter: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await segment_moves.matrix(org.db, org.as_("viewer"), "size", NOW, since, until)
    assert [fault.parameter for fault in caught.value.faults] == [parameter]
    with pytest.raises(NotFound):
        await segment_moves.matrix(org.db, org.as_("viewer"), "nothing", NOW, None, None)


async def test_the_picture_says_the_same(org: Organisation) -> None:
    drawn = ElementTree.fromstring(await segment_moves.chart(org.db, org.as_("viewer"), "size", NOW, day(30), day(0)))
    words = ["".join(text.itertext()) for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "Small → Big: 1 account ($200)" in words
    assert "Entered → Small: 1 account ($3)" in words
    before = ElementTree.fromstring(await segment_moves.chart(org.db, org.as_("viewer"), "size", NOW, day(45), day(44)))
    assert "No account stood in a segment on either day." in "".join(before.itertext())


async def test_what_is_no_segment_is_refused_and_what_was_one_is_not(org: Organisation) -> None:
    cuts = {"field": "arr", "cuts": {"by": "absolute", "at": [100]}}
    body = SIZE | {"spec": cuts, "segments": [{"slug": slug, "name": slug} for slug in ("huge", "small")]}
    await segmentations.put(org.db, org.call("admin", now=NOW), "size", body, 1)
    for told, parameter, suggestion in (
        ({"was": "middel"}, "was", "middle"), ({"becomes": "smal"}, "becomes", "small"), ({"was": "\x00"}, "was", None),
        ({"becomes": "\ud800"}, "becomes", None), ({"was": ""}, "was", None),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await segment_moves.accounts(org.db, org.as_("viewer"), "size", NOW, told, None, 10)
        (fault,) = refused.value.faults
        assert (fault.parameter, fault.suggestion) == (parameter, suggestion), told
    for slug in ("huge", "small", "none", "big", "middle"):
        found, _, _ = await segment_moves.accounts(org.db, org.as_("viewer"), "size", NOW, {"was": slug}, None, 10)
        assert {one["was"] for one in found} <= {slug}
