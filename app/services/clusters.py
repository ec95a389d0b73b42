"""Clusters of accounts suggested from data, as rules to be put, with how far they agree and how well they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import for_nobody, shown
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import SegmentOf, Shown
from app.domain.criteria.nodes import All
from app.domain.errors import Fault, Invalid
from app.domain.roles import Principal, permit
from app.domain.segmentation.clusters import (
    AGREED,
    BOOTSTRAPS,
    KINDS,
    STABLE,
    Wanted,
    called,
    definition,
    ranged,
    read,
    slug,
)
from app.domain.statistics import beside
from app.domain.workspaces import Workspace
from app.persistence import clusters as rows
from app.persistence.database import Reader
from app.services import named
from app.services.aside import apart, aside
from app.services.cuts import meant
from app.services.grouping import Grouped, grouped

LEAST = 30
"""Accounts that each cluster needs on average."""


async def suggest(db: Reader, principal: Principal, body: object, now: datetime) -> dict[str, Any]:
    """A definition of kind `rules` that tells clusters of the accounts on these fields apart, ready to be put.

    `body`: kind (clusters), fields, count, where, name. Raises Invalid: also where there are too few accounts, and where the
    clusters would be others if other accounts had come, or where rules cannot tell them. Raises Busy where others are being
    sought, NotInstalled without scikit-learn.
    """
    permit(principal, "segmentations.suggest")
    workspace = principal.workspace
    wanted = read(body)
    fields = [_numeric(path, n, workspace) for n, path in enumerate(wanted.fields)]
    told = wanted.where or All()
    where = await named.reading(db, for_nobody(workspace, now), None, now, lambda within: meant(told, "/where", within))
    columns, accounts = await rows.values(db, workspace, fields, where)
    sampled = len(columns[0])
    if sampled < LEAST * wanted.count:
        message = f"Expected {LEAST * wanted.count} accounts with all of these values, for {wanted.count} clusters: there are {sampled}."
        raise Invalid(faults=(Fault(message, pointer="/fields"),))
    alike = [n for n, column in enumerate(columns) if min(column) == max(column)]
    if alike:
        message = "Expected a field by which accounts differ: all that are asked about have one value."
        raise Invalid(faults=tuple(Fault(message, pointer=f"/fields/{n}") for n in alike))
    major = [_major(of, column, workspace) for of, column in zip(fields, columns, strict=True)]
    whole = [_kind(of) == "integer" for of in fields]
    found = await apart(lambda: grouped(wanted.fields, major, whole, wanted.count))
    _held(found)
    return await aside(lambda: document(wanted, found, fields, major, accounts))


def _held(found: Grouped) -> None:
    """Raises Invalid where others would have come of other accounts, and where rules cannot tell them."""
    message = None
    if found.stability < STABLE:
        message = (
            f"Expected clusters that hold: where accounts are drawn anew they agree by {beside(found.stability, STABLE, 2)} (mean adjusted Rand "
            f"index of {found.draws}), below {STABLE}. Ask for fewer, or on other fields."
        )
    elif len({box.cluster for box in found.boxes}) < 2:
        message = "Expected clusters that rules can tell: no threshold tells one of them from the others. Ask on other fields."
    elif found.agreement < AGREED:
        message = (
            f"Expected clusters that rules can tell: the best place {beside(found.agreement, AGREED, 2)} of the accounts as the clusters did, "
            f"below {AGREED}. Ask for fewer, or on other fields."
        )
    if message is not None:
        raise Invalid(faults=(Fault(message, pointer="/count"),))


def _numeric(path: str, n: int, workspace: Workspace) -> Shown:
    of = shown(path, ACCOUNTS, workspace, pointer=f"/fields/{n}")
    if isinstance(of, SegmentOf) or of.field.kind not in NUMBERS:
        raise Invalid(faults=(Fault("Expected a field of numbers or money.", pointer=f"/fields/{n}"),))
    return of


def _kind(of: Shown) -> str:
    return "" if isinstance(of, SegmentOf) else of.field.kind


def _major(of: Shown, column: list[float], workspace: Workspace) -> list[float]:
    return [value / 10**workspace.minor_digits for value in column] if _kind(of) == "money" else column


def _may_lack(of: Shown) -> bool:
    return not isinstance(of, SegmentOf) and (of.through is not None or of.field.optional)


def document(
    wanted: Wanted, found: Grouped, fields: Sequence[Shown], columns: list[list[float]], accounts: int
) -> dict[str, Any]:
    """The answer: of columns in major units, of so many accounts that meet the condition and have every value."""
    clusters = range(wanted.count)
    medians = [
        {
            field: round(median(value for value, label in zip(column, found.labels, strict=True) if label == n), 2)
            for field, column in zip(wanted.fields, columns, strict=True)
        }
        for n in clusters
    ]
    told = {box.cluster for box in found.boxes}
    if len(fields) == 1 and len(told) == wanted.count:
        names = ranged(wanted.fields[0], found.boxes, wanted.count, _kind(fields[0]) == "integer")
    else:
        names = called([dict(zip(wanted.fields, off, strict=True)) for off in found.offs], medians)
    lacking = [name for name, of in zip(wanted.fields, fields, strict=True) if _may_lack(of)]
    return {
        "kind": KINDS[0], "fields": list(wanted.fields), "count": wanted.count, "accounts": accounts, "sampled": len(found.labels),
        "stability": round(found.stability, 4), "bootstraps": BOOTSTRAPS, "agreement": round(found.agreement, 4),
        "clusters": [
            {
                "slug": slug(n) if n in told else None, "name": name, "accounts": found.labels.count(n),
                "share": round(found.labels.count(n) / len(found.labels), 4), "medians": medians[n],
                "because": None if n in told else _lost(found, names, n),
            }
            for n, name in enumerate(names)
        ],
        "definition": definition(wanted, found.boxes, names, lacking),
    }  # fmt: skip


def _lost(found: Grouped, names: Sequence[str], cluster: int) -> str:
    """Why a cluster has no segment: where its accounts stand instead."""
    stand = Counter(at for at, label in zip(found.placed, found.labels, strict=True) if label == cluster)
    at, many = stand.most_common(1)[0]
    return (
        f"Thresholds on these fields do not tell it from the others: by the rules {many:,} of its {stand.total():,} accounts "
        f"stand in {slug(at)}, {names[at]}."
    )
