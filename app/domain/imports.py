"""Imports: what can be wrong with a row of a file, what is only worth saying, and which kinds there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.values import FORMED, HOLLOW, LINE, PROSE, PROSES

State = Literal["staged", "running", "done", "failed"]
STATES: tuple[State, ...] = ("staged", "running", "done", "failed")
FileKind = Literal["csv", "ndjson"]
Origin = Literal["csv", "ndjson", "json"]
"""Where text comes from: a file, or the body of a call, whose numbers are as exact as they were written."""
MEDIA: Mapping[str, FileKind] = MappingProxyType({"text/csv": "csv", "application/x-ndjson": "ndjson"})

SHOWN = 100
"""Rejected values in the import's own resource; all that are kept are read from its errors."""
KEPT = 100_000
"""Errors and warnings of one import that are kept; the summary counts them all."""
EXAMPLES = 5
"""Lines that the summary names for each kind of problem."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row: in which column of the file (None: the row as a whole), as a code and in words."""

    column: str | None
    code: str
    message: str
    is_warning: bool = False


ROWS: Mapping[str, str] = MappingProxyType(
    {
        "encoding": "Expected text in UTF-8.",
        "nul": "Expected no NUL character: it cannot be stored.",
        "columns": "Expected as many values as the header has columns.",
        "quote": "Expected a closing quotation mark: the rest of the file has none.",
        "cut": "Expected a whole row: the file ends within it.",
        "too_long": "Expected a row of at most 1 MB.",
        "json": "Expected one JSON object on the line.",
        "surrogate": "Expected text without lone surrogates: they are no characters.",
        "unknown_member": "Expected no member but the fields that can be imported.",
    }
)
"""Why a row cannot be read at all."""

VALUES: Mapping[str, str] = MappingProxyType(
    {
        "empty": "Expected a value: it cannot be empty.",
        "required": "Expected a value: a new record cannot be without.",
        "slug": "Expected a slug: lower-case letters, digits, - and _, 63 at most.",
        **{name: f"Expected {words}." for name, words in FORMED.items()},
        "blank": "Expected text that is more than white space.",
        "hollow": f"Expected {HOLLOW}.",
        "ahead": "Expected an instant that is not more than a day ahead.",
        "integer": "Expected a whole number.",
        "number": "Expected a number.",
        "money": "Expected an amount of money: digits, and a point before decimals.",
        "separated": "Expected a number with a point before decimals and nothing between digits, unless the mapping says `decimal`.",
        "decimal_comma": "Expected a number with a comma before decimals: 1.234,56 with groups of three digits, or 1234,56.",
        "decimal_point": "Expected a number with a point before decimals: 1,234.56 with groups of three digits, or 1234.56.",
        "bool": "Expected true or false.",
        "id": "Expected an id: a UUID.",
        "circle": "Expected a parent that is not the account itself or below it.",
        "depth": "Expected fewer than 64 parents above an account.",
        "foreign": "Expected a contact of the record's own account: this one belongs to another.",
        "ambiguous": "Expected the contact's id or external id: several contacts of the account have this e-mail.",
        "taken": "Expected a value that no other record has.",
        "again": "Expected each record once: an earlier one of the call is for the same.",
    }
)
"""Why a value cannot be taken, where the words do not depend on the field."""

WARNINGS: Mapping[str, str] = MappingProxyType(
    {
        "duplicate": "A later row of the file is for the same record: that one was taken.",
        "repeated": "An earlier row of the file has the same identifier; both count, as they say different things.",
        "before_contract": "Dated before its contract begins; it was taken as it is.",
        "before_customer": "Dated before its account became a customer; it was taken as it is.",
        "in_force": "A contract of the account goes on after this churn; it was taken as it is.",
        "further_churn": "The account has another churn already; it was taken as it is.",
        "ends_first": "The contract ends before it starts: it is never in force.",
        "negative": "An ARR below zero; it was taken as it is.",
        "emptied": "No ARR for an account that has one: it is 0 now.",
        "unmapped": "Not in the mapping, and not read.",
        "modelled": "Health follows from the workspace's own measures: nothing was taken from this column.",
        "made": "Made on the way, not being there yet.",
    }
)
"""What is suspicious and was imported all the same."""


ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "encoding": "Save the file as UTF-8.",
        "columns": "Look for a delimiter within a value: such a value stands in quotes. `delimiter` says which one the file has.",
        "cut": "The file was cut off: send the whole of it again. What has landed stays as it is.",
        "empty": "Fill it in, or say a `default` in the mapping.",
        "required": "Fill it in, or say a `default` or a constant in the mapping.",
        "slug": "`slugify` in the mapping makes slugs of texts.",
        "one_of": "`map` in the mapping puts a known word in place of the file's.",
        "bool": '`map` in the mapping says which words are meant: {"yes": true, "no": false}.',
        "country": '`map` in the mapping puts the two letters in place of a name: {"UK": "GB"}.',
        "date": '`format` in the mapping says how the file writes days: "%d.%m.%Y".',
        "instant": '`format` in the mapping says how the file writes times: "%d.%m.%Y %H:%M".',
        "number": '`map` in the mapping empties words such as n/a: {"n/a": null}.',
        "integer": '`map` in the mapping empties words such as n/a: {"n/a": null}.',
        "money": '`map` in the mapping empties words such as n/a: {"n/a": null}.',
        "separated": (
            'Say in the mapping, for the column or the whole file, "decimal": "," where 1,234 is one and a bit, '
            '"decimal": "." where it is a thousand and more.'
        ),
        "decimal_comma": 'Where a point stands before decimals of this column, say "decimal": "." of it.',
        "decimal_point": 'Where a comma stands before decimals of this column, say "decimal": "," of it.',
        "type": "`map` in the mapping takes texts, numbers and booleans alike; `decimal` takes numbers that are written as texts.",
        "unknown": (
            "Import what it names first, or mend the spelling by `map` in the mapping; `create` makes industries, products, "
            "features and teams."
        ),
        "duplicate": "Nothing, where the last row of a record is the right one.",
        "repeated": "Where two rows mean the same, leave one out.",
        "before_contract": "See whether the contract's start or the row's day is wrong; send what you mend again.",
        "before_customer": "See whether `became_customer_at` of the account or the row's day is wrong; send what you mend again.",
        "in_force": "Where the account left, send its contracts with their end or with the outcome `churned`.",
        "further_churn": "Nothing, where the account came back in between.",
        "ends_first": "Mend the two days and send the row again.",
        "negative": "See whether it is meant as a credit: an ARR below zero makes sums smaller.",
        "emptied": "Where the file does not know it, leave the column out of the mapping, and send the ARR again.",
        "unmapped": "Add to `columns` what you want to keep; attributes of your own take what no field does.",
        "made": "Look for misspelt ones: `map` in the mapping mends them.",
    }
)
"""What can be done about it, where the words of the problem do not say it."""
MEND = "Mend the rows and send the file again: what has landed stays as it is."
NOTES = frozenset({"made", "unmapped", "modelled"})
"""Warnings that are about the file as a whole, and about no row of it."""


@dataclass(frozen=True, slots=True)
class Named:
    """One of the things that a finding is about, how many rows name it, and the first lines of those."""

    name: str
    count: int
    lines: Sequence[int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem in a file: how many rows have it, and the first lines of those; `names`, where it is about several
    things, the first of them."""

    problem: Problem
    count: int
    lines: Sequence[int]
    names: tuple[Named, ...] = ()

    @property
    def advice(self) -> str | None:
        """What can be done about it."""
        return ADVICE.get(self.problem.code) or (None if self.problem.is_warning else MEND)


def problem(column: str | None, code: str, message: str | None = None) -> Problem:
    """A problem by its code, in its usual words unless told others."""
    words = message or ROWS.get(code) or VALUES.get(code) or WARNINGS[code]
    return Problem(column, code, words, code in WARNINGS)


def unfit(field: Field, code: str, column: str, minor_digits: int) -> Problem:
    """A value that its field does not take."""
    limit = PROSE if field.name in PROSES else LINE
    words = {
        "text": f"Expected text of at most {limit:,} characters.",
        "one_of": f"Expected one of {', '.join(field.values)}.",
        "range": _range(field),
        "least": f"Expected an amount from {field.least}.",
        "decimals": f"Expected an amount with at most {minor_digits} decimal digits.",
        "date": "Expected a date that exists: YYYY-MM-DD, or as the mapping's format says.",
        "instant": "Expected an instant: 2026-01-31T12:00:00Z, or as the mapping's format says.",
        "tags": f"Expected {', '.join(field.values) or 'texts'}, with ; between them.",
        "unknown": f"Expected one of the workspace's {field.target}.",
        "type": f"Expected {_json(field)} or null.",
    }
    return problem(column, code, words.get(code))


def _range(field: Field) -> str:
    if field.low is None and field.high is None:
        return "Expected an amount within 64 bits." if field.kind == "money" else "Expected a number within 64 bits."
    low = f" from {field.low:g}" if field.low is not None else ""
    high = f" to {field.high:.16g}" if field.high is not None else ""
    return f"Expected a number{low}{high}."


def _json(field: Field) -> str:
    match field.kind:
        case "number" | "money":
            return "a number"
        case "integer":
            return "a whole number"
        case "bool":
            return "true or false"
        case _:
            return "a text"


def kind_of(name: str) -> Entity:
    """The kind of record that is imported. Raises Invalid with the nearest one."""
    kinds = {kind: entity for kind, entity in ENTITIES.items() if entity.imported}
    if name not in kinds:
        known = ", ".join(kinds)
        raise Invalid(faults=(Fault(f"Expected one of {known}.", parameter="kind", suggestion=nearest(name, kinds)),))
    return kinds[name]
