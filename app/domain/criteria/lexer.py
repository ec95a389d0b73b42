"""The text of criteria cut into tokens, each with its line and column."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Literal, NamedTuple, cast

from app.domain.criteria import literals
from app.domain.criteria.limits import TEXT_BYTES
from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import unreadable

Kind = Literal["string", "moment", "number", "duration", "name", "person", "param", "sign", "end"]

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


class Token(NamedTuple):
    """`text` is what it says: of a string its content, of a parameter its name. `word`: the keyword or function that a
    name may be, in lower case; else empty."""

    kind: Kind
    text: str
    at: At
    word: str = ""

    @property
    def shown(self) -> str:
        """What it is, for an error; names and values are not repeated."""
        if self.kind == "sign":
            return f'"{self.text}"'
        return self.text.upper() if self.word in literals.KEYWORDS else _SHOWN[self.kind]


def tokens(source: str, pointer: str = "") -> list[Token]:
    """`pointer` is where the text stands in a body. Raises Unreadable at the first character that begins no token."""
    if len(source) > TEXT_BYTES or len(source.encode(errors="surrogatepass")) > TEXT_BYTES:
        raise unreadable(At(1, 1, pointer), f"The text of a criteria has at most {TEXT_BYTES // 1024} KiB.")
    found: list[Token] = []
    place, line, begin = 0, 1, 0
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None:
            at = At(line, place - begin + 1, pointer)
            raise unreadable(at, _HINTS.get(source[place], "Expected a name, a value or a sign: nothing begins so."))
        written = match[match.lastgroup or 0]
        if match.lastgroup != "space":
            kind, at = cast("Kind", match.lastgroup), At(line, place - begin + 1, pointer)
            text = _content(written, at) if kind == "string" else written
            found.append(Token(kind, text, at, written.lower() if kind == "name" else ""))
        elif breaks := written.count("\n"):
            line, begin = line + breaks, place + written.rindex("\n") + 1
        place = match.end()
    found.append(Token("end", "", At(line, place - begin + 1, pointer)))
    return found


def _content(written: str, at: At) -> str:
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
