"""Mappings kept by name, for files that come again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.domain import mappings as domain
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.imports import kind_of
from app.domain.records import MisfitError, slug
from app.domain.roles import Principal, permit
from app.persistence import mappings
from app.persistence.database import Database
from app.services.calls import Call

ENCODER = msgspec.json.Encoder(decimal_format="number")


async def put(db: Database, call: Call, name: str, body: Mapping[str, Any]) -> bytes:
    """Stores a mapping, which says its `kind`, in place of the one of this name; as JSON. Raises Invalid, Forbidden."""
    permit(call.principal, "imports.create")
    try:
        slug(name)
    except MisfitError as misfit:
        raise Invalid(faults=(Fault(f"Expected {misfit.expected}.", parameter="name"),)) from None
    if not isinstance(body.get("kind"), str):
        raise Invalid(faults=(Fault("Expected the kind of record that it is for.", pointer="/kind"),))
    domain.read(body, kind_of(str(body["kind"])))
    told = ENCODER.encode(body)
    async with db.transaction() as tx:
        await mappings.put(tx, call.principal.workspace.id, name, told, call.now)
    return _shown(name, told)


async def get(db: Database, principal: Principal, name: str) -> bytes:
    """The mapping of this name. Raises NotFound."""
    permit(principal, "imports.read")
    found = await mappings.get(db, principal.workspace.id, name)
    if found is None:
        raise NotFound
    return _shown(name, found)


async def every(db: Database, principal: Principal) -> list[bytes]:
    """All of them, by name."""
    permit(principal, "imports.read")
    return [_shown(row["name"], row["mapping"]) for row in await mappings.all_of(db, principal.workspace.id)]


def _shown(name: str, told: bytes) -> bytes:
    return msgspec.json.encode({"name": name, "mapping": msgspec.Raw(told)})
