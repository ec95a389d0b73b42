"""What the workspace knows nothing of at all is said beside every answer that it decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria.gaps import KEPT_FROM, Gap
from app.domain.list_templates import TEMPLATES
from app.persistence.database import Database
from app.persistence.gaps import can_ask
from app.services import criteria, list_rows, lists, reads, summaries
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, document, organisation, with_tier

SECRET = b"s" * 32
LATER = NOW + timedelta(minutes=2)
ACCOUNT = "INSERT INTO accounts (workspace_id, id, name, status, health, created_at, updated_at) VALUES ($1, $2, $3, 'customer', 50, $4, $4)"
CALL = (
    "INSERT INTO interactions (workspace_id, id, account_id, kind, direction, is_automated, occurred_at, created_at, updated_at)"
    " VALUES ($1, $2, $3, 'call', 'inbound', false, $4, $4, $4)"
)
FEATURE = "INSERT INTO features (workspace_id, id, no, slug, name, is_key, created_at, updated_at) VALUES ($1, $2, $3, $4, $4, $5, $6, $6)"
NO_INTERACTION = "No interaction was ever recorded in this workspace, so every account meets what is asked of interactions: it says nothing about any of them."
NO_KEY = "No feature is marked as key in this workspace, so every account meets what is asked of the usage of key features: it says nothing about any of them."


async def notes(org: Organisation, text: str, entity: str = "accounts", now: Any = NOW) -> list[str]:
    ask = reads.Ask(entity, filter=text)
    return list((await reads.collection(org.db, org.people["admin"], ask, now, secret=SECRET)).notes)


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Accounts, and nothing that belongs to them."""
    made = await with_tier(await organisation(db))
    for name in ("a", "b"):
        await made.run(ACCOUNT, new_id(), name, NOW)
    return made


async def test_what_was_never_recorded_is_said(org: Organisation) -> None:
    assert await notes(org, "none(interactions, last(30d))") == [NO_INTERACTION]
    assert await notes(org, "NOT any(interactions, last(30d))") == [NO_INTERACTION]
    nobody = ["No invoice was ever recorded in this workspace, so no account meets what is asked of invoices."]
    assert await notes(org, 'any(invoices WHERE status = "failed")') == nobody
    assert await notes(org, "open_invoices_amount > 0") == nobody
    assert await notes(org, "last_interaction_at IN last(30d)") == [
        "No interaction was ever recorded in this workspace, so no account meets what is asked of interactions."
    ]
    assert await notes(org, "count(tickets) > 3 OR count(tickets) < 2") == [
        "No ticket was ever recorded in this workspace, so what is asked of tickets says nothing about any account."
    ]
    assert await notes(org, "renewal_date IN next(90d)") == [
        "No account in this workspace has a value for renewal_date, so no account meets what is asked of it."
    ]
    assert await notes(org, "account.renewal_date IS EMPTY", "contacts") == [
        "No account in this workspace has a value for renewal_date, so every contact meets what is asked of it: it says nothing about any of them."
    ]
    assert await notes(org, 'health < 60 AND name = "a" AND cost_to_serve IS EMPTY') == []


async def test_key_features_that_nobody_marked_are_said(org: Organisation) -> None:
    await org.run(FEATURE, new_id(), 1, "reports", False, NOW)
    low = "sum(usage.value WHERE is_key = true, last(30d)) < 20"
    usage = "No usage was ever recorded in this workspace, so every account meets what is asked of usage: it says nothing about any of them."
    assert await notes(org, low) == [usage, NO_KEY]
    assert await notes(org, "sum(usage.value WHERE is_key = false, last(30d)) < 20") == [usage]
    await org.run(FEATURE, new_id(), 2, "exports", True, NOW)
    assert await notes(org, low) == [usage]


async def test_nothing_is_said_once_there_is_one(org: Organisation) -> None:
    (account,) = (await org.rows("SELECT id FROM accounts WHERE workspace_id = $1 AND name = 'a'"))[0]
    assert await notes(org, "none(interactions, last(30d))") == [NO_INTERACTION]
    await org.run(CALL, new_id(), account, NOW)
    assert await notes(org, "none(interactions, last(30d))") == []
    await org.run("DELETE FROM interactions WHERE workspace_id = $1")
    assert await notes(org, "none(interactions, last(30d))") == [], "looked for a moment ago"
    assert await notes(org, "none(interactions, last(30d))", now=LATER) == [NO_INTERACTION]


async def test_every_answer_of_a_list_says_it_and_selects_the_same(org: Organisation) -> None:
    template = next(one for one in TEMPLATES if one.slug == "no-interaction")
    told = {"entity": "accounts", "name": "Quiet", "criteria": {"text": template.criteria}, "columns": ["name"]}
    made = await lists.create(org.db, org.call("csm"), told)
    ask = await list_rows.ask(org.db, org.people["csm"], made.id, NOW)
    page = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    assert [row["name"] for row in document(page.data)] == ["a", "b"]
    assert page.notes == (NO_INTERACTION,)
    summed = await summaries.summarise(org.db, org.people["csm"], replace(ask, sort=None), "industry", "count", NOW)
    assert summed.notes == (NO_INTERACTION,)
    body = {"entity": "accounts", "filter": template.criteria}
    assert list((await criteria.preview(org.db, org.people["csm"], body, NOW))["notes"]) == [NO_INTERACTION]


async def test_check_warns_where_it_is_asked(org: Organisation) -> None:
    body = {"entity": "accounts", "filter": 'status = "customer" AND none(interactions, last(30d))'}
    found = await criteria.check(org.db, org.people["csm"], body, NOW)
    assert found["ok"]
    assert [
        (one["code"], one["severity"], one["message"], one["pointer"], one["column"]) for one in found["problems"]
    ] == [("no_data", "warning", NO_INTERACTION, "/filter", 25)]


def test_what_is_kept_of_related_records_is_known() -> None:
    for entity, fields in KEPT_FROM.items():
        for name, source in fields.items():
            assert ENTITIES[entity].fields[name].derived
            assert can_ask(Gap(source))
    assert can_ask(Gap("accounts", "csm"))
    assert can_ask(Gap("features", "is_key"))
    assert can_ask(Gap("accounts", "usage_limit")), "of few accounts"
    assert not can_ask(Gap("accounts", "cost_to_serve")), "that would read every account"
