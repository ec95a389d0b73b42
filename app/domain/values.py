"""Strict reading of one value into its type of the catalogue: nothing is coerced."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from uuid import UUID

from app.domain.catalogue import Field, Kind
from app.domain.codes import COUNTRIES
from app.domain.criteria import coerce
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault
from app.domain.numbers import LEAST, MOST

LINE = 500
"""Characters of a text; what is indexed must fit into a page of an index."""
PROSE = 10_000
"""Characters of a text that people write at length."""
PROSES = frozenset({"note", "comment", "reason", "churn_reason", "subject", "description", "website"})
INT64 = 2**63 - 1

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:[0-5]\d)", re.ASCII)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
"""White space: a text that has nothing else says nothing."""
BLANK = "".join(f"\\u{ord(c):04x}" for c in BLANKS)
"""The same between brackets of a pattern: Python, PostgreSQL and readers of JSON Schema mean different things by `\\s`."""
EMAIL = re.compile(f"[^@{BLANK}]+@[^@{BLANK}]+")
_LETTER = f"[^\\u0001-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u007f{BLANK}]"
_WITHIN = f"[^\\u0001-\\u002c\\u002e\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u007f{BLANK}]"
_LABEL = f"{_LETTER}({_WITHIN}*{_LETTER})?"
HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
"""A host name: labels of letters of any script, digits and hyphens, with points between them."""
WEBSITE = re.compile(f'[hH][tT][tT][pP][sS]?://{HOST.pattern}(:[0-9]+)?([/?#][^{BLANK}"<>]*)?')
FORMS: Mapping[str, re.Pattern[str]] = {"email": EMAIL, "domain": HOST, "website": WEBSITE}
"""The form of what is text, by field."""
FORMED: Mapping[str, str] = {
    "email": "an e-mail address", "domain": "a host name, such as acme.example",
    "website": "a web address: http:// or https:// and a host name",
    "country": "a country: two capital letters as of ISO 3166",
}  # fmt: skip
"""The same in words."""
HOLLOW = "text that is not empty, or null"
EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])


@dataclass(frozen=True, slots=True)
class Named:
    """A reference as told under `csm`: by id, external id or e-mail. `pointer` is where it was said."""

    name: str
    pointer: str


Value = str | int | float | bool | date | datetime | UUID | Named | tuple[str, ...] | Mapping[str, object] | None
"""Money is int minor units; a reference is a UUID or Named; `custom` maps each given slug to its value or None."""


class MisfitError(ValueError):
    """One value is not what its field holds; says what was expected."""

    def __init__(self, expected: str, suggestion: str | None = None):
        super().__init__(expected)
        self.expected = expected
        self.suggestion = suggestion

    def fault(self, pointer: str | None = None, parameter: str | None = None) -> Fault:
        """The fault of the value that was told there."""
        return Fault(f"Expected {self.expected}.", pointer, parameter, suggestion=self.suggestion)


def value(field: Field, told: object, minor_digits: int) -> Value:
    """One value in its field's type; None where it is empty. Raises MisfitError."""
    if told is None or (told == "" and field.kind == "text" and not field.optional):
        if not field.optional:
            raise MisfitError(f"{described(field)}, which cannot be empty")
        return None
    match field.kind:
        case "text":
            return _text(field, told)
        case "enum":
            return _one_of(field, told)
        case "integer":
            return _integer(field, told)
        case "number":
            return _number(field, told)
        case "money":
            return _amount(field, told, minor_digits)
        case "tags":
            return _tags(field, told)
        case "json":
            raise MisfitError("no object here")
        case _:
            return PLAIN[field.kind](told)


def text(told: object, limit: int = LINE) -> str:
    """Text that can be stored, as it was given. Raises MisfitError."""
    if not isinstance(told, str):
        raise MisfitError("text")
    if len(told) > limit:
        raise MisfitError(f"text of at most {limit:,} characters")
    if UNSTORABLE.search(told):
        raise MisfitError("text without NUL characters and lone surrogates")
    return told


def slug(told: object) -> str:
    """Raises MisfitError unless it is one."""
    if not isinstance(told, str) or not SLUG.fullmatch(told):
        raise MisfitError("a slug: lower-case letters, digits, - and _, 63 at most")
    return told


def money(told: object, minor_digits: int) -> int:
    """An amount in major units as int minor units, exactly. Raises MisfitError."""
    amount = decimal(told)
    try:
        minor = int(EXACT.quantize(amount, Decimal(1).scaleb(-minor_digits)).scaleb(minor_digits))
    except Inexact:
        raise MisfitError(f"an amount with at most {minor_digits} decimal digits") from None
    except InvalidOperation:
        minor = INT64 + 1
    if abs(minor) > INT64:
        raise MisfitError("an amount whose minor units fit 64 bits")
    return minor


def day(told: object) -> date:
    """A calendar day. Raises MisfitError."""
    if isinstance(told, date) and not isinstance(told, datetime):
        return told
    if not isinstance(told, str) or not DAY.fullmatch(told):
        raise MisfitError("a date: YYYY-MM-DD")
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise MisfitError("a date that exists: YYYY-MM-DD") from None


def instant(told: object) -> datetime:
    """A moment in UTC, to the microsecond. Raises MisfitError."""
    expected = "an instant as of RFC 3339: 2026-01-31T12:00:00Z"
    try:
        if isinstance(told, datetime) and told.tzinfo is not None:
            return told.astimezone(UTC)
        if not isinstance(told, str) or not INSTANT.fullmatch(told):
            raise MisfitError(expected)
        return datetime.fromisoformat(told.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MisfitError(expected) from None


def identity(told: object) -> UUID:
    """An id, written with its hyphens. Raises MisfitError."""
    if isinstance(told, UUID):
        return told
    found = coerce.identity(told) if isinstance(told, str) else None
    if found is None:
        raise MisfitError("an id: a UUID")
    return found


def boolean(told: object) -> bool:
    """Raises MisfitError unless it is true or false."""
    if not isinstance(told, bool):
        raise MisfitError("true or false")
    return told


PLAIN: Mapping[Kind, Callable[[object], Value]] = {
    "slug": slug, "bool": boolean, "date": day, "instant": instant, "ref": identity, "id": identity,
}  # fmt: skip
"""How kinds are read whose fields differ in nothing else."""


def _amount(field: Field, told: object, minor_digits: int) -> int:
    minor = money(told, minor_digits)
    if field.least is not None and minor < field.least * 10**minor_digits:
        raise MisfitError(f"an amount from {field.least}")
    return minor


def described(field: Field) -> str:
    """What a field holds, in words."""
    words = {
        "text": "text", "integer": "a whole number", "number": "a number", "money": "an amount of money",
        "date": "a date", "instant": "an instant", "bool": "true or false", "slug": "a slug", "ref": "an id",
        "id": "an id", "tags": "an array of texts", "json": "an object", "enum": f"one of {', '.join(field.values)}",
    }  # fmt: skip
    return words[field.kind]


def _text(field: Field, told: object) -> str:
    given = text(told, PROSE if field.name in PROSES else LINE)
    if field.name == "slug":
        return slug(given)
    if not field.optional and not given.strip(BLANKS):
        raise MisfitError("text that is more than white space")
    if not given:
        raise MisfitError(HOLLOW)
    if field.name == "country" and given not in COUNTRIES:
        raise MisfitError(FORMED["country"], nearest(given, sorted(COUNTRIES)))
    if field.name in FORMS and not FORMS[field.name].fullmatch(given):
        raise MisfitError(FORMED[field.name])
    return given


def _one_of(field: Field, told: object) -> str:
    if not isinstance(told, str) or told not in field.values:
        raise MisfitError(described(field), nearest(told, field.values) if isinstance(told, str) else None)
    return told


def decimal(told: object) -> Decimal:
    """A finite number, as it was written. Raises MisfitError."""
    if isinstance(told, bool) or not isinstance(told, int | float | Decimal):
        raise MisfitError("a number")
    if isinstance(told, int) and not LEAST <= told <= MOST:
        raise MisfitError("a number within 64 bits")
    # A float's shortest spelling is what was written: a door that has only floats loses nothing by it.
    exact = Decimal(repr(told)) if isinstance(told, float) else Decimal(told)
    if not exact.is_finite():
        raise MisfitError("a finite number")
    return exact


def _bounded(field: Field, given: float) -> None:
    if (field.low is not None and given < field.low) or (field.high is not None and given > field.high):
        low = f"from {field.low:g}" if field.low is not None else ""
        high = f"to {field.high:.16g}" if field.high is not None else ""
        raise MisfitError(f"a number {low} {high}".strip().replace("  ", " "))


def _integer(field: Field, told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int):
        raise MisfitError("a whole number")
    if not LEAST <= told <= MOST:
        raise MisfitError("a whole number within 64 bits")
    _bounded(field, told)
    return told


def _number(field: Field, told: object) -> float:
    given = float(decimal(told))
    if given in (float("inf"), float("-inf")):
        raise MisfitError("a number that a double can hold")
    _bounded(field, given)
    return given


def _tags(field: Field, told: object) -> tuple[str, ...]:
    if not isinstance(told, list | tuple) or len(told) > 100:
        raise MisfitError("an array of at most 100 texts")
    given = tuple(dict.fromkeys(text(one) for one in told))
    if field.values and not set(given) <= set(field.values):
        raise MisfitError(f"an array of {', '.join(field.values)}")
    return given
