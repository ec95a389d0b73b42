"""Criteria printed as canonical text."""

from __future__ import annotations

from typing import assert_never

from app.domain.criteria import literals, nodes


def condition(node: nodes.Node) -> str:
    """A criteria; parentheses only where AND and OR stand inside each other or under NOT."""
    match node:
        case nodes.And(args):
            return " AND ".join(_part(a) for a in args)
        case nodes.Or(args):
            return " OR ".join(_part(a) for a in args)
        case nodes.Not(nodes.In() | nodes.Range() | nodes.Time() | nodes.Empty() as denied):
            return _predicate(denied, "NOT ")
        case nodes.Not(arg):
            return f"NOT {_part(arg)}"
        case _:
            return _predicate(node, "")


def _part(node: nodes.Node) -> str:
    match node:
        case nodes.And() | nodes.Or():
            return f"({condition(node)})"
        case _:
            return condition(node)


def _predicate(  # noqa: C901 - one arm for each node
    node: nodes.All
    | nodes.Cmp
    | nodes.In
    | nodes.Range
    | nodes.Time
    | nodes.Text
    | nodes.Has
    | nodes.Empty
    | nodes.Quant
    | nodes.Segment
    | nodes.InList,
    negation: str,
) -> str:
    match node:
        case nodes.All():
            return "ALL"
        case nodes.Cmp(of, cmp, right):
            return f"{operand(of)} {literals.COMPARISONS[cmp]} {value(right)}"
        case nodes.In(of, values):
            return f"{operand(of)} {negation}IN {_listed(values)}"
        case nodes.Range(of, lo, hi, hi_open):
            return f"{operand(of)} {negation}IN {_bound(lo)}{'..<' if hi_open else '..'}{_bound(hi)}"
        case nodes.Time(of, within):
            return f"{operand(of)} {negation}IN {window(within)}"
        case nodes.Text(of, "contains", right):
            return f"{of.name} : {value(right)}"
        case nodes.Text(of, match, right):
            return f"{match}({of.name}, {value(right)})"
        case nodes.Has(of, quantifier, values):
            return f"has_{quantifier.removesuffix('_of')}({of.name}, {_listed(values)})"
        case nodes.Empty(of):
            return f"{operand(of)} IS {negation}EMPTY"
        case nodes.Quant(q, rel, where, within):
            return f"{q}({_rows(rel, where, within)})"
        case nodes.Segment(segmentation, segment, event, within):
            moved = f", {window(within)}" if within else ""
            return f"{event or 'in_segment'}({literals.quoted(segmentation)}, {literals.quoted(segment)}{moved})"
        case nodes.InList(name):
            return f"in_list({literals.quoted(name)})"
        case _:
            assert_never(node)


def operand(of: nodes.Operand) -> str:
    """A field, or a function with what it is taken of."""
    match of:
        case nodes.Path(name):
            return name
        case nodes.Aggregate(fn, rel, field, where, within):
            return f"{fn}({_rows(f'{rel}.{field}' if field else rel, where, within)})"
        case nodes.Change(fn, inner, now, was):
            return f"{fn}({operand(inner)}, {window(now)}, {window(was)})"
        case nodes.Rank(fn, field, by):
            return f"{fn}({field}{f' BY {by}' if by else ''})"
        case _:
            assert_never(of)


def _rows(what: str, where: nodes.Node | None, within: nodes.Window | None) -> str:
    return what + (f" WHERE {condition(where)}" if where else "") + (f", {window(within)}" if within else "")


def _listed(values: tuple[nodes.Value, ...]) -> str:
    return f"({', '.join(value(v) for v in values)})"


def _bound(bound: nodes.Value | None) -> str:
    return "*" if bound is None else value(bound)


def value(said: nodes.Value) -> str:
    """Text in quotes, dates and instants bare, decimals without exponent."""
    match said:
        case nodes.Const(bool() as flag):
            return "true" if flag else "false"
        case nodes.Const(str() as text):
            return literals.quoted(text)
        case nodes.Const(number):
            return f"{number:f}" if not isinstance(number, int) else str(number)
        case nodes.Me():
            return "@me"
        case nodes.MyTeam():
            return "@my_team"
        case nodes.Param(name):
            return f"${name}"
        case nodes.FieldValue(path):
            return f"field({path})"
        case nodes.Ago(span):
            return f"ago({duration(span)})"
        case nodes.FromNow(span):
            return f"from_now({duration(span)})"
        case _:
            assert_never(said)


def window(within: nodes.Window) -> str:
    """`last(30d)`, `this(month)`."""
    match within:
        case nodes.Rolling(direction, n, unit):
            return f"{direction}({n}{unit})"
        case nodes.Period(which, unit):
            return f"{which}({unit})"
        case _:
            assert_never(within)


def duration(span: nodes.Duration) -> str:
    """`30d`."""
    return f"{span.n}{span.unit}"
