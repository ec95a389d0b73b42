"""How good calls of renewals were: bias, accuracy and what happened, beside what was computed of the same renewals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from app.domain import values
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.forecasting import ledger
from app.domain.forecasting.ledger import DEFAULTS, LEAST_CALLS, Track
from app.domain.forecasting.renewal_calls import expected
from app.domain.roles import Principal, allows, permit
from app.domain.workspaces import SegmentationName, Workspace, clock
from app.persistence import call_accuracy as rows
from app.persistence.call_accuracy import KEYS, CallColumns, Closed
from app.persistence.database import Reader
from app.services.calls import ENCODER

READ = "forecasts.read"
WHOLE = "all"


async def get(
    db: Reader,
    principal: Principal,
    now: datetime,
    by: str | None = None,
    start: str | None = None,
    end: str | None = None,
) -> bytes:
    """Calls of renewals that closed from `start` until before `end`, told apart `by` csm, author, category, month or
    `segment.<slug>`; a csm's are those of the csm's own accounts. Raises Forbidden, Invalid.
    """
    permit(principal, READ, own=True)
    workspace = principal.workspace
    first, last = days(start, end)
    told = by or "csm"
    mine = None if allows(principal, READ) else principal.user_id
    which = Closed(clock(workspace, now).today, first, last, mine)
    found = await rows.closed(db, workspace, chosen(told, workspace, tuple(KEYS)), which)
    told_apart, whole = tracks(found, found.keys), tracks(found, [WHOLE] * len(found.keys))
    names = dict(zip(found.keys, found.names, strict=True))
    return ENCODER.encode(
        {
            "by": told, "from": first, "to": last, "least": LEAST_CALLS, "calls": len(found.keys),
            "total": _shown(WHOLE, None, whole, workspace) if found.keys else None,
            "groups": [_shown(key, names[key], told_apart, workspace) for key in sorted(names)],
            "words": _words(whole),
        }
    )  # fmt: skip


def days(start: str | None, end: str | None) -> tuple[date | None, date | None]:
    """The period as it was told. Raises Invalid."""
    faults: list[Fault] = []
    found: list[date | None] = []
    for name, told in (("from", start), ("to", end)):
        try:
            found.append(None if told is None else values.day(told))
        except values.MisfitError as misfit:
            found.append(None)
            faults.append(misfit.fault(parameter=name))
    if found[0] and found[1] and found[1] <= found[0]:
        faults.append(Fault("Expected a day after `from`.", parameter="to"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return found[0], found[1]


def chosen(told: str, workspace: Workspace, keys: Sequence[str]) -> str | SegmentationName:
    """What they are told apart by: one of `keys`, or a segmentation. Raises Invalid."""
    if told in keys:
        return told
    found = workspace.segmentations.get(told.removeprefix("segment.")) if told.startswith("segment.") else None
    if found is None:
        known = (*keys, *(f"segment.{slug}" for slug in workspace.segmentations))
        message = f"Expected one of {', '.join(known)}."
        raise Invalid(faults=(Fault(message, parameter="by", suggestion=nearest(told, known)),))
    return found


Tracks = Mapping[str, tuple[Track, Track | None]]
"""By key: the calls', and that of the forecasts of the same renewals, where there were any."""


def tracks(found: CallColumns, keys: Sequence[str]) -> Tracks:
    """By key, one per call."""
    key, due = np.array(keys, dtype=np.str_), np.array(found.due, dtype=np.int64)
    said = np.array([expected(p, a) for p, a in zip(found.probability, found.amount, strict=True)], dtype=np.int64)
    brought, renewed = np.array(found.brought, dtype=np.int64), np.array(found.renewed, dtype=np.bool_)
    chances = np.array(found.probability, dtype=np.float64)
    called = ledger.tracks(key, due, chances, said, brought, renewed)
    there = np.array([one is not None for one in found.computed], dtype=np.bool_)
    money = np.array([one or 0 for one in found.computed], dtype=np.int64)
    computed = np.array([one or 0.0 for one in found.chances], dtype=np.float64)
    # A computed forecast says what is kept, at most what was due.
    kept = np.minimum(brought, due)
    others = ledger.tracks(key[there], due[there], computed[there], money[there], kept[there], renewed[there])
    beside = {track.key: track for track in others}
    return {track.key: (track, beside.get(track.key)) for track in called}


def _shown(key: str, name: str | None, of: Tracks, workspace: Workspace) -> dict[str, Any]:
    track, computed = of[key]
    stands_for = next((chance for category, chance in DEFAULTS.items() if category == key), None)
    return {
        "key": key or None, "name": name, "category_probability": stands_for, **figures(track, workspace),
        "computed": None if computed is None else figures(computed, workspace), "words": _said(track, stands_for),
    }  # fmt: skip


def figures(track: Track, workspace: Workspace) -> dict[str, Any]:
    """A track in major units."""
    return {
        "calls": track.calls, "due": workspace.major(track.due_minor), "called": workspace.major(track.forecast_minor),
        "brought": workspace.major(track.actual_minor), "bias": track.bias, "bias_low": track.bias_low,
        "bias_high": track.bias_high, "accuracy": track.accuracy, "brier": track.brier, "said_share": track.said_share,
        "renewed_share": track.renewed_share, "renewed_low": track.low, "renewed_high": track.high, "verdict": track.verdict,
    }  # fmt: skip


def _said(track: Track, stands_for: float | None) -> str:
    """A track as people read it."""
    renewed = f"{track.renewed_share:.0%} of {track.calls} renewed ({track.low:.0%} to {track.high:.0%})"
    if track.calls < LEAST_CALLS:
        return f"{renewed}: too few to tell, {LEAST_CALLS} are needed."
    if stands_for is not None:
        held = "which holds" if track.low <= stands_for <= track.high else "which does not hold"
        renewed += f", and the category stands for {stands_for:.0%}, {held}"
    if track.bias is None:
        return f"{renewed}. Nothing was due."
    return f"{renewed}. Money called against money that came: {track.bias:+.1%} of what was due, {track.verdict}."


def _words(whole: Tracks) -> str:
    if not whole:
        return "No renewal that was called has closed: there is nothing to compare."
    return _said(whole[WHOLE][0], None)
