"""Numbers of accounts as pictures show them."""

from __future__ import annotations

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import shown
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import Column, CustomOf, SegmentOf
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.pictures.scales import Measure
from app.domain.segmentation.cuts import Frozen
from app.domain.workspaces import Workspace

UPPER = ("arr", "mrr", "tcv", "nps")
Number = Column | CustomOf


def number(path: str, workspace: Workspace) -> Number:
    """A field of numbers or money. Raises Invalid."""
    try:
        of = shown(path, ACCOUNTS, workspace)
    except Invalid as error:
        raise Invalid(
            faults=tuple(Fault(f.message, parameter="field", suggestion=f.suggestion) for f in error.faults)
        ) from None
    if isinstance(of, SegmentOf) or of.field.kind not in NUMBERS:
        known = [name for name, one in ACCOUNTS.fields.items() if one.kind in NUMBERS]
        message = "Expected a field of numbers or money."
        raise Invalid(faults=(Fault(message, parameter="field", suggestion=nearest(path, known)),))
    return of


def unit(of: Number, workspace: Workspace) -> float:
    """From what is stored to what is shown."""
    return 10.0**-workspace.minor_digits if of.field.kind == "money" else 1.0


def measured(path: str, of: Number, cuts: Frozen | None) -> Measure:
    """A field as an axis is called and cut."""
    name = path.rpartition(".")[2]
    title = name.upper() if name in UPPER else name.replace("_", " ").capitalize()
    return Measure(title, of.field.kind == "money", tuple(float(c) for c in cuts.at) if cuts else ())
