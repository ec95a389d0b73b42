"""What depends on a thing, so that a refused deletion names it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domain import dependents as domain
from app.domain import lists
from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.criteria import text, tree
from app.domain.dependents import Dependent, Mention, mentions, of_path
from app.domain.errors import Invalid, Unreadable
from app.domain.roles import Principal
from app.domain.segmentation.bodies import parts
from app.persistence import dependents
from app.persistence.database import Record, Transaction
from app.services import followed

DECODER = msgspec.json.Decoder(float_hook=Decimal)
NAMED = ("industries", "products", "features", "teams", "stages", "users", "segmentations", "lists")
"""What criteria can name."""
WAYS: Mapping[str, str] = {
    "accounts": "; with=records (withRecords) takes them along",
    "stages": "; accounts go to another stage by move_to (moveTo)",
}
"""How it can be deleted all the same, as REST and GraphQL call it."""


async def of(
    tx: Transaction, principal: Principal, entity: str, record_id: UUID, slug: str | None
) -> tuple[Dependent, ...]:
    """Records that refer to it, then lists and segmentations whose criteria name it; private lists by name only to those
    who may see it."""
    workspace_id, user_id = principal.workspace.id, principal.user_id
    every = lists.knows_names(principal)
    found = [
        Dependent(what, count, tuple(names))
        for what, count, names in await dependents.rows(
            tx, workspace_id, entity, record_id, slug, every=every, user_id=user_id
        )
    ]
    if entity not in NAMED:
        return tuple(found)
    wanted = {str(record_id)} | ({slug} if slug else set())
    if entity == "users":
        wanted |= set(await dependents.names_of_user(tx, workspace_id, record_id))
    sought = {Mention(entity, name) for name in wanted}
    written = [msgspec.json.encode(name).decode()[1:-1] for name in sorted(wanted)]
    naming = [row for row in await dependents.lists(tx, workspace_id, written) if not sought.isdisjoint(_of_list(row))]
    segmentations = [
        row["slug"]
        for row in await dependents.segmentations(tx, workspace_id, written)
        if row["id"] != record_id and not sought.isdisjoint(_of_segmentation(row))
    ]
    return (
        *found,
        *domain.dependent("saved lists", [shown_name(principal, row) for row in naming]),
        *domain.dependent("segmentations", segmentations),
        *await followed.naming(
            tx, workspace_id, lambda node: not sought.isdisjoint(mentions(node, ACCOUNTS)),
            slug if entity == "segmentations" else None,
        ),
    )  # fmt: skip


async def refuse(tx: Transaction, principal: Principal, entity: str, record_id: UUID, slug: str | None) -> None:
    """Raises Conflict with a Fault per kind where anything depends on it; it says the way out where there is one."""
    domain.refuse(await of(tx, principal, entity, record_id, slug), "depend on it", WAYS.get(entity, ""))


def shown_name(principal: Principal, row: Record) -> str | None:
    """A list's name; None where the principal may not see it."""
    name: str = row["name"]
    return name if lists.sight(principal, row["visibility"], row["owner_id"]) != "nothing" else None


def _of_list(row: Record) -> Iterator[Mention]:
    for path in (*row["columns"], *row["sort"]):
        yield from of_path(path)
    try:
        node = tree.load_document(DECODER.decode(row["criteria"]))
    except (Invalid, Unreadable):
        return  # what cannot be read any more names nothing
    yield from mentions(node, ENTITIES[row["entity"]])


def _of_segmentation(row: Record) -> Iterator[Mention]:
    named = [*parts(msgspec.json.decode(row["spec"]))]
    told: Iterable[str | None] = (
        *(case["criteria"] for case in msgspec.json.decode(row["segments"])),
        *(part.get("criteria") for part in named),
        *((part.get("cuts") or {}).get("among") for part in named),
    )
    for criteria in told:
        if criteria is not None:
            yield from mentions(text.parse(criteria), ACCOUNTS)
    for part in named:
        yield from of_path(part.get("field") or "")
