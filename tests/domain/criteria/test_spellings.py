"""Criteria in whichever spelling a body gives them: one meaning, and faults that point at where they stand."""

from __future__ import annotations

import pytest

from app.domain.criteria import spellings, text, tree
from app.domain.errors import Fault, StrataError, Unreadable

SAID = "arr > 5 AND health IS EMPTY"
NODE = text.parse(SAID)
TREE, DOCUMENT = tree.dump(NODE), tree.dump_document(NODE)


@pytest.mark.parametrize(
    "told",
    [
        SAID, TREE, DOCUMENT, {"text": SAID}, {"tree": TREE}, {"tree": DOCUMENT}, {"text": SAID, "tree": TREE},
        {"text": None, "tree": DOCUMENT}, {"text": f" {SAID.lower()} ", "tree": None},
    ],
)  # fmt: skip
def test_every_spelling_is_the_same_criteria(told: object) -> None:
    assert spellings.read(told, "/criteria") == NODE


def _fault(told: object) -> tuple[type[StrataError], Fault]:
    with pytest.raises(StrataError) as caught:
        spellings.read(told, "/segments/0/criteria")
    (fault,) = caught.value.faults
    return type(caught.value), fault


@pytest.mark.parametrize("told", [None, 5, True, [], [TREE], {}, {"criteria": SAID}, {"text": None}, {"tree": None}])
def test_what_is_no_spelling_says_all_of_them(told: object) -> None:
    _, fault = _fault(told)
    assert (fault.pointer, fault.message) == ("/segments/0/criteria", spellings.EXPECTED)


@pytest.mark.parametrize(
    ("told", "pointer", "suggestion"),
    [
        ({"txt": SAID}, "", "text"), ({"text": SAID, "tre": TREE}, "/tre", "tree"), ({"op": "al"}, "/op", "all"),
        ({"v": 2, "filter": TREE}, "/v", None), ({"filter": TREE}, "", None), ({"tree": {"op": "empty"}}, "/tree", None),
        ({"tree": SAID}, "/tree", None), ({"text": 5}, "/text", None), ({"text": TREE}, "/text", None),
        ({"text": SAID, "tree": {"op": "all"}}, "", None), ({"op": "all", "text": "ALL"}, "/text", None),
    ],
)  # fmt: skip
def test_a_wrong_member_is_pointed_at(told: object, pointer: str, suggestion: str | None) -> None:
    _, fault = _fault(told)
    assert (fault.pointer, fault.suggestion) == (f"/segments/0/criteria{pointer}", suggestion)


@pytest.mark.parametrize(("told", "member"), [("arr >", ""), ({"text": "arr >"}, "/text")])
def test_text_that_is_none_has_its_line_and_column(told: object, member: str) -> None:
    kind, fault = _fault(told)
    assert (kind, fault.pointer, fault.line, fault.column) == (Unreadable, f"/segments/0/criteria{member}", 1, 6)
