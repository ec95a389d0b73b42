"""Cuts that stay as they were frozen: each as long as a definition says it as it did, whatever else of it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from app.domain.criteria import text
from app.domain.segmentation.axes import Axis, told
from app.domain.segmentation.bands import is_cut
from app.domain.segmentation.cuts import Book, Frozen

Standing = Sequence[tuple[Axis, Frozen]]
"""The axes of the definition that stands, with what they were frozen at."""


@dataclass(frozen=True, slots=True)
class Population:
    """What cuts at shares are taken over: values of a field, of the accounts that criteria hold for, within each book or of
    all."""

    field: str
    among: str | None
    within: str | None


def population(axis: Axis) -> Population:
    """The one that an axis is cut over."""
    among = None if axis.cuts.among is None else text.format(axis.cuts.among)
    return Population(axis.field, among, axis.cuts.within)


def whole(axis: Axis, standing: Standing) -> Frozen | None:
    """What an axis was frozen at that stands as it is, amounts as they were told or natural cuts that were found."""
    for other, frozen in standing:
        if told(other) == told(axis) and is_cut(other, frozen):
            return replace(frozen, kept=() if frozen.accounts is None else (True,) * axis.cuts.count)
    return None


def shares(of: Population, standing: Standing) -> dict[Decimal, Frozen]:
    """What this population was cut at, each share on its own."""
    found: dict[Decimal, Frozen] = {}
    for axis, frozen in standing:
        if axis.cuts.shares and population(axis) == of and is_cut(axis, frozen):
            for n, share in enumerate(axis.cuts.shares):
                found.setdefault(share, replace(_one(frozen, n), kept=(True,)))
    return found


def single(frozen: Frozen, wanted: Sequence[Decimal]) -> dict[Decimal, Frozen]:
    """What was taken for these shares at once, each share on its own."""
    return {share: _one(frozen, n) for n, share in enumerate(wanted)}


def joined(each: Sequence[Frozen]) -> Frozen | None:
    """Cuts at single shares, ascending, as those of one axis: frozen when the oldest of them was. A book has cuts where it has all of them. None where they do
    not go together: taken on different days, one lies below another that it should be above, or was found in no account."""
    oldest = min(each, key=lambda one: one.frozen_at)
    at = tuple(cut for one in each for cut in one.at)
    keys = [key for key in oldest.books if all(key in one.books for one in each)]
    books = {key: Book(tuple(c for one in each for c in one.books[key].at), oldest.books[key].accounts) for key in keys}
    if any(one.at or one.books for one in each) and not (books or len(at) == len(each)):
        return None
    if not all(_rises(one) for one in (at, *(book.at for book in books.values()))):
        return None
    kept = tuple(any(one.kept) for one in each)
    return Frozen(at, oldest.frozen_at, oldest.accounts, books, kept=kept if any(kept) else ())


def _one(frozen: Frozen, n: int) -> Frozen:
    books: Mapping[str, Book] = {key: Book(book.at[n : n + 1], book.accounts) for key, book in frozen.books.items()}
    return replace(frozen, at=frozen.at[n : n + 1], books=books, kept=())


def _rises(at: Sequence[Decimal]) -> bool:
    return all(below <= above for below, above in pairwise(at))
