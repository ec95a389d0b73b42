"""A synthetic organisation of any size, made by SQL: pure functions of a row's number."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from app.persistence.database import Database
from app.services import keys, users, workspaces

NOW = datetime.now(UTC)
"""What is made is of today: a server that computes its facts anew finds nothing grown old."""
SECONDS = 300.0

# A share from 0 to 1 that looks drawn, for a row's number and a salt.
SHARE = "((hashint8((n * 31 + {0})::bigint)::bigint & 1048575) / 1048575.0)"
IDENTITY = "('01900000-{0}-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
ACCOUNT, CONTACT = IDENTITY.format("0000"), IDENTITY.format("0001")

ACCOUNTS = f"""
INSERT INTO accounts (workspace_id, id, external_id, name, domain, type, region, country, employees, csm_id, stage, status,
    arr, arr_by_hand, growth_potential, growth_potential_by_hand, health, renewal_date, renewal_date_by_hand,
    seats_licensed, seats_licensed_by_hand, seats_active, usage_limit, primary_contact_id, created_at, updated_at)
SELECT $1, {ACCOUNT}, 'A-' || n, 'Account ' || n, 'a' || n || '.example', (ARRAY['smb', 'mid-market', 'enterprise'])[1 + n % 3],
    (ARRAY['amer', 'emea', 'apac'])[1 + n % 3], (ARRAY['US', 'DE', 'JP'])[1 + n % 3], 10 + n % 5000, $3,
    (ARRAY['onboarding', 'adoption', 'established'])[1 + n % 3], 'customer', s.arr, s.arr, s.growth, s.growth,
    round((100 * {SHARE.format(3)})::numeric, 1), s.renewal, s.renewal, s.seats, s.seats, s.seats * {SHARE.format(5)},
    100000, {CONTACT}, $5, $5
FROM generate_series(1, $2::int8) n CROSS JOIN LATERAL (SELECT (exp(9 + 4 * {SHARE.format(1)}) * 100)::bigint AS arr,
    (exp(8 + 4 * {SHARE.format(2)}) * 100)::bigint AS growth, $4::date + (360 * {SHARE.format(4)})::int AS renewal,
    10 + n % 500 AS seats) s
"""
CONTACTS = f"""
INSERT INTO contacts (workspace_id, id, account_id, name, email, title, role, is_primary, created_at, updated_at)
SELECT $1, {CONTACT}, {ACCOUNT}, 'Contact ' || n, 'c' || n || '@example.com', 'Team Lead', 'champion', true, $3, $3
FROM generate_series(1, $2::int8) n
"""
INTERACTIONS = f"""
INSERT INTO interactions (workspace_id, id, account_id, contact_id, kind, direction, occurred_at, subject, created_at, updated_at)
SELECT $1, ('01900000-1' || lpad(to_hex(k), 3, '0') || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, {ACCOUNT}, {CONTACT},
    'call', 'outbound', $3::timestamptz - make_interval(days => (k * 9 + n % 7)::int), 'Call ' || k, $3, $3
FROM generate_series(1, $2::int8) n, generate_series(1, 4) k
"""


async def organisation(db: Database, slug: str) -> tuple[UUID, UUID, str]:
    """A new workspace with an admin; the ids of both, and a key."""
    workspace_id = await workspaces.create_workspace(db, slug.capitalize(), NOW, slug=slug)
    admin = await users.create_user(db, workspace_id, "admin@example.com", "Admin", "admin", None, NOW)
    _, key = await keys.create_key(db, workspace_id, "bench", "admin", admin, (), NOW)
    return workspace_id, admin, key


async def accounts(db: Database, workspace_id: UUID, csm: UUID, count: int) -> None:
    """Accounts with money, health and renewals."""
    async with db.transaction(statement_timeout=SECONDS) as tx:
        await tx.execute(ACCOUNTS, workspace_id, count, csm, NOW.date(), NOW)


async def contacts(db: Database, workspace_id: UUID, count: int) -> None:
    """A primary contact for each account."""
    async with db.transaction(statement_timeout=SECONDS) as tx:
        await tx.execute(CONTACTS, workspace_id, count, NOW)


async def people(db: Database, workspace_id: UUID, count: int) -> None:
    """A primary contact and four interactions for each account."""
    await contacts(db, workspace_id, count)
    async with db.transaction(statement_timeout=SECONDS) as tx:
        await tx.execute(INTERACTIONS, workspace_id, count, NOW)
