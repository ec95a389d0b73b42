"""The text of criteria read into a tree: by hand, in one pass, with bounded nesting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from app.domain.criteria import limits, literals, nodes
from app.domain.criteria.lexer import Token, number
from app.domain.criteria.limits import Budget
from app.domain.criteria.suggest import nearest, unreadable
from app.domain.errors import Unreadable

_SIGNS: dict[str, nodes.Comparison] = {sign: name for name, sign in literals.COMPARISONS.items()}
_TESTS = (
    "any", "none", "all", "starts_with", "ends_with", "has_any", "has_all", "in_segment", "entered", "left", "in_list",
)  # fmt: skip
FUNCTIONS = (*_TESTS, *literals.FOLDS, *literals.RANKINGS, "change", "change_abs")
_VALUES = ("ago", "from_now", "field", "@me", "@my_team", "true", "false")
_WINDOWS = ("last", "next", "this", "previous")
_PREDICATE = 'a comparison (=, !=, <, <=, >, >=), ":", IN, NOT IN, IS EMPTY or IS NOT EMPTY'


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
        self._tokens = tokens
        self._place = 0
        self._budget = Budget()
        self._nested = 0

    def document(self) -> Node:
        if self._next.kind == "end":
            raise self._expected("a criteria, as in arr > 1000; ALL is every record")
        node, _ = self._filter()
        if self._next.kind != "end":
            raise self._expected("AND, OR or the end")
        return node

    # -- tokens --------------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._tokens[self._place]
        if token.kind != "end":
            self._place += 1
        return token

    def _calls(self) -> bool:
        """Whether a name stands here with a parenthesis after it."""
        return self._next.kind == "name" and self._tokens[self._place + 1].text == "("

    def _sign(self, sign: str) -> Token | None:
        return self._take() if self._next.kind == "sign" and self._next.text == sign else None

    def _word(self, word: str) -> Token | None:
        return self._take() if self._next.word == word else None

    def _need(self, sign: str) -> None:
        if not self._sign(sign):
            raise self._expected(f'"{sign}"')

    def _expected(self, what: str, known: tuple[str, ...] = ()) -> Unreadable:
        token = self._next
        return unreadable(token.at, f"Expected {what}, found {token.shown}.", nearest(token.text, known))

    # -- AND, OR, NOT and parentheses ----------------------------------------------------------------------------------

    def _filter(self) -> tuple[nodes.Node, int]:
        levels = [_Level()]
        while True:
            level = levels[-1]
            if len(level.starts) == len(level.args):
                level.starts.append(self._next)
            if denial := self._word("not"):
                level.nots.append(denial)
                continue
            if opener := self._sign("("):
                levels.append(_Level(opener))
                continue
            self._put(level, self._predicate())
            while levels[-1].opener and self._sign(")"):
                closed = levels.pop()
                self._put(levels[-1], self._close(closed))
            if not self._join(levels[-1]):
                break
        if levels[-1].opener:
            raise self._expected('AND, OR or ")"')
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
        token = self._next
        if token.word not in ("and", "or"):
            return False
        if level.joins and level.joins[0].word != token.word:
            raise _mixed(level, token)
        level.joins.append(self._take())
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

    def _inside(self, read: Callable[[], tuple[nodes.Node, int]]) -> tuple[nodes.Node, int]:
        """Read what nests, one level deeper."""
        self._nested += 1
        limits.depth(self._nested, self._next.at)
        found = read()
        self._nested -= 1
        return found

    # -- predicates ----------------------------------------------------------------------------------------------------

    def _predicate(self) -> tuple[nodes.Node, int]:
        token = self._next
        self._budget.node(token.at)
        if self._calls() and token.word in _TESTS:
            return self._test()
        if self._word("all"):
            return nodes.All(at=token.at), 1
        of, height = self._operand()
        return self._compared(of, token), height + 1

    def _compared(self, of: nodes.Operand, start: Token) -> Node:
        token, at = self._next, start.at
        if token.kind == "sign" and token.text in _SIGNS:
            self._take()
            return nodes.Cmp(of, _SIGNS[token.text], self._value(), at=at)
        if isinstance(of, nodes.Path) and self._sign(":"):
            return nodes.Text(of, "contains", self._value(), at=at)
        if self._word("is"):
            denied = self._word("not")
            if not self._word("empty"):
                raise self._expected("EMPTY" if denied else "EMPTY or NOT EMPTY", ("EMPTY",))
            return self._denied(nodes.Empty(of, at=at), denied)
        denied = self._word("not")
        if not self._word("in"):
            raise self._expected("IN" if denied else _PREDICATE, ("IN", "IS", "NOT"))
        return self._denied(self._set(of, start), denied)

    def _denied(self, node: nodes.Node, denied: Token | None) -> Node:
        if not denied:
            return node
        self._budget.node(denied.at)
        return nodes.Not(node, at=denied.at)

    def _set(self, of: nodes.Operand, start: Token) -> Node:
        if self._next.text == "(" and self._next.kind == "sign":
            return nodes.In(of, self._values(), at=start.at)
        if self._calls() and self._next.word in _WINDOWS:
            return nodes.Time(of, self._window(), at=start.at)
        lo = self._bound()
        if not (dots := self._sign("..") or self._sign("..<")):
            raise self._expected('".." or "..<": IN takes a list in parentheses, a range or a window')
        return nodes.Range(of, lo, self._bound(), dots.text == "..<", at=start.at)

    def _bound(self) -> nodes.Value | None:
        return None if self._sign("*") else self._value()

    def _test(self) -> tuple[nodes.Node, int]:
        start = self._take()
        at, word = start.at, start.word
        self._need("(")
        height = 0
        node: nodes.Node
        match word:
            case "any" | "none" | "all":
                self._budget.related(at)
                rel = self._relation()
                where, height = self._where()
                node = nodes.Quant(word, rel, where, self._optional_window(), at=at)
            case "starts_with" | "ends_with":
                path = self._path()
                self._need(",")
                node = nodes.Text(path, word, self._value(), at=at)
            case "has_any" | "has_all":
                path = self._path()
                self._need(",")
                node = nodes.Has(path, "any_of" if word == "has_any" else "all_of", self._values(), at=at)
            case "in_list":
                node = nodes.InList(self._string("the id of a list"), at=at)
            case _:
                node = self._segment(start)
        self._need(")")
        return node, height + 1

    def _segment(self, start: Token) -> Segment:
        segmentation = self._string("a segmentation")
        self._need(",")
        segment = self._string("a segment")
        if start.word == "in_segment":
            return nodes.Segment(segmentation, segment, at=start.at)
        self._need(",")
        return nodes.Segment(
            segmentation, segment, "entered" if start.word == "entered" else "left", self._window(), at=start.at
        )

    # -- operands ------------------------------------------------------------------------------------------------------

    def _operand(self) -> tuple[nodes.Operand, int]:
        """With its height: 0 unless criteria stand inside."""
        if not self._calls():
            return self._path(), 0
        start = self._next
        for fold in literals.FOLDS:
            if start.word == fold:
                return self._aggregate(fold)
        for ranking in literals.RANKINGS:
            if start.word == ranking:
                self._opened()
                field_ = self._path().name
                by = self._path().name if self._word("by") else None
                self._need(")")
                return nodes.Rank(ranking, field_, by, at=start.at), 0
        if start.word in ("change", "change_abs"):
            return self._change("change" if start.word == "change" else "change_abs")
        raise self._expected("a field or a function", FUNCTIONS)

    def _opened(self) -> Token:
        token = self._take()
        self._need("(")
        return token

    def _aggregate(self, fn: nodes.Fold) -> tuple[nodes.Operand, int]:
        start = self._opened()
        self._budget.node(start.at)
        self._budget.related(start.at)
        rel, field_ = self._relation(), None
        if fn != "count":
            rel, _, field_ = rel.partition(".")
            if not field_:
                raise unreadable(start.at, f"Expected a relation and its field, as in {fn}(usage.value).")
        where, height = self._where()
        window = self._optional_window()
        self._need(")")
        return nodes.Aggregate(fn, rel, field_, where, window, at=start.at), height

    def _change(self, fn: Literal["change", "change_abs"]) -> tuple[nodes.Operand, int]:
        start = self._opened()
        self._budget.node(start.at)
        self._nested += 1
        limits.depth(self._nested, start.at)
        of, height = self._operand()
        self._nested -= 1
        self._need(",")
        now = self._window()
        self._need(",")
        was = self._window()
        self._need(")")
        return nodes.Change(fn, of, now, was, at=start.at), height + 1

    def _path(self) -> Path:
        token = self._next
        if token.kind != "name" or token.word in literals.KEYWORDS:
            on_left = token.kind in ("string", "number", "moment", "person", "param")
            raise self._expected("a field (fields stand on the left)" if on_left else "a field")
        self._take()
        return nodes.Path(token.text, at=token.at)

    def _relation(self) -> str:
        token = self._next
        if token.kind != "name" or token.word in literals.KEYWORDS:
            raise self._expected("a relation, as in invoices")
        return self._take().text

    def _where(self) -> tuple[nodes.Node | None, int]:
        return self._inside(self._filter) if self._word("where") else (None, 0)

    # -- values and windows --------------------------------------------------------------------------------------------

    def _values(self) -> tuple[nodes.Value, ...]:
        self._need("(")
        found: list[nodes.Value] = []
        while True:
            self._budget.value(self._next.at)
            found.append(self._value())
            if not self._sign(","):
                break
        if not self._sign(")"):
            raise self._expected('"," or ")"')
        return tuple(found)

    def _value(self) -> Value:
        token, at = self._next, self._next.at
        if self._calls():
            return self._called()
        if token.kind == "name" and token.word not in ("true", "false"):
            hint = "a value; text stands in double quotes, another field in field(…)"
            raise self._expected(hint, _VALUES)
        self._take()
        match token.kind:
            case "string" | "moment":
                return nodes.Const(token.text, at=at)
            case "number":
                return nodes.Const(number(token), at=at)
            case "name":
                return nodes.Const(token.word == "true", at=at)
            case "param":
                return nodes.Param(token.text, at=at)
            case "person" if token.text.lower() == "@me":
                return nodes.Me(at=at)
            case "person" if token.text.lower() == "@my_team":
                return nodes.MyTeam(at=at)
            case "person":
                raise unreadable(at, "Expected @me or @my_team.", nearest(token.text, _VALUES))
            case "duration":
                raise unreadable(at, "Expected a value; a duration stands in ago(…) or from_now(…).")
            case _:
                raise unreadable(at, f"Expected a value, found {token.shown}.")

    def _called(self) -> Value:
        start = self._next
        if start.word not in ("ago", "from_now", "field"):
            raise self._expected("a value, ago(…), from_now(…) or field(…)", _VALUES)
        self._opened()
        value: nodes.Value
        if start.word == "field":
            value = nodes.FieldValue(self._path().name, at=start.at)
        elif start.word == "ago":
            value = nodes.Ago(self._duration(), at=start.at)
        else:
            value = nodes.FromNow(self._duration(), at=start.at)
        self._need(")")
        return value

    def _string(self, what: str) -> str:
        if self._next.kind not in ("string", "moment"):
            raise self._expected(f"{what} in double quotes")
        return self._take().text

    def _duration(self) -> Duration:
        token = self._take()
        try:
            return literals.duration(token.text if token.kind == "duration" else "")
        except ValueError as error:
            raise unreadable(token.at, str(error)) from None

    def _optional_window(self) -> nodes.Window | None:
        return self._window() if self._sign(",") else None

    def _window(self) -> Window:
        if not (self._calls() and self._next.word in _WINDOWS):
            raise self._expected("a window: last(…), next(…), this(…) or previous(…)", _WINDOWS)
        start = self._opened()
        window: nodes.Window
        if self._next.kind == "duration" and start.word in ("last", "next"):
            span = self._duration()
            window = nodes.Rolling("last" if start.word == "last" else "next", span.n, span.unit, at=start.at)
        else:
            window = self._period(start)
        self._need(")")
        return window

    def _period(self, start: Token) -> Period:
        for unit in literals.CALENDARS:
            if self._word(unit):
                which: Literal["this", "previous", "next"] = "previous"
                if start.word in ("this", "next"):
                    which = "this" if start.word == "this" else "next"
                return nodes.Period(which, unit, at=start.at)
        also = "a duration as in 30d, or " if start.word in ("last", "next") else ""
        raise self._expected(f"{also}one of {', '.join(literals.CALENDARS)}", literals.CALENDARS)


def _mixed(level: _Level, token: Token) -> Unreadable:
    first, last = level.starts[0], level.starts[-1]
    return unreadable(
        token.at,
        "AND and OR stand side by side. Put parentheses around what stands before this "
        f"{token.text.upper()} (from line {first.line}, column {first.column}), or around what begins at "
        f"line {last.line}, column {last.column}.",
    )
