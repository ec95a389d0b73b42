"""From one amount to another: what was added and taken for which reason, one in a row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from app.domain.pictures.scales import Scale
from app.domain.pictures.svg import (
    FONT,
    MARGIN,
    SMALL,
    WIDTH,
    amount,
    apart,
    box,
    counted,
    even,
    fit,
    path,
    percent,
    sheet,
    width,
    write,
)

ROW = 46.0
CENT = 0.005
TEAR = "Torn bars begin at {share} of the first amount, not at nought."
STILL = "Nothing moved."
TORN, LEAST = 0.35, 0.4
"""Where all that moved lies in less than this share of the amounts, sums are drawn torn; and what is left of the smallest, as
a share of that."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change for a reason, or what there was and is; the amount in major units, with its sign."""

    name: str
    amount: float
    accounts: int | None = None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """What there was, the changes in order, and what there is."""

    title: str
    currency: str
    opening: Step
    steps: tuple[Step, ...]
    closing: Step
    note: str = ""


def waterfall(picture: Waterfall) -> str:
    """The SVG text. Raises ValueError where it does not add up to the cent."""
    sums = [*accumulate((picture.opening.amount, *(step.amount for step in picture.steps)))]
    if abs(sums[-1] - picture.closing.amount) > CENT + 1e-12 * max(map(abs, sums)):
        raise ValueError("The steps do not lead from the opening to the closing amount.")
    starts = [0.0, *sums[:-1], 0.0]
    ends = [*sums, picture.closing.amount]
    rows = [picture.opening, *picture.steps, picture.closing]
    moved = any(step.amount for step in picture.steps)
    low, high = min(0.0, *ends), max(0.0, *ends)
    if torn := moved and min(sums) > 0 and high - min(sums) < TORN * high:  # what moved would be too small to be seen
        low = min(sums) - (high - min(sums)) * LEAST
    x = Scale(low, high if high > low else low + 1.0, MARGIN, WIDTH - MARGIN, log=False)
    whole = even([row.amount for row in rows], picture.currency)
    parts = [path(f"M{x.at(0):.1f} 22V{ROW * len(rows):g}", "axis")] if low < 0 else []
    for n, end in enumerate(ends[:-1] if high > low else ()):
        parts.append(
            # Down to where the next row's words begin: a line through an amount would strike it out.
            path(f"M{x.at(end):.1f} {ROW * n + 38:g}v4M{x.at(end):.1f} {ROW * (n + 1) + 21:g}v3", "axis")
        )
    for n, (row, start, end) in enumerate(zip(rows, starts, ends, strict=True)):
        is_sum = n in (0, len(rows) - 1)
        parts.append(_row(row, ROW * n, x.at(max(low, start)), x.at(end), whole[n], is_sum=is_sum))
        if is_sum and torn:
            parts += [path(f"M{MARGIN + at:g} {ROW * n + 21:g}l-6 20", "tear") for at in (20, 28)]
    told = [picture.note, *([TEAR.format(share=percent(low / sums[0]))] if torn else [])]
    if not moved and STILL not in picture.note:
        told.append(STILL)
    note = " ".join(filter(None, told))
    return sheet(picture.title, note, _described(picture, note), ROW * len(rows) + 8, "".join(parts))


def _row(row: Step, y: float, start: float, end: float, text: str, *, is_sum: bool) -> str:
    told = text if is_sum or row.amount <= 0 else f"+{text}"
    kind = "main" if is_sum else "up" if row.amount >= 0 else "down"
    right = WIDTH - MARGIN
    room = right - MARGIN - width(told, FONT, bold=True) - 10
    accounts = "" if row.accounts is None else f" · {counted(row.accounts)}"
    if width(accounts, SMALL) > room * 0.6:
        accounts = ""
    name = write(
        MARGIN,
        y + 17,
        apart(fit(row.name, room - width(accounts, FONT), FONT, bold=is_sum, middle=True)),
        "ink bold halo" if is_sum else "ink halo",
        size=FONT,
    )
    if accounts:
        name = name.replace(
            "</text>", f'<tspan class="soft" font-size="{SMALL:g}" font-weight="400">{accounts}</tspan></text>'
        )
    bar = box(min(start, end), y + 24, max(1.5, abs(end - start)), 14, kind)
    return name + write(right, y + 17, told, "ink bold halo", size=FONT, anchor="end") + bar


def _described(picture: Waterfall, note: str) -> str:
    rows = (picture.opening, *picture.steps, picture.closing)
    told = (
        f"{apart(row.name)}: {amount(row.amount, True, picture.currency, 6)}"
        + ("" if row.accounts is None else f", {counted(row.accounts)}")
        for row in rows
    )
    return f"{note} {'; '.join(told)}.".strip()
