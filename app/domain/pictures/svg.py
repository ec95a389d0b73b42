"""What pictures are drawn with: text that fits, amounts that are short, colours of light and dark, and the sheet around."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal
from unicodedata import bidirectional, category, east_asian_width
from xml.sax.saxutils import escape as _escape

WIDTH = 480.0
MARGIN = 14.0
"""What everything keeps away from the left and right edge."""
FONT, SMALL, HEADING = 14.0, 13.0, 18.0
COLOURS = ("#2f6fde", "#2a9d8f", "#cc7417", "#9b5de5", "#c2410c", "#4d7c0f", "#d02670", "#0e8fb3", "#946c00")
REST, ASIDE = "#838da0", "#8c6d5e"
"""The colours of whoever no segment takes: the second where a segment has the first."""
UNHELD = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
UNITS = (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STYLE = """
.bold{font-weight:650}.ground{fill:#ffffff}.plot{fill:#f6f7f9;stroke:#c9ced6}.ink{fill:#1c2430}.soft{fill:#566173}.grid{stroke:#e3e6eb;fill:none}
.cut{stroke:#566173;stroke-dasharray:5 4;stroke-width:1.5;fill:none}.tag{fill:#ffffff;fill-opacity:.86}
.point{fill:currentColor;fill-opacity:.45;stroke:currentColor;stroke-width:.8}.axis{stroke:#7f8a9c;fill:none}.track{fill:#f6f7f9;stroke:#c9ced6;stroke-width:.6}.due{fill:#e2e6ed;stroke:#7d8798}.part{fill-opacity:.35;stroke:#7d8798;stroke-dasharray:3 2}.up{fill:#2a9d8f}.down{fill:#c2410c}
.main{fill:#2f6fde}.line{stroke:#2f6fde;stroke-width:2.2;fill:none}.band{fill:#2f6fde;fill-opacity:.2;stroke:#2f6fde;stroke-width:.8}.mark{fill:#1c2430;stroke:#ffffff}.ray{stroke:#1c2430;fill:none}
.tear{stroke:#ffffff;stroke-width:5;fill:none}.halo{paint-order:stroke;stroke:#ffffff;stroke-width:5px;stroke-linejoin:round}
@media (prefers-color-scheme:dark){.ground{fill:#12161c}.plot{fill:#1a2028;stroke:#3a4452}.ink{fill:#eef1f5}.soft{fill:#a5b0bf}.grid{stroke:#28303b}
.cut{stroke:#a5b0bf}.tag{fill:#12161c;fill-opacity:.82}.point{fill-opacity:.55}.axis{stroke:#667386}.track{fill:#1a2028;stroke:#3a4452}.due{fill:#28303b;stroke:#667386}
.up{fill:#3bb5a5}.down{fill:#e8703a}.main{fill:#5b8ff0}.line{stroke:#6d9cf5}.band{fill:#6d9cf5;fill-opacity:.26;stroke:#6d9cf5}.mark{fill:#eef1f5;stroke:#12161c}.ray{stroke:#eef1f5}.halo{stroke:#12161c}.tear{stroke:#12161c}}
"""
DAY, KEPT = re.compile(rf"(\d+) ({'|'.join(MONTHS)}) (\d{{4}})"), "\u00a0"
"""Days, which stay in one line."""
Anchor = Literal["start", "middle", "end"]
WIDTHS = {0.3: "'ijlIJ", 0.36: " ,.·/:;|f-", 0.42: '()[]tr!"', 0.56: "*_–szc?", 0.61: "LFkvxyPTYao", 0.71: "KAVBRXZC",
          0.79: "UHNDGOQ&", 0.86: "#+<=>→wM", 1.0: "%mW@…—"}  # fmt: skip
LETTERS = {letter: wide for wide, letters in WIDTHS.items() for letter in letters}
"""What letters take of the size, in the widest of the usual sans-serif fonts, but for those that take USUAL."""
USUAL, CAPITAL, SQUARE, PICTORIAL = 0.645, 0.79, 1.05, 1.3
LINES = 24
"""Of a note: more than any that is written here takes."""
BOLD = 1.13


# -- words -------------------------------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Text as XML holds it: characters that it cannot hold are left out."""
    return _escape(UNHELD.sub("", text), {'"': "&quot;"})


def width(text: str, size: float, *, bold: bool = False) -> float:
    """What a text takes at most."""
    return sum(map(_letter, text)) * size * (BOLD if bold else 1.0)


def _letter(letter: str) -> float:
    if (known := LETTERS.get(letter)) is not None:
        return known
    if category(letter) in ("Cf", "Mn"):
        return 0.0
    if east_asian_width(letter) in "WF":
        return SQUARE if letter < "\U0001f000" else PICTORIAL
    return CAPITAL if letter.isupper() else USUAL


def fit(text: str, room: float, size: float, *, bold: bool = False, middle: bool = False) -> str:
    """As much of the text as there is room for; an ellipsis tells what is cut off: its end, or of a name the middle, since
    names that begin alike differ at their end."""
    text = UNHELD.sub("", text)
    if width(text, size, bold=bold) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        last = kept // 3 if middle and kept >= 6 else 0
        cut = f"{text[: kept - last].rstrip()}…{text[len(text) - last :].lstrip() if last else ''}"
        if width(cut, size, bold=bold) <= room:
            return cut
    return "…"


def wrapped(text: str, room: float, size: float, most: int, *, bold: bool = False, middle: bool = False) -> list[str]:
    """The text in lines of whole words; a word wider than a line is parted, and what does not fit into so many is cut off."""
    lines: list[str] = []
    words = [part for word in UNHELD.sub("", text).split() for part in _parts(word, room, size, bold=bold)]
    while words and len(lines) < most:
        taken = 1
        while taken < len(words) and width(" ".join(words[: taken + 1]), size, bold=bold) <= room:
            taken += 1
        if len(lines) == most - 1:
            taken = len(words)
        lines.append(fit(" ".join(words[:taken]), room, size, bold=bold, middle=middle))
        words = words[taken:]
    return lines


def _parts(word: str, room: float, size: float, *, bold: bool) -> list[str]:
    parts = []
    while width(word, size, bold=bold) > room:
        taken = next((n for n in range(len(word) - 1, 1, -1) if width(word[:n], size, bold=bold) <= room), 1)
        parts.append(word[:taken])
        word = word[taken:]
    return [*parts, word]


def balanced(title: str, room: float, size: float) -> list[str]:
    """A title in one line, or in two that are about as long, so that no word stands alone."""
    lines = wrapped(title, room, size, 2, bold=True)
    if len(lines) < 2 or " ".join(lines) != " ".join(title.split()):
        return lines
    words = [word.replace(KEPT, " ") for word in DAY.sub(f"\\1{KEPT}\\2{KEPT}\\3", " ".join(title.split())).split(" ")]
    ways = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
    wide = {way: max(width(line, size, bold=True) for line in way) for way in ways}
    best = min(ways, key=lambda way: wide[way], default=None)
    return [*best] if best is not None and wide[best] <= room else lines


def apart(name: str) -> str:
    """A name among other words: where it is written from right to left, they are not drawn into its order."""
    turned = any(bidirectional(letter) in ("R", "AL") for letter in name)
    return f"\u2068{name}\u2069" if turned else name


def amount(value: float, money: bool, currency: str = "", digits: int = 3) -> str:
    """Three digits and a unit: `1.25M`, with the currency where it is money."""
    size, sign = abs(value), "-" if value < 0 else ""
    unit, factor = next((u for u in UNITS if size >= 0.9995 * u[1]), ("", 1.0))
    text = f"{size / factor:.{digits}g}"
    text = f"{float(text):.0f}" if "e+" in text else text
    prefix = SYMBOLS.get(currency, f"{currency} " if currency else "")
    return f"{sign if float(text) else ''}{prefix if money else ''}{text}{unit}"


def even(values: Sequence[float], currency: str = "") -> list[str]:
    """Amounts of money that add up to each other: all in one unit and to the same digit, so that none is shown as nought."""
    sizes = [abs(value) for value in values if value] or [0.0]
    prefix = SYMBOLS.get(currency, f"{currency} " if currency else "")
    unit, factor, places = "", 1.0, 0
    for unit, factor in (*(one for one in UNITS if max(sizes) >= 0.9995 * one[1]), ("", 1.0)):
        least = max(4 - len(f"{max(sizes) / factor:.0f}"), 0) if unit else 2 * any(value % 1 for value in values)
        places = next((n for n in range(least, 4) if min(sizes) / factor >= 10.0**-n), 4)
        if places < 4 or not unit:
            places = places if unit else least
            break
    told = [(value, f"{abs(value) / factor:,.{places}f}") for value in values]
    return [f"{'-' if value < 0 and text.strip('0.,') else ''}{prefix}{text}{unit}" for value, text in told]


def amounts(values: Sequence[float], money: bool, currency: str = "") -> list[str]:
    """The same for values beside each other: with so many digits that no two that differ look alike."""
    told: list[str] = []
    for digits in range(3, 16):
        told = [amount(value, money, currency, digits) for value in values]
        if len(set(told)) == len(set(values)):
            break
    return told


def percent(share: float) -> str:
    """A share of one, in whole percents, with a digit more where it is small or nearly all; never nought or all where it is not."""
    size = abs(share)
    if 0 < size < 0.0005:
        return f"{'-' if share < 0 else ''}<0.1%"
    if 0.9995 <= size < 1:
        return f"{'-' if share < 0 else ''}>99.9%"
    return f"{100 * share:.{1 if 0 < size < 0.0995 or 0.995 <= size < 1 else 0}f}%"


def shares(values: Sequence[float]) -> list[str]:
    """Round shares of one beside each other, in percents."""
    return [f"{100 * value:.6g}%" for value in values]


def counted(n: int, noun: str = "account") -> str:
    """`1 account`, `1,200 accounts`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


# -- marks -------------------------------------------------------------------------------------------------------------


def write(
    x: float, y: float, content: str, kind: str = "ink", *, size: float = SMALL, anchor: Anchor = "start",
    room: float | None = None,
) -> str:  # fmt: skip
    """A line of text, cut to the room that there is for it."""
    bold = "bold" in kind
    told = content if room is None else fit(content, room, size, bold=bold)
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{placed}>{escape(told)}</text>'


def box(x: float, y: float, wide: float, high: float, kind: str = "", fill: str = "", more: str = "") -> str:
    """A rectangle, by a class or by a colour of its own."""
    painted = (f' class="{kind}"' if kind else "") + (f' fill="{escape(fill)}"' if fill else "")
    return f'<rect{painted} x="{x:.1f}" y="{y:.1f}" width="{max(0.0, wide):.1f}" height="{max(0.0, high):.1f}"{more}/>'


def path(way: str, kind: str, more: str = "") -> str:
    """A line along a way."""
    return f'<path class="{kind}" d="{way}"{more}/>'


def dot(x: float, y: float, radius: float, kind: str = "", fill: str = "", more: str = "") -> str:
    """A filled circle."""
    painted = (f' class="{kind}"' if kind else "") + (f' fill="{escape(fill)}"' if fill else "")
    return f'<circle{painted} cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"{more}/>'


def painted(own: Sequence[str | None]) -> list[str]:
    """A colour for each: its own, else the next that none has; whoever no segment takes comes last and gives way."""
    free = [one for one in COLOURS if one not in own] or [*COLOURS]
    found, n = [], 0
    for one in own:
        found.append(one or free[n % len(free)])
        n += not one
    if found.count(REST) > 1 and found[-1] == REST:
        found[-1] = ASIDE
    return found


def sheet(title: str, note: str, described: str, height: float, body: str) -> str:
    """The SVG text: title and note above, then `body`, which is drawn from (0, 0) to (WIDTH, height).

    `described` is what screen readers say of it, in words and numbers.
    """
    room = WIDTH - 2 * MARGIN
    headings, lines = balanced(title, room, HEADING), wrapped(note, room, SMALL, LINES)
    under = 3.0 + 22.0 * len(headings)
    top = under + 10.0 + 17.0 * len(lines) + (8.0 if lines else 2.0)
    told = [write(MARGIN, 25 + 22 * n, line, "ink bold", size=HEADING) for n, line in enumerate(headings)]
    told += [write(MARGIN, under + 20 + 17 * n, line, "soft") for n, line in enumerate(lines)]
    whole = top + height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {whole:g}" width="100%" '
        f'style="height:auto;color-scheme:light dark" font-family="system-ui,sans-serif" '
        f'font-size="{FONT:g}" role="img"><title>{escape(title)}</title><desc>{escape(described)}</desc>'
        f'<style>{STYLE}</style><rect class="ground" width="{WIDTH:g}" height="{whole:g}"/>'
        f'{"".join(told)}<g transform="translate(0 {top:g})">{body}</g></svg>'
    )
