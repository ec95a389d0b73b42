"""Mutations of the organisation's own attributes."""

from __future__ import annotations

from app.api.graphql.build import entered, given, output, resolved
from app.api.graphql.resources import record, uuid
from app.api.graphql.writing import Cases, Operations, inputs, mutations
from app.domain.catalogue import ATTRIBUTES
from app.services import attributes

WRITE = "attributes.write"

entered("CreateAttributeInput", inputs(ATTRIBUTES, required=True), "An attribute to define.")
entered(
    "UpdateAttributeInput",
    [
        *inputs(ATTRIBUTES, required=False),
        given(
            "replace", "Optional[JSON]", "For each value that is removed while records have it: another one, or null."
        ),
        given(
            "with_dependents",
            "Optional[bool]",
            "Retire it although lists, segmentations or mappings name it: they mean nothing until it is back.",
        ),
    ],
    "What is named is set, null included; all else stays as it is.",
)
output("AttributePayload", [
    resolved("attribute", "Attribute", lambda source, info, _: record(info, "attributes", source.id)),
    resolved("created", "bool", lambda source, *_: source.created, description="Whether it was made just now."),
])  # fmt: skip

MUTATIONS = mutations(
    ATTRIBUTES,
    Operations(WRITE, WRITE, WRITE),
    Cases(
        attributes.create,
        lambda db, call, key, body, version: attributes.change(db, call, uuid(key), body, version),
        attributes.upsert,
        lambda db, call, key, version: attributes.delete(db, call, uuid(key), version),
    ),
)
