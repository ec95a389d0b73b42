"""What is wrong with criteria, in text and as trees: each answer whole, as data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import tree
from app.domain.criteria.check import check
from app.domain.criteria.text import parse
from app.domain.errors import Fault, Invalid, Unreadable
from tests.laws.trees import SETTING


def blocks() -> Iterator[tuple[str, list[str]]]:
    """Each criteria with the lines that say what is wrong: place, message, suggestion."""
    for block in Path(__file__).with_name("wrong.txt").read_text().split("\n\n"):
        lines = [line for line in block.strip("\n").splitlines() if not line.startswith("#")]
        if lines:
            yield lines[0], [line.strip() for line in lines[1:]]


def told(fault: Fault) -> str:
    place = fault.pointer if fault.line is None else f"{fault.line}:{fault.column}"
    return " | ".join(filter(None, (place, fault.message, fault.suggestion)))


def wrong(source: str) -> list[str]:
    try:
        if source.startswith("{"):
            written = json.loads(source, parse_float=Decimal)
            node = (tree.load_document if "v" in written else tree.load)(written, "/criteria")
        else:
            node = parse(source)
        check(node, ACCOUNTS, SETTING)
    except (Invalid, Unreadable) as refused:
        return [told(fault) for fault in refused.faults]
    return []


BLOCKS = list(blocks())


@pytest.mark.parametrize(("source", "answer"), BLOCKS)
def test_each_is_answered(source: str, answer: list[str]) -> None:
    assert wrong(source) == answer
    assert answer


def test_there_are_enough_of_both() -> None:
    trees = [source for source, _ in BLOCKS if source.startswith("{")]
    assert len(trees) >= 35
    assert len(BLOCKS) - len(trees) >= 100
