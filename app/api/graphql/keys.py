"""API keys: read without their tokens, made, rotated and ended."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body, uuid
from app.api.graphql.writing import ID, KEY, Arguments, mended
from app.domain.keys import MOST_OVERLAP_HOURS, OVERLAP_HOURS
from app.services import keys

output("ApiKey", [
    member("id", "ID"), member("name", "str"), member("role", "Role"), member("user_id", "Optional[ID]"),
    member("scopes", "list[str]"), member("hint", "Optional[str]", "How its newest token begins, to tell keys apart."),
    member("created_at", "DateTime"), member("expires_at", "Optional[DateTime]"),
    member("last_used_at", "Optional[DateTime]", "Exact to about a minute; null where it was never used."),
    member("rotated_at", "Optional[DateTime]"),
    member("overlap_until", "Optional[DateTime]", "When the last token of before a rotation ends or ended."),
    member("revoked_at", "Optional[DateTime]"),
    member("token", "Optional[str]", "Shown in the first answer to the mutation that made it, and nowhere else."),
], "A credential of a person or of a service; its workspace follows from it.")  # fmt: skip
connect("ApiKey")
output("ApiKeyPayload", [
    resolved("api_key", "ApiKey", lambda source, *_: body(source.body)),
    resolved("created", "bool", lambda source, *_: source.created),
])  # fmt: skip
entered("CreateApiKeyInput", [
    given("name", "str"), given("role", "Role"), given("user_id", "Optional[ID]", "Whose it is; none for a service."),
    given("scopes", "Optional[list[str]]", "What a service may do; none for a person."), given("expires_at", "Optional[DateTime]"),
])  # fmt: skip
entered("RotateApiKeyInput", [
    given("overlap_hours", "Optional[int]",
          f"How long the token of before lives on, 0 to {MOST_OVERLAP_HOURS}, {OVERLAP_HOURS} where nothing is said; 0 ends every earlier one."),
    given("expires_at", "Optional[DateTime]", "When the key itself ends; as before where nothing is said."),
])  # fmt: skip


async def _all(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after: Any = page.after[0] if page.after else None
    found, following = await keys.all_keys(caller.db, caller.principal, after, page.limit)
    return page.connection(found, [(key["id"],) for key in found], following is not None)


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return body(await keys.get(caller.db, caller.principal, uuid(said["id"])))


def _create(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return mended(keys.create(caller.db, caller.call(info, said), told(said["input"])))


def _rotate(_: Any, info: Any, said: Arguments) -> Any:
    caller, change = info.context, said.get("input")
    call = caller.call(info, said)
    return mended(keys.rotate(caller.db, call, uuid(said["id"]), told(change) if change else {}))


def _revoke(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return mended(keys.revoke(caller.db, caller.call(info, said), uuid(said["id"])))


QUERIES = [
    operated("keys.read", "api_key", "Optional[ApiKey]", _one, ID),
    operated("keys.read", "api_keys", "ApiKeyConnection", _all, *PAGING, description="In the order of their making."),
]  # fmt: skip
MUTATIONS = [
    operated("keys.write", "create_api_key", "Optional[ApiKeyPayload]", _create, argument("input", "CreateApiKeyInput"), KEY,
             description="The answer holds the token, and no other answer does."),
    operated("keys.write", "rotate_api_key", "Optional[ApiKeyPayload]", _rotate, ID, argument("input", "Optional[RotateApiKeyInput]", None), KEY,
             description="A new token for the same key; the token of before lives on for a while."),
    operated("keys.write", "revoke_api_key", "Optional[ApiKeyPayload]", _revoke, ID, KEY,
             description="Ends a key with all its tokens: here at once, in other processes within a second."),
]  # fmt: skip
