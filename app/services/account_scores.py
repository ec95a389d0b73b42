"""What the scores of an account are, were, what they are made of, and why they changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.domain import score_bodies
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.facts import health_band
from app.domain.roles import Principal, permit
from app.domain.scores import DAYS, Name, Part, Scores, consumption_parts, engagement_parts, health_parts, shifts
from app.domain.values import MisfitError, day
from app.domain.workspaces import Workspace
from app.persistence import scores as rows
from app.persistence.database import Reader, Record
from app.services import measures

USUAL = 30
"""Days back to which a score is told unless asked otherwise."""
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class State:
    """A score on a day, and what it was made of; `known` is False where nothing is kept of so early a day."""

    day: date
    score: float | None
    parts: tuple[Part, ...]
    segment: str | None = None
    known: bool = True


async def of_account(
    db: Reader, principal: Principal, account_id: UUID, name: Name, first: str | None, last: str | None
) -> dict[str, Any]:
    """A score of an account as it stands, its parts, which add up to it; the days from `first` (thirty days back) to `last`
    (today) on which it was another, and what moved it between the two. Raises NotFound, Invalid."""
    permit(principal, "records.read")
    workspace = principal.workspace
    today = workspace.facts_day
    until = min(_day(last, "to") or today, today)
    since = _day(first, "from") or until - timedelta(days=USUAL)
    _span(since, until)
    standing = await rows.standing(db, workspace.id, account_id)
    if standing is None:
        raise NotFound
    kept = await rows.history(db, workspace.id, account_id, since, until)
    now = await _now(db, workspace, account_id, name, standing)
    past = await _past(db, workspace, name, [row for row in kept if row["day"] < today])
    states = [*past, *([now] if until == today else [])]
    before = max(
        (s for s in states if s.day <= since), key=lambda s: s.day, default=State(since, None, (), known=False)
    )
    after = states[-1] if states else State(until, None, (), known=False)
    return {
        "account_id": account_id, "name": name, "source": _source(workspace, name), "on": today, "days": DAYS[name], **_told(workspace, name, now),
        "history": _history(workspace, name, states), "change": _change_of(since, until, before, after),
    }  # fmt: skip


def _day(told: str | None, parameter: str) -> date | None:
    try:
        return None if told is None else day(told)
    except MisfitError as misfit:
        fault = misfit.fault("")
        raise Invalid(faults=(Fault(fault.message, parameter=parameter),)) from None


def _span(since: date, until: date) -> None:
    if since > until:
        raise Invalid(faults=(Fault("Expected a day that is not after to, nor after today.", parameter="from"),))
    if (until - since).days > MOST_DAYS:
        raise Invalid(faults=(Fault(f"Expected at most {MOST_DAYS} days before to.", parameter="from"),))


def _source(workspace: Workspace, name: Name) -> str:
    return "outside" if name == "health" and workspace.scores.health is None else "model"


async def _now(db: Reader, workspace: Workspace, account_id: UUID, name: Name, standing: Record) -> State:
    day = workspace.facts_day
    if name == "health":
        score, model = standing["health"], workspace.scores.health
        plan = measures.plan(workspace, "one")
        if model is None or plan is None:
            return State(day, score, ())
        found = await rows.measured(db, plan, account_id)
        if found is None:
            raise NotFound
        return State(day, score, health_parts(model, found["measures"], found["segment"], score), found["segment"])
    found = await rows.counted(db, workspace.id, account_id)
    if found is None:
        raise NotFound
    return State(day, *_counted(workspace.scores, name, standing[f"{name}_score"], found))


def _counted(scores: Scores, name: Name, score: float, row: Record) -> tuple[float, tuple[Part, ...]]:
    if name == "engagement":
        return score, engagement_parts(scores.engagement, row["engaged"], score)
    return score, consumption_parts(scores.consumption, row["consumed"], score)


async def _past(db: Reader, workspace: Workspace, name: Name, kept: Sequence[Record]) -> list[State]:
    stored = await rows.versions(db, workspace.id, sorted({row["version"] for row in kept})) if kept else {}
    found: list[State] = []
    for row in kept:
        scores = score_bodies.loaded(stored.get(row["version"]))
        if name != "health":
            found.append(State(row["day"], *_counted(scores, name, row[name], row)))
            continue
        score, values = row["health"], row["measures"]
        made = (
            ()
            if scores.health is None or values is None
            else health_parts(scores.health, values, row["segment"], score)
        )
        found.append(State(row["day"], score, made, row["segment"]))
    return found


def _told(workspace: Workspace, name: Name, state: State) -> dict[str, Any]:
    shown: dict[str, Any] = {"score": state.score}
    if name == "health":
        shown |= {"band": _band(workspace, state.score), "segment": state.segment}
    detail = None
    prepared = measures.prepare(workspace)
    if name == "health" and prepared is None:
        detail = "Health comes from outside: it was set by hand or brought in, and has no parts."
    elif name == "health" and prepared is not None and prepared.fault is not None:
        detail = f"It could not be computed, and stays as it was: {prepared.fault}"
    elif state.score is None:
        detail = _without(state.parts)
    return shown | {"parts": [asdict(part) for part in state.parts], "detail": detail}


def _without(parts: Sequence[Part]) -> str:
    missing = [part.name for part in parts if part.points is None and part.weight > 0]
    return f"There is no health: {', '.join(missing)} is missing." if missing else "There is no health."


def _band(workspace: Workspace, score: float | None) -> str | None:
    return health_band(score, workspace.health_yellow, workspace.health_green)


def _history(workspace: Workspace, name: Name, states: Sequence[State]) -> list[dict[str, Any]]:
    """The days on which it became another, the earliest first; the one that stood when they began too."""
    shown: list[dict[str, Any]] = []
    for state in states:
        if shown and shown[-1]["score"] == state.score:
            continue
        band = {"band": _band(workspace, state.score)} if name == "health" else {}
        shown.append({"day": state.day, "score": state.score, **band})
    return shown


def _change_of(since: date, until: date, before: State, after: State) -> dict[str, Any]:
    told: dict[str, Any] = {"from": since, "to": until, "before": before.score, "after": after.score}
    both = before.score is not None and after.score is not None
    told["difference"] = round((after.score or 0) - (before.score or 0), 2) if both else None
    comparable = both and bool(before.parts) and bool(after.parts)
    told["parts"] = [
        {
            "name": one.name, "difference": one.difference,
            "value_before": one.before.value if one.before else None, "value_after": one.after.value if one.after else None,
            "contribution_before": one.before.contribution if one.before else None,
            "contribution_after": one.after.contribution if one.after else None,
        }
        for one in (shifts(before.parts, after.parts) if comparable else ())
    ]  # fmt: skip
    told["detail"] = None if comparable else _why(before, after)
    return told


def _why(before: State, after: State) -> str:
    if not before.known or not after.known:
        return "Nothing is kept of so early a day: what scores were is kept from the first day on that passed here."
    if before.score is None or after.score is None:
        return "There was no score on one of the days, so that nothing can be compared."
    return "The score came from outside on one of the days, and had no parts."
