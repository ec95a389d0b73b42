"""Criteria in plain English: one sentence that says who is meant, with nothing left to guess.

What stands side by side is joined by "and"; what stands in parentheses opens with "either", "neither", "both" or "all
at once"; criteria of related rows stand in parentheses behind their relation. Where a leaf holds for empty values too,
it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from app.domain.catalogue import ENTITIES, Entity, Kind
from app.domain.criteria import nodes, phrases
from app.domain.criteria.fields import find, typing
from app.domain.criteria.nodes import Node
from app.domain.criteria.phrases import joined
from app.domain.criteria.referred import LISTS, Names
from app.domain.workspaces import Workspace

UNKNOWN: Kind = "text"
UNNAMED: Names = MappingProxyType({})
STANDS_IN = ("industry", "stage")
"""Fields whose values records stand in."""
COMPARED = {"eq": "is", "ne": "is not", "lt": "is below", "le": "is at most", "gt": "is above", "ge": "is at least"}
IN_TIME = {
    "eq": "is on", "ne": "is not on", "lt": "is before", "le": "is on or before", "gt": "is after", "ge": "is on or after",
}  # fmt: skip
MATCHED = {
    "contains": ("contains", "does not contain"), "starts_with": ("starts with", "does not start with"),
    "ends_with": ("ends with", "does not end with"),
}  # fmt: skip
FOLDED = {
    "sum": "total", "avg": "average", "min": "smallest", "max": "largest", "last_value": "latest",
    "count_distinct": "number of different",
}  # fmt: skip
RANKED = {
    "percent_rank": "percent rank", "ntile4": "quartile", "ntile10": "decile", "rank_desc": "rank from the top",
    "rank_asc": "rank from the bottom",
}  # fmt: skip


def english(node: Node, entity: Entity, workspace: Workspace, names: Names = UNNAMED) -> str:
    """One sentence. What the catalogue does not know is said as it is written, and so is what has none of the names."""
    match node:
        case nodes.All():
            return f"All {entity.name}."
        case nodes.Not(nodes.All()):
            return f"No {entity.name}."
    said = _Speaker(entity, workspace, names).side_by_side(node)
    return f"{entity.name.capitalize()} {said}."


def _together(args: Sequence[Node]) -> str:
    return "both" if len(args) == 2 else "all at once"


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a leaf asks: its words, what kind of values it has, whether it may be empty, and what it refers to."""

    words: str
    kind: Kind
    optional: bool
    target: str | None = None


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Speaks of records of one entity."""

    entity: Entity
    workspace: Workspace
    names: Names

    # -- AND, OR, NOT --------------------------------------------------------------------------------------------------

    def side_by_side(self, node: Node) -> str:
        """A criteria that nothing stands around: AND needs no opening word."""
        if not isinstance(node, nodes.And):
            return self.clause(node)
        first, *others = [self.clause(arg) for arg in node.args]
        if first.startswith("in ") and others:
            return f"{first} {joined(others)}"
        return joined([first, *others])

    def clause(self, node: Node) -> str:
        """What is said of the records: `whose health is below 50`."""
        match node:
            case nodes.And(args):
                return f"{_together(args)} {joined([self.clause(arg) for arg in args])}"
            case nodes.Or(args):
                return f"either {joined([self.clause(arg) for arg in args], 'or')}"
            case nodes.Not(nodes.And(args)):
                return f"not {_together(args)} {joined([self.clause(arg) for arg in args])}"
            case nodes.Not(nodes.Or(args)):
                return f"neither {joined([self.clause(arg) for arg in args], 'nor')}"
            case nodes.Not(nodes.Not(arg)):
                return self.clause(arg)
            case nodes.Not(arg):
                return self.leaf(arg, denied=True)
            case _:
                return self.leaf(node, denied=False)

    # -- leaves --------------------------------------------------------------------------------------------------------

    def leaf(self, node: Node, *, denied: bool) -> str:  # noqa: C901 - one arm for each node
        match node:
            case nodes.All():
                return "that are none at all" if denied else "that are any at all"
            case nodes.Cmp():
                return self._compared(node, denied)
            case nodes.In(of, values):
                return self._equal(of, values, denied)
            case nodes.Range():
                return self._ranged(node, denied)
            case nodes.Time(of, window):
                subject = self.subject(of)
                return self._whose(subject, f"is {'not ' if denied else ''}in {phrases.window(window)}", denied)
            case nodes.Text(of, match, value):
                subject = self.subject(of)
                return self._whose(subject, f"{MATCHED[match][denied]} {self.value(value, subject)}", denied)
            case nodes.Has(of, quantifier, values):
                return self._has(of, quantifier, values, denied)
            case nodes.Empty(of):
                subject = self.subject(of)
                verb = "are" if subject.kind == "tags" else "is"
                return f"whose {subject.words} {verb} {'not ' if denied else ''}empty"
            case nodes.Quant():
                return self._related(node, denied)
            case nodes.Segment():
                return self._segment(node, denied)
            case nodes.InList(name):
                return f"{'not ' if denied else ''}in the list {phrases.quoted(self.names.get((LISTS, name), name))}"
            case nodes.And() | nodes.Or() | nodes.Not():
                raise AssertionError("clause takes these apart")
            case _:
                assert_never(node)

    def _whose(self, subject: _Subject, said: str, denied: bool) -> str:
        return f"whose {subject.words} {said}{' (or is empty)' if denied and subject.optional else ''}"

    def _compared(self, node: nodes.Cmp, denied: bool) -> str:
        if node.cmp == "eq":
            return self._equal(node.of, (node.value,), denied)
        if node.cmp == "ne":
            return self._equal(node.of, (node.value,), not denied)
        subject = self.subject(node.of)
        verb = (IN_TIME if subject.kind in ("date", "instant") else COMPARED)[node.cmp]
        verb = verb.replace("is ", "is not ", 1) if denied else verb
        return self._whose(subject, f"{verb} {self.value(node.value, subject)}", denied)

    def _equal(self, of: nodes.Operand, values: Sequence[nodes.Value], denied: bool) -> str:
        subject = self.subject(of)
        known = values[0].value if isinstance(values[0], nodes.Const) and len(values) == 1 else None
        if isinstance(known, bool) and isinstance(of, nodes.Path) and of.name.startswith("is_"):
            return f"that are {'not ' if known == denied else ''}{phrases.flag(of.name)}"
        listed = joined([self.value(value, subject) for value in values], "or")
        if isinstance(of, nodes.Path) and of.name in STANDS_IN and subject.kind == "slug" and not denied:
            return f"in {subject.words} {listed}"
        verb = "on" if subject.kind in ("date", "instant") else ""
        return self._whose(subject, " ".join(filter(None, ("is", "not" if denied else "", verb, listed))), denied)

    def _ranged(self, node: nodes.Range, denied: bool) -> str:
        subject = self.subject(node.of)
        timed = subject.kind in ("date", "instant")
        lo, hi = (None if end is None else self.value(end, subject) for end in (node.lo, node.hi))
        if lo is None and hi is None:
            said = "within no bounds"
        elif lo is None or hi is None:
            least, most = ("on or after", "before" if node.hi_open else "on or before")
            if not timed:
                least, most = ("at least", "below" if node.hi_open else "at most")
            said = f"{least} {lo}" if hi is None else f"{most} {hi}"
        else:
            said = f"from {lo} to {'before ' if timed else 'below '}{hi}" if node.hi_open else f"from {lo} to {hi}"
        return self._whose(subject, f"is {'not ' if denied else ''}{said}", denied)

    def _has(self, of: nodes.Path, quantifier: str, values: Sequence[nodes.Value], denied: bool) -> str:
        subject = self.subject(of)
        listed = [self.value(value, subject) for value in values]
        every = quantifier == "all_of"
        several = f"{'all' if every else 'any'} of {joined(listed, 'and' if every else 'or')}"
        said = listed[0] if len(listed) == 1 else several
        return self._whose(subject, f"{'do not include' if denied else 'include'} {said}", denied)

    def _segment(self, node: nodes.Segment, denied: bool) -> str:
        place = f"segment {phrases.titled(node.segment)} of {phrases.titled(node.segmentation)}"
        if node.event is None or node.window is None:
            return f"{'not ' if denied else ''}in {place}"
        verb = {"entered": ("entered", "did not enter"), "left": ("left", "did not leave")}[node.event][denied]
        return f"that {verb} {place} in {phrases.window(node.window)}"

    # -- related rows --------------------------------------------------------------------------------------------------

    def _related(self, node: nodes.Quant, denied: bool) -> str:
        have = "have had" if node.window is not None and phrases.past(node.window) else "have"
        if node.q == "all" and node.where is not None:
            rows, inner = self._rows(node.rel, None, node.window), self._inner(node.rel, node.where)
            if denied:
                return f"that {have} no {rows}, or some that are not among those {inner}"
            return f"that {have} {rows}, all of them among those {inner}"
        none = (node.q == "none") != denied
        return f"that {have} {'no ' if none else ''}{self._rows(node.rel, node.where, node.window)}"

    def _rows(self, rel: str, where: Node | None, window: nodes.Window | None) -> str:
        """`invoices (whose status is Unpaid) in the last 30 days`."""
        inner = f" ({self._inner(rel, where)})" if where is not None else ""
        return f"{phrases.words(rel)}{inner}{f' in {phrases.window(window)}' if window else ''}"

    def _inner(self, rel: str, where: Node) -> str:
        return _Speaker(self._target(rel), self.workspace, self.names).side_by_side(where)

    def _target(self, rel: str) -> Entity:
        relation = self.entity.relations.get(rel)
        return ENTITIES[relation.target] if relation else self.entity

    # -- operands ------------------------------------------------------------------------------------------------------

    def subject(self, of: nodes.Operand) -> _Subject:
        match of:
            case nodes.Path(name):
                return self._field(name)
            case nodes.Aggregate():
                return self._folded(of)
            case nodes.Change(fn, inner, now, was):
                words = f"{'relative ' if fn == 'change' else ''}change of {self.subject(inner).words}"
                return _Subject(f"{words} from {phrases.window(was)} to {phrases.window(now)}", "number", True)
            case nodes.Rank(fn, name, by):
                within = f" within each {self._field(by).words}" if by else ""
                return _Subject(f"{RANKED[fn]} by {self._field(name).words}{within}", "number", True)
            case _:
                assert_never(of)

    def _field(self, path: str) -> _Subject:
        found = find(path, self.entity, self.workspace)
        if found is None:
            return _Subject(phrases.path(path), UNKNOWN, True)
        told = typing(path, found, self.workspace)
        field = getattr(found, "field", None)
        return _Subject(
            phrases.path(path), told.kind, field is None or field.optional or path.startswith("custom."), told.target
        )

    def _folded(self, of: nodes.Aggregate) -> _Subject:
        if of.fn == "count" or of.field is None:
            rows = self._rows(of.rel, of.where, of.window)
            return _Subject(f"number of {'records of ' if of.rel == 'usage' else ''}{rows}", "integer", False)
        inner = _Speaker(self._target(of.rel), self.workspace, self.names)._field(of.field)
        words = f"{FOLDED[of.fn]} {inner.words} of {self._rows(of.rel, of.where, of.window)}"
        if of.fn == "count_distinct":
            return _Subject(words, "integer", False)
        return _Subject(words, inner.kind, of.fn != "sum")

    # -- values --------------------------------------------------------------------------------------------------------

    def value(self, value: nodes.Value, subject: _Subject) -> str:
        match value:
            case nodes.Const(written):
                name = None if subject.target is None else self.names.get((subject.target, str(written)))
                return phrases.scalar(written, subject.kind) if name is None else phrases.called(name)
            case nodes.Me():
                return "me"
            case nodes.MyTeam():
                return "somebody of my team"
            case nodes.Param(name):
                return f"the given {phrases.words(name)}"
            case nodes.FieldValue(path):
                return f"their {phrases.path(path)}"
            case nodes.Ago(span):
                return f"{phrases.counted(span.n, span.unit)} ago"
            case nodes.FromNow(span):
                return f"{phrases.counted(span.n, span.unit)} from now"
            case _:
                assert_never(value)
