"""Forecasts: the renewals due and closed, as columns read once, and the forecasts kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.forecasting.asked import Asked, Dimension
from app.domain.forecasting.rows import LEADS, ROWS
from app.domain.workspaces import SegmentationName, Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader, Transaction
from app.persistence.renewals import RENEWALS

KEYS: dict[Dimension, str] = {
    "month": "to_char(d.due_on, 'YYYY-MM')",
    "quarter": """to_char(d.due_on, 'YYYY"-Q"Q')""",
    "csm": "coalesce(a.csm_id::text, '')",
    "product": "d.product",
}
AS_THINGS_ARE = "f.asked->>'scenario' IS NULL AND f.asked->>'lanes' IS NULL AND f.asked->>'what_if' IS NULL"
"""Of a forecast `f`: under no scenario, and nothing is supposed."""
KINDS = {"p05": "::int8", "p95": "::int8"}
"""Money among what is kept as fractions."""
DAY = "{} - DATE '1970-01-01'"
"""A date as the days since 1970, as arrays of days count."""


@dataclass(frozen=True, slots=True)
class DueColumns:
    """One list per column, all of one length; ARR in minor units, days since 1970; `keys` a list per grouping asked for
    that is not the lane, `supposed` one per criteria asked for: whether the account meets it."""

    renewal_ids: list[UUID]
    account_ids: list[UUID]
    arr: list[int]
    due_on: list[int]
    products: list[str]
    industries: list[str]
    started: list[int]
    first_started: list[int]
    seats: list[int | None]
    keys: tuple[list[str], ...]
    supposed: tuple[list[bool], ...]


@dataclass(frozen=True, slots=True)
class ClosedColumns:
    """Renewals that have closed, columns as in DueColumns; `paid` is the share of the ARR that went on, above 1 where more
    was bought."""

    account_ids: list[UUID]
    arr: list[int]
    due_on: list[int]
    closed_on: list[int]
    paid: list[float]
    products: list[str]
    industries: list[str]
    started: list[int]
    first_started: list[int]
    seats: list[int | None]


async def due(
    reader: Reader, workspace: Workspace, asked: Asked, where: Meaning, supposed: Sequence[Meaning], today: date
) -> DueColumns:
    """Terms that end in the period and were not decided before today, and accounts without contracts by their own date.

    What carries a term on decides it from the day that it is known.
    """
    scope = Scope(workspace)
    first, last, day = scope.bind(asked.start), scope.bind(asked.end), scope.bind(today)
    keys = [_key(group, scope) for _, group in asked.groups if group != "lane"]
    inside = condition(where, ACCOUNTS, "a", scope)
    met = [f"coalesce({condition(one, ACCOUNTS, 'a', scope)}, false)" for one in supposed]
    days = [DAY.format(f"d.{name}") for name in ("due_on", "start_date", "first_started")]
    columns = [
        "d.id", "a.id", "d.arr", days[0], "d.product", "coalesce(a.industry, '')", days[1], days[2], "d.seats", *keys, *met
    ]  # fmt: skip
    row = await reader.fetchrow(
        f"""
        WITH {RENEWALS}
        SELECT {", ".join(f"coalesce(array_agg({c} ORDER BY d.due_on, a.id, d.id), '{{}}')" for c in columns)}
        {_open(f"{{due}} >= {first} AND {{due}} < {last}", day)}
        WHERE a.archived_at IS NULL AND {inside}
        """,
        *scope.args,
    )
    assert row is not None  # an aggregate answers one row
    ids, accounts, arr, due_on, products, industries, started, first_started, seats, *rest = row
    return DueColumns(
        ids, accounts, arr, due_on, products, industries, started, first_started, seats, tuple(rest[: len(keys)]),
        tuple(rest[len(keys) :]),
    )  # fmt: skip


def _open(when: str, day: str) -> str:
    """FROM renewals `d` that are open on a day, of accounts `a`; `when` says of `{due}`, the day on which they are due, which."""
    return f"""FROM (
          SELECT r.id, r.account_id, r.arr, r.due_on, r.product, r.start_date, r.first_started, r.seats
          FROM renewals r
          WHERE {when.format(due="r.due_on")} AND r.start_date <= {day} AND r.decided_on >= {day}
            AND (r.by_hand OR r.followed_on IS NULL OR r.followed_on > {day})
          UNION ALL
          SELECT b.id, b.id, greatest(b.arr, 0), b.renewal_date, '', NULL, b.became_customer_at, NULL
          FROM accounts b
          WHERE b.workspace_id = $1 AND {when.format(due="b.renewal_date")}
            AND NOT EXISTS (SELECT FROM contracts e WHERE e.workspace_id = $1 AND e.account_id = b.id)
        ) d
        JOIN accounts a ON a.workspace_id = $1 AND a.id = d.account_id"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Renewals that were due before a period and today, and are open; ARR in minor units. `since`: the first day one was due."""

    renewals: int
    arr: int
    since: date | None


async def overdue(reader: Reader, workspace: Workspace, first: date, where: Meaning, today: date) -> Overdue:
    """Of the accounts that meet the criteria: a forecast whose period begins on `since` has them in it."""
    scope = Scope(workspace)
    day, before = scope.bind(today), scope.bind(min(first, today))
    inside = condition(where, ACCOUNTS, "a", scope)
    row = await reader.fetchrow(
        f"""
        WITH {RENEWALS}
        SELECT count(*), coalesce(sum(d.arr), 0)::bigint, min(d.due_on)
        {_open(f"{{due}} < {before}", day)}
        WHERE a.archived_at IS NULL AND {inside}
        """,
        *scope.args,
    )
    assert row is not None  # an aggregate answers one row
    return Overdue(*row)


@dataclass(frozen=True, slots=True)
class Undated:
    """What is in force and says nowhere when it renews: contracts without an end, and accounts that have neither contracts nor
    a renewal date. `accounts` are those of both; ARR in minor units."""

    contracts: int
    accounts: int
    arr: int


async def undated(reader: Reader, workspace: Workspace, where: Meaning, today: date) -> Undated:
    """Of the accounts that meet the criteria."""
    scope = Scope(workspace)
    day, inside = scope.bind(today), condition(where, ACCOUNTS, "a", scope)
    row = await reader.fetchrow(
        f"""
        SELECT count(d.id), count(DISTINCT d.account_id), coalesce(sum(d.arr), 0)::bigint
        FROM (
          SELECT c.id, c.account_id, c.arr FROM contracts c
          WHERE c.workspace_id = $1 AND c.end_date IS NULL AND c.start_date <= {day} AND c.arr > 0
            AND (c.outcome IS NULL OR c.decided_at >= {day})
          UNION ALL
          SELECT NULL, b.id, b.arr FROM accounts b
          WHERE b.workspace_id = $1 AND b.renewal_date IS NULL AND b.arr > 0
            AND NOT EXISTS (SELECT FROM contracts e WHERE e.workspace_id = $1 AND e.account_id = b.id)
        ) d
        JOIN accounts a ON a.workspace_id = $1 AND a.id = d.account_id
        WHERE a.archived_at IS NULL AND {inside}
        """,
        *scope.args,
    )
    assert row is not None  # an aggregate answers one row
    return Undated(*row)


def _key(group: Dimension | SegmentationName, scope: Scope) -> str:
    if not isinstance(group, SegmentationName):
        return KEYS[group]
    which = scope.bind(group.id)
    return (
        "coalesce((SELECT m.segment FROM members m WHERE m.workspace_id = $1 "
        f"AND m.segmentation_id = {which} AND m.account_id = a.id), '')"
    )


async def closed(reader: Reader, workspace: Workspace, today: date) -> ClosedColumns:
    """Every term that was decided before today, in the order of their days."""
    paid = "CASE WHEN r.arr > 0 THEN r.kept::float8 / r.arr WHEN r.result = 'churned' THEN 0 ELSE 1 END"
    days = [DAY.format(f"r.{name}") for name in ("due_on", "decided_on", "start_date", "first_started")]
    columns = [
        "r.account_id", "r.arr", days[0], days[1], paid, "r.product", "coalesce(a.industry, '')", days[2], days[3], "r.seats"
    ]  # fmt: skip
    row = await reader.fetchrow(
        f"""
        WITH {RENEWALS}
        SELECT {", ".join(f"coalesce(array_agg({c} ORDER BY r.due_on, r.id), '{{}}')" for c in columns)}
        FROM renewals r
        JOIN accounts a ON a.workspace_id = $1 AND a.id = r.account_id
        WHERE r.decided_on < $2
        """,
        workspace.id,
        today,
    )
    assert row is not None  # an aggregate answers one row
    return ClosedColumns(*row)


async def keep(
    tx: Transaction,
    workspace_id: UUID,
    forecast_id: UUID,
    asked: bytes,
    answer: bytes,
    as_of: datetime,
    now: datetime,
    by: UUID | None,
) -> None:
    """Keeps a forecast: what was asked and what was answered, as JSON, and who asked (None: a service)."""
    await tx.execute(
        "INSERT INTO forecasts (workspace_id, id, asked, answer, as_of, created_at, created_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        workspace_id, forecast_id, asked, answer, as_of, now, by,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RenewalColumns:
    """What each renewal of a forecast is expected to bring, a list per column of `forecast_renewals`; money in minor units,
    days since 1970. `reasons` one after the other, `names` of each renewal: behind the reasons what LEADS names."""

    renewal_ids: list[UUID]
    account_ids: list[UUID]
    products: list[str]
    lanes: list[str]
    due_on: list[int]
    arr: list[int]
    probability: list[float]
    expected: list[int]
    expected_net: list[int]
    reasons: list[float]
    names: int


async def keep_renewals(tx: Transaction, workspace_id: UUID, forecast_id: UUID, columns: RenewalColumns) -> None:
    """Keeps what each renewal of a forecast is expected to bring; empty products and lanes as none."""
    await tx.execute(
        """
        INSERT INTO forecast_renewals (
          workspace_id, forecast_id, no, renewal_id, account_id, product, lane, due_on, arr, probability, expected,
          expected_net, reasons
        )
        SELECT $1, $2, x.no - 1, x.renewal_id, x.account_id, nullif(x.product, ''), nullif(x.lane, ''),
               DATE '1970-01-01' + x.due_on, x.arr, x.probability, x.expected, x.expected_net,
               ($12::float8[])[(x.no - 1) * $13::int4 + 1 : x.no * $13::int4]
        FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int4[], $8::int8[], $9::float8[], $10::int8[],
                    $11::int8[]) WITH ORDINALITY
          AS x(renewal_id, account_id, product, lane, due_on, arr, probability, expected, expected_net, no)
        """,
        workspace_id, forecast_id, columns.renewal_ids, columns.account_ids, columns.products, columns.lanes,
        columns.due_on, columns.arr, columns.probability, columns.expected, columns.expected_net, columns.reasons,
        columns.names,
    )  # fmt: skip


async def get(reader: Reader, workspace_id: UUID, forecast_id: UUID) -> tuple[bytes, UUID | None] | None:
    """The answer as it was given, and who asked."""
    row = await reader.fetchrow(
        "SELECT f.answer::json AS answer, f.created_by FROM forecasts f WHERE f.workspace_id = $1 AND f.id = $2",
        workspace_id, forecast_id, point=True,
    )  # fmt: skip
    return (row["answer"], row["created_by"]) if row else None


async def latest(
    reader: Reader, workspace_id: UUID, limit: int, before: UUID | None, by: UUID | None
) -> list[tuple[bytes, UUID]]:
    """Newest first, at most `limit`, older than `before`; only those that `by` asked for where it is given."""
    rows: list[Any] = await reader.fetch(
        f"""
        SELECT f.answer::json AS answer, f.id FROM forecasts f
        WHERE f.workspace_id = $1 AND ($2::uuid IS NULL OR f.id < $2) AND ($3::uuid IS NULL OR f.created_by = $3)
        ORDER BY f.id DESC LIMIT {int(limit)}
        """,
        workspace_id, before, by,
    )  # fmt: skip
    return [(row["answer"], row["id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` renewals and one more, in the order of one of SORTS, then as they came; `after` are key and `no`. What
    was not kept yet when a forecast was made counts as nought."""

    sort: str
    descending: bool
    limit: int
    after: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Which:
    """Renewals of one forecast that are kept with so many `names` of reasons: `account` is what their accounts meet now, `row`
    what they meet themselves, of ROWS."""

    forecast_id: UUID
    names: int
    account: Meaning
    row: Meaning


async def renewals(reader: Reader, workspace: Workspace, which: Which, page: Page) -> list[Any]:
    """Each with its account's name; `key` is what they are sorted by.

    `category`, `called` (a probability) and `amount` are of the call that stands of what the account has due on that day.
    """
    scope = Scope(workspace)
    key = "coalesce(a.name, '')" if page.sort == "name" else f"coalesce(r.{ROWS.fields[page.sort].column}, 0)"
    if page.sort == "due_on":
        key = "r.due_on"
    forecast, names = scope.bind(which.forecast_id), scope.bind(which.names)
    leads = "".join(
        f", f.reasons[{names}::int4 + {n}]{KINDS.get(name, '')} AS {name}" for n, name in enumerate(LEADS, 1)
    )
    conditions = [condition(which.account, ACCOUNTS, "a", scope), condition(which.row, ROWS, "r", scope)]
    order = "DESC" if page.descending else "ASC"
    if page.after is not None:
        value, no = (scope.bind(one) for one in page.after)
        beyond = "<" if page.descending else ">"
        conditions.append(f"({key} {beyond} {value} OR ({key} = {value} AND r.no > {no}))")
    return await reader.fetch(
        f"""
        SELECT p.*, k.category, k.called, k.amount
        FROM (
          SELECT r.*, coalesce(a.name, '') AS name, {key} AS key
          FROM (
            SELECT f.*, f.arr - f.expected AS expected_loss{leads} FROM forecast_renewals f
            WHERE f.workspace_id = $1 AND f.forecast_id = {forecast}
          ) r
          LEFT JOIN accounts a ON a.workspace_id = $1 AND a.id = r.account_id
          WHERE {" AND ".join(conditions)}
          ORDER BY {key} {order}, r.no LIMIT {int(page.limit) + 1}
        ) p
        LEFT JOIN LATERAL (
          SELECT c.category, c.probability AS called, c.amount FROM renewal_calls c
          WHERE c.workspace_id = $1 AND c.account_id = p.account_id AND c.due_on = p.due_on
          ORDER BY c.version DESC LIMIT 1
        ) k ON true
        ORDER BY p.key {order}, p.no
        """,
        *scope.args,
    )
