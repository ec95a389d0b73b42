"""Lists that criteria name: found, kept from circles and from growing without end, read as if they were written there."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria import nodes
from app.domain.criteria.coerce import identity
from app.domain.criteria.meant import Meaning
from app.domain.criteria.nodes import At, place
from app.domain.criteria.suggest import invalid
from app.domain.criteria.values import NamedList, Setting, Values
from app.domain.errors import Invalid

DEPTH = 5
"""Lists that may stand one inside another."""
NODES = 1_000
RELATED = 50
"""What the lists that one criteria names may hold together, each as often as it is named."""


class Lists:
    """The lists of one criteria, while it is walked: those that are open, and what all of them have held so far."""

    def __init__(self, setting: Setting, values: Values) -> None:
        self._setting = setting
        self._values = values
        self._open: list[tuple[UUID, At]] = []
        self._nodes = 0
        self._related = 0

    def spend(self, node: nodes.Node) -> None:
        """Counts what stands inside a list. Raises Invalid where it is too much, told of where the first one is named."""
        if not self._open:
            return
        self._nodes += 1
        self._related += isinstance(node, nodes.Quant) or isinstance(
            getattr(node, "of", None), (nodes.Aggregate, nodes.Change)
        )
        if self._nodes > NODES or self._related > RELATED:
            at = self._open[0][1]
            raise invalid(
                at, f"The lists of a criteria hold at most {NODES:,} nodes and {RELATED} related sub-queries."
            )

    def meaning(self, node: nodes.InList, entity: Entity, read: Callable[[nodes.Node, Entity], Meaning]) -> Meaning:
        """What the list asks for, its parameters as it declares them. Raises Invalid, told of where it is named."""
        self._values.relative = True
        of = self._found(node, entity)
        before, self._values.params = self._values.params, of.params
        self._open.append((of.id, place(node, 0)))
        try:
            return read(of.node, entity)
        except Invalid as error:
            raise invalid(place(node, 0), f"The list {of.name} means nothing: {_reason(error)}") from None
        finally:
            self._open.pop()
            self._values.params = before

    def _found(self, node: nodes.InList, entity: Entity) -> NamedList:
        key = identity(node.list)
        of = None if key is None else self._setting.lists.get(key)
        if of is None:
            raise invalid(place(node, 0), "There is no such list, or not everybody who reads this may see it.")
        if of.id == self._setting.within or of.id in [one for one, _ in self._open]:
            raise invalid(place(node, 0), "Lists cannot name each other in a circle.")
        if len(self._open) == DEPTH:
            raise invalid(place(node, 0), f"At most {DEPTH} lists stand one inside another.")
        if of.entity != entity.name:
            raise invalid(place(node, 0), f"Expected a list of {entity.name}: this one is of {of.entity}.")
        if of.fault is not None:
            raise invalid(place(node, 0), f"The list {of.name} means nothing: {of.fault}")
        return of


def _reason(error: Invalid) -> str:
    return error.faults[0].message if error.faults else error.detail
