"""Cuts within books: a rank among the accounts of one CSM, compared with cut-offs that were frozen for each book.

Criteria say it as `percent_rank(arr BY csm) >= 0.5`. Where those of a list are compared with what the hour has, those of
a segmentation keep what was frozen; an account on a cut belongs above it, as everywhere among cuts. Whoever is in no book,
or in one that has no cuts yet, is on no level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import ranks
from app.domain.criteria.check import Setting
from app.domain.criteria.nodes import Cmp, Const, Node, Rank
from app.domain.criteria.ranks import Cuts, Group, Threshold
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.workspaces import Workspace

Books = tuple[tuple[Axis, Frozen], ...]
"""The axes that are cut within books, with what they were frozen at."""


def of(axes: Sequence[Axis], cuts: Sequence[Frozen]) -> Books:
    """Those of some axes that are cut within books."""
    return tuple((axis, frozen) for axis, frozen in zip(axes, cuts, strict=True) if axis.cuts.within is not None)


def reaches(axis: Axis, n: int) -> Node:
    """Is on cut n or above it, among the own book."""
    return Cmp(_rank(axis), "ge", Const(_plain(axis.cuts.shares[n])))


def below(axis: Axis, n: int) -> Node:
    """Is below cut n, among the own book."""
    return Cmp(_rank(axis), "lt", Const(_plain(axis.cuts.shares[n])))


def over(setting: Setting, books: Books) -> Setting:
    """The setting with what was frozen before what the hour has. Raises Invalid where a field is there no more."""
    if not books or setting.cuts is None:
        return setting
    return replace(setting, cuts=_Frozen(dict(_thresholds(books, setting.workspace)), setting.cuts))


@dataclass(frozen=True, slots=True)
class _Frozen(Mapping[Threshold, Cuts]):
    """Cut-offs of which some are frozen."""

    frozen: Mapping[Threshold, Cuts]
    others: Mapping[Threshold, Cuts]

    def __getitem__(self, key: Threshold) -> Cuts:
        return self.frozen[key] if key in self.frozen else self.others[key]

    def get(self, key: Threshold, default: object = None) -> Cuts | None:  # type: ignore[override]  # others note what they miss
        return self.frozen[key] if key in self.frozen else self.others.get(key)

    def __iter__(self) -> Iterator[Threshold]:
        return iter({**self.others, **self.frozen})

    def __len__(self) -> int:
        return len({**self.others, **self.frozen})


def _thresholds(books: Books, workspace: Workspace) -> Iterator[tuple[Threshold, Cuts]]:
    for axis, frozen in books:
        rank, _ = ranks.ranked(_rank(axis), ACCOUNTS, workspace)
        at = datetime.combine(frozen.frozen_at, datetime.min.time(), UTC)
        kind = rank.of.field.kind
        for n, share in enumerate(axis.cuts.shares):
            ends = ((key, book.accounts, _behind(book.at[n], kind, workspace)) for key, book in frozen.books.items())
            yield Threshold(rank, _plain(share)), Cuts(tuple(Group(key, n_, end, end) for key, n_, end in ends), at)


def _behind(cut: Decimal, kind: str, workspace: Workspace) -> int | float:
    """The greatest value that stays behind a cut, in the field's own type."""
    if kind == "number":
        return math.nextafter(float(cut), -math.inf)
    return int(cut.scaleb(workspace.minor_digits) if kind == "money" else cut) - 1


def _rank(axis: Axis) -> Rank:
    return Rank("percent_rank", axis.field, axis.cuts.within)


def _plain(share: Decimal) -> Decimal:
    """As the text has it: 0.50 is 0.5."""
    return share.normalize()
