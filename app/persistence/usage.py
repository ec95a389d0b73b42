"""The monthly partitions of usage."""

from __future__ import annotations

from datetime import date

from app.domain.errors import Invalid
from app.persistence.database import Transaction

OLDEST, NEWEST = 1970, 2199
MAX_MONTHS = 1200

# Held against another session that makes the same partitions; readers and writers of usage go on.
LOCK = "LOCK TABLE usage_days IN SHARE UPDATE EXCLUSIVE MODE"


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


async def _missing(tx: Transaction, wanted: list[date]) -> list[date]:
    rows = await tx.fetch(
        "SELECT n FROM unnest($1::text[]) n WHERE to_regclass(n) IS NULL", [partition(month) for month in wanted]
    )
    missing = {row["n"] for row in rows}
    return [month for month in wanted if partition(month) in missing]
