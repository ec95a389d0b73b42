"""The ready-made lists over 200,000 accounts: each page is found by an index, and usage is looked up account by account."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.list_templates import TEMPLATES, Template
from app.domain.questions import Page, Question
from app.domain.selections import selection, sort
from app.domain.workspaces import Workspace, clock
from app.persistence import usage
from app.persistence.compile import Statement, page
from app.persistence.database import Database
from app.services import workspaces
from bench import book

pytestmark = pytest.mark.without_rls("plans: only leakproof operators reach an index there")

ROWS = 200_000
LISTS = {one.slug: one for one in TEMPLATES[:7]}
INDEXES = {
    "new-accounts": "accounts_became_customer_name_idx", "onboarding": "accounts_stage_since_idx",
    "renewals": "accounts_renewal_arr_idx", "low-key-usage": "accounts_arr_idx", "no-interaction": "accounts_arr_idx",
    "churned": "accounts_churned_at_idx", "open-invoices": "accounts_open_invoices_idx",
}  # fmt: skip
BACKWARDS = {**INDEXES, "open-invoices": "invoices_open_idx"}
"""Who owes least first: all who owe nothing would stand before them."""
DAYS = """
INSERT INTO usage_days (workspace_id, account_id, day, features, contacts, amounts)
SELECT a.workspace_id, a.id, $2::date - 20, '{1,3}', '{NULL,NULL}', '{5,5}' FROM accounts a WHERE a.workspace_id = $1
"""


@pytest.fixture(scope="module")
async def workspace(db: Database) -> Workspace:
    """The book of the benchmark, with a day of usage of every account."""
    await book.make(db, ROWS)
    workspace_id = await db.fetchval("SELECT id FROM workspaces WHERE facts_day = $1", book.DAY)
    async with db.transaction(statement_timeout=book.SECONDS) as tx:
        await usage.ensure_months(tx, book.DAY - timedelta(days=60), book.DAY)
        await tx.execute(DAYS, workspace_id, book.DAY)
    for table in ("accounts", "contacts", "invoices", "usage_windows", "usage_days"):
        await db.fetch(f"ANALYZE {table}")
    return await workspaces.load(db, workspace_id)


def question(template: Template, workspace: Workspace, order: tuple[str, ...]) -> Question:
    setting = Setting(workspace, clock(workspace, book.MOMENT))
    meaning = check(text.parse(template.criteria), ACCOUNTS, setting).meaning
    shows = selection(template.columns, None, ACCOUNTS, workspace)
    return Question("accounts", meaning, shows, sort(order, ACCOUNTS, workspace), Page(50))


def reversed_(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key[1:] if key.startswith("-") else f"-{key}" for key in order)


async def executed(db: Database, statement: Statement, *after: object) -> str:
    """The plan, but for what was not needed: the rows behind those that filled the page."""
    rows = await db.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {statement.text}", *statement.args, *after)
    return "\n".join(row[0] for row in rows if "never executed" not in row[0])


async def explained(db: Database, asked: Question, workspace: Workspace, *, kept: bool = True) -> tuple[str, int]:
    """The plan of a page, and how many rows the page found."""
    statement = page(asked, workspace, kept=kept)
    row = await db.fetchrow(statement.text, *statement.args)
    assert row is not None
    return await executed(db, statement), len(msgspec.json.decode(row[0] or b"[]"))


def by_account_alone(plan: str) -> None:
    """Fails where usage is read but by the id of an account that is at hand."""
    for scan in re.finditer(r"Scan[^\n]* on (usage_[^\n]*)\n\s*(Index Cond[^\n]*|[^\n]*)", plan):
        assert "account_id = a.id" in scan[2], plan


@pytest.mark.parametrize("slug", LISTS)
async def test_each_uses_its_index(db: Database, workspace: Workspace, slug: str) -> None:
    plan, rows = await explained(db, question(LISTS[slug], workspace, LISTS[slug].sort), workspace)
    assert rows == 50
    assert INDEXES[slug] in plan, plan
    assert "Seq Scan on accounts" not in plan, plan
    assert "usage_days" not in plan, plan
    by_account_alone(plan)


@pytest.mark.parametrize("slug", LISTS)
async def test_the_other_way_round_too(db: Database, workspace: Workspace, slug: str) -> None:
    order = reversed_(LISTS[slug].sort)
    plan, rows = await explained(db, question(LISTS[slug], workspace, order), workspace)
    assert rows == 50
    assert BACKWARDS[slug] in plan, plan
    by_account_alone(plan)


@pytest.mark.parametrize("slug", LISTS)
async def test_the_page_that_follows(db: Database, workspace: Workspace, slug: str) -> None:
    asked = question(LISTS[slug], workspace, LISTS[slug].sort)
    statement = page(asked, workspace)
    row = await db.fetchrow(statement.text, *statement.args)
    assert row is not None
    after = tuple(row[2 : 2 + statement.keys])
    following = page(replace(asked, page=Page(50, after)), workspace)
    plan = await executed(db, following, *(key for key in after if key is not None))
    assert INDEXES[slug] in plan, plan
    assert "Seq Scan on accounts" not in plan, plan
    by_account_alone(plan)


async def test_of_another_day_usage_is_read_by_account(db: Database, workspace: Workspace) -> None:
    asked = question(LISTS["low-key-usage"], workspace, LISTS["low-key-usage"].sort)
    plan, rows = await explained(db, asked, workspace, kept=False)
    assert rows == 50
    assert "usage_days" in plan, plan
    by_account_alone(plan)


@pytest.mark.parametrize("order", ["became_customer_at", "-became_customer_at"])
async def test_an_order_by_day_alone_begins_with_the_index_of_a_list(
    db: Database, workspace: Workspace, order: str
) -> None:
    plan, rows = await explained(db, question(LISTS["new-accounts"], workspace, (order,)), workspace)
    assert rows == 50
    assert INDEXES["new-accounts"] in plan, plan
    assert "Seq Scan on accounts" not in plan, plan


async def test_accounts_of_a_type_are_found_in_order(db: Database, workspace: Workspace) -> None:
    one = replace(LISTS["new-accounts"], criteria='type = "rare" AND region = "north"')
    plan, _ = await explained(db, question(one, workspace, ("-arr",)), workspace)
    assert "accounts_type_arr_idx" in plan, plan
