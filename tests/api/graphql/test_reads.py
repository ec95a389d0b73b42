"""Plain reads: aliases, fragments, directives, connections, nodes, and beside fields that are none."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_client_schema, get_introspection_query

from tests.api.conftest import House
from tests.api.graphql.conftest import Ask

CREATE = "mutation($input: CreateAccountInput!) { createAccount(input: $input) { account { id } } }"


@pytest.fixture(scope="module")
async def ids(house: House) -> list[str]:
    """Five accounts, r0 to r4, with rising ARR; r4 has a CSM and no region."""
    made = []
    for n in range(5):
        body: dict[str, Any] = {
            "name": f"Read {n}",
            "externalId": f"r{n}",
            "arr": n * 1000 + 0.25,
            "domain": "reads.example",
        }
        body |= {"csmId": str(house.users["csm"])} if n == 4 else {"region": "emea"}
        answer = await house.admin.post("/graphql", json={"query": CREATE, "variables": {"input": body}})
        made.append(answer.json()["data"]["createAccount"]["account"]["id"])
    return made


OURS = 'filter: "domain = \\"reads.example\\""'


async def test_merges_what_is_asked_twice(house: House, ids: list[str], ask: Ask) -> None:
    query = f"""query Q($yes: Boolean!, $no: Boolean!) {{
      accounts({OURS}, first: 1) {{ nodes {{ a: name ...F csm @include(if: $no) {{ id }} }} }}
      accounts({OURS}, first: 1) {{ nodes {{ ... @skip(if: $no) {{ region }} ... on Account {{ name @skip(if: $yes) a: name }} ... on Node {{ id }} }} }}
      more: accounts({OURS}, first: 1) {{ __typename nodes {{ __typename }} }}
    }}
    fragment F on Account {{ ...G stage }} fragment G on Account {{ arr }}"""
    data = await ask(house.viewer, query, yes=True, no=False)
    assert data == {
        "accounts": {"nodes": [{"a": "Read 0", "arr": 0.25, "stage": None, "region": "emea", "id": ids[0]}]},
        "more": {"__typename": "AccountConnection", "nodes": [{"__typename": "Account"}]},
    }
    assert list(data["accounts"]["nodes"][0]) == ["a", "arr", "stage", "region", "id"]


async def test_two_meanings_of_one_name(house: House, fail: Ask) -> None:
    error = await fail(house.viewer, "{ accounts(first: 1) { totalCount } accounts(first: 2) { totalCount } }")
    assert error["status"] == 400
    assert error["data"] is None


PARTS = [
    "nodes {{ name }}",
    "edges {{ node {{ name }} }}",
    "edges {{ cursor node {{ name }} }}",
    "edges {{ node {{ name }} cursor }}",
    "edges {{ c: cursor }}",
    "edges {{ __typename a: cursor n: node {{ name }} b: cursor }}",
    "edges {{ node {{ name }} }} nodes {{ arr name }} again: nodes {{ id }}",
    "pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor __typename }}",
    "pageInfo {{ hasNextPage }} nodes {{ name }}",
    "totalCount capped: totalCount(count: capped)",
    "asOf windows {{ window lo hi zone __typename }} ranks {{ rank groups {{ passes }} }} segmentations {{ segmentation state }} notes __typename",
]


@pytest.mark.parametrize("part", PARTS)
async def test_pages(house: House, ids: list[str], ask: Ask, part: str) -> None:
    """Each part by itself says what all of them together say, and beside a field that is no plain read the same."""
    args = f'{OURS}, orderBy: ["-arr"], first: 2, asOf: "2026-01-01T00:00:00Z"'
    query = f"{{{{ accounts({args}) {{{{ {part} }}}} {{0}} }}}}".replace("{{{{", "{{").replace("}}}}", "}}")
    alone = await ask(house.viewer, query.format(""))
    mixed = await ask(house.viewer, query.format("me { role }"))
    assert alone["accounts"] == mixed["accounts"]
    page = alone["accounts"]
    if "nodes" in page and "name" in part:
        assert [one["name"] for one in page["nodes"]] == ["Read 4", "Read 3"]
    if "edges" in page and "name" in part:
        assert [(one.get("node") or one["n"])["name"] for one in page["edges"]] == ["Read 4", "Read 3"]
    if "totalCount" in page:
        assert (page["totalCount"], page["capped"]) == (5, 5)
    if "pageInfo" in page:
        assert page["pageInfo"]["hasNextPage"] is True


@pytest.mark.parametrize("order", ['["arr"]', '["-region", "name"]', '["region", "-arr"]', "[]"])
async def test_walks_through_all_pages(house: House, ids: list[str], ask: Ask, order: str) -> None:
    query = f"""query($after: String) {{ accounts({OURS}, orderBy: {order}, first: 2, after: $after) {{
      edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    seen: list[str] = []
    after = None
    for n in range(3):
        page = (await ask(house.viewer, query, after=after))["accounts"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        info = page["pageInfo"]
        assert (info["startCursor"], info["endCursor"]) == (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
        assert (info["hasNextPage"], info["hasPreviousPage"]) == (n < 2, n > 0)
        after = info["endCursor"]
    assert sorted(seen) == sorted(ids)
    assert len(seen) == 5
    last = (await ask(house.viewer, query, after=after))["accounts"]
    assert (last["edges"], last["pageInfo"]["endCursor"], last["pageInfo"]["hasNextPage"]) == ([], None, False)


async def test_cursor_of_an_edge_in_the_middle(house: House, ids: list[str], ask: Ask, fail: Ask) -> None:
    query = f"query($after: String) {{ accounts({OURS}, after: $after) {{ edges {{ cursor node {{ name }} }} }} }}"
    edges = (await ask(house.viewer, query))["accounts"]["edges"]
    rest = (await ask(house.viewer, query, after=edges[1]["cursor"]))["accounts"]["edges"]
    assert rest == edges[2:]
    other = "query($after: String) { accounts(after: $after) { totalCount } }"
    for cursor in (edges[1]["cursor"], edges[1]["cursor"][:-2] + "xx", "", "x" * 20_000):
        assert (await fail(house.viewer, other, after=cursor))["errors"][0]["parameter"] == "after"


async def test_nested_lists_take_their_own_arguments(house: House, ids: list[str], ask: Ask) -> None:
    query = f"""{{ accounts({OURS}, orderBy: ["-arr"], first: 1) {{ nodes {{
      csm {{ name role __typename }} primaryContact {{ name }} parent {{ id }}
      contacts(first: 1, filter: "is_primary = true", orderBy: ["name"]) {{ name account {{ name }} }}
      late: interactions(where: {{time: {{of: "occurred_at", in: {{rolling: {{dir: last, n: 30, unit: d}}}}}}}}) {{ kind }}
    }} windows {{ window }} }} }}"""
    page = (await ask(house.viewer, query))["accounts"]
    assert page["nodes"] == [
        {
            "csm": {"name": "Csm", "role": "csm", "__typename": "User"},
            "primaryContact": None,
            "parent": None,
            "contacts": [],
            "late": [],
        }
    ]
    assert page["windows"] == [{"window": "last(30d)"}]


async def test_one_account(house: House, stranger: House, ids: list[str], ask: Ask, fail: Ask) -> None:
    query = "query($id: ID, $external: String) { account(id: $id, externalId: $external) { id name version arr } }"
    wanted = {"account": {"id": ids[1], "name": "Read 1", "version": 1, "arr": 1000.25}}
    assert await ask(house.viewer, query, id=ids[1]) == wanted
    assert await ask(house.viewer, query, external="r1") == wanted
    for client, told in (
        (stranger.admin, {"id": ids[1]}), (stranger.admin, {"external": "r1"}), (house.admin, {"id": "nope"}),
        (house.admin, {"id": "00000000-0000-7000-8000-000000000000"}), (house.admin, {"external": "r9"}),
    ):  # fmt: skip
        error = await fail(client, query, **told)
        assert (error["status"], error["path"], error["data"]) == (404, ["account"], {"account": None})
    assert (await fail(house.viewer, query))["status"] == 422
    assert (await fail(house.viewer, query, id=ids[1], external="r1"))["status"] == 422


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("product { id }", "id or externalId or slug"),
        ('product(id: "x", slug: "y") { id }', "id or externalId or slug"),
        ("contact { id }", "id or externalId"),
    ],
)
async def test_one_name_of_one_record(house: House, fail: Ask, field: str, expected: str) -> None:
    error = await fail(house.viewer, f"{{ {field} }}")
    assert (error["status"], error["errors"][0]["parameter"]) == (422, "id")
    assert error["detail"] == f"Expected {expected}, one of them."


async def test_one_document_for_several_records(house: House, ids: list[str], ask: Ask) -> None:
    """What it shows is kept for whichever record; what hangs on variables is not, fragments included."""
    query = """query Q($id: ID!, $arr: Boolean!) { account(id: $id) { name ...F } node(id: $id) { ...F } }
    fragment F on Account { id ...G } fragment G on Account { arr @include(if: $arr) }"""
    for n, arr in ((0, True), (1, False), (2, True), (0, False)):
        shown: dict[str, Any] = {"id": ids[n]} | ({"arr": n * 1000 + 0.25} if arr else {})
        assert await ask(house.viewer, query, id=ids[n], arr=arr) == {
            "account": {"name": f"Read {n}", **shown},
            "node": shown,
        }
        plain = "query($id: ID!) { account(id: $id) { id name } node(id: $id) { id } }"
        told = {"account": {"id": ids[n], "name": f"Read {n}"}, "node": {"id": ids[n]}}
        assert await ask(house.viewer, plain, id=ids[n]) == told


async def test_node(house: House, stranger: House, ids: list[str], ask: Ask, fail: Ask) -> None:
    query = """query($id: ID!) { node(id: $id) { __typename id ... on Account { name csm { id } } ...U } }
    fragment U on User { email }"""
    csm = str(house.users["csm"])
    for more in ("", "me { role }"):
        asked = query.replace("{ node", "{ " + more + " node")
        assert (await ask(house.viewer, asked, id=ids[0]))["node"] == {
            "__typename": "Account",
            "id": ids[0],
            "name": "Read 0",
            "csm": None,
        }
        assert (await ask(house.viewer, asked, id=csm))["node"] == {
            "__typename": "User",
            "id": csm,
            "email": "csm@ours.example",
        }
        error = await fail(stranger.admin, asked, id=ids[0])
        assert (error["status"], error["path"]) == (404, ["node"])


async def test_part_of_an_answer(house: House, ids: list[str], ask: Ask) -> None:
    query = f'{{ a: account(externalId: "r0") {{ name }} b: account(externalId: "nope") {{ name }} accounts({OURS}) {{ totalCount }} }}'
    answer = await house.viewer.post("/graphql", json={"query": query})
    body = answer.json()
    assert body["data"] == {"a": {"name": "Read 0"}, "b": None, "accounts": {"totalCount": 5}}
    assert [error["path"] for error in body["errors"]] == [["b"]]
    assert body["errors"][0]["locations"] == [{"line": 1, "column": query.index("b:") + 1}]


@pytest.mark.parametrize(
    ("arguments", "status", "place"),
    [
        ('filter: "nope = 1"', 422, {"parameter": "filter", "line": 1, "column": 1}),
        ('filter: "arr >"', 400, {"parameter": "filter", "line": 1}),
        ('filter: ""', 400, {"parameter": "filter"}),
        ('filter: "ALL", where: {all: true}', 422, {"parameter": "where"}),
        (
            'where: {and: [{all: true}, {cmp: {of: "arrr", cmp: gt, value: 1}}]}',
            422,
            {"pointer": "/where/and/1/cmp/of", "suggestion": "arr"},
        ),
        ('where: {cmp: {of: "arr", cmp: gt, value: "much"}}', 422, {"pointer": "/where/cmp/value"}),
        ('orderBy: ["nam"]', 422, {"parameter": "orderBy", "suggestion": "name"}),
        ("first: 0", 422, {"parameter": "first"}),
        ("first: 1001", 422, {"parameter": "first"}),
        ("first: -1", 422, {"parameter": "first"}),
        ('asOf: "yesterday"', 422, {"parameter": "asOf"}),
        ('tz: "Mars/Base"', 422, {"parameter": "tz"}),
        ('forUser: "csm@ours.example"', 422, {"parameter": "forUser"}),
        ('filter: "name = \\"\\\\u0000\\""', 0, {}),
    ],
)
async def test_points_at_what_is_wrong(
    house: House, fail: Ask, arguments: str, status: int, place: dict[str, Any]
) -> None:
    error = await fail(house.viewer, f"{{ accounts({arguments}) {{ totalCount }} }}")
    if status:
        assert error["status"] == status
        assert place.items() <= error["errors"][0].items()
    else:
        assert 400 <= error["status"] < 500


async def test_nested_faults_point_too(house: House, ids: list[str], fail: Ask) -> None:
    error = await fail(
        house.viewer, '{ accounts { nodes { contacts(where: {cmp: {of: "nope", cmp: eq, value: 1}}) { id } } } }'
    )
    assert error["errors"][0]["pointer"] == "/where/cmp/of"
    error = await fail(house.viewer, '{ accounts { nodes { custom(slug: "nope") } } }')
    assert (error["status"], error["errors"][0]["parameter"]) == (422, "slug")
    error = await fail(house.viewer, '{ accounts { nodes { segment(segmentation: "nope") } } }')
    assert (error["status"], error["errors"][0]["parameter"]) == (422, "segmentation")


async def test_services_ask_for_people(house: House, ids: list[str], ask: Ask, fail: Ask) -> None:
    query = 'query($for: String) { accounts(filter: "csm = @me AND domain = \\"reads.example\\"", forUser: $for) { nodes { name } } }'
    assert (await ask(house.csm, query))["accounts"]["nodes"] == [{"name": "Read 4"}]
    assert (await ask(house.viewer, query))["accounts"]["nodes"] == []
    assert (await ask(house.csm, query))["accounts"]["nodes"] == [{"name": "Read 4"}]
    assert (await ask(house.service, query, **{"for": "csm@ours.example"}))["accounts"]["nodes"] == [{"name": "Read 4"}]
    assert (await fail(house.service, query))["status"] == 422


async def test_directory_me_and_catalog(house: House, ask: Ask) -> None:
    data = await ask(house.csm, """{ users(filter: "email : \\"@ours.example\\"", orderBy: ["name"]) { nodes { name role } } stages { nodes { slug } } stage(slug: "trial") { name slug }
      me { role user { name } scopes workspace { name currency } defaults { accounts contacts } }
      catalog { entities { name fields { path kind } } people } }""")  # fmt: skip
    assert [one["role"] for one in data["users"]["nodes"]] == ["admin", "csm", "manager", "viewer"]
    assert data["stages"]["nodes"][0] == {"slug": "trial"}
    assert data["stage"]["slug"] == "trial"
    assert data["me"]["user"] == {"name": "Csm"}
    assert data["me"]["workspace"]["name"] == "Ours"
    assert "@me" in data["catalog"]["people"]
    assert (await ask(house.service, "{ me { user { name } role } }"))["me"] == {"user": None, "role": "service"}


async def test_introspection(house: House, ask: Ask) -> None:
    data = await ask(house.viewer, get_introspection_query())
    assert "AccountFilter" in build_client_schema(data).type_map


@pytest.mark.parametrize("name", [*"abcdefghijklmnopqrstuvwxyz", *(f"t{n}" for n in range(1, 30)), "k1", "r", "x", "_"])
async def test_any_name_can_be_an_alias(house: House, name: str) -> None:
    """The aliases of a document are columns of its statement: none of them may hide one of the statement's own."""
    await house.manager.put(
        "/v1/accounts/external/aliased", json={"name": "Aliased", "arr": 5}, headers={"if-none-match": "*"}
    )
    shown = f"{name}: name arr nested: interactions(first: 1) {{ {name}: kind }} one: csm {{ {name}: name }}"
    asked = (
        f'{{ accounts(filter: "external_id = \\"aliased\\"") {{ {name}: edges {{ {name}: node {{ {shown} }} cursor }} nodes {{ {shown} }} }} '
        f'account(externalId: "aliased") {{ {shown} }} }}'
    )
    told = (await house.viewer.post("/graphql", json={"query": asked})).json()["data"]
    row = {name: "Aliased", "arr": 5, "nested": [], "one": None}
    assert told["account"] == told["accounts"]["nodes"][0] == told["accounts"][name][0][name] == row
