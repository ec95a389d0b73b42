"""What criteria name beyond the catalogue: saved lists and cut-offs of ranks, brought when they turn out to be named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria.check import NamedList, Setting
from app.domain.criteria.coerce import is_identity
from app.domain.criteria.nodes import InList, Node
from app.domain.criteria.referred import Names, Referred, referred
from app.domain.errors import StrataError
from app.domain.lists import asked
from app.domain.workspaces import Workspace
from app.persistence import criteria
from app.persistence import named as rows
from app.persistence.database import Reader, Record
from app.services import listings, ranks

Key = TypeVar("Key")
Found = TypeVar("Found")
Made = TypeVar("Made")


class Known(dict[Key, Found]):
    """What was brought so far; what is asked for beyond is kept as missed."""

    def __init__(self, known: Mapping[Key, Found]) -> None:
        super().__init__(known)
        self.missed: dict[Key, None] = {}

    def get(self, key: Key, default: Any = None) -> Any:
        """The thing, where it was brought."""
        if key not in self:
            self.missed[key] = None
        return super().get(key, default)


async def reading(
    reader: Reader, setting: Setting, viewer: UUID | None, now: datetime, read: Callable[[Setting], Made]
) -> Made:
    """What `read` makes in the setting, once it has the lists and the cut-offs that it asks the setting for: lists, with
    all that they name, come in one statement, cut-offs in another, and it reads again.

    The viewer sees public lists and the own; None sees public ones alone. Cut-offs that nobody asked for before are
    computed, and are of `now`. Raises what `read` raises when it has all that there is.
    """
    sought: set[UUID] = set()
    while True:
        lists, cuts = Known(setting.lists), None if setting.cuts is None else Known(setting.cuts)
        made, error = _attempted(read, replace(setting, lists=lists, cuts=cuts))
        if ids := lists.missed.keys() - sought:
            sought |= ids
            setting = replace(setting, lists={**lists, **await _lists(reader, setting.workspace, ids, viewer)})
        elif cuts is not None and cuts.missed:
            found = await ranks.cuts(reader, setting.workspace, tuple(cuts.missed), now)
            setting = replace(setting, cuts={**cuts, **found})
        elif error is not None:
            raise error
        else:
            return made[0]


@dataclass(frozen=True, slots=True)
class Called:
    """What criteria refer to: the names of what is there, and what is not, as it was written."""

    names: Names
    lost: frozenset[Referred]

    @property
    def of_ids(self) -> Names:
        """The names of what is told by id, which nobody can read."""
        return {told: name for told, name in self.names.items() if is_identity(told[1])}


async def called(
    reader: Reader, workspace: Workspace, viewer: UUID | None, entity: Entity, told: Iterable[Node]
) -> Called:
    """What these criteria of an entity refer to, as the viewer may know it; one statement, or none where it is nothing."""
    every = dict.fromkeys(one for node in told for one in referred(node, entity, workspace))
    names = await criteria.called(reader, workspace.id, tuple(every), viewer) if every else {}
    return Called(names, frozenset(every.keys() - names.keys()))


def _attempted(read: Callable[[Setting], Made], setting: Setting) -> tuple[list[Made], StrataError | None]:
    try:
        return [read(setting)], None
    except StrataError as error:
        return [], error


async def _lists(
    reader: Reader, workspace: Workspace, ids: Collection[UUID], viewer: UUID | None
) -> dict[UUID, NamedList]:
    return {row["id"]: _named(row, workspace) for row in await rows.lists(reader, workspace.id, sorted(ids), viewer)}


def _named(row: Record, workspace: Workspace) -> NamedList:
    head = (row["id"], row["name"], row["entity"])
    try:
        of = listings.loaded(row, workspace)
        return NamedList(*head, asked(of.entity, of.criteria, of.mine), listings.parameters(of.params))
    except StrataError as error:
        return NamedList(*head, InList(str(row["id"])), fault=error.detail)
