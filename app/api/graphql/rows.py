"""What a list holds: as rows of its own columns, or as records that the document selects from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.api.graphql.build import argument, member, output, plain, resolved
from app.api.graphql.connections import layout
from app.api.graphql.paths import spelled
from app.api.graphql.plans import page_of, setting_of
from app.api.graphql.resources import body, single
from app.api.graphql.selections import mended, named
from app.api.graphql.summaries import GROUPED, WHEN, summarised, when
from app.api.graphql.types import NOTES, ON, connect, paging
from app.api.graphql.writing import Arguments
from app.domain.catalogue import ENTITIES
from app.domain.errors import StrataError
from app.domain.lists import row_fields
from app.domain.selections import selection
from app.services import list_rows, reads
from app.services.asks import Ask

output(
    "ListCount",
    [member("value", "int"), member("exact", "bool", "False: there are more."), member("notes", "list[str]", NOTES)],
)
connect("Row", "JSON", "Rows of a list: id, version and its columns, nested as in REST: `csm.name` is `csm: {name}`.")
TOLD = {"first": "limit", "after": "cursor", "asOf": "as_of", "on": "on", "tz": "tz", "forUser": "for_user"}


async def _held(source: Any, info: Any, shown: Any) -> Any:
    """The connection that the document asks for, over the list's criteria and order."""
    single(info, "list(id)")
    caller, raw = info.context, info._raw_info
    arguments = caller.reading.arguments(raw.parent_type, raw.field_nodes[0])
    laid = layout(caller.reading, named(raw.parent_type, raw.field_nodes[0]), raw.field_nodes, shown)
    told = {name: arguments[given] for given, name in TOLD.items() if arguments.get(given) is not None}
    archived, order = arguments.get("archived"), arguments.get("orderBy")
    told |= {
        "count": laid.count if laid.count != "none" else None, "edges": laid.singly, "sort": tuple(map(spelled, order)) if order is not None else None,
        "archived": archived.value if archived else None, **{name: arguments.get(name) for name in NARROWING},
        "selection": lambda setting: laid.selection(caller.reading.at(setting)),
    }  # fmt: skip
    try:
        ask = await list_rows.ask(caller.db, caller.principal, source["id"], caller.now, told)
        found = await reads.collection(caller.db, caller.principal, ask, caller.now, secret=caller.secret)
    except StrataError as error:
        raise mended(error, None) from None
    return body(b"".join(laid.write(page_of(found, caller, "cursor" in told))))


async def _rows(source: Any, info: Any, said: Arguments) -> Any:
    columns, entity = row_fields(source["columns"] or (), past=said.get("on") is not None), ENTITIES[source["entity"]]
    workspace = setting_of(info.context).workspace
    return await _held(source, info, lambda *_: selection(columns, None, entity, workspace))


async def _records(source: Any, info: Any, _said: Arguments) -> Any:
    entity = ENTITIES[source["entity"]]
    if info.field_name != entity.name:
        return None
    return await _held(source, info, lambda reading, nodes: reading.selection(entity, nodes))


NARROWING = ("filter", "search", "params")
NARROW = [
    argument("filter", "Optional[str]", None, "Criteria as text, which hold besides the list's own."),
    argument(
        "search", "Optional[str]", None, "Text in what records are called by: name, domain or e-mail, external id."
    ),
    argument("params", "Optional[JSON]", None, "Values of the list's parameters by name."),
]


def _paging(entity: str) -> list[Any]:
    return [*(one for one in paging(entity) if one.python_name not in ("where", "filter")), *NARROW]


async def _asked(source: Any, info: Any, said: Arguments, **more: Any) -> Ask:
    """What is asked of the list, as the arguments narrow it."""
    single(info, "list(id)")
    caller = info.context
    told = {**when(said), **{name: said.get(name) for name in ("on", *NARROWING)}, **more}
    return await list_rows.ask(caller.db, caller.principal, source["id"], caller.now, told)


async def _count(source: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    try:
        ask = replace(await _asked(source, info, said, count=plain(said["count"])), fields="id", sort=None, limit=1)
        found = await reads.collection(caller.db, caller.principal, ask, caller.now, secret=caller.secret)
    except StrataError as error:
        raise mended(error, None) from None
    value, exact = found.count or (0, True)
    return {"value": value, "exact": exact, "notes": list(found.notes)}


async def _summary(source: Any, info: Any, said: Arguments) -> Any:
    try:
        ask = await _asked(source, info, said, limit=said["first"])
    except StrataError as error:
        raise mended(error, None) from None
    return await summarised(info, replace(ask, sort=said.get("order_by")), said)


FIELDS = [
    resolved("rows", "RowConnection", _rows, *_paging("accounts"), description="What it holds: id, version, and what its columns say."),
    resolved("accounts", "Optional[AccountConnection]", _records, *_paging("accounts"), description="What a list of accounts holds; else null."),
    resolved("contacts", "Optional[ContactConnection]", _records, *_paging("contacts"), description="What a list of contacts holds; else null."),
    resolved("count", "Optional[ListCount]", _count, argument("count", "Count", "exact", "`capped` stops at 10,000."), *NARROW, ON, *WHEN),
    resolved("summary", "Optional[Summary]", _summary, *GROUPED, *NARROW, *WHEN, description="What it holds, counted and measured in groups."),
]  # fmt: skip
"""The fields of a list that show what it holds."""
