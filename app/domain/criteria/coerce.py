"""A written value turned into its field's own type, exactly or not at all."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.criteria import literals
from app.domain.criteria.fields import Typing
from app.domain.criteria.meant import Bounds, Typed
from app.domain.criteria.nodes import At, Scalar
from app.domain.criteria.suggest import invalid, nearest
from app.domain.criteria.time import start

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

_EXPECTED = {
    "text": "text in quotes", "slug": "a slug in quotes", "enum": "one of its values in quotes", "number": "a number",
    "integer": "a whole number", "money": "an amount of money as a number", "date": "a date as in 2026-01-31",
    "instant": "an instant as in 2026-01-31T10:00:00Z, or a date", "bool": "true or false",
    "ref": "an id, external id or e-mail in quotes", "id": "an id (UUID) in quotes", "tags": "text in quotes",
}  # fmt: skip


def scalar(written: Scalar, of: Typing, digits: int, zone: ZoneInfo, at: At) -> Typed | Decimal | Bounds:
    """The value in the type of `of`; raises Invalid that says what was expected.

    A date where instants are compared is the whole day in `zone`, as bounds. An integer with a fraction stays a
    Decimal. Money is int minor units of `digits` decimals, or float where `of` is an average.
    """
    match of.kind, written:
        case "bool", bool():
            return written
        case (("number" | "integer" | "money"), (int() | Decimal())) if not isinstance(written, bool):
            return _amount(written, of, digits, at)
        case "date", str() if _DATE.fullmatch(written):
            return _date(written, at)
        case "instant", str() if _DATE.fullmatch(written):
            return day(_date(written, at), zone, at)
        case "instant", str() if _INSTANT.fullmatch(written):
            return _instant(written, at)
        case "id", str() if _ID.fullmatch(written):
            return UUID(written)
        case (("text" | "slug" | "ref" | "tags"), str()):
            if not written:
                raise invalid(at, f"Empty text is stored as empty: ask {of.label} IS EMPTY.")
            return written
        case "enum", str():
            if written not in of.values:
                raise invalid(at, f"{of.label} is one of {', '.join(of.values)}.", nearest(written, of.values))
            return written
        case _:
            raise invalid(at, f"{of.label} takes {_EXPECTED.get(of.kind, 'no value')}.")


def _amount(written: int | Decimal, of: Typing, digits: int, at: At) -> int | float | Decimal:
    if of.kind == "number":
        return float(written)
    if of.kind == "integer":
        return written
    sign, figures, exponent = Decimal(written).as_tuple()
    assert isinstance(exponent, int)  # what is written is finite
    minor = Decimal((sign, figures, exponent + digits))  # arithmetic would round
    if of.share:
        return float(minor)
    if minor != minor.to_integral_value():
        raise invalid(at, f"{of.label} has at most {digits} decimals.")
    if not -(2**63) <= minor < 2**63:
        raise invalid(at, f"{of.label} in minor units lies within 64 bits.")
    return int(minor)


def _date(written: str, at: At) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise invalid(at, "There is no such day.") from None


def day(when: date, zone: ZoneInfo, at: At) -> Bounds:
    """The whole day as half-open bounds in UTC."""
    try:
        return Bounds(start(when, zone), start(when + timedelta(1), zone))
    except OverflowError:
        raise invalid(at, "This reaches beyond the years 1 to 9999.") from None


def _instant(written: str, at: At) -> datetime:
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(at, "There is no such instant.") from None


def said(given: Typed | Decimal, at: At) -> Scalar:
    """A parameter's value as it would be written; numbers of money are major units."""
    match given:
        case bool() | int() | str() | Decimal():
            written: Scalar = given
        case float():
            if not math.isfinite(given):
                raise invalid(at, "Expected a finite number.")
            written = Decimal(repr(given))
        case date():
            written = given.isoformat()
        case UUID():
            written = str(given)
        case _:
            assert_never(given)
    if isinstance(written, bool) or not isinstance(written, (int, Decimal)):
        return written
    try:
        return literals.number(written)
    except ValueError as error:
        raise invalid(at, str(error)) from None


def is_identity(name: str) -> bool:
    """Whether a name of a record is an id, written with its hyphens."""
    return _ID.fullmatch(name) is not None


def identity(name: str) -> UUID | None:
    """The id that a name of a record is, written with its hyphens; None where it is none."""
    return UUID(name) if _ID.fullmatch(name) else None
