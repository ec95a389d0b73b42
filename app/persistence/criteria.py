"""What criteria of a workspace can name, what is kept for them, and how a preview is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria.coerce import identity
from app.domain.criteria.meant import FoldOf
from app.domain.criteria.referred import LISTS, Names, Referred
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope
from app.persistence.compile.kept import usage_window
from app.persistence.compile.keys import INDEXED
from app.persistence.compile.previews import Preview
from app.persistence.compile.rows import start, table_of
from app.persistence.database import Reader

NAMED = ("industries", "stages", "products", "features", "teams")
"""Entities whose records criteria name by slug."""
MOST = 1_000
"""Slugs of one entity that are told."""
KNOWN = " UNION ALL ".join(
    f"(SELECT '{name}' AS entity, slug, name FROM {name} WHERE workspace_id = $1 ORDER BY slug LIMIT {MOST + 1})"
    for name in NAMED
)

REFERRED = {"users": ("external_id", "email"), "accounts": ("external_id",), "contacts": ("external_id", "email")}
"""Entities whose records criteria name by id, and what else they go by."""


def _by_any(n: int, entity: str) -> str:
    ways = " OR ".join(("x.id = t.id", *(f"x.{field} = t.told" for field in REFERRED[entity])))
    return (
        f"SELECT '{entity}' AS entity, t.told, f.name FROM unnest(${n}::text[], ${n + 1}::uuid[]) AS t(told, id) "
        f"CROSS JOIN LATERAL (SELECT x.name FROM {entity} x WHERE x.workspace_id = $1 AND ({ways}) "
        "ORDER BY x.id = t.id DESC NULLS LAST, x.id LIMIT 1) f"
    )


LISTED = """
SELECT 'lists' AS entity, t.told, l.name FROM unnest($8::uuid[], $9::text[]) AS t(id, told)
JOIN lists l ON l.workspace_id = $1 AND l.id = t.id AND (l.visibility = 'public' OR l.owner_id = $10::uuid)
"""
CALLED = " UNION ALL ".join((*(_by_any(2 + 2 * n, entity) for n, entity in enumerate(REFERRED)), LISTED))


@dataclass(frozen=True, slots=True)
class Named:
    """Slugs of one entity with their names, in order; `whole`: these are all."""

    names: Mapping[str, str]
    whole: bool


@dataclass(frozen=True, slots=True)
class Previewed:
    """`data`: a JSON array of records. `fresh` is False where kept windows were read that are right for another day.

    `further`: how many of the records that match meet each of the further conditions.
    """

    data: bytes
    fresh: bool
    count: int
    further: Sequence[int]


async def known(reader: Reader, workspace_id: UUID) -> dict[str, Named]:
    """The slugs of each entity of NAMED, at most MOST each; one statement."""
    found: dict[str, dict[str, str]] = {name: {} for name in NAMED}
    for entity, slug, name in await reader.fetch(KNOWN, workspace_id):
        found[entity][slug] = name
    return {name: Named(dict(list(of.items())[:MOST]), len(of) <= MOST) for name, of in found.items()}


async def called(reader: Reader, workspace_id: UUID, told: Sequence[Referred], viewer: UUID | None) -> Names:
    """The names of those that are there, of lists as far as they are public or the viewer's own; one statement."""
    names = {entity: [name for of, name in told if of == entity] for entity in (*REFERRED, LISTS)}
    args = [arg for of in REFERRED for arg in (names[of], [identity(name) for name in names[of]])]
    lists = [(key, name) for name in names[LISTS] if (key := identity(name)) is not None]
    keys, spelled = [key for key, _ in lists], [name for _, name in lists]
    rows = await reader.fetch(CALLED, workspace_id, *args, keys, spelled, viewer, point=True)
    return {(row["entity"], row["told"]): row["name"] for row in rows}


async def preview(reader: Reader, statement: Preview) -> Previewed:
    """Runs the statement of a preview."""
    row = await reader.fetchrow(statement.text, *statement.args)
    assert row is not None, "aggregates give a row"
    data, fresh, count, *further = row
    return Previewed(data or b"[]", bool(fresh), count, further)


def indexed(entity: Entity) -> frozenset[str]:
    """The columns of an entity that an index leads with."""
    return frozenset(column for table, column in INDEXED if table == table_of(entity)) | {"id", "external_id"}


def is_kept(of: FoldOf, entity: Entity, workspace: Workspace) -> bool:
    """Whether a fold is kept per account, and no related row is read for it."""
    return usage_window(of, start(entity, "a"), Scope(workspace)) is not None
