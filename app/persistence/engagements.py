"""Touches and steps that the models of segments ask for, with what was done of them, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.segmentation.care import ANY, KINDS, Care
from app.domain.workspaces import Clock, Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader

State = Literal["due", "overdue", "left"]
STATES: tuple[State, ...] = ("due", "overdue", "left")
What = Literal["touch", "playbook", "success_plan", "left"]
WHATS: tuple[What, ...] = ("touch", "playbook", "success_plan", "left")
"""What a row may be; `left` where the state is that."""
FAR = date(9999, 12, 31)
"""Where accounts that are left stand in order when their renewal is not known."""
# Of each account the last touch of every kind, by people and with what machines sent, stands in two arrays: what is asked
# for finds its own by number, and a hundred thousand accounts are joined once. What never was counts from the day on which
# the account had both become a customer and entered the segment.
ASKED = """
WITH booked AS MATERIALIZED (
  SELECT {a}.id, {a}.external_id, {a}.name, {a}.csm_id, {a}.arr, {a}.renewal_date, m.segment, m.since,
    {today}::date - {a}.became_customer_at AS age, (m.since AT TIME ZONE {zone})::date AS entered,
    greatest((m.since AT TIME ZONE {zone})::date, {a}.became_customer_at) AS began
  {source}
), touched AS (
  SELECT i.account_id, ARRAY[{people}, max(i.occurred_at) FILTER (WHERE NOT i.is_automated)] AS people,
    ARRAY[{machines}, max(i.occurred_at)] AS machines
  FROM booked b JOIN interactions i ON i.workspace_id = $1 AND i.account_id = b.id
  WHERE i.occurred_at <= {now}::timestamptz AND i.kind <> 'note' AND i.attended IS NOT FALSE
    AND (i.direction = 'outbound' OR i.attended)
  GROUP BY i.account_id
), known AS MATERIALIZED (
  SELECT b.id, b.csm_id, b.segment, b.since, b.age, b.entered, b.began, t.people, t.machines
  FROM booked b LEFT JOIN touched t ON t.account_id = b.id
), paced AS (
  SELECT * FROM unnest({paces}) p(segment, lo, hi, phase, kind, n, every, machines)
), stepped AS (
  SELECT * FROM unnest({steps}) s(segment, plan, name, owner, day, opens, kind, n, machines)
), touches AS MATERIALIZED (
  SELECT k.id, k.csm_id, 'touch' AS what, p.kind, p.phase, NULL::text AS step, NULL::text AS owner, l.last,
    coalesce((l.last AT TIME ZONE {zone})::date, k.began) + p.every AS due_on
  FROM known k
  JOIN paced p ON p.segment = k.segment
    AND CASE WHEN k.age IS NULL THEN p.hi IS NULL ELSE k.age >= coalesce(p.lo, k.age) AND (p.hi IS NULL OR k.age < p.hi) END
  CROSS JOIN LATERAL (SELECT CASE WHEN p.machines THEN k.machines[p.n] ELSE k.people[p.n] END AS last) l
), todo AS (
  SELECT k.id, k.csm_id, s.plan AS what, s.kind, NULL::text AS phase, s.name AS step, s.owner, NULL::timestamptz AS last,
    k.entered + s.day AS due_on
  FROM known k
  JOIN stepped s ON s.segment = k.segment
  CROSS JOIN LATERAL (SELECT CASE WHEN s.machines THEN k.machines[s.n] ELSE k.people[s.n] END AS last) l
  LEFT JOIN steps_done d ON d.workspace_id = $1 AND d.account_id = k.id AND d.segmentation_id = {of} AND d.since = k.since
    AND d.plan = s.plan AND d.step = s.name
  WHERE d.step IS NULL AND (l.last IS NULL OR l.last < k.since OR (l.last AT TIME ZONE {zone})::date < k.entered + s.opens)
    AND k.entered + s.day <= {until}::date
), wanted AS MATERIALIZED (
  SELECT e.*, CASE WHEN due_on < {today}::date THEN 'overdue' ELSE 'due' END AS state, what || ':' || coalesce(step, kind) AS mark
  FROM (SELECT * FROM touches WHERE due_on <= {until}::date UNION ALL SELECT * FROM todo) e{kept}
), alone AS MATERIALIZED (
  SELECT b.id, b.arr, b.renewal_date, n.next_on
  FROM booked b
  LEFT JOIN (SELECT id, min(due_on) AS next_on FROM touches GROUP BY id) n ON n.id = b.id
  WHERE n.next_on IS NULL OR (b.renewal_date >= {today}::date AND n.next_on > b.renewal_date)
), listed AS (
  SELECT {listed}
), paged AS (
  SELECT * FROM listed l{after} ORDER BY l.place, l.id, l.mark LIMIT {limit:d}
)
SELECT
  (SELECT coalesce(json_agg(p ORDER BY p.place, p.id, p.mark), '[]') FROM (
    SELECT l.*, b.external_id, b.name, b.csm_id, b.arr, b.segment, b.renewal_date, u.name AS csm_name
    FROM paged l JOIN booked b ON b.id = l.id LEFT JOIN users u ON u.workspace_id = $1 AND u.id = b.csm_id) p) AS page,
  (SELECT coalesce(json_agg(g ORDER BY g.overdue DESC, g.due DESC, g.csm_id), '[]') FROM (
    SELECT c.csm_id, u.name AS csm_name, sum(c.due)::bigint AS due, sum(c.overdue)::bigint AS overdue, count(*) AS accounts,
      count(*) FILTER (WHERE c.overdue > 0) AS accounts_overdue,
      coalesce({today}::date - min(c.first_on) FILTER (WHERE c.overdue > 0), 0) AS longest_overdue
    FROM (
      SELECT w.id, w.csm_id, count(*) FILTER (WHERE w.state = 'due') AS due, count(*) FILTER (WHERE w.state = 'overdue') AS overdue,
        min(w.due_on) AS first_on
      FROM wanted w GROUP BY w.id, w.csm_id) c
    LEFT JOIN users u ON u.workspace_id = $1 AND u.id = c.csm_id
    GROUP BY c.csm_id, u.name) g) AS by_csm,
  (SELECT json_build_object('accounts', count(*), 'arr', coalesce(sum(arr), 0)::bigint,
     'never', count(*) FILTER (WHERE next_on IS NULL), 'late', count(*) FILTER (WHERE next_on IS NOT NULL)) FROM alone) AS alone
"""
LISTED = (
    "id, what, kind, phase, step, owner, last, due_on, NULL::date AS next_on, state, mark, due_on AS place FROM wanted"
)
LEFT = """id, 'left' AS what, NULL::text AS kind, NULL::text AS phase, NULL::text AS step, NULL::text AS owner,
    NULL::timestamptz AS last, NULL::date AS due_on, next_on, 'left' AS state, 'left' AS mark,
    coalesce(renewal_date, {far}::date) AS place FROM alone"""
NUMBERS = {kind: n for n, kind in enumerate(KINDS, 1)}
"""Where the last touch of a kind stands; that of any kind comes last."""
MADE = {kind: f"max(i.occurred_at) FILTER (WHERE i.kind = '{kind}'" for kind in KINDS if kind != ANY}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which engagements: of accounts that meet criteria, due until a day; each of the others where it is told."""

    where: Meaning
    until: date
    segment: str | None = None
    kind: str | None = None
    what: What | None = None
    state: State | None = None
    limit: int = 50
    after: tuple[date, UUID, str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of engagements by their place, account and mark; how many there are per CSM; who is left alone. ARR in minor
    units."""

    page: list[dict[str, Any]]
    by_csm: list[dict[str, Any]]
    alone: dict[str, Any]


async def engagements(
    reader: Reader, workspace: Workspace, of: UUID, cares: Mapping[str, Care], wanted: Wanted, clock: Clock
) -> Found:
    """What the models ask for of the accounts that stand in a segmentation; churned and archived ones are asked nothing."""
    scope = Scope(workspace)
    alias, which = scope.alias(), f"{scope.bind(of)}::uuid"
    inside = [f"{alias}.archived_at IS NULL", f"{alias}.status <> 'churned'"]
    inside += [condition(wanted.where, ACCOUNTS, alias, scope)]
    if wanted.segment is not None:
        inside.append(f"m.segment = {scope.bind(wanted.segment)}")
    joined = f" JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = {which} AND m.account_id = {alias}.id"
    listed, kept = _narrowed(wanted, scope)
    text = ASKED.format(
        a=alias, of=which, source=scope.rows("accounts", alias, inside, joined=joined), today=scope.bind(clock.today),
        zone=scope.bind(clock.zone.key), now=scope.bind(clock.as_of), paces=_paces(cares, scope), steps=_steps(cares, scope),
        until=scope.bind(wanted.until), kept=kept,
        people=", ".join(f"{one} AND NOT i.is_automated)" for one in MADE.values()),
        machines=", ".join(f"{one})" for one in MADE.values()), listed=listed, after=_after(wanted, scope), limit=wanted.limit,
    )  # fmt: skip
    row = await reader.fetchrow(text, *scope.args, point=False)
    assert row is not None, "aggregates answer one row"
    return Found(*(msgspec.json.decode(part) for part in row))


def _narrowed(wanted: Wanted, scope: Scope) -> tuple[str, str]:
    asked = [
        f"{name} = {scope.bind(value)}"
        for name, value in (("kind", wanted.kind), ("what", wanted.what))
        if value is not None
    ]
    kept = f" WHERE {' AND '.join(asked)}" if asked else ""
    if wanted.state == "left":
        return LEFT.format(far=scope.bind(FAR)), kept
    return LISTED if wanted.state is None else f"{LISTED} WHERE state = {scope.bind(wanted.state)}", kept


def _after(wanted: Wanted, scope: Scope) -> str:
    if wanted.after is None:
        return ""
    place, account, mark = wanted.after
    return f" WHERE (l.place, l.id, l.mark) > ({scope.bind(place)}::date, {scope.bind(account)}::uuid, {scope.bind(mark)}::text)"


def _arrays(scope: Scope, rows: Sequence[tuple[object, ...]], kinds: Sequence[str]) -> str:
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return ", ".join(f"{scope.bind(list(column))}::{kind}[]" for column, kind in zip(columns, kinds, strict=True))


def _paces(cares: Mapping[str, Care], scope: Scope) -> str:
    rows = [
        (segment, lo, hi, phase, kind, NUMBERS[kind], every, care.touch == "low")
        for segment, care in cares.items()
        for lo, hi, phase, pace in care.spans
        for kind, every in pace.every.items()
    ]
    return _arrays(scope, rows, ("text", "int", "int", "text", "text", "int", "int", "bool"))


def _steps(cares: Mapping[str, Care], scope: Scope) -> str:
    rows = [
        (
            segment,
            step.plan,
            step.name,
            step.owner,
            step.day,
            opens,
            step.kind,
            NUMBERS.get(step.kind or ""),
            care.touch == "low",
        )
        for segment, care in cares.items()
        for step, opens in care.opened
    ]
    return _arrays(scope, rows, ("text", "text", "text", "text", "int", "int", "text", "int", "bool"))
