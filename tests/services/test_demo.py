"""The demo: whole, believable, the same for one seed and day, made once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, islice
from statistics import mean
from typing import cast
from uuid import UUID

import pytest

from app.domain.demo import past, world
from app.domain.errors import Conflict
from app.domain.list_templates import TEMPLATES
from app.domain.roles import Principal, Role
from app.domain.scores import Name
from app.persistence import workspaces
from app.persistence.database import Database
from app.services import account_scores, checks, days, demo, keys, lifecycle, reads, segment_moves, segmentations
from app.services.reads import Ask
from tests.servers import DEMO_NOW, Cluster

TODAY = date(2026, 11, 20)
SCORES: tuple[Name, ...] = ("health", "engagement", "consumption")


def told(seed: int, today: date) -> list[object]:
    base = world.foundation(seed, today)
    stories = islice(world.accounts(seed, today, base), 25)
    return [base, *((one.rows, one.opportunities, one.said, one.today, list(one.usage)) for one in stories)]


def test_the_same_seed_and_day_make_the_same_world() -> None:
    assert told(7, TODAY) == told(7, TODAY)
    assert told(7, TODAY) != told(8, TODAY)


def test_nothing_is_of_a_moment_to_come() -> None:
    """Whenever of the day it is made: the day is not over, and may just have begun."""
    begins = datetime.combine(TODAY, time(), tzinfo=UTC)
    for story in world.accounts(1, TODAY, world.foundation(1, TODAY)):
        for row in (*chain.from_iterable(story.rows.values()), *story.opportunities):
            moments = [value for value in row.values() if isinstance(value, datetime)]
            born = datetime.fromtimestamp((cast(UUID, row["id"]).int >> 80) / 1000, tz=UTC)
            assert all(moment <= begins for moment in (born, *moments)), row


async def test_it_is_as_large_as_promised(demo_db: Database) -> None:
    counts = await demo_db.fetchrow(
        """SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM users WHERE role = 'csm') AS csms,
                  (SELECT count(*) FROM teams) AS teams, (SELECT count(*) FROM features) AS features,
                  (SELECT count(DISTINCT module) FROM features) AS modules,
                  (SELECT array_agg(slug ORDER BY is_active DESC) FROM scenarios) AS scenarios,
                  (SELECT min(day) FROM usage_days) AS first, (SELECT max(day) FROM usage_days) AS last"""
    )
    assert counts is not None
    assert dict(counts) == {
        "accounts": 2000, "csms": 12, "teams": 3, "features": 12, "modules": 4, "scenarios": ["downturn", "calm"],
        "first": date(2024, 11, 20), "last": date(2026, 11, 19),
    }  # fmt: skip


async def test_churn_depends_on_use_and_mood(demo_db: Database) -> None:
    """Of accounts whose term ended, those that left had used it less and felt worse in the half year before."""
    rows = await demo_db.fetch(
        """SELECT c.outcome = 'churned' AS left_us,
             (SELECT coalesce(sum(x), 0) FROM usage_days u, unnest(u.amounts) x WHERE u.account_id = c.account_id
                AND u.day BETWEEN c.end_date - 180 AND c.end_date) / nullif(a.seats_active, 0) AS uses_per_seat,
             (SELECT avg(s.score) FROM sentiments s WHERE s.account_id = c.account_id
                AND s.recorded_at BETWEEN c.end_date - 360 AND c.end_date) AS mood
           FROM contracts c JOIN accounts a ON a.id = c.account_id
           WHERE c.outcome IS NOT NULL AND c.end_date > '2025-08-01'"""
    )
    left, stayed = [r for r in rows if r["left_us"]], [r for r in rows if not r["left_us"]]
    assert len(left) > 50
    assert len(stayed) > 200
    for measure in ("uses_per_seat", "mood"):
        of_left, of_stayed = (
            mean(float(r[measure]) for r in some if r[measure] is not None) for some in (left, stayed)
        )
        assert of_left < of_stayed


async def test_every_ready_made_list_finds_somebody(demo_db: Database) -> None:
    token = await demo.ensure(demo_db, None, DEMO_NOW, lambda _step, _share: None)
    assert token is not None
    principal = await keys.authenticate(demo_db, token, DEMO_NOW)
    found = {}
    for template in TEMPLATES:
        ask = Ask(entity="accounts", filter=template.criteria, fields="name", count="exact")
        answer = await reads.collection(demo_db, principal, ask, DEMO_NOW, secret=b"a secret of the tests")
        assert answer.count is not None
        found[template.slug] = answer.count[0]
    assert [slug for slug, count in found.items() if not 0 < count < 1000] == []


async def test_a_key_that_works_is_kept(demo_db: Database) -> None:
    first = await demo.ensure(demo_db, None, DEMO_NOW, lambda _step, _share: None)
    assert await demo.ensure(demo_db, first, DEMO_NOW, lambda _step, _share: None) == first
    assert await demo.ensure(demo_db, "strata_nonsense", DEMO_NOW, lambda _step, _share: None) != first


async def test_it_is_made_once(demo_db: Database) -> None:
    with pytest.raises(Conflict):
        await demo.load(demo_db, DEMO_NOW, lambda _step, _share: None)
    assert await workspaces.find(demo_db, demo.SLUG) is not None


async def test_stages_have_a_history_that_leads_to_them(demo_db: Database) -> None:
    rows = await demo_db.fetch(
        "SELECT a.stage, a.stage_since, m.stage AS moved, m.moved_at::date AS day, m.was, m.was_since, l.stage AS before,"
        " l.moved_at AS before_at FROM accounts a LEFT JOIN LATERAL (SELECT * FROM stage_moves m WHERE m.workspace_id = $1"
        " AND m.account_id = a.id ORDER BY m.moved_at DESC LIMIT 1) m ON true LEFT JOIN LATERAL (SELECT * FROM stage_moves m"
        " WHERE m.workspace_id = $1 AND m.account_id = a.id ORDER BY m.moved_at DESC OFFSET 1 LIMIT 1) l ON true"
        " WHERE a.workspace_id = $1",
        await workspaces.find(demo_db, demo.SLUG),
    )
    assert [row for row in rows if row["stage"] != row["moved"]] == []
    assert [row for row in rows if row["stage"] is not None and row["stage_since"] != row["day"]] == []
    assert [row for row in rows if (row["was"], row["was_since"]) != (row["before"], row["before_at"])] == []
    assert len({row["before"] for row in rows}) > 3


# -- the year behind it ------------------------------------------------------------------------------------------------


async def asker(db: Database, role: Role = "admin") -> Principal:
    found = await workspaces.find(db, demo.SLUG)
    assert found is not None
    return Principal(UUID(int=1), await workspaces.load(db, found), role)


def test_months_are_looked_at_on_their_first_day() -> None:
    assert past.days(date(2026, 11, 20))[0::11] == (date(2025, 12, 1), date(2026, 11, 1))
    assert past.days(date(2026, 3, 1))[0::11] == (date(2025, 3, 1), date(2026, 2, 1))
    assert len(set(past.days(date(2026, 1, 31)))) == past.MONTHS


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 8, 1)])
async def test_accounts_stood_where_their_contracts_put_them(demo_db: Database, day: date) -> None:
    """By the cuts of then, which stand still, and ARR as the contracts in force that day have it."""
    workspace = (await asker(demo_db)).workspace
    (cuts,) = (await segmentations.get(demo_db, await asker(demo_db), "tier", DEMO_NOW))["cuts"]
    medium, high = (int(at * 100) for at in cuts["at"])
    wrong = await demo_db.fetch(
        """SELECT a.external_id, h.segment, k.arr FROM accounts a
          LEFT JOIN stays h ON h.workspace_id = $1 AND h.segmentation_id = $2 AND h.account_id = a.id AND h.from_at <= $3 AND (h.to_at > $3 OR h.to_at IS NULL)
          CROSS JOIN LATERAL (SELECT coalesce(sum(c.arr), 0) AS arr FROM contracts c WHERE c.workspace_id = $1 AND c.account_id = a.id
            AND c.start_date <= $4 AND c.end_date >= $4) k
          WHERE a.workspace_id = $1 AND h.segment IS DISTINCT FROM CASE WHEN a.created_at > $4 THEN NULL WHEN k.arr >= $6 THEN 'high'
            WHEN k.arr >= $5 THEN 'medium' ELSE 'low' END""",
        workspace.id, workspace.segmentations["tier"].id, datetime.combine(day, time(3), UTC), day, medium, high,
    )  # fmt: skip
    assert wrong == []


async def test_stays_follow_each_other_up_to_the_one_that_lasts(demo_db: Database) -> None:
    workspace = (await asker(demo_db)).workspace
    torn = await demo_db.fetch(
        """SELECT account_id FROM (SELECT h.*, lead(h.from_at) OVER w AS next_at, lead(h.segment) OVER w AS becomes
          FROM stays h WHERE h.workspace_id = $1 WINDOW w AS (PARTITION BY h.segmentation_id, h.account_id ORDER BY h.from_at)) s
          WHERE s.to_at IS DISTINCT FROM s.next_at OR s.segment = s.becomes""",
        workspace.id,
    )
    assert torn == []


async def test_who_moved_is_told_between_any_two_days(demo_db: Database) -> None:
    for slug, moved in (("tier", 20), ("portfolio", 60)):
        told = await segment_moves.matrix(demo_db, await asker(demo_db), slug, DEMO_NOW, "2026-02-15", "2026-11-15")
        assert told["moved"]["accounts"] > moved
        assert told["entered"]["accounts"] > 100
        assert told["before"]["accounts"] > 1_000


async def test_scores_are_kept_of_the_last_months(demo_db: Database) -> None:
    principal = await asker(demo_db)
    largest = await demo_db.fetchrow(
        "SELECT a.id FROM accounts a WHERE a.workspace_id = $1 AND a.health IS NOT NULL ORDER BY a.arr DESC LIMIT 1",
        principal.workspace.id,
    )
    assert largest is not None
    for name in SCORES:
        told = await account_scores.of_account(demo_db, principal, largest["id"], name, None, None)
        assert told["change"]["before"] is not None, name
        assert told["history"], name


async def test_scores_go_up_as_well_as_down(demo_db: Database) -> None:
    """Nothing that is known of some months alone moves everybody's at once."""
    rows = await demo_db.fetch(
        """SELECT s.day, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.health) AS health,
          percentile_cont(0.5) WITHIN GROUP (ORDER BY s.engagement) AS engagement,
          percentile_cont(0.5) WITHIN GROUP (ORDER BY s.consumption) FILTER (WHERE s.consumption > 0) AS consumption
        FROM account_scores s WHERE s.workspace_id = $1 GROUP BY s.day ORDER BY s.day""",
        (await asker(demo_db)).workspace.id,
    )
    assert [row["day"] for row in rows] == [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
    for name in SCORES:
        assert max(row[name] for row in rows) - min(row[name] for row in rows) < 8, name


async def test_every_stage_says_how_long_it_lasts_and_some_are_stuck(demo_db: Database) -> None:
    principal = await asker(demo_db)
    assert [rule.slug for rule in principal.workspace.rules if rule.entry] == ["onboarding", "established"]
    page, _, _ = await lifecycle.stuck(demo_db, principal, None, DEMO_NOW, None, 1_000)
    assert {row["stage"] for row in page} == {"trial", "onboarding", "adoption"}
    assert 10 < len(page) < 150


async def test_the_first_night_finds_no_drift_and_empties_no_stage(cluster: Cluster, demo_template: str) -> None:
    db = await Database.open(await cluster.clone(demo_template), size=2)
    try:
        workspace_id = (await asker(db)).workspace.id
        assert await drifted(db, workspace_id, DEMO_NOW) == {0}
        before = await standing(db, workspace_id)
        night = DEMO_NOW + timedelta(hours=13)
        assert await days.roll(db, workspace_id, night)
        assert await drifted(db, workspace_id, night) == {0}
        after = await standing(db, workspace_id)
    finally:
        await db.close()
    assert after.keys() == before.keys()
    assert sum(abs(after[stage] - count) for stage, count in before.items()) <= 12


async def drifted(db: Database, workspace_id: UUID, now: datetime) -> set[int]:
    found = await checks.check(db, workspace_id, now)
    assert found is not None
    return set(found.values())


async def standing(db: Database, workspace_id: UUID) -> dict[str | None, int]:
    sql = "SELECT a.stage, count(*) FROM accounts a WHERE a.workspace_id = $1 GROUP BY 1"
    return {row[0]: row[1] for row in await db.fetch(sql, workspace_id)}


async def test_accounts_came_to_their_stages_as_their_rules_say(demo_db: Database) -> None:
    """The rules moved nobody when they were made: all stood where these would have put them."""
    workspace = (await asker(demo_db)).workspace
    late = await demo_db.fetch(
        "SELECT m.stage, m.cause FROM stage_moves m WHERE m.workspace_id = $1 AND m.moved_at > $2",
        workspace.id,
        DEMO_NOW,
    )
    assert late == []
    causes = await demo_db.fetch("SELECT DISTINCT m.cause FROM stage_moves m WHERE m.workspace_id = $1", workspace.id)
    assert {row["cause"] for row in causes} == {"hand", "criteria", "time"}
