"""Spans of time, and the accounts that have an instant in one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.segmentation.spans import Span
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader


async def within(reader: Reader, workspace: Workspace, spans: Sequence[Span]) -> list[UUID]:
    """The accounts with an instant in one of the spans, by id."""
    scope = Scope(workspace)
    found = await reader.fetch(f"{' UNION '.join(_within(span, scope) for span in spans)} ORDER BY 1", *scope.args)
    return [row["id"] for row in found]


def _within(span: Span, scope: Scope) -> str:
    alias = scope.alias()
    entity = ACCOUNTS if span.relation is None else ENTITIES[span.relation.target]
    value = shown(span.of, start(entity, alias), scope).sql
    ends = [f"{value} {sign} {scope.typed(end, 'instant')}" for sign, end in ((">=", span.lo), ("<=", span.hi))]
    key = "id" if span.relation is None else "account_id AS id"
    return f"SELECT {alias}.{key} {scope.rows(entity.name, alias, ends)}"
