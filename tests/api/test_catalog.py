"""The catalogue is enough: every field can be asked in every way that it serves, by who knows nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

Json = dict[str, Any]
ATTRIBUTES = ("text", "number", "integer", "money", "date", "instant", "bool", "enum", "tags")


@pytest.fixture(scope="module")
async def office(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace with attributes of every type, a segmentation and some slugs."""
    made = await furnished(database, server, "Catalogue")
    for kind in ATTRIBUTES:
        values = ["free", "paid"] if kind in ("enum", "tags") else []
        body = {"entity": "accounts", "slug": f"own-{kind}", "name": kind, "type": kind, "values": values}
        answer = await made.admin.post("/v1/attributes", json=body)
        assert answer.status_code == 201, answer.text
    for path, slug in (("industries", "saas"), ("stages", "trial"), ("products", "crm"), ("features", "api")):
        await made.admin.post(f"/v1/{path}", json={"name": slug.title(), "slug": slug})
    yield made
    for each in made.clients.values():
        await each.aclose()


@pytest.fixture(scope="module")
async def catalog(office: House) -> Json:
    answer = await office.viewer.get("/v1/catalog")
    assert answer.status_code == 200, answer.text
    served: Json = answer.json()
    return served


# -- a builder that knows nothing but the catalogue --------------------------------------------------------------------


def value_of(field: Json, catalog: Json) -> tuple[Any, str]:
    """A value that the field can be compared with: as JSON, and as text."""
    known = {one["target"]: [v["value"] for v in one["values"]] for one in catalog["known"]}
    kind = next(one for one in catalog["kinds"] if one["name"] == field["kind"])
    values = field["values"] or known.get(field["target"]) or []
    return (values[0], json.dumps(values[0])) if values else (kind["example"], kind["text"])


def windows_of(field: Json, catalog: Json) -> Iterator[tuple[Json, str]]:
    for name, choice in (("rolling", "dir"), ("period", "which")):
        told = catalog["windows"][name]
        units = told["units_of_dates"] if name == "rolling" and field["kind"] == "date" else told["units"]
        for way in told[choice]:
            for unit in units:
                put = {choice: way, "unit": unit, "n": 3}
                yield filled(told["json"], put), told["text"].format(**put)


def filled(template: Any, put: Mapping[str, Any]) -> Any:
    """A template of the catalogue with what stands for its names in braces."""
    if isinstance(template, dict):
        return {name: filled(one, put) for name, one in template.items()}
    if isinstance(template, str) and template.startswith("{") and template.endswith("}"):
        return put[template[1:-1]]
    return template


def asked(field: Json, operator: Json, catalog: Json) -> Iterator[tuple[Json, str]]:
    """Criteria that ask a field in one way, as tree and as text."""
    value, written = (None, "") if operator["takes"] in ("nothing", "window") else value_of(field, catalog)
    path = field["path"]
    if operator["takes"] == "window":
        for window, spelled in windows_of(field, catalog):
            put = {"field": path, "window": window}
            yield filled(operator["json"], put), operator["text"].format(field=path, window=spelled)
        return
    put = {"field": path, "value": value, "values": [value], "lo": value, "hi": value}
    text = operator["text"].format(field=path, value=written, values=written, lo=written, hi=written)
    yield filled(operator["json"], put), text


def builder(catalog: Json) -> Iterator[tuple[str, Json, str]]:
    operators = {one["name"]: one for one in catalog["operators"]}
    for entity in catalog["entities"]:
        for field in entity["fields"]:
            assert field["filterable"] == bool(field["operators"])
            for name in field["operators"]:
                assert field["kind"] in operators[name]["kinds"]
                for tree, text in asked(field, operators[name], catalog):
                    yield entity["name"], tree, text


async def test_every_field_can_be_asked_in_every_way(office: House, catalog: Json) -> None:
    cases = list(builder(catalog))
    assert len(cases) > 3_000
    joined: dict[str, list[tuple[Json, str]]] = {}
    for entity, tree, text in cases:
        joined.setdefault(entity, []).append((tree, text))
    for entity, told in joined.items():
        for batch in (told[n : n + 60] for n in range(0, len(told), 60)):
            trees = {"op": "or", "args": [tree for tree, _ in batch]} if len(batch) > 1 else batch[0][0]
            texts = " OR ".join(text if text.count(" OR ") == 0 else f"({text})" for _, text in batch)
            by_tree = await office.viewer.post("/v1/criteria/parse", json={"entity": entity, "text": texts})
            by_text = await office.viewer.post("/v1/criteria/format", json={"entity": entity, "criteria": trees})
            assert by_tree.status_code == by_text.status_code == 200, (by_tree.text, by_text.text)
            assert by_tree.json()["text"] == by_text.json()["text"]
            checked = await office.viewer.post("/v1/criteria/check", json={"entity": entity, "criteria": trees})
            errors = [p for p in checked.json()["problems"] if p["severity"] == "error"]
            assert errors == []


async def test_what_is_built_runs(office: House, catalog: Json) -> None:
    """One criteria of each kind and operator, as the database is asked."""
    seen: dict[tuple[str, str], str] = {}
    operators = {one["name"]: one for one in catalog["operators"]}
    (accounts,) = (entity for entity in catalog["entities"] if entity["name"] == "accounts")
    for field in accounts["fields"]:
        for name in field["operators"]:
            for _, text in asked(field, operators[name], catalog):
                seen.setdefault((field["kind"], name), text)
    assert len(seen) > 60
    for text in seen.values():
        answer = await office.viewer.get("/v1/accounts", params={"filter": text, "limit": 1})
        assert answer.status_code == 200, (text, answer.text)


async def test_sorting_and_showing_say_what_is_so(office: House, catalog: Json) -> None:
    (accounts,) = (entity for entity in catalog["entities"] if entity["name"] == "accounts")
    for field in accounts["fields"]:
        sorted_ = await office.viewer.get("/v1/accounts", params={"sort": field["path"], "limit": 1})
        assert (sorted_.status_code == 200) == field["sortable"], field["path"]


@pytest.mark.parametrize("entity", ["accounts", "contacts"])
async def test_fields_are_answered_where_it_is_said(office: House, catalog: Json, entity: str) -> None:
    account = await office.manager.put(f"/v1/accounts/external/shown-{entity}", json={"name": "Shown"})
    await office.manager.put(
        f"/v1/contacts/external/{entity}", json={"name": "Shown", "account_id": account.json()["id"]}
    )
    (of,) = (one for one in catalog["entities"] if one["name"] == entity)
    for field in of["fields"]:
        shown = await office.viewer.get(f"/v1/{entity}", params={"fields": field["path"], "limit": 1})
        assert shown.status_code == 200, field["path"]
        within = shown.json()["data"][0]
        for name in field["answered_as"].split("."):
            assert name in within, (field["path"], shown.json()["data"][0])
            within = within[name]


@pytest.mark.parametrize("family", ["fold", "related"])
async def test_functions_can_be_taken_of_every_relation(office: House, catalog: Json, family: str) -> None:
    """Of each relation that is asked: by the functions of the catalogue, of the kinds of fields that they take."""
    entities = {entity["name"]: entity for entity in catalog["entities"]}
    told = []
    for function in (one for one in catalog["functions"] if one["family"] == family):
        for entity in entities.values():
            for relation in (one for one in entity["relations"] if one["asked"]):
                for field in entities[relation["target"]]["fields"]:
                    if field["kind"] in function["takes"] and field["foldable"]:
                        put = {"relation": relation["name"], "field": field["path"]}
                        json_ = {k: v for k, v in function["json"].items() if k not in ("where", "in")}
                        of = filled(json_, put)
                        told.append((entity["name"], of if family == "related" else {"op": "empty", "of": of}))
    wrong = []

    async def ask(entity: str, tree: Json) -> None:
        answer = await office.viewer.post("/v1/criteria/check", json={"entity": entity, "criteria": tree})
        if not answer.json()["ok"]:
            wrong.append((tree, answer.json()["problems"]))

    unique = {json.dumps(one, sort_keys=True): one for one in told}
    for one in list(unique.values())[:: max(1, len(unique) // 150)]:
        await ask(*one)
    assert wrong == []


def put_in(operator: Json, of: Json, value: Any, catalog: Json) -> Json:
    """Criteria that ask what a function gives."""
    window = filled(catalog["windows"]["rolling"]["json"], {"dir": "last", "n": 3, "unit": "d"})
    put = {"field": of, "value": value, "values": [value], "lo": value, "hi": value, "window": window}
    tree: Json = filled(operator["json"], put)
    return tree


async def test_what_functions_give_is_asked_by_the_operators_of_its_kind(office: House, catalog: Json) -> None:
    """Of an operator that is asked of fields alone, functions are refused: the catalogue says which are which."""
    entities = {entity["name"]: entity for entity in catalog["entities"]}
    cases: dict[tuple[str, str, str], tuple[Json, bool]] = {}
    for function in (one for one in catalog["functions"] if one["family"] == "fold"):
        for relation in (one for one in entities["accounts"]["relations"] if one["asked"]):
            for field in entities[relation["target"]]["fields"]:
                if not field["foldable"] or (function["takes"] and field["kind"] not in function["takes"]):
                    continue
                kept = {name: of for name, of in function["json"].items() if name not in function["optional"]}
                of = filled(kept, {"relation": relation["name"], "field": field["path"]})
                kind = function["gives"] or field["kind"]
                given = field if kind == field["kind"] else {"kind": kind, "values": None, "target": None}
                value, _ = value_of(given, catalog)
                for operator in (one for one in catalog["operators"] if kind in one["kinds"]):
                    tree = put_in(operator, of, value, catalog)
                    cases.setdefault((function["name"], kind, operator["name"]), (tree, operator["of"] == "operand"))
    assert len(cases) > 300
    wrong = []
    for tree, taken in cases.values():
        answer = await office.viewer.post("/v1/criteria/check", json={"entity": "accounts", "criteria": tree})
        if answer.json()["ok"] != taken:
            wrong.append((tree, answer.json()["problems"]))
    assert wrong == []


async def test_fields_have_words_and_groups(office: House, catalog: Json) -> None:
    told = {e["name"]: {f["path"]: (f["label"], f["group"]) for f in e["fields"]} for e in catalog["entities"]}
    assert told["accounts"]["renewal_date"] == ("renewal date", "accounts")
    assert told["accounts"]["created_at"] == ("created at", "accounts")
    assert told["accounts"]["arr"] == ("ARR", "accounts")
    assert told["accounts"]["segment.tier"] == ("tier", "segments")
    assert told["accounts"]["custom.own-enum"] == ("own enum", "own attributes")
    assert told["contacts"]["account.csm"] == ("CSM", "account")
    assert told["contacts"]["account.segment.tier"] == ("tier", "account: segments")
    assert told["contacts"]["account.custom.own-enum"] == ("own enum", "account: own attributes")
    units = {*catalog["windows"]["rolling"]["units"], *catalog["windows"]["rolling"]["dir"]}
    assert catalog["windows"]["rolling"]["labels"].keys() == units
    named = {*catalog["windows"]["period"]["units"], *catalog["windows"]["period"]["which"]}
    assert catalog["windows"]["period"]["labels"].keys() == named
    assert all(one["label"] for name in ("operators", "functions", "references") for one in catalog[name])


async def test_what_a_list_begins_with_is_told(office: House, catalog: Json) -> None:
    for entity in catalog["entities"]:
        body = {"entity": entity["name"], "name": "Begun", "criteria": {"text": "ALL"}}
        made = await office.csm.post("/v1/lists", json=body)
        assert (made.status_code == 201) == (entity["columns"] is not None), entity["name"]
        if entity["columns"] is not None:
            assert made.json()["columns"] == entity["columns"]
            own = {"op": "cmp", "of": entity["mine"], "cmp": "eq", "value": {"ref": "me"}}
            checked = await office.csm.post("/v1/criteria/check", json={"entity": entity["name"], "criteria": own})
            assert checked.json()["ok"]


async def test_records_are_found_by_what_they_are_called(office: House, catalog: Json) -> None:
    """As an input does that completes a reference: the target's own address, asked for words."""
    for target in {f["target"] for e in catalog["entities"] for f in e["fields"] if f["kind"] == "ref"}:
        (entity,) = (one for one in catalog["entities"] if one["name"] == target)
        assert entity["searched"]
        words = [{"op": "text", "of": path, "match": "contains", "value": "csm"} for path in entity["searched"]]
        body = {"criteria": {"op": "or", "args": words}, "fields": ["id", *entity["searched"]], "limit": 5}
        answer = await office.viewer.post(f"/v1/{target}/query", json=body)
        assert answer.status_code == 200, answer.text
        if target == "users":
            assert [row["email"] for row in answer.json()["data"]] == ["csm@catalogue.example"]


async def test_examples_are_accepted(office: House, catalog: Json) -> None:
    rank = [one["name"] for one in catalog["functions"] if one["family"] in ("rank", "segment", "list")]
    for example in [*catalog["examples"], *(f["example"] for f in catalog["functions"] if f["name"] not in rank)]:
        answer = await office.csm.post("/v1/criteria/check", json={"entity": "accounts", "filter": example})
        assert answer.json()["ok"], (example, answer.json())
    for one in catalog["functions"]:
        answer = await office.csm.post("/v1/criteria/parse", json={"entity": "accounts", "text": one["example"]})
        assert answer.status_code == 200, one["example"]


async def test_what_the_workspace_has_named_is_known(office: House, catalog: Json) -> None:
    known = {one["target"]: one for one in catalog["known"]}
    assert known["industries"] == {"target": "industries", "whole": True, "values": [{"value": "saas", "name": "Saas"}]}
    (accounts,) = (entity for entity in catalog["entities"] if entity["name"] == "accounts")
    fields = {field["path"]: field for field in accounts["fields"]}
    assert fields["industry"]["target"] == "industries"
    assert fields["products"]["target"] == "products"
    assert fields["custom.own-enum"]["values"] == ["free", "paid"]
    assert fields["segment.tier"]["values"]
    (contacts,) = (entity for entity in catalog["entities"] if entity["name"] == "contacts")
    assert "account.segment.tier" in {field["path"] for field in contacts["fields"]}


async def test_it_has_an_etag(office: House, stranger: House) -> None:
    first = await office.viewer.get("/v1/catalog")
    again = await office.viewer.get("/v1/catalog", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await office.admin.post("/v1/industries", json={"name": "Retail", "slug": "retail"})
    changed = await office.viewer.get("/v1/catalog", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200
    assert "retail" not in (await stranger.viewer.get("/v1/catalog")).text


async def test_graphql_has_the_same(office: House) -> None:
    query = """{ catalog {
      entities { name singular time_field: timeField searched columns mine
        fields { path label group answered_as: answeredAs kind description unit optional writable filterable sortable groupable foldable
          operators values target minimum maximum }
        relations { name target many time_field: timeField asked } }
      kinds { name description operators example text } operators { name label of takes text json kinds }
      joined { name text json } functions { name label family signature json gives description example takes optional } windows
      references { label text json description kinds types } known { target whole values { value name } } people keywords limits
      problems { code severity description } costs { class description } examples } }"""
    told, rest = await asyncio.gather(
        office.viewer.post("/graphql", json={"query": query}), office.viewer.get("/v1/catalog")
    )
    assert "errors" not in told.json(), told.text[:500]
    assert told.json()["data"]["catalog"] == rest.json()
