"""Where an account stands in every segmentation, where it stood on a past day, and how it came there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.errors import Fault, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.domain.segmentation.hysteresis import span
from app.domain.workspaces import Workspace, clock
from app.persistence import memberships as rows
from app.persistence.database import Reader, Record
from app.services.asks import Ask, frame
from app.services.segmentation_documents import Day, found, instant, names, of_days, plain

READ = "criteria.read"


def past(on: str, workspace: Workspace, now: datetime) -> tuple[str, datetime]:
    """A day as it was told, and its last moment, which is not after now. Raises Invalid for what is none, or is to come."""
    moment = frame(Ask("accounts", on=on), workspace, days=True).on
    assert moment is not None, "a day was told"
    if moment.astimezone(workspace.zone).date() > clock(workspace, now).today:
        raise Invalid(faults=(Fault("Expected a day that has been, or today.", parameter="on"),))
    return on, min(now, moment)


async def standing(
    db: Reader, principal: Principal, account_id: UUID, now: datetime, on: str | None = None
) -> list[dict[str, Any]]:
    """Where an account stands in each segmentation, since when, why it came there, and who pinned it; with `on` where it
    stood at the end of that day. Raises NotFound, Invalid."""
    permit(principal, READ)
    workspace = principal.workspace
    if on is None:
        listed = await rows.standing(db, workspace.id, account_id, now)
    else:
        listed = await rows.stood(db, workspace.id, account_id, past(on, workspace, now)[1])
    if listed is None:
        raise NotFound
    days = [] if on is None else [past(on, workspace, now)]
    return [_stands(row, workspace, now, days) for row in listed]


async def history(
    db: Reader, principal: Principal, account_id: UUID, slug: str, before: datetime | None, limit: int
) -> tuple[list[dict[str, Any]], list[tuple[datetime]], bool]:
    """The segments that an account stood in, the latest first, `to` null where it stands there still; the key of each, which
    the next page begins after; and whether there is one. Raises NotFound."""
    permit(principal, READ)
    row = await found(db, principal.workspace.id, slug)
    listed = await rows.history(db, principal.workspace.id, row["id"], account_id, before, limit + 1)
    if listed is None:
        raise NotFound
    known, page = names(row), listed[:limit]
    entries = [
        {
            "segment": one["segment"], "segment_name": known.get(one["segment"], plain(one["segment"])),
            "from": instant(one["from_at"]), "to": instant(one["to_at"]), "reason": one["reason"],
        }
        for one in page
    ]  # fmt: skip
    return entries, [(one["from_at"],) for one in page], len(listed) > limit


def _stands(row: Record, workspace: Workspace, now: datetime, days: Sequence[Day]) -> dict[str, Any]:
    segment, known = row["segment"], names(row)
    return {
        "segmentation": row["slug"], "name": row["name"], "segment": segment,
        "segment_name": None if segment is None else known.get(segment, plain(segment)),
        "since": instant(row["since"]), "reason": row["reason"], "pin": _pin(row), "pending": pending(row, known),
        **of_days(row, workspace, now, days),
    }  # fmt: skip


def pending(row: Record, known: Mapping[str, str]) -> dict[str, Any] | None:
    """Where the criteria put an account that stands elsewhere, what keeps it (`pin`, `band`, `confirmation`) and, where its
    move waits to be confirmed, since when and until when; None where it stands as they say."""
    if row["rule"] is None:
        return None
    since, confirm = row["pending_since"], None if row["confirm"] is None else span(row["confirm"])
    moves_at = None if since is None or confirm is None else since + confirm
    return {
        "segment": row["rule"], "segment_name": known.get(row["rule"], plain(row["rule"])), "held_by": row["held"],
        "since": instant(since), "moves_at": instant(moves_at),
    }  # fmt: skip


def _pin(row: Record) -> dict[str, Any] | None:
    if row["pin_segment"] is None:
        return None
    return {
        "segment": row["pin_segment"], "reason": row["pin_reason"], "author_id": row["pin_author_id"],
        "pinned_at": instant(row["pinned_at"]), "expires_at": instant(row["expires_at"]),
    }  # fmt: skip
