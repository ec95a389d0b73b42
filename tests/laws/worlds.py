"""Random workspaces, full of nulls and ties, as rows of tables and as records for the references."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.catalogue import ENTITIES
from app.domain.facts import Related, Settings
from app.persistence import usage
from app.persistence.database import Transaction
from app.persistence.tables import metadata

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = NOW.date()
INDUSTRIES = ("retail", "energy", "health")
IMPACTS = {"retail": "severe", "energy": "low"}
MODULES: dict[str, str | None] = {"login": "core", "export": "core", "api": "platform", "reports": None, "chat": "talk"}
FEATURES = list(MODULES)
Row = dict[str, Any]


@dataclass
class World:
    """One workspace: rows by table, in the catalogue's field names, accounts by id, related rows by account."""

    seed: int
    zone: str
    workspace_id: UUID
    random: random.Random
    accounts: dict[UUID, Row] = field(default_factory=dict)
    related: dict[UUID, dict[str, list[Row]]] = field(default_factory=dict)

    def uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def maybe(self, value: Any, chance: float = 0.7) -> Any:
        return value if self.random.random() < chance else None

    def day(self, back: int = 150, ahead: int = 40) -> date:
        return DAY + timedelta(days=self.random.randint(-back, ahead))

    def instant(self, back: int = 150, ahead: int = 2) -> datetime:
        """Often the same moment as another, often at the edge of a day."""
        moment = datetime.combine(self.day(back, ahead), datetime.min.time(), UTC)
        return moment + timedelta(hours=self.random.choice((0, 4, 5, 9, 22, 23)), minutes=self.random.choice((0, 59)))

    def money(self) -> int:
        return self.random.choice((0, 100, 12_345, 99_999, 5_000_000, 123_456_789))


def world(seed: int, accounts: int, zone: str = "UTC") -> World:
    """A workspace of so many accounts, the same for the same seed."""
    dice = random.Random(seed)
    made = World(seed, zone, UUID(int=dice.getrandbits(128), version=4), dice)
    for n in range(accounts):
        row = account(made, n)
        made.accounts[row["id"]] = row
        made.related[row["id"]] = {}
        for entity in ROWS:
            make(made, row["id"], entity)
    return made


def account(w: World, n: int) -> Row:
    dice = w.random
    return {
        "id": w.uuid(), "external_id": f"a-{n}", "name": f"Account {n}", "created_at": w.instant(), "updated_at": NOW,
        "version": 1, "industry": w.maybe(dice.choice(INDUSTRIES)), "employees": w.maybe(dice.randint(1, 500)),
        "health": w.maybe(float(dice.choice((0, 39, 40, 55, 69.5, 70, 100)))), "cost_to_serve": w.maybe(w.money()),
        "seats_active": w.maybe(dice.randint(0, 30), 0.5), "usage_limit": w.maybe(float(dice.choice((0, 10, 64))), 0.6),
        "arr_by_hand": w.maybe(w.money()), "renewal_date_by_hand": w.maybe(w.day(ahead=400)),
        "seats_licensed_by_hand": w.maybe(dice.randint(0, 40)), "growth_potential_by_hand": w.maybe(w.money(), 0.5),
        "churned_at_by_hand": w.maybe(w.day(), 0.15), "churn_reason_by_hand": w.maybe("price", 0.2),
        "became_customer_at": w.maybe(w.day(400, 10), 0.5), "is_reference": dice.random() < 0.2, "case_studies": 0,
    }  # fmt: skip


def contact(w: World, _: UUID) -> Row:
    return {"name": "Ann", "is_primary": w.random.random() < 0.4, "nps": None, "active_days_30": 0}


def contract(w: World, _: UUID) -> Row:
    start = w.day(800, 60)
    return {
        "product": w.maybe(w.random.choice(("basic", "plus"))), "arr": w.money(), "tcv": w.maybe(w.money(), 0.3),
        "seats": w.maybe(w.random.randint(0, 20)), "start_date": start, "auto_renew": w.random.random() < 0.5,
        "end_date": w.maybe(start + timedelta(days=w.random.choice((-3, 0, 30, 59, 364, 365, 365, 730)))),
    }  # fmt: skip


def opportunity(w: World, _: UUID) -> Row:
    return {
        "name": "More",
        "stage": w.random.choice(("open", "won", "lost")),
        "amount": w.money(),
        "opened_at": w.day(),
    }


def interaction(w: World, _: UUID) -> Row:
    return {
        "kind": w.random.choice(("email", "email", "call", "meeting", "event", "note", "other")),
        "direction": w.random.choice(("inbound", "outbound")), "occurred_at": w.instant(120),
        "attended": w.maybe(w.random.random() < 0.7), "opened": w.maybe(w.random.random() < 0.7),
        "is_automated": w.random.random() < 0.3,
    }  # fmt: skip


def invoice(w: World, _: UUID) -> Row:
    status = w.random.choice(("draft", "unpaid", "paid", "failed", "void"))
    return {"status": status, "amount": w.money(), "issued_at": w.day(), "due_at": w.day()}


def survey(w: World, account_id: UUID) -> Row:
    people = [c["id"] for c in w.related[account_id]["contacts"]]
    return {
        "contact": w.maybe(w.random.choice(people)) if people else None, "kind": w.random.choice(("nps", "nps", "csat")),
        "score": float(w.random.randint(0, 10)), "answered_at": w.instant(10),
    }  # fmt: skip


def ticket(w: World, _: UUID) -> Row:
    status = w.random.choice(("open", "pending", "closed"))
    return {"status": status, "priority": "low", "opened_at": w.instant(), "escalated": False}


def sentiment(w: World, _: UUID) -> Row:
    return {"score": float(w.random.randint(1, 5)), "author": AUTHOR, "recorded_at": w.instant(5)}


def churn(w: World, _: UUID) -> Row:
    return {"churned_at": w.day(), "reason": w.maybe("support"), "is_reactivation": w.random.random() < 0.5}


AUTHOR = UUID(int=1)
ROWS = {
    "contacts": (contact, 4), "contracts": (contract, 3), "opportunities": (opportunity, 3), "interactions": (interaction, 12),
    "invoices": (invoice, 3), "surveys": (survey, 4), "tickets": (ticket, 3), "sentiments": (sentiment, 3), "churns": (churn, 1),
    "usage": (None, 25),
}  # fmt: skip
"""How a row of each entity is made, and how many an account has at most."""


def make(w: World, account_id: UUID, entity: str) -> None:
    """Replace an account's rows of one entity; often there are none."""
    maker, most = ROWS[entity]
    count = w.random.randint(0, most) if w.random.random() < 0.7 else 0
    if maker is None:
        w.related[account_id][entity] = usage_rows(w, account_id, count)
        return
    rows: list[Row] = []
    w.related[account_id][entity] = rows
    for _ in range(count):
        own = {"id": w.uuid(), "account": account_id, "created_at": w.instant(20), "updated_at": NOW, "version": 1}
        rows.append(own | maker(w, account_id))


def usage_rows(w: World, account_id: UUID, days: int) -> list[Row]:
    people = [c["id"] for c in w.related[account_id]["contacts"]]
    found: dict[tuple[date, str, UUID | None], Row] = {}
    for _ in range(days):
        day = w.day(w.random.choice((8, 35, 100)), 2)
        for feature in w.random.sample(FEATURES, w.random.randint(1, 4)):
            who = w.maybe(w.random.choice(people), 0.6) if people else None
            value = w.random.choice((0.0, 0.25, 1.0, 3.5, -1.0, 8.0))
            found[day, feature, who] = {
                "account": account_id,
                "day": day,
                "feature": feature,
                "contact": who,
                "value": value,
            }
    return list(found.values())


# -- into the database -------------------------------------------------------------------------------------------------


def stored(entity: str, row: Mapping[str, Any]) -> Row:
    """By column instead of field."""
    fields = ENTITIES[entity].fields
    return {fields[k].column if k in fields else k: v for k, v in row.items()}


async def copy(tx: Transaction, table: str, workspace_id: UUID, rows: Iterable[Row]) -> None:
    by_shape: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        by_shape.setdefault(tuple(row), []).append(row)
    for columns, group in by_shape.items():
        assert set(columns) <= set(metadata.tables[table].columns.keys())
        records = [(workspace_id, *(row[c] for c in columns)) for row in group]
        await tx.copy_records(table, records, ("workspace_id", *columns))


def packed(rows: Iterable[Row]) -> list[Row]:
    """Usage rows as one row per account and day."""
    days: dict[tuple[UUID, date], list[Row]] = {}
    for row in rows:
        days.setdefault((row["account"], row["day"]), []).append(row)
    return [
        {
            "account_id": account_id, "day": day, "features": [FEATURES.index(r["feature"]) + 1 for r in group],
            "contacts": [r["contact"] for r in group], "amounts": [r["value"] for r in group],
        }
        for (account_id, day), group in days.items()
    ]  # fmt: skip


async def insert_workspace(tx: Transaction, w: World, slug: str | None = None) -> None:
    """The workspace and what it works with."""
    ws, stamps = w.workspace_id, {"created_at": NOW, "updated_at": NOW}
    await tx.execute(
        "INSERT INTO workspaces (id, slug, name, zone, facts_day, created_at) VALUES ($1, $2, $2, $3, $4, $5)",
        ws, slug or f"w{w.seed}-{ws.hex[:6]}", w.zone, DAY, NOW,
    )  # fmt: skip
    await copy(
        tx,
        "users",
        ws,
        [{"id": AUTHOR, "name": "Cy", "email": "cy@example.com", "role": "csm", "is_active": True} | stamps],
    )
    for table, slugs in (("industries", INDUSTRIES), ("products", ("basic", "plus"))):
        await copy(tx, table, ws, [{"id": w.uuid(), "name": s, "slug": s} | stamps for s in slugs])
    features = [
        {"id": w.uuid(), "name": s, "slug": s, "module": MODULES[s], "is_key": False, "no": n + 1} | stamps
        for n, s in enumerate(FEATURES)
    ]
    await copy(tx, "features", ws, features)
    for slug_, active in (("calm", False), ("storm", True)):
        await tx.execute(
            "INSERT INTO scenarios (workspace_id, id, slug, name, impacts, lanes, is_active, created_at, updated_at) "
            "VALUES ($1, $2, $3, $3, $4::text::jsonb, '{}', $5, $6, $6)",
            ws, w.uuid(), slug_, '{"retail": "severe", "energy": "low"}' if active else "{}", active, NOW,
        )  # fmt: skip


async def insert_related(tx: Transaction, w: World, account_ids: Iterable[UUID]) -> None:
    for entity in ROWS:
        rows = [r for a in account_ids for r in w.related[a][entity]]
        if entity == "usage":
            await copy(tx, "usage_days", w.workspace_id, packed(rows))
        else:
            await copy(tx, entity, w.workspace_id, [stored(entity, r) for r in rows])


async def delete_related(tx: Transaction, w: World, account_ids: list[UUID]) -> None:
    for entity in reversed(ROWS):
        table = "usage_days" if entity == "usage" else entity
        await tx.execute(
            f"DELETE FROM {table} WHERE workspace_id = $1 AND account_id = ANY ($2)", w.workspace_id, account_ids
        )


async def insert(tx: Transaction, w: World) -> None:
    """The whole world."""
    await usage.ensure_months(tx, DAY - timedelta(days=140), DAY + timedelta(days=10))
    await insert_workspace(tx, w)
    await copy(tx, "accounts", w.workspace_id, [stored("accounts", a) for a in w.accounts.values()])
    await insert_related(tx, w, list(w.accounts))


# -- for the references ------------------------------------------------------------------------------------------------


def related(w: World, account_id: UUID) -> Related:
    return Related(**w.related[account_id])


def settings(w: World, day: date = DAY) -> Settings:
    zone = ZoneInfo(w.zone)
    midnight = datetime.min.time()
    span = (
        datetime.combine(day - timedelta(days=89), midnight, zone),
        datetime.combine(day + timedelta(days=1), midnight, zone),
    )
    return Settings(day, span, 40.0, 70.0, IMPACTS, MODULES)
