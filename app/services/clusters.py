"""Clusters of accounts suggested from data, as rules to be put, with how far they agree and how well they hold."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from statistics import median
from typing import Any

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting, check, shown
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import Meaning, SegmentOf, Shown
from app.domain.criteria.nodes import All
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.roles import Principal, permit
from app.domain.segmentation.clusters import BOOTSTRAPS, STABLE, Wanted, agreement, called, definition, read
from app.domain.statistics import beside
from app.domain.workspaces import Workspace, clock
from app.persistence import clusters as rows
from app.persistence.database import Reader
from app.services import named
from app.services.aside import apart, aside
from app.services.grouping import Grouped, grouped

LEAST = 30
"""Accounts that each cluster needs on average."""


async def suggest(db: Reader, principal: Principal, body: object, now: datetime) -> dict[str, Any]:
    """A definition of kind `rules` that tells clusters of the accounts on these fields apart, ready to be put.

    `body`: kind (clusters), fields, count, where, name. Raises Invalid: also where there are too few accounts, and where the
    clusters would be others if other accounts had come. Raises Busy where others are being sought.
    """
    permit(principal, "segmentations.suggest")
    workspace = principal.workspace
    wanted = read(body)
    fields = [_numeric(path, n, workspace) for n, path in enumerate(wanted.fields)]
    setting = Setting(workspace, clock(workspace, now), people=False)
    where = await named.reading(db, setting, None, now, partial(_where, wanted))
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
    if found.stability < STABLE:
        message = (
            f"Expected clusters that hold: where accounts are drawn anew they agree by {beside(found.stability, STABLE, 2)} (mean adjusted Rand "
            f"index of {found.draws}), below {STABLE}. Ask for fewer, or on other fields."
        )
        raise Invalid(faults=(Fault(message, pointer="/count"),))
    return await aside(lambda: _told(wanted, found, major, accounts))


def _where(wanted: Wanted, setting: Setting) -> Meaning:
    try:
        return check(wanted.where or All(), ACCOUNTS, setting).meaning
    except (Invalid, Unreadable) as error:
        faults = tuple(
            Fault(f.message, f.pointer or "/where", None, f.line, f.column, f.suggestion) for f in error.faults
        )
        raise Invalid(faults=faults) from None


def _numeric(path: str, n: int, workspace: Workspace) -> Shown:
    of = shown(path, ACCOUNTS, workspace, pointer=f"/fields/{n}")
    if isinstance(of, SegmentOf) or of.field.kind not in NUMBERS:
        raise Invalid(faults=(Fault("Expected a field of numbers or money.", pointer=f"/fields/{n}"),))
    return of


def _kind(of: Shown) -> str:
    return "" if isinstance(of, SegmentOf) else of.field.kind


def _major(of: Shown, column: list[float], workspace: Workspace) -> list[float]:
    return [value * 10.0**-workspace.minor_digits for value in column] if _kind(of) == "money" else column


def _told(wanted: Wanted, found: Grouped, columns: list[list[float]], accounts: int) -> dict[str, Any]:
    lines = [dict(zip(wanted.fields, line, strict=True)) for line in zip(*columns, strict=True)]
    names = called([dict(zip(wanted.fields, off, strict=True)) for off in found.offs])
    told = {box.cluster for box in found.boxes}
    return {
        "kind": "clusters", "fields": list(wanted.fields), "count": wanted.count, "accounts": accounts, "sampled": len(lines),
        "stability": round(found.stability, 4), "bootstraps": BOOTSTRAPS,
        "agreement": round(agreement(found.boxes, lines, found.labels), 4),
        "clusters": [
            {
                "slug": f"cluster-{n + 1}" if n in told else None, "name": name, "accounts": found.labels.count(n),
                "share": round(found.labels.count(n) / len(lines), 4),
                "medians": {
                    field: round(median(line[field] for line, label in zip(lines, found.labels, strict=True) if label == n), 2)
                    for field in wanted.fields
                },
            }
            for n, name in enumerate(names)
        ],
        "definition": definition(wanted, found.boxes, names),
    }  # fmt: skip
