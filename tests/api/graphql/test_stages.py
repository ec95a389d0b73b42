"""Stages and scenarios over GraphQL: the same use cases, rules and errors as REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.api.graphql.conftest import Ask
from tests.servers import Server

USUAL = ["trial", "onboarding", "adoption", "established", "advocate"]
ARRANGE = "mutation($stages: [String!]!) { arrangeStages(input: {stages: $stages}) { stages { slug position } } }"
MOVE = "mutation($id: ID!, $input: MoveStageInput!, $v: Int) { moveStage(id: $id, input: $input, expectedVersion: $v) { account { stage stageSince version } } }"
HISTORY = "query($id: ID!, $first: Int, $after: String) { account(id: $id) { stageHistory(first: $first, after: $after) { nodes { stage from_at: fromAt to_at: toAt days note cause actor_id: actorId actor_name: actorName } pageInfo { hasNextPage endCursor } } } }"
DELETE = "mutation($id: ID!, $v: Int!, $to: String) { deleteStage(id: $id, expectedVersion: $v, moveTo: $to) { id } }"


@pytest.fixture(scope="module")
async def own(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace of its own: others need the usual stages."""
    made = await furnished(database, server, "Graph-stages")
    yield made
    for each in made.clients.values():
        await each.aclose()


async def account(house: House, **said: Any) -> str:
    return str((await house.manager.post("/v1/accounts", json={"name": "Acme", **said})).json()["id"])


async def test_a_stage_from_making_to_its_end(own: House, ask: Ask, fail: Ask) -> None:
    create = 'mutation { createStage(input: {slug: "signed", name: "Signed", position: 2}) { created stage { id slug position version } } }'
    made = (await ask(own.manager, create))["createStage"]
    stage = made["stage"]["id"]
    assert made == {"created": True, "stage": {"id": stage, "slug": "signed", "position": 2, "version": 1}}
    update = "mutation($id: ID!, $v: Int!) { updateStage(id: $id, expectedVersion: $v, input: {position: 9}) { stage { position version } } }"
    changed = (await ask(own.manager, update, id=stage, v=1))["updateStage"]["stage"]
    assert changed == {"position": 6, "version": 2}
    assert (await fail(own.manager, update, id=stage, v=1))["status"] == 412
    acme = await account(own, stage="signed")
    refused = await fail(own.manager, DELETE, id=stage, v=2)
    assert (refused["status"], refused["errors"][0]["message"]) == (
        409, "Expected no accounts that depend on it: 1 account (Acme).",
    )  # fmt: skip
    wrong = await fail(own.manager, DELETE, id=stage, v=2, to="trail")
    assert [(one["parameter"], one["suggestion"]) for one in wrong["errors"]] == [("moveTo", "trial")]
    assert (await ask(own.manager, DELETE, id=stage, v=2, to="trial"))["deleteStage"] == {"id": stage}
    assert (await own.viewer.get(f"/v1/accounts/{acme}")).json()["stage"] == "trial"


async def test_all_are_put_in_order(own: House, ask: Ask, fail: Ask) -> None:
    placed = (await ask(own.manager, ARRANGE, stages=USUAL[::-1]))["arrangeStages"]["stages"]
    assert placed == [{"slug": slug, "position": n} for n, slug in enumerate(USUAL[::-1], 1)]
    wrong = await fail(own.manager, ARRANGE, stages=["trail", *USUAL[1:]])
    assert [(one["pointer"], one["suggestion"]) for one in wrong["errors"]] == [
        ("/input/stages/0", "trial"), ("/input/stages", None),
    ]  # fmt: skip
    assert (await fail(own.csm, ARRANGE, stages=USUAL))["status"] == 403
    await ask(own.manager, ARRANGE, stages=USUAL)


async def test_an_account_moves_and_remembers_as_rest_tells(own: House, ask: Ask, fail: Ask) -> None:
    acme = await account(own, stage="trial")
    moved = (await ask(own.manager, MOVE, id=acme, input={"stage": "adoption", "note": "Live."}))["moveStage"][
        "account"
    ]
    assert (moved["stage"], moved["version"]) == ("adoption", 2)
    assert (await fail(own.manager, MOVE, id=acme, input={"stage": "trial"}, v=1))["status"] == 412
    missing = await fail(own.manager, MOVE, id=acme, input={"note": "x"})
    assert (missing["status"], missing["errors"][0]["pointer"]) == (422, "/input/stage")
    first = (await ask(own.viewer, HISTORY, id=acme, first=1))["account"]["stageHistory"]
    second = (await ask(own.viewer, HISTORY, id=acme, first=1, after=first["pageInfo"]["endCursor"]))["account"][
        "stageHistory"
    ]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    rest = (await own.viewer.get(f"/v1/accounts/{acme}/stages")).json()["data"]
    told = first["nodes"] + second["nodes"]
    assert [{**one, "days": 0} for one in told] == [{**one, "days": 0} for one in rest]
    assert (await fail(own.viewer, HISTORY, id="01930000-0000-7000-8000-000000000000"))["status"] == 404


async def test_the_summary_is_that_of_rest(own: House, ask: Ask) -> None:
    query = (
        "{ stagesSummary { on without { accounts arr } data { slug name position accounts arr state detail days_median: daysMedian"
        " days_p90: daysP90 left days_completed: daysCompleted next advanced conversion } } }"
    )
    rest = (await own.viewer.get("/v1/stages/summary")).json()
    found = (await ask(own.viewer, query))["stagesSummary"]
    for one in (*rest["data"], *found["data"]):
        one.pop("days_completed")  # moves on with the test's own seconds no more than in its last digits
    assert found == rest


async def test_scenarios_are_made_switched_and_deleted(own: House, ask: Ask, fail: Ask) -> None:
    create = "mutation($input: CreateScenarioInput!) { createScenario(input: $input) { scenario { id slug impacts lanes isActive version } } }"
    assert (await own.manager.post("/v1/industries", json={"slug": "travel", "name": "Travel"})).status_code == 201
    first = (await ask(own.manager, create, input={"slug": "down", "name": "D", "impacts": {"travel": "severe"}}))[
        "createScenario"
    ]["scenario"]
    assert (first["isActive"], first["impacts"], first["lanes"]["severe"]) == (True, {"travel": "severe"}, -1.2)
    second = (await ask(own.manager, create, input={"slug": "calm", "name": "C"}))["createScenario"]["scenario"]
    wrong = await fail(own.manager, create, input={"slug": "x", "name": "X", "impacts": {"travl": "low"}})
    assert [(one["pointer"], one["suggestion"]) for one in wrong["errors"]] == [("/input/impacts/travl", "travel")]
    update = "mutation($id: ID!, $v: Int!) { updateScenario(id: $id, expectedVersion: $v, input: {isActive: true}) { scenario { isActive version } } }"
    switched = (await ask(own.manager, update, id=second["id"], v=1))["updateScenario"]["scenario"]
    assert switched == {"isActive": True, "version": 2}
    delete = "mutation($id: ID!, $v: Int!) { deleteScenario(id: $id, expectedVersion: $v) { id } }"
    assert (await fail(own.manager, delete, id=second["id"], v=2))["status"] == 409
    assert (await ask(own.manager, delete, id=first["id"], v=2))["deleteScenario"] == {"id": first["id"]}


async def test_a_segmentation_goes(own: House, ask: Ask, fail: Ask) -> None:
    body = {"name": "Size", "kind": "rules", "rest": "small",
            "segments": [{"slug": "big", "name": "Big", "criteria": "employees > 500"}]}  # fmt: skip
    made = (await own.manager.put("/v1/segmentations/size", json=body)).json()
    delete = 'mutation($v: Int!) { deleteSegmentation(slug: "size", expectedVersion: $v) { id } }'
    assert (await fail(own.manager, delete, v=7))["status"] == 412
    assert (await fail(own.csm, delete, v=1))["status"] == 403
    assert (await ask(own.manager, delete, v=1))["deleteSegmentation"] == {"id": made["id"]}
    assert (await fail(own.manager, delete, v=1))["status"] == 404
