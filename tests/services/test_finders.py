"""The finders of expansion, risk and references say what they lack where they find nobody."""

from __future__ import annotations

import pytest

from app.domain.catalogue import ENTITIES
from app.domain.criteria.gaps import FOLLOWS
from app.domain.list_templates import TEMPLATES
from app.persistence import gaps
from app.persistence.database import Database
from app.services import list_rows, lists, reads
from app.services.calls import new_id
from app.services.settle import settle
from tests.services.organisations import NOW, Organisation, document, organisation, with_tier

SECRET = b"s" * 32
ACCOUNT = (
    "INSERT INTO accounts (workspace_id, id, name, arr_by_hand, became_customer_at, created_at, updated_at) "
    "VALUES ($1, $2, 'A', 100000, '2025-01-01', $3, $3)"
)
INTERACTION, SENTIMENT, SURVEY, CONTACT = (
    f"No {one} was ever recorded in this workspace" for one in ("interaction", "sentiment", "survey", "contact")
)
INDUSTRY, HEALTH, LIMIT, SEATS = (
    f"No account in this workspace has a value for {one}"
    for one in ("industry", "health", "usage_limit", "seats_active")
)
REFERENCE = "No account in this workspace has is_reference set to true"
LACKING = {
    "expansion": [INDUSTRY, INTERACTION, SENTIMENT], "power-users": [CONTACT], "churn-risk": [HEALTH, SENTIMENT],
    "usage-limits": [LIMIT, SEATS], "case-studies": [REFERENCE], "references": [HEALTH, SENTIMENT, SURVEY],
}  # fmt: skip


@pytest.fixture
async def org(db: Database) -> Organisation:
    """A customer of whom nobody knows more than the ARR."""
    made = await with_tier(await organisation(db))
    await made.run(ACCOUNT, new_id(), NOW)
    async with db.transaction() as tx:
        await settle(tx, made.workspace, None, NOW)
    return made


@pytest.mark.parametrize("slug", LACKING)
async def test_a_finder_says_what_it_lacks(org: Organisation, slug: str) -> None:
    template = next(one for one in TEMPLATES if one.slug == slug)
    told = {"entity": "accounts", "name": slug, "criteria": {"text": template.criteria}, "columns": ["name"]}
    made = await lists.create(org.db, org.call("csm"), told)
    ask = await list_rows.ask(org.db, org.people["csm"], made.id, NOW)
    page = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    assert document(page.data) == []
    assert [note.partition(",")[0] for note in page.notes] == LACKING[slug]


@pytest.mark.parametrize(("few", "said"), [(1, 2), (0, 0)])
async def test_what_few_accounts_tell_is_said_where_there_are_no_more(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, few: int, said: int
) -> None:
    """An account beyond those that are looked at may have a value."""
    monkeypatch.setattr(gaps, "FEW", few)
    ask = reads.Ask("accounts", filter="is_reference = true OR usage_limit_used > 1")
    page = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    assert len(page.notes) == said


@pytest.mark.parametrize("asked", ["is_reference = false", "NOT is_reference = true"])
async def test_that_nobody_is_marked_is_no_gap_where_that_is_asked_for(org: Organisation, asked: str) -> None:
    page = await reads.collection(org.db, org.people["csm"], reads.Ask("accounts", filter=asked), NOW, secret=SECRET)
    assert (len(document(page.data)), page.notes) == (1, ())


async def test_what_follows_from_a_field_is_empty_without_it(org: Organisation) -> None:
    for name, source in FOLLOWS.items():
        assert ENTITIES["accounts"].fields[name].derived
        assert await org.rows(f"SELECT {name}, {source} FROM accounts WHERE workspace_id = $1") == [(None, None)]
    ask = reads.Ask("accounts", filter='health_band = "red" OR impact = "low"')
    page = await reads.collection(org.db, org.people["csm"], ask, NOW, secret=SECRET)
    assert page.notes == (
        f"{HEALTH}, so no account meets what is asked of it.", f"{INDUSTRY}, so no account meets what is asked of it.",
    )  # fmt: skip
