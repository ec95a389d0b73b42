"""What depends on a thing, so that a refused deletion names it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.criteria import text, tree
from app.domain.dependents import Dependent, Mention, mentions, of_path
from app.domain.errors import Conflict, Fault, Invalid, Unreadable
from app.persistence import dependents
from app.persistence.database import Record, Transaction

DECODER = msgspec.json.Decoder(float_hook=Decimal)
NAMED = ("industries", "products", "features", "teams", "stages", "users", "segmentations", "lists")
"""What criteria can name."""


async def of(
    tx: Transaction, workspace_id: UUID, entity: str, record_id: UUID, slug: str | None
) -> tuple[Dependent, ...]:
    """Records that refer to it, then lists and segmentations whose criteria name it; nobody's private list by its name."""
    found = [
        Dependent(what, count, tuple(names))
        for what, count, names in await dependents.rows(tx, workspace_id, entity, record_id, slug)
    ]
    if entity not in NAMED:
        return tuple(found)
    wanted = {str(record_id)} | ({slug} if slug else set())
    if entity == "users":
        wanted |= set(await dependents.names_of_user(tx, workspace_id, record_id))
    sought = {Mention(entity, name) for name in wanted}
    written = [msgspec.json.encode(name).decode()[1:-1] for name in sorted(wanted)]
    lists = [row for row in await dependents.lists(tx, workspace_id, written) if not sought.isdisjoint(_of_list(row))]
    segmentations = [
        row["slug"]
        for row in await dependents.segmentations(tx, workspace_id, written)
        if row["id"] != record_id and not sought.isdisjoint(_of_segmentation(row))
    ]
    found += _counted("saved lists", [row["name"] for row in lists])
    return (*found, *_counted("segmentations", segmentations))


async def refuse(tx: Transaction, workspace_id: UUID, entity: str, record_id: UUID, slug: str | None) -> None:
    """Raises Conflict with a Fault per kind where anything depends on it."""
    found = await of(tx, workspace_id, entity, record_id, slug)
    if found:
        raise Conflict(
            f"Expected nothing that depends on it: {', '.join(map(str, found))}.",
            tuple(Fault(f"Expected no {one.what} that depend on it: {one}.") for one in found),
        )


def _counted(what: str, names: list[str | None]) -> Iterator[Dependent]:
    if names:
        yield Dependent(what, len(names), tuple([name for name in names if name is not None][: dependents.EXAMPLES]))


def _of_list(row: Record) -> Iterator[Mention]:
    for path in (*row["columns"], *row["sort"]):
        yield from of_path(path)
    try:
        node = tree.load_document(DECODER.decode(row["criteria"]))
    except (Invalid, Unreadable):
        return  # what cannot be read any more names nothing
    yield from mentions(node, ENTITIES[row["entity"]])


def _of_segmentation(row: Record) -> Iterator[Mention]:
    spec = msgspec.json.decode(row["spec"])
    axes = [axis for axis in (spec, spec.get("x"), spec.get("y")) if axis]
    told: Iterable[str | None] = (
        *(case["criteria"] for case in msgspec.json.decode(row["segments"])),
        *((axis.get("cuts") or {}).get("among") for axis in axes),
    )
    for criteria in told:
        if criteria is not None:
            yield from mentions(text.parse(criteria), ACCOUNTS)
    for axis in axes:
        yield from of_path(axis.get("field", ""))
