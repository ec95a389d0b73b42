"""How large one criteria may be. Each refusal names its limit."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import invalid

DEPTH = 8
NODES = 200
RELATED = 10
VALUES = 1_000
ARGS = 100
TEXT_BYTES = 16 * 1024


@dataclass(slots=True)
class Budget:
    """What one criteria has used so far; both spellings spend from the same."""

    nodes: int = 0
    relations: int = 0
    listed: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether more was asked for than there is: what follows is not read."""
        return self.nodes > NODES or self.relations > RELATED or self.listed > VALUES

    def node(self, at: At) -> None:
        """A predicate, or a function over related rows."""
        self.nodes += 1
        if self.nodes > NODES:
            raise invalid(at, f"A criteria has at most {NODES} nodes.")

    def related(self, at: At) -> None:
        """A sub-query over related rows."""
        self.relations += 1
        if self.relations > RELATED:
            raise invalid(at, f"A criteria has at most {RELATED} related sub-queries.")

    def value(self, at: At) -> None:
        """A value in a list."""
        self.listed += 1
        if self.listed > VALUES:
            raise invalid(at, f"The lists of a criteria have at most {VALUES:,} values.")


def depth(levels: int, at: At) -> None:
    """Raises Invalid for what nests deeper than DEPTH."""
    if levels > DEPTH:
        raise invalid(at, f"A criteria nests at most {DEPTH} deep.")


def args(count: int, at: At) -> None:
    """Raises Invalid for more arguments of one AND or OR than ARGS."""
    if count > ARGS:
        raise invalid(at, f"One AND or OR joins at most {ARGS} criteria.")
