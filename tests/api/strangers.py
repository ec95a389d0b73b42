"""Two workspaces of the same shape on one server, and how an answer about what is the other's is held against absence."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.catalogue import ENTITIES
from app.persistence.database import Database
from app.persistence.tables import metadata
from app.services import watches
from tests.faults import writes
from tests.faults.writes import BODIES, KEYED, LIST, World, unique
from tests.servers import Server

Json = dict[str, Any]
Thing = Mapping[str, str]
CANARY = "zq-canary-zq"
"""Stands in every text of the other workspace that says nothing to anybody else."""

UUIDS = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TOKEN = re.compile(rf"\b(?:{UUIDS}|n[-_]\d+|[0-9a-f]{{24}})\b")
"""What names a thing in requests: an id, a name that `unique` made, or a request itself."""
NEVER = str.maketrans("0123456789", "bcdfghjklm")


def absent(token: str) -> str:
    """A name of the same form and length that nothing ever had."""
    if len(token) == 36:
        return f"{token[:24]}{int(token[24:], 16) ^ 0x5A5A5A5A5A5A:012x}"
    return token.translate(NEVER)


def without(text: str) -> str:
    """The same with names that nothing ever had."""
    return TOKEN.sub(lambda found: absent(found[0]), text)


# -- a workspace with some of everything -------------------------------------------------------------------------------


@dataclass(slots=True)
class Furnished:
    """A workspace and, by the collection that it is found in, the names of one thing of each kind."""

    world: World
    id: UUID
    things: dict[str, Thing] = field(default_factory=dict)

    @property
    def client(self) -> httpx.AsyncClient:
        """The admin's."""
        return self.world.admin

    async def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Json:
        """What was answered, which was no refusal."""
        answer = await self.client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.text}"
        told: Json = answer.json()
        return told


async def furnish(db: Database, world: World) -> Furnished:
    """Makes three of everything that there are pages of, and keeps the names of the first."""
    made = Furnished(world, UUID((await world.admin.get("/v1/me")).json()["workspace"]["id"]))
    _keep(made, "attributes", [await world.post("/v1/attributes", await _attribute(world)) for _ in range(3)])
    for entity in (*KEYED, "users", "accounts", *writes.RELATED):
        bodies = [await body_of(made, entity) for _ in range(3)]
        _keep(made, entity, [await world.post(f"/v1/{entity}", body) for body in bodies])
    await _account(made)
    await _others(made)
    await _stuck(db, made)
    await _watched(db, made)
    return made


async def _attribute(world: World) -> Json:
    return {**await world.body("attributes"), "external_id": unique()}


def _keep(made: Furnished, collection: str, all_made: Sequence[Json]) -> None:
    """Keeps the names of the first."""
    names, told = ("id", "slug", "external_id", "email", "name"), all_made[0]
    made.things[collection] = {name: str(told[name]) for name in names if told.get(name)}


async def body_of(made: Furnished, entity: str) -> Json:
    """A body that makes a record among what is there."""
    body = {**BODIES[entity]}
    if entity in KEYED:
        body["slug"] = unique()
    else:
        body["external_id"] = unique()
    if entity in ("users", "contacts"):
        body["email"] = f"{unique()}@example.com"
    if entity == "accounts":
        body |= {"custom": {made.things["attributes"]["slug"]: "x"}, "csm_id": made.world.user}
        if "accounts" in made.things:
            body["parent_id"] = made.things["accounts"]["id"]
    for name, known in ENTITIES[entity].fields.items():
        if known.kind == "slug" and known.writable and known.target in made.things:
            body[name] = made.things[known.target]["slug"]
    if "account" in ENTITIES[entity].fields:
        body["account_id"] = made.things["accounts"]["id"]
    if entity == "sentiments":
        body["author_id"] = made.things["users"]["id"]
    return body


async def _account(made: Furnished) -> None:
    """What is told of one account: two more children, usage, moves, hand-overs."""
    account, feature = made.things["accounts"]["id"], made.things["features"]["slug"]
    for day in (80, 90, 100):  # renewals to come, so that they are forecast and called
        ends = datetime.now(UTC).date() + timedelta(days=day)
        term = {
            "account_id": account,
            "product": made.things["products"]["slug"],
            "arr": 100,
            "start_date": "2026-01-01",
        }
        await made.send("POST", "/v1/contracts", {**term, "end_date": str(ends)})
    for _ in range(2):
        await made.send("POST", "/v1/accounts", {"name": "Child", "parent_id": account})
        root = await made.send("POST", "/v1/accounts", {"name": "Root"})
        await made.send("POST", "/v1/accounts", {"name": "Leaf", "parent_id": root["id"]})
    rows = [{"feature": feature, "day": f"2026-11-0{day}", "value": 1.5} for day in (1, 2, 3)]
    await made.send("POST", f"/v1/accounts/{account}/usage", {"rows": rows})
    scenario = made.things["scenarios"]["slug"]
    for version, name in ((1, "Second"), (2, "Third")):
        await made.send("PATCH", f"/v1/scenarios/{scenario}", {"name": name}, writes.matching(version))
    for stage in ("trial", "onboarding", "adoption"):
        await made.send("POST", f"/v1/accounts/{account}/stage", {"stage": stage})
    for who in (made.world.other, made.world.user, made.things["users"]["id"]):
        standing = await made.send("GET", f"/v1/accounts/{account}")
        headers = writes.matching(standing["version"])
        await made.send("PATCH", f"/v1/accounts/{account}", {"csm_id": who}, headers)


async def _others(made: Furnished) -> None:
    """Lists, segmentations, forecasts, imports, mappings and keys."""
    for entity, kept, criteria in (("contacts", "lists of contacts", "ALL"), ("accounts", "lists", "arr = 12345")):
        body = {**LIST, "entity": entity, "criteria": {"text": criteria}}
        _keep(made, kept, [await made.send("POST", "/v1/lists", body) for _ in range(3)])
    slug, low, high = (unique().replace("-", "_") for _ in range(3))
    care = {"playbook": {"name": "First steps", "steps": [{"name": "Kick-off", "owner": "csm", "day": 7}]}}
    segments = [{"slug": one, "name": "One", "engagement": care} for one in (high, low)]
    spec = {"field": "arr", "cuts": {"by": "absolute", "at": [-1]}}
    body = {"name": "S", "kind": "bands", "spec": spec, "segments": segments, "rest": "unclassified"}
    await made.send("PUT", f"/v1/segmentations/{slug}", body)
    made.things["segmentations"] = {"slug": slug, "segment": high}
    path = f"/v1/segmentations/{slug}"
    for version in (1, 2):
        await made.send("PUT", path, {**body, "name": f"S {version}"}, writes.matching(version))
    await made.send("PUT", f"{path}/draft", body)
    pin = f"/v1/accounts/{made.things['accounts']['id']}/segments/{slug}/pin"
    for segment in (low, high, low):
        await made.send("PUT", pin, {"segment": segment, "reason": "A pilot."})
    step = {"plan": "playbook", "step": "Kick-off", "note": "Done."}
    await made.send("PUT", f"/v1/accounts/{made.things['accounts']['id']}/segments/{slug}/steps", step)
    called = f"/v1/accounts/{made.things['accounts']['id']}/renewal-call"
    for version in range(3):
        await made.send("PUT", called, {"category": "likely"}, writes.matching(version))
    for number in range(3):  # in force for years, so that retention has accounts to tell of
        paying = (await made.send("POST", "/v1/accounts", {"name": "Paying", "external_id": unique()}))["id"]
        contract = {"account": paying, "arr": 100 + number, "start_date": "2020-01-01"}
        await made.send("POST", "/v1/contracts", contract)
        renewing = {**contract, "end_date": str(datetime.now(UTC).date() + timedelta(days=60))}
        await made.send("POST", "/v1/contracts", renewing)
    _keep(made, "forecasts", [await made.send("POST", "/v1/forecasts", {}) for _ in range(3)])
    _keep(made, "api-keys", [await made.send("POST", "/v1/api-keys", writes.KEY) for _ in range(3)])
    name = unique()
    columns = {"external_id": {"from": "id"}, "name": {"from": "name"}}
    await made.send("PUT", f"/v1/imports/mappings/{name}", {"kind": "accounts", "columns": columns})
    made.things["imports/mappings"] = {"name": name}
    for _ in range(3):
        content = "external_id,name,arr\n" + "".join(f"{unique()},Imported,many\n" for _ in range(3))
        headers = {"content-type": "text/csv"}
        answer = await made.client.post("/v1/imports?kind=accounts", content=content, headers=headers)
        assert answer.status_code == 202, answer.text
        _keep(made, "imports", [answer.json()])
    path = f"/v1/imports/{made.things['imports']['id']}"
    while (await made.send("GET", path))["state"] in ("staged", "running"):
        pass
    for health in (1, 2):
        told = {"external_id": made.things["accounts"]["external_id"], "health": health}
        await made.send("POST", "/v1/accounts/bulk", {"records": [told]})
    made.things["audit"] = (await made.send("GET", "/v1/audit?limit=1"))["data"][0]


async def _stuck(db: Database, made: Furnished) -> None:
    """Accounts that have met the entry criteria of a stage, and stay in it for too long."""
    stage = made.things["stages"]["slug"]
    ruled = {"entry": "arr > 0", "expected_days": 1}
    standing = await made.send("GET", f"/v1/stages/{stage}")
    await made.send("PATCH", f"/v1/stages/{stage}", ruled, writes.matching(standing["version"]))
    async with db.transaction() as tx:
        earlier = "UPDATE accounts SET stage = $2, stage_since = stage_since - 100 WHERE workspace_id = $1 AND arr > 0"
        await tx.execute(earlier, made.id, stage)


async def _watched(db: Database, made: Furnished) -> None:
    """Accounts that enter a list which is watched."""
    watched = made.things["lists"]["id"]
    await made.send("PUT", f"/v1/lists/{watched}/watch")
    for _ in range(3):
        await made.send("POST", "/v1/accounts", {"name": "Watched", "arr": 12345})
    assert await watches.check_one(db, made.id, UUID(watched), datetime.now(UTC) + timedelta(seconds=1))


# -- what is the other's ------------------------------------------------------------------------------------------------

KEPT = {
    "slug", "external_id", "email", "currency", "zone", "key", "hint", "entity", "kind", "type", "operation", "door",
    "segment", "rest", "index_state", "billing", "country", "request_id", "state", "code", "direction",
    "from_cause", "to_cause", "cause", "confirm", "refreeze",
}  # fmt: skip
"""Texts that say what something is, or that other things name it by."""
DOCUMENTS = {
    ("accounts", "custom"),
    ("contacts", "custom"),
    ("audit", "before"),
    ("audit", "after"),
    ("audit_records", "before"),
    ("audit_records", "after"),
    ("forecasts", "answer"),
}


def texts() -> Iterator[tuple[str, str, str]]:
    """Table, column and expression of every text that a canary can stand in."""
    for name, table in metadata.tables.items():
        checked = {
            word for check in table.constraints for word in re.findall(r"\w+", str(getattr(check, "sqltext", "")))
        }
        for column in table.columns:
            fixed = column.primary_key or column.foreign_keys or column.name in KEPT | checked
            if isinstance(column.type, Text) and not fixed:
                yield name, column.name, f"'{CANARY}' || coalesce(\"{column.name}\", '')"
            elif (name, column.name) in DOCUMENTS:
                kind = "jsonb" if isinstance(column.type, JSONB) else "json"
                said = f"coalesce(\"{column.name}\"::jsonb, '{{}}') || jsonb_build_object('{CANARY}', '{CANARY}')"
                yield name, column.name, f"({said})::{kind}"


async def plant(superuser: asyncpg.Connection[asyncpg.Record], workspace_id: UUID) -> list[str]:
    """Puts a canary into every text of a workspace; gives the columns that have no row to put it into."""
    empty = []
    for table, column, told in texts():
        key = "id" if table == "workspaces" else "workspace_id"
        changed = await superuser.execute(f'UPDATE {table} SET "{column}" = {told} WHERE {key} = $1', workspace_id)
        if changed == "UPDATE 0":
            empty.append(f"{table}.{column}")
    return empty


def _rows(table: str) -> str:
    key = "id" if table == "workspaces" else "workspace_id"
    row = "(to_jsonb(t) - 'last_used_at')" if "last_used_at" in metadata.tables[table].columns else "t"
    return f"SELECT {row}::text AS r FROM {table} t WHERE {key} = $1"


BY_THE_CLOCK = {"list_watches", "list_members"}
"""Tables that a worker writes each minute, whoever asks for what."""
CHECKSUMS = " UNION ALL ".join(
    f"SELECT '{name}', coalesce(sum(hashtextextended(r, 0)), 0) FROM ({_rows(name)}) x"
    for name in metadata.tables.keys() - BY_THE_CLOCK
)
NAMED = [
    (table.name, column.name)
    for table in metadata.tables.values()
    for column in table.columns
    if column.name in ("id", "slug", "external_id", "email") or (table.name, column.name) == ("mappings", "name")
]
NAMES = " UNION ".join(
    f"SELECT split_part(\"{column}\"::text, '@', 1) FROM {table} WHERE {'id' if table == 'workspaces' else 'workspace_id'} = $1"
    for table, column in NAMED
    if table not in ("audit", "audit_records")
)


@dataclass(slots=True)
class Pair:
    """Us, and those whose things are none of our business: `names` are theirs and not ours too, `bare` the columns of texts
    of theirs in which there is no canary."""

    ours: Furnished
    theirs: Furnished
    superuser: asyncpg.Connection[asyncpg.Record]
    bare: list[str]
    names: frozenset[str] = frozenset()

    async def standing(self) -> Mapping[str, str]:
        """Checksums of all that is theirs, but for when keys were used last; their names are known from then on."""
        theirs, ours = [await self._named(one.id) for one in (self.theirs, self.ours)]
        self.names = theirs - ours
        rows = await self.superuser.fetch(CHECKSUMS, self.theirs.id)
        return {str(row[0]): str(row[1]) for row in rows}

    async def _named(self, workspace_id: UUID) -> frozenset[str]:
        found = {str(row[0]) for row in await self.superuser.fetch(NAMES, workspace_id)}
        return frozenset(one for one in found if TOKEN.fullmatch(one))

    async def at_work(self) -> bool:
        """Whether an import of theirs goes on."""
        imports = (await self.theirs.client.get("/v1/imports?limit=1")).json()["data"]
        return imports[0]["state"] in ("staged", "running")


async def pair(db: Database, server: Server) -> AsyncIterator[Pair]:
    """Two new workspaces with some of everything."""
    ours, theirs = [await furnish(db, await writes.world(db, server)) for _ in range(2)]
    superuser = await asyncpg.connect(server.dsn.replace("strata@", "postgres@"))
    made = Pair(ours, theirs, superuser, await plant(superuser, theirs.id))
    await made.standing()
    yield made
    await superuser.close()
    for one in (ours, theirs):
        await one.client.aclose()


# -- answers -----------------------------------------------------------------------------------------------------------

OF_REQUEST = {"date", "x-request-id", "ratelimit"}
MASKS = (
    (re.compile(rf"\b(?:{UUIDS}|n[-_](?:\d+|[bcdfghjklm]+))\b"), "NAME"),
    (re.compile(r"\bN (?:\d+|[BCDFGHJKLM][bcdfghjklm]*)\b"), "NAME"),  # as prose says it
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)"), "MOMENT"),
    (re.compile(r"(\d+)-[0-9a-f]{16}\b"), r"\1-TAG"),
    (re.compile(r"strata_\w+|strata_…\w+"), "TOKEN"),
    (re.compile(r'"(position|no|hint|cursor|endCursor|startCursor|next)":\s?(?:\d+|"[^"]*")'), r'"\1":-'),
)
"""What two equal writes one after the other make differently."""
REQUEST_ID = re.compile(r'"request_?[iI]d":\s?"[^"]*"')
OURS = re.compile(r'"suggestion":\s?(?:null|"[^"]*")|(?<=: )n[-_]\w+(?= is left out)')
"""Where something of our own is told that is near to what was asked: `leaks` sees that it is ours."""


def shown(answer: httpx.Response) -> tuple[int, Mapping[str, str], str]:
    """An answer but for what every request has of its own; of a success only what two equal ones share."""
    headers = {name: value for name, value in answer.headers.items() if name not in OF_REQUEST}
    text, told = OURS.subn("OURS", REQUEST_ID.sub('"request_id":-', answer.text))
    if told:
        headers.pop("content-length", None)
    if answer.status_code >= 400 or '"errors":[{"message"' in text:
        return answer.status_code, headers, text
    headers.pop("content-length", None)
    for mask, instead in MASKS:
        text = mask.sub(instead, text)
        headers = {name: mask.sub(instead, value) for name, value in headers.items()}
    return answer.status_code, headers, text


def difference(foreign: httpx.Response, never: httpx.Response) -> str | None:
    """How an answer about what is the other's differs from one about what never was, but for the name where a pointer
    repeats it."""
    (one, *told), (other, *untold) = shown(foreign), shown(never)
    same = one == other and [without(str(part)) for part in told] == [without(str(part)) for part in untold]
    return None if same else f"foreign: {one, *told}\n  never: {other, *untold}"


def leaks(answer: httpx.Response, names: Collection[str]) -> list[str]:
    """What an answer tells of the other workspace: canaries, and names of things there."""
    text = f"{answer.headers} {answer.text}"
    return [CANARY] * (CANARY in text) + sorted(set(TOKEN.findall(text)).intersection(names))


def slots(ours: str, theirs: str, names: Collection[str]) -> list[list[int]]:
    """The places of a request where they say a name of theirs: each alone, and all at once."""
    pairs = enumerate(zip(TOKEN.findall(ours), TOKEN.findall(theirs), strict=False))
    places = [n for n, (one, two) in pairs if two in names and (len(one) == 36) == (len(two) == 36)]
    return [*([n] for n in places), *([places] if len(places) > 1 else [])]


def put(ours: str, places: list[int], theirs: str, told: Callable[[str], str] = str) -> str:
    """Our request with names of theirs in some places, each as `told` makes it."""
    count, names = iter(range(len(ours))), TOKEN.findall(theirs)

    def name(found: re.Match[str]) -> str:
        n = next(count)
        return told(names[n]) if n in places else found[0]

    return TOKEN.sub(name, ours)


def dumped(*parts: Any) -> str:
    """A request as one text."""
    return json.dumps(parts)
