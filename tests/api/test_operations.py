"""Health, counters, documentation, and what every answer carries."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.api import document
from app.api.door import Door
from app.api.rest import table
from tests.api.conftest import House
from tests.servers import ROOT, Cluster, Server, start_server, stop_process


async def test_health_needs_no_credential(nobody: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz"):
        answer = await nobody.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_everything_else_does(nobody: httpx.AsyncClient) -> None:
    for route in table(Door())[0].routes:
        path = re.sub(r"\{.*?\}", "x", route.path)
        answer = await nobody.request(route.method, path)
        assert (answer.status_code == 401) == (route.operation != "public"), path
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic eDp5",
        "Bearer strata_" + "a" * 39,
        "Bearer " + "a" * 9000,
        "bearer\tx",
        "Bearer x y",
    ],
)
async def test_what_is_no_key_opens_nothing(nobody: httpx.AsyncClient, credential: str) -> None:
    answer = await nobody.get("/v1/me", headers={"authorization": credential})
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/unauthenticated"


async def test_every_answer_carries_id_limits_and_no_sniffing(house: House, nobody: httpx.AsyncClient) -> None:
    for client, path in ((house.viewer, "/v1/me"), (house.viewer, "/v1/none"), (nobody, "/v1/me"), (nobody, "/livez")):
        answer = await client.get(path)
        assert re.fullmatch("[0-9a-f]{24}", answer.headers["x-request-id"])
        assert re.fullmatch(r'"\w+";r=\d+;t=\d+', answer.headers["ratelimit"])
        assert re.fullmatch(r'"\w+";q=\d+;w=60', answer.headers["ratelimit-policy"])
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_request_id_is_kept_where_it_is_sane(nobody: httpx.AsyncClient) -> None:
    assert (await nobody.get("/livez", headers={"x-request-id": "trace-1:2.3_4"})).headers[
        "x-request-id"
    ] == "trace-1:2.3_4"
    for strange in (b"a b", b"x" * 129, b'"', "ü".encode()):
        answer = await nobody.get("/livez", headers=[(b"x-request-id", strange)])
        assert re.fullmatch("[0-9a-f]{24}", answer.headers["x-request-id"])


async def test_head_is_get_without_body(house: House) -> None:
    got, head = await house.admin.get("/v1/workspace"), await house.admin.head("/v1/workspace")
    assert head.status_code == 200
    assert head.content == b""
    assert (head.headers["etag"], head.headers["content-length"]) == (got.headers["etag"], str(len(got.content)))


async def test_options_names_methods(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.options("/v1/accounts", headers={"origin": "https://app.example"})
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert "access-control-allow-origin" not in answer.headers


async def test_counters_tell_routes_and_not_addresses(house: House, nobody: httpx.AsyncClient) -> None:
    await house.admin.get("/v1/accounts/external/private-name")
    told = (await nobody.get("/metrics")).text
    assert 'route="/v1/accounts/external/{external_id}",status="404",le="+Inf"' in told
    assert 'strata_pool_connections{pool="points",state="busy"}' in told
    assert "private-name" not in told


async def test_a_large_body_is_refused_before_it_is_sent(server: Server, house: House) -> None:
    key = house.admin.headers["authorization"]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    head = f"POST /v1/accounts HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {200 << 20}\r\n\r\n".encode())
    status = await asyncio.wait_for(reader.readline(), 2)
    writer.close()
    assert b"413" in status


async def test_who_sends_it_all_the_same_reads_why_it_is_refused(house: House) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * (1 << 20)

    answer = await house.admin.post("/v1/accounts", content=parts(), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "1,048,576" in answer.json()["detail"]
    assert answer.headers["connection"] == "close"


async def test_the_committed_document_is_the_one_that_is_served(nobody: httpx.AsyncClient) -> None:
    served = (await nobody.get("/openapi.json")).json()
    assert served == json.loads(Path(ROOT, "openapi.json").read_text()), "run `strata openapi > openapi.json`"


def test_every_route_is_documented_and_ruled() -> None:
    routes, made = table(Door())
    for route in routes.routes:
        operation = made["paths"][route.path][route.method.lower()]
        assert operation["summary"]
        assert route.tag in document.TAGS
        assert {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"} == set(route.variables)
    ids = [one["operationId"] for path in made["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))


async def test_readiness_ends_before_the_process_does(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRATA_DRAIN_SECONDS", "2")
    dsn = await cluster.clone()
    started = start_server(dsn, tmp_path)
    try:
        async with httpx.AsyncClient(base_url=started.url) as client:
            assert (await client.get("/readyz")).status_code == 200
            os.kill(started.process.pid, signal.SIGTERM)
            await asyncio.sleep(0.5)
            draining = await client.get("/readyz")
            assert (draining.status_code, draining.headers["connection"]) == (503, "close")
            assert (await client.get("/livez")).status_code == 200
        assert await asyncio.to_thread(started.process.wait, 10) in (0, -signal.SIGTERM)
    finally:
        stop_process(started.process)
        await cluster.drop(dsn)
