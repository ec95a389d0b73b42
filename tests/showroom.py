"""A small workspace that the documentation's recipes and the example page are tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

ACCOUNTS = 130
INDUSTRIES = ("software", "retail", "media")


@asynccontextmanager
async def furnished_well(db: Database, server: Server, name: str) -> AsyncIterator[House]:
    """Accounts `A-000` … with people, contacts, tickets and invoices; those whose number divides by 10 are
    customers with red health and a renewal within 90 days."""
    house = await furnished(db, server, name)
    csm = str(house.users["csm"])
    for slug in INDUSTRIES:
        await _made(house, "industries", {"slug": slug, "name": slug.title()})
    await _made(
        house,
        "attributes",
        {"entity": "accounts", "slug": "plan", "name": "Plan", "type": "enum", "values": ["free", "paid"]},
    )
    await _bulk(house, "accounts", [_account(n, csm) for n in range(ACCOUNTS)])
    answer = await house.viewer.get("/v1/accounts", params={"fields": "id,external_id", "limit": 1000})
    ids = {row["external_id"]: row["id"] for row in answer.json()["data"]}
    accounts = [ids[f"A-{n:03d}"] for n in range(ACCOUNTS)]
    now = datetime.now(UTC)
    await _bulk(house, "contacts", [
        {"external_id": f"C-{n:03d}", "account_id": accounts[n], "name": f"Contact {n:03d}", "email": f"c{n:03d}@example.com"}
        for n in range(0, ACCOUNTS, 2)
    ])  # fmt: skip
    await _bulk(house, "tickets", [
        {"external_id": f"T-{n:03d}", "account_id": accounts[n], "status": "open", "opened_at": _at(now - timedelta(n % 40)),
         "priority": ("low", "medium", "high", "urgent")[n % 4]}
        for n in range(0, ACCOUNTS, 3)
    ])  # fmt: skip
    await _bulk(house, "invoices", [
        {"external_id": f"I-{n:03d}", "account_id": accounts[n], "status": "unpaid", "amount": 100 + n,
         "issued_at": f"{now:%Y-%m-%d}", "due_at": f"{now + timedelta(30):%Y-%m-%d}"}
        for n in range(0, ACCOUNTS, 5)
    ])  # fmt: skip
    yield house
    for each in house.clients.values():
        await each.aclose()


def token(house: House, role: str) -> str:
    """The API key of a role."""
    return house.clients[role].headers["authorization"].removeprefix("Bearer ")


def _account(n: int, csm: str) -> dict[str, Any]:
    renewal = datetime.now(UTC) + timedelta(20 + n % 30 if n % 10 == 0 else 200 + n)
    return {
        "external_id": f"A-{n:03d}", "name": f"Account {n:03d}", "arr": 1000 * (n % 17) + n, "health": 20 if n % 10 == 0 else 40 + n % 60,
        "industry": INDUSTRIES[n % 3] if n % 7 else None, "csm_id": csm if n % 4 == 0 else None,
        "renewal_date": f"{renewal:%Y-%m-%d}", "custom": {"plan": "paid"} if n % 2 else {},
        "region": "emea" if n % 2 else "amer",
    }  # fmt: skip


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


async def _made(house: House, path: str, body: dict[str, Any]) -> None:
    answer = await house.admin.post(f"/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text


async def _bulk(house: House, path: str, records: list[dict[str, Any]]) -> None:
    answer = await house.manager.post(f"/v1/{path}/bulk", json={"records": records})
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == 0, answer.text
