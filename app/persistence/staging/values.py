"""Text of a file to a value of the catalogue, as SQL that cannot fail: what does not fit is NULL, and has a code.

The same rules as `app.domain.records`, which reads one body where this reads a million rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

from app.domain.catalogue import Field, Kind
from app.domain.date_formats import DateFormat
from app.domain.imports import Origin
from app.domain.mappings import Source
from app.domain.records import COUNTRY, EMAIL, INT64, LINE, PROSE, PROSES
from app.domain.workspaces import Workspace
from app.persistence.staging import own

ABSENT = "\ufdd0"
"""Stands in a staged column for a member that a line of NDJSON leaves out. A noncharacter: no text is interchanged with it."""

SQL_TYPES: Mapping[Kind, str] = {
    "text": "text", "enum": "text", "slug": "text", "number": "float8", "integer": "int4", "money": "int8", "date": "date",
    "instant": "timestamptz", "bool": "bool", "id": "uuid", "ref": "uuid",
}  # fmt: skip
DIGITS = r"^-?[0-9]+$"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
FIRST, LAST = "timestamptz '0001-01-01T00:00:00Z'", "timestamptz '9999-12-31T23:59:59.999999Z'"
LONGEST = 40
"""Characters of a number."""
TRILLION = 10**12


@dataclass(slots=True)
class Bound:
    """The values that one statement binds, `$1` the workspace's id."""

    workspace: Workspace
    source: Origin
    args: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.args.append(self.workspace.id)

    def text(self, value: str) -> str:
        """The place of a text."""
        self.args.append(value)
        return f"${len(self.args)}::text"

    @property
    def zone(self) -> str:
        """The place of the workspace's time zone."""
        return self.text(self.workspace.zone.key)


@dataclass(frozen=True, slots=True)
class Fit:
    """`value` is SQL over the text `v`, NULL where it does not fit; then the first of `why` that holds is the code."""

    value: str
    why: tuple[tuple[str, str], ...]


def told(source: Source, column: str | None, bound: Bound) -> str:
    """The text that a field is told, after its mapping; empty is NULL."""
    if column is None:
        return bound.text(source.default or "") if source.default else "NULL::text"
    raw = f"nullif(s.{column}, {bound.text(ABSENT)})" if bound.source != "csv" else f"s.{column}"
    words = _mapped(source, raw, bound)
    if source.slugify:
        words = f"left(trim(BOTH '-' FROM regexp_replace(lower({words}), '[^a-z0-9]+', '-', 'g')), 63)"
    words = f"nullif({words}, '')"
    if source.template:
        before, after = source.template
        words = f"{bound.text(before)} || {words} || {bound.text(after)}"
    return f"coalesce({words}, {bound.text(source.default)})" if source.default else words


def _mapped(source: Source, raw: str, bound: Bound) -> str:
    if not source.map and not source.otherwise_given:
        return raw
    whole = f"coalesce({raw}, '')"
    cases = [f"WHEN {whole} = {bound.text(key)} THEN {_word(word, bound)}" for key, word in (source.map or {}).items()]
    rest = f"WHEN {whole} <> '' THEN {_word(source.otherwise, bound)}" if source.otherwise_given else f"ELSE {raw}"
    return f"CASE {' '.join(cases)} {rest} END"


def _word(word: str | None, bound: Bound) -> str:
    return "NULL::text" if word is None else bound.text(word)


def fit(target: Field, source: Source, v: str, bound: Bound) -> Fit:
    """How a text becomes a value of the field. References are only looked at for their spelling."""
    match target.kind:
        case "text":
            return _text(target, v)
        case "enum":
            known = ", ".join(bound.text(value) for value in target.values)
            return Fit(f"CASE WHEN {v} IN ({known}) THEN {v} END", (("true", "one_of"),))
        case "slug":
            return (
                _text(target, v)
                if source.ref != "slug"
                else Fit(f"CASE WHEN {_is_slug(v)} THEN {v} END", (("true", "slug"),))
            )
        case "ref":
            if source.ref == "id":
                return Fit(f"CASE WHEN {v} ~ '{UUID}' THEN {v} END", (("true", "id"),))
            return Fit(f"CASE WHEN length({v}) <= {LINE} THEN {v} END", (("true", "text"),))
        case "bool":
            return Fit(f"CASE WHEN {v} IN ('true', 'false') THEN {v} = 'true' END", (("true", "bool"),))
        case "integer":
            return _integer(target, v)
        case "number":
            return _number(target, v)
        case "money":
            return _money(v, bound)
        case "date" | "instant":
            return _when(target.kind, source, v, bound)
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


# Bounded repeats in patterns are what makes them slow: lengths and letters are looked at first, in other ways.


def _is_slug(v: str) -> str:
    return f"length({v}) <= 63 AND {v} ~ '^[a-z0-9][a-z0-9_-]*$'"


def _is_whole(v: str) -> str:
    return f"translate({v}, '0123456789-', '') = '' AND pg_input_is_valid({v}, 'int4')"


def _is_number(v: str) -> str:
    """Also one that a double can hold: neither an infinity nor NaN has such letters."""
    return (
        f"length({v}) <= {LONGEST} AND translate({v}, '0123456789.+-eE', '') = '' AND pg_input_is_valid({v}, 'float8')"
    )


def _is_day(v: str) -> str:
    return f"{v} LIKE '____-__-__' AND translate({v}, '0123456789', '') = '--'"


def _text(target: Field, v: str) -> Fit:
    limit = PROSE if target.name in PROSES else LINE
    if target.name == "slug":
        return Fit(f"CASE WHEN {_is_slug(v)} THEN {v} END", (("true", "slug"),))
    patterns = {"country": COUNTRY, "email": EMAIL}
    if target.name in patterns:
        value = f"CASE WHEN length({v}) <= {limit} AND {v} ~ '^{patterns[target.name].pattern}$' THEN {v} END"
        return Fit(value, ((f"length({v}) > {limit}", "text"), ("true", target.name)))
    return Fit(f"CASE WHEN length({v}) <= {limit} THEN {v} END", (("true", "text"),))


def _integer(target: Field, v: str) -> Fit:
    if target.low is None and target.high is None:
        whole = f"translate({v}, '0123456789-', '') = '' AND pg_input_is_valid({v}, 'int8')"
        return Fit(f"CASE WHEN {whole} THEN {v}::int8 END", ((f"{v} ~ '{DIGITS}'", "range"), ("true", "integer")))
    low, high = (
        target.low if target.low is not None else -(2**31),
        target.high if target.high is not None else 2**31 - 1,
    )
    value = f"CASE WHEN {_is_whole(v)} THEN CASE WHEN {v}::int4 BETWEEN {low:.0f} AND {high:.0f} THEN {v}::int4 END END"
    return Fit(value, ((f"{v} ~ '{DIGITS}'", "range"), ("true", "integer")))


def _number(target: Field, v: str) -> Fit:
    bounds = [f"{v}::float8 >= {target.low!r}::float8"] if target.low is not None else []
    bounds += [f"{v}::float8 <= {target.high!r}::float8"] if target.high is not None else []
    inside = f"CASE WHEN {' AND '.join(bounds)} THEN {v}::float8 END" if bounds else f"{v}::float8"
    return Fit(
        f"CASE WHEN {_is_number(v)} THEN {inside} END",
        ((f"{_is_number(v)} OR {v} ~ '{DIGITS}'", "range"), ("true", "number")),
    )


def _money(v: str, bound: Bound) -> Fit:
    factor = 10**bound.workspace.minor_digits
    minor = f"{v}::numeric * {factor}"
    exact = f"AND NOT ({v} ~ '[.eE]' AND abs({v}::numeric) >= {TRILLION})" if bound.source == "ndjson" else ""
    inner = f"CASE WHEN abs({minor}) <= {INT64} AND trunc({minor}) = {minor} {exact} THEN ({minor})::int8 END"
    value = f"CASE WHEN {_is_number(v)} THEN {inner} END"
    return Fit(
        value,
        (
            (f"{_where_number(v, f'abs({minor}) > {INT64}')} OR {v} ~ '{DIGITS}' AND length({v}) > {LONGEST}", "range"),
            (_where_number(v, f"trunc({minor}) <> {minor}"), "decimals"),
            (_is_number(v), "inexact"),
            ("true", "money"),
        ),
    )


def _where_number(v: str, condition: str) -> str:
    return f"CASE WHEN {_is_number(v)} THEN {condition} ELSE false END"


def _when(kind: Literal["date", "instant"], source: Source, v: str, bound: Bound) -> Fit:
    if source.formats:
        tries = [_formatted(kind, one, v, bound) for one in source.formats]
        value = f"coalesce({', '.join(tries)})" if len(tries) > 1 else tries[0]
    elif kind == "date":
        value = _valid(_is_day(v), v, "date")
    else:
        value = _valid(f"{v} ~ '{MOMENT}'", f"upper({v})", "timestamptz")
    if kind == "instant":
        value = f"CASE WHEN {value} BETWEEN {FIRST} AND {LAST} THEN {value} END"
    return Fit(value, (("true", kind),))


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
