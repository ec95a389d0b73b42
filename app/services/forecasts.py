"""Renewal forecasts: read the renewals due and closed, compute, keep the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from app.domain import moments
from app.domain.catalogue import ACCOUNTS, Entity
from app.domain.criteria import check
from app.domain.criteria.meant import Meaning
from app.domain.criteria.nodes import All, And, Cmp, Me, Node, Path
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound, StrataError, Together
from app.domain.forecasting import asked as asking
from app.domain.forecasting.asked import Asked, Said, Under
from app.domain.forecasting.rows import ROWS, SORTS
from app.domain.roles import Principal, allows, permit
from app.domain.workspaces import Workspace, clock
from app.persistence import forecasts
from app.persistence.database import Database, Reader, Transaction
from app.persistence.forecasts import Page, Which
from app.services import asks, named
from app.services import forecast_answers as answers
from app.services import forecast_figures as figuring
from app.services.aside import aside
from app.services.calls import ENCODER, Call, Effect, Written, new_id, once
from app.services.cursors import Key
from app.services.forecast_figures import Figures, Made
from app.services.segment_states import State, doubtful, named_in

FIRST_VERSION = 1
CREATE, READ = "forecasts.create", "forecasts.read"


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that is read: which renewals, seen in which ways, and the criteria that they ask for; `doubted` are the
    segmentations among those that are not fresh."""

    wanted: Asked
    ways: tuple[Under, ...]
    where: Meaning
    met: tuple[Meaning, ...]
    as_of: datetime
    doubted: tuple[State, ...]


async def create(db: Database, call: Call, body: object) -> Written:
    """Forecasts the renewals due in a period and keeps the answer; a CSM's covers the CSM's own accounts.

    `body`: from, to, as_of, where, group_by, target, targets, scenario, lanes, what_if, each optional. Raises Invalid.
    """
    permit(call.principal, CREATE, own=True)
    workspace = call.principal.workspace
    said = asking.read(body, workspace.minor_digits)
    ready = await _ready(db, call.principal, call.now, said, (said.under,))

    # No transaction is held while it is computed.
    figures, [made] = await _made(db, call.principal, ready)
    forecast_id = new_id()
    answer = ENCODER.encode(answers.forecast(forecast_id, ready.wanted, ready.as_of, made, workspace, ready.doubted))
    columns = await aside(partial(figuring.kept, made, figures))

    async def act(tx: Transaction) -> Written:
        told, by = ENCODER.encode(body), call.principal.user_id
        await forecasts.keep(tx, workspace.id, forecast_id, told, answer, ready.as_of, call.now, by)
        await forecasts.keep_renewals(tx, workspace.id, forecast_id, columns)
        done = (Effect("forecasts", forecast_id, None, {"asked": body, "as_of": ready.as_of}),)
        return Written(forecast_id, FIRST_VERSION, answer, created=True, effects=done)

    return await once(db, call, CREATE, act)


async def preview(db: Database, principal: Principal, now: datetime, body: object) -> bytes:
    """What `create` would answer, without an id: nothing is kept. Raises Invalid, Unreadable."""
    permit(principal, READ, own=True)
    said = asking.read(body, principal.workspace.minor_digits)
    ready = await _ready(db, principal, now, said, (said.under,))
    _, [made] = await _made(db, principal, ready)
    return ENCODER.encode(answers.forecast(None, ready.wanted, ready.as_of, made, principal.workspace, ready.doubted))


async def compare(db: Database, principal: Principal, now: datetime, body: object) -> bytes:
    """The same renewals under several scenarios, and how each differs from the first; nothing is kept.

    `body`: as that of `create`, with `scenarios` in place of scenario, lanes and what_if. Raises Invalid, Unreadable.
    """
    permit(principal, READ, own=True)
    said, ways = asking.compared(body, principal.workspace.minor_digits)
    ready = await _ready(db, principal, now, said, ways)
    _, made = await _made(db, principal, ready)
    return ENCODER.encode(answers.comparison(ready.wanted, ready.as_of, made, principal.workspace, ready.doubted))


async def get(db: Database, principal: Principal, forecast_id: UUID) -> bytes:
    """The kept answer, byte for byte. A CSM sees the CSM's own forecasts. Raises NotFound."""
    permit(principal, "forecasts.read", own=True)
    found = await forecasts.get(db, principal.workspace.id, forecast_id)
    if found is None or (not allows(principal, "forecasts.read") and found[1] != principal.user_id):
        raise NotFound("There is no forecast with this id. The list of forecasts has those that are kept.")
    return found[0]


async def latest(
    db: Database, principal: Principal, limit: int, before: UUID | None
) -> tuple[list[bytes], UUID | None]:
    """Newest first, and where the next page begins; a CSM sees the CSM's own."""
    permit(principal, "forecasts.read", own=True)
    by = None if allows(principal, "forecasts.read") else principal.user_id
    rows = await forecasts.latest(db, principal.workspace.id, limit + 1, before, by)
    more = rows[limit - 1][1] if len(rows) > limit else None
    return [answer for answer, _ in rows[:limit]], more


@dataclass(frozen=True, slots=True)
class Ask:
    """Which renewals of a forecast: criteria as text that accounts meet now, `row_filter` that renewals meet themselves, the order,
    and the page."""

    filter: str | None = None
    row_filter: str | None = None
    sort: str | None = None
    limit: int = 50
    after: tuple[Key, ...] | None = None


async def accounts(
    db: Database, principal: Principal, now: datetime, forecast_id: UUID, ask: Ask
) -> tuple[list[bytes], list[tuple[Key, ...]], bool]:
    """A page of the renewals of a kept forecast with their reasons, the key of each, and whether there are more.

    Raises NotFound, Invalid, Unreadable.
    """
    answer = msgspec.json.decode(await get(db, principal, forecast_id))
    workspace = principal.workspace
    name, descending = _sort(ask.sort)
    setting = check.Setting(workspace, clock(workspace, now), principal.person)
    told = answer.get("reasons", {"base": 0.0, "names": []})
    of_account, of_row = await named.reading(db, setting, principal.user_id, now, partial(_criteria, ask))
    page = Page(name, descending, ask.limit, ask.after)
    rows = await forecasts.renewals(db, workspace, Which(forecast_id, len(told["names"]), of_account, of_row), page)
    shown = [answers.renewal(row, told["names"], told["base"], workspace) for row in rows[: ask.limit]]
    keys: list[tuple[Key, ...]] = [(row["key"], row["no"]) for row in rows[: ask.limit]]
    return [ENCODER.encode(one) for one in shown], keys, len(rows) > ask.limit


def _sort(told: str | None) -> tuple[str, bool]:
    name = (told or "due_on").removeprefix("-")
    if name not in SORTS:
        message = f"Expected one of {', '.join(SORTS)}, or one of them after a minus."
        raise Invalid(faults=(Fault(message, parameter="sort", suggestion=nearest(name, tuple(SORTS))),))
    return name, (told or "").startswith("-")


def _criteria(ask: Ask, setting: check.Setting) -> tuple[Meaning, Meaning]:
    return _filter(ask.filter, "filter", ACCOUNTS, setting), _filter(ask.row_filter, "row_filter", ROWS, setting)


def _filter(told: str | None, parameter: str, entity: Entity, setting: check.Setting) -> Meaning:
    ask = asks.Ask("accounts", filter=told)
    try:
        return check.check(asks.said(ask).node, entity, setting).meaning
    except StrataError as refused:
        faults = asks.placed(ask, refused).faults
        raise type(refused)(refused.detail, tuple(replace(fault, parameter=parameter) for fault in faults)) from None


async def _ready(db: Database, principal: Principal, now: datetime, said: Said, ways: Sequence[Under]) -> Ready:
    workspace = principal.workspace
    as_of = now if said.as_of is None else _as_of(said.as_of, workspace, now)
    moment = clock(workspace, as_of)
    parts = Together()
    start, end = parts.part(partial(asking.period, said.start, said.end, moment.today), (moment.today, moment.today))
    groups = parts.part(partial(asking.groups, said.group_by, workspace), ())
    parts.verify()
    wanted = Asked(start, end, groups, said.target, said.targets)
    setting = check.Setting(workspace, moment, principal.person)

    async def meaning(node: Node) -> Meaning:
        checked = partial(_meaning, node)
        return await named.reading(db, setting, principal.user_id, now, checked)

    where = await meaning(_scope(principal, said.where or All()))
    met = [await meaning(one.where) for way in ways for one in way.what_if]
    doubted = await doubtful(db, workspace, named_in((wanted, where, tuple(met))), now)
    return Ready(wanted, tuple(ways), where, tuple(met), as_of, doubted)


def _as_of(told: str, workspace: Workspace, now: datetime) -> datetime:
    """An instant, or the end of a day; of today as far as it has come. Raises Invalid."""
    if moments.span(told, workspace.zone)[0] > now:
        message = "Expected a day or an instant that has come: what will be known then is not known yet."
        raise Invalid(faults=(Fault(message, pointer="/as_of"),))
    return min(moments.last(told, workspace.zone), now)


def _meaning(node: Node, setting: check.Setting) -> Meaning:
    return check.check(node, ACCOUNTS, setting).meaning


def _scope(principal: Principal, where: Node) -> Node:
    """What was asked for, narrowed to the own accounts of who may see no others."""
    return where if allows(principal, CREATE) or allows(principal, READ) else And((Cmp(Path("csm"), "eq", Me()), where))


async def _made(reader: Reader, principal: Principal, ready: Ready) -> tuple[Figures, list[Made]]:
    """Read on the loop, computed beside it. Raises Invalid for a scenario that there is not."""
    workspace = principal.workspace
    today = clock(workspace, ready.as_of).today
    figures = await figuring.read(reader, workspace, ready.wanted, ready.where, ready.met, today, ready.ways)
    return figures, await aside(partial(figuring.made, figures, ready.wanted, ready.ways))
