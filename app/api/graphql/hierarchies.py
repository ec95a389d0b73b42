"""Trees of accounts, and what all that hangs under one comes to."""

from __future__ import annotations

from typing import Any, cast

from app.api.graphql.addressed import addressed
from app.api.graphql.build import argument, member, operated, output
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import uuid
from app.api.graphql.writing import Arguments
from app.services import hierarchies
from app.services.hierarchies import InRow, InTree

PASSED = "An archived account is passed through: what hangs under it is shown under the next one above."
SHOWN = [
    member("id", "ID"), member("external_id", "Optional[str]"), member("name", "str"), member("status", "AccountStatus"),
    member("arr", "Money"), member("health", "Optional[float]"), member("health_band", "Optional[AccountHealthBand]"),
    member("renewal_date", "Optional[Date]"), member("csm_id", "Optional[ID]"), member("csm_name", "Optional[str]"),
    member("archived_at", "Optional[DateTime]"),
]  # fmt: skip
IN_TREE = [
    *SHOWN, member("parent_id", "Optional[ID]", "What it hangs under, archived accounts passed through."),
    member("depth", "int", "Levels below the account that was asked for."), member("children", "int", "Accounts right under it."),
]  # fmt: skip
output("RollUp", [
    member("accounts", "int"), member("customers", "int"), member("arr", "Money"), member("mrr", "Money"),
    member("growth_potential", "Optional[Money]"), member("open_invoices_amount", "Money"), member("open_tickets", "int"),
    member("health", "Optional[float]", "Average weighted by ARR; plain where none with a health has any."),
    member("health_minimum", "Optional[float]"),
    member("red_arr_share", "Optional[float]", "Share of the ARR that is with accounts in red; null without ARR."),
    member("next_renewal_date", "Optional[Date]", "The first of a customer from today on."),
], "Sums over an account and everything below it, archived accounts left out.")  # fmt: skip
output("AncestorAccount", SHOWN)
output("TreeAccount", IN_TREE)
output("RolledUpAccount", [*IN_TREE, member("roll_up", "RollUp")])
connect("TreeAccount")
connect("RolledUpAccount")
output("AccountHierarchy", [
    member("account", "TreeAccount"), member("ancestors", "list[AncestorAccount]", "The top first."), member("roll_up", "RollUp"),
    member("descendants", "TreeAccountConnection", "By depth and name: each after what it hangs under."),
], "An account, what is above and below it, and what it comes to.")  # fmt: skip


async def _tree(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after = cast(InTree, page.after) if page.after else None
    shown, following = await hierarchies.tree(
        caller.db, caller.principal, uuid(said["id"]), caller.now, after, page.limit
    )
    data = shown.pop("data")
    keys = [hierarchies.in_tree(one) for one in data]
    return {**shown, "descendants": page.connection(data, keys, following is not None)}


async def _siblings(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after = cast(InRow, page.after) if page.after else None
    parent_id = uuid(said["id"]) if "id" in said else None
    found, following = await hierarchies.siblings(
        caller.db, caller.principal, parent_id, caller.now, after, page.limit, groups=said["groups"]
    )
    return page.connection(found, [hierarchies.in_row(one) for one in found], following is not None)


_GROUPS = argument("groups", "bool", False, "Only accounts that others name as their parent.")
QUERIES = [
    addressed(
        "records.read", "account_hierarchy", "Optional[AccountHierarchy]", _tree, *PAGING,
        description=f"The tree around an account; `first` and `after` page what is below it. {PASSED}",
    ),
    addressed(
        "records.read", "account_children", "Optional[RolledUpAccountConnection]", _siblings, _GROUPS, *PAGING,
        description=f"What hangs right under an account, each with its roll-up. {PASSED}",
    ),
    operated(
        "records.read", "account_roots", "RolledUpAccountConnection", _siblings, _GROUPS, *PAGING,
        description=f"The accounts at the top of every tree, each with its roll-up. {PASSED}",
    ),
]  # fmt: skip
