"""Strict reading of what a body says into the types of the catalogue: nothing is coerced, nothing is dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from itertools import islice
from types import MappingProxyType
from uuid import UUID

from app.domain.catalogue import Entity, Field, Kind
from app.domain.codes import COUNTRIES
from app.domain.criteria import coerce
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, escape
from app.domain.numbers import LEAST, MOST

LINE = 500
"""Characters of a text; what is indexed must fit into a page of an index."""
PROSE = 10_000
"""Characters of a text that people write at length."""
PROSES = frozenset({"note", "comment", "reason", "churn_reason", "subject", "description", "website"})
MAX_FAULTS = 50
FEW = 20
"""Names that are told together, each time that one is wrong."""
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
AHEAD = timedelta(days=1)
"""What has happened lies no further ahead: clocks differ, and where days are told it is tomorrow already in the east."""
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


@dataclass(frozen=True, slots=True)
class Told:
    """A body as far as it can be read: the sound members by field name, and what is wrong with the others."""

    given: Mapping[str, Value]
    faults: tuple[Fault, ...] = ()

    @property
    def wrong(self) -> frozenset[str]:
        """The members that are at fault, as they were told or, left out, as they are stored."""
        return frozenset((fault.pointer or "").split("/")[1] for fault in self.faults if fault.pointer)


def read(
    entity: Entity,
    body: object,
    *,
    minor_digits: int,
    attributes: Mapping[tuple[str, str], Field],
    partial: bool,
    now: datetime,
) -> dict[str, Value]:
    """The members that were given, by field name. `partial` asks for no required ones (a change).

    Raises Invalid with a Fault per wrong member, each with its JSON pointer.
    """
    told = look(entity, body, minor_digits=minor_digits, attributes=attributes, partial=partial, now=now)
    if told.faults:
        raise Invalid(faults=told.faults)
    return dict(told.given)


def look(
    entity: Entity,
    body: object,
    *,
    minor_digits: int,
    attributes: Mapping[tuple[str, str], Field],
    partial: bool,
    now: datetime,
) -> Told:
    """The same for those who find more faults than reading does, and tell all of them at once. Raises Invalid for a body
    that is no object."""
    members = _object(body)
    own = {slug: field for (name, slug), field in attributes.items() if name == entity.name}
    given: dict[str, Value] = {}
    faults: list[Fault] = []
    for member, told in members.items():
        if len(faults) >= MAX_FAULTS:
            break
        pointer = f"/{escape(member)}"
        try:
            field = _field(entity, member)
            if field.name in given:
                raise MisfitError(f"given once: {field.name} is named twice here")
            if field.kind == "json":
                given[field.name] = _custom(told, own, minor_digits, pointer, faults)
            else:
                given[field.name] = _member(field, member, told, minor_digits, pointer, now)
        except MisfitError as misfit:
            faults.append(misfit.fault(pointer))
    if not partial:
        faults += [
            _missing(entity, name)
            for name in entity.required
            if name not in given and not _faulty(faults, entity, name)
        ]
        faults += _own_missing(entity, own, given, faults)
    return Told(given, tuple(faults[:MAX_FAULTS]))


def only(body: object, allowed: Iterable[str], meant: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, object]:
    """The body as an object that has no member but the allowed ones; `meant` are names that they have elsewhere. Raises
    Invalid."""
    members, names = _object(body), tuple(allowed)
    unknown = islice((member for member in members if member not in names), MAX_FAULTS)
    faults = tuple(
        Fault(
            f"Expected one of {', '.join(names)}.", pointer=f"/{escape(m)}", suggestion=meant.get(m) or nearest(m, names)
        )
        for m in unknown
    )  # fmt: skip
    if faults:
        raise Invalid(faults=faults)
    return members


def value(field: Field, told: object, minor_digits: int) -> Value:
    """One value in its field's type; None where it is empty. Raises MisfitError."""
    if told is None or (told == "" and field.kind == "text" and not field.optional):
        if not field.optional:
            raise MisfitError(f"{_what(field)}, which cannot be empty")
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


def _object(body: object) -> Mapping[str, object]:
    if not isinstance(body, Mapping):
        raise Invalid(faults=(Fault("Expected a JSON object.", pointer=""),))
    return body


def _field(entity: Entity, member: str) -> Field:
    """The writable field that a member names: references go by their name and by `<name>_id`."""
    for field in entity.fields.values():
        if member in (field.name, field.column):
            if not field.writable:
                raise MisfitError(f"no {field.name} here: Strata keeps it")
            return field
    fields = [f for f in entity.fields.values() if f.writable]
    near = nearest(member, [name for f in fields for name in dict.fromkeys((f.name, f.column))])
    few = ", ".join(f.name for f in fields) if len(fields) <= FEW else None
    raise MisfitError(f"one of {few}" if few else f"a field of {entity.name} that can be written", near)


def _member(field: Field, member: str, told: object, minor_digits: int, pointer: str, now: datetime) -> Value:
    if field.kind == "ref" and member == field.name and told is not None:
        if told == "":
            raise MisfitError(HOLLOW if field.optional else f"{_what(field)}, which cannot be empty")
        return Named(text(told), pointer)
    found = value(field, None if field.kind == "ref" and member == field.name else told, minor_digits)
    if field.happened and isinstance(found, datetime) and found - now > AHEAD:
        raise MisfitError("an instant that is not more than a day ahead")
    return found


def _amount(field: Field, told: object, minor_digits: int) -> int:
    minor = money(told, minor_digits)
    if field.least is not None and minor < field.least * 10**minor_digits:
        raise MisfitError(f"an amount from {field.least}")
    return minor


def _custom(
    told: object, own: Mapping[str, Field], minor_digits: int, pointer: str, faults: list[Fault]
) -> Mapping[str, object]:
    """Own attributes by slug; None takes one away. Faults of single attributes are added to `faults`."""
    if not isinstance(told, Mapping):
        raise MisfitError("an object of the organisation's own attributes")
    given: dict[str, object] = {}
    for name, one in told.items():
        if len(faults) >= MAX_FAULTS:
            break
        try:
            if name not in own:
                raise MisfitError("an attribute that this workspace has defined", nearest(name, own))
            given[name] = _own(own[name], one, minor_digits)
        except MisfitError as misfit:
            at = f"{pointer}/{escape(name)}"
            faults.append(misfit.fault(at))
    return given


def _own(field: Field, told: object, minor_digits: int) -> Value:
    """A value of an own attribute, whose name means nothing to us; no tags are none."""
    empty = field.kind == "tags" and told in ([], ())
    return value(replace(field, name="custom"), None if empty else told, minor_digits)


def _missing(entity: Entity, name: str) -> Fault:
    field = entity.fields[name]
    return Fault(f"Expected {_what(field)}: it cannot be left out.", pointer=f"/{field.column}")


def _own_missing(
    entity: Entity, own: Mapping[str, Field], given: Mapping[str, Value], faults: Iterable[Fault]
) -> list[Fault]:
    """Required attributes that a new record is without."""
    wrong = {fault.pointer for fault in faults}
    told = given.get("custom")
    if "/custom" in wrong or "custom" not in entity.fields:
        return []
    lacking = [name for name, f in own.items() if not (f.optional or (isinstance(told, Mapping) and name in told))]
    pointers = {name: f"/custom/{escape(name)}" for name in lacking}
    return [
        Fault(f"Expected {_what(own[name])}: it cannot be left out.", pointer=pointer)
        for name, pointer in pointers.items()
        if pointer not in wrong
    ]


def _faulty(faults: Iterable[Fault], entity: Entity, name: str) -> bool:
    field = entity.fields[name]
    return any(f.pointer in (f"/{field.name}", f"/{field.column}") for f in faults)


def _what(field: Field) -> str:
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
        raise MisfitError(_what(field), nearest(told, field.values) if isinstance(told, str) else None)
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
