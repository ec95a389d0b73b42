"""What resolvers share: bodies of services as values, ids, and records read in one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from strawberry.types.arguments import StrawberryArgument

from app.api.graphql.build import Resolved, camel, resolved
from app.api.graphql.plans import connection, planned, setting_of
from app.api.graphql.selections import BESIDE, OWN_ID, named
from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria.nodes import Node
from app.domain.errors import Invalid, NotFound
from app.services import reads, writing

Answer = Callable[[UUID, Any, Mapping[str, Any]], Any]
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
    """A record as the document selects it under this field; one statement. Who may not read records was refused all but
    what they are known by before they wrote it. Raises NotFound."""
    caller, raw = info.context, info._raw_info
    selection = caller.reading.at(setting_of(caller)).selection(ENTITIES[entity], raw.field_nodes)
    found = await reads.one_selected(
        caller.db, writing.reader(caller.principal), entity, "id", str(record_id), selection
    )
    return body(found.body)


async def planned_value(info: Any) -> Any:
    """The value of a plain read."""
    caller, raw = info.context, info._raw_info
    return body(b"".join(await planned(caller.reading, raw.path.key, raw.field_nodes, typed=True).answer(caller)))


async def connected(info: Any, entity: str, within: Node | None, *, segmentation: str | None = None) -> Any:
    """A connection under a resource, as the document selects it, of the records that also meet `within`; `segmentation`:
    the one whose page it is."""
    caller, raw = info.context, info._raw_info
    arguments = caller.reading.arguments(raw.parent_type, raw.field_nodes[0])
    of = named(raw.parent_type, raw.field_nodes[0])
    answer = connection(caller.reading, ENTITIES[entity], of, raw.field_nodes, arguments, within, segmentation)
    return body(b"".join(await answer(caller)))


def beside(
    entity: Entity, name: str, annotation: str, answer: Answer, *arguments: StrawberryArgument, description: str
) -> Resolved:
    """A field of a record that is no part of it: `answer` is called with the record's id, info and arguments."""

    def asked(source: Any, info: Any, said: Mapping[str, Any]) -> Any:
        single(info, f"{entity.singular}(id)")
        return answer(UUID(source[OWN_ID]), info, said)

    BESIDE.add((entity.name, camel(name)))
    return resolved(name, annotation, asked, *arguments, description=description)


def single(info: Any, instead: str) -> None:
    """Refuses a field that asks the database anew for each of many: their number is not the document's to see."""
    above = info.path.prev
    while above is not None and not isinstance(above.key, int):
        above = above.prev
    if above is not None:
        raise Invalid(f"Ask {instead} for this: here it would take a statement for each.")
