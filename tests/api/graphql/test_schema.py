"""What is exposed shows in a diff."""

from __future__ import annotations

from graphql import build_schema, is_input_object_type, is_object_type

from app.api.graphql.build import camel
from app.api.graphql.schema import sdl
from app.api.graphql.types import type_name
from app.domain.catalogue import ACCOUNTS, ENTITIES
from tests.servers import ROOT


def test_committed() -> None:
    committed = (ROOT / "schema.graphql").read_text()
    assert sdl() + "\n" == committed, "run: strata schema > schema.graphql"


def test_every_entity_has_its_type() -> None:
    schema = build_schema(sdl())
    for entity in ENTITIES.values():
        made = schema.type_map[type_name(entity)]
        assert is_object_type(made)
        wanted = {camel(field.column) for field in entity.fields.values()} | {camel(name) for name in entity.relations}
        assert wanted <= set(made.fields)


def test_inputs_hold_what_can_be_written() -> None:
    schema = build_schema(sdl())
    made = schema.type_map["CreateAccountInput"]
    assert is_input_object_type(made)
    writable = {camel(field.column) for field in ACCOUNTS.fields.values() if field.writable}
    derived = {camel(field.column) for field in ACCOUNTS.fields.values() if not field.writable}
    assert writable <= set(made.fields)
    assert not derived & set(made.fields)
