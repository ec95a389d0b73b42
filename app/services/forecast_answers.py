"""How forecasts are answered: figures in major units, and what stands behind them in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domain.forecasting.asked import Asked
from app.domain.forecasting.rates import Rate
from app.domain.forecasting.renewals import Total
from app.domain.forecasting.skill import LOGISTIC, Skill
from app.domain.workspaces import Workspace
from app.services.forecast_figures import Made
from app.services.segment_states import State

Money = Callable[[int | None], Decimal | None]
MOVED = ("expected", "p05", "p50", "p95")
NAMES = {"parent": "industry", "child": "product", "assumed": "what_if"}
"""What the arithmetic's reasons are called here."""
WITHOUT_DATE = (
    "In force on the day of the forecast and not in it: contracts without an end date, and accounts with neither contracts nor a "
    "renewal date. Nothing says when they renew."
)
OVERDUE_NONE = "Nothing that was due before is open."
OVERDUE = (
    "Due before the period, open, and not in it: nobody has set an outcome, no contract carries them on, and the time in which one may "
    "is not over. To include them, begin with `from` {since}."
)
SIDE_BY_SIDE = (
    "Groups are those of the first way, of lanes too: an account counts in the same group throughout, whatever lane another "
    "scenario puts it in."
)


def forecast(
    forecast_id: UUID | None, wanted: Asked, as_of: datetime, made: Made, workspace: Workspace, doubted: Sequence[State]
) -> dict[str, Any]:
    """One forecast, whole; without an id it is not kept."""
    computed = made.computed
    told = seen(made, wanted, workspace)
    skill = computed.challenged if computed.model == LOGISTIC and computed.challenged else computed.skill
    return {
        "id": None if forecast_id is None else str(forecast_id), "from": wanted.start, "to": wanted.end, "as_of": as_of,
        **{name: value for name, value in told.items() if name != "groups"},
        "model": computed.model, "months_ahead": computed.ahead, "skill": _skill(skill),
        "challenger": None if computed.challenged is None else {"model": LOGISTIC, **_skill(computed.challenged)},
        "drift": {
            "drift": computed.drift.drift, "shock": computed.drift.tau, "months": len(computed.drift.month),
        },
        "lanes": [{"lane": one.lane, "shift": one.shift, "renewals": one.renewals} for one in computed.lanes],
        "reasons": {
            "base": computed.reasons.base, "names": [NAMES.get(name, name) for name in computed.reasons.names],
        },
        "without_date": {
            "contracts": made.undated.contracts, "accounts": made.undated.accounts, "arr": workspace.major(made.undated.arr),
            "because": WITHOUT_DATE,
        },
        "overdue": _overdue(made, workspace),
        "groups": told["groups"], "rates": [_rate(rate) for rate in computed.rates], "segmentations": doubted,
    }  # fmt: skip


def _overdue(made: Made, workspace: Workspace) -> dict[str, Any]:
    of = made.overdue
    return {
        "renewals": of.renewals, "arr": workspace.major(of.arr), "since": of.since,
        "because": OVERDUE_NONE if of.since is None else OVERDUE.format(since=of.since),
    }  # fmt: skip


def seen(made: Made, wanted: Asked, workspace: Workspace) -> dict[str, Any]:
    """Totals and groups under a scenario and what is supposed."""
    money, names = _money(workspace), [name for name, _ in wanted.groups]
    scenario = made.scenario and {
        "slug": made.under.scenario, "name": made.scenario.name, "lanes": dict(made.scenario.lanes),
    }  # fmt: skip
    return {
        "scenario": scenario or None, **_total(made.computed.total, money),
        "groups": [
            {"key": {n: k or None for n, k in zip(names, group.key, strict=True)}, **_total(group.total, money)}
            for group in made.computed.groups
        ],
    }  # fmt: skip


def comparison(
    wanted: Asked, as_of: datetime, ways: Sequence[Made], workspace: Workspace, doubted: Sequence[State]
) -> dict[str, Any]:
    """The same renewals seen in several ways, and how each differs from the first, group by group."""
    shown = [{"name": made.under.name, **seen(made, wanted, workspace)} for made in ways]
    first = ways[0].computed
    return {
        "from": wanted.start, "to": wanted.end, "as_of": as_of, "due": shown[0]["due"], "model": first.model,
        "words": SIDE_BY_SIDE, "skill": _skill(first.challenged if first.model == LOGISTIC and first.challenged else first.skill),
        "scenarios": shown, "differences": [_difference(shown[0], one) for one in shown[1:]],
        "segmentations": doubted,
    }  # fmt: skip


def _difference(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What `other` has more, whole and by group; a group that one of them lacks has nothing there."""
    groups = [{_key(group): group for group in one["groups"]} for one in (first, other)]
    keys = list(dict.fromkeys([*groups[0], *groups[1]]))
    parts = [
        {"key": dict(key), **_more(groups[0].get(key), groups[1].get(key))}
        for key in sorted(keys, key=lambda key: [value or "" for _, value in key])
    ]
    slug = other["scenario"] and other["scenario"]["slug"]
    return {"name": other["name"], "scenario": slug, **_more(first, other), "groups": parts}


def _key(group: dict[str, Any]) -> tuple[tuple[str, str | None], ...]:
    return tuple(group["key"].items())


def _more(first: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any]:
    def value(one: dict[str, Any] | None, name: str) -> Decimal:
        found: Decimal = Decimal(0) if one is None else one[name]
        return found

    def net(one: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if one is None else one["net"]

    told: dict[str, Any] = {name: value(other, name) - value(first, name) for name in MOVED}
    return {**told, "net": {name: value(net(other), name) - value(net(first), name) for name in MOVED}}


def _money(workspace: Workspace) -> Money:
    return lambda minor: None if minor is None else workspace.major(minor)


def _total(of: Total, money: Money) -> dict[str, Any]:
    return {
        "due": {"renewals": of.due_renewals, "accounts": of.due_accounts, "arr": money(of.due_arr_minor)},
        "expected_renewals": round(of.expected_renewals, 6), "expected": money(of.expected_minor),
        "p05": money(of.p05_minor), "p50": money(of.p50_minor), "p95": money(of.p95_minor),
        "target": money(of.target_minor), "target_probability": _chance(of.target_probability),
        "net": {
            "expected": money(of.net.expected_minor), "p05": money(of.net.p05_minor), "p50": money(of.net.p50_minor),
            "p95": money(of.net.p95_minor), "target_probability": _chance(of.net.target_probability),
        },
    }  # fmt: skip


def _chance(chance: float | None) -> float | None:
    return None if chance is None else round(chance, 6)


def _skill(skill: Skill) -> dict[str, Any]:
    return {
        "verdict": skill.verdict, "because": skill.because, "brier": skill.brier, "base_brier": skill.base_brier,
        "brier_skill": skill.brier_skill, "standard_error": skill.standard_error, "months": skill.months,
        "renewals": skill.renewals,
    }  # fmt: skip


def _rate(rate: Rate) -> dict[str, Any]:
    """`n` closed renewals; `raw` and `shrunk` with the 90 % interval of the latter; `segment` is industry / product."""
    return {
        "basis": rate.basis, "parent": rate.parent or None, "segment": rate.child, "n": rate.n,
        "effective_n": round(rate.effective_n, 2), "raw": rate.raw, "shrunk": rate.shrunk, "low": rate.low, "high": rate.high,
    }  # fmt: skip


def renewal(row: Any, names: Sequence[str], base: float, workspace: Workspace) -> dict[str, Any]:
    """One renewal of a kept forecast; base and reasons add up to the logit of its probability, and `arr` times the chance by
    money times the share kept is what is expected. None where it was kept before those were."""
    parts = row["reasons"][: len(names)]

    def money(name: str) -> Decimal | None:
        return None if row[name] is None else workspace.major(row[name])

    return {
        "renewal_id": str(row["renewal_id"]), "account_id": str(row["account_id"]), "name": row["name"],
        "product": row["product"], "lane": row["lane"], "due_on": row["due_on"],
        **{name: row[name] for name in ("probability", "money_probability", "kept_share", "paid_share")},
        **{name: money(name) for name in ("arr", "expected", "expected_net", "expected_loss", "p05", "p95")}, "call": _call(row, workspace), "base": base, "logit": base + sum(parts),
        "reasons": [{"name": name, "logit": part} for name, part in zip(names, parts, strict=True)],
    }  # fmt: skip


def _call(row: Any, workspace: Workspace) -> dict[str, Any] | None:
    """What somebody calls of all that the account has due on that day; None where nothing is called, or no longer."""
    if row["category"] is None:
        return None
    return {"category": row["category"], "probability": row["called"], "amount": workspace.major(row["amount"])}
