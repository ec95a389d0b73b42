"""The role matrix, every cell on both doors: who may do what, and where only to what is their own.

ROWS is written from the words of the trust document, not from the code's table: an operation is a row, or several.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.api.door import Door
from app.api.graphql.schema import SCHEMA
from app.api.rest import table
from app.domain.roles import PEOPLE, RULES, SCOPES
from app.persistence.database import Database
from app.services import keys, users
from tests.api.conftest import House, client, furnished
from tests.servers import Server

_numbers = itertools.count(1)


@dataclass
class World:
    """A workspace with everybody in it; `other` is a csm whose things are nobody else's, `services` are by scopes."""

    house: House
    other: httpx.AsyncClient
    other_id: UUID
    services: dict[frozenset[str], httpx.AsyncClient] = field(default_factory=dict)

    @property
    def admin(self) -> httpx.AsyncClient:
        """Who makes what rows work on."""
        return self.house.clients["admin"]


@dataclass(frozen=True)
class Column:
    """Who asks, and whether the thing is theirs or the other csm's; `scoped` says whether a service has the scope."""

    name: str
    role: str
    own: bool = False
    scoped: bool = False


COLUMNS = (
    Column("admin", "admin"), Column("manager", "manager"), Column("csm on their own", "csm", own=True),
    Column("csm on another's", "csm"), Column("viewer on their own", "viewer", own=True), Column("viewer on another's", "viewer"),
    Column("service with the scope", "service", scoped=True), Column("service without", "service"),
)  # fmt: skip

Thing = Mapping[str, str]
"""What a row works on: `id`, and `etag` where it has one."""
Make = Callable[[World, Column], Awaitable[Thing]]


@dataclass(frozen=True)
class Row:
    """One operation: `may` are roles that always may, `own` those that may to what is theirs, `scope` lets a service.

    `rest` is a method and an address, `body` what is sent; `graphql` is a field with its arguments, empty where there is
    none. `{new}` is a name that nothing has yet, other braces and `$id`, `$version` are of the thing that `make` makes.
    `absent` are those for whom it is not there, which is not told from what never was.
    """

    operation: str
    may: str
    own: str
    scope: str | None
    rest: str
    body: Any = None
    graphql: str = ""
    make: Make | None = None
    absent: str = ""

    def verdict(self, column: Column) -> int:
        """The status where it is refused, 200 where it is not."""
        if column.role == "service":
            allowed = self.scope is not None and column.scoped
            return 403 if not allowed else 404 if "service" in self.absent.split() else 200
        if column.role in self.may.split() or (column.own and column.role in self.own.split()):
            return 200
        return 404 if column.role in self.absent.split() else 403


# -- what rows work on -------------------------------------------------------------------------------------------------


def owner(world: World, column: Column) -> UUID:
    return world.house.users[column.role] if column.own else world.other_id


def owners_client(world: World, column: Column) -> httpx.AsyncClient:
    return world.house.clients[column.role] if column.own else world.other


async def made(sender: httpx.AsyncClient, path: str, body: Any, method: str = "POST") -> Thing:
    answer = await sender.request(method, path, json=body)
    assert answer.status_code in (200, 201), answer.text
    told = answer.json()
    named = {name: str(told[name]) for name in ("id", "slug", "email") if name in told}
    return {"etag": answer.headers["etag"], **named}


async def account(world: World, column: Column) -> Thing:
    return await made(world.admin, "/v1/accounts", {"name": "A", "csm_id": str(owner(world, column))})


async def archived(world: World, column: Column) -> Thing:
    thing = await account(world, column)
    path, version = f"/v1/accounts/{thing['id']}/archive", {"if-match": thing["etag"]}
    return {**thing, "etag": (await world.admin.post(path, headers=version)).headers["etag"]}


async def contact(world: World, column: Column) -> Thing:
    of = await account(world, column)
    return {**await made(world.admin, "/v1/contacts", {"account_id": of["id"], "name": "C"}), "account": of["id"]}


async def public_list(world: World, column: Column) -> Thing:
    """A public list, or where a viewer owns it a private one: a viewer has no other."""
    visibility = "private" if column.own and column.role == "viewer" else "public"
    body = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}, "visibility": visibility}
    heir = {"heir": str(world.house.users["manager"])}
    return {**await made(owners_client(world, column), "/v1/lists", body), **heir}


async def private_list(world: World, column: Column) -> Thing:
    body = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}, "visibility": "private"}
    return await made(owners_client(world, column), "/v1/lists", body)


async def watched_privately(world: World, column: Column) -> Thing:
    thing = await private_list(world, column)
    answer = await owners_client(world, column).put(f"/v1/lists/{thing['id']}/watch")
    assert answer.status_code == 200, answer.text
    return thing


async def forecast(world: World, column: Column) -> Thing:
    maker = world.other if column.role == "viewer" else owners_client(world, column)
    return await made(maker, "/v1/forecasts", {})


async def api_key(world: World, column: Column) -> Thing:
    made_key = await made(world.admin, "/v1/api-keys", {"name": "k", "role": "service", "scopes": ["read"]})
    return {"id": made_key["id"]}


async def workspace(world: World, column: Column) -> Thing:
    return {"etag": (await world.admin.get("/v1/workspace")).headers["etag"]}


async def scores(world: World, column: Column) -> Thing:
    return {"etag": (await world.admin.get("/v1/scores")).headers["etag"]}


async def calendar(world: World, column: Column) -> Thing:
    """What sets the same one again leaves the version as it is."""
    etag = (await world.admin.get("/v1/workspace")).headers["etag"]
    answer = await world.admin.put("/v1/workspace/calendar", json={"periods": [PERIOD]}, headers={"if-match": etag})
    return {"etag": answer.headers["etag"]}


async def no_calendar(world: World, column: Column) -> Thing:
    thing = await workspace(world, column)
    await world.admin.delete("/v1/workspace/calendar", headers={"if-match": thing["etag"]})
    return await workspace(world, column)


async def a_user(world: World, column: Column) -> Thing:
    body = {"name": "U", "email": f"u{next(_numbers)}@matrix.example", "role": "viewer"}
    return await made(world.admin, "/v1/users", body)


def named(path: str, **more: Any) -> Make:
    """Something with a slug, made at an address."""

    async def make(world: World, column: Column) -> Thing:
        return await made(world.admin, path, {"name": "N", "slug": f"s{next(_numbers)}", **more})

    return make


async def segmentation(world: World, column: Column, body: Any = None) -> Thing:
    """A workspace has so many at most: those of the rows before go, all but the latest."""
    listed = sorted((await world.admin.get("/v1/segmentations")).json()["data"], key=lambda one: one["created_at"])
    for one in listed[:-1] if len(listed) > 40 else ():
        if one["slug"] not in ("tier", "portfolio"):
            match = {"if-match": f'"{one["version"]}-0123456789abcdef"'}
            assert (await world.admin.delete(f"/v1/segmentations/{one['slug']}", headers=match)).status_code == 204
    return await made(world.admin, f"/v1/segmentations/s{next(_numbers)}", body or RULED, "PUT")


async def halved(world: World, column: Column) -> Thing:
    """One whose cuts are taken from the accounts."""
    cut = {"kind": "bands", "spec": {"field": "arr", "cuts": {"by": "median"}}}
    segments = [{"slug": "above", "name": "Above"}, {"slug": "below", "name": "Below"}]
    return await segmentation(world, column, {"name": "Halves", **cut, "segments": segments})


PERIOD = {"year": 2026, "quarter": 1, "period": 1, "start_date": "2026-02-01", "end_date": "2026-02-28"}


async def drafted(world: World, column: Column) -> Thing:
    """A segmentation and its draft, both at their first version."""
    thing = await segmentation(world, column)
    await made_at(world.admin, f"/v1/segmentations/{thing['slug']}/draft", RULED)
    return thing


async def made_at(sender: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await sender.put(path, json=body)
    assert answer.status_code in (200, 201), answer.text


async def pinned(world: World, column: Column) -> Thing:
    thing = await account(world, column)
    await made_at(world.admin, f"/v1/accounts/{thing['id']}/segments/tier/pin", PIN)
    return {"id": thing["id"]}


async def renewing(world: World, column: Column) -> Thing:
    body = {"name": "A", "csm_id": str(owner(world, column)), "arr": 10, "renewal_date": "2099-01-01"}
    return {"id": (await made(world.admin, "/v1/accounts", body))["id"]}


async def called(world: World, column: Column) -> Thing:
    """An account whose next renewal is called; `etag` is the call's."""
    thing = await renewing(world, column)
    answer = await world.admin.put(f"/v1/accounts/{thing['id']}/renewal-call", json=CALL)
    assert answer.status_code == 201, answer.text
    return {"id": thing["id"], "etag": answer.headers["etag"]}


STEP = {"plan": "playbook", "step": "Send the guide for the first steps"}


async def clustered(world: World, column: Column) -> Thing:
    """Nothing of its own: accounts that fall into two clusters."""
    sizes = [
        {"external_id": f"c{n}", "name": "C", "type": "clustered", "employees": 10 + n % 5 + 1_000 * (n % 2)}
        for n in range(60)
    ]
    answer = await world.admin.post("/v1/accounts/bulk", json={"records": sizes})
    assert answer.status_code == 200, answer.text
    return {}


PIN = {"segment": "high", "reason": "A pilot."}
CLUSTERS = {"kind": "clusters", "fields": ["employees"], "count": 2, "where": 'type = "clustered"'}
CLUSTERED = r'{fields: ["employees"], count: 2, where: {text: "type = \"clustered\""}}'
CALL = {"category": "likely"}
RULED = {"name": "R", "kind": "rules", "segments": [{"slug": "high", "name": "H", "criteria": "arr >= 50000"}]}
SEGMENTS = '{name: "R", kind: rules, segments: [{slug: "high", name: "H", criteria: {text: "arr >= 50000"}}]}'
MAPPING = {"kind": "accounts", "columns": {"external_id": "id", "name": "name"}}
LIST = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}}
LISTED = 'entity: accounts, name: "L", criteria: {text: "ALL"}'
KEY = {"name": "k", "role": "service", "scopes": ["read"]}
STEER, ALL = "admin manager", "admin manager csm viewer"

# -- the matrix --------------------------------------------------------------------------------------------------------

ROWS = (
    # everybody reads, a service with the scope
    Row("me.read", ALL, "", "read", "GET /v1/me", None, "query me"),
    Row("workspace.read", ALL, "", "read", "GET /v1/workspace", None, "query workspace"),
    Row("workspace.read", ALL, "", "read", "GET /v1/workspace/calendar", None, "query workspaceCalendar"),
    Row("workspace.read", ALL, "", "read", "GET /v1/scores", None, "query scores"),
    Row("records.read", ALL, "", "read", "GET /v1/stages/stuck", None, "query stuckAccounts"),
    Row("catalog.read", ALL, "", "read", "GET /v1/catalog", None, "query catalog"),
    Row("criteria.read", ALL, "", "read", "POST /v1/criteria/check", {"entity": "accounts", "filter": "ALL"}, 'query checkCriteria(entity: accounts, filter: "ALL")'),
    Row("criteria.read", ALL, "", "read", "POST /v1/criteria/preview", {"entity": "accounts", "filter": "ALL"}, 'query previewCriteria(entity: accounts, filter: "ALL")'),
    Row("criteria.read", ALL, "", "read", "POST /v1/criteria/explain", {"id": "{id}", "filter": "ALL"}, 'query explainAccount(id: $id, filter: "ALL")', account),
    Row("criteria.read", ALL, "", "read", "GET /v1/accounts/{id}/segments", None, "query accountSegments(id: $id)", account),
    Row("criteria.read", ALL, "", "read", "GET /v1/accounts/{id}/segments/tier/explain", None, 'query explainSegments(id: $id, segmentation: "tier")', account),
    Row("records.read", ALL, "", "read", "GET /v1/accounts/{id}", None, "query account(id: $id)", account),
    Row("records.read", ALL, "", "read", "GET /v1/contacts/{id}", None, "query contact(id: $id)", contact),
    Row("segmentations.read", ALL, "", "read", "GET /v1/segmentations", None, "query segmentations"),
    Row("segmentations.read", ALL, "", "read", "GET /v1/segmentations/{slug}/draft", None, 'query segmentationDraft(slug: "{slug}")', drafted),
    Row("records.read", ALL, "", "read", "GET /v1/engagements", None, "query engagements(first: 1)"),
    Row("records.read", ALL, "", "read", "GET /v1/capacity", None, "query capacity"),
    Row("records.read", ALL, "", "read", "GET /v1/requests/queue", None, "query requestQueue(first: 1)"),
    Row("records.read", ALL, "", "read", "GET /v1/scenarios/compare", None, "query scenarioComparison"),
    Row("records.read", ALL, "", "read", "GET /v1/scenarios/{slug}/versions", None, 'query scenarioVersions(slug: "{slug}")', named("/v1/scenarios")),
    Row("segmentations.read", ALL, "", "read", "GET /v1/segmentations/tier/versions", None, 'query segmentationVersions(slug: "tier")'),
    Row("segmentations.read", ALL, "", "read", "POST /v1/segmentations/tier/simulate", {}, 'query simulateSegmentation(slug: "tier")'),
    Row("segmentations.read", ALL, "", "read", "GET /v1/segmentations/tier/analysis", None, 'query segmentation(slug: "tier")'),
    Row("segmentations.read", ALL, "", "read", "GET /v1/segmentations/tier/validation", None, 'query segmentation(slug: "tier")'),
    Row("segmentations.suggest", STEER, "", "read", "POST /v1/segmentations/suggest", CLUSTERS, f"query suggestSegmentation(input: {CLUSTERED})", clustered),
    Row("criteria.read", ALL, "", "read", "GET /v1/accounts/{id}/segments/tier/history", None, 'query segmentHistory(id: $id, segmentation: "tier")', account),
    # accounts: manager, admin, and the account's csm write; delete admin
    Row("accounts.create", STEER, "", "write", "POST /v1/accounts", {"name": "A"}, 'mutation createAccount(input: {name: "A"})'),
    Row("accounts.write", STEER, "csm", "write", "PATCH /v1/accounts/{id}", {"name": "B"}, 'mutation updateAccount(id: $id, expectedVersion: $version, input: {name: "B"})', account),
    Row("accounts.archive", STEER, "csm", "write", "POST /v1/accounts/{id}/archive", None, "mutation archiveAccount(id: $id, expectedVersion: $version)", account),
    Row("accounts.archive", STEER, "csm", "write", "POST /v1/accounts/{id}/restore", None, "mutation restoreAccount(id: $id, expectedVersion: $version)", archived),
    Row("accounts.delete", "admin", "", None, "DELETE /v1/accounts/{id}", None, "mutation deleteAccount(id: $id, expectedVersion: $version)", account),
    Row("accounts.pin", STEER, "csm", "write", "PUT /v1/accounts/{id}/segments/tier/pin", PIN, 'mutation pinAccount(id: $id, segmentation: "tier", input: {segment: "high", reason: "A pilot."})', account),
    Row("accounts.pin", STEER, "csm", "write", "DELETE /v1/accounts/{id}/segments/tier/pin", None, 'mutation unpinAccount(id: $id, segmentation: "tier")', pinned),
    Row("accounts.step", STEER, "csm", "write", "PUT /v1/accounts/{id}/segments/tier/steps", STEP, f'mutation markStep(id: $id, segmentation: "tier", input: {{plan: playbook, step: "{STEP["step"]}"}})', account),
    Row("accounts.call", STEER, "csm", "write", "PUT /v1/accounts/{id}/renewal-call", CALL, "mutation callRenewal(id: $id, input: {category: likely})", renewing),
    Row("accounts.call", STEER, "csm", "write", "DELETE /v1/accounts/{id}/renewal-call", None, "mutation withdrawRenewalCall(id: $id, expectedVersion: $version)", called),
    Row("forecasts.read", STEER, "csm", "read", "GET /v1/accounts/{id}/renewal-call", None, "query renewalCall(id: $id)", renewing),
    Row("forecasts.read", STEER, "csm", "read", "GET /v1/accounts/{id}/renewal-call/history", None, "query renewalCallHistory(id: $id)", called),
    Row("forecasts.read", "admin manager csm", "", "read", "GET /v1/renewal-calls/accuracy", None, "query renewalCallAccuracy"),
    Row("forecasts.read", "admin manager csm", "", "read", "GET /v1/forecasts/accuracy", None, "query forecastAccuracy"),
    Row("forecasts.read", "admin manager csm", "", "read", "GET /v1/forecasts/waterfall", None, "query waterfall"),
    Row("forecasts.read", "admin manager csm", "", "read", "GET /v1/forecasts/waterfall/accounts", None, "query waterfallAccounts"),
    Row("forecasts.read", STEER, "", "read", "GET /v1/forecasts/backtest", None, "query backtest"),
    Row("accounts.stage", STEER, "csm", "write", "POST /v1/accounts/{id}/stage", {"stage": None}, "mutation moveStage(id: $id, input: {stage: null})", account),
    # records follow their account
    Row("records.write", STEER, "csm", "write", "POST /v1/contacts", {"account_id": "{id}", "name": "C"}, 'mutation createContact(input: {accountId: $id, name: "C"})', account),
    Row("records.write", STEER, "csm", "write", "POST /v1/accounts/{id}/contacts", {"name": "C"}, 'mutation createContact(input: {accountId: $id, name: "C"})', account),
    Row("records.write", STEER, "csm", "write", "PATCH /v1/contacts/{id}", {"name": "D"}, 'mutation updateContact(id: $id, expectedVersion: $version, input: {name: "D"})', contact),
    Row("records.write", STEER, "csm", "write", "DELETE /v1/contacts/{id}", None, "mutation deleteContact(id: $id, expectedVersion: $version)", contact),
    Row("records.bulk", STEER, "", "write", "POST /v1/contacts/bulk", {"records": [{"external_id": "{new}", "account": "{id}", "name": "C"}]}, 'mutation bulkUpsert(entity: contacts, records: [{external_id: "{new}", account: "{id}", name: "C"}])', account),
    # what the organisation has named, and its settings
    Row("directory.write", STEER, "", "write", "POST /v1/industries", {"name": "I", "slug": "{new}"}, 'mutation createIndustry(input: {name: "I", slug: "{new}"})'),
    Row("directory.write", STEER, "", "write", "PATCH /v1/products/{slug}", {"name": "Q"}, 'mutation updateProduct(id: $id, expectedVersion: $version, input: {name: "Q"})', named("/v1/products")),
    Row("directory.write", STEER, "", "write", "DELETE /v1/features/{slug}", None, "mutation deleteFeature(id: $id, expectedVersion: $version)", named("/v1/features")),
    Row("scenarios.write", STEER, "", "write", "POST /v1/scenarios", {"name": "S", "slug": "{new}"}, 'mutation createScenario(input: {name: "S", slug: "{new}"})'),
    Row("scenarios.write", STEER, "", "write", "PATCH /v1/scenarios/{slug}", {"name": "T"}, 'mutation updateScenario(id: $id, expectedVersion: $version, input: {name: "T"})', named("/v1/scenarios")),
    Row("scenarios.write", STEER, "", "write", "POST /v1/scenarios/{slug}/rollback", {"version": 1}, "mutation rollbackScenario(id: $id, expectedVersion: $version, input: {version: 1})", named("/v1/scenarios")),
    Row("stages.write", STEER, "", "write", "POST /v1/stages", {"name": "S", "slug": "{new}"}, 'mutation createStage(input: {name: "S", slug: "{new}"})'),
    Row("stages.write", STEER, "", "write", "PATCH /v1/stages/{slug}", {"name": "T"}, 'mutation updateStage(id: $id, expectedVersion: $version, input: {name: "T"})', named("/v1/stages")),
    Row("scores.write", STEER, "", "write", "PUT /v1/scores", {}, "mutation putScores(expectedVersion: $version, input: {})", scores),
    Row("attributes.write", "admin", "", None, "POST /v1/attributes", {"entity": "accounts", "slug": "{new}", "name": "N", "type": "text"}, 'mutation createAttribute(input: {entity: accounts, slug: "{new}", name: "N", type: text})'),
    Row("workspace.write", "admin", "", None, "PATCH /v1/workspace", {"week_start": 1}, "mutation updateWorkspace(expectedVersion: $version, input: {weekStart: 1})", workspace),
    Row("workspace.write", "admin", "", None, "PUT /v1/workspace/calendar", {"periods": [PERIOD]}, 'mutation putWorkspaceCalendar(expectedVersion: $version, input: {periods: [{year: 2026, quarter: 1, period: 1, startDate: "2026-02-01", endDate: "2026-02-28"}]})', calendar),
    Row("workspace.write", "admin", "", None, "DELETE /v1/workspace/calendar", None, "mutation deleteWorkspaceCalendar(expectedVersion: $version)", no_calendar),
    # keys, users, the audit: admin
    Row("users.write", "admin", "", None, "POST /v1/users", {"name": "N", "email": "{new}@matrix.example", "role": "csm"}, 'mutation createUser(input: {name: "N", email: "{new}@matrix.example", role: csm})'),
    Row("users.write", "admin", "", None, "PATCH /v1/users/{id}", {"is_active": False}, "mutation updateUser(id: $id, expectedVersion: $version, input: {isActive: false})", a_user),
    Row("keys.read", "admin", "", None, "GET /v1/api-keys", None, "query apiKeys(first: 1)"),
    Row("keys.read", "admin", "", None, "GET /v1/api-keys/{id}", None, "query apiKey(id: $id)", api_key),
    Row("keys.write", "admin", "", None, "POST /v1/api-keys", KEY, 'mutation createApiKey(input: {name: "k", role: service, scopes: ["read"]})'),
    Row("keys.write", "admin", "", None, "POST /v1/api-keys/{id}/rotate", {}, "mutation rotateApiKey(id: $id)", api_key),
    Row("keys.write", "admin", "", None, "DELETE /v1/api-keys/{id}", None, "mutation revokeApiKey(id: $id)", api_key),
    Row("audit.read", "admin", "", None, "GET /v1/audit", None, "query audit(first: 1)"),
    # lists: a private one exists for its owner alone, an admin sees its name; a public one is read by all, edited by owner, manager, admin
    Row("lists.read", ALL, "", "read", "GET /v1/lists", None, "query lists(first: 1)"),
    Row("lists.read", ALL, "", "read", "GET /v1/lists/{id}", None, "query list(id: $id)", public_list),
    Row("lists.read", "admin", "csm viewer", "read", "GET /v1/lists/{id}", None, "query list(id: $id)", private_list, absent="manager csm viewer service"),
    Row("lists.create", ALL, "", None, "POST /v1/lists", {**LIST, "visibility": "private"}, f"mutation createList(input: {{{LISTED}, visibility: private}})"),
    Row("lists.create", "admin manager csm", "", None, "POST /v1/lists", {**LIST, "visibility": "public"}, f"mutation createList(input: {{{LISTED}, visibility: public}})"),
    Row("lists.write", STEER, "csm viewer", None, "PATCH /v1/lists/{id}", {"name": "M"}, 'mutation updateList(id: $id, expectedVersion: $version, input: {name: "M"})', public_list),
    Row("lists.write", STEER, "csm viewer", None, "DELETE /v1/lists/{id}", None, "mutation deleteList(id: $id, expectedVersion: $version)", public_list),
    Row("lists.transfer", "admin", "manager csm viewer", None, "PATCH /v1/lists/{id}", {"owner_id": "{heir}"}, 'mutation updateList(id: $id, expectedVersion: $version, input: {ownerId: "{heir}"})', public_list),
    Row("lists.transfer", "admin", "manager csm viewer", None, "POST /v1/lists/{id}/transfer", {"to_id": "{heir}"}, 'mutation transferList(id: $id, input: {toId: "{heir}"})', public_list),
    Row("lists.read", ALL, "", "read", "GET /v1/lists/{id}/count", None, "query list(id: $id)", public_list),
    Row("lists.read", ALL, "", "read", "GET /v1/lists/{id}/summary", None, "query list(id: $id)", public_list),
    Row("lists.read", ALL, "", "read", "GET /v1/lists/{id}/export", None, "", public_list),
    Row("lists.read", "", "csm viewer", "read", "GET /v1/lists/{id}/export", None, "", private_list, absent="admin manager csm viewer service"),
    Row("records.read", ALL, "", "read", "POST /v1/accounts/export", {"filter": "ALL"}),
    Row("lists.read", ALL, "", "read", "GET /v1/lists/{id}/dependents", None, "query list(id: $id)", public_list),
    Row("lists.read", ALL, "", "read", "GET /v1/lists/folders", None, "query listFolders"),
    Row("lists.read", "", "csm viewer", "read", "GET /v1/lists/{id}/rows", None, "", private_list, absent="admin manager csm viewer service"),
    Row("lists.read", "", "csm viewer", "read", "GET /v1/lists/{id}/summary", None, "", private_list, absent="admin manager csm viewer service"),
    Row("lists.read", "", "csm viewer", "read", "GET /v1/lists/{id}/changes", None, "", watched_privately, absent="admin manager csm viewer service"),
    Row("lists.favourite", ALL, "", None, "PUT /v1/lists/{id}/favourite", None, "mutation markList(id: $id, favourite: true)", public_list),
    Row("lists.favourite", "", "csm viewer", None, "PUT /v1/lists/{id}/favourite", None, "mutation markList(id: $id, favourite: true)", private_list, absent="admin manager csm viewer"),
    Row("lists.watch", ALL, "", "write", "PUT /v1/lists/{id}/watch", None, "mutation watchList(id: $id)", public_list),
    Row("lists.watch", "", "csm viewer", "write", "PUT /v1/lists/{id}/watch", None, "mutation watchList(id: $id)", private_list, absent="admin manager csm viewer service"),
    Row("lists.write", STEER, "csm viewer", None, "DELETE /v1/lists/{id}/watch", None, "mutation unwatchList(id: $id)", public_list),
    Row("workspace.read", ALL, "", "read", "GET /v1/workspace/defaults", None, "query workspaceDefaults"),
    Row("workspace.write", "admin", "", None, "PUT /v1/workspace/defaults/accounts", {"list_id": None}, "mutation setWorkspaceDefaultList(entity: accounts)"),
    Row("records.read", ALL, "", "read", "POST /v1/accounts/summary", {"group_by": "stage"}, 'query accountSummary(groupBy: ["stage"])'),
    Row("records.read", ALL, "", "read", "POST /v1/contacts/summary", {"group_by": "role"}, 'query contactSummary(groupBy: ["role"])'),
    Row("me.defaults.write", ALL, "", None, "PUT /v1/me/defaults/accounts", {"list_id": None}, "mutation setDefaultList(entity: accounts)"),
    # segmentations: all read, manager and admin write
    Row("segmentations.write", STEER, "", "write", "PUT /v1/segmentations/{new}", RULED, f'mutation putSegmentation(slug: "{{new}}", input: {SEGMENTS})'),
    Row("segmentations.write", STEER, "", "write", "PUT /v1/segmentations/{new}/draft", RULED, f'mutation putSegmentationDraft(slug: "{{new}}", input: {SEGMENTS})'),
    Row("segmentations.write", STEER, "", "write", "DELETE /v1/segmentations/{slug}/draft", None, 'mutation discardSegmentationDraft(slug: "{slug}", expectedVersion: $version)', drafted),
    Row("segmentations.write", STEER, "", "write", "POST /v1/segmentations/{slug}/publish", {}, 'mutation publishSegmentation(slug: "{slug}", expectedVersion: $version)', drafted),
    Row("segmentations.write", STEER, "", "write", "POST /v1/segmentations/{slug}/rollback", {"version": 1}, 'mutation rollbackSegmentation(slug: "{slug}", input: {version: 1}, expectedVersion: $version)', segmentation),
    Row("segmentations.write", STEER, "", "write", "POST /v1/segmentations/{slug}/refreeze", {}, 'mutation refreezeSegmentation(slug: "{slug}", expectedVersion: $version)', halved),
    Row("segmentations.write", STEER, "", "write", "DELETE /v1/segmentations/{slug}", None, 'mutation deleteSegmentation(slug: "{slug}", expectedVersion: $version)', segmentation),
    # forecasts: manager and admin; a csm those of their own accounts
    Row("forecasts.create", "admin manager csm", "", "write", "POST /v1/forecasts", {}, "mutation createForecast(input: {})"),
    Row("forecasts.read", "admin manager csm", "", "read", "GET /v1/forecasts", None, "query forecasts(first: 1)"),
    Row("forecasts.read", STEER, "csm", "read", "GET /v1/forecasts/{id}", None, "query forecast(id: $id)", forecast, absent="csm"),
    Row("forecasts.read", STEER, "csm", "read", "GET /v1/forecasts/{id}/accounts", None, "query forecastAccounts(id: $id)", forecast, absent="csm"),
    Row("forecasts.read", "admin manager csm", "", "read", "POST /v1/forecasts/preview", {}, "query previewForecast(input: {})"),
    Row("forecasts.read", "admin manager csm", "", "read", "POST /v1/forecasts/compare", {"scenarios": [None, None]}, "query compareForecasts(input: {scenarios: [null, null]})"),
    # retention: as forecasts are read
    Row("retention.read", "admin manager csm", "", "read", "GET /v1/retention", None, "query retention"),
    Row("retention.read", "admin manager csm", "", "read", "GET /v1/retention/accounts", None, "query retentionAccounts(first: 1)"),
    Row("retention.read", "admin manager csm", "", "read", "GET /v1/retention/cohorts", None, "query retentionCohorts"),
    Row("retention.read", "admin manager csm", "", "read", "GET /v1/retention/cohorts/chart.svg", None),
    Row("retention.read", "admin manager csm", "", "read", "GET /v1/retention/outlook", None, "query retentionOutlook"),
    # imports: manager, admin, a service with its scope; files come by REST alone
    Row("imports.read", STEER, "", "import", "GET /v1/imports", None, "query imports(first: 1)"),
    Row("imports.create", STEER, "", "import", "POST /v1/imports?kind=accounts", "external_id,name\nmatrix-1,One\n"),
    Row("imports.create", STEER, "", "import", "PUT /v1/imports/mappings/{new}", MAPPING, 'mutation putImportMapping(name: "{new}", input: {kind: "accounts", columns: {external_id: "id", name: "name"}})'),
)  # fmt: skip

WITHOUT_A_DOOR = frozenset({"users.read"})
"""Declared for routes to come."""


# -- asking ------------------------------------------------------------------------------------------------------------


def filled(template: str, thing: Thing) -> str:
    for name, value in {**thing, "new": f"new-{next(_numbers)}"}.items():
        template = template.replace(f"{{{name}}}", value)
    return template


async def by_rest(sender: httpx.AsyncClient, row: Row, thing: Thing) -> httpx.Response:
    method, path = filled(row.rest, thing).split(" ")
    headers = {"if-match": thing["etag"]} if "etag" in thing and method != "GET" else {}
    if isinstance(row.body, str):
        return await sender.request(method, path, content=row.body, headers={"content-type": "text/csv"})
    body = None if row.body is None else filled(json.dumps(row.body), thing)
    headers |= {"content-type": "application/json"} if body is not None else {}
    return await sender.request(method, path, content=body, headers=headers)


async def by_graphql(
    sender: httpx.AsyncClient, row: Row, thing: Thing, selected: str = "{ __typename }"
) -> dict[str, Any]:
    kind, called = filled(row.graphql, thing).split(" ", 1)
    variables: dict[str, Any] = {}
    if "$id" in called:
        variables["id"] = thing["id"]
    if "$version" in called:
        variables["version"] = int(thing["etag"].strip('"').split("-")[0])
    types = ", ".join(f"${name}: {'ID!' if name == 'id' else 'Int!'}" for name in variables)
    document = f"{kind}{f'({types})' if types else ''} {{ {called} {selected} }}"
    answer = await sender.post("/graphql", json={"query": document, "variables": variables})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def sender(world: World, row: Row, column: Column) -> httpx.AsyncClient:
    if column.role != "service":
        return world.house.clients[column.role]
    if row.scope is None:  # nothing lets a service: neither all scopes nor none
        return world.services[frozenset(SCOPES if column.scoped else ())]
    only = frozenset({row.scope})
    return world.services[only if column.scoped else frozenset(SCOPES) - only]


@pytest.fixture(scope="module")
async def world(server: Server, database: Database) -> AsyncIterator[World]:
    house, now = await furnished(database, server, "Matrix"), datetime.now(UTC)
    other = await users.create_user(database, house.id, "other@matrix.example", "Other", "csm", None, now)
    _, token = await keys.create_key(database, house.id, "other", "csm", other, (), now)
    made_world = World(house, client(server, token), other)
    for scopes in {frozenset(SCOPES), *(frozenset({s}) for s in SCOPES), *(frozenset(SCOPES) - {s} for s in SCOPES)}:
        _, token = await keys.create_key(database, house.id, "service", "service", None, scopes, now)
        made_world.services[scopes] = client(server, token)
    _, token = await keys.create_key(database, house.id, "narrow", "service", None, ("read",), now)
    made_world.services[frozenset()] = client(server, token)
    yield made_world
    for each in (made_world.other, *made_world.services.values(), *house.clients.values()):
        await each.aclose()


CELLS = [
    pytest.param(row, column, id=f"{row.operation}-{row.rest}-{column.name}") for row in ROWS for column in COLUMNS
]


@pytest.mark.parametrize(("row", "column"), CELLS)
async def test_every_cell(world: World, row: Row, column: Column) -> None:
    asking, verdict = sender(world, row, column), row.verdict(column)
    things = [await row.make(world, column) if row.make else {} for _ in range(2)]
    rest = await by_rest(asking, row, things[0])
    graphql = await by_graphql(asking, row, things[1]) if row.graphql else None
    if verdict == 200:
        assert rest.status_code < 300, rest.text
        assert graphql is None or ("errors" not in graphql and all(graphql["data"].values())), graphql
        return
    assert rest.status_code == verdict, rest.text
    if verdict == 403:
        assert rest.headers["www-authenticate"].startswith('Bearer realm="strata", error="insufficient_scope"')
        assert (f'scope="{row.scope}"' in rest.headers["www-authenticate"]) == (
            column.role == "service" and row.scope is not None
        )
    if graphql is None:
        return
    (error,) = graphql["errors"]
    assert problem(error["extensions"]) == problem(rest.json())
    assert graphql["data"] is None or not any(graphql["data"].values())


def problem(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("type", "title", "status", "detail", "errors")}


# -- who may write and not read ------------------------------------------------------------------------------------------

SAID = {"id", "external_id", "slug", "version"}
WRITTEN = [
    pytest.param(row, id=f"{row.operation}-{row.rest}")
    for row in ROWS
    if row.scope == "write" and row.graphql and not row.absent and not row.rest.startswith("DELETE")
]


@pytest.mark.parametrize("row", WRITTEN)
async def test_who_may_not_read_is_answered_no_more_than_what_it_wrote_is_known_by(world: World, row: Row) -> None:
    """And asks for no more over GraphQL: that is refused before anything is done."""
    asking = world.services[frozenset({"write"})]
    things = [await row.make(world, COLUMNS[0]) if row.make else {} for _ in range(2)]
    rest = await by_rest(asking, row, things[0])
    assert rest.status_code in (200, 201), rest.text
    if row.operation == "records.bulk":
        assert set(rest.json()["results"][0]) == {"index", "id", "outcome", "version", "errors"}
    else:
        assert set(rest.json()) <= SAID, rest.text
    told = await by_graphql(asking, row, things[1], HELD.get(row.operation, "{ __typename }"))
    assert "errors" not in told, told


HELD = {
    "accounts.create": "{ created account { id externalId version } }", "accounts.write": "{ account { id version } }",
    "forecasts.create": "{ forecast { id } }",
    "records.bulk": "{ created results { id version outcome } }", "lists.watch": "{ list { id version } }",
}  # fmt: skip


@pytest.mark.parametrize("asked", ["account { id name }", "account { ...All }", "account { contacts { id } }"])
async def test_a_mutation_that_asks_for_what_its_sender_may_not_read_is_refused_before_its_effect(
    world: World, asked: str
) -> None:
    name = f"unread-{next(_numbers)}"
    document = f'mutation {{ createAccount(input: {{name: "A", externalId: "{name}"}}) {{ created {asked} }} }}'
    document += " fragment All on Account { id arr }" if "All" in asked else ""
    sent = world.services[frozenset({"write"})]
    told = (await sent.post("/graphql", json={"query": document})).json()
    assert [error["extensions"]["status"] for error in told["errors"]] == [403], told
    assert "records.read" in told["errors"][0]["message"]
    assert (await world.admin.get(f"/v1/accounts/external/{name}")).status_code == 404


async def test_a_write_that_changes_nothing_shows_nothing(world: World) -> None:
    thing = await account(world, COLUMNS[0])
    asking, match = world.services[frozenset({"write"})], {"if-match": thing["etag"]}
    moved = await asking.post(f"/v1/accounts/{thing['id']}/stage", json={"stage": None})
    changed = await asking.patch(f"/v1/accounts/{thing['id']}", json={}, headers=match)
    for answer in (moved, changed):
        assert answer.json() == {"id": thing["id"], "external_id": None, "version": 1}
        assert answer.headers["etag"].startswith('"1-')


async def test_a_repeated_write_shows_no_more_than_the_first(world: World) -> None:
    asking, key = world.services[frozenset({"write"})], {"idempotency-key": f"unread-{next(_numbers)}"}
    first, again = [await asking.post("/v1/accounts", json={"name": "A"}, headers=key) for _ in range(2)]
    assert first.content == again.content
    assert [one.headers.get("idempotency-replayed") for one in (first, again)] == [None, "true"]
    assert set(first.json()) <= SAID


# -- nothing is left out -----------------------------------------------------------------------------------------------


def doors() -> dict[str, str]:
    """Every operation that a door declares, and where."""
    found = {route.operation: f"{route.method} {route.path}" for route in table(Door())[0].routes}
    for root in ("Query", "Mutation"):
        definition = SCHEMA.get_type_by_name(root)
        for one in getattr(definition, "fields", ()):
            found.setdefault(one.operation, f"{root}.{one.python_name}")
    return {operation: place for operation, place in found.items() if operation != "public"}


def test_every_operation_has_a_row() -> None:
    assert {row.operation for row in ROWS} | WITHOUT_A_DOOR == set(RULES)
    assert not {row.operation for row in ROWS} & WITHOUT_A_DOOR
    assert not WITHOUT_A_DOOR & doors().keys(), "an operation has got a door: it needs a row"


@pytest.mark.parametrize("role", [*PEOPLE, "service"])
async def test_every_route_refuses_whom_the_matrix_refuses_before_it_looks_at_anything(
    world: World, server: Server, role: str
) -> None:
    """An address that names nothing, and no body at all: who may not is told so, and learns nothing else."""
    let: dict[str, set[str]] = {}
    for row in ROWS:
        roles = {*row.may.split(), *row.own.split(), *(["service"] if row.scope else [])}
        let.setdefault(row.operation, set()).update(roles)
    asking = world.services[frozenset(SCOPES)] if role == "service" else world.house.clients[role]
    for route in table(Door())[0].routes:
        if route.operation in let and role not in let[route.operation]:
            path = re.sub(r"\{.*?\}", "00000000-0000-7000-8000-000000000000", route.path)
            answer = await asking.request(route.method, path)
            assert answer.status_code == 403, f"{route.method} {path}: {answer.text}"
