"""Who is still there of those that began together."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, member, operated, output, plain, resolved
from app.api.graphql.callers import ENCODER
from app.api.graphql.resources import body
from app.api.graphql.retention import OF_SCOPE, wanted
from app.api.graphql.selections import mended
from app.api.graphql.writing import Arguments
from app.domain.errors import StrataError
from app.domain.forecasting.lives import UNITS
from app.services import cohorts, retention

_TAKEN = ("where", "filter", "product", "archived")
_BAND = [member("age", "int", "In terms."), member("rate", "float"), member("low", "float"), member("high", "float")]
choices("CohortUnit", UNITS)
output("CohortAge", [
    *_BAND, member("at_risk", "Money"), member("lost", "Money"),
    member("whole", "bool", "False: nobody is that old yet; the share of the oldest so far."),
])  # fmt: skip
output("ExpectedAge", [*_BAND, member("retention", "Optional[float]", "Of the term itself.")])
output("CohortSurvival", [
    member("model", "str", "BdW where four terms or more were seen, else sBG."), member("a", "float"), member("b", "float"),
    member("c", "float"), member("terms", "int"), member("observed", "list[CohortAge]"), member("expected", "list[ExpectedAge]"),
])  # fmt: skip
output("Cohort", [
    member("cohort", "Optional[str]", "None: all together."), member("accounts", "int"), member("arr", "Money"),
    member("logos", "CohortSurvival"), member("money", "CohortSurvival"),
])  # fmt: skip
output("RetentionCohorts", [
    member("as_of", "DateTime"), member("currency", "str"), member("by", "str"), member("term", "str"), member("scope", "RetentionScope"),
    member("words", "str"), member("all", "Cohort"), member("cohorts", "list[Cohort]"),
    resolved("chart", "str", lambda source, *_: source["chart"](), description="All together and the latest cohorts as SVG."),
], "Survival of cohorts, observed and expected.")  # fmt: skip


async def _cohorts(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    told, spelled = wanted(info, said)
    asked = (caller.db, caller.principal, told, plain(said.get("by")), plain(said.get("term")), caller.now)
    try:
        found = body(ENCODER.encode(await cohorts.read(*asked)))
    except StrataError as error:
        raise mended(error, spelled) from None
    return {**found, "chart": lambda: cohorts.chart(*asked)}


QUERIES = [
    operated(
        retention.READ, "retention_cohorts", "Optional[RetentionCohorts]", _cohorts,
        *(one for one in OF_SCOPE if one.python_name in _TAKEN),
        argument("by", "Optional[CohortUnit]", None, "Cohorts of accounts whose first contract began in one; quarter where it is left out."),
        argument("term", "Optional[CohortUnit]", None, "What ages are counted in; what contracts usually run for where it is left out."),
        description="How many accounts that began together, and how much of their money, are still there, and will be.",
    )
]  # fmt: skip
