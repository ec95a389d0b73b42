"""Saved lists: what one is, who may see it, how its references are kept, and those that come ready-made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria.nodes import All, And, Cmp, Const, FieldValue, InList, Me, Node, Or, Path, Rank, Segment, Text
from app.domain.errors import Invalid
from app.domain.roles import Principal, allows
from app.domain.selections import selection
from app.domain.selections import sort as order
from app.domain.workspaces import Workspace

ListEntity = Literal["accounts", "contacts"]
Visibility = Literal["private", "public"]
ParameterKind = Literal["text", "number", "date", "instant", "bool"]
Sight = Literal["whole", "name", "nothing"]

ENTITIES: tuple[ListEntity, ...] = ("accounts", "contacts")
"""What lists can be over."""
VISIBILITIES: tuple[Visibility, ...] = ("private", "public")
PARAMETER_KINDS: tuple[ParameterKind, ...] = ("text", "number", "date", "instant", "bool")
DEFAULT_COLUMNS: Mapping[ListEntity, tuple[str, ...]] = MappingProxyType(
    {
        "accounts": ("name", "arr", "health", "renewal_date", "primary_contact.name", "last_interaction_at", "nps"),
        "contacts": ("name", "email", "title", "account.name", "last_seen_at"),
    }
)
MINE: Mapping[str, str] = MappingProxyType({"accounts": "csm", "contacts": "account.csm"})
"""The field that makes a record the caller's own."""
SEARCHED: Mapping[ListEntity, tuple[str, ...]] = MappingProxyType(
    {"accounts": ("name", "domain", "external_id"), "contacts": ("name", "email", "external_id")}
)
"""What records are called by."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name` in the list's criteria. `default` is as JSON has it; None asks the caller for a value. Money is in major units."""

    name: str
    type: ParameterKind
    default: str | int | Decimal | bool | None = None


@dataclass(frozen=True, slots=True)
class List:
    """A saved list. `criteria` names segmentations by their current slugs; `mine` adds that the record is the caller's own.

    `used_at`: when somebody last asked what it holds; `watched_since`: since when it is kept who enters and leaves it;
    `favourite`: whether it is one of whoever looks.
    """

    id: UUID
    entity: ListEntity
    name: str
    description: str | None
    criteria: Node
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    visibility: Visibility
    mine: bool
    params: tuple[Parameter, ...]
    owner_id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    folder: str | None = None
    used_at: datetime | None = None
    watched_since: datetime | None = None
    favourite: bool = False


def sight(principal: Principal, visibility: Visibility, owner_id: UUID) -> Sight:
    """What the principal may see of a list: a private one is there for its owner alone, but for its name."""
    if visibility == "public" or owner_id == principal.user_id:
        return "whole"
    return "name" if knows_names(principal) else "nothing"


def knows_names(principal: Principal) -> bool:
    """Whether the principal knows the names of private lists: whoever may hand a list over has to find it."""
    return allows(principal, "lists.transfer")


def asked(entity: ListEntity, criteria: Node, mine: bool) -> Node:
    """What the list asks for: its criteria, and where it is `mine`, the caller's own records only."""
    return both(criteria, Cmp(Path(MINE[entity]), "eq", Me())) if mine else criteria


def row_fields(columns: Sequence[str], *, past: bool = False) -> tuple[str, ...]:
    """What a row of a list shows: by what it is known, and can be changed by unless it is of the past, then its columns."""
    return tuple(dict.fromkeys((*(("id",) if past else ("id", "version")), *columns)))


def both(criteria: Node, other: Node) -> Node:
    """What meets the one and the other."""
    match criteria:
        case All():
            return other
        case And(args):
            return And((*args, other))
        case _:
            return And((criteria, other))


def searched(entity: ListEntity, words: str) -> Node:
    """Records with these words in what they are called by."""
    return Or(tuple(Text(Path(name), "contains", Const(words)) for name in SEARCHED[entity]))


def by_id(criteria: Node, workspace: Workspace) -> Node:
    """The same criteria with segmentations named by id: as lists are stored, so that no other takes a slug's place."""
    ids = {slug: str(named.id) for slug, named in workspace.segmentations.items()}
    renamed: Node = _renamed(criteria, lambda name: ids.get(name, name))
    return renamed


def by_slug(criteria: Node, workspace: Workspace) -> Node:
    """The same criteria with segmentations named by slug; what is gone keeps its id, and so is no known name."""
    slugs = {str(named.id): slug for slug, named in workspace.segmentations.items()}
    renamed: Node = _renamed(criteria, lambda name: slugs.get(name, name))
    return renamed


def path_by_id(path: str, workspace: Workspace) -> str:
    """The same for a column, or for a sort key with its sign."""
    return _path(path, lambda name: str(workspace.segmentations[name].id) if name in workspace.segmentations else name)


def path_by_slug(path: str, workspace: Workspace) -> str:
    """The other way."""
    slugs = {str(named.id): slug for slug, named in workspace.segmentations.items()}
    return _path(path, lambda name: slugs.get(name, name))


def check_columns(columns: Sequence[str], entity: Entity, workspace: Workspace) -> None:
    """Raises Invalid unless each is a field, or a field of what the entity leads to (`primary_contact.name`)."""
    for index, path in enumerate(columns):
        with _at(f"/columns/{index}"):
            selection([path], None, entity, workspace)


def check_sort(sort: Sequence[str], entity: Entity, workspace: Workspace) -> None:
    """Raises Invalid unless each is a field that records can be sorted by, with `-` before it for descending."""
    for index, key in enumerate(sort):
        with _at(f"/sort/{index}"):
            order([key], entity, workspace)


@contextmanager
def _at(pointer: str) -> Iterator[None]:
    """Faults of the block point here."""
    try:
        yield
    except Invalid as error:
        faults = tuple(replace(fault, pointer=pointer, parameter=None) for fault in error.faults)
        raise Invalid(error.detail, faults) from None


def _renamed(thing: Any, rename: Callable[[str], str]) -> Any:
    """The tree with every segmentation renamed, wherever a node names one."""
    match thing:
        case Path(name):
            return replace(thing, name=_path(name, rename))
        case FieldValue(path):
            return replace(thing, path=_path(path, rename))
        case Rank(_, field, by):
            return replace(thing, field=_path(field, rename), by=_path(by, rename) if by is not None else None)
        case Segment(segmentation):
            return replace(thing, segmentation=rename(segmentation))
        case InList(name):
            return replace(thing, list=name.lower())
        case tuple():
            return tuple(_renamed(one, rename) for one in thing)
        case _ if is_dataclass(thing) and not isinstance(thing, type):
            return replace(thing, **{f.name: _renamed(getattr(thing, f.name), rename) for f in fields(thing)})
        case _:
            return thing


def _path(path: str, rename: Callable[[str], str]) -> str:
    """`segment.<name>` wherever it stands at the end: alone, behind a sign, behind `account.`."""
    before, found, name = path.rpartition("segment.")
    return f"{before}{found}{rename(name)}" if found and before in ("", "-", "account.", "-account.") else path


# -- ready-made --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Template:
    """A ready-made list: `criteria` is its text; `segmentation` is the preset that it names, without which it means nothing."""

    slug: str
    name: str
    description: str
    criteria: str
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    entity: ListEntity = "accounts"
    segmentation: str | None = None


TEMPLATES: tuple[Template, ...] = (
    Template(
        "new-accounts", "New accounts of the last week",
        "Customers since at most seven days, and accounts added in that time that are no customers yet.",
        "became_customer_at IN last(7d) OR (became_customer_at IS EMPTY AND created_at IN last(7d))",
        ("name", "stage", "csm.name", "arr", "industry", "became_customer_at", "primary_contact.name"),
        ("-became_customer_at", "name"),
    ),
    Template(
        "onboarding", "Onboarding accounts",
        "In the lifecycle stage of onboarding, those that are there longest first.",
        'stage = "onboarding"',
        ("name", "stage_since", "csm.name", "arr", "consumption_score", "last_interaction_at", "primary_contact.name"),
        ("stage_since", "name"),
    ),
    Template(
        "renewals", "Renewal within 90 days",
        "Customers whose renewal falls within the 90 days that begin today, the next one first.",
        'status = "customer" AND renewal_date IN next(90d)',
        ("name", "renewal_date", "auto_renew", "arr", "health", "csm.name", "nps", "last_interaction_at"),
        ("renewal_date", "-arr"),
    ),
    Template(
        "low-key-usage", "At risk: low use of key features",
        "Customers who used all key features together less than 20 times in the last 30 days, the largest first.",
        'status = "customer" AND sum(usage.value WHERE is_key = true, last(30d)) < 20',
        ("name", "arr", "consumption_score", "seat_utilisation", "last_active_at", "health", "renewal_date", "csm.name"),
        ("-arr", "name"),
    ),
    Template(
        "no-interaction", "No interaction for 30 days",
        "Customers without any interaction in the last 30 days, those that never had one included.",
        'status = "customer" AND none(interactions, last(30d))',
        ("name", "last_interaction_at", "arr", "health", "csm.name", "primary_contact.name", "renewal_date"),
        ("-arr", "name"),
    ),
    Template(
        "churned", "Churned in the last 60 days",
        "Accounts that left in the last 60 days, the latest first.",
        "churned_at IN last(60d)",
        ("name", "churned_at", "churn_reason", "became_customer_at", "industry", "csm.name", "nps"),
        ("-churned_at", "name"),
    ),
    Template(
        "open-invoices", "Unpaid or failed invoices",
        "Accounts with at least one invoice that is unpaid or whose payment failed, the largest sum first.",
        'any(invoices WHERE status IN ("unpaid", "failed"))',
        ("name", "open_invoices_amount", "arr", "health", "csm.name", "renewal_date", "primary_contact.name"),
        ("-open_invoices_amount", "name"),
    ),
    Template(
        "red-low-key-usage", "At risk: red health and low use of key features",
        "Customers in red health who used all key features together less than 20 times in the last 30 days.",
        'status = "customer" AND health_band = "red" AND sum(usage.value WHERE is_key = true, last(30d)) < 20',
        ("name", "health", "arr", "renewal_date", "consumption_score", "last_active_at", "csm.name", "primary_contact.name"),
        ("renewal_date", "-arr"),
    ),
    Template(
        "no-industry", "Accounts without an industry",
        "Accounts that no scenario can mean anything for, because nobody has said their industry; the largest first.",
        "industry IS EMPTY",
        ("name", "type", "region", "status", "arr", "csm.name", "renewal_date", "domain"),
        ("-arr", "name"),
    ),
    Template(
        "expansion", "Expansion: engaged, consuming and content",
        "Customers whose industry is hardly hit, who engage and consume much and are content: whom to offer more, the largest "
        "potential first.",
        'status = "customer" AND (impact = "low" OR impact IS EMPTY) AND engagement_score >= 60 AND consumption_score >= 60 '
        "AND sentiment >= 4",
        ("name", "growth_potential", "arr", "engagement_score", "consumption_score", "sentiment", "seat_utilisation", "csm.name"),
        ("-growth_potential", "-arr"),
    ),
    Template(
        "usage-limits", "Expansion: close to a limit, in the low tier",
        "Customers of low value who have used four fifths of their usage limit, or whose licences are nearly all in use. Needs the "
        "segmentation tier.",
        'status = "customer" AND segment.tier = "low" AND (usage_limit_used >= 0.8 OR seat_utilisation >= 0.9)',
        ("name", "usage_limit_used", "seat_utilisation", "arr", "consumption_score", "renewal_date", "csm.name"),
        ("-usage_limit_used", "-arr"), segmentation="tier",
    ),
    Template(
        "power-users", "Expansion: power users, in the low tier",
        "Customers of low value with at least two people who were active on half of the last 30 days: prime for an up-sell. Needs "
        "the segmentation tier.",
        'status = "customer" AND segment.tier = "low" AND count(contacts WHERE active_days_30 >= 15) >= 2',
        ("name", "consumption_score", "seat_utilisation", "arr", "growth_potential", "primary_contact.name", "csm.name"),
        ("-consumption_score", "-arr"), segmentation="tier",
    ),
    Template(
        "churn-risk", "At risk: the high tier",
        "Customers of high value in red health, or whose decision maker thinks little of what they get; the next renewal first. Needs "
        "the segmentation tier.",
        'status = "customer" AND segment.tier = "high" AND (health_band = "red" OR sentiment <= 2)',
        ("name", "health", "sentiment", "arr", "renewal_date", "last_interaction_at", "csm.name", "primary_contact.name"),
        ("renewal_date", "-arr"), segmentation="tier",
    ),
    Template(
        "references", "References to ask for",
        "Customers in green health who are content, would recommend, and are no reference yet.",
        'status = "customer" AND is_reference = false AND health_band = "green" AND sentiment >= 4 AND nps >= 9',
        ("name", "nps", "sentiment", "health", "arr", "industry", "primary_contact.name", "csm.name"),
        ("-nps", "-arr"),
    ),
    Template(
        "case-studies", "Case studies to ask for",
        "References who consume much, and of whom nobody has written yet.",
        'status = "customer" AND is_reference = true AND case_studies = 0 AND consumption_score >= 60',
        ("name", "consumption_score", "nps", "arr", "industry", "products", "primary_contact.name", "csm.name"),
        ("-consumption_score", "-arr"),
    ),
)  # fmt: skip
"""The seven lists that every organisation begins with, the one that combines usage with health, what is to be done before a
scenario means anything, and where to look for expansion, for risk, and for who speaks for us."""
