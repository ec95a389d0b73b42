"""Reading the audit: what was done and refused, newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.domain import records
from app.domain.audit import OUTCOMES, Outcome
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
from app.domain.records import MisfitError
from app.domain.roles import Principal, permit
from app.persistence import audit
from app.persistence.audit import Wanted
from app.persistence.database import Reader, Record
from app.services import cursors

FILTERS = ("from", "to", "actor", "operation", "entity", "id", "outcome")
"""What a reader may ask by, all of it at once."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Entries as they are answered. `next` is the cursor of the page behind, None on the last one."""

    entries: list[dict[str, Any]]
    next: str | None
    limit: int
    cursor: Callable[[Mapping[str, Any]], str]
    """The cursor behind an entry."""


async def page(
    db: Reader, principal: Principal, told: Mapping[str, str], now: datetime, *, secret: bytes,
    limit: int = DEFAULT_LIMIT, cursor: str | None = None,
) -> Page:  # fmt: skip
    """A page of what was done and refused in the workspace. `told`: FILTERS as text; `from` is part of it, `to` is not,
    days begin in the workspace's zone. One statement. Raises Forbidden, Invalid, Unreadable for a cursor of another
    question."""
    permit(principal, "audit.read")
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(faults=(Fault(f"Expected a whole number from 1 to {MAX_LIMIT:,}.", parameter="limit"),))
    workspace = principal.workspace
    wanted = _wanted(told, workspace.zone)
    bound = repr(("audit", workspace.id, sorted(told.items()))).encode()
    after = None
    if cursor is not None:
        after = cast(tuple[datetime, UUID], cursors.unseal(secret, bound, cursor)[1])

    def place(entry: Mapping[str, Any]) -> str:
        return cursors.seal(secret, bound, now, (entry["at"], entry["id"]))

    rows = await audit.page(db, workspace.id, wanted, after, limit + 1)
    entries = [_shown(row) for row in rows[:limit]]
    return Page(entries, place(entries[-1]) if len(rows) > limit else None, limit, place)


def _shown(row: Record) -> dict[str, Any]:
    """An entry. `before` and `after` hold the members that changed: None where the thing was made, or is gone."""
    return {
        "id": row["id"], "at": row["at"], "outcome": row["outcome"], "reason": row["reason"], "door": row["door"],
        "request_id": row["request_id"], "actor_id": row["actor_id"], "actor_name": row["actor_name"],
        "role": row["role"], "credential_id": row["credential_id"], "operation": row["operation"],
        "entity": row["entity"], "entity_id": row["entity_id"], "before": _raw(row["before"]),
        "after": _raw(row["after"]), "times": row["times"],
    }  # fmt: skip


def _raw(told: bytes | None) -> msgspec.Raw | None:
    return None if told is None else msgspec.Raw(told)


def _wanted(told: Mapping[str, str], zone: ZoneInfo) -> Wanted:
    faults: list[Fault] = []

    def read(name: str, reader: Callable[[str], T]) -> T | None:
        try:
            return reader(told[name]) if name in told else None
        except MisfitError as misfit:
            faults.append(misfit.fault(parameter=name))
            return None

    wanted = Wanted(
        read("from", lambda text: _moment(text, zone)), read("to", lambda text: _moment(text, zone)),
        read("actor", records.identity), read("operation", _word), read("entity", _word), read("id", records.identity),
        read("outcome", _outcome),
    )  # fmt: skip
    if faults:
        raise Invalid(faults=tuple(faults))
    return wanted


def _moment(told: str, zone: ZoneInfo) -> datetime:
    """An instant, or the beginning of a day."""
    try:
        if records.DAY.fullmatch(told):
            return datetime.combine(records.day(told), time(), zone).astimezone(UTC)
        return records.instant(told)
    except (OverflowError, MisfitError):
        raise MisfitError("a day or an instant, as in 2026-01-31 or 2026-01-31T10:00:00Z") from None


def _word(told: str) -> str:
    return records.text(told, 100)


def _outcome(told: str) -> Outcome:
    for outcome in OUTCOMES:
        if outcome == told:
            return outcome
    raise MisfitError(f"one of {', '.join(OUTCOMES)}", nearest(told, OUTCOMES))
