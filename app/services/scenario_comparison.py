"""Scenarios side by side, over the accounts as they are; and the accounts that none of them can say anything of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.questions import MAX_LIMIT
from app.domain.roles import Principal
from app.domain.scenario_comparison import Held, Industries, lanes, moves, unsaid
from app.domain.workspaces import Workspace
from app.persistence import scenarios as kept
from app.persistence.database import Reader, Record
from app.services import summaries
from app.services.asks import Ask
from app.services.segmentation_documents import instant

WITHOUT_INDUSTRY = "industry IS EMPTY"
MEASURES = ("count", "sum(arr)")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


async def compare(
    db: Reader, principal: Principal, wanted: Sequence[str] | None, ask: Ask, now: datetime
) -> dict[str, Any]:
    """What these scenarios (None: all) mean for the accounts that the ask means: accounts and ARR of each impact, who
    would move if one took the place of the active one, industries that some say nothing of, accounts without industry.

    Raises Invalid for a scenario that is not there, and what a summary raises.
    """
    counted = await summaries.summarise(db, principal, ask, ["industry"], list(MEASURES), now)
    workspace = principal.workspace
    held = _held(counted, workspace)
    known, names = await kept.all_of(db, workspace.id), await kept.industries(db, workspace.id)
    shown = _wanted(known, wanted)
    impacts = {row["slug"]: msgspec.json.decode(row["impacts"]) for row in known}
    active = next((row["slug"] for row in known if row["is_active"]), None)
    told = [impacts[row["slug"]] for row in shown]
    return {
        "as_of": instant(counted.as_of), "active": active, **_money(sum(held.values(), Held()), workspace),
        "scenarios": [_scenario(row, held, impacts, active, workspace) for row in shown],
        "industries": [
            {"slug": slug, "name": name, **_money(held.get(slug, Held()), workspace),
             "impacts": {row["slug"]: impacts[row["slug"]].get(slug) for row in shown}}
            for slug, name in names.items()
        ],
        "without_impact": unsaid(names, told),
        "without_industry": {**_money(held.get(None, Held()), workspace), "filter": WITHOUT_INDUSTRY},
    }  # fmt: skip


def _wanted(known: Sequence[Record], wanted: Sequence[str] | None) -> Sequence[Record]:
    if wanted is None:
        return known
    by_slug = {row["slug"]: row for row in known}
    faults = [
        Fault("Expected the slug of a scenario.", parameter="scenarios", suggestion=nearest(slug, by_slug))
        for slug in wanted
        if slug not in by_slug
    ]
    if faults or not wanted:
        raise Invalid(faults=tuple(faults) or (Fault("Expected at least one scenario.", parameter="scenarios"),))
    return [by_slug[slug] for slug in dict.fromkeys(wanted)]


def _held(counted: summaries.Answer, workspace: Workspace) -> Industries:
    if counted.capped:
        raise Invalid(f"Scenarios are compared over at most {MAX_LIMIT:,} industries.")
    groups = _DECODER.decode(counted.groups.data)
    return {one["key"]["industry"]: _group(one["values"], workspace) for one in groups}


def _group(values: Mapping[str, Any], workspace: Workspace) -> Held:
    count, arr = (values[name] for name in MEASURES)
    return Held(count, int(Decimal(arr or 0).scaleb(workspace.minor_digits)))


def _scenario(
    row: Record, held: Industries, impacts: Mapping[str, Mapping[str, str]], active: str | None, workspace: Workspace
) -> dict[str, Any]:
    own, standing = impacts[row["slug"]], impacts[active] if active is not None else {}
    return {
        "slug": row["slug"], "name": row["name"], "is_active": row["is_active"], "version": row["version"],
        "impacts": [{"impact": lane, **_money(some, workspace)} for lane, some in lanes(held, own).items()],
        "moves": [{"from": was, "to": becomes, **_money(some, workspace)} for was, becomes, some in moves(held, standing, own)],
    }  # fmt: skip


def _money(held: Held, workspace: Workspace) -> dict[str, Any]:
    return {"accounts": held.accounts, "arr": workspace.major(held.arr)}
