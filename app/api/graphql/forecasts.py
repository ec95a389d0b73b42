"""Renewal forecasts: computed once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from app.api.graphql.build import argument, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.filters import Spelled
from app.api.graphql.resources import body, uuid
from app.api.graphql.writing import KEY, Arguments, at_argument, mended
from app.domain.criteria import text, tree
from app.domain.errors import Fault, Invalid
from app.services import forecasts


def _totals() -> list[Any]:
    return [
        member("due", "Due", "What is up for renewal."), member("expected_accounts", "float"),
        member("expected", "Optional[Money]", "Expected ARR that renews."), member("p05", "Optional[Money]"),
        member("p50", "Optional[Money]"), member("p95", "Optional[Money]"),
    ]  # fmt: skip


output("Due", [member("accounts", "int"), member("arr", "Money")])
output("ForecastGroup", [member("key", "JSON", "What it is grouped by."), *_totals()])
output("ForecastSkill", [
    member("verdict", "str"), member("because", "Optional[str]"), member("brier", "Optional[float]"),
    member("base_brier", "Optional[float]"), member("brier_skill", "Optional[float]"),
    member("standard_error", "Optional[float]"), member("months", "Optional[int]"), member("renewals", "Optional[int]"),
], "Whether the rates beat the base rate on past renewals.")  # fmt: skip
output("RenewalRate", [
    member("basis", "str"), member("parent", "Optional[str]"), member("segment", "Optional[str]"), member("n", "int"),
    member("effective_n", "float"), member("raw", "Optional[float]"), member("shrunk", "float"), member("low", "float"),
    member("high", "float"),
])  # fmt: skip
output("Forecast", [
    member("id", "ID"), member("from", "Date"), member("to", "Date", "The day after the last one."), member("as_of", "DateTime"),
    *_totals(), member("target", "Optional[Money]"), member("target_probability", "Optional[float]"),
    member("skill", "ForecastSkill"), member("groups", "list[ForecastGroup]"), member("rates", "list[RenewalRate]"),
], "Renewals due in a period and what they are expected to bring, with a 90 % interval.")  # fmt: skip
connect("Forecast")
output("ForecastPayload", [resolved("forecast", "Forecast", lambda source, *_: body(source.body))])
entered("ForecastInput", [
    given("from", "Optional[Date]", "Today where it is left out."), given("to", "Optional[Date]", "The day after the last one."),
    given("as_of", "Optional[DateTime]"), given("where", "Optional[AccountFilter]"),
    given("filter", "Optional[str]", "Criteria as text; not together with `where`."),
    given("group_by", "Optional[list[str]]", "`month`, `quarter`, `csm`, `product`, `segment.<slug>`."),
    given("target", "Optional[Money]", "Renewed ARR whose probability is asked for."),
], "Every member may be left out.")  # fmt: skip


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return body(await forecasts.get(caller.db, caller.principal, uuid(said["id"])))


async def _latest(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    before = cast(UUID, page.after[0]) if page.after else None
    found, following = await forecasts.latest(caller.db, caller.principal, page.limit, before)
    nodes = [body(one) for one in found]
    return page.connection(nodes, [(UUID(node["id"]),) for node in nodes], following is not None)


async def _create(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return await mended(forecasts.create(caller.db, call, _asked(told(said["input"]))))


def _asked(given_: Mapping[str, Any]) -> dict[str, Any]:
    """The body that REST takes, in which `where` is text."""
    asked = {name: value for name, value in given_.items() if name not in ("where", "filter") and value is not None}
    where, said = given_.get("where"), given_.get("filter")
    if where is not None and said is not None:
        raise Invalid(faults=(Fault("Expected where or filter, not both.", pointer="/input/where"),))
    if where is not None:
        asked["where"] = text.format(tree.load(Spelled(where, at_argument("/where") or "").tree))
    elif said is not None:
        asked["where"] = said
    return asked


QUERIES = [
    operated("forecasts.read", "forecast", "Optional[Forecast]", _one, argument("id", "ID")),
    operated(
        "forecasts.read", "forecasts", "ForecastConnection", _latest, *PAGING, description="Newest first.",
    ),
]  # fmt: skip
MUTATIONS = [
    operated(
        "forecasts.create",
        "create_forecast",
        "Optional[ForecastPayload]",
        _create,
        argument("input", "ForecastInput"),
        KEY,
    )
]
