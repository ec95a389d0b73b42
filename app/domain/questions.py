"""A read as one value: what is asked, of which records, in which order, how many, and what of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from app.domain.catalogue import Relation
from app.domain.criteria.meant import Meaning, Shown, Typed

Count = Literal["none", "capped", "exact"]
Archived = Literal["without", "only", "with"]
COUNT_CAP = 10_000
MAX_LIMIT = 1_000
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Pick:
    """A value of the record under `key`; a slug or reference answers as the catalogue's column does."""

    key: str
    of: Shown


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same text in every record (`__typename`)."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """A nested object over the same record: `segment: {tier}`, `custom: {region}`, `node: {…}`."""

    key: str
    selection: Selection


@dataclass(frozen=True, slots=True)
class Nest:
    """Related records: an object or null where the relation leads to one, else an array of at most `limit`."""

    key: str
    relation: Relation
    selection: Selection
    criteria: Meaning | None = None
    sort: tuple[Sort, ...] = ()
    limit: int | None = None


Item = Pick | Fixed | Group | Nest


@dataclass(frozen=True, slots=True)
class Selection:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """Empty values come last in both directions; ties fall to the id, in the direction of the last key."""

    of: Shown
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """`after`: the sort values and then the id of the last record seen; None starts at the beginning."""

    limit: int = DEFAULT_LIMIT
    after: tuple[Typed | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One read of one entity, in one workspace. `edges` asks for each record's own sort values beside it."""

    entity: str
    criteria: Meaning
    selection: Selection
    sort: tuple[Sort, ...] = ()
    page: Page = field(default_factory=Page)
    count: Count = "none"
    archived: Archived = "without"
    edges: bool = False
