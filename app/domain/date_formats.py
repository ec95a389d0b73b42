"""Date formats, a subset of strptime's, as a pattern and the order in which its parts make ISO 8601."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTS = {
    "Y": r"([0-9]{4})", "m": r"(0?[1-9]|1[0-2])", "d": r"(0?[1-9]|[12][0-9]|3[01])", "b": r"([A-Za-z]{3})", "B": r"([A-Za-z]{3,9})",
    "H": r"([01]?[0-9]|2[0-3])", "I": r"(0?[1-9]|1[0-2])", "M": r"([0-5][0-9])", "S": r"([0-5][0-9])", "f": r"([0-9]{1,6})",
    "p": r"([AaPp][Mm])", "z": r"(Z|[+-][0-9]{2}:?[0-9]{2})",
}  # fmt: skip
MONTH, HOUR = ("m", "b", "B"), ("H", "I")
LONGEST = 64


class FormatError(ValueError):
    """Not a format that can be read; says what is."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """`pattern` matches the whole text; `parts` are its groups in ISO order with `\\1` and so on: a date, or date and time.

    `zoned` says that the text names its offset from UTC. Whether the day exists is not the pattern's matter.
    """

    pattern: str
    parts: str
    timed: bool
    zoned: bool


def read(told: str) -> DateFormat:
    """A format such as `%d.%m.%Y %H:%M`. Raises FormatError."""
    pattern, order = _pattern(told)
    month = next((order[m] for m in MONTH if m in order), None)
    hour = next((order[h] for h in HOUR if h in order), None)
    if "Y" not in order or "d" not in order or month is None:
        raise FormatError("a format with %Y, one of %m %b %B, and %d")
    if ("I" in order) != ("p" in order) or ("M" in order and hour is None) or ("S" in order and "M" not in order):
        raise FormatError("a time of %H:%M, %H:%M:%S or %I:%M %p")
    if (
        ("f" in order and "S" not in order)
        or (hour is not None and "M" not in order)
        or ("z" in order and hour is None)
    ):
        raise FormatError("a time of %H:%M, %H:%M:%S or %I:%M %p")
    parts = f"\\{order['Y']}-\\{month}-\\{order['d']}"
    if hour is not None:
        parts += f" \\{hour}:\\{order['M']}"
        for name, before in (("S", ":"), ("f", "."), ("p", " "), ("z", "")):
            parts += f"{before}\\{order[name]}" if name in order else ""
    return DateFormat(pattern, parts, hour is not None, "z" in order)


def _pattern(told: str) -> tuple[str, dict[str, int]]:
    if not told or len(told) > LONGEST:
        raise FormatError(f"a format of 1 to {LONGEST} characters")
    pattern, rest = "", iter(told)
    order: dict[str, int] = {}
    for character in rest:
        if character != "%":
            pattern += re.escape(character)
            continue
        part = next(rest, "")
        if part == "%":
            pattern += "%"
        elif part in PARTS and part not in order and not (part in MONTH and any(m in order for m in MONTH)):
            order[part] = len(order) + 1
            pattern += PARTS[part]
        else:
            raise FormatError(f"each of {', '.join('%' + p for p in PARTS)} at most once, and one month")
    return f"^{pattern}$", order
