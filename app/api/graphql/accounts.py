"""Mutations of accounts."""

from __future__ import annotations

from typing import Any

from app.api.graphql.addressed import addressed
from app.api.graphql.build import argument, operated
from app.api.graphql.resources import uuid
from app.api.graphql.writing import ID, KEY, VERSION, Arguments, Cases, Operations, Writing, declare, mended, mutations
from app.domain.catalogue import ACCOUNTS
from app.services import accounts

declare(ACCOUNTS)


def _archive(_: Any, info: Any, said: Arguments) -> Writing:
    caller = info.context
    call = caller.call(info, said)
    return mended(accounts.archive(caller.db, call, uuid(said["id"]), said["expected_version"]))


def _restore(_: Any, info: Any, said: Arguments) -> Writing:
    caller = info.context
    call = caller.call(info, said)
    return mended(accounts.restore(caller.db, call, uuid(said["id"]), said["expected_version"]))


def _delete(_: Any, info: Any, said: Arguments) -> Writing:
    caller = info.context
    call, along = caller.call(info, said), bool(said.get("with_records"))
    return mended(accounts.delete(caller.db, call, uuid(said["id"]), said["expected_version"], with_records=along))


_ALONG = argument(
    "with_records",
    "bool",
    False,
    "Its records, usage, memberships and history go too; accounts below it have no parent then.",
)
MUTATIONS = [
    *mutations(
        ACCOUNTS, Operations("accounts.create", "accounts.write", "accounts.delete"),
        Cases(
            accounts.create,
            lambda db, call, told, body, version: accounts.change(db, call, uuid(told), body, version),
            accounts.upsert,
        ),
    ),
    addressed("accounts.archive", "archive_account", "Optional[AccountPayload]", _archive, VERSION, KEY, description="Takes it out of scope."),
    addressed("accounts.archive", "restore_account", "Optional[AccountPayload]", _restore, VERSION, KEY, description="Brings it back into scope."),
    operated(
        "accounts.delete", "delete_account", "Optional[DeletedPayload]", _delete, ID, VERSION, _ALONG, KEY,
        description="For good. Refused while anything belongs to it, unless that shall go along; `errors` says what does.",
    ),
]  # fmt: skip
