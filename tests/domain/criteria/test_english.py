"""Criteria in plain English: examples as data, every node said, and no sentence with two meanings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given

from app.domain.catalogue import ACCOUNTS, CONTACTS, ENTITIES
from app.domain.criteria import literals, nodes
from app.domain.criteria.english import english
from app.domain.criteria.nodes import Node
from app.domain.criteria.phrases import words
from app.domain.criteria.referred import referred
from app.domain.criteria.text import parse
from tests.laws.trees import WORKSPACE, criteria


def examples() -> Iterator[tuple[str, str, str]]:
    for line in Path(__file__).with_name("english.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            told, sentence = line.split(" | ")
            head, _, rest = told.partition(" ")
            yield ("contacts", rest, sentence) if head == "contacts" else ("accounts", told, sentence)


EXAMPLES = list(examples())


@pytest.mark.parametrize(("entity", "source", "sentence"), EXAMPLES)
def test_examples(entity: str, source: str, sentence: str) -> None:
    assert english(parse(source), ENTITIES[entity], WORKSPACE) == sentence


ADA = "0190c0de-0000-7000-8000-00000000000a"
RISKS = "0190c0de-0000-7000-8000-00000000000b"
NAMES = {("users", ADA): "Ada Lovelace", ("accounts", ADA): "me or not", ("lists", RISKS): "Renewals at risk"}


@pytest.mark.parametrize(
    ("entity", "source", "sentence"),
    [
        ("accounts", f'csm = "{ADA}"', "Accounts whose CSM is Ada Lovelace."),
        ("accounts", f'csm NOT IN ("{ADA}", "bob")', 'Accounts whose CSM is not Ada Lovelace or "bob" (or is empty).'),
        ("accounts", f'parent = "{ADA}"', 'Accounts whose parent is "me or not".'),
        ("accounts", f'name = "{ADA}"', f'Accounts whose name is "{ADA}".'),
        ("accounts", f'in_list("{RISKS}")', 'Accounts in the list "Renewals at risk".'),
        ("accounts", f'in_list("{ADA}")', f'Accounts in the list "{ADA}".'),
        ("accounts", f'any(opportunities WHERE owner = "{ADA}")', "Accounts that have opportunities (whose owner is Ada Lovelace)."),
        ("contacts", f'account.csm = "{ADA}"', "Contacts whose account's CSM is Ada Lovelace."),
    ],
)  # fmt: skip
def test_what_is_named_by_id_is_said_by_name(entity: str, source: str, sentence: str) -> None:
    node = parse(source)
    assert english(node, ENTITIES[entity], WORKSPACE, NAMES) == sentence
    named = {told for told in referred(node, ENTITIES[entity], WORKSPACE) if told in NAMES}
    assert bool(named) == any(name in sentence for name in NAMES.values())


def said(node: Any) -> Iterator[tuple[str, str]]:
    """What a tree is made of: each node, and what it does."""
    if isinstance(node, tuple):
        for one in node:
            yield from said(one)
    elif is_dataclass(node):
        for name in ("fn", "cmp", "match", "quantifier", "q", "event", "which", "dir", "unit"):
            if word := getattr(node, name, None):
                yield type(node).__name__, word
        yield type(node).__name__, ""
        for field in fields(node):
            yield from said(getattr(node, field.name))


def test_every_node_and_function_has_an_example() -> None:
    found = {pair for _, source, _ in EXAMPLES for pair in said(parse(source))}
    every = (*get_args(nodes.Node), *get_args(nodes.Value), *get_args(nodes.Window), *get_args(nodes.Operand))
    assert {(kind.__name__, "") for kind in every} <= found
    functions: set[tuple[str, str]] = {("Aggregate", fn) for fn in literals.FOLDS} | {
        ("Rank", fn) for fn in literals.RANKINGS
    }
    functions |= {("Change", fn) for fn in ("change", "change_abs")} | {("Quant", q) for q in ("any", "none", "all")}
    functions |= {("Cmp", cmp) for cmp in literals.COMPARISONS} | {("Has", "any_of"), ("Has", "all_of")}
    functions |= {("Text", match) for match in ("contains", "starts_with", "ends_with")}
    functions |= {("Segment", "entered"), ("Segment", "left"), ("Rolling", "last"), ("Rolling", "next")}
    functions |= {("Period", which) for which in ("this", "previous", "next")}
    assert functions - found == set()


@given(criteria(ACCOUNTS))
def test_any_criteria_of_accounts_is_a_sentence(node: Node) -> None:
    sentence = english(node, ACCOUNTS, WORKSPACE)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "  " not in sentence


@given(criteria(CONTACTS))
def test_any_criteria_of_contacts_is_a_sentence(node: Node) -> None:
    assert english(node, CONTACTS, WORKSPACE)[0].isupper()


def test_what_the_catalogue_does_not_know_is_said_as_it_is_written() -> None:
    assert english(parse('shoe_size > 5 AND any(shoes WHERE colour = "red")'), ACCOUNTS, WORKSPACE) == (
        'Accounts whose shoe size is above 5 and that have shoes (whose colour is "red").'
    )


def test_every_field_reads_as_words() -> None:
    for entity in ENTITIES.values():
        for name in entity.fields:
            assert not words(name).endswith((" at", " since")), name


# -- no sentence has two meanings --------------------------------------------------------------------------------------

LEAVES = tuple(parse(f"{name} > 1") for name in ("arr", "mrr", "tcv"))


def shapes(leaves: tuple[Node, ...], depth: int) -> Iterator[Node]:
    """Every way to put these leaves together, in this order."""
    if len(leaves) == 1:
        yield leaves[0]
        yield nodes.Not(leaves[0])
        return
    for cuts in itertools.chain(itertools.combinations(range(1, len(leaves)), 1), [tuple(range(1, len(leaves)))]):
        parts = [leaves[a:b] for a, b in itertools.pairwise((0, *cuts, len(leaves)))]
        for args in itertools.product(*(shapes(part, depth - 1) for part in parts)):
            for join in (nodes.And, nodes.Or):
                yield join(args)
                yield nodes.Not(join(args))


def holds(node: Node, world: Mapping[Node, bool]) -> bool:
    match node:
        case nodes.And(args):
            return all(holds(arg, world) for arg in args)
        case nodes.Or(args):
            return any(holds(arg, world) for arg in args)
        case nodes.Not(arg):
            return not holds(arg, world)
        case _:
            return world[node]


def test_no_sentence_has_two_meanings() -> None:
    worlds = [dict(zip(LEAVES, truths, strict=True)) for truths in itertools.product((True, False), repeat=len(LEAVES))]
    meanings: dict[str, set[tuple[bool, ...]]] = {}
    for node in shapes(LEAVES, 3):
        table = tuple(holds(node, world) for world in worlds)
        meanings.setdefault(english(node, ACCOUNTS, WORKSPACE), set()).add(table)
    assert len(meanings) > 100
    assert [sentence for sentence, tables in meanings.items() if len(tables) > 1] == []
