"""Lifecycle stages: an organisation's own, made, named, put in order and taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.domain import records
from app.domain.catalogue import ACCOUNTS, STAGES
from app.domain.criteria.suggest import nearest
from app.domain.errors import Conflict, Fault, Invalid, NotFound, VersionStale
from app.domain.roles import permit
from app.persistence import facts, stages, workspaces
from app.persistence import lifecycle as verdicts
from app.persistence import records as rows
from app.persistence.database import Database, Record, Transaction
from app.persistence.records import By
from app.services import dependents, effects, lifecycle, moves, settle, writing
from app.services.calls import ENCODER, Call, Effect, Written, may_read, new_id, once, versioned

MOST = 100
"""Stages of one workspace."""
WRITE = "stages.write"
SHOWN = ("id", "slug", "name", "position", "version")
RESERVED = ("external", "order", "query", "stuck", "summary")
"""Words of addresses: no stage can be called so."""


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new stage at its position, the last one where none is told; those behind it move on.

    Raises Invalid, Forbidden, Conflict where the slug is taken or there are too many.
    """
    permit(call.principal, WRITE)
    given = _read(call, body, partial=False)

    async def act(tx: Transaction) -> Written:
        return await _create(tx, call, await _held(tx, call), given)

    return await once(db, call, f"{WRITE} create", act)


async def change(
    db: Database, call: Call, by: By, value: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Another name, external id, position, or rule by which accounts move; the slug stays. Raises Invalid, NotFound, Forbidden, Conflict,
    VersionRequired, VersionStale."""
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    given = _read(call, body, partial=True)

    async def act(tx: Transaction) -> Written:
        order = await _held(tx, call)
        standing = await rows.locked(tx, STAGES, call.principal.workspace.id, by, key)
        if standing is None:
            raise NotFound
        return await _change(tx, call, order, standing, given, expected_version)

    return await once(db, call, f"{WRITE} change {by} {value}", act)


async def upsert(
    db: Database, call: Call, slug: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The stage of a slug: made where there is none, else changed as `change` does, version included."""
    permit(call.principal, WRITE)
    told = writing.named(STAGES, slug, body)
    given = _read(call, told, partial=True)

    async def act(tx: Transaction) -> Written:
        order = await _held(tx, call)
        standing = await rows.locked(tx, STAGES, call.principal.workspace.id, "slug", slug)
        if standing is not None:
            return await _change(tx, call, order, standing, given, expected_version)
        if expected_version is not None:
            raise VersionStale
        return await _create(tx, call, order, _read(call, told, partial=False))

    return await once(db, call, f"{WRITE} upsert {slug}", act)


async def arrange(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """All stages in the order in which `{"stages": [slug, …]}` names them, each once; answers `{"data": [stage, …]}`.

    Naming all is what guards it: who does not know of a new stage is told. Raises Invalid, Forbidden.
    """
    permit(call.principal, WRITE)
    told = _slugs(body)

    async def act(tx: Transaction) -> Written:
        order = await _held(tx, call)
        known = {row["slug"]: row["id"] for row in order}
        faults = [
            Fault("Expected the slug of a stage.", pointer=f"/stages/{n}", suggestion=nearest(slug, known))
            for n, slug in enumerate(told)
            if slug not in known
        ]
        missing = [slug for slug in known if slug not in told]
        if missing:
            faults.append(Fault(f"Expected every stage: {', '.join(missing)} is left out.", pointer="/stages"))
        if faults:
            raise Invalid(faults=tuple(faults[:MOST]))
        done = await number(tx, call, order, [known[slug] for slug in told])
        await _follow(tx, call, done)
        shown = [name for name in SHOWN if name != "name" or may_read(call.principal)]
        ordered = await stages.ordered(tx, call.principal.workspace.id)
        data = [{name: row[name] for name in shown} for row in ordered]
        return Written(call.principal.workspace.id, 0, ENCODER.encode({"data": data}), False, done, is_told=True)

    return await once(db, call, f"{WRITE} arrange", act)


async def delete(
    db: Database, call: Call, by: By, value: str, expected_version: int | None, move_to: str | None = None
) -> Written:
    """Takes a stage away; accounts that stand in it move to `move_to`. What was keeps its name in history.

    Raises NotFound, Invalid for a `move_to` that is not there, Forbidden, VersionRequired, VersionStale, and Conflict
    that names what depends on it: accounts without `move_to`, lists and segmentations in any case.
    """
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    workspace = call.principal.workspace

    async def act(tx: Transaction) -> Written:
        await facts.lock(tx, workspace.id, None)  # before those who move
        order = await stages.ordered(tx, workspace.id)
        standing = await rows.locked(tx, STAGES, workspace.id, by, key)
        if standing is None:
            raise NotFound
        versioned(standing["version"], expected_version)
        done: tuple[Effect, ...] = ()
        if move_to is not None:
            _elsewhere(move_to, [row["slug"] for row in order if row["id"] != standing["id"]])
            moved = await stages.standing_in(tx, workspace.id, standing["slug"])
            await moves.place(tx, call, moved, move_to)
            done = effects.several(ACCOUNTS.name, moved, {"stage": standing["slug"]}, {"stage": move_to})
        await dependents.refuse(tx, call.principal, STAGES.name, standing["id"], standing["slug"])
        await rows.delete(tx, STAGES, workspace.id, standing["id"])
        left = [row["id"] for row in order if row["id"] != standing["id"]]
        done += await number(tx, call, [row for row in order if row["id"] in left], left)
        done = effects.gone(STAGES, workspace, standing["id"], standing) + done
        await _follow(tx, call, done)
        return Written(standing["id"], standing["version"], b"", False, done)

    return await once(db, call, f"{WRITE} delete {by} {value} {move_to}", act)


def _read(call: Call, body: Mapping[str, object], *, partial: bool) -> dict[str, Any]:
    told = body if partial else {"position": MOST, **body}
    plain = {name: value for name, value in told.items() if name not in lifecycle.RULED}
    given: dict[str, Any] = writing.read(call, STAGES, plain, partial=partial)
    given |= lifecycle.read(call.principal.workspace, told)
    faults = []
    if given.get("position", 1) == 0:
        faults.append(Fault("Expected a position from 1: the first stage has 1.", pointer="/position"))
    if given.get("slug") in RESERVED:
        faults.append(Fault("Expected another slug: this is a word of addresses.", pointer="/slug"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return given


def _slugs(body: Mapping[str, object]) -> list[str]:
    told = records.only(body, ("stages",)).get("stages")
    if not isinstance(told, list) or len(told) > MOST or not all(isinstance(one, str) for one in told):
        raise Invalid(faults=(Fault("Expected an array of the slugs of all stages.", pointer="/stages"),))
    again = [n for n, slug in enumerate(told) if slug in told[:n]]
    if again:
        raise Invalid(faults=tuple(Fault("Expected each stage once.", pointer=f"/stages/{n}") for n in again))
    return told


def _elsewhere(told: str, known: Sequence[str]) -> None:
    if told not in known:
        fault = Fault("Expected the slug of another stage.", parameter="move_to", suggestion=nearest(told, known))
        raise Invalid(faults=(fault,))


async def _held(tx: Transaction, call: Call) -> list[Record]:
    """The stages in order: one at a time may change it."""
    await workspaces.hold(tx, call.principal.workspace.id)
    return await stages.ordered(tx, call.principal.workspace.id)


async def _create(tx: Transaction, call: Call, order: Sequence[Record], given: Mapping[str, Any]) -> Written:
    if len(order) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} stages.")
    stage_id, workspace = new_id(), call.principal.workspace
    ids = [row["id"] for row in order]
    position = min(int(given["position"]), len(ids) + 1)
    values = {**given, "position": position}
    await writing.insert(tx, call, STAGES, stage_id, values)
    done = effects.made(STAGES, workspace, stage_id, values)
    done += await number(tx, call, order, [*ids[: position - 1], stage_id, *ids[position - 1 :]])
    await _follow(tx, call, done)
    return await _answer(tx, call, stage_id, done, created=True)


async def _change(
    tx: Transaction,
    call: Call,
    order: Sequence[Record],
    standing: Record,
    given: Mapping[str, Any],
    expected: int | None,
) -> Written:
    versioned(standing["version"], expected)
    stage_id, workspace = standing["id"], call.principal.workspace
    stood = dict(standing) | dict(next(row for row in order if row["id"] == stage_id))
    after = {column: value for column, value in given.items() if stood[column] != value}
    if "slug" in after:
        message = "Expected the slug that it was made with: what refers to it would lead nowhere. Make another one."
        raise Invalid(faults=(Fault(message, pointer="/slug"),))
    done: tuple[Effect, ...] = ()
    if (wanted := after.pop("position", None)) is not None:
        ids = [row["id"] for row in order if row["id"] != stage_id]
        ids.insert(min(wanted, len(order)) - 1, stage_id)
        done = await number(tx, call, order, ids)
    if after:
        await writing.refuse_taken(tx, call, STAGES, after)
        await rows.update(tx, STAGES, workspace.id, stage_id, after, call.now)
        done += effects.changed(STAGES, workspace, stage_id, stood, after)
    await _follow(tx, call, done)
    return await _answer(tx, call, stage_id, done)


async def _answer(
    tx: Transaction, call: Call, stage_id: UUID, done: tuple[Effect, ...], *, created: bool = False
) -> Written:
    """The stage as it is now: whether its criteria mean something the workspace says as it has become."""
    known = await workspaces.load(tx, call.principal.workspace.id)
    later = replace(call, principal=replace(call.principal, workspace=known))
    return await writing.answer(tx, later, STAGES, stage_id, done, created=created)


async def _follow(tx: Transaction, call: Call, done: tuple[Effect, ...]) -> None:
    """Accounts move where the stages as they are now put them, once anything was done to how or where they move."""
    told = {name for effect in done for side in (effect.before, effect.after) for name in side or ()}
    if told.isdisjoint(("entry", "leaves_after_days", "position", "slug")):
        return
    workspace = await workspaces.load(tx, call.principal.workspace.id)
    if not any(rule.entry is not None for rule in workspace.rules):
        await verdicts.forget(tx, workspace.id)
    if workspace.rules:
        await settle.place(tx, workspace, call.now)


async def number(tx: Transaction, call: Call, before: Sequence[Record], order: Sequence[UUID]) -> tuple[Effect, ...]:
    """Numbers the stages from 1 in this order, whatever numbers they came with; those among `before` that moved."""
    await stages.place(tx, call.principal.workspace.id, order, call.now)
    stood = {row["id"]: row["position"] for row in before}
    return tuple(
        Effect(STAGES.name, stage_id, {"position": stood[stage_id]}, {"position": n})
        for n, stage_id in enumerate(order, 1)
        if stage_id in stood and stood[stage_id] != n
    )
