"""Summaries: records counted and measured in groups, of a list or of criteria that the document says."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, member, operated, output
from app.api.graphql.filters import Spelled
from app.api.graphql.resources import body
from app.api.graphql.scalars import served
from app.api.graphql.segment_states import DOUBTFUL
from app.api.graphql.selections import criteria, mended
from app.api.graphql.types import NOTES, filter_name
from app.api.graphql.writing import Arguments
from app.domain.catalogue import ENTITIES
from app.domain.errors import StrataError
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
from app.services import summaries
from app.services.asks import Ask
from app.services.summaries import Answer

output("SummaryGroup", [
    member("key", "JSON", "By what it was grouped, as it was named; null where that is empty."),
    member("names", "JSON", "What references among the key are called."),
    member("values", "JSON", "The measures, as they were named."),
])  # fmt: skip
output("SummaryWindow", [
    member("window", "str", "As criteria spell it."), member("lo", "Optional[str]"),
    member("hi", "Optional[str]", "Not part of it."), member("zone", "str"),
])  # fmt: skip
output("Summary", [
    member("groups", "list[SummaryGroup]"), member("totals", "JSON", "The measures of all groups together, shown or not."),
    member("total_groups", "int", "How many groups there are."), member("capped", "bool", "There are more than are shown."),
    member("as_of", "DateTime"), member("windows", "list[SummaryWindow]", "What relative windows became."),
    DOUBTFUL, member("notes", "list[str]", NOTES),
], "Groups and totals are of one moment. Empty values are a group of their own.")  # fmt: skip
GROUPED = [
    argument("group_by", "Optional[list[str]]", None, 'At most two, as in `["segment.tier", "month(renewal_date)"]`.'),
    argument("measures", "Optional[list[str]]", None, 'As in `["count", "sum(arr)", "median(health)"]`; the count where they are left out.'),
    argument("order_by", "Optional[str]", None, "One of the measures, or `name`; `-` for descending."),
    argument("first", "int", DEFAULT_LIMIT, f"Groups that are shown: at most {MAX_LIMIT:,}."),
]  # fmt: skip
WHEN = [
    argument("as_of", "Optional[str]", None, "A date or an instant that windows are resolved at; now where it is left out."),
    argument("tz", "Optional[str]", None, "The zone that windows are cut by; the workspace's where it is left out."),
    argument("for_user", "Optional[str]", None, "Who `@me` is, where a service asks: id, external id or e-mail."),
    argument("archived", "Optional[Archived]", None, "Archived records alone, or too."),
]  # fmt: skip


def when(said: Arguments) -> dict[str, Any]:
    """What is said of the moment, the person and the scope, as an ask takes it."""
    archived = said.get("archived")
    return {name: said.get(name) for name in ("as_of", "tz", "for_user")} | {"archived": archived and archived.value}


async def summarised(info: Any, ask: Ask, said: Arguments, spelled: Spelled | None = None) -> dict[str, Any]:
    """The summary of an ask. Raises Unreadable, Invalid, pointing into the arguments."""
    caller = info.context
    try:
        found = await summaries.summarise(
            caller.db, caller.principal, ask, said.get("group_by"), said.get("measures"), caller.now
        )
    except StrataError as error:
        raise mended(error, spelled) from None
    return _shown(found)


def _shown(found: Answer) -> dict[str, Any]:
    windows = [
        {
            "window": one.window,
            "zone": one.zone,
            "lo": served(one.lo),
            "hi": served(one.hi),
        }
        for one in found.windows
    ]
    return {
        "groups": body(found.groups.data), "totals": body(found.groups.totals), "total_groups": found.groups.count,
        "capped": found.capped, "as_of": found.as_of, "windows": windows, "segmentations": found.segmentations, "notes": found.notes,
    }  # fmt: skip


def _query(entity: str) -> Any:
    singular = ENTITIES[entity].singular

    async def summarise(_: Any, info: Any, said: Arguments) -> Any:
        raw = info._raw_info
        arguments = info.context.reading.arguments(raw.parent_type, raw.field_nodes[0])
        where, told = arguments.get("where"), arguments.get("filter")
        spelled, node = None, None
        if where is not None or told is not None:
            node, spelled = criteria(where, told)
        ask = Ask(entity, criteria=node, sort=said.get("order_by"), limit=said["first"], **when(said))
        return await summarised(info, ask, said, spelled)

    return operated(
        "records.read", f"{singular}_summary", "Optional[Summary]", summarise,
        argument("where", f"Optional[{filter_name(ENTITIES[entity])}]", description="Criteria as a tree; not together with `filter`."),
        argument("filter", "Optional[str]", description="Criteria as text; not together with `where`."), *GROUPED, *WHEN,
        description=f"The {entity} that meet criteria, counted and measured in groups.",
    )  # fmt: skip


QUERIES = [_query("accounts"), _query("contacts")]
