"""What a workspace's scores are made of, and what they were, kept at the close of each day."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain import score_bodies
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.members import below
from app.domain.roles import Principal, permit
from app.domain.scores import (
    HealthModel,
    Scores,
)
from app.domain.workspaces import Workspace
from app.persistence import facts, segments, workspaces
from app.persistence import scores as rows
from app.persistence.database import Database, Transaction
from app.persistence.scoped import scoped
from app.services import effects, keys, measures, settle
from app.services.calls import ENCODER, Call, Written, once, versioned
from app.services.prepared import definition, prepare

NOUN = "scores"
WRITE = "scores.write"


def get(principal: Principal) -> bytes:
    """What the scores of the principal's workspace are made of, as JSON."""
    permit(principal, "workspace.read")
    return _body(principal.workspace)


async def put(db: Database, call: Call, body: Mapping[str, object], expected_version: int | None) -> Written:
    """Says anew what scores are made of; what is left out is as it is unless told otherwise. Every account has the scores
    that follow before it answers. Raises Invalid, Forbidden, VersionRequired, VersionStale."""
    permit(call.principal, WRITE)
    wanted = score_bodies.read(body)

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        before = standing = await workspaces.load(tx, workspace_id)
        versioned(standing.scores_version, expected_version)
        await _sound(tx, call, standing, wanted)
        if wanted != standing.scores:
            await _change(tx, call, standing, wanted)
            standing = await workspaces.load(tx, workspace_id)
            if wanted.health is not None and _facts(wanted) == _facts(before.scores):
                await settle.place(tx, standing, call.now)
            else:
                await settle.settle(tx, standing, None, call.now)
        told = [score_bodies.told(one.scores) for one in (before, standing)]
        done = effects.differing(NOUN, workspace_id, *told)
        return Written(workspace_id, standing.scores_version, _body(standing), created=False, effects=done)

    written = await once(db, call, WRITE, act)
    keys.forget(db)
    return written


def _facts(scores: Scores) -> tuple[object, ...]:
    """What kept facts depend on; health by a model comes after them."""
    return scores.engagement, scores.consumption


async def _sound(tx: Transaction, call: Call, workspace: Workspace, wanted: Scores) -> None:
    """Raises Invalid where a measure, or the segmentation whose segments weigh them, means nothing here."""
    model = wanted.health
    if model is None:
        return
    faults: list[Fault] = []
    for n, one in enumerate(model.measures):
        try:
            measures.meaning(workspace, one, f"/health/measures/{n}/of")
        except Invalid as error:
            faults += error.faults
    if model.by is not None:
        faults += await _segments(tx, call, workspace, model)
    if faults:
        raise Invalid(faults=tuple(faults))


async def _segments(tx: Transaction, call: Call, workspace: Workspace, model: HealthModel) -> list[Fault]:
    slug, known = model.by or "", workspace.segmentations
    if slug not in known:
        words = "Expected the slug of a segmentation."
        return [Fault(words, pointer="/health/by/segmentation", suggestion=nearest(slug, known))]
    faults = [
        Fault("Expected a segment of the segmentation.", pointer=f"/health/by/weights{below(segment)}",
              suggestion=nearest(segment, known[slug].segments))
        for segment in model.weights or {}
        if segment not in known[slug].segments
    ]  # fmt: skip
    row = await segments.one(tx, workspace.id, slug)
    assert row is not None, "the workspace was read in this transaction"
    ready = await prepare(tx, [definition(row)], workspace, call.now)
    if any(measures.comes_later(rule.cases) for rule in ready.rules):
        faults.append(Fault(measures.CIRCLE, pointer="/health/by/segmentation"))
    return faults


async def _change(tx: Transaction, call: Call, standing: Workspace, wanted: Scores) -> None:
    """Health set by hand is kept beside the model's, and comes back where the model goes."""
    had, has = standing.scores.health is not None, wanted.health is not None
    if had != has:
        await facts.lock(tx, standing.id, None)
        await (rows.say if has else rows.said)(tx, standing.id)
    stored = ENCODER.encode(score_bodies.told(wanted)).decode()
    version = standing.scores_version + 1
    await rows.put(tx, standing.id, version, stored, call.principal.user_id, call.now)


def _body(workspace: Workspace) -> bytes:
    prepared = measures.prepare(workspace)
    broken = None if prepared is None else prepared.fault
    lost = None if broken is not None else _lost(workspace)
    state = "ok" if lost is None else "degraded"
    told = score_bodies.told(workspace.scores)
    health = {**told["health"], "state": state if broken is None else "broken", "detail": broken or lost}
    return ENCODER.encode({**told, "health": health, "version": workspace.scores_version})


def _lost(workspace: Workspace) -> str | None:
    """What is said where weights name segments, or a segmentation, that the workspace has no more; None where they name none."""
    model = workspace.scores.health
    if model is None or model.by is None:
        return None
    known = workspace.segmentations.get(model.by)
    if known is None:
        return f"There is no segmentation {model.by} any more: the usual weights hold for all accounts."
    lost = [slug for slug in model.weights or {} if slug not in known.segments]
    if not lost:
        return None
    one, them = (
        (f"no segment {lost[0]}", "its") if len(lost) == 1 else (f"none of the segments {', '.join(lost)}", "their")
    )
    had = "it" if len(lost) == 1 else "they"
    return f"There is {one} of {model.by} any more: {them} weights hold for no account, and the usual ones for those that {had} had."


async def close(tx: Transaction, workspace: Workspace) -> int:
    """Keeps the scores that changed since they were kept last, as they stand on the day of the facts, which is about to
    move on; of how many accounts. All must be locked."""
    found = await rows.changed(tx, workspace.id)
    if found is not None and not found:
        return 0
    plan = measures.plan(workspace, scoped(found))
    return await rows.close(tx, workspace.id, found, workspace.scores_version, plan, workspace.facts_day)
