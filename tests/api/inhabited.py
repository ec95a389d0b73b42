"""A small workspace with one of everything, made through the door from the document's own examples."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from app.api.rest import ROUTES
from app.domain.catalogue import ENTITIES

FIRST = ("users", "teams", "industries", "products", "features", "stages", "accounts")
"""What others refer to; of the rest the order is no matter."""
FEATURES = ({"slug": "reports", "name": "Reports", "is_key": True}, {"slug": "login", "name": "Login"})
"""What the examples of usage are about."""
BODIES: Mapping[tuple[str, str], Any] = {
    (route.method, route.path): route.body.example for route in ROUTES if route.body is not None
}


async def inhabit(client: httpx.AsyncClient) -> dict[str, str]:
    """One of everything; gives what stands in addresses after each beginning, such as `/v1/accounts/` an id."""
    told = {
        "/v1/me/defaults/": "accounts",
        "/v1/workspace/defaults/": "accounts",
        "/problems/": "invalid",
        "/docs/": "start.js",
        "/v1/segmentations/": "tier",
        "/v1/imports/mappings/": "crm-accounts",
    }
    for feature in FEATURES:
        await _sent(client, "POST", "/v1/features", feature)
    for name in (*FIRST, *(name for name in ENTITIES if name not in FIRST)):
        if ("POST", f"/v1/{name}/bulk") in BODIES:
            made = (await _sent(client, "POST", f"/v1/{name}/bulk"))["results"][0]["id"]
            example = BODIES["POST", f"/v1/{name}/bulk"]["records"][0]
            told[f"/v1/{name}/"] = example["slug"] if ENTITIES[name].key == "slug" else made
            told[f"/v1/{name}/external/"] = example.get("external_id", "")
    for name in ("attributes", "lists", "forecasts", "api-keys"):
        told[f"/v1/{name}/"] = (await _sent(client, "POST", f"/v1/{name}"))["id"]
    told["/v1/attributes/external/"] = "attr-7"
    told["/v1/scenarios/"] = (await _sent(client, "POST", "/v1/scenarios"))["slug"]
    await _sent(client, "PUT", "/v1/imports/mappings/{name}", at="/v1/imports/mappings/crm-accounts")
    told["/v1/imports/"] = await _imported(client)
    return told


async def _sent(client: httpx.AsyncClient, method: str, path: str, body: Any = None, at: str = "") -> Any:
    answer = await client.request(method, at or path, json=BODIES[method, path] if body is None else body)
    assert answer.is_success, f"{method} {path}: {answer.text}"
    return answer.json()


async def _imported(client: httpx.AsyncClient) -> str:
    """The id of an import that is done, with an error."""
    headers = {"content-type": "text/csv"}
    file = "external_id,name,arr\ncrm-7,Seven,7\ncrm-8,Eight,x\n"
    answer = await client.post("/v1/imports?kind=accounts", content=file, headers=headers)
    for _ in range(200):
        if (await client.get(answer.headers["location"])).json()["state"] in ("done", "failed"):
            break
        await asyncio.sleep(0.05)
    identity: str = answer.json()["id"]
    return identity


def addressed(path: str, told: Mapping[str, str]) -> list[str]:
    """The values of a path's variables in order."""
    values, before = [], ""
    for part in path.split("/")[1:]:
        if part.startswith("{"):
            values.append(told.get(f"{before}/", "x"))
        before += f"/{part}"
    return values
