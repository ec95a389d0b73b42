"""Axes: round values and cuts beside a scale, as many as there is room for, none upon another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from app.domain.pictures.scales import Scale
from app.domain.pictures.svg import FONT, MARGIN, SMALL, WIDTH, amounts, escape, fit, path, width, write

APART = 12.0
"""What two texts below each other's axis keep between them."""
PITCH, LINE = 34.0, 18.0
"""How far round values beside an axis are apart at least, and what one keeps away from a cut."""
EDGE = 2.0
"""What texts keep away from the sides of the picture."""
Say = Callable[[Sequence[float]], list[str]]


@dataclass(frozen=True, slots=True)
class Tick:
    """A value, where it lies on its scale, its text, and where the middle of that is; `cut`: the values part there."""

    value: float
    at: float
    text: str
    place: float
    cut: bool = False


def money(currency: str) -> Say:
    """Amounts of money, all told apart."""
    return partial(amounts, money=True, currency=currency)


def number(values: Sequence[float]) -> list[str]:
    """Amounts of something else."""
    return amounts(values, False)


def across(
    scale: Scale, say: Say, cuts: Sequence[float] = (), *, whole: bool = False, bare: bool = False
) -> list[Tick]:
    """For an axis from left to right. Cuts come first, then what lies at the edge, then round values between; `whole`: no
    parts of one; `bare`: cuts alone. Ascending."""

    def spans(ticks: Sequence[Tick]) -> list[tuple[float, float]]:
        halves = [width(tick.text, SMALL, bold=tick.cut) / 2 + APART / 2 for tick in ticks]
        return [(tick.place - half, tick.place + half) for tick, half in zip(ticks, halves, strict=True)]

    def placed(value: float, text: str, cut: bool = False) -> Tick:
        half, at = width(text, SMALL, bold=cut) / 2, scale.at(value)
        return Tick(value, at, text, min(max(at, half + EDGE), WIDTH - half - EDGE), cut)

    return _chosen(scale, say, cuts, placed, spans, whole=whole, bare=bare)


def upward(
    scale: Scale, say: Say, cuts: Sequence[float] = (), *, whole: bool = False, bare: bool = False
) -> list[Tick]:
    """The same for an axis that is labelled from the side."""

    def spans(ticks: Sequence[Tick]) -> list[tuple[float, float]]:
        near = any(tick.cut for tick in ticks) or len(ticks) == 1
        half = (LINE if near else PITCH) / 2
        return [(tick.place - half, tick.place + half) for tick in ticks]

    def placed(value: float, text: str, cut: bool = False) -> Tick:
        return Tick(value, scale.at(value), text, scale.at(value), cut)

    return _chosen(scale, say, cuts, placed, spans, whole=whole, bare=bare)


def _chosen(
    scale: Scale,
    say: Say,
    cuts: Sequence[float],
    placed: Callable[..., Tick],
    spans: Callable[[Sequence[Tick]], list[tuple[float, float]]],
    *,
    whole: bool,
    bare: bool,
) -> list[Tick]:
    told = [placed(value, text, True) for value, text in zip(cuts, say(cuts), strict=True)]
    kept = _thinned(told, spans)
    if bare:
        return kept
    if scale.edge is not None:
        text = say([scale.edge])[0]
        first = placed(scale.low, text if scale.edge <= 0 else f"<{text}")
        kept += [first] if _free(spans([first])[0], spans(kept)) else []
    between: list[Tick] = []
    for values in scale.rounds(whole=whole):
        between = [placed(value, text) for value, text in zip(values, say(values), strict=True)]
        if _thinned(between, spans) == between:
            break
    between = _thinned(between, spans)
    taken, known = spans(kept), {tick.text for tick in kept}
    kept += [tick for tick in between if tick.text not in known and _free(spans([tick])[0], taken)]
    return sorted(kept, key=lambda tick: tick.value)


def _thinned(ticks: Sequence[Tick], spans: Callable[[Sequence[Tick]], list[tuple[float, float]]]) -> list[Tick]:
    """Those that have room beside the ones before them."""
    kept: list[Tick] = []
    taken: list[tuple[float, float]] = []
    for tick, span in zip(ticks, spans(ticks), strict=True):
        if _free(span, taken):
            kept.append(tick)
            taken.append(span)
    return kept


def _free(span: tuple[float, float], taken: Sequence[tuple[float, float]]) -> bool:
    return all(span[1] <= low or span[0] >= high for low, high in taken)


# -- drawing -----------------------------------------------------------------------------------------------------------


def below(ticks: Sequence[Tick], floor: float) -> str:
    """Their texts under a plot that ends at `floor`."""
    return "".join(write(tick.place, floor + 18, tick.text, _kind(tick), anchor="middle") for tick in ticks)


def beside(ticks: Sequence[Tick], left: float, *, titled: bool = False) -> str:
    """Their texts left of a plot that begins at `left`, with room for a title before them. One that is too long is left
    out: a part of a number is another number."""
    room = left - 6 - (MARGIN + 5 if titled else EDGE)
    return "".join(
        write(left - 6, tick.place + 4.5, tick.text, _kind(tick), anchor="end")
        for tick in ticks
        if width(tick.text, SMALL, bold=tick.cut) <= room
    )


def _kind(tick: Tick) -> str:
    return "ink bold" if tick.cut else "soft"


def rules(ticks: Sequence[Tick], top: float, floor: float) -> str:
    """Lines from top to floor at round values."""
    return "".join(path(f"M{tick.at:.1f} {top:g}V{floor:g}", "grid") for tick in ticks if not tick.cut)


def levels(ticks: Sequence[Tick], left: float, right: float) -> str:
    """Lines from left to right at round values."""
    return "".join(path(f"M{left:g} {tick.at:.1f}H{right:g}", "grid") for tick in ticks if not tick.cut)


def named_below(text: str, left: float, right: float, y: float, unit: str = "") -> str:
    """The axis's title between the sides of the plot; the unit is never cut off."""
    room = right - left
    told = fit(text, room - width(unit, FONT), FONT) + unit
    return write((left + right) / 2, y, told, size=FONT, anchor="middle", room=WIDTH - 2 * MARGIN)


def named_beside(text: str, top: float, floor: float, unit: str = "") -> str:
    """The same for an axis that is labelled from the side, from its foot upwards."""
    told = escape(fit(text, floor - top - width(unit, FONT), FONT) + unit)
    place = f"translate({MARGIN:g} {(top + floor) / 2:g}) rotate(-90)"
    return f'<text class="ink" transform="{place}" text-anchor="middle">{told}</text>'
