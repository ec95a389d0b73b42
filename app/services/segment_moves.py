"""What moved between the segments of a segmentation from one day to another: as a matrix, by account, as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.pictures.flow import Flow, Side, Stream, flow
from app.domain.pictures.svg import MONTHS, REST
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace, clock
from app.persistence import segment_moves as rows
from app.persistence import versions
from app.persistence.database import Reader, Record
from app.persistence.segment_moves import Key
from app.services.aside import aside
from app.services.memberships import past
from app.services.segment_states import words
from app.services.segmentation_documents import Day, found, instant, names, of_days, plain, unknown

READ = "segmentations.read"
USUAL = timedelta(days=30)
"""How far back the first day is where none is told."""
UNKNOWN = "unknown"
"""What `was` says for whoever was there on the first day, and it is not known where; a segment of this slug goes before."""


@dataclass(frozen=True, slots=True)
class Between:
    """Two days, the end of each, and the segmentation asked about."""

    row: Record
    days: tuple[str, str]
    moments: tuple[datetime, datetime]

    @property
    def told(self) -> list[Day]:
        """Both days, each with its last moment."""
        return list(zip(self.days, self.moments, strict=True))

    @property
    def span(self) -> tuple[datetime, datetime, datetime]:
        """Both moments, and when the history begins."""
        return *self.moments, self.row["created_at"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A page of who moved; the key of each, which the next page begins after; whether there is one; and since when is known
    where accounts stood: `history_begins`, with a `detail` where a day lies before."""

    data: list[dict[str, Any]]
    keys: list[Key]
    more: bool
    history: dict[str, Any]


async def matrix(
    db: Reader, principal: Principal, slug: str, now: datetime, since: str | None, until: str | None
) -> dict[str, Any]:
    """From where accounts stood at the end of one day to where at the end of another, in accounts and today's ARR: `flow`
    with those that stayed, null for who was not there, or was and `unknown` is where, as the history only begins later;
    `segments` as they stood on both days; and the sums, which add up: before is stayed, moved and left, after is stayed,
    moved, entered and unknown.

    `until` is today where it is None, `since` 30 days before it; days are those of the workspace's zone. Raises NotFound,
    Invalid.
    """
    permit(principal, READ)
    workspace = principal.workspace
    asked = await _between(db, workspace, slug, now, since, until)
    listed = await rows.flow(db, workspace.id, asked.row["id"], *asked.span)
    name = _named(asked.row)
    return {
        "slug": slug, "name": asked.row["name"], "from": asked.days[0], "to": asked.days[1],
        "flow": [
            {"was": r["was"], "was_name": name(r["was"]), "becomes": r["becomes"], "becomes_name": name(r["becomes"]), "unknown": r["unknown"],
             **_sum([r], workspace)}
            for r in listed
        ],
        "segments": [
            {"slug": one, "name": name(one),
             "before": _sum((r for r in listed if r["was"] == one), workspace),
             "after": _sum((r for r in listed if r["becomes"] == one), workspace)}
            for one in _segments(asked.row, listed)
        ],
        "before": _sum((r for r in listed if r["was"] is not None), workspace),
        "after": _sum((r for r in listed if r["becomes"] is not None), workspace),
        "stayed": _sum((r for r in listed if r["was"] == r["becomes"]), workspace),
        "moved": _sum((r for r in listed if None not in (r["was"], r["becomes"]) and r["was"] != r["becomes"]), workspace),
        "entered": _sum((r for r in listed if r["was"] is None and not r["unknown"]), workspace),
        "unknown": _sum((r for r in listed if r["unknown"]), workspace),
        "left": _sum((r for r in listed if r["becomes"] is None), workspace),
        "version": asked.row["version"], **of_days(asked.row, workspace, now, asked.told),
    }  # fmt: skip


async def accounts(
    db: Reader,
    principal: Principal,
    slug: str,
    now: datetime,
    told: Mapping[str, str | None],
    after: Key | None,
    limit: int,
) -> Moved:
    """Who moved, entered or left, those with the most ARR first, with the moves in between and their reasons. `told`: `from` and `to` as in `matrix`, and `was` and
    `becomes`, which narrow it to those of a segment; where `was` is UNKNOWN, it is of whom it is not known where they stood, and who did not move. Raises NotFound, Invalid."""
    permit(principal, READ)
    workspace = principal.workspace
    asked = await _between(db, workspace, slug, now, told.get("from"), told.get("to"))
    unsaid = told.get("was") == UNKNOWN and UNKNOWN not in names(asked.row)
    was, becomes = None if unsaid else told.get("was"), told.get("becomes")
    await _known(db, workspace, asked.row, {"was": was, "becomes": becomes})
    listed = await rows.moved(
        db, workspace.id, asked.row["id"], *asked.span, was, becomes, after, limit + 1, unknown=unsaid
    )
    page, name = listed[:limit], _named(asked.row)
    history = {"history_begins": instant(asked.row["created_at"]), "detail": unknown(asked.row, workspace, asked.told)}
    return Moved(
        [_moved(r, name, workspace) for r in page], [(r["arr"], r["id"]) for r in page], len(listed) > limit, history
    )


async def chart(
    db: Reader, principal: Principal, slug: str, now: datetime, since: str | None, until: str | None
) -> str:
    """The flow as SVG text. Raises NotFound, Invalid."""
    permit(principal, READ)
    workspace = principal.workspace
    asked = await _between(db, workspace, slug, now, since, until)
    listed = await rows.flow(db, workspace.id, asked.row["id"], *asked.span)
    name = _named(asked.row)
    cases = {case["slug"]: case.get("colour") for case in msgspec.json.decode(asked.row["segments"])}
    colours = {asked.row["rest"]: REST, **cases}
    sides = [Side(one, name(one) or one, colours.get(one)) for one in _segments(asked.row, listed)]
    # Of whom it is not known where they stood, nothing flows: they are in the note.
    known = [r for r in listed if not r["unknown"]]
    streams = [Stream(r["was"], r["becomes"], r["accounts"], float(workspace.major(r["arr"]))) for r in known]
    before, after = (_spelled(day) for day in asked.days)
    picture = Flow(
        asked.row["name"], workspace.currency, before, after, sides, streams, _note(asked, listed, workspace, now)
    )
    return await aside(lambda: flow(picture))


async def _known(db: Reader, workspace: Workspace, row: Record, told: Mapping[str, str | None]) -> None:
    """Raises Invalid for what is no segment, of this version or an earlier one."""
    wrong = {parameter: slug for parameter, slug in told.items() if slug is not None and slug not in names(row)}
    earlier = await versions.slugs(db, workspace.id, row["id"]) if wrong else []
    known = dict.fromkeys((*names(row), *earlier))
    message = "Expected the slug of a segment of it, of this version or an earlier one."
    faults = [
        Fault(message, parameter=parameter, suggestion=nearest(slug, known))
        for parameter, slug in wrong.items()
        if slug not in known
    ]
    if faults:
        raise Invalid(faults=tuple(faults))


async def _between(
    db: Reader, workspace: Workspace, slug: str, now: datetime, since: str | None, until: str | None
) -> Between:
    row = await found(db, workspace.id, slug)
    today = clock(workspace, now).today.isoformat()
    last = _day("to", until if until is not None else today, workspace, now)
    usual = (date.fromisoformat(last[0]) - USUAL).isoformat()
    first = _day("from", since if since is not None else usual, workspace, now)
    if first[1] > last[1]:
        raise Invalid(faults=(Fault("Expected a day that is not after `to`.", parameter="from"),))
    return Between(row, (first[0], last[0]), (first[1], last[1]))


def _day(parameter: str, told: str, workspace: Workspace, now: datetime) -> tuple[str, datetime]:
    try:
        return past(told, workspace, now)
    except Invalid as error:
        faults = tuple(Fault(fault.message, parameter=parameter, suggestion=fault.suggestion) for fault in error.faults)
        raise Invalid(faults=faults) from None


def _named(row: Record) -> Callable[[str | None], str | None]:
    known = names(row)
    return lambda slug: None if slug is None else known.get(slug, plain(slug))


def _segments(row: Record, listed: Iterable[Record]) -> list[str]:
    """The segments in their order; those that are no more come last."""
    stood = {slug for one in listed for slug in (one["was"], one["becomes"]) if slug is not None}
    return [*dict.fromkeys((*names(row), *sorted(stood)))]


def _sum(listed: Iterable[Record], workspace: Workspace) -> dict[str, Any]:
    every = [*listed]
    return {"accounts": sum(r["accounts"] for r in every), "arr": workspace.major(sum(r["arr"] for r in every))}


def _moved(row: Record, name: Callable[[str | None], str | None], workspace: Workspace) -> dict[str, Any]:
    events = [
        {"at": _instant(one["at"]), "was": one["was"], "segment": one["segment"], "segment_name": name(one["segment"]),
         "reason": one["reason"]}
        for one in msgspec.json.decode(row["events"])
    ]  # fmt: skip
    return {
        "id": row["id"], "external_id": row["external_id"], "name": row["name"], "arr": workspace.major(row["arr"]),
        "was": row["was"], "was_name": name(row["was"]), "becomes": row["becomes"], "becomes_name": name(row["becomes"]),
        "created_at": instant(row["created_at"]), "archived_at": instant(row["archived_at"]), "events": events,
    }  # fmt: skip


def _instant(told: str) -> str | None:
    return instant(datetime.fromisoformat(told))


def _spelled(day: str) -> str:
    one = date.fromisoformat(day)
    return f"{one.day} {MONTHS[one.month - 1]} {one.year}"


def _note(asked: Between, listed: Iterable[Record], workspace: Workspace, now: datetime) -> str:
    lost = sum(r["accounts"] for r in listed if r["unknown"])
    said = unknown(asked.row, workspace, asked.told)
    left_out = f"{lost:,} that stood somewhere by then {'is' if lost == 1 else 'are'} left out." if lost else None
    return " ".join(filter(None, (words(asked.row, workspace, now), "ARR as it is now.", said, left_out)))
