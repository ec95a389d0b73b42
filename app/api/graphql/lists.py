"""Saved lists: their settings, what they hold, and how they are written."""

from __future__ import annotations

from typing import Any, cast

from app.api.graphql import rows, watches
from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body, single, uuid
from app.api.graphql.selections import mended as pointed
from app.api.graphql.writing import ID, KEY, VERSION, Arguments, mended
from app.domain import lists as domain
from app.domain.errors import StrataError
from app.services import defaults, favourites, listings, lists, transfers

choices("ListEntity", domain.ENTITIES)
choices("Visibility", domain.VISIBILITIES)
choices("DefaultSource", ("me", "workspace"))
choices("ListState", ("ok", "broken"))
choices("ParameterType", domain.PARAMETER_KINDS)
output("Criteria", [member("text", "str"), member("tree", "JSON", "The tree as REST takes it.")])
output(
    "ListParameter",
    [
        member("name", "str"),
        member("type", "ParameterType"),
        member("default", "Optional[JSON]", "Null where whoever asks the list says a value."),
    ],
)


def _said() -> list[Any]:
    return [
        member("entity", "ListEntity"), member("name", "str"), member("description", "Optional[str]"), member("folder", "Optional[str]"),
        member("criteria", "Optional[Criteria]"), member("columns", "Optional[list[str]]"),
        member("sort", "Optional[list[str]]"), member("visibility", "Visibility"),
        member("mine", "Optional[bool]", "Only the records of whoever looks at it."),
        member("params", "Optional[list[ListParameter]]"),
    ]  # fmt: skip


async def _dependents(source: Any, info: Any, _said: Arguments) -> Any:
    single(info, "list(id)")
    found = await lists.dependents(info.context.db, info.context.principal, source["id"])
    return [{"what": one.what, "count": one.count, "examples": list(one.examples)} for one in found]


output(
    "ListDependent",
    [member("what", "str"), member("count", "int"), member("examples", "list[str]", "The first names.")],
)
output("ListFolder", [member("folder", "Optional[str]", "Null for the lists in none."), member("lists", "int")])
output("ListTemplate", [member("slug", "str"), *_said()], "A ready-made list: the body that makes it.")
output("List", [
    member("id", "ID"), *_said(), member("owner_id", "ID"), member("state", "Optional[ListState]"),
    member("reason", "Optional[str]", "Why it is broken."), member("size", "Optional[int]"),
    member("favourite", "bool", "Whether it is one of yours."), member("watched_since", "Optional[DateTime]", "Since when it is kept who enters and leaves it."),
    member("used_at", "Optional[DateTime]", "When somebody last asked what it holds, to about a minute."), member("version", "int"),
    member("created_at", "DateTime"), member("updated_at", "DateTime"), resolved("dependents", "Optional[list[ListDependent]]", _dependents,
             description="What would miss it, as far as you can see that."), *rows.FIELDS, *watches.FIELDS,
], "A saved list. Of somebody else's private one an admin sees name and size alone.")  # fmt: skip
connect("List")
output(
    "ListPayload",
    [
        resolved("list", "List", lambda source, *_: body(source.body)),
        resolved("created", "bool", lambda source, *_: source.created),
    ],
)
output("EffectiveDefault", [member("list_id", "ID"), member("source", "DefaultSource", "Whose choice it is.")])
output(
    "EffectiveDefaults",
    [member("accounts", "Optional[EffectiveDefault]"), member("contacts", "Optional[EffectiveDefault]")],
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
        given("name", typed("str")), given("criteria", typed("CriteriaInput")), given("description", "Optional[str]"), given("folder", "Optional[str]"),
        given("columns", "Optional[list[str]]"), given("sort", "Optional[list[str]]"), given("visibility", "Optional[Visibility]"),
        given("mine", "Optional[bool]"), given("params", "Optional[list[ListParameterInput]]"), *more,
    ])  # fmt: skip


_input("CreateListInput", given("entity", "ListEntity"), required=True)
_input("UpdateListInput", given("owner_id", "Optional[ID]", "Hands the list over."), required=False)
_input("CopyListInput", required=False)
entered(
    "TransferListInput", [given("to", "Optional[str]", "Id, external id or e-mail."), given("to_id", "Optional[ID]")]
)


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    found = await lists.read(caller.db, caller.call(info, said), uuid(said["id"]), said.get("reason"))
    return listings.document(found)


async def _all(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    entity = said["entity"].value if said.get("entity") else None
    search = lists.Search(
        entity, said.get("folder"), said.get("owner"), said["favourite"], said.get("search"), said.get("order_by")
    )  # fmt: skip
    after = cast(lists.After, page.after) if page.after else None
    try:
        found, following = await lists.all_lists(caller.db, caller.principal, caller.now, search, after, page.limit)
    except StrataError as error:
        raise pointed(error, None) from None
    keys = [lists.place(one, search) for one in found]
    return page.connection([listings.document(one) for one in found], keys, following is not None)


async def _folders(_: Any, info: Any, said: Arguments) -> Any:
    caller, entity = info.context, said.get("entity")
    return await lists.folders(caller.db, caller.principal, entity and entity.value)


async def _workspace_defaults(_: Any, info: Any, _said: Arguments) -> Any:
    return await defaults.shared(info.context.db, info.context.principal)


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
    return await defaults.choose(caller.db, call, said["entity"].value, list_id)


async def _set_shared(_: Any, info: Any, said: Arguments) -> Any:
    caller, chosen = info.context, said.get("list_id")
    call = caller.call(info, said)
    list_id = uuid(chosen) if chosen is not None else None
    return await defaults.choose_shared(caller.db, call, said["entity"].value, list_id)


async def _mark(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return await mended(favourites.mark(caller.db, call, uuid(said["id"]), favourite=said["favourite"]))


async def _transfer(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return await mended(transfers.transfer(caller.db, call, uuid(said["id"]), told(said["input"])))


QUERIES = [
    operated(
        "lists.read", "list", "Optional[List]", _one, ID,
        argument("reason", "Optional[str]", None, "Why an admin reads somebody else's private list; the audit keeps it."),
    ),
    operated(
        "lists.read", "lists", "ListConnection", _all, argument("entity", "Optional[ListEntity]", None),
        argument("folder", "Optional[str]", None), argument("owner", "Optional[str]", None, "Id, external id or e-mail."),
        argument("favourite", "bool", False, "True: only your favourites."),
        argument("search", "Optional[str]", None, "Text in the name, or in the description of a list that you see whole."),
        argument("order_by", "Optional[str]", None, "`name`, `updated_at` or `used_at`, `-` for descending."), *PAGING,
        description="The lists that you can see, by name unless told otherwise.",
    ),
    operated(
        "lists.read", "list_folders", "list[ListFolder]", _folders, argument("entity", "Optional[ListEntity]", None),
        description="Folders with how many of the lists that you see whole are in each.",
    ),
    operated("workspace.read", "workspace_defaults", "DefaultLists", _workspace_defaults, description="The lists that people begin with who have chosen nothing."),
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
    operated(
        "workspace.write", "set_workspace_default_list", "Optional[DefaultsPayload]", _set_shared, argument("entity", "ListEntity"),
        argument("list_id", "Optional[ID]", None), KEY, description="The list that people begin with who have chosen nothing.",
    ),
    operated(
        "lists.favourite", "mark_list", "Optional[ListPayload]", _mark, ID, argument("favourite", "bool"), KEY,
        description="Makes a list one of your favourites, or not any more.",
    ),
    operated(
        "lists.transfer", "transfer_list", "Optional[ListPayload]", _transfer, ID, argument("input", "TransferListInput"), KEY,
        description="Its owner's and an admin's to do. A private list is then gone for everybody but its new owner.",
    ),
    *watches.MUTATIONS,
]  # fmt: skip
