"""Stored segmentations made ready to be computed: what their criteria mean at a moment, and what they stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import nodes, text
from app.domain.criteria.check import Setting, check, for_nobody
from app.domain.criteria.nodes import Node
from app.domain.errors import Invalid, Unreadable
from app.domain.segmentation import books
from app.domain.segmentation.bodies import axes_of
from app.domain.segmentation.cuts import loaded
from app.domain.segmentation.hysteresis import OFF, Steady, span
from app.domain.segmentation.parts import names, of_segments, parts
from app.domain.workspaces import Workspace
from app.persistence import segments
from app.persistence.database import Reader, Record, Transaction
from app.persistence.members import Rule
from app.services import named

KEPT = 256
"""Workspaces whose definitions are kept parsed in this process."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A stored segmentation as it is said."""

    id: UUID
    cases: tuple[tuple[str, Node], ...]
    rest: str
    books: books.Books = ()
    degraded: bool = False
    steady: Steady = OFF


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be computed at one moment. `broken` no longer means anything, for the reasons in `details`; `relative` means
    another thing later; `read` are all fields that any rule names; `named`: some rule names a list, which may read others
    by now, or ranks. `degraded` could not be computed the last time: it is tried again with all accounts alone."""

    rules: tuple[Rule, ...]
    broken: tuple[UUID, ...]
    relative: bool
    read: frozenset[str]
    named: bool = False
    details: tuple[str, ...] = ()
    degraded: frozenset[UUID] = frozenset()


_definitions: dict[tuple[UUID, str], tuple[Definition, ...]] = {}


async def defined(tx: Transaction, workspace: Workspace) -> tuple[Definition, ...]:
    """Every segmentation of the workspace, as it is said."""
    key = (workspace.id, workspace.epoch)
    found = _definitions.get(key)
    if found is None:
        found = tuple(definition(row) for row in await segments.all_of(tx, workspace.id))
        if len(_definitions) >= KEPT:
            _definitions.clear()
        _definitions[key] = found
    return found


def definition(row: Record) -> Definition:
    """What is stored, as it is said."""
    cases = msgspec.json.decode(row["segments"])
    told = tuple((case["slug"], text.parse(case["criteria"])) for case in cases)
    cut = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    within = books.of(cut, loaded(msgspec.json.decode(row["cuts"])))
    return Definition(row["id"], told, row["rest"], within, row["state"] == "degraded", steady(row))


def steady(row: Record) -> Steady:
    """What stops flapping in a stored segmentation."""
    return Steady(row["band"], None if row["confirm"] is None else span(row["confirm"]))


async def prepare(reader: Reader, definitions: Sequence[Definition], workspace: Workspace, now: datetime) -> Prepared:
    """Check every definition at this moment, in the workspace's own zone and with nobody's eyes."""
    setting = for_nobody(workspace, now)
    return await named.reading(reader, setting, None, now, partial(_prepared_in, definitions))


def _prepared_in(definitions: Sequence[Definition], setting: Setting) -> Prepared:
    rules: list[Rule] = []
    broken: dict[UUID, str] = {}
    relative = False
    read: frozenset[str] = frozenset()
    for one in definitions:
        within = books.over(setting, one.books)
        try:
            found = [(slug, check(node, ACCOUNTS, within)) for slug, node in one.cases]
        except (Invalid, Unreadable) as error:
            broken[one.id] = error.faults[0].message if error.faults else error.detail
            continue
        relative = relative or any(checked.relative for _, checked in found)
        read = read.union(*(names(checked.meaning) for _, checked in found))
        rules.append(Rule(one.id, tuple((slug, checked.meaning) for slug, checked in found), one.rest, one.steady))
    named = any(names_more(node) for one in definitions for _, node in one.cases)
    degraded = frozenset(one.id for one in definitions if one.degraded)
    details = tuple(broken.values())
    return Prepared(tuple(rules), tuple(broken), relative or named, read, named, details, degraded)


def asks_segments(rule: Rule) -> bool:
    """Whether a rule asks for segments, which it must not: those are placed at the same moment, in no order."""
    return any(of_segments(meaning) for _, meaning in rule.cases)


def names_more(node: Node) -> bool:
    """Whether criteria name a list or rank anything: what that means is not told by the definition alone."""
    return any(isinstance(part, (nodes.InList, nodes.Rank)) for part in parts(node))
