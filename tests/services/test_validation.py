"""Validation through its use case: who stood where on the day, what came of them, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from app.domain.criteria.time import months as later
from app.domain.errors import Invalid, NotFound
from app.persistence.database import Database
from app.services import accounts, segmentations, validation
from app.services.calls import new_id
from app.services.settle import settle
from tests.services.organisations import NOW, Organisation, organisation

DAY = timedelta(days=1)
MOOD: dict[str, Any] = {
    "name": "Mood", "kind": "rules", "rest": "between",
    "segments": [{"slug": "glad", "name": "Glad", "criteria": "sentiment >= 4"}, {"slug": "sad", "name": "Sad", "criteria": "sentiment < 3"}],
}  # fmt: skip
TIER: dict[str, Any] = {
    "name": "Tier", "kind": "bands", "spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5]}},
    "segments": [{"slug": "high", "name": "High"}, {"slug": "low", "name": "Low"}],
}  # fmt: skip
ON = "2026-05-22"
"""Six months before NOW."""


async def peopled(
    org: Organisation, risks: dict[int, float], seed: int = 2, n: int = 60
) -> dict[int, list[tuple[int, int, bool]]]:
    """So many accounts a sentiment, watched for two years: of each half year a share by its risk is lost, the others grow.
    By sentiment: (ARR on the day, ARR six months later, lost), money in minor units."""
    drawn = Random(seed)
    came: dict[int, list[tuple[int, int, bool]]] = {score: [] for score in risks}
    async with org.db.transaction() as tx:
        for score, risk in risks.items():
            for cohort in (0, 1):
                for number in range(n):
                    arr, account, lost = drawn.randint(100, 90_000) * 100, new_id(), drawn.random() < risk
                    begins = NOW - (700 - number) * DAY
                    ends = NOW - (360 if cohort == 0 else 90) * DAY + number * DAY / 2
                    await tx.execute(
                        "INSERT INTO accounts (workspace_id, id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
                        org.workspace.id, account, f"{score} {cohort} {number}", begins,
                    )  # fmt: skip
                    await _sold(tx, org, account, arr, begins.date(), ends.date())
                    if not lost:
                        await _sold(tx, org, account, arr * 2, (ends + DAY).date(), None)
                    await tx.execute(
                        "INSERT INTO sentiments (workspace_id, id, account_id, score, author_id, recorded_at, created_at, updated_at) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $6, $6)",
                        org.workspace.id, new_id(), account, score, org.user("csm"), begins,
                    )  # fmt: skip
                    if cohort == 1:
                        came[score].append((arr, 0 if lost else arr * 2, lost))
                    elif not lost:
                        came[score].append((arr * 2, arr * 2, False))
        await settle(tx, org.workspace, None, NOW)
    return came


async def _sold(tx: Any, org: Organisation, account: UUID, arr: int, start: Any, end: Any) -> None:
    await tx.execute(
        "INSERT INTO contracts (workspace_id, id, account_id, arr, start_date, end_date, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        org.workspace.id, new_id(), account, arr, start, end, NOW,
    )  # fmt: skip


async def asked(org: Organisation, slug: str, **said: Any) -> dict[str, Any]:
    return await validation.validation(org.db, org.people["viewer"], slug, NOW, **said)


async def test_what_separates_holds_and_every_segment_has_what_came_of_it(db: Database) -> None:
    org = await organisation(db)
    came = await peopled(org, {5: 0.05, 3: 0.3, 1: 0.8})
    await segmentations.put(db, org.call(), "mood", MOOD, None)
    found = await asked(org, "mood")
    assert (found["verdict"], found["source"], str(found["on"]), str(found["until"])) == (
        "holds",
        "criteria",
        ON,
        "2026-11-22",
    )
    for slug, score in (("glad", 5), ("between", 3), ("sad", 1)):
        told = next(one for one in found["segments"] if one["slug"] == slug)
        had, has = (sum(one[place] for one in came[score]) for place in (0, 1))
        assert (told["accounts"], told["hits"]) == (len(came[score]), sum(one[2] for one in came[score]))
        assert (told["arr"], told["arr_after"]) == (Decimal(had) / 100, Decimal(has) / 100)
        assert told["nrr"] == pytest.approx(has / had, abs=1e-4)
    assert found["skill"]["value"] > found["skill"]["standard_error"] > 0
    assert found["skill"]["lift"] > 1
    assert [one["field"] for one in found["fields"]] == ["sentiment"]
    assert found["tried"] == 4
    assert await asked(org, "mood") == found


async def test_what_does_not_separate_is_not_shown(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, {5: 0.3, 3: 0.3, 1: 0.3}, n=50)
    await segmentations.put(db, org.call(), "mood", MOOD, None)
    await segmentations.put(db, org.call(), "tier", TIER, None)
    mood, found = await asked(org, "mood"), await asked(org, "tier")
    for one in (mood, found):
        assert (one["verdict"], bool(one["reasons"])) == ("not shown", True), one["reasons"]
    assert (mood["stability"]["adjusted_rand"], found["stability"]["bootstraps"]) == (None, 20)
    assert 0.5 < found["stability"]["adjusted_rand"] <= 1
    halves = [one["accounts"] for one in found["segments"] if one["accounts"]]
    assert abs(halves[0] - halves[1]) <= 2, "cuts are those of the day"
    money = await asked(org, "tier", outcome="nrr")
    assert any("arithmetic" in reason for reason in money["reasons"])


async def test_history_tells_where_it_goes_back_so_far(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, {5: 0.1, 1: 0.6}, n=40)
    body = {**MOOD, "segments": [{"slug": "big", "name": "Big", "criteria": "health > 50 OR arr >= 20000"}]}
    await segmentations.put(db, org.call(now=NOW - 250 * DAY), "then", body, None)
    found = await asked(org, "then")
    assert (found["source"], found["history_begins"][:10]) == ("history", "2026-03-17")
    assert "health" in found["skill"]["because"]
    assert found["verdict"] in ("weak", "not shown")
    await segmentations.put(db, org.call(now=NOW - 250 * DAY), "tier", TIER, None)
    cut = await asked(org, "tier")
    assert (cut["source"], cut["stability"]["bootstraps"], cut["stability"]["because"]) == ("history", 20, None)
    with pytest.raises(Invalid) as refused:
        await asked(org, "then", on="2026-03-01")
    assert refused.value.faults[0].parameter == "on"
    assert "no past is kept of: health" in refused.value.faults[0].message


async def test_a_contract_is_no_renewal_of_itself(db: Database) -> None:
    org, last = await organisation(db), NOW.date()
    ends = {"none": last - DAY, "followed": last - DAY, "refused": last - DAY, "later": last, "long": None}
    async with db.transaction() as tx:
        for name, end in ends.items():
            account = new_id()
            await tx.execute(
                "INSERT INTO accounts (workspace_id, id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
                org.workspace.id, account, name, NOW - 700 * DAY,
            )  # fmt: skip
            await _sold(tx, org, account, 10_000, last - 700 * DAY, end)
            if name in ("followed", "refused"):
                await _sold(tx, org, account, 10_000, last, None)
        await tx.execute(
            "UPDATE contracts SET outcome = 'churned', decided_at = end_date WHERE workspace_id = $1 AND end_date IS NOT NULL "
            "AND account_id IN (SELECT id FROM accounts WHERE workspace_id = $1 AND name = 'refused')",
            org.workspace.id,
        )
        await settle(tx, org.workspace, None, NOW)
    await segmentations.put(db, org.call(), "mood", MOOD, None)
    told = {}
    for outcome in ("renewed", "churned"):
        found = (await asked(org, "mood", outcome=outcome))["segments"]
        told[outcome] = tuple(sum(one[key] or 0 for one in found) for key in ("accounts", "hits"))
    # Who ends on the last day is in force on it: nothing is due of it yet, and it has not gone.
    assert told == {"renewed": (3, 1), "churned": (5, 1)}


async def test_few_accounts_are_refused_by_name(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, {5: 0.2, 1: 0.2}, n=12)
    await segmentations.put(db, org.call(), "mood", MOOD, None)
    found = await asked(org, "mood")
    assert found["verdict"] == "refused"
    assert "Glad (" in found["reasons"][0]
    assert "Sad (" in found["reasons"][0]


async def test_nobody_and_nonsense_are_answered_in_words(db: Database) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "mood", MOOD, None)
    found = await asked(org, "mood")
    assert (found["verdict"], found["accounts"], found["skill"]["value"]) == ("refused", 0, None)
    for said, parameter in (
        ({"outcome": "churn"}, "outcome"), ({"months": 0}, "months"), ({"months": "x"}, "months"), ({"on": "2026-11-01"}, "on"),
        ({"on": "soon"}, "on"), ({"on": "2027-11-01"}, "on"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await asked(org, "mood", **said)
        assert refused.value.faults[0].parameter == parameter, said
    with pytest.raises(NotFound):
        await asked(org, "nothing")


async def test_fields_of_every_kind_are_tried_alone(db: Database) -> None:
    org = await organisation(db)
    await peopled(org, {5: 0.1, 1: 0.6}, n=40)
    await org.industry("retail")
    await org.run("UPDATE accounts SET industry = 'retail' WHERE workspace_id = $1 AND name LIKE '5%'")
    said = 'industry = "retail" OR contract_start < 2025-01-01 OR stage IS EMPTY OR name = "x" OR sentiment_at IN last(900d)'
    body = {**MOOD, "segments": [{"slug": "some", "name": "Some", "criteria": said}]}
    await segmentations.put(db, org.call(), "mixed", body, None)
    found = await asked(org, "mixed")
    assert {one["field"]: one["levels"] for one in found["fields"]} == {
        "contract_start": 4, "industry": 1, "sentiment_at": 4, "stage": 0,
    }  # fmt: skip
    assert found["taken_as_today"] == ["industry", "name"]
    assert found["verdict"] == "refused"


WELL: dict[str, Any] = {
    "name": "Well", "kind": "bands", "spec": {"field": "health", "cuts": {"by": "absolute", "at": [50]}},
    "segments": [{"slug": "well", "name": "Well"}, {"slug": "ill", "name": "Ill"}],
}  # fmt: skip


async def refusal(org: Organisation, now: Any, said: dict[str, Any]) -> Invalid | None:
    try:
        await validation.validation(org.db, org.people["viewer"], "well", now, **said)
    except Invalid as refused:
        return refused
    return None


@pytest.mark.parametrize("days", [0, 20, 40, 100, 200])
async def test_what_is_suggested_can_be_asked(db: Database, days: int) -> None:
    """Every suggestion is followed until nothing is refused, or until it is said that nothing can be told yet, and from when."""
    org = await organisation(db)
    await segmentations.put(db, org.call(), "well", WELL, None)
    await accounts.create(db, org.call(), {"name": "Acme", "health": 60})
    now = NOW + days * DAY
    asked_for: tuple[dict[str, Any], ...] = (
        {}, {"on": ON}, {"on": now.date().isoformat()}, {"months": "12"}, {"on": "2020-02-29", "months": 3}, {"outcome": "chruned"},
    )  # fmt: skip
    for said in asked_for:
        refused = await refusal(org, now, said)
        for _ in range(3):
            for one in refused.faults if refused else ():
                said |= {str(one.parameter): one.suggestion} if one.suggestion else {}
            refused = await refusal(org, now, said)
        if days >= 30:
            assert refused is None, said
        else:
            months = int(said.get("months", 6))
            assert refused is not None
            assert refused.faults[0].message.endswith(
                f" It can be told from 2026-12-22 on, of a month, and from {later(NOW.date(), months)} on of {months}."
            )


async def test_without_any_history_no_day_is_suggested(db: Database) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "well", WELL, None)
    refused = await refusal(org, NOW, {})
    assert refused is not None
    assert [(one.parameter, one.suggestion) for one in refused.faults] == [("on", None)]
