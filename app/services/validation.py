"""Whether a segmentation separates what it claims to, as of a past day and scored on what came since, with a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import check, for_nobody
from app.domain.criteria.meant import Meaning
from app.domain.criteria.nodes import All, Node
from app.domain.criteria.suggest import nearest
from app.domain.criteria.time import months as later
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.roles import Principal, permit
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.bodies import again
from app.domain.segmentation.cuts import Frozen, loaded
from app.domain.segmentation.dated import DATED, STEADY, TRIED, columns, undated
from app.domain.segmentation.kinds import expanded
from app.domain.segmentation.model import Segmentation
from app.domain.segmentation.validation import (
    OUTCOMES,
    Cut,
    LogRank,
    Outcome,
    Outcomes,
    Rival,
    correlation,
    information,
    log_rank,
    money,
    separated,
    skill,
    stability,
)
from app.domain.segmentation.verdicts import LEAST, Evidence, verdict
from app.domain.statistics import Effect, Ranked, benjamini_hochberg
from app.domain.workspaces import Workspace, clock
from app.persistence import validation as rows
from app.persistence.database import Reader, Record
from app.persistence.members import Rule
from app.persistence.validation import Cutting, Span
from app.services import named
from app.services.aside import aside
from app.services.calls import new_id
from app.services.memberships import past
from app.services.segmentation_documents import found, instant, names, plain
from app.services.validation_documents import Judged, shown

MONTHS, MOST_MONTHS = 6, 36
SEED = 20_260_101
"""Bootstraps are the same each time."""
GROWTH = "growth_potential"


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be told: the outcome, over how many months from the end of which day."""

    span: Span
    outcome: Outcome
    months: int


@dataclass(frozen=True, slots=True)
class Stood:
    """How accounts are placed as of a day: by criteria as they were then, which read these fields, or by history."""

    by: Rule | None
    read: tuple[str, ...]
    cutting: tuple[Cutting, ...] = ()
    shares: tuple[tuple[float, ...], ...] = ()


async def validation(
    db: Reader, principal: Principal, slug: str, now: datetime,
    on: str | None = None, outcome: str | None = None, months: str | int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """As of the end of `on` (the latest day whose outcome is known), the outcome (churned, renewed, nrr) within so many
    months, segment by segment, with tests, skill out of time, stability and a verdict in words.

    Where the history of members is younger than `on` the criteria are evaluated on what was known then; where that cannot be
    known it is refused. Raises Invalid, NotFound.
    """
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    asked = _asked(on, outcome, months, workspace, now)
    begins = await rows.begins(db, workspace.id, row["id"])
    of = again({**dict(row), **{name: msgspec.json.decode(row[name]) for name in ("spec", "segments")}})
    stood, source = await _stood(db, workspace, of, row, asked.span, asked.months, begins, now)
    rivals = [name for name in stood.read if name in TRIED]
    by = stood.by or row["id"]
    told = await rows.scored(db, workspace, asked.span, asked.outcome, by, stood.read, stood.cutting, rivals)
    before, because = await _before(db, workspace, of, row, asked, begins, now)
    sample = [list(column) for column in zip(*told["sample"], strict=True)]
    axes = [
        Cut([value for value, _ in column], [among for _, among in column], shares)
        for column, shares in zip(sample, stood.shares, strict=False)
    ]
    segments = {name: _outcomes(one) for name, one in told["segments"].items()}
    tried = [_rival(name, one) for name, one in zip(rivals, told["fields"], strict=True)]
    judged = await aside(partial(_judged, of, row, asked, segments, told["losses"], tried, before, axes))
    return {
        "slug": row["slug"], "name": row["name"], "version": row["version"], "on": asked.span.day, "until": asked.span.until,
        "months": asked.months, "outcome": asked.outcome, "source": source, "history_begins": instant(begins),
        "taken_as_today": [name for name in stood.read if name in STEADY and name != "id"] if stood.by else [],
        "sampled": told["total"] > rows.SCORED_AT_MOST, **shown(judged, of, segments, names(row), because, workspace),
    }  # fmt: skip


# -- what is asked -----------------------------------------------------------------------------------------------------


def _asked(
    on: str | None, outcome: str | None, months: str | int | None, workspace: Workspace, now: datetime
) -> Question:
    faults: list[Fault] = []
    wanted: Any = outcome or OUTCOMES[0]
    if wanted not in OUTCOMES:
        message = f"Expected one of {', '.join(OUTCOMES)}."
        faults.append(Fault(message, parameter="outcome", suggestion=nearest(wanted, OUTCOMES)))
    length = _whole(months)
    if length is None:
        faults.append(Fault(f"Expected a whole number of months from 1 to {MOST_MONTHS}.", parameter="months"))
    if faults:
        raise Invalid(faults=tuple(faults))
    assert length is not None, "it was refused"
    today = clock(workspace, now).today
    last = later(today, -length)
    told, moment = past(on or last.isoformat(), workspace, now)
    day = date.fromisoformat(told)
    if later(day, length) > today:
        message = f"Expected a day whose {length} months have passed: what comes of later ones is not known yet."
        raise Invalid(faults=(Fault(message, parameter="on", suggestion=last.isoformat()),))
    return Question(Span(day, moment, later(day, length)), wanted, length)


def _whole(months: str | int | None) -> int | None:
    if months is None:
        return MONTHS
    if isinstance(months, str) and not (months.isascii() and months.isdigit() and len(months) < 4):
        return None
    return int(months) if 1 <= int(months) <= MOST_MONTHS else None


# -- where accounts stood ----------------------------------------------------------------------------------------------


async def _stood(
    db: Reader, workspace: Workspace, of: Segmentation, row: Record, span: Span, months: int, begins: datetime | None, now: datetime
) -> tuple[Stood, str]:  # fmt: skip
    """By history where it goes back so far, else by the criteria as of then. Raises Invalid where neither can be."""
    if begins is not None and begins <= span.moment:
        meant = await _meant(db, workspace, of, _frozen(row), span, now)
        relative = [
            (axis, inside)
            for axis, inside in zip(of.axes, await _among(db, workspace, of, span, now), strict=True)
            if axis.cuts.shares
            and axis.cuts.within is None
            and axis.field in DATED
            and not undated(inside, span.moment, span.day)
        ]
        known = {name for one in meant for name in columns(one) if name in (*DATED, *STEADY)}
        known |= {name for axis, inside in relative for name in (axis.field, *columns(inside))}
        return _stands(None, tuple(sorted(known)), relative), "history"
    lost: dict[str, None] = {}
    for axis in of.axes:
        if axis.cuts.within is not None or axis.cuts.by == "natural":
            lost[f"cuts of {axis.field} by {axis.cuts.by}{' within books' if axis.cuts.within else ''}"] = None
        if axis.field not in DATED:
            lost[axis.field] = None
    if not lost:
        stood = await _then(db, workspace, of, row, span, now, lost)
        if stood is not None:
            return stood, "criteria"
    raise Invalid(faults=_unknown(begins, lost, months, workspace, now))


async def _then(
    db: Reader, workspace: Workspace, of: Segmentation, row: Record, span: Span, now: datetime, lost: dict[str, None]
) -> Stood | None:
    """The criteria with cuts taken as of then; None where `lost` tells what cannot be known."""
    among = await _among(db, workspace, of, span, now)
    meant = await _meant(db, workspace, of, _frozen(row), span, now)
    lost |= dict.fromkeys(name for one in (*meant, *among) for name in undated(one, span.moment, span.day))
    if lost:
        return None
    read = tuple(sorted({name for one in (*meant, *among) for name in columns(one)} | {axis.field for axis in of.axes}))
    cuts = [
        frozen if axis.cuts.by == "absolute" else await _recut(db, workspace, axis, inside, span, read)
        for axis, frozen, inside in zip(of.axes, _frozen(row), among, strict=True)
    ]
    cases = await _meant(db, workspace, of, cuts, span, now)
    rule = Rule(new_id(), tuple(zip((one.slug for one in of.segments), cases, strict=True)), of.rest)
    relative = [(axis, inside) for axis, inside in zip(of.axes, among, strict=True) if axis.cuts.shares]
    return _stands(rule, read, relative)


async def _among(db: Reader, workspace: Workspace, of: Segmentation, span: Span, now: datetime) -> tuple[Meaning, ...]:
    """The accounts that each axis is cut over."""
    return tuple([await _checked(db, workspace, axis.cuts.among or All(), span, now) for axis in of.axes])


def _stands(by: Rule | None, read: tuple[str, ...], relative: Sequence[tuple[Axis, Meaning]]) -> Stood:
    """With the axes that are cut by shares of these accounts, to see how steady their cuts are."""
    cutting = tuple(Cutting(axis.field, inside) for axis, inside in relative)
    return Stood(by, read, cutting, tuple(tuple(map(float, axis.cuts.shares)) for axis, _ in relative))


def _frozen(row: Record) -> tuple[Frozen, ...]:
    return loaded(msgspec.json.decode(row["cuts"]))


async def _recut(
    db: Reader, workspace: Workspace, axis: Axis, among: Meaning, span: Span, read: Sequence[str]
) -> Frozen:
    at, accounts = await rows.cuts(db, workspace, span, axis.field, among, read, [float(s) for s in axis.cuts.shares])
    money = ACCOUNTS.fields[axis.field].kind == "money"
    return Frozen(tuple(workspace.major(int(value)) if money else value for value in at), span.day, accounts)


async def _meant(
    db: Reader, workspace: Workspace, of: Segmentation, cuts: Sequence[Frozen], span: Span, now: datetime
) -> tuple[Meaning, ...]:
    return tuple([await _checked(db, workspace, node, span, now) for node in expanded(of, cuts)])


async def _checked(db: Reader, workspace: Workspace, node: Node, span: Span, now: datetime) -> Meaning:
    """What criteria mean at the end of the day. Raises Conflict where they mean nothing any more."""
    setting = for_nobody(workspace, span.moment)
    try:
        return await named.reading(db, setting, None, now, lambda within: check(node, ACCOUNTS, within).meaning)
    except Invalid as error:
        raise Conflict(f"What the segmentation says means nothing on {span.day}: {error.detail}") from None


def _unknown(
    begins: datetime | None, lost: Mapping[str, None], months: int, workspace: Workspace, now: datetime
) -> tuple[Fault, ...]:
    """Why it cannot be known, and what can be asked instead: another day, fewer months too where it takes both, or later."""
    kept = f"of earlier days no past is kept of: {', '.join(lost)}."
    if begins is None:
        return (Fault(f"It has no history of members yet, and {kept}", parameter="on"),)
    since, today = begins.astimezone(workspace.zone).date(), clock(workspace, now).today
    message = f"Its history of members begins on {since}, and {kept}"
    known = next((few for few in range(months, 0, -1) if later(since, few) <= today), None)
    if known is None:
        message = f"{message} It can be told from {later(since, 1)} on, of a month, and from {later(since, months)} on of {months}."
        return (Fault(message, parameter="on"),)
    day = Fault(f"{message} Expected a day since then.", parameter="on", suggestion=since.isoformat())
    if known == months:
        return (day,)
    fewer = f"Expected at most {known}: that many have passed since {since}."
    return day, Fault(fewer, parameter="months", suggestion=str(known))


async def _before(
    db: Reader,
    workspace: Workspace,
    of: Segmentation,
    row: Record,
    asked: Question,
    begins: datetime | None,
    now: datetime,
) -> tuple[dict[str, Outcomes] | None, str | None]:
    """What had come, by the day, of the accounts as they stood so many months earlier; None, and why, where that is not
    known."""
    day = later(asked.span.day, -asked.months)
    span = Span(day, past(day.isoformat(), workspace, now)[1], asked.span.day)
    try:
        stood, _ = await _stood(db, workspace, of, row, span, asked.months, begins, now)
    except Invalid as unknown:
        return None, unknown.detail
    told = await rows.scored(db, workspace, span, asked.outcome, stood.by or row["id"], stood.read)
    segments = {name: _outcomes(one) for name, one in told["segments"].items()}
    if sum(one.n for one in segments.values()) < LEAST:
        return None, f"Fewer than {LEAST} accounts were there on {day} to learn rates from."
    return segments, None


# -- what comes of it --------------------------------------------------------------------------------------------------


def _judged(
    of: Segmentation, row: Record, asked: Question, segments: Mapping[str, Outcomes], losses: Sequence[Any],
    rivals: Sequence[Rival], before: Mapping[str, Outcomes] | None, axes: Sequence[Cut],
) -> Judged:  # fmt: skip
    enough = {name: one for name, one in segments.items() if one.n >= LEAST}
    times = log_rank({name: one.n for name, one in enough.items()}, [tuple(one) for one in losses])
    tests: dict[str, Effect | LogRank | None] = {"outcome": separated(enough), "money": money(segments), "times": times}
    effects = [separated(one.levels) for one in rivals]
    every = [*tests.values(), *effects]
    qs = iter(benjamini_hochberg([one.p for one in every if one is not None]))
    q = [None if one is None else next(qs) for one in every]
    held = dict(zip(tests, zip(tests.values(), q, strict=False), strict=True))
    ranked = [None if one.rho is None else correlation(one.rho, one.known) for one in rivals]
    learnt = None if before is None else skill({n: one for n, one in before.items() if n in enough}, enough)
    steady = stability(axes, SEED)
    coupled = any(one.field in ("arr", "mrr") for one in rivals)
    main, main_q = held["money" if asked.outcome == "nrr" and not coupled else "outcome"]
    growth = next((rho for one, rho in zip(rivals, ranked, strict=True) if one.field == GROWTH), None)
    grows = any(axis.field == GROWTH for axis in of.axes) or any(one.field == GROWTH for one in rivals)
    worth = information(enough)
    known = names(row)
    small = {known.get(name, plain(name)): one.n for name, one in segments.items() if one.n < LEAST and name != of.rest}
    evidence = Evidence(
        asked.outcome, small, len(enough), main.size if isinstance(main, Effect) else None, main_q, worth, learnt, steady,
        growth, grows, coupled,
    )  # fmt: skip
    told = tuple(zip(rivals, effects, q[len(tests) :], ranked, strict=True))
    return Judged(held, worth, learnt, steady, told, sum(one is not None for one in every), verdict(evidence))


def _outcomes(told: Mapping[str, Any]) -> Outcomes:
    return Outcomes(
        told["n"], told["hits"], Ranked(told["known"], told["ranks"]), told["had"], told["has"], told["ties"]
    )


def _rival(field: str, told: Mapping[str, Any]) -> Rival:
    return Rival(field, {level: _outcomes(one) for level, one in told["levels"].items()}, told["rho"], told["known"])
