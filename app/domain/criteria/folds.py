"""What a fold over related rows yields."""

from __future__ import annotations

from app.domain.catalogue import Field, Kind, Relation
from app.domain.criteria.fields import QUESTIONS, Typing
from app.domain.criteria.nodes import At, Fold
from app.domain.criteria.suggest import invalid

NUMBERS: tuple[Kind, ...] = ("number", "integer", "money")


def fold_typing(fn: Fold, relation: Relation, field: Field | None, at: At) -> Typing:
    """Raises Invalid for a field that cannot be folded so."""
    label = f"{fn}({relation.name}{f'.{field.name}' if field else ''})"
    if field is None:
        if fn != "count":
            raise invalid(at, f"{fn} takes a field, as in {fn}(usage.value).")
        return Typing(label, "integer")
    if fn == "count":
        raise invalid(at, "count counts rows and takes no field.")
    if not _folds(fn, field.kind):
        raise invalid(at, f"{fn} cannot be taken of {relation.name}.{field.name}.")
    match fn:
        case "count_distinct":
            return Typing(label, "integer")
        case "avg":
            return Typing(label, "money", share=True) if field.kind == "money" else Typing(label, "number")
        case _:
            return Typing(label, field.kind, field.values)


def _folds(fn: Fold, kind: Kind) -> bool:
    match fn:
        case "sum" | "avg":
            return kind in NUMBERS
        case "min" | "max":
            return "order" in QUESTIONS[kind]
        case "last_value":
            return kind not in ("ref", "id", "tags", "json")
        case _:
            return kind not in ("tags", "json")
