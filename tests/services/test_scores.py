"""What scores are made of: said, refused, followed by every account; what they were, and why they changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.catalogue import INTERACTIONS, TICKETS
from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.domain.segmentation.bodies import read
from app.persistence import workspaces
from app.persistence.database import Database
from app.services import (
    account_scores,
    accounts,
    days,
    drafts,
    lists,
    measures,
    related,
    scores,
    segmentation_files,
    segmentations,
    versions,
)
from app.services.calls import new_id
from app.services.segmentation_files import Planned
from tests.services.organisations import NOW, Organisation, document, organisation

DAY = timedelta(days=1)
SIMPLE: dict[str, Any] = {
    "health": {
        "source": "model",
        "measures": [
            {"of": "seat_utilisation", "name": "seats", "worst": 0, "best": 1, "weight": 3},
            {"of": "open_tickets", "name": "tickets", "worst": 4, "best": 0, "weight": 1},
        ],
    }
}  # fmt: skip


async def put(org: Organisation, body: dict[str, Any], version: int | None = 1, role: str = "manager") -> Any:
    return document((await scores.put(org.db, org.call(role), body, version)).body)


async def made(org: Organisation, **more: Any) -> Any:
    body = {"name": "Acme", "health": 50, "seats_licensed": 10, "seats_active": 5, **more}
    return document((await accounts.create(org.db, org.call(), body)).body)["id"]


async def now(org: Organisation) -> Organisation:
    """With the workspace as it is by now."""
    found = await workspaces.load(org.db, org.workspace.id)
    return org.with_workspace(**{name: getattr(found, name) for name in ("scores", "scores_version", "facts_day", "epoch", "segmentations", "stages", "rules")})  # fmt: skip


async def told(org: Organisation, account: Any, name: Any = "health", first: Any = None, last: Any = None) -> Any:
    org = await now(org)
    return await account_scores.of_account(org.db, org.people["viewer"], account, name, first, last)


async def ticket(org: Organisation, account: Any) -> None:
    body = {"status": "open", "priority": "low", "opened_at": "2026-11-20T10:00:00Z"}
    await related.create(org.db, org.call(), TICKETS, body, UUID(account))


async def health(org: Organisation) -> list[Any]:
    return await org.rows("SELECT name, health, health_band FROM accounts WHERE workspace_id = $1 ORDER BY name")


async def test_health_follows_the_model_and_what_was_said_comes_back(db: Database) -> None:
    org = await organisation(db)
    await made(org)
    await made(org, name="Bare", seats_licensed=None, health=None)
    said = await put(org, SIMPLE)
    assert said["health"]["measures"][0] == {
        "of": "seat_utilisation", "name": "seats", "worst": 0, "best": 1, "weight": 3, "missing": "leave_out", "count_as": None,
    }  # fmt: skip
    assert (said["version"], said["health"]["state"]) == (2, "ok")
    assert await health(org) == [("Acme", 62.5, "yellow"), ("Bare", 100.0, "green")]
    await put(org, {}, 2)
    assert await health(org) == [("Acme", 50.0, "yellow"), ("Bare", None, None)]


async def test_a_write_moves_health_at_once_and_by_hand_it_cannot_be_set(db: Database) -> None:
    org = await organisation(db)
    account = await made(org)
    await put(org, SIMPLE)
    org = await now(org)
    await ticket(org, account)
    assert await health(org) == [("Acme", 56.2, "yellow")]
    await accounts.change(org.db, org.call(), account, {"seats_active": 10}, 1)
    assert await health(org) == [("Acme", 93.8, "green")]
    with pytest.raises(Invalid) as refused:
        await accounts.change(org.db, org.call(), account, {"health": 3}, 2)
    assert refused.value.faults[0].pointer == "/health"
    assert await made(org, name="New", health=None)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [({"missing": "leave_out"}, 100.0), ({"missing": "count_as", "count_as": 20}, 40.0), ({"missing": "no_health"}, None)],
)  # fmt: skip
async def test_what_is_missing_is_treated_as_said(db: Database, missing: Any, expected: float | None) -> None:
    org = await organisation(db)
    account = await made(org, seats_licensed=None)
    seats, tickets = SIMPLE["health"]["measures"]
    await put(org, {"health": {"source": "model", "measures": [seats | missing, tickets]}})
    assert [one for _, one, _ in await health(org)] == [expected]
    answer = await told(org, account)
    part = next(one for one in answer["parts"] if one["name"] == "seats")
    assert (part["value"], part["assumed"]) == (None, missing["missing"] == "count_as")
    assert answer["detail"] == ("There is no health: seats is missing." if expected is None else None)


async def test_segments_weigh_measures_and_move_health(db: Database) -> None:
    org = await organisation(db)
    size = {
        "name": "Size", "kind": "rules", "rest": "small", "spec": {},
        "segments": [{"slug": "large", "name": "Large", "criteria": "arr >= 1000"}],
    }  # fmt: skip
    await segmentations.put(org.db, org.call(), "size", size, None)
    small, large = await made(org, name="S"), await made(org, name="L", arr=2000)
    by = {"segmentation": "size", "weights": {"large": {"tickets": 1}}}
    await put(org, {"health": {**SIMPLE["health"], "by": by}})
    assert [one[1] for one in await health(org)] == [100.0, 62.5]
    org = await now(org)
    await accounts.change(org.db, org.call(), small, {"arr": 5000}, 1)
    assert [one[1] for one in await health(org)] == [100.0, 100.0]
    await accounts.change(org.db, org.call(), large, {"arr": 5}, 1)
    assert [one[1] for one in await health(org)] == [62.5, 100.0]
    assert (await told(org, small))["segment"] == "large"


async def test_round_circles_and_what_means_nothing_is_refused(db: Database) -> None:
    org = await organisation(db)
    sick = {"name": "Sick", "kind": "rules", "rest": "well", "spec": {}, "segments": [{"slug": "sick", "name": "Sick", "criteria": "health < 40"}]}  # fmt: skip
    await segmentations.put(org.db, org.call(), "sick", sick, None)
    wrong = [
        ("health_band", "health"), ("health", "health"), ("stage_since", "stage"), ("nmae", None), ("name", "number"),
        ("segment.sick", "segment"), ("nps = 3 OR nps", "field"), ("csm", "number"), ("max(contacts.name)", "number"),
    ]  # fmt: skip
    for of, word in wrong:
        with pytest.raises(Invalid) as refused:
            await put(org, {"health": {"source": "model", "measures": [{"of": of, "worst": 0, "best": 1}]}})
        assert refused.value.faults[0].pointer == "/health/measures/0/of", of
        assert word is None or word in refused.value.faults[0].message
    by = {"segmentation": "sick", "weights": {"sikc": {"seats": 1}}}
    with pytest.raises(Invalid) as refused:
        await put(org, {"health": {**SIMPLE["health"], "by": by}})
    pointers = [(fault.pointer, fault.suggestion) for fault in refused.value.faults]
    assert pointers == [("/health/by/weights/sikc", "sick"), ("/health/by/segmentation", None)]


LARGE = {"name": "Size", "kind": "rules", "rest": "small", "spec": {}, "segments": [{"slug": "large", "name": "Large", "criteria": "arr >= 1000"}]}  # fmt: skip
SICK = LARGE | {"segments": [{"slug": "large", "name": "Large", "criteria": "health < 40"}]}


async def weighed(db: Database, *, before: Any = None) -> Organisation:
    """A workspace whose segmentation `size` weighs health; `before`: its definition until then."""
    org = await organisation(db)
    if before is not None:
        await segmentations.put(org.db, org.call(), "size", before, None)
    await segmentations.put(org.db, org.call(), "size", LARGE, before and 1)
    await put(
        org, {"health": {**SIMPLE["health"], "by": {"segmentation": "size", "weights": {"large": {"tickets": 1}}}}}
    )
    return await now(org)


async def test_weights_of_a_segment_that_is_gone_are_said_and_not_taken_again(db: Database) -> None:
    """They say `degraded` and why; put back as they are they are refused, and without them all is well."""
    org = await weighed(db)
    account = await made(org, arr=2000, health=None)
    sound = document(scores.get((await now(org)).people["viewer"]))["health"]
    assert (sound["state"], sound["detail"]) == ("ok", None)
    big = {"slug": "big", "name": "Large", "criteria": "arr >= 1000"}
    renamed = LARGE | {"segments": [big], "with_dependents": True}
    await segmentations.put(org.db, org.call(), "size", renamed, 1)
    org = await now(org)
    told_now = document(scores.get(org.people["viewer"]))
    health_now = {name: told_now["health"][name] for name in ("source", "measures", "by")}
    assert told_now["health"]["state"] == "degraded"
    assert told_now["health"]["detail"] == (
        "There is no segment large of size any more: its weights hold for no account, and the usual ones for those that it had."
    )
    assert (await told(org, account))["score"] == 62.5
    with pytest.raises(Invalid) as refused:
        await put(org, {"health": health_now}, 2)
    assert [(one.pointer, one.suggestion) for one in refused.value.faults] == [("/health/by/weights/large", None)]
    mended = {**health_now, "by": {"segmentation": "size", "weights": {"big": {"tickets": 1}}}}
    assert (await put(org, {"health": mended}, 2))["health"]["state"] == "ok"
    assert (await told(org, account))["score"] == 100.0


async def test_what_weighs_health_never_comes_to_stand_on_it(db: Database) -> None:
    org = await weighed(db, before=SICK)
    staged = LARGE | {"segments": [{"slug": "large", "name": "Large", "criteria": "stage IS EMPTY OR arr > 5"}]}
    planned = [Planned(read("size", SICK), "changed", 2)]  # as health was before
    ways: list[Any] = [
        segmentations.put(org.db, org.call(), "size", SICK, 2), segmentations.put(org.db, org.call(), "size", staged, 2),
        drafts.put(org.db, org.call(), "size", SICK, None), versions.rollback(org.db, org.call(), "size", {"version": 1}, 2),
        segmentation_files.apply(org.db, org.call(), planned),
    ]  # fmt: skip
    for way in ways:
        with pytest.raises(Invalid) as refused:
            await way
        assert [(one.pointer, one.message) for one in refused.value.faults] == [
            ("/segments/0/criteria", measures.CIRCLE)
        ]
    assert [
        row["version"]
        for row in await org.db.fetch("SELECT version FROM segmentations WHERE workspace_id = $1", org.workspace.id)
    ] == [2]


async def test_a_draft_from_before_is_not_published_into_a_circle(db: Database) -> None:
    org = await organisation(db)
    await drafts.put(org.db, org.call(), "size", SICK, None)
    await segmentations.put(org.db, org.call(), "size", LARGE, None)
    await put(
        org, {"health": {**SIMPLE["health"], "by": {"segmentation": "size", "weights": {"large": {"tickets": 1}}}}}
    )
    with pytest.raises(Invalid) as refused:
        await drafts.publish(org.db, org.call(), "size", {}, 1)
    assert refused.value.faults[0].message == measures.CIRCLE


async def test_nor_does_a_list_that_it_names(db: Database) -> None:
    org = await organisation(db)
    told = {"entity": "accounts", "name": "Chosen", "visibility": "public", "criteria": {"text": "arr >= 1000"}}
    chosen = await lists.create(org.db, org.call(), told)
    by_list = LARGE | {"segments": [{"slug": "large", "name": "Large", "criteria": f'in_list("{chosen.id}")'}]}
    await segmentations.put(org.db, org.call(), "size", by_list, None)
    await put(
        org, {"health": {**SIMPLE["health"], "by": {"segmentation": "size", "weights": {"large": {"tickets": 1}}}}}
    )
    with pytest.raises(Conflict, match=r"1 segmentation \(size\).*circles"):
        await lists.change(org.db, org.call(), chosen.id, {"criteria": {"text": "health < 40"}}, 1)
    await lists.change(org.db, org.call(), chosen.id, {"criteria": {"text": "arr >= 900"}}, 1)


@pytest.mark.parametrize(("name", "pointer"), [("a/b~c", "a~1b~0c"), ("x" * 5000, "x" * 64)])
async def test_names_are_told_as_pointers_can_say_them(db: Database, name: str, pointer: str) -> None:
    org = await weighed(db)
    for weights in ({"tickets": 0}, {"tickets": 1}):
        by = {"segmentation": "size", "weights": {name: weights}}
        with pytest.raises(Invalid) as refused:
            await put(org, {"health": {**SIMPLE["health"], "by": by}}, 2)
        assert [fault.pointer for fault in refused.value.faults] == [f"/health/by/weights/{pointer}"]


async def test_bodies_are_read_whole(db: Database) -> None:
    org = await organisation(db)
    one = {"of": "nps", "worst": 1, "best": 1, "weight": -1, "missing": "guess", "count_as": 101, "more": 1}
    with pytest.raises(Invalid) as refused:
        await put(
            org,
            {
                "health": {"source": "modle", "measures": [one]},
                "engagement": {"calls": {}},
                "consumption": {"seats": {"enough": 3}},
            },
        )
    assert {fault.pointer for fault in refused.value.faults} == {
        "/health/source", "/health/measures", "/engagement/calls", "/consumption/seats/enough"
    }  # fmt: skip
    with pytest.raises(Invalid) as refused:
        await put(org, {"health": {"source": "model", "measures": [one, {"of": "nps", "worst": 0, "best": 1}]}})
    assert {fault.pointer for fault in refused.value.faults} >= {
        f"/health/measures/0/{name}" for name in ("weight", "missing", "count_as", "more")
    }
    nothing = {name: {"weight": 0} for name in ("inbound", "meetings", "events", "opened")}
    with pytest.raises(Invalid):
        await put(org, {"engagement": nothing})


async def test_who_may_and_which_version(db: Database) -> None:
    org = await organisation(db)
    for role in ("csm", "viewer"):
        with pytest.raises(Forbidden):
            await put(org, {}, 1, role)
    with pytest.raises(VersionRequired):
        await put(org, SIMPLE, None)
    with pytest.raises(VersionStale):
        await put(org, SIMPLE, 2)
    assert (await put(org, {}, 1))["version"] == 1  # what is so already stays
    with pytest.raises(NotFound):
        await told(org, new_id())


async def test_history_says_what_it_was_and_which_parts_moved_it(db: Database) -> None:
    org = await organisation(db)
    account = await made(org)
    await put(org, SIMPLE)
    assert await days.roll(org.db, org.workspace.id, NOW + DAY)
    await ticket(org, account)
    assert await days.roll(org.db, org.workspace.id, NOW + 2 * DAY)
    await days.roll(org.db, org.workspace.id, NOW + 3 * DAY)
    org = await now(org)
    await accounts.change(org.db, org.call(now=NOW + 3 * DAY), account, {"seats_active": 10}, 1)
    answer = await told(org, account, first="2026-11-22")
    assert [(str(one["day"]), one["score"], one["band"]) for one in answer["history"]] == [
        ("2026-11-22", 62.5, "yellow"), ("2026-11-23", 56.2, "yellow"), ("2026-11-25", 93.8, "green")
    ]  # fmt: skip
    change = answer["change"]
    assert (change["before"], change["after"], change["difference"], change["detail"]) == (62.5, 93.8, 31.3, None)
    assert [(one["name"], one["value_before"], one["value_after"]) for one in change["parts"]] == [
        ("seats", 0.5, 1.0), ("tickets", 0.0, 1.0)
    ]  # fmt: skip
    assert round(sum(one["difference"] for one in change["parts"]), 2) == change["difference"]
    narrow = await told(org, account, first="2026-11-22", last="2026-11-24")
    assert (narrow["change"]["after"], narrow["history"][-1]["score"], narrow["score"]) == (56.2, 56.2, 93.8)
    assert "Nothing is kept" in (await told(org, account, first="2026-11-01"))["change"]["detail"]
    for first, last in (("2026-13-01", None), ("2026-11-24", "2026-11-23"), ("2024-01-01", None)):
        with pytest.raises(Invalid):
            await told(org, account, first=first, last=last)


async def test_weights_of_engagement_are_the_workspace_s(db: Database) -> None:
    org = await organisation(db)
    account = await made(org)
    met = {"kind": "meeting", "direction": "outbound", "occurred_at": "2026-11-20T10:00:00Z", "attended": True}
    await related.create(org.db, org.call(), INTERACTIONS, met, UUID(account))
    assert (await told(org, account, "engagement"))["score"] == 10.0
    await put(
        org,
        {
            "engagement": {
                "meetings": {"weight": 100, "enough": 1},
                "inbound": {"weight": 0},
                "events": {"weight": 0},
                "opened": {"weight": 0},
            }
        },
    )
    answer = await told(org, account, "engagement")
    assert (answer["score"], answer["source"]) == (100.0, "model")
    assert [(one["name"], one["contribution"]) for one in answer["parts"] if one["weight"]] == [("meetings", 100.0)]
    consumed = await told(org, account, "consumption")
    assert [(one["name"], one["value"], one["best"], one["points"]) for one in consumed["parts"]] == [
        ("frequency", 0.0, 20.0, 0.0), ("features", 0.0, None, None), ("modules", 0.0, None, None), ("seats", 5.0, 10.0, 50.0)
    ]  # fmt: skip
    assert consumed["score"] == 25.0 == sum(one["contribution"] for one in consumed["parts"])
