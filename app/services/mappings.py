"""Mappings kept by name, for files that come again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from app.domain import mappings as domain
from app.domain.catalogue import Entity
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.imports import kind_of
from app.domain.roles import Principal, permit
from app.domain.values import MisfitError, slug
from app.persistence import mappings
from app.persistence.database import Database, Transaction
from app.services import effects
from app.services.calls import ENCODER, Call, Written, once

NOUN = "imports/mappings"
UNVERSIONED = 0


async def put(db: Database, call: Call, name: str, body: Mapping[str, Any]) -> Written:
    """Stores a mapping, which says its `kind`, in place of the one of this name; the body is what `get` answers. Raises Invalid, Forbidden."""
    permit(call.principal, "imports.create")
    try:
        slug(name)
    except MisfitError as misfit:
        raise Invalid(faults=(Fault(f"Expected {misfit.expected}.", parameter="name"),)) from None
    if not isinstance(body.get("kind"), str):
        raise Invalid(faults=(Fault("Expected the kind of record that it is for.", pointer="/kind"),))
    entity = _kind(str(body["kind"]))
    domain.read(body, entity, domain.own_of(call.principal.workspace, entity))
    told, workspace_id = ENCODER.encode(body), call.principal.workspace.id

    async def act(tx: Transaction) -> Written:
        before = await mappings.get(tx, workspace_id, name)
        await mappings.put(tx, workspace_id, name, told, call.now)
        done = effects.differing(NOUN, None, _said(name, before), _said(name, told))
        return Written(workspace_id, UNVERSIONED, _shown(name, told), before is None, done, is_told=True)

    return await once(db, call, f"imports.create put mapping {name}", act)


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


def _kind(told: str) -> Entity:
    try:
        return kind_of(told)
    except Invalid as error:  # which calls it a parameter: of a mapping it is a member
        raise Invalid(faults=tuple(replace(fault, parameter=None, pointer="/kind") for fault in error.faults)) from None


def _said(name: str, told: bytes | None) -> dict[str, Any] | None:
    return None if told is None else {"name": name, **msgspec.json.decode(told)}


def _shown(name: str, told: bytes) -> bytes:
    return msgspec.json.encode({"name": name, "mapping": msgspec.Raw(told)})
