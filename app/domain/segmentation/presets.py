"""Segmentations that come ready-made, each by a published method: bodies to be put, by slug."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from app.domain.segmentation.care import Touch
from app.domain.segmentation.care_presets import model

Cutting = Literal["absolute", "relative"]
Body = dict[str, Any]
Ruled = tuple[str, str, str, str, Touch | None]

ENOUGH = 20
"""Accounts with a value from which cuts are taken relative to them."""
INSTALLED = ("tier", "portfolio")
"""What every workspace begins with."""
BLUE, GREEN, AMBER, GREY, RED = "#2f6fde", "#2a9d8f", "#cc7417", "#838da0", "#c2410c"
"""Each stands out from light and from dark ground; grey is that of whoever no segment takes."""
TOUCHED: tuple[tuple[str, str, Touch], ...] = (
    ("high", BLUE, "high"),
    ("medium", GREEN, "hybrid"),
    ("low", GREY, "low"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """The publication that a preset follows, as far as it is known; its page is `docs/segmentations/<slug>.md`."""

    title: str
    publisher: str | None = None
    year: int | None = None


SCALE = Source("Three ways to segment in order to scale", "CSM Practice", 2017)
ENGAGE = Source("Segmentation to prioritize engagement", year=2018)
PORTFOLIO = Source("Portfolio segmentation for CSMs", "Customer Imperative", 2017)
DOWNTURN = Source("Downturn segmentation", "CSM Practice", 2020)
FRESH = Source("Freshsuccess")
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "tier": SCALE, "value": ENGAGE, "portfolio": PORTFOLIO, "book": PORTFOLIO, "health": SCALE, "profit": SCALE,
        "care": SCALE, "lanes": DOWNTURN, "lifecycle": FRESH,
    }
)  # fmt: skip


def presets(arr: Cutting = "relative", growth: Cutting = "relative") -> dict[str, Body]:
    """Every body by slug. Relative cuts need accounts to be taken over; absolute ones work from the first."""
    return {
        "tier": _tier(arr), "value": _value(arr, growth), "portfolio": _portfolio(arr, growth), "book": _book(),
        "health": _health(arr), "profit": _profit(arr), "care": _care(), "lanes": _lanes(), "lifecycle": _lifecycle(),
    }  # fmt: skip


def _tier(arr: Cutting) -> Body:
    high, medium, low = _touched()
    return _body("Tier", "bands", {"field": "arr", "cuts": _levels("arr", arr, [25_000, 100_000])}, high, medium, low)


def _value(arr: Cutting, growth: Cutting) -> Body:
    measures = [
        {"field": "arr", "cuts": _levels("arr", arr, [25_000, 100_000]), "points": [0, 1, 2], "weight": 2},
        {
            "field": "growth_potential",
            "cuts": _levels("growth_potential", growth, [5_000, 25_000]),
            "points": [0, 1, 2],
        },
    ]
    return _body("Value", "score", {"measures": measures, "at": [2, 4]}, *_touched())


def _portfolio(arr: Cutting, growth: Cutting) -> Body:
    spec = {
        "x": {"field": "arr", "cuts": _half("arr", arr, 50_000)},
        "y": {"field": "growth_potential", "cuts": _half("growth_potential", growth, 10_000)},
    }
    return _body("Portfolio", "matrix", spec, *_quadrant())


def _book() -> Body:
    spec = {
        side: {"field": field, "cuts": {"by": "median", "among": f"{field} > 0", "within": "csm"}}
        for side, field in (("x", "arr"), ("y", "growth_potential"))
    }
    return _body("Own book", "matrix", spec, *_quadrant())


def _health(arr: Cutting) -> Body:
    spec = {
        "x": {"field": "arr", "cuts": _half("arr", arr, 50_000)},
        "y": {"field": "health", "cuts": {"by": "absolute", "at": [70]}},
    }
    return _body(
        "Health", "matrix", spec,
        _cell("cherish", "Cherish", "high", "high", BLUE, "high", "references"),
        _cell("rescue", "Rescue", "high", "low", RED, "high", "recovery"),
        _cell("nurture", "Nurture", "low", "high", GREEN, "low", "expansion"),
        _cell("triage", "Triage", "low", "low", GREY, "low", "least effort"),
    )  # fmt: skip


def _profit(arr: Cutting) -> Body:
    spec = {
        "x": {"field": "arr", "cuts": _half("arr", arr, 50_000)},
        "y": {"field": "margin", "cuts": {"by": "absolute", "at": [0]}},
    }
    return _body(
        "Profitability", "matrix", spec,
        _cell("core", "Core", "high", "high", BLUE, "high", "keep"),
        _cell("costly", "Costly", "high", "low", RED, "hybrid", "cost to serve"),
        _cell("lean", "Lean", "low", "high", GREEN, "low", "keep"),
        _cell("burden", "Burden", "low", "low", GREY, "low", "self-service"),
    )  # fmt: skip


def _care() -> Body:
    rules: tuple[Ruled, ...] = (
        ("newcomer", "Newcomer", "became_customer_at IN last(90d)", GREEN, "hybrid"),
        ("hands_on", "Hands-on", "count(tickets, last(90d)) >= 5 OR any(tickets WHERE escalated = true, last(90d))", RED, "high"),
        ("self_reliant", "Self-reliant", "consumption_score >= 60", BLUE, "low"),
        ("coached", "Coached", "consumption_score < 30 OR engagement_score < 30", AMBER, "hybrid"),
    )  # fmt: skip
    return _body("Care", "rules", {}, *(_rule(*one) for one in rules), rest="steady")


def _lanes() -> Body:
    considerations = [
        {"field": "engagement_score", "lifts_from": 70, "lowers_below": 30},
        {"field": "consumption_score", "lifts_from": 70, "lowers_below": 30},
        {"field": "sentiment", "lifts_from": 4, "lowers_below": 3},
    ]
    lanes: tuple[tuple[str, str, str, Touch, str], ...] = (
        ("severe", "Severe", RED, "high", "relief"),
        ("medium", "Medium", AMBER, "hybrid", "retention"),
        ("low", "Low", GREEN, "hybrid", "expansion"),
    )
    segments = [
        {"slug": slug, "name": name, "lane": slug, "colour": colour, "engagement": model(touch, aim)}
        for slug, name, colour, touch, aim in lanes
    ]
    return _body("Downturn lanes", "lanes", {"considerations": considerations}, *segments, rest="no_impact")


def _lifecycle() -> Body:
    rules: tuple[Ruled, ...] = (
        ("churned", "Churned", 'status = "churned"', GREY, None),
        ("prospect", "Prospect", 'status = "prospect"', AMBER, "hybrid"),
        ("onboarding", "Onboarding", "became_customer_at IN last(90d)", GREEN, "hybrid"),
        ("renewal", "Renewal", "renewal_date IN next(90d)", RED, "high"),
        ("advocate", "Advocate", "is_reference = true OR nps >= 9", BLUE, "low"),
    )
    return _body("Lifecycle", "rules", {}, *(_rule(*one) for one in rules), rest="established")


# -- parts -------------------------------------------------------------------------------------------------------------


def _body(name: str, kind: str, spec: Body, *segments: Body, rest: str = "unclassified") -> Body:
    return {"name": name, "kind": kind, "spec": spec, "segments": list(segments), "rest": rest}


def _levels(field: str, cutting: Cutting, amounts: list[int]) -> Body:
    """Three levels: the upper half, and of that the best fifth of all."""
    if cutting == "absolute":
        return {"by": "absolute", "at": amounts}
    return {"by": "percentile", "at": [0.5, 0.8], "among": f"{field} > 0"}


def _half(field: str, cutting: Cutting, amount: int) -> Body:
    return {"by": "absolute", "at": [amount]} if cutting == "absolute" else {"by": "median", "among": f"{field} > 0"}


def _touched() -> tuple[Body, Body, Body]:
    high, medium, low = (
        {"slug": slug, "name": slug.capitalize(), "colour": colour, "engagement": model(touch)}
        for slug, colour, touch in TOUCHED
    )
    return high, medium, low


def _quadrant() -> tuple[Body, ...]:
    return (
        _cell("strategic", "Strategic", "high", "high", BLUE, "high", "expansion"),
        _cell("key", "Key", "high", "low", GREEN, "hybrid", "references"),
        _cell("monitor", "Monitor", "low", "high", AMBER, "hybrid", "expansion"),
        _cell("maintain", "Maintain", "low", "low", GREY, "low", "least effort"),
    )


def _cell(slug: str, name: str, x: str, y: str, colour: str, touch: Touch, aim: str) -> Body:
    return {"slug": slug, "name": name, "x": x, "y": y, "colour": colour, "engagement": model(touch, aim)}


def _rule(slug: str, name: str, criteria: str, colour: str, touch: Touch | None) -> Body:
    """A segment of rules; one without a touch asks for none."""
    return {
        "slug": slug,
        "name": name,
        "criteria": criteria,
        "colour": colour,
        "engagement": model(touch) if touch else {"aim": "win back"},
    }
