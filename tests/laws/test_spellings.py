"""Law: the two spellings of criteria lose nothing, and reading text never fails but by its own errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, cast, get_args

import pytest
from graphql import GraphQLInputObjectType, coerce_input_value
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.api.graphql.filters import Spelled
from app.api.graphql.sizes import CORE
from app.domain.catalogue import ACCOUNTS, CONTACTS
from app.domain.criteria import literals, nodes, tree
from app.domain.criteria.check import check
from app.domain.criteria.limits import TEXT_BYTES
from app.domain.criteria.text import format, parse
from app.domain.errors import Invalid, Unreadable
from tests.laws import trees
from tests.laws.test_graphql_equals_rest import where

NAMES = st.from_regex(literals.NAME, fullmatch=True).filter(literals.is_name)
PATHS = st.sampled_from(("arr", "segment.tier", "custom.2-b", "account.custom.x")) | st.from_regex(
    literals.PATH, fullmatch=True
).filter(literals.is_path)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ("2026-01-31", "2026-13-99", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.5+02:00", "2026-01-31x", '"', "\\", "\n")
)
NUMBERS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.decimals(-(10**9), 10**9, places=5).map(literals.number)
    | st.floats(-(10**15), 10**15)
    .filter(lambda x: abs(x) > 1e-4 or x == 0)
    .map(lambda x: literals.number(Decimal(repr(x))))
)
CONSTS = st.builds(nodes.Const, TEXTS | NUMBERS | st.booleans())
DURATIONS = st.builds(nodes.Duration, st.integers(1, literals.MAX_STEPS), st.sampled_from(literals.UNITS))
VALUES = st.one_of(
    CONSTS,
    st.builds(nodes.Me),
    st.builds(nodes.MyTeam),
    st.builds(nodes.Param, st.from_regex(literals.PARAM, fullmatch=True)),
    st.builds(nodes.FieldValue, PATHS),
    st.builds(nodes.Ago, DURATIONS),
    st.builds(nodes.FromNow, DURATIONS),
)
LISTED = st.lists(VALUES, min_size=1, max_size=4).map(tuple)
WINDOWS = st.one_of(
    st.builds(
        nodes.Rolling,
        st.sampled_from(("last", "next")),
        st.integers(1, literals.MAX_STEPS),
        st.sampled_from(literals.UNITS),
    ),
    st.builds(nodes.Period, st.sampled_from(("this", "previous", "next")), st.sampled_from(literals.CALENDARS)),
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def operands(where: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    folds = st.sampled_from([f for f in literals.FOLDS if f != "count"])
    aggregates = st.one_of(
        st.builds(nodes.Aggregate, st.just("count"), NAMES, st.none(), where, maybe(WINDOWS)),
        st.builds(nodes.Aggregate, folds, NAMES, PATHS, where, maybe(WINDOWS)),
    )
    changes = st.builds(nodes.Change, st.sampled_from(("change", "change_abs")), aggregates, WINDOWS, WINDOWS)
    ranks = st.builds(nodes.Rank, st.sampled_from(literals.RANKINGS), PATHS, maybe(PATHS))
    return st.one_of(st.builds(nodes.Path, PATHS), aggregates, changes, ranks)


def leaves(where: st.SearchStrategy[Any]) -> st.SearchStrategy[nodes.Node]:
    of = operands(where)
    path = st.builds(nodes.Path, PATHS)
    return st.one_of(
        st.builds(nodes.All),
        st.builds(nodes.Cmp, of, st.sampled_from(get_args(nodes.Comparison)), VALUES),
        st.builds(nodes.In, of, LISTED),
        st.builds(nodes.Range, of, maybe(VALUES), maybe(VALUES), st.booleans()),
        st.builds(nodes.Time, of, WINDOWS),
        st.builds(nodes.Text, path, st.sampled_from(("contains", "starts_with", "ends_with")), VALUES),
        st.builds(nodes.Has, path, st.sampled_from(("any_of", "all_of")), LISTED),
        st.builds(nodes.Empty, of),
        st.builds(nodes.Quant, st.sampled_from(("any", "none", "all")), NAMES, where, maybe(WINDOWS)),
        st.builds(nodes.Segment, TEXTS, TEXTS),
        st.builds(nodes.Segment, TEXTS, TEXTS, st.sampled_from(("entered", "left")), WINDOWS),
        st.builds(nodes.InList, TEXTS),
    )


def joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[nodes.Node]:
    args = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(nodes.And, args), st.builds(nodes.Or, args), st.builds(nodes.Not, inner), leaves(maybe(inner))
    )


SPELLABLE = st.recursive(leaves(st.none()), joined, max_leaves=8).filter(lambda node: trees.related(node) <= 10)


def within_limits(read: Callable[[], nodes.Node]) -> nodes.Node | None:
    """None where the generated tree is beyond a limit."""
    try:
        return read()
    except Invalid as error:
        if "at most" in error.detail:
            return None
        raise


@given(SPELLABLE)
def test_both_spellings_give_the_tree_back(node: nodes.Node) -> None:
    by_text = within_limits(lambda: parse(format(node)))
    by_json = within_limits(lambda: tree.load(tree.dump(node)))
    assert by_text == by_json
    assume(by_text is not None)
    assert by_text == node
    assert format(by_text) == format(node)
    assert tree.dump_document(tree.load_document(tree.dump_document(node))) == tree.dump_document(node)


@given(SPELLABLE)
def test_json_survives_its_bytes(node: nodes.Node) -> None:
    written = json.dumps(tree.dump(node))
    decoded = json.loads(written, parse_float=Decimal)
    assert within_limits(lambda: tree.load(decoded)) in (node, None)


@given(st.sampled_from((ACCOUNTS, CONTACTS)).flatmap(lambda e: st.tuples(st.just(e), trees.criteria(e))))
def test_spellings_mean_the_same(drawn: tuple[Any, nodes.Node]) -> None:
    entity, node = drawn
    meant = check(node, entity, trees.SETTING)
    assert check(parse(format(node)), entity, trees.SETTING) == meant
    assert check(tree.load(tree.dump(node)), entity, trees.SETTING) == meant


WORDS = st.sampled_from(
    (
        "arr", "usage", "usage.value", "AND", "or", "NOT", "(", ")", ",", "=", "!=", "..", "..<", "*", ":", "IN", "IS",
        "EMPTY", "where", "any", "all", "count", "sum", "change", "last", "this", "30d", "month", "5", "-1.5", '"a"',
        "@me", "$p", "ago", "field", "2026-01-31", "in_segment", "ntile4", "by", "\n", "has_any", "1e99", "'", "x.",
    )
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=60))
def test_reading_text_fails_only_by_its_errors(source: str) -> None:
    node = refused = None
    try:
        node = parse(source)
    except (Unreadable, Invalid) as error:
        refused = error
    if node is None:
        assert refused
        assert refused.faults
        assert all(f.line and f.column for f in refused.faults)
        return
    assert parse(format(node)) == node
    assert tree.load(tree.dump(node)) == node


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("op", "of", "value", "values", "args", "arg", "fn", "rel", "in", "win", "ref", "lo", "x/~")
            ),
            inner,
        )
    ),
    max_leaves=12,
)


def mutated(written: Any, path: list[int], other: Any) -> Any:
    """`other` put in somewhere."""
    if not path or not isinstance(written, (dict, list)) or not written:
        return other
    keys: list[Any] = list(written) if isinstance(written, dict) else list(range(len(written)))
    key = keys[path[0] % len(keys)]
    copy: Any = dict(written) if isinstance(written, dict) else list(written)
    copy[key] = mutated(written[key], path[1:], other)
    return copy


@settings(max_examples=300)
@given(SPELLABLE, st.lists(st.integers(0, 9), max_size=6), JSON)
def test_reading_json_fails_only_by_its_errors(node: nodes.Node, path: list[int], other: Any) -> None:
    written = mutated(tree.dump(node), path, other)
    found = refused = None
    try:
        found = tree.load(written, "/criteria")
    except Invalid as error:
        refused = error
    if found is None:
        assert refused
        assert refused.faults
        assert all(f.pointer is not None and f.pointer.startswith("/criteria") for f in refused.faults)
        return
    assert tree.load(tree.dump(found)) == found
    assert within_limits(lambda: parse(format(found))) in (found, None)


@settings(max_examples=200)
@given(SPELLABLE)
def test_graphql_says_every_node(node: nodes.Node) -> None:
    """The recursive inputs take every tree, and give it back."""
    written = json.loads(json.dumps(tree.dump(node), default=float))
    assume(within_limits(lambda: tree.load(written)) is not None)
    said = where(written)
    for name in ("AccountFilter", "ContactFilter", "RelatedFilter"):
        taken = coerce_input_value(said, cast(GraphQLInputObjectType, CORE.type_map[name]))
        assert tree.load(Spelled(taken, "/where").tree) == tree.load(written)


def work(run: Callable[[], object]) -> int:
    """How many Python calls it takes, refusals included."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    except (Unreadable, Invalid):
        pass
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    "source",
    [
        lambda n: "(" * n + "arr = 1" + ")" * n,
        lambda n: "(" * n,
        lambda n: "arr IN (" + ",".join("1" for _ in range(n)) + ")",
        lambda n: " AND ".join("arr = 1" for _ in range(n)),
        lambda n: "NOT " * n + "ALL",
        lambda n: '"' + "\\n" * n,
        lambda n: "1" * n,
        lambda n: "a." * n,
        lambda n: "any(usage WHERE " * n,
        lambda n: "\n" * n + "!",
        lambda n: "NOT (" * n + "ALL" + ")" * n,
        lambda n: "arr = 1 OR (" * n,
        lambda n: "(arr = 1) AND " * n,
        lambda n: "sum(usage.value WHERE " * n,
        lambda n: "change(" * n,
        lambda n: "has_any(products, (" + '"a",' * n,
        lambda n: "$" * n,
        lambda n: "$" + "a" * n,
        lambda n: "@" + "a" * n,
        lambda n: "1" * n + "e" + "1" * n,
        lambda n: "arr = 0." + "1" * n,
        lambda n: "2026-01-31T" * n,
        lambda n: "arr IN 1.." * n,
        lambda n: "name = " + '"' + "é" * n + '"',
        lambda n: 'name = "' + "\\" * n,
        lambda n: "arr IN last(" + "1" * n + "d)",
        lambda n: "a-" * n + " = 1",
        lambda n: " \t\r\n" * n,
        lambda n: "arr ..< " * n,
    ],
)
def test_work_grows_with_the_text(source: Callable[[int], str]) -> None:
    small, large = work(lambda: parse(source(400))), work(lambda: parse(source(800)))
    assert large <= 2 * small + 200


DRIVEL = st.text(st.sampled_from(" ()\",.:=<>!*$@'-_09aeAZ\n\\é|&~"), max_size=80)


@settings(max_examples=200)
@given(st.lists(WORDS, min_size=1, max_size=12).map(" ".join) | DRIVEL, st.sampled_from((50, 100)))
def test_work_grows_with_any_text(part: str, times: int) -> None:
    """Whatever is said, twice of it takes at most about twice the calls and twice the steps of the lexer."""
    assume(len(part.encode()) * times * 2 < TEXT_BYTES)
    small, large = work(lambda: parse(part * times)), work(lambda: parse(part * times * 2))
    assert large <= 2 * small + 300


@settings(max_examples=100)
@given(SPELLABLE)
def test_work_grows_with_the_tree(node: nodes.Node) -> None:
    """Of a tree beside itself: the loader looks at each member once."""
    written = tree.dump(node)
    small, large = (work(partial(tree.load, {"op": "or", "args": [written] * n})) for n in (4, 8))
    assert large <= 2 * small + 100


@pytest.mark.parametrize(("head", "tail"), [('{"op":"not","arg":', "}"), ('{"op":"and","args":[', "]}"), ("[", "]")])
def test_deep_json_is_refused_or_flattened(head: str, tail: str) -> None:
    written = json.loads(head * 300 + '{"op":"all"}' + tail * 300)
    if "and" in head:
        assert tree.load(written) == nodes.All()
    else:
        with pytest.raises(Invalid):
            tree.load(written)
