"""/v1/segmentations/{slug}/analysis: how segments differ, with effect sizes."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.parameters import AS_OF, FILTER, SLUG
from app.api.rest.segmentations import KEY, TAG
from app.api.rest.segmented import COMPUTED, COUNT, INSTANT, TEXT, TEXT_OR_NONE
from app.api.routes import Parameter, Payload, Route
from app.domain.segmentation.analysis import WORDS
from app.services import analysis
from app.services.analysis import CUSTOMERS

NUMBER: dict[str, Any] = {"type": "number"}
NUMBER_OR_NONE: dict[str, Any] = {"type": ["number", "null"]}
WORD = {"type": "string", "enum": list(WORDS), "description": "`none` too where the difference may be chance"}

UNTIL = Parameter("as_of", "when windows of usage, tickets and contracts end; now where it is left out", AS_OF.schema)
WHOM = Parameter(
    "filter",
    "criteria of the accounts that are counted, as text; `ALL` counts everybody",
    {**FILTER.schema, "default": CUSTOMERS},
)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _each(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties)}


EFFECT = {
    **_object(
        name={"type": "string", "enum": ["epsilon_squared", "cramers_v"]}, value=NUMBER, low=NUMBER, high=NUMBER, p=NUMBER,
        q={**NUMBER, "description": "the false discovery rate among all measures tried (Benjamini and Hochberg)"},
    ),
    "type": ["object", "null"],
    "description": "between the segments, with its 95 % interval: of numbers by Kruskal and Wallis, of shares Cramer's V",
}  # fmt: skip
STANDS = _each(
    slug=SLUG, n=COUNT, known={**COUNT, "description": "accounts with a value"},
    **dict.fromkeys(("mean", "median", "q1", "q3", "share", "share_low", "share_high"), NUMBER_OR_NONE),
    delta={**NUMBER_OR_NONE, "description": "Cliff's, of the segment against all others, -1 to 1, with its 95 % interval; of a share by how much it is larger"},
    delta_low=NUMBER_OR_NONE, delta_high=NUMBER_OR_NONE, word=WORD,
)  # fmt: skip
ANALYSED = _object(
    slug=SLUG, name=TEXT, accounts={**COUNT, "description": "that are counted"}, filter={**TEXT, "description": "whom it counts"},
    left_out={**COUNT, "description": "accounts that it does not count; archived ones apart"},
    counted={**TEXT, "description": "who is counted, who is not, and how to ask for everybody, in words"}, sampled={**COUNT, "description": "accounts that were measured: all, or so many drawn evenly"},
    segments=_each(slug=SLUG, name=TEXT, accounts=COUNT, left_out=COUNT),
    measures=_each(
        name=TEXT, area={"type": "string", "enum": ["activity", "adoption", "value", "support"]}, unit=TEXT, description=TEXT,
        feature={**_object(slug=SLUG, name=TEXT, module=TEXT_OR_NONE, is_key={"type": "boolean"}), "type": ["object", "null"]},
        defining={"type": "boolean", "description": "the segments are made by it, so that it must differ"},
        word=WORD, effect=EFFECT, because={**TEXT_OR_NONE, "description": "why there is no effect to tell"}, segments=STANDS,
    ),
    tried={**COUNT, "description": "measures that were compared"}, level=NUMBER,
    features={**COUNT, "description": "that there are; the 50 in use by most accounts are told"}, until={**INSTANT, "description": "when windows end"}, version=COUNT, **COMPUTED,
    segmentations=schemas.DOUBTFUL,
)  # fmt: skip


async def analysed(request: Request) -> Answer:
    """How the segments differ."""
    told = request.query(("as_of", "filter"))
    found = await analysis.analysis(
        request.db, request.principal, request.values[0], request.now, told.get("as_of"), told.get("filter")
    )
    return json(found)


ROUTES = (
    Route("GET", "/v1/segmentations/{slug}/analysis", "segmentations.read", analysed, "How segments differ", TAG,
          "In activity, adoption per feature, value and support: per segment n, mean, median and quartiles, between them an effect size with its "
          "interval and a word, corrected for how much was tried. Customers are counted, or whoever meets `filter`; archived accounts are left "
          "out.",
          parameters=(KEY, UNTIL, WHOM), answer=Payload(ANALYSED), problems=("invalid", "unreadable")),
)  # fmt: skip
