"""What a single write asks for beyond its values, asked of all rows of a call at once: each record once, values that go
together, fields that related records say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, Entity
from app.domain.imports import Problem, problem
from app.domain.related import ORDERS, SCORES
from app.persistence.database import Transaction
from app.persistence.staging.rows import Column

MARK = "UPDATE import_rows r SET errs = ARRAY[$2::int]"
AGAIN = """
UPDATE import_rows r SET errs = ARRAY[$1::int]
FROM (SELECT line, row_number() OVER (PARTITION BY key ORDER BY line) AS nth FROM import_rows WHERE errs IS NULL) d
WHERE d.line = r.line AND d.nth > 1
"""
TOGETHER = """
UPDATE import_rows r SET errs = coalesce(r.errs, '{{}}'::int[]) || $2::int
FROM import_rows s LEFT JOIN {table} x ON x.workspace_id = $1 AND x.id = s.id
WHERE s.line = r.line AND ({given}) IS DISTINCT FROM ({stored}) AND {wrong}
"""
# Saying the same as related records do changes nothing: what was set by hand stays what it was.
SAID = """
UPDATE import_rows r SET "{column}" = x."{by_hand}"
FROM accounts x
WHERE x.workspace_id = $1 AND x.id = r.id AND r.errs IS NULL{present} AND r."{column}" IS NOT DISTINCT FROM x."{column}" AND {told}
"""
CONTRADICTED = (
    MARK
    + """
FROM accounts x
WHERE x.workspace_id = $1 AND x.id = r.id AND r.errs IS NULL{present} AND r."{column}" IS DISTINCT FROM x."{column}" AND {told}
"""
)
MODELLED = (
    MARK
    + """
FROM import_rows s LEFT JOIN accounts x ON x.workspace_id = $1 AND x.id = s.id
WHERE s.line = r.line AND r.errs IS NULL{present} AND r.health IS DISTINCT FROM x.health
"""
)
LEFT_AS_MODELLED = """
UPDATE import_rows r SET health = x.health FROM import_rows s LEFT JOIN accounts x ON x.workspace_id = $1 AND x.id = s.id
WHERE s.line = r.line AND r.health IS DISTINCT FROM x.health
"""
# A record that moves to another account cannot leave its contact where it was.
LEFT_BEHIND = (
    MARK
    + """
FROM {table} x JOIN contacts c ON c.workspace_id = $1 AND c.id = x.contact_id
WHERE x.workspace_id = $1 AND x.id = r.id AND r.errs IS NULL{untold} AND c.account_id <> r.account_id
"""
)
TOLD = "EXISTS (SELECT FROM {relation} o WHERE o.workspace_id = $1 AND o.account_id = x.id{open})"
OUTCOME = "Expected an outcome together with the day on which it was decided."


async def once(tx: Transaction, problems: list[Problem]) -> None:
    """Refuses the rows of a record that an earlier row of the call is for."""
    problems.append(problem(None, "again"))
    await tx.execute(AGAIN, len(problems))


async def together(
    tx: Transaction,
    workspace_id: UUID,
    entity: Entity,
    columns: Sequence[Column],
    partial: bool,
    problems: list[Problem],
) -> None:
    """Refuses the rows whose values do not go together: judged only where one of them is changed."""
    known = {c.name: c for c in columns}

    def stands(name: str) -> str:
        """What the record would have."""
        column = known.get(name)
        if column is None:
            return f"x.{name}"
        return f"CASE WHEN s.gone & {column.bit} <> 0 THEN x.{name} ELSE s.{name} END" if partial else f"s.{name}"

    for names, blamed, message, wrong in _rules(entity):
        if known.keys().isdisjoint(names):
            continue
        problems.append(problem(blamed if blamed in known else names[0], "together", message))
        given, stored = ", ".join(map(stands, names)), ", ".join(f"x.{name}" for name in names)
        sql = TOGETHER.format(
            table=entity.name, given=given, stored=stored, wrong=wrong.format(*(f"({stands(name)})" for name in names))
        )
        await tx.execute(sql, workspace_id, len(problems))


def _rules(entity: Entity) -> list[tuple[tuple[str, str], str, str, str]]:
    """Two columns, the one to blame, the words, and what is wrong as SQL over both."""
    found = [((o.first, o.then), o.then, o.message, "{1} < {0}") for o in ORDERS.get(entity.name, ())]
    if entity.name == "surveys":
        for kind, (low, high) in SCORES.items():
            words = f"Expected a score from {low} to {high}: that is the scale of {kind}."
            found.append(
                (("kind", "score"), "score", words, f"{{0}} = '{kind}' AND {{1}} NOT BETWEEN {low} AND {high}")
            )
    if entity.name == "contracts":
        found.append((("decided_at", "outcome"), "outcome", OUTCOME, "{0} IS NOT NULL AND {1} IS NULL"))
    return found


async def contradicted(
    tx: Transaction,
    workspace_id: UUID,
    columns: Sequence[Column],
    partial: bool,
    told_by: Mapping[str, str],
    problems: list[Problem],
) -> None:
    """Refuses the rows that set by hand what records of the account say otherwise; `told_by`: whose records say a field."""
    for column in columns:
        relation = told_by.get(column.name)
        if relation is None:
            continue
        said = f"Expected no {column.name} here: it follows from the account's {relation}. Change those instead."
        problems.append(problem(column.name, "followed", said))
        only_open = " AND o.stage = 'open'" if relation == "opportunities" else ""
        parts = {
            "column": column.name, "by_hand": column.target, "told": TOLD.format(relation=relation, open=only_open),
            "present": f" AND r.gone & {column.bit} = 0" if partial else "",
        }  # fmt: skip
        await tx.execute(CONTRADICTED.format(**parts), workspace_id, len(problems))
        await tx.execute(SAID.format(**parts), workspace_id)


async def modelled(
    tx: Transaction, workspace_id: UUID, columns: Sequence[Column], partial: bool, words: str, problems: list[Problem]
) -> None:
    """Refuses the rows that give another health than the workspace's own model does, in these words."""
    health = next((column for column in columns if column.name == "health"), None)
    if health is None:
        return
    problems.append(problem("health", "followed", words))
    present = f" AND r.gone & {health.bit} = 0" if partial else ""
    await tx.execute(MODELLED.format(present=present), workspace_id, len(problems))


async def leave_as_modelled(tx: Transaction, workspace_id: UUID) -> None:
    """Rows say the health that accounts have by the workspace's own model, whatever the file said."""
    await tx.execute(LEFT_AS_MODELLED, workspace_id)


async def left_behind(
    tx: Transaction,
    workspace_id: UUID,
    entity: Entity,
    columns: Sequence[Column],
    partial: bool,
    problems: list[Problem],
) -> None:
    """Refuses the rows that give a record another account and say nothing of its contact."""
    known = {c.name: c for c in columns}
    contact = known.get("contact_id")
    if "contact" not in entity.fields or "account_id" not in known or (contact is not None and not partial):
        return
    untold = f" AND r.gone & {contact.bit} <> 0" if contact is not None else ""
    problems.append(problem("contact", "foreign"))
    await tx.execute(LEFT_BEHIND.format(table=entity.name, untold=untold), workspace_id, len(problems))


async def all_of(
    tx: Transaction,
    workspace_id: UUID,
    entity: Entity,
    columns: Sequence[Column],
    partial: bool,
    told_by: Mapping[str, str],
    by_model: str | None,
    problems: list[Problem],
) -> None:
    """Every rule for records with a key; new problems are added to `problems`. `by_model`: why health cannot be set."""
    await once(tx, problems)
    if entity.name == ACCOUNTS.name:
        await contradicted(tx, workspace_id, columns, partial, told_by, problems)
        if by_model is not None:
            await modelled(tx, workspace_id, columns, partial, by_model, problems)
    elif entity.key == "external_id":
        await together(tx, workspace_id, entity, columns, partial, problems)
        await left_behind(tx, workspace_id, entity, columns, partial, problems)
