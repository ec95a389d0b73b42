"""The whole demo organisation: who works there, what is sold and used, and every account with its life."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from app.domain.demo import life as lives
from app.domain.demo import past, stages
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
from app.domain.demo.life import Life, Row, Rows, come, identity
from app.domain.demo.past import Said
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


@dataclass(frozen=True, slots=True)
class Story:
    """An account with all that is related to it: rows by table, and the lines of its daily usage. `opportunities` are beside
    them, as they come and go; `said` on each of the days of the past."""

    id: UUID
    born: date
    rows: Rows
    opportunities: list[Row]
    usage: Iterator[str]
    said: Sequence[Said]
    today: Said


def accounts(seed: int, today: date, base: Foundation) -> Iterator[Story]:
    """Each account with its life."""
    variation = noise(Random(f"{seed}-noise"))
    names = _names(Random(f"{seed}-names"))
    parents: dict[str, tuple[UUID, date]] = {}
    days = past.days(today)
    for number in range(1, ACCOUNTS + 1):
        rng = Random(f"{seed}-{number}")
        life, place = _begin(number, rng, today, base)
        lives.contracts(life, rng, today)
        lives.contacts(life, rng, today)
        lives.events(life, rng, today)
        lives.invoices(life, rng, today)
        lives.opportunities(life, rng, today)
        born, own = _born(life.id), Random(f"{seed}-{number}-stages")
        name = next(names[life.industry.slug if life.industry else ""])
        account, pace = _account(life, rng, name, place)
        steps = stages.path(life, born, pace, own, today)
        account |= {"stage": steps[-1].stage, "stage_since": steps[-1].day if steps[-1].stage else None}
        above = parents.get(place[0]) if life.size.type != "enterprise" and rng.random() < 0.04 else None
        account["parent_id"] = above[0] if above is not None and above[1] < born else None
        if life.size.type == "enterprise" and rng.random() < 0.2:
            parents[place[0]] = life.id, born
        stages.moves(life, account, steps, own, today)
        opportunities = life.rows.pop("opportunities", [])
        rows = {"accounts": [account], **life.rows}
        said, now = _said(life, account, days, Random(f"{seed}-{number}-past"))
        yield Story(life.id, born, rows, opportunities, usage(life, rng, today, variation), said, now)


def _born(identity: UUID) -> date:
    return datetime.fromtimestamp((identity.int >> 80) / 1000, tz=UTC).date()


def _said(life: Life, account: Row, days: Sequence[date], rng: Random) -> tuple[Sequence[Said], Said]:
    health, growth = account["health"], account["growth_potential_by_hand"]
    assert isinstance(health, float | None)
    assert isinstance(growth, int | None)
    thought = _guess(life, rng) if life.ended else growth
    return past.said(life, days, health, _usual(life), thought, rng), Said(health, growth)


def _begin(number: int, rng: Random, today: date, base: Foundation) -> tuple[Life, tuple[str, str]]:
    size = rng.choices(SIZES, [s.share for s in SIZES])[0]
    industry = rng.choices(INDUSTRIES, [i.share for i in INDUSTRIES])[0] if rng.random() > 0.04 else None
    country, region, _ = rng.choices(COUNTRIES, [c[2] for c in COUNTRIES])[0]
    prospect = rng.random() < 0.06
    age = rng.randrange(0, 7) if rng.random() < 0.008 else int(rng.triangular(1, 1500, 500))
    started = None if prospect else today - timedelta(days=age)
    born = started or today - timedelta(days=rng.randrange(5, 200))
    csm = rng.choice(base.csms[region])
    life = Life(identity(rng, come(born, rng, today)), number, size, industry, lives.character(rng), csm, started)
    return life, (country, region)


def _account(life: Life, rng: Random, name: str, place: tuple[str, str]) -> tuple[Row, float]:
    """The account, but for its stage, and the pace at which it comes through stages."""
    c = life.character
    health = min(100.0, max(0.0, float(round(_usual(life) + rng.gauss(0, 5)))))
    employees = max(3, round(rng.lognormvariate(0, 0.6) * life.size.employees))
    csm = life.csm if rng.random() > 0.02 else None
    pace = 0.5 if life.ended else rng.randrange(297) / 297
    return {
        "id": life.id, "external_id": f"A-{life.number:05}", "name": name, "domain": f"a{life.number:05}.example",
        "industry": life.industry.slug if life.industry else None, "type": life.size.type, "region": place[1],
        "country": place[0], "employees": employees, "parent_id": None, "csm_id": csm,
        "growth_potential_by_hand": _growth(life, rng),
        "cost_to_serve": round(life.arr * rng.uniform(0.08, 0.22)) + 60_000 if life.started else None,
        "health": health if life.started and not life.ended else None, "seats_active": life.seats_active or None,
        "seats_licensed_by_hand": None, "usage_limit": float(life.seats * 700) if life.seats else None,
        "is_reference": c.mood > 1 and rng.random() < 0.3, "case_studies": int(c.mood > 1.4 and rng.random() < 0.3),
        "became_customer_at": life.started, "churn_reason_by_hand": None,
    }, pace  # fmt: skip


def _usual(life: Life) -> float:
    """What its health goes up and down around."""
    c = life.character
    return 58 + 14 * c.use + 7 * c.mood + 5 * c.contact


def _growth(life: Life, rng: Random) -> int | None:
    """The CSM's guess at ARR that could be won, for nearly all."""
    return None if life.ended or rng.random() < 0.04 else _guess(life, rng)


def _guess(life: Life, rng: Random) -> int:
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
