"""Criteria in text: examples with their canonical text and tree, and what is refused where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.criteria import tree
from app.domain.criteria.text import format, parse
from app.domain.errors import Invalid, StrataError, Unreadable

HERE = Path(__file__).parent


def examples() -> list[tuple[str, str, Any]]:
    found = []
    for block in (HERE / "examples.txt").read_text().split("\n\n")[1:]:
        source, *rest = block.strip().splitlines()
        canonical = rest[0].removeprefix("= ") if len(rest) == 2 else source
        found.append((source, canonical, json.loads(rest[-1])))
    return found


def refused() -> list[list[str]]:
    lines = (HERE / "refused.txt").read_text().splitlines()[2:]
    return [[part.strip() for part in line.split("|")] for line in lines]


@pytest.mark.parametrize(("source", "canonical", "written"), examples())
def test_example(source: str, canonical: str, written: Any) -> None:
    node = parse(source)
    assert format(node) == canonical
    assert tree.dump(node) == written
    assert tree.load(written) == node
    assert parse(canonical) == node


@pytest.mark.parametrize(("source", "place", "message", "suggestion"), refused())
def test_refused(source: str, place: str, message: str, suggestion: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(source)
    [fault] = caught.value.faults
    assert f"{fault.line}:{fault.column}" == place
    assert message in fault.message
    assert (fault.suggestion or "") == suggestion
    assert fault.pointer is None


def test_lines_and_columns_count_characters() -> None:
    with pytest.raises(Unreadable) as caught:
        parse('name = "é𝔘"\r\n\tAND  arr\n')
    assert (caught.value.faults[0].line, caught.value.faults[0].column) == (3, 1)
    with pytest.raises(Unreadable) as caught:
        parse('name = "é𝔘" AND\n  name = é')
    assert (caught.value.faults[0].line, caught.value.faults[0].column) == (2, 10)


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("arr = 1 AND (" * 8 + "arr = 1" + ")" * 8, "at most 8 deep"),
        ("NOT " * 8 + "ALL", "at most 8 deep"),
        ("any(contacts WHERE " * 8 + "ALL" + ")" * 8, "at most 8 deep"),
        (" AND ".join(["(a = 1 OR b = 1)"] * 67), "at most 200 nodes"),
        (" AND ".join(["ALL"] * 101), "at most 100"),
        (" AND ".join(["any(usage)"] * 11), "at most 10 related"),
        (f"a IN ({', '.join(['1'] * 501)}) OR b IN ({', '.join(['1'] * 500)})", "at most 1,000 values"),
        ("a = 1 " + " " * 16 * 1024, "at most 16 KiB"),
        ('a = "' + "é" * 8 * 1024 + '"', "at most 16 KiB"),
    ],
)
def test_limits_are_named(source: str, limit: str) -> None:
    with pytest.raises((Invalid, Unreadable), match=limit):
        parse(source)


@pytest.mark.parametrize(
    "source",
    [
        "(" * 8000 + "ALL" + ")" * 8000,
        "arr = 1 AND (" * 7 + "((arr = 1))" + ")" * 7,
        "NOT " * 7 + "ALL",
        " AND ".join(["(a = 1 OR b = 1)"] * 66),
        " AND ".join(["ALL"] * 100),
        " AND ".join(["any(usage)"] * 10),
        f"a IN ({', '.join(['1'] * 1000)}) AND b = 1",
    ],
)
def test_limits_are_reached(source: str) -> None:
    node = parse(source)
    assert tree.load(tree.dump(node)) == node


def test_what_was_written_is_not_repeated() -> None:
    with pytest.raises(StrataError) as caught:
        parse("arr = secret_word")
    assert "secret" not in caught.value.detail
