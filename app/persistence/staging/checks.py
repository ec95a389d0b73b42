"""What only all rows of a file together tell: repeats, identifiers that are taken, parents; and what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.domain.catalogue import Entity, Field
from app.domain.imports import EXAMPLES, KEPT, Problem, problem
from app.persistence.accounts import DEPTH
from app.persistence.database import Record, Transaction
from app.persistence.staging import own

TABLES = """
CREATE TEMP TABLE import_marks (line bigint, problem int);
CREATE TEMP TABLE import_superseded (line bigint PRIMARY KEY);
CREATE TEMP TABLE import_depths (line bigint PRIMARY KEY, depth int);
"""
REPEATED = """
INSERT INTO import_superseded
SELECT r.line FROM import_rows r JOIN (
  SELECT key, max(line) AS last FROM import_rows WHERE errs IS NULL GROUP BY key HAVING count(*) > 1
) d ON d.key = r.key AND r.line < d.last
WHERE r.errs IS NULL
"""
REPEATED_USAGE = """
INSERT INTO import_superseded
SELECT line FROM (
  SELECT r.line, count(*) OVER same > 1 AND lead(r.line) OVER (same ORDER BY r.line) IS NOT NULL AS goes
  FROM import_rows r WHERE r.errs IS NULL AND r.external_id IS NOT NULL
  WINDOW same AS (PARTITION BY r.external_id, r.account_id, r.feature, r.day, r.value{contact})
) x WHERE goes
"""
OTHERS = """
INSERT INTO import_marks
SELECT r.line, $1 FROM import_rows r JOIN (
  SELECT external_id, min(line) AS first FROM import_rows r
  WHERE errs IS NULL AND external_id IS NOT NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
  GROUP BY external_id HAVING count(*) > 1
) d ON d.external_id = r.external_id AND r.line > d.first
WHERE r.errs IS NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
"""
STANDING = """
WITH standing AS (
  SELECT r.line, r.id, r.{column} FROM import_rows r
  WHERE r.errs IS NULL AND r.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
)
"""
TAKEN = (
    STANDING
    + """
UPDATE import_rows r SET errs = ARRAY[$2::int]
FROM standing s JOIN {table} x ON x.workspace_id = $1 AND x.{column} = s.{column} AND x.id <> s.id WHERE s.line = r.line
"""
)
TAKEN_BEFORE = (
    STANDING
    + """
UPDATE import_rows r SET errs = ARRAY[$1::int]
FROM (SELECT {column}, min(line) AS first FROM standing GROUP BY {column} HAVING count(*) > 1) o JOIN standing s ON s.{column} = o.{column}
WHERE s.line = r.line AND s.line > o.first
"""
)
PARENTS = """
UPDATE import_rows r SET parent_id = p.id
FROM import_rows p
WHERE p.key = r.parent_key AND r.parent_key IS NOT NULL AND p.errs IS NULL
  AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = p.line)
"""
ORPHANS = """
UPDATE import_rows r SET errs = ARRAY[$2::int]
WHERE r.errs IS NULL AND r.has_parent AND (r.parent_id IS NULL OR (
  NOT EXISTS (SELECT FROM accounts a WHERE a.workspace_id = $1 AND a.id = r.parent_id)
  AND NOT EXISTS (SELECT FROM import_rows p WHERE p.id = r.parent_id AND p.errs IS NULL)))
"""
# A row's way up: by what the file says of an account where it says something, else by what is stored.
CLIMB = """
WITH RECURSIVE up(line, start, node, depth) AS (
  SELECT r.line, r.id, r.parent_id, 1 FROM import_rows r
  WHERE r.errs IS NULL AND r.parent_id IS NOT NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
  UNION ALL
  SELECT u.line, u.start, n.parent_id, u.depth + 1
  FROM up u CROSS JOIN LATERAL (
    SELECT CASE WHEN f.id IS NOT NULL AND f.gone = 0 THEN f.parent_id ELSE a.parent_id END AS parent_id
    FROM (SELECT 1) one
    LEFT JOIN LATERAL (
      SELECT r.id, r.parent_id, r.gone & $2 AS gone FROM import_rows r
      WHERE r.id = u.node AND r.errs IS NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line) LIMIT 1
    ) f ON true
    LEFT JOIN accounts a ON a.workspace_id = $1 AND a.id = u.node
  ) n
  WHERE n.parent_id IS NOT NULL AND u.node <> u.start AND u.depth <= $3
)
"""
CIRCLES = (
    CLIMB
    + """
UPDATE import_rows r SET errs = ARRAY[$4::int] FROM (SELECT DISTINCT line FROM up WHERE node = start) w WHERE w.line = r.line
"""
)
# Below a row's account hang those of the file, each with a way of its own, and those that the file says nothing of.
DEEP = (
    CLIMB
    + """, below(line, node, depth) AS (
  SELECT line, start, max(depth) FROM up GROUP BY line, start
  UNION ALL
  SELECT b.line, a.id, b.depth + 1 FROM below b JOIN accounts a ON a.workspace_id = $1 AND a.parent_id = b.node
  WHERE b.depth < $3 AND NOT EXISTS (
    SELECT FROM import_rows r WHERE r.id = a.id AND r.errs IS NULL AND r.gone & $2 = 0
      AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line))
)
UPDATE import_rows r SET errs = ARRAY[$4::int] FROM (SELECT DISTINCT line FROM below WHERE depth >= $3) w WHERE w.line = r.line
"""
)
DEPTHS = CLIMB + "INSERT INTO import_depths SELECT line, max(depth) FROM up GROUP BY line"

# The last row that says so makes its contact the primary one: the others need not be it first.
PRIMARY = """
WITH told AS (
  SELECT r.line, max(r.line) OVER (PARTITION BY {account}) AS last
  FROM import_rows r LEFT JOIN contacts x ON x.workspace_id = $1 AND x.id = r.id
  WHERE r.errs IS NULL AND r.is_primary AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
)
UPDATE import_rows r SET is_primary = false FROM told t WHERE t.line = r.line AND t.line < t.last
"""

WARN = "INSERT INTO import_marks SELECT line, $1 FROM {rows}"
# $1 … $4: the problems' columns, codes, words, and whether they are warnings, by number.
REPORTED = """
WITH found AS (
  SELECT line, unnest(errs) AS problem FROM import_rows WHERE errs IS NOT NULL
  UNION ALL SELECT line, problem FROM import_marks
), named AS (
  SELECT line, problem, ($1::text[])[problem] AS col, ($2::text[])[problem] AS code, ($3::text[])[problem] AS message,
    ($4::bool[])[problem] AS is_warning
  FROM found
)
"""
KEEP = (
    REPORTED
    + """
INSERT INTO import_errors (workspace_id, import_id, line, seq, "column", code, message, is_warning)
SELECT $5, $6, line, row_number() OVER (PARTITION BY line ORDER BY is_warning, problem), col, code, message, is_warning
FROM (SELECT * FROM named ORDER BY is_warning, line, problem LIMIT $7) n
"""
)
SUMMARY = (
    REPORTED
    + """
SELECT col, code, message, is_warning, sum(1) AS count, array_agg(line ORDER BY line) FILTER (WHERE nth <= $5) AS lines
FROM (SELECT n.*, row_number() OVER (PARTITION BY problem ORDER BY line) AS nth FROM named n) n
GROUP BY problem, col, code, message, is_warning ORDER BY is_warning, count DESC, code, col
"""
)
COUNTS = """
SELECT (SELECT count(*) FROM import_rows) AS rows, (SELECT count(*) FROM import_rows WHERE errs IS NOT NULL) AS rejected,
  (SELECT count(DISTINCT line) FROM import_marks) AS warned
"""


async def across(
    tx: Transaction,
    workspace_id: UUID,
    entity: Entity,
    columns: Sequence[str],
    problems: list[Problem],
    parent_bit: int,
    attributes: Sequence[Field] = (),
) -> None:
    """Marks what single rows cannot tell; new problems are added to `problems`. `columns` are those of the rows,
    `attributes` the own ones that rows say."""
    await tx.execute(TABLES)
    if entity.key == "none":
        await _usage(tx, columns, problems)
    else:
        await tx.execute(REPEATED)
        await _taken(tx, workspace_id, entity, columns, problems)
        await own.taken(tx, workspace_id, entity, attributes, problems)
    if entity.name == "contacts" and "is_primary" in columns:
        account = "coalesce(r.account_id, x.account_id)" if "account_id" in columns else "x.account_id"
        await tx.execute(PRIMARY.format(account=account), workspace_id)
    if "parent_id" in columns:
        await _parents(tx, workspace_id, problems, parent_bit)
    await warn(tx, problems, "duplicate", "import_superseded s")
    await warn(tx, problems, "before_contract", "import_rows r WHERE r.early AND r.errs IS NULL")
    if {"start_date", "end_date"} <= set(columns):
        await warn(tx, problems, "ends_first", "import_rows r WHERE r.end_date < r.start_date AND r.errs IS NULL")
    if "arr" in columns:
        await warn(tx, problems, "negative", "import_rows r WHERE r.arr < 0 AND r.errs IS NULL")


async def _usage(tx: Transaction, columns: Sequence[str], problems: list[Problem]) -> None:
    if "external_id" not in columns:
        return
    contact = ", r.contact_id" if "contact_id" in columns else ""
    await tx.execute(REPEATED_USAGE.format(contact=contact))
    problems.append(problem(None, "repeated"))
    await tx.execute(OTHERS, len(problems))


async def _taken(
    tx: Transaction, workspace_id: UUID, entity: Entity, columns: Sequence[str], problems: list[Problem]
) -> None:
    """The identifiers that a row is not known by, but that are unique all the same."""
    unique = ("external_id", "email") if entity.name == "users" else ("external_id",) if entity.key == "slug" else ()
    for column in unique:
        if column in columns:
            problems.append(problem(column, "taken"))
            await tx.execute(TAKEN.format(table=entity.name, column=column), workspace_id, len(problems))
            await tx.execute(TAKEN_BEFORE.format(column=column), len(problems))


async def _parents(tx: Transaction, workspace_id: UUID, problems: list[Problem], bit: int) -> None:
    await tx.execute("CREATE INDEX ON import_rows (id); CREATE INDEX ON import_rows (key); ANALYZE import_rows")
    await tx.execute(PARENTS)
    problems.append(problem("parent", "circle"))
    circle, deep, orphan = (len(problems) + n for n in (1, 2, 3))
    problems += [
        problem("parent", "circle"), problem("parent", "depth"),
        problem("parent", "unknown", "Expected one of the workspace's accounts, or one of the file's."),
    ]  # fmt: skip
    # A row that is refused leaves its account where it was, and so another may hang in a circle, too deep, or nowhere.
    marked = {"some"}
    while marked != {"UPDATE 0"}:
        marked = {
            await tx.execute(CIRCLES, workspace_id, bit, DEPTH, circle),
            await tx.execute(DEEP, workspace_id, bit, DEPTH, deep),
            await tx.execute(ORPHANS, workspace_id, orphan),
        }
    await tx.execute(DEPTHS, workspace_id, bit, DEPTH)


async def warn(tx: Transaction, problems: list[Problem], code: str, rows: str, *args: object) -> None:
    """Marks the lines of `rows`, SQL that binds `args` from $2 on, with a warning, which is added to `problems`."""
    problems.append(problem(None, code))
    await tx.execute(WARN.format(rows=rows), len(problems), *args)


async def counts(tx: Transaction) -> Record:
    """`rows`, `rejected` and `warned`, rows each."""
    row = await tx.fetchrow(COUNTS)
    assert row is not None  # three aggregates
    return row


async def keep(tx: Transaction, workspace_id: UUID, import_id: UUID, problems: Sequence[Problem]) -> list[Record]:
    """Keeps what is wrong, rejections first, up to `KEPT`; gives the summary: each problem with its count and first lines."""
    told = _arrays(problems)
    await tx.execute(KEEP, *told, workspace_id, import_id, KEPT)
    return await tx.fetch(SUMMARY, *told, EXAMPLES)


def _arrays(problems: Sequence[Problem]) -> tuple[list[str | None], list[str], list[str], list[bool]]:
    return (
        [p.column for p in problems], [p.code for p in problems], [p.message for p in problems], [p.is_warning for p in problems]
    )  # fmt: skip


NEW_SLUGS = """
SELECT DISTINCT r."{column}" FROM import_rows r
WHERE r.errs IS NULL AND r."{column}" IS NOT NULL
  AND NOT EXISTS (SELECT FROM {table} x WHERE x.workspace_id = $1 AND x.slug = r."{column}")
ORDER BY 1 LIMIT $2
"""
INSERT_SLUGS = """
INSERT INTO {table} (workspace_id, id, name, slug, created_at, updated_at{more})
SELECT $1, n.id, n.slug, n.slug, $4, $4{number} FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS n(id, slug, place)
ON CONFLICT (workspace_id, slug) DO NOTHING
"""
NUMBER = ", (SELECT coalesce(max(f.no), 0) FROM features f WHERE f.workspace_id = $1) + n.place"
NAMING = """
SELECT x.slug, count(*) AS count, (array_agg(r.line ORDER BY r.line))[:$3] AS lines
FROM import_rows r JOIN {table} x ON x.workspace_id = $1 AND x.slug = r."{column}"
WHERE x.slug = ANY ($2) AND r.errs IS NULL GROUP BY x.slug ORDER BY count DESC, x.slug
"""
UNKNOWN_SLUGS = """
UPDATE import_rows r SET errs = ARRAY[$2::int]
WHERE r.errs IS NULL AND r."{column}" IS NOT NULL
  AND NOT EXISTS (SELECT FROM {table} x WHERE x.workspace_id = $1 AND x.slug = r."{column}")
"""


async def new_slugs(tx: Transaction, workspace_id: UUID, table: str, column: str, limit: int) -> list[str]:
    """Slugs that sound rows name and that are not there yet, `limit` at most."""
    rows = await tx.fetch(NEW_SLUGS.format(table=table, column=column), workspace_id, limit)
    return [row[0] for row in rows]


async def insert_slugs(
    tx: Transaction, workspace_id: UUID, table: str, ids: Sequence[UUID], slugs: Sequence[str], now: datetime
) -> None:
    """Makes them, named as their slugs; features get the next numbers: hold the workspace."""
    more, number = (", no", NUMBER) if table == "features" else ("", "")
    await tx.execute(INSERT_SLUGS.format(table=table, more=more, number=number), workspace_id, ids, slugs, now)


async def naming(
    tx: Transaction, workspace_id: UUID, table: str, column: str, slugs: Sequence[str]
) -> list[tuple[str, int, list[int]]]:
    """Of these slugs, as far as they are there, how many rows name each and the first lines of those; most named first."""
    rows = await tx.fetch(NAMING.format(table=table, column=column), workspace_id, slugs, EXAMPLES)
    return [(row["slug"], row["count"], row["lines"]) for row in rows]


async def unknown_slugs(tx: Transaction, workspace_id: UUID, table: str, column: str, problems: list[Problem]) -> None:
    """Refuses the rows that name one that could not be made."""
    problems.append(
        problem(column, "unknown", f"Expected one of the workspace's {table}: too many new ones in one file.")
    )
    await tx.execute(UNKNOWN_SLUGS.format(table=table, column=column), workspace_id, len(problems))
