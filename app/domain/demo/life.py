"""The life of one demo account: contracts, renewals that depend on how it is doing, and what happened along the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from app.domain.demo.cast import (
    CHURN_REASONS,
    FAMILY,
    GIVEN,
    TITLES,
    IndustryCast,
    SizeCast,
)

HISTORY = timedelta(days=730)
SEAT_PRICE = {"smb": 42_000, "mid-market": 56_000, "enterprise": 64_000}
"""A year, in minor units."""
Row = dict[str, object]
Rows = dict[str, list[Row]]


def identity(rng: Random, when: datetime) -> UUID:
    """A UUIDv7 whose time is `when` and whose randomness comes from the seed."""
    milliseconds = int(when.timestamp() * 1000)
    value = (milliseconds << 80) | rng.getrandbits(80)
    value = value & ~(0xF << 76) | (0x7 << 76)
    return UUID(int=value & ~(0x3 << 62) | (0x2 << 62))


def instant(day: date, rng: Random) -> datetime:
    """A moment of a working day."""
    return datetime.combine(day, time(7 + rng.randrange(11), rng.randrange(60), rng.randrange(60)), tzinfo=UTC)


def come(day: date, rng: Random, today: date) -> datetime:
    """The same; of today its first moment, as what follows may be to come."""
    return min(instant(day, rng), datetime.combine(today, time(), tzinfo=UTC))


def expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@dataclass(frozen=True, slots=True)
class Character:
    """What drives an account, each around 0: fit with the product, use, contact with the CSM, the sponsor's mood."""

    fit: float
    use: float
    contact: float
    mood: float

    @property
    def renewal_logit(self) -> float:
        return 1.9 + 0.95 * self.use + 0.55 * self.contact + 0.6 * self.mood


@dataclass(slots=True)
class Life:
    """An account while it is being told: `rows` by table, in the order in which they refer to each other."""

    id: UUID
    number: int
    size: SizeCast
    industry: IndustryCast | None
    character: Character
    csm: UUID
    started: date | None
    ended: date | None = None
    arr: int = 0
    seats: int = 0
    seats_active: int = 0
    contacts: list[UUID] = field(default_factory=list)
    rows: Rows = field(default_factory=dict)

    def add(self, table: str, row: Row) -> None:
        self.rows.setdefault(table, []).append(row)

    def alive_days(self, today: date) -> tuple[date, date] | None:
        """First and last day of the last 24 months on which it was a customer; today is not over yet."""
        if self.started is None:
            return None
        yesterday = today - timedelta(days=1)
        first, last = max(self.started, today - HISTORY), min(self.ended or yesterday, yesterday)
        return (first, last) if first <= last else None


def character(rng: Random) -> Character:
    fit = rng.gauss(0, 1)
    return Character(fit, 0.7 * fit + rng.gauss(0, 0.7), 0.4 * fit + rng.gauss(0, 0.9), 0.6 * fit + rng.gauss(0, 0.8))


def contracts(life: Life, rng: Random, today: date) -> None:
    """Terms one after the other until today or until it churns; each closed one carries its outcome."""
    if life.started is None:
        return
    months = rng.choices((12, 24, 36), (78, 15, 7))[0]
    arr = round(rng.lognormvariate(math.log(life.size.arr), life.size.spread) / 60) * 60 * 100
    start, climate = life.started, life.industry.climate if life.industry else 0.0
    while True:
        end = _plus_months(start, months) - timedelta(days=1)
        closed = end < today
        result, factor = _outcome(life.character.renewal_logit + climate, rng) if closed else (None, 1.0)
        life.add("contracts", _contract(life, rng, start, end, arr, result, today))
        _expansion(life, rng, start, end, arr, today)
        life.arr = arr
        if not closed:
            break
        if result == "churned":
            life.ended = end
            _churn(life, rng)
            break
        start, arr = end + timedelta(days=1), round(arr * factor / 6000) * 6000 or 6000
    life.seats = seats(life, life.arr)
    life.seats_active = min(life.seats, max(1, round(life.seats * expit(0.7 + 0.9 * life.character.use))))


def seats(life: Life, arr: int) -> int:
    """What the ARR buys at the list price of a seat."""
    return max(3, arr // SEAT_PRICE[life.size.type])


def _outcome(logit: float, rng: Random) -> tuple[str, float]:
    if rng.random() > expit(logit):
        return "churned", 0.0
    mood = rng.random() + 0.1 * logit
    if mood > 0.95:
        return "expanded", 1 + rng.choice((0.1, 0.15, 0.2, 0.3, 0.5))
    if mood < 0.22:
        return "contracted", 1 - rng.choice((0.1, 0.2, 0.3))
    return "renewed", 1.03


def _contract(life: Life, rng: Random, start: date, end: date, arr: int, outcome: str | None, today: date) -> Row:
    years = ((end - start).days + 1) / 365.25
    return {
        "id": identity(rng, come(start, rng, today)), "external_id": f"CT-{life.number:05}-{len(life.rows.get('contracts', [])) + 1}",
        "account_id": life.id, "product": life.size.product, "arr": arr, "tcv": round(arr * years), "seats": seats(life, arr),
        "start_date": start, "end_date": end, "auto_renew": rng.random() < 0.6, "notice_days": rng.choice((30, 60, 90)),
        "billing": rng.choices(("annual", "quarterly", "monthly"), (60, 22, 18))[0], "outcome": outcome,
        "decided_at": end - timedelta(days=rng.randrange(0, 45)) if outcome else None,
    }  # fmt: skip


def _expansion(life: Life, rng: Random, start: date, end: date, arr: int, today: date) -> None:
    """A second contract in the same term, for some that use it well."""
    until = min(end, today)
    if (until - start).days > 120 and rng.random() < 0.05 * expit(life.character.use) * 2:
        added = start + timedelta(days=rng.randrange(60, (until - start).days - 30))
        extra = max(60_000, round(arr * rng.uniform(0.08, 0.3) / 6000) * 6000)
        outcome = "renewed" if end < until else None
        life.add("contracts", _contract(life, rng, added, end, extra, outcome, today))


def _churn(life: Life, rng: Random) -> None:
    assert life.ended is not None
    life.add("churns", {
        "id": identity(rng, instant(life.ended, rng)), "external_id": f"CH-{life.number:05}", "account_id": life.id,
        "churned_at": life.ended, "reason": rng.choice(CHURN_REASONS), "note": None, "is_reactivation": False, "refund": None,
    })  # fmt: skip


def _plus_months(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    return date(day.year + year, month + 1, min(day.day, 28))


def contacts(life: Life, rng: Random, today: date) -> None:
    """Two to seven people, the first of them primary."""
    begun = come(life.started or today - timedelta(days=rng.randrange(5, 200)), rng, today)
    for i in range(2 + min(5, int(rng.expovariate(0.6)))):
        role = "decision_maker" if i == 0 else rng.choices(("champion", "admin", "user"), (3, 2, 5))[0]
        given, family = rng.choice(GIVEN), rng.choice(FAMILY)
        person = identity(rng, begun)
        life.contacts.append(person)
        seen = today - timedelta(days=1 + int(rng.expovariate(0.1 if life.ended is None else 0.005)))
        life.add("contacts", {
            "id": person, "external_id": f"P-{life.number:05}-{i + 1}", "account_id": life.id, "name": f"{given} {family}",
            "email": f"{given}.{family}{i + 1}@a{life.number:05}.example".lower(), "title": rng.choice(TITLES[role]), "role": role,
            "is_primary": i == 0, "last_seen_at": instant(seen, rng) if life.started else None,
        })  # fmt: skip


def events(life: Life, rng: Random, today: date) -> None:
    """Interactions, surveys, tickets, sentiments and requests of the last 24 months."""
    span = life.alive_days(today)
    if span is None:
        return
    first, last = span
    days = (last - first).days + 1
    _interactions(life, rng, first, days)
    c = life.character
    for when in _moments(rng, first, days, 180):
        score = min(10, max(0, round(7.4 + 1.5 * c.mood + rng.gauss(0, 1.3))))
        life.add(
            "surveys", _event(life, rng, when, kind="nps", score=score, comment=None, answered_at=instant(when, rng))
        )
    for when in _moments(rng, first, days, 95 - 12 * max(-2.0, min(2.0, -c.fit))):
        _ticket(life, rng, when, today)
    for when in _moments(rng, first, days, 85):
        score = min(5, max(1, round(3.4 + 0.8 * c.mood + rng.gauss(0, 0.5))))
        life.add("sentiments", {
            "id": identity(rng, instant(when, rng)), "external_id": None, "account_id": life.id, "score": score,
            "author_id": life.csm, "note": None, "recorded_at": instant(when, rng),
        })  # fmt: skip
    _requests(life, rng, last, today)


def _event(life: Life, rng: Random, when: date, **values: object) -> Row:
    return {
        "id": identity(rng, instant(when, rng)), "external_id": None, "account_id": life.id,
        "contact_id": rng.choice(life.contacts), **values,
    }  # fmt: skip


def _moments(rng: Random, first: date, days: int, every: float) -> Sequence[date]:
    """Days of a Poisson process with a mean gap of `every` days."""
    found, at = [], rng.expovariate(1 / every)
    while at < days:
        found.append(first + timedelta(days=int(at)))
        at += rng.expovariate(1 / every)
    return found


def _interactions(life: Life, rng: Random, first: date, days: int) -> None:
    warmth = expit(life.character.contact)
    kinds = ("email", "call", "meeting", "event", "note")
    outbound = _moments(rng, first, days, life.size.touch_days * rng.uniform(0.7, 1.6))
    inbound = _moments(rng, first, days, life.size.touch_days * (2.6 - 1.9 * warmth) * 1.4)
    for direction, moments in (("outbound", outbound), ("inbound", inbound)):
        for when in moments:
            kind = rng.choices(kinds, (50, 20, 18, 5, 7) if direction == "outbound" else (60, 22, 12, 6, 0))[0]
            life.add("interactions", _event(
                life, rng, when, kind=kind, direction=direction, occurred_at=instant(when, rng), subject=None,
                attended=rng.random() < 0.45 + 0.5 * warmth if kind in ("meeting", "event") else None,
                opened=rng.random() < 0.25 + 0.6 * warmth if kind == "email" and direction == "outbound" else None,
                is_automated=kind == "email" and direction == "outbound" and rng.random() < 0.3,
            ))  # fmt: skip


def _ticket(life: Life, rng: Random, when: date, today: date) -> None:
    opened = instant(when, rng)
    hours = rng.lognormvariate(2.6, 1.0)
    closed = opened + timedelta(hours=hours)
    done = closed.date() < today
    life.add("tickets", _event(
        life, rng, when, status="closed" if done else rng.choice(("open", "pending")),
        priority=rng.choices(("low", "medium", "high", "urgent"), (30, 45, 19, 6))[0], opened_at=opened,
        closed_at=closed if done else None, first_response_minutes=float(round(rng.lognormvariate(3.8, 0.9))),
        resolution_hours=round(hours, 1) if done else None, escalated=rng.random() < 0.06,
        satisfaction=float(min(5, max(1, round(4 + 0.5 * life.character.mood + rng.gauss(0, 0.7))))) if done and rng.random() < 0.5 else None,
    ))  # fmt: skip


def _requests(life: Life, rng: Random, last: date, today: date) -> None:
    climate = life.industry.climate if life.industry else 0.0
    for kind, chance in (
        ("stop_payment", 0.03 - 0.08 * climate),
        ("discount", 0.07),
        ("expansion", 0.09 * expit(life.character.use) * 2),
    ):
        if rng.random() < chance:
            asked = last - timedelta(days=rng.randrange(0, 90))
            still_open = (today - asked).days < 45 and life.ended is None
            status = "open" if still_open else rng.choice(("granted", "refused", "withdrawn"))
            life.add("requests", {
                "id": identity(rng, instant(asked, rng)), "external_id": None, "account_id": life.id, "kind": kind,
                "status": status, "amount": round(life.arr * rng.uniform(0.05, 0.4)), "asked_at": instant(asked, rng),
                "resolved_at": None if still_open else instant(asked + timedelta(days=rng.randrange(1, 20)), rng), "note": None,
            })  # fmt: skip


def invoices(life: Life, rng: Random, today: date) -> None:
    """One per billing period of each contract in the last 24 months; late and failed ones where things go badly."""
    steps: Mapping[str, int] = {"annual": 12, "quarterly": 3, "monthly": 1}
    trouble = 0.05 * expit(-life.character.mood)
    for contract in life.rows.get("contracts", []):
        start, end, arr = contract["start_date"], contract["end_date"], contract["arr"]
        assert isinstance(start, date)
        assert isinstance(end, date)
        assert isinstance(arr, int)
        step, n, issued = steps[str(contract["billing"])], 0, start
        while issued <= min(end, today):
            if issued >= today - HISTORY:
                life.add("invoices", _invoice(life, rng, issued, round(arr * step / 12), today, trouble))
            n += 1
            issued = _plus_months(start, step * n)


def _invoice(life: Life, rng: Random, issued: date, amount: int, today: date, trouble: float) -> Row:
    due, draw = issued + timedelta(days=30), rng.random()
    paid = issued + timedelta(days=int(rng.triangular(2, 55, 24)))
    status = "paid" if paid <= today else "unpaid"
    if draw < trouble:
        status, paid = rng.choice(("failed", "unpaid")), due
    elif draw > 0.99:
        status = "void"
    return {
        "id": identity(rng, come(issued, rng, today)), "external_id": None, "account_id": life.id,
        "number": f"INV-{life.number:05}-{len(life.rows.get('invoices', [])) + 1:03}", "status": status, "amount": amount,
        "issued_at": issued, "due_at": due, "paid_at": paid if status == "paid" else None,
    }  # fmt: skip


def opportunities(life: Life, rng: Random, today: date) -> None:
    """Open ones where the account could grow; won and lost ones behind it."""
    span = life.alive_days(today)
    if span is None:
        return
    for when in _moments(
        rng, span[0], (span[1] - span[0]).days + 1, 330 - 90 * max(-1.5, min(1.5, life.character.use))
    ):
        still_open = life.ended is None and (today - when).days < 150
        stage = "open" if still_open else rng.choice(("won", "lost"))
        life.add("opportunities", {
            "id": identity(rng, instant(when, rng)), "external_id": None, "account_id": life.id, "product": life.size.product,
            "owner_id": life.csm, "name": rng.choice(("More seats", "Add-on module", "Upgrade", "New region")), "stage": stage,
            "amount": max(60_000, round(life.arr * rng.lognormvariate(-1.2, 0.8) / 6000) * 6000), "opened_at": when,
            "closed_at": None if still_open else min(today, when + timedelta(days=rng.randrange(20, 150))),
        })  # fmt: skip
