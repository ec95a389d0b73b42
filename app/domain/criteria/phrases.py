"""Words and short phrases of English that criteria are said in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import assert_never

from app.domain.catalogue import Kind
from app.domain.criteria import nodes

UNITS: dict[nodes.Unit, str] = {
    "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "q": "quarter", "y": "year",
}  # fmt: skip
NAMED = {
    "last_interaction_at": "last interaction", "last_inbound_at": "last message from them", "last_active_at": "last activity",
    "last_seen_at": "last visit", "sentiment_at": "latest sentiment's time", "nps_at": "latest NPS's time",
    "became_customer_at": "first day as a customer", "churned_at": "day of churn", "archived_at": "archiving",
    "created_at": "creation", "updated_at": "last change", "opened_at": "opening", "closed_at": "closing",
    "occurred_at": "time", "issued_at": "day of issue", "due_at": "due day", "paid_at": "day of payment",
    "answered_at": "time of answer", "asked_at": "time of asking", "resolved_at": "time of resolution",
    "recorded_at": "time of recording", "decided_at": "day of decision", "retired_at": "retirement",
    "stage_since": "first day in the stage", "active_days_30": "active days of the last 30",
}  # fmt: skip
"""Fields whose names do not read well as they are."""
FLAGS = {"is_reference": "references", "is_key": "key features", "is_automated": "automatic"}
SHORT = ("arr", "mrr", "tcv", "nps", "csm", "id")
"""Words that are written in capitals."""
LONG = 10_000
"""From here on numbers are written with separators."""


def joined(parts: Sequence[str], word: str = "and") -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def words(name: str) -> str:
    """`renewal_date` as `renewal date`, as a sentence has it."""
    return NAMED.get(name) or label(name.removesuffix("_id") if len(name) > 3 else name)


def label(name: str) -> str:
    """A name by itself: `arr_per_csm` as `ARR per CSM`."""
    return " ".join(word.upper() if word in SHORT else word for word in name.replace("-", "_").split("_"))


def flag(name: str) -> str:
    """What records are that have this flag: `is_reference` as `references`."""
    return FLAGS.get(name) or words(name.removeprefix("is_"))


def path(name: str) -> str:
    """A field: `account.health` as `account's health`, `segment.tier` as `segment of Tier`."""
    head, _, rest = name.partition(".")
    match head:
        case "segment" if rest:
            return f"segment of {titled(rest)}"
        case "custom" if rest:
            return f"own attribute {rest}"
        case _ if rest:
            return f"{words(head)}'s {path(rest)}"
        case _:
            return words(name)


def titled(slug: str) -> str:
    """A slug or one of an enum's values: `health-care` as `Health Care`; what is neither in quotes."""
    parts = slug.replace("_", "-").split("-")
    plain = all(part.isalnum() and part == part.lower() for part in parts)
    return " ".join(part.capitalize() for part in parts) if plain else quoted(slug)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def called(name: str) -> str:
    """The name of a record: `Ines Carvalho`; what could be taken for other words in quotes."""
    plain = all(word[:1].isupper() and word.replace("-", "").replace("'", "").isalpha() for word in name.split(" "))
    return name if plain else quoted(name)


def scalar(written: nodes.Scalar, kind: Kind) -> str:
    """A value as written, beside a field of this kind."""
    match written:
        case bool():
            return "true" if written else "false"
        case str() if kind in ("slug", "enum", "tags"):
            return titled(written)
        case str() if kind in ("date", "instant"):
            return written
        case str():
            return quoted(written)
        case int():
            return f"{written:,d}" if abs(written) >= LONG else str(written)
        case _:
            return f"{written:,f}" if abs(written) >= LONG else f"{written:f}"


def counted(n: int, unit: nodes.Unit) -> str:
    """`30 days`, `1 week`."""
    return f"{n} {UNITS[unit]}{'' if n == 1 else 's'}"


def window(within: nodes.Window) -> str:
    """`the last 30 days`, `this fiscal quarter`, `the following week`."""
    match within:
        case nodes.Rolling(direction, n, unit):
            return f"the {direction} {counted(n, unit)}"
        case nodes.Period(which, unit):
            name = unit.replace("_", " ")
            return (
                f"this {name}"
                if which == "this"
                else f"the {'previous' if which == 'previous' else 'following'} {name}"
            )
        case _:
            assert_never(within)


def past(within: nodes.Window) -> bool:
    """Whether what lies in the window is over."""
    return (within.dir == "last") if isinstance(within, nodes.Rolling) else (within.which == "previous")
