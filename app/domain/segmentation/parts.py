"""What a rule stands on: the fields that it reads, and whether it asks for other segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from app.domain.catalogue import Field
from app.domain.criteria.meant import Meaning, SegmentOf


def names(meaning: Meaning) -> frozenset[str]:
    """Every field that is named anywhere in it, those of related records too: more than need be, never less."""
    return frozenset(part.name for part in _parts(meaning) if isinstance(part, Field))


def of_segments(meaning: Meaning) -> bool:
    """Whether a segment is asked for anywhere in it."""
    return any(isinstance(part, SegmentOf) for part in _parts(meaning))


def _parts(part: object) -> Iterator[object]:
    yield part
    if isinstance(part, Field):
        return
    if isinstance(part, tuple):
        for one in part:
            yield from _parts(one)
    elif is_dataclass(part) and not isinstance(part, type):
        for member in fields(part):
            yield from _parts(getattr(part, member.name))
