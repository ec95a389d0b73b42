"""How the segments of a segmentation differ: activity, adoption, value and support, with effect sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.nodes import All, Path
from app.domain.roles import Principal, permit
from app.domain.segmentation.analysis import (
    ADOPTION_DAYS,
    MEASURES,
    Difference,
    Measure,
    Seen,
    Stand,
    Taken,
    compared,
)
from app.domain.segmentation.parts import parts
from app.domain.statistics import LEVEL
from app.domain.workspaces import Workspace, clock
from app.persistence import analysis as rows
from app.persistence.database import Reader, Record
from app.services.aside import aside
from app.services.asks import Ask, frame, said
from app.services.engagements import Whose, booked
from app.services.segment_states import doubtful, named_in
from app.services.segmentation_documents import computed, found, instant, names, plain

CUSTOMERS = 'status = "customer"'
"""Who is counted unless a filter says otherwise: churned accounts and prospects have no money and no usage, whatever their
segment, and would be taken for a difference between segments."""


async def analysis(
    db: Reader, principal: Principal, slug: str, now: datetime, as_of: str | None = None, filter: str | None = None
) -> dict[str, Any]:
    """Per measure: what each segment has of it, how far they differ, and a word for it: of customers, or of the accounts that
    meet `filter`; archived ones are left out.

    Of a workspace with more accounts than `sampled` says, that many are measured. `as_of`: when windows of usage, tickets and
    contracts end; scores, segments and who is a customer are today's. Raises NotFound, Invalid, Unreadable.
    """
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    asked = Ask(ACCOUNTS.name, filter=CUSTOMERS if filter is None else filter, as_of=as_of)
    until = frame(asked, workspace).as_of or now
    moment, told = clock(workspace, until), said(asked)
    where = await booked(db, principal, Whose(asked.filter), moment)
    standing = await rows.counted(db, workspace, row["id"], where)
    total, held = (sum(column) for column in zip((0, 0), *standing.values(), strict=True))
    picked = rows.Picked(row["id"], where, total, moment.today, until, moment.today == workspace.facts_day)
    numbers = _taken(await rows.measured(db, workspace, picked))
    adopted = _taken(await rows.adopted(db, workspace, picked))
    features = await rows.features(db, workspace.id, list(adopted))
    known = names(row)
    order = dict.fromkeys((*known, *sorted(standing)))
    seen = numbers["arr"][0] if "arr" in numbers else {}
    measured = {name: seen[name].known for name in order if name in seen}
    taken = [_of(one, numbers) for one in MEASURES] + _adoption(features, adopted)
    differences = await aside(lambda: compared(taken, measured))
    by_slug, read = {one["slug"]: one for one in features}, fields_read(row)
    return {
        "slug": row["slug"], "name": row["name"], "accounts": total, "filter": told.text, "left_out": held - total,
        "counted": _counted(filter is None, isinstance(told.node, All), total, held), "sampled": sum(measured.values()),
        "segments": [_segment(name, known.get(name, plain(name)), *standing.get(name, (0, 0))) for name in order],
        "measures": [_measure(one, by_slug, one.of.name in read, workspace) for one in differences],
        "tried": sum(one.effect is not None for one in differences), "level": LEVEL,
        "features": features[0]["total"] if features else 0, "until": instant(until),
        "version": row["version"], **computed(row, workspace, now), "segmentations": await doubtful(db, workspace, named_in(where), now),
    }  # fmt: skip


def _segment(slug: str, name: str, accounts: int, held: int) -> dict[str, Any]:
    return {"slug": slug, "name": name, "accounts": accounts, "left_out": held - accounts}


def _counted(usual: bool, everybody: bool, accounts: int, held: int) -> str:
    """Who is counted, who is not, and how to ask for everybody, in words."""
    if everybody:
        return "Every account is counted, prospects and churned ones too; archived ones are not."
    who = "Customers are counted" if usual else "Accounts that meet the filter are counted"
    lacking = "no account is a customer" if usual else "no account meets the filter"
    left = held - accounts
    others = f"{left:,} other account{' is' if left == 1 else 's are'} left out"
    found = f"{who}, and {others}" if left else who
    if held and not accounts:
        found = f"{who}, but {lacking}: {others}"
    return f"{found}; filter=ALL counts everybody." if left else f"{found}; none is left out."


def fields_read(row: Record) -> frozenset[str]:
    """Every path that the criteria of a stored segmentation name."""
    cases = [text.parse(case["criteria"]) for case in msgspec.json.decode(row["segments"])]
    return frozenset(part.name for node in cases for part in parts(node) if isinstance(part, Path))


def _taken(found_: Sequence[Record]) -> dict[str, tuple[dict[str, Seen], float]]:
    """By measure: what was seen by segment, and its ties."""
    seen: dict[str, dict[str, Seen]] = defaultdict(dict)
    ties: dict[str, float] = defaultdict(float)
    for row in found_:
        q1, median, q3 = row["quartiles"]
        seen[row["of"]][row["segment"]] = Seen(
            row["known"], row["above_nought"], row["mean"], q1, median, q3, row["ranks"]
        )
        ties[row["of"]] += row["ties"]
    return {name: (by_segment, ties[name]) for name, by_segment in seen.items()}


def _of(measure: Measure, numbers: Mapping[str, tuple[dict[str, Seen], float]]) -> Taken:
    return Taken(measure, *numbers.get(measure.share_of or measure.name, ({}, 0.0)))


def _adoption(features: Sequence[Record], adopted: Mapping[str, tuple[dict[str, Seen], float]]) -> list[Taken]:
    """Of each feature the share of accounts that use it, and how much those do that use it."""
    found_ = []
    for one in features:
        slug = one["slug"]
        seen = adopted.get(slug, ({}, 0.0))
        share = f"accounts that used {one['name']} in the last {ADOPTION_DAYS} days"
        much = f"what they used of {one['name']} in the last {ADOPTION_DAYS} days"
        found_.append(Taken(Measure(f"adoption.{slug}", "adoption", "share", share, share_of=slug), *seen))
        found_.append(Taken(Measure(f"intensity.{slug}", "adoption", "usage", much), *seen))
    return found_


def _measure(one: Difference, features: Mapping[str, Record], defining: bool, workspace: Workspace) -> dict[str, Any]:
    feature = features.get(one.of.name.partition(".")[2])
    effect = None
    if one.effect is not None:
        effect = {
            "name": "epsilon_squared" if one.of.share_of is None else "cramers_v", "value": _rounded(one.effect.size),
            "low": _rounded(one.effect.low), "high": _rounded(one.effect.high), "p": _small(one.effect.p), "q": _small(one.q or 0.0),
        }  # fmt: skip
    return {
        "name": one.of.name, "area": one.of.area, "unit": one.of.unit, "description": one.of.description,
        "feature": None if feature is None else {name: feature[name] for name in ("slug", "name", "module", "is_key")},
        "defining": defining, "word": one.word, "effect": effect, "because": one.because,
        "segments": [_stand(stand, one.of, workspace) for stand in one.stands],
    }  # fmt: skip


def _stand(stand: Stand, of: Measure, workspace: Workspace) -> dict[str, Any]:
    seen = stand.seen
    told = {
        name: None if seen is None else _value(getattr(seen, name), of, workspace)
        for name in ("mean", "median", "q1", "q3")
    }
    known = stand.n if of.share_of is not None else seen.known if seen is not None else 0
    return {
        "slug": stand.segment, "n": stand.n, "known": known, **told, **_ends("share", stand.share),
        **_ends("delta", stand.delta), "word": stand.word,
    }  # fmt: skip


def _ends(name: str, found_: tuple[float, float, float] | None) -> dict[str, float | None]:
    value, low, high = found_ or (None, None, None)
    return {name: _rounded(value), f"{name}_low": _rounded(low), f"{name}_high": _rounded(high)}


def _value(value: float, of: Measure, workspace: Workspace) -> Decimal | float:
    return workspace.major(round(value)) if of.unit == "money" else round(value, 4)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0


def _small(p: float) -> float:
    return float(f"{p:.3g}")
