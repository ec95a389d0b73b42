"""The demo: whole, believable, the same for one seed and day, made once."""

from __future__ import annotations

from datetime import date
from itertools import islice
from statistics import mean

import pytest

from app.domain.demo import world
from app.domain.errors import Conflict
from app.domain.list_templates import TEMPLATES
from app.persistence import workspaces
from app.persistence.database import Database
from app.services import demo, keys, reads
from app.services.reads import Ask
from tests.servers import DEMO_NOW

TODAY = date(2026, 11, 20)


def told(seed: int, today: date) -> list[object]:
    base = world.foundation(seed, today)
    return [base, *((rows, list(usage)) for rows, usage in islice(world.accounts(seed, today, base), 25))]


def test_the_same_seed_and_day_make_the_same_world() -> None:
    assert told(7, TODAY) == told(7, TODAY)
    assert told(7, TODAY) != told(8, TODAY)


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
