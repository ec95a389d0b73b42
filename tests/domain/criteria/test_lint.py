"""What lint finds: examples as data; that what it says is so is a law of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.criteria import nodes, tree
from app.domain.criteria.lint import CODES, MAX_FINDINGS, lint
from app.domain.criteria.text import parse
from app.domain.criteria.values import NamedList
from app.domain.workspaces import clock
from tests.laws.trees import AS_OF, COUNT, SETTING, WORKSPACE, slug

KNOWN = {name: [slug(name, n) for n in range(COUNT)] for name in ("industries", "stages", "products", "features")}
LOST = {("users", "nobody@x"), ("accounts", "A-99999999"), ("contacts", "P-nope")}
LIST = NamedList(UUID("0190c0de-0000-7000-8000-000000000001"), "Rich", "accounts", parse("arr > 1000"))
NAMING = replace(SETTING, lists={LIST.id: LIST})


def examples() -> Iterator[tuple[str, str, str]]:
    for line in Path(__file__).with_name("lint.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            told, findings = line.split(" | ")
            head, _, rest = told.partition(" ")
            yield ("contacts", rest, findings) if head == "contacts" else ("accounts", told, findings)


EXAMPLES = list(examples())


@pytest.mark.parametrize(("entity", "source", "findings"), EXAMPLES)
def test_examples(entity: str, source: str, findings: str) -> None:
    found = lint(parse(source), ENTITIES[entity], NAMING, AS_OF, KNOWN, LOST)
    told = [" ".join(filter(None, (f.code, f"{f.at.line}:{f.at.column}", f.suggestion))) for f in found]
    assert ", ".join(told) == findings.removeprefix("-")


def test_every_warning_has_an_example() -> None:
    assert {findings.split()[0] for _, _, findings in EXAMPLES} - {"-"} == set(CODES)


def test_findings_of_a_tree_point_into_it() -> None:
    leaf = {"op": "cmp", "of": "health", "cmp": "gt", "value": 101}
    written = {"op": "or", "args": [leaf, {"op": "quant", "q": "any", "rel": "tickets", "where": {"op": "in", "of": "contact", "values": ["a"]}}, {"op": "in", "of": "industry", "values": ["industry-a", "x"]}]}  # fmt: skip
    found = lint(tree.load(written, "/criteria"), ACCOUNTS, SETTING, AS_OF, KNOWN)
    assert [(f.code, f.at.pointer) for f in found] == [
        ("out_of_bounds", "/criteria/args/0"), ("unknown_value", "/criteria/args/2/values/1"),
    ]  # fmt: skip


def test_values_are_looked_at_where_all_are_known() -> None:
    assert lint(parse('industry = "technolgy"'), ACCOUNTS, SETTING, AS_OF) == ()


def test_an_earlier_moment_makes_no_window_empty() -> None:
    """What was written since lies ahead of it."""
    earlier = replace(SETTING, clock=clock(WORKSPACE, AS_OF - timedelta(days=60)))
    assert lint(parse("created_at IN next(30d)"), ACCOUNTS, earlier, AS_OF) == ()


def test_there_are_never_too_many() -> None:
    many = nodes.Or(tuple(parse(f"health > {100 + n}") for n in range(1, 100)))
    assert len(lint(many, ACCOUNTS, SETTING, AS_OF)) == MAX_FINDINGS
