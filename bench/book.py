"""A synthetic book of customers that stays as it is: made once, as of a day so far ahead that none of it ever grows old."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from time import perf_counter
from uuid import UUID

from app.domain.list_templates import TEMPLATES
from app.domain.roles import Principal
from app.domain.workspaces import Person
from app.persistence.database import Database
from app.services import keys, listings, lists, workspaces
from app.services.calls import Call, new_id
from bench import population
from bench.population import ACCOUNT, CONTACT, SHARE

DAY = date(2100, 1, 1)
MOMENT = datetime(2100, 1, 1, 12, tzinfo=UTC)
FORM = 1
"""Counted up when what is made changes: kept books of another form are made anew."""
SECONDS = 900.0

FEATURES = """
INSERT INTO features (workspace_id, id, name, slug, is_key, no, created_at, updated_at)
SELECT $1, ('01900000-0002-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Feature ' || n, 'feature-' || n, n < 3, n, $2, $2
FROM generate_series(1, 4) n
"""
# A tenth has churned, a twentieth is being onboarded and another owes, some of each lately: every list has a page of 10,000.
ACCOUNTS = f"""
INSERT INTO accounts (workspace_id, id, external_id, name, domain, type, region, employees, csm_id, stage, stage_since, status,
    arr, health, health_band, renewal_date, seats_licensed, seats_active, usage_limit, primary_contact_id, became_customer_at,
    churned_at, open_invoices_amount, last_interaction_at, consumption_score, engagement_score, created_at, updated_at)
SELECT $1, {ACCOUNT}, 'A-' || n, 'Account ' || n, 'a' || n || '.example', (ARRAY['smb', 'mid-market', 'enterprise'])[1 + n % 3],
    (ARRAY['amer', 'emea', 'apac'])[1 + n % 3], 10 + n % 5000, $3,
    CASE WHEN s.stage < 0.05 THEN 'onboarding' WHEN s.stage < 0.4 THEN 'adoption' ELSE 'established' END,
    $4::date - (CASE WHEN s.stage < 0.05 THEN 60 * s.since ELSE 60 + 1500 * s.since END)::int,
    CASE WHEN s.churn < 0.1 THEN 'churned' ELSE 'customer' END,
    (exp(9 + 4 * s.arr) * 100)::bigint, round((100 * s.health)::numeric, 1),
    CASE WHEN s.health < 0.4 THEN 'red' WHEN s.health < 0.7 THEN 'yellow' ELSE 'green' END, $4::date + (360 * s.renewal)::int,
    10 + n % 500, (10 + n % 500) * s.health, 100000, {CONTACT},
    $4::date - (CASE WHEN s.came < 0.02 THEN 300 * s.came ELSE 8 + 2000 * s.came END)::int,
    CASE WHEN s.churn < 0.1 THEN $4::date - (3000 * s.churn)::int END,
    CASE WHEN s.owes < 0.05 THEN (1e6 * s.owes)::bigint ELSE 0 END,
    CASE WHEN s.spoken < 0.9 THEN $5::timestamptz - make_interval(secs => 5e6 * s.spoken) END, 100 * s.spoken, 100 * s.arr, $6, $6
FROM generate_series(1, $2::int8) n CROSS JOIN LATERAL (SELECT {SHARE.format(1)} AS arr, {SHARE.format(2)} AS stage,
    {SHARE.format(3)} AS health, {SHARE.format(4)} AS renewal, {SHARE.format(5)} AS since, {SHARE.format(6)} AS churn,
    {SHARE.format(7)} AS came, {SHARE.format(8)} AS owes, {SHARE.format(9)} AS spoken) s
"""
INVOICES = f"""
INSERT INTO invoices (workspace_id, id, account_id, status, amount, issued_at, due_at, created_at, updated_at)
SELECT $1, ('01900000-0003-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, {ACCOUNT},
    CASE WHEN {SHARE.format(8)} >= 0.05 THEN 'paid' WHEN n % 4 = 0 THEN 'failed' ELSE 'unpaid' END,
    greatest(1, (1e6 * {SHARE.format(8)})::bigint), $3::date - 40, $3::date - 10, $4, $4
FROM generate_series(1, $2::int8) n WHERE {SHARE.format(8)} < 0.3
"""
USAGE = f"""
INSERT INTO usage_windows (workspace_id, account_id, feature, last_7, last_30, last_90, before_30)
SELECT $1, {ACCOUNT}, feature, 0, 60 * {SHARE.format(10)}, 200 * {SHARE.format(10)}, 50
FROM generate_series(1, $2::int8) n, unnest(ARRAY[1, 3]) feature
"""


async def key(db: Database, accounts: int) -> str | None:
    """A key to the book of so many accounts; None where it is not there."""
    sql = "SELECT w.id, u.id FROM workspaces w JOIN users u ON u.workspace_id = w.id WHERE w.slug = $1 AND w.facts_day = $2"
    row = await db.fetchrow(sql, _slug(accounts), DAY)
    if row is None:
        return None
    _, made = await keys.create_key(db, row[0], "bench", "admin", row[1], (), datetime.now(UTC))
    return made


async def make(db: Database, accounts: int) -> None:
    """Makes the book, and says how far it is."""
    workspace_id, admin, _ = await population.organisation(db, _slug(accounts))
    steps: list[tuple[str, str, tuple[object, ...]]] = [
        ("features", FEATURES, (population.NOW,)),
        ("accounts", ACCOUNTS, (accounts, admin, DAY, MOMENT, population.NOW)),
        ("contacts", population.CONTACTS, (accounts, population.NOW)),
        ("invoices", INVOICES, (accounts, DAY, population.NOW)),
        ("usage", USAGE, (accounts,)),
    ]
    say = _progress(accounts)
    for name, sql, told in steps:
        say(name)
        async with db.transaction(statement_timeout=SECONDS) as tx:
            await tx.execute(sql, workspace_id, *told)
    await _lists(db, workspace_id, admin)
    async with db.transaction() as tx:  # the day says that all of it is there
        await tx.execute("UPDATE workspaces SET facts_day = $2 WHERE id = $1", workspace_id, DAY)
    say("done")


async def _lists(db: Database, workspace_id: UUID, admin: UUID) -> None:
    """Every ready-made list, by the body that makes it."""
    workspace = await workspaces.load(db, workspace_id)
    principal = Principal(new_id(), workspace, "admin", Person(admin, (admin,)))
    for template in TEMPLATES:
        body = json.loads(json.dumps(listings.template_body(template), default=float))
        del body["slug"]
        await lists.create(db, Call(principal, datetime.now(UTC)), body)


def _slug(accounts: int) -> str:
    return f"book{FORM}-{accounts}"


def _progress(accounts: int) -> Callable[[str], None]:
    began = perf_counter()
    return lambda name: print(f"  book of {accounts:,}: {perf_counter() - began:,.0f} s, {name}", file=sys.stderr)
