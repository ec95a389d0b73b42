"""/v1/workspace/calendar and its twin: the fiscal calendar over both doors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, apart
from tests.servers import Server

PATH = "/v1/workspace/calendar"
MADE = {"pattern": "4-4-5", "first_day": "2026-02-01", "first_year": 2026, "years": 2, "long_years": [2027]}
CALENDAR = "{ periods { year quarter period startDate endDate } from to version }"
PUT = f"mutation ($v: Int!, $i: FiscalCalendarInput!) {{ putWorkspaceCalendar(expectedVersion: $v, input: $i) {{ calendar {CALENDAR} }} }}"
DELETE = f"mutation ($v: Int!) {{ deleteWorkspaceCalendar(expectedVersion: $v) {{ calendar {CALENDAR} }} }}"
READ = f"{{ workspaceCalendar {CALENDAR} workspace {{ fiscalCalendar {{ from to }} version }} catalog {{ windows }} }}"


@pytest.fixture(scope="module")
async def shop(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace whose calendar nobody else stands on."""
    async with apart(database, server, "Shop") as made:
        yield made


async def asked(shop: House, document: str, **variables: Any) -> Any:
    answer = await shop.admin.post("/graphql", json={"query": document, "variables": variables})
    return answer.json()


async def put(shop: House, body: Any, tag: str | None = None) -> Any:
    tag = tag or (await shop.admin.get("/v1/workspace")).headers["etag"]
    return await shop.admin.put(PATH, json=body, headers={"If-Match": tag})


async def test_it_is_put_read_and_deleted_with_the_workspaces_version(shop: House) -> None:
    answer = await put(shop, {"generate": MADE})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["from"], told["to"], len(told["periods"])) == ("2026-02-01", "2028-02-05", 24)
    read = await shop.admin.get(PATH)
    assert (read.json(), read.headers["etag"]) == (told, answer.headers["etag"])
    assert (await shop.admin.get(PATH, headers={"If-None-Match": read.headers["etag"]})).status_code == 304
    shown = (await shop.admin.get("/v1/workspace")).json()
    assert (shown["fiscal_calendar"], shown["version"]) == ({"from": "2026-02-01", "to": "2028-02-05"}, told["version"])
    again = await put(shop, {"periods": told["periods"]}, answer.headers["etag"])
    assert again.json() == told
    assert (await shop.admin.put(PATH, json={"generate": MADE})).status_code == 428
    gone = await shop.admin.delete(PATH, headers={"If-Match": answer.headers["etag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await shop.admin.delete(PATH, headers={"If-Match": answer.headers["etag"]})).status_code == 412
    assert (await shop.admin.get(PATH)).json()["periods"] == []


async def test_both_doors_say_the_same(shop: House) -> None:
    version = (await shop.admin.get("/v1/workspace")).json()["version"]
    made = {"pattern": "weeks_13x4", "firstDay": "2026-02-01", "firstYear": 2026, "years": 3, "longYears": [2028]}
    said = (await asked(shop, PUT, v=version, i={"generate": made}))["data"]["putWorkspaceCalendar"]["calendar"]
    rest = (await shop.admin.get(PATH)).json()
    assert [list(one.values()) for one in said["periods"]] == [list(one.values()) for one in rest["periods"]]
    assert (said["from"], said["to"], said["version"]) == (rest["from"], rest["to"], rest["version"])
    assert (await put(shop, {"generate": {**MADE, "pattern": "13x4", "years": 3, "long_years": [2028]}})).json() == rest
    told = (await asked(shop, READ))["data"]
    assert told["workspaceCalendar"] == said
    assert told["workspace"] == {"fiscalCalendar": {"from": "2026-02-01", "to": "2029-02-03"}, "version": version + 1}
    fiscal = told["catalog"]["windows"]["period"]["fiscal"]
    assert fiscal == (await shop.admin.get("/v1/catalog")).json()["windows"]["period"]["fiscal"]
    assert fiscal["calendar"] == {"from": "2026-02-01", "to": "2029-02-03"}
    assert fiscal["units"] == ["fiscal_month", "fiscal_quarter", "fiscal_year"]
    cleared = (await asked(shop, DELETE, v=version + 1))["data"]["deleteWorkspaceCalendar"]["calendar"]
    assert cleared == {"periods": [], "from": None, "to": None, "version": version + 2}
    told = (await asked(shop, READ))["data"]
    assert told["workspace"]["fiscalCalendar"] is told["catalog"]["windows"]["period"]["fiscal"]["calendar"] is None


async def test_refusals_are_the_same_on_both_doors(shop: House) -> None:
    version = (await shop.admin.get("/v1/workspace")).json()["version"]
    rows = [
        {"year": 2026, "quarter": 1, "period": 1, "start_date": "2026-02-01", "end_date": "2026-02-28"},
        {"year": 2026, "quarter": 1, "period": 2, "start_date": "2026-03-02", "end_date": "2026-04-04"},
    ]
    answer = await put(shop, {"periods": rows})
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/periods/1/start_date"]
    camel = [{name.replace("_d", "D"): value for name, value in row.items()} for row in rows]
    extensions = (await asked(shop, PUT, v=version, i={"periods": camel}))["errors"][0]["extensions"]
    assert (extensions["status"], [one["pointer"] for one in extensions["errors"]]) == (
        422,
        ["/input/periods/1/startDate"],
    )
    stale = (await asked(shop, DELETE, v=version + 1))["errors"][0]["extensions"]
    assert stale["status"] == 412
    assert (await put(shop, {"generate": {**MADE, "pattern": "4-4-6"}})).json()["errors"][0]["suggestion"] == "4-4-5"


async def test_criteria_beyond_it_are_refused(shop: House) -> None:
    past = {**MADE, "first_day": "2010-01-31", "first_year": 2010, "long_years": [2011]}
    assert (await put(shop, {"generate": past})).status_code == 200
    for said in ("renewal_date IN this(fiscal_year)", "none(interactions, last(fiscal_month))"):
        answer = await shop.viewer.get("/v1/accounts", params={"filter": said})
        assert answer.status_code == 422, answer.text
        (fault,) = answer.json()["errors"]
        assert (
            fault["message"] == "Expected periods of the fiscal calendar, which reaches from 2010-01-31 to 2012-02-04."
        )
    within = await shop.viewer.get(
        "/v1/accounts", params={"filter": "renewal_date IN this(fiscal_year)", "as_of": "2011-06-01"}
    )
    (window,) = within.json()["windows"]
    assert (window["lo"], window["hi"]) == ("2011-01-30", "2012-02-05")
    where = '{ accounts(where: {time: {of: "renewal_date", in: {period: {which: this, unit: fiscal_month}}}}) { totalCount } }'
    assert (await asked(shop, where))["errors"][0]["extensions"]["status"] == 422
