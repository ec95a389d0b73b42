"""Hierarchies of accounts: what hangs under what, and what all of it comes to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace, clock
from app.persistence import hierarchies, reads
from app.persistence.database import Reader
from app.persistence.hierarchies import Node

MONEY = ("arr", "mrr", "growth_potential", "open_invoices_amount")
ROUNDED = ("health", "red_arr_share")
DIGITS = 4
NOTHING: dict[str, Any] = {
    "accounts": 0, "customers": 0, "arr": 0, "mrr": 0, "growth_potential": None, "open_invoices_amount": 0,
    "open_tickets": 0, "health": None, "health_minimum": None, "red_arr_share": None, "next_renewal_date": None,
}  # fmt: skip
"""The roll-up over no account at all."""
InTree = tuple[int, str, UUID]
"""Behind which account a page of a tree begins: its depth, name and id."""
InRow = tuple[str, UUID]
"""Behind which account a page of siblings begins."""


async def tree(
    db: Reader, principal: Principal, account_id: UUID, now: datetime, after: InTree | None = None, limit: int = 50
) -> tuple[dict[str, Any], InTree | None]:
    """`{account, ancestors, roll_up, data}` and where the next page of `data` begins: everything below the account, each
    after what it hangs under. Archived accounts are passed through. Raises NotFound."""
    permit(principal, "records.read")
    workspace = principal.workspace
    found = await hierarchies.tree(db, workspace.id, account_id, clock(workspace, now).today, after, limit + 1)
    if found is None:
        raise NotFound
    data = [_node(workspace, one) for one in found.data[:limit]]
    shown = {
        "account": _node(workspace, found.account),
        "ancestors": [_node(workspace, one) for one in found.ancestors],
        "roll_up": _roll_up(workspace, found.roll_up or NOTHING),
        "data": data,
    }
    return shown, in_tree(data[-1]) if len(found.data) > limit else None


async def siblings(
    db: Reader,
    principal: Principal,
    parent_id: UUID | None,
    now: datetime,
    after: InRow | None = None,
    limit: int = 50,
    *,
    groups: bool = False,
) -> tuple[list[dict[str, Any]], InRow | None]:
    """What hangs right under an account, or at the top of every tree, each with the roll-up over all below it; where the
    next page begins. `groups`: those alone that other accounts name as their parent. Raises NotFound."""
    permit(principal, "records.read")
    workspace = principal.workspace
    today = clock(workspace, now).today
    found = await hierarchies.siblings(db, workspace.id, parent_id, today, after, limit + 1, groups=groups)
    if not found and parent_id is not None and not await reads.account_exists(db, workspace.id, parent_id):
        raise NotFound
    data = [_node(workspace, one) | {"roll_up": _roll_up(workspace, one["roll_up"])} for one in found[:limit]]
    return data, in_row(data[-1]) if len(found) > limit else None


def in_tree(node: Node) -> InTree:
    """Where an account stands in a tree."""
    return node["depth"], node["name"], UUID(node["id"])


def in_row(node: Node) -> InRow:
    """Where an account stands among its siblings."""
    return node["name"], UUID(node["id"])


def _node(workspace: Workspace, node: Node) -> dict[str, Any]:
    return {name: _shown(workspace, name, value) for name, value in node.items() if name != "roll_up"}


def _roll_up(workspace: Workspace, sums: dict[str, Any]) -> dict[str, Any]:
    return {name: _shown(workspace, name, value) for name, value in sums.items()}


def _shown(workspace: Workspace, name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in MONEY:
        return workspace.major(value)
    if name in ROUNDED:
        return round(float(value), DIGITS)
    return value.replace("+00:00", "Z") if name == "archived_at" else value
