"""What the entry criteria of stages mean, and those that mean nothing any more."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain import moments
from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import nodes, text
from app.domain.criteria.check import Setting, check, for_nobody
from app.domain.criteria.meant import Meaning
from app.domain.criteria.time import start
from app.domain.errors import Fault, Invalid, StrataError
from app.domain.segmentation.parts import of_segments, parts
from app.domain.workspaces import Workspace


def day_of(workspace: Workspace) -> Setting:
    """The day of the facts as it ends, in the workspace's zone and with nobody's eyes: all that is kept is of that moment,
    whenever it is computed."""
    return for_nobody(workspace, start(workspace.facts_day + moments.DAY, workspace.zone) - moments.LEAST)


def meaning(workspace: Workspace, node: nodes.Node, pointer: str) -> Meaning:
    """What entry criteria mean on the day of the facts. Raises Invalid where accounts cannot be moved by them."""
    if any(isinstance(part, nodes.InList | nodes.Rank) for part in parts(node)):
        message = "Expected no list and no rank: accounts move with every write."
        raise Invalid(faults=(Fault(message, pointer=pointer),))
    try:
        found = check(node, ACCOUNTS, day_of(workspace)).meaning
    except Invalid as error:
        raise Invalid(
            error.detail, tuple(Fault(one.message, pointer=pointer, suggestion=one.suggestion) for one in error.faults)
        ) from None
    if of_segments(found):
        message = "Expected no segment: segments are placed by stages, not the other way round."
        raise Invalid(faults=(Fault(message, pointer=pointer),))
    return found


def read_all(workspace: Workspace) -> tuple[tuple[tuple[str, Meaning], ...], Mapping[str, str]]:
    """The entry criteria that mean something, in the order of their stages, and why the others do not, by stage."""
    entries: list[tuple[str, Meaning]] = []
    broken: dict[str, str] = {}
    for rule in workspace.rules:
        if rule.entry is None:
            continue
        try:
            entries.append((rule.slug, meaning(workspace, text.parse(rule.entry), "/entry")))
        except StrataError as error:
            why = error.faults[0].message if error.faults else error.detail
            broken[rule.slug] = f"{why} Nobody comes in by these criteria until they mean something again."
    return tuple(entries), broken
