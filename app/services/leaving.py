"""Segments that a definition leaves out: what names them names others, or stands against it.

Lists name segments, and health is weighed by them. Segments, entry criteria of stages and measures of health cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain import dependents as domain
from app.domain import score_bodies
from app.domain.criteria import tree
from app.domain.criteria.nodes import Node
from app.domain.criteria.suggest import nearest
from app.domain.dependents import Dependent
from app.domain.errors import Conflict, Fault, Invalid, Unreadable
from app.domain.roles import Principal
from app.domain.segmentation import leaving
from app.domain.segmentation.leaving import Leaving, gone, names, renamed
from app.persistence import dependents as naming
from app.persistence import leaving as rows
from app.persistence import pins, scores, workspaces
from app.persistence.database import Reader, Record, Transaction
from app.services import effects, watches
from app.services.calls import ENCODER, Call, Effect
from app.services.dependents import shown_name
from app.services.pins import audited as audited_pin
from app.services.segmentation_documents import names as names_of

DECODER = msgspec.json.Decoder(float_hook=Decimal)
WAY = (
    "keep the slug and change the name, say under replace what takes its place, or say with_dependents (withDependents)"
)
"""How a segment can be renamed or left out all the same, as REST and GraphQL call it."""


def slugs(row: Record) -> list[str]:
    """The segments of a stored segmentation, the rest among them."""
    return [*(case["slug"] for case in msgspec.json.decode(row["segments"])), row["rest"]]


async def told(
    db: Reader, principal: Principal, standing: Record | None, after: Sequence[str], said: Leaving
) -> list[dict[str, Any]]:
    """The segments that would be left out, each with the one that would take its place (`becomes`) and what names it, as far
    as the principal may see that. Raises Invalid for a place that cannot be taken."""
    left = () if standing is None else gone(slugs(standing), after)
    leaving.verify(said, left, after)
    if standing is None or not left:
        return []
    found = await _naming(db, principal, standing, left)
    known = names_of(standing)
    return [
        {"slug": slug, "name": known[slug], "becomes": said.instead.get(slug), "dependents": found[slug]}
        for slug in left
    ]


async def follow(
    tx: Transaction, call: Call, before: Record | None, after: Record, said: Leaving
) -> tuple[Effect, ...]:
    """What names segments that are left out names those that take their place; so do pins, and others are taken away.

    Raises Invalid for a place that cannot be taken, Conflict that tells what names a segment whose place nothing takes.
    """
    left = () if before is None else gone(slugs(before), slugs(after))
    leaving.verify(said, left, slugs(after))
    if before is None or not left:
        return ()
    lost = [slug for slug in left if slug not in said.instead]
    if lost and not said.along:
        _refuse(before, await _naming(tx, call.principal, before, lost), slugs(after))
    instead = {old: new for old, new in said.instead.items() if old in left}
    return (
        *(await _lists(tx, call, before, instead) if instead else ()),
        *(await _weights(tx, call, before["slug"], instead) if instead else ()),
        *await _pins(tx, call, before, slugs(after), instead),
    )


def called(slug: str, name: str) -> str:
    """A segment by its name, and by what criteria and `replace` call it."""
    return slug if name == slug else f"{name} ({slug})"


def _refuse(row: Record, found: Mapping[str, Sequence[Dependent]], after: Sequence[str]) -> None:
    known = {slug: called(slug, name) for slug, name in names_of(row).items()}
    faults = tuple(
        Fault(f"Expected no {one.what} that name the segment {known[slug]}: {one}.", "/segments", suggestion=nearest(slug, after))
        for slug, every in found.items()
        for one in every
    )  # fmt: skip
    if faults:
        what = "; ".join(f"{known[slug]} by {', '.join(map(str, every))}" for slug, every in found.items() if every)
        message = f"Expected no segment of {row['slug']} left out that something names: {what}. For each of them {WAY}."
        raise Conflict(message, faults)


# -- what names them ---------------------------------------------------------------------------------------------------


async def _naming(
    db: Reader, principal: Principal, row: Record, left: Sequence[str]
) -> dict[str, tuple[Dependent, ...]]:
    """What names each of the segments; private lists by name only to those who may see it."""
    of = str(row["id"])
    every = await naming.lists(db, principal.workspace.id, [of])
    named = [(shown_name(principal, one), node) for one in every if (node := _criteria(one)) is not None]
    model = (await workspaces.load(db, principal.workspace.id)).scores.health
    weighed = model.weights or {} if model is not None and model.by == row["slug"] else {}
    return {
        slug: (
            *domain.dependent("saved lists", [name for name, node in named if names(node, of, slug)]),
            *domain.dependent("weights of measures", ["health"] if slug in weighed else []),
        )
        for slug in left
    }


def _criteria(row: Record) -> Node | None:
    """None where they cannot be read any more: they name nothing."""
    try:
        return tree.load_document(DECODER.decode(row["criteria"]))
    except (Invalid, Unreadable):
        return None


# -- what follows ------------------------------------------------------------------------------------------------------


async def _lists(tx: Transaction, call: Call, of: Record, instead: Mapping[str, str]) -> list[Effect]:
    workspace_id, own = call.principal.workspace.id, str(of["id"])
    told: dict[UUID, str] = {}
    done: list[Effect] = []
    for row in await rows.lists(tx, workspace_id, of["id"]):
        node = _criteria(row)
        changed = renamed(node, own, instead)
        if changed == node:
            continue
        if row["is_watched"]:
            await watches.bring_up(tx, call.principal.workspace, row["id"], call.now)
        before, after = DECODER.decode(row["criteria"]), tree.dump_document(changed)
        told[row["id"]] = ENCODER.encode(after).decode()
        # The audit is read by admins, who see of a private list its name alone.
        done += (
            effects.differing("lists", row["id"], {"criteria": before}, {"criteria": after})
            if row["visibility"] == "public"
            else (Effect("lists", row["id"], {}, {}),)
        )
    if told:
        await rows.rename(tx, workspace_id, told, call.now)
    return done


async def _weights(tx: Transaction, call: Call, slug: str, instead: Mapping[str, str]) -> tuple[Effect, ...]:
    workspace = await workspaces.load(tx, call.principal.workspace.id)
    standing, model = workspace.scores, workspace.scores.health
    if model is None or model.by != slug or model.weights is None or model.weights.keys().isdisjoint(instead):
        return ()
    moved: dict[str, tuple[float, ...]] = {}
    # Of several that become one its own weights hold, else those of the first.
    for segment in sorted(model.weights, key=lambda one: one in instead):
        moved.setdefault(instead.get(segment, segment), model.weights[segment])
    wanted = replace(standing, health=replace(model, weights=moved))
    before, after = score_bodies.told(standing), score_bodies.told(wanted)
    version = workspace.scores_version + 1
    await scores.put(tx, workspace.id, version, ENCODER.encode(after).decode(), call.principal.user_id, call.now)
    return effects.differing("scores", workspace.id, before, after)


async def _pins(
    tx: Transaction, call: Call, row: Record, known: Sequence[str], instead: Mapping[str, str]
) -> list[Effect]:
    workspace_id, slug = call.principal.workspace.id, row["slug"]
    moved = await pins.move(tx, workspace_id, row["id"], instead)
    lost = await pins.forget_others(tx, workspace_id, row["id"], known)
    return [
        *(Effect("accounts", one["account_id"], _was(slug, one), audited_pin(slug, one)) for one in moved),
        *(Effect("accounts", one["account_id"], audited_pin(slug, one), audited_pin(slug, None)) for one in lost),
    ]


def _was(slug: str, pin: Record) -> dict[str, Any]:
    return {"pins": {slug: {"segment": pin["was"], "reason": pin["reason"], "expires_at": pin["expires_at"]}}}
