"""Mutations of accounts, their inputs from the catalogue."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from strawberry.types.field import StrawberryField

from app.api.graphql.build import argument, camel, entered, given, operated, output, resolved, told
from app.api.graphql.resources import record, uuid
from app.api.graphql.types import annotation
from app.domain.catalogue import ACCOUNTS
from app.domain.errors import StrataError
from app.services import accounts
from app.services.calls import Written

KEY = argument(
    "idempotency_key", "Optional[str]", None, "The same key and arguments within 24 hours: one effect, the same answer."
)
VERSION = argument("expected_version", "int", description="The version that the change starts from.")
ID = argument("id", "ID")

Arguments = Mapping[str, Any]


def _input(name: str, description: str, *, required: bool) -> None:
    """An input of what can be set of an account; references by id, or by id, external id or e-mail."""
    fields: list[StrawberryField] = []
    for field in ACCOUNTS.fields.values():
        if not field.writable:
            continue
        made = annotation(ACCOUNTS, field)
        needed = required and field.name in ACCOUNTS.required
        fields.append(given(field.column, made if needed else f"Optional[{made}]", field.description or None))
        if field.kind == "ref":
            fields.append(
                given(field.name, "Optional[str]", f"Instead of {camel(field.column)}: external id or e-mail.")
            )
    entered(name, fields, description)


_input("CreateAccountInput", "An account to make.", required=True)
_input("UpdateAccountInput", "What is named is set, null included; all else stays as it is.", required=False)
output("AccountPayload", [
    resolved("account", "Account", lambda source, info, _: record(info, "accounts", source.id)),
    resolved("created", "bool", lambda source, *_: source.created, description="Whether it was made just now."),
])  # fmt: skip


def at_argument(pointer: str | None) -> str | None:
    """`/renewal_date` of a body as `/input/renewalDate`; what lies deeper keeps its names."""
    if not pointer:
        return pointer
    _, first, *rest = pointer.split("/")
    return "/".join(["/input", camel(first), *rest])


async def mended(act: Awaitable[Written]) -> Written:
    """The same errors, their pointers into the arguments."""
    try:
        return await act
    except StrataError as error:
        error.faults = tuple(replace(fault, pointer=at_argument(fault.pointer)) for fault in error.faults)
        raise


def _create(_: Any, info: Any, said: Arguments) -> Awaitable[Written]:
    caller = info.context
    return mended(accounts.create(caller.db, caller.call(info, said), told(said["input"])))


def _update(_: Any, info: Any, said: Arguments) -> Awaitable[Written]:
    caller, version = info.context, said["expected_version"]
    call = caller.call(info, said)
    return mended(accounts.change(caller.db, call, uuid(said["id"]), told(said["input"]), version))


def _upsert(_: Any, info: Any, said: Arguments) -> Awaitable[Written]:
    caller, version = info.context, said.get("expected_version")
    call = caller.call(info, said)
    return mended(accounts.upsert(caller.db, call, said["external_id"], told(said["input"]), version))


def _archive(_: Any, info: Any, said: Arguments) -> Awaitable[Written]:
    caller = info.context
    call = caller.call(info, said)
    return accounts.archive(caller.db, call, uuid(said["id"]), said["expected_version"])


def _restore(_: Any, info: Any, said: Arguments) -> Awaitable[Written]:
    caller = info.context
    call = caller.call(info, said)
    return accounts.restore(caller.db, call, uuid(said["id"]), said["expected_version"])


_NEW = argument("input", "CreateAccountInput")
_CHANGE = argument("input", "UpdateAccountInput")
_MAYBE = argument(
    "expected_version",
    "Optional[int]",
    None,
    "Needed where the account is there already; left out where it is to be made.",
)
MUTATIONS = [
    operated("accounts.create", "create_account", "Optional[AccountPayload]", _create, _NEW, KEY),
    operated("accounts.write", "update_account", "Optional[AccountPayload]", _update, ID, VERSION, _CHANGE, KEY),
    operated(
        "accounts.write", "upsert_account", "Optional[AccountPayload]", _upsert, argument("external_id", "str"), _CHANGE, _MAYBE, KEY,
        description="The account of an external id: made where there is none, else changed.",
    ),
    operated("accounts.archive", "archive_account", "Optional[AccountPayload]", _archive, ID, VERSION, KEY, description="Takes it out of scope."),
    operated("accounts.archive", "restore_account", "Optional[AccountPayload]", _restore, ID, VERSION, KEY, description="Brings it back into scope."),
]  # fmt: skip
