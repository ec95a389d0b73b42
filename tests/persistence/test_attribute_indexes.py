"""Promoted attributes: what is found, bounded and sorted by them is read from their index, in a workspace of 100,000."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from app.domain.attributes import key_of
from app.domain.catalogue import ACCOUNTS, Kind
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.meant import Column
from app.domain.questions import Page, Pick, Question, Selection
from app.domain.selections import sort
from app.domain.workspaces import clock
from app.persistence.compile import page
from app.persistence.database import Database
from app.services import attribute_indexes, attributes, workspaces
from tests.services.organisations import NOW, Organisation, organisation

pytestmark = pytest.mark.without_rls("plans: only leakproof operators reach an index there")

ROWS = 100_000
# What a row has of each type, from its number n.
VALUES: dict[Kind, str] = {
    "text": "'t' || lpad(n::text, 6, '0')", "number": "n + 0.5", "integer": "n", "money": "n * 100",
    "date": "(date '1900-01-01' + n % 60000)::text",
    "instant": """to_char(timestamp '2020-01-01' + n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
    "enum": "CASE WHEN n % 20000 = 0 THEN 'rare' ELSE 'common' END",
}  # fmt: skip


@pytest.fixture(scope="module")
async def org(db: Database) -> Organisation:
    """Every tenth account has no value of any attribute."""
    made = await organisation(db)
    found = {}
    for kind in VALUES:
        values = ["rare", "common"] if kind == "enum" else []
        body = {"entity": "accounts", "slug": kind, "name": kind, "type": kind, "values": values}
        found[kind] = (await attributes.create(db, made.call(), body)).id
    pairs = ", ".join(f"'{key_of(found[kind])}', {sql}" for kind, sql in VALUES.items())
    await made.run(
        f"""INSERT INTO accounts (workspace_id, id, name, created_at, updated_at, custom)
        SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'a' || n, $2, $2,
            CASE WHEN n % 10 > 0 THEN jsonb_build_object({pairs}) END
        FROM generate_series(1, {ROWS}) n""",
        NOW,
    )
    for attribute_id in found.values():
        await attributes.change(db, made.call(), attribute_id, {"is_promoted": True}, 1)
        await attribute_indexes.seen_to(db, made.workspace.id, attribute_id, NOW, 60)
    return made.with_workspace(**_own(await workspaces.load(db, made.workspace.id)))


def _own(workspace: Any) -> dict[str, Any]:
    return {"attributes": workspace.attributes, "epoch": workspace.epoch}


async def explained(
    org: Organisation, criteria: str, order: str = "", after: tuple[Any, ...] | None = None
) -> tuple[str, int]:
    """The plan of a page, and how many rows the page found."""
    setting = Setting(org.workspace, clock(org.workspace, NOW))
    meaning = check(text.parse(criteria), ACCOUNTS, setting).meaning
    keys = sort(order, ACCOUNTS, org.workspace) if order else ()
    shows = Selection((Pick("id", Column(ACCOUNTS.fields["id"])),))
    statement = page(Question("accounts", meaning, shows, keys, Page(50, after)), org.workspace)
    args = (*statement.args, *(key for key in after or () if key is not None))
    plan = "\n".join(row[0] for row in await org.db.fetch(f"EXPLAIN {statement.text}", *args))
    row = await org.db.fetchrow(statement.text, *args)
    assert row is not None
    return plan, len(msgspec.json.decode(row[0] or b"[]"))


ASKED = [
    ("text", 'custom.text = "t000123"', 1), ("text", 'custom.text IN "t000121".."t000124"', 4),
    ("text", 'custom.text IN ("t000121", "t000122")', 2),
    ("number", "custom.number = 123.5", 1), ("number", "custom.number IN 121..125", 4),
    ("integer", "custom.integer = 123", 1), ("integer", "custom.integer > 99998", 1),
    ("money", "custom.money = 123", 1), ("money", "custom.money < 4", 3),
    ("date", "custom.date = 1900-05-04", 2), ("date", "custom.date IN 1900-05-01..<1900-05-03", 2),
    ("instant", "custom.instant IN 2020-01-02T00:00:00Z..2020-01-02T00:03:00Z", 3),
    ("enum", 'custom.enum = "rare"', 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "criteria", "found"), ASKED)
async def test_criteria_read_the_index(org: Organisation, kind: str, criteria: str, found: int) -> None:
    plan, rows = await explained(org, criteria)
    assert f"_{kind}_idx" in plan, plan
    assert "Seq Scan on accounts" not in plan
    assert rows == found


@pytest.mark.parametrize("kind", ["text", "number", "integer", "money", "date", "instant"])
@pytest.mark.parametrize("sign", ["", "-"])
async def test_sorts_read_the_index(org: Organisation, kind: str, sign: str) -> None:
    plan, rows = await explained(org, "ALL", f"{sign}custom.{kind}")
    assert f"_{kind}_idx" in plan, plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan.replace("Sort Key", ""), plan
    assert rows == 50


AFTER: dict[str, Any] = {
    "text": "t050001", "number": 50_001.5, "integer": 50_001, "date": date(1950, 1, 1), "instant": datetime(2020, 2, 1, tzinfo=NOW.tzinfo),
}  # fmt: skip


@pytest.mark.parametrize("kind", AFTER)
async def test_pages_go_on_in_the_index(org: Organisation, kind: str) -> None:
    last = await org.rows("SELECT id FROM accounts WHERE workspace_id = $1 ORDER BY id LIMIT 1")
    plan, rows = await explained(org, "ALL", f"custom.{kind}", (AFTER[kind], last[0][0]))
    assert f"_{kind}_idx" in plan, plan
    assert "Seq Scan" not in plan
    assert rows == 50


async def test_what_is_not_promoted_is_found_by_the_index_over_all(org: Organisation) -> None:
    found = dict(org.workspace.attributes)
    found["accounts", "text"] = replace(found["accounts", "text"], indexed=False)
    plan, rows = await explained(org.with_workspace(attributes=found), 'custom.text = "t000123"')
    assert "accounts_custom_idx" in plan, plan
    assert rows == 1
