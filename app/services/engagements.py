"""Who is due for which touch and which step, who is overdue, and who would be left alone until renewal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting
from app.domain.criteria.coerce import identity
from app.domain.criteria.meant import Meaning
from app.domain.criteria.nodes import And, Cmp, Const, Me, Node, Path
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.questions import COUNT_CAP, Count
from app.domain.roles import Principal, permit
from app.domain.segmentation.care import KINDS
from app.domain.values import DAY, UNSTORABLE
from app.domain.workspaces import Clock, Workspace, clock
from app.persistence import engagements as rows
from app.persistence import users
from app.persistence.database import Reader
from app.persistence.engagements import STATES, WHATS, Found, State, Wanted, What
from app.services import account_names, asks, care, named, reads
from app.services.asks import COUNTS, Ask, Said
from app.services.care import Cared
from app.services.cursors import Key, refusal

__all__ = ["READ", "STATES", "WHATS", "Answer", "Asked", "Count", "Whose", "booked", "counted", "engagements"]

READ = "records.read"
AHEAD = timedelta(days=30)
"""How far engagements are told ahead unless a day is told."""
FURTHEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Whose:
    """Which accounts are asked about, as it was told: `mine` are those of whoever asks, or of `for_user`."""

    filter: str | None = None
    csm: str | None = None
    mine: bool = False
    for_user: str | None = None


EVERYBODYS = Whose()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a door was told, as it was told; `after`: the place, account and mark of the last engagement seen."""

    segmentation: str | None = None
    segment: str | None = None
    kind: str | None = None
    what: str | None = None
    state: str | None = None
    until: str | None = None
    whose: Whose = EVERYBODYS
    limit: int = 50
    after: tuple[Key, ...] | None = None
    count: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of what is asked, with the key of each, whether there are more, what all of them come to, and how many there
    are, where that was asked."""

    data: list[dict[str, Any]]
    keys: list[tuple[Key, ...]]
    more: bool
    summary: dict[str, Any]
    count: dict[str, Any] | None = None


async def engagements(db: Reader, principal: Principal, asked: Asked, now: datetime) -> Answer:
    """Touches and steps due until a day, the earliest first; with the state `left` the accounts that nobody is to be in
    touch with before their renewal, the next renewal first. Raises Invalid, Unreadable."""
    permit(principal, READ)
    workspace = principal.workspace
    of = await care.cared(db, workspace, asked.segmentation)
    moment = clock(workspace, now)
    until = _until(asked.until, moment.today)
    where = await booked(db, principal, asked.whose, moment)
    what, state = _which(asked)
    wanted = Wanted(
        where, until, care.segment(of, asked.segment), _one_of("kind", asked.kind, KINDS, " Steps are asked for by what."), what, state, asked.limit + 1,
        _after(asked.after),
    )  # fmt: skip
    found = await rows.engagements(db, workspace, of.row["id"], of.cares, wanted, moment)
    page = found.page[: asked.limit]
    keys: list[tuple[Key, ...]] = [(date.fromisoformat(one["place"]), UUID(one["id"]), one["mark"]) for one in page]
    data = [_told(one, of, workspace, moment.today) for one in page]
    summary = _summary(found, of, workspace, now, until)
    return Answer(data, keys, len(found.page) > asked.limit, summary, counted(asked.count, _all(summary, state)))


def counted(told: str | None, all_of_them: int) -> dict[str, Any] | None:
    """How many there are, as collections tell it: `value`, and whether it is `exact`. Raises Invalid."""
    mode: Count = _one_of("count", told, COUNTS) or "none"
    if mode == "none":
        return None
    capped = mode == "capped" and all_of_them > COUNT_CAP
    return {"value": COUNT_CAP if capped else all_of_them, "exact": not capped}


def _all(summary: dict[str, Any], state: State | None) -> int:
    """How many rows are asked for."""
    if state == "left":
        return int(summary["left"]["accounts"])
    return sum(summary[name] for name in ("due", "overdue") if state in (None, name))


async def booked(db: Reader, principal: Principal, whose: Whose, moment: Clock) -> Meaning:
    """The accounts that are asked about, as criteria. Raises Invalid, Unreadable."""
    ask = Ask(ACCOUNTS.name, filter=whose.filter, for_user=whose.for_user)
    person = principal.person if whose.for_user is None else await reads.on_behalf(db, principal, ask)
    if whose.mine and person is None:
        message = "Expected for_user: a service looks after nothing itself."
        raise Invalid(faults=(Fault(message, parameter="for_user"),))
    owners: list[Node] = [Cmp(Path("csm"), "eq", Me())] if whose.mine else []
    if whose.csm is not None:
        owners.append(Cmp(Path("csm"), "eq", Const(str(await _csm(db, principal.workspace.id, whose.csm)))))
    said = asks.said(ask)
    narrowed = Said(And((*owners, said.node)), said.text) if owners else said
    setting = Setting(principal.workspace, moment, person)
    checked = await named.reading(
        db, setting, principal.user_id, moment.as_of, lambda within: asks.checked(ask, narrowed, within)
    )
    return checked.meaning


async def _csm(db: Reader, workspace_id: UUID, told: str) -> UUID:
    row = None if UNSTORABLE.search(told) else await users.named(db, workspace_id, identity(told), told)
    if row is None:
        message = "Expected the id, external id or e-mail of a user."
        raise Invalid(faults=(Fault(message, parameter="csm"),))
    found: UUID = row["id"]
    return found


def _until(told: str | None, today: date) -> date:
    if told is None:
        return today + AHEAD
    try:
        until = date.fromisoformat(told) if DAY.fullmatch(told) else None
    except ValueError:
        until = None
    if until is None or not -FURTHEST <= until - today <= FURTHEST:
        message = "Expected a day of the next or the last ten years, as in 2026-01-31."
        raise Invalid(faults=(Fault(message, parameter="until"),))
    return until


def _one_of(parameter: str, told: str | None, known: Sequence[Any], more: str = "") -> Any:
    if told is None or told in known:
        return told
    fault = Fault(f"Expected one of {', '.join(known)}.{more}", parameter=parameter, suggestion=nearest(told, known))
    raise Invalid(faults=(fault,))


def _which(asked: Asked) -> tuple[What | None, State | None]:
    """What rows are and how they stand: who is left alone is both a state and what its rows are. Raises Invalid."""
    state: State | None = _one_of("state", asked.state, STATES)
    what: What | None = _one_of("what", asked.what, WHATS)
    if what == "left" and state is None:
        return None, "left"
    if (what == "left") != (state == "left") and what is not None:
        message = "Expected what and state to agree: rows are `left` where the state is, and nothing else then."
        raise Invalid(faults=(Fault(message, parameter="what"),))
    if state == "left" and asked.kind is not None:
        message = "Expected no kind beside the state left: who is left alone is no touch of a kind."
        raise Invalid(faults=(Fault(message, parameter="kind"),))
    return None if what == "left" else what, state


def _after(keys: tuple[Key, ...] | None) -> tuple[date, UUID, str] | None:
    match keys:
        case None:
            return None
        case (date() as place, UUID() as account, str() as mark):
            return place, account, mark
    raise refusal()


def _told(one: dict[str, Any], of: Cared, workspace: Workspace, today: date) -> dict[str, Any]:
    due = None if one["due_on"] is None else date.fromisoformat(one["due_on"])
    return {
        "state": one["state"], "what": one["what"], "account_id": one["id"], "account": account_names.named(one),
        "csm_id": one["csm_id"], "csm_name": one["csm_name"], "arr": workspace.major(one["arr"]),
        "segment": one["segment"], "segment_name": of.names.get(one["segment"], one["segment"]), "kind": one["kind"],
        "phase": one["phase"], "step": one["step"], "owner": one["owner"], "due_on": one["due_on"],
        "last_at": one["last"] and one["last"].replace("+00:00", "Z"),
        "days_overdue": max(0, (today - due).days) if due else 0, "next_on": one["next_on"],
        "renewal_date": one["renewal_date"],
    }  # fmt: skip


def _summary(found: Found, of: Cared, workspace: Workspace, now: datetime, until: date) -> dict[str, Any]:
    alone = found.alone
    return {
        "segmentation": of.told(workspace, now), "until": until, "due": sum(one["due"] for one in found.by_csm),
        "overdue": sum(one["overdue"] for one in found.by_csm), "by_csm": found.by_csm,
        "left": {
            "accounts": alone["accounts"], "arr": workspace.major(alone["arr"]), "no_touch_planned": alone["never"],
            "after_renewal": alone["late"],
        },
        "as_of": now,
    }  # fmt: skip
