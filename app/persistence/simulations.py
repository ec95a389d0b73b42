"""A segmentation tried out on every account beside where they stand, in one statement that writes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.workspaces import Clock, Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader
from app.persistence.members import Rule, kept_by, passed

UNKNOWN = 1 - 2**31
"""Stands for the days since whoever is no customer yet became one."""
SAMPLE = 20
"""Accounts that are named of those that would move, those with the most ARR."""
TRY = """
WITH tried AS MATERIALIZED (
  SELECT {a}.id, {a}.name, {a}.arr, {a}.status <> 'churned' AS cared, {today}::date - {a}.became_customer_at AS age,
    {case} AS rule{met}{keeping} {source}
), beside AS MATERIALIZED (
  SELECT t.id, t.name, t.arr, t.cared, t.age, m.segment AS was, coalesce(p.segment, {stays}t.rule) AS becomes, p.segment IS NOT NULL AS pinned
  FROM tried t
  LEFT JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = {of} AND m.account_id = t.id
  LEFT JOIN pins p ON p.workspace_id = $1 AND p.segmentation_id = {of} AND p.account_id = t.id
    AND (p.expires_at IS NULL OR p.expires_at > {now}::timestamptz) AND p.segment = ANY ({known}::text[])
), flowing AS MATERIALIZED (
  SELECT was, becomes, count(*) AS accounts, sum(arr)::bigint AS arr, count(*) FILTER (WHERE pinned) AS pinned,
    coalesce(string_agg(int8send(arr) || int4send(coalesce(age, {unknown})), '') FILTER (WHERE cared), '') AS loads
  FROM beside GROUP BY was, becomes
)
SELECT json_build_object(
  'flow', (SELECT coalesce(json_agg(f ORDER BY was, becomes), '[]') FROM (
    SELECT was, becomes, accounts, arr, pinned FROM flowing) f),
  'overlap', {overlap},
  'sample', (SELECT coalesce(json_agg(s), '[]') FROM (
    SELECT id, name, arr, was, becomes FROM beside WHERE was IS DISTINCT FROM becomes
    ORDER BY arr DESC, id LIMIT {sample}) s)
) AS told, (SELECT coalesce(array_agg(loads ORDER BY was, becomes), '{{}}') FROM flowing) AS loads
"""
# The same as hysteresis.stands, of whom it holds already.
HELD = """CASE WHEN m.held IN ('band', 'confirmation') AND (m.segment = ANY (t.keeping) OR {confirm}::interval +
    CASE WHEN m.held = 'confirmation' AND m.rule = t.rule THEN m.pending_since ELSE {now}::timestamptz END > {now}::timestamptz)
    THEN m.segment END, """
OVERLAP = """(SELECT coalesce(json_agg(o), '[]') FROM (
    SELECT x.n::int4 AS first, y.n::int4 AS second, count(*) AS accounts, sum(t.arr)::bigint AS arr
    FROM tried t, unnest(t.met) x(n), unnest(t.met) y(n) WHERE x.n < y.n
    GROUP BY x.n, y.n ORDER BY x.n, y.n) o)"""


async def tried(
    reader: Reader, workspace: Workspace, rule: Rule, standing: UUID | None, clock: Clock,
    *, exclusive: bool, holding: bool,
) -> dict[str, Any]:  # fmt: skip
    """`flow` from where accounts stand to where the rule would put them, null where they stand nowhere, with `loads`: of
    those that are not churned ARR and days since they became customers or UNKNOWN, 8 and 4 bytes each; `overlap`: pairs of segments, by place from 0,
    whose criteria both hold, none where they exclude each other; `sample` of those that would move. `holding`: what stops flapping in the rule
    goes on from how long it has held whom. ARR in minor units; unarchived accounts only."""
    scope = Scope(workspace)
    alias = scope.alias()
    conditions = [condition(meaning, ACCOUNTS, alias, scope) for _, meaning in rule.cases]
    whens = [
        f"WHEN {held} THEN {scope.bind(slug)}::text" for held, (slug, _) in zip(conditions, rule.cases, strict=True)
    ]
    keeping, joined, stays = "", "", ""
    if holding:
        listed, edge = "NULL::text[]", scope.alias()
        if rule.steady.band is not None:
            joined = f" CROSS JOIN LATERAL (SELECT {passed(rule, alias, scope)} AS f OFFSET 0) {edge}"
            listed = kept_by(rule, f"{edge}.f", alias, scope)
        keeping = f", {listed} AS keeping"
        stays = HELD.format(confirm=scope.bind(rule.steady.confirm), now=scope.bind(clock.as_of))
    marks = ", ".join(f"CASE WHEN {held} THEN {n} END" for n, held in enumerate(conditions))
    text = TRY.format(
        a=alias, case=f"CASE {' '.join(whens)} ELSE {scope.bind(rule.rest)}::text END",
        met="" if exclusive else f", array_remove(ARRAY[{marks}]::int4[], NULL) AS met",
        source=scope.rows("accounts", alias, [f"{alias}.archived_at IS NULL"], joined=joined), keeping=keeping, of=f"{scope.bind(standing)}::uuid",
        now=scope.bind(clock.as_of), today=scope.bind(clock.today), stays=stays, known=scope.bind([*(slug for slug, _ in rule.cases), rule.rest]),
        overlap="'[]'::json" if exclusive else OVERLAP, sample=SAMPLE, unknown=UNKNOWN,
    )  # fmt: skip
    row = await reader.fetchrow(text, *scope.args, point=False)
    assert row is not None, "aggregates answer one row"
    found: dict[str, Any] = msgspec.json.decode(row["told"])
    for one, loads in zip(found["flow"], row["loads"], strict=True):
        one["loads"] = loads
    return found
