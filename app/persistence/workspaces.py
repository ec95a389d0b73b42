"""Workspaces: their settings and names, read in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.domain import score_bodies
from app.domain.calendars import FiscalCalendar, FiscalPeriod, calendar
from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.workspaces import SegmentationName, StageRule, Workspace
from app.persistence.database import Reader, Record, Transaction

SETTINGS = (
    "slug", "name", "currency", "minor_digits", "zone", "week_start", "fiscal_month", "health_yellow", "health_green",
    "arr_per_csm", "hours_per_csm", "facts_day", "version", "scores", "scores_version",
)  # fmt: skip
KNOWN = ("segmentations", "attributes", "periods", "stages")
"""What is read of a workspace beside its settings."""
CALENDARS = 256
"""Calendars that are not read again while their rows stay the same."""
KEPT = 256
"""Workspaces that are not read again while none of their rows was written."""
_current: dict[UUID, tuple[tuple[str | None, ...] | None, Workspace]] = {}
_PERIODS = msgspec.json.Decoder(list[tuple[int, int, int, date, date]])

INSERT_STAGES = """
INSERT INTO stages (workspace_id, id, name, slug, position, created_at, updated_at)
SELECT $1, s.id, s.name, s.slug, s.position, $6, $6
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::integer[]) AS s(id, name, slug, position)
"""


def columns(workspace: str) -> str:
    """The select list of a workspace `w` with its segmentations, attributes, fiscal periods and stages; `workspace`
    is its id, as SQL."""
    return f"""w.id AS workspace_id, {", ".join(f"w.{name} AS workspace_{name}" for name in SETTINGS)},
    (SELECT json_agg(json_build_object('id', s.id, 'slug', s.slug, 'rest', s.rest, 'version', s.version, 'at', s.updated_at, 'state', s.state,
        'segments', jsonb_path_query_array(s.segments, '$[*].slug')) ORDER BY s.slug)
     FROM segmentations s WHERE s.workspace_id = {workspace}) AS workspace_segmentations,
    (SELECT json_agg(json_build_object('entity', t.entity, 'slug', t.slug, 'type', t.type, 'values', t.values,
        'required', t.is_required, 'unique', t.is_unique, 'key', t.key, 'retired', t.retired_at IS NOT NULL,
        'indexed', t.is_promoted AND t.index_state = 'ready') ORDER BY t.entity, t.slug)
     FROM attributes t WHERE t.workspace_id = {workspace}) AS workspace_attributes,
    (SELECT json_agg(json_build_array(p.year, p.quarter, p.period, p.start_date, p.end_date) ORDER BY p.start_date)
     FROM fiscal_periods p WHERE p.workspace_id = {workspace}) AS workspace_periods,
    (SELECT json_agg(json_build_array(g.slug, g.entry, g.leaves_after_days) ORDER BY g.position, g.slug)
     FROM stages g WHERE g.workspace_id = {workspace}) AS workspace_stages"""


def _amounts() -> str:
    """Whether any table has an amount, one look per table."""
    looks = [
        f"EXISTS (SELECT FROM {entity.name} x WHERE x.workspace_id = $1 AND ({' OR '.join(f'x.{c} <> 0' for c in columns)}))"
        for entity in ENTITIES.values()
        if (columns := _money(entity))
    ]
    looks += [
        f"EXISTS (SELECT FROM {name} x WHERE x.workspace_id = $1 AND x.custom ?| ${n}::text[])"
        for n, name in enumerate(("accounts", "contacts"), 2)
    ]
    return f"SELECT {' OR '.join(looks)} OR EXISTS (SELECT FROM forecasts x WHERE x.workspace_id = $1)"


def _money(entity: Entity) -> list[str]:
    """The columns that hold money, those set by hand beside related records among them."""
    fields = [field for field in entity.fields.values() if field.kind == "money"]
    by_hand = [f"{field.name}_by_hand" for field in fields if field.fallback and entity.name == "accounts"]
    return [*(field.column for field in fields), *by_hand]


HAS_AMOUNTS = _amounts()
LOAD = f"SELECT {columns('$1')} FROM workspaces w WHERE w.id = $1"
# Who wrote each row that a workspace is made of, and where it lies: of another version of it, one of them is another.
MARKS = f"""SELECT w.xmin::text || w.ctid::text, {
    ", ".join(
        f"(SELECT string_agg(x.xmin::text || x.ctid::text, '') FROM {name} x WHERE x.workspace_id = $1)"
        for name in ("segmentations", "attributes", "fiscal_periods", "stages")
    )
} FROM workspaces w WHERE w.id = $1"""
FIND = "SELECT id FROM workspaces WHERE slug = $1"
ARE_THERE = "SELECT EXISTS (SELECT 1 FROM workspaces)"
HOLD = "SELECT version FROM workspaces WHERE id = $1 FOR NO KEY UPDATE"
# The locks on the row are what counts. Those who may share it would keep out for ever whoever wants it alone: the
# advisory lock, which holds on one node only, has them wait in turn.
SHARE = "SELECT pg_advisory_xact_lock_shared($2) FROM workspaces WHERE id = $1 FOR KEY SHARE"
TURN = "SELECT pg_advisory_xact_lock($1)"
SEAL = "SELECT FROM workspaces WHERE id = $1 FOR UPDATE"


async def load(reader: Reader, workspace_id: UUID) -> Workspace:
    """The workspace with its segmentations. Raises LookupError where there is none."""
    row = await reader.fetchrow(LOAD, workspace_id, point=True)
    if row is None:
        raise LookupError(f"no workspace {workspace_id}")
    return made(row)


async def current(tx: Transaction, workspace_id: UUID) -> Workspace:
    """The same as `load` gives, as often as something is written: it is read anew where any row of it is another version.
    Raises LookupError."""
    row = await tx.fetchrow(MARKS, workspace_id)
    marks = None if row is None else tuple(row)
    known = _current.get(workspace_id)
    if known is not None and known[0] == marks:
        return known[1]
    found = await load(tx, workspace_id)
    if len(_current) >= KEPT:
        _current.clear()
    _current[workspace_id] = (marks, found)
    return found


async def find(reader: Reader, slug: str) -> UUID | None:
    """The id of the workspace of this slug."""
    found: UUID | None = await reader.fetchval(FIND, slug, point=True)
    return found


async def are_there(reader: Reader) -> bool:
    """Whether there is any workspace."""
    return bool(await reader.fetchval(ARE_THERE, point=True))


def made(row: Record) -> Workspace:
    """A workspace from a row of `columns`."""
    given = {name: row[f"workspace_{name}"] for name in SETTINGS}
    segmentations, attributes, periods, stages = (row[f"workspace_{name}"] for name in KNOWN)
    told = repr((row["workspace_id"], given, segmentations, attributes, periods, stages))
    epoch = blake2b(told.encode(), digest_size=12).hexdigest()
    given["zone"] = ZoneInfo(given["zone"])
    given["scores"] = score_bodies.loaded(given["scores"])
    rules = _rules(stages) if stages else ()
    own = msgspec.json.decode(attributes) if attributes else []
    return Workspace(
        id=row["workspace_id"],
        segmentations=_segmentations(segmentations),
        attributes={(one["entity"], one["slug"]): _field(one) for one in own if not one["retired"]},
        retired=frozenset((one["entity"], one["slug"]) for one in own if one["retired"]),
        stages=tuple(one.slug for one in rules),
        rules=rules if any(one.entry is not None or one.leaves_after_days is not None for one in rules) else (),
        calendar=_calendar(periods) if periods else None,
        epoch=epoch,
        **given,
    )


async def insert(tx: Transaction, workspace_id: UUID, settings: Mapping[str, Any], now: datetime) -> bool:
    """Adds a workspace with all its settings; False where the slug is taken."""
    names = list(settings)
    marks = ", ".join(f"${n}" for n in range(3, len(names) + 3))
    sql = f"""INSERT INTO workspaces (id, created_at, {", ".join(names)}) VALUES ($1, $2, {marks})
    ON CONFLICT (slug) DO NOTHING RETURNING true"""
    return bool(await tx.fetchval(sql, workspace_id, now, *settings.values()))


async def hold(tx: Transaction, workspace_id: UUID) -> int | None:
    """Locks the workspace's row against other holders until the transaction ends; gives its version."""
    version: int | None = await tx.fetchval(HOLD, workspace_id)
    return version


async def share(tx: Transaction, workspace_id: UUID) -> None:
    """Comes before a transaction makes an account, where it does not hold the workspace: an account that is not committed
    cannot be locked by others. Whoever seals waits for those who share, and these for whoever has sealed; they wait
    neither for each other nor for holders."""
    await tx.execute(SHARE, workspace_id, _turn(workspace_id))


async def seal(tx: Transaction, workspace_id: UUID) -> None:
    """Until the transaction ends nobody makes accounts: those there are now are all. Comes before locks on accounts."""
    # A holder is waited for out of turn: one who seals would wait for our turn, and we for the holder.
    await hold(tx, workspace_id)
    await tx.execute(TURN, _turn(workspace_id))
    await tx.execute(SEAL, workspace_id)


def _turn(workspace_id: UUID) -> int:
    return int.from_bytes(workspace_id.bytes[8:], signed=True)


async def update(tx: Transaction, workspace_id: UUID, settings: Mapping[str, Any]) -> None:
    """Changes settings and counts the version up."""
    sets = "".join(f"{name} = ${n}, " for n, name in enumerate(settings, 2))
    await tx.execute(
        f"UPDATE workspaces SET {sets} version = version + 1 WHERE id = $1", workspace_id, *settings.values()
    )


async def has_amounts(reader: Reader, workspace: Workspace) -> bool:
    """Whether any money but ARR per CSM is stored, in own attributes too; 0 is none."""
    own = [
        [field.key for (of, _), field in workspace.attributes.items() if of == entity and field.kind == "money"]
        for entity in ("accounts", "contacts")
    ]
    return bool(await reader.fetchval(HAS_AMOUNTS, workspace.id, *own))


async def insert_stages(
    tx: Transaction, workspace_id: UUID, stages: Sequence[tuple[UUID, str, str]], now: datetime
) -> None:
    """Adds lifecycle stages, (id, name, slug) each, in their order from position 1."""
    ids, names, slugs = zip(*stages, strict=True)
    await tx.execute(
        INSERT_STAGES, workspace_id, list(ids), list(names), list(slugs), list(range(1, len(ids) + 1)), now
    )


def _segmentations(told: bytes | None) -> dict[str, SegmentationName]:
    named: dict[str, SegmentationName] = {}
    for one in msgspec.json.decode(told) if told else ():
        segments = tuple(dict.fromkeys((*one["segments"], one["rest"])))
        named[one["slug"]] = SegmentationName(UUID(one["id"]), one["slug"], segments)
    return named


@lru_cache(CALENDARS)
def _rules(told: bytes) -> tuple[StageRule, ...]:
    return tuple(StageRule(*one) for one in msgspec.json.decode(told))


@lru_cache(CALENDARS)
def _calendar(told: bytes) -> FiscalCalendar:
    return calendar(FiscalPeriod(*row) for row in _PERIODS.decode(told))


def _field(one: Mapping[str, Any]) -> Field:
    return Field(
        one["slug"], one["type"], optional=not one["required"], values=tuple(one["values"]), stored=one["key"] or one["slug"],
        indexed=bool(one["indexed"]), unique=one["unique"],
    )  # fmt: skip
