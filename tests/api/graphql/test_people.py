"""Users, changes, trees, settings and who asks over GraphQL: the same as over REST."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import House
from tests.api.graphql.conftest import Ask

CREATE = "mutation ($i: CreateUserInput!) { createUser(input: $i) { created user { id name email role team isActive version } } }"
UPDATE = """
mutation ($id: ID!, $v: Int!, $i: UpdateUserInput!) { updateUser(id: $id, expectedVersion: $v, input: $i) { user { role isActive version } } }
"""
CHANGE = """
mutation ($v: Int!, $i: UpdateWorkspaceInput!) { updateWorkspace(expectedVersion: $v, input: $i) { workspace { fiscalMonth armed: arrPerCsm version } } }
"""


async def _user(ask: Ask, house: House, name: str) -> dict[str, Any]:
    made = await ask(house.admin, CREATE, i={"name": name, "email": f"{name}@graphql.example", "role": "csm"})
    user: dict[str, Any] = made["createUser"]["user"]
    return user


async def test_users_are_written(house: House, ask: Ask, fail: Ask) -> None:
    user = await _user(ask, house, "written")
    assert (user["role"], user["isActive"], user["version"]) == ("csm", True, 1)
    changed = await ask(house.admin, UPDATE, id=user["id"], v=1, i={"role": "manager", "isActive": False})
    assert changed["updateUser"]["user"] == {"role": "manager", "isActive": False, "version": 2}
    stale = await fail(house.admin, UPDATE, id=user["id"], v=1, i={"role": "csm"})
    assert stale["status"] == 412
    taken = await fail(house.admin, CREATE, i={"name": "X", "email": "Written@graphql.example", "role": "csm"})
    assert (taken["status"], taken["errors"][0]["pointer"]) == (409, "/input/email")
    refused = await fail(house.manager, UPDATE, id=user["id"], v=2, i={"role": "csm"})
    assert refused["status"] == 403
    put = (
        'mutation ($i: UpdateUserInput!) { upsertUser(externalId: "gql-1", input: $i) { created user { externalId } } }'
    )
    told = await ask(house.admin, put, i={"name": "Put", "email": "put@graphql.example", "role": "viewer"})
    assert told["upsertUser"] == {"created": True, "user": {"externalId": "gql-1"}}
    gone = "mutation ($id: ID!, $v: Int!) { deleteUser(id: $id, expectedVersion: $v) { id } }"
    assert (await ask(house.admin, gone, id=user["id"], v=2))["deleteUser"] == {"id": user["id"]}
    assert (await fail(house.admin, gone, id=user["id"], v=2))["status"] == 404


async def test_a_hand_over_is_in_the_history(house: House, ask: Ask, fail: Ask) -> None:
    leaving, heir = await _user(ask, house, "leaves"), await _user(ask, house, "takes")
    made = await house.admin.post("/v1/accounts", json={"name": "Handed", "csm_id": leaving["id"]})
    account = made.json()["id"]
    give = "mutation ($id: ID!, $i: HandOverInput!) { handOver(id: $id, input: $i) { handOver { toId accounts opportunities lists } } }"
    done = await ask(house.admin, give, id=leaving["id"], i={"to": "takes@graphql.example", "what": ["accounts"]})
    assert done["handOver"]["handOver"] == {"toId": heir["id"], "accounts": 1, "opportunities": 0, "lists": 0}
    wrong = await fail(house.admin, give, id=leaving["id"], i={"to": "nobody"})
    assert (wrong["status"], wrong["errors"][0]["pointer"]) == (422, "/input/to")
    read = """query ($id: ID!, $after: String) { account(id: $id) { changes(field: csm, first: 1, after: $after) {
      nodes { field valueId name fromAt toAt actorId actorName } edges { cursor } pageInfo { hasNextPage endCursor } } } }"""
    first = (await ask(house.viewer, read, id=account))["account"]["changes"]
    second = (await ask(house.viewer, read, id=account, after=first["pageInfo"]["endCursor"]))["account"]["changes"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    rest = (await house.viewer.get(f"/v1/accounts/{account}/changes?field=csm")).json()["data"]
    assert [list(one.values()) for one in (*first["nodes"], *second["nodes"])] == [list(one.values()) for one in rest]
    assert [one["name"] for one in rest] == ["takes", "leaves"]
    whole = """query ($id: ID!) { node(id: $id) { id ... on Account { name ...Past } } accounts(first: 1) { nodes { name } } }
      fragment Past on Account { a: changes { nodes { name } } b: changes(field: csm, first: 1) { nodes { name } } parent { changes { edges { cursor } } } }"""
    shown = (await ask(house.viewer, whole, id=account))["node"]
    told = [{"name": one} for one in ("takes", "leaves")]
    assert shown == {"id": account, "name": "Handed", "a": {"nodes": told}, "b": {"nodes": told[:1]}, "parent": None}
    many = await fail(house.viewer, "{ accounts { nodes { changes { nodes { name } } } } }")
    assert (many["status"], "account(id)" in many["detail"]) == (422, True)


async def test_a_tree_equals_that_of_rest(house: House, stranger: House, ask: Ask, fail: Ask) -> None:
    top = (await house.admin.post("/v1/accounts", json={"name": "Top", "arr": 10})).json()["id"]
    for name in ("One", "Two"):
        await house.admin.post("/v1/accounts", json={"name": name, "arr": 5, "health": 20, "parent_id": top})
    sums = "accounts customers arr mrr growthPotential openInvoicesAmount openTickets health healthMinimum redArrShare nextRenewalDate"
    read = f"""query ($id: ID!) {{
      accountHierarchy(id: $id, first: 1) {{ account {{ name children }} ancestors {{ name }} rollUp {{ {sums} }}
        descendants {{ nodes {{ id name depth parentId status arr archivedAt }} pageInfo {{ hasNextPage }} }} }}
      accountChildren(id: $id) {{ nodes {{ name rollUp {{ {sums} }} }} }}
    }}"""
    shown = await ask(house.viewer, read, id=top)
    rest = (await house.viewer.get(f"/v1/accounts/{top}/hierarchy")).json()
    tree = shown["accountHierarchy"]
    assert tree["account"] == {"name": "Top", "children": 2}
    assert list(tree["rollUp"].values()) == list(rest["roll_up"].values())
    assert ([one["name"] for one in tree["descendants"]["nodes"]], tree["descendants"]["pageInfo"]) == (
        ["One"],
        {"hasNextPage": True},
    )
    assert tree["descendants"]["nodes"][0]["parentId"] == top
    children = (await house.viewer.get(f"/v1/accounts/{top}/children")).json()["data"]
    assert [list(one["rollUp"].values()) for one in shown["accountChildren"]["nodes"]] == [
        list(one["roll_up"].values()) for one in children
    ]
    assert (await fail(stranger.admin, read, id=top))["status"] == 404
    roots = await ask(house.viewer, "{ accountRoots(groups: true, first: 1000) { nodes { id rollUp { arr } } } }")
    assert {"id": top, "rollUp": {"arr": 20}} in roots["accountRoots"]["nodes"]


async def test_settings_are_read_and_changed(house: House, ask: Ask, fail: Ask) -> None:
    read = """{ workspace { id slug name currency zone weekStart fiscalMonth healthYellow healthGreen arrPerCsm hoursPerCsm fiscalCalendar { from to } version }
      me { workspace { id slug name currency zone weekStart fiscalMonth healthYellow healthGreen arrPerCsm hoursPerCsm fiscalCalendar { from to } version } } }"""
    shown = await ask(house.viewer, read)
    rest = (await house.viewer.get("/v1/workspace")).json()
    assert list(shown["workspace"].values()) == list(shown["me"]["workspace"].values()) == list(rest.values())
    version = rest["version"]
    changed = await ask(house.admin, CHANGE, v=version, i={"fiscalMonth": 4})
    assert changed["updateWorkspace"]["workspace"] == {
        "fiscalMonth": 4,
        "armed": rest["arr_per_csm"],
        "version": version + 1,
    }
    assert (await fail(house.admin, CHANGE, v=version, i={"fiscalMonth": 1}))["status"] == 412
    wrong = await fail(house.admin, CHANGE, v=version + 1, i={"zone": "Europe/Berln"})
    assert (wrong["errors"][0]["pointer"], wrong["errors"][0]["suggestion"]) == ("/input/zone", "Europe/Berlin")
    assert (await fail(house.manager, CHANGE, v=version + 1, i={"fiscalMonth": 1}))["status"] == 403


async def test_who_asks_is_the_same_on_both_doors(house: House, ask: Ask) -> None:
    read = "{ me { userId name email team role scopes workspace { id } defaults { accounts contacts } } }"
    for role in ("admin", "viewer", "service"):
        caller = house.clients[role]
        shown = (await ask(caller, read))["me"]
        rest = (await caller.get("/v1/me")).json()
        assert [shown[name] for name in ("userId", "name", "email", "team", "role", "scopes", "defaults")] == [
            rest[name] for name in ("user_id", "name", "email", "team", "role", "scopes", "defaults")
        ]
        assert shown["workspace"]["id"] == rest["workspace"]["id"]
