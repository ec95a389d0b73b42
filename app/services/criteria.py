"""Criteria as programs write them: read, printed, checked, said in English, tried out. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import empties, nodes, text, tree
from app.domain.criteria import gaps as standing
from app.domain.criteria.check import Checked, Setting
from app.domain.criteria.cost import Cost, Kept, cost
from app.domain.criteria.english import english
from app.domain.criteria.lint import Finding, lint
from app.domain.criteria.meant import Meaning
from app.domain.criteria.mentioned import paths
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, StrataError, Unreadable
from app.domain.members import Members, misfit_params, misfits
from app.domain.questions import Page, Question
from app.domain.roles import Principal, permit
from app.domain.selections import selection
from app.domain.workspaces import Person, clock
from app.persistence import criteria as rows
from app.persistence.compile.previews import preview as compiled
from app.persistence.database import Reader
from app.services import asks, gaps, named, ranks, reads
from app.services.asks import Ask, Said
from app.services.segment_states import doubtful, named_in

OPERATION = "criteria.read"
SAMPLE = 10
MAX_COLUMNS = 50
SHOWN = 8
"""Fields of the criteria that a sample shows where no columns are told."""
LEAVES = 20
"""Leaves whose records are counted each by itself."""
Body = Mapping[str, Any]

SPELLED = ("filter", "criteria")
ASKED = ("as_of", "tz", "for_user")
MEMBERS: Members = {
    "entity": ((str,), "the name of an entity, as in accounts"),
    "text": ((str,), "criteria as text"),
    "filter": ((str,), "criteria as text"),
    "criteria": ((dict, str), "criteria as a tree or as text"),
    "params": ((dict,), "an object: a value for each parameter"),
    "columns": ((list,), "an array of fields"),
    **dict.fromkeys(ASKED, ((str,), "a text")),
}
"""What a body may say, as which types, and what is expected in words."""


async def parse(db: Reader, principal: Principal, body: Body) -> dict[str, Any]:
    """Text as it is spelled canonically, as a tree, and in English. What it names need not be there.

    Raises Unreadable, Invalid.
    """
    permit(principal, OPERATION)
    told = _read(body, ("entity", "text"), ("entity", "text"))
    try:
        said = asks.said(Ask(told["entity"], filter=told["text"], body=True))
    except StrataError as error:
        raise _moved(error, "/text") from None
    return await _spelled(db, principal, told["entity"], said)


async def format(db: Reader, principal: Principal, body: Body) -> dict[str, Any]:
    """A tree in the same spellings. Raises Invalid."""
    permit(principal, OPERATION)
    told = _read(body, ("entity", "criteria"), ("entity", "criteria"))
    return await _spelled(
        db, principal, told["entity"], asks.said(Ask(told["entity"], criteria=told["criteria"], body=True))
    )


async def _spelled(db: Reader, principal: Principal, entity: str, said: Said) -> dict[str, Any]:
    called = await _called(db, principal, entity, said)
    sentence = english(said.node, ENTITIES[entity], principal.workspace, called.of_ids)
    return {"text": said.text, "tree": tree.dump_document(said.node), "english": sentence}


async def _called(db: Reader, principal: Principal, entity: str, said: Said) -> named.Called:
    return await named.called(db, principal.workspace, principal.user_id, ENTITIES[entity], [said.node])


async def check(db: Reader, principal: Principal, body: Body, now: datetime) -> dict[str, Any]:
    """What is wrong and what is odd about criteria. Raises Invalid for what is wrong about the body alone."""
    permit(principal, OPERATION)
    ask = _ask(body)
    try:
        tried = await _tried(db, principal, ask, now)
    except _NotCriteria as refused:
        return {
            "ok": False, "problems": [_error(fault, refused.code) for fault in refused.faults], "windows": [],
            "cost": None, "english": None, "segmentations": (),
        }  # fmt: skip
    called = await _called(db, principal, ask.entity, tried.said)
    known = {name: of.names for name, of in (await rows.known(db, principal.workspace.id)).items() if of.whole}
    findings = lint(tried.said.node, ENTITIES[ask.entity], tried.setting, now, known, called.lost)
    return {
        "ok": True,
        "problems": [
            *(_warning(finding, ask) for finding in findings),
            *await _unknown(db, principal, ask, tried, now),
        ],
        "windows": tried.checked.windows,
        "cost": _costed(_cost(tried.checked.meaning, ENTITIES[ask.entity], principal)),
        "english": english(tried.said.node, ENTITIES[ask.entity], principal.workspace, called.of_ids),
        "segmentations": await doubtful(db, principal.workspace, named_in(tried.checked.meaning), now),
    }


async def preview(db: Reader, principal: Principal, body: Body, now: datetime) -> dict[str, Any]:
    """How many records criteria match, the first ten, and how many match only because a value is empty.

    One statement. `sample` is JSON as the database wrote it. Raises Unreadable, Invalid.
    """
    permit(principal, OPERATION)
    ask = _ask(body, "columns")
    entity, workspace = ENTITIES[ask.entity], principal.workspace
    try:
        tried = await _tried(db, principal, ask, now)
    except _NotCriteria as refused:
        raise (Unreadable if refused.code == "unreadable" else Invalid)(None, refused.faults) from None
    meaning = tried.checked.meaning
    question = Question(ask.entity, meaning, _shown(ask, tried.said, principal), page=Page(SAMPLE))
    sites = list(empties.sites(tried.said.node, meaning))[:LEAVES]
    further = [empties.because_empty(meaning), *(_because(meaning, ids) for _, ids in sites)]
    found = await rows.preview(db, compiled(question, further, workspace))
    if not found.fresh:
        found = await rows.preview(db, compiled(question, further, workspace, kept=False))
    whole, *each = found.further
    within = {id(node): pointer for node, pointer in tree.places(tried.said.node)}
    called = await _called(db, principal, ask.entity, tried.said)
    return {
        "count": found.count,
        "sample": found.data,
        "as_of": tried.setting.clock.as_of,
        "windows": tried.checked.windows,
        "ranks": [ranks.told(one, workspace) for one in tried.checked.ranks],
        "notes": await gaps.notes(db, workspace.id, tuple(standing.stands(meaning, entity)), entity, now),
        "matched_because_empty": {
            "count": whole,
            "leaves": [_leaf(node, count, within[id(node)]) for (node, _), count in zip(sites, each, strict=True)],
        },
        "cost": _costed(_cost(meaning, entity, principal)),
        "english": english(tried.said.node, entity, workspace, called.of_ids),
        "segmentations": await doubtful(db, workspace, named_in(question), now),
    }


# -- reading a body ----------------------------------------------------------------------------------------------------


def _read(body: Body, known: Sequence[str], needed: Sequence[str]) -> dict[str, Any]:
    """The members that are given. Raises Invalid for those that are unknown, missing or of the wrong type."""
    faults = list(misfits(body, {name: MEMBERS[name] for name in known}))
    given = {name: value for name, value in body.items() if value is not None}
    faults += [Fault(f"Expected {MEMBERS[name][1]}.", pointer=f"/{name}") for name in needed if name not in given]
    entity = given.get("entity")
    if isinstance(entity, str) and entity not in ENTITIES:
        faults.append(
            Fault(f"Expected one of {', '.join(ENTITIES)}.", pointer="/entity", suggestion=nearest(entity, ENTITIES))
        )
    if faults:
        raise Invalid(faults=tuple(faults))
    return given


def _ask(body: Body, *more: str) -> Ask:
    """What is asked of criteria: in one of both spellings, at a moment, by somebody. Raises Invalid."""
    told = _read(body, ("entity", *SPELLED, "params", *ASKED, *more), ("entity",))
    said = [name for name in SPELLED if name in told]
    if len(said) != 1:
        pointer = f"/{said[1]}" if said else ""
        raise Invalid(faults=(Fault("Expected either filter or criteria.", pointer=pointer),))
    columns = told.get("columns")
    if columns is not None and not columns:
        raise Invalid(faults=(Fault("Expected an array of fields.", pointer="/columns"),))
    if columns is not None and len(columns) > MAX_COLUMNS:
        raise Invalid(faults=(Fault(f"Expected at most {MAX_COLUMNS} columns.", pointer="/columns"),))
    if faults := tuple(misfit_params(told.get("params"))):
        raise Invalid(faults=faults)
    return Ask(
        told["entity"], filter=told.get("filter"), criteria=told.get("criteria"), fields=columns, params=told.get("params"),
        as_of=told.get("as_of"), tz=told.get("tz"), for_user=told.get("for_user"), body=True,
    )  # fmt: skip


# -- trying ------------------------------------------------------------------------------------------------------------


class _NotCriteria(Exception):  # noqa: N818 - what was told is none
    """Faults of the criteria themselves, not of what stands around them."""

    def __init__(self, error: Unreadable | Invalid) -> None:
        self.code = "unreadable" if isinstance(error, Unreadable) else "invalid"
        self.faults = error.faults


@dataclass(frozen=True, slots=True)
class _Tried:
    said: Said
    setting: Setting
    checked: Checked


async def _tried(db: Reader, principal: Principal, ask: Ask, now: datetime) -> _Tried:
    """Raises _NotCriteria, and Invalid for what stands around the criteria."""
    workspace = principal.workspace
    frame = asks.frame(ask, workspace)
    person: Person | None = principal.person if ask.for_user is None else await reads.on_behalf(db, principal, ask)
    setting = Setting(workspace, clock(workspace, frame.as_of or now, frame.zone), person, ask.params or {})
    try:
        said = asks.said(ask)

        def read(within: Setting) -> _Tried:
            return _Tried(said, within, asks.checked(ask, said, within))

        return await named.reading(db, setting, principal.user_id, now, read)
    except (Unreadable, Invalid) as error:
        raise _NotCriteria(error) from None


def _cost(meaning: Meaning, entity: Entity, principal: Principal) -> Cost:
    kept = Kept(rows.indexed(entity), lambda fold: rows.is_kept(fold, entity, principal.workspace))
    return cost(meaning, entity, kept)


def _costed(found: Cost) -> dict[str, str]:
    return {"class": found.cost_class, "reason": found.reason}


def _because(meaning: Meaning, ids: frozenset[int]) -> Meaning:
    return empties.because_empty(meaning, lambda leaf: id(leaf) in ids)


def _shown(ask: Ask, said: Said, principal: Principal) -> Any:
    """What a sample shows: the columns told, else names and what the criteria asks of the record itself."""
    entity, workspace = ENTITIES[ask.entity], principal.workspace
    told = ask.fields
    if told is None:
        heads = [name for name in ("id", "external_id", "name", "account") if name in entity.fields]
        told = list(dict.fromkeys((*heads, *paths(said.node, entity, workspace))))[: len(heads) + SHOWN]
    try:
        return selection(told, None, entity, workspace, body=True)
    except Invalid as error:
        raise _moved(error, "/columns") from None


def _moved(error: StrataError, pointer: str) -> StrataError:
    """The error where this body says it."""
    return type(error)(None, tuple(replace(fault, pointer=pointer) for fault in error.faults))


# -- answering ---------------------------------------------------------------------------------------------------------


def _place(at: nodes.At, ask: Ask) -> dict[str, Any]:
    pointer = at.pointer if ask.filter is None else "/filter"
    return {"pointer": pointer, "line": at.line, "column": at.column}


def _error(fault: Fault, code: str) -> dict[str, Any]:
    return {
        "severity": "error", "code": code, "message": fault.message, "pointer": fault.pointer, "line": fault.line,
        "column": fault.column, "suggestion": fault.suggestion,
    }  # fmt: skip


def _warning(finding: Finding, ask: Ask) -> dict[str, Any]:
    return {
        "severity": "warning", "code": finding.code, "message": finding.message, **_place(finding.at, ask),
        "suggestion": finding.suggestion,
    }  # fmt: skip


async def _unknown(db: Reader, principal: Principal, ask: Ask, tried: _Tried, now: datetime) -> list[dict[str, Any]]:
    """A warning for each leaf that stands on what was never recorded."""
    entity = ENTITIES[ask.entity]
    placed = list(standing.placed(tried.said.node, tried.checked.meaning, entity))
    missing = await gaps.missing(db, principal.workspace.id, (one.gap for _, one in placed), now)
    return [
        {
            "severity": "warning",
            "code": standing.NO_DATA,
            "message": message,
            **_place(node.at, ask),
            "suggestion": None,
        }
        for node, one in placed
        for message in standing.notes((one,), missing, entity)
    ]


def _leaf(node: nodes.Node, count: int, within: str) -> dict[str, Any]:
    """`within`: the place in the tree, which is what is said of text: line and column say where it was written."""
    at = node.at
    pointer = at.pointer if at.line is None else within
    return {"text": text.format(node), "pointer": pointer, "line": at.line, "column": at.column, "count": count}
