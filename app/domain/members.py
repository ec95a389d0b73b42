"""Bodies that say what is asked: which members, of which types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, escape

Members: TypeAlias = Mapping[str, tuple[tuple[type, ...], str]]
"""What a body may say, as which types, and what is expected in words. An array is one of texts, and not empty."""
LONGEST_SHOWN = 64


def misfits(body: Mapping[str, Any], known: Members) -> Iterator[Fault]:
    """A fault for each member that is unknown or of another type; null stands for one that is not given."""
    for name, value in body.items():
        if name not in known:
            yield Fault("Expected no such member here.", pointer=below(name), suggestion=nearest(name, known))
        elif value is not None and not _fits(value, known[name][0]):
            yield Fault(f"Expected {known[name][1]}.", pointer=below(name))


def misfit_params(params: object) -> Iterator[Fault]:
    """A fault for each value of `params` that no parameter of criteria can have."""
    for name, value in params.items() if isinstance(params, Mapping) else ():
        if not isinstance(value, str | int | float | Decimal | bool):
            yield Fault("Expected text, a number, true or false.", pointer=f"/params{below(name)}")


def _fits(value: object, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds and (not isinstance(value, list) or all(isinstance(one, str) for one in value))


def below(name: str) -> str:
    """To the member of this name; of a long one as much as can be shown."""
    return f"/{escape(name[:LONGEST_SHOWN])}"
