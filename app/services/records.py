"""Records written by hand, whatever they are: what belongs to an account, and what the organisation has named."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from app.domain.catalogue import ENTITIES, Entity
from app.domain.related import RELATED
from app.persistence.database import Database
from app.persistence.records import By
from app.services import directory, related
from app.services.calls import Call, Written

DIRECTORY = ("industries", "products", "features", "teams")
WRITABLE = (*RELATED, *DIRECTORY)
"""The entities that can be written here. The others have rules of their own: accounts, users, stages, scenarios."""


async def create(
    db: Database, call: Call, entity: str, body: Mapping[str, object], *, account: UUID | None = None
) -> Written:
    """A new record; `account` is whose it is where the address says so.

    Raises Invalid, Forbidden, Conflict that names who has the external id or slug, NotFound for an unknown `account`.
    """
    known = _entity(entity)
    if entity in RELATED:
        return await related.create(db, call, known, body, account)
    return await directory.create(db, call, known, body)


async def change(
    db: Database, call: Call, entity: str, by: By, value: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes the members that are given, and only those; nothing new is no new version.

    Raises Invalid, NotFound, Forbidden, Conflict, VersionRequired, VersionStale.
    """
    known = _entity(entity)
    if entity in RELATED:
        return await related.change(db, call, known, by, value, body, expected_version)
    return await directory.change(db, call, known, by, value, body, expected_version)


async def upsert(
    db: Database, call: Call, entity: str, key: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The record of an external id, or of a slug where it has one: made where there is none, else changed as `change`
    does, version included."""
    known = _entity(entity)
    if entity in RELATED:
        return await related.upsert(db, call, known, key, body, expected_version)
    return await directory.upsert(db, call, known, key, body, expected_version)


async def delete(db: Database, call: Call, entity: str, by: By, value: str, expected_version: int | None) -> Written:
    """Takes a record away for good; `Written.body` is empty.

    Raises NotFound, Forbidden, VersionRequired, VersionStale, Conflict that names what depends on it.
    """
    known = _entity(entity)
    if entity in RELATED:
        return await related.delete(db, call, known, by, value, expected_version)
    return await directory.delete(db, call, known, by, value, expected_version)


def _entity(name: str) -> Entity:
    if name not in WRITABLE:
        raise LookupError(f"{name} are not written here")
    return ENTITIES[name]
