"""Retention over a period: five figures with their denominators, in groups and steps, and account by account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domain.criteria.check import Setting
from app.domain.criteria.nodes import Cmp, Me, Node, Path
from app.domain.criteria.suggest import nearest
from app.domain.forecasting import periods
from app.domain.forecasting.outcomes import LATE
from app.domain.forecasting.periods import Asked
from app.domain.forecasting.retention import COHORTS, NAMES, NUMERATORS, Figure, Name, Sums, figures
from app.domain.roles import Principal, allows, permit
from app.domain.selections import Place, Told
from app.domain.workspaces import Workspace, clock
from app.persistence import retention as rows
from app.persistence.database import Database, Reader, Record
from app.persistence.retention import MOST_GROUPS, Group, Of
from app.services import asks, named
from app.services.asks import Ask
from app.services.segment_states import State, doubtful, named_in

READ = "retention.read"
ORDERS = ("-contribution", "contribution")
USUAL: Name = "nrr"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a door was told, as it was told; None is what was left out."""

    start: str | None = None
    end: str | None = None
    filter: str | None = None
    criteria: Node | None = None
    group_by: Told = None
    product: str | None = None
    archived: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose retention it is, and in words."""

    of: Of
    text: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of accounts as JSON values, the key that the next one begins after (None: there is none), and those of the
    segmentations that it names that are not fresh."""

    data: list[dict[str, Any]]
    keys: list[tuple[int, UUID]]
    more: bool
    following: tuple[int, UUID] | None
    segmentations: tuple[State, ...]


async def read(db: Database, principal: Principal, told: Wanted, now: datetime) -> dict[str, Any]:
    """The figures of a period, of each group where groups are asked for, and what was left out of them.

    A CSM's are of the CSM's own accounts. Raises Unreadable for criteria that are none, Invalid for what means nothing.
    """
    scope, asked = await _read(db, principal, told, now)
    workspace = principal.workspace
    async with db.transaction() as tx, tx.hashing():
        whole = await rows.totals(tx, scope.of, asked)
        found = await rows.groups(tx, scope.of, asked) if asked.groups or asked.series else []
        alone = await rows.apart(tx, scope.of)
    if len(found) > MOST_GROUPS:
        raise Place("group_by").fault(
            f"Expected at most {MOST_GROUPS:,} groups: take fewer groupings, or longer steps."
        )
    return {
        "from": asked.start, "to": asked.end, "as_of": now, "currency": workspace.currency, "scope": _said(scope, asked),
        **_figures(whole, workspace), **_apart(whole, alone, workspace),
        "groups": [_group(one, asked, workspace) for one in found],
        "segmentations": await doubtful(db, workspace, named_in((scope.of.where, asked.groups)), now),
    }  # fmt: skip


async def accounts(
    db: Database,
    principal: Principal,
    told: Wanted,
    figure: str | None,
    sort: str | None,
    after: tuple[int, UUID] | None,
    limit: int,
    now: datetime,
) -> Listing:
    """What each account contributes to a figure; all of them add up to its numerator, to the cent. Raises as `read`."""
    name = next((one for one in NAMES if one == (figure or USUAL)), None)
    if name is None:
        raise Place("figure").fault(f"Expected one of {', '.join(NAMES)}.", nearest(str(figure), NAMES))
    order = sort or ORDERS[0]
    if order not in ORDERS:
        raise Place("sort").fault(f"Expected {' or '.join(ORDERS)}.", nearest(order, ORDERS))
    scope, asked = await _read(db, principal, told, now)
    async with db.transaction() as tx, tx.hashing():
        found = await rows.accounts(
            tx, scope.of, asked, name, ascending=order == ORDERS[1], after=after, limit=limit + 1
        )
    keys = [(int(row["contribution"]), row["account_id"]) for row in found[:limit]]
    more = len(found) > limit
    data = [_account(row, name, principal.workspace) for row in found[:limit]]
    doubted = await doubtful(db, principal.workspace, named_in((scope.of.where, asked.groups)), now)
    return Listing(data, keys, more, keys[-1] if more else None, doubted)


async def reading(db: Reader, principal: Principal, told: Wanted, now: datetime) -> Scope:
    """Whose retention is asked for: a CSM sees the CSM's own accounts. Raises Forbidden, Unreadable, Invalid."""
    permit(principal, READ, own=True)
    workspace = principal.workspace
    alone = not allows(principal, READ)
    ask = Ask("accounts", filter=told.filter, criteria=told.criteria, archived=told.archived)
    frame, own = asks.frame(ask, workspace), asks.said(ask)
    said = asks.said(replace(ask, within=Cmp(Path("csm"), "eq", Me()))) if alone else own
    moment = clock(workspace, now)
    setting = Setting(workspace, moment, principal.person)
    checked = await named.reading(db, setting, principal.user_id, now, lambda within: asks.checked(ask, said, within))
    limited = told.filter is not None or told.criteria is not None
    words = "The CSM's own accounts" if alone else "Accounts of the workspace"
    words += " that meet the criteria today" if limited else ""
    words += {"with": ", archived ones too", "only": ", archived ones alone"}.get(
        frame.archived, ", archived ones left out"
    )
    return Scope(Of(workspace, checked.meaning, frame.archived, moment.today), own.text if limited else None, words)


async def _read(db: Reader, principal: Principal, told: Wanted, now: datetime) -> tuple[Scope, Asked]:
    scope = await reading(db, principal, told, now)
    asked = periods.read(told.start, told.end, told.group_by, told.product, principal.workspace, scope.of.today)
    await sold(db, principal, told.product)
    return scope, asked


async def sold(db: Reader, principal: Principal, product: str | None) -> None:
    """Raises Invalid with the nearest known one for a product that is not there."""
    if product is not None and product not in (known := await rows.products(db, principal.workspace.id)):
        raise Place("product").fault("Expected the slug of a product.", nearest(product, known))


def _said(scope: Scope, asked: Asked) -> dict[str, Any]:
    words = scope.words
    if asked.product is not None:
        words += "; of their contracts those of one product"
    elif asked.by_product:
        words += "; in groups by product an account counts once per product, so that they do not add up to the whole"
    if asked.series:
        words += f"; each {asked.series} begins with the accounts active at its own start"
    return {"filter": scope.text, "product": asked.product, "words": words + "."}


def _apart(whole: Sums, alone: tuple[int, int], workspace: Workspace) -> dict[str, Any]:
    count, arr = alone
    return {
        "left_out": {
            "accounts": whole.left_out_accounts, "arr": workspace.major(whole.left_out),
            "because": "New and returning accounts: nothing was in force at the start, and something at the end.",
        },
        "open": {
            **_open(whole, workspace),
            "because": "Renewals due in the period that are not decided: nobody has set an outcome, and what their contracts tell is "
            f"decided {LATE} days after the term, renewed or not, so that neither counts before the other. They are in no renewal "
            "rate; in GRR, NRR and logo churn counts what is in force. What a contract known today carries on is among them till then; "
            "forecasts hold it for renewed at once, so that they may have fewer open.",
        },
        "without_contracts": {
            "accounts": count, "arr": workspace.major(arr),
            "because": "What an account paid on a past day follows from its contracts; these have none, and are in no figure.",
        },
    }  # fmt: skip


def _open(of: Sums, workspace: Workspace) -> dict[str, Any]:
    return {"renewals": of.open_renewals, "arr": workspace.major(of.open_due)}


def _figures(sums: Sums, workspace: Workspace) -> dict[str, Any]:
    return {one.name: _figure(one, workspace) for one in figures(sums)}


def _figure(of: Figure, workspace: Workspace) -> dict[str, Any]:
    value = None if of.value is None else round(of.value, 6)
    return {
        "value": value, "numerator": _amount(of.name, of.numerator, workspace), "of": NUMERATORS[of.name],
        "denominator": {"accounts": of.accounts, "renewals": of.renewals, "arr": workspace.major(of.arr)}, "cohort": COHORTS[of.name],
    }  # fmt: skip


def _amount(name: Name, value: int, workspace: Workspace) -> Decimal | int:
    return value if name == "logo_churn" else workspace.major(value)


def _group(of: Group, asked: Asked, workspace: Workspace) -> dict[str, Any]:
    start, end = asked.steps[of.step]
    key: dict[str, str | None] = {} if asked.series is None else {asked.series: periods.label(start, asked.series)}
    key |= {name: value for (name, _), value in zip(asked.groups, of.key, strict=True)}
    return {"key": key, "from": start, "to": end, **_figures(of.sums, workspace), "open": _open(of.sums, workspace)}


def _account(row: Record, figure: Name, workspace: Workspace) -> dict[str, Any]:
    of, into = int(row["denominator"]), int(row["contribution"])
    return {
        "id": str(row["account_id"]), "external_id": row["external_id"], "name": row["name"], "figure": figure,
        "contribution": _amount(figure, into, workspace), "denominator": _amount(figure, of, workspace),
        "change": _amount(figure, into - of, workspace), "in_cohort": of > 0,
        "start": workspace.major(int(row["began"])), "end": workspace.major(int(row["ended"] + row["left_out"])),
        "due": workspace.major(int(row["due"])), "renewed": workspace.major(int(row["net"])), "open": workspace.major(int(row["open_due"])),
    }  # fmt: skip
