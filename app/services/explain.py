"""Why a record meets criteria or does not: criteria as told, of a saved list, or of a segment. Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS, ENTITIES, Entity
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check, for_nobody
from app.domain.criteria.coerce import is_identity
from app.domain.criteria.explain import Explanation, explain
from app.domain.criteria.flips import followed, next_decision
from app.domain.criteria.leaves import Leaf, Tree, decided, grown, leaves
from app.domain.criteria.nodes import Empty, Node, Path
from app.domain.criteria.referred import Names
from app.domain.criteria.suggest import nearest
from app.domain.errors import Conflict, Fault, Invalid, NotFound, Unreadable
from app.domain.lists import ENTITIES as EXPLAINED
from app.domain.members import Members, misfit_params, misfits
from app.domain.roles import Principal, permit
from app.domain.segmentation import books, hysteresis
from app.domain.values import UNSTORABLE
from app.domain.workspaces import clock
from app.persistence import explain as rows
from app.persistence import segments as kept
from app.persistence.compile.explained import Answer, explained
from app.persistence.compile.records import By
from app.persistence.database import Reader, Record
from app.services import asks, list_rows, named, placed, prepared, reads
from app.services.aside import aside
from app.services.asks import Ask
from app.services.explained import flipping, whole
from app.services.memberships import pending
from app.services.segment_states import doubtful, named_in
from app.services.segmentation_documents import names as names_of
from app.services.segmentation_documents import plain

OPERATION = "criteria.read"
NAMING: Mapping[str, By] = {"id": "id", "external_id": "external_id"}
WORDS = ("entity", *NAMING, "filter", "list", "segmentation", "segment", "as_of", "tz", "for_user")
MEMBERS: Members = {
    **dict.fromkeys(WORDS, ((str,), "a text")),
    "criteria": ((dict, str), "criteria as a tree or as text"),
    "params": ((dict,), "an object"),
}
"""What a body may say, as which types, and what is expected in words."""
SPELLED = ("filter", "criteria", "list", "segmentation")
"""Whose criteria are meant: one of these."""
OF_ASKER = ("tz", "for_user", "params")
"""What segments do not depend on."""
Body = Mapping[str, Any]


async def of_record(db: Reader, principal: Principal, body: Body, now: datetime) -> dict[str, Any]:
    """One account or contact explained. One statement reads it, besides those that say what the criteria are.

    Raises Unreadable and Invalid for what is no criteria, NotFound for a record, list or segment that is not there,
    Conflict where the list or the segmentation is broken.
    """
    permit(principal, OPERATION)
    told = _read(body)
    by, name = _named_by(told)
    entity, tree = await _asked(db, principal, told, now)
    answer = await _answer(db, principal, entity, by, name, list(leaves(tree)))
    names = await _names(db, principal, entity, [tree])
    asked = named_in(tuple(leaf.meaning for leaf in leaves(tree)))
    doubted = await doubtful(db, principal.workspace, asked, now)

    def shown() -> dict[str, Any]:
        (explanation,) = _explanations([tree], answer)
        told = whole(explanation, entity, principal.workspace, names)
        return {**_head(answer, entity), **_moment(tree), **told, "segmentations": doubted}

    return await aside(shown)


# -- what is asked -----------------------------------------------------------------------------------------------------


async def _asked(db: Reader, principal: Principal, told: Body, now: datetime) -> tuple[Entity, Tree]:
    workspace = principal.workspace
    if "segmentation" in told:
        ask = Ask("accounts", as_of=told.get("as_of"), body=True)
        setting = for_nobody(workspace, asks.frame(ask, workspace).as_of or now)
        definition, _ = await _definition(db, principal, told["segmentation"])
        node = dict(definition.cases).get(told["segment"])
        if node is None:
            raise NotFound("There is no such segment in the segmentation.")
        by, name = _named_by(told)
        own = await _own_books(db, principal, by, name, definition, setting)
        (tree,) = await _cases(db, setting, [books.spelt_for(node, definition.books, own)], now)
        return ACCOUNTS, tree
    ask = await _ask(db, principal, told, now)
    frame = asks.frame(ask, workspace)
    person = principal.person if ask.for_user is None else await reads.on_behalf(db, principal, ask)
    said = asks.said(ask)
    setting = Setting(workspace, clock(workspace, frame.as_of or now, frame.zone), person, ask.params or {})

    def read(within: Setting) -> Tree:
        asks.checked(ask, said, within)
        return grown(said.node, ENTITIES[ask.entity], within)

    return ENTITIES[ask.entity], await named.reading(db, setting, principal.user_id, now, read)


def _named_by(told: Body) -> tuple[By, str]:
    return next((NAMING[key], told[key]) for key in NAMING if key in told)


async def _ask(db: Reader, principal: Principal, told: Body, now: datetime) -> Ask:
    given = {name: told[name] for name in ("as_of", "tz", "for_user", "params") if name in told}
    if "list" not in told:
        spelled = {name: told[name] for name in ("filter", "criteria") if name in told}
        return Ask(told.get("entity", "accounts"), **spelled, **given, body=True)
    if not is_identity(told["list"]):
        raise NotFound("There is no such list in this workspace.")
    try:
        ask = await list_rows.ask(db, principal, UUID(told["list"]), now, given)
    except Invalid as error:
        raise Invalid(error.detail, tuple(map(_in_body, error.faults))) from None
    if told.get("entity", ask.entity) != ask.entity:
        raise Invalid(faults=(Fault(f"Expected {ask.entity}: the list is of those.", pointer="/entity"),))
    return replace(ask, body=True)


def _in_body(fault: Fault) -> Fault:
    """What lists say of a parameter of theirs, as the member of the body that it was given in."""
    if fault.parameter is None:
        return fault
    return replace(fault, parameter=None, pointer="/" + fault.parameter.replace("param.", "params/", 1))


def _read(body: Body) -> dict[str, Any]:
    """The members that are given. Raises Invalid for those that are unknown, of the wrong type, or do not go together."""
    told = {name: value for name, value in body.items() if value is not None}
    faults = [*misfits(told, MEMBERS), *misfit_params(told.get("params"))] or [*_contradictions(told)]
    if faults:
        raise Invalid(faults=tuple(faults))
    return told


def _contradictions(told: Body) -> Iterator[Fault]:
    if sum(name in told for name in NAMING) != 1:
        yield Fault("Expected id or external_id, one of them.", pointer="/id")
    said = [name for name in SPELLED if name in told]
    if len(said) != 1:
        pointer = f"/{said[1]}" if said else "/filter"
        yield Fault("Expected one of filter, criteria, list and segmentation.", pointer=pointer)
    entity = told.get("entity", "accounts")
    if entity not in EXPLAINED:
        expected = f"Expected one of {', '.join(EXPLAINED)}."
        yield Fault(expected, pointer="/entity", suggestion=nearest(entity, EXPLAINED))
    if ("segmentation" in told) != ("segment" in told):
        yield Fault("Expected segmentation and segment together.", pointer="/segment")
    elif "segmentation" in told and entity != "accounts":
        yield Fault("Expected accounts: segments are of those.", pointer="/entity")
    for name in OF_ASKER if "segmentation" in told else ():
        if name in told:
            yield Fault("Expected no such member: segments do not depend on who asks.", pointer=f"/{name}")


# -- finding out -------------------------------------------------------------------------------------------------------


async def _answer(db: Reader, principal: Principal, entity: Entity, by: By, name: str, every: Sequence[Leaf]) -> Answer:
    """What is found of a record. Raises NotFound."""
    missing = NotFound(f"There is no such {entity.singular} in this workspace.")
    if not (is_identity(name) if by == "id" else not UNSTORABLE.search(name)):
        raise missing

    async def read(*, kept: bool) -> Answer:
        statement = explained(every, entity, by, principal.workspace, kept=kept)
        raw = await rows.told(db, statement, name)
        if raw is None:
            raise missing
        return await aside(partial(rows.answer, statement, raw))

    answer = await read(kept=True)
    return answer if answer.fresh else await read(kept=False)


async def _names(db: Reader, principal: Principal, entity: Entity, trees: Sequence[Tree]) -> Names:
    """What people call those that criteria name by id, those of lists that stand in them too."""
    told = [node for tree in trees for node in (tree.node, *(leaf.node for leaf in leaves(tree)))]
    return (await named.called(db, principal.workspace, principal.user_id, entity, told)).of_ids


def _explanations(trees: Sequence[Tree], answer: Answer) -> list[Explanation]:
    verdicts = [one.verdict for one in answer.found]
    every = [leaf for tree in trees for leaf in leaves(tree)]
    turns = followed(every, verdicts, answer.record, answer.cut)
    return [explain(tree, answer.found, turns) for tree in trees]


def _head(answer: Answer, entity: Entity) -> dict[str, Any]:
    return {"entity": entity.name, **answer.head, "archived": answer.archived}


def _moment(tree: Tree) -> dict[str, Any]:
    clock_ = next(iter(leaves(tree))).setting.clock
    return {"as_of": clock_.as_of, "zone": clock_.zone.key}


# -- segments ----------------------------------------------------------------------------------------------------------


async def of_segments(db: Reader, principal: Principal, account_id: UUID, slug: str, now: datetime) -> dict[str, Any]:
    """An account explained by each segment's criteria in order: the first that holds decides where it stands.

    Raises NotFound, Conflict where the segmentation is broken.
    """
    permit(principal, OPERATION)
    workspace = principal.workspace
    definition, row = await _definition(db, principal, slug)
    setting = for_nobody(workspace, now)
    own = await _own_books(db, principal, "id", str(account_id), definition, setting)
    spelled = [books.spelt_for(node, definition.books, own) for _, node in definition.cases]
    trees = await _cases(db, setting, spelled, now)
    every = [leaf for tree in trees for leaf in leaves(tree)]
    answer = await _answer(db, principal, ACCOUNTS, "id", str(account_id), every)
    called = await _names(db, principal, ACCOUNTS, trees)
    stands = await rows.standing(db, workspace.id, account_id, row["id"]) or []
    head = {
        "segmentation": slug,
        "name": row["name"],
        "account": answer.head,
        "archived": answer.archived,
        "as_of": now,
        "zone": workspace.zone.key,
    }
    stood = next((_stood(one) for one in stands), None)
    placed_by = await placed.placed(db, workspace, account_id, row, now)
    asked = named_in(tuple(leaf.meaning for leaf in every)) | {slug}
    doubted = await doubtful(db, workspace, asked, now)
    names = {case["slug"]: case["name"] for case in msgspec.json.decode(row["segments"])}

    def shown() -> dict[str, Any]:
        verdicts = [one.verdict for one in answer.found]
        turns = followed(every, verdicts, answer.record, answer.cut)
        decide = _first(trees, definition)
        flip, then = next_decision(decide, verdicts, turns)
        segment = decide(verdicts)
        cases = [
            {"segment": case, "name": names[case], "decides": case == segment}
            | whole(explain(tree, answer.found, turns), ACCOUNTS, workspace, called)
            for (case, _), tree in zip(definition.cases, trees, strict=True)
        ]
        becomes = then if flip.at is not None else None
        ends = {"stands": stood, **flipping(flip), "becomes": becomes, "rest": definition.rest}
        told = {
            "segment": segment,
            "says": _says(segment, stood, names_of(row), _until(segment, stood, definition, spelled)),
        }
        return {**head, **told, **ends, "placed_by": placed_by, "segments": cases, "segmentations": doubted}

    return await aside(shown)


def _says(segment: str, stood: Mapping[str, Any] | None, called: Mapping[str, str], until: str) -> str:
    """Where the criteria put it, where it stands, and what keeps it there where that is elsewhere."""
    put = f"Its criteria put it in {called[segment]}"
    if stood is None:
        return f"{put}; it was placed nowhere yet."
    if stood["segment"] == segment:
        return f"{put}, where it stands."
    there = f"{put}; it stands in {called.get(stood['segment'], plain(stood['segment']))}"
    moves = stood["pending"]
    match moves and moves["held_by"]:
        case "pin":
            return f"{there}, where it is pinned."
        case "band":
            return f"{there}, which it has not left by more than the band{until}."
        case "confirmation":
            return f"{there} until the move is confirmed, at {moves['moves_at']}."
    return f"{there}, where it was placed last."


def _until(
    segment: str, stood: Mapping[str, Any] | None, definition: prepared.Definition, cases: Sequence[Node]
) -> str:
    """Up to which numbers a band holds it: those of where it stands moved in its favour, or, where an earlier segment would take
    it, those of that one moved against it."""
    band = definition.steady.band
    if band is None or stood is None or stood["segment"] == segment:
        return ""
    slugs = [slug for slug, _ in definition.cases]
    to, at = (slugs.index(one) if one in slugs else len(slugs) for one in (segment, stood["segment"]))
    if to < at:
        return f": it moves once {text.format(hysteresis.said(cases[to], band, wider=False))}"
    return f": it stays while {text.format(hysteresis.said(cases[at], band, wider=True))}"


def _stood(row: Record) -> dict[str, Any]:
    return {**{name: row[name] for name in ("segment", "since", "reason")}, "pending": pending(row, names_of(row))}


def _first(trees: Sequence[Tree], definition: prepared.Definition) -> Callable[[Sequence[bool]], str]:
    slugs = [slug for slug, _ in definition.cases]

    def decide(verdicts: Sequence[bool]) -> str:
        held = (slug for slug, tree in zip(slugs, trees, strict=True) if decided(tree, verdicts))
        return next(held, definition.rest)

    return decide


async def _definition(db: Reader, principal: Principal, slug: str) -> tuple[prepared.Definition, Record]:
    row = None if UNSTORABLE.search(slug) else await kept.one(db, principal.workspace.id, slug)
    if row is None:
        raise NotFound("There is no such segmentation in this workspace.")
    return prepared.definition(row), row


async def _own_books(
    db: Reader, principal: Principal, by: By, name: str, definition: prepared.Definition, setting: Setting
) -> dict[str, str | None]:
    """The key of the account's book by each field that the segmentation is cut within. Raises NotFound."""
    fields = [*dict.fromkeys(axis.cuts.within for axis, _ in definition.books if axis.cuts.within is not None)]
    if not fields:
        return {}
    asked = [grown(Empty(Path(field)), ACCOUNTS, setting, n) for n, field in enumerate(fields)]
    answer = await _answer(db, principal, ACCOUNTS, by, name, [leaf for tree in asked for leaf in leaves(tree)])
    keys = (one.values[0] for one in answer.found)
    return {field: None if key is None else str(key) for field, key in zip(fields, keys, strict=True)}


async def _cases(db: Reader, setting: Setting, cases: Sequence[Node], now: datetime) -> list[Tree]:
    """The trees of a segmentation's criteria, their leaves counted through. Raises Conflict where they mean nothing."""

    def read(known: Setting) -> list[Tree]:
        trees: list[Tree] = []
        for node in cases:
            check(node, ACCOUNTS, known)
            begin = sum(1 for tree in trees for _ in leaves(tree))
            trees.append(grown(node, ACCOUNTS, known, begin))
        return trees

    try:
        return await named.reading(db, setting, None, now, read)
    except (Invalid, Unreadable) as error:
        raise Conflict(f"The segmentation is broken: {error.detail}") from None
