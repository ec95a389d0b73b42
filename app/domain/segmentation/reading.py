"""Bodies of segmentations read member by member: whatever is wrong is kept, each by its JSON pointer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeGuard

from app.domain.criteria import spellings
from app.domain.criteria.nodes import Node
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, StrataError
from app.domain.members import below
from app.domain.values import SLUG, UNSTORABLE

NAME_LENGTH = 200
COLOUR = re.compile("#[0-9a-fA-F]{6}")
MOST_FAULTS = 50
CLOSE = 0.7
"""How much of a word and of the one of a few that it may mean is alike: of short words less than that is chance."""


class Faults:
    """Reads members and keeps what was wrong with them; what cannot be read is given as empty."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, pointer: str, message: str, suggestion: str | None = None) -> None:
        """Keeps a fault."""
        self.found.append(Fault(message, pointer=pointer, suggestion=suggestion))

    def raise_any(self) -> None:
        """Raises Invalid where there was any fault."""
        if self.found:
            raise Invalid(faults=tuple(self.found[:MOST_FAULTS]))

    def members(
        self, told: object, pointer: str, allowed: Sequence[str], required: Sequence[str] | Mapping[str, str]
    ) -> Mapping[str, Any]:
        """The members of an object, none where it is no object; `required` may say what each is expected to be."""
        if not isinstance(told, Mapping):
            self.add(
                pointer, f"Expected an object with {' and '.join(required)}." if required else "Expected an object."
            )
            return {}
        for member in told:
            if member not in allowed and len(self.found) < MOST_FAULTS:
                where = f"{pointer}{below(str(member))}"
                self.add(where, "Expected no member of this name.", nearest(str(member), allowed))
        for member in required:
            if told.get(member) is None:
                what = required[member] if isinstance(required, Mapping) else "a value"
                self.add(f"{pointer}/{member}", f"Expected {what}.")
        return told

    def array(self, told: object, pointer: str, most: int, what: str) -> Sequence[Any]:
        """An array of 1 to `most`, empty where it is none; `what` it holds, in the plural."""
        if isinstance(told, list | tuple) and 1 <= len(told) <= most:
            return told
        self.add(pointer, f"Expected an array of 1 to {most} {what}.")
        return ()

    def one_of(self, told: object, pointer: str, allowed: Iterable[Any]) -> Any:
        """One of some names; None where it is not."""
        names = tuple(allowed)
        if told in names:
            return told
        if told is not None:
            near = nearest(told, names, CLOSE) if isinstance(told, str) else None
            self.add(pointer, f"Expected one of {', '.join(names)}.", near)
        return None

    def line(self, told: object, pointer: str) -> str:
        """A name."""
        if isinstance(told, str) and 0 < len(told) <= NAME_LENGTH and not UNSTORABLE.search(told):
            return told
        if told is not None:
            self.add(pointer, f"Expected a name of 1 to {NAME_LENGTH} characters.")
        return ""

    def slug(self, told: object, pointer: str) -> str:
        """A slug."""
        if isinstance(told, str) and SLUG.fullmatch(told):
            return told
        if told is not None:
            self.add(pointer, "Expected a slug of lower-case letters, digits, - and _.")
        return ""

    def number(self, told: object, pointer: str) -> Decimal:
        """A number, exactly."""
        if is_number(told):
            return Decimal(str(told))
        self.add(pointer, "Expected a number.")
        return Decimal(0)

    def whole(self, told: object, pointer: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        if isinstance(told, int) and not isinstance(told, bool) and least <= told <= most:
            return told
        self.add(pointer, f"Expected a whole number from {least} to {most}.")
        return least

    def rising(self, told: object, pointer: str, most: int) -> tuple[Decimal, ...]:
        """Numbers in ascending order, each once."""
        if not isinstance(told, list | tuple) or not 1 <= len(told) <= most or not all(map(is_number, told)):
            self.add(pointer, f"Expected an array of 1 to {most} numbers.")
            return ()
        points = tuple(Decimal(str(point)) for point in told)
        if any(above <= below for below, above in pairwise(points)):
            self.add(pointer, "Expected cuts in ascending order, each once.")
        return points

    def criteria(self, told: object, pointer: str) -> Node | None:
        """Criteria in either spelling; what is wrong within keeps its line and column, or its pointer."""
        try:
            return spellings.read(told, pointer)
        except StrataError as error:
            self.found += error.faults or (Fault(error.detail, pointer=pointer),)
        return None


def is_number(told: object) -> TypeGuard[int | float | Decimal]:
    """Whether it is a finite number of at most 18 digits before the point."""
    if isinstance(told, bool) or not isinstance(told, int | float | Decimal):
        return False
    return math.isfinite(told) and abs(Decimal(told)) < 10**18
