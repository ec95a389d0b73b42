"""The values that accounts are clustered by: a bounded sample, column by column."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning, Shown
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader

SAMPLE = 5_000
"""Accounts at most: of more, as many are drawn evenly by the hash of their ids, the same each time."""


async def values(
    reader: Reader, workspace: Workspace, fields: Sequence[Shown], where: Meaning
) -> tuple[list[list[float]], int]:
    """A list per field, in the order of accounts by id, of unarchived ones that have every value; and how many there are."""
    scope = Scope(workspace)
    alias = scope.alias()
    said = [shown(of, start(ACCOUNTS, alias), scope).sql for of in fields]
    tied = [
        f"{alias}.archived_at IS NULL",
        *(f"({sql}) IS NOT NULL" for sql in said),
        condition(where, ACCOUNTS, alias, scope),
    ]
    columns = ", ".join(f"({sql})::float8 AS v{n}" for n, sql in enumerate(said))
    source, most = scope.rows("accounts", alias, tied), f"{scope.bind(SAMPLE)}::int8"
    lists = ", ".join(f"coalesce(array_agg(p.v{n} ORDER BY p.id), '{{}}')" for n in range(len(said)))
    row = await reader.fetchrow(
        f"""WITH p AS MATERIALIZED (SELECT {alias}.id, {columns}, count(*) OVER () AS total {source})
        SELECT {lists}, (SELECT count(*) FROM p) FROM p
        WHERE total <= {most} OR (uuid_hash(p.id)::int8 & 2147483647) % total < {most}""",
        *scope.args,
    )
    assert row is not None, "an aggregate gives a row"
    return [list(column) for column in row[: len(said)]], row[len(said)]
