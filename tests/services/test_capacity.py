"""Capacity: people needed by money and by hours, loads that add up, and moves that put them right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Invalid, Unreadable
from app.persistence import capacity as rows
from app.persistence.database import Database
from app.persistence.planner import MANY
from app.services import accounts, capacity, segmentations, simulations, workspaces
from app.services.capacity import Asked
from app.services.engagements import Whose
from tests.services.organisations import NOW, Organisation, organisation
from tests.services.test_engagements import known, tiers

MILLION = 1_000_000
HIGH = {"touch": "high", "cadence": {"meeting": "30d"}, "hours": {"month": 60}}
LOW = {"touch": "low", "cadence": {"email": "30d"}, "hours": {"year": 6},
       "phases": [{"name": "Welcome", "until": "30d", "cadence": {"email": "1w"}, "hours": {"month": 2}}]}  # fmt: skip


async def account(org: Organisation, name: str, arr: int, who: str | None = "csm", **body: Any) -> None:
    owner = {} if who is None else {"csm_id": str(org.user(who))}
    told = {"name": name, "arr": arr, "became_customer_at": "2025-01-01", **owner, **body}
    await accounts.create(org.db, org.call(), told)


async def asked(org: Organisation, **told: Any) -> dict[str, Any]:
    return await capacity.capacity(org.db, org.people["viewer"], Asked(**told), NOW)


async def base(db: Database) -> Organisation:
    """Csm has 3.4 million in four accounts, other 0.3 in one; one of 5 million is a team of its own, one is nobody's."""
    org = await organisation(db)
    await tiers(org, HIGH, LOW)
    for name, arr in (("A", 1_600_000), ("B", 900_000), ("C", 500_000), ("D", 400_000)):
        await account(org, name, arr)
    await account(org, "E", 300_000, "other")
    await account(org, "Whale", 5 * MILLION, "other")
    await account(org, "Alone", 200_000, None)
    await account(org, "Gone", MILLION, churned_at="2026-01-01")
    return await known(org)


def load(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["csms"] if one["csm_name"] == name)


async def test_the_planner_is_told_of_a_first_placement(db: Database) -> None:
    org = await organisation(db)
    await org.run(
        "INSERT INTO accounts (workspace_id, id, name, created_at, updated_at, arr, csm_id) "
        "SELECT $1, gen_random_uuid(), n::text, $2, $2, 100 * n, $3 FROM generate_series(1, $4::int) n",
        NOW, org.user("csm"), MANY,
    )  # fmt: skip
    await tiers(org, HIGH, LOW)
    # Not told, it would take members for a handful, and read all of them once per account.
    counted = await db.fetchval("SELECT min(reltuples) FROM pg_class WHERE relname IN ('accounts', 'members')")
    assert counted >= MANY
    assert (await asked(await known(org)))["accounts"] == MANY


async def test_more_accounts_than_are_held_are_refused(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    org = await base(db)
    monkeypatch.setattr(rows, "MOST", 7)
    assert (await asked(org))["accounts"] == 7
    monkeypatch.setattr(rows, "MOST", 6)
    with pytest.raises(Invalid) as refused:
        await asked(org)
    assert refused.value.faults[0].parameter == "filter"
    assert (await asked(org, whose=Whose(filter="arr >= 900000")))["accounts"] == 3


async def test_people_needed_by_money(db: Database) -> None:
    found = await asked(await base(db))
    assert (found["accounts"], found["arr"], found["present"]) == (7, 8_900_000, 2)
    assert found["needed"]["by_arr"] == {"csms": 5, "planned": 6, "bound": 5, "teams": 3}
    assert found["unowned"] == {"accounts": 1, "arr": 200_000, "hours": 60, "touches": Decimal("1.01")}
    segments = {one["slug"]: one for one in found["segments"]}
    assert sum(one["accounts"] for one in segments.values()) == found["accounts"]
    assert sum(one["arr"] for one in segments.values()) == found["arr"]
    assert segments["low"]["needed"]["csms"] == 0
    assert sum(one["arr"] for one in found["csms"]) + found["unowned"]["arr"] == found["arr"]


async def test_moves_hand_over_the_fewest_accounts(db: Database) -> None:
    found = await asked(await base(db))
    moves = found["moves"]
    # 1.8 million are planned with: one account of at least 1.6 has to go, and 1.5 are free elsewhere.
    assert (load(found, "Csm")["state"], load(found, "Csm")["room"], load(found, "Csm")["use"]) == (
        "over",
        -1_600_000,
        1.7,
    )
    assert (load(found, "Other")["state"], load(found, "Other")["room"], load(found, "Other")["teams"]) == (
        "under",
        1_500_000,
        1,
    )
    assert (moves["still_over"], moves["hires"], moves["count"], moves["fewest"], moves["teams"]) == (1, 1, 1, True, 1)
    assert [(one["account"]["name"], one["to_name"], one["to_id"], one["arr"]) for one in moves["data"]] == [
        ("A", "New CSM 1", None, 1_600_000)
    ]
    assert (
        load(found, "Csm")["accounts_after"],
        load(found, "Csm")["use_after"],
        load(found, "Csm")["state_after"],
    ) == (3, 0.9, "even")
    full = await asked(await base(db), target_use=1)
    assert [(one["account"]["name"], one["to_name"]) for one in full["moves"]["data"]] == [("A", "Other")]
    assert (full["moves"]["hires"], full["moves"]["still_over"], load(full, "Other")["accounts_after"]) == (0, 0, 2)


async def test_hours_are_those_of_the_models(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, HIGH, LOW)
    for n in range(3):
        await account(org, f"H{n}", 2000)
    await account(org, "Old", 10, "other")
    await account(org, "New", 10, "other", became_customer_at="2026-11-01")
    found = await asked(await known(org), by="hours")
    assert (found["hours"], load(found, "Csm")["hours"], load(found, "Other")["hours"]) == (
        Decimal("182.5"),
        180,
        Decimal("2.5"),
    )
    assert found["needed"]["by_hours"] == {"csms": 2, "planned": 3, "bound": 2, "teams": 0}
    assert found["needed"]["csms"] == 2
    assert (load(found, "Csm")["use"], load(found, "Csm")["room"]) == (1.5, -72)
    # 108 hours are planned with: only one account of 60 fits beside 2.5, and only one into a book of its own.
    assert (found["moves"]["count"], found["moves"]["hires"]) == (2, 1)
    more = {"hours_per_csm": 240.0}
    assert (await asked((await known(org)).with_workspace(**more), by="hours"))["moves"]["count"] == 0


async def test_a_filter_asks_about_some_accounts(db: Database) -> None:
    org = await base(db)
    assert (await asked(org, whose=Whose(filter="arr < 450000")))["accounts"] == 3
    assert (await asked(org, whose=Whose(csm="other")))["accounts"] == 2
    with pytest.raises(Unreadable):
        await asked(org, whose=Whose(filter="arr <"))


async def test_nothing_to_look_after_is_said_in_words(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, None, None)
    org = await known(org)
    found = await asked(org)
    assert (found["needed"]["csms"], found["moves"]["count"], found["csms"][0]["use"]) == (0, 0, 0)
    assert found["moves"]["why"] == "No accounts were asked about, so nobody has too many."
    await account(org, "A", 5 * MILLION)
    assert (await asked(org, by="hours"))["moves"]["why"].startswith("No segment's engagement model says hours")


@pytest.mark.parametrize(
    ("told", "parameter"),
    [
        ({"by": "money"}, "by"), ({"target_use": "x"}, "target_use"), ({"target_use": 0}, "target_use"), ({"target_use": "nan"}, "target_use"),
        ({"target_use": 1.01}, "target_use"), ({"segmentation": "nothing"}, "segmentation"), ({"whose": Whose(mine=True)}, "for_user"),
    ],
)  # fmt: skip
async def test_faults_name_their_parameter(db: Database, told: dict[str, Any], parameter: str) -> None:
    org = await organisation(db)
    await tiers(org)
    org = await known(org)
    with pytest.raises(Invalid) as caught:
        await capacity.capacity(db, org.as_("service", "read"), Asked(**told), NOW)
    assert [fault.parameter for fault in caught.value.faults] == [parameter]


async def test_a_draft_tells_load_and_people_before_and_after(db: Database) -> None:
    org = await base(db)
    segment = {
        "slug": "high",
        "name": "High",
        "criteria": "arr >= 400000",
        "engagement": {**HIGH, "hours": {"month": 30}},
    }
    body = {
        "name": "Tier",
        "kind": "rules",
        "segments": [segment, {"slug": "low", "name": "Low", "criteria": "arr > 0", "engagement": LOW}],
    }
    found = await simulations.simulate(db, org.people["viewer"], "tier", body, NOW)
    standing = await asked(org)
    before, after = found["load"]["before"], found["load"]["after"]
    assert (before["accounts"], before["hours"], before["touches"]) == (7, standing["hours"], standing["touches"])
    assert before["needed"] == standing["needed"]
    assert (after["accounts"], after["hours"]) == (7, 5 * 30 + 2 * Decimal("0.5"))
    assert after["needed"]["by_hours"]["csms"] == 2
    assert after["needed"]["by_arr"] == before["needed"]["by_arr"]
    segments = {one["slug"]: one["load"] for one in found["segments"]}
    assert segments["high"]["before"] == {
        "accounts": 7,
        "touches": standing["touches"],
        "hours": 420,
        "needed": standing["needed"],
    }
    assert (
        segments["low"]["before"]["accounts"],
        segments["low"]["after"]["accounts"],
        segments["low"]["after"]["hours"],
    ) == (0, 2, 1)
    assert (await segmentations.get(db, org.people["viewer"], "tier", NOW))["version"] == 1
    new = await simulations.simulate(db, org.people["viewer"], "fresh", body, NOW)
    assert (new["load"]["before"]["accounts"], new["load"]["after"]["accounts"]) == (0, 7)


async def test_hours_of_a_csm_are_a_setting(db: Database) -> None:
    org = await organisation(db)
    written = await workspaces.change(db, org.call(), {"hours_per_csm": 90}, 1)
    assert b'"hours_per_csm":90.0' in written.body
    assert (await workspaces.load(db, org.workspace.id)).hours_per_csm == 90.0


async def test_what_is_missing_is_said_with_what_to_do(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, HIGH, {"touch": "low"})
    org = await known(org)
    assert (await asked(org))["missing"] == [
        "There is no account to plan with: make or import accounts that are not churned, or narrow them down less."
    ]
    await account(org, "A", 2000)
    await account(org, "B", 10, None)
    assert (await asked(org))["missing"] == [
        "1 account without a CSM: in no load, and in no move. Name a csm of each.",
        "No hours are said for Low: by hours the 1 account there weigh nothing. Put engagement.hours with the segmentation.",
    ]
    assert (await asked(org, whose=Whose(filter="arr > 1000")))["missing"] == []
    await org.run("UPDATE users SET is_active = false WHERE workspace_id = $1 AND role = 'csm'")
    assert (await asked(org))["missing"][:2] == [
        "Nobody is an active CSM: make users with the role csm, and name one as csm of each account.",
        "1 account of people who are no longer active: hand them over, all of one at once by hand-over.",
    ]
    alone = await asked(org, whose=Whose(filter="arr < 1000"))
    assert (alone["present"], alone["csms"]) == (0, [])
    assert alone["moves"]["why"] == "No CSM looks after any of these accounts, so there is nothing to hand over."


async def test_accounts_without_arr_cannot_be_planned_by_it(db: Database) -> None:
    org = await organisation(db)
    await tiers(org, HIGH, LOW)
    await account(org, "A", 0)
    found = await asked(await known(org))
    assert found["moves"]["why"].startswith("No account has ARR: nothing can be planned by it.")
    assert found["missing"][0] == found["moves"]["why"]


async def test_what_moves_cannot_mend_is_said(db: Database) -> None:
    org = await base(db)
    assert (await asked(org))["moves"]["why"] == (
        "1,600,000.00 USD of ARR are above the target use, and others have room for 1,500,000.00 USD of ARR: "
        "moves alone leave 1 above it. With 1 more CSM, after 1 move nobody is above the target use. No fewer moves would do. "
        "1 account is above what one CSM may have, and a team of its own: in no load, and in no move. "
        "Moves and hires go by ARR alone: at the target use the accounts take 6 CSMs by ARR, and 7 by hours, which `needed` counts too."
    )
    await account(org, "Full", 1_500_000, "other")
    assert "and nobody has room for more: moves alone leave 1 above it." in (await asked(org))["moves"]["why"]


async def test_what_the_other_measure_takes_is_said_where_it_is_more(db: Database) -> None:
    """`needed` is the greater of both measures, `hires` goes by one: where they differ it is told."""
    org = await base(db)
    for by, other in (("arr", "hours"), ("hours", "arr")):
        found = await asked(org, by=by)
        needed, words = found["needed"], found["moves"]["why"]
        assert needed["planned"] == max(needed["by_arr"]["planned"], needed["by_hours"]["planned"])
        more = needed[f"by_{other}"]["planned"] > needed[f"by_{by}"]["planned"]
        assert ("which `needed` counts too" in words) == more == (by == "arr")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, "Expected segmentation to be named, as there is no `tier`, which holds where none is: one of size."),
        ("siz", "Expected the slug of a segmentation: one of size."),
    ],
)
async def test_a_workspace_without_tiers_is_told_what_to_name(db: Database, told: str | None, said: str) -> None:
    org = await organisation(db)
    with pytest.raises(Invalid, match="the workspace has none: put one, as /v1/segmentations/presets has bodies of"):
        await asked(org, segmentation=told)
    body = {"name": "Size", "kind": "rules", "segments": [{"slug": "big", "name": "Big", "criteria": "arr > 5"}]}
    await segmentations.put(db, org.call(), "size", body, None)
    with pytest.raises(Invalid) as caught:
        await asked(await known(org), segmentation=told)
    (fault,) = caught.value.faults
    assert (fault.message, fault.parameter) == (said, "segmentation")
    assert fault.suggestion == ("size" if told else None)


async def test_what_was_put_just_now_is_known_and_what_is_gone_is_not(db: Database) -> None:
    """Whoever asks may have been looked up before: what stands decides, not what stood then."""
    org = await base(db)
    body = {"name": "Size", "kind": "rules", "segments": [{"slug": "big", "name": "Big", "criteria": "arr > 5"}]}
    await segmentations.put(db, org.call(), "size", body, None)
    assert (await asked(org, segmentation="size"))["segmentation"]["slug"] == "size"
    await segmentations.delete(db, org.call(), "tier", 1)
    for told in ("tier", "no\x00ne", ""):
        with pytest.raises(Invalid) as caught:
            await asked(org, segmentation=told)
        assert [fault.parameter for fault in caught.value.faults] == ["segmentation"]


async def test_segments_tell_what_capacity_leaves_out(db: Database) -> None:
    org = await base(db)
    standing = await segmentations.segments(db, org.people["viewer"], "tier", NOW)
    found = await asked(org)
    for name in ("accounts", "arr"):
        assert standing[name] - standing["churned"][name] == found[name]
        held = {one["slug"]: one[name] - one["churned"][name] for one in standing["data"]}
        assert held == {one["slug"]: one[name] for one in found["segments"]}
    assert standing["churned"] == {"accounts": 1, "arr": MILLION}
    then = await segmentations.segments(db, org.people["viewer"], "tier", NOW, str(NOW.date()))
    assert [one["churned"] for one in then["data"]] == [one["churned"] for one in standing["data"]]
