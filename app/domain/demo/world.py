"""The whole demo organisation: who works there, what is sold and used, and every account with its life."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from app.domain.demo import life as lives
from app.domain.demo import stages
from app.domain.demo.cast import (
    ADMIN,
    COUNTRIES,
    CSMS,
    FEATURES,
    FIRST_WORDS,
    INDUSTRIES,
    LAST_WORDS,
    MANAGER,
    PRODUCTS,
    SIZES,
    TEAMS,
)  # fmt: skip
from app.domain.demo.life import Life, Row, Rows, identity, instant
from app.domain.demo.usage import noise, usage

ACCOUNTS = 2_000
DOMAIN = "strata.example"


@dataclass(frozen=True, slots=True)
class Foundation:
    """What accounts refer to: `rows` by table in the order of their references; CSMs by region."""

    rows: Rows
    csms: dict[str, list[UUID]]


def foundation(seed: int, today: date) -> Foundation:
    """What the accounts of a seed refer to; the same for the same day."""
    rng = Random(f"{seed}-foundation")
    born = datetime.combine(today - timedelta(days=900), time(9), tzinfo=UTC)

    def named(slug: str, name: str, **more: object) -> Row:
        return {"id": identity(rng, born), "external_id": None, "slug": slug, "name": name, **more}

    rows: Rows = {
        "teams": [named(slug, name) for slug, name in TEAMS],
        "industries": [named(i.slug, i.name) for i in INDUSTRIES],
        "products": [named(slug, name, list_price=price * 100) for slug, name, price in PRODUCTS],
        "features": [
            named(f.slug, f.name, module=f.module, is_key=f.is_key, no=no) for no, f in enumerate(FEATURES, start=1)
        ],
        "scenarios": [
            named("downturn", "Downturn", impacts={i.slug: i.impact for i in INDUSTRIES}, lanes=LANES, is_active=True),
            named("calm", "Calm", impacts={i.slug: "low" for i in INDUSTRIES}, lanes=LANES, is_active=False),
        ],
    }
    csms: dict[str, list[UUID]] = {slug: [] for slug, _ in TEAMS}
    for (name, team), role in [(c, "csm") for c in CSMS] + [(MANAGER, "manager"), (ADMIN, "admin")]:
        user: Row = {
            "id": (person := identity(rng, born)), "external_id": None, "name": name, "role": role, "team": team, "is_active": True,
            "email": email(name),
        }  # fmt: skip
        rows.setdefault("users", []).append(user)
        if role == "csm":
            csms[team].append(person)
    return Foundation(rows, csms)


def email(name: str) -> str:
    """The address of somebody who works there."""
    return f"{name.replace(' ', '.').lower()}@{DOMAIN}"


LANES = {"severe": -1.2, "medium": -0.6, "low": 0.0}
"""Shifts of the renewal logit per impact (forecasting.md, section 2)."""


def accounts(seed: int, today: date, base: Foundation) -> Iterator[tuple[Rows, Iterator[str]]]:
    """Each account's rows by table, and the lines of its daily usage."""
    variation = noise(Random(f"{seed}-noise"))
    names = _names(Random(f"{seed}-names"))
    parents: dict[str, UUID] = {}
    for number in range(1, ACCOUNTS + 1):
        rng = Random(f"{seed}-{number}")
        life, place = _begin(number, rng, today, base)
        lives.contracts(life, rng, today)
        lives.contacts(life, rng, today)
        lives.events(life, rng, today)
        lives.invoices(life, rng, today)
        lives.opportunities(life, rng, today)
        account = _account(life, rng, next(names[life.industry.slug if life.industry else ""]), place, today)
        account["parent_id"] = parents.get(place[0]) if life.size.type != "enterprise" and rng.random() < 0.04 else None
        if life.size.type == "enterprise" and rng.random() < 0.2:
            parents[place[0]] = life.id
        stages.moves(life, account, Random(f"{seed}-{number}-stages"), today)
        life.rows = {"accounts": [account], **life.rows}
        yield life.rows, usage(life, rng, today, variation)


def _begin(number: int, rng: Random, today: date, base: Foundation) -> tuple[Life, tuple[str, str]]:
    size = rng.choices(SIZES, [s.share for s in SIZES])[0]
    industry = rng.choices(INDUSTRIES, [i.share for i in INDUSTRIES])[0] if rng.random() > 0.04 else None
    country, region, _ = rng.choices(COUNTRIES, [c[2] for c in COUNTRIES])[0]
    prospect = rng.random() < 0.06
    age = rng.randrange(0, 7) if rng.random() < 0.008 else int(rng.triangular(1, 1500, 500))
    started = None if prospect else today - timedelta(days=age)
    born = started or today - timedelta(days=rng.randrange(5, 200))
    csm = rng.choice(base.csms[region])
    life = Life(identity(rng, instant(born, rng)), number, size, industry, lives.character(rng), csm, started)
    return life, (country, region)


def _account(life: Life, rng: Random, name: str, place: tuple[str, str], today: date) -> Row:
    c, age = life.character, (today - life.started).days if life.started else 0
    health = min(100.0, max(0.0, float(round(58 + 14 * c.use + 7 * c.mood + 5 * c.contact + rng.gauss(0, 5)))))
    stage = _stage(life, age)
    begun = life.started or today - timedelta(days=rng.randrange(5, 200))
    return {
        "id": life.id, "external_id": f"A-{life.number:05}", "name": name, "domain": f"a{life.number:05}.example",
        "industry": life.industry.slug if life.industry else None, "type": life.size.type, "region": place[1],
        "country": place[0], "employees": max(3, round(rng.lognormvariate(0, 0.6) * life.size.employees)), "parent_id": None,
        "csm_id": life.csm if rng.random() > 0.02 else None, "stage": stage,
        "stage_since": max(begun, today - timedelta(days=rng.randrange(3, 300))) if stage else None,
        "growth_potential_by_hand": _growth(life, rng),
        "cost_to_serve": round(life.arr * rng.uniform(0.08, 0.22)) + 60_000 if life.started else None,
        "health": health if life.started and not life.ended else None, "seats_active": life.seats_active or None,
        "seats_licensed_by_hand": None, "usage_limit": float(life.seats * 700) if life.seats else None,
        "is_reference": c.mood > 1 and rng.random() < 0.3, "case_studies": int(c.mood > 1.4 and rng.random() < 0.3),
        "became_customer_at": life.started, "churn_reason_by_hand": None,
    }  # fmt: skip


def _stage(life: Life, age: int) -> str | None:
    if life.started is None:
        return "trial"
    if life.ended:
        return None
    if age < 90:
        return "onboarding"
    if age < 240:
        return "adoption"
    return "advocate" if life.character.mood > 1.1 else "established"


def _growth(life: Life, rng: Random) -> int | None:
    """The CSM's guess at ARR that could be won, for nearly all."""
    if life.ended or rng.random() < 0.04:
        return None
    room = rng.lognormvariate(-0.7 + 0.35 * life.character.use, 0.7)
    return max(60_000, round((life.arr or 600_000) * room / 6000) * 6000)


def _names(rng: Random) -> dict[str, Iterator[str]]:
    """Names by industry, each once."""
    made = {}
    for industry, words in LAST_WORDS.items():
        pairs = [f"{first} {last}" for first in FIRST_WORDS for last in words]
        rng.shuffle(pairs)
        made[industry] = iter(pairs)
    return made
