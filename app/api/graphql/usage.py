"""Mutations of usage: values of keys, which have no id and no version."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, entered, given, member, operated, output, resolved, told
from app.api.graphql.resources import body, record, uuid
from app.api.graphql.types import described
from app.api.graphql.writing import KEY, Arguments, Writing, inputs, mended
from app.domain.catalogue import USAGE
from app.services import usage

WRITE = "records.write"
_FEATURE, _DAY = (described(USAGE.fields[name]) for name in ("feature", "day"))

entered(
    "UsageInput", inputs(USAGE, required=True), "The value of an account, a contact or nobody, a feature and a day."
)
entered("PutUsageInput", [given("rows", "list[UsageInput]", f"At most {usage.MOST:,}.")])
entered("UsageKeyInput", [
    given("account_id", "ID"), given("contact_id", "Optional[ID]"),
    given("contact", "Optional[str]", "Instead of `contactId`: id, external id or e-mail; with neither, nobody's."),
    given("feature", "str", _FEATURE), given("day", "Date", _DAY),
], "Which value of usage.")  # fmt: skip
output("UsageValue", [
    member("account_id", "ID"), member("contact_id", "Optional[ID]"), member("feature", "str", _FEATURE),
    member("day", "Date", _DAY), member("value", "float", described(USAGE.fields["value"])),
])  # fmt: skip
output("UsagePayload", [
    resolved("rows", "list[UsageValue]", lambda source, *_: body(source.body)["rows"],
             description="Each key once, with the value that it has now."),
])  # fmt: skip
output("DeletedUsagePayload", [
    resolved("account", "Account", lambda source, info, _: record(info, "accounts", source.id), description="Whose it was."),
])  # fmt: skip


def _put(_: Any, info: Any, said: Arguments) -> Writing:
    caller = info.context
    return mended(usage.put(caller.db, caller.call(info, said), told(said["input"])))


def _delete(_: Any, info: Any, said: Arguments) -> Writing:
    caller, key = info.context, told(said["input"])
    account = uuid(key.pop("account_id"))
    return mended(usage.delete(caller.db, caller.call(info, said), account, key))


MUTATIONS = [
    operated(
        WRITE, "put_usage", "Optional[UsagePayload]", _put, argument("input", "PutUsageInput"), KEY,
        description="Gives keys their values: one that stands is replaced, equal keys of one call are summed. All rows or none.",
    ),
    operated(
        WRITE, "delete_usage", "Optional[DeletedUsagePayload]", _delete, argument("input", "UsageKeyInput"), KEY,
        description="Takes the value of a key away.",
    ),
]  # fmt: skip
