"""Fields about one account, which is named by its id or by its external id, as `account` is."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from strawberry.types.arguments import StrawberryArgument

from app.api.graphql.build import Resolved, argument, operated
from app.api.graphql.writing import Arguments
from app.domain.errors import Fault, Invalid
from app.services.account_names import identified

NAMING = (
    argument("id", "Optional[ID]", None, "Of the account; or `externalId`."),
    argument("external_id", "Optional[str]", None, "Of the account, instead of its id."),
)


def addressed(
    operation: str,
    name: str,
    annotation: str,
    resolver: Callable[..., Any],
    *arguments: StrawberryArgument,
    description: str,
) -> Resolved:
    """An operation on an account: its resolver is told `id`, whichever way the account was named."""

    async def resolve(source: Any, info: Any, said: Arguments) -> Any:
        others = {name: value for name, value in said.items() if name not in ("id", "external_id")}
        answer = resolver(source, info, {**others, "id": await _id(info, said)})
        return await answer if isawaitable(answer) else answer

    return operated(operation, name, annotation, resolve, *NAMING, *arguments, description=description)


async def _id(info: Any, said: Arguments) -> str:
    caller, account_id, external_id = info.context, said.get("id"), said.get("external_id")
    if account_id is not None and external_id is None:
        return str(account_id)
    if account_id is None and external_id is not None:
        return str(await identified(caller.db, caller.principal, external_id))
    raise Invalid(faults=(Fault("Expected id or externalId, one of them.", parameter="id"),))
