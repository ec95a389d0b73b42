"""Mutations of users, and of what they look after."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.resources import body, uuid
from app.api.graphql.writing import ID, KEY, Arguments, Cases, Operations, Writing, declare, mended, mutations
from app.domain.catalogue import USERS
from app.services import hand_overs, users

WRITE = "users.write"
declare(USERS)
choices("HandedOver", hand_overs.WHAT)
entered("HandOverInput", [
    given("to", "Optional[str]", "An active admin, manager or csm: id, external id or e-mail."),
    given("to_id", "Optional[ID]", "Instead of `to`."),
    given("what", "Optional[list[HandedOver]]", "All of it where it is left out; of opportunities those that are open."),
])  # fmt: skip
output("HandOver", [
    member("user_id", "ID"), member("to_id", "ID"), member("accounts", "int"), member("opportunities", "int"), member("lists", "int"),
], "How much was handed over, and to whom.")  # fmt: skip
output("HandOverPayload", [resolved("hand_over", "HandOver", lambda source, *_: body(source.body))])


def _hand_over(_: Any, info: Any, said: Arguments) -> Writing:
    caller = info.context
    call = caller.call(info, said)
    return mended(hand_overs.hand_over(caller.db, call, uuid(said["id"]), told(said["input"])))


MUTATIONS = [
    *mutations(
        USERS, Operations(WRITE, WRITE, WRITE),
        Cases(
            users.create,
            lambda db, call, told, body, version: users.change(db, call, "id", told, body, version),
            users.upsert,
            lambda db, call, told, version: users.delete(db, call, "id", told, version),
        ),
        "Only somebody who left no trace; else set `isActive` to false: keys end within a second.",
    ),
    operated(
        WRITE, "hand_over", "Optional[HandOverPayload]", _hand_over, ID, argument("input", "HandOverInput"), KEY,
        description="Gives another what a user looks after, in one transaction and with the history of each account.",
    ),
]  # fmt: skip
