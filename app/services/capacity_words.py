"""What a plan of capacity comes to in words: why moves are what they are, what is missing, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain.capacity import Balance
from app.domain.workspaces import Workspace
from app.persistence.capacity import Owner
from app.services.care import Cared
from app.services.loads import By, Load, hours

NO_ACCOUNTS = "No accounts were asked about, so nobody has too many."
NO_ACCOUNT = "There is no account to plan with: make or import accounts that are not churned, or narrow them down less."
NOBODY = "Nobody is an active CSM: make users with the role csm, and name one as csm of each account."
NOTHING: Mapping[By, str] = {
    "arr": "No account has ARR: nothing can be planned by it. Say arr of accounts, or import their contracts.",
    "hours": "No segment's engagement model says hours: nothing can be planned by them. Put engagement.hours with the segmentation.",
}


def why(
    books: Sequence[Load], before: Balance, hired: Balance, room: tuple[int, int], by: By, workspace: Workspace
) -> str:
    """What the moves come to. `before`: without hires; `room`: what is too much in all books, and what others could take."""
    if not any(book.weights(by) for book in books):
        return NO_ACCOUNTS
    if not any(sum(book.weights(by)) for book in books):
        return NOTHING[by]
    if not any(book.weights(by) for book in books[:-1]):
        return "No CSM looks after any of these accounts, so there is nothing to hand over."
    if not hired.moves:
        return "Nobody is above the target use, so no account has to move."
    sure = "No fewer moves would do." if hired.is_fewest else "Fewer moves may do: not every way was tried."
    ended = f"after {_told(len(hired.moves), 'move')} nobody is above the target use. {sure}"
    if not before.over:
        return ended[0].upper() + ended[1:]
    return f"{_short(before, room, by, workspace)} With {_told(hired.hires, 'more CSM')}, {ended}"


def _short(before: Balance, room: tuple[int, int], by: By, workspace: Workspace) -> str:
    """Why moves alone do not mend it."""
    excess, free = room
    others = f"others have room for {_amount(free, by, workspace)}" if free else "nobody has room for more"
    fits = ", but not for single accounts as large as these" if free >= excess else ""
    return (
        f"{_amount(excess, by, workspace)} are above the target use, and {others}{fits}: "
        f"moves alone leave {len(before.over)} above it."
    )


def of_other(needed: Mapping[str, Any], by: By) -> str:
    """What is said where the other measure takes more people than the one that moves and hires go by; nothing else."""
    other: By = "hours" if by == "arr" else "arr"
    named: Mapping[By, str] = {"arr": "ARR", "hours": "hours"}
    mine, theirs = (needed[f"by_{one}"]["planned"] for one in (by, other))
    if not 0 < mine < theirs:
        return ""
    return (
        f" Moves and hires go by {named[by]} alone: at the target use the accounts take {_told(mine, 'CSM')} by {named[by]}, and "
        f"{theirs:,} by {named[other]}, which `needed` counts too."
    )


def of_teams(teams: int) -> str:
    """What is said of accounts that fit in no book; nothing where there are none."""
    if not teams:
        return ""
    be = (
        "is above what one CSM may have, and a team of its own"
        if teams == 1
        else "are above what one CSM may have, and teams of their own"
    )
    return f" {_told(teams, 'account')} {be}: in no load, and in no move."


def missing(
    of: Cared, segments: Mapping[str | None, Load], books: Sequence[Load], owners: Sequence[Owner], by: By
) -> list[str]:
    """What the answer lacks, and what to do about it: a sentence or two of each."""
    accounts = sum(len(load.arr) for load in segments.values())
    return [*_of_people(books, owners), *(_of_accounts(of, segments, by) if accounts else (NO_ACCOUNT,))]


def _of_people(books: Sequence[Load], owners: Sequence[Owner]) -> Iterator[str]:
    if not any(owner.is_active for owner in owners):
        yield NOBODY
    away = [n for n, owner in enumerate(owners) if not owner.is_active]
    if held := sum(len(books[n].arr) for n in away):
        yield f"{_told(held, 'account')} of people who are no longer active: hand them over, all of one at once by hand-over."
    if unowned := len(books[-1].arr):
        yield f"{_told(unowned, 'account')} without a CSM: in no load, and in no move. Name a csm of each."


def _of_accounts(of: Cared, segments: Mapping[str | None, Load], by: By) -> Iterator[str]:
    weighs = any(sum(load.weights(by)) for load in segments.values())
    if not weighs:
        yield NOTHING[by]
    silent = {slug: load for slug, load in segments.items() if load.arr and not sum(load.hours)}
    if silent and (weighs or by != "hours"):
        named = ", ".join(of.names.get(slug or "", "Nowhere yet") for slug in silent)
        held = _told(sum(len(load.arr) for load in silent.values()), "account")
        yield f"No hours are said for {named}: by hours the {held} there weigh nothing. Put engagement.hours with the segmentation."


def _told(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _amount(weight: int, by: By, workspace: Workspace) -> str:
    if by == "hours":
        return f"{hours(weight):,} hours a month"
    return f"{workspace.major(weight):,} {workspace.currency} of ARR"
