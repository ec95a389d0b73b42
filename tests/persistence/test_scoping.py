"""Every statement is held to one workspace: what tests of other things send (see conftest), and what can be built."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pglast.parser import ParseError

from app import persistence
from app.domain.catalogue import ENTITIES
from app.domain.criteria.check import check
from app.domain.criteria.nodes import Node
from app.domain.questions import Page, Question
from app.domain.selections import everything, usual_order
from app.persistence import (
    accounts,
    attribute_indexes,
    days,
    facts,
    keys,
    pins,
    ranks,
    segments,
    usage,
    watches,
    workspaces,
)
from app.persistence.compile import page
from app.persistence.database import Database
from app.persistence.members import Rule, plan
from app.persistence.scoped import Scoped
from tests import statements
from tests.laws.trees import SETTING, WORKSPACE, criteria
from tests.scoping import EXEMPT, OUTSIDE, findings, told, unscoped

HELD = "SELECT 1 FROM accounts a WHERE a.workspace_id = $1"
INSERT = "INSERT INTO members (workspace_id, segmentation_id)"

# -- the lint ----------------------------------------------------------------------------------------------------------

WRONG = [
    ("SELECT name FROM accounts", "accounts accounts: no accounts.workspace_id = $n"),
    ("SELECT name FROM accounts WHERE id = $1", "accounts accounts: no accounts.workspace_id = $n"),
    ("SELECT 1 FROM accounts WHERE workspace_id = '0'", "accounts accounts: accounts.workspace_id = an expression is no parameter"),
    ("SELECT 1 FROM accounts WHERE workspace_id = ANY ($1)", "accounts accounts: no accounts.workspace_id = $n"),
    ("SELECT 1 FROM accounts WHERE workspace_id <> $1", "accounts accounts: no accounts.workspace_id = $n"),
    ("SELECT 1 FROM accounts a WHERE a.workspace_id = $1 OR a.id = $2", "accounts a: no a.workspace_id = $n"),
    ("SELECT 1 FROM accounts a WHERE NOT a.workspace_id = $1", "accounts a: no a.workspace_id = $n"),
    ("SELECT 1 FROM workspaces w WHERE w.slug = $1", "workspaces w: no w.id = $n"),
    ("SELECT 1 FROM usage_days_2026_11 d WHERE d.day = $1", "usage_days d: no d.workspace_id = $n"),
    ("SELECT 1 FROM usage_days_2026_11_old WHERE day = $1", "usage_days_2026_11_old is no table of ours"),
    ("SELECT 1 FROM public.accounts a", "accounts a: no a.workspace_id = $n"),
    ("SELECT 1 FROM acounts WHERE workspace_id = $1", "acounts is no table of ours"),
    ("SELECT 1 FROM accounts TABLESAMPLE system (1)", "accounts accounts: no accounts.workspace_id = $n"),
    (f"{HELD} AND EXISTS (SELECT FROM users b WHERE b.id = a.csm_id)", "users b: no b.workspace_id = $n"),
    (f"{HELD} AND EXISTS (SELECT FROM users b WHERE a.workspace_id = $1)", "users b: no b.workspace_id = $n"),
    (f"{HELD} AND a.id = (SELECT b.id FROM users b WHERE b.workspace_id = a.workspace_id)", "users b: b.workspace_id = a.workspace_id is no parameter"),
    (f"{HELD} UNION ALL SELECT 1 FROM contacts", "contacts contacts: no contacts.workspace_id = $n"),
    (f"{HELD} ORDER BY (SELECT u.name FROM users u LIMIT 1)", "users u: no u.workspace_id = $n"),
    (f"SELECT 1 FROM contacts c, LATERAL ({HELD}) x WHERE x.workspace_id = $1", "contacts c: no c.workspace_id = $n"),
    ("SELECT 1 FROM accounts a, contacts c WHERE a.workspace_id = $1 AND c.account_id = a.id", "contacts c: no c.workspace_id = $n"),
    ("SELECT 1 FROM accounts a, contacts c WHERE a.workspace_id = $1 AND c.workspace_id = $2", "two values say whose it is: $1, $2"),
    ("SELECT 1 FROM accounts a JOIN contacts c USING (workspace_id) WHERE a.workspace_id = $1", "contacts c: no c.workspace_id = $n"),
    ("SELECT 1 FROM accounts a LEFT JOIN users u ON a.workspace_id = $1 AND u.workspace_id = $1", "accounts a: no a.workspace_id = $n"),
    ("SELECT 1 FROM accounts a RIGHT JOIN users u ON u.workspace_id = $1 WHERE a.workspace_id = $1", "users u: no u.workspace_id = $n"),
    ("SELECT 1 FROM accounts a FULL JOIN users u ON u.workspace_id = $1 WHERE a.workspace_id = $1", "users u: no u.workspace_id = $n"),
    ("WITH x AS (SELECT id FROM accounts) SELECT 1 FROM x", "accounts accounts: no accounts.workspace_id = $n"),
    ("WITH accounts AS (SELECT id FROM accounts) SELECT 1 FROM accounts", "accounts accounts: no accounts.workspace_id = $n"),
    ("WITH contacts AS (SELECT 1) SELECT 1 FROM (SELECT 1 FROM public.contacts) x", "contacts contacts: no contacts.workspace_id = $n"),
    ("WITH RECURSIVE up AS (SELECT $1::uuid AS id UNION ALL SELECT a.parent_id FROM up JOIN accounts a ON a.id = up.id) SELECT 1 FROM up", "accounts a: no a.workspace_id = $n"),
    ("WITH gone AS (DELETE FROM members m RETURNING m.segment) SELECT 1 FROM gone", "members m: no m.workspace_id = $n"),
    ("UPDATE accounts SET name = $2 WHERE id = $1", "accounts accounts: no accounts.workspace_id = $n"),
    ("UPDATE accounts a SET name = u.name FROM users u WHERE a.workspace_id = $1 AND u.id = a.csm_id", "users u: no u.workspace_id = $n"),
    ("UPDATE accounts SET csm_id = (SELECT id FROM users WHERE email = $2) WHERE workspace_id = $1", "users users: no users.workspace_id = $n"),
    ("UPDATE accounts SET workspace_id = $2 WHERE workspace_id = $1", "workspace_id of accounts is changed"),
    ("DELETE FROM members WHERE account_id = $1", "members members: no members.workspace_id = $n"),
    ("DELETE FROM members m USING accounts a WHERE m.workspace_id = $1 AND a.id = m.account_id", "accounts a: no a.workspace_id = $n"),
    ("INSERT INTO members VALUES ($1, $2)", "INSERT sets no workspace_id of members"),
    ("INSERT INTO members (segmentation_id) VALUES ($1)", "INSERT sets no workspace_id of members"),
    (f"{INSERT} VALUES ($1, $2), ('0', $2)", "INSERT sets workspace_id of members from no parameter"),
    (f"{INSERT} SELECT a.workspace_id, a.id FROM accounts a WHERE a.workspace_id = $1", "INSERT sets workspace_id of members from no parameter"),
    (f"{INSERT} SELECT * FROM import_rows", "INSERT sets workspace_id of members from no parameter"),
    (f"{INSERT} SELECT $1, a.id FROM accounts a WHERE a.workspace_id = $2", "two values say whose it is: $1, $2"),
    (f"{INSERT} SELECT $1, a.id FROM accounts a", "accounts a: no a.workspace_id = $n"),
    ("INSERT INTO api_keys (workspace_id, id) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET name = excluded.name", "ON CONFLICT changes api_keys by something else than workspace_id"),
    ("INSERT INTO acounts (workspace_id) VALUES ($1)", "acounts is no table of ours"),
    ("COPY accounts (id, name) FROM STDIN", "COPY sets no workspace_id of accounts"),
    ("COPY accounts FROM STDIN", "COPY sets no workspace_id of accounts"),
    ("COPY accounts (workspace_id) TO STDOUT", "COPY gives every workspace's accounts"),
    ("COPY (SELECT id FROM accounts) TO STDOUT", "accounts accounts: no accounts.workspace_id = $n"),
    ("CREATE TEMP TABLE accounts (id uuid)", "a temporary table hides accounts"),
    ("SELECT id INTO copied FROM accounts WHERE workspace_id = $1", "SELECT INTO makes a table"),
    ("TRUNCATE accounts", "TruncateStmt is no statement of a workspace"),
    ("SELECT 1; TRUNCATE accounts", "TruncateStmt is no statement of a workspace"),
    ("DROP TABLE import_rows, accounts", "DropStmt is no statement of a workspace"),
    ("LOCK TABLE accounts", "LockStmt is no statement of a workspace"),
    ("ALTER TABLE accounts ADD x int", "AlterTableStmt is no statement of a workspace"),
    ("CREATE TABLE mine (id uuid)", "CreateStmt is no statement of a workspace"),
    ("VACUUM accounts", "VacuumStmt is no statement of a workspace"),
    ("DO 'BEGIN DELETE FROM accounts; END'", "DoStmt is no statement of a workspace"),
]  # fmt: skip
UNFIT = [
    ("SELECT 1 FROM accounts WHERE workspace_id = $1 AND created_at < now()", "now() reads the server's clock"),
    ("SELECT 1 FROM accounts WHERE workspace_id = $1 AND created_at < current_timestamp", "the time or the user is read from the server"),
    ("UPDATE accounts SET updated_at = clock_timestamp() WHERE workspace_id = $1", "clock_timestamp() reads the server's clock"),
    (f"{INSERT} VALUES ($1, gen_random_uuid())", "gen_random_uuid() in a write is volatile"),
    ("DELETE FROM members WHERE workspace_id = $1 AND random() < 0.5", "random() in a write is volatile"),
    ("UPDATE segmentations SET spec = to_jsonb(name) WHERE workspace_id = $1", "to_jsonb() over a column in a write is only stable"),
    ("DELETE FROM imports WHERE workspace_id = $1 AND id IN (SELECT id FROM imports WHERE workspace_id = $1 LIMIT 5 FOR UPDATE SKIP LOCKED)", "IN (… SKIP LOCKED) takes more rows than its LIMIT"),
    ("MERGE INTO members m USING (SELECT 1) s ON m.workspace_id = $1 WHEN MATCHED THEN DELETE", "MergeStmt is no statement of a workspace"),
    ("CREATE TRIGGER t BEFORE INSERT ON accounts EXECUTE FUNCTION f()", "CreateTrigStmt is no statement of a workspace"),
]  # fmt: skip
RIGHT = [
    HELD,
    "SELECT 1 FROM accounts a WHERE $1 = a.workspace_id AND (a.id = $2 OR a.name = $3)",
    "SELECT 1 FROM accounts a WHERE a.workspace_id = $1::uuid",
    "SELECT 1 FROM workspaces WHERE id = $1",
    "SELECT 1 FROM accounts a LEFT JOIN (users u JOIN teams t ON t.workspace_id = $1 AND u.workspace_id = $1) ON true WHERE a.workspace_id = $1",
    "SELECT 1 FROM accounts a RIGHT JOIN users u ON a.workspace_id = $1 WHERE u.workspace_id = $1",
    "WITH RECURSIVE up AS (SELECT $2::uuid AS id UNION ALL SELECT a.parent_id FROM up JOIN accounts a ON a.workspace_id = $1 AND a.id = up.id) SELECT 1 FROM up",
    "WITH contacts AS (SELECT 1 AS n) SELECT n FROM contacts",
    f"{INSERT} SELECT $1, a.id FROM accounts a WHERE a.workspace_id = $1 ON CONFLICT (workspace_id, segmentation_id) DO UPDATE SET segment = excluded.segment",
    f"{INSERT} VALUES ($1, $2), ($1, $3)",
    "DELETE FROM imports WHERE workspace_id = $1 AND id = ANY (ARRAY(SELECT id FROM imports WHERE workspace_id = $1 LIMIT 5 FOR UPDATE SKIP LOCKED))",
    "UPDATE segmentations SET spec = to_jsonb($2::text) WHERE workspace_id = $1",
    "COPY usage_days_2026_11 (workspace_id, day) FROM STDIN",
    "CREATE TEMP TABLE import_rows (id uuid); CREATE INDEX ON import_rows (id); ANALYZE import_rows; DROP TABLE import_lines",
    "INSERT INTO import_rows SELECT * FROM import_lines",
    "SELECT nspname FROM pg_catalog.pg_namespace",
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 1",
]  # fmt: skip


@pytest.mark.parametrize(("sql", "finding"), WRONG + UNFIT)
def test_the_lint_finds_what_is_wrong_and_nothing_else(sql: str, finding: str) -> None:
    assert unscoped(sql) == [finding]


@pytest.mark.parametrize("sql", RIGHT)
def test_the_lint_lets_pass_what_is_right(sql: str) -> None:
    assert unscoped(sql) == []


def test_each_exemption_is_needed_and_no_wider_than_it_says() -> None:
    assert {sql: findings(sql) for sql in EXEMPT} == {
        keys.BY_HASH: [
            "api_keys k: k.workspace_id = w.id is no parameter",
            "workspaces w: w.id = k.workspace_id is no parameter",
            "users u: u.workspace_id = k.workspace_id is no parameter",
            "users t: t.workspace_id = k.workspace_id is no parameter",
            "segmentations s: s.workspace_id = k.workspace_id is no parameter",
            "attributes t: t.workspace_id = k.workspace_id is no parameter",
            "fiscal_periods p: p.workspace_id = k.workspace_id is no parameter",
            "stages g: g.workspace_id = k.workspace_id is no parameter",
        ],
        keys.BY_EARLIER_HASH: [
            "earlier_tokens e: e.workspace_id = k.workspace_id is no parameter",
            "api_keys k: k.workspace_id = e.workspace_id is no parameter",
            "workspaces w: w.id = k.workspace_id is no parameter",
            "users u: u.workspace_id = k.workspace_id is no parameter",
            "users t: t.workspace_id = k.workspace_id is no parameter",
            "segmentations s: s.workspace_id = k.workspace_id is no parameter",
            "attributes t: t.workspace_id = k.workspace_id is no parameter",
            "fiscal_periods p: p.workspace_id = k.workspace_id is no parameter",
            "stages g: g.workspace_id = k.workspace_id is no parameter",
        ],
        keys.USED: [
            "api_keys k: k.workspace_id = s.workspace_id is no parameter",
            "api_keys l: no l.workspace_id = $n",
        ],
        workspaces.FIND: ["workspaces workspaces: no workspaces.id = $n"],
        workspaces.ARE_THERE: ["workspaces workspaces: no workspaces.id = $n"],
        attribute_indexes.DUE: ["attributes attributes: no attributes.workspace_id = $n"],
        days.DUE: ["workspaces workspaces: no workspaces.id = $n"],
        watches.DUE: ["list_watches list_watches: no list_watches.workspace_id = $n"],
        segments.DUE: ["segmentations segmentations: no segmentations.workspace_id = $n"],
        segments.WITH_CONFIRMATION: ["segmentations segmentations: no segmentations.workspace_id = $n"],
        segments.WITH_SCHEDULE: ["segmentations segmentations: no segmentations.workspace_id = $n"],
        segments.UNCHECKED: [
            "segmentations s: s.workspace_id = w.id is no parameter",
            "workspaces w: w.id = s.workspace_id is no parameter",
        ],
        pins.DUE: ["pins pins: no pins.workspace_id = $n"],
        ranks.DUE: ["rank_cuts rank_cuts: no rank_cuts.workspace_id = $n"],
        usage.LOCK: ["LockStmt is no statement of a workspace"],
    }


@pytest.mark.parametrize("scope", ["one", "few", "many", "all"])
def test_no_condition_can_be_left_out_of_a_long_statement(scope: facts.Scope) -> None:
    for sql in (facts.usage_statement(scope), facts.accounts_statement(scope)):
        held = list(re.finditer(r"\b(\w+\.)?workspace_id = \$1|WHERE id = \$1", sql))
        assert len(held) > 5
        for one in held:
            without = sql[: one.start()] + one[0].replace("= $1", "IS NOT NULL") + sql[one.end() :]
            assert len(unscoped(without)) == 1, one[0]


# -- what the application sends ----------------------------------------------------------------------------------------


async def test_what_the_application_sends_is_noted_and_where(dsn: str) -> None:
    with statements.told() as noted:
        db = await Database.open(dsn, size=1)
        await db.fetchval("SELECT 'sent by a test'")
        assert await workspaces.find(db, "none") is None
        async with db.transaction() as tx:
            assert await accounts.above(tx, UUID(int=1), UUID(int=2)) == [UUID(int=2)]
            await usage.ensure_months(tx, SETTING.clock.today, SETTING.clock.today)
        await db.close()
    assert workspaces.FIND in noted
    assert noted[accounts.ABOVE].startswith("app/persistence/accounts.py:")
    assert "SELECT 'sent by a test'" not in noted


def test_what_is_wrong_is_told_with_its_statement_and_its_place() -> None:
    assert told({HELD: "app/persistence/accounts.py:1"}) == ""
    assert "app/a.py:1: cannot be read" in told({"SELEC": "app/a.py:1"})
    assert told({"SELECT 1 FROM accounts a": "app/persistence/accounts.py:7", HELD: ""}) == (
        "app/persistence/accounts.py:7: accounts a: no a.workspace_id = $n\nSELECT 1 FROM accounts a"
    )


# -- what can be built, whether a test sends it or not -----------------------------------------------------------------

GENERATE = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
SOME = st.lists(criteria(ENTITIES["accounts"]), min_size=1, max_size=4)


@pytest.mark.parametrize("entity", sorted(ENTITIES))
@GENERATE
@given(data=st.data(), edges=st.booleans(), count=st.sampled_from(("none", "capped", "exact")), kept=st.booleans())
def test_pages(entity: str, data: st.DataObject, edges: bool, count: str, kept: bool) -> None:
    known = ENTITIES[entity]
    meaning = check(data.draw(criteria(known)), known, SETTING).meaning
    question = Question(entity, meaning, everything(known), usual_order(known), Page(), count, edges=edges)  # type: ignore[arg-type]  # drawn from its values
    assert unscoped(page(question, WORKSPACE, kept=kept).text) == []


@pytest.mark.parametrize("scoped", ["one", "many", "all"])
@GENERATE
@given(trees=SOME)
def test_memberships(scoped: Scoped, trees: Sequence[Node]) -> None:
    cases = [(f"s{n}", check(tree, ENTITIES["accounts"], SETTING).meaning) for n, tree in enumerate(trees)]
    rules = [Rule(UUID(int=n), tuple(cases[n:]), "rest") for n in range(len(cases))]
    assert unscoped(plan(rules, WORKSPACE, scoped).text) == []


@pytest.mark.parametrize("scope", ["one", "few", "many", "all"])
def test_facts(scope: facts.Scope) -> None:
    assert unscoped(facts.usage_statement(scope)) == []
    assert unscoped(facts.accounts_statement(scope)) == []


def written() -> Iterator[tuple[str, str]]:
    """Statements that stand whole in persistence, by the name of their constant; templates are left out."""
    for module in pkgutil.walk_packages(persistence.__path__, "app.persistence."):
        if module.name in OUTSIDE:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for sql in value.values() if isinstance(value, dict) else (value,):
                if (
                    name.isupper()
                    and isinstance(sql, str)
                    and sql.split(maxsplit=1)[:1] in (["SELECT"], ["WITH"], ["INSERT"], ["UPDATE"], ["DELETE"])
                ):
                    yield f"{module.name}.{name}", sql


def test_constants() -> None:
    checked = {}
    for name, sql in written():
        try:
            checked[name] = unscoped(sql)
        except ParseError:
            continue
    assert {name: found for name, found in checked.items() if found} == {}
    assert len(checked) > 50


def test_no_connection_is_made_where_nobody_listens() -> None:
    app = Path(persistence.__file__).parents[1]
    assert [
        path for path in app.rglob("*.py") if re.search(r"from asyncpg import .*connect|create_pool", path.read_text())
    ] == []
