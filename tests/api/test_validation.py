"""Analysis, validation and suggestions over both doors: the same figures under the same names, and the same refusals."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

MADE = [
    {"external_id": f"a{n}", "name": f"A{n}", "arr": 1_000 + 10 * n if n % 2 else 90_000 + 10 * n, "health": 30 + n % 5 if n % 2 else 90 - n % 5}
    for n in range(80)
]  # fmt: skip
SIZE = {
    "name": "Size",
    "kind": "rules",
    "rest": "small",
    "segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 50000"}],
}


@pytest.fixture(scope="module")
async def house(server: Server, database: Database) -> House:
    made = await furnished(database, server, "Proof")
    answer = await made.admin.post("/v1/accounts/bulk", json={"records": MADE})
    assert answer.is_success, answer.text
    assert (await made.admin.put("/v1/segmentations/size", json=SIZE)).status_code == 201
    return made


def snake(told: Any) -> Any:
    if isinstance(told, dict):
        return {re.sub("([A-Z])", r"_\1", name).lower(): snake(value) for name, value in told.items()}
    return [snake(one) for one in told] if isinstance(told, list) else told


async def ask(client: httpx.AsyncClient, document: str, **variables: Any) -> Any:
    return (await client.post("/graphql", json={"query": document, "variables": variables})).json()


async def test_an_analysis_is_the_same_over_either_door(house: House) -> None:
    rest = (await house.viewer.get("/v1/segmentations/size/analysis?filter=ALL")).json()
    document = """{ segmentation(slug: "size") { analysis(filter: "ALL") { accounts filter leftOut counted sampled tried level features segments { slug name accounts leftOut }
      measures { name area unit description defining word because feature { slug } effect { name value low high p q }
        segments { slug n known mean median q1 q3 share shareLow shareHigh delta deltaLow deltaHigh word } } } } }"""
    found = snake((await ask(house.viewer, document))["data"]["segmentation"]["analysis"])
    assert found == {name: rest[name] for name in found}
    assert (rest["accounts"], rest["sampled"]) == (80, 80)
    health = next(one for one in rest["measures"] if one["name"] == "health")
    assert (health["word"], health["segments"][0]["delta"]) == ("large", 1.0)
    refused = await house.viewer.get("/v1/segmentations/size/analysis?as_of=soon")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "as_of")
    nobody = await house.viewer.get("/v1/segmentations/size/analysis?filter=arrr > 1")
    told = await ask(house.viewer, '{ segmentation(slug: "size") { analysis(filter: "arrr > 1") { tried } } }')
    assert (nobody.status_code, nobody.json()["errors"][0]["parameter"]) == (422, "filter")
    assert told["errors"][0]["extensions"]["errors"] == nobody.json()["errors"]
    assert (await house.viewer.get("/v1/segmentations/nothing/analysis")).status_code == 404


async def test_a_validation_is_the_same_over_either_door(house: House) -> None:
    document = """query($months: Int, $on: String) { segmentation(slug: "size") { validation(outcome: nrr, months: $months, on: $on) {
      verdict reasons on until months outcome source accounts least sampled tried informationValue takenAsToday historyBegins
      segments { slug name accounts enough hits rate low high arr arrAfter nrr } tests { name measure statistic value low high p q }
      skill { value standardError lift because } stability { adjustedRand bootstraps because }
      fields { field levels value p q word rho rhoLow rhoHigh } version } } }"""
    rest = (await house.viewer.get("/v1/segmentations/size/validation?outcome=nrr&months=3")).json()
    found = snake((await ask(house.viewer, document, months=3))["data"]["segmentation"]["validation"])
    assert found == {name: rest[name] for name in found}
    assert (rest["verdict"], rest["months"], rest["accounts"]) == ("refused", 3, 0)
    refused = await house.viewer.get("/v1/segmentations/size/validation?outcome=nrr&months=99")
    told = await ask(house.viewer, document, months=99)
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "months")
    assert told["errors"][0]["extensions"]["errors"][0]["message"] == refused.json()["errors"][0]["message"]


async def test_a_suggestion_is_the_same_over_either_door_and_can_be_put(house: House) -> None:
    asked = {"kind": "clusters", "fields": ["arr", "health"], "count": 2, "where": {"text": "arr > 0"}}
    answer = await house.manager.post("/v1/segmentations/suggest", json=asked)
    rest = answer.json()
    assert answer.status_code == 200, rest
    document = """query($input: ClustersInput!) { suggestSegmentation(input: $input) { kind fields count accounts sampled stability bootstraps
      agreement clusters { slug name accounts share medians because } definition } }"""
    shorter = {name: value for name, value in asked.items() if name != "kind"}
    for told in (asked, shorter):
        found = (await ask(house.manager, document, input=told))["data"]["suggestSegmentation"]
        assert snake(found) == {name: rest[name] for name in found}
        assert (await house.manager.post("/v1/segmentations/suggest", json=told)).json() == rest
    assert (rest["agreement"], [one["accounts"] for one in rest["clusters"]]) == (1.0, [40, 40])
    assert (await house.manager.put("/v1/segmentations/suggested", json=rest["definition"])).status_code == 201
    assert (await house.manager.put("/v1/segmentations/suggest", json=rest["definition"])).status_code == 405
    assert (await house.manager.post("/v1/segmentations/suggest", json={**asked, "count": 1})).status_code == 422
