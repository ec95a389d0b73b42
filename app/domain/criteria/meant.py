"""What a criteria means: the checked tree, total for every reader.

Names are resolved to the catalogue's fields, values to their types, windows to half-open bounds, people and parameters
to what they stand for. Nothing that comes after can fail on a name or a type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from app.domain.catalogue import Field, Relation
from app.domain.criteria.nodes import Comparison, Fold

Typed = str | int | float | bool | date | datetime | UUID
"""A value in its field's own type: money is int minor units, number float (int where whole), slugs and enums str."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Half-open `[lo, hi)`: both dates, or both instants in UTC; None is no bound."""

    lo: date | datetime | None
    hi: date | datetime | None


# -- operands ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the record; `through` names the to-one relation that leads to it (`account.name` of a contact).

    `on`: as its history has it at this moment; of stages alone.
    """

    field: Field
    through: Relation | None = None
    on: datetime | None = None


@dataclass(frozen=True, slots=True)
class SegmentOf:
    """The slug of the segment that the account stands in, for one segmentation (`segment.<slug>`); with `on` the one
    that it stood in at this moment."""

    segmentation: UUID
    slug: str
    through: Relation | None = None
    on: datetime | None = None


@dataclass(frozen=True, slots=True)
class CustomOf:
    """An organisation's own attribute (`custom.<slug>`), as a field of its type."""

    field: Field
    through: Relation | None = None


@dataclass(frozen=True, slots=True)
class FoldOf:
    """A fold over related rows. `field` is None for count. Rows outside `bounds` (on the relation's time field) are out."""

    fn: Fold
    relation: Relation
    field: Field | None
    where: Meaning | None
    bounds: Bounds | None


@dataclass(frozen=True, slots=True)
class ChangeOf:
    """`relative`: (now - was) / |was|, empty where `was` is 0 or empty; else now - was, empty where either is."""

    now: FoldOf
    was: FoldOf
    relative: bool


Shown = Column | SegmentOf | CustomOf
"""What a record can show and be sorted by."""
Operand = Shown | FoldOf | ChangeOf


# -- predicates: each is true or false, never unknown ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    args: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Or:
    args: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Not:
    arg: Meaning


@dataclass(frozen=True, slots=True)
class All:
    pass


@dataclass(frozen=True, slots=True)
class Compare:
    """An empty operand is false, but for `ne`, which is then true. Two empty operands are not equal either."""

    of: Operand
    cmp: Comparison
    value: Typed | Operand


@dataclass(frozen=True, slots=True)
class OneOf:
    """Empty is false."""

    of: Operand
    values: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """`lo <= of <= hi`, or `< hi` where `hi_open`; covers ranges and time windows. Empty is false."""

    of: Operand
    lo: Typed | None
    hi: Typed | None
    hi_open: bool


@dataclass(frozen=True, slots=True)
class Match:
    """Case-folded text matching; `value` is as written, readers fold both sides by Unicode simple lower case."""

    of: Operand
    match: Literal["contains", "starts_with", "ends_with"]
    value: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has every one of the values, or any; empty is false."""

    of: Operand
    every: bool
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Is empty; tags are where there are none."""

    of: Operand


@dataclass(frozen=True, slots=True)
class Related:
    """any: some row passes; none: no row passes; all: there is a row within bounds, and each such row passes."""

    q: Literal["any", "none", "all"]
    relation: Relation
    where: Meaning | None
    bounds: Bounds | None


@dataclass(frozen=True, slots=True)
class Refers:
    """A reference (csm, parent, account, contact, primary_contact) that is one of some things. Empty is false.

    It is one where its external id or its e-mail, as far as it has them, is one of `names`, or its id one of `ids`:
    `names` are all names as written, `ids` those of them that are ids, and those of `@me` and `@my_team`.
    """

    of: Column
    names: tuple[str, ...]
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Came into the segment, or went out of it, at some moment within bounds: a stay there begins, or ends.

    The first stay begins too. A stay ends when another segment begins: because something was written, a day passed, or
    the segmentation was defined anew; being archived moves nobody.
    """

    segmentation: UUID
    slug: str
    segment: str
    event: Literal["entered", "left"]
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Grouped:
    """A number within the bounds of its group: `groups` are (value of `by` as text, lo, hi), the value empty where `by`
    is; what is in none of them is out. Empty is false. lo < of <= hi where `rising`, else lo > of >= hi: that is, lo is
    the end that is left behind. None is no bound."""

    of: Column | CustomOf
    by: Shown
    groups: tuple[tuple[str, int | float | None, int | float | None], ...]
    rising: bool


Meaning = (
    And | Or | Not | All | Compare | OneOf | Between | Match | Tagged | Missing | Related | Refers | Moved | Grouped
)
