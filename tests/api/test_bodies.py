"""JSON bodies are read strictly: what is refused, where it is said to stand, and that it takes no time."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from app.api.bodies import DEPTH, decode
from app.domain.errors import Unreadable

READ = [
    (b"{}", {}),
    (b'{"a":1.50}', {"a": Decimal("1.50")}),
    (b"[5.0,-5e1,1e30,0.0,0e-50]", [5, -50, Decimal("1e30"), 0, 0]),
    (b'{"a":-9223372036854775808}', {"a": -(2**63)}),
    (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
    (b'{"a":"x:y{[\\""}', {"a": 'x:y{["'}),
    ('{"ä":"\\ud83d\\ude00"}'.encode(), {"ä": "😀"}),
    (b'{"a":{"b":1},"b":{"b":2}}', {"a": {"b": 1}, "b": {"b": 2}}),
    (b"[" * DEPTH + b"]" * DEPTH, None),
]
REFUSED = [
    # raw, pointer, line, column, a word of the message
    (b"", "", 1, 1, "empty"),
    (b" \n ", "", 1, 1, "empty"),
    (b'{"a":1', "", 1, 7, "delimiter"),
    (b'{"a":1}x', "", 1, 8, "extra data"),
    (b'{\n "a": tru}', "", 2, 7, "expecting value"),
    (b"[1,]", "", 1, 4, "expecting value"),
    (b'"\xff"', "", 1, 2, "UTF-8"),
    (b"\xef\xbb\xbf{}", "", 1, 1, "byte order mark"),
    (b'{"a":1,"a":1}', "/a", None, None, "twice"),
    (b'{"x/y":[{"a":1,"a":2}]}', "/x~1y/0/a", None, None, "twice"),
    (b'{"a":NaN}', "/a", None, None, "not a number"),
    (b'{"a":[-Infinity]}', "/a/0", None, None, "not a number"),
    (b'{"a":9223372036854775808}', "/a", None, None, "64 bits"),
    (b'{"a":%s}' % (b"9" * 5000), "/a", None, None, "64 bits"),
    (b'{"a":1e400}', "/a", None, None, "digits"),
    (b'{"a":1e99999999999}', "/a", None, None, "digits"),
    (b'{"a":1e999999999999999999999}', "/a", None, None, "digits"),
    (b"[1,-0.0e-999999999999999999999]", "/1", None, None, "digits"),
    (b'{"a":"x\\u0000"}', "/a", None, None, "NUL"),
    (b'{"a\\u0000":1}', "", None, None, "NUL"),
    (b'{"a":"\\ud800"}', "/a", None, None, "surrogate"),
    (b'{"a":"\x01"}', "", 1, 7, "control"),
    (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), "", 1, 1, "deeper"),
]


@pytest.mark.parametrize(("raw", "value"), READ)
def test_what_is_sound_is_read(raw: bytes, value: object) -> None:
    read = decode(raw)
    assert value is None or read == value


@pytest.mark.parametrize(("raw", "pointer", "line", "column", "word"), REFUSED)
def test_what_is_not_is_refused_with_its_place(
    raw: bytes, pointer: str, line: int | None, column: int | None, word: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(raw)
    fault = caught.value.faults[0]
    assert (fault.pointer, fault.line, fault.column) == (pointer, line, column)
    assert word in fault.message


MIB = 1 << 20
BOMBS = [
    b'"' + b'\\"' * (MIB // 2),
    b"{" * MIB,
    b"[" * 60 + b"1" * MIB,
    b'{"a":1,' * (MIB // 7),
    b'"' * MIB,
    b"\\" * MIB,
]


@pytest.mark.parametrize("raw", BOMBS, ids=lambda raw: repr(raw[:8]))
def test_a_body_made_to_be_slow_is_not(raw: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Unreadable):
        decode(raw)
    assert time.process_time() - began < 1
