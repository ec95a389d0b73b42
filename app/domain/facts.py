"""What follows from an account's related records, in plain Python: the reference that kept facts are held against.

Everything depends on the records and on one day, never on the time of day: the day of the workspace that facts are
kept for. A day belongs to a window of n days when it is one of the n days that end on that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.domain.engagement import (
    CONSUMPTION,
    CONSUMPTION_DAYS,
    ENGAGEMENT,
    Component,
    consumption_score,
    engagement_score,
)

Row = Mapping[str, Any]
"""A record by field name."""

INPUTS = frozenset(
    {
        "arr", "growth_potential", "renewal_date", "seats_licensed", "seats_active", "usage_limit", "health", "industry",
        "became_customer_at", "churned_at", "churn_reason",
    }
)  # fmt: skip
"""The fields of an account, set by hand, that kept facts depend on."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What facts need of the workspace. `contacted`: the half-open span of instants of the last 90 days in its zone;
    `impacts`: those of the active scenario by industry; `modules`: the module of each feature by feature; `engagement` and
    `consumption`: what the scores are made of."""

    day: date
    contacted: tuple[datetime, datetime]
    health_yellow: float
    health_green: float
    impacts: Mapping[str, str]
    modules: Mapping[str, str | None]
    engagement: tuple[Component, ...] = ENGAGEMENT
    consumption: tuple[Component, ...] = CONSUMPTION


@dataclass(frozen=True, slots=True)
class Related:
    """An account's records. Usage rows: day, feature, contact (id or None), value."""

    contacts: Sequence[Row] = ()
    contracts: Sequence[Row] = ()
    opportunities: Sequence[Row] = ()
    interactions: Sequence[Row] = ()
    invoices: Sequence[Row] = ()
    surveys: Sequence[Row] = ()
    tickets: Sequence[Row] = ()
    sentiments: Sequence[Row] = ()
    churns: Sequence[Row] = ()
    usage: Sequence[Row] = ()


def contract_status(contract: Row, day: date) -> str:
    """Both ends of a contract belong to it."""
    if contract["start_date"] > day:
        return "future"
    return "ended" if contract["end_date"] is not None and contract["end_date"] < day else "active"


def term_days(start: date, end: date | None) -> int:
    """The term in days of a year of 12 months of 30 days: 360 for a calendar year, and for a term without an end."""
    if end is None:
        return 360
    after = end + timedelta(days=1)
    months, days = (after.year - start.year) * 12 + after.month - start.month, after.day - start.day
    if days < 0:
        months -= 1
        days += (date(start.year + start.month // 12, start.month % 12 + 1, 1) - timedelta(days=1)).day
    return months * 30 + days


def term_value(contract: Row) -> int:
    """The contract's value over its whole term: as given, else ARR by the years of the term, half a unit rounded away."""
    if contract["tcv"] is not None:
        return int(contract["tcv"])
    arr: int = contract["arr"]
    whole, left = divmod(abs(arr) * max(0, term_days(contract["start_date"], contract["end_date"])), 360)
    return (whole + (left >= 180)) * (-1 if arr < 0 else 1)


def _latest(rows: Iterable[Row], time: str) -> Row | None:
    return max(rows, key=lambda r: (r[time], r["id"]), default=None)


def _total(values: Iterable[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def contracted(account: Row, contracts: Sequence[Row], day: date) -> dict[str, Any]:
    """What follows from contracts in force where the account has contracts, and is as set by hand where it has none."""
    if not contracts:
        return {
            "arr": account["arr_by_hand"] or 0, "renewal_date": account["renewal_date_by_hand"],
            "seats_licensed": account["seats_licensed_by_hand"], "tcv": 0, "products": (),
            "contract_start": None, "contract_end": None, "auto_renew": None,
        }  # fmt: skip
    active = [c for c in contracts if contract_status(c, day) == "active"]
    ends = [c["end_date"] for c in active if c["end_date"] is not None]
    return {
        "arr": sum(c["arr"] for c in active),
        "renewal_date": min(ends, default=None),
        "seats_licensed": _total(c["seats"] for c in active),
        "tcv": sum(term_value(c) for c in active),
        "products": tuple(sorted({c["product"] for c in active if c["product"] is not None})),
        "contract_start": min((c["start_date"] for c in active), default=None),
        "contract_end": max(ends) if active and len(ends) == len(active) else None,
        "auto_renew": all(c["auto_renew"] for c in active) if active else None,
    }


def churned(account: Row, contracts: Sequence[Row], churns: Sequence[Row], day: date) -> tuple[date | None, str | None]:
    """When the account was lost and why: the latest churn recorded, else as set by hand, else the end of its last
    contract; nothing once a contract in force, or the customer's own beginning without any, is later than that."""
    last = _latest(churns, "churned_at")
    states = [contract_status(c, day) for c in contracts]
    at: date | None = last["churned_at"] if last else account["churned_at_by_hand"]
    reason: str | None = last["reason"] if last else account["churn_reason_by_hand"]
    if at is None:
        over = bool(states) and set(states) == {"ended"}
        return (max(c["end_date"] for c in contracts) if over else None), reason
    returns = [c["start_date"] for c, s in zip(contracts, states, strict=True) if s == "active"]
    if not contracts and account["became_customer_at"] is not None and account["became_customer_at"] <= day:
        returns.append(account["became_customer_at"])
    back = any(start > at for start in returns)
    return (None, None if last else reason) if back else (at, reason)


def status(account: Row, contracts: Sequence[Row], churned_at: date | None, day: date) -> str:
    """Churned from the day of the churn on; a customer with the first contract, or by hand where there is none."""
    if churned_at is not None and churned_at <= day:
        return "churned"
    if contracts:
        return "customer" if any(c["start_date"] <= day for c in contracts) else "prospect"
    began = account["became_customer_at"]
    return "customer" if (account["arr_by_hand"] or 0) > 0 or (began is not None and began <= day) else "prospect"


def health_band(health: float | None, yellow: float, green: float) -> str | None:
    """Green and yellow begin at their thresholds, 0 to 100."""
    if health is None:
        return None
    return "green" if health >= green else "yellow" if health >= yellow else "red"


def contacted(interactions: Sequence[Row], span: tuple[datetime, datetime]) -> tuple[int, int, int, int]:
    """Inbound contacts, meetings and events attended, e-mails opened, of what happened in the half-open span."""
    rows = [i for i in interactions if span[0] <= i["occurred_at"] < span[1]]
    return (
        sum(
            i["direction"] == "inbound" and not i["is_automated"] and i["kind"] in ("email", "call", "other")
            for i in rows
        ),
        sum(i["kind"] == "meeting" and i["attended"] is True for i in rows),
        sum(i["kind"] == "event" and i["attended"] is True for i in rows),
        sum(i["kind"] == "email" and i["opened"] is True for i in rows),
    )


def windows(usage: Sequence[Row], day: date) -> dict[str, tuple[float, float, float, float]]:
    """Per feature with usage rows in the last 90 days: the sums of 7, 30, 90 days, and of the 30 before the last 30."""
    found: dict[str, list[float]] = {}
    for row in usage:
        age = (day - row["day"]).days
        if 0 <= age < 90:
            sums = found.setdefault(row["feature"], [0.0] * 4)
            for place, (youngest, oldest) in enumerate(((0, 7), (0, 30), (0, 90), (30, 60))):
                if youngest <= age < oldest:
                    sums[place] += row["value"]
    return {feature: (s[0], s[1], s[2], s[3]) for feature, s in found.items()}


def active_days(usage: Iterable[Row], day: date) -> int:
    """Days of the last 30 with any value above 0."""
    return len({u["day"] for u in usage if 0 <= (day - u["day"]).days < CONSUMPTION_DAYS and u["value"] > 0})


def contact_facts(contact: Row, related: Related, day: date) -> dict[str, Any]:
    """The kept fields of a contact."""
    survey = _latest(
        (s for s in related.surveys if s["contact"] == contact["id"] and s["kind"] == "nps"), "answered_at"
    )
    return {
        "active_days_30": active_days((u for u in related.usage if u["contact"] == contact["id"]), day),
        "nps": survey["score"] if survey else None,
    }


def consumption(account: Row, related: Related, seats: int | None, settings: Settings) -> tuple[float, float]:
    """The score, and the sum of all usage of the last 30 days."""
    sums = windows(related.usage, settings.day)
    used = {feature for feature, s in sums.items() if s[1] > 0}
    modules = {m for m in settings.modules.values() if m is not None}
    users = sum(contact_facts(c, related, settings.day)["active_days_30"] > 0 for c in related.contacts)
    result = consumption_score(
        active_days(related.usage, settings.day),
        (len(used), len(settings.modules)),
        (len({settings.modules[f] for f in used} - {None}), len(modules)),
        users or account["seats_active"],
        seats,
        settings.consumption,
    )
    return result, sum(s[1] for s in sums.values())


def account_facts(account: Row, related: Related, settings: Settings) -> dict[str, Any]:
    """Every kept field of an account but the generated ones; `last_active_at` as a day in the workspace's zone."""
    day = settings.day
    facts = contracted(account, related.contracts, day)
    lost, reason = churned(account, related.contracts, related.churns, day)
    sentiment = _latest(related.sentiments, "recorded_at")
    nps = _latest((s for s in related.surveys if s["kind"] == "nps"), "answered_at")
    primary = min(
        (c for c in related.contacts if c["is_primary"]), key=lambda c: (c["created_at"], c["id"]), default=None
    )
    open_amounts = [o["amount"] for o in related.opportunities if o["stage"] == "open"]
    own_contact = [i for i in related.interactions if i["direction"] == "inbound" and not i["is_automated"]]
    consumed, used = consumption(account, related, facts["seats_licensed"], settings)
    return facts | {
        "status": status(account, related.contracts, lost, day),
        "churned_at": lost,
        "churn_reason": reason,
        "growth_potential": sum(open_amounts) if open_amounts else account["growth_potential_by_hand"],
        "health_band": health_band(account["health"], settings.health_yellow, settings.health_green),
        "sentiment": sentiment["score"] if sentiment else None,
        "sentiment_at": sentiment["recorded_at"] if sentiment else None,
        "impact": settings.impacts.get(account["industry"] or ""),
        "nps": nps["score"] if nps else None,
        "nps_at": nps["answered_at"] if nps else None,
        "open_invoices_amount": sum(i["amount"] for i in related.invoices if i["status"] in ("unpaid", "failed")),
        "open_tickets": sum(t["status"] in ("open", "pending") for t in related.tickets),
        "last_interaction_at": max((i["occurred_at"] for i in related.interactions), default=None),
        "last_inbound_at": max((i["occurred_at"] for i in own_contact), default=None),
        "last_active_at": max((u["day"] for u in related.usage if u["value"] > 0), default=None),
        "engagement_score": engagement_score(*contacted(related.interactions, settings.contacted), settings.engagement),
        "consumption_score": consumed,
        "usage_limit_used": max(0.0, used / account["usage_limit"]) if account["usage_limit"] else None,
        "primary_contact": primary["id"] if primary else None,
    }
