"""The same bytes from two workspaces by turns: what a process keeps of questions and plans is never the other's.

What each is answered is what a process answers that has served nobody else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.persistence.database import Database
from tests.faults.writes import World, matching, world
from tests.servers import Server, start_server, stop_process

AS_OF = "2026-11-20T12:00:00Z"
Json = dict[str, Any]
ASKED = (
    "fields=name,arr,health,custom.level,segment.size&sort=name&count=exact",
    "filter=" + quote('segment.size = "big"') + "&fields=name,arr",
    "filter=" + quote("custom.level = 5") + "&fields=name",
    "filter=" + quote("custom.level IS NOT EMPTY") + "&fields=name,custom.level&sort=-custom.level",
    "filter=" + quote("arr >= 500.5") + "&fields=name,arr",
    "filter=" + quote("any(interactions, previous(day))") + "&fields=name",
    "filter=" + quote("custom.nowhere = 5"),
    "include=interactions(1)&fields=name",
)
DOCUMENTS = (
    f'{{ accounts(orderBy: ["name"], asOf: "{AS_OF}") {{ totalCount nodes {{ name arr custom segment(segmentation: "size") }} }} }}',
    f'{{ accounts(filter: "segment.size = \\"big\\"", asOf: "{AS_OF}") {{ nodes {{ name arr }} }} }}',
    f'{{ accounts(filter: "custom.level = 5", asOf: "{AS_OF}") {{ nodes {{ name custom(slug: "level") }} }} }}',
    f'{{ accounts(filter: "any(interactions, previous(day))", asOf: "{AS_OF}") {{ nodes {{ name }} }} }}',
    "{ workspace { name currency } me { role } }",
    "{ segmentations { slug segments { slug } } catalog { people } }",
)
PLACES = (
    "/v1/catalog",
    "/v1/workspace",
    "/v1/segmentations",
    "/v1/segmentations/size/segments",
    "/v1/attributes?fields=slug,type",
)
SETTINGS: tuple[Json, Json] = (
    {"zone": "Asia/Tokyo", "currency": "JPY"},
    {"zone": "America/New_York", "health_green": 50},
)
LEVELS: tuple[tuple[str, Any], ...] = (("number", 5), ("text", "5"))
CUTS = (100, 100_000)


async def lived_in(place: World, n: int) -> None:
    """Names that both have, each with a meaning of its own."""
    version = (await place.admin.get("/v1/workspace")).json()["version"]
    settled = await place.admin.patch("/v1/workspace", json=SETTINGS[n], headers=matching(version))
    assert settled.status_code == 200, settled.text
    kind, level = LEVELS[n]
    await place.post("/v1/attributes", {"entity": "accounts", "slug": "level", "name": "Level", "type": kind})
    spec = {"field": "arr", "cuts": {"by": "absolute", "at": [CUTS[n]]}}
    segments = [{"slug": "big", "name": "Big"}, {"slug": "small", "name": "Small"}]
    body = {"name": "Size", "kind": "bands", "spec": spec, "segments": segments, "rest": "none"}
    put = await place.admin.put("/v1/segmentations/size", json=body)
    assert put.status_code == 201, put.text
    for name, arr, hour in (("Acme", 500, 16), ("Bolt", 5_000, 3)):
        made = await place.post("/v1/accounts", {"name": name, "arr": arr, "health": 55, "custom": {"level": level}})
        moment = f"2026-11-19T{hour:02}:30:00Z"
        await place.post(
            f"/v1/accounts/{made['id']}/interactions", {"kind": "call", "direction": "inbound", "occurred_at": moment}
        )


async def answers(client: httpx.AsyncClient) -> list[tuple[int, str]]:
    """What each question is answered, but for the request's own id and the moment of it."""
    found = [await client.get(f"/v1/accounts?as_of={AS_OF}&{asked}") for asked in ASKED]
    found += [await client.post("/v1/accounts/query", json={"filter": 'segment.size = "big"', "as_of": AS_OF})]
    found += [await client.post("/graphql", json={"query": document}) for document in DOCUMENTS]
    found += [await client.get(path) for path in PLACES]
    told = [one.text.replace(one.headers["x-request-id"], "-") for one in found]
    return [(one.status_code, re.sub('"as_of":"[^"]*"', "", text)) for one, text in zip(found, told, strict=True)]


@asynccontextmanager
async def served(dsn: str, folder: Path) -> AsyncIterator[str]:
    """The address of a process that has served nobody yet."""
    started = await asyncio.to_thread(start_server, dsn, folder)
    try:
        yield started.url
    finally:
        stop_process(started.process)


def by(place: World, url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=place.admin.headers, timeout=60)


@pytest.fixture(scope="module")
async def both(database: Database, server: Server) -> AsyncIterator[list[World]]:
    made = [await world(database, server) for _ in range(2)]
    for n, place in enumerate(made):
        await lived_in(place, n)
    yield made
    for place in made:
        await place.admin.aclose()


async def test_what_is_kept_of_a_question_is_nobody_elses(both: list[World], server: Server, tmp_path: Path) -> None:
    alone = []
    for n, place in enumerate(both):
        async with served(server.dsn, tmp_path / str(n)) as url, by(place, url) as client:
            alone.append(await answers(client))
    assert sum(one != other for one, other in zip(*alone, strict=True)) > 15, "they must differ to be told apart"
    async with served(server.dsn, tmp_path / "both") as url:
        clients = [by(place, url) for place in both]
        for turn in range(4):
            assert await answers(clients[turn % 2]) == alone[turn % 2]
        at_once = await asyncio.gather(*(answers(clients[turn % 2]) for turn in range(4)))
        assert at_once == [*alone, *alone]
        for client in clients:
            await client.aclose()


async def test_what_one_asks_is_not_charged_to_the_other(
    both: list[World], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRATA_RATE_LIMIT", "60")
    async with served(server.dsn, tmp_path / "few") as url, by(both[0], url) as ours, by(both[1], url) as theirs:
        assert 429 in [(await theirs.get("/v1/me")).status_code for _ in range(70)]
        answer = await ours.get("/v1/me")
        assert (answer.status_code, answer.headers["ratelimit"].split(";")[1]) == (200, "r=59")
