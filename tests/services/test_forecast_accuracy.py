"""Computed forecasts against what happened: every renewal that was forecast, called or not, beside what people called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Forbidden, Invalid
from app.persistence.database import Database
from app.services import forecast_accuracy, forecasts
from tests.services.organisations import NOW, Organisation, document, organisation, with_tier
from tests.services.test_call_accuracy import accuracy as calls
from tests.services.test_call_accuracy import term

DAY = timedelta(days=1)
WON = "UPDATE contracts SET outcome = $2, decided_at = '2026-12-20' WHERE workspace_id = $1 AND account_id = ANY ($3)"


async def told(org: Organisation, role: str = "admin", **asked: Any) -> Any:
    return document(await forecast_accuracy.get(org.db, org.people[role], NOW + 60 * DAY, **asked))


async def decided(org: Organisation, outcome: str, csm: str) -> None:
    ids = [
        row[0]
        for row in await org.rows("SELECT id FROM accounts WHERE workspace_id = $1 AND csm_id = $2", org.user(csm))
    ]
    await org.run(WON, outcome, ids)


async def test_every_renewal_that_was_forecast_counts_called_or_not(db: Database) -> None:
    org = await with_tier(await organisation(db))
    for calls_, csm in (([], "csm"), ([(0, {"category": "commit"})], "csm"), ([], "other")):
        await term(org, calls_, None, csm=csm)
    await forecasts.create(db, org.call(), {})
    await decided(org, "churned", "csm")
    await decided(org, "expanded", "other")
    found = await told(org)
    mine, other = (next(one for one in found["groups"] if one["name"] == name) for name in ("Csm", "Other"))
    assert (found["renewals"], mine["renewals"], other["renewals"], mine["due"]) == (3, 2, 1, 200)
    assert (mine["kept"], other["kept"], mine["renewed_share"], other["called"]) == (0, 100, 0, None)
    assert mine["bias"] == mine["expected"] / 200
    assert mine["called"]["calls"] == mine["called"]["computed"]["calls"] == 1
    assert mine["called"]["called"] == 95
    assert found["total"]["expected"] == mine["expected"] + other["expected"]
    assert "too few to tell" in found["words"]
    assert {one["key"] for one in (await told(org, by="month"))["groups"]} == {"2026-12"}
    assert [one["name"] for one in (await told(org, "csm"))["groups"]] == ["Csm"]
    (low,) = (await told(org, by="segment.tier"))["groups"]
    assert (low["key"], low["renewals"], low["called"]["calls"]) == ("low", 3, 1)
    assert (await told(org, end="2026-12-20"))["total"] is None


async def test_whose_it_was_when_it_was_forecast(db: Database) -> None:
    """Who takes an account over afterwards has no part in what was forecast."""
    org = await organisation(db)
    await term(org, [], None)
    await forecasts.create(db, org.call(), {})
    await org.run("UPDATE accounts SET csm_id = $2 WHERE workspace_id = $1", org.user("other"))
    await org.run(
        "INSERT INTO account_changes (workspace_id, account_id, field, value_id, from_at, to_at) "
        "SELECT $1, id, 'csm', $2, $3, $4 FROM accounts WHERE workspace_id = $1",
        org.user("csm"), NOW - DAY, NOW + DAY,
    )  # fmt: skip
    await org.run("UPDATE contracts SET outcome = 'renewed', decided_at = '2026-12-20' WHERE workspace_id = $1")
    assert [one["name"] for one in (await told(org))["groups"]] == ["Csm"]
    assert (await told(org, "other"))["renewals"] == 0


@pytest.mark.parametrize(
    "body", [{"scenario": "calm"}, {"what_if": [{"shift": -5}]}, {"what_if": [{"probability": 0}]}]
)
async def test_what_was_supposed_was_no_forecast(db: Database, body: dict[str, Any]) -> None:
    """Kept after the plain one, it stands neither beside calls nor for itself."""
    org = await organisation(db)
    await org.run(
        "INSERT INTO scenarios (workspace_id, id, name, slug, impacts, lanes, created_at, updated_at) "
        "SELECT $1, gen_random_uuid(), 'Calm', 'calm', '{}', '{}', $2, $2 "
        "WHERE NOT EXISTS (SELECT FROM scenarios s WHERE s.workspace_id = $1 AND s.slug = 'calm')", NOW,
    )  # fmt: skip
    await term(org, [(0, {"category": "commit"})], None)
    await forecasts.create(db, org.call(), {})
    await forecasts.create(db, org.call(now=NOW + DAY), body)
    await org.run("UPDATE contracts SET outcome = 'renewed', decided_at = '2026-12-20' WHERE workspace_id = $1")
    found = (await told(org))["total"]
    assert found["said_share"] > 0.5
    assert (
        found["expected"] == found["called"]["computed"]["called"] == (await calls(org))["total"]["computed"]["called"]
    )


async def test_a_lag_asks_for_what_was_said_early(db: Database) -> None:
    org = await organisation(db)
    await term(org, [(0, {"category": "likely"}), (20, {"category": "commit"})], None)
    await forecasts.create(db, org.call(), {})
    await org.run("UPDATE contracts SET outcome = 'renewed', decided_at = '2026-12-20' WHERE workspace_id = $1")
    late, early = await told(org), await told(org, lag=1)
    assert (late["total"]["called"]["called"], early["total"]["called"]["called"]) == (95, 80)
    assert late["total"]["expected"] == early["total"]["expected"]
    assert (await told(org, lag=2))["words"] == forecast_accuracy.NOTHING
    # A call between the day that it was due on and the day that it was decided on is one, where no lag is asked for.
    assert (await calls(org))["calls"] == 1


async def test_what_is_refused(db: Database) -> None:
    org = await organisation(db)
    with pytest.raises(Forbidden):
        await told(org, "viewer")
    for asked, parameter in (({"lag": "9" * 5_000}, "lag"), ({"by": "mont"}, "by"), ({"by": "category"}, "by"), ({"start": "now"}, "from"), ({"lag": 13}, "lag"), ({"lag": "-1"}, "lag")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await told(org, **asked)
        assert refused.value.faults[0].parameter == parameter
    with pytest.raises(Invalid) as refused:
        await told(org, by="mont")
    assert refused.value.faults[0].suggestion == "month"


async def test_of_many_kept_forecasts_the_last_before_it_closed_is_compared(db: Database) -> None:
    org = await organisation(db)
    for _ in range(2):
        await term(org, [], None)
    *_, last = [await forecasts.create(db, org.call(now=NOW + n * DAY), {}) for n in range(4)]
    await forecasts.create(db, org.call(now=NOW + 30 * DAY), {})  # after it closed
    await org.run(
        "UPDATE contracts SET outcome = 'renewed', decided_at = $2 WHERE workspace_id = $1", (NOW + 10 * DAY).date()
    )
    wanted = await org.rows(
        "SELECT sum(expected) FROM forecast_renewals WHERE workspace_id = $1 AND forecast_id = $2", last.id
    )
    found = await told(org)
    assert found["renewals"] == 2
    assert found["total"]["expected"] * 100 == wanted[0][0]
