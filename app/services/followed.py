"""What names things and follows with every write: entry criteria of stages, measures of health and whose segments weigh them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from app.domain.criteria import text
from app.domain.criteria.nodes import Empty, Node
from app.domain.dependents import Dependent, dependent
from app.domain.errors import StrataError
from app.domain.score_bodies import operand_of
from app.persistence import workspaces
from app.persistence.database import Transaction


async def naming(
    tx: Transaction, workspace_id: UUID, names: Callable[[Node], bool], segmentation: str | None = None
) -> tuple[Dependent, ...]:
    """Stages whose entry criteria name a thing, measures that do, and health where it is weighed by the `segmentation`."""
    workspace = await workspaces.load(tx, workspace_id)
    stages = [rule.slug for rule in workspace.rules if rule.entry is not None and _names(rule.entry, names)]
    model = workspace.scores.health
    measures = [] if model is None else [one.name for one in model.measures if names(Empty(operand_of(one)))]
    weighed = ["health"] if model is not None and segmentation is not None and model.by == segmentation else []
    return (
        *dependent("entry criteria of stages", stages),
        *dependent("measures of health", measures),
        *dependent("weights of measures", weighed),
    )


def _names(entry: str, names: Callable[[Node], bool]) -> bool:
    try:
        return names(text.parse(entry))
    except StrataError:
        return False  # what cannot be read any more names nothing
