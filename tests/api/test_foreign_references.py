"""A record of ours refers to nothing of theirs: every reference that a body can hold, spelt in each of its ways."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from app.api.door import Door
from app.api.rest import table
from app.domain.catalogue import ENTITIES, Field
from tests.api.strangers import Furnished, Json, Pair, Thing, body_of, difference, dumped, leaks, without
from tests.faults.writes import DAY, SINGULAR, camel, matching, unique

pytestmark = pytest.mark.without_rls("PostgreSQL would hide theirs: here nothing but the application does")

WRITTEN = [name for name, entity in ENTITIES.items() if entity.key != "none"]
PATHS = {route.path for route in table(Door())[0].routes if route.method == "POST"}
REFERRING = [
    (entity, field)
    for entity in WRITTEN
    for field in ENTITIES[entity].fields.values()
    if field.writable and field.target and field.kind in ("ref", "slug")
]


def spelt(field: Field, thing: Thing) -> Iterator[tuple[str, str]]:
    """Each member that can say a reference, with what it says."""
    if field.kind == "slug":
        yield field.name, thing["slug"]
        return
    yield field.column, thing["id"]
    yield from ((field.name, thing[way]) for way in ("id", "external_id", "email") if way in thing)


def wrong(pair: Pair, foreign: httpx.Response, never: httpx.Response, said: Any) -> list[str]:
    """What is wrong with two answers to a body that nobody may let pass."""
    names = {name for name in pair.names if name not in dumped(said)}
    found = [difference(foreign, never), *(f"tells {leak}" for one in (foreign, never) for leak in leaks(one, names))]
    passed = foreign.is_success and '"message"' not in foreign.text
    return [f"{said}\n  {one}" for one in (*found, "passes" if passed else None) if one]


async def refer(ours: Furnished, entity: str, body: Json, member: str, value: str) -> list[httpx.Response]:
    """Answers to a record that refers so, made and changed by both doors, and in bulk."""
    other = member.removesuffix("_id") if member.endswith("_id") else f"{member}_id"
    told = {name: given for name, given in body.items() if name != other} | {member: value}
    answers = [await ours.client.post(f"/v1/{entity}", json=told)]
    standing = ours.things[entity]
    key = standing["slug"] if ENTITIES[entity].key == "slug" else standing["id"]
    path = f"/v1/{entity}/{key}"
    version = (await ours.client.get(path)).json()["version"]
    answers.append(await ours.client.patch(path, json={member: value}, headers=matching(version)))
    if f"/v1/{entity}/bulk" in PATHS:
        asked = [{"mode": mode, "records": [told]} for mode in ("all", "each")]
        answers += [await ours.client.post(f"/v1/{entity}/bulk", json=one) for one in asked]
    name = SINGULAR[entity]
    document = f"mutation($i: Create{name}Input!) {{ create{name}(input: $i) {{ __typename }} }}"
    by_graphql = {"query": document, "variables": {"i": camel({n: v for n, v in told.items() if n != "custom"})}}
    answers.append(await ours.client.post("/graphql", json=by_graphql))
    return answers


@pytest.mark.parametrize(("entity", "field"), REFERRING, ids=lambda one: getattr(one, "name", one))
async def test_a_record_cannot_refer_to_theirs(pair: Pair, entity: str, field: Field) -> None:
    before, found = await pair.standing(), []
    for member, value in spelt(field, pair.theirs.things[str(field.target)]):
        body = await body_of(pair.ours, entity)
        answers = [await refer(pair.ours, entity, body, member, said) for said in (value, without(value))]
        for foreign, never in zip(*answers, strict=True):
            found += wrong(pair, foreign, never, {member: value})
    assert found == []
    assert await pair.standing() == before


@pytest.mark.parametrize(("entity", "field"), REFERRING, ids=lambda one: getattr(one, "name", one))
async def test_a_file_cannot_refer_to_theirs(pair: Pair, entity: str, field: Field) -> None:
    thing = pair.theirs.things[str(field.target)]
    value = thing["slug"] if field.kind == "slug" else thing.get("external_id", thing["id"])
    told = []
    for said in (value, without(value)):
        body = {name: given for name, given in (await body_of(pair.ours, entity)).items() if name != "custom"}
        if "account_id" in body:
            del body["account_id"]
            body["account"] = pair.ours.things["accounts"]["external_id"]
        row = {name: given for name, given in body.items() if name != field.column} | {field.name: said}
        row.setdefault("external_id", unique())
        content = f"{','.join(row)}\n{','.join(map(str, row.values()))}\n"
        headers = {"content-type": "text/csv"}
        sent = await pair.ours.client.post(f"/v1/imports?kind={entity}", content=content, headers=headers)
        if sent.status_code != 202:
            pytest.skip(f"{entity} do not come by files")
        path = f"/v1/imports/{sent.json()['id']}"
        while (state := (await pair.ours.client.get(path)).json())["state"] in ("staged", "running"):
            pass
        errors = await pair.ours.client.get(f"{path}/errors")
        assert leaks(errors, {name for name in pair.names if name != said}) == []
        told.append((state["rejected"], state["warned"], [{**one, "id": None} for one in errors.json()["data"]]))
    assert told[0] == told[1]
    assert told[0][:2] != (0, 0), "their reference was taken"


# -- what no entity of the catalogue declares --------------------------------------------------------------------------

Request = tuple[str, str, Json | None]
OURS = re.compile(r"{([\w-]+)\.(\w+)}")
LIST: Json = {"entity": "accounts", "name": "L", "criteria": {"text": "ALL"}}


def others(things: Mapping[str, Thing]) -> dict[str, list[Request]]:
    """By member: requests that refer so to things of the workspace that these are of; `{…}` is of the workspace that asks."""
    account, user, own = things["accounts"], things["users"], things["attributes"]["slug"]
    segmentation = things["segmentations"]["slug"]
    segment = {"slug": "s", "name": "S"}
    ruled = {"name": "R", "kind": "rules", "segments": [{**segment, "criteria": f"custom.{own} IS EMPTY"}]}
    banded = {"name": "R", "kind": "bands", "spec": {"field": f"custom.{own}", "cuts": {"by": "absolute", "at": [1]}},
              "segments": [segment, {"slug": "t", "name": "T"}], "rest": "rest"}  # fmt: skip
    cuts, empty = {"by": "absolute", "at": [1]}, f"custom.{own} IS EMPTY"

    def kind(name: str, spec: Mapping[str, Any]) -> list[Request]:
        return [
            (
                "POST",
                "/v1/segmentations/nothing/simulate",
                {"name": "R", "kind": name, "spec": spec, "segments": [segment], "rest": "rest"},
            )
        ]

    measure = {"of": "arr", "worst": 0, "best": 1, "weight": 1}
    weighed = {"segmentation": "{segmentations.slug}", "weights": {things["segmentations"]["segment"]: {"arr": 2}}}
    usage = {"account_id": "{accounts.id}", "feature": "{features.slug}", "day": DAY, "value": 1}
    rows = [{**usage, "account_id": account["id"]}, {**usage, "feature": things["features"]["slug"]},
            {**usage, "contact_id": things["contacts"]["id"]}, {**usage, "contact": things["contacts"]["email"]}]  # fmt: skip
    return {
        "owner_id": [("PATCH", "/v1/lists/{lists.id}", {"owner_id": user["id"]})],
        "list_id": [("PUT", "/v1/me/defaults/accounts", {"list_id": things["lists"]["id"]})],
        "user_id": [("POST", "/v1/api-keys", {"name": "k", "role": "csm", "user_id": user["id"]})],
        "to": [("POST", "/v1/users/{users.id}/hand-over", {"to": way}) for way in (user["external_id"], user["email"])],
        "to_id": [("POST", "/v1/users/{users.id}/hand-over", {"to_id": user["id"]})],
        "criteria": [("POST", "/v1/lists", {**LIST, "criteria": {"text": text}})
                     for text in (f"custom.{own} IS EMPTY", f'segment.{segmentation} = "s"')],
        "columns": [("POST", "/v1/lists", {**LIST, "columns": [f"custom.{own}"]})],
        "sort": [("POST", "/v1/lists", {**LIST, "sort": [f"segment.{segmentation}"]})],
        "custom": [("POST", "/v1/contacts", {"account_id": "{accounts.id}", "name": "N", "custom": {own: "x"}}),
                   ("POST", "/v1/accounts", {"name": "N", "custom": {own: "x"}})],
        "stage": [("POST", "/v1/accounts/{accounts.id}/stage", {"stage": things["stages"]["slug"]})],
        "stages": [("PUT", "/v1/stages/order", {"stages": [things["stages"]["slug"]]})],
        "move_to": [("DELETE", f"/v1/stages/{{stages.slug}}?move_to={things['stages']['slug']}", None)],
        "impacts": [("POST", "/v1/scenarios", {"name": "S", "slug": "none", "impacts": {things["industries"]["slug"]: "severe"}})],
        "where": [("POST", "/v1/forecasts", {"where": f"custom.{own} IS EMPTY"})],
        "scenario": [("POST", "/v1/forecasts/preview", {"scenario": things["scenarios"]["slug"]})],
        "scenarios": [("POST", "/v1/forecasts/compare", {"scenarios": [None, {"scenario": things["scenarios"]["slug"]}]})],
        "what_if": [("POST", "/v1/forecasts/preview", {"what_if": [{"where": f"custom.{own} IS EMPTY", "shift": -1}]})],
        "features": [("POST", "/v1/segmentations/suggest", {"kind": "clusters", "fields": ["arr", f"custom.{own}"], "count": 2})],
        "entry": [("PATCH", "/v1/stages/{stages.slug}", {"entry": f"custom.{own} IS EMPTY"})],
        "of": [("PUT", "/v1/scores", {"health": {"measures": [{**measure, "of": f"custom.{own}"}]}})],
        "by": [("PUT", "/v1/scores", {"health": {"measures": [measure], "by": {"segmentation": segmentation, "weights": {}}}})],
        "weights": [("PUT", "/v1/scores", {"health": {"measures": [measure], "by": weighed}})],
        "step": [("PUT", f"/v1/accounts/{account['id']}/segments/tier/steps", {"plan": "playbook", "step": "Kick-off"})],
        "segments": [(method, f"/v1/segmentations/nothing{place}", ruled)
                     for method, place in (("PUT", ""), ("PUT", "/draft"), ("POST", "/simulate"))],
        "spec": [("PUT", "/v1/segmentations/nothing", banded), ("POST", "/v1/segmentations/nothing/simulate", banded)],
        **{side: kind("matrix", {"x": {"field": "arr", "cuts": cuts}, "y": {"field": "arr", "cuts": cuts}}
                                | {side: {"field": f"custom.{own}", "cuts": cuts}}) for side in "xyz"},
        "field": kind("score", {"measures": [{"field": f"custom.{own}", "values": {"x": 1}}], "at": [1]}),
        "points": kind("score", {"measures": [{"criteria": empty, "points": 1}], "at": [1]}),
        "among": kind("bands", {"field": "arr", "cuts": {"by": "median", "among": empty}}),
        "considerations": kind("lanes", {"considerations": [{"field": f"custom.{own}", "lowers_below": 1}]}),
        "rows": [("POST", "/v1/usage", {"rows": [row]}) for row in rows],
        "records": [("POST", "/v1/usage/bulk", {"records": [row]}) for row in rows],
    }  # fmt: skip


def ready(request: Request, things: Mapping[str, Thing], told: Callable[[str], str]) -> tuple[str, str, Any]:
    """The request with what `{…}` stands for, and other names as `told` makes them."""

    def filled(part: Any) -> Any:
        if isinstance(part, str):
            return OURS.sub(lambda found: things[found[1]][found[2]], told(part))
        if isinstance(part, dict):
            return {filled(name): filled(value) for name, value in part.items()}
        return [filled(one) for one in part] if isinstance(part, list) else part

    method, path, body = request
    return method, filled(path), filled(body)


async def answered(ours: Furnished, method: str, path: str, body: Any) -> httpx.Response:
    return await ours.client.request(method, path, json=body, headers=matching(1) if method != "POST" else {})


async def test_nothing_else_refers_to_theirs(pair: Pair) -> None:
    before, found = await pair.standing(), []
    for request in itertools.chain.from_iterable(others(pair.theirs.things).values()):
        foreign, never = [await answered(pair.ours, *ready(request, pair.ours.things, told)) for told in (str, without)]
        found += wrong(pair, foreign, never, request)
    assert found == []
    assert await pair.standing() == before


# -- nothing is left out -----------------------------------------------------------------------------------------------

NAMES_NOTHING = {
    "archived", "arr_per_csm", "as_of", "count", "currency", "default", "description", "entity", "expires_at", "fiscal_month",
    "from", "health_green", "health_yellow", "include", "keep_amounts", "limit", "low", "medium", "mine", "mode",
    "on", "overlap_hours", "params", "replace", "rest", "scopes", "severe", "target", "tz", "visibility", "week_start",
    "what", "zone", "refreeze", "band", "confirm", "version", "format", "bom", "constants", "delimiter", "folder", "with_dependents",
    "periods", "generate", "pattern", "first_day", "first_year", "years", "long_years", "year", "quarter", "period", "arr_factor",
    "best", "category", "consumption", "count_as", "done", "due_on", "engagement", "enough", "events", "frequency", "hours_per_csm",
    "inbound", "key", "decimal", "meetings", "missing", "modules", "plan", "probability", "draft_version", "shift", "source", "targets", "weight", "worst",
    "aim", "any", "at", "cadence", "call", "colour", "cuts", "empty", "event", "hours", "lane", "lifts_from", "lowers_below", "meeting",
    "month", "notes", "other", "otherwise", "parts", "phases", "playbook", "steps", "success_plan", "touch", "until", "within",
}  # fmt: skip
"""Members that say nothing of a thing in a workspace."""
OF_QUESTIONS = {
    "filter", "fields", "cursor", "for_user", "text", "tree", "group_by", "measures", "list", "segmentation", "segment",
}  # fmt: skip
"""Members that tests of reads ask with; a tree means what its text means."""


def members() -> set[str]:
    """Every member of every body that the doors take."""
    routes, document = table(Door())
    schemas, found, seen = document["components"]["schemas"], set(), set()

    def walk(schema: Any) -> None:
        if not isinstance(schema, Mapping):
            return
        name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
        if name and name not in seen:
            seen.add(name)
            walk(schemas[name])
        for member, below in schema.get("properties", {}).items():
            found.add(member)
            walk(below)
        for below in (schema.get("items"), schema.get("additionalProperties")):
            walk(below)
        for word in ("anyOf", "oneOf", "allOf"):
            for below in schema.get(word, ()):
                walk(below)

    for route in routes.routes:
        if route.body is not None:
            walk(route.body.schema)
    return found


def test_every_member_that_can_name_something_has_named_theirs(pair: Pair) -> None:
    fields = [field for entity in ENTITIES.values() for field in entity.fields.values()]
    declared = {field.name for field in fields} | {field.column for field in fields}
    assert members() - declared - NAMES_NOTHING - OF_QUESTIONS - others(pair.theirs.things).keys() == set()
