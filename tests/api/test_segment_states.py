"""Segments that are not fresh are told by both doors, in the same words."""

from __future__ import annotations

from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import apart
from tests.servers import Server

ATTRIBUTE = {"entity": "accounts", "slug": "area", "name": "Area", "type": "text"}
SEGMENTS = [{"slug": "north", "name": "North", "criteria": 'custom.area = "north"'}]
NAMED = 'segment.areas = "north"'
ASKED = """query($filter: String!, $by: [String!]) {
  accounts(filter: $filter) { nodes { name } segmentations { segmentation state detail computedAt asOf } }
  accountSummary(groupBy: $by) { segmentations { segmentation state detail } }
  checkCriteria(entity: accounts, filter: $filter) { segmentations { segmentation state detail } }
  previewCriteria(entity: accounts, filter: $filter) { segmentations { segmentation state detail } }
  previewForecast(input: {groupBy: $by}) { segmentations { segmentation state detail } }
  retention(groupBy: $by) { segmentations { segmentation state detail } }
  retentionAccounts(filter: $filter) { segmentations { segmentation state detail } }
  explainAccount(externalId: "a", filter: $filter) { segmentations { segmentation state detail } }
}"""
OF_ITSELF = """{ segmentation(slug: "areas") {
  accounts { nodes { name } segmentations { segmentation state detail } }
} }"""
ANALYSED = """query($filter: String!) { segmentation(slug: "areas") {
  analysis(filter: $filter) { segmentations { segmentation state detail } }
} }"""


@pytest.mark.parametrize("beside", ["", " me { role }"])
async def test_both_doors_tell_a_segmentation_that_broke(database: Database, server: Server, beside: str) -> None:
    async with apart(database, server, f"Broken{len(beside)}") as house:
        admin = house.admin
        attribute = (await admin.post("/v1/attributes", json=ATTRIBUTE)).json()
        definition = {"name": "Areas", "kind": "rules", "segments": SEGMENTS}
        assert (await admin.put("/v1/segmentations/areas", json=definition)).status_code == 201
        account = {"name": "a", "external_id": "a", "custom": {"area": "north"}}
        assert (await admin.post("/v1/accounts", json=account)).status_code == 201
        gone = {"retired_at": "2026-01-01T00:00:00Z", "with_dependents": True}
        headers = {"If-Match": f'"{attribute["version"]}"'}
        answer = await admin.patch(f"/v1/attributes/{attribute['id']}", json=gone, headers=headers)
        assert answer.status_code == 200, answer.text

        def told(found: Any) -> list[tuple[str, str]]:
            assert all(one["detail"] for one in found)
            return [(one["segmentation"], one["state"]) for one in found]

        page = (await admin.get("/v1/accounts", params={"filter": NAMED})).json()
        assert [one["name"] for one in page["data"]] == ["a"]
        by = {"group_by": "segment.areas"}
        every = [
            page, (await admin.get("/v1/segmentations/areas/accounts")).json(),
            (await admin.post("/v1/accounts/summary", json=by)).json(),
            (await admin.post("/v1/criteria/check", json={"entity": "accounts", "criteria": NAMED})).json(),
            (await admin.post("/v1/criteria/preview", json={"entity": "accounts", "criteria": NAMED})).json(),
            (await admin.post("/v1/forecasts/preview", json={"group_by": ["segment.areas"]})).json(),
            (await admin.get("/v1/retention", params=by)).json(),
            (await admin.get("/v1/retention", params={"filter": NAMED})).json(),
            (await admin.get("/v1/retention/accounts", params={"filter": NAMED})).json(),
            (await admin.get("/v1/segmentations/areas/accounts", params={"fields": "name"})).json(),
            (await admin.get("/v1/segmentations/areas/analysis", params={"filter": NAMED})).json(),
            (await admin.post("/v1/criteria/explain", json={"external_id": "a", "filter": NAMED})).json(),
        ]  # fmt: skip
        assert [told(one["segmentations"]) for one in every] == [[("areas", "broken")]] * len(every)
        variables = {"filter": NAMED, "by": ["segment.areas"]}
        query = ASKED.rstrip("}") + beside + "}"
        found = (await admin.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in found, found
        data = {name: one for name, one in found["data"].items() if name != "me"}
        assert [told(one["segmentations"]) for one in data.values()] == [[("areas", "broken")]] * 8
        for query, name in ((OF_ITSELF, "accounts"), (ANALYSED, "analysis")):
            found = (await admin.post("/graphql", json={"query": query, "variables": {"filter": NAMED}})).json()
            assert "errors" not in found, found
            assert told(found["data"]["segmentation"][name]["segmentations"]) == [("areas", "broken")]
        assert data["accounts"]["segmentations"][0]["asOf"] == page["segmentations"][0]["as_of"]
