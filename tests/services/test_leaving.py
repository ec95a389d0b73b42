"""Segments that a definition leaves out: what names them stands against it, follows, or is told beforehand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.cli.segmentations import left_out
from app.domain.errors import Conflict, Invalid
from app.domain.segmentation import presets
from app.persistence import workspaces
from app.persistence.database import Database, Transaction
from app.services import (
    accounts,
    drafts,
    lists,
    pins,
    scores,
    segmentation_files,
    segmentations,
    simulations,
    versions,
    watches,
)
from app.services.calls import Call
from app.services.leaving import WAY
from tests.services.organisations import NOW, Organisation, document, organisation

LATER = NOW + timedelta(hours=1)
SIZE: dict[str, Any] = {
    "name": "Size", "kind": "rules", "rest": "small",
    "segments": [
        {"slug": "big", "name": "Big", "criteria": "arr >= 100"},
        {"slug": "middle", "name": "Middle", "criteria": "arr >= 10"},
    ],
}  # fmt: skip
LARGE = SIZE | {"segments": [{"slug": "large", "name": "Large", "criteria": "arr >= 100"}, SIZE["segments"][1]]}
HEALTH = {
    "health": {
        "source": "model", "measures": [{"of": "nps", "worst": 0, "best": 10}, {"of": "open_tickets", "worst": 9, "best": 0}],
        "by": {"segmentation": "size", "weights": {"big": {"nps": 1, "open_tickets": 3}, "small": {"nps": 1}}},
    },
}  # fmt: skip
NAMING = (
    ('segment.size = "big"', 'segment.size = "large"'),
    ('NOT (segment.size IN ("middle", "big") OR arr > 5)', 'NOT (segment.size IN ("middle", "large") OR arr > 5)'),
    ('in_segment("size", "big")', 'in_segment("size", "large")'),
    ('entered("size", "big", last(30d))', 'entered("size", "large", last(30d))'),
    ('any(contacts WHERE account.segment.size = "big")', 'any(contacts WHERE account.segment.size = "large")'),
)


async def office(db: Database) -> tuple[Organisation, list[UUID], dict[int, UUID]]:
    """Accounts of 5, 50 and 500, a segmentation, lists that name `big` in every way, health weighed by it, a pin."""
    org = await organisation(db)
    made = {}
    for arr in (5, 50, 500):
        made[arr] = (await accounts.create(db, org.call(), {"name": f"A{arr}", "arr": arr, "health": 40})).id
    await segmentations.put(db, org.call(), "size", SIZE, None)
    other = SIZE | {"name": "Other"}
    await segmentations.put(db, org.call(), "other", other, None)
    org = await known(org)
    listed = [await a_list(org, criteria) for criteria, _ in NAMING]
    await a_list(org, 'segment.size = "middle" AND segment.other = "big"', name="Not this one")
    await scores.put(db, org.call(), HEALTH, 1)
    await pins.pin(db, org.call(), made[5], "size", {"segment": "big", "reason": "Dear to us"})
    return await known(org), listed, made


async def known(org: Organisation) -> Organisation:
    found = await workspaces.load(org.db, org.workspace.id)
    settings = {name: getattr(found, name) for name in ("segmentations", "epoch", "scores", "scores_version")}
    return org.with_workspace(**settings)


async def a_list(org: Organisation, criteria: str, who: str = "admin", **body: Any) -> UUID:
    told = {"entity": "accounts", "name": criteria[:40], "visibility": "public", "criteria": {"text": criteria}, **body}
    return (await lists.create(org.db, org.call(who), told)).id


async def text_of(org: Organisation, list_id: UUID) -> Any:
    return document(lists.body(await lists.get(org.db, org.people["admin"], list_id, LATER)))


async def test_who_came_by_themselves_before_a_replacement_is_told_so(db: Database) -> None:
    """Nobody had checked the watched list when its segment was replaced; whom the replacement brings is told apart."""
    org, _, made = await office(db)
    watched = await a_list(org, 'segment.size = "big"', name="Watched")
    await watches.watch(db, org.call(), watched)
    await accounts.change(db, org.call(now=NOW + timedelta(minutes=1)), made[50], {"arr": 700}, 1)
    body = {
        **SIZE,
        "segments": [{"slug": "large", "name": "Large", "criteria": "arr >= 20"}],
        "replace": {"big": "large", "middle": "large"},
    }
    fifth = (await accounts.create(db, org.call(), {"name": "Late", "arr": 20})).id
    await segmentations.put(db, org.call(now=LATER), "size", body, 1)
    org = await known(org)
    assert await watches.check_one(db, org.workspace.id, watched, LATER + timedelta(minutes=1))
    found = await watches.changes(db, org.people["viewer"], watched)
    assert {(one["record_id"], one["event"]): one["cause"] for one in found.data} == {
        (made[50], "entered"): "records", (fifth, "entered"): "list",
    }  # fmt: skip


def ways(org: Organisation) -> dict[str, Any]:
    """Every way in which `big` is left out; each is handed more members of its body."""
    db = org.db

    async def put(call: Call, **more: Any) -> Any:
        return await segmentations.put(db, call, "size", LARGE | more, 1)

    async def publish(call: Call, **more: Any) -> Any:
        if not await org.rows("SELECT 1 FROM segmentation_drafts WHERE workspace_id = $1"):
            await drafts.put(db, call, "size", LARGE, None)
        return await drafts.publish(db, call, "size", more, 1)

    async def apply(call: Call, **more: Any) -> Any:
        file = {"segmentations": {"size": LARGE | more}}
        planned = await segmentation_files.plan(db, call.principal, file, call.now)
        return await segmentation_files.apply(db, call, planned)

    return {"put": put, "publish": publish, "apply": apply}


@pytest.mark.parametrize("way", ["put", "publish", "apply"])
async def test_what_names_a_segment_stands_against_leaving_it_out_and_follows_to_another(
    db: Database, way: str
) -> None:
    org, listed, made = await office(db)
    act = ways(org)[way]
    with pytest.raises(Conflict) as caught:
        await act(org.call(now=LATER))
    assert [(fault.pointer, fault.message) for fault in caught.value.faults] == [
        ("/segments", f"Expected no {told[0]} that name the segment Big (big): {told[1]}.")
        for told in (
            ("saved lists", f"5 saved lists ({', '.join(sorted(c[:40] for c, _ in NAMING)[:3])}, …)"),
            ("weights of measures", "1 weights of measures (health)"),
        )
    ]
    assert "replace" in caught.value.detail
    assert "with_dependents (withDependents)" in caught.value.detail
    await act(org.call(now=LATER), replace={"big": "large"})
    org = await known(org)
    for list_id, (_, wanted) in zip(listed, NAMING, strict=True):
        told = await text_of(org, list_id)
        assert (told["criteria"]["text"], told["state"]) == (wanted, "ok")
    health = document(scores.get(org.people["admin"]))
    assert {slug: of["open_tickets"] for slug, of in health["health"]["by"]["weights"].items()} == {
        "large": 3,
        "small": 0,
    }
    assert (health["health"]["state"], health["version"]) == ("ok", 3)
    pinned = await org.rows("SELECT account_id, segment FROM pins WHERE workspace_id = $1")
    assert pinned == [(made[5], "large")]
    found = await segmentations.segments(db, org.people["viewer"], "size", LATER)
    assert {one["slug"]: one["accounts"] for one in found["data"]} == {"large": 2, "middle": 1, "small": 0}
    audited = await org.rows("SELECT DISTINCT entity FROM audit WHERE workspace_id = $1 AND at = $2", LATER)
    assert {entity for (entity,) in audited} >= {"accounts", "lists", "scores", "segmentations"}
    # What was said once may be said again.
    await segmentations.put(db, org.call(now=LATER), "size", LARGE | {"replace": {"big": "large"}}, 2)


async def test_a_draft_keeps_what_takes_a_place_until_it_is_published(db: Database) -> None:
    org, _, made = await office(db)
    draft = document((await drafts.put(db, org.call(), "size", LARGE | {"replace": {"big": "large"}}, None)).body)
    assert draft["replace"] == draft["definition"]["replace"] == {"big": "large"}
    (told,) = (await simulations.simulate(db, org.people["viewer"], "size", {}, LATER))["removed"]
    assert told["becomes"] == "large"
    await drafts.publish(db, org.call(now=LATER), "size", {}, 1)
    assert await org.rows("SELECT account_id, segment FROM pins WHERE workspace_id = $1") == [(made[5], "large")]


async def test_what_a_draft_lets_go_can_be_taken_back_when_it_is_published(db: Database) -> None:
    org, listed, _ = await office(db)
    await drafts.put(db, org.call(), "size", LARGE | {"with_dependents": True}, None)
    with pytest.raises(Conflict, match="5 saved lists"):
        await drafts.publish(db, org.call(now=LATER), "size", {"with_dependents": False}, 1)
    await drafts.publish(db, org.call(now=LATER), "size", {}, 1)
    assert (await text_of(await known(org), listed[0]))["state"] == "broken"


async def test_lists_follow_in_one_statement(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org, _, _ = await office(db)
    sent, execute = list[str](), Transaction.execute

    async def noted(self: Any, query: str, *args: Any, **options: Any) -> Any:
        sent.append(query)
        return await execute(self, query, *args, **options)

    monkeypatch.setattr(Transaction, "execute", noted)
    await segmentations.put(db, org.call(now=LATER), "size", LARGE | {"replace": {"big": "large"}}, 1)
    assert sum("UPDATE lists" in query for query in sent) == 1


async def test_a_rollback_leaves_out_nothing_that_is_named(db: Database) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "size", LARGE, None)
    await segmentations.put(db, org.call(), "size", SIZE, 1)
    org = await known(org)
    list_id = await a_list(org, 'segment.size = "big"')
    with pytest.raises(Conflict, match=r"of size left out that something names: Big \(big\) by 1 saved list"):
        await versions.rollback(db, org.call(), "size", {"version": 1}, 2)
    back = await versions.rollback(db, org.call(), "size", {"version": 1, "replace": {"big": "large"}}, 2)
    assert back.version == 3
    assert (await text_of(await known(org), list_id))["criteria"]["text"] == 'segment.size = "large"'


async def test_with_dependents_leaves_them_without_meaning_and_says_so(db: Database) -> None:
    org, listed, _ = await office(db)
    await segmentations.put(db, org.call(), "size", LARGE | {"with_dependents": True}, 1)
    org = await known(org)
    assert (await text_of(org, listed[0]))["state"] == "broken"
    assert await org.rows("SELECT 1 FROM pins WHERE workspace_id = $1") == []


async def test_the_rest_is_a_segment_like_others(db: Database) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "size", SIZE, None)
    org = await known(org)
    await a_list(org, 'segment.size = "small"')
    with pytest.raises(Conflict, match=r"Small \(small\) by 1 saved list"):
        await segmentations.put(db, org.call(), "size", SIZE | {"rest": "tiny"}, 1)
    await segmentations.put(db, org.call(), "size", SIZE | {"rest": "tiny", "replace": {"small": "tiny"}}, 1)


@pytest.mark.parametrize(
    ("said", "pointer", "suggestion"),
    [
        ({"replace": {"big": "larg"}}, "/replace/big", "large"),
        ({"replace": {"bigg": "large"}}, "/replace/bigg", "big"),
        ({"replace": {"middle": "large"}}, "/replace/middle", None),
        ({"replace": ["big"]}, "/replace", None),
        ({"replace": {"big": None}}, "/replace", None),
        ({"with_dependents": "yes"}, "/with_dependents", None),
    ],
)
async def test_what_takes_a_place_is_checked(
    db: Database, said: dict[str, Any], pointer: str, suggestion: str | None
) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "size", SIZE, None)
    for act in (segmentations.put(db, org.call(), "size", LARGE | said, 1),
                simulations.simulate(db, org.people["viewer"], "size", LARGE | said, NOW)):  # fmt: skip
        with pytest.raises(Invalid) as caught:
            await act
        assert [(one.pointer, one.suggestion) for one in caught.value.faults] == [(pointer, suggestion)]


async def test_a_simulation_and_a_plan_tell_it_beforehand(db: Database) -> None:
    org, _, _ = await office(db)
    await a_list(org, 'segment.size = "big"', who="csm", name="Mine alone", visibility="private")
    await drafts.put(db, org.call(), "size", LARGE, None)
    for body in ({}, LARGE):
        (told,) = (await simulations.simulate(db, org.people["viewer"], "size", body, LATER))["removed"]
        assert (told["slug"], told["name"], told["becomes"]) == ("big", "Big", None)
        assert [(one.what, one.count) for one in told["dependents"]] == [("saved lists", 6), ("weights of measures", 1)]
        assert "Mine alone" not in str(told)
    (told,) = (await simulations.simulate(db, org.people["viewer"], "size", {"replace": {"big": "large"}}, LATER))[
        "removed"
    ]
    assert told["becomes"] == "large"
    assert (await simulations.simulate(db, org.people["viewer"], "size", SIZE, LATER))["removed"] == []
    named = f"6 saved lists ({', '.join(sorted([c[:40] for c, _ in NAMING])[:3])}, …), 1 weights of measures (health)"
    for said, line in (
        ({}, f"Big (big) is left out, which apply refuses: {named} would mean nothing. {WAY[0].upper()}{WAY[1:]}."),
        ({"replace": {"big": "large"}}, f"Big (big) is left out: Large (large) takes its place in {named}"),
        ({"with_dependents": True}, f"Big (big) is left out: {named} would mean nothing"),
    ):
        file = {"segmentations": {"size": LARGE | said}}
        (planned,) = await segmentation_files.plan(db, org.people["manager"], file, LATER)
        assert [*left_out(planned)] == [line]


# -- what stands already -----------------------------------------------------------------------------------------------

SCORE: dict[str, Any] = {
    "name": "Score", "kind": "score", "refreeze": "month", "band": 0.1, "confirm": "36h",
    "spec": {"at": [1, 2.5], "measures": [
        {"field": "arr", "cuts": {"by": "natural", "parts": 2}, "points": [0, 1.25], "weight": 2},
        {"field": "status", "values": {"customer": 1.5}, "otherwise": 0.5},
        {"criteria": "nps >= 9", "points": 1},
    ]},
    "segments": [{"slug": slug, "name": slug} for slug in ("a", "b", "c")],
}  # fmt: skip


@pytest.mark.parametrize("slug", [*presets.presets(), "score", "rules"])
async def test_what_is_answered_can_be_put_back_and_changes_nothing(db: Database, slug: str) -> None:
    org = await organisation(db)
    for arr in (5, 50, 500):
        await accounts.create(db, org.call(), {"name": f"A{arr}", "arr": arr, "growth_potential": arr * 2})
    body = {**presets.presets(), "score": SCORE, "rules": SIZE}[slug]
    await segmentations.put(db, org.call(), slug, body, None)
    told = await segmentations.get(db, org.people["viewer"], slug, NOW)
    again = await segmentations.put(db, org.call(now=LATER), slug, told["definition"], 1)
    assert (again.version, again.created, again.effects) == (1, False, ())
    (version,) = await org.rows("SELECT version FROM segmentation_versions WHERE workspace_id = $1")
    assert version == (1,)
    draft = await drafts.put(db, org.call(), slug, told["definition"], None)
    kept = document(draft.body)["definition"]
    assert document((await drafts.put(db, org.call(), slug, kept, 1)).body)["definition"] == kept
    published = await drafts.publish(db, org.call(now=LATER), slug, {}, 1)
    assert (published.version, published.effects) == (1, ())
    back = await versions.rollback(db, org.call(now=LATER), slug, {"version": 1}, 1)
    assert (back.version, back.effects) == (1, ())
    for file in (await segmentation_files.every(db, org.people["manager"]), {"segmentations": {slug: body}}):
        (planned,) = await segmentation_files.plan(db, org.people["manager"], file, LATER)
        assert planned.state == "same", planned.lines


async def test_cuts_that_are_taken_anew_are_a_change(db: Database) -> None:
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "A", "arr": 5})
    body = presets.presets()["tier"]
    await segmentations.put(db, org.call(), "tier", body, None)
    await accounts.change(db, org.call(), made.id, {"arr": 500}, 1)
    assert (await segmentations.put(db, org.call(), "tier", body, 1)).version == 1
    assert (await versions.refreeze(db, org.call(), "tier", {}, 1)).version == 2
    back = await versions.rollback(db, org.call(), "tier", {"version": 1}, 2)
    assert (back.version, document(back.body)["cuts"][0]["at"]) == (3, [5, 5])
