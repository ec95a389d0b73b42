"""Economic scenarios: what each means for the industries, and how far each impact shifts renewals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from types import MappingProxyType

from app.domain import records, values
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, escape
from app.domain.values import MisfitError

IMPACTS = ("severe", "medium", "low")
"""What a scenario can mean for an industry, the worst first; each is a lane of reaction."""
LANES: Mapping[str, float] = MappingProxyType({"severe": -1.2, "medium": -0.6, "low": 0.0})
"""Where a scenario begins: the shift of the renewal logit per impact."""
FURTHEST = 10
"""No renewal is shifted further than this, either way."""


def impacts(
    told: object, standing: Mapping[str, str], industries: Collection[str], *, once: bool = False
) -> tuple[dict[str, str], list[Fault]]:
    """What stands with what is told put in, and the industries told null taken out; and what is wrong with it. `once`: what
    is told was said before, so that what it names is named."""
    if not isinstance(told, Mapping):
        return {}, [Fault("Expected an object: the slug of an industry and its impact.", pointer="/impacts")]
    merged, faults = dict(standing), []
    for slug, impact in told.items():
        pointer = f"/impacts/{escape(str(slug))}"
        if slug not in industries:
            message = "Expected the slug of one of the workspace's industries."
            if once:
                message = f"Expected the workspace's industries: {slug} is none any more, so this version cannot come back. Make an industry of this slug first."
            faults.append(Fault(message, pointer=pointer, suggestion=nearest(str(slug), industries)))
        elif impact is None:
            merged.pop(slug, None)
        elif impact in IMPACTS:
            merged[slug] = str(impact)
        else:
            suggestion = nearest(impact, IMPACTS) if isinstance(impact, str) else None
            faults.append(Fault(f"Expected one of {', '.join(IMPACTS)}.", pointer=pointer, suggestion=suggestion))
    return dict(sorted(merged.items())), faults[: records.MAX_FAULTS]


def lanes(told: object, standing: Mapping[str, float]) -> tuple[dict[str, float], list[Fault]]:
    """The shifts that stand with those told put in; and what is wrong with it."""
    if not isinstance(told, Mapping):
        return {}, [Fault(f"Expected an object of {', '.join(IMPACTS)}.", pointer="/lanes")]
    merged, faults = dict(standing), []
    for impact, shift in told.items():
        pointer = f"/lanes/{escape(str(impact))}"
        if impact not in IMPACTS:
            suggestion = nearest(str(impact), IMPACTS)
            faults.append(Fault(f"Expected one of {', '.join(IMPACTS)}.", pointer=pointer, suggestion=suggestion))
            continue
        try:
            merged[impact] = float(_shift(shift))
        except MisfitError as misfit:
            faults.append(misfit.fault(pointer))
    return {impact: merged[impact] for impact in IMPACTS if impact in merged}, faults[: records.MAX_FAULTS]


def _shift(told: object) -> Decimal:
    given = values.decimal(told)
    if abs(given) > FURTHEST:
        raise MisfitError(f"a number from -{FURTHEST} to {FURTHEST}")
    return given
