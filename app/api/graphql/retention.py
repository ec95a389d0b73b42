"""Retention: figures of a period with what they are of, and what each account contributes."""

from __future__ import annotations

from typing import Any, cast

from app.api.graphql.build import argument, choices, member, operated, output, plain
from app.api.graphql.callers import ENCODER
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.filters import Spelled
from app.api.graphql.resources import body
from app.api.graphql.segment_states import DOUBTFUL
from app.api.graphql.selections import criteria, mended
from app.api.graphql.types import filter_name
from app.api.graphql.writing import Arguments
from app.domain.catalogue import ACCOUNTS
from app.domain.errors import StrataError
from app.domain.forecasting.retention import NAMES
from app.services import retention
from app.services.retention import Wanted

choices("RetentionFigureName", NAMES)
output("RetentionDenominator", [
    member("accounts", "int"), member("renewals", "Optional[int]", "Terms that ended; None of figures that are not of renewals."),
    member("arr", "Money"),
])  # fmt: skip
output("RetentionFigure", [
    member("value", "Optional[float]", "None where the denominator is nought."),
    member("numerator", "Money", "The sum of the accounts' contributions, to the cent; accounts of logo churn."), member("of", "str"),
    member("denominator", "RetentionDenominator"), member("cohort", "str", "Who is in it."),
])  # fmt: skip
_FIGURES = [member(name, "RetentionFigure") for name in NAMES]
output(
    "RetentionScope", [member("filter", "Optional[str]"), member("product", "Optional[str]"), member("words", "str")]
)
output("RetentionApart", [member("accounts", "int"), member("arr", "Money"), member("because", "str")])
output("RetentionOpen", [member("renewals", "int"), member("arr", "Money"), member("because", "str")])
output("RetentionGroupOpen", [member("renewals", "int"), member("arr", "Money")])
output(
    "RetentionGroup",
    [
        member("key", "JSON"),
        member("from", "Date"),
        member("to", "Date"),
        *_FIGURES,
        member("open", "RetentionGroupOpen"),
    ],
)
output("Retention", [
    member("from", "Date"), member("to", "Date", "The day after the last one."), member("as_of", "DateTime"), member("currency", "str"),
    member("scope", "RetentionScope"), *_FIGURES, member("left_out", "RetentionApart"), member("open", "RetentionOpen"),
    member("without_contracts", "RetentionApart"), member("groups", "list[RetentionGroup]"), DOUBTFUL,
], "Each figure has a denominator of its own: accounts active at the start, or what was due in the period.")  # fmt: skip
output("RetentionContribution", [
    member("id", "ID"), member("external_id", "Optional[str]"), member("name", "str"), member("figure", "str"),
    member("contribution", "Money", "Its part of the numerator; of logo churn an account."), member("denominator", "Money"),
    member("change", "Money", "The one less the other."), member("in_cohort", "bool"), member("start", "Money"), member("end", "Money"),
    member("due", "Money"), member("renewed", "Money"), member("open", "Money"),
])  # fmt: skip
connect("RetentionContribution", DOUBTFUL)
OF_SCOPE = [
    argument("from", "Optional[Date]", None, "The first day; a year before `to` where it is left out."),
    argument("to", "Optional[Date]", None, "The day after the last one, on which money is compared; today where it is left out."),
    argument("where", f"Optional[{filter_name(ACCOUNTS)}]", description="Criteria as a tree; not together with `filter`."),
    argument("filter", "Optional[str]", description="Criteria as text; not together with `where`."),
    argument("product", "Optional[str]", None, "The slug of a product: of the contracts those of it alone."),
    argument("archived", "Optional[Archived]", None, "Archived accounts alone, or too."),
]  # fmt: skip


def wanted(info: Any, said: Arguments) -> tuple[Wanted, Spelled | None]:
    """The scope that arguments say, with the way back into `where`."""
    raw = info._raw_info
    where = info.context.reading.arguments(raw.parent_type, raw.field_nodes[0]).get("where")
    node, spelled = (
        criteria(where, said.get("filter")) if where is not None or said.get("filter") is not None else (None, None)
    )
    told = Wanted(
        said.get("from_"), said.get("to"), None, node, said.get("group_by"), said.get("product"), plain(said.get("archived")),
    )  # fmt: skip
    return told, spelled


async def _retention(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    told, spelled = wanted(info, said)
    try:
        return body(ENCODER.encode(await retention.read(caller.db, caller.principal, told, caller.now)))
    except StrataError as error:
        raise mended(error, spelled) from None


async def _accounts(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    told, spelled = wanted(info, said)
    figure, order, after = plain(said.get("figure")), said.get("order_by"), cast(Any, page.after)
    try:
        found = await retention.accounts(
            caller.db, caller.principal, told, figure, order, after, page.limit, caller.now
        )
    except StrataError as error:
        raise mended(error, spelled) from None
    nodes = body(ENCODER.encode(found.data))
    doubted = body(ENCODER.encode(found.segmentations))
    return page.connection(nodes, found.keys, found.more) | {"segmentations": doubted}


QUERIES = [
    operated(
        retention.READ, "retention", "Optional[Retention]", _retention, *OF_SCOPE,
        argument("group_by", "Optional[list[str]]", None, "`month`, `quarter` or `year`, which make a series; `csm`, `lane`, `product`, `segment.<slug>`."),
        description="GRR, NRR, logo churn and renewal rates of a period, with their denominators.",
    ),
    operated(
        retention.READ, "retention_accounts", "Optional[RetentionContributionConnection]", _accounts, *OF_SCOPE,
        argument("figure", "Optional[RetentionFigureName]", None, "Whose contributions; NRR's where it is left out."),
        argument("order_by", "Optional[str]", None, "`-contribution`, or `contribution`."), *PAGING,
        description="What each account contributes to a figure: all pages add up to its numerator.",
    ),
]  # fmt: skip
