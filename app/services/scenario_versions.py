"""Versions of scenarios: read page by page, and brought back by a rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.domain import records, values
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.persistence import scenario_versions as rows
from app.persistence import scenarios as kept
from app.persistence.database import Database, Reader, Record, Transaction
from app.persistence.records import By
from app.services import scenarios, writing
from app.services.calls import Call, Written, once
from app.services.segmentation_documents import instant

MOST_VERSION = 2**31 - 1


async def every(
    db: Reader, principal: Principal, slug: str, before: int | None, limit: int
) -> tuple[list[dict[str, Any]], list[tuple[int]], bool]:
    """Versions, the latest first; the key of each, and whether there are more. Raises NotFound."""
    permit(principal, "records.read")
    standing = None if values.UNSTORABLE.search(slug) else await kept.one(db, principal.workspace.id, slug)
    if standing is None:
        raise NotFound
    listed = await rows.page(db, principal.workspace.id, standing["id"], before, limit + 1)
    page = listed[:limit]
    return [_shown(one) for one in page], [(one["version"],) for one in page], len(listed) > limit


async def rollback(
    db: Database, call: Call, by: By, value: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Name, impacts and lanes of an earlier version `{version}` as the next one; accounts follow where it is active,
    and which one is active stays as it is.

    Raises NotFound for a scenario or version that is not there, Forbidden, VersionRequired, VersionStale, Invalid where
    an industry that it names is no more.
    """
    permit(call.principal, scenarios.WRITE)
    key, wanted = writing.addressed(by, value), _wanted(body)

    async def act(tx: Transaction) -> Written:
        standing = await scenarios.held(tx, call, by, key)
        earlier = await rows.one(tx, call.principal.workspace.id, standing["id"], wanted)
        if earlier is None:
            raise NotFound("There is no such version.")
        given = {"name": earlier["name"], **{name: msgspec.json.decode(earlier[name]) for name in scenarios.SHAPED}}
        given["impacts"] = {**dict.fromkeys(msgspec.json.decode(standing["impacts"])), **given["impacts"]}
        return await scenarios.changed(tx, call, standing, given, expected_version, once=True)

    return await once(db, call, f"{scenarios.WRITE} rollback {by} {value}", act)


def _wanted(body: Mapping[str, object]) -> int:
    version = records.only(body, ("version",)).get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= MOST_VERSION:
        raise Invalid(faults=(Fault("Expected the number of a version.", pointer="/version"),))
    return version


def _shown(row: Record) -> dict[str, Any]:
    shaped = {name: msgspec.json.decode(row[name]) for name in scenarios.SHAPED}
    return {
        "version": row["version"], "name": row["name"], **shaped, "is_active": row["is_active"],
        "author_id": row["author_id"], "author": row["author"], "created_at": instant(row["created_at"]),
    }  # fmt: skip
