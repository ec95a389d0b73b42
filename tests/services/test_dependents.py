"""What depends on a thing: counted, named, and nobody's private list among the names."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from app.domain.dependents import Dependent
from app.domain.errors import Conflict
from app.persistence import usage, workspaces
from app.persistence.database import Database
from app.services import accounts, defaults, dependents, lists, records, segmentations, stages
from app.services import usage as by_hand
from app.services.calls import new_id
from tests.services.organisations import NOW, Organisation, organisation

CONTRACT = (
    "INSERT INTO contracts (workspace_id, id, account_id, product, arr, start_date, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, 500000, '2026-01-01', $5, $5)"
)
OPPORTUNITY = (
    "INSERT INTO opportunities (workspace_id, id, account_id, product, owner_id, name, stage, amount, opened_at, created_at,"
    " updated_at) VALUES ($1, $2, $3, $4, $5, 'More', 'open', 100, '2026-01-01', $6, $6)"
)
SENTIMENT = (
    "INSERT INTO sentiments (workspace_id, id, account_id, score, author_id, recorded_at, created_at, updated_at)"
    " VALUES ($1, $2, $3, 4, $4, $5, $5, $5)"
)
FEATURE = "INSERT INTO features (workspace_id, id, name, slug, no, created_at, updated_at) VALUES ($1, $2, $3, $3, $4, $5, $5)"
SCENARIO = (
    "INSERT INTO scenarios (workspace_id, id, name, slug, impacts, lanes, is_active, created_at, updated_at)"
    """ VALUES ($1, $2, 'Downturn', 'downturn', '{"retail": "severe"}', '{}', true, $3, $3)"""
)


async def named(org: Organisation, table: str, slug: str) -> UUID:
    """Adds an industry, a product; gives its id."""
    made = new_id()
    await org.run(
        f"INSERT INTO {table} (workspace_id, id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $3, $4, $4)",
        made, slug, NOW,
    )  # fmt: skip
    return made


async def account(org: Organisation, name: str, **body: Any) -> UUID:
    return (await accounts.create(org.db, org.call(), {"name": name, **body})).id


async def listed(org: Organisation, criteria: str, who: str = "admin", **body: Any) -> UUID:
    told = {"entity": "accounts", "name": criteria[:40], "visibility": "public", "criteria": {"text": criteria}, **body}
    return (await lists.create(org.db, org.call(who), told)).id


async def rules(org: Organisation, slug: str, criteria: str) -> None:
    body = {"name": slug.title(), "kind": "rules", "segments": [{"slug": "in", "name": "In", "criteria": criteria}]}
    await segmentations.put(org.db, org.call(), slug, {**body, "rest": "out"}, None)


async def on(
    org: Organisation, entity: str, record_id: UUID, slug: str | None = None, who: str = "manager"
) -> tuple[Dependent, ...]:
    async with org.db.transaction() as tx:
        return await dependents.of(tx, org.people[who], entity, record_id, slug)


async def test_an_industry_is_named_by_accounts_scenarios_and_criteria(db: Database) -> None:
    org = await organisation(db)
    retail = await named(org, "industries", "retail")
    await named(org, "industries", "banking")
    assert await on(org, "industries", retail, "retail") == ()
    for name in ("Delta", "Acme", "Cole", "Betasoloin"):
        await account(org, name, industry="retail")
    await account(org, "Other", industry="banking")
    await org.run(SCENARIO, new_id(), NOW)
    await listed(org, 'NOT (arr > 5 OR industry IN ("banking", "retail"))', name="Shops")
    await listed(org, 'account.industry = "retail"', entity="contacts", name="Shop people")
    await listed(org, 'name = "retail"', name="Not by its value")
    await rules(org, "shops", 'industry != "retail"')
    assert await on(org, "industries", retail, "retail") == (
        Dependent("accounts", 4, ("Acme", "Betasoloin", "Cole")),
        Dependent("scenarios", 1, ("Downturn",)),
        Dependent("saved lists", 2, ("Shop people", "Shops")),
        Dependent("segmentations", 1, ("shops",)),
    )


async def test_a_refusal_names_each_kind(db: Database) -> None:
    org = await organisation(db)
    retail = await named(org, "industries", "retail")
    for name in ("Acme", "Betasoloin", "Cole", "Delta"):
        await account(org, name, industry="retail")
    await listed(org, 'industry = "retail"', name="Shops")
    with pytest.raises(Conflict) as caught:
        async with db.transaction() as tx:
            await dependents.refuse(tx, org.people["manager"], "industries", retail, "retail")
    assert caught.value.detail == (
        "Expected nothing that depends on it: 4 accounts (Acme, Betasoloin, Cole, …), 1 saved list (Shops)."
    )
    assert [fault.message for fault in caught.value.faults] == [
        "Expected no accounts that depend on it: 4 accounts (Acme, Betasoloin, Cole, …).",
        "Expected no saved lists that depend on it: 1 saved list (Shops).",
    ]


async def test_nothing_that_depends_refuses_nothing(db: Database) -> None:
    org = await organisation(db)
    retail = await named(org, "industries", "retail")
    async with db.transaction() as tx:
        await dependents.refuse(tx, org.people["manager"], "industries", retail, "retail")


async def test_a_refusal_says_the_way_out(db: Database) -> None:
    org = await organisation(db)
    acme = await account(org, "Acme", stage="trial")
    await account(org, "Below", parent_id=str(acme))
    with pytest.raises(Conflict, match="with=records"):
        await accounts.delete(org.db, org.call(), acme, 1)
    with pytest.raises(Conflict, match="move_to"):
        await stages.delete(org.db, org.call(), "slug", "trial", 1)


async def test_private_lists_are_named_to_admins_and_to_whom_they_belong(db: Database) -> None:
    org = await organisation(db)
    retail = await named(org, "industries", "retail")
    await listed(org, 'industry = "retail"', "csm", name="Mine", visibility="private")
    for who, names in (("admin", ("Mine",)), ("manager", ()), ("csm", ("Mine",)), ("viewer", ())):
        assert await on(org, "industries", retail, "retail", who) == (Dependent("saved lists", 1, names),), who
        own = Dependent("lists of their own", 1, names)
        assert await on(org, "users", org.user("csm"), who=who) == (own,), who


async def test_private_lists_are_counted_and_not_named_to_others(db: Database) -> None:
    org = await organisation(db)
    retail = await named(org, "industries", "retail")
    await listed(org, 'industry = "retail"', "csm", name="Mine alone", visibility="private")
    await listed(org, 'industry = "retail"', name="For all")
    assert await on(org, "industries", retail, "retail") == (Dependent("saved lists", 2, ("For all",)),)


async def test_another_workspace_depends_on_nothing_of_ours(db: Database) -> None:
    org, other = await organisation(db), await organisation(db)
    retail = await named(org, "industries", "retail")
    await named(other, "industries", "retail")
    await account(other, "Theirs", industry="retail")
    await listed(other, 'industry = "retail"')
    assert await on(org, "industries", retail, "retail") == ()


async def test_products_and_features(db: Database) -> None:
    org = await organisation(db)
    suite = await named(org, "products", "suite")
    api, acme = new_id(), await account(org, "Acme")
    await org.run(FEATURE, api, "api", 1, NOW)
    await org.run(CONTRACT, new_id(), acme, "suite", NOW)
    await org.run(OPPORTUNITY, new_id(), acme, "suite", None, NOW)
    await listed(org, 'has_any(products, ("suite"))', name="Tagged")
    await listed(org, 'any(contracts WHERE product = "suite")', name="Related")
    await listed(org, 'sum(usage.value WHERE feature = "api", last(30d)) < 3', name="Unused")
    async with db.transaction() as tx:
        await usage.ensure_months(tx, date(2026, 1, 1), date(2026, 1, 31))
    await org.run(
        "INSERT INTO usage_days (workspace_id, account_id, day, features, contacts, amounts)"
        " VALUES ($1, $2, '2026-01-05', '{1}', '{null}', '{3}'), ($1, $2, '2026-01-06', '{1}', '{null}', '{3}')",
        acme,
    )
    assert await on(org, "products", suite, "suite") == (
        Dependent("contracts", 1, ("Acme",)),
        Dependent("opportunities", 1, ("More",)),
        Dependent("saved lists", 2, ("Related", "Tagged")),
    )
    assert await on(org, "features", api, "api") == (
        Dependent("days of usage", 2, ("Acme",)),
        Dependent("saved lists", 1, ("Unused",)),
    )


async def test_users_go_by_id_external_id_and_e_mail(db: Database) -> None:
    org = await organisation(db)
    csm = org.user("csm")
    acme = await account(org, "Acme", csm_id=str(csm))
    await org.run(OPPORTUNITY, new_id(), acme, None, csm, NOW)
    await org.run(SENTIMENT, new_id(), acme, csm, NOW)
    await listed(org, "ALL", "csm", name="Secret", visibility="private")
    await listed(org, 'csm = "csm@example.com"', name="By e-mail")
    await listed(org, f'csm IN ("{csm}", "other")', name="By id")
    await listed(org, 'csm = "other"', name="Somebody else")
    assert await on(org, "users", csm) == (
        Dependent("accounts", 1, ("Acme",)),
        Dependent("lists of their own", 1),
        Dependent("opportunities", 1, ("More",)),
        Dependent("sentiments", 1, ("Acme",)),
        Dependent("saved lists", 2, ("By e-mail", "By id")),
    )


async def test_teams_stages_and_lists(db: Database) -> None:
    org = await organisation(db)
    [(north,)] = await org.rows("SELECT id FROM teams WHERE workspace_id = $1")
    [(trial,)] = await org.rows("SELECT id FROM stages WHERE workspace_id = $1 AND slug = 'trial'")
    await account(org, "Acme", stage="trial")
    begun = await listed(org, 'stage = "trial"', name="Trials")
    await defaults.choose(db, org.call("csm"), "accounts", begun)
    assert await on(org, "teams", north, "north") == (Dependent("users", 2, ("Csm", "Other")),)
    assert await on(org, "stages", trial, "trial") == (
        Dependent("accounts", 1, ("Acme",)), Dependent("saved lists", 1, ("Trials",)),
    )  # fmt: skip
    assert await on(org, "lists", begun) == (Dependent("people's default lists", 1, ("Csm",)),)


async def test_segmentations_are_named_by_criteria_columns_and_sort(db: Database) -> None:
    org = await organisation(db)
    await rules(org, "size", "arr > 100")
    await rules(org, "tier", "arr > 1000")
    org = org.with_workspace(segmentations=(await workspaces.load(db, org.workspace.id)).segmentations)
    size = org.workspace.segmentations["size"].id
    await listed(org, 'segment.size = "in"', name="By value")
    await listed(org, 'in_segment("size", "in")', name="By membership")
    await listed(org, "ALL", name="Shown", columns=["name", "segment.size"])
    await listed(org, "ALL", name="Sorted", sort=["-segment.size"])
    await listed(org, "ALL", name="Of another", columns=["name", "segment.tier"])
    assert await on(org, "segmentations", size, "size") == (
        Dependent("saved lists", 4, ("By membership", "By value", "Shown")),
    )


async def test_what_belongs_to_an_account_or_a_contact_is_named(db: Database) -> None:
    org = await organisation(db)
    acme = await account(org, "Acme", external_id="a-1")
    await account(org, "Below", parent="a-1")
    for name in ("Ann", "Bob", "Cay", "Dee"):
        await records.create(db, org.call(), "contacts", {"account": "a-1", "external_id": name, "name": name})
    for entity, body in (
        ("contracts", {"arr": 1, "start_date": "2026-01-01"}),
        (
            "interactions",
            {"kind": "call", "direction": "inbound", "occurred_at": "2026-11-02T23:30:00Z", "contact": "Ann"},
        ),
        (
            "invoices",
            {"number": "R-7", "status": "paid", "amount": 1, "issued_at": "2026-01-01", "due_at": "2026-01-02"},
        ),
        ("invoices", {"status": "paid", "amount": 1, "issued_at": "2026-01-03", "due_at": "2026-01-04"}),
        ("surveys", {"kind": "nps", "score": 3, "answered_at": "2026-11-02T10:00:00Z", "contact": "Ann"}),
        ("tickets", {"status": "open", "priority": "low", "opened_at": "2026-11-02T10:00:00Z", "contact": "Ann"}),
        ("tickets", {"external_id": "T-9", "status": "open", "priority": "low", "opened_at": "2026-11-02T10:00:00Z"}),
        ("requests", {"kind": "discount", "status": "open", "asked_at": "2026-11-02T10:00:00Z"}),
        ("sentiments", {"score": 3, "recorded_at": "2026-11-02T10:00:00Z"}),
        ("churns", {"churned_at": "2026-11-02"}),
    ):
        await records.create(db, org.call(), entity, {"account": "a-1", **body})
    await records.create(db, org.call(), "features", {"name": "Api", "slug": "api"})
    row = {"account": "a-1", "feature": "api", "day": "2026-11-05", "value": 1, "contact": "Ann"}
    await by_hand.put(db, org.call(), {"rows": [row]})
    assert await on(org, "accounts", acme) == (
        Dependent("child accounts", 1, ("Below",)),
        Dependent("contacts", 4, ("Ann", "Bob", "Cay")),
        Dependent("contracts", 1, ("from 2026-01-01",)),
        Dependent("interactions", 1, ("call on 2026-11-02",)),
        Dependent("invoices", 2, ("R-7", "of 2026-01-03")),
        Dependent("surveys", 1, ("nps on 2026-11-02",)),
        Dependent("tickets", 2, ("T-9", "of 2026-11-02")),
        Dependent("requests", 1, ("discount on 2026-11-02",)),
        Dependent("sentiments", 1, ("of 2026-11-02",)),
        Dependent("churns", 1, ("of 2026-11-02",)),
        Dependent("days of usage", 1, ("2026-11-05",)),
    )
    [(ann,)] = await org.rows("SELECT id FROM contacts WHERE workspace_id = $1 AND name = 'Ann'")
    assert await on(org, "contacts", ann) == (
        Dependent("interactions", 1, ("call on 2026-11-02",)),
        Dependent("surveys", 1, ("nps on 2026-11-02",)),
        Dependent("tickets", 1, ("of 2026-11-02",)),
        Dependent("days of usage", 1, ("2026-11-05",)),
    )


async def test_of_somebody_s_own_lists_only_public_ones_are_named(db: Database) -> None:
    org = await organisation(db)
    await listed(org, "ALL", "csm", name="Secret", visibility="private")
    await listed(org, "ALL", "csm", name="Open")
    assert await on(org, "users", org.user("csm")) == (Dependent("lists of their own", 2, ("Open",)),)


async def test_every_part_of_a_spec_may_name_it(db: Database) -> None:
    """The third axis of a matrix, and criteria and cuts of a score's measures."""
    org = await organisation(db)
    retail = await named(org, "industries", "retail")
    cuts = {"by": "median", "among": 'industry = "retail"'}
    axis = {"field": "arr", "cuts": {"by": "median"}}
    both = [{"slug": one, "name": one, "z": one} for one in ("high", "low")]
    bodies: dict[str, dict[str, Any]] = {
        "axes": {"kind": "matrix", "spec": {"x": axis, "y": axis, "z": {**axis, "cuts": cuts}}, "segments": both},
        "points": {"kind": "score", "spec": {"measures": [{"field": "arr", "cuts": cuts, "points": [0, 1]}], "at": [1]},
                   "segments": [{"slug": one, "name": one} for one in ("high", "low")]},
    }  # fmt: skip
    for slug, body in bodies.items():
        await segmentations.put(org.db, org.call(), slug, {"name": slug, **body}, None)
    assert [str(one) for one in await on(org, "industries", retail, "retail")] == ["2 segmentations (axes, points)"]
