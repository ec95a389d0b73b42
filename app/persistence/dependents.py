"""Rows that depend on a thing, counted, and the first of their names, in one statement per thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.domain.dependents import EXAMPLES
from app.domain.related import RELATED
from app.persistence.database import Reader, Record, Transaction

OF_ACCOUNT = "(SELECT b.name FROM accounts b WHERE b.workspace_id = $1 AND b.id = d.account_id)"


def _on(words: str, column: str) -> str:
    return f"concat_ws(' ', {words}, 'on', (d.{column} AT TIME ZONE 'UTC')::date)"


CALLED: Mapping[str, str] = {
    "contacts": "d.name", "contracts": "concat_ws(' ', d.product, 'from', d.start_date)", "opportunities": "d.name",
    "interactions": _on("d.kind", "occurred_at"), "invoices": "coalesce(d.number, concat('of ', d.issued_at))",
    "surveys": _on("d.kind", "answered_at"), "tickets": "coalesce(d.external_id, concat('of ', (d.opened_at AT TIME ZONE 'UTC')::date))",
    "requests": _on("d.kind", "asked_at"), "sentiments": "concat('of ', (d.recorded_at AT TIME ZONE 'UTC')::date)",
    "churns": "concat('of ', d.churned_at)",
}  # fmt: skip
"""What records of an account are called by."""
DAY = "d.day::text"
NAMED = "CASE WHEN d.visibility = 'public' OR $4 OR d.owner_id = $5 THEN d.name END"
"""A list's name, for those who may see it: $4 says whether that is everybody's, $5 is who asks."""

# Per thing that can be deleted: what depends, the table, the condition ($2 is its id, $3 its slug) and what to call a
# row by, null where not all may see its name.
SOURCES: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "industries": (("accounts", "accounts", "d.industry = $3", "d.name"), ("scenarios", "scenarios", "d.impacts ? $3", "d.name")),
    "products": (
        ("contracts", "contracts", "d.product = $3", OF_ACCOUNT),
        ("opportunities", "opportunities", "d.product = $3", "d.name"),
    ),
    "features": (
        (
            "days of usage", "usage_days",
            "(SELECT f.no FROM features f WHERE f.workspace_id = $1 AND f.id = $2) = ANY (d.features)", OF_ACCOUNT,
        ),
    ),
    "teams": (("users", "users", "d.team = $3", "d.name"),),
    "stages": (("accounts", "accounts", "d.stage = $3", "d.name"),),
    "users": (
        ("accounts", "accounts", "d.csm_id = $2", "d.name"), ("lists of their own", "lists", "d.owner_id = $2", NAMED),
        ("API keys", "api_keys", "d.user_id = $2", "d.name"), ("opportunities", "opportunities", "d.owner_id = $2", "d.name"),
        ("sentiments", "sentiments", "d.author_id = $2", OF_ACCOUNT),
    ),
    "accounts": (
        ("child accounts", "accounts", "d.parent_id = $2", "d.name"),
        *((name, name, "d.account_id = $2", CALLED[name]) for name in RELATED),
        ("days of usage", "usage_days", "d.account_id = $2", DAY),
    ),
    "contacts": (
        *((name, name, "d.contact_id = $2", CALLED[name]) for name in ("interactions", "surveys", "tickets")),
        (
            "days of usage", "usage_days",
            "d.account_id = (SELECT c.account_id FROM contacts c WHERE c.workspace_id = $1 AND c.id = $2) AND $2 = ANY (d.contacts)",
            DAY,
        ),
    ),
    "lists": (
        (
            "people's default lists", "list_defaults", "d.list_id = $2",
            "(SELECT u.name FROM users u WHERE u.workspace_id = $1 AND u.id = d.user_id)",
        ),
    ),
}  # fmt: skip


def _statement(sources: Sequence[tuple[str, str, str, str]]) -> str:
    parts = []
    for place, (_, table, condition, name) in enumerate(sources):
        rows = f"FROM {table} d WHERE d.workspace_id = $1 AND {condition}"
        examples = f"ARRAY(SELECT {name} AS name {rows} AND {name} IS NOT NULL ORDER BY name LIMIT {EXAMPLES})"
        parts.append(f"SELECT {place} AS place, (SELECT count(*) {rows}) AS count, {examples} AS examples")
    # All parameters are named, whichever of them a thing is known by.
    named = "$2::uuid IS NOT NULL OR $3::text IS NULL OR $4::bool OR $5::uuid IS NULL"
    return f"SELECT s.* FROM ({' UNION ALL '.join(parts)}) s WHERE {named}"


STATEMENTS = {entity: _statement(sources) for entity, sources in SOURCES.items()}

# What may name one of $2: its text is looked for first, so that few criteria are read.
LISTS = """
SELECT l.id, l.entity, l.name, l.visibility, l.owner_id, l.criteria, l.columns, l.sort FROM lists l
WHERE l.workspace_id = $1 AND EXISTS (
    SELECT FROM unnest($2::text[]) n(told)
    WHERE strpos(l.criteria::text, n.told) > 0 OR strpos(array_to_string(l.columns || l.sort, ' '), n.told) > 0
) ORDER BY l.name, l.id
"""
SEGMENTATIONS = """
SELECT s.id, s.slug, s.spec, s.segments FROM segmentations s
WHERE s.workspace_id = $1 AND EXISTS (
    SELECT FROM unnest($2::text[]) n(told) WHERE strpos(s.segments::text, n.told) > 0 OR strpos(s.spec::text, n.told) > 0
) ORDER BY s.slug
"""
USER = "SELECT external_id, email FROM users WHERE workspace_id = $1 AND id = $2"


async def rows(
    tx: Transaction,
    workspace_id: UUID,
    entity: str,
    record_id: UUID,
    slug: str | None,
    *,
    every: bool,
    user_id: UUID | None,
) -> list[tuple[str, int, list[str]]]:
    """What refers to it, how often, and the first names; nothing where nothing does. Private lists are named where `every`
    one may be, or to the user whose they are."""
    if entity not in STATEMENTS:
        return []
    found = await tx.fetch(STATEMENTS[entity], workspace_id, record_id, slug, every, user_id)
    return [
        (SOURCES[entity][r["place"]][0], r["count"], list(dict.fromkeys(r["examples"]))) for r in found if r["count"]
    ]


async def lists(reader: Reader, workspace_id: UUID, told: Sequence[str]) -> list[Record]:
    """Lists whose criteria, columns or sort have one of these texts somewhere."""
    return await reader.fetch(LISTS, workspace_id, told)


async def segmentations(tx: Transaction, workspace_id: UUID, told: Sequence[str]) -> list[Record]:
    """Segmentations whose criteria have one of these texts somewhere."""
    return await tx.fetch(SEGMENTATIONS, workspace_id, told)


async def names_of_user(tx: Transaction, workspace_id: UUID, user_id: UUID) -> list[str]:
    """What else criteria may call a user by."""
    row = await tx.fetchrow(USER, workspace_id, user_id)
    return [name for name in row.values() if name is not None] if row else []
