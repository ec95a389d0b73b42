"""Segmentations as documents: what they say, what they were cut at, and how far their members can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.domain.criteria import text, tree
from app.domain.criteria.nodes import Cmp, Const, Path
from app.domain.errors import NotFound
from app.domain.segmentation import books
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.bodies import again, axes_of
from app.domain.segmentation.cuts import Book, Frozen, loaded
from app.domain.segmentation.kinds import MAKING, definition
from app.domain.segmentation.model import Segmentation
from app.domain.segmentation.presets import ENOUGH
from app.domain.segmentation.squeezed import warned
from app.domain.values import UNSTORABLE
from app.domain.workspaces import Workspace, clock
from app.persistence import segments as kept
from app.persistence.database import Reader, Record

LATE = timedelta(minutes=5)
"""From when on members that time moves are stale: it is followed each minute."""
ASKED = "That is done each minute: is a worker running?"
SHOWN_BOOKS = 50
"""Books whose cuts an answer tells."""
AUDITED = ("slug", "name", "kind", "spec", "segments", "rest", "refreeze", "band", "confirm", "cuts", "version")


def document(row: Record, workspace: Workspace, now: datetime) -> dict[str, Any]:
    """A stored segmentation as it is answered, its `definition` as `put` takes it; encode Decimals as numbers. A segment's
    `filter` finds who stands in it, however they came."""
    slug, told = row["slug"], defined(row, row["slug"])
    segments = [{**one, "filter": text.format(_stands(slug, one["slug"]))} for one in told["segments"]]
    return {
        "id": row["id"], "slug": slug, **told, "segments": segments, **computed(row, workspace, now), "definition": definition(stood(row)), "version": row["version"],
        "history_begins": instant(row["created_at"]),
        "created_at": instant(row["created_at"]), "updated_at": instant(row["updated_at"]),
    }  # fmt: skip


def defined(row: Record, slug: str) -> dict[str, Any]:
    """What a stored segmentation, or a version of it, says and was cut at."""
    kind, spec = row["kind"], msgspec.json.decode(row["spec"])
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    within = books.of(axes_of(kind, spec), cuts)
    return {
        "name": row["name"], "kind": kind, "spec": spec,
        "segments": [_segment(kind, case, slug, within) for case in msgspec.json.decode(row["segments"])], "rest": row["rest"],
        "refreeze": row["refreeze"], "band": row["band"], "confirm": row["confirm"], "cuts": shown_cuts(kind, spec, cuts),
    }  # fmt: skip


def audited(row: Record | None) -> dict[str, Any] | None:
    """What a definition says and what it was cut at, for the audit: cuts may be others though it says the same."""
    if row is None:
        return None
    shown = {"slug": row["slug"], "version": row["version"], **defined(row, row["slug"])}
    return {name: shown[name] for name in AUDITED}


def computed(row: Record, workspace: Workspace, now: datetime) -> dict[str, Any]:
    """How far members can be trusted. `broken`: it means nothing any more; `degraded`: computing it failed, and for both
    `detail` says why and members are those of the last time; `computing`: cuts are being taken anew; `stale`: its day, or
    what time moved, was not yet followed, which `detail` says; else `fresh`. `as_of`: a moment that members are right for, never
    earlier than the last move where it is fresh; else up to when time was followed, or when all were placed. `computed_at`:
    when all were last placed, each night at least. `checked_at`: when members were last compared with a full evaluation, and
    how many then had `drifted` from it, and were mended."""
    behind = None if row["state"] != "ok" else _behind(row, workspace, now)
    state = row["state"] if row["state"] != "ok" else "fresh" if behind is None else "stale"
    return {
        "state": state,
        "detail": row["detail"] or behind or _uncut(row) or _starting(row) or _squeezed(row),
        "computed_at": instant(row["computed_at"]),
        "as_of": instant(_right(row, fresh=state == "fresh")),
        "checked_at": instant(row["checked_at"]),
        "drifted": row["drifted"],
    }


def is_fresh(row: Record, workspace: Workspace, now: datetime) -> bool:
    """Whether members are right for now, as `computed` has it."""
    return row["state"] == "ok" and _behind(row, workspace, now) is None


def _behind(row: Record, workspace: Workspace, now: datetime) -> str | None:
    """What is said where time moved on and nobody followed it; None where it was followed."""
    if workspace.facts_day < (today := clock(workspace, now).today):
        return f"Time was last followed on {workspace.facts_day}, and it is {today}. {ASKED}"
    if row["as_of"] is not None and now - row["as_of"] > LATE:
        return f"Time was last followed at {_second(row['as_of'])}. {ASKED}"
    if row["due_at"] is not None and now - row["due_at"] > LATE:
        return f"A pin or a confirmation ended at {_second(row['due_at'])}, which was not yet followed. {ASKED}"
    return None


def _right(row: Record, *, fresh: bool) -> datetime:
    """The moment that members are right for."""
    followed: datetime = row["as_of"] or row["computed_at"]
    if fresh:
        return max(followed, row["moved_at"] or followed)
    return followed if row["due_at"] is None else min(followed, row["due_at"])


def _second(at: datetime) -> str | None:
    return instant(at.replace(microsecond=0))


Day = tuple[str, datetime]
"""A past day as it was told, and its last moment."""


def of_days(row: Record, workspace: Workspace, now: datetime, days: Sequence[Day]) -> dict[str, Any]:
    """What `computed` says, and since when it is known where accounts stood: `history_begins`; `detail` says which of the days
    lie before."""
    told = computed(row, workspace, now)
    said = [unknown(row, workspace, days), told["detail"]]
    return {**told, "detail": " ".join(filter(None, said)) or None, "history_begins": instant(row["created_at"])}


def unknown(row: Record, workspace: Workspace, days: Sequence[Day]) -> str | None:
    """What is said of days before there was such a segmentation; None where its history reaches all of them."""
    before = list(dict.fromkeys(day for day, moment in days if moment < row["created_at"]))
    if not before:
        return None
    begins = row["created_at"].astimezone(workspace.zone).date().isoformat()
    return (
        f"The history of {row['slug']} begins on {begins}: where accounts stood on {' and '.join(before)} is not known."
    )


def _starting(row: Record) -> str | None:
    """What is said of cuts that a workspace began with."""
    if "cuts" not in row.keys():  # noqa: SIM118 - a row of the driver holds its values
        return None
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    fields = [axis.field for axis, frozen in zip(axes, cuts, strict=True) if frozen.starting]
    if not fields:
        return None
    return (
        f"Cuts of {' and '.join(fields)} are starting values, of no account: they are taken from yours at the end of the first "
        f"import after which {ENOUGH} have the value, or when a preset is put."
    )


def _uncut(row: Record) -> str | None:
    """What is said where no account had a value when cuts were taken."""
    if "cuts" not in row.keys():  # noqa: SIM118 - a row of the driver holds its values
        return None
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    fields = [axis.field for axis, frozen in zip(axes, cuts, strict=True) if not frozen.at and not frozen.books]
    if not fields:
        return None
    return f"No account had {' or '.join(fields)} when cuts were taken: put it again once some have, or say when to refreeze."


def _squeezed(row: Record) -> str | None:
    """What is said of cuts that lie closer together than the band."""
    if "cuts" not in row.keys() or row["kind"] not in ("bands", "matrix"):  # noqa: SIM118 - a row of the driver holds its values
        return None
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    return warned(axes, loaded(msgspec.json.decode(row["cuts"])), row["band"])


def _segment(kind: Any, case: Mapping[str, Any], slug: str, within: books.Books) -> dict[str, Any]:
    """`criteria` are its own: whom an earlier segment takes stands there. Where they cannot say the cuts of all books they ask
    for who stands in it, and `detail` says so."""
    said = books.spelt(text.parse(case["criteria"]), within)
    told = _stands(slug, case["slug"]) if said is None else said
    criteria = {"text": text.format(told), "tree": tree.dump(told)}
    own = {name: case[name] for name in MAKING[kind].own if name in case and name != "criteria"}
    return {"slug": case["slug"], "name": case["name"], **own, "criteria": criteria,
            "detail": _unsaid(within) if said is None else None,
            "engagement": case.get("engagement"), "colour": case.get("colour")}  # fmt: skip


def _stands(slug: str, segment: str) -> Cmp:
    return Cmp(Path(f"segment.{slug}"), "eq", Const(segment))


def _unsaid(within: books.Books) -> str:
    kinds = dict.fromkeys(axis.cuts.within for axis, _ in within)
    count = len({key for _, frozen in within for key in frozen.books})
    return (
        f"Cut within each {' and '.join(map(str, kinds))}: the cuts of {count} books are more than criteria can say. Its criteria ask "
        "for those who stand in it today, pinned ones too."
    )


def shown_cuts(kind: Any, spec: Mapping[str, Any], cuts: Sequence[Frozen]) -> list[dict[str, Any]]:
    """What each axis is cut at, as numbers; money in major units. Of books the first SHOWN_BOOKS. `from`: the `definition` says
    so, taken from the `data`, or what the workspace began with at its `start`. `taken`: for each cut whether it was taken
    with this very version."""
    return [
        {
            "field": axis.field, "at": list(frozen.at), "frozen_at": frozen.frozen_at.isoformat(), "accounts": frozen.accounts,
            "from": "start" if frozen.starting else "definition" if frozen.accounts is None else "data", "taken": _taken(axis, frozen),
            "within": axis.cuts.within, "books": [_book(key, book) for key, book in [*frozen.books.items()][:SHOWN_BOOKS]],
        }
        for axis, frozen in zip(axes_of(kind, spec), cuts, strict=True)
    ]  # fmt: skip


def _taken(axis: Axis, frozen: Frozen) -> list[bool]:
    if frozen.kept or not (frozen.at or frozen.books):
        return [not kept for kept in frozen.kept]
    return [frozen.accounts is not None] * axis.cuts.count


def _book(key: str, book: Book) -> dict[str, Any]:
    return {"book": key, "at": list(book.at), "accounts": book.accounts}


def instant(at: datetime | None) -> str | None:
    """As answers have it."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def names(row: Record) -> dict[str, str]:
    """What segments are called, by slug, the rest included."""
    known = {case["slug"]: case["name"] for case in msgspec.json.decode(row["segments"])}
    return {**known, row["rest"]: known.get(row["rest"], plain(row["rest"]))}


def plain(slug: str) -> str:
    """A name for what has none: the rest, and segments of earlier versions."""
    return slug.replace("_", " ").replace("-", " ").capitalize()


def stood(row: Record) -> Segmentation:
    """A stored segmentation, read again."""
    return again({**dict(row), **{name: msgspec.json.decode(row[name]) for name in ("spec", "segments")}})


async def found(db: Reader, workspace_id: UUID, slug: str) -> Record:
    """The stored segmentation. Raises NotFound."""
    row = None if UNSTORABLE.search(slug) else await kept.one(db, workspace_id, slug)
    if row is None:
        raise NotFound("There is no such segmentation in this workspace.")
    return row
