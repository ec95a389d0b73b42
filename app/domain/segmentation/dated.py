"""What of an account can be known as of a past day: what is recorded with its date, and what hardly ever changes.

Ends of contracts are not among it: they are set when a contract ends, and would tell what came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from app.domain.criteria.meant import Bounds, Column, FoldOf, Meaning, Related

DATED = (
    "arr", "mrr", "seats_licensed", "contract_start", "growth_potential", "became_customer_at", "status", "stage", "nps", "nps_at",
    "sentiment", "sentiment_at", "last_interaction_at", "last_inbound_at", "last_active_at",
)  # fmt: skip
"""Fields of accounts that dated records tell."""
STEADY = ("id", "external_id", "name", "domain", "website", "industry", "type", "region", "country", "created_at")
"""Fields of which no history is kept, taken as they are today."""
TRIED = (*(name for name in DATED if name != "status"), "industry", "type", "region", "country")
"""Those of which each value, or quarter of values, is many accounts: they are tried alone beside a segmentation."""
RECORDED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "usage": frozenset({"day", "feature", "value", "contact", "module", "is_key"}),
        "interactions": frozenset({"kind", "direction", "occurred_at", "is_automated", "attended", "opened", "contact"}),
        "surveys": frozenset({"kind", "score", "answered_at", "contact"}),
        "tickets": frozenset({"priority", "opened_at", "contact"}),
        "sentiments": frozenset({"score", "recorded_at"}),
    }
)  # fmt: skip
"""Relations whose records are dated, and what of them stays as it was recorded."""


def undated(meaning: Meaning, moment: datetime, day: date) -> tuple[str, ...]:
    """What it reads that cannot be known at the end of a past day, by name; each once."""
    return tuple(dict.fromkeys(_undated(meaning, Bounds(day + timedelta(1), moment))))


def columns(meaning: Meaning) -> frozenset[str]:
    """The fields of the account itself that it reads."""
    return frozenset(_columns(meaning))


def _undated(part: object, ends: Bounds) -> Iterator[str]:
    """`ends` are the last days and instants that may be read, as `lo` and `hi`."""
    match part:
        case Column(field, through, on):
            if through is not None or on is not None or field.name not in (*DATED, *STEADY):
                yield field.name if through is None else f"{through.name}.{field.name}"
        case FoldOf() | Related():
            name = part.relation.name
            known = RECORDED.get(name)
            if known is None:
                yield name
            elif not _over(part.bounds, ends):
                yield f"{name} in windows that do not end by then"
            else:
                said = [one.field.name for one in _fields(part.where)]
                said += [part.field.name] if isinstance(part, FoldOf) and part.field is not None else []
                yield from (f"{name}.{one}" for one in said if one not in known)
        case tuple():
            for one in part:
                yield from _undated(one, ends)
        case _ if is_dataclass(part) and not isinstance(part, type):
            if (called := OTHERS.get(type(part).__name__)) is not None:
                yield called
                return
            for member in fields(part):
                yield from _undated(getattr(part, member.name), ends)


OTHERS = {
    "SegmentOf": "segments",
    "CustomOf": "own attributes",
    "Refers": "references",
    "Moved": "moves",
    "Grouped": "ranks",
}
"""What else criteria may ask for, none of it with a past that is kept."""


def _over(bounds: Bounds | None, ends: Bounds) -> bool:
    if bounds is None or bounds.hi is None:
        return False
    last: Any = ends.hi if isinstance(bounds.hi, datetime) else ends.lo
    return bool(bounds.hi <= last)


def _columns(part: object) -> Iterator[str]:
    if isinstance(part, Column):
        yield part.field.name
    elif isinstance(part, tuple):
        for one in part:
            yield from _columns(one)
    elif is_dataclass(part) and not isinstance(part, type | FoldOf | Related):
        for member in fields(part):
            yield from _columns(getattr(part, member.name))


def _fields(part: object) -> Iterator[Column]:
    """Of related records, the fields that a condition on them reads."""
    if isinstance(part, Column):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from _fields(one)
    elif is_dataclass(part) and not isinstance(part, type):
        for member in fields(part):
            yield from _fields(getattr(part, member.name))
