"""Mutations made from the catalogue: create, update, upsert and delete of an entity, their inputs and payloads.

A room that writes an entity of its own hands its use cases to `mutations`; what is no entity takes KEY, VERSION, ID and
`mended` from here, so that every mutation is retried, guarded and refused in the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from strawberry.types.field import StrawberryField

from app.api.graphql.build import Resolved, argument, camel, entered, given, operated, output, resolved, told
from app.api.graphql.resources import record
from app.api.graphql.types import annotation, described, type_name
from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.errors import Fault, StrataError
from app.persistence.database import Database
from app.services import records
from app.services.calls import Call, Written
from app.services.writing import known_by

Arguments = Mapping[str, Any]
Body = Mapping[str, Any]
Writing = Awaitable[Written]

KEY = argument(
    "idempotency_key", "Optional[str]", None, "The same key and arguments within 24 hours: one effect, the same answer."
)
VERSION = argument("expected_version", "int", description="The version that the change starts from.")
ID = argument("id", "ID")
ID_OR_SLUG = argument("id", "ID", description="Its id, or its slug.")
VERSION_IF_THERE = argument(
    "expected_version", "Optional[int]", None, "Needed where it is there already; left out where it is to be made."
)
PARAMETERS = {
    "Idempotency-Key": "idempotencyKey",
    "If-Match": "expectedVersion",
    "move_to": "moveTo",
    "external_id": "externalId",
}
"""What REST has as headers, by the argument that says it here."""

output("DeletedPayload", [resolved("id", "ID", lambda source, *_: str(source.id), description="Of what is gone.")])


@dataclass(frozen=True, slots=True)
class Cases:
    """The use cases of one entity. Bodies have the names of REST, ids and keys are as they were told; `delete` may be
    None where the mutation is written by hand."""

    create: Callable[[Database, Call, Body], Writing]
    change: Callable[[Database, Call, str, Body, int], Writing]
    upsert: Callable[[Database, Call, str, Body, int | None], Writing]
    delete: Callable[[Database, Call, str, int], Writing] | None = None

    @classmethod
    def of_records(cls, entity: str) -> Cases:
        """Those that all entities share whose writes have no rules of their own."""
        of = ENTITIES[entity]
        return cls(
            lambda db, call, body: records.create(db, call, entity, body),
            lambda db, call, told, body, version: records.change(
                db, call, entity, known_by(of, told), told, body, version
            ),
            lambda db, call, key, body, version: records.upsert(db, call, entity, key, body, version),
            lambda db, call, told, version: records.delete(db, call, entity, known_by(of, told), told, version),
        )


@dataclass(frozen=True, slots=True)
class Operations:
    """What roles call the writes of an entity."""

    create: str
    write: str
    delete: str


def declare(entity: Entity) -> None:
    """`CreateContactInput`, `UpdateContactInput` and `ContactPayload` of an entity with ids."""
    name, one = type_name(entity), noun(entity)
    entered(f"Create{name}Input", inputs(entity, required=True), f"{one[0].upper()}{one[1:]} to make.")
    entered(
        f"Update{name}Input",
        inputs(entity, required=False),
        "What is named is set, null included; all else stays as it is.",
    )
    output(f"{name}Payload", [
        resolved(entity.singular, name, lambda source, info, _: record(info, entity.name, source.id)),
        resolved("created", "bool", lambda source, *_: source.created, description="Whether it was made just now."),
    ])  # fmt: skip


def inputs(entity: Entity, *, required: bool) -> list[StrawberryField]:
    """What can be set of an entity; references by id, or by id, external id or e-mail under their own name."""
    fields: list[StrawberryField] = []
    for field in entity.fields.values():
        if field.writable:
            fields += _entered(entity, field, required)
    return fields


def _entered(entity: Entity, field: Field, required: bool) -> list[StrawberryField]:
    made, referring = annotation(entity, field), field.kind == "ref"
    # A reference is told in one of two ways: neither can be asked for by itself.
    needed = required and field.name in entity.required and not referring
    said = [
        described(field) or "",
        "refused where related records say it" if entity.name == "accounts" and field.fallback else "",
    ]
    fields = [given(field.column, made if needed else f"Optional[{made}]", "; ".join(filter(None, said)) or None)]
    if referring:
        ways = "id, external id or e-mail" if field.target in ("users", "contacts") else "id or external id"
        fields.append(given(field.name, "Optional[str]", f"Instead of `{camel(field.column)}`: {ways}."))
    return fields


def mutations(
    entity: Entity,
    operations: Operations,
    cases: Cases,
    gone: str = "Refused while anything depends on it; `errors` says what does.",
) -> list[Resolved]:
    """`createContact`, `updateContact`, `upsertContact`, `deleteContact` of an entity that was declared."""
    name, payload = type_name(entity), f"Optional[{type_name(entity)}Payload]"
    key = "slug" if entity.key == "slug" else "external_id"
    which = ID_OR_SLUG if key == "slug" else ID
    new, change = argument("input", f"Create{name}Input"), argument("input", f"Update{name}Input")
    made = [
        operated(
            operations.create, f"create_{entity.singular}", payload, _create(cases), new, KEY,
            description=f"Makes {noun(entity)}.",
        ),
        operated(
            operations.write, f"update_{entity.singular}", payload, _update(cases), which, VERSION, change, KEY,
            description="Changes the members that are given, and only those.",
        ),
        operated(
            operations.write, f"upsert_{entity.singular}", payload, _upsert(cases, key), argument(key, "str"), change,
            VERSION_IF_THERE, KEY,
            description=f"The {entity.singular} of {'a slug' if key == 'slug' else 'an external id'}: made where there is none, else changed.",
        ),
    ]  # fmt: skip
    if cases.delete is not None:
        made.append(
            operated(
                operations.delete, f"delete_{entity.singular}", "Optional[DeletedPayload]", _delete(cases.delete), which, VERSION, KEY,
                description=gone,
            )
        )  # fmt: skip
    return made


def noun(entity: Entity) -> str:
    """`an account`."""
    return f"{'an' if entity.singular[0] in 'aeio' else 'a'} {entity.singular}"


def _create(cases: Cases) -> Callable[..., Writing]:
    def act(_: Any, info: Any, said: Arguments) -> Writing:
        caller = info.context
        return mended(cases.create(caller.db, caller.call(info, said), told(said["input"])))

    return act


def _update(cases: Cases) -> Callable[..., Writing]:
    def act(_: Any, info: Any, said: Arguments) -> Writing:
        caller, version = info.context, said["expected_version"]
        call = caller.call(info, said)
        return mended(cases.change(caller.db, call, said["id"], told(said["input"]), version))

    return act


def _upsert(cases: Cases, key: str) -> Callable[..., Writing]:
    def act(_: Any, info: Any, said: Arguments) -> Writing:
        caller, version = info.context, said.get("expected_version")
        call = caller.call(info, said)
        return mended(cases.upsert(caller.db, call, said[key], told(said["input"]), version))

    return act


def _delete(delete: Callable[[Database, Call, str, int], Writing]) -> Callable[..., Writing]:
    def act(_: Any, info: Any, said: Arguments) -> Writing:
        caller = info.context
        call = caller.call(info, said)
        return mended(delete(caller.db, call, said["id"], said["expected_version"]))

    return act


# -- errors ------------------------------------------------------------------------------------------------------------


def at_argument(pointer: str | None) -> str | None:
    """`/renewal_date` of a body as `/input/renewalDate`, `/rows/0/contact_id` as `/input/rows/0/contactId`; what lies
    deeper keeps its names."""
    if not pointer:
        return pointer
    _, first, *rest = pointer.split("/")
    if len(rest) == 2 and rest[0].isdigit():
        rest[1] = camel(rest[1])
    return "/".join(["/input", camel(first), *rest])


async def mended(act: Writing) -> Written:
    """The same errors, pointing into the arguments."""
    try:
        return await act
    except StrataError as error:
        error.faults = tuple(_mended(fault) for fault in error.faults)
        raise


def _mended(fault: Fault) -> Fault:
    parameter = fault.parameter and PARAMETERS.get(fault.parameter, fault.parameter)
    return replace(fault, pointer=at_argument(fault.pointer), parameter=parameter)
