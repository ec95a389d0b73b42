"""Scenarios side by side equal what each of them does when it is switched to."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Invalid, Unreadable
from app.persistence.database import Database
from app.services import accounts, scenario_comparison, scenarios
from app.services.asks import Ask
from tests.services.organisations import NOW, Organisation, organisation

ACCOUNTS = (("A", "travel", 100), ("B", "travel", 50), ("C", "retail", 7), ("D", None, 3), ("E", "mining", 1))
IMPACTS = {
    "downturn": {"travel": "severe", "retail": "medium"}, "calm": {"travel": "low", "retail": "low", "mining": "low"},
}  # fmt: skip


async def furnished(db: Database) -> Organisation:
    org = await organisation(db)
    for slug in ("mining", "retail", "travel"):
        await org.industry(slug)
    for name, industry, arr in ACCOUNTS:
        await accounts.create(db, org.call(), {"name": name, "industry": industry, "arr": arr})
    gone = await accounts.create(db, org.call(), {"name": "Gone", "industry": "travel", "arr": 1000})
    await accounts.archive(db, org.call(), gone.id, 1)
    for slug, impacts in IMPACTS.items():
        await scenarios.create(db, org.call(), {"slug": slug, "name": slug.title(), "impacts": impacts})
    return org


async def compared(org: Organisation, wanted: list[str] | None = None, **asked: Any) -> dict[str, Any]:
    ask = Ask("accounts", **asked)
    return await scenario_comparison.compare(org.db, org.people["viewer"], wanted, ask, NOW)


async def test_each_scenario_is_told_as_accounts_stand_when_it_is_active(db: Database) -> None:
    org = await furnished(db)
    told = {one["slug"]: one for one in (await compared(org))["scenarios"]}
    for slug in IMPACTS:
        [(version,)] = await org.rows("SELECT version FROM scenarios WHERE workspace_id = $1 AND slug = $2", slug)
        await scenarios.change(db, org.call(), "slug", slug, {"is_active": True}, version)
        rows = await org.rows("SELECT impact, arr FROM accounts WHERE workspace_id = $1 AND archived_at IS NULL")
        money: Counter[str | None] = Counter()
        for impact, arr in rows:
            money[impact] += arr
        shown = {one["impact"]: (one["accounts"], one["arr"]) for one in told[slug]["impacts"]}
        counts = Counter(impact for impact, _ in rows)
        assert shown == {
            lane: (counts[lane], Decimal(money[lane]).scaleb(-2)) for lane in ("severe", "medium", "low", None)
        }


async def test_who_would_move_and_what_no_scenario_can_say_anything_of(db: Database) -> None:
    org = await furnished(db)
    found = await compared(org)
    assert (found["active"], found["accounts"], found["arr"]) == ("downturn", 5, 161)
    told = {one["slug"]: one for one in found["scenarios"]}
    assert told["downturn"]["moves"] == []
    assert [(one["from"], one["to"], one["accounts"], one["arr"]) for one in told["calm"]["moves"]] == [
        ("severe", "low", 2, 150), ("medium", "low", 1, 7), (None, "low", 1, 1),
    ]  # fmt: skip
    assert found["without_industry"] == {"accounts": 1, "arr": 3, "filter": "industry IS EMPTY"}
    assert found["without_impact"] == ["mining"]
    assert {one["slug"]: (one["accounts"], one["impacts"]) for one in found["industries"]} == {
        "mining": (1, {"calm": "low", "downturn": None}),
        "retail": (1, {"calm": "low", "downturn": "medium"}),
        "travel": (2, {"calm": "low", "downturn": "severe"}),
    }


async def test_it_is_narrowed_by_criteria_and_to_the_scenarios_that_are_named(db: Database) -> None:
    org = await furnished(db)
    found = await compared(org, ["calm"], filter='industry = "travel" AND arr >= 100')
    assert [one["slug"] for one in found["scenarios"]] == ["calm"]
    assert (found["accounts"], found["without_industry"]["accounts"], found["without_impact"]) == (1, 0, [])
    with pytest.raises(Invalid) as refused:
        await compared(org, ["calm", "downtrun"])
    assert [(fault.parameter, fault.suggestion) for fault in refused.value.faults] == [("scenarios", "downturn")]
    with pytest.raises(Unreadable):
        await compared(org, filter="arr >=")


async def test_without_scenarios_accounts_are_counted_all_the_same(db: Database) -> None:
    org = await organisation(db)
    await accounts.create(db, org.call(), {"name": "A", "arr": 5})
    found = await compared(org)
    assert (found["active"], found["scenarios"], found["without_industry"]["accounts"]) == (None, [], 1)
