"""Lists on both doors: narrowed, counted, summed up, found, marked, handed over, watched; the same answers and errors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from app.persistence.database import Database
from tests.api.conftest import House

OURS = 'domain = "lists.example"'


@pytest.fixture(scope="module")
async def csm(house: House) -> httpx.AsyncClient:
    """Three accounts of the domain, two of them the csm's."""
    for name, arr, whose in (("North", 10, "csm"), ("South", 20.5, "csm"), ("Norwest", 30, None)):
        body = {"name": f"{name} Ltd", "arr": arr, "domain": "lists.example", "type": "smb" if whose else None}
        body |= {"csm_id": str(house.users[whose])} if whose else {}
        assert (await house.admin.post("/v1/accounts", json=body)).status_code == 201
    return house.csm


async def made(client: httpx.AsyncClient, **said: Any) -> dict[str, Any]:
    body = {"entity": "accounts", "name": "L", "criteria": {"text": OURS}, "columns": ["name"], "sort": ["name"]}
    answer = await client.post("/v1/lists", json={**body, "visibility": "public", **said})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params={name.replace("param_", "param."): one for name, one in params.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client: httpx.AsyncClient, path: str, status: int, **params: Any) -> Any:
    answer = await client.get(path, params={name.replace("param_", "param."): one for name, one in params.items()})
    assert answer.status_code == status, answer.text
    return answer.json()


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(client: httpx.AsyncClient, list_id: str, **params: Any) -> list[str]:
    return [row["name"] for row in (await get(client, f"/v1/lists/{list_id}/rows", **params))["data"]]


async def test_rows_are_narrowed_and_sorted_for_the_session(csm: httpx.AsyncClient) -> None:
    one = await made(
        csm, criteria={"text": f"{OURS} AND arr >= $low"}, params=[{"name": "low", "type": "number", "default": 5}]
    )
    assert await names(csm, one["id"]) == ["North Ltd", "Norwest Ltd", "South Ltd"]
    assert await names(csm, one["id"], search="NOR") == ["North Ltd", "Norwest Ltd"]
    assert await names(csm, one["id"], filter="arr > 15 OR csm IS EMPTY", sort="-arr") == ["Norwest Ltd", "South Ltd"]
    assert await names(csm, one["id"], filter="csm = @me", param_low="20") == ["South Ltd"]
    first = await get(csm, f"/v1/lists/{one['id']}/rows", search="nor", limit=1, count="exact")
    assert first["count"] == {"value": 2, "exact": True}
    assert await names(csm, one["id"], search="nor", limit=1, cursor=first["page"]["next"]) == ["Norwest Ltd"]
    assert (await refused(csm, f"/v1/lists/{one['id']}/rows", 400, limit=1, cursor=first["page"]["next"]))["errors"]
    query = """query($id: ID!) { list(id: $id) {
      rows(search: "nor", filter: "arr > 1", params: {low: 20}, orderBy: ["-name"]) { nodes totalCount }
      count(filter: "csm = @me") { value exact } } }"""
    told = (await ask(csm, query, id=one["id"]))["data"]["list"]
    assert [row["name"] for row in told["rows"].pop("nodes")] == ["Norwest Ltd"]
    assert told == {"rows": {"totalCount": 1}, "count": {"value": 2, "exact": True}}


@pytest.mark.parametrize(
    ("params", "status", "error"),
    [
        ({"filter": 'nmae = "x"'}, 422, {"parameter": "filter", "line": 1, "column": 1, "suggestion": "name"}),
        ({"filter": "arr >"}, 400, {"parameter": "filter", "line": 1}), ({"filter": "arr > $loww"}, 422, {"parameter": "filter"}),
        ({"param_lwo": "5"}, 422, {"parameter": "param.lwo", "suggestion": "param.low"}),
        ({"param_low": "many"}, 422, {"parameter": "param.low"}), ({"search": "x" * 201}, 422, {"parameter": "search"}),
        ({"count": "some"}, 422, {"parameter": "count"}), ({"count": "none"}, 422, {"parameter": "count", "suggestion": "exact"}),
    ],
)  # fmt: skip
async def test_what_is_told_wrong_is_said_where(
    csm: httpx.AsyncClient, params: dict[str, str], status: int, error: dict[str, Any]
) -> None:
    one = await made(csm, criteria={"text": "arr >= $low"}, params=[{"name": "low", "type": "number", "default": 5}])
    (fault,) = (await refused(csm, f"/v1/lists/{one['id']}/count", status, **params))["errors"]
    assert {name: fault[name] for name in error} == error
    if "filter" in params:
        query = "query($id: ID!, $filter: String!) { list(id: $id) { count(filter: $filter) { value } } }"
        (problem,) = (await ask(csm, query, id=one["id"], filter=params["filter"]))["errors"]
        assert problem["extensions"]["errors"] == [fault]


async def test_a_broken_list_answers_an_error_that_says_why(
    csm: httpx.AsyncClient, house: House, database: Database
) -> None:
    one = await made(csm)
    gone = '{"v": 1, "filter": {"op": "cmp", "of": "segment.gone", "cmp": "eq", "value": "x"}}'
    async with database.transaction() as tx:
        sql = "UPDATE lists SET criteria = $3::text::jsonb WHERE workspace_id = $1 AND id = $2"
        await tx.execute(sql, house.id, UUID(one["id"]), gone)
    shown = await get(csm, f"/v1/lists/{one['id']}")
    assert (shown["state"], shown["reason"]) == ("broken", "There is no such segmentation.")
    for place in ("rows", "count", "summary"):
        assert shown["reason"] in (await refused(csm, f"/v1/lists/{one['id']}/{place}", 409))["detail"]
    for field in ("rows { totalCount }", "count { value }", "summary { capped }"):
        told = await ask(csm, f"query($id: ID!) {{ list(id: $id) {{ state {field} }} }}", id=one["id"])
        assert shown["reason"] in told["errors"][0]["message"]
    assert (await csm.put(f"/v1/lists/{one['id']}/watch")).status_code == 409


async def test_counts_are_exact_unless_told_otherwise(csm: httpx.AsyncClient) -> None:
    one = await made(csm)
    path = f"/v1/lists/{one['id']}/count"
    assert await get(csm, path) == await get(csm, path, count="capped") == {"value": 3, "exact": True}
    assert await get(csm, path, filter="arr > 15", search="south") == {"value": 1, "exact": True}


async def test_summaries_are_the_same_on_both_doors(csm: httpx.AsyncClient, house: House) -> None:
    one = await made(csm)
    path = f"/v1/lists/{one['id']}/summary"
    told = await get(csm, path, group_by="csm,type", measures="count,sum(arr),median(arr)", sort="-sum(arr)")
    assert (told.pop("as_of")[:2], told.pop("windows"), told.pop("segmentations"), told.pop("notes")) == (
        "20",
        [],
        [],
        [],
    )
    assert told == {
        "data": [
            {"key": {"csm": str(house.users["csm"]), "type": "smb"}, "names": {"csm": "Csm"},
             "values": {"count": 2, "sum(arr)": 30.5, "median(arr)": 15.25}},
            {"key": {"csm": None, "type": None}, "names": {"csm": None}, "values": {"count": 1, "sum(arr)": 30, "median(arr)": 30}},
        ],
        "totals": {"count": 3, "sum(arr)": 60.5, "median(arr)": 20.5}, "groups": 2, "capped": False,
    }  # fmt: skip
    fields = "groups { key names values } totals totalGroups capped"
    by = 'groupBy: ["csm", "type"], measures: ["count", "sum(arr)", "median(arr)"], orderBy: "-sum(arr)"'
    query = f"query($id: ID!, $filter: String!) {{ list(id: $id) {{ summary({by}) {{ {fields} }} }} accountSummary(filter: $filter, {by}) {{ {fields} }} }}"
    data = (await ask(csm, query, id=one["id"], filter=OURS))["data"]
    wanted = {"groups": told["data"], "totals": told["totals"], "totalGroups": 2, "capped": False}
    assert data == {"list": {"summary": wanted}, "accountSummary": wanted}
    body = {"filter": OURS, "group_by": ["csm", "type"], "measures": "count,sum(arr),median(arr)", "sort": "-sum(arr)"}
    posted = (await csm.post("/v1/accounts/summary", json=body)).json()
    assert {name: posted[name] for name in told} == told


async def test_a_summary_says_what_is_wrong_with_it(csm: httpx.AsyncClient) -> None:
    one = await made(csm)
    (fault,) = (await refused(csm, f"/v1/lists/{one['id']}/summary", 422, group_by="stge"))["errors"]
    assert (fault["parameter"], fault["suggestion"]) == ("group_by", "stage")
    answer = await csm.post("/v1/accounts/summary", json={"measures": ["sum(ar)"]})
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["pointer"], fault["suggestion"]) == (422, "/measures", "arr")
    answer = await csm.post("/v1/contacts/summary", json={"groupby": "role", "limit": "5"})
    assert sorted(fault["pointer"] for fault in answer.json()["errors"]) == ["/groupby", "/limit"]
    (problem,) = (await ask(csm, '{ accountSummary(groupBy: ["stge"]) { capped } }'))["errors"]
    assert [(one["parameter"], one["suggestion"]) for one in problem["extensions"]["errors"]] == [("groupBy", "stage")]


async def test_lists_are_found_in_folders_and_among_favourites(csm: httpx.AsyncClient, house: House) -> None:
    one = await made(csm, name="Autumn", folder="Seasons", description="leaves")
    await made(csm, name="Winter", folder="Seasons")
    private = await made(csm, name="Spring", folder="Seasons", visibility="private")
    found = await get(csm, "/v1/lists", folder="Seasons", sort="-name", limit=2)
    assert [each["name"] for each in found["data"]] == ["Winter", "Spring"]
    rest = await get(csm, "/v1/lists", folder="Seasons", sort="-name", limit=2, cursor=found["page"]["next"])
    assert ([each["name"] for each in rest["data"]], rest["page"]["next"]) == (["Autumn"], None)
    folders = {each["folder"]: each["lists"] for each in (await get(house.viewer, "/v1/lists/folders"))["data"]}
    assert folders["Seasons"] == 2
    marked = await house.viewer.put(f"/v1/lists/{one['id']}/favourite")
    assert (marked.status_code, marked.json()["favourite"], marked.headers["etag"][:3]) == (200, True, '"1-')
    assert [each["name"] for each in (await get(house.viewer, "/v1/lists", favourite="true"))["data"]] == ["Autumn"]
    query = '{ lists(favourite: true, search: "LEAV", folder: "Seasons", orderBy: "-updated_at") { nodes { id favourite folder } } listFolders { folder lists } }'
    data = (await ask(house.viewer, query))["data"]
    assert data["lists"]["nodes"] == [{"id": one["id"], "favourite": True, "folder": "Seasons"}]
    assert {each["folder"]: each["lists"] for each in data["listFolders"]} == folders
    assert (await house.viewer.delete(f"/v1/lists/{one['id']}/favourite")).status_code == 204
    assert (await house.viewer.put(f"/v1/lists/{private['id']}/favourite")).status_code == 404
    (fault,) = (await refused(csm, "/v1/lists", 422, sort="nmae"))["errors"]
    assert (fault["parameter"], fault["suggestion"]) == ("sort", "name")
    (problem,) = (await ask(csm, '{ lists(orderBy: "nmae") { nodes { id } } }'))["errors"]
    assert problem["extensions"]["errors"] == [{**fault, "parameter": "orderBy"}]


async def test_a_list_is_handed_over_and_says_who_would_miss_it(csm: httpx.AsyncClient, house: House) -> None:
    one = await made(csm)
    await house.viewer.put("/v1/me/defaults/accounts", json={"list_id": one["id"]})
    wanted = [{"what": "people's default lists", "count": 1, "examples": ["Viewer"]}]
    assert (await get(csm, f"/v1/lists/{one['id']}/dependents"))["data"] == wanted
    data = (await ask(csm, "query($id: ID!) { list(id: $id) { dependents { what count examples } } }", id=one["id"]))[
        "data"
    ]
    assert data["list"]["dependents"] == wanted
    await house.viewer.put("/v1/me/defaults/accounts", json={"list_id": None})
    handed = await csm.post(f"/v1/lists/{one['id']}/transfer", json={"to": "manager@ours.example"})
    assert (handed.status_code, handed.json()["owner_id"]) == (200, str(house.users["manager"]))
    again = await csm.post(f"/v1/lists/{one['id']}/transfer", json={"to": "csm@ours.example"})
    assert again.status_code == 403


async def test_people_begin_with_the_workspaces_list(csm: httpx.AsyncClient, house: House) -> None:
    one, own = await made(csm), await made(house.viewer, visibility="private")
    try:
        chosen = await house.admin.put("/v1/workspace/defaults/accounts", json={"list_id": one["id"]})
        assert chosen.json() == await get(csm, "/v1/workspace/defaults") == {"accounts": one["id"], "contacts": None}
        assert (await get(csm, "/v1/me"))["effective_defaults"] == {
            "accounts": {"list_id": one["id"], "source": "workspace"}, "contacts": None,
        }  # fmt: skip
        await house.viewer.put("/v1/me/defaults/accounts", json={"list_id": own["id"]})
        told = (
            await ask(house.viewer, "{ me { defaults { accounts } effectiveDefaults { accounts { listId source } } } }")
        )["data"]["me"]
        assert told == {
            "defaults": {"accounts": own["id"]}, "effectiveDefaults": {"accounts": {"listId": own["id"], "source": "me"}},
        }  # fmt: skip
        assert (await house.manager.put("/v1/workspace/defaults/accounts", json={"list_id": None})).status_code == 403
        stays = await csm.delete(f"/v1/lists/{one['id']}", headers={"If-Match": '"1"'})
        assert stays.status_code == 409, stays.text
        assert "1 workspace default (accounts)" in stays.json()["detail"]
        query = "mutation($id: ID!) { deleteList(id: $id, expectedVersion: 1) { id } }"
        (error,) = (await ask(csm, query, id=one["id"]))["errors"]
        assert error["extensions"]["detail"] == stays.json()["detail"]
        await house.admin.put("/v1/workspace/defaults/accounts", json={"list_id": None})
        for person in (csm, house.viewer):  # what people chose, and favourites, go along
            assert (await person.put("/v1/me/defaults/accounts", json={"list_id": one["id"]})).status_code == 200
            assert (await person.put(f"/v1/lists/{one['id']}/favourite")).status_code == 200
        assert (await csm.delete(f"/v1/lists/{one['id']}", headers={"If-Match": '"1"'})).status_code == 204
        assert (await get(house.viewer, "/v1/me"))["effective_defaults"]["accounts"] is None
    finally:
        await house.viewer.put("/v1/me/defaults/accounts", json={"list_id": None})
        await house.admin.put("/v1/workspace/defaults/accounts", json={"list_id": None})


async def test_changes_of_a_watched_list(csm: httpx.AsyncClient, house: House) -> None:
    one = await made(csm)
    path = f"/v1/lists/{one['id']}"
    assert (await refused(csm, f"{path}/changes", 409))["detail"].startswith("The list is not watched")
    watched = await house.viewer.put(f"{path}/watch")
    assert watched.status_code == 200
    since = watched.json()["watched_since"]
    told = await get(csm, f"{path}/changes")
    assert (told["data"], told["entered"], told["left"], told["since"], told["reason"]) == ([], 0, 0, since, None)
    assert (await refused(csm, f"{path}/changes", 422, **{"from": "2020-01-01"}))["errors"][0]["parameter"] == "from"
    query = "query($id: ID!, $from: String) { list(id: $id) { watchedSince changes(from: $from, event: left) { entered since changes { nodes { name } pageInfo { hasNextPage } } } } }"
    data = (await ask(csm, query, id=one["id"]))["data"]["list"]
    assert data == {
        "watchedSince": since,
        "changes": {"entered": 0, "since": since, "changes": {"nodes": [], "pageInfo": {"hasNextPage": False}}},
    }
    (problem,) = (await ask(csm, query, id=one["id"], **{"from": "2020-01-01"}))["errors"]
    assert problem["extensions"]["errors"][0]["parameter"] == "from"
    assert (await house.viewer.delete(f"{path}/watch")).status_code == 403
    assert (await csm.delete(f"{path}/watch")).status_code == 204
    mine = await made(csm, mine=True)
    refusal = await csm.put(f"/v1/lists/{mine['id']}/watch")
    assert (refusal.status_code, refusal.json()["type"]) == (409, "/problems/conflict")
    assert "the same for everybody" in refusal.json()["detail"]


async def test_what_lists_hold_stays_refused_where_it_would_take_a_statement_for_each(csm: httpx.AsyncClient) -> None:
    await made(csm)
    for field in (
        "rows { totalCount }",
        "count { value }",
        "summary { capped }",
        "dependents { what }",
        "changes { entered }",
    ):
        told = await ask(csm, f"{{ lists(first: 1) {{ nodes {{ {field} }} }} }}")
        assert "it would take a statement for each" in told["errors"][0]["message"]


KINDS = (
    ("arr >= $v", "number", "20"), ("created_at >= $v", "instant", "2020-01-01T00:00:00Z"), ("type = $v", "text", "smb"),
    ("renewal_date IS EMPTY OR renewal_date > $v", "date", "2020-01-01"), ("csm = $v", "text", "nobody@x.example"),
    ("health_band = $v", "text", "red"), ("is_reference = $v", "bool", "true"), ("percent_rank(arr) >= $v", "number", "0.5"),
)  # fmt: skip


@pytest.mark.parametrize(("criteria", "kind", "value"), KINDS)
async def test_a_parameter_without_a_default_waits_for_its_value(
    csm: httpx.AsyncClient, criteria: str, kind: str, value: str
) -> None:
    one = await made(csm, criteria={"text": criteria}, params=[{"name": "v", "type": kind}])
    assert (one["state"], one["params"]) == ("ok", [{"name": "v", "type": kind, "default": None}])
    for path in ("rows", "count", "summary?group_by=industry", "export"):
        (fault,) = (await refused(csm, f"/v1/lists/{one['id']}/{path}", 422))["errors"]
        assert fault["parameter"] == "param.v"
        assert "no default" in fault["message"]
    await get(csm, f"/v1/lists/{one['id']}/rows", param_v=value)


async def test_what_cannot_say_a_value_needs_a_default(csm: httpx.AsyncClient, house: House) -> None:
    query = (
        "mutation($input: CreateListInput!) { createList(input: $input) { list { id state params { name default } } } }"
    )
    said = {
        "entity": "accounts",
        "name": "L",
        "criteria": {"text": "arr > $v"},
        "params": [{"name": "v", "type": "number"}],
    }
    told = (await ask(csm, query, input=said))["data"]["createList"]["list"]
    assert (told["state"], told["params"]) == ("ok", [{"name": "v", "default": None}])
    path = f"/v1/lists/{told['id']}"
    assert (await get(house.admin, path))["size"] is None
    watched = await csm.put(f"{path}/watch")
    assert watched.status_code == 409, watched.text
    assert "no default" in watched.json()["detail"]
    body = {"entity": "accounts", "name": "N", "criteria": {"text": f'in_list("{told["id"]}")'}}
    named = await csm.post("/v1/lists", json=body)
    assert named.status_code == 422, named.text
    assert "no default" in named.json()["errors"][0]["message"]
    wrong = await csm.post("/v1/lists", json={**body, "params": [{"name": "v", "type": "nubmer"}]})
    (fault,) = wrong.json()["errors"]
    assert (fault["pointer"], fault["suggestion"]) == ("/params/0/type", "number")


async def test_a_service_says_whose_records_it_asks_for(csm: httpx.AsyncClient, house: House) -> None:
    refusal = await house.service.post(
        "/v1/lists", json={"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}}
    )
    assert (refusal.status_code, "is for people" in refusal.json()["detail"]) == (403, True), refusal.text
    for body in ({"mine": True}, {"criteria": {"text": "csm = @me"}}, {"criteria": {"text": "csm IN (@my_team)"}}):
        one = await made(csm, **body)
        for path in ("rows", "count", "summary?group_by=industry", "export"):
            (fault,) = (await refused(house.service, f"/v1/lists/{one['id']}/{path}", 422))["errors"]
            assert fault["parameter"] == "for_user"
            assert "Expected for_user" in fault["message"]
        query = "query($id: ID!) { list(id: $id) { count { value } } }"
        (error,) = (await ask(house.service, query, id=one["id"]))["errors"]
        assert error["extensions"]["errors"][0]["parameter"] == "forUser"
        assert await get(house.service, f"/v1/lists/{one['id']}/count", for_user=str(house.users["csm"]))


async def test_what_is_not_there_is_named_whether_foreign_or_absent(csm: httpx.AsyncClient, house: House) -> None:
    private = (await made(house.viewer, visibility="private"))["id"]
    absent = "01900000-0000-7000-8000-000000000001"
    for list_id in (private, absent):
        for path in ("", "/rows", "/count", "/dependents"):
            told = await refused(csm, f"/v1/lists/{list_id}{path}", 404)
            assert told["detail"] == "There is no such list in this workspace."
    for path in (f"/v1/accounts/{absent}", "/v1/accounts/external/nobody", f"/v1/accounts/{absent}/contacts"):
        assert (await refused(csm, path, 404))["detail"] == "There is no such account in this workspace."
    answer = await csm.post("/v1/criteria/explain", json={"filter": "ALL", "external_id": "nobody"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such account in this workspace.")


async def test_rows_say_which_record_they_are(csm: httpx.AsyncClient) -> None:
    one = await made(csm, columns=["name", "id", "csm.name"])
    path = f"/v1/lists/{one['id']}/rows"
    rows = (await get(csm, path, filter="csm = @me"))["data"]
    assert [list(row) for row in rows] == [["id", "version", "name", "csm"]] * 2
    answer = await csm.patch(
        f"/v1/accounts/{rows[0]['id']}", json={"region": "emea"}, headers={"If-Match": f'"{rows[0]["version"]}"'}
    )
    assert answer.status_code == 200, answer.text
    assert list((await get(csm, path, fields="name"))["data"][0]) == ["name"]
    query = "query($id: ID!) { list(id: $id) { rows { nodes } } }"
    assert (await ask(csm, query, id=one["id"]))["data"]["list"]["rows"]["nodes"] == (await get(csm, path))["data"]
    stages = await made(csm, columns=["stage"], criteria={"text": "ALL"})
    day = "2026-01-01"
    assert (await get(csm, f"/v1/lists/{stages['id']}/rows", on=day, sort="id"))["data"] == []
    (fault,) = (await refused(csm, path, 422, on=day))["errors"]
    assert (fault["parameter"], "stage, segment.<segmentation> have one" in fault["message"]) == ("on", True), fault
    export = await csm.get(f"/v1/lists/{one['id']}/export", params={"format": "csv"})
    assert export.text.splitlines()[0] == "name,id,csm.name"
