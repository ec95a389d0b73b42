"""An account by its external id: whatever stands under it answers as it does by its id, over both doors."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.api.door import Door
from app.api.rest import table
from app.api.routes import Route
from app.persistence.database import Database
from tests.api.conftest import House, apart, furnished
from tests.api.inhabited import inhabit
from tests.servers import Server

OTHERS = table(Door())[0].others
NAMED = "crm-1042"


@pytest.fixture(scope="module")
async def house(server: Server, database: Database) -> House:
    made = await furnished(database, server, "Addressed")
    await inhabit(made.admin)
    return made


async def identity(client: httpx.AsyncClient, external_id: str = NAMED) -> str:
    found: str = (await client.get(f"/v1/accounts/external/{quote(external_id, safe='')}?fields=id")).json()["id"]
    return found


def by(external_id: str, path: str) -> str:
    told = path.replace("{external_id}", quote(external_id, safe="")).replace("{segmentation}", "tier")
    assert "{" not in told
    return told


def still(told: Any) -> Any:
    """Without the moment at which it was asked."""
    if isinstance(told, list):
        return [still(one) for one in told]
    if isinstance(told, dict):
        return {name: still(value) for name, value in told.items() if name not in ("as_of", "request_id")}
    return told


@pytest.mark.parametrize("route", [one for one in OTHERS if one.method == "GET"], ids=lambda one: one.path)
async def test_reads_answer_alike(house: House, route: Route) -> None:
    account, client = await identity(house.admin), house.admin
    told = await client.get(by(NAMED, route.path))
    usual = await client.get(by(NAMED, route.path).replace(f"external/{NAMED}", account))
    assert (told.status_code, still(told.json())) == (usual.status_code, still(usual.json()))
    assert told.status_code in (200, 404)  # that of a renewal that is none yet
    assert (await client.get(by("nobody", route.path))).status_code == 404


def test_every_address_under_an_account_has_both_forms() -> None:
    routes, document = table(Door())
    under = {(one.method, one.path) for one in routes.routes if one.path.startswith("/v1/accounts/{id}/")}
    assert {(one.method, one.path.replace("external/{external_id}", "{id}")) for one in OTHERS} == under
    for one in OTHERS:
        said = document["paths"][one.path][one.method.lower()]["parameters"]
        assert [told["name"] for told in said if told["in"] == "path"] == list(one.variables)


async def test_writes_reach_the_account(house: House) -> None:
    name = "a/b c?"
    made = (await house.admin.post("/v1/accounts", json={"external_id": name, "name": "Slashed"})).json()
    here = f"/v1/accounts/external/{quote(name, safe='')}"
    pin = {"segment": "high", "reason": "A pilot."}
    assert (await house.admin.put(f"{here}/segments/tier/pin", json=pin)).json()["account_id"] == made["id"]
    assert (await house.admin.get(f"{here}/segments")).json()["data"][-1]["pin"]["reason"] == "A pilot."
    assert (await house.admin.delete(f"{here}/segments/tier/pin")).status_code == 204
    touch = {"kind": "call", "direction": "outbound", "occurred_at": "2026-01-01T10:00:00Z"}
    assert (await house.admin.post(f"{here}/interactions", json=touch)).json()["account_id"] == made["id"]
    tag = (await house.admin.get(here)).headers["etag"]
    assert (await house.admin.post(f"{here}/archive", headers={"if-match": tag})).json()["archived_at"]


async def test_what_is_refused_is_kept_of_the_account(house: House) -> None:
    account = await identity(house.admin)
    pin = {"segment": "high", "reason": "Mine."}
    assert (await house.csm.put(f"/v1/accounts/external/{NAMED}/segments/tier/pin", json=pin)).status_code == 403
    kept = (await house.admin.get("/v1/audit?limit=1")).json()["data"][0]
    assert (kept["operation"], kept["entity_id"]) == ("accounts.pin", account)


async def test_another_workspaces_external_id_is_nobodys(house: House, server: Server, database: Database) -> None:
    async with apart(database, server, "Elsewhere") as other:
        await other.admin.put("/v1/accounts/external/theirs", json={"name": "Theirs"})
        answers: list[Any] = []
        for name in ("theirs", "nobody"):
            told = await house.admin.get(f"/v1/accounts/external/{name}/segments")
            answers.append((told.status_code, still(told.json())))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


QUERIES = """accountSegments(%s) { segmentation segment } segmentHistory(%s, segmentation: "tier") { nodes { segment reason } }
  explainSegments(%s, segmentation: "tier") { segment account { id externalId name } stands { segment since reason pending { segment heldBy movesAt } } }
  accountHierarchy(%s) { account { name } } accountChildren(%s) { nodes { name } } renewalCallHistory(%s) { nodes { category } }"""


async def asked(client: httpx.AsyncClient, document: str) -> Any:
    return (await client.post("/graphql", json={"query": document})).json()


async def test_graphql_takes_either_name(house: House) -> None:
    account = await identity(house.admin)
    named, plain = (QUERIES.replace("%s", said) for said in (f'externalId: "{NAMED}"', f'id: "{account}"'))
    told, usual = await asked(house.admin, f"{{ {named} }}"), await asked(house.admin, f"{{ {plain} }}")
    assert told == usual
    assert "errors" not in told
    rest = (await house.admin.get(f"/v1/accounts/{account}/segments/tier/explain")).json()
    shown = told["data"]["explainSegments"]
    assert shown["account"] == {"id": account, "externalId": NAMED, "name": rest["account"]["name"]}
    assert shown["stands"] == {name: rest["stands"][name] for name in ("segment", "since", "reason", "pending")}


@pytest.mark.parametrize("said", ["", 'id: "018f0000-0000-7000-8000-000000000000", externalId: "crm-1042"'])
async def test_graphql_takes_one_name(house: House, said: str) -> None:
    told = await asked(house.admin, f'{{ segmentHistory({said} segmentation: "tier") {{ nodes {{ segment }} }} }}')
    (error,) = told["errors"]
    assert [one["parameter"] for one in error["extensions"]["errors"]] == ["id"]


async def test_graphql_writes_by_either_name(house: House) -> None:
    pin = 'segmentation: "tier", input: { segment: "low", reason: "Told." }'
    told = await asked(
        house.admin, f'mutation {{ pinAccount(externalId: "{NAMED}", {pin}) {{ pin {{ reason }} created }} }}'
    )
    assert told["data"]["pinAccount"] == {"pin": {"reason": "Told."}, "created": True}
    gone = await asked(
        house.admin, f'mutation {{ unpinAccount(externalId: "{NAMED}", segmentation: "tier") {{ id }} }}'
    )
    assert gone["data"]["unpinAccount"]["id"] == await identity(house.admin)
    nobody = await asked(house.admin, f'mutation {{ pinAccount(externalId: "nobody", {pin}) {{ created }} }}')
    assert nobody["errors"][0]["extensions"]["status"] == 404
