"""How accounts of the demo move between stages, and how each came to the stage that it stands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from app.domain.demo.life import Life, Row, come, identity
from app.domain.lifecycle import Cause

ONBOARDED, ESTABLISHED = 90, 240
"""Days after which a customer is no longer new, and after which nothing is left to adopt."""
BY_HAND = 0.4
"""How many are established by their CSM, before the criteria say so."""
RULES: Mapping[str, Mapping[str, object]] = {
    "trial": {"expected_days": 150},
    "onboarding": {"entry": 'status = "customer"', "expected_days": 60, "leaves_after_days": ONBOARDED},
    "adoption": {"expected_days": 160},
    "established": {"entry": f'status = "customer" AND NOT became_customer_at IN last({ESTABLISHED}d)'},
}
"""What is said of stages, by slug; whom they are left to by hand, nobody comes to by a rule: advocates."""


@dataclass(frozen=True, slots=True)
class Step:
    """An account comes to a stage; to none, where it is lost."""

    stage: str | None
    day: date
    cause: Cause = "hand"


def path(life: Life, begun: date, pace: float, rng: Random, today: date) -> Sequence[Step]:
    """Each stage that an account came to, the last one that in which it stands; as RULES would have moved it, where nobody did
    before them. `pace`: from 0 for those who were onboarded in a few weeks to 1."""
    if life.started is None:
        return (Step("trial", begun),)
    lived = ((life.ended or today) - life.started).days
    onboarded = min(ONBOARDED, 25 + int(80 * pace))
    established = rng.randrange(onboarded + 30, ESTABLISHED) if rng.random() < BY_HAND else ESTABLISHED
    steps = [Step("onboarding", life.started, "criteria")]
    if lived >= ONBOARDED:
        steps.append(_after(life.started, "adoption", onboarded, "time" if onboarded == ONBOARDED else "hand"))
    if lived >= ESTABLISHED:
        by_rule = established == ESTABLISHED
        steps.append(_after(life.started, "established", established, "criteria" if by_rule else "hand"))
    if lived > ESTABLISHED and life.character.mood > 1.1:
        steps.append(_after(life.started, "advocate", rng.randrange(established + 1, lived + 1), "hand"))
    return (*steps, Step(None, life.ended)) if life.ended else steps


def _after(started: date, stage: str, days: int, cause: Cause) -> Step:
    return Step(stage, started + timedelta(days=days), cause)


def moves(life: Life, account: Row, steps: Sequence[Step], rng: Random, today: date) -> None:
    """The steps as moves, each out of the one before."""
    was, was_since = None, None
    for step in steps:
        at = come(step.day, rng, today)
        life.add("stage_moves", {
            "id": identity(rng, at), "account_id": life.id, "stage": step.stage, "moved_at": at,
            "actor_id": account["csm_id"] if step.cause == "hand" else None, "was": was, "was_since": was_since, "note": None,
            "cause": step.cause,
        })  # fmt: skip
        was, was_since = step.stage, at
