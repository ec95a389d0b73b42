"""Renewal forecasts: read the renewals due and closed, compute, keep the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import check, text
from app.domain.criteria.meant import Meaning
from app.domain.criteria.nodes import All, And, Cmp, Me, Node, Path
from app.domain.errors import Invalid, NotFound, Unreadable
from app.domain.forecasting import asked as asking
from app.domain.forecasting.asked import Asked
from app.domain.forecasting.rates import Rate
from app.domain.forecasting.renewals import Due, Forecast, History, Total, forecast
from app.domain.roles import Principal, allows, permit
from app.domain.workspaces import Workspace, clock
from app.persistence import forecasts
from app.persistence.database import Database, Transaction
from app.persistence.forecasts import ClosedColumns, DueColumns
from app.services import named
from app.services.calls import ENCODER, Call, Effect, Written, new_id, once

FIRST_VERSION = 1


async def create(db: Database, call: Call, body: object) -> Written:
    """Forecasts the renewals due in a period and keeps the answer; a CSM's covers the CSM's own accounts.

    `body`: from, to, as_of, where, group_by, target, each optional (entities.md, Shapes). Raises Invalid.
    """
    permit(call.principal, "forecasts.create", own=True)
    workspace = call.principal.workspace
    said = asking.read(body, workspace.minor_digits)
    as_of = said.as_of or call.now
    moment = clock(workspace, as_of)
    start, end = asking.period(said.start, said.end, moment.today)
    wanted = Asked(start, end, asking.groups(said.group_by, workspace), said.target)
    setting = check.Setting(workspace, moment, call.principal.person)
    scope = partial(_scope, call.principal, said.where)
    where = await named.reading(db, setting, call.principal.user_id, call.now, scope)

    async def act(tx: Transaction) -> Written:
        due = await forecasts.due(tx, workspace, wanted, where, moment.today)
        closed = await forecasts.closed(tx, workspace, moment.today)
        computed = await asyncio.to_thread(_compute, wanted, due, closed, moment.today)
        forecast_id = new_id()
        answer = ENCODER.encode(_answer(forecast_id, wanted, as_of, computed, workspace))
        told = ENCODER.encode(body)
        await forecasts.keep(tx, workspace.id, forecast_id, told, answer, as_of, call.now, call.principal.user_id)
        done = (Effect("forecasts", forecast_id, None, {"asked": body, "as_of": as_of}),)
        return Written(forecast_id, FIRST_VERSION, answer, created=True, effects=done)

    return await once(db, call, "forecasts.create", act)


async def get(db: Database, principal: Principal, forecast_id: UUID) -> bytes:
    """The kept answer, byte for byte. A CSM sees the CSM's own forecasts. Raises NotFound."""
    permit(principal, "forecasts.read", own=True)
    found = await forecasts.get(db, principal.workspace.id, forecast_id)
    if found is None or (not allows(principal, "forecasts.read") and found[1] != principal.user_id):
        raise NotFound
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


def _scope(principal: Principal, where: str | None, setting: check.Setting) -> Meaning:
    """What was asked for, narrowed to the own accounts of who may see no others. Its faults point at `where`."""
    try:
        node: Node = text.parse(where) if where is not None else All()
        if not allows(principal, "forecasts.create"):
            node = And((Cmp(Path("csm"), "eq", Me()), node))
        return check.check(node, ACCOUNTS, setting).meaning
    except (Invalid, Unreadable) as refused:
        faults = tuple(replace(fault, pointer="/where") for fault in refused.faults)
        raise type(refused)(refused.detail, faults) from None


def _compute(wanted: Asked, due: DueColumns, closed: ClosedColumns, today: date) -> Forecast:
    history = History(
        _ints(closed.arr), _days(closed.due_on), _days(closed.closed_on), np.array(closed.kept, dtype=np.float64),
        _texts(closed.industries), _pairs(closed.industries, closed.products),
    )  # fmt: skip
    to_come = Due(
        _texts(due.account_ids),
        _ints(due.arr),
        _days(due.due_on),
        _texts(due.industries),
        _pairs(due.industries, due.products),
    )
    return forecast(to_come, history, np.datetime64(today), [_texts(k) for k in due.keys], wanted.target)


def _ints(values: Sequence[int]) -> Any:
    return np.array(values, dtype=np.int64)


def _days(values: Sequence[date]) -> Any:
    return np.array(values, dtype="datetime64[D]")


def _texts(values: Sequence[str]) -> Any:
    return np.array(values, dtype=np.str_)


def _pairs(parents: Sequence[str], children: Sequence[str]) -> Any:
    return _texts([f"{p} / {c}" for p, c in zip(parents, children, strict=True)])


def _answer(
    forecast_id: UUID, wanted: Asked, as_of: datetime, computed: Forecast, workspace: Workspace
) -> dict[str, Any]:
    names = [name for name, _ in wanted.groups]

    def money(minor: int | None) -> Decimal | None:
        return None if minor is None else workspace.major(minor)

    def total(of: Total) -> dict[str, Any]:
        return {
            "due": {"accounts": of.due_accounts, "arr": money(of.due_arr_minor)},
            "expected_accounts": round(of.expected_accounts, 2), "expected": money(of.expected_minor),
            "p05": money(of.p05_minor), "p50": money(of.p50_minor), "p95": money(of.p95_minor),
        }  # fmt: skip

    skill, chance = computed.skill, computed.target_probability
    return {
        "id": str(forecast_id), "from": wanted.start, "to": wanted.end, "as_of": as_of, **total(computed.total),
        "target": money(computed.target_minor), "target_probability": None if chance is None else round(chance, 6),
        "skill": {
            "verdict": skill.verdict, "because": skill.because, "brier": skill.brier, "base_brier": skill.base_brier,
            "brier_skill": skill.brier_skill, "standard_error": skill.standard_error, "months": skill.months,
            "renewals": skill.renewals,
        },
        "groups": [
            {"key": {n: k or None for n, k in zip(names, group.key, strict=True)}, **total(group.total)}
            for group in computed.groups
        ],
        "rates": [_rate(rate) for rate in computed.rates],
    }  # fmt: skip


def _rate(rate: Rate) -> dict[str, Any]:
    """`n` closed renewals; `raw` and `shrunk` with the 90 % interval of the latter; `segment` is industry / product."""
    return {
        "basis": rate.basis, "parent": rate.parent or None, "segment": rate.child, "n": rate.n,
        "effective_n": round(rate.effective_n, 2), "raw": rate.raw, "shrunk": rate.shrunk, "low": rate.low, "high": rate.high,
    }  # fmt: skip
