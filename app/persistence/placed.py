"""The values of one account that a segmentation places it by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning, Shown
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader

_DECODER = msgspec.json.Decoder(float_hook=lambda told: told)


async def values(
    reader: Reader, workspace: Workspace, account_id: UUID, fields: Sequence[Shown], meanings: Sequence[Meaning]
) -> tuple[list[Any], list[bool]]:
    """The account's own values, fractions as text, as they are stored and whatever it is: archived or not; and whether it
    meets each of the criteria. None and False where there is no such account."""
    scope = Scope(workspace)
    a = scope.alias()
    rows = start(ACCOUNTS, a)
    told = ", ".join(f"to_json({shown(of, rows, scope).sql})" for of in fields)
    held = ", ".join(f"coalesce({condition(meaning, ACCOUNTS, a, scope)}, false)" for meaning in meanings)
    text = f"""SELECT json_build_array({told}) AS of, ARRAY[{held}]::bool[] AS held
    {scope.rows("accounts", a, [f"{a}.id = {scope.bind(account_id)}::uuid"])}"""
    found = await reader.fetch(text, *scope.args)
    if not found:
        return [None] * len(fields), [False] * len(meanings)
    return _DECODER.decode(found[0]["of"]), list(found[0]["held"])
