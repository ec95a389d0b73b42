"""Kept facts of accounts and contacts, recomputed from related records in two statements, writing only what differs.

They depend on the records and on `workspaces.facts_day`, read by the statements themselves, never on the time of day:
refreshing some accounts gives the same rows as refreshing all. What is kept here is not a change by hand: neither
`version` nor `updated_at` moves. The arithmetic in plain Python is `app.domain.facts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, assert_never
from uuid import UUID

from app.domain.engagement import CONSUMPTION, ENGAGEMENT, ENGAGEMENT_DAYS, Component
from app.persistence import segments, workspaces
from app.persistence.database import Transaction

Scope = Literal["one", "few", "many", "all"]
"""One and few accounts look their rows up account by account: a plan that is kept and is right without statistics.
Many and all read and group whole tables, and are joined by hashing."""
FEW = 100
"""Accounts up to which rows are looked up one by one; above, whole tables are read and hashed."""

KEPT = (
    "status", "arr", "tcv", "growth_potential", "health_band", "sentiment", "sentiment_at", "impact", "contract_start",
    "contract_end", "renewal_date", "auto_renew", "seats_licensed", "products", "usage_limit_used", "nps", "nps_at",
    "open_invoices_amount", "open_tickets", "last_interaction_at", "last_inbound_at", "last_active_at",
    "engagement_score", "consumption_score", "primary_contact_id", "churned_at", "churn_reason",
)  # fmt: skip
"""The columns of accounts that are kept here; mrr, margin and seat_utilisation follow from them in the table itself."""

SAID = (
    "id", "industry", "health", "seats_active", "usage_limit", "became_customer_at", "arr_by_hand", "growth_potential_by_hand",
    "renewal_date_by_hand", "seats_licensed_by_hand", "churned_at_by_hand", "churn_reason_by_hand",
)  # fmt: skip
"""The columns of accounts that facts follow from."""


def _setting(score: str, one: Component, name: str, usual: float) -> str:
    """What the workspace says of a component, or else is usual."""
    return f"coalesce((scores #>> '{{{score},{one.name},{name}}}')::float8, {usual}) AS {one.name}_{name}"


COMPONENTS = ", ".join(
    _setting(score, one, name, usual)
    for score, components in (("engagement", ENGAGEMENT), ("consumption", CONSUMPTION))
    for one in components
    for name, usual in (("weight", one.weight), ("enough", one.enough))
    if usual is not None
)
"""The weight of each component and what is enough of it, as columns."""
SETTINGS = f"""w AS MATERIALIZED (
  SELECT zone, health_yellow, health_green, facts_day AS day, {COMPONENTS},
    (facts_day - {ENGAGEMENT_DAYS - 1})::timestamp AT TIME ZONE zone AS contacted_from, (facts_day + 1)::timestamp AT TIME ZONE zone AS contacted_to
  FROM workspaces WHERE id = $1
)"""

USAGE = """
WITH {settings}, u AS MATERIALIZED (
  SELECT d.account_id, d.day, x.feature, x.contact, x.amount
  FROM usage_days d, LATERAL unnest(d.features, d.contacts, d.amounts) x(feature, contact, amount)
  WHERE d.workspace_id = $1 AND {d} AND d.day > (SELECT day - 90 FROM w) AND d.day <= (SELECT day FROM w)
), sums AS MATERIALIZED (
  SELECT u.account_id, u.feature,
    coalesce(sum(amount) FILTER (WHERE u.day > w.day - 7), 0) AS last_7,
    coalesce(sum(amount) FILTER (WHERE u.day > w.day - 30), 0) AS last_30,
    sum(amount) AS last_90,
    coalesce(sum(amount) FILTER (WHERE u.day <= w.day - 30 AND u.day > w.day - 60), 0) AS before_30
  FROM u, w GROUP BY u.account_id, u.feature
), gone AS (
  DELETE FROM usage_windows v WHERE v.workspace_id = $1 AND {v}
    AND NOT EXISTS (SELECT FROM sums s WHERE s.account_id = v.account_id AND s.feature = v.feature)
), kept AS (
  INSERT INTO usage_windows AS v (workspace_id, account_id, feature, last_7, last_30, last_90, before_30)
  SELECT $1, s.* FROM sums s
  ON CONFLICT (workspace_id, account_id, feature) DO UPDATE
    SET last_7 = excluded.last_7, last_30 = excluded.last_30, last_90 = excluded.last_90, before_30 = excluded.before_30
    WHERE (v.last_7, v.last_30, v.last_90, v.before_30)
      IS DISTINCT FROM (excluded.last_7, excluded.last_30, excluded.last_90, excluded.before_30)
), days AS (
  SELECT contact, count(*)::int AS n
  FROM (SELECT DISTINCT contact, u.day FROM u, w WHERE contact IS NOT NULL AND amount > 0 AND u.day > w.day - 30) d
  GROUP BY contact
)
UPDATE contacts c SET active_days_30 = n.active_days_30, nps = n.nps
FROM (
  SELECT b.id, coalesce(days.n, 0) AS active_days_30, s.score AS nps
  FROM contacts b
  LEFT JOIN days ON days.contact = b.id
  LEFT JOIN LATERAL (
    SELECT score FROM surveys s WHERE s.workspace_id = $1 AND s.contact_id = b.id AND s.kind = 'nps'
    ORDER BY s.answered_at DESC, s.id DESC LIMIT 1
  ) s ON true
  WHERE b.workspace_id = $1 AND {b}
) n
WHERE c.workspace_id = $1 AND {c} AND c.id = n.id AND (c.active_days_30, c.nps) IS DISTINCT FROM (n.active_days_30, n.nps)
"""

# Each block gives one row per account that has such records, and none for others.
CONTRACTS = """
  SELECT c.account_id, bool_or(c.start_date <= w.day) AS began, max(c.end_date) AS last_end,
    bool_and(c.end_date IS NOT NULL AND c.end_date < w.day AND c.start_date <= w.day) AS over,
    max(c.start_date) FILTER (WHERE {active}) AS last_start, min(c.start_date) FILTER (WHERE {active}) AS contract_start,
    CASE WHEN bool_or(c.end_date IS NULL) FILTER (WHERE {active}) THEN NULL
      ELSE max(c.end_date) FILTER (WHERE {active}) END AS contract_end,
    min(c.end_date) FILTER (WHERE {active}) AS renewal_date, bool_and(c.auto_renew) FILTER (WHERE {active}) AS auto_renew,
    coalesce(sum(c.arr) FILTER (WHERE {active}), 0)::bigint AS arr, (sum(c.seats) FILTER (WHERE {active}))::int AS seats,
    coalesce(sum(coalesce(c.tcv, round(c.arr::numeric * {term} / 360))) FILTER (WHERE {active}), 0)::bigint AS tcv,
    coalesce(array_agg(DISTINCT c.product) FILTER (WHERE c.product IS NOT NULL AND {active}), '{{}}') AS products
  FROM contracts c, w, LATERAL (SELECT age((c.end_date + 1)::timestamp, c.start_date::timestamp) AS term) t
  WHERE c.workspace_id = $1 AND {c} GROUP BY c.account_id"""
ACTIVE = "c.start_date <= w.day AND (c.end_date IS NULL OR c.end_date >= w.day)"
TERM = (
    "greatest(0, coalesce(extract(year FROM t.term) * 360 + extract(month FROM t.term) * 30 "
    "+ extract(day FROM t.term), 360))"
)
CONTACTED = """
  SELECT i.account_id,
    count(*) FILTER (WHERE i.direction = 'inbound' AND NOT i.is_automated AND i.kind IN ('email', 'call', 'other')) AS inbound,
    count(*) FILTER (WHERE i.kind = 'meeting' AND i.attended) AS meetings,
    count(*) FILTER (WHERE i.kind = 'event' AND i.attended) AS events,
    count(*) FILTER (WHERE i.kind = 'email' AND i.opened) AS opened
  FROM interactions i
  WHERE i.workspace_id = $1 AND {i} AND i.occurred_at >= (SELECT contacted_from FROM w) AND i.occurred_at < (SELECT contacted_to FROM w)
  GROUP BY i.account_id"""
CONSUMED = """
  SELECT v.account_id, sum(v.last_30) AS total, count(*) FILTER (WHERE v.last_30 > 0) AS features,
    count(DISTINCT f.module) FILTER (WHERE v.last_30 > 0) AS modules
  FROM usage_windows v JOIN features f ON f.workspace_id = $1 AND f.no = v.feature
  WHERE v.workspace_id = $1 AND {v} GROUP BY v.account_id"""
ACTIVE_DAYS = """
  SELECT d.account_id, count(*) AS n FROM usage_days d
  WHERE d.workspace_id = $1 AND {d} AND d.day > (SELECT day - 30 FROM w) AND d.day <= (SELECT day FROM w)
    AND 0 < ANY (d.amounts) GROUP BY d.account_id"""
ACTIVE_USERS = """
  SELECT c.account_id, count(*)::int AS n FROM contacts c
  WHERE c.workspace_id = $1 AND {c} AND c.active_days_30 > 0 GROUP BY c.account_id"""
POTENTIAL = """
  SELECT o.account_id, sum(o.amount)::bigint AS amount FROM opportunities o
  WHERE o.workspace_id = $1 AND {o} AND o.stage = 'open' GROUP BY o.account_id"""
INVOICED = """
  SELECT i.account_id, sum(i.amount)::bigint AS amount FROM invoices i
  WHERE i.workspace_id = $1 AND {i} AND i.status IN ('unpaid', 'failed') GROUP BY i.account_id"""
TICKETS = """
  SELECT t.account_id, count(*)::int AS n FROM tickets t
  WHERE t.workspace_id = $1 AND {t} AND t.status IN ('open', 'pending') GROUP BY t.account_id"""
BLOCKS = (
    ("k", CONTRACTS, "c"), ("e", CONTACTED, "i"), ("g", CONSUMED, "v"), ("ad", ACTIVE_DAYS, "d"), ("au", ACTIVE_USERS, "c"),
    ("o", POTENTIAL, "o"), ("i", INVOICED, "i"), ("t", TICKETS, "t"),
)  # fmt: skip

# The latest row of one account is one step into an index, however many there are.
LATEST = """
  LEFT JOIN LATERAL (
    SELECT h.churned_at, h.reason FROM churns h WHERE h.workspace_id = $1 AND h.account_id = a.id
    ORDER BY h.churned_at DESC, h.id DESC LIMIT 1
  ) h ON true
  LEFT JOIN LATERAL (
    SELECT s.score, s.recorded_at FROM sentiments s WHERE s.workspace_id = $1 AND s.account_id = a.id
    ORDER BY s.recorded_at DESC, s.id DESC LIMIT 1
  ) s ON true
  LEFT JOIN LATERAL (
    SELECT v.score, v.answered_at FROM surveys v WHERE v.workspace_id = $1 AND v.account_id = a.id AND v.kind = 'nps'
    ORDER BY v.answered_at DESC, v.id DESC LIMIT 1
  ) v ON true
  LEFT JOIN LATERAL (
    SELECT c.id FROM contacts c WHERE c.workspace_id = $1 AND c.account_id = a.id AND c.is_primary
    ORDER BY c.created_at, c.id LIMIT 1
  ) p ON true
  LEFT JOIN LATERAL (
    SELECT d.day FROM usage_days d WHERE d.workspace_id = $1 AND d.account_id = a.id AND 0 < ANY (d.amounts)
    ORDER BY d.day DESC LIMIT 1
  ) d ON true
  LEFT JOIN LATERAL (
    SELECT x.occurred_at FROM interactions x WHERE x.workspace_id = $1 AND x.account_id = a.id
    ORDER BY x.occurred_at DESC, x.id DESC LIMIT 1
  ) x ON true
  LEFT JOIN LATERAL (
    SELECT y.occurred_at FROM interactions y
    WHERE y.workspace_id = $1 AND y.account_id = a.id AND y.direction = 'inbound' AND NOT y.is_automated
    ORDER BY y.occurred_at DESC, y.id DESC LIMIT 1
  ) y ON true"""

# What several kept columns build on (`least` passes over nulls, hence the conditions): whether contracts speak, whether
# the account was lost, the shares of the scores.
MEANT = """
  LEFT JOIN LATERAL (
    SELECT k.account_id IS NOT NULL AS contracted,
      CASE WHEN k.account_id IS NULL THEN a.seats_licensed_by_hand ELSE k.seats END AS seats,
      coalesce(nullif(au.n, 0), a.seats_active) AS users,
      coalesce(h.churned_at, a.churned_at_by_hand) AS lost,
      CASE WHEN k.account_id IS NOT NULL THEN k.last_start
        WHEN a.became_customer_at <= w.day THEN a.became_customer_at END AS came
  ) m ON true
  LEFT JOIN LATERAL (
    SELECT CASE WHEN m.lost IS NULL AND k.over THEN k.last_end WHEN m.came > m.lost THEN NULL ELSE m.lost END AS churned_at,
      CASE WHEN h.churned_at IS NULL THEN a.churn_reason_by_hand WHEN m.came > m.lost THEN NULL ELSE h.reason END AS reason
  ) l ON true
  LEFT JOIN LATERAL (
    SELECT w.frequency_weight * least(1, coalesce(ad.n, 0) / w.frequency_enough) AS frequency,
      CASE WHEN al.features > 0 THEN w.features_weight * least(1, coalesce(g.features, 0)::float8 / al.features) END AS features,
      CASE WHEN al.modules > 0 THEN w.modules_weight * least(1, coalesce(g.modules, 0)::float8 / al.modules) END AS modules,
      CASE WHEN m.seats > 0 AND m.users IS NOT NULL THEN w.seats_weight * least(1, m.users::float8 / m.seats) END AS seats
  ) q ON true"""

FACTS = """
    CASE WHEN l.churned_at <= w.day THEN 'churned'
      WHEN CASE WHEN m.contracted THEN k.began ELSE a.arr_by_hand > 0 OR a.became_customer_at <= w.day END THEN 'customer'
      ELSE 'prospect' END AS status,
    CASE WHEN m.contracted THEN k.arr ELSE coalesce(a.arr_by_hand, 0) END AS arr,
    coalesce(k.tcv, 0) AS tcv, coalesce(o.amount, a.growth_potential_by_hand) AS growth_potential,
    CASE WHEN a.health >= w.health_green THEN 'green' WHEN a.health >= w.health_yellow THEN 'yellow'
      WHEN a.health IS NOT NULL THEN 'red' END AS health_band,
    s.score AS sentiment, s.recorded_at AS sentiment_at, (SELECT impacts ->> a.industry FROM sc) AS impact,
    k.contract_start, k.contract_end,
    CASE WHEN m.contracted THEN k.renewal_date ELSE a.renewal_date_by_hand END AS renewal_date,
    k.auto_renew, m.seats AS seats_licensed, coalesce(k.products, '{}') AS products,
    CASE WHEN a.usage_limit > 0 THEN greatest(0, coalesce(g.total, 0) / a.usage_limit) END AS usage_limit_used,
    v.score AS nps, v.answered_at AS nps_at, coalesce(i.amount, 0) AS open_invoices_amount,
    coalesce(t.n, 0) AS open_tickets, x.occurred_at AS last_interaction_at, y.occurred_at AS last_inbound_at,
    d.day::timestamp AT TIME ZONE w.zone AS last_active_at, {engagement} AS engagement_score,
    coalesce(round(1000.0::float8 * (coalesce(q.frequency, 0) + coalesce(q.features, 0) + coalesce(q.modules, 0)
      + coalesce(q.seats, 0)) / {weights}) / 10, 0) AS consumption_score,
    p.id AS primary_contact_id, l.churned_at, l.reason AS churn_reason"""

SHARED = f"""{SETTINGS}, sc AS MATERIALIZED (
  SELECT impacts FROM scenarios WHERE workspace_id = $1 AND is_active
), al AS MATERIALIZED (
  SELECT count(*) AS features, count(DISTINCT module) AS modules FROM features WHERE workspace_id = $1
)"""
"""What the facts of any account build on."""

ACCOUNTS = """
WITH {shared}, statuses AS (
  UPDATE contracts c SET status = n.status
  FROM (SELECT b.id, CASE WHEN b.start_date > w.day THEN 'future' WHEN b.end_date < w.day THEN 'ended' ELSE 'active' END AS status
    FROM contracts b, w WHERE b.workspace_id = $1 AND {b}) n
  WHERE c.workspace_id = $1 AND {c} AND c.id = n.id AND c.status IS DISTINCT FROM n.status
)
UPDATE accounts z SET ({columns}) = ROW({fresh})
FROM (
  SELECT a.id, {facts}
  FROM accounts a CROSS JOIN w CROSS JOIN al{joins}
  WHERE a.workspace_id = $1 AND {a}
) n
WHERE z.workspace_id = $1 AND {z} AND z.id = n.id AND ({old}) IS DISTINCT FROM ({fresh})
"""


# What engagement and consumption are made of: counts, in the order of their components.
COUNTS = """
SELECT a.id, ARRAY[coalesce(e.inbound, 0), coalesce(e.meetings, 0), coalesce(e.events, 0), coalesce(e.opened, 0)]::int[] AS engaged,
  ARRAY[coalesce(ad.n, 0), coalesce(g.features, 0), al.features, coalesce(g.modules, 0), al.modules, m.users, m.seats]::int[] AS consumed
FROM accounts a CROSS JOIN w CROSS JOIN al{joins}
WHERE a.workspace_id = $1 AND {a}
"""
NOT_LOST = "\n  CROSS JOIN (SELECT NULL::date AS churned_at, NULL::text AS reason) h"
COUNTED = ("k", "e", "g", "ad", "au")
"""The blocks that the counts stand on."""


def _of(scope: Scope, alias: str, column: str = "account_id", ids: str = "$2") -> str:
    match scope:
        case "one":
            return f"{alias}.{column} = {ids}"
        case "few" | "many":
            return f"{alias}.{column} = ANY ({ids})"
        case "all":
            return "true"
        case _:
            assert_never(scope)


def _block(scope: Scope, name: str, block: str, alias: str, ids: str = "$2") -> str:
    whole = scope in ("many", "all")
    which = _of(scope, alias, ids=ids) if whole else f"{alias}.account_id = a.id"
    rows = block.format(active=ACTIVE, term=TERM, **{alias: which})
    return f"\n  LEFT JOIN {'' if whole else 'LATERAL '}({rows}\n  ) {name} ON {name}.account_id = a.id"


@cache
def usage_statement(scope: Scope) -> str:
    """Windows of usage, and what is kept of contacts."""
    return USAGE.format(settings=SETTINGS, **{alias: _of(scope, alias) for alias in "dvbc"})


@cache
def accounts_statement(scope: Scope) -> str:
    """Every kept column of accounts, and the status of contracts."""
    blocks = "".join(_block(scope, *block) for block in BLOCKS)
    return ACCOUNTS.format(
        shared=SHARED, facts=_facts(), joins=blocks + LATEST + MEANT, b=_of(scope, "b"), c=_of(scope, "c"),
        a=_of(scope, "a", "id"), z=_of(scope, "z", "id"), columns=", ".join(KEPT),
        fresh=", ".join(f"n.{c}" for c in KEPT), old=", ".join(f"z.{c}" for c in KEPT),
    )  # fmt: skip


@cache
def counts(scope: Scope) -> str:
    """What engagement and consumption are made of, as (id, engaged, consumed); the statement begins with SHARED."""
    blocks = "".join(_block(scope, *block) for block in BLOCKS if block[0] in COUNTED)
    return COUNTS.format(joins=blocks + NOT_LOST + MEANT, a=_of(scope, "a", "id"))


def made(columns: Mapping[str, str], new: str) -> str:
    """A join that gives the kept columns of accounts on their way into the table, as `n`: of such an account there are no
    related records. `columns` are those of SAID as SQL, `new` whether it is one; of others nothing is computed. The
    statement begins with SHARED."""
    nothing = "".join(
        f"\n  LEFT JOIN ({_empty(*block)}\n  ) {block[0]} ON {block[0]}.account_id = a.id" for block in BLOCKS
    )
    latest = LATEST.replace("workspace_id = $1", "workspace_id = $1 AND false")
    said = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return f""" LEFT JOIN LATERAL (
  SELECT {_facts()} FROM (SELECT {said} WHERE {new}) a CROSS JOIN w CROSS JOIN al{nothing}{latest}{MEANT}
) n ON true"""


def told(columns: Mapping[str, str], scope: Literal["few", "many"], source: str, known: str, ids: str) -> str:
    """CTEs that give the same as `n`, by `id`, of accounts that may be there already, and have related records then.
    `source` is a FROM clause, `known` the id that such a one has, null of a new one, and `ids` all of these, as SQL. Many are
    to be joined by hashing. The statement begins with SHARED."""
    said = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    blocks = "".join(_block(scope, *block, ids=ids) for block in BLOCKS)
    latest = LATEST.replace("account_id = a.id", "account_id = a.known")
    return f"""a AS MATERIALIZED (
  SELECT {said}, {known} AS known {source}
), n AS MATERIALIZED (
  SELECT a.id, {_facts()} FROM a CROSS JOIN w CROSS JOIN al{blocks}{latest}{MEANT}
)"""


def _empty(_name: str, block: str, alias: str) -> str:
    return block.format(active=ACTIVE, term=TERM, **{alias: "false"})


def _facts() -> str:
    parts = " + ".join(f"w.{c.name}_weight * least(1, coalesce(e.{c.name}, 0) / w.{c.name}_enough)" for c in ENGAGEMENT)
    weights = " + ".join(f"w.{c.name}_weight" for c in ENGAGEMENT)
    engagement = f"round(1000.0::float8 * ({parts}) / ({weights})) / 10"
    known = "nullif(" + " + ".join(
        f"CASE WHEN q.{c.name} IS NULL THEN 0 ELSE w.{c.name}_weight END" for c in CONSUMPTION
    ) + ", 0)"  # fmt: skip
    return FACTS.replace("{engagement}", engagement).replace("{weights}", known)


async def lock(tx: Transaction, workspace_id: UUID, account_ids: Sequence[UUID] | None) -> None:
    """Make refreshes of the same accounts wait for each other, in one order: the later one then sees all rows of the
    earlier one, because each of its statements reads what was committed when it began. None: all, and none are made
    meanwhile; the workspace and its segmentations are locked first, which is the order that everybody keeps."""
    if account_ids is None:
        await workspaces.seal(tx, workspace_id)
        await segments.hold_all(tx, workspace_id)
        await tx.execute(
            "SELECT FROM accounts a WHERE a.workspace_id = $1 ORDER BY a.id FOR NO KEY UPDATE", workspace_id
        )
    else:
        await tx.execute(
            "SELECT FROM accounts a WHERE a.workspace_id = $1 AND a.id = ANY ($2) ORDER BY a.id FOR NO KEY UPDATE",
            workspace_id, account_ids,
        )  # fmt: skip


async def refresh(
    tx: Transaction, workspace_id: UUID, account_ids: Sequence[UUID] | None, *, usage: bool = True
) -> int:
    """Recompute what is kept of these accounts (None: all) for the workspace's `facts_day`; gives how many accounts
    changed. The accounts must be locked, in an earlier statement of the transaction. Without `usage`, windows and
    contacts are taken as they stand."""
    args: tuple[object, ...] = (workspace_id,)
    if account_ids is None:
        scope: Scope = "all"
    elif len(account_ids) == 1:
        scope, args = "one", (workspace_id, account_ids[0])
    else:
        scope, args = "few" if len(account_ids) <= FEW else "many", (workspace_id, list(account_ids))
    if scope in ("one", "few"):
        return await _refresh(tx, scope, args, usage)
    async with tx.hashing():
        return await _refresh(tx, scope, args, usage)


async def _refresh(tx: Transaction, scope: Scope, args: tuple[object, ...], usage: bool) -> int:
    if usage:
        await tx.execute(usage_statement(scope), *args)
    return int((await tx.execute(accounts_statement(scope), *args)).rpartition(" ")[2])
