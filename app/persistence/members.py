"""Members: every account's segments in one statement, writing only what differs, and the stays that are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.segmentation import hysteresis
from app.domain.segmentation.hysteresis import OFF, Steady
from app.domain.workspaces import Workspace
from app.persistence import planner
from app.persistence.compile import Scope, condition
from app.persistence.database import Transaction
from app.persistence.facts import FEW
from app.persistence.scoped import Scoped, bound, restricted


@dataclass(frozen=True, slots=True)
class Rule:
    """One segmentation as it is computed: criteria by segment, the first that holds wins, and what stops flapping."""

    id: UUID
    cases: tuple[tuple[str, Meaning], ...]
    rest: str
    steady: Steady = OFF


@dataclass(frozen=True, slots=True)
class Plan:
    """The statement for some accounts: `judged` says what would change, `text` changes it. After `args` it binds the
    moment, the reason and the accounts, unless all."""

    judged: str
    text: str
    args: tuple[object, ...]


# A change at the moment of the last one comes right after it: history has no moment twice.
CHANGED = """
WITH {stands}, changed AS MATERIALIZED (
  SELECT j.segmentation_id, j.account_id, j.segment, j.was, j.was_since, j.was_reason, j.rule, j.held, j.pending_since,
    j.was IS DISTINCT FROM j.segment AS moved,
    CASE WHEN j.was = j.segment THEN j.was_since
      ELSE greatest({now}::timestamptz, j.was_since + interval '1 microsecond') END AS since,
    CASE WHEN j.was = j.segment THEN j.was_reason WHEN j.pinned THEN 'pin' WHEN j.was_held = 'pin' AND j.was_rule = j.segment THEN 'unpin'
      WHEN j.was_held = 'confirmation' AND j.was_rule = j.segment THEN 'confirmation' ELSE {reason}::text END AS reason
  FROM ({judged}) j
  WHERE j.was IS DISTINCT FROM j.segment OR j.was_held IS DISTINCT FROM j.held OR j.was_rule IS DISTINCT FROM j.rule
)"""
# Found again by their key: a join would read all members there are for the few that change.
WRITE = """, closed AS (
  INSERT INTO past_stays (workspace_id, segmentation_id, account_id, segment, from_at, to_at, reason)
  SELECT $1, segmentation_id, account_id, was, was_since, since, was_reason FROM changed WHERE moved AND was IS NOT NULL
), placed AS (
  INSERT INTO members (workspace_id, segmentation_id, account_id, segment, since, reason, rule, held, pending_since)
  SELECT $1, segmentation_id, account_id, segment, since, reason, rule, held, pending_since FROM changed
  ON CONFLICT (workspace_id, segmentation_id, account_id) DO UPDATE
    SET segment = excluded.segment, since = excluded.since, reason = excluded.reason, rule = excluded.rule,
      held = excluded.held, pending_since = excluded.pending_since
)
SELECT count(*) FROM changed WHERE moved
"""
STANDS = """stands AS MATERIALIZED (
  {each}
)"""
# Of all accounts those that may change: the verdict is not where they stand, or something holds them, or is to. That is
# told by keys alone, in the order of the accounts; what else members say is looked up for these.
DIFFERING = """apart AS MATERIALIZED (
  SELECT p.account_id FROM pins p WHERE p.workspace_id = $1 AND p.segmentation_id IN ({ids})
  UNION SELECT h.account_id FROM members h WHERE h.workspace_id = $1 AND h.segmentation_id IN ({ids}) AND h.held IS NOT NULL
), stands AS MATERIALIZED (
  SELECT n.*, {differs} FROM ({each}) n{members}
  LEFT JOIN apart q ON q.account_id = n.id
  WHERE q.account_id IS NOT NULL OR {differ}
)"""
BESIDE_IT = " LEFT JOIN members {m} ON {m}.workspace_id = $1 AND {m}.segmentation_id = {id} AND {m}.account_id = n.id"
BESIDE = """
  FROM stands n{each}
  LEFT JOIN pins p ON p.workspace_id = $1{p} AND p.segmentation_id = {id} AND p.account_id = n.id
    AND (p.expires_at IS NULL OR p.expires_at > {now}::timestamptz)
  LEFT JOIN members m ON m.workspace_id = $1{m} AND m.segmentation_id = {id} AND m.account_id = n.id
"""
EACH = " CROSS JOIN LATERAL (VALUES {values}) v(segmentation_id, segment, keeping, confirm)"
# However many there are, and whatever is thought of how many: account by account.
LOOKED_UP = """
  FROM stands n
  LEFT JOIN pins p ON p.workspace_id = $1 AND p.segmentation_id = {id} AND p.account_id = n.id
    AND (p.expires_at IS NULL OR p.expires_at > {now}::timestamptz)
  LEFT JOIN LATERAL (
    SELECT o.* FROM members o WHERE o.workspace_id = $1 AND o.segmentation_id = {id} AND o.account_id = n.id OFFSET 0
  ) m ON true
  WHERE n.d{n}
"""
FREE = """
  SELECT {id} AS segmentation_id, n.id AS account_id, coalesce(p.segment, {verdict}) AS segment, m.segment AS was,
    m.since AS was_since, m.reason AS was_reason, m.held AS was_held, m.rule AS was_rule, p.segment IS NOT NULL AS pinned,
    CASE WHEN p.segment <> {verdict} THEN {verdict} END AS rule, CASE WHEN p.segment <> {verdict} THEN 'pin' END AS held,
    NULL::timestamptz AS pending_since {beside}
"""
"""Where nothing stops flapping: the criteria's verdict, unless a pin says otherwise."""
# The same as hysteresis.stands.
STEADIED = """
  SELECT h.segmentation_id, h.account_id, coalesce(h.pin, CASE WHEN h.held IS NULL THEN h.verdict ELSE h.was END) AS segment,
    h.was, h.was_since, h.was_reason, h.was_held, h.was_rule, h.pin IS NOT NULL AS pinned,
    CASE WHEN h.held IS NOT NULL THEN h.verdict END AS rule, h.held, CASE WHEN h.held = 'confirmation' THEN h.waiting END AS pending_since
  FROM (
    SELECT w.*, CASE
      WHEN w.pin IS NOT NULL THEN CASE WHEN w.pin <> w.verdict THEN 'pin' END
      WHEN w.was IS NULL OR w.was = w.verdict OR w.was_held = 'pin' THEN NULL
      WHEN w.was = ANY (w.keeping) THEN 'band'
      WHEN w.waiting + w.confirm > {now}::timestamptz THEN 'confirmation'
    END AS held FROM (
      SELECT {id} AS segmentation_id, n.id AS account_id, {verdict} AS verdict, {keeping} AS keeping, {confirm} AS confirm,
        p.segment AS pin, m.segment AS was, m.since AS was_since, m.reason AS was_reason, m.held AS was_held, m.rule AS was_rule,
        CASE WHEN m.held = 'confirmation' AND m.rule = {verdict} THEN m.pending_since ELSE {now}::timestamptz END AS waiting
      {beside}
    ) w
  ) h
"""
# Pins need no criteria: where those cannot be computed, who is pinned goes there, and who was back to where they last put it.
KEPT = CHANGED.format(stands=STANDS.format(each="SELECT unnest($4::uuid[]) AS id"), now="$2", reason="$3", judged=FREE.format(
  id="s.id", verdict="coalesce(m.rule, m.segment)", beside="""
  FROM segmentations s CROSS JOIN stands n
  LEFT JOIN pins p ON p.workspace_id = $1 AND p.segmentation_id = s.id AND p.account_id = n.id
    AND (p.expires_at IS NULL OR p.expires_at > $2::timestamptz)
  LEFT JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = s.id AND m.account_id = n.id
  WHERE s.workspace_id = $1 AND s.state IN ('broken', 'degraded') AND (p.segment IS NOT NULL OR m.held = 'pin')
""",
)) + WRITE  # fmt: skip
OF_EACH = {"id": "v.segmentation_id", "verdict": "v.segment", "keeping": "v.keeping", "confirm": "v.confirm"}
# Where nobody stands yet nothing is kept but by a pin. By segmentation and account, which is the order of the key.
BEGIN = "INSERT INTO members (workspace_id, segmentation_id, account_id, segment, since, reason, rule, held) {each}"
BEGUN = """
  SELECT $1, {id}, n.id, coalesce(p.segment, n.verdict), {now}::timestamptz, CASE WHEN p.segment IS NULL THEN {reason}::text ELSE 'pin' END,
    CASE WHEN p.segment <> n.verdict THEN n.verdict END, CASE WHEN p.segment <> n.verdict THEN 'pin' END
  FROM (SELECT {a}.id, {verdict} AS verdict {source} ORDER BY {a}.id) n
  LEFT JOIN pins p ON p.workspace_id = $1 AND p.segmentation_id = {id} AND p.account_id = n.id
    AND (p.expires_at IS NULL OR p.expires_at > {now}::timestamptz)
"""
STANDING = """
SELECT s.id FROM segmentations s WHERE s.workspace_id = $1 AND s.id = ANY ($2)
  AND EXISTS (SELECT FROM members m WHERE m.workspace_id = $1 AND m.segmentation_id = s.id)
"""
WRITTEN = ("members", "past_stays")
PLACED = ("accounts", *WRITTEN)
"""What a placement of all accounts writes, and what it is read with."""


def plan(rules: Sequence[Rule], workspace: Workspace, scoped: Scoped) -> Plan:
    """The statement that computes these segmentations."""
    scope = Scope(workspace)
    alias, edge = scope.alias(), scope.alias()
    cases = [f", {_case(rule, alias, scope)} AS s{n}" for n, rule in enumerate(rules)]
    near = [(n, rule) for n, rule in enumerate(rules) if rule.steady.band is not None]
    edges = [f"{passed(rule, alias, scope)} AS f{n}" for n, rule in near]
    cases += [f", {kept_by(rule, f'{edge}.f{n}', alias, scope)} AS k{n}" for n, rule in near]
    asked = [_asked(n, rule, scope) for n, rule in enumerate(rules)]
    args = tuple(scope.args)
    now, reason, accounts = (f"${len(args) + n}" for n in (1, 2, 3))
    # Kept apart from what is selected, so that it is computed once and not for each segment.
    joined = f" CROSS JOIN LATERAL (SELECT {', '.join(edges)} OFFSET 0) {edge}" if edges else ""
    source = scope.rows("accounts", alias, restricted(scoped, alias, accounts), joined=joined)
    each = f"SELECT {alias}.id{''.join(cases)} {source}"
    if scoped == "all":
        stands = _differing(f"{each} ORDER BY {alias}.id", asked)
        told = [
            _judged(one, now, LOOKED_UP.format(id=one["id"], now=now, n=n), steady=bool(rule.steady))
            for n, (one, rule) in enumerate(zip(asked, rules, strict=True))
        ]
    else:
        stands = STANDS.format(each=each)
        values = EACH.format(values=", ".join(f"({', '.join(one.values())})" for one in asked))
        only = {own: _only(own, asked, accounts) if scoped == "many" else "" for own in "mp"}
        beside = BESIDE.format(id=OF_EACH["id"], now=now, each=values, **only)
        told = [_judged(OF_EACH, now, beside, steady=any(rule.steady for rule in rules))]
    judged = CHANGED.format(stands=stands, now=now, reason=reason, judged=" UNION ALL ".join(told))
    return Plan(judged, judged + WRITE, args)


def beginning(rules: Sequence[Rule], workspace: Workspace) -> Plan:
    """The statement that places all accounts by segmentations in which nobody stands yet."""
    scope = Scope(workspace)
    told = []
    for rule in sorted(rules, key=lambda rule: rule.id):
        alias = scope.alias()
        told.append((scope.bind(rule.id), alias, _case(rule, alias, scope)))
    args = tuple(scope.args)
    now, reason = (f"${len(args) + n}" for n in (1, 2))
    each = [
        BEGUN.format(id=f"{own}::uuid", a=alias, verdict=verdict, source=scope.rows("accounts", alias), now=now, reason=reason)
        for own, alias, verdict in told
    ]  # fmt: skip
    return Plan("", BEGIN.format(each=" UNION ALL ".join(each)), args)


def _differing(each: str, asked: Sequence[Mapping[str, str]]) -> str:
    ids = [one["id"] for one in asked]
    members = [BESIDE_IT.format(m=f"m{n}", id=own) for n, own in enumerate(ids)]
    differ = [f"m{n}.segment IS DISTINCT FROM {one['verdict']}" for n, one in enumerate(asked)]
    told = ", ".join(f"q.account_id IS NOT NULL OR {one} AS d{n}" for n, one in enumerate(differ))
    return DIFFERING.format(
        ids=", ".join(ids), each=each, members="".join(members), differs=told, differ=" OR ".join(differ)
    )


def _asked(n: int, rule: Rule, scope: Scope) -> dict[str, str]:
    """What the statement says of the segmentation at this place."""
    keeping = "NULL::text[]" if rule.steady.band is None else f"n.k{n}"
    confirm = "NULL::interval" if rule.steady.confirm is None else f"{scope.bind(rule.steady.confirm)}::interval"
    return {"id": f"{scope.bind(rule.id)}::uuid", "verdict": f"n.s{n}", "keeping": keeping, "confirm": confirm}


def _judged(of: Mapping[str, str], now: str, beside: str, *, steady: bool) -> str:
    return (STEADIED if steady else FREE).format(**of, now=now, beside=beside)


def _only(alias: str, asked: Sequence[Mapping[str, str]], accounts: str) -> str:
    """Rows of these accounts alone: joined by hashing, those of the whole workspace would be read for each ten thousand."""
    ids = ", ".join(one["id"] for one in asked)
    return f" AND {alias}.segmentation_id IN ({ids}) AND {alias}.account_id = ANY ({accounts})"


def _case(rule: Rule, alias: str, scope: Scope) -> str:
    whens = [f"WHEN {condition(m, ACCOUNTS, alias, scope)} THEN {scope.bind(slug)}::text" for slug, m in rule.cases]
    return f"CASE {' '.join(whens)} ELSE {scope.bind(rule.rest)}::text END"


def passed(rule: Rule, alias: str, scope: Scope) -> str:
    """The place of the first segment that takes an account with every number moved against it; those there are, where none."""
    against = [_moved(meaning, rule, alias, scope, wider=False) for _, meaning in rule.cases]
    return f"CASE {' '.join(f'WHEN {held} THEN {n}' for n, held in enumerate(against))} ELSE {len(against)} END"


def kept_by(rule: Rule, first: str, alias: str, scope: Scope) -> str:
    """The segments that would keep an account, as hysteresis.kept has them."""
    listed = [
        f"CASE WHEN {first} >= {n} AND {_moved(meaning, rule, alias, scope, wider=True)} THEN {scope.bind(slug)}::text END"
        for n, (slug, meaning) in enumerate(rule.cases)
    ]
    listed.append(f"CASE WHEN {first} = {len(rule.cases)} THEN {scope.bind(rule.rest)}::text END")
    return f"ARRAY[{', '.join(listed)}]"


def _moved(meaning: Meaning, rule: Rule, alias: str, scope: Scope, *, wider: bool) -> str:
    assert rule.steady.band is not None
    return condition(hysteresis.moved(meaning, rule.steady.band, wider=wider), ACCOUNTS, alias, scope)


async def write(tx: Transaction, plan: Plan, account_ids: Sequence[UUID] | None, now: datetime, reason: str) -> int:
    """Bring members and their history up to date; gives how many memberships changed. The plan must be for as many
    accounts as are given, and the accounts locked."""
    async with tx.hashing() if account_ids is None or len(account_ids) > FEW else nullcontext():
        changed: int = await tx.fetchval(plan.text, *plan.args, now, reason, *bound(account_ids))
    return changed


async def keep(tx: Transaction, workspace_id: UUID, account_ids: Sequence[UUID], now: datetime, reason: str) -> None:
    """Bring pins and their ends about in segmentations that cannot be computed. The accounts must be locked."""
    await tx.execute(KEPT, workspace_id, now, reason, list(account_ids))


async def attempt(
    tx: Transaction, rules: Sequence[Rule], workspace: Workspace, now: datetime, reason: str
) -> str | None:
    """Brings all accounts up to date; where a value cannot be computed nothing is written, and it says why. The accounts
    must be locked."""
    await tx.execute("SAVEPOINT placed")
    try:
        changed = await _place(tx, rules, workspace, now, reason)
    except asyncpg.DataError as error:
        await tx.execute("ROLLBACK TO SAVEPOINT placed")
        return f"It could not be computed: {error.args[0]}."
    await tx.execute("RELEASE SAVEPOINT placed")
    if changed >= planner.MANY:
        await planner.tell(tx, *(PLACED if await planner.untold(tx, "accounts") else WRITTEN))
    return None


async def _place(tx: Transaction, rules: Sequence[Rule], workspace: Workspace, now: datetime, reason: str) -> int:
    found = await tx.fetch(STANDING, workspace.id, [rule.id for rule in rules])
    standing = {row["id"] for row in found}
    begun = [rule for rule in rules if rule.id not in standing]
    kept = [rule for rule in rules if rule.id in standing]
    changed = 0
    if kept:
        changed += await write(tx, plan(kept, workspace, "all"), None, now, reason)
    if begun:
        first = beginning(begun, workspace)
        async with tx.hashing():
            changed += int((await tx.execute(first.text, *first.args, now, reason)).rpartition(" ")[2])
    return changed


async def compare(tx: Transaction, plan: Plan, now: datetime) -> dict[UUID, int] | None:
    """How many accounts stand elsewhere than a full evaluation says, by segmentation; None where a value cannot be computed.
    The plan must be for all accounts; nothing is written, and nobody waits."""
    await tx.execute("SAVEPOINT compared")
    try:
        async with tx.hashing():
            sql = f"{plan.judged} SELECT segmentation_id, count(*) AS accounts FROM changed GROUP BY segmentation_id"
            found = await tx.fetch(sql, *plan.args, now, "check")
    except asyncpg.DataError:
        await tx.execute("ROLLBACK TO SAVEPOINT compared")
        return None
    await tx.execute("RELEASE SAVEPOINT compared")
    return {row["segmentation_id"]: row["accounts"] for row in found}
