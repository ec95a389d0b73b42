"""Saved lists: their settings, what they hold, and how they are written."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from app.api.graphql import rows
from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body, uuid
from app.api.graphql.writing import ID, KEY, VERSION, Arguments, mended
from app.domain import lists as domain
from app.services import listings, lists

choices("ListEntity", domain.ENTITIES)
choices("Visibility", domain.VISIBILITIES)
choices("ListState", ("ok", "broken"))
choices("ParameterType", domain.PARAMETER_KINDS)
output("Criteria", [member("text", "str"), member("tree", "JSON", "The tree as REST takes it.")])
output("ListParameter", [member("name", "str"), member("type", "ParameterType"), member("default", "JSON")])


def _said() -> list[Any]:
    return [
        member("entity", "ListEntity"), member("name", "str"), member("description", "Optional[str]"),
        member("criteria", "Optional[Criteria]"), member("columns", "Optional[list[str]]"),
        member("sort", "Optional[list[str]]"), member("visibility", "Visibility"),
        member("mine", "Optional[bool]", "Only the records of whoever looks at it."),
        member("params", "Optional[list[ListParameter]]"),
    ]  # fmt: skip


output("ListTemplate", [member("slug", "str"), *_said()], "A ready-made list: the body that makes it.")
output("List", [
    member("id", "ID"), *_said(), member("owner_id", "ID"), member("state", "Optional[ListState]"),
    member("reason", "Optional[str]", "Why it is broken."), member("size", "Optional[int]"), member("version", "int"),
    member("created_at", "DateTime"), member("updated_at", "DateTime"), *rows.FIELDS,
], "A saved list. Of somebody else's private one an admin sees name and size alone.")  # fmt: skip
connect("List")
output(
    "ListPayload",
    [
        resolved("list", "List", lambda source, *_: body(source.body)),
        resolved("created", "bool", lambda source, *_: source.created),
    ],
)
output("DefaultLists", [member("accounts", "Optional[ID]"), member("contacts", "Optional[ID]")])
output("DefaultsPayload", [resolved("defaults", "DefaultLists", lambda source, *_: source)])
entered(
    "CriteriaInput",
    [given("text", "Optional[str]"), given("tree", "Optional[JSON]")],
    "As text, or as the tree of REST.",
    one_of=True,
)
entered(
    "ListParameterInput",
    [given("name", "str"), given("type", "ParameterType"), given("default", "Optional[JSON]", default=None)],
)


def _input(name: str, *more: Any, required: bool) -> None:
    def typed(annotation: str) -> str:
        return annotation if required else f"Optional[{annotation}]"

    entered(name, [
        given("name", typed("str")), given("criteria", typed("CriteriaInput")), given("description", "Optional[str]"),
        given("columns", "Optional[list[str]]"), given("sort", "Optional[list[str]]"), given("visibility", "Optional[Visibility]"),
        given("mine", "Optional[bool]"), given("params", "Optional[list[ListParameterInput]]"), *more,
    ])  # fmt: skip


_input("CreateListInput", given("entity", "ListEntity"), required=True)
_input("UpdateListInput", given("owner_id", "Optional[ID]", "Hands the list over."), required=False)
_input("CopyListInput", required=False)


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    found = await lists.read(caller.db, caller.call(info, said), uuid(said["id"]), said.get("reason"))
    return listings.document(found)


async def _all(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    entity = said["entity"].value if said.get("entity") else None
    after = cast(tuple[str, UUID], page.after) if page.after else None
    found, following = await lists.all_lists(caller.db, caller.principal, caller.now, entity, after, page.limit)
    keys = [(one.list.name, one.list.id) for one in found]
    return page.connection([listings.document(one) for one in found], keys, following is not None)


def _templates(_: Any, info: Any, _said: Arguments) -> Any:
    return lists.templates(info.context.principal)


async def _create(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return await mended(lists.create(caller.db, caller.call(info, said), told(said["input"])))


async def _update(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call, version = caller.call(info, said), said["expected_version"]
    return await mended(lists.change(caller.db, call, uuid(said["id"]), told(said["input"]), version))


async def _copy(_: Any, info: Any, said: Arguments) -> Any:
    caller, more = info.context, said.get("input")
    call = caller.call(info, said)
    return await mended(lists.copy(caller.db, call, uuid(said["id"]), told(more) if more else None))


async def _delete(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return await lists.delete(caller.db, call, uuid(said["id"]), said["expected_version"])


async def _set_default(_: Any, info: Any, said: Arguments) -> Any:
    caller, chosen = info.context, said.get("list_id")
    call = caller.call(info, said)
    list_id = uuid(chosen) if chosen is not None else None
    return await lists.set_default(caller.db, call, said["entity"].value, list_id)


QUERIES = [
    operated(
        "lists.read", "list", "Optional[List]", _one, ID,
        argument("reason", "Optional[str]", None, "Why an admin reads somebody else's private list; the audit keeps it."),
    ),
    operated(
        "lists.read", "lists", "ListConnection", _all, argument("entity", "Optional[ListEntity]", None), *PAGING,
        description="The lists that you can see, by name.",
    ),
    operated("lists.read", "list_templates", "list[ListTemplate]", _templates, description="The ready-made lists."),
]  # fmt: skip
MUTATIONS = [
    operated("lists.create", "create_list", "Optional[ListPayload]", _create, argument("input", "CreateListInput"), KEY),
    operated("lists.write", "update_list", "Optional[ListPayload]", _update, ID, VERSION, argument("input", "UpdateListInput"), KEY),
    operated("lists.write", "delete_list", "Optional[DeletedPayload]", _delete, ID, VERSION, KEY),
    operated(
        "lists.create", "copy_list", "Optional[ListPayload]", _copy, ID, argument("input", "Optional[CopyListInput]", None), KEY,
        description="A private list of your own with what another one says.",
    ),
    operated(
        "me.defaults.write", "set_default_list", "Optional[DefaultsPayload]", _set_default, argument("entity", "ListEntity"),
        argument("list_id", "Optional[ID]", None), KEY, description="The list that you begin with; none where it is left out.",
    ),
]  # fmt: skip
