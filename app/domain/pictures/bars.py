"""Accounts and ARR per segment as bars, with the numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.pictures.svg import (
    FONT,
    MARGIN,
    SMALL,
    WIDTH,
    amount,
    apart,
    box,
    counted,
    dot,
    fit,
    painted,
    percent,
    sheet,
    width,
    write,
)

ROW = 62.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A segment; ARR in major units. `said`: what it takes to be in it, in a few words."""

    name: str
    colour: str | None
    accounts: int
    arr: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """The segments in their order, the rest last."""

    title: str
    currency: str
    bars: Sequence[Bar]
    note: str = ""


def bars(picture: Bars) -> str:
    """The SVG text: for each segment its share of the accounts above its share of the ARR."""
    return sheet(picture.title, noted(picture), described(picture), ROW * len(picture.bars) + 30, rows(picture))


def noted(picture: Bars) -> str:
    """How many accounts and how much ARR there are in all."""
    accounts, arr = sum(one.accounts for one in picture.bars), sum(one.arr for one in picture.bars)
    if not accounts:
        return f"No account stands in a segment yet. {picture.note}".strip()
    return f"{counted(accounts)}, {amount(arr, True, picture.currency)} ARR. {picture.note}".strip()


def described(picture: Bars) -> str:
    """The numbers in words."""
    told = (
        f"{apart(one.name)}: {counted(one.accounts)}, {amount(one.arr, True, picture.currency)} ARR"
        for one in picture.bars
    )
    return f"{noted(picture)} {'; '.join(told)}."


def rows(picture: Bars) -> str:
    """A row for each segment, ROW high, and the legend below them."""
    accounts, arr = sum(one.accounts for one in picture.bars), sum(abs(one.arr) for one in picture.bars)
    parts = []
    paints = painted([one.colour for one in picture.bars])
    for n, (one, paint) in enumerate(zip(picture.bars, paints, strict=True)):
        y, right = ROW * n, WIDTH - MARGIN
        shares = one.accounts / accounts if accounts else 0.0, one.arr / arr if arr else 0.0
        said = f"{counted(one.accounts)} ({percent(shares[0])}), {amount(one.arr, True, picture.currency)} ({percent(shares[1])})"
        below = f"{one.said} · {said}" if one.said and width(f"{one.said} · {said}", SMALL) < right - MARGIN else said
        whole = right - MARGIN
        parts.append(dot(MARGIN + 5, y + 11, 5, fill=paint))
        parts.append(
            write(MARGIN + 16, y + 16, fit(one.name, whole - 16, FONT, bold=True, middle=True), "ink bold", size=FONT)
        )
        parts.append(box(MARGIN, y + 24, whole, 7, "track") + box(MARGIN, y + 33, whole, 5, "track"))
        parts.append(box(MARGIN, y + 24, whole * shares[0], 7, fill=paint))
        parts.append(box(MARGIN, y + 33, whole * max(0.0, shares[1]), 5, fill=paint))
        parts.append(write(MARGIN, y + 53, below, "soft", room=whole))
    legend = "Upper bar: share of accounts; lower bar: share of ARR."
    parts.append(write(MARGIN, ROW * len(picture.bars) + 16, legend, "soft", room=WIDTH - 2 * MARGIN))
    return "".join(parts)
