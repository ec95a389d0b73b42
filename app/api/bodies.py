"""JSON bodies, read strictly: what two readers could understand differently is refused, with where it stands."""

from __future__ import annotations

import json
import re
from typing import NoReturn

import msgspec

from app.domain.errors import Fault, Unreadable
from app.domain.numbers import DIGITS, LEAST, MOST, TooWideError, exact

JSON_LIMIT = 1 << 20
DEPTH = 64

# The closing quote may be missing, so that a text without end is passed over once and not once per quote.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile(r"[\ud800-\udfff]")


_DECODER = msgspec.json.Decoder(float_hook=exact)


def decode(raw: bytes) -> object:
    """The value of a JSON body: whole numbers as int within 64 bits, however they are written, others as Decimal.

    Unreadable, with pointer or line and column: syntax, UTF-8, depth, a member twice, NaN, NUL, lone surrogates.
    """
    bare = _STRING.sub(b'"', raw)
    if bare.count(b"[") + bare.count(b"{") > DEPTH and _too_deep(bare):
        _refuse(raw, 0, f"it is nested deeper than {DEPTH} levels")
    try:
        value = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TooWideError):
        _explain(raw)
    members, sound = _survey(value)
    if not sound or members != bare.count(b":") or b"\\u0000" in raw:
        _check(raw)
    return value


def _survey(value: object) -> tuple[int, bool]:
    """How many members all objects have, and whether every whole number fits 64 bits."""
    members, rest = 0, [value]
    while rest:
        here = rest.pop()
        if type(here) is dict:
            members += len(here)
            rest.extend(here.values())
        elif type(here) is list:
            rest.extend(here)
        elif type(here) is int and not LEAST <= here <= MOST:
            return members, False
    return members, True


def _too_deep(bare: bytes) -> bool:
    level = 0
    for bracket in bare.translate(None, _NO_BRACKET):
        level += 1 if bracket in b"[{" else -1
        if level > DEPTH:
            return True
    return False


def _refuse(raw: bytes, at: int, what: str) -> NoReturn:
    before = raw[:at]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    message = f"The body is not readable JSON: {what}."
    raise Unreadable(message, (Fault(message, pointer="", line=line, column=column),))


def _explain(raw: bytes) -> NoReturn:
    """Raise for a body that the decoder refused, saying where and why."""
    if not raw.strip():
        _refuse(raw, 0, "it is empty")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        _refuse(raw, error.start, "not UTF-8")
    if text.startswith("\ufeff"):
        _refuse(raw, 0, "it begins with a byte order mark")
    _check(raw)
    _refuse(raw, 0, "it holds something that is not JSON")


class _Pairs(list[tuple[str, object]]):
    """An object as read, each member once or more."""


def _check(raw: bytes) -> None:
    """Raise for what JSON allows or nearly allows, and we do not."""
    text = raw.decode()
    as_is = str.encode
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, parse_int=as_is, parse_float=as_is, parse_constant=as_is)
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
        _refuse(raw, len(text[: error.pos].encode()), what)
    if faults := tuple(_faults(value)):
        raise Unreadable(faults[0].message, faults)


def _faults(value: object) -> list[Fault]:
    """What is wrong in a value read with numbers as bytes; at most ten faults."""
    found: list[Fault] = []
    rest: list[tuple[object, str]] = [(value, "")]
    while rest and len(found) < 10:
        here, pointer = rest.pop()
        match here:
            case _Pairs():
                seen: set[str] = set()
                for name, inner in here:
                    under = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
                    if trouble := _text_trouble(name):
                        found.append(Fault(f"A member's name {trouble}.", pointer=pointer))
                    elif name in seen:
                        found.append(Fault("The member stands twice in one object.", pointer=under))
                    seen.add(name)
                    rest.append((inner, under))
            case list():
                rest.extend((inner, f"{pointer}/{index}") for index, inner in enumerate(here))
            case bytes():
                if trouble := _number_trouble(here.decode()):
                    found.append(Fault(f"The number {trouble}.", pointer=pointer))
            case str():
                if trouble := _text_trouble(here):
                    found.append(Fault(f"The text {trouble}.", pointer=pointer))
    return found


def _text_trouble(text: str) -> str | None:
    if "\0" in text:
        return "holds NUL, which cannot be stored"
    if _SURROGATE.search(text):
        return "holds half a surrogate pair, which is no character"
    return None


def _number_trouble(text: str) -> str | None:
    if text in ("NaN", "Infinity", "-Infinity"):
        return "is not a number of JSON: NaN and infinity have no place in it"
    if text.lstrip("-").isdigit():
        # Measured before it is converted: thousands of digits would take long.
        return None if len(text) <= DIGITS and LEAST <= int(text) <= MOST else "is beyond 64 bits"
    try:
        exact(text)
    except TooWideError:
        return f"has more than {DIGITS} digits"
    return None
