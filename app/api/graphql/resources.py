"""What resolvers share: bodies of services as values, ids, and records read in one statement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.api.graphql.plans import connection, planned, setting_of
from app.api.graphql.selections import named
from app.domain.catalogue import ENTITIES
from app.domain.criteria.nodes import Node
from app.domain.errors import Invalid, NotFound
from app.services import reads

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def body(raw: bytes) -> Any:
    """The value of a service's JSON, exact."""
    return _DECODER.decode(raw)


def uuid(told: str) -> UUID:
    """An id. Raises NotFound for what cannot be one: nothing has it."""
    try:
        if len(told) == 36:
            return UUID(told)
    except ValueError:
        pass
    raise NotFound


async def record(info: Any, entity: str, record_id: UUID) -> Any:
    """A record as the document selects it under this field; one statement. Raises NotFound."""
    caller, raw = info.context, info._raw_info
    selection = caller.reading.at(setting_of(caller)).selection(ENTITIES[entity], raw.field_nodes)
    found = await reads.one_selected(caller.db, caller.principal, entity, "id", str(record_id), selection)
    return body(found.body)


async def planned_value(info: Any) -> Any:
    """The value of a plain read."""
    caller, raw = info.context, info._raw_info
    return body(b"".join(await planned(caller.reading, raw.path.key, raw.field_nodes, typed=True).answer(caller)))


async def connected(info: Any, entity: str, within: Node | None) -> Any:
    """A connection under a resource, as the document selects it, of the records that also meet `within`."""
    caller, raw = info.context, info._raw_info
    arguments = caller.reading.arguments(raw.parent_type, raw.field_nodes[0])
    of = named(raw.parent_type, raw.field_nodes[0])
    answer = connection(caller.reading, ENTITIES[entity], of, raw.field_nodes, arguments, within)
    return body(b"".join(await answer(caller)))


def single(info: Any, instead: str) -> None:
    """Refuses a field that asks the database anew for each of many: their number is not the document's to see."""
    above = info.path.prev
    while above is not None and not isinstance(above.key, int):
        above = above.prev
    if above is not None:
        raise Invalid(f"Ask {instead} for this: here it would take a statement for each.")
