"""/v1/segmentations/{slug}/validation: whether a segmentation separates what it claims to, with a verdict in words."""

from __future__ import annotations

from typing import Any

from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.analysis import NUMBER, NUMBER_OR_NONE, WORD
from app.api.rest.parameters import ON, SLUG
from app.api.rest.segmentations import KEY, TAG
from app.api.rest.segmented import COUNT, INSTANT_OR_NONE, TEXT, TEXT_OR_NONE
from app.api.routes import Parameter, Payload, Route
from app.domain.segmentation.validation import OUTCOMES
from app.domain.segmentation.verdicts import VERDICTS
from app.services import validation

DAY = {"type": "string", "format": "date"}
OUTCOME = {"type": "string", "enum": list(OUTCOMES)}
ON_DAY = Parameter(
    "on",
    "the day as of which accounts are placed; the latest one whose outcome is known where it is left out",
    ON.schema,
)
OF = Parameter(
    "outcome", "what is to be separated: churned, renewed of those that were due, nrr (kept or grew)", OUTCOME
)
WITHIN = Parameter(
    "months", "how long after the day the outcome may come",
    {"type": "integer", "minimum": 1, "maximum": validation.MOST_MONTHS, "default": validation.MONTHS},
)  # fmt: skip


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _each(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties)}


_TEST = {
    "p": NUMBER_OR_NONE,
    "q": {**NUMBER_OR_NONE, "description": "the false discovery rate among all that was tried"},
}
VALIDATED = _object(
    slug=SLUG, name=TEXT, version=COUNT, on=DAY, until=DAY, months=COUNT, outcome=OUTCOME,
    source={"type": "string", "enum": ["history", "criteria"], "description": "who stood where by the history of members, or by the criteria as of then"},
    history_begins=INSTANT_OR_NONE, taken_as_today={"type": "array", "items": TEXT, "description": "fields of which no past is kept"},
    verdict={"type": "string", "enum": list(VERDICTS)}, reasons={"type": "array", "items": TEXT}, accounts=COUNT,
    least={**COUNT, "description": "accounts that a segment needs"},
    sampled={"type": "boolean", "description": "of a workspace with more than 100,000 accounts as many are scored, drawn evenly"},
    segments=_each(
        slug=SLUG, name=TEXT, accounts=COUNT, enough={"type": "boolean"}, hits=COUNT, rate=NUMBER_OR_NONE, low=NUMBER_OR_NONE,
        high=NUMBER_OR_NONE, arr=NUMBER, arr_after=NUMBER, nrr={**NUMBER_OR_NONE, "description": "what the ARR of the day had become"},
    ),
    tests=_each(
        name={"type": "string", "enum": ["outcome", "money", "times"]}, measure=TEXT, statistic=NUMBER_OR_NONE, value=NUMBER_OR_NONE,
        low=NUMBER_OR_NONE, high=NUMBER_OR_NONE, **_TEST,
    ),
    information_value=NUMBER_OR_NONE,
    skill=_object(value=NUMBER_OR_NONE, standard_error=NUMBER_OR_NONE, lift={**NUMBER_OR_NONE, "description": "of the top tenth"}, because=TEXT_OR_NONE),
    stability=_object(adjusted_rand=NUMBER_OR_NONE, bootstraps=COUNT, because=TEXT_OR_NONE),
    fields=_each(
        field=TEXT, levels=COUNT, value={**NUMBER_OR_NONE, "description": "Cramer's V of the field alone"}, **_TEST, word=WORD,
        rho={**NUMBER_OR_NONE, "description": "rank correlation with the money kept"}, rho_low=NUMBER_OR_NONE, rho_high=NUMBER_OR_NONE,
    ),
    tried=COUNT,
)  # fmt: skip


async def validated(request: Request) -> Answer:
    """Whether it separates what it claims to."""
    said = request.query(("on", "outcome", "months"))
    found = await validation.validation(
        request.db,
        request.principal,
        request.values[0],
        request.now,
        said.get("on"),
        said.get("outcome"),
        said.get("months"),
    )
    return json(found)


ROUTES = (
    Route("GET", "/v1/segmentations/{slug}/validation", "segmentations.read", validated, "Whether a segmentation separates", TAG,
          "Accounts as they stood at the end of a past day, the outcome fixed before looking, scored on what came: size and outcome per segment, "
          "effect sizes, skill and lift of rates learnt before, stability of the cuts, corrected for all that was tried, and a verdict in words.",
          parameters=(KEY, ON_DAY, OF, WITHIN), answer=Payload(VALIDATED), problems=("conflict", "invalid")),
)  # fmt: skip
