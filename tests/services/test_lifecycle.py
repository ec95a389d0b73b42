"""Stages that accounts move into and out of by themselves, and those who are stuck."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.catalogue import INDUSTRIES
from app.domain.errors import Conflict, Invalid
from app.domain.workspaces import Workspace
from app.persistence import workspaces
from app.persistence.database import Database
from app.services import (
    accounts,
    attributes,
    confirmations,
    days,
    directory,
    lifecycle,
    moves,
    pins,
    reads,
    scores,
    segmentations,
    stages,
)
from app.services.asks import Ask
from tests.services.organisations import NOW, Organisation, document, organisation

DAY = timedelta(days=1)


async def rule(org: Organisation, slug: str, /, **body: Any) -> Any:
    [(version,)] = await org.rows("SELECT version FROM stages WHERE workspace_id = $1 AND slug = $2", slug)
    return document((await stages.change(org.db, org.call("manager"), "slug", slug, body, version)).body)


async def made(org: Organisation, **body: Any) -> UUID:
    return (await accounts.create(org.db, org.call(), {"name": "Acme", **body})).id


async def change(org: Organisation, account: UUID, **body: Any) -> Any:
    [(version,)] = await org.rows("SELECT version FROM accounts WHERE workspace_id = $1 AND id = $2", account)
    return document((await accounts.change(org.db, org.call(), account, body, version)).body)


async def stage(org: Organisation, account: UUID) -> Any:
    return (await org.rows("SELECT stage, stage_since FROM accounts WHERE workspace_id = $1 AND id = $2", account))[0]


async def visits(org: Organisation, account: UUID) -> list[tuple[Any, Any, Any]]:
    found, _, _ = await moves.history(org.db, org.people["viewer"], account, NOW, None, 50)
    return [(one["stage"], one["cause"], one["actor_id"]) for one in found]


async def roll(org: Organisation, number: int) -> None:
    assert await days.roll(org.db, org.workspace.id, NOW + number * DAY)


async def test_who_meets_the_criteria_moves_with_the_write_and_segments_follow(db: Database) -> None:
    org = await organisation(db)
    asks = {"name": "S", "kind": "rules", "rest": "no", "spec": {}, "segments": [{"slug": "yes", "name": "Yes", "criteria": 'stage = "adoption"'}]}  # fmt: skip
    await segmentations.put(org.db, org.call(), "size", asks, None)
    assert (await rule(org, "adoption", entry="case_studies>=1"))["entry"] == "case_studies >= 1"
    account = await made(org, stage="trial")
    answer = await change(org, account, case_studies=2)
    assert (answer["stage"], answer["version"]) == ("adoption", 2)
    assert await org.rows("SELECT segment FROM members WHERE workspace_id = $1 AND account_id = $2", account) == [
        ("yes",)
    ]
    assert await visits(org, account) == [("adoption", "criteria", None), ("trial", "hand", org.user("admin"))]


async def test_forward_only_to_the_furthest_and_through_criteria_that_ask_for_stages(db: Database) -> None:
    org = await organisation(db)
    await rule(org, "onboarding", entry="case_studies >= 1")
    await rule(org, "adoption", entry="case_studies >= 2")
    await rule(org, "established", entry='stage = "adoption" AND case_studies >= 3')
    first, second = await made(org, case_studies=2), await made(org, case_studies=3)
    assert [(await stage(org, one))[0] for one in (first, second)] == ["adoption", "established"]
    await change(org, first, case_studies=1)
    assert (await stage(org, first))[0] == "adoption"


async def test_a_move_by_hand_stands_until_the_verdict_changes(db: Database) -> None:
    org = await organisation(db)
    await rule(org, "adoption", entry="case_studies >= 2")
    account = await made(org, case_studies=2)
    await moves.move(org.db, org.call(), account, {"stage": "trial"}, None)
    await change(org, account, case_studies=3, employees=4)
    await roll(org, 1)
    assert (await stage(org, account))[0] == "trial"
    await change(org, account, case_studies=1)
    assert (await stage(org, account))[0] == "trial"
    await change(org, account, case_studies=2)
    assert (await stage(org, account))[0] == "adoption"


async def test_saying_criteria_moves_everybody_at_once_but_the_archived(db: Database) -> None:
    org = await organisation(db)
    account, archived = await made(org, case_studies=2), await made(org, case_studies=2)
    await accounts.archive(org.db, org.call(), archived, 1)
    await rule(org, "adoption", entry={"op": "cmp", "of": "case_studies", "cmp": "ge", "value": 2})
    assert [(await stage(org, one))[0] for one in (account, archived)] == ["adoption", None]
    await rule(org, "adoption", entry=None)
    assert await org.rows("SELECT account_id FROM stage_verdicts WHERE workspace_id = $1") == []


async def test_stages_follow_health_that_a_pin_or_a_confirmed_move_weighs_anew(db: Database) -> None:
    org = await organisation(db)
    asks = {"name": "S", "kind": "rules", "rest": "no", "spec": {}, "confirm": "1d", "segments": [{"slug": "yes", "name": "Yes", "criteria": "case_studies >= 5"}]}  # fmt: skip
    await segmentations.put(org.db, org.call(), "size", asks, None)
    measures = [{"of": of, "worst": 0, "best": 10} for of in ("case_studies", "employees")]
    by = {"segmentation": "size", "weights": {"yes": {"case_studies": 1}, "no": {"employees": 1}}}
    await scores.put(org.db, org.call(), {"health": {"source": "model", "measures": measures, "by": by}}, 1)
    await rule(org, "adoption", entry="health >= 50")
    kept, waiting = await made(org, employees=9), await made(org, employees=1)
    await moves.move(org.db, org.call(), kept, {"stage": None}, None)
    await pins.pin(org.db, org.call(), kept, "size", {"segment": "yes", "reason": "A pilot."})
    await change(org, waiting, case_studies=9)
    assert [(await stage(org, one))[0] for one in (kept, waiting)] == [None, None]
    await pins.unpin(org.db, org.call(), kept, "size")
    assert (await stage(org, kept))[0] == "adoption"
    assert await confirmations.confirm(org.db, org.workspace.id, NOW + 2 * DAY) == 1
    assert (await stage(org, waiting))[0] == "adoption"


async def test_onboarding_steps_down_when_it_has_lasted(db: Database) -> None:
    org = await organisation(db)
    await rule(org, "onboarding", leaves_after_days=3, expected_days=2)
    account, lost = await made(org, stage="onboarding"), await made(org, stage="onboarding", churned_at="2026-11-20")
    await roll(org, 2)
    assert (await stage(org, account))[0] == "onboarding"
    await roll(org, 3)
    assert await stage(org, account) == ("adoption", (NOW + 3 * DAY).date())
    assert (await visits(org, account))[0] == ("adoption", "time", None)
    assert (await stage(org, lost))[0] == "onboarding"


async def test_time_alone_brings_accounts_into_criteria(db: Database) -> None:
    org = await organisation(db)
    await rule(org, "established", entry="became_customer_at <= ago(10d)")
    account = await made(org, became_customer_at="2026-11-15", stage="adoption")
    for number in (1, 2):
        await roll(org, number)
        assert (await stage(org, account))[0] == "adoption"
    await roll(org, 3)
    assert (await stage(org, account))[0] == "established"


async def test_who_stays_longer_than_expected_is_stuck(db: Database) -> None:
    org = await organisation(db)
    await rule(org, "onboarding", expected_days=2, leaves_after_days=30)
    await rule(org, "adoption", expected_days=5)
    first, second = await made(org, stage="onboarding", arr=7), await made(org, stage="adoption", name="B")
    await made(org, stage="trial")
    viewer = org.people["viewer"]
    found: list[Any] = []
    for number, expected in ((2, []), (3, [first]), (6, [first, second])):
        found, _, _ = await lifecycle.stuck(db, viewer, None, NOW + number * DAY, None, 10)
        assert [one["id"] for one in found] == expected
    assert (found[0]["days"], found[0]["over"], found[0]["arr"], str(found[0]["leaves_on"])) == (6, 4, 7, "2026-12-22")
    page, keys, more = await lifecycle.stuck(db, viewer, None, NOW + 6 * DAY, None, 1)
    rest, _, last = await lifecycle.stuck(db, viewer, None, NOW + 6 * DAY, keys[-1], 1)
    assert ([one["id"] for one in page + rest], more, last) == ([first, second], True, False)
    only, _, _ = await lifecycle.stuck(db, viewer, "adoption", NOW + 6 * DAY, None, 10)
    assert [one["id"] for one in only] == [second]
    with pytest.raises(Invalid) as refused:
        await lifecycle.stuck(db, viewer, "adaption", NOW, None, 10)
    assert refused.value.faults[0].suggestion == "adoption"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"entry": "helth > 3"}, "/entry"), ({"entry": 'csm = @me'}, "/entry"), ({"entry": "arr >"}, "/entry"),
        ({"entry": 'segment.tier = "high"'}, "/entry"), ({"entry": "percentile(arr) > 0.5"}, "/entry"), ({"entry": 3}, "/entry"),
        ({"expected_days": 0}, "/expected_days"), ({"leaves_after_days": 2.5}, "/leaves_after_days"), ({"leaves_after_days": True}, "/leaves_after_days"),
    ],
)  # fmt: skip
async def test_what_cannot_move_anybody_is_refused(db: Database, body: dict[str, Any], pointer: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid) as refused:
        await rule(org, "adoption", **body)
    assert {fault.pointer for fault in refused.value.faults} == {pointer}


async def test_another_order_moves_those_whom_it_puts_ahead(db: Database) -> None:
    org = await organisation(db)
    await rule(org, "trial", entry="case_studies >= 1")
    await rule(org, "adoption", entry="case_studies >= 1")
    account = await made(org, case_studies=1)
    assert (await stage(org, account))[0] == "adoption"
    await rule(org, "trial", position=5)
    assert (await stage(org, account))[0] == "trial"
    found = await workspaces.load(db, org.workspace.id)
    assert found.stages[-1] == "trial"


async def test_what_entry_criteria_and_measures_name_stays(db: Database) -> None:
    org = await organisation(db)
    await org.industry("retail")
    attribute = document((await attributes.create(org.db, org.call(), {"entity": "accounts", "slug": "seats", "name": "Seats", "type": "number"})).body)  # fmt: skip
    org = org.with_workspace(attributes=(await workspaces.load(db, org.workspace.id)).attributes)
    await rule(org, "adoption", entry='industry = "retail" AND custom.seats > 3')
    measure = {"of": "custom.seats", "worst": 0, "best": 9}
    await scores.put(org.db, org.call(), {"health": {"source": "model", "measures": [measure]}}, 1)
    [(industry,)] = await org.rows("SELECT id FROM industries WHERE workspace_id = $1")
    with pytest.raises(Conflict) as refused:
        await directory.delete(org.db, org.call(), INDUSTRIES, "id", str(industry), 1)
    assert "adoption" in refused.value.faults[0].message
    for body in ({"slug": "places"}, {"retired_at": "2026-11-22T10:00:00Z"}):
        with pytest.raises(Conflict) as refused:
            await attributes.change(org.db, org.call(), UUID(attribute["id"]), body, 1)
        assert ["adoption" in refused.value.faults[0].message, "custom.seats" in refused.value.faults[1].message] == [
            True,
            True,
        ]


async def test_a_stage_whose_criteria_mean_nothing_any_more_says_so(db: Database) -> None:
    org = await organisation(db)
    vip = {"name": "VIP", "slug": "vip", "entity": "accounts", "type": "bool"}
    key = (await attributes.create(db, org.call(), vip)).id
    org = org.with_workspace(**_known(await workspaces.load(db, org.workspace.id)))
    assert (await rule(org, "adoption", entry="custom.vip = true"))["state"] == "ok"
    retired = {"retired_at": NOW.isoformat(), "with_dependents": True}
    await attributes.change(db, org.call(), key, retired, 1)
    org = org.with_workspace(**_known(await workspaces.load(db, org.workspace.id)))
    viewer = org.people["viewer"]
    one = document((await reads.one(db, viewer, "stages", "slug", "adoption")).body)
    assert (one["state"], one["entry"]) == ("broken", "custom.vip = true")
    assert one["detail"].endswith("Nobody comes in by these criteria until they mean something again.")
    summed = {stage["slug"]: stage for stage in (await moves.summary(db, viewer, NOW))["data"]}
    assert (summed["adoption"]["state"], summed["adoption"]["detail"]) == ("broken", one["detail"])
    assert (summed["trial"]["state"], summed["trial"]["detail"]) == ("ok", None)
    for criteria in (
        'state = "broken"',
        "detail IS NOT EMPTY",
        'starts_with(detail, "acc")',
        'state != "ok" AND state IS NOT EMPTY',
    ):
        found = await reads.collection(db, viewer, Ask("stages", filter=criteria), NOW, secret=b"s" * 32)
        assert [stage["slug"] for stage in document(found.data)] == ["adoption"], criteria
    mended = await rule(org, "adoption", entry="arr > 5")
    assert (mended["state"], mended["detail"]) == ("ok", None)


def _known(workspace: Workspace) -> dict[str, Any]:
    return {"attributes": workspace.attributes, "rules": workspace.rules, "epoch": workspace.epoch}
