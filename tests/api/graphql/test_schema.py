"""What is exposed shows in a diff."""

from __future__ import annotations

import pytest
from graphql import build_schema, is_input_object_type, is_object_type

from app.api.graphql.build import camel, choices
from app.api.graphql.schema import sdl
from app.api.graphql.types import type_name
from app.domain.catalogue import ENTITIES
from tests.servers import ROOT

SCHEMA = build_schema(sdl())


def test_committed() -> None:
    committed = (ROOT / "schema.graphql").read_text()
    assert sdl() + "\n" == committed, "run: strata schema > schema.graphql"


def test_every_entity_has_its_type() -> None:
    for entity in ENTITIES.values():
        made = SCHEMA.type_map[type_name(entity)]
        assert is_object_type(made)
        wanted = {camel(field.column) for field in entity.fields.values()} | {camel(name) for name in entity.relations}
        assert wanted <= set(made.fields)


@pytest.mark.parametrize("name", ENTITIES)
def test_every_entity_is_at_the_root(name: str) -> None:
    entity = ENTITIES[name]
    query = SCHEMA.query_type
    assert query is not None
    many = query.fields[name]
    assert str(many.type) == f"{type_name(entity)}Connection!"
    assert set(many.args) == {"where", "filter", "orderBy", "first", "after", "asOf", "on", "tz", "forUser", "archived"}
    assert str(many.args["where"].type) == f"{type_name(entity)}Filter"
    if entity.key != "none":
        names = {"id", "externalId", "slug"} if entity.key == "slug" else {"id", "externalId"}
        assert set(query.fields[entity.singular].args) == names


RULED = {"stages": {"entry", "expectedDays", "leavesAfterDays"}}
"""What single writes take, and no file or bulk call: it moves accounts."""


@pytest.mark.parametrize("name", ENTITIES)
def test_every_entity_can_be_written(name: str) -> None:
    entity = ENTITIES[name]
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    if entity.key == "none":
        assert {"putUsage", "deleteUsage"} <= set(mutation.fields)
        return
    for verb in ("create", "update", "upsert", "delete"):
        field = mutation.fields[f"{verb}{type_name(entity)}"]
        assert field.description
        assert "idempotencyKey" in field.args
        assert (
            str(field.args["expectedVersion"].type) == ("Int" if verb == "upsert" else "Int!")
            if verb != "create"
            else True
        )
    for made in (
        SCHEMA.type_map[f"Create{type_name(entity)}Input"],
        SCHEMA.type_map[f"Update{type_name(entity)}Input"],
    ):
        assert is_input_object_type(made)
        writable = {camel(field.column) for field in entity.fields.values() if field.writable}
        derived = {camel(field.column) for field in entity.fields.values() if not field.writable}
        assert writable <= set(made.fields)
        assert not derived & set(made.fields) - RULED.get(name, set())


def test_what_the_catalogue_says_is_told() -> None:
    for entity in ENTITIES.values():
        made = SCHEMA.type_map[type_name(entity)]
        assert is_object_type(made)
        for field in entity.fields.values():
            assert field.description in (made.fields[camel(field.column)].description or "")


def test_a_name_is_declared_once() -> None:
    with pytest.raises(LookupError, match="AccountStatus"):
        choices("AccountStatus", ("a",))
