"""Windows that lie ahead, on what has happened when it is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import meant, nodes
from app.domain.criteria.check import Setting, check
from app.domain.criteria.logic import is_past
from app.domain.criteria.nodes import At, Node

SOON = nodes.Rolling("next", 3, "d")
"""As far ahead as what has happened can lie, by any clock and in any zone."""


def sooner(leaf: Node, entity: Entity, setting: Setting) -> tuple[Node, At] | None:
    """The leaf with a window that reaches as far as anything lies, and where the one that reaches further stands; None
    where none does. Of a leaf that `check` accepts."""
    match leaf:
        case nodes.Time(of=nodes.Path() as of, window=window):
            return _ahead(of, entity, window, replace(leaf, window=SOON), setting)
        case nodes.Quant(rel=rel, window=window) if window is not None:
            return _ahead(*_time_of(entity, rel), window, replace(leaf, window=SOON), setting)
        case nodes.Cmp(of=nodes.Aggregate(rel=rel, window=window) as of) if window is not None:
            return _ahead(*_time_of(entity, rel), window, replace(leaf, of=replace(of, window=SOON)), setting)
        case _:
            return None


def _time_of(entity: Entity, rel: str) -> tuple[nodes.Path, Entity]:
    """The field that windows of related rows are on."""
    target = ENTITIES[entity.relations[rel].target]
    return nodes.Path(str(target.time_field)), target


def _ahead(
    of: nodes.Path, entity: Entity, window: nodes.Window, nearer: Node, setting: Setting
) -> tuple[Node, At] | None:
    if not isinstance(window, nodes.Rolling) or window.dir != "next":
        return None
    told, soon = (check(nodes.Time(of, one), entity, setting).meaning for one in (window, SOON))
    match told, soon:
        case meant.Between(meant.Column(field), _, date() as far), meant.Between(_, _, date() as near) if is_past(
            field
        ):
            return (nearer, window.at) if far > near else None
        case _:
            return None
