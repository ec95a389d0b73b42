"""Imports, what is wrong with their rows, and mappings kept by name; the files themselves come by REST."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body, single, uuid
from app.api.graphql.selections import mended as pointed
from app.api.graphql.writing import KEY, Arguments, mended
from app.domain.errors import StrataError
from app.domain.imports import STATES
from app.services import imports, mappings

choices("ImportState", STATES)
output("ImportError", [
    member("line", "int"), member("column", "Optional[str]"), member("code", "str"), member("message", "str"),
    member("is_warning", "bool"),
], "What is wrong, or suspicious, with a row of a file.")  # fmt: skip
connect("ImportError")


async def _errors(source: Any, info: Any, said: Arguments) -> Any:
    single(info, "import(id)")
    caller, page = info.context, paging(info, {**said, "import": str(source["id"])})
    after = str(page.after[0]) if page.after else None
    try:
        found, places, more = await imports.errors(caller.db, caller.principal, uuid(source["id"]), page.limit, after)
    except StrataError as error:
        raise pointed(error, None) from None
    return page.connection([body(one) for one in found], [(place,) for place in places], more)


output("Import", [
    member("id", "ID"), member("kind", "str"), member("state", "ImportState"), member("rows", "int"), member("created", "int"),
    member("updated", "int"), member("unchanged", "int"), member("rejected", "int"),
    member("warned", "int", "Rows that were taken, and are suspicious."),
    member("summary", "JSON", "What was found, each kind once, with its count, first lines and what can be done."), member("detail", "Optional[str]", "Why it failed; of one that is done, what came of it beside its rows."),
    member("started_at", "Optional[DateTime]"), member("finished_at", "Optional[DateTime]"),
    resolved("errors", "ImportErrorConnection", _errors, *PAGING, description="By line."),
], "A file of records: it is sent over REST, to `POST /v1/imports`, as its raw bytes.")  # fmt: skip
connect("Import")
output("ImportMapping", [member("name", "str"), member("mapping", "JSON", "As REST has it.")])
output("ImportMappingPayload", [resolved("mapping", "ImportMapping", lambda source, *_: body(source.body))])
entered("ImportMappingInput", [
    given("kind", "str", "What each row is, such as `accounts`."),
    given("columns", "Optional[JSON]", "By field, the column that has it: its name, or an object with `from`."),
    given("constants", "Optional[JSON]", "By field, what every row has."), given("delimiter", "Optional[str]"),
    given("decimal", "Optional[str]", 'What stands before decimals in numbers of this file, "," or "."; a column may say it for itself.'),
], "Which column is which field.")  # fmt: skip
NAME = argument("name", "str", description="A slug.")


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return body(await imports.get(caller.db, caller.principal, uuid(said["id"]), caller.now))


async def _latest(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    before = cast(UUID, page.after[0]) if page.after else None
    found, following = await imports.latest(caller.db, caller.principal, page.limit, before, caller.now)
    nodes = [body(one) for one in found]
    return page.connection(nodes, [(UUID(node["id"]),) for node in nodes], following is not None)


async def _mapping(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return body(await mappings.get(caller.db, caller.principal, said["name"]))


async def _mappings(_: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    return [body(one) for one in await mappings.every(caller.db, caller.principal)]


def _given(input_: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in input_.items() if value is not None}


async def _put(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return await mended(mappings.put(caller.db, caller.call(info, said), said["name"], _given(told(said["input"]))))


QUERIES = [
    operated("imports.read", "import", "Optional[Import]", _one, argument("id", "ID")),
    operated("imports.read", "imports", "ImportConnection", _latest, *PAGING, description="Newest first. Files come by REST alone."),
    operated("imports.read", "import_mapping", "Optional[ImportMapping]", _mapping, NAME),
    operated("imports.read", "import_mappings", "list[ImportMapping]", _mappings, description="By name."),
]  # fmt: skip
MUTATIONS = [
    operated(
        "imports.create", "put_import_mapping", "Optional[ImportMappingPayload]", _put, NAME, argument("input", "ImportMappingInput"), KEY,
        description="Keeps a mapping under a name, in place of the one before as a whole; imports that are running keep theirs.",
    ),
]  # fmt: skip
