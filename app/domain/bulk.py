"""Bulk upserts: how many records, all or row by row, and what one call cannot say twice."""

from __future__ import annotations

from typing import Literal

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid

Mode = Literal["all", "rows"]
"""Whether one bad record refuses everything, or the good ones land."""
MODES: tuple[Mode, ...] = ("all", "rows")
Outcome = Literal["created", "updated", "unchanged", "rejected"]
OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "unchanged", "rejected")
RECORDS = 10_000
"""Records of one call."""
LOAD = 1_000
"""Records of one call that change so much at once that ranks are taken anew, as after a file."""
FAULTS = 100
"""Faults that a refused call tells; how many more there are it says in words."""
NAMED = 1_000
"""Ids of changed records that the audit keeps of one call."""


def mode(told: object) -> Mode:
    """How a call takes bad records; all or nothing where it says nothing. Raises Invalid."""
    if told is None:
        return "all"
    if told not in MODES:
        near = nearest(told, MODES) if isinstance(told, str) else None
        raise Invalid(faults=(Fault(f"Expected {' or '.join(MODES)}.", pointer="/mode", suggestion=near),))
    return told


def counted(records: int) -> None:
    """Raises Invalid unless a call may have so many records."""
    if not 1 <= records <= RECORDS:
        raise Invalid(faults=(Fault(f"Expected 1 to {RECORDS:,} records in one call.", pointer="/records"),))
