"""Daily usage of the demo's accounts, as the CSV lines that are loaded: account, day, features, contacts, amounts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random

from app.domain.demo.cast import FEATURES
from app.domain.demo.life import Life, expit

BY_PERSON = timedelta(days=124)
"""So far back who signed in is known: for the scores of the months before, as of today."""
WEEKEND = (5, 6)


def noise(rng: Random) -> Sequence[float]:
    """Day-to-day variation, drawn once and walked through by every account from its own place."""
    return [rng.lognormvariate(0, 0.35) for _ in range(4093)]


def usage(life: Life, rng: Random, today: date, variation: Sequence[float]) -> Iterator[str]:
    """One line a day with any usage. Sign-ins of the last BY_PERSON are said per person, all else per account."""
    span = life.alive_days(today)
    if span is None or not life.seats_active:
        return
    first, last = span
    levels = _levels(life, rng)
    head, people = f"{life.id},", [str(c) for c in life.contacts]
    nobody = "{" + ",".join(["NULL"] * len(levels)) + "}"
    numbers = "{" + ",".join(str(n) for n, _ in levels) + "}"
    drift = rng.gauss(0.0002 * life.character.use, 0.0006)
    away_below = 1.25 - 0.88 * expit(1.1 * life.character.use)  # from a third of the days to nearly all
    at, size = rng.randrange(len(variation)), len(variation)
    quiet_from = life.ended - timedelta(days=rng.randrange(40, 150)) if life.ended else None
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day.weekday() in WEEKEND and life.size.type != "enterprise":
            continue
        factor = math.exp(drift * (offset - 300)) * (0.15 if day.weekday() in WEEKEND else 1.0)
        if quiet_from and day > quiet_from:
            factor *= max(0.03, 1 - (day - quiet_from).days / 60)
        at += 13
        if variation[at % size] < away_below:
            continue
        amounts = [int(level * factor * variation[(at + n) % size]) for n, level in levels]
        if not any(amounts):
            continue
        if today - day <= BY_PERSON:
            yield head + _by_person(day, levels, amounts, people, rng)
        else:
            yield f'{head}{day},"{numbers}","{nobody}","{{{",".join(map(str, amounts))}}}"\n'


def _levels(life: Life, rng: Random) -> list[tuple[int, float]]:
    """(feature number, uses a day) of the features that this account has taken up."""
    lift = 0.22 * life.character.use
    return [
        (no, life.seats_active * f.weight * rng.lognormvariate(0.25 * life.character.use, 0.4))
        for no, f in enumerate(FEATURES, start=1)
        if rng.random() < f.adoption + (lift if f.adoption < 1 else 0)
    ]


def _by_person(day: date, levels: list[tuple[int, float]], amounts: list[int], people: list[str], rng: Random) -> str:
    """Splits the first feature, sign-ins, among the contacts that were there that day."""
    present = [p for p in people if rng.random() < 0.55] or people[:1]
    share, rest = divmod(amounts[0], len(present))
    who = [*present, *["NULL"] * (len(levels) - 1)]
    values = [share + (1 if i < rest else 0) for i in range(len(present))] + amounts[1:]
    numbers = [levels[0][0]] * len(present) + [n for n, _ in levels[1:]]
    return f'{day},"{{{",".join(map(str, numbers))}}}","{{{",".join(who)}}}","{{{",".join(map(str, values))}}}"\n'
