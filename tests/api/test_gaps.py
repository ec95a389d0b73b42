"""What nothing is known of is said on both doors, beside each answer that it decides."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, apart
from tests.api.graphql.conftest import ask
from tests.servers import Server

NOTE = "No interaction was ever recorded in this workspace, so every account meets what is asked of interactions: it says nothing about any of them."


@pytest.fixture(scope="module")
async def quiet(database: Database, server: Server) -> AsyncIterator[House]:
    """A workspace with a customer, of whom nothing is known."""
    async with apart(database, server, "Quiet") as house:
        body = {"name": "Silent", "arr": 5, "became_customer_at": "2026-01-01"}
        assert (await house.admin.post("/v1/accounts", json=body)).status_code == 201
        yield house


async def test_a_ready_made_list_says_that_nothing_is_known(quiet: House) -> None:
    templates = (await quiet.csm.get("/v1/lists/templates")).json()["data"]
    body = next(one for one in templates if one.pop("slug") == "no-interaction")
    made = (await quiet.csm.post("/v1/lists", json=body)).json()
    path = f"/v1/lists/{made['id']}"
    page = (await quiet.csm.get(f"{path}/rows", params={"count": "exact"})).json()
    assert ([row["name"] for row in page["data"]], page["count"]["value"], page["notes"]) == (["Silent"], 1, [NOTE])
    assert (await quiet.csm.get(f"{path}/count")).json() == {"value": 1, "exact": True, "notes": [NOTE]}
    assert (await quiet.csm.get(f"{path}/summary")).json()["notes"] == [NOTE]
    for part in (
        "rows { notes }",
        "accounts { nodes { name } notes }",
        "count { value notes }",
        "summary { totals notes }",
    ):
        found = await ask(quiet.csm, f"query Q($id: ID!) {{ list(id: $id) {{ {part} }} }}", id=made["id"])
        (told,) = found["data"]["list"].values()
        assert told["notes"] == [NOTE], part
    query = """query Q($f: String!) {
      accounts(filter: $f) { totalCount notes }
      accountSummary(filter: $f) { notes }
      previewCriteria(entity: accounts, filter: $f) { count notes }
      checkCriteria(entity: accounts, filter: $f) { problems { code message severity } } }"""
    found = (await ask(quiet.csm, query, f=body["criteria"]["text"]))["data"]
    assert found["accounts"] == {"totalCount": 1, "notes": [NOTE]}
    assert found["accountSummary"]["notes"] == found["previewCriteria"]["notes"] == [NOTE]
    assert found["checkCriteria"]["problems"] == [{"code": "no_data", "message": NOTE, "severity": "warning"}]


async def test_criteria_that_are_tried_say_it_too(quiet: House) -> None:
    body = {"entity": "accounts", "filter": "none(interactions, last(30d))"}
    assert (await quiet.csm.post("/v1/criteria/preview", json=body)).json()["notes"] == [NOTE]
    (problem,) = (await quiet.csm.post("/v1/criteria/check", json=body)).json()["problems"]
    assert (problem["code"], problem["message"], problem["pointer"]) == ("no_data", NOTE, "/filter")
    codes = {one["code"] for one in (await quiet.csm.get("/v1/catalog")).json()["problems"]}
    assert "no_data" in codes
    known = (await quiet.csm.get("/v1/accounts", params={"filter": "arr > 1"})).json()
    assert "notes" not in known
