"""How good computed forecasts were, of every renewal that has closed, and people's calls beside them where somebody called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from app.domain.errors import Fault, Invalid
from app.domain.forecasting import ledger
from app.domain.forecasting.ledger import LEAST_CALLS, Track
from app.domain.roles import Principal, allows, permit
from app.domain.workspaces import Workspace, clock
from app.persistence import call_accuracy as calls
from app.persistence import forecast_accuracy as rows
from app.persistence.call_accuracy import CallColumns, Closed
from app.persistence.database import Reader
from app.persistence.forecast_accuracy import KEYS, ForecastColumns
from app.services import call_accuracy
from app.services.aside import aside
from app.services.call_accuracy import WHOLE, Tracks
from app.services.calls import ENCODER

READ = "forecasts.read"
LONGEST = 12
NOTHING = "No renewal that a kept forecast had spoken of has closed: there is nothing to compare."


async def get(
    db: Reader, principal: Principal, now: datetime, by: str | None = None, start: str | None = None, end: str | None = None,
    lag: int | str | None = None,
) -> bytes:  # fmt: skip
    """Forecasts of renewals that closed from `start` until before `end`, told apart `by` csm, month or `segment.<slug>`, made at
    least `lag` months before those were due; a csm's are those of the csm's own accounts.

    Beside them what people called of the same group by then, and the forecasts of what they called. Raises Forbidden, Invalid.
    """
    permit(principal, READ, own=True)
    workspace = principal.workspace
    told, ahead, (first, last) = by or "csm", _lag(lag), call_accuracy.days(start, end)
    chosen = call_accuracy.chosen(told, workspace, tuple(KEYS))
    mine = None if allows(principal, READ) else principal.user_id
    which = Closed(clock(workspace, now).today, first, last, mine, ahead)
    found, said = await rows.closed(db, workspace, chosen, which), await calls.closed(db, workspace, chosen, which)
    figures = await aside(partial(_compared, found, said, workspace))
    return ENCODER.encode(
        {"by": told, "from": first, "to": last, "lag": ahead, "least": LEAST_CALLS, "renewals": len(found.keys), **figures}
    )  # fmt: skip


def _compared(found: ForecastColumns, said: CallColumns, workspace: Workspace) -> dict[str, Any]:
    """In total and by group, what was forecast beside what was called."""
    if not found.keys:
        return {"total": None, "groups": [], "words": NOTHING}
    names = dict(zip(found.keys, found.names, strict=True))
    tracks, whole = _tracks(found, found.keys), _tracks(found, [WHOLE] * len(found.keys))
    called, all_called = call_accuracy.tracks(said, said.keys), call_accuracy.tracks(said, [WHOLE] * len(said.keys))
    return {
        "total": _shown(WHOLE, None, whole, all_called, workspace),
        "groups": [_shown(key, names[key], tracks, called, workspace) for key in sorted(names)],
        "words": _said(whole[WHOLE]),
    }


def _lag(told: int | str | None) -> int:
    if told is None:
        return 0
    if not str(told).isdecimal() or len(str(told)) > 2 or int(told) > LONGEST:
        raise Invalid(faults=(Fault(f"Expected a whole number of months from 0 to {LONGEST}.", parameter="lag"),))
    return int(told)


def _tracks(found: ForecastColumns, keys: Sequence[str]) -> dict[str, Track]:
    due, expected, kept = (np.array(column, dtype=np.int64) for column in (found.due, found.expected, found.kept))
    chances, renewed = np.array(found.chances, dtype=np.float64), np.array(found.renewed, dtype=np.bool_)
    made = ledger.tracks(np.array(keys, dtype=np.str_), due, chances, expected, kept, renewed)
    return {track.key: track for track in made}


def _shown(
    key: str, label: str | None, tracks: Mapping[str, Track], called: Tracks, workspace: Workspace
) -> dict[str, Any]:
    figures = call_accuracy.figures(tracks[key], workspace)
    told = {
        name: figures.pop(of)
        for name, of in (("renewals", "calls"), ("due", "due"), ("expected", "called"), ("kept", "brought"))
    }
    return {
        "key": key or None, "name": label, **told, **figures, "called": _called(called, key, workspace), "words": _said(tracks[key]),
    }  # fmt: skip


def _called(called: Tracks, key: str, workspace: Workspace) -> dict[str, Any] | None:
    """What people said of theirs, and what was computed of the same; None where nobody called any."""
    if key not in called:
        return None
    people, computed = called[key]
    beside = None if computed is None else call_accuracy.figures(computed, workspace)
    return {**call_accuracy.figures(people, workspace), "computed": beside}


def _said(track: Track) -> str:
    """A track as people read it."""
    renewed = f"{track.renewed_share:.0%} of {track.calls} renewed ({track.low:.0%} to {track.high:.0%}), {track.said_share:.0%} were forecast to"
    if track.calls < LEAST_CALLS:
        return f"{renewed}: too few to tell, {LEAST_CALLS} are needed."
    if track.bias is None:
        return f"{renewed}. Nothing was due."
    return f"{renewed}. Money forecast against money that was kept: {track.bias:+.1%} of what was due, {track.verdict}."
