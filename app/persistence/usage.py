"""Usage: the monthly partitions that days are packed into, and values written by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from app.domain.errors import Invalid
from app.persistence.database import Transaction

Key = tuple[UUID, date, int, UUID | None]
"""What a value of usage is the value of: account, day, number of the feature, contact or none."""

OLDEST, NEWEST = 1970, 2199
MAX_MONTHS = 1200

# Held against another session that makes the same partitions; readers and writers of usage go on.
LOCK = "LOCK TABLE usage_days IN SHARE UPDATE EXCLUSIVE MODE"

# Values take the place of those of the same key; all other values of the same days stay.
MERGED = """
WITH fresh AS (
  {fresh}
), days AS (
  SELECT DISTINCT account_id, day FROM fresh
), merged AS (
  SELECT d.account_id, d.day, x.feature, x.contact, x.amount
  FROM days q JOIN usage_days d ON d.workspace_id = $1 AND d.account_id = q.account_id AND d.day = q.day
  CROSS JOIN LATERAL unnest(d.features, d.contacts, d.amounts) x(feature, contact, amount)
  WHERE NOT EXISTS (SELECT FROM fresh f WHERE f.account_id = d.account_id AND f.day = d.day AND f.feature = x.feature
    AND f.contact_id IS NOT DISTINCT FROM x.contact)
  UNION ALL SELECT * FROM fresh
)
INSERT INTO usage_days AS z (workspace_id, account_id, day, features, contacts, amounts)
SELECT $1, account_id, day, array_agg(feature ORDER BY feature, contact), array_agg(contact ORDER BY feature, contact),
  array_agg(amount ORDER BY feature, contact)
FROM merged GROUP BY account_id, day
ON CONFLICT (workspace_id, account_id, day) DO UPDATE
SET features = excluded.features, contacts = excluded.contacts, amounts = excluded.amounts
WHERE z.workspace_id = $1
"""
PUT = MERGED.format(
    fresh="SELECT * FROM unnest($2::uuid[], $3::date[], $4::smallint[], $5::uuid[], $6::float8[])"
    " AS f(account_id, day, feature, contact_id, value)"
)
STORED = """
SELECT f.place, x.amount FROM unnest($2::uuid[], $3::date[], $4::smallint[], $5::uuid[]) WITH ORDINALITY
  AS f(account_id, day, feature, contact_id, place)
JOIN usage_days d ON d.workspace_id = $1 AND d.account_id = f.account_id AND d.day = f.day AND d.day BETWEEN $6 AND $7
CROSS JOIN LATERAL unnest(d.features, d.contacts, d.amounts) x(feature, contact, amount)
WHERE x.feature = f.feature AND x.contact IS NOT DISTINCT FROM f.contact_id
"""
# What is left of a day when one key goes; nothing may be.
LEFT = """
SELECT array_agg(x.feature ORDER BY x.feature, x.contact) AS features,
  array_agg(x.contact ORDER BY x.feature, x.contact) AS contacts, array_agg(x.amount ORDER BY x.feature, x.contact) AS amounts
FROM usage_days d CROSS JOIN LATERAL unnest(d.features, d.contacts, d.amounts) x(feature, contact, amount)
WHERE d.workspace_id = $1 AND d.account_id = $2 AND d.day = $3
  AND NOT (x.feature = $4 AND x.contact IS NOT DISTINCT FROM $5)
"""
KEEP = """
UPDATE usage_days SET features = $4, contacts = $5, amounts = $6 WHERE workspace_id = $1 AND account_id = $2 AND day = $3
"""
DROP = "DELETE FROM usage_days WHERE workspace_id = $1 AND account_id = $2 AND day = $3"
# Held against being deleted, whoever else says values of them.
NUMBERS = """
SELECT f.slug, f.no FROM features f WHERE f.workspace_id = $1 AND f.slug = ANY ($2) ORDER BY f.no FOR KEY SHARE
"""


async def numbers(tx: Transaction, workspace_id: UUID, slugs: Collection[str]) -> dict[str, int]:
    """The numbers of features by slug; nobody can delete those until the transaction ends."""
    return {row["slug"]: row["no"] for row in await tx.fetch(NUMBERS, workspace_id, list(slugs))}


async def stored(tx: Transaction, workspace_id: UUID, keys: Sequence[Key]) -> dict[Key, float]:
    """The values of keys, of those that have one."""
    accounts, days, features, contacts = (list(column) for column in zip(*keys, strict=True))
    rows = await tx.fetch(STORED, workspace_id, accounts, days, features, contacts, min(days), max(days))
    return {keys[row["place"] - 1]: row["amount"] for row in rows}


async def put(tx: Transaction, workspace_id: UUID, values: Mapping[Key, float]) -> None:
    """Gives keys their values; the accounts must be held, and partitions there."""
    accounts, days, features, contacts = (list(column) for column in zip(*values, strict=True))
    await tx.execute(PUT, workspace_id, accounts, days, features, contacts, list(values.values()))


async def delete(tx: Transaction, workspace_id: UUID, key: Key) -> None:
    """Takes the value of a key away; the account must be held."""
    account_id, day, feature, contact_id = key
    left = await tx.fetchrow(LEFT, workspace_id, account_id, day, feature, contact_id)
    if left is None or left["features"] is None:
        await tx.execute(DROP, workspace_id, account_id, day)
    else:
        await tx.execute(KEEP, workspace_id, account_id, day, left["features"], left["contacts"], left["amounts"])


def months(first: date, last: date) -> list[date]:
    """The first day of every month from that of `first` to that of `last`; Invalid outside of what can be kept."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if count > MAX_MONTHS or first.year < OLDEST or last.year > NEWEST:
        raise Invalid(f"Usage is kept for days from {OLDEST} to {NEWEST}, not for {first} to {last}.")
    start = first.year * 12 + first.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(start, start + count)]


def partition(month: date) -> str:
    """The name of the month's partition."""
    return f"usage_days_{month:%Y_%m}"


async def ensure_months(tx: Transaction, first: date, last: date) -> None:
    """Make the partitions that days from `first` to `last` need.

    Where one is missing, writers of accounts wait until the transaction ends: give it a short one of its own.
    """
    wanted = months(first, last)
    if not await _missing(tx, wanted):
        return
    await tx.execute(LOCK)
    for month in await _missing(tx, wanted):
        name, after = partition(month), date(month.year + month.month // 12, month.month % 12 + 1, 1)
        await tx.execute(
            f"CREATE TABLE {name} (LIKE usage_days INCLUDING DEFAULTS INCLUDING CONSTRAINTS); "
            f"ALTER TABLE usage_days ATTACH PARTITION {name} FOR VALUES FROM ('{month}') TO ('{after}')"
        )


async def missing(tx: Transaction, days: Collection[date]) -> list[date]:
    """The months of these days that have no partition yet."""
    return await _missing(tx, sorted({day.replace(day=1) for day in days}))


async def _missing(tx: Transaction, wanted: list[date]) -> list[date]:
    rows = await tx.fetch(
        "SELECT n FROM unnest($1::text[]) n WHERE to_regclass(n) IS NULL", [partition(month) for month in wanted]
    )
    missing = {row["n"] for row in rows}
    return [month for month in wanted if partition(month) in missing]
