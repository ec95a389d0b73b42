"""What belongs to another workspace cannot be told from what never was: every read of both doors, every name that it takes.

Routes and fields are those that are declared: a parameter or an argument that this does not know yet fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLEnumType, GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from app.api.door import Door
from app.api.graphql.schema import SCHEMA
from app.api.rest import table
from app.api.routes import OWN, PUBLIC, Route
from app.api.schemas import QUESTION
from tests.api.strangers import CANARY, Furnished, Pair, Thing, difference, leaks, without
from tests.servers import Server

pytestmark = pytest.mark.without_rls("PostgreSQL would hide theirs: here nothing but the application does")

ROUTES = [route for route in table(Door())[0].routes if route.method == "GET" and route.operation not in (PUBLIC, OWN)]
QUERIES = [
    route
    for route in table(Door())[0].routes
    if route.method == "POST" and route.operation in ("records.read", "criteria.read")
]
SCHEMA_ = SCHEMA._schema
assert SCHEMA_.query_type is not None
FIELDS = SCHEMA_.query_type.fields


# -- what can be named -------------------------------------------------------------------------------------------------


def named(things: Mapping[str, Thing]) -> Mapping[str, list[str]]:
    """By parameter: values that name things of the workspace that these things are of."""
    account, user, contact = things["accounts"], things["users"], things["contacts"]
    own, segmentation = things["attributes"]["slug"], things["segmentations"]
    return {
        "filter": [
            f'id = "{account["id"]}"', f'external_id = "{account["external_id"]}"', f'csm = "{user["id"]}"',
            f'parent = "{account["id"]}"', f'account = "{account["id"]}"', f'contact = "{contact["id"]}"',
            f'owner = "{user["id"]}"', f'author = "{user["id"]}"', f'email = "{user["email"]}"',
            f'custom.{own} = "x"', f"custom.{own} IS EMPTY", f'segment.{segmentation["slug"]} = "{segmentation["segment"]}"',
            f'industry = "{things["industries"]["slug"]}"', f'stage = "{things["stages"]["slug"]}"',
            f'product = "{things["products"]["slug"]}"', f'team = "{things["teams"]["slug"]}"',
            f'slug = "{things["features"]["slug"]}"', f'feature = "{things["features"]["slug"]}"',
            f'any(contacts WHERE id = "{contact["id"]}")',
        ],
        "fields": [f"id,custom.{own}", f"id,segment.{segmentation['slug']}"],
        "sort": [f"custom.{own}", f"-segment.{segmentation['slug']}"],
        "for_user": [user["id"], user["external_id"], user["email"]],
        "segment": [segmentation["segment"]],
        "actor_id": [user["id"], things["api-keys"]["id"]],
        "entity_id": [account["id"], things["lists"]["id"]],
        "request_id": [things["audit"]["request_id"]],
        "id": [account["id"], things["lists"]["id"]],
        "external_id": [account["external_id"]],
        "slug": [things["products"]["slug"], own],
        "segmentation": [segmentation["slug"]],
        "account_id": [account["id"]],
        "list": [things["lists"]["id"]],
        "list_id": [things["lists"]["id"]],
        "owner": [user["id"], user["external_id"], user["email"]],
        "search": [account["external_id"], contact["email"]],
        "folder": [account["external_id"]],
        "columns": [f"custom.{own}", f"segment.{segmentation['slug']}"],
        "group_by": [f"custom.{own}", f"segment.{segmentation['slug']}"],
        "measures": [f"sum(custom.{own})"],
        "stage": [things["stages"]["slug"]],
        "scenarios": [things["scenarios"]["slug"]],
        "product": [things["products"]["slug"]],
        "csm": [user["id"], user["external_id"], user["email"]],
        "was": [segmentation["segment"]],
        "becomes": [segmentation["segment"]],
        "by": [f"segment.{segmentation['slug']}"],
        "row_filter": [f'product = "{things["products"]["slug"]}"'],
    }  # fmt: skip


NAMES_NOTHING = {
    "include", "limit", "count", "as_of", "on", "tz", "archived", "field", "groups", "entity", "reason", "params", "from",
    "to", "operation", "outcome", "months", "figure", "term", "first", "kind", "favourite", "event", "format", "bom",
    "due_on", "due_from", "due_to", "basis", "lag", "model", "target_use", "state", "mine", "until", "name", "what",
}  # fmt: skip
"""Parameters that name nothing of a workspace."""
ELSEWHERE = {"cursor", "after", "where", "criteria", "input"}
"""Cursors have tests of their own below; trees mean what `filter` means (see laws); definitions are tried as references."""
ALIKE = {"order_by": "sort", "text": "filter"}


def _values(parameter: str, things: Mapping[str, Thing]) -> list[str]:
    """What a parameter can name, nothing where it names nothing. KeyError for one that nobody has thought of."""
    known = ALIKE.get(parameter, parameter)
    return [] if known in NAMES_NOTHING | ELSEWHERE else named(things)[known]


def place(route: Route, things: Mapping[str, Thing]) -> str:
    """A route's address, of the things of a workspace."""
    collection = route.path.removeprefix("/v1/").split("/{")[0].removesuffix("/external")
    segmentation = {"segmentation": things["segmentations"]["slug"]}
    return re.sub(r"{(\w+)}", lambda found: {**things[collection], **segmentation}[found[1]], route.path)


def in_query(route: Route) -> list[str]:
    return [parameter.name for parameter in route.parameters if parameter.where == "query"]


def told(pair: Pair, foreign: httpx.Response, never: httpx.Response, said: str) -> list[str]:
    """What is wrong with two answers."""
    names = pair.names - set(re.findall(r"[\w-]+", said))
    found = [difference(foreign, never), *(f"tells {leak}" for one in (foreign, never) for leak in leaks(one, names))]
    return [f"{said}\n  {one}" for one in found if one]


# -- REST --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", [r for r in ROUTES if "{" in r.path], ids=lambda r: r.path)
async def test_an_address_of_theirs_is_not_there(pair: Pair, route: Route) -> None:
    ours, theirs = (place(route, one.things) for one in (pair.ours, pair.theirs))
    there = await pair.theirs.client.get(theirs)
    assert (there.status_code, (await pair.ours.client.get(ours)).status_code) == (200, 200), (ours, there.text)
    wrong = []
    for headers in ({}, {"if-none-match": there.headers.get("etag", '"1-0123456789abcdef"')}, {"if-none-match": "*"}):
        foreign = await pair.ours.client.get(theirs, headers=headers)
        assert foreign.status_code == 404, f"{theirs} {headers}"
        wrong += told(pair, foreign, await pair.ours.client.get(without(theirs), headers=headers), theirs)
        assert (await pair.ours.client.get(ours, headers=headers)).status_code == (
            304 if "*" in headers.values() and "etag" in there.headers else 200
        )
    assert wrong == []


@pytest.mark.parametrize("route", [r for r in ROUTES if in_query(r)], ids=lambda r: r.path)
async def test_a_parameter_of_theirs_means_nothing(pair: Pair, route: Route) -> None:
    path, wrong = place(route, pair.ours.things), []
    for parameter in in_query(route):
        for value in _values(parameter, pair.theirs.things):
            foreign = await pair.ours.client.get(path, params={parameter: value})
            never = await pair.ours.client.get(path, params={parameter: without(value)})
            wrong += told(pair, foreign, never, f"{path}?{parameter}={value}")
    assert wrong == []


async def test_most_of_these_parameters_can_be_read(pair: Pair) -> None:
    """Ours in the place of theirs: what is refused above is refused for being theirs."""
    for value in named(pair.ours.things)["filter"][:3] + named(pair.ours.things)["filter"][9:14]:
        assert (await pair.ours.client.get("/v1/accounts", params={"filter": value})).status_code == 200, value
    for parameter in ("fields", "sort"):
        for value in named(pair.ours.things)[parameter]:
            assert (await pair.ours.client.get("/v1/accounts", params={parameter: value})).status_code == 200, value


def asking(route: Route, things: Mapping[str, Thing]) -> Mapping[str, Any]:
    """What a body says beside the member that is tried."""
    if route.operation != "criteria.read":
        return {}
    return {"entity": "accounts"} | ({"id": things["accounts"]["id"]} if route.path.endswith("explain") else {})


@pytest.mark.parametrize("route", QUERIES, ids=lambda r: r.path)
async def test_a_member_of_theirs_means_nothing(pair: Pair, route: Route) -> None:
    assert route.body is not None
    schema = route.body.schema
    members = set(schema.get("properties", QUESTION["properties"])) - {"entity", "mode"}
    wrong = []
    for member in sorted(members):
        beside = {
            name: told
            for name, told in asking(route, pair.ours.things).items()
            if member != "external_id" or name != "id"
        }
        for value in _values(member, pair.theirs.things):
            foreign = await pair.ours.client.post(route.path, json={**beside, member: value})
            never = await pair.ours.client.post(route.path, json={**beside, member: without(value)})
            wrong += told(pair, foreign, never, f"{route.path} {member}: {value}")
    assert wrong == []


@pytest.mark.parametrize("route", [r for r in ROUTES if "cursor" in in_query(r)], ids=lambda r: r.path)
async def test_a_cursor_of_theirs_is_none(pair: Pair, route: Route) -> None:
    """Of the same question: the same refusal as garbage."""
    ours, theirs = (place(route, one.things) for one in (pair.ours, pair.theirs))
    asked = {"limit": "1"}
    cursor, own = [
        (await one.client.get(path, params=asked)).json()["page"]["next"]
        for one, path in ((pair.theirs, theirs), (pair.ours, ours))
    ]
    assert cursor, f"{theirs} has no second page"
    assert (await pair.ours.client.get(ours, params={**asked, "cursor": own})).status_code == 200
    foreign = await pair.ours.client.get(ours, params={**asked, "cursor": cursor})
    assert foreign.status_code == 400
    for garbage in (tampered(cursor), "AAAA", "garbage!"):
        never = await pair.ours.client.get(ours, params={**asked, "cursor": garbage})
        assert told(pair, foreign, never, ours) == []
    if (query := f"{route.path}/query") in {r.path for r in QUERIES}:
        foreign, never = [
            await pair.ours.client.post(query, json={"limit": 1, "cursor": one}) for one in (cursor, tampered(cursor))
        ]
        assert foreign.status_code == 400
        assert told(pair, foreign, never, query) == []


def tampered(cursor: str) -> str:
    return cursor[:-2] + ("AA" if not cursor.endswith("AA") else "BB")


# -- GraphQL -----------------------------------------------------------------------------------------------------------


WHOLE = 2
"""How deep answers are asked for."""


def selected(kind: GraphQLObjectType, depth: int) -> str:
    """All leaves of a type that take no argument, and those of what it nests; of what there are many of no pictures, which
    take a statement each."""
    parts = ["__typename"]
    for name, found in kind.fields.items():
        if name == "chart" and depth < WHOLE:
            continue
        below = get_named_type(found.type)
        if any(is_required_argument(one) for one in found.args.values()) or (found.args and name != "totalCount"):
            continue
        if is_leaf_type(below):
            parts.append(name)
        elif depth and isinstance(below, GraphQLObjectType) and not found.args:
            parts.append(f"{name} {{ {selected(below, depth - 1)} }}")
    return " ".join(parts)


def snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


COLLECTION = {
    "account": "accounts", "contact": "contacts", "contract": "contracts", "opportunity": "opportunities",
    "interaction": "interactions", "invoice": "invoices", "survey": "surveys", "ticket": "tickets", "request": "requests",
    "sentiment": "sentiments", "churn": "churns", "product": "products", "feature": "features", "user": "users",
    "team": "teams", "industry": "industries", "stage": "stages", "scenario": "scenarios", "attribute": "attributes",
    "node": "accounts", "explainAccount": "accounts", "explainContact": "contacts", "list": "lists", "segmentation": "segmentations", "forecast": "forecasts", "forecastAccounts": "forecasts", "apiKey": "api-keys",
    "import": "imports", "importMapping": "imports/mappings", "segmentationDraft": "segmentations", "segmentationVersions": "segmentations", "simulateSegmentation": "segmentations",
    "scenarioVersions": "scenarios", "scenarioComparison": "scenarios", "requestQueue": "accounts",
}  # fmt: skip
REQUIRED = {"entity": "accounts", "text": "ALL", "groupBy": "stage"}
"""What is said of arguments that have to be given and name nothing."""
ROOTS = {
    "Account": "account",
    "Contact": "contact",
    "List": "list",
    "Segmentation": "segmentation",
    "Import": "import",
    "Backtest": "backtest",
}
"""By type: the field at the root under which its fields with arguments are asked."""


def arguments(root: str, within: str | None, things: Mapping[str, Thing]) -> dict[str, Any]:
    """What names one thing of a workspace, of the arguments of a field at the root."""
    args = FIELDS[root].args
    thing = things["lists of contacts" if (root, within) == ("list", "contacts") else COLLECTION.get(root, "accounts")]
    required = [one for one, argument in args.items() if is_required_argument(argument)]
    either = "externalId" in args
    one = [one for one in ("id", "slug") if one in args and (either or root in COLLECTION)][:1]
    names = [*required, *one] if either else required or one
    by_slug = {"segmentation": things["segmentations"]["slug"]}
    return {name: REQUIRED.get(name) or by_slug.get(name) or thing.get(snake(name), thing.get("id")) for name in names}


def asked(root: str, within: str | None, given: Mapping[str, Any], nested: Mapping[str, Any]) -> str:
    """A document for a field at the root, or for a field of what is there."""
    field = FIELDS[root]
    kind = get_named_type(field.type)
    if within is None:
        return f"{{ {root}{said({**given, **nested}, field)} {{ {_of(kind, 1 if root == 'lists' else WHOLE)} }} }}"
    assert isinstance(kind, GraphQLObjectType)
    inner = kind.fields[within]
    below = get_named_type(inner.type)
    chosen = "" if is_leaf_type(below) else f" {{ {_of(below)} }}"
    return f"{{ {root}{said(given, field)} {{ {within}{said(nested, inner)}{chosen} }} }}"


def _of(kind: Any, depth: int = WHOLE) -> str:
    return selected(kind, depth) if isinstance(kind, GraphQLObjectType) else "__typename ... on Account { name }"


def said(given: Mapping[str, Any], field: GraphQLField) -> str:
    """Arguments as a document spells them."""
    parts = []
    for name, value in given.items():
        kind = field.args[name].type
        listed = "[" in str(kind)
        parts.append(
            f"{name}: {value if isinstance(get_named_type(kind), GraphQLEnumType) else json.dumps([value] if listed else value)}"
        )
    return f"({', '.join(parts)})" if parts else ""


def places() -> Iterator[tuple[str, str | None, str]]:
    """Every argument of every field: the field at the root, the field below it or None, the argument."""
    for root, field in FIELDS.items():
        yield from ((root, None, name) for name in field.args)
    for name, kind in SCHEMA_.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__") and name not in ("Query", "Mutation"):
            for within, field in kind.fields.items():
                for argument, found in field.args.items():
                    if not (within == "totalCount" and isinstance(get_named_type(found.type), GraphQLEnumType)):
                        yield ROOTS[name], within, argument


PLACES = list(places())


async def ask(who: Furnished, document: str) -> httpx.Response:
    return await who.client.post("/graphql", json={"query": document})


@pytest.mark.parametrize(("root", "within", "argument"), [p for p in PLACES if p[2] not in ELSEWHERE])
async def test_an_argument_of_theirs_means_nothing(pair: Pair, root: str, within: str | None, argument: str) -> None:
    own = arguments(root, within, pair.ours.things)
    wrong = []
    by_name = root in COLLECTION or "externalId" in FIELDS[root].args
    if within is None and (argument in own or (by_name and argument in ("id", "slug", "externalId"))):
        thing = pair.theirs.things[COLLECTION.get(root, "accounts")]
        own = {name: told for name, told in own.items() if name not in ("id", "slug", argument)}
        values = [thing.get(snake(argument), thing.get("id", ""))]
    else:
        values = _values(snake(argument), pair.theirs.things)[:: 1 if argument != "filter" else 5]  # REST asks them all
    for value in values:
        foreign = await ask(pair.ours, asked(root, within, own, {argument: value}))
        never = await ask(pair.ours, asked(root, within, own, {argument: without(value)}))
        wrong += told(pair, foreign, never, f"{root}.{within}({argument}: {value})")
    assert wrong == []


@pytest.mark.parametrize(("root", "within"), [(r, w) for r, w, name in PLACES if name == "after"])
async def test_a_cursor_of_theirs_is_none_over_graphql(pair: Pair, root: str, within: str | None) -> None:
    documents = {}
    for one in (pair.ours, pair.theirs):
        given = arguments(root, within, one.things)
        answer = await ask(one, asked(root, within, given, {"first": 1}))
        cursors = re.findall(r'"endCursor":\s?"([^"]+)"', answer.text)
        assert cursors, answer.text
        documents[one.id] = cursors[-1]
    own = arguments(root, within, pair.ours.things)
    theirs = documents[pair.theirs.id]
    assert (
        "errors"
        not in (await ask(pair.ours, asked(root, within, own, {"first": 1, "after": documents[pair.ours.id]}))).json()
    )
    foreign = await ask(pair.ours, asked(root, within, own, {"first": 1, "after": theirs}))
    assert "errors" in foreign.json()
    for garbage in (tampered(theirs), "AAAA", "garbage!"):
        never = await ask(pair.ours, asked(root, within, own, {"first": 1, "after": garbage}))
        assert told(pair, foreign, never, root) == []


# -- what nobody asks for ----------------------------------------------------------------------------------------------


def test_every_text_of_theirs_holds_a_canary(pair: Pair) -> None:
    """Where there is no row for one, `furnish` has to make it."""
    assert pair.bare == []


async def test_no_answer_tells_of_theirs(pair: Pair, server: Server, home: Path) -> None:
    """Whole collections, the catalogue, the numbers and the log of the process: not a canary, not a name."""
    for route in ROUTES:
        answer = await pair.ours.client.get(place(route, pair.ours.things))
        assert leaks(answer, pair.names) == [], route.path
    for near in (pair.theirs.things["attributes"]["slug"][:-1], pair.theirs.things["segmentations"]["slug"] + "x"):
        for text in (f"custom.{near} = 1", f"segment.{near} = a"):
            answer = await pair.ours.client.get("/v1/accounts", params={"filter": text})
            assert answer.status_code in (400, 422), text
            assert leaks(answer, pair.names) == [], text
    assert CANARY not in (await pair.ours.client.get("/metrics")).text
    assert CANARY not in (home / "server" / "serve.log").read_text()
