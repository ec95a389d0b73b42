"""Where an attribute is named: lists, segmentations and mappings follow its new slug, or stand against its deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain import dependents as domain
from app.domain.attributes import NOBODY, Attribute, Rename, renamed
from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.criteria import text, tree
from app.domain.dependents import Dependent
from app.domain.errors import Invalid, Unreadable
from app.domain.segmentation.bodies import parts
from app.persistence import attributes as rows
from app.persistence import versions
from app.persistence.database import Record, Transaction
from app.services import effects, followed
from app.services.calls import ENCODER, Effect

DECODER = msgspec.json.Decoder(float_hook=Decimal)


async def rename(
    tx: Transaction, workspace_id: UUID, of: Attribute, to: str, instead: Mapping[str, str], now: datetime
) -> tuple[Effect, ...]:
    """Every list, segmentation and mapping that names the attribute names it by its new slug, and by the values that
    take the place of others."""
    path, told = _path(of.slug), Rename(of.entity, of.slug, to, instead)
    renaming = f"{path} is {_path(to)} now." if to != of.slug else f"Values of {path} took the place of others."
    following = await followed.naming(tx, workspace_id, lambda node: renamed(node, ACCOUNTS, told) != node)
    domain.refuse(following, "name it", ": take it out there first, and put it back by its new name")
    done: list[Effect] = []
    for row in await rows.lists(tx, workspace_id, path):
        before, after = _list(row), _renamed_list(row, told)
        if after is not None and after != before:
            await rows.rename_list(tx, workspace_id, row["id"], {**after, "criteria": _json(after["criteria"])}, now)
            # The audit is read by admins, who see of a private list its name alone.
            done += (
                effects.differing("lists", row["id"], before, after)
                if row["visibility"] == "public"
                else (Effect("lists", row["id"], {}, {}),)
            )
    for row in await rows.segmentations(tx, workspace_id, path):
        before, after = _segmentation(row), _renamed_segmentation(row, told)
        if after != before:
            spec, segments = _json(after["spec"]), _json(after["segments"])
            await rows.rename_segmentation(tx, workspace_id, row["id"], spec, segments, now)
            await versions.keep(tx, workspace_id, row["slug"], "put", now, note=renaming)
            done += effects.differing("segmentations", row["id"], before, after)
    for row in await rows.mappings(tx, workspace_id, path):
        mapping = DECODER.decode(row["mapping"])
        if mapping.get("kind") == of.entity and to != of.slug:
            after = _renamed_mapping(mapping, path, _path(to))
            await rows.rename_mapping(tx, workspace_id, row["name"], _json(after), now)
            named = {"name": row["name"]}
            done.append(Effect("imports/mappings", None, {**named, **mapping}, {**named, **after}))
    return tuple(done)


async def refuse(tx: Transaction, workspace_id: UUID, of: Attribute, why: str = "") -> None:
    """Raises Conflict with a Fault per kind where a list, a segmentation or a mapping names the attribute; `why` it stays."""
    domain.refuse(await dependents(tx, workspace_id, of), "name it", why)


async def dependents(tx: Transaction, workspace_id: UUID, of: Attribute) -> tuple[Dependent, ...]:
    """Lists, segmentations and mappings that name it: admins ask, who see the name of every list."""
    path, told = _path(of.slug), Rename(of.entity, of.slug, NOBODY)
    lists = [
        row["name"]
        for row in await rows.lists(tx, workspace_id, path)
        if _renamed_list(row, told) not in (None, _list(row))
    ]
    segmentations = await segmented(tx, workspace_id, of)
    mappings = [
        row["name"]
        for row in await rows.mappings(tx, workspace_id, path)
        if (mapping := DECODER.decode(row["mapping"])).get("kind") == of.entity
        and _renamed_mapping(mapping, path, NOBODY) != mapping
    ]
    return (
        *domain.dependent("saved lists", lists),
        *domain.dependent("segmentations", segmentations),
        *domain.dependent("stored mappings", mappings),
        *await followed.naming(tx, workspace_id, lambda node: renamed(node, ACCOUNTS, told) != node),
    )


async def asking(tx: Transaction, workspace_id: UUID, of: Attribute, values: Sequence[str]) -> tuple[Dependent, ...]:
    """Lists that compare the attribute with one of the values."""
    told = Rename(of.entity, of.slug, of.slug, dict.fromkeys(values, NOBODY))
    found = await rows.lists(tx, workspace_id, _path(of.slug)) if values else []
    names = [row["name"] for row in found if _renamed_list(row, told) not in (None, _list(row))]
    return domain.dependent("saved lists", names)


async def segmented(tx: Transaction, workspace_id: UUID, of: Attribute) -> list[str]:
    """Slugs of the segmentations that name it."""
    told = Rename(of.entity, of.slug, NOBODY)
    found = await rows.segmentations(tx, workspace_id, _path(of.slug))
    return [row["slug"] for row in found if _renamed_segmentation(row, told) != _segmentation(row)]


def _path(slug: str) -> str:
    return f"custom.{slug}"


def _json(document: object) -> bytes:
    return ENCODER.encode(document)


def _list(row: Record) -> dict[str, Any]:
    return {"criteria": DECODER.decode(row["criteria"]), "columns": list(row["columns"]), "sort": list(row["sort"])}


def _renamed_list(row: Record, told: Rename) -> dict[str, Any] | None:
    """None where its criteria cannot be read any more: it names nothing."""
    entity = ENTITIES[row["entity"]]
    try:
        node = tree.load_document(DECODER.decode(row["criteria"]))
    except (Invalid, Unreadable):
        return None
    changed = renamed(node, entity, told)
    return {
        "criteria": DECODER.decode(row["criteria"]) if changed == node else tree.dump_document(changed),
        "columns": [told(path, entity) for path in row["columns"]],
        "sort": [told(path, entity) for path in row["sort"]],
    }


def _segmentation(row: Record) -> dict[str, Any]:
    return {"spec": DECODER.decode(row["spec"]), "segments": DECODER.decode(row["segments"])}


def _renamed_segmentation(row: Record, told: Rename) -> dict[str, Any]:
    document = _segmentation(row)
    for part in parts(document["spec"]):
        if part.get("field"):
            part["field"] = told(part["field"], ACCOUNTS)
        if part.get("criteria"):
            part["criteria"] = _renamed_text(part["criteria"], told)
        if (among := (part.get("cuts") or {}).get("among")) is not None:
            part["cuts"]["among"] = _renamed_text(among, told)
    for case in document["segments"]:
        case["criteria"] = _renamed_text(case["criteria"], told)
    return document


def _renamed_text(criteria: str, told: Rename) -> str:
    try:
        node = text.parse(criteria)
    except (Invalid, Unreadable):
        return criteria
    changed = renamed(node, ACCOUNTS, told)
    return criteria if changed == node else text.format(changed)


def _renamed_mapping(mapping: Mapping[str, Any], path: str, to: str) -> dict[str, Any]:
    return {
        part: {to if name == path else name: one for name, one in said.items()}
        if part in ("columns", "constants")
        else said
        for part, said in mapping.items()
    }
