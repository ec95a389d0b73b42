"""Contracts of many accounts, put into a workspace at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from app.domain.forecasting.outcomes import Term
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation

ACCOUNTS = """
INSERT INTO accounts (workspace_id, id, name, external_id, industry, arr, renewal_date, created_at, updated_at)
SELECT $1, a.id, a.name, a.name, a.industry, a.arr, a.renewal_date, $7, $7
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::date[]) a(id, name, industry, arr, renewal_date)
"""
CONTRACTS = """
INSERT INTO contracts (
  workspace_id, id, account_id, product, arr, start_date, end_date, outcome, decided_at, created_at, updated_at
)
SELECT $1, c.* , $10 FROM unnest(
  $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::date[], $7::date[], $8::text[], $9::date[], $11::timestamptz[]
) c
"""
PRODUCTS = """
INSERT INTO products (workspace_id, id, name, slug, created_at, updated_at)
SELECT $1, p.id, p.slug, p.slug, $4, $4 FROM unnest($2::uuid[], $3::text[]) p(id, slug)
"""


async def accounts(
    org: Organisation, names: Sequence[str], industry: Mapping[str, str] | None = None, **more: Sequence[Any]
) -> dict[str, Any]:
    """Accounts by these names; gives their ids. `more`: arr and renewal_date, where they have no contracts."""
    ids = {name: new_id() for name in names}
    industries = [None if industry is None else industry.get(name) for name in names]
    arr, days = more.get("arr", [0] * len(names)), more.get("renewal_date", [None] * len(names))
    await org.run(ACCOUNTS, list(ids.values()), list(names), industries, arr, days, NOW)
    return ids


async def contracts(org: Organisation, terms: Sequence[Term], ids: Mapping[str, Any]) -> None:
    """Contracts as the terms say, each known since `known_on`."""
    slugs = sorted({term.product for term in terms if term.product})
    held = {slug for (slug,) in await org.rows("SELECT slug FROM products WHERE workspace_id = $1")}
    new = [slug for slug in slugs if slug not in held]
    await org.run(PRODUCTS, [new_id() for _ in new], new, NOW)
    await org.run(
        CONTRACTS,
        [term.id for term in terms], [ids[term.account] for term in terms], [term.product or None for term in terms],
        [term.arr for term in terms], [term.start for term in terms], [term.end for term in terms],
        [term.outcome for term in terms], [term.decided_on for term in terms], NOW,
        [_noon(term.known_on) for term in terms],
    )  # fmt: skip


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)
