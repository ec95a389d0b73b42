"""What lists hold: asked as any other question, for whoever looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound
from app.domain.list_templates import TEMPLATES
from app.persistence.database import Database
from app.services import accounts, list_rows, lists, reads, workspaces
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, document, organisation, with_tier

SECRET = b"s" * 32
CUSTOMER = {"arr": 5, "became_customer_at": "2026-01-01"}
CONTACT = (
    "INSERT INTO contacts (workspace_id, id, account_id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)"
)

INVOICE = (
    "INSERT INTO invoices (workspace_id, id, account_id, status, amount, issued_at, due_at, created_at, updated_at)"
    " VALUES ($1, $2, $3, 'failed', 100, '2026-01-01', '2026-02-01', $4, $4)"
)


async def make(org: Organisation, role: str = "csm", **body: Any) -> UUID:
    told = {
        "entity": "accounts",
        "name": "L",
        "criteria": {"text": "ALL"},
        "columns": ["name"],
        "sort": ["name"],
        **body,
    }
    return (await lists.create(org.db, org.call(role), told)).id


async def held(org: Organisation, role: str, list_id: UUID, **told: Any) -> Any:
    """The rows that a person of this role finds in the list."""
    principal = org.as_("service", "read") if role == "service" else org.people[role]
    ask = await list_rows.ask(org.db, principal, list_id, NOW, told)
    return document((await reads.collection(org.db, principal, ask, NOW, secret=SECRET)).data)


@pytest.fixture(scope="module")
async def org(db: Database) -> Organisation:
    """Four accounts, a contact of each."""
    made = await with_tier(await organisation(db))
    for name, arr, csm in (("a", 10, "csm"), ("b", 20, "csm"), ("c", 30, "other"), ("d", 40, None)):
        account = await accounts.create(db, made.call(), {"name": name, "arr": arr, "csm": csm, "external_id": name})
        await made.run(CONTACT, new_id(), account.id, f"of {name}", NOW)
    return made


async def test_rows_have_the_lists_columns_in_its_order(org: Organisation) -> None:
    list_id = await make(org, criteria={"text": "arr >= 20"}, columns=["name", "arr", "csm.name"], sort=["-arr"])
    assert await held(org, "csm", list_id) == [
        {"name": "d", "arr": 40, "csm": None},
        {"name": "c", "arr": 30, "csm": {"name": "Other"}},
        {"name": "b", "arr": 20, "csm": {"name": "Csm"}},
    ]
    assert await held(org, "csm", list_id, fields="name", sort="name", limit=2) == [{"name": "b"}, {"name": "c"}]


async def test_mine_follows_whoever_looks(org: Organisation) -> None:
    mine = await make(org, visibility="public", mine=True)
    people = await make(org, visibility="public", mine=True, entity="contacts")
    for role, names in (("csm", ["a", "b"]), ("other", ["c"]), ("viewer", [])):
        assert [row["name"] for row in await held(org, role, mine)] == names
        assert [row["name"] for row in await held(org, role, people)] == [f"of {name}" for name in names]
    assert [row["name"] for row in await held(org, "service", mine, for_user="other@example.com")] == ["c"]
    with pytest.raises(Invalid):
        await held(org, "service", mine)


async def test_mine_adds_to_the_criteria_and_never_widens_them(org: Organisation) -> None:
    list_id = await make(org, mine=True, criteria={"text": "arr = 10 OR arr = 30"})
    assert [row["name"] for row in await held(org, "csm", list_id)] == ["a"]


async def test_parameters_have_defaults_and_are_given_as_text_or_typed(org: Organisation) -> None:
    params = [{"name": "low", "type": "number", "default": 35}, {"name": "like", "type": "text", "default": "a"}]
    list_id = await make(org, criteria={"text": "arr > $low OR name = $like"}, params=params)
    assert [row["name"] for row in await held(org, "csm", list_id)] == ["a", "d"]
    assert [row["name"] for row in await held(org, "csm", list_id, params={"low": "25.00"})] == ["a", "c", "d"]
    assert [row["name"] for row in await held(org, "csm", list_id, params={"low": 25, "like": "b"})] == ["b", "c", "d"]
    for told in ({"low": "many"}, {"high": "5"}, {"low": True}, {"like": 5}, {"low": "1e9"}):
        with pytest.raises(Invalid) as caught:
            await held(org, "csm", list_id, params=told)
        assert [fault.parameter for fault in caught.value.faults] == [f"param.{next(iter(told))}"]


async def test_a_private_lists_rows_are_its_owners(org: Organisation) -> None:
    list_id = await make(org, criteria={"text": "arr > 15"}, mine=True)
    for role in ("admin", "manager", "other", "viewer", "service"):
        with pytest.raises(NotFound):
            await held(org, role, list_id)
    assert (await lists.get(org.db, org.people["admin"], list_id, NOW)).size == 1
    assert (await lists.get(org.db, org.people["csm"], list_id, NOW)).size is None


async def test_a_service_needs_its_scope(org: Organisation) -> None:
    list_id = await make(org, visibility="public")
    assert len(await held(org, "service", list_id)) == 4
    with pytest.raises(Forbidden):
        await list_rows.ask(org.db, org.as_("service", "write"), list_id, NOW)


async def test_a_broken_list_answers_an_error(db: Database) -> None:
    org = await organisation(db)
    await org.run(
        "INSERT INTO segmentations (workspace_id, id, slug, name, kind, spec, segments, rest, cuts, state, created_at, updated_at)"
        " VALUES ($1, $2, 'tier', 'Tier', 'rules', '{}', $3, 'low', '{}', 'ok', $4, $4)",
        new_id(), b'[{"slug": "high", "name": "High", "criteria": "arr > 100"}]', NOW,
    )  # fmt: skip
    await accounts.create(db, org.call(), {"name": "a"})
    known = await workspaces.load(db, org.workspace.id)
    before = org.with_workspace(segmentations=known.segmentations, epoch=known.epoch)
    list_id = await make(before, criteria={"text": 'segment.tier = "low"'}, columns=["name", "segment.tier"])
    assert await held(before, "csm", list_id) == [{"name": "a", "segment": {"tier": "low"}}]
    for table in ("past_stays", "members", "segmentations"):
        await org.run(f"DELETE FROM {table} WHERE workspace_id = $1")
    known = await workspaces.load(db, org.workspace.id)
    after = org.with_workspace(segmentations=known.segmentations, epoch=known.epoch)
    with pytest.raises(Conflict):
        await held(after, "csm", list_id)


async def test_every_ready_made_list_answers(org: Organisation) -> None:
    for template in TEMPLATES:
        list_id = await make(
            org, criteria={"text": template.criteria}, columns=list(template.columns), sort=list(template.sort)
        )
        rows = await held(org, "csm", list_id)
        assert all(set(row) == {column.split(".")[0] for column in template.columns} for row in rows), template.slug


@pytest.mark.parametrize(
    ("slug", "account", "related"),
    [
        ("new-accounts", {"became_customer_at": "2026-11-16"}, None),
        ("onboarding", {"stage": "onboarding"}, None),
        ("renewals", CUSTOMER | {"renewal_date": "2027-02-19"}, None),
        ("low-key-usage", CUSTOMER, None),
        ("no-interaction", CUSTOMER, None),
        ("churned", {"churned_at": "2026-09-24"}, None),
        ("open-invoices", {}, INVOICE),
        ("red-low-key-usage", CUSTOMER | {"health": 10}, None),
        ("usage-limits", CUSTOMER | {"seats_licensed": 10, "seats_active": 9}, None),
        ("churn-risk", CUSTOMER | {"arr": 200_000, "health": 10}, None),
    ],
)  # fmt: skip
async def test_a_ready_made_list_finds_what_it_names_and_nothing_else(
    db: Database, slug: str, account: dict[str, Any], related: str | None
) -> None:
    org = await with_tier(await organisation(db))
    template = next(template for template in TEMPLATES if template.slug == slug)
    long_ago = NOW - timedelta(days=100)
    made = await accounts.create(db, org.call(now=long_ago), {"name": "found", **account})
    await accounts.create(db, org.call(now=long_ago), {"name": "not"})
    if related is not None:
        await org.run(related, new_id(), made.id, NOW)
    list_id = await make(org, criteria={"text": template.criteria}, columns=["name"])
    assert await held(org, "csm", list_id) == [{"name": "found"}]


async def test_accounts_without_an_industry_are_found(db: Database) -> None:
    org = await organisation(db)
    template = next(template for template in TEMPLATES if template.slug == "no-industry")
    await org.industry("retail")
    await accounts.create(db, org.call(), {"name": "known", "industry": "retail"})
    await accounts.create(db, org.call(), {"name": "unknown"})
    list_id = await make(org, criteria={"text": template.criteria}, columns=["name"])
    assert await held(org, "csm", list_id) == [{"name": "unknown"}]
