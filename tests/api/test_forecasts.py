"""Forecasts on both doors: rows by their own figures, and how good forecasts were, the same numbers either way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.persistence.database import Database
from tests.api.conftest import House, apart
from tests.servers import Server

ROWS = """query ($id: ID!, $rows: String, $sort: String) {
  forecastAccounts(id: $id, rowFilter: $rows, sort: $sort) { nodes { name arr expected expectedNet expectedLoss p05 p95 } }
}"""
ACCURACY = """{ forecastAccuracy(by: "month", lag: 0) {
  by lag least renewals words total { renewals due expected kept bias accuracy brier verdict words called { calls called computed { called } } }
  groups { key name renewals expected kept }
} }"""


def camel(told: dict[str, Any]) -> dict[str, Any]:
    """Members by their names of GraphQL."""
    first = {name: name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]) for name in told}
    return {first[name]: value for name, value in told.items()}


OVERDUE = """{ previewForecast(input: {filter: "name = \\"Late\\""}) { due { renewals accounts arr } expectedRenewals expected
  overdue { renewals arr since because } } }"""


def among(told: Any, shown: Any) -> Any:
    """What is told of all that is shown, member by member."""
    if isinstance(shown, dict):
        return {name: among(camel(told)[name], value) for name, value in shown.items()}
    return [among(one, other) for one, other in zip(told, shown, strict=True)] if isinstance(shown, list) else told


async def forecast(house: House) -> str:
    """Three contracts that end in two months, and a forecast of them."""
    today = datetime.now(UTC).date()
    for n, arr in enumerate((100, 2_000, 30_000)):
        account = (await house.admin.post("/v1/accounts", json={"name": f"Due {n}"})).json()["id"]
        told = {"start_date": str(today - timedelta(300)), "end_date": str(today + timedelta(60)), "arr": arr}
        assert (await house.admin.post(f"/v1/accounts/{account}/contracts", json=told)).status_code == 201
    made = await house.admin.post("/v1/forecasts", json={})
    assert made.status_code == 201, made.text
    forecast_id: str = made.json()["id"]
    return forecast_id


async def test_rows_by_their_own_figures_and_what_came_of_them(server: Server, database: Database) -> None:
    async with apart(database, server, "Forecasts") as house:
        await _rows_and_what_came(house, database)


async def _rows_and_what_came(house: House, database: Database) -> None:
    forecast_id = await forecast(house)
    path = f"/v1/forecasts/{forecast_id}/accounts"
    asked = {"row_filter": "expected_loss >= 100 AND probability < 1", "sort": "-expected_loss"}
    rest = (await house.admin.get(path, params=asked)).json()["data"]
    assert [row["name"] for row in rest] == ["Due 2", "Due 1"]
    assert all(row["expected_loss"] == round(row["arr"] - row["expected"], 2) and row["p05"] == 0 for row in rest)
    variables = {"id": forecast_id, "rows": asked["row_filter"], "sort": asked["sort"]}
    nodes = (await house.admin.post("/graphql", json={"query": ROWS, "variables": variables})).json()["data"][
        "forecastAccounts"
    ]["nodes"]
    assert nodes == [among(row, node) for row, node in zip(rest, nodes, strict=True)]

    refused = (await house.admin.get(path, params={"row_filter": "expected_los > 1"})).json()["errors"]
    assert (refused[0]["parameter"], refused[0]["suggestion"]) == ("row_filter", "expected_loss")
    wrong = {"id": forecast_id, "rows": "expected_los > 1"}
    answer = (await house.admin.post("/graphql", json={"query": ROWS, "variables": wrong})).json()
    assert answer["errors"][0]["extensions"]["errors"] == refused

    await _overdue(house)
    today = datetime.now(UTC).date()
    async with database.transaction() as tx:
        await tx.execute("UPDATE forecasts SET as_of = as_of - interval '30 days' WHERE workspace_id = $1", house.id)
        await tx.execute(
            "UPDATE contracts SET outcome = 'renewed', decided_at = $2 WHERE workspace_id = $1", house.id, today - timedelta(1)
        )  # fmt: skip
    told = (await house.admin.get("/v1/forecasts/accuracy", params={"by": "month", "lag": "0"})).json()
    assert (told["renewals"], told["total"]["kept"], told["total"]["called"]) == (3, 32_100, None)
    shown = (await house.admin.post("/graphql", json={"query": ACCURACY})).json()["data"]["forecastAccuracy"]
    assert shown == among(told, shown)
    wrong_lag = await house.admin.get("/v1/forecasts/accuracy?lag=13")
    assert (wrong_lag.status_code, wrong_lag.json()["errors"][0]["parameter"]) == (422, "lag")


async def _overdue(house: House) -> None:
    """What is due, renewals and accounts apart, and what was due before and is open, in both doors alike."""
    today = datetime.now(UTC).date()
    account = (await house.admin.post("/v1/accounts", json={"name": "Late"})).json()["id"]
    for end in (today - timedelta(9), today + timedelta(9), today + timedelta(19)):
        told = {"start_date": str(today - timedelta(300)), "end_date": str(end), "arr": 70}
        assert (await house.admin.post(f"/v1/accounts/{account}/contracts", json=told)).status_code == 201
    rest = (await house.admin.post("/v1/forecasts/preview", json={"where": 'name = "Late"'})).json()
    assert rest["due"] == {"renewals": 2, "accounts": 1, "arr": 140}
    assert 0 < rest["expected_renewals"] < 2
    assert (rest["overdue"]["renewals"], rest["overdue"]["since"]) == (1, str(today - timedelta(9)))
    answer = (await house.admin.post("/graphql", json={"query": OVERDUE})).json()["data"]["previewForecast"]
    assert answer == among(rest, answer)
    missing = await house.admin.get("/v1/forecasts/00000000-0000-7000-8000-000000000000")
    assert (missing.status_code, "no forecast with this id" in missing.json()["detail"]) == (404, True)
