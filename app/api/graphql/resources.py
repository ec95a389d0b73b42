"""What resolvers share: bodies of services as values, ids, and records read in one statement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain.errors import NotFound

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


async def record(info: Any, entity: str, record_id: UUID) -> Any: ...
async def planned_value(info: Any) -> Any: ...
async def members_of(info: Any, slug: str) -> Any: ...
