"""Segmentations that come ready-made: the tier of an account and the portfolio quadrant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Cutting = Literal["absolute", "relative"]

ENOUGH = 20
"""Accounts with a value from which cuts are taken relative to them."""

TIER_SEGMENTS = (
    {"slug": "high", "name": "High", "colour": "#2f6fde", "engagement": {"model": "high_touch"}},
    {"slug": "medium", "name": "Medium", "colour": "#2a9d8f", "engagement": {"model": "hybrid"}},
    {"slug": "low", "name": "Low", "colour": "#8a94a6", "engagement": {"model": "low_touch"}},
)
PORTFOLIO_SEGMENTS = (
    {"slug": "strategic", "name": "Strategic", "x": "high", "y": "high", "colour": "#2f6fde",
     "engagement": {"model": "high_touch", "aim": "expansion"}},
    {"slug": "key", "name": "Key", "x": "high", "y": "low", "colour": "#2a9d8f",
     "engagement": {"model": "hybrid", "aim": "references"}},
    {"slug": "monitor", "name": "Monitor", "x": "low", "y": "high", "colour": "#d9822b",
     "engagement": {"model": "hybrid", "aim": "expansion"}},
    {"slug": "maintain", "name": "Maintain", "x": "low", "y": "low", "colour": "#8a94a6",
     "engagement": {"model": "low_touch", "aim": "least effort"}},
)  # fmt: skip
ARR: Mapping[Cutting, Mapping[str, Any]] = {
    "absolute": {"by": "absolute", "at": [50_000]},
    "relative": {"by": "median", "among": "arr > 0"},
}
GROWTH: Mapping[Cutting, Mapping[str, Any]] = {
    "absolute": {"by": "absolute", "at": [10_000]},
    "relative": {"by": "median", "among": "growth_potential > 0"},
}
TIER: Mapping[Cutting, Mapping[str, Any]] = {
    "absolute": {"by": "absolute", "at": [25_000, 100_000]},
    "relative": {"by": "percentile", "at": [0.5, 0.8], "among": "arr > 0"},
}


def presets(arr: Cutting = "relative", growth: Cutting = "relative") -> dict[str, dict[str, Any]]:
    """The bodies to be put, by slug. Relative cuts need accounts to be taken over; absolute ones work from the first."""
    return {
        "tier": {
            "name": "Tier", "kind": "bands", "spec": {"field": "arr", "cuts": dict(TIER[arr])},
            "segments": [dict(s) for s in TIER_SEGMENTS], "rest": "unclassified",
        },
        "portfolio": {
            "name": "Portfolio", "kind": "matrix",
            "spec": {"x": {"field": "arr", "cuts": dict(ARR[arr])}, "y": {"field": "growth_potential", "cuts": dict(GROWTH[growth])}},
            "segments": [dict(s) for s in PORTFOLIO_SEGMENTS], "rest": "unclassified",
        },
    }  # fmt: skip
