"""The text spelling of criteria: `parse` reads it, `format` prints it canonically; `parse(format(x)) == x`."""

from __future__ import annotations

from app.domain.criteria.formatter import condition as _condition
from app.domain.criteria.lexer import tokens
from app.domain.criteria.nodes import Node
from app.domain.criteria.parser import Parser


def parse(source: str, pointer: str = "") -> Node:
    """`pointer` is where the text stands in a body: faults say it too. Raises Unreadable for what is no criteria, Invalid for what is beyond a limit; both with line and column."""
    return Parser(tokens(source, pointer)).document()


def format(node: Node) -> str:
    """The canonical text, on one line."""
    return _condition(node)
