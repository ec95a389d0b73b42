"""How single words of the language are written: names, moments, durations, numbers and strings."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import get_args

from app.domain.criteria.nodes import Calendar, Comparison, Duration, Fold, Ranking, Unit

NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
PATH = rf"{NAME}(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)*"
MOMENT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
PARAM = r"[A-Za-z_][A-Za-z0-9_]*"

KEYWORDS = frozenset(("and", "or", "not", "all", "in", "is", "empty", "where", "by", "true", "false"))
COMPARISONS: dict[Comparison, str] = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
UNITS: tuple[Unit, ...] = get_args(Unit)
CALENDARS: tuple[Calendar, ...] = get_args(Calendar)
FOLDS: tuple[Fold, ...] = get_args(Fold)
RANKINGS: tuple[Ranking, ...] = get_args(Ranking)

MAX_STEPS = 9_999_999
MAX_DECIMALS = 20
MAX_DIGITS = 15

_NAME, _PATH, _MOMENT, _PARAM = (re.compile(p) for p in (NAME, PATH, MOMENT, PARAM))
_DURATION = re.compile(rf"([0-9]{{1,19}})({'|'.join(UNITS)})")


def is_name(word: str) -> bool:
    """Whether a relation can be called so."""
    return _NAME.fullmatch(word) is not None and word.lower() not in KEYWORDS


def is_path(word: str) -> bool:
    """Whether a field can be called so."""
    return _PATH.fullmatch(word) is not None and word.lower() not in KEYWORDS


def is_param(word: str) -> bool:
    """Whether a parameter can be called so."""
    return _PARAM.fullmatch(word) is not None


def duration(written: str) -> Duration:
    """`30d`; raises ValueError that says what is expected."""
    if not (found := _DURATION.fullmatch(written.lower())):
        raise ValueError(f"Expected a duration: digits and one of {', '.join(UNITS)}, as in 30d.")
    unit = next(u for u in UNITS if u == found[2])
    return Duration(steps(int(found[1])), unit)


def steps(n: int) -> int:
    """How many units a window or duration spans; raises ValueError that names the limit."""
    if not 1 <= n <= MAX_STEPS:
        raise ValueError(f"A duration has from 1 to {MAX_STEPS:,} units.")
    return n


def number(written: Decimal | int) -> int | Decimal:
    """The number in its one spelling: int where it is whole, else a Decimal without trailing zeros.

    Raises ValueError that names the limit.
    """
    if isinstance(written, Decimal):
        if not written.is_finite():
            raise ValueError("Expected a finite number.")
        if not written:
            return 0
        if not -MAX_DECIMALS <= written.adjusted() <= 19:
            raise ValueError(f"A number lies within 64 bits and has at most {MAX_DECIMALS} decimals.")
        whole = written == written.to_integral_value()
        if not whole:
            return _fraction(written)
        written = int(written)
    if not -(2**63) <= written < 2**63:
        raise ValueError("A whole number lies within 64 bits.")
    return written


def _fraction(written: Decimal) -> Decimal:
    sign, digits, exponent = written.as_tuple()
    assert isinstance(exponent, int)
    used = len(digits)
    while digits[used - 1] == 0:
        used -= 1
    decimals = -(exponent + len(digits) - used)
    if decimals > MAX_DECIMALS:
        raise ValueError(f"A number has at most {MAX_DECIMALS} decimals.")
    exact = Decimal((sign, digits[:used], -decimals))
    if Decimal(repr(float(exact))) != exact:  # what a JSON reader may make of it is then the same number
        raise ValueError(f"A number with decimals has at most {MAX_DIGITS} significant digits.")
    return exact


def string(text: str) -> str:
    """Raises ValueError for what no record can hold."""
    if "\0" in text:
        raise ValueError("Text cannot hold the character NUL.")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("Text cannot hold half of a surrogate pair.")
    return text


def quoted(text: str) -> str:
    """A string's spelling in text: dates and instants stand bare."""
    return text if _MOMENT.fullmatch(text) else json.dumps(text, ensure_ascii=False)
