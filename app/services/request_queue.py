"""Requests of customers in the order in which they are answered, each with the reasons for its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS, REQUESTS
from app.domain.criteria.check import Setting, check, shown
from app.domain.criteria.meant import Meaning, SegmentOf
from app.domain.criteria.nodes import Cmp, Comparison, Const, Path
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.request_queue import CHURNED, Lane, Pinned, Stake, Weighed, reasons
from app.domain.roles import Principal, permit
from app.domain.scenarios import IMPACTS
from app.domain.segmentation.bodies import read
from app.domain.segmentation.lanes import Consideration, Spec
from app.domain.segmentation.presets import presets
from app.domain.workspaces import Workspace, clock
from app.persistence import request_queue as rows
from app.persistence import segments as kept
from app.persistence.database import Reader, Record
from app.persistence.request_queue import Found, Pins, Place, Weight
from app.services.account_names import named
from app.services.cursors import Key, refusal
from app.services.engagements import EVERYBODYS, Answer, Whose, booked, counted
from app.services.segmentation_documents import instant, names

READ = "records.read"
KINDS: tuple[str, ...] = REQUESTS.fields["kind"].values
LANES = "lanes"
"""The kind of segmentation that says what lifts and lowers, and the preset that does where there is none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a door was told, as it was told. `segmentation`: the one of the kind lanes whose considerations are to hold;
    `after`: the keys of the last request seen."""

    kind: str | None = None
    whose: Whose = EVERYBODYS
    limit: int = 50
    after: tuple[Key, ...] | None = None
    count: str | None = None
    segmentation: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Whose considerations and pins hold: a segmentation, or the preset, which has no pins; `known` are the slugs of all of the
    workspace, the oldest first."""

    row: Record | None
    considerations: Spec
    known: tuple[str, ...] = ()

    @property
    def slug(self) -> str | None:
        """None of the preset."""
        return None if self.row is None else self.row["slug"]

    def pins(self, now: datetime) -> Pins | None:
        """Those that hold; its segments stand for the lanes in their order."""
        if self.row is None:
            return None
        segments = tuple(case["slug"] for case in msgspec.json.decode(self.row["segments"]))
        return Pins(self.row["id"], segments, now)


async def queue(db: Reader, principal: Principal, asked: Asked, now: datetime) -> Answer:
    """Open requests, the most urgent first. Raises Invalid, Unreadable."""
    permit(principal, READ)
    workspace, moment = principal.workspace, clock(principal.workspace, now)
    _known(asked.kind)
    where = await booked(db, principal, asked.whose, moment)
    source = await _source(db, workspace, asked.segmentation)
    setting = Setting(workspace, moment, people=False)
    weights = [_weight(one, setting) for one in source.considerations]
    after = None if asked.after is None else _after(asked.after)
    found = await rows.queue(db, workspace, where, asked.kind, weights, source.pins(now), asked.limit + 1, after)
    page = found.page[: asked.limit]
    summary = _summary(found, source, workspace, now)
    told = [_told(one, found.scenario, source, weights, workspace, moment.today) for one in page]
    return Answer(
        told, [_keys(one) for one in page],
        len(found.page) > asked.limit, summary, counted(asked.count, summary["requests"]),
    )  # fmt: skip


def _known(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        fault = Fault(f"Expected one of {', '.join(KINDS)}.", parameter="kind", suggestion=nearest(kind, KINDS))
        raise Invalid(faults=(fault,))


async def _source(db: Reader, workspace: Workspace, slug: str | None) -> Source:
    """The lanes that are named, else the oldest, which stay so whatever comes; where the workspace has none the preset.
    Raises Invalid for what is no segmentation of that kind."""
    own = [row for row in await kept.all_of(db, workspace.id) if row["kind"] == LANES]
    oldest = sorted(own, key=lambda row: (row["created_at"], row["slug"]))
    known = tuple(row["slug"] for row in oldest)
    if slug is not None and slug not in known:
        which = f"one of {', '.join(known)}" if known else "the workspace has none"
        message = f"Expected the slug of a segmentation of the kind lanes: {which}."
        raise Invalid(faults=(Fault(message, parameter="segmentation", suggestion=nearest(slug, known)),))
    if not oldest:
        return Source(None, read(LANES, presets()[LANES]).spec)
    chosen = next((row for row in oldest if row["slug"] == slug), oldest[0])
    return Source(chosen, _stored(msgspec.json.decode(chosen["spec"])), known)


def _stored(spec: Mapping[str, Any]) -> Spec:
    return tuple(
        Consideration(one["field"], _number(one.get("lifts_from")), _number(one.get("lowers_below")))
        for one in spec.get("considerations", ())
    )


def _number(told: float | None) -> Decimal | None:
    return None if told is None else Decimal(str(told))


def _weight(one: Consideration, setting: Setting) -> Weight:
    of = shown(one.field, ACCOUNTS, setting.workspace)
    return Weight(
        of, _side(one.field, "ge", one.lifts_from, setting), _side(one.field, "lt", one.lowers_below, setting)
    )


def _side(field: str, op: Comparison, bound: Decimal | None, setting: Setting) -> Meaning | None:
    if bound is None:
        return None
    return check(Cmp(Path(field), op, Const(bound)), ACCOUNTS, setting).meaning


def _keys(one: Mapping[str, Any]) -> tuple[Key, ...]:
    return one["lane"], one["points"], one["money"], datetime.fromisoformat(one["asked_at"]), UUID(one["id"])


def _after(keys: tuple[Key, ...]) -> Place:
    match keys:
        case (int() as lane, int() as points, int() as money, datetime() as asked_at, UUID() as request):
            return Place(lane, points, money, asked_at, request)
    raise refusal()


def _told(
    one: Mapping[str, Any],
    scenario: str | None,
    source: Source,
    weights: Sequence[Weight],
    workspace: Workspace,
    today: date,
) -> dict[str, Any]:
    weighed = [
        Weighed(of, _value(value, weight, workspace))
        for of, weight, value in zip(source.considerations, weights, one["values"], strict=True)
    ]
    asked_at = datetime.fromisoformat(one["asked_at"])
    waited = (today - asked_at.astimezone(workspace.zone).date()).days
    money = workspace.major(one["money"])
    stake = Stake(money, workspace.currency, one["amount"] is not None, one["status"] == CHURNED)
    pinned = _pinned(one, source)
    why = reasons(Lane(scenario is not None, one["impact"], one["industry_name"], pinned), weighed, stake, waited)
    return {
        "place": one["place"], "id": one["id"], "kind": one["kind"], "asked_at": instant(asked_at), "note": one["note"],
        "amount": None if one["amount"] is None else workspace.major(one["amount"]), "money": money, "lane": _lane(one["lane"]),
        "account_id": one["account_id"], "account": named({**one, "id": one["account_id"]}), "arr": workspace.major(one["arr"]),
        "csm_id": one["csm_id"], "csm_name": one["csm_name"], "renewal_date": one["renewal_date"],
        "reasons": [{"direction": None, **reason} for reason in why],
    }  # fmt: skip


def _pinned(one: Mapping[str, Any], source: Source) -> Pinned | None:
    if one["pinned"] is None or source.row is None:
        return None
    return Pinned(_lane(one["lane"]), names(source.row)[one["pinned"]], one["pin_reason"])


def _value(value: float | None, weight: Weight, workspace: Workspace) -> Decimal | float | None:
    if value is None or isinstance(weight.of, SegmentOf) or weight.of.field.kind != "money":
        return value
    return workspace.major(int(value))


def _lane(place: int) -> str | None:
    return IMPACTS[place] if place < len(IMPACTS) else None


def _summary(found: Found, source: Source, workspace: Workspace, now: datetime) -> dict[str, Any]:
    groups = [
        {
            "lane": _lane(one["lane"]),
            "kind": one["kind"],
            "requests": one["requests"],
            "money": workspace.major(one["money"]),
        }
        for one in found.by_lane
    ]
    return {
        "as_of": instant(now), "requests": sum(one["requests"] for one in found.by_lane),
        "money": workspace.major(sum(one["money"] for one in found.by_lane)), "by_lane": groups,
        "scenario": found.scenario, "segmentation": source.slug, "segmentations": list(source.known),
        "considerations": [
            {"field": one.field, "lifts_from": one.lifts_from, "lowers_below": one.lowers_below} for one in source.considerations
        ],
    }  # fmt: skip
