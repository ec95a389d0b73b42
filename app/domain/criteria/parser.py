"""The text of criteria read into a tree: by hand, in one pass, with bounded nesting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from app.domain.criteria import limits, literals, nodes
from app.domain.criteria.lexer import Token
from app.domain.criteria.limits import Budget
from app.domain.criteria.nodes import At
from app.domain.criteria.reader import CALLED, WINDOWS, Reader
from app.domain.criteria.suggest import unreadable
from app.domain.errors import Unreadable

_SIGNS: dict[str, nodes.Comparison] = {sign: name for name, sign in literals.COMPARISONS.items()}
_DOUBLED = {"==": "=", "<>": "!=", "=>": ">=", "=<": "<=", "=!=": "!=", "!==": "!="}
"""Signs of other languages, as they come apart here, with what they are."""
_TESTS = (
    "any", "none", "all", "starts_with", "ends_with", "has_any", "has_all", "in_segment", "entered", "left", "in_list",
)  # fmt: skip
FUNCTIONS = (*_TESTS, *literals.FOLDS, *literals.RANKINGS, "change", "change_abs")
_PREDICATE = 'a comparison (=, !=, <, <=, >, >=), ":", IN, NOT IN, IS EMPTY or IS NOT EMPTY'

Read = TypeVar("Read")


@dataclass(slots=True)
class _Level:
    """What stands side by side, between parentheses (`opener`) or not. Each argument goes with its height."""

    opener: Token | None = None
    args: list[tuple[nodes.Node, int]] = field(default_factory=list)
    starts: list[Token] = field(default_factory=list)
    joins: list[Token] = field(default_factory=list)
    nots: list[Token] = field(default_factory=list)


class Parser:
    """Reads tokens from left to right. Parentheses take no recursion; what recurses is bounded by `limits.DEPTH`."""

    def __init__(self, tokens: list[Token]) -> None:
        self._budget = Budget()
        self._reader = Reader(tokens, self._budget)
        self._nested = 0

    def document(self) -> nodes.Node:
        if self._reader.ended():
            raise self._reader.expected("a criteria, as in arr > 1000; ALL is every record")
        node, _ = self._filter()
        if not self._reader.ended():
            raise self._reader.expected("AND, OR or the end")
        return node

    # -- AND, OR, NOT and parentheses ----------------------------------------------------------------------------------

    def _filter(self) -> tuple[nodes.Node, int]:
        levels = [_Level()]
        while True:
            level = levels[-1]
            if len(level.starts) == len(level.args):
                level.starts.append(self._reader.next)
            if denial := self._reader.word("not"):
                level.nots.append(denial)
                continue
            if opener := self._reader.sign("("):
                levels.append(_Level(opener))
                continue
            self._put(level, self._predicate())
            while levels[-1].opener and self._reader.sign(")"):
                closed = levels.pop()
                self._put(levels[-1], self._close(closed))
            if not self._join(levels[-1]):
                break
        if levels[-1].opener:
            raise self._reader.expected('AND, OR or ")"')
        return self._close(levels[0])

    def _put(self, level: _Level, arg: tuple[nodes.Node, int]) -> None:
        node, height = arg
        while level.nots:
            token = level.nots.pop()
            node, height = nodes.Not(node, at=token.at), height + 1
            self._budget.node(token.at)
        limits.depth(height, level.starts[-1].at)
        level.args.append((node, height))

    def _join(self, level: _Level) -> bool:
        token = self._reader.next
        if token.word not in ("and", "or"):
            return False
        if level.joins and level.joins[0].word != token.word:
            raise _mixed(level, token)
        level.joins.append(self._reader.take())
        return True

    def _close(self, level: _Level) -> tuple[nodes.Node, int]:
        if not level.joins:
            return level.args[0]
        at = level.starts[0].at
        self._budget.node(at)
        limits.args(len(level.args), at)
        height = 1 + max(h for _, h in level.args)
        limits.depth(height, at)
        args = tuple(node for node, _ in level.args)
        return (nodes.And(args, at=at) if level.joins[0].word == "and" else nodes.Or(args, at=at)), height

    # -- predicates ----------------------------------------------------------------------------------------------------

    def _predicate(self) -> tuple[nodes.Node, int]:
        token = self._reader.next
        self._budget.node(token.at)
        if self._reader.calls() and token.word in _TESTS:
            return self._test()
        if self._reader.word("all"):
            return nodes.All(at=token.at), 1
        of, height = self._operand()
        node = self._compared(of, token)
        return node, height + (2 if isinstance(node, nodes.Not) else 1)

    def _compared(self, of: nodes.Operand, start: Token) -> nodes.Node:
        token, at = self._reader.next, start.at
        if token.kind == "sign" and token.text in _SIGNS:
            self._reader.take()
            if meant := _DOUBLED.get(token.text + self._reader.next.text):
                raise unreadable(token.at, f"Expected {', '.join(_SIGNS)}.", meant)
            return nodes.Cmp(of, _SIGNS[token.text], self._reader.value(), at=at)
        if isinstance(of, nodes.Path) and self._reader.sign(":"):
            return nodes.Text(of, "contains", self._reader.value(), at=at)
        if self._reader.word("is"):
            denied = self._reader.word("not")
            if not self._reader.word("empty"):
                raise self._reader.expected("EMPTY" if denied else "EMPTY or NOT EMPTY", ("EMPTY",))
            return self._denied(nodes.Empty(of, at=at), denied)
        denied = self._reader.word("not")
        if not self._reader.word("in"):
            raise self._reader.expected("IN" if denied else _PREDICATE, ("IN", "IS", "NOT", ":", "="))
        return self._denied(self._set(of, start), denied)

    def _denied(self, node: nodes.Node, denied: Token | None) -> nodes.Node:
        if not denied:
            return node
        self._budget.node(denied.at)
        return nodes.Not(node, at=denied.at)

    def _set(self, of: nodes.Operand, start: Token) -> nodes.Node:
        if self._reader.next.text == "(" and self._reader.next.kind == "sign":
            return nodes.In(of, self._reader.values(), at=start.at)
        if self._reader.calls() and self._reader.next.word in WINDOWS:
            return nodes.Time(of, self._reader.window(), at=start.at)
        if self._reader.calls() and self._reader.next.word not in CALLED:
            raise self._reader.expected("a list in parentheses, a range or a window", (*WINDOWS, *CALLED))
        lo = self._bound()
        if not (dots := self._reader.sign("..") or self._reader.sign("..<")):
            raise self._reader.expected('".." or "..<": IN takes a list in parentheses, a range or a window')
        return nodes.Range(of, lo, self._bound(), dots.text == "..<", at=start.at)

    def _bound(self) -> nodes.Value | None:
        return None if self._reader.sign("*") else self._reader.value()

    def _test(self) -> tuple[nodes.Node, int]:
        start = self._reader.take()
        at, word = start.at, start.word
        self._reader.need("(")
        height = 0
        node: nodes.Node
        match word:
            case "any" | "none" | "all":
                self._budget.related(at)
                places = (self._reader.next.at,)
                rel = self._reader.relation()
                where, height = self._where()
                node = nodes.Quant(word, rel, where, self._reader.optional_window(), at=at, places=places)
            case "starts_with" | "ends_with":
                path = self._reader.path()
                self._reader.need(",")
                node = nodes.Text(path, word, self._reader.value(), at=at)
            case "has_any" | "has_all":
                path = self._reader.path()
                self._reader.need(",")
                node = nodes.Has(path, "any_of" if word == "has_any" else "all_of", self._reader.values(), at=at)
            case "in_list":
                places = (self._reader.next.at,)
                node = nodes.InList(self._reader.string("the id of a list"), at=at, places=places)
            case _:
                node = self._segment(start)
        self._reader.need(")")
        return node, height + 1

    def _segment(self, start: Token) -> nodes.Segment:
        first = self._reader.next.at
        segmentation = self._reader.string("a segmentation")
        self._reader.need(",")
        places = (first, self._reader.next.at)
        segment = self._reader.string("a segment")
        if start.word == "in_segment":
            return nodes.Segment(segmentation, segment, at=start.at, places=places)
        self._reader.need(",")
        event: Literal["entered", "left"] = "entered" if start.word == "entered" else "left"
        return nodes.Segment(segmentation, segment, event, self._reader.window(), at=start.at, places=places)

    # -- operands ------------------------------------------------------------------------------------------------------

    def _operand(self) -> tuple[nodes.Operand, int]:
        """With its height: 0 unless criteria stand inside."""
        if not self._reader.calls():
            return self._reader.path(), 0
        start = self._reader.next
        for fold in literals.FOLDS:
            if start.word == fold:
                return self._aggregate(fold)
        for ranking in literals.RANKINGS:
            if start.word == ranking:
                self._reader.opened()
                ranked = self._reader.path()
                by = self._reader.path() if self._reader.word("by") else None
                self._reader.need(")")
                places = (ranked.at,) if by is None else (ranked.at, by.at)
                return nodes.Rank(ranking, ranked.name, by.name if by else None, at=start.at, places=places), 0
        if start.word in ("change", "change_abs"):
            return self._change("change" if start.word == "change" else "change_abs")
        if start.word in CALLED:
            raise self._reader.expected("a field (fields stand on the left)")
        raise self._reader.expected("a field or a function", FUNCTIONS)

    def _aggregate(self, fn: nodes.Fold) -> tuple[nodes.Operand, int]:
        start = self._reader.opened()
        self._budget.node(start.at)
        self._budget.related(start.at)
        named = self._reader.next.at
        rel, folded = (self._reader.relation(), None) if fn == "count" else self._reader.relation_and_field(fn)
        where, height = self._where()
        window = self._reader.optional_window()
        self._reader.need(")")
        places = (named, At(named.line, (named.column or 1) + len(rel) + 1, named.pointer))
        return nodes.Aggregate(fn, rel, folded, where, window, at=start.at, places=places), height

    def _change(self, fn: Literal["change", "change_abs"]) -> tuple[nodes.Operand, int]:
        start = self._reader.opened()
        self._budget.node(start.at)
        of, height = self._deeper(self._operand)
        self._reader.need(",")
        now = self._reader.window()
        self._reader.need(",")
        was = self._reader.window()
        self._reader.need(")")
        return nodes.Change(fn, of, now, was, at=start.at), height + 1

    def _where(self) -> tuple[nodes.Node | None, int]:
        if not self._reader.word("where"):
            return None, 0
        return self._deeper(self._filter)

    def _deeper(self, read: Callable[[], tuple[Read, int]]) -> tuple[Read, int]:
        self._nested += 1
        limits.depth(self._nested, self._reader.next.at)
        found = read()
        self._nested -= 1
        return found


def _mixed(level: _Level, token: Token) -> Unreadable:
    first, last = level.starts[0].at, level.starts[-1].at
    return unreadable(
        token.at,
        "AND and OR stand side by side. Put parentheses around what stands before this "
        f"{token.text.upper()} (from line {first.line}, column {first.column}), or around what begins at "
        f"line {last.line}, column {last.column}.",
    )
