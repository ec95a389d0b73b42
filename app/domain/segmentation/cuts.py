"""Cuts frozen at a date: amounts looked up in the accounts once, and kept until they are asked for again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Book:
    """The cuts of one book, ascending, and how many accounts they were taken over."""

    at: tuple[Decimal, ...]
    accounts: int


@dataclass(frozen=True, slots=True)
class Frozen:
    """An axis's cuts as amounts, ascending; money in major units. `accounts`: how many they were taken over, None where
    they are as told. Without any account there are no cuts, and nothing can be said of the axis. `books`: cuts within
    each book, by the book's key; `at` is then empty. `starting`: nobody told them, they are what a workspace begins with while
    it has too few accounts to be cut by. `kept`: for each cut whether it stands from before, and was not taken from the accounts
    with this definition; empty where all were. `frozen_at` and `accounts` are those of the oldest cut."""

    at: tuple[Decimal, ...]
    frozen_at: date
    accounts: int | None = None
    books: Mapping[str, Book] = field(default_factory=dict)
    starting: bool = False
    kept: tuple[bool, ...] = ()


def stored(cuts: Sequence[Frozen]) -> list[dict[str, Any]]:
    """One object per axis."""
    return [
        {"at": [str(c) for c in f.at], "frozen_at": f.frozen_at.isoformat(), "accounts": f.accounts}
        | ({"books": {key: [[str(c) for c in b.at], b.accounts] for key, b in f.books.items()}} if f.books else {})
        | ({"starting": True} if f.starting else {})
        | ({"kept": f.kept} if f.kept else {})
        for f in cuts
    ]


def loaded(cuts: Sequence[Mapping[str, Any]]) -> tuple[Frozen, ...]:
    """What `stored` made."""
    return tuple(
        Frozen(
            tuple(Decimal(c) for c in one["at"]), date.fromisoformat(one["frozen_at"]), one["accounts"],
            {key: Book(tuple(Decimal(c) for c in at), n) for key, (at, n) in one.get("books", {}).items()},
            one.get("starting", False), tuple(one.get("kept", ())),
        )
        for one in cuts
    )  # fmt: skip
