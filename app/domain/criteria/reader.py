"""The tokens of criteria read one by one: names, values and windows."""

from __future__ import annotations

from typing import Literal

from app.domain.criteria import literals, nodes
from app.domain.criteria.lexer import Token, number
from app.domain.criteria.limits import Budget
from app.domain.criteria.suggest import nearest, unreadable
from app.domain.errors import Unreadable

_VALUES = ("ago", "from_now", "field", "@me", "@my_team", "true", "false")
WINDOWS = ("last", "next", "this", "previous")
CALLED = ("ago", "from_now", "field")
"""Values that are written like functions."""
FOREIGN = {
    "null": "EMPTY", "like": ":", "ilike": ":", "contains": ":", "between": "IN", "equals": "=", "exists": "any",
    "total": "sum", "average": "avg", "mean": "avg", "size": "count", "now": "ago",
}  # fmt: skip
"""Words of other languages, with what says it here."""


class Reader:
    """Stands before one token. What it reads, it steps over; what it does not find, it raises Unreadable for."""

    def __init__(self, tokens: list[Token], budget: Budget) -> None:
        self._tokens = tokens
        self._place = 0
        self._budget = budget
        self.next = tokens[0]

    def ended(self) -> bool:
        return self.next.kind == "end"

    def take(self) -> Token:
        token = self.next
        if token.kind != "end":
            self._place += 1
            self.next = self._tokens[self._place]
        return token

    def calls(self) -> bool:
        """Whether a name stands here with a parenthesis after it."""
        if self.next.kind != "name":
            return False
        after = self._tokens[self._place + 1]
        return after.kind == "sign" and after.text == "("

    def opened(self) -> Token:
        """The name of what is called, and past its parenthesis."""
        token = self.take()
        self.need("(")
        return token

    def sign(self, sign: str) -> Token | None:
        return self.take() if self.next.kind == "sign" and self.next.text == sign else None

    def word(self, word: str) -> Token | None:
        return self.take() if self.next.word == word else None

    def need(self, sign: str) -> None:
        if not self.sign(sign):
            raise self.expected(f'"{sign}"')

    def expected(self, what: str, known: tuple[str, ...] = ()) -> Unreadable:
        token = self.next
        foreign = FOREIGN.get(token.word)
        suggestion = foreign if foreign in known else nearest(token.text, known)
        return unreadable(token.at, f"Expected {what}, found {token.shown}.", suggestion)

    def path(self) -> nodes.Path:
        token = self.next
        if token.kind != "name" or token.word in literals.KEYWORDS:
            on_left = token.kind in ("string", "number", "moment", "person", "param")
            raise self.expected("a field (fields stand on the left)" if on_left else "a field")
        self.take()
        return nodes.Path(token.text, at=token.at)

    def relation(self) -> str:
        token = self.next
        if token.kind != "name" or token.word in literals.KEYWORDS:
            raise self.expected("a relation, as in invoices")
        if "." in token.text:
            raise unreadable(token.at, "Expected a relation without a field, as in invoices.")
        return self.take().text

    def relation_and_field(self, fn: str) -> tuple[str, str]:
        token = self.next
        rel, _, name = token.text.partition(".")
        if token.kind != "name" or not literals.is_name(rel) or not literals.is_path(name):
            raise self.expected(f"a relation and its field, as in {fn}(usage.value)")
        self.take()
        return rel, name

    # -- values and windows --------------------------------------------------------------------------------------------

    def values(self) -> tuple[nodes.Value, ...]:
        self.need("(")
        found: list[nodes.Value] = []
        while True:
            self._budget.value(self.next.at)
            found.append(self.value())
            if not self.sign(","):
                break
        if not self.sign(")"):
            raise self.expected('"," or ")"')
        return tuple(found)

    def value(self) -> nodes.Value:
        token, at = self.next, self.next.at
        if self.calls():
            return self._called()
        if token.kind == "name" and token.word not in ("true", "false"):
            hint = "a value; text stands in double quotes, another field in field(…)"
            raise self.expected(hint, _VALUES)
        self.take()
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

    def _called(self) -> nodes.Value:
        start = self.next
        if start.word in WINDOWS:
            raise unreadable(start.at, "Expected a value: a window stands behind IN.", "IN")
        if start.word not in CALLED:
            raise self.expected("a value, ago(…), from_now(…) or field(…)", _VALUES)
        self.opened()
        value: nodes.Value
        if start.word == "field":
            value = nodes.FieldValue(self.path().name, at=start.at)
        elif start.word == "ago":
            value = nodes.Ago(self.duration(), at=start.at)
        else:
            value = nodes.FromNow(self.duration(), at=start.at)
        self.need(")")
        return value

    def string(self, what: str) -> str:
        if self.next.kind not in ("string", "moment"):
            raise self.expected(f"{what} in double quotes")
        return self.take().text

    def duration(self) -> nodes.Duration:
        token = self.take()
        try:
            return literals.duration(token.text if token.kind == "duration" else "")
        except ValueError as error:
            raise unreadable(token.at, str(error)) from None

    def optional_window(self) -> nodes.Window | None:
        return self.window() if self.sign(",") else None

    def window(self) -> nodes.Window:
        if not (self.calls() and self.next.word in WINDOWS):
            raise self.expected("a window: last(…), next(…), this(…) or previous(…)", WINDOWS)
        start = self.opened()
        window: nodes.Window
        if self.next.kind == "duration" and start.word in ("last", "next"):
            span = self.duration()
            window = nodes.Rolling("last" if start.word == "last" else "next", span.n, span.unit, at=start.at)
        else:
            window = self._period(start)
        self.need(")")
        return window

    def _period(self, start: Token) -> nodes.Period:
        for unit in literals.CALENDARS:
            if self.word(unit):
                which: Literal["this", "previous", "next"] = "previous"
                if start.word in ("this", "next"):
                    which = "this" if start.word == "this" else "next"
                return nodes.Period(which, unit, at=start.at)
        also = "a duration as in 30d, or " if start.word in ("last", "next") else ""
        raise self.expected(f"{also}one of {', '.join(literals.CALENDARS)}", literals.CALENDARS)
