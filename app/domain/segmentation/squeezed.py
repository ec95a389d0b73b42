"""Cuts that lie closer together than a band is wide: whoever stands beside the level between them cannot come into it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from app.domain.catalogue import ACCOUNTS
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.cuts import Frozen

AFTER = "Say cuts further apart, a narrower band, or confirm in the place of the band."


def squeezed(axis: Axis, at: Sequence[Decimal], band: float) -> list[tuple[int, str]]:
    """Each level that nobody comes into: the place from 0 of the cut that is too near, and what is said of it with its numbers.
    From below a number has to pass the lower cut of a level by the band, from above the upper one, and is past the other by
    then; above the highest cut there is no room where the field ends before."""
    share = Decimal(str(band))
    found = [
        (n, _between(axis, low, high, share))
        for n, (low, high) in enumerate(pairwise(at), 1)
        if low < high and _up(low, share) >= high and _down(high, share) <= low
    ]
    field = ACCOUNTS.fields.get(axis.field)
    if at and field is not None and field.high is not None and at[-1] <= field.high < _up(at[-1], share):
        most = _plain(Decimal(str(field.high)))
        said = f"from {_plain(at[-1])} of {axis.field} on nobody could come in, as it takes {_plain(_up(at[-1], share))} or more, and it is at most {most}."
        found.append((len(at) - 1, said))
    return found


def warned(axes: Sequence[Axis], cuts: Sequence[Frozen], band: float | None) -> str | None:
    """What is said of cuts that are taken from the accounts; None where every level can be come into."""
    if band is None:
        return None
    for axis, frozen in zip(axes, cuts, strict=True):
        within = f" of some {axis.cuts.within}" if frozen.books else ""
        for at in (frozen.at, *(book.at for book in frozen.books.values())):
            for _, said in squeezed(axis, at, band):
                return f"Cuts{within} lie closer together than the band: {said} {AFTER}"
    return None


def _between(axis: Axis, low: Decimal, high: Decimal, share: Decimal) -> str:
    return (
        f"from {_plain(low)} to below {_plain(high)} of {axis.field} nobody could come in from the levels beside it, as from below it takes "
        f"{_plain(_up(low, share))} or more, and from above less than {_plain(_down(high, share))}."
    )


def _up(cut: Decimal, share: Decimal) -> Decimal:
    return cut + abs(cut) * share


def _down(cut: Decimal, share: Decimal) -> Decimal:
    return cut - abs(cut) * share


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
