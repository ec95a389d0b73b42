"""How accounts of the demo came to the stage that they stand in: the stages before it, one after the other."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from app.domain.demo.life import Life, Row, identity, instant

PATH = ("onboarding", "adoption", "established", "advocate")
"""What customers go through, in order."""


def moves(life: Life, account: Row, rng: Random, today: date) -> None:
    """Moves from one stage to the next, the last one on the day since which the account stands there, or on which it left."""
    was, was_since = None, None
    for stage, day in _steps(life, account, rng):
        at = min(instant(day, rng), datetime.combine(today, time(), tzinfo=UTC))
        life.add("stage_moves", {
            "id": identity(rng, at), "account_id": life.id, "stage": stage, "moved_at": at, "actor_id": account["csm_id"],
            "was": was, "was_since": was_since, "note": None,
        })  # fmt: skip
        was, was_since = stage, at


def _steps(life: Life, account: Row, rng: Random) -> list[tuple[str | None, date]]:
    """Each stage with the day on which it came to it; None for the day on which it left."""
    stage = None if account["stage"] is None else str(account["stage"])
    last = account["stage_since"] if stage is not None else life.ended
    if not isinstance(last, date):
        return []
    if life.started is None or stage == PATH[0]:
        return [(stage, last)]
    before = PATH[: rng.randrange(1, 4) if stage is None else PATH.index(stage)]
    # Each on a day of its own, the first one on the first day; a short life leaves the later ones out.
    room = (last - life.started).days
    later = sorted(rng.sample(range(1, room), min(len(before), room) - 1)) if room > 1 else []
    days = [life.started + timedelta(days=n) for n in (0, *later)] if room > 0 else []
    return [*zip(before, days, strict=False), (stage, last)]
