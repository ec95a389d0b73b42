"""The members of one JSON object, read strictly: what is missing, unknown or of another type is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from app.domain.criteria import literals
from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import invalid, nearest
from app.domain.errors import escape

Word = TypeVar("Word", bound=str)


def child(pointer: str, key: str | int) -> str:
    """The RFC 6901 pointer of a member or element."""
    return f"{pointer}/{escape(str(key))}"


class Members:
    """An object at a pointer whose members are all among `required` and `optional`."""

    def __init__(
        self, written: object, pointer: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> None:
        self.at = At(pointer=pointer)
        if not isinstance(written, Mapping):
            raise invalid(self.at, f"Expected an object with {', '.join(required)}.")
        self._members: Mapping[object, object] = written
        known = (*required, *optional)
        for key in written:
            if key not in known:
                where = At(pointer=child(pointer, str(key)))
                raise invalid(where, f"Unknown member; expected {', '.join(known)}.", nearest(str(key), known))
        for key in required:
            if key not in written:
                raise invalid(self.at, f"The member {key} is missing.")

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def pointer(self, key: str) -> str:
        return child(self.at.pointer, key)

    def at_member(self, key: str) -> At:
        return At(pointer=self.pointer(key))

    def get(self, key: str) -> object:
        return self._members.get(key)

    def text(self, key: str, accepts: Callable[[str], bool] | None = None, what: str = "text") -> str:
        """A string that can stand in criteria; `accepts` and `what` say which."""
        found = self.get(key)
        if not isinstance(found, str) or (accepts and not accepts(found)):
            raise invalid(self.at_member(key), f"Expected {what}.")
        try:
            return literals.string(found)
        except ValueError as error:
            raise invalid(self.at_member(key), str(error)) from None

    def word(self, key: str, known: tuple[Word, ...]) -> Word:
        """One of some words."""
        found = self.get(key)
        for each in known:
            if found == each:
                return each
        suggestion = nearest(found, known) if isinstance(found, str) else None
        raise invalid(self.at_member(key), f"Expected one of {', '.join(known)}.", suggestion)

    def flag(self, key: str) -> bool:
        """False where it is left out."""
        found = self.get(key) if key in self else False
        if not isinstance(found, bool):
            raise invalid(self.at_member(key), "Expected true or false.")
        return found

    def each(self, key: str) -> Iterator[tuple[object, str]]:
        """The elements of a list that has some, each with its pointer."""
        found = self.get(key)
        if not isinstance(found, (list, tuple)) or not found:
            raise invalid(self.at_member(key), "Expected a list with at least one element.")
        yield from ((element, child(self.pointer(key), i)) for i, element in enumerate(found))
