"""What is told of each renewal of a kept forecast, and what rows are chosen and sorted by."""

from __future__ import annotations

from dataclasses import replace

from app.domain.catalogue import Entity, day, money, number, text

LEADS = ("money_probability", "kept_share", "paid_share", "p05", "p95")
"""What leads from a chance to money, then the bounds of that in minor units, in the order in which they are kept."""
ROWS = Entity(
    "renewals",
    "renewal",
    (
        day("due_on"), money("arr", "what is due"), money("expected", "what is kept of it on average"),
        money("expected_net", "the same with what is bought more"), money("expected_loss", "arr less expected"),
        replace(money("p05", "in 5 of 100 such renewals no more is kept"), optional=True),
        replace(money("p95", "in 95 of 100 such renewals no more is kept"), optional=True),
        number("probability", "that it renews", low=0, high=1),
        *(replace(number(name), optional=True) for name in LEADS[:3]),
        replace(text("product"), optional=True), replace(text("lane"), optional=True),
    ),
    {},
    time_field="due_on",
    versioned=False,
    key="none",
    imported=False,
)  # fmt: skip
"""Criteria read it as they read any entity: `expected_loss >= 10000 AND probability < 0.8`."""
SORTS = (*(field.name for field in ROWS.fields.values() if field.kind in ("date", "money", "number")), "name")
