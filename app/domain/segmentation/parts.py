"""What a rule stands on: the fields that it reads, and whether it asks for other segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from app.domain.catalogue import Field
from app.domain.criteria.meant import Meaning, Moved, SegmentOf


def names(meaning: Meaning) -> frozenset[str]:
    """Every field that is named anywhere in it, those of related records too: more than need be, never less."""
    return frozenset(part.name for part in parts(meaning) if isinstance(part, Field))


def of_segments(meaning: Meaning) -> bool:
    """Whether a segment is asked for anywhere in it, or a move between segments."""
    return any(isinstance(part, (SegmentOf, Moved)) for part in parts(meaning))


def parts(part: object) -> Iterator[object]:
    """Everything that a tree is made of, itself first."""
    yield part
    if isinstance(part, Field):
        return
    if isinstance(part, tuple):
        for one in part:
            yield from parts(one)
    elif is_dataclass(part) and not isinstance(part, type):
        for member in fields(part):
            yield from parts(getattr(part, member.name))
