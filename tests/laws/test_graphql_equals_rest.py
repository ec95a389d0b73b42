"""The law: the same question asked through either door has the same rows, the same count, and the same windows and ranks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from app.api.door import Door
from app.api.front import Front
from app.api.graphql.build import camel
from app.api.graphql.http import routes as graphql_routes
from app.api.rest import table
from app.api.routes import Table
from app.domain import history
from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import text, tree
from app.domain.criteria.nodes import Node
from app.persistence.database import Database
from app.services import keys
from tests.laws.population import populate, store
from tests.laws.trees import AS_OF, POOLS, WORKSPACE, criteria, id_of

ROUNDS = settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
FEWER = settings(ROUNDS, max_examples=12)
OTHERS = tuple(name for name in ENTITIES if name not in ("accounts", "contacts"))
NAMED = tuple(name for name, entity in ENTITIES.items() if entity.key != "none")
PAST = sorted({str(one.date()) for one in POOLS.instants if one.date() < AS_OF.date()})
DAYS = (
    "ALL", 'segment.tier = "high"', 'NOT stage IN ("stage-a", "stage-b")', 'stage IS EMPTY OR segment.lanes != "calm"',
    'entered("tier", "low", last(90d))', 'in_segment("lanes", "severe") AND NOT left("lanes", "calm", last(1y))',
)  # fmt: skip
ATTRIBUTE = """INSERT INTO attributes (workspace_id, id, entity, slug, name, type, values, key, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $8)"""
MOMENT = AS_OF.isoformat().replace("+00:00", "Z")


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("every address of this test is a door's")


@pytest.fixture(scope="module")
async def client(db: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Both doors over one database that holds a generated workspace."""
    async with db.transaction() as tx:
        await store(tx, populate(WORKSPACE, seed=3))
        for n, ((entity, slug), one) in enumerate(WORKSPACE.attributes.items()):
            await tx.execute(
                ATTRIBUTE, WORKSPACE.id, UUID(int=n), entity, slug, one.kind, list(one.values), one.stored, AS_OF
            )
    _, token = await keys.create_key(db, WORKSPACE.id, "law", "admin", id_of("users", 0), (), AS_OF)
    door = Door(db=db, secret=b"s" * 32)
    front = Front(door, Table((*table(door)[0].routes, *graphql_routes())), _nowhere)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(front), base_url="http://strata", headers=headers
    ) as made:
        yield made


# -- one question, spelled twice ---------------------------------------------------------------------------------------


def where(node: Mapping[str, Any]) -> dict[str, Any]:
    """A tree of REST as the input of GraphQL."""
    op = node["op"]
    match op:
        case "and" | "or":
            return {op: [where(arg) for arg in node["args"]]}
        case "not":
            return {op: where(node["arg"])}
        case "all":
            return {op: True}
        case "list":
            return {op: node["list"]}
    return {op: members({name: value for name, value in node.items() if name != "op"})}


def members(said: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in said.items():
        match name:
            case "of" if isinstance(value, Mapping):
                made["of" if str(said.get("fn")).startswith("change") else operand(value)] = members(value)
            case "in" | "now" | "was" if isinstance(value, Mapping):
                made[name] = {value["win"]: {k: v for k, v in value.items() if k != "win"}}
            case "where":
                made[name] = where(value)
            case _:
                made[camel(name)] = value
    return made


def operand(of: Mapping[str, Any]) -> str:
    return "change" if of["fn"].startswith("change") else "fold" if "rel" in of else "rank"


def columns(entity: Entity) -> str:
    return " ".join(camel(field.column) for field in entity.fields.values())


def in_rest(row: Any, entity: Entity) -> Any:
    """A row of GraphQL under the names of REST."""
    names = {camel(f.column): f.column for f in entity.fields.values()} | {camel(r): r for r in entity.relations}
    made = {names[key]: value for key, value in row.items()}
    for relation in entity.relations.values():
        related, target = made.get(relation.name), ENTITIES[relation.target]
        if isinstance(related, list):
            made[relation.name] = [in_rest(one, target) for one in related]
        elif isinstance(related, dict):
            made[relation.name] = in_rest(related, target)
    return made


RESOLVED = """asOf windows { window lo hi zone }
    ranks { rank at computed_at: computedAt groups { group records reaches passes } }"""
QUERY = f"""query($where: %(name)sFilter, $filter: String, $order: [String!], $asOf: String, $on: String) {{
  %(entity)s(where: $where, filter: $filter, orderBy: $order, first: %(first)d, asOf: $asOf, on: $on) {{
    nodes {{ %(fields)s %(related)s }} totalCount {RESOLVED} pageInfo {{ hasNextPage }} }} }}"""


async def graphql(client: httpx.AsyncClient, question: Mapping[str, Any], **criteria: Any) -> Any:
    entity = ENTITIES[question["entity"]]
    related = " ".join(
        f"{camel(name)}{'(first: 2)' if entity.relations[name].many else ''} {{ {columns(ENTITIES[entity.relations[name].target])} }}"
        for name in question["include"]
    )
    query = QUERY % {
        "name": entity.singular.capitalize(), "entity": entity.name, "first": question["limit"], "related": related,
        "fields": " ".join(camel(entity.fields[name].column) for name in question["fields"]),
    }  # fmt: skip
    variables = {"asOf": question["as_of"], "on": question["on"], "order": question["sort"], **criteria}
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    body = answer.json()
    if body.get("errors"):
        problem = body["errors"][0]["extensions"]
        return problem["status"], [fault["message"] for fault in problem["errors"]]
    page = body["data"][entity.name]
    rows = [in_rest(row, entity) for row in page["nodes"]]
    return (
        rows,
        page["totalCount"],
        *(page[name] for name in ("asOf", "windows", "ranks")),
        page["pageInfo"]["hasNextPage"],
    )


async def rest(client: httpx.AsyncClient, question: Mapping[str, Any], **criteria: Any) -> Any:
    entity = ENTITIES[question["entity"]]
    include = [f"{name}(2)" if entity.relations[name].many else name for name in question["include"]]
    body = {
        "fields": list(question["fields"]), "include": include, "sort": question["sort"], "limit": question["limit"],
        "count": "exact", "as_of": question["as_of"], "on": question["on"], **criteria,
    }  # fmt: skip
    answer = await client.post(f"/v1/{entity.name}/query", json={k: v for k, v in body.items() if v is not None})
    page = answer.json()
    if answer.status_code != 200:
        return page["status"], [fault["message"] for fault in page["errors"]]
    resolved = page["as_of"], page["windows"], page.get("ranks", [])
    return page["data"], page["count"]["value"], *resolved, page["page"]["next"] is not None


@st.composite
def questions(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """What to show of which records in which order."""
    entity = ENTITIES[name]
    sortable = sorted(f.name for f in entity.fields.values() if f.sortable)
    order = draw(st.lists(st.sampled_from(sortable), max_size=3, unique=True))
    known = sorted(entity.relations)
    return {
        "entity": name,
        "fields": draw(st.lists(st.sampled_from(sorted(entity.fields)), min_size=1, max_size=8, unique=True)),
        "include": draw(st.lists(st.sampled_from(known), max_size=2, unique=True)) if known else [],
        "sort": [draw(st.sampled_from(("", "-"))) + path for path in order],
        "limit": draw(st.sampled_from((1, 3, 1000))),
        "as_of": MOMENT,
        "on": None,
    }


@st.composite
def of_a_day(draw: st.DrawFn) -> tuple[dict[str, Any], Node]:
    """What was on a day; now and then something that has no history is among it, or the day is to come."""
    known, odd = (
        (*history.KEPT, *history.TIMELESS),
        draw(st.sampled_from(("", "", "", "criteria", "fields", "sort", "on"))),
    )
    order = [
        draw(st.sampled_from(("", "-"))) + path for path in draw(st.lists(st.sampled_from((*known, "segment.tier"))))
    ]
    question = {
        "entity": "accounts",
        "fields": draw(st.lists(st.sampled_from(known), min_size=1, unique=True)) + ["arr"] * (odd == "fields"),
        "include": [],
        "sort": list({path.lstrip("-"): path for path in order[:2]}.values()) + ["arr"] * (odd == "sort"),
        "limit": draw(st.sampled_from((1, 3, 1000))),
        "as_of": draw(st.sampled_from((None, MOMENT))),
        "on": "2190-01-01" if odd == "on" else draw(st.sampled_from(PAST)),
    }
    node = draw(criteria(ENTITIES["accounts"])) if odd == "criteria" else text.parse(draw(st.sampled_from(DAYS)))
    return question, node


async def agree(client: httpx.AsyncClient, question: Mapping[str, Any], node: Node) -> None:
    dumped = tree.dump(node)
    expected = await rest(client, question, criteria=encoded(dumped))
    assert await graphql(client, question, where=encoded(where(dumped))) == expected, text.format(node)
    assert await graphql(client, question, filter=text.format(node)) == expected, text.format(node)


def encoded(value: Any) -> Any:
    """Decimals as the numbers of JSON."""
    if isinstance(value, Mapping):
        return {name: encoded(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [encoded(one) for one in value]
    return float(value) if type(value).__name__ == "Decimal" else value


@ROUNDS
@given(question=questions("accounts"), node=criteria(ENTITIES["accounts"]))
async def test_accounts(client: httpx.AsyncClient, question: dict[str, Any], node: Node) -> None:
    await agree(client, question, node)


@ROUNDS
@given(question=questions("contacts"), node=criteria(ENTITIES["contacts"]))
async def test_contacts(client: httpx.AsyncClient, question: dict[str, Any], node: Node) -> None:
    await agree(client, question, node)


@ROUNDS
@given(asked=of_a_day())
async def test_days_that_have_been(client: httpx.AsyncClient, asked: tuple[dict[str, Any], Node]) -> None:
    await agree(client, *asked)


@pytest.mark.parametrize("name", OTHERS)
@FEWER
@given(data=st.data())
async def test_every_other_entity(client: httpx.AsyncClient, name: str, data: st.DataObject) -> None:
    await agree(client, data.draw(questions(name)), data.draw(criteria(ENTITIES[name])))


@pytest.mark.parametrize("name", ENTITIES)
async def test_all_pages(client: httpx.AsyncClient, name: str) -> None:
    """Walked through by either door, a collection has the same records in the same order."""
    entity = ENTITIES[name]
    query = f"""query($after: String) {{ {name}(first: 7, after: $after, asOf: "{MOMENT}") {{
      edges {{ cursor node {{ {columns(entity)} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
    seen: list[Any] = []
    after, more = None, True
    while more:
        answer = await client.post("/graphql", json={"query": query, "variables": {"after": after}})
        page = answer.json()["data"][name]
        seen += [in_rest(edge["node"], entity) for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    rest = (await client.get(f"/v1/{name}?limit=1000&count=exact&as_of={MOMENT}")).json()
    assert seen == rest["data"]
    assert len(seen) == rest["count"]["value"] > 0


@pytest.mark.parametrize("name", NAMED)
async def test_one_record(client: httpx.AsyncClient, name: str) -> None:
    entity = ENTITIES[name]
    for n in range(4):
        record = id_of(name, n)
        field = f'{entity.singular}(id: "{record}")'
        answer = await client.post("/graphql", json={"query": f"{{ {field} {{ {columns(entity)} }} }}"})
        one = in_rest(answer.json()["data"][entity.singular], entity)
        key = one["slug"] if entity.key == "slug" else str(record)
        assert one == (await client.get(f"/v1/{name}/{key}")).json()
        for way in ("external_id", *(["slug"] if entity.key == "slug" else [])):
            if one[way]:
                field = f'{entity.singular}({camel(way)}: "{one[way]}")'
                answer = await client.post("/graphql", json={"query": f"{{ {field} {{ {columns(entity)} }} }}"})
                assert in_rest(answer.json()["data"][entity.singular], entity) == one


@pytest.mark.parametrize("name", NAMED)
async def test_any_record(client: httpx.AsyncClient, name: str) -> None:
    entity = ENTITIES[name]
    record = id_of(name, 0)
    query = f'{{ node(id: "{record}") {{ __typename ... on {entity.singular.capitalize()} {{ {columns(entity)} }} }} }}'
    found = (await client.post("/graphql", json={"query": query})).json()["data"]["node"]
    assert found.pop("__typename") == entity.singular.capitalize()
    key = found["slug"] if entity.key == "slug" else str(record)
    assert in_rest(found, entity) == (await client.get(f"/v1/{name}/{key}")).json()
