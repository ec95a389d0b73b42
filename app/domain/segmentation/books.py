"""Cuts within books: a rank among the accounts of one CSM, compared with cut-offs that were frozen for each book.

Criteria say it as `percent_rank(arr BY csm) >= 0.5`. Where those of a list are compared with what the hour has, those of
a segmentation keep what was frozen; an account on a cut belongs above it, as everywhere among cuts. Whoever is in no book,
or in one that has no cuts yet, is on no level.

As criteria such ranks are told otherwise, for to whoever reads them they would mean the cut-offs of the hour: `spelt` says
the cuts of every book, `spelt_for` those of one account's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import ranks, text
from app.domain.criteria.check import Setting
from app.domain.criteria.limits import ARGS, DEPTH, NODES, TEXT_BYTES, VALUES
from app.domain.criteria.nodes import Aggregate, And, Cmp, Comparison, Const, In, Node, Not, Or, Path, Quant, Rank
from app.domain.criteria.ranks import Cuts, Group, Threshold
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import NOTHING
from app.domain.segmentation.parts import parts
from app.domain.workspaces import Workspace

ASKING = (*get_args(Node), Aggregate)
"""What counts among the nodes of a criteria."""
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


def _short(cut: Decimal) -> Decimal:
    """15480.00 is 15480, and not 1.548E+4."""
    whole = cut.to_integral_value()
    return whole if whole == cut else cut.normalize()


def _plain(share: Decimal) -> Decimal:
    """As the text has it: 0.50 is 0.5."""
    return share.normalize()


# -- telling -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """On a cut or above it (`ge`), or below it (`lt`), by the cut of each book."""

    within: str
    field: str
    cmp: Comparison
    at: Mapping[str, Decimal]

    def of(self, key: str) -> Node:
        """The comparison with the cut of a book."""
        return Cmp(Path(self.field), self.cmp, Const(self.at[key]))


_Said = Callable[[Sequence[_Side]], Node]
"""What several sides within the same books are together."""


def spelt(node: Node, books: Books) -> Node | None:
    """Criteria with each rank as what it was frozen at, book by book: they hold for whom the ranks hold for, whoever reads
    them. None where that is more than one criteria may say."""
    if not books:
        return node
    if any(len(frozen.books) > NODES for _, frozen in books):
        return None
    said = _said(node, _table(books), _any)
    return said if _fits(said) else None


def _fits(node: Node) -> bool:
    """Whether both spellings of it would be read again."""
    count, widest, depth = _size(node)
    return count <= NODES and widest <= ARGS and depth <= DEPTH and len(text.format(node).encode()) <= TEXT_BYTES


def _size(node: Node) -> tuple[int, int, int]:
    """How many nodes it has, how many the widest AND or OR joins, and how deep it nests."""
    match node:
        case And(args) | Or(args):
            counts, widths, depths = zip(*map(_size, args), strict=True)
            return 1 + sum(counts), max(len(args), *widths), 1 + max(depths)
        case Not(arg):
            count, widest, depth = _size(arg)
            return 1 + count, widest, 1 + depth
        case Cmp(Path()):
            return 1, 0, 1
        case Quant(where=where) if where is not None:
            count, widest, depth = _size(where)
            return 1 + count, widest, 1 + depth
        case _:
            return sum(isinstance(part, ASKING) for part in parts(node)), 0, 1


def spelt_for(node: Node, books: Books, own: Mapping[str, str | None]) -> Node:
    """Criteria with each rank as the cut of an account's own book: `own` is its key by what books are within. They hold for
    the account if the ranks do; without a book that has cuts they ask for one of those, and do not hold."""
    if not books:
        return node
    return _said(node, _table(books), lambda sides: _own(sides, own.get(sides[0].within)))


_Table = Mapping[tuple[str, str | None, Decimal], Mapping[str, Decimal]]
"""The cut of each book, by field, what books are within, and share."""


def _table(books: Books) -> _Table:
    return {
        (axis.field, axis.cuts.within, _plain(share)): {key: _short(book.at[n]) for key, book in frozen.books.items()}
        for axis, frozen in books
        for n, share in enumerate(axis.cuts.shares)
    }


def _said(node: Node, table: _Table, say: _Said) -> Node:
    match node:
        case And(args):
            return _all(args, table, say)
        case Or(args):
            return Or(tuple(_said(arg, table, say) for arg in args))
        case Not(arg):
            return Not(_said(arg, table, say))
        case _:
            side = _side(node, table)
            return node if side is None else say((side,))


def _all(args: Sequence[Node], table: _Table, say: _Said) -> Node:
    """Sides within the same books are said together, where the first of them stood."""
    sides = [_side(arg, table) for arg in args]
    together: dict[str, list[_Side]] = {}
    for side in sides:
        if side is not None:
            together.setdefault(side.within, []).append(side)
    parts: list[Node] = []
    for arg, side in zip(args, sides, strict=True):
        if side is not None and side.within not in together:
            continue
        one = _said(arg, table, say) if side is None else say(together.pop(side.within))
        parts += one.args if isinstance(one, And) else (one,)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _side(node: Node, table: _Table) -> _Side | None:
    """What was frozen has no values between those behind a cut and those on it: `gt` is `ge` there, `le` is `lt`."""
    if not (isinstance(node, Cmp) and isinstance(node.of, Rank) and isinstance(node.value, Const)):
        return None
    rank, share = node.of, node.value.value
    if rank.by is None or rank.fn != "percent_rank" or isinstance(share, bool | str):
        return None
    at = table.get((rank.field, rank.by, _plain(Decimal(share))))
    if at is None or node.cmp not in ("ge", "gt", "lt", "le"):
        return None
    return _Side(rank.by, rank.field, "ge" if node.cmp in ("ge", "gt") else "lt", at)


def _known(sides: Sequence[_Side]) -> list[str]:
    """The books that have all of the cuts."""
    return [key for key in sides[0].at if all(key in side.at for side in sides)]


def _of_book(sides: Sequence[_Side], key: str) -> Node:
    return And((Cmp(Path(sides[0].within), "eq", Const(key)), *(side.of(key) for side in sides)))


def _any(sides: Sequence[_Side]) -> Node:
    ways = [_of_book(sides, key) for key in _known(sides)]
    return NOTHING if not ways else ways[0] if len(ways) == 1 else Or(tuple(ways))


def _own(sides: Sequence[_Side], key: str | None) -> Node:
    known = _known(sides)
    if key is not None and key in known:
        return _of_book(sides, key)
    return In(Path(sides[0].within), tuple(Const(one) for one in known[:VALUES])) if known else NOTHING
