"""/v1/criteria and its twins in GraphQL: read, printed, checked, tried out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

ACCOUNTS: tuple[dict[str, Any], ...] = (
    {"name": "Ada", "industry": "saas", "health": 30, "arr": 1000, "renewal_date": "2026-02-01"},
    {"name": "Bob", "industry": "fintech", "health": 80, "arr": 2000},
    {"name": "Cyd", "industry": "saas", "arr": 3000},
    {"name": "Dee", "health": 55, "arr": 0},
)


@pytest.fixture(scope="module")
async def office(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace of four accounts, some of them without industry or health."""
    made = await furnished(database, server, "Criteria")
    for slug in ("saas", "fintech"):
        assert (await made.admin.post("/v1/industries", json={"name": slug.title(), "slug": slug})).status_code == 201
    for body in ACCOUNTS:
        answer = await made.admin.post("/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text
    yield made
    for each in made.clients.values():
        await each.aclose()


async def post(house: House, what: str, /, **body: Any) -> Any:
    answer = await house.viewer.post(f"/v1/criteria/{what}", json={"entity": "accounts", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_text_and_tree_are_the_same(office: House) -> None:
    told = await post(office, "parse", text='health<50 and industry in ("saas","fintech")')
    assert told["text"] == 'health < 50 AND industry IN ("saas", "fintech")'
    assert told["tree"]["filter"]["args"][0] == {"op": "cmp", "of": "health", "cmp": "lt", "value": 50}
    assert told["english"] == "Accounts whose health is below 50 and in industry Saas or Fintech."
    assert await post(office, "format", criteria=told["tree"]) == told
    for spelled in (told["tree"]["filter"], told["text"], {"text": told["text"]}, {"tree": told["tree"]["filter"]}):
        assert await post(office, "format", criteria=spelled) == told
    assert (await post(office, "parse", text="arr = 0.10"))["tree"]["filter"]["value"] == 0.1


@pytest.mark.parametrize(
    ("what", "body", "status", "fault"),
    [
        ("parse", {"text": "arr >"}, 400, {"pointer": "/text", "line": 1, "column": 6}),
        ("parse", {}, 422, {"pointer": "/text"}),
        ("parse", {"text": 5}, 422, {"pointer": "/text"}),
        ("parse", {"text": "ALL", "entity": "acounts"}, 422, {"pointer": "/entity", "suggestion": "accounts"}),
        ("parse", {"txt": "ALL", "text": "ALL"}, 422, {"pointer": "/txt", "suggestion": "text"}),
        ("format", {"criteria": {"op": "cmp", "of": "arr", "cmp": "gt"}}, 422, {"pointer": "/criteria"}),
        ("format", {"criteria": 5}, 422, {"pointer": "/criteria"}),
        ("format", {"criteria": "arr >"}, 400, {"pointer": "/criteria", "line": 1, "column": 6}),
        ("preview", {"criteria": "helth < 5"}, 422, {"pointer": "/criteria", "line": 1, "column": 1, "suggestion": "health"}),
        ("preview", {"criteria": {"text": "helth < 5"}}, 422, {"pointer": "/criteria/text", "column": 1}),
        ("preview", {"criteria": {"tree": {"op": "empty", "of": "helth"}}}, 422, {"pointer": "/criteria/tree/of"}),
        ("check", {}, 422, {"pointer": ""}),
        ("check", {"filter": "ALL", "criteria": {"op": "all"}}, 422, {"pointer": "/criteria"}),
        ("check", {"filter": "ALL", "tz": "Europe/Berln"}, 422, {"pointer": "/tz", "suggestion": "Europe/Berlin"}),
        ("check", {"filter": "ALL", "as_of": "soon"}, 422, {"pointer": "/as_of"}),
        ("check", {"filter": "ALL", "params": {"a": []}}, 422, {"pointer": "/params/a"}),
        ("check", {"filter": "ALL", "for_user": "ada@example.com"}, 422, {"pointer": "/for_user"}),
        ("preview", {"filter": "helth < 5"}, 422, {"pointer": "/filter", "line": 1, "column": 1, "suggestion": "health"}),
        ("preview", {"filter": "ALL", "columns": ["nam"]}, 422, {"pointer": "/columns", "suggestion": "name"}),
        ("preview", {"filter": "ALL", "columns": []}, 422, {"pointer": "/columns"}),
        ("preview", {"filter": "ALL", "limit": 5}, 422, {"pointer": "/limit"}),
    ],
)  # fmt: skip
async def test_faults_of_the_body(
    office: House, what: str, body: dict[str, Any], status: int, fault: dict[str, Any]
) -> None:
    answer = await office.viewer.post(f"/v1/criteria/{what}", json={"entity": "accounts", **body})
    assert answer.status_code == status, answer.text
    assert fault.items() <= answer.json()["errors"][0].items()


async def test_errors_of_the_criteria_are_the_answer(office: House) -> None:
    told = await post(office, "check", filter="helth < 5 AND industry = 3")
    assert told == {
        "ok": False, "windows": [], "cost": None, "english": None, "segmentations": [],
        "problems": [
            {"severity": "error", "code": "invalid", "message": "accounts have no such field.", "pointer": "/filter",
             "line": 1, "column": 1, "suggestion": "health"},
            {"severity": "error", "code": "invalid", "message": "industry takes a slug in quotes.", "pointer": "/filter",
             "line": 1, "column": 26, "suggestion": None},
        ],
    }  # fmt: skip
    (unread,) = (await post(office, "check", filter="arr > 5 AND health < 3 OR nps = 1"))["problems"]
    assert (unread["code"], unread["line"], unread["column"]) == ("unreadable", 1, 24)
    (deep,) = (await post(office, "check", criteria={"op": "not", "arg": {"op": "empty", "of": "nmae"}}))["problems"]
    assert (deep["pointer"], deep["suggestion"], deep["line"]) == ("/criteria/arg/of", "name", None)
    (empty,) = (await post(office, "check", filter=" "))["problems"]
    assert (empty["code"], empty["line"]) == ("unreadable", 1)
    for criteria, pointer in (("helth < 5", "/criteria"), ({"text": "helth < 5"}, "/criteria/text")):
        (named,) = (await post(office, "check", criteria=criteria))["problems"]
        assert (named["pointer"], named["line"], named["column"], named["suggestion"]) == (pointer, 1, 1, "health")
    (odd,) = (await post(office, "check", criteria="arr > 5 OR (arr > 5 AND arr > 3)"))["problems"][:1]
    assert (odd["severity"], odd["pointer"], odd["line"]) == ("warning", "/criteria", 1)


async def test_warnings_point_at_their_place(office: House) -> None:
    told = await post(office, "check", filter='industry = "technolgy" OR (arr > 5 AND arr > 3)')
    assert told["ok"]
    assert [(p["severity"], p["code"], p["line"], p["column"], p["suggestion"]) for p in told["problems"]] == [
        ("warning", "unknown_value", 1, 12, None), ("warning", "dead_clause", 1, 40, None),
    ]  # fmt: skip
    (near,) = (await post(office, "check", criteria={"op": "in", "of": "industry", "values": ["sass", "fintech"]}))[
        "problems"
    ]
    assert (near["code"], near["pointer"], near["suggestion"]) == ("unknown_value", "/criteria/values/0", "saas")


async def test_checked_windows_cost_and_english(office: House) -> None:
    told = await post(
        office, "check", filter="renewal_date IN next(90d) AND csm = @me", as_of="2026-01-31", tz="Asia/Tokyo"
    )
    assert [(p["code"], p["message"], p["column"]) for p in told["problems"]] == [
        ("no_data", "No account in this workspace has a value for csm, so no account meets what is asked of it.", 31)
    ]
    assert told["windows"] == [{"window": "next(90d)", "lo": "2026-01-31", "hi": "2026-05-01", "zone": "Asia/Tokyo"}]
    assert told["cost"]["class"] == "cheap"
    assert told["english"] == "Accounts whose renewal date is in the next 90 days and whose CSM is me."
    heavy = await post(office, "check", filter='any(tickets WHERE priority = "urgent")')
    assert heavy["cost"]["class"] == "heavy"
    assert (await post(office, "check", filter="arr >= $floor", params={"floor": 1000.5}))["ok"]
    assert not (await post(office, "check", filter="arr >= $floor"))["ok"]
    service = await office.service.post("/v1/criteria/check", json={"entity": "accounts", "filter": "csm = @me"})
    assert not service.json()["ok"]
    for_user = {"entity": "accounts", "filter": "csm = @me", "for_user": "csm@criteria.example"}
    assert (await office.service.post("/v1/criteria/check", json=for_user)).json()["ok"]


async def test_who_is_named_by_id_is_said_by_name(office: House) -> None:
    body = {"entity": "accounts", "name": "Renewals at risk", "criteria": {"text": "health < 50"}}
    ids = []
    for visibility in ("public", "private"):
        made = await office.admin.post(
            "/v1/lists", json={**body, "name": f"At risk, {visibility}", "visibility": visibility}
        )
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    text = f'csm = "{office.users["csm"]}" AND in_list("{ids[0]}")'
    sentence = 'Accounts whose CSM is Csm and in the list "At risk, public".'
    for what, said in (("parse", {"text": text}), ("check", {"filter": text}), ("preview", {"filter": text})):
        assert (await post(office, what, **said))["english"] == sentence
    (account, *_) = (await office.viewer.get("/v1/accounts")).json()["data"]
    explained = await post(office, "explain", id=account["id"], filter=text)
    assert (explained["english"], explained["tree"]["args"][0]["english"]) == (sentence, "Accounts whose CSM is Csm.")
    hidden = await post(office, "parse", text=f'in_list("{ids[1]}")')
    assert hidden["english"] == f'Accounts in the list "{ids[1]}".'


async def test_whoever_is_not_there_is_told(office: House) -> None:
    told = await post(
        office, "check", filter='csm = "nobody@x" OR csm = "csm@criteria.example" OR parent = "A-99999999"'
    )
    assert [(p["code"], p["column"]) for p in told["problems"]] == [
        ("unknown_value", 7), ("unknown_value", 62), ("no_data", 1), ("no_data", 21),
    ]  # fmt: skip


async def test_a_preview_says_what_is_there(office: House) -> None:
    told = await post(office, "preview", filter='health != 80 AND NOT industry = "fintech"')
    assert told["count"] == 3
    assert sorted(one["name"] for one in told["sample"]) == ["Ada", "Cyd", "Dee"]
    assert set(told["sample"][0]) == {"id", "external_id", "name", "health", "industry"}
    assert told["matched_because_empty"] == {
        "count": 2,
        "leaves": [
            {"text": "health != 80", "pointer": "/args/0", "line": 1, "column": 1, "count": 1},
            {"text": 'NOT industry = "fintech"', "pointer": "/args/1", "line": 1, "column": 18, "count": 1},
        ],
    }
    assert told["cost"]["class"] == "cheap"
    assert told["windows"] == []


async def test_a_sample_shows_the_columns_told(office: House) -> None:
    told = await post(office, "preview", criteria={"op": "all"}, columns=["name", "csm.name"])
    assert told["count"] == 4
    assert told["sample"][0] == {"name": "Ada", "csm": None}
    asked = {"filter": "arr > $least", "params": {"least": 1500}, "columns": ["name"]}
    assert (await post(office, "preview", **asked))["sample"] == [{"name": "Bob"}, {"name": "Cyd"}]
    moved = await post(office, "preview", filter="renewal_date IN next(7d)", as_of="2026-01-30")
    assert (moved["count"], moved["windows"][0]["lo"], moved["as_of"]) == (
        1,
        "2026-01-30",
        "2026-01-30T23:59:59.999999Z",
    )


# -- the twins ---------------------------------------------------------------------------------------------------------

CHECK = """query($where: RelatedFilter, $filter: String, $criteria: JSON) {
  checkCriteria(entity: accounts, where: $where, filter: $filter, criteria: $criteria) {
    ok english problems { severity code message pointer line column suggestion } windows { window lo hi zone } segmentations { segmentation state }
    cost { class reason } } }"""
PREVIEW = """query($filter: String, $columns: [String!], $asOf: String) {
  previewCriteria(entity: accounts, filter: $filter, columns: $columns, asOf: $asOf) {
    count sample asOf english notes segmentations { segmentation state } windows { window lo hi zone } ranks { rank at computed_at: computedAt groups { group records reaches passes } } cost { class reason }
    matchedBecauseEmpty { count leaves { text pointer line column count } } } }"""


async def asked(house: House, query: str, **variables: Any) -> Any:
    answer = await house.viewer.post("/graphql", json={"query": query, "variables": variables})
    body = answer.json()
    assert "errors" not in body, body
    (found,) = body["data"].values()
    return found


@pytest.mark.parametrize(
    "filter", ["renewal_date IN next(90d)", "helth < 5", 'industry = "sass" AND NOT health > 5', "arr > 5 AND", "ALL"]
)
async def test_graphql_checks_as_rest_does(office: House, filter: str) -> None:
    assert await asked(office, CHECK, filter=filter) == await post(office, "check", filter=filter)


async def test_graphql_previews_as_rest_does(office: House) -> None:
    said: dict[str, Any] = {
        "filter": "health != 80 AND renewal_date NOT IN next(7d) AND none(tickets, last(30d)) AND percent_rank(arr) >= 0",
        "columns": ["name", "arr"],
    }
    expected = await post(office, "preview", **said, as_of="2026-01-30")
    expected["asOf"] = expected.pop("as_of")
    expected["matchedBecauseEmpty"] = expected.pop("matched_because_empty")
    assert [one["rank"] for one in expected["ranks"]] == ["percent_rank(arr)"]
    assert await asked(office, PREVIEW, **said, asOf="2026-01-30") == expected


async def test_graphql_spells_as_rest_does(office: House) -> None:
    text = 'health < 50 AND any(tickets WHERE status = "open")'
    expected = await post(office, "parse", text=text)
    query = "query($text: String!) { parseCriteria(entity: accounts, text: $text) { text tree english } }"
    assert await asked(office, query, text=text) == expected
    query = "query($tree: JSON) { formatCriteria(entity: accounts, criteria: $tree) { text tree english } }"
    assert await asked(office, query, tree=expected["tree"]) == expected
    query = "query($where: RelatedFilter) { formatCriteria(entity: accounts, where: $where) { text tree english } }"
    where = {"and": [
        {"cmp": {"of": "health", "cmp": "lt", "value": 50}},
        {"quant": {"q": "any", "rel": "tickets", "where": {"cmp": {"of": "status", "cmp": "eq", "value": "open"}}}},
    ]}  # fmt: skip
    assert await asked(office, query, where=where) == expected


async def test_graphql_points_into_its_arguments(office: House) -> None:
    where = {"not": {"cmp": {"of": "helth", "cmp": "lt", "value": 5}}}
    (problem,) = (await asked(office, CHECK, where=where))["problems"]
    assert (problem["pointer"], problem["suggestion"]) == ("/where/not/cmp/of", "health")
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"and": []}, "/where/and"),
        ({"not": {"or": []}}, "/where/not/or"),
        ({"list": "x"}, "/where/list"),
        ({"and": [{"list": "x"}]}, "/where/and/0/list"),
    )
    for told, pointer in wrong:
        assert [one["pointer"] for one in (await asked(office, CHECK, where=told))["problems"]] == [pointer]
    neither = (
        await office.viewer.post("/graphql", json={"query": CHECK, "variables": {"where": {"has": {"of": "products"}}}})
    ).json()
    (fault,) = neither["errors"][0]["extensions"]["errors"]
    assert (fault["message"], fault["pointer"]) == ("Expected either anyOf or allOf.", "/where/has")
    query = 'query { previewCriteria(entity: accounts, filter: "ALL", asOf: "soon") { count } }'
    answer = (await office.viewer.post("/graphql", json={"query": query})).json()
    assert answer["errors"][0]["extensions"]["errors"][0]["pointer"] == "/asOf"
