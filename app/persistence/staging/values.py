"""Text of a file to a value of the catalogue, as SQL that cannot fail: what does not fit is NULL, and has a code.

The same rules as `app.domain.records`, which reads one body where this reads a million rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import Literal, assert_never

from app.domain.catalogue import Field, Kind
from app.domain.codes import COUNTRIES
from app.domain.date_formats import DateFormat
from app.domain.decimals import SIGNS, Decimals, parting, pattern
from app.domain.imports import Origin
from app.domain.numbers import DIGITS, LEAST, MOST
from app.domain.records import AHEAD
from app.domain.sources import Source
from app.domain.values import BLANKS, FORMS, INT64, LINE, PROSE, PROSES
from app.domain.workspaces import Workspace
from app.persistence.staging import own

ABSENT = f"\ufdd0{token_urlsafe(9)}"
"""Stands in a staged column for a member that a line of NDJSON leaves out: nobody can say it who does not know it."""

SQL_TYPES: Mapping[Kind, str] = {
    "text": "text", "enum": "text", "slug": "text", "number": "float8", "integer": "int4", "money": "int8", "date": "date",
    "instant": "timestamptz", "bool": "bool", "id": "uuid", "ref": "uuid",
}  # fmt: skip
WHOLE = r"^-?[0-9]+$"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
OFFSET = 6
"""Characters of an offset from UTC. PostgreSQL itself reads none of 16 hours and more."""
FIRST, LAST = "timestamptz '0001-01-01T00:00:00Z'", "timestamptz '9999-12-31T23:59:59.999999Z'"
KNOWN = "('" + "', '".join(sorted(COUNTRIES)) + "')"
PARTED = "^[-+]?[0-9{}]*[0-9]$".format(SIGNS.replace("'", "''"))
PLAIN = "^[-+]?[0-9]*[.]?[0-9]*$"
NONE = "?"
"""In place of a text that is no number of the kind that the file is told to have."""
FURTHEST = f"9.999999999999999e{DIGITS}"
"""The largest number whose first digit is near enough to the point."""


@dataclass(slots=True)
class Bound:
    """The values that one statement binds, `$1` the workspace's id."""

    workspace: Workspace
    source: Origin
    now: datetime
    args: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.args.append(self.workspace.id)

    def text(self, value: str) -> str:
        """The place of a text."""
        self.args.append(value)
        return f"${len(self.args)}::text"

    @property
    def latest(self) -> str:
        """The place of the last moment at which anything can have happened."""
        self.args.append(self.now + AHEAD)
        return f"${len(self.args)}::timestamptz"

    @property
    def zone(self) -> str:
        """The place of the workspace's time zone."""
        return self.text(self.workspace.zone.key)


@dataclass(frozen=True, slots=True)
class Fit:
    """`value` is SQL over the text `v`, NULL where it does not fit; then the first of `why` that holds is the code."""

    value: str
    why: tuple[tuple[str, str], ...]


def told(target: Field, source: Source, column: str | None, bound: Bound) -> str:
    """The text that a field is told, after its mapping; an empty one is NULL only where null cannot be said."""
    if column is None:
        return bound.text(source.default or "") if source.default else "NULL::text"
    raw = f"nullif(s.{column}, {bound.text(ABSENT)})" if bound.source != "csv" else f"s.{column}"
    words = _mapped(source, raw, bound)
    if source.slugify:
        words = f"left(trim(BOTH '-' FROM regexp_replace(lower({words}), '[^a-z0-9]+', '-', 'g')), 63)"
    if target.kind == "tags" or bound.source == "csv" or not source.plain:
        words = f"nullif({words}, '')"
    if source.template:
        before, after = source.template
        words = f"{bound.text(before)} || {words} || {bound.text(after)}"
    return f"coalesce({words}, {bound.text(source.default)})" if source.default else words


def _mapped(source: Source, raw: str, bound: Bound) -> str:
    plain = _plain(raw, source.decimal, bound) if source.decimal else raw
    if not source.map and not source.otherwise_given:
        return plain
    whole = f"coalesce({raw}, '')"
    cases = [f"WHEN {whole} = {bound.text(key)} THEN {_word(word, bound)}" for key, word in (source.map or {}).items()]
    rest = f"WHEN {whole} <> '' THEN {_word(source.otherwise, bound)}" if source.otherwise_given else f"ELSE {plain}"
    return f"CASE {' '.join(cases)} {rest} END"


def _plain(raw: str, decimal: Decimals, bound: Bound) -> str:
    """A number as JSON has it, of one with this sign before decimals and with parted groups."""
    bare = f"replace(translate({raw}, {bound.text(parting(decimal))}, ''), ',', '.')"
    is_one = f"{raw} ~ {bound.text(pattern(decimal))}"
    return f"CASE WHEN {raw} IS NULL OR {raw} = '' THEN {raw} WHEN {is_one} THEN {bare} ELSE '{NONE}' END"


def _word(word: str | None, bound: Bound) -> str:
    return "NULL::text" if word is None else bound.text(word)


def fit(target: Field, source: Source, v: str, bound: Bound) -> Fit:
    """How a text becomes a value of the field. References are only looked at for their spelling."""
    match target.kind:
        case "text":
            return _text(target, v, bound)
        case "enum":
            known = ", ".join(bound.text(value) for value in target.values)
            return Fit(f"CASE WHEN {v} IN ({known}) THEN {v} END", (("true", "one_of"),))
        case "slug":
            return (
                _text(target, v, bound)
                if source.ref != "slug"
                else Fit(f"CASE WHEN {_is_slug(v)} THEN {v} END", (("true", "slug"),))
            )
        case "ref":
            if source.ref == "id":
                return Fit(f"CASE WHEN {v} ~ '{UUID}' THEN {v} END", (("true", "id"),))
            value = f"CASE WHEN length({v}) BETWEEN 1 AND {LINE} THEN {v} END"
            return Fit(value, ((f"{v} = ''", "hollow"), ("true", "text")))
        case "bool":
            return Fit(f"CASE WHEN {v} IN ('true', 'false') THEN {v} = 'true' END", (("true", "bool"),))
        case "integer":
            return _as_written(_integer(target, v), source, v)
        case "number":
            return _as_written(_number(target, v), source, v)
        case "money":
            return _as_written(_money(target, v, bound), source, v)
        case "date" | "instant":
            return _when(target, source, v, bound)
        case "id" | "tags" | "json":
            return _own_tags(target, v, bound)
        case _:
            assert_never(target.kind)


def _own_tags(target: Field, v: str, bound: Bound) -> Fit:
    """Tags of an own attribute; no other field of several values comes with a file."""
    if target.kind != "tags" or target.stored is None:
        raise LookupError(f"{target.name} is not imported")
    known = bound.text(json.dumps(target.values)) if target.values else None
    return Fit(own.tags(target, v, known), (("true", "tags"),))


def _as_written(found: Fit, source: Source, v: str) -> Fit:
    """With what is wrong with how a number is written, where that is it."""
    *why, usual = found.why
    if source.decimal is not None:
        signs = (f"{v} = '{NONE}'", "decimal_comma" if source.decimal == "," else "decimal_point")
    else:
        signs = (f"{v} ~ '{PARTED}' AND {v} !~ '{PLAIN}'", "separated")
    return Fit(found.value, (signs, *why, usual))


# Bounded repeats in patterns are what makes them slow: lengths and letters are looked at first, in other ways.


def _is_slug(v: str) -> str:
    return f"length({v}) <= 63 AND {v} ~ '^[a-z0-9][a-z0-9_-]*$'"


def _is_whole(v: str) -> str:
    return f"translate({v}, '0123456789-', '') = '' AND pg_input_is_valid({v}, 'int4')"


def _is_number(v: str) -> str:
    """Also one that can be kept exactly: neither an infinity nor NaN has such letters."""
    sound = (
        f"length({v}) <= {DIGITS} AND translate({v}, '0123456789.+-eE', '') = '' AND pg_input_is_valid({v}, 'float8')"
    )
    near = f"({v}::float8 = 0 OR abs({v}::float8) BETWEEN 1e-{DIGITS} AND {FURTHEST})"
    whole = f"(strpos({v}, '.') > 0 OR pg_input_is_valid({v}, 'int8'))"
    # Most numbers are short rows of digits, and looking at those in other ways costs twice as much.
    short = f"{v} <> '' AND length({v}) <= 15 AND translate({v}, '0123456789', '') = ''"
    return f"CASE WHEN {short} THEN true WHEN {sound} THEN CASE WHEN {v} ~ '[eE]' THEN {near} ELSE {whole} END ELSE false END"


def _is_day(v: str) -> str:
    digit = "[0-9]"
    return f"{v} ~ '^{digit * 4}-{digit * 2}-{digit * 2}$'"


def _text(target: Field, v: str, bound: Bound) -> Fit:
    limit = PROSE if target.name in PROSES else LINE
    if target.name == "slug":
        return Fit(f"CASE WHEN {_is_slug(v)} THEN {v} END", (("true", "slug"),))
    form = f"{v} IN {KNOWN}" if target.name == "country" else None
    if target.name in FORMS:
        form = f"{v} ~ '^{FORMS[target.name].pattern}$'"
    if form is not None:
        value = f"CASE WHEN length({v}) <= {limit} AND {form} THEN {v} END"
        why = ((f"length({v}) > {limit}", "text"), (f"{v} = ''", "hollow"), ("true", target.name))
        return Fit(value, why)
    if target.optional or target.kind != "text":
        value = f"CASE WHEN length({v}) BETWEEN 1 AND {limit} THEN {v} END"
        return Fit(value, ((f"{v} = ''", "hollow"), ("true", "text")))
    blank = f"btrim({v}, {bound.text(BLANKS)}) = ''"
    value = f"CASE WHEN length({v}) <= {limit} AND NOT {blank} THEN {v} END"
    return Fit(value, ((blank, "blank"), ("true", "text")))


def _integer(target: Field, v: str) -> Fit:
    """Also where it is written with a point or an exponent, as some languages write every number."""
    if target.low is None and target.high is None:
        type_, plain, inside = (
            "int8",
            f"translate({v}, '0123456789-', '') = '' AND pg_input_is_valid({v}, 'int8')",
            "true",
        )
        low, high = LEAST, MOST
    else:
        type_, plain = "int4", _is_whole(v)
        low = round(target.low) if target.low is not None else -(2**31)
        high = round(target.high) if target.high is not None else 2**31 - 1
        inside = f"{v}::int4 BETWEEN {low} AND {high}"
    whole = _where_number(v, f"{v} ~ '[.eE]' AND trunc({v}::numeric) = {v}::numeric")
    value = (
        f"CASE WHEN {plain} THEN CASE WHEN {inside} THEN {v}::{type_} END"
        f" WHEN {whole} THEN CASE WHEN {v}::numeric BETWEEN {low} AND {high} THEN {v}::numeric::{type_} END END"
    )
    return Fit(value, ((f"{v} ~ '{WHOLE}' OR {whole}", "range"), ("true", "integer")))


def _number(target: Field, v: str) -> Fit:
    """What is no number is NULL; nought has no sign."""
    bounds = [f"{v}::float8 >= {target.low!r}::float8"] if target.low is not None else []
    bounds += [f"{v}::float8 <= {target.high!r}::float8"] if target.high is not None else []
    inside = f"CASE WHEN {' AND '.join(bounds)} THEN {v}::float8 + 0 END" if bounds else f"{v}::float8 + 0"
    return Fit(
        f"CASE WHEN {_is_number(v)} THEN {inside} END",
        ((f"{_is_number(v)} OR {v} ~ '{WHOLE}'", "range"), ("true", "number")),
    )


def _money(target: Field, v: str, bound: Bound) -> Fit:
    factor = 10**bound.workspace.minor_digits
    minor = f"{v}::numeric * {factor}"
    least = f"AND {v}::numeric >= {target.least}" if target.least is not None else ""
    inner = f"CASE WHEN abs({minor}) <= {INT64} AND trunc({minor}) = {minor} {least} THEN ({minor})::int8 END"
    value = f"CASE WHEN {_is_number(v)} THEN {inner} END"
    low = (_where_number(v, f"{v}::numeric < {target.least}"), "least") if target.least is not None else None
    return Fit(
        value,
        (
            *((low,) if low else ()),
            (f"{_where_number(v, f'abs({minor}) > {INT64}')} OR {v} ~ '{WHOLE}' AND length({v}) > {DIGITS}", "range"),
            (_where_number(v, f"trunc({minor}) <> {minor}"), "decimals"),
            ("true", "money"),
        ),
    )


def _where_number(v: str, condition: str) -> str:
    return f"CASE WHEN {_is_number(v)} THEN {condition} ELSE false END"


def _when(target: Field, source: Source, v: str, bound: Bound) -> Fit:
    kind: Literal["date", "instant"] = "date" if target.kind == "date" else "instant"
    if source.formats:
        tries = [_formatted(kind, one, v, bound) for one in source.formats]
        value = f"coalesce({', '.join(tries)})" if len(tries) > 1 else tries[0]
    elif kind == "date":
        value = _valid(_is_day(v), v, "date")
    else:
        value = _moment(v)
    if kind == "instant":
        value = f"CASE WHEN {value} BETWEEN {FIRST} AND {LAST} THEN {value} END"
    if not target.happened:
        return Fit(value, (("true", kind),))
    fits = f"{value} <= {bound.latest}"
    return Fit(f"CASE WHEN {fits} THEN {value} END", ((f"NOT ({fits})", "ahead"), ("true", kind)))


def _moment(v: str) -> str:
    """An instant of RFC 3339, whatever its offset."""
    local = f"upper(left({v}, -{OFFSET}))"
    far = f"({local}::timestamp - right({v}, {OFFSET})::interval) AT TIME ZONE 'UTC'"
    tries = (
        f"WHEN pg_input_is_valid(upper({v}), 'timestamptz') THEN upper({v})::timestamptz",
        f"WHEN {v} !~ '[Zz]$' AND pg_input_is_valid({local}, 'timestamp') THEN {far}",
    )
    return f"CASE WHEN {v} ~ '{MOMENT}' THEN CASE {' '.join(tries)} END END"


def _formatted(kind: Literal["date", "instant"], one: DateFormat, v: str, bound: Bound) -> str:
    pattern = bound.text(one.pattern)
    iso = f"regexp_replace({v}, {pattern}, {bound.text(one.parts)})"
    matches = f"{v} ~ {pattern}"
    if one.zoned:
        moment = _valid(matches, iso, "timestamptz")
        return moment if kind == "instant" else f"(({moment}) AT TIME ZONE {bound.zone})::date"
    local = _valid(matches, iso, "timestamp")
    return f"({local}) AT TIME ZONE {bound.zone}" if kind == "instant" else f"({local})::date"


def _valid(matches: str, iso: str, type_: str) -> str:
    """The text as the type, where it has the form and says a moment that exists."""
    return f"CASE WHEN {matches} AND pg_input_is_valid({iso}, '{type_}') THEN {iso}::{type_} END"
