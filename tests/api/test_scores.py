"""Scores over both doors: said, guarded by versions, told with their parts; stages that accounts move through by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

HEALTH: dict[str, Any] = {
    "source": "model",
    "measures": [
        {"of": "seat_utilisation", "name": "seats", "worst": 0, "best": 1, "weight": 3, "missing": "count_as", "count_as": 10},
        {"of": "count(tickets, last(90d))", "name": "tickets", "worst": 4, "best": 0},
    ],
    "by": {"segmentation": "size", "weights": {"large": {"seats": 1}}},
}  # fmt: skip
SIZE = {
    "name": "Size", "kind": "rules", "rest": "small", "spec": {},
    "segments": [{"slug": "large", "name": "Large", "criteria": "arr >= 1000"}],
}  # fmt: skip
SCORES = """scores { version health { source state detail by { segmentation weights }
  measures { of name worst best weight missing countAs } } engagement { meetings { weight enough } } consumption { seats { weight enough } } }"""
AROUND = [(datetime.now(UTC).date() + timedelta(days=days)).isoformat() for days in (-100, 100)]
SCORE = f"""score(name: %s, from: "{AROUND[0]}", to: "{AROUND[1]}") {{ name source score band segment on days detail
  parts {{ name of weight value worst best points contribution assumed }} history {{ day score band }}
  change {{ from to before after difference detail parts {{ name difference }} }} }}"""


@pytest.fixture(scope="module")
async def own(server: Server, database: Database) -> AsyncIterator[House]:
    made = await furnished(database, server, "Scores")
    assert (await made.manager.put("/v1/segmentations/size", json=SIZE)).status_code == 201
    yield made
    for each in made.clients.values():
        await each.aclose()


async def ask(house: House, document: str) -> Any:
    answer = (await house.manager.post("/graphql", json={"query": document})).json()
    assert "errors" not in answer, answer
    return answer["data"]


def camel(told: Any) -> Any:
    if isinstance(told, dict):
        return {"".join([k.split("_")[0], *(w.title() for w in k.split("_")[1:])]): camel(v) for k, v in told.items()}
    return [camel(one) for one in told] if isinstance(told, list) else told


async def test_scores_are_said_and_told_alike_over_both_doors(own: House) -> None:
    account = {"name": "Acme", "seats_licensed": 4, "seats_active": 1, "arr": 10}
    made = (await own.manager.post("/v1/accounts", json=account)).json()
    standing = await own.viewer.get("/v1/scores")
    assert standing.json()["health"] == {
        "source": "outside",
        "measures": None,
        "by": None,
        "state": "ok",
        "detail": None,
    }
    assert (await own.manager.put("/v1/scores", json={"health": HEALTH})).status_code == 428
    match = {"if-match": standing.headers["etag"]}
    assert (await own.csm.put("/v1/scores", json={"health": HEALTH}, headers=match)).status_code == 403
    put = await own.manager.put("/v1/scores", json={"health": HEALTH}, headers=match)
    assert put.status_code == 200, put.text
    again = await own.manager.put("/v1/scores", json={}, headers=match)
    assert again.status_code == 412
    read = await own.viewer.get("/v1/scores")
    assert (read.content, read.headers["etag"]) == (put.content, put.headers["etag"])
    told = (await ask(own, f"{{ {SCORES} }}"))["scores"]
    assert told["health"]["measures"] == camel(read.json()["health"]["measures"])
    assert told["health"]["by"] == read.json()["health"]["by"]
    assert told["version"] == read.json()["version"] == 2
    for name, path in (("health", "health"), ("engagement", "engagement-score"), ("consumption", "consumption-score")):
        params = dict(zip(("from", "to"), AROUND, strict=True))
        rest = await own.viewer.get(f"/v1/accounts/{made['id']}/{path}", params=params)
        assert rest.status_code == 200, rest.text
        graph = (await ask(own, f'{{ account(id: "{made["id"]}") {{ {SCORE % name} }} }}'))["account"]["score"]
        shown = camel(rest.json())
        assert {k: graph[k] for k in ("score", "source", "parts", "on", "days", "detail")} == {
            k: shown[k] for k in ("score", "source", "parts", "on", "days", "detail")
        }
        assert shown["days"] == {"health": None, "engagement": 90, "consumption": 30}[name]
        assert graph["history"] == [{"band": None, **one} for one in shown["history"]]
        assert sum(part["contribution"] for part in shown["parts"]) == pytest.approx(shown["score"] or 0)
    assert (await own.viewer.get(f"/v1/accounts/{made['id']}")).json()["health"] == 43.8
    assert (await own.viewer.get(f"/v1/accounts/{made['id'][:-1]}0/health")).status_code in (200, 404)
    wrong = await own.viewer.get(f"/v1/accounts/{made['id']}/health", params={"from": "yesterday"})
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (422, "from")


async def test_graphql_says_what_scores_are_made_of(own: House) -> None:
    version = (await own.viewer.get("/v1/scores")).json()["version"]
    said = """{health: {source: model, measures: [{of: "nps", worst: 0, best: 10, missing: no_health}]},
      engagement: {meetings: {weight: 50, enough: 2}}}"""
    document = f"mutation {{ putScores(expectedVersion: {version}, input: {said}) {{ {SCORES} }} }}"
    told = (await ask(own, document))["putScores"]["scores"]
    assert told["health"]["measures"] == [
        {"of": "nps", "name": "nps", "worst": 0, "best": 10, "weight": 1, "missing": "no_health", "countAs": None}
    ]
    assert told["engagement"] == {"meetings": {"weight": 50, "enough": 2}}
    assert (await own.viewer.get("/v1/scores")).json()["version"] == told["version"] == version + 1
    document = f"mutation {{ putScores(expectedVersion: {told['version']}, input: {{health: {{source: outside}}}}) {{ scores {{ version }} }} }}"
    assert (await ask(own, document))["putScores"]["scores"]["version"] == version + 2


async def test_stages_move_accounts_over_both_doors(own: House) -> None:
    match = {"if-match": (await own.viewer.get("/v1/stages/adoption")).headers["etag"]}
    body = {"entry": "case_studies >= 3", "expected_days": 9}
    changed = await own.manager.patch("/v1/stages/adoption", json=body, headers=match)
    assert {name: changed.json()[name] for name in body} == body
    asked = f'{{ stage(id: "{changed.json()["id"]}") {{ id version entry expectedDays leavesAfterDays }} }}'
    found = (await ask(own, asked))["stage"]
    assert (found["entry"], found["expectedDays"], found["leavesAfterDays"]) == ("case_studies >= 3", 9, None)
    document = f"""mutation {{ updateStage(id: "{found["id"]}", expectedVersion: {found["version"]}, input: {{leavesAfterDays: 5, entry: "case_studies >= 2"}})
      {{ stage {{ entry expectedDays leavesAfterDays }} }} }}"""
    assert (await ask(own, document))["updateStage"]["stage"] == {
        "entry": "case_studies >= 2", "expectedDays": 9, "leavesAfterDays": 5
    }  # fmt: skip
    made = (await own.manager.post("/v1/accounts", json={"name": "Mover", "case_studies": 2})).json()
    assert made["stage"] == "adoption"
    visits = (await own.viewer.get(f"/v1/accounts/{made['id']}/stages")).json()["data"]
    assert [(one["stage"], one["cause"]) for one in visits] == [("adoption", "criteria")]
    told = await ask(
        own,
        f'{{ account(id: "{made["id"]}") {{ stageHistory {{ nodes {{ stage cause }} }} }} stuckAccounts {{ nodes {{ id over }} }} }}',
    )
    assert told["account"]["stageHistory"]["nodes"] == [{"stage": "adoption", "cause": "criteria"}]
    stuck = (await own.viewer.get("/v1/stages/stuck")).json()
    assert (stuck["data"], told["stuckAccounts"]["nodes"]) == ([], [])
    assert (await own.viewer.get("/v1/stages/stuck", params={"stage": "adoptoin"})).status_code == 422
