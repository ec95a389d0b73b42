"""Criteria in JSON: what is refused, and where."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.criteria import nodes, tree
from app.domain.errors import Invalid

ARR: dict[str, Any] = {"op": "cmp", "of": "arr", "cmp": "gt", "value": 1}


def cmp(**members: Any) -> dict[str, Any]:
    return {**ARR, **members}


@pytest.mark.parametrize(
    ("written", "pointer", "message", "suggestion"),
    [
        (None, "", "Expected an object whose op is one of", None),
        ([], "", "Expected an object", None),
        ({"op": "cmpp"}, "/op", "Expected an object whose op", "cmp"),
        ({"op": ["and"]}, "/op", "Expected an object whose op", None),
        ({"op": "and", "args": []}, "/args", "at least one", None),
        ({"op": "and", "args": [ARR, cmp(value=None)]}, "/args/1/value", "Expected a value", None),
        ({"op": "and", "args": [{"op": "and", "args": [cmp(cmp="gtt")]}]}, "/args/0/args/0/cmp", "Expected one of", "gt"),
        ({"op": "cmp", "of": "arr", "cmp": "gt"}, "", "The member value is missing", None),
        (cmp(valeu=1), "/valeu", "Unknown member", "value"),
        (cmp(**{"a/b~c": 1}), "/a~1b~0c", "Unknown member", None),
        (cmp(of="arr > 1 OR x"), "/of", "Expected a field", None),
        (cmp(of="NOT"), "/of", "Expected a field", None),
        (cmp(of=5), "/of", "Expected a field, or an object with fn", None),
        (cmp(of={"fn": "summ"}), "/of/fn", "Expected one of count", "sum"),
        (cmp(of={"fn": "count", "rel": "usage", "field": "value"}), "/of/field", "Unknown member", None),
        (cmp(of={"fn": "sum", "rel": "us age", "field": "value"}), "/of/rel", "Expected a relation", None),
        (cmp(value=float("nan")), "/value", "finite", None),
        (cmp(value=Decimal("Infinity")), "/value", "finite", None),
        (cmp(value=2**63), "/value", "64 bits", None),
        (cmp(value=Decimal("1e-999999999")), "/value", "decimals", None),
        (cmp(value="a\0"), "/value", "NUL", None),
        (cmp(value="\udc00"), "/value", "surrogate", None),
        (cmp(value=[1]), "/value", "Expected a value", None),
        (cmp(value={"ref": "mee"}), "/value/ref", "Expected one of", "me"),
        (cmp(value={"ref": "me", "name": "x"}), "/value/name", "Unknown member", None),
        (cmp(value={"ref": "param", "name": "a b"}), "/value/name", "parameter", None),
        (cmp(value={"ago": "30"}), "/value/ago", "Expected a duration", None),
        ({"op": "in", "of": "arr", "values": 5}, "/values", "Expected a list", None),
        ({"op": "has", "of": "products"}, "", "either any_of or all_of", None),
        ({"op": "range", "of": "arr", "hi_open": 1}, "/hi_open", "true or false", None),
        ({"op": "time", "of": "x", "in": {"win": "rolling", "dir": "last", "n": 1.5, "unit": "d"}}, "/in/n", "whole", None),
        ({"op": "time", "of": "x", "in": {"win": "rolling", "dir": "last", "n": 0, "unit": "d"}}, "/in/n", "from 1", None),
        ({"op": "time", "of": "x", "in": {"win": "period", "which": "last", "unit": "day"}}, "/in/which", "Expected one", None),
        ({"op": "segment", "segmentation": "a", "segment": "b", "in": {}}, "", "The member event is missing", None),
        ({"op": "not", "arg": {"op": "quant", "q": "any", "rel": "usage", "where": None}}, "/arg/where", "Expected an", None),
    ],
)  # fmt: skip
def test_refused(written: Any, pointer: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        tree.load(written, "/criteria")
    [fault] = caught.value.faults
    assert fault.pointer == "/criteria" + pointer
    assert message in fault.message
    assert fault.suggestion == suggestion


@pytest.mark.parametrize("document", [None, {"v": 2, "filter": ARR}, {"v": True, "filter": ARR}, {"filter": ARR}, ARR])
def test_documents_say_their_version(document: Any) -> None:
    with pytest.raises(Invalid):
        tree.load_document(document)


def test_numbers_have_one_spelling() -> None:
    for written in (1, 1.0, Decimal("1.000"), Decimal("1E0")):
        found = tree.load(cmp(value=written))
        assert isinstance(found, nodes.Cmp)
        assert isinstance(found.value, nodes.Const)
        assert repr(found.value.value) == "1"
    assert tree.load(cmp(value=0.1)) == tree.load(cmp(value=Decimal("0.10")))
    assert tree.load(cmp(value=True)) != tree.load(cmp(value="true"))


def test_an_and_of_one_is_its_argument() -> None:
    assert tree.load({"op": "or", "args": [{"op": "and", "args": [ARR]}]}) == tree.load(ARR)


def test_every_argument_that_is_wrong_is_told() -> None:
    arr = {"op": "cmp", "of": "arr", "cmp": "ge", "value": 1}
    inner = {"op": "or", "args": [arr, {"op": "nope"}]}
    with pytest.raises(Invalid) as caught:
        tree.load({"op": "and", "args": [{**arr, "cmp": "zz"}, inner, arr, {"op": "cmp", "of": "arr"}]})
    assert [fault.pointer for fault in caught.value.faults] == ["/args/0/cmp", "/args/1/args/1/op", "/args/3"]


def test_what_is_too_much_is_told_once() -> None:
    many = {"op": "or", "args": [{"op": "all"}] * 90}
    with pytest.raises(Invalid) as caught:
        tree.load({"op": "and", "args": [many] * 90})
    (fault,) = caught.value.faults
    assert "at most" in fault.message
