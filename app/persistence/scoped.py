"""Statements for one account, for many, or for all of a workspace: which it is, and how they are held to those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

Scoped = Literal["one", "many", "all"]


def scoped(account_ids: Sequence[UUID] | None) -> Scoped:
    """For how many accounts a statement is; None: all."""
    if account_ids is None:
        return "all"
    return "one" if len(account_ids) == 1 else "many"


def restricted(of: Scoped, alias: str, accounts: str) -> list[str]:
    """What holds rows of accounts to those that are bound at the place `accounts`."""
    match of:
        case "one":
            return [f"{alias}.id = {accounts}"]
        case "many":
            return [f"{alias}.id = ANY ({accounts})"]
        case "all":
            return []


def bound(account_ids: Sequence[UUID] | None) -> tuple[object, ...]:
    """What is bound at that place, last of all."""
    if account_ids is None:
        return ()
    return (account_ids[0],) if len(account_ids) == 1 else (list(account_ids),)
