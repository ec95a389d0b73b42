"""Renewal forecasts: computed once and kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast
from uuid import UUID

from app.api.graphql.build import argument, camel, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.filters import Spelled
from app.api.graphql.resources import body, uuid
from app.api.graphql.segment_states import DOUBTED_THEN, DOUBTFUL
from app.api.graphql.writing import KEY, Arguments, at_argument
from app.domain.errors import Fault, Invalid, StrataError
from app.services import forecasts

Made = TypeVar("Made")


def _spread() -> list[Any]:
    return [
        member("expected", "Money", "Expected ARR that renews."), member("p05", "Money"), member("p50", "Money"),
        member("p95", "Money"),
    ]  # fmt: skip


def _totals() -> list[Any]:
    return [
        member("due", "Due", "What is up for renewal."), member("expected_renewals", "Optional[float]", "How many of them come, on average."), *_spread(),
        member("target", "Optional[Money]"), member("target_probability", "Optional[float]"),
        member("net", "ForecastNet", "With what is bought more."),
    ]  # fmt: skip


def _skill() -> list[Any]:
    return [
        member("verdict", "str"), member("because", "Optional[str]"), member("brier", "Optional[float]"),
        member("base_brier", "Optional[float]"), member("brier_skill", "Optional[float]"),
        member("standard_error", "Optional[float]"), member("months", "Optional[int]"), member("renewals", "Optional[int]"),
    ]  # fmt: skip


output("Due", [
    member("renewals", "Optional[int]", "None where it was forecast before they were told."),
    member("accounts", "int", "That they are of, each once."), member("arr", "Money"),
])  # fmt: skip
output("ForecastNet", [*_spread(), member("target_probability", "Optional[float]")])
output("ForecastGroup", [member("key", "JSON", "What it is grouped by."), *_totals()])
output("ForecastSkill", _skill(), "Whether the model in charge beats a simpler one on past renewals.")
output(
    "ForecastChallenger", [member("model", "str"), *_skill()], "The verdict of the regression over the segment rate."
)
output("ForecastScenario", [
    member("slug", "str"), member("name", "str"), member("lanes", "JSON", "The shift of each lane in logits."),
])  # fmt: skip
output("ForecastDrift", [
    member("drift", "float", "How it moves all chances, in logits."),
    member("shock", "float", "The standard deviation of a month's common shock."), member("months", "int"),
], "What past months said of all renewals.")  # fmt: skip
output("ForecastLane", [
    member("lane", "str"), member("shift", "float", "Measured, in logits."), member("renewals", "int", "That it rests on."),
])  # fmt: skip
output("ForecastReasons", [member("base", "float"), member("names", "list[str]")])
output("ForecastUndated", [
    member("contracts", "int"), member("accounts", "int"), member("arr", "Money"), member("because", "str"),
], "What is in force and not in a forecast, as nothing says when it renews.")  # fmt: skip
output("ForecastOverdue", [
    member("renewals", "int"), member("arr", "Money"), member("since", "Optional[Date]", "The first day on which one was due."),
    member("because", "str"),
], "What was due before the period and is open; a forecast from `since` on has it in it.")  # fmt: skip
output("RenewalRate", [
    member("basis", "str"), member("parent", "Optional[str]"), member("segment", "Optional[str]"), member("n", "int"),
    member("effective_n", "float"), member("raw", "Optional[float]"), member("shrunk", "float"), member("low", "float"),
    member("high", "float"),
])  # fmt: skip
output("Forecast", [
    member("id", "Optional[ID]", "None where it is not kept."), member("from", "Date"),
    member("to", "Date", "The day after the last one."), member("as_of", "DateTime"),
    member("scenario", "Optional[ForecastScenario]"), *_totals(),
    member("model", "str", "The one in charge: `segment` or `logistic`."), member("skill", "ForecastSkill"),
    member("months_ahead", "Optional[int]", "So far ahead both models were replayed: half of the renewals are due so soon."),
    member("challenger", "Optional[ForecastChallenger]"), member("drift", "Optional[ForecastDrift]"),
    member("lanes", "list[ForecastLane]"), member("reasons", "Optional[ForecastReasons]"),
    member("without_date", "Optional[ForecastUndated]"), member("overdue", "Optional[ForecastOverdue]"),
    member("groups", "list[ForecastGroup]"),
    member("rates", "list[RenewalRate]"), DOUBTED_THEN,
], "Renewals due in a period and what they are expected to bring, with a 90 % interval.")  # fmt: skip
connect("Forecast")
output("ForecastPayload", [resolved("forecast", "Forecast", lambda source, *_: body(source.body))])
output("ForecastWay", [
    member("name", "Optional[str]", "As it was told."), member("scenario", "Optional[ForecastScenario]"), *_totals(), member("groups", "list[ForecastGroup]"),
], "The same renewals under one scenario.")  # fmt: skip
output("NetDifference", _spread())
output("GroupDifference", [member("key", "JSON"), *_spread(), member("net", "NetDifference")])
output("ForecastDifference", [
    member("name", "Optional[str]", "As it was told."), member("scenario", "Optional[str]"), *_spread(), member("net", "NetDifference"), member("groups", "list[GroupDifference]"),
], "What a scenario has more than the first one.")  # fmt: skip
output("ForecastComparison", [
    member("from", "Date"), member("to", "Date"), member("as_of", "DateTime"), member("due", "Due"), member("model", "str"),
    member("words", "str", "Whose groups these are."), member("skill", "ForecastSkill"), member("scenarios", "list[ForecastWay]"),
    member("differences", "list[ForecastDifference]"), DOUBTFUL,
])  # fmt: skip
output("RenewalReason", [member("name", "str"), member("logit", "float")])
output("ForecastCall", [
    member("category", "str"), member("probability", "float"), member("amount", "Money", "What the renewal brings if it comes."),
], "What somebody calls of all that an account has due on one day.")  # fmt: skip
output("ForecastRenewal", [
    member("renewal_id", "ID", "The contract, or the account where it has none."), member("account_id", "ID"),
    member("name", "str"), member("product", "Optional[str]"), member("lane", "Optional[str]"), member("due_on", "Date"),
    member("arr", "Money"), member("probability", "float", "That it renews, as `expectedRenewals` counts it."),
    member("money_probability", "Optional[float]", "The same weighed by money."),
    member("kept_share", "Optional[float]", "Of what is due, kept on average if it renews."),
    member("paid_share", "Optional[float]", "The same with what is bought more."),
    member("expected", "Money", "arr times moneyProbability times keptShare, to the cent."), member("expected_net", "Money"),
    member("expected_loss", "Money", "arr less expected."),
    member("p05", "Optional[Money]", "In 5 of 100 such renewals no more is kept."),
    member("p95", "Optional[Money]", "In 95 of 100 such renewals no more is kept."),
    member("call", "Optional[ForecastCall]", "What stands of the account's renewal on that day, none where nothing is called."),
    member("base", "float"), member("logit", "float"), member("reasons", "list[RenewalReason]"),
], "What a renewal is expected to bring; base and reasons add up to the logit of its probability.")  # fmt: skip
connect("ForecastRenewal")
entered("WhatIfInput", [
    given("where", "Optional[AccountFilter]", "The accounts meant; all where it is left out."),
    given("filter", "Optional[str]", "Criteria as text; not together with `where`."),
    given("shift", "Optional[float]", "Logits that move the chance."),
    given("probability", "Optional[float]", "The chance instead, 0 to 1."),
    given("arr_factor", "Optional[float]", "What multiplies the price that is paid on renewal; above what is due it shows in `net`."),
])  # fmt: skip


def _way() -> list[Any]:
    return [
        given("scenario", "Optional[str]", "The slug of a scenario whose shifts move the chances."),
        given("lanes", "Optional[JSON]", "Shifts told instead of the scenario's, in logits."),
        given("what_if", "Optional[list[WhatIfInput]]", "What is supposed of accounts; nothing is written."),
    ]  # fmt: skip


def _which() -> list[Any]:
    return [
        given("from", "Optional[Date]", "Today where it is left out."), given("to", "Optional[Date]", "The day after the last one."),
        given("as_of", "Optional[str]", "A day, to its end in the workspace's zone, or an instant; now where it is left out."), given("where", "Optional[AccountFilter]"),
        given("filter", "Optional[str]", "Criteria as text; not together with `where`."),
        given("group_by", "Optional[list[str]]", "`month`, `quarter`, `csm`, `lane`, `product`, `segment.<slug>`."),
        given("target", "Optional[Money]", "Renewed ARR whose probability is asked for."),
        given("targets", "Optional[list[GroupTargetInput]]", "The same of groups."),
    ]  # fmt: skip


entered("GroupTargetInput", [given("key", "JSON"), given("target", "Money")])
entered("ForecastInput", [*_which(), *_way()], "Every member may be left out.")
entered("ForecastWayInput", [given("name", "Optional[str]", "What it is called, told again in the answer."), *_way()])
entered("ForecastComparisonInput", [
    *_which(), given("scenarios", "list[Optional[ForecastWayInput]]", "Two to five; null for none."),
])  # fmt: skip


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
    return await _placed(told(said["input"]), lambda asked: forecasts.create(caller.db, call, asked))


async def _preview(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return body(await _placed(
        told(said["input"]), lambda asked: forecasts.preview(caller.db, caller.principal, caller.now, asked)
    ))  # fmt: skip


async def _compare(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return body(await _placed(
        told(said["input"]), lambda asked: forecasts.compare(caller.db, caller.principal, caller.now, asked)
    ))  # fmt: skip


async def _accounts(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    ask = forecasts.Ask(said.get("filter"), said.get("row_filter"), said.get("sort"), page.limit, page.after)
    found, keys, more = await forecasts.accounts(caller.db, caller.principal, caller.now, uuid(said["id"]), ask)
    return page.connection([body(one) for one in found], keys, more)


async def _placed(given_: Mapping[str, Any], act: Callable[[dict[str, Any]], Awaitable[Made]]) -> Made:
    """What is made of the body that REST takes; the same errors, pointing into the arguments."""
    ways: dict[str, Spelled | str] = {}
    try:
        return await act(_spelled(given_, "", "/input", ways))
    except StrataError as error:
        error.faults = tuple(_way_back(fault, ways) for fault in error.faults)
        raise


def _spelled(given_: Mapping[str, Any], pointer: str, at: str, ways: dict[str, Spelled | str]) -> dict[str, Any]:
    """An input in whose members, however deep, `where` is a tree or text."""
    where, said = given_.get("where"), given_.get("filter")
    if where is not None and said is not None:
        ways[f"{pointer}/where"] = f"{at}/where"
        raise Invalid(faults=(Fault("Expected where or filter, not both.", pointer=f"{pointer}/where"),))
    asked = {name: value for name, value in given_.items() if name not in ("where", "filter")}
    for name in ("what_if", "scenarios"):
        if asked.get(name) is not None:
            asked[name] = [
                None if one is None else _spelled(one, f"{pointer}/{name}/{n}", f"{at}/{camel(name)}/{n}", ways)
                for n, one in enumerate(asked[name])
            ]
    if where is not None:
        ways[f"{pointer}/where"] = spelled = Spelled(where, f"{at}/where")
        asked["where"] = spelled.tree
    elif said is not None:
        ways[f"{pointer}/where"], asked["where"] = f"{at}/filter", said
    return asked


def _way_back(fault: Fault, ways: Mapping[str, Spelled | str]) -> Fault:
    for pointer, way in ways.items():
        if fault.pointer is None or not f"{fault.pointer}/".startswith(f"{pointer}/"):
            continue
        beyond = fault.pointer.removeprefix(pointer)
        if isinstance(way, str):
            return replace(fault, pointer=way)
        return way.mend(Invalid(faults=(replace(fault, pointer=beyond),))).faults[0]
    return replace(fault, pointer=at_argument(fault.pointer))


QUERIES = [
    operated("forecasts.read", "forecast", "Optional[Forecast]", _one, argument("id", "ID")),
    operated(
        "forecasts.read", "forecasts", "ForecastConnection", _latest, *PAGING, description="Newest first.",
    ),
    operated(
        "forecasts.read", "preview_forecast", "Optional[Forecast]", _preview, argument("input", "ForecastInput"),
        description="What if: a forecast that is not kept.",
    ),
    operated(
        "forecasts.read", "compare_forecasts", "Optional[ForecastComparison]", _compare,
        argument("input", "ForecastComparisonInput"), description="The same renewals under several scenarios; nothing is kept.",
    ),
    operated(
        "forecasts.read", "forecast_accounts", "ForecastRenewalConnection", _accounts,
        argument("id", "ID", description="Of the forecast."),
        argument("filter", "Optional[str]", None, "Criteria that the account meets now."),
        argument(
            "row_filter", "Optional[str]", None,
            "Criteria that the renewal meets itself: `expected_loss >= 10000 AND probability < 0.8`.",
        ),
        argument("sort", "Optional[str]", None, "As in REST: `due_on`, `-expected_loss`, …"), *PAGING,
        description="A row per renewal of a kept forecast.",
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
