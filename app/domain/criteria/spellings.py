"""Criteria as bodies give them, in either spelling: one reader for every member that takes them."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.criteria import text, tree
from app.domain.criteria.members import Members
from app.domain.criteria.nodes import At, Node
from app.domain.criteria.suggest import invalid, nearest

EXPECTED = 'Expected criteria: text, a tree (an object with "op"), or an object with "text" or "tree".'
TREES = ("op", "v", "filter")
BOTH = ("text", "tree")


def read(told: object, pointer: str) -> Node:
    """Criteria at a pointer: text, a tree, its document `{"v": 1, "filter": …}`, or `{"text": …, "tree": …}` with one of
    the two, or with both where they say the same. Null is no spelling.

    Raises Unreadable for text that is none, with line and column beside the pointer; Invalid for everything else.
    """
    if isinstance(told, str):
        return text.parse(told, pointer)
    if not isinstance(told, Mapping) or not any(name in told for name in (*TREES, *BOTH)):
        given = told if isinstance(told, Mapping) else ()
        near = (nearest(str(name), ("text", "tree", "op")) for name in given)
        raise invalid(At(pointer=pointer), EXPECTED, next(filter(None, near), None))
    return _tree(told, pointer) if any(name in told for name in TREES) else _either(told, pointer)


def _tree(told: object, pointer: str) -> Node:
    document = isinstance(told, Mapping) and "op" not in told and ("v" in told or "filter" in told)
    return tree.load_document(told, pointer) if document else tree.load(told, pointer)


def _either(told: Mapping[str, object], pointer: str) -> Node:
    members = Members(told, pointer, (), BOTH)
    spelled: list[Node] = []
    if (written := members.get("tree")) is not None:
        spelled.append(_tree(written, members.pointer("tree")))
    if (written := members.get("text")) is not None:
        if not isinstance(written, str):
            raise invalid(members.at_member("text"), "Expected criteria as text.")
        spelled.append(text.parse(written, members.pointer("text")))
    if not spelled:
        raise invalid(members.at, EXPECTED)
    if spelled[0] != spelled[-1]:
        raise invalid(members.at, "Expected one criteria: its text and its tree differ.")
    return spelled[0]
