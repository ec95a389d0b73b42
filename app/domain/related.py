"""Which values of a record that belongs to an account go together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.domain.catalogue import ENTITIES, OF_ACCOUNT
from app.domain.errors import Fault

RELATED = tuple(name for name in OF_ACCOUNT if ENTITIES[name].key == "external_id")
"""The entities whose records belong to an account and have an id."""

Row = Mapping[str, Any]
"""A record by column; what nobody can tell is left out."""


@dataclass(frozen=True, slots=True)
class Order:
    """One field is never before another: neither is looked at where one of them is empty."""

    first: str
    then: str
    message: str


ORDERS: Mapping[str, tuple[Order, ...]] = MappingProxyType(
    {
        "contracts": (Order("start_date", "end_date", "Expected an end that is not before the start."),),
        "opportunities": (Order("opened_at", "closed_at", "Expected a close that is not before the opening."),),
        "invoices": (Order("issued_at", "due_at", "Expected a due date that is not before the invoice was issued."),),
        "tickets": (Order("opened_at", "closed_at", "Expected a close that is not before the opening."),),
        "requests": (Order("asked_at", "resolved_at", "Expected an answer that is not before the question."),),
    }
)
SCORES: Mapping[str, tuple[int, int]] = MappingProxyType({"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)})
"""The scale of each kind of survey."""


def faults(entity: str, row: Row, changed: Collection[str]) -> list[Fault]:
    """What does not go together in the record as it would be; only what has to do with a changed column is judged, so
    that a record that came from elsewhere as it is can still be changed in other ways."""
    found = list(_orders(entity, row, changed))
    if entity == "surveys" and not {"kind", "score"}.isdisjoint(changed):
        kind, score = row.get("kind"), row.get("score")
        low, high = SCORES.get(str(kind), (0, 10))
        if score is not None and not low <= score <= high:
            message = f"Expected a score from {low} to {high}: that is the scale of {kind}."
            found.append(Fault(message, pointer=_told("score", "kind", changed)))
    undecided = row.get("decided_at") is not None and row.get("outcome", "") is None
    if undecided and not {"decided_at", "outcome"}.isdisjoint(changed):
        message = "Expected an outcome together with the day on which it was decided."
        found.append(Fault(message, pointer=_told("outcome", "decided_at", changed)))
    return found


def _orders(entity: str, row: Row, changed: Collection[str]) -> Iterator[Fault]:
    for order in ORDERS.get(entity, ()):
        first, then = row.get(order.first), row.get(order.then)
        told = not {order.first, order.then}.isdisjoint(changed)
        if told and first is not None and then is not None and then < first:
            yield Fault(order.message, pointer=_told(order.then, order.first, changed))


def _told(usual: str, other: str, changed: Collection[str]) -> str:
    """The pointer of the member that is to blame: the usual one, unless only the other was said."""
    return f"/{usual}" if usual in changed or other not in changed else f"/{other}"
