"""Scenarios: kept side by side, edited, and switched; every account has the impact of the active one at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from app.domain import scenarios as domain
from app.domain.catalogue import SCENARIOS
from app.domain.errors import Conflict, Fault, Invalid, NotFound, VersionStale
from app.domain.roles import permit
from app.persistence import facts, scenario_versions, scenarios, workspaces
from app.persistence import records as rows
from app.persistence.database import Database, Record, Transaction
from app.persistence.records import By
from app.services import effects, settle, writing
from app.services.calls import ENCODER, Call, Effect, Written, new_id, once, versioned
from app.services.writing import Given

MOST = 100
"""Scenarios of one workspace."""
WRITE = "scenarios.write"
RESERVED = ("compare", "external", "query")
"""Words of addresses: no scenario can be called so."""
SHAPED = ("impacts", "lanes")
"""Members that are read here, against the industries; the others as those of any record."""


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new scenario; `impacts` per industry, `lanes` as they usually begin where none are told. The first one is active,
    and one that is told so takes the place of the one that was. Raises Invalid, Forbidden, Conflict."""
    permit(call.principal, WRITE)
    given = _read(call, body, partial=False)

    async def act(tx: Transaction) -> Written:
        return await _create(tx, call, await _every(tx, call), given)

    return await once(db, call, f"{WRITE} create", act)


async def change(
    db: Database, call: Call, by: By, value: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes what is given; of `impacts` and `lanes` the members that are named, null takes an industry out.
    `is_active` true switches to it. Raises Invalid, NotFound, Forbidden, Conflict, VersionRequired, VersionStale."""
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    given = _read(call, body, partial=True)

    async def act(tx: Transaction) -> Written:
        return await changed(tx, call, await held(tx, call, by, key), given, expected_version)

    return await once(db, call, f"{WRITE} change {by} {value}", act)


async def upsert(
    db: Database, call: Call, slug: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The scenario of a slug: made where there is none, else changed as `change` does, version included."""
    permit(call.principal, WRITE)
    told = writing.named(SCENARIOS, slug, body)
    given = _read(call, told, partial=True)

    async def act(tx: Transaction) -> Written:
        every = await _every(tx, call)
        standing = _known(every, "slug", slug)
        if standing is not None:
            return await changed(tx, call, standing, given, expected_version)
        if expected_version is not None:
            raise VersionStale
        return await _create(tx, call, every, _read(call, told, partial=False))

    return await once(db, call, f"{WRITE} upsert {slug}", act)


async def delete(db: Database, call: Call, by: By, value: str, expected_version: int | None) -> Written:
    """Takes a scenario away, the active one only where it is the last: accounts then have no impact.

    Raises NotFound, Forbidden, VersionRequired, VersionStale, Conflict.
    """
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    workspace = call.principal.workspace

    async def act(tx: Transaction) -> Written:
        every = await _every(tx, call)
        standing = _known(every, by, key)
        if standing is None:
            raise NotFound
        versioned(standing["version"], expected_version)
        if standing["is_active"] and len(every) > 1:
            raise Conflict(
                "Expected a scenario that is not active: the impact of accounts is its. Activate another one first."
            )
        await scenario_versions.forget(tx, workspace.id, standing["id"])
        await rows.delete(tx, SCENARIOS, workspace.id, standing["id"])
        if standing["is_active"]:
            await _settle(tx, call, None)
        done = effects.gone(SCENARIOS, workspace, standing["id"], standing)
        return Written(standing["id"], standing["version"], b"", False, done)

    return await once(db, call, f"{WRITE} delete {by} {value}", act)


def _read(call: Call, body: Mapping[str, object], *, partial: bool) -> dict[str, Any]:
    """The members that are given; `impacts` and `lanes` as they were told, empty in a new one where they are not."""
    shaped = {name: body.get(name, {}) for name in SHAPED if name in body or not partial}
    given: dict[str, Any] = writing.read(call, SCENARIOS, {**body, **{name: {} for name in shaped}}, partial=partial)
    if given.get("slug") in RESERVED:
        raise Invalid(faults=(Fault("Expected another slug: this is a word of addresses.", pointer="/slug"),))
    return {**given, **shaped}


async def held(tx: Transaction, call: Call, by: By, key: UUID | str) -> Record:
    """A scenario that nobody else changes meanwhile. Raises NotFound."""
    standing = _known(await _every(tx, call), by, key)
    if standing is None:
        raise NotFound
    return standing


async def _every(tx: Transaction, call: Call) -> list[Record]:
    """The scenarios: one at a time may change them or which of them is active."""
    await workspaces.hold(tx, call.principal.workspace.id)
    return await scenarios.locked(tx, call.principal.workspace.id)


def _known(every: Sequence[Record], by: By, value: UUID | str) -> Record | None:
    return next((row for row in every if row[by] == value), None)


async def _shaped(
    tx: Transaction, call: Call, given: Given, standing: Record | None, *, once: bool = False
) -> dict[str, bytes]:
    """`impacts` and `lanes` as they are to be stored; `once`: they were before. Raises Invalid with every fault of both."""
    industries = await scenarios.hold_industries(tx, call.principal.workspace.id)
    stood = {name: msgspec.json.decode(standing[name]) for name in SHAPED} if standing else {}
    impacts, faults = domain.impacts(given.get("impacts", {}), stood.get("impacts", {}), industries, once=once)
    lanes, more = domain.lanes(given.get("lanes", {}), {**domain.LANES, **stood.get("lanes", {})})
    if faults or more:
        raise Invalid(faults=(*faults, *more))
    return {"impacts": ENCODER.encode(impacts), "lanes": ENCODER.encode(lanes)}


async def _create(tx: Transaction, call: Call, others: Sequence[Record], given: Given) -> Written:
    if len(others) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} scenarios.")
    first = not any(row["is_active"] for row in others)
    if first and given.get("is_active") is False:
        raise Invalid(faults=(Fault("Expected true: the first scenario is the active one.", pointer="/is_active"),))
    active = first or bool(given.get("is_active"))
    scenario_id, workspace = new_id(), call.principal.workspace
    shaped = await _shaped(tx, call, given, None)
    values = {**given, **shaped, "is_active": active}
    done = await _rest(tx, call, scenario_id) if active else ()
    await writing.insert(tx, call, SCENARIOS, scenario_id, values)
    await scenario_versions.keep(tx, workspace.id, call.principal.user_id, call.now)
    if active:
        await _settle(tx, call, shaped["impacts"])
    made = effects.made(SCENARIOS, workspace, scenario_id, values)
    return await writing.answer(tx, call, SCENARIOS, scenario_id, made + done, created=True)


async def changed(
    tx: Transaction, call: Call, standing: Record, given: Given, expected: int | None, *, once: bool = False
) -> Written:
    """The scenario, which is `held`, with what is given; `once`: as it was before. Raises Invalid, Conflict, VersionRequired, VersionStale."""
    versioned(standing["version"], expected)
    scenario_id, workspace = standing["id"], call.principal.workspace
    shaped = await _shaped(tx, call, given, standing, once=once)
    after = {name: value for name, value in {**given, **shaped}.items() if _differs(name, standing[name], value)}
    _stays(after)
    if not after:
        return await writing.answer(tx, call, SCENARIOS, scenario_id)
    await writing.refuse_taken(tx, call, SCENARIOS, after)
    done = await _rest(tx, call, scenario_id) if after.get("is_active") else ()
    await rows.update(tx, SCENARIOS, workspace.id, scenario_id, after, call.now)
    await scenario_versions.keep(tx, workspace.id, call.principal.user_id, call.now)
    if "is_active" in after or (standing["is_active"] and "impacts" in after):
        await _settle(tx, call, shaped["impacts"])
    done += effects.changed(SCENARIOS, workspace, scenario_id, standing, after)
    return await writing.answer(tx, call, SCENARIOS, scenario_id, done)


def _stays(after: Mapping[str, object]) -> None:
    """Raises Invalid where the slug would be another, or no scenario active."""
    faults = []
    if "slug" in after:
        faults.append(Fault("Expected the slug that it was made with. Make another one.", pointer="/slug"))
    if after.get("is_active") is False:
        message = "Expected true: it is the active one. Activate another one, and this one is not any more."
        faults.append(Fault(message, pointer="/is_active"))
    if faults:
        raise Invalid(faults=tuple(faults))


def _differs(name: str, stood: Any, value: Any) -> bool:
    if name in SHAPED:
        return bool(msgspec.json.decode(stood) != msgspec.json.decode(value))
    return bool(stood != value)


async def _rest(tx: Transaction, call: Call, scenario_id: UUID) -> tuple[Effect, ...]:
    """No other one is active from now on."""
    rested = await scenarios.rest(tx, call.principal.workspace.id, scenario_id, call.now)
    return tuple(Effect(SCENARIOS.name, one, {"is_active": True}, {"is_active": False}) for one in rested)


async def _settle(tx: Transaction, call: Call, impacts: bytes | None) -> None:
    """Every account has its impact, and stands where that puts it. All of them are locked before: whoever puts one into
    another industry has ended, or waits and then reads what is active now."""
    workspace = call.principal.workspace
    await facts.lock(tx, workspace.id, None)
    touched = await scenarios.spread(tx, workspace.id, impacts)
    await settle.settle(tx, workspace, touched, call.now, changed=("impact",))
