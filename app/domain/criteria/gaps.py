"""What criteria ask of that a workspace may know nothing of at all: then they tell no record from another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.domain.catalogue import ACCOUNTS, CONTACTS, ENTITIES, FEATURES, USAGE, Entity, Field
from app.domain.criteria import meant, nodes
from app.domain.criteria.empties import asked
from app.domain.criteria.evaluate import holds
from app.domain.criteria.meant import ChangeOf, Column, FoldOf, Meaning

NO_DATA = "no_data"
MEANING = "Nothing that this asks of was ever recorded in the workspace: every record meets it, or none does."
"""The code of a warning about a gap, and what it says."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something of which there may be nothing: records of an entity; with `field` those that have a value in it, or of a
    flag those that it is true of."""

    entity: str
    field: str | None = None

    @property
    def is_flag(self) -> bool:
        """Whether it is of a flag."""
        return self.field is not None and ENTITIES[self.entity].fields[self.field].kind == "bool"


KEY_FEATURES = Gap(FEATURES.name, "is_key")
KEPT_FROM: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        ACCOUNTS.name: {
            "nps": "surveys", "nps_at": "surveys", "sentiment": "sentiments", "sentiment_at": "sentiments",
            "open_invoices_amount": "invoices", "open_tickets": "tickets", "last_interaction_at": "interactions",
            "last_inbound_at": "interactions", "engagement_score": "interactions", "last_active_at": "usage",
            "contract_start": "contracts", "contract_end": "contracts", "auto_renew": "contracts", "products": "contracts",
            "primary_contact": "contacts",
        },
        CONTACTS.name: {"nps": "surveys", "active_days_30": "usage"},
    }
)  # fmt: skip
"""Fields that follow from related records alone, and from which: without any they are empty, or 0 where they cannot be."""
FOLLOWS: Mapping[str, str] = MappingProxyType(
    {
        "health_band": "health", "impact": "industry", "stage_since": "stage", "usage_limit_used": "usage_limit",
        "seat_utilisation": "seats_active",
    }
)  # fmt: skip
"""Fields of accounts that are empty where another one is."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A leaf that stands on what may be a gap, and whether every record meets it then, or none. NOT is counted in."""

    gap: Gap
    met: bool


def stands(meaning: Meaning, entity: Entity, *, negated: bool = False) -> Iterator[Stand]:
    """Each leaf's, in order. Leaves that compare one value of a record with another are not looked at."""
    match meaning:
        case meant.And(args) | meant.Or(args):
            for arg in args:
                yield from stands(arg, entity, negated=negated)
        case meant.Not(arg):
            yield from stands(arg, entity, negated=not negated)
        case meant.Related(q, relation, where):
            for gap in _gaps(relation.target, where):
                yield Stand(gap, (q == "none") != negated)
        case meant.All() | meant.Moved():
            return
        case _:
            for gap, record in _lacking(meaning, entity):
                if gap.is_flag and gap != KEY_FEATURES and holds(meaning, record) != negated:
                    continue  # That nobody is marked is what this asks for.
                # A rank is asked by its group too, which is not empty; of no value it is never met.
                yield Stand(gap, (not isinstance(meaning, meant.Grouped) and holds(meaning, record)) != negated)


def placed(
    node: nodes.Node, meaning: Meaning, entity: Entity, *, negated: bool = False
) -> Iterator[tuple[nodes.Node, Stand]]:
    """The same with the nodes that say so."""
    match node, meaning:
        case (nodes.And(args), meant.And(meanings)) | (nodes.Or(args), meant.Or(meanings)):
            for arg, one in zip(args, meanings, strict=True):
                yield from placed(arg, one, entity, negated=negated)
        case nodes.Not(arg), meant.Not(one):
            yield from placed(arg, one, entity, negated=not negated)
        case _:
            yield from ((node, stand) for stand in stands(meaning, entity, negated=negated))


def notes(standing: Sequence[Stand], missing: Collection[Gap], entity: Entity) -> tuple[str, ...]:
    """A sentence for each thing of which there is nothing."""
    found: dict[Gap, set[bool]] = {}
    for one in standing:
        if one.gap in missing:
            found.setdefault(one.gap, set()).add(one.met)
    return tuple(f"{_lacks(gap)}, so {_follows(gap, met, entity)}" for gap, met in found.items())


# -- what a leaf stands on ---------------------------------------------------------------------------------------------


def _lacking(leaf: Any, entity: Entity) -> Iterator[tuple[Gap, Mapping[str, Any]]]:
    """What a leaf's operand follows from, with a record as all are without it."""
    operands = asked(leaf)
    if len(operands) > 1:
        return
    of = operands[0].now if isinstance(operands[0], ChangeOf) else operands[0]
    if isinstance(of, FoldOf):
        for gap in _gaps(of.relation.target, of.where):
            yield gap, {of.relation.name: ()}
    elif isinstance(of, Column):
        source = _source(of.field, of.through.target if of.through else entity.name)
        record = {of.field.name: None if of.field.optional or of.field.kind == "tags" else 0}
        if source is not None:
            yield source, {of.through.name: record} if of.through else record


def _gaps(target: str, where: Meaning | None) -> Iterator[Gap]:
    yield Gap(target)
    if target == USAGE.name and where is not None and _of_key_features(where):
        yield KEY_FEATURES


def _of_key_features(where: Meaning) -> bool:
    """Whether only usage of key features meets this."""
    match where:
        case meant.And(args):
            return any(_of_key_features(arg) for arg in args)
        case meant.Or(args):
            return bool(args) and all(_of_key_features(arg) for arg in args)
        case meant.Compare(Column(field), "eq", True):
            return field.name == KEY_FEATURES.field
        case _:
            return False


def _source(field: Field, entity: str) -> Gap | None:
    """What a field follows from; of one that is said by hand, that it is said at all."""
    if kept := KEPT_FROM.get(entity, {}).get(field.name):
        return Gap(kept)
    if entity == ACCOUNTS.name and field.name in FOLLOWS:
        return Gap(entity, FOLLOWS[field.name])
    if entity == ACCOUNTS.name and field.kind == "bool" and not field.derived:
        return Gap(entity, field.name)
    return Gap(entity, field.name) if field.optional and not field.derived and field.kind != "json" else None


# -- words -------------------------------------------------------------------------------------------------------------


def _lacks(gap: Gap) -> str:
    if gap == KEY_FEATURES:
        return "No feature is marked as key in this workspace"
    singular = ENTITIES[gap.entity].singular
    if gap.field is None:
        return f"No {singular} was ever recorded in this workspace"
    if gap.is_flag:
        return f"No {singular} in this workspace has {gap.field} set to true"
    return f"No {singular} in this workspace has a value for {gap.field}"


def _follows(gap: Gap, met: Collection[bool], entity: Entity) -> str:
    about = "the usage of key features" if gap == KEY_FEATURES else "it" if gap.field else gap.entity
    if len(met) > 1:
        return f"what is asked of {about} says nothing about any {entity.singular}."
    if True in met:
        return f"every {entity.singular} meets what is asked of {about}: it says nothing about any of them."
    return f"no {entity.singular} meets what is asked of {about}."
