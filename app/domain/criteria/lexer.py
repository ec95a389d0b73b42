"""The text of criteria cut into tokens, each with its line and column."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.domain.criteria import literals
from app.domain.criteria.limits import TEXT_BYTES
from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import unreadable

Kind = Literal["string", "moment", "number", "duration", "name", "person", "param", "sign", "end"]
_READ: tuple[Kind, ...] = ("string", "moment", "number", "duration", "name", "person", "param", "sign")

_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\x00-\x1f]|\\.)*+")
    | (?P<moment>{literals.MOMENT})(?![A-Za-z0-9_])
    | (?P<number>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?+)(?![A-Za-z0-9_])
    | (?P<duration>[0-9]++[A-Za-z]++)(?![A-Za-z0-9_])
    | (?P<name>{literals.PATH})
    | (?P<person>@[A-Za-z_]+)
    | \$(?P<param>{literals.PARAM})
    | (?P<sign>\.\.<|\.\.|!=|<=|>=|[=<>():,*])
    """,
    re.VERBOSE,
)
_HINTS = {
    '"': "This string has no end, or holds a line break: write \\n.",
    "'": "Strings stand in double quotes.",
    "!": "Write != or NOT.",
    "&": "Write AND.",
    "|": "Write OR.",
    ".": "A range is written lo..hi or lo..<hi.",
}
_SHOWN: dict[Kind, str] = {
    "string": "a string", "moment": "a date", "number": "a number", "duration": "a duration", "name": "a name",
    "person": "a person", "param": "a parameter", "end": "the end",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what it says: of a string its content, of a parameter its name."""

    kind: Kind
    text: str
    line: int
    column: int

    @property
    def at(self) -> At:
        return At(self.line, self.column)

    @property
    def word(self) -> str:
        """The keyword or function that a name may be, in lower case; else empty."""
        return self.text.lower() if self.kind == "name" else ""

    @property
    def shown(self) -> str:
        """What it is, for an error; names and values are not repeated."""
        if self.kind == "sign":
            return f'"{self.text}"'
        return self.text.upper() if self.word in literals.KEYWORDS else _SHOWN[self.kind]


def tokens(source: str) -> list[Token]:
    """Raises Unreadable at the first character that begins no token."""
    if len(source) > TEXT_BYTES or len(source.encode(errors="surrogatepass")) > TEXT_BYTES:
        raise unreadable(At(1, 1), f"The text of a criteria has at most {TEXT_BYTES // 1024} KiB.")
    found: list[Token] = []
    place, line, begin = 0, 1, 0
    while place < len(source):
        at = At(line, place - begin + 1)
        if not (match := _TOKEN.match(source, place)):
            raise unreadable(at, _HINTS.get(source[place], "Expected a name, a value or a sign: nothing begins so."))
        place = match.end()
        if match.lastgroup == "space":
            if breaks := match[0].count("\n"):
                line, begin = line + breaks, match.start() + match[0].rindex("\n") + 1
            continue
        kind = next(k for k in _READ if k == match.lastgroup)
        found.append(Token(kind, _content(kind, match[kind], at), at.line or 1, at.column or 1))
    found.append(Token("end", "", line, place - begin + 1))
    return found


def _content(kind: Kind, written: str, at: At) -> str:
    if kind != "string":
        return written
    try:
        text = json.loads(written)
    except ValueError:
        raise unreadable(at, 'Expected one of the escapes \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX.') from None
    try:
        return literals.string(str(text))
    except ValueError as error:
        raise unreadable(at, str(error)) from None


def number(token: Token) -> int | Decimal:
    """The number that the token writes. Raises Unreadable beyond 64 bits and beyond what is exact."""
    try:
        return literals.number(Decimal(token.text))
    except (ValueError, ArithmeticError) as error:
        message = str(error) if isinstance(error, ValueError) else "A number lies within 64 bits."
        raise unreadable(token.at, message) from None
