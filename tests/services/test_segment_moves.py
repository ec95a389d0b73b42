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
from app.services import accounts, memberships, reads, segment_moves, segmentations, workspaces
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
            parts = (
                found["stayed"],
                found["moved"],
                *([found["left"]] if end == "before" else [found["entered"], found["unknown"]]),
            )
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
        page = await segment_moves.accounts(org.db, who, "size", NOW, told, after, 1)
        names += page.data
        if not page.more:
            break
        after = page.keys[-1]
    assert [one["name"] for one in names] == ["Up", "Gone", "Late", "Down"]
    assert [(one["was"], one["segment"], one["reason"]) for one in names[0]["events"]] == [
        ("small", "middle", "write"), ("middle", "big", "write"),
    ]  # fmt: skip
    assert (names[1]["becomes"], names[1]["archived_at"] is not None, names[1]["events"]) == (None, True, [])
    assert [(one["was"], one["segment"]) for one in names[2]["events"]] == [(None, "small")]
    narrowed = await segment_moves.accounts(org.db, who, "size", NOW, {**told, "was": "small"}, None, 9)
    assert [one["name"] for one in narrowed.data] == ["Up", "Gone"]
    narrowed = await segment_moves.accounts(org.db, who, "size", NOW, {**told, "becomes": "small"}, None, 9)
    assert [one["name"] for one in narrowed.data] == ["Late", "Down"]


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
    assert "where accounts stood on 2026-10-08 and 2026-10-09 is not known." in (said := "".join(before.itertext()))
    assert "No account stood" not in said


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
        found = await segment_moves.accounts(org.db, org.as_("viewer"), "size", NOW, {"was": slug}, None, 10)
        assert {one["was"] for one in found.data} <= {slug}


# -- before the history begins -----------------------------------------------------------------------------------------


@pytest.fixture
async def later(org: Organisation) -> Organisation:
    """A second segmentation of the same accounts, put 15 days ago, when all but Late were there."""
    await segmentations.put(org.db, org.call("admin", now=NOW - 15 * DAY), "late", SIZE, None)
    await change(org, "Calm", NOW - 6 * DAY, arr=2)
    loaded = await workspaces.load(org.db, org.workspace.id)
    return org.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)


async def test_nobody_enters_because_the_history_begins(later: Organisation) -> None:
    """Who was there before is told apart from who came, and the answer says why; sums add up all the same."""
    found = await segment_moves.matrix(later.db, later.as_("viewer"), "late", NOW, day(30), day(0))
    flow = {(one["was"], one["becomes"], one["unknown"]): one["accounts"] for one in found["flow"]}
    assert flow == {(None, "big", True): 1, (None, "small", True): 2, (None, "small", False): 1}
    assert {name: found[name]["accounts"] for name in ("before", "after", "stayed", "moved", "entered", "unknown", "left")} == {
        "before": 0, "after": 4, "stayed": 0, "moved": 0, "entered": 1, "unknown": 3, "left": 0,
    }  # fmt: skip
    assert found["history_begins"] == (NOW - 15 * DAY).isoformat().replace("+00:00", "Z")
    assert found["detail"] == (
        f"The history of late begins on {day(15)}: where accounts stood on {day(30)} is not known."
    )
    neither = await segment_moves.matrix(later.db, later.as_("viewer"), "late", NOW, day(30), day(20))
    assert (neither["flow"], neither["after"]["accounts"]) == ([], 0)
    assert neither["detail"].endswith(f"where accounts stood on {day(30)} and {day(20)} is not known.")
    known = await segment_moves.matrix(later.db, later.as_("viewer"), "late", NOW, day(15), day(0))
    assert (known["unknown"]["accounts"], known["entered"]["accounts"], known["detail"]) == (0, 1, None)
    assert not any(one["unknown"] for one in known["flow"])


async def test_who_is_told_to_have_moved_did(later: Organisation) -> None:
    told = {"from": day(30), "to": day(0)}
    found = await segment_moves.accounts(later.db, later.as_("viewer"), "late", NOW, told, None, 10)
    assert [one["name"] for one in found.data] == ["Late"]
    assert found.history["history_begins"] == (NOW - 15 * DAY).isoformat().replace("+00:00", "Z")
    assert found.history["detail"].startswith("The history of late begins on")
    known = await segment_moves.accounts(later.db, later.as_("viewer"), "late", NOW, {"from": day(15)}, None, 10)
    assert (sorted(one["name"] for one in known.data), known.history["detail"]) == (["Calm", "Gone", "Late"], None)


async def test_counts_and_stands_of_a_day_before_say_that_they_are_not_known(later: Organisation) -> None:
    who = later.as_("viewer")
    before, after = [await segmentations.segments(later.db, who, "late", NOW, day(ago)) for ago in (16, 15)]
    assert (before["accounts"], after["accounts"], after["detail"]) == (0, 4, None)
    assert (
        before["detail"] == f"The history of late begins on {day(15)}: where accounts stood on {day(16)} is not known."
    )
    assert before["history_begins"] == after["history_begins"]
    rows = await later.rows("SELECT id FROM accounts WHERE workspace_id = $1 AND name = 'Calm'")
    late, size = await memberships.standing(later.db, who, rows[0][0], NOW, day(16))
    assert (late["segment"], late["detail"], late["history_begins"]) == (
        None,
        before["detail"],
        before["history_begins"],
    )
    assert (size["segment"], size["detail"]) == ("middle", None)
    told = await segmentations.history(later.db, who, "late", NOW, day(16))
    assert told == {"history_begins": before["history_begins"], "detail": before["detail"]}
    assert (await segmentations.history(later.db, who, "late", NOW, None))["detail"] is None


async def test_the_picture_says_who_is_left_out(later: Organisation) -> None:
    drawn = ElementTree.fromstring(
        await segment_moves.chart(later.db, later.as_("viewer"), "late", NOW, day(30), day(0))
    )
    words = " ".join(drawn.itertext())
    assert "Entered → Small: 1 account ($3)" in words
    assert "3 that stood somewhere by then are left out." in words
    assert f"begins on {day(15)}" in words
