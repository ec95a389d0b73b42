"""Exports: their forms, the names of their files, and how a cell of a spreadsheet is kept from being a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal

Form = Literal["ndjson", "csv", "arrow"]

MARK = "'"
LEADING = "\t\n\r'+-=@\uff0b\uff0d\uff1d\uff20"
"""What a text may not begin with in a cell: programs take it for a formula. Each gets a MARK in front, a MARK too, so that
a reader who takes one MARK off a text's beginning has what was stored."""
JOINT = ";"
"""What stands between the tags of a cell. Tags that could not be told apart again stand there as an array of JSON."""
LONGEST_NAME = 80
_NO_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Medium:
    """How a form travels: its media type and what files of it end with."""

    type: str
    ending: str


MEDIA: Mapping[Form, Medium] = MappingProxyType(
    {
        "ndjson": Medium("application/x-ndjson", "ndjson"),
        "csv": Medium("text/csv; charset=utf-8; header=present", "csv"),
        "arrow": Medium("application/vnd.apache.arrow.stream", "arrows"),
    }
)
FORMS: tuple[Form, ...] = tuple(MEDIA)


def file_name(name: str, day: date, form: Form) -> str:
    """`renewals-at-risk-2026-11-22.csv`: letters, digits, `.`, `_` and `-` alone, at most 80 characters of the name."""
    plain = _NO_NAME.sub("-", name).strip("-.")[:LONGEST_NAME] or "export"
    return f"{plain}-{day}.{MEDIA[form].ending}"
