"""What measures of health mean to a workspace, and health kept by them: with each write, and with the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import meant, nodes
from app.domain.criteria.check import check
from app.domain.criteria.meant import Operand
from app.domain.entries import day_of
from app.domain.errors import Fault, Invalid
from app.domain.score_bodies import operand_of
from app.domain.scores import Measure
from app.domain.segmentation.parts import names, of_segments, parts
from app.domain.workspaces import Workspace
from app.persistence import scores
from app.persistence.database import Transaction
from app.persistence.scoped import Scoped, scoped
from app.persistence.scores import Plan

GIVEN = frozenset(("health", "health_band"))
"""What a model gives."""
LATER = tuple(ACCOUNTS.fields[name] for name in ("health", "health_band", "stage", "stage_since"))
"""What follows from health, or comes after it: nothing that health is made of."""
CIRCLE = "Expected a segmentation that stands on neither health nor stages, with or without lists: it would go round in circles."
"""What is said of one that health weighs by."""
NUMBERS = ("number", "integer", "money", "date", "instant", "bool")
KEPT = 256
_prepared: dict[tuple[UUID, str], Prepared] = {}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the measures mean on the day of the facts, and the fields that they read; `fault` says why they mean nothing."""

    operands: tuple[Operand, ...]
    read: frozenset[str]
    plans: dict[Scoped, Plan]
    fault: str | None = None


def prepare(workspace: Workspace) -> Prepared | None:
    """What the workspace's own model means; None where health comes from outside."""
    model = workspace.scores.health
    if model is None:
        return None
    key = (workspace.id, workspace.epoch)
    found = _prepared.get(key)
    if found is None:
        try:
            operands = tuple(meaning(workspace, one, "/of") for one in model.measures)
        except Invalid as error:
            found = Prepared((), frozenset(), {}, error.faults[0].message if error.faults else error.detail)
        else:
            read = frozenset[str]().union(*(names(meant.Missing(of)) for of in operands))
            found = Prepared(operands, read, {})
        if len(_prepared) >= KEPT:
            _prepared.clear()
        _prepared[key] = found
    return found


def meaning(workspace: Workspace, measure: Measure, pointer: str) -> Operand:
    """What a measure is of. Raises Invalid where it is no number of the account that health can be made of."""
    told = operand_of(measure)
    try:
        if any(isinstance(part, nodes.InList | nodes.Rank) for part in parts(told)):
            raise Invalid("Expected no list and no rank: health is kept with every write.")
        found = check(nodes.Empty(told), ACCOUNTS, day_of(workspace)).meaning
        assert isinstance(found, meant.Missing), "it asks whether something is empty"
        if of_segments(found):
            raise Invalid("Expected no segment: segments are placed by health, not the other way round.")
        if comes_later(found):
            raise Invalid("Expected a field that does not follow from health, and no stage.")
        if _kind(found.of) not in NUMBERS:
            raise Invalid("Expected a number, an amount, a day, an instant, or yes and no.")
    except Invalid as error:
        told_faults = error.faults or (Fault(error.detail),)
        raise Invalid(
            faults=tuple(Fault(one.message, pointer=pointer, suggestion=one.suggestion) for one in told_faults)
        ) from None
    return found.of


def _kind(of: Operand) -> str:
    match of:
        case meant.FoldOf(fn="count" | "count_distinct") | meant.ChangeOf():
            return "number"
        case meant.FoldOf(field=field):
            return field.kind if field is not None else "number"
        case meant.SegmentOf():
            return "enum"
        case _:
            return of.field.kind


def plan(workspace: Workspace, of: Scoped) -> Plan | None:
    """The statements that keep and show health; None where it comes from outside, or its measures mean nothing any more."""
    model, prepared = workspace.scores.health, prepare(workspace)
    if model is None or prepared is None or prepared.fault is not None:
        return None
    found = prepared.plans.get(of)
    if found is None:
        found = prepared.plans[of] = scores.plan(model, prepared.operands, workspace, of)
    return found


def weighs(workspace: Workspace) -> bool:
    """Whether what health weighs depends on a segment."""
    model = workspace.scores.health
    return model is not None and model.by in workspace.segmentations


def weighed_by(workspace: Workspace, slug: str) -> bool:
    """Whether what health weighs depends on the segments of this segmentation, there or not."""
    model = workspace.scores.health
    return model is not None and model.by == slug


def comes_later(meaning: object) -> bool:
    """Whether anything in it follows from health or comes after it."""
    return any(part in LATER for part in parts(meaning))


async def keep(
    tx: Transaction, workspace: Workspace, account_ids: Sequence[UUID] | None, touched: frozenset[str] | None
) -> frozenset[str]:
    """Bring the health of these accounts (None: all), which are locked, up to date where the workspace has a model of its own;
    the fields that may be others now. `touched`: the fields that are, where nothing else was written."""
    prepared = prepare(workspace)
    if prepared is None or (touched is not None and touched.isdisjoint(prepared.read | GIVEN)):
        return frozenset()
    found = plan(workspace, scoped(account_ids))
    return GIVEN if found is not None and await scores.keep(tx, found, account_ids) else frozenset()
