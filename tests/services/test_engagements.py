"""Engagements: touches and steps that are due, as interactions and membership have them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Forbidden, Invalid, NotFound, Unreadable
from app.persistence.database import Database
from app.services import accounts, engagements, segmentations, steps
from app.services.calls import Effect, new_id
from app.services.engagements import Answer, Asked, Whose
from tests.services.organisations import NOW, Organisation, document, organisation

DAY = timedelta(days=1)
TODAY = date(2026, 11, 22)
PLAN = {"name": "Start", "steps": [
    {"name": "Kick-off", "owner": "csm", "day": 7, "kind": "meeting"}, {"name": "Review", "owner": "csm", "day": 60, "kind": "meeting"},
    {"name": "Sponsor", "owner": "manager", "day": 10},
]}  # fmt: skip
HIGH = {"touch": "high", "cadence": {"meeting": "30d", "email": "2w"}}
LOW = {"touch": "low", "cadence": {"email": "30d"}}


async def tiers(org: Organisation, high: Any = HIGH, low: Any = LOW, at: datetime = NOW - 100 * DAY) -> None:
    segments = [
        {"slug": "high", "name": "High", "criteria": "arr >= 1000", "engagement": high},
        {"slug": "low", "name": "Low", "criteria": "arr > 0", "engagement": low},
    ]
    body = {"name": "Tier", "kind": "rules", "segments": segments}
    await segmentations.put(org.db, org.call(now=at), "tier", body, None)


async def known(org: Organisation) -> Organisation:
    """The same once it knows its segmentations."""
    from app.services import workspaces

    loaded = await workspaces.load(org.db, org.workspace.id)
    return org.with_workspace(segmentations=loaded.segmentations)


async def account(org: Organisation, name: str, arr: int = 5000, at: datetime = NOW - 100 * DAY, **body: Any) -> UUID:
    told = {"name": name, "arr": arr, "became_customer_at": str((at - 100 * DAY).date()), **body}
    return (await accounts.create(org.db, org.call(now=at), told)).id


async def touch(
    org: Organisation, account_id: UUID, kind: str, ago: float, direction: str = "outbound", **told: Any
) -> None:
    await org.run(
        """INSERT INTO interactions (workspace_id, id, account_id, kind, direction, occurred_at, attended, is_automated, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)""",
        new_id(), account_id, kind, direction, NOW - ago * DAY, told.get("attended"), told.get("automated", False), NOW,
    )  # fmt: skip


async def due(org: Organisation, role: str = "admin", whose: Whose | None = None, **asked: Any) -> Answer:
    return await engagements.engagements(org.db, org.people[role], Asked(whose=whose or Whose(), **asked), NOW)


def rows(found: Answer) -> list[tuple[Any, ...]]:
    return [
        (one["account"]["name"], one["what"], one["step"] or one["kind"], one["due_on"], one["state"])
        for one in found.data
    ]


def day(offset: int) -> str:
    return str(TODAY + offset * DAY)


async def test_touches_are_due_after_the_last_one_or_after_the_account_came(db: Database) -> None:
    org = await organisation(db)
    await tiers(org)
    acme = await account(org, "Acme")
    await account(org, "Bolt", arr=10, at=NOW - 20 * DAY)
    org = await known(org)
    await touch(org, acme, "meeting", 10)
    await touch(org, acme, "meeting", 40)
    found = await due(org)
    assert rows(found) == [
        ("Acme", "touch", "email", day(-86), "overdue"),  # it never was: it counts from when the account came
        ("Bolt", "touch", "email", day(10), "due"),
        ("Acme", "touch", "meeting", day(20), "due"),
    ]
    assert [one["days_overdue"] for one in found.data] == [86, 0, 0]
    assert found.data[2]["last_at"] == "2026-11-12T12:00:00Z"
    assert (found.summary["due"], found.summary["overdue"], found.summary["until"]) == (2, 1, TODAY + 30 * DAY)
    assert rows(await due(org, until=str(TODAY))) == rows(found)[:1]
    assert rows(await due(org, state="due", segment="high")) == rows(found)[2:]
    assert rows(await due(org, kind="email", whose=Whose(filter="arr > 100"))) == rows(found)[:1]


@pytest.mark.parametrize(
    ("direction", "told", "counts"),
    [
        ("outbound", {}, True),
        ("outbound", {"attended": True}, True),
        ("outbound", {"attended": False}, False),
        ("inbound", {}, False),
        ("inbound", {"attended": True}, True),
        ("outbound", {"automated": True}, False),
    ],
)
async def test_what_counts_as_a_touch(db: Database, direction: str, told: dict[str, Any], counts: bool) -> None:
    org = await organisation(db)
    await tiers(org, {"touch": "high", "cadence": {"meeting": "30d"}})
    acme = await account(org, "Acme")
    await touch(org, acme, "meeting", 1, direction, **told)
    found = await due(await known(org))
    assert [one["state"] for one in found.data] == ["due" if counts else "overdue"]


async def test_machines_touch_where_the_touch_is_low_and_what_is_to_come_is_none(db: Database) -> None:
    org = await organisation(db)
    await tiers(org)
    acme, bolt = await account(org, "Acme", arr=10), await account(org, "Bolt", arr=10)
    await touch(org, acme, "email", 5, automated=True)
    await touch(org, bolt, "email", -5)
    assert rows(await due(await known(org))) == [
        ("Bolt", "touch", "email", day(-70), "overdue"), ("Acme", "touch", "email", day(25), "due"),
    ]  # fmt: skip


async def test_a_guided_start_steps_down_and_check_ins_are_of_any_kind(db: Database) -> None:
    org = await organisation(db)
    phases = [{"name": "Guided", "until": "90d", "cadence": {"meeting": "1w"}}]
    await tiers(org, {"touch": "hybrid", "cadence": {"any": "50d"}, "phases": phases}, at=NOW - 300 * DAY)
    new = await account(org, "New", became_customer_at=str(TODAY - 89 * DAY))
    old = await account(org, "Old", became_customer_at=str(TODAY - 90 * DAY))
    unknown = await account(org, "Unknown", became_customer_at=None)
    for one in (new, old, unknown):
        await touch(org, one, "call", 30)
        await touch(org, one, "note", 1)
    found = await due(await known(org))
    assert sorted((one["account"]["name"], one["kind"], one["phase"], one["due_on"]) for one in found.data) == [
        ("New", "meeting", "Guided", day(-82)), ("Old", "any", None, day(20)), ("Unknown", "any", None, day(20)),
    ]  # fmt: skip


async def test_steps_count_from_the_day_on_which_the_account_entered(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, {"touch": "high", "playbook": PLAN}, at=NOW - 300 * DAY)
    acme = await account(org, "Acme", at=NOW - 20 * DAY)
    org = await known(org)
    everything = [
        ("Acme", "playbook", "Kick-off", day(-13), "overdue"), ("Acme", "playbook", "Sponsor", day(-10), "overdue"),
        ("Acme", "playbook", "Review", day(40), "due"),
    ]  # fmt: skip
    assert rows(await due(org, until=day(60))) == everything
    await touch(org, acme, "meeting", 25)  # before it entered
    assert rows(await due(org, until=day(60))) == everything
    await touch(org, acme, "meeting", 15)  # the kick-off, not the review
    assert rows(await due(org, until=day(60))) == everything[1:]
    await touch(org, acme, "meeting", 2)
    assert rows(await due(org, until=day(60))) == everything[1:2]


async def test_a_step_is_said_to_be_done_until_the_account_leaves(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, {"touch": "high", "playbook": PLAN}, at=NOW - 300 * DAY)
    acme = await account(org, "Acme", at=NOW - 20 * DAY, csm_id=str(org.user("csm")))
    org = await known(org)
    said = {"plan": "playbook", "step": "Sponsor", "note": "The COO."}
    written = await steps.mark(db, org.call("csm"), acme, "tier", said)
    shown = document(written.body)
    assert (shown["done"], shown["segment"], shown["note"], written.created) == (True, "high", "The COO.", True)
    audit = {"note": "The COO.", "done_at": NOW}
    assert written.effects == (
        Effect("accounts", acme, {"steps": {"tier": {"playbook": {"Sponsor": None}}}}, {"steps": {"tier": {"playbook": {"Sponsor": audit}}}}),
    )  # fmt: skip
    assert [row[2] for row in rows(await due(org, until=day(60)))] == ["Kick-off", "Review"]
    again = await steps.mark(db, org.call("csm"), acme, "tier", {**said, "done": False})
    assert document(again.body)["done"] is False
    assert [row[2] for row in rows(await due(org, until=day(60)))] == ["Kick-off", "Sponsor", "Review"]
    await steps.mark(db, org.call("csm"), acme, "tier", said)
    version = written.version
    for arr in (10, 5000):
        version = (await accounts.change(db, org.call(), acme, {"arr": arr}, version)).version
    assert [row[2:4] for row in rows(await due(org, until=day(60)))] == [
        ("Kick-off", day(7)),
        ("Sponsor", day(10)),
        ("Review", day(60)),
    ]
    with pytest.raises(Forbidden):
        await steps.mark(db, org.call("other"), acme, "tier", said)
    with pytest.raises(NotFound):
        await steps.mark(db, org.call(), acme, "nothing", said)
    for wrong, pointer in (
        ({"step": "Sponsr"}, "/step"),
        ({"plan": "play"}, "/plan"),
        ({"step": None}, "/step"),
        ({"done": 1}, "/done"),
    ):
        with pytest.raises(Invalid) as caught:
            await steps.mark(db, org.call(), acme, "tier", {**said, **wrong})
        assert [fault.pointer for fault in caught.value.faults] == [pointer]


async def test_nobody_is_left_until_renewal(db: Database) -> None:
    org = await organisation(db)
    await tiers(org)
    for name, arr, renewal in (("Soon", 10, 5), ("Later", 10, 40), ("Past", 10, -5), ("Rest", 0, 50)):
        await account(org, name, arr=arr, at=NOW - 10 * DAY, renewal_date=day(renewal))
    found = await due(await known(org), state="left")
    assert [(one["account"]["name"], one["next_on"], one["renewal_date"]) for one in found.data] == [
        ("Soon", day(20), day(5)), ("Rest", None, day(50)),
    ]  # fmt: skip
    assert found.summary["left"] == {"accounts": 2, "arr": 10, "no_touch_planned": 1, "after_renewal": 1}
    assert (found.summary["due"], found.summary["overdue"]) == (3, 0)


async def test_churned_and_archived_accounts_are_asked_nothing(db: Database) -> None:
    org = await organisation(db)
    await tiers(org)
    await account(org, "Gone", churned_at=str(TODAY - 5 * DAY))
    away = await account(org, "Away")
    await accounts.archive(db, org.call(), away, 1)
    found = await due(await known(org))
    assert (found.data, found.summary["by_csm"], found.summary["left"]["accounts"]) == ([], [], 0)


async def test_a_csm_asks_for_the_own_accounts_and_a_service_for_somebodys(db: Database) -> None:
    org = await organisation(db)
    await tiers(org)
    await account(org, "Mine", csm_id=str(org.user("csm")))
    await account(org, "Theirs", csm_id=str(org.user("other")))
    await account(org, "Nobodys")
    org = await known(org)

    async def names(role: str, whose: Whose) -> set[str]:
        return {one["account"]["name"] for one in (await due(org, role, whose)).data}

    assert await names("csm", Whose()) == {"Mine", "Theirs", "Nobodys"}
    assert await names("csm", Whose(mine=True)) == {"Mine"}
    assert await names("admin", Whose(csm="other@example.com")) == {"Theirs"}
    assert await names("csm", Whose(csm="other", mine=True)) == set()
    summary = (await due(org)).summary["by_csm"]
    assert [(one["csm_name"], one["overdue"], one["accounts"]) for one in summary if one["csm_name"] != "Csm"] == [
        ("Other", 2, 1), (None, 2, 1),
    ]  # fmt: skip
    service = org.as_("service", "read")
    with pytest.raises(Invalid) as caught:
        await engagements.engagements(db, service, Asked(whose=Whose(mine=True)), NOW)
    assert [fault.parameter for fault in caught.value.faults] == ["for_user"]
    found = await engagements.engagements(db, service, Asked(whose=Whose(mine=True, for_user="csm@example.com")), NOW)
    assert {one["account"]["name"] for one in found.data} == {"Mine"}


@pytest.mark.parametrize("state", [None, "left"])
async def test_pages_come_to_the_whole(db: Database, state: str | None) -> None:
    org = await organisation(db)
    await tiers(org)
    for n in range(7):
        renewal = {} if n % 3 == 0 else {"renewal_date": day(n)}
        await account(org, f"A{n}", arr=5000 if state is None or n % 2 else 0, at=NOW - 1 * DAY, **renewal)
    org = await known(org)
    whole, pages, after = await due(org, state=state, limit=100), [], None
    while True:
        page = await due(org, state=state, limit=2, after=after)
        pages += page.data
        if not page.more:
            break
        after = page.keys[-1]
    assert pages == whole.data
    assert len(pages) > 4


async def test_no_models_and_no_accounts_are_an_empty_answer(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, None, None)
    found = await due(await known(org))
    assert (found.data, found.more, found.summary["due"], found.summary["left"]["accounts"]) == ([], False, 0, 0)


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"segmentation": "tir"}, "segmentation"), ({"segment": "hih"}, "segment"), ({"state": "late"}, "state"), ({"kind": "fax"}, "kind"),
        ({"until": "soon"}, "until"), ({"until": "2026-02-30"}, "until"), ({"until": "2126-02-28"}, "until"),
        ({"whose": Whose(csm="nobody")}, "csm"), ({"whose": Whose(for_user="csm")}, "for_user"),
    ],
)  # fmt: skip
async def test_faults_name_their_parameter(db: Database, asked: dict[str, Any], parameter: str) -> None:
    org = await organisation(db)
    await tiers(org)
    with pytest.raises(Invalid) as caught:
        await due(await known(org), **asked)
    assert [fault.parameter for fault in caught.value.faults] == [parameter]
    with pytest.raises(Unreadable):
        await due(await known(org), whose=Whose(filter="arr >"))


async def test_every_kind_of_row_can_be_asked_for(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, {**HIGH, "playbook": PLAN, "success_plan": {**PLAN, "name": "Plan"}})
    await account(org, "Acme", at=NOW - 20 * DAY, external_id="crm-1", renewal_date=day(5))
    await account(org, "Rest", arr=0, renewal_date=day(5))
    org = await known(org)
    every = (await due(org, until=day(60))).data
    assert {one["what"] for one in every} == {"touch", "playbook", "success_plan"}
    for what in ("touch", "playbook", "success_plan"):
        found = await due(org, until=day(60), what=what, count="exact")
        assert found.data == [one for one in every if one["what"] == what]
        assert found.count == {"value": len(found.data), "exact": True}
    assert (await due(org, until=day(60), what="playbook", kind="meeting", state="overdue")).data == [
        one for one in every if one["what"] == "playbook" and one["kind"] == "meeting" and one["state"] == "overdue"
    ]
    left = await due(org, what="left", count="capped")
    assert left.data == (await due(org, state="left")).data == (await due(org, state="left", what="left")).data
    assert (len(left.data), left.count) == (1, {"value": 1, "exact": True})
    assert every[0]["account"] == {"id": every[0]["account_id"], "external_id": "crm-1", "name": "Acme"}


@pytest.mark.parametrize(
    ("told", "parameter", "said"),
    [
        (
            {"kind": "step"},
            "kind",
            "Expected one of email, call, meeting, event, other, any. Steps are asked for by what.",
        ),
        ({"what": "step"}, "what", "Expected one of touch, playbook, success_plan, left."),
        ({"state": "left", "what": "touch"}, "what", "Expected what and state to agree"),
        ({"state": "due", "what": "left"}, "what", "Expected what and state to agree"),
        ({"state": "left", "kind": "email"}, "kind", "Expected no kind beside the state left"),
        ({"count": "all"}, "count", "Expected one of none, capped, exact."),
    ],
)
async def test_what_is_no_kind_of_row_is_refused(db: Database, told: dict[str, Any], parameter: str, said: str) -> None:
    org = await organisation(db)
    await tiers(org)
    with pytest.raises(Invalid, match=said) as caught:
        await due(await known(org), **told)
    assert [fault.parameter for fault in caught.value.faults] == [parameter]
