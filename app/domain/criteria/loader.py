"""The JSON spelling of criteria read into a tree, with bounded nesting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from app.domain.criteria import limits, literals, nodes
from app.domain.criteria.limits import Budget
from app.domain.criteria.members import Members, child
from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import invalid, nearest
from app.domain.criteria.words import load_value, load_window
from app.domain.errors import Together

_COMPARISONS: tuple[nodes.Comparison, ...] = tuple(literals.COMPARISONS)
_MATCHES: tuple[Literal["contains", "starts_with", "ends_with"], ...] = ("contains", "starts_with", "ends_with")
_QUANTIFIERS: tuple[Literal["any", "none", "all"], ...] = ("any", "none", "all")
_EVENTS: tuple[Literal["entered", "left"], ...] = ("entered", "left")
_CHANGES: tuple[Literal["change", "change_abs"], ...] = ("change", "change_abs")
_FUNCTIONS = (*literals.FOLDS, *_CHANGES, *literals.RANKINGS)


class Loader:
    """Reads one criteria; `depth` is that of what is read, from 1."""

    def __init__(self) -> None:
        self._budget = Budget()
        self._readers: Mapping[str, Callable[[object, str, int], nodes.Node]] = {
            "and": self._and, "or": self._or, "not": self._not, "all": self._all, "cmp": self._cmp, "in": self._in,
            "range": self._range, "time": self._time, "text": self._text, "has": self._has, "empty": self._empty,
            "quant": self._quant, "segment": self._segment, "list": self._list,
        }  # fmt: skip

    def node(self, written: object, pointer: str, depth: int = 1) -> nodes.Node:
        """Raises Invalid."""
        written, hops = _unwrapped(written)
        pointer += "/args/0" * hops
        at = At(pointer=pointer)
        limits.depth(depth, at)
        self._budget.node(at)
        op = written.get("op") if isinstance(written, Mapping) else None
        if not isinstance(op, str) or op not in self._readers:
            where = At(pointer=child(pointer, "op")) if op is not None else at
            suggestion = nearest(op, self._readers) if isinstance(op, str) else None
            raise invalid(where, f"Expected an object whose op is one of {', '.join(self._readers)}.", suggestion)
        return self._readers[op](written, pointer, depth)

    # -- AND, OR, NOT --------------------------------------------------------------------------------------------------

    def _args(self, written: object, pointer: str, depth: int) -> tuple[nodes.Node, ...]:
        members = Members(written, pointer, ("op", "args"))
        elements = list(members.each("args"))
        limits.args(len(elements), members.at_member("args"))
        parts = Together()
        found = tuple(
            parts.part(partial(self.node, element, where, depth + 1), nodes.All())
            for element, where in elements
            if not self._budget.is_spent
        )
        parts.verify()
        return found

    def _and(self, written: object, pointer: str, depth: int) -> nodes.Node:
        return nodes.And(self._args(written, pointer, depth), at=At(pointer=pointer))

    def _or(self, written: object, pointer: str, depth: int) -> nodes.Node:
        return nodes.Or(self._args(written, pointer, depth), at=At(pointer=pointer))

    def _not(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "arg"))
        return nodes.Not(self.node(members.get("arg"), members.pointer("arg"), depth + 1), at=members.at)

    def _all(self, written: object, pointer: str, depth: int) -> nodes.Node:
        return nodes.All(at=Members(written, pointer, ("op",)).at)

    # -- predicates ----------------------------------------------------------------------------------------------------

    def _cmp(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "of", "cmp", "value"))
        value = load_value(members.get("value"), members.pointer("value"))
        return nodes.Cmp(self._of(members, depth), _comparison(members), value, at=members.at)

    def _in(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "of", "values"))
        return nodes.In(self._of(members, depth), self._values(members, "values"), at=members.at)

    def _range(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "of"), ("lo", "hi", "hi_open"))
        lo, hi = (load_value(members.get(k), members.pointer(k)) if k in members else None for k in ("lo", "hi"))
        return nodes.Range(self._of(members, depth), lo, hi, members.flag("hi_open"), at=members.at)

    def _time(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "of", "in"))
        return nodes.Time(
            self._of(members, depth), load_window(members.get("in"), members.pointer("in")), at=members.at
        )

    def _text(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "of", "match", "value"))
        value = load_value(members.get("value"), members.pointer("value"))
        return nodes.Text(_path(members, "of"), members.word("match", _MATCHES), value, at=members.at)

    def _has(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "of"), ("any_of", "all_of"))
        if ("any_of" in members) == ("all_of" in members):
            raise invalid(members.at, "Expected either any_of or all_of.")
        quantifier: Literal["any_of", "all_of"] = "any_of" if "any_of" in members else "all_of"
        return nodes.Has(_path(members, "of"), quantifier, self._values(members, quantifier), at=members.at)

    def _empty(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "of"))
        return nodes.Empty(self._of(members, depth), at=members.at)

    def _quant(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "q", "rel"), ("where", "in"))
        self._budget.related(members.at)
        rel, places = members.text("rel", literals.is_name, "a relation"), _places(members, "rel")
        q = members.word("q", _QUANTIFIERS)
        return nodes.Quant(q, rel, *self._rows(members, depth), at=members.at, places=places)

    def _segment(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "segmentation", "segment"), ("event", "in"))
        names = members.text("segmentation"), members.text("segment")
        places = _places(members, "segmentation", "segment")
        if "event" not in members and "in" not in members:
            return nodes.Segment(*names, at=members.at, places=places)
        members = Members(written, pointer, ("op", "segmentation", "segment", "event", "in"))
        window = load_window(members.get("in"), members.pointer("in"))
        return nodes.Segment(*names, members.word("event", _EVENTS), window, at=members.at, places=places)

    def _list(self, written: object, pointer: str, depth: int) -> nodes.Node:
        members = Members(written, pointer, ("op", "list"))
        return nodes.InList(members.text("list"), at=members.at, places=_places(members, "list"))

    # -- operands ------------------------------------------------------------------------------------------------------

    def _of(self, members: Members, depth: int) -> nodes.Operand:
        return self._operand(members.get("of"), members.pointer("of"), depth)

    def _operand(self, written: object, pointer: str, depth: int) -> nodes.Operand:
        at = At(pointer=pointer)
        limits.depth(depth, at)
        if isinstance(written, str):
            if not literals.is_path(written):
                raise invalid(at, "Expected a field, as in arr or segment.tier.")
            return nodes.Path(written, at=at)
        if not isinstance(written, Mapping):
            raise invalid(at, "Expected a field, or an object with fn.")
        fn = written.get("fn")
        for fold in literals.FOLDS:
            if fn == fold:
                return self._aggregate(fold, written, pointer, depth)
        for ranking in literals.RANKINGS:
            if fn == ranking:
                members = Members(written, pointer, ("fn", "field"), ("by",))
                by = _path(members, "by").name if "by" in members else None
                places = _places(members, "field", "by")
                return nodes.Rank(ranking, _path(members, "field").name, by, at=at, places=places)
        for change in _CHANGES:
            if fn == change:
                return self._change(change, written, pointer, depth)
        suggestion = nearest(fn, _FUNCTIONS) if isinstance(fn, str) else None
        raise invalid(At(pointer=child(pointer, "fn")), f"Expected one of {', '.join(_FUNCTIONS)}.", suggestion)

    def _aggregate(self, fn: nodes.Fold, written: object, pointer: str, depth: int) -> nodes.Aggregate:
        own = () if fn == "count" else ("field",)
        members = Members(written, pointer, ("fn", "rel", *own), ("where", "in"))
        self._budget.node(members.at)
        self._budget.related(members.at)
        rel = members.text("rel", literals.is_name, "a relation")
        field = _path(members, "field").name if own else None
        places = _places(members, "rel", "field")
        return nodes.Aggregate(fn, rel, field, *self._rows(members, depth), at=members.at, places=places)

    def _change(self, fn: Literal["change", "change_abs"], written: object, pointer: str, depth: int) -> nodes.Change:
        members = Members(written, pointer, ("fn", "of", "now", "was"))
        self._budget.node(members.at)
        of = self._operand(members.get("of"), members.pointer("of"), depth + 1)
        now, was = (load_window(members.get(k), members.pointer(k)) for k in ("now", "was"))
        return nodes.Change(fn, of, now, was, at=members.at)

    def _rows(self, members: Members, depth: int) -> tuple[nodes.Node | None, nodes.Window | None]:
        where = window = None
        if "where" in members:
            where = self.node(members.get("where"), members.pointer("where"), depth + 1)
        if "in" in members:
            window = load_window(members.get("in"), members.pointer("in"))
        return where, window

    def _values(self, members: Members, key: str) -> tuple[nodes.Value, ...]:
        found: list[nodes.Value] = []
        for element, where in members.each(key):
            self._budget.value(At(pointer=where))
            found.append(load_value(element, where))
        return tuple(found)


def _unwrapped(written: object) -> tuple[object, int]:
    """An AND or OR that joins nothing is its argument: that, and how many were taken off."""
    hops = 0
    while isinstance(written, Mapping) and written.keys() == {"op", "args"} and written["op"] in ("and", "or"):
        args = written["args"]
        if not isinstance(args, (list, tuple)) or len(args) != 1:
            break
        written, hops = args[0], hops + 1
    return written, hops


def _comparison(members: Members) -> nodes.Comparison:
    sign = members.get("cmp")
    for name, written in literals.COMPARISONS.items():
        if sign == written:
            raise invalid(members.at_member("cmp"), f"Expected one of {', '.join(_COMPARISONS)}.", name)
    return members.word("cmp", _COMPARISONS)


def _places(members: Members, *keys: str) -> tuple[At, ...]:
    """Where the names of a node stand."""
    return tuple(members.at_member(key) for key in keys)


def _path(members: Members, key: str) -> nodes.Path:
    return nodes.Path(members.text(key, literals.is_path, "a field, as in arr"), at=members.at_member(key))
