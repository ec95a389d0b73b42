"""Errors of criteria: where it is, what was expected, and the nearest known name. What was written is not repeated."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from app.domain.criteria.nodes import At
from app.domain.errors import Fault, Invalid, Unreadable

LONGEST_NAME = 64


def nearest(name: str, known: Iterable[str], close: float = 0.6) -> str | None:
    """The known name that `name` most likely means, or None; of a path that leads somewhere only its end is guessed. `close`: from how
    much alike on, 0 to 1."""
    if not 0 < len(name) <= LONGEST_NAME:
        return None
    folded, names = name.lower(), {k.lower(): k for k in known}
    for candidate, original in names.items():
        if candidate == folded or candidate.endswith("." + folded):
            return original
    head, point, end = folded.rpartition(".")
    ends = {one[len(head) + 1 :]: original for one, original in names.items() if one.startswith(head + ".")}
    if point and ends:
        folded, names = end, ends
    found = get_close_matches(folded, names, n=1, cutoff=close)
    return names[found[0]] if found else None


def fault(at: At, message: str, suggestion: str | None = None) -> Fault:
    pointer = at.pointer if at.line is None else at.pointer or None
    return Fault(message, pointer=pointer, line=at.line, column=at.column, suggestion=suggestion)


def invalid(at: At, message: str, suggestion: str | None = None) -> Invalid:
    return Invalid(None, (fault(at, message, suggestion),))


def unreadable(at: At, message: str, suggestion: str | None = None) -> Unreadable:
    return Unreadable(None, (fault(at, message, suggestion),))
