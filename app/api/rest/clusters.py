"""/v1/segmentations/suggest: clusters of accounts, told as rules to be put."""

from __future__ import annotations

from typing import Any

from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.analysis import NUMBER
from app.api.rest.parameters import SLUG
from app.api.rest.segmentations import TAG
from app.api.rest.segmented import BODY, COUNT, TEXT, TEXT_OR_NONE
from app.api.routes import Payload, Route
from app.domain.segmentation.clusters import AGREED, COUNTS, FIELDS, KINDS, STABLE
from app.services import clusters

WANTED: dict[str, Any] = {
    "type": "object", "required": ["fields", "count"], "additionalProperties": False,
    "properties": {
        "kind": {"type": ["string", "null"], "enum": [*KINDS, None], "description": "the one that there is, where it is left out"},
        "fields": {"type": "array", "items": TEXT, "minItems": FIELDS[0], "maxItems": FIELDS[1], "description": "paths of numbers or money of accounts"},
        "count": {**COUNT, "minimum": COUNTS[0], "maximum": COUNTS[1]},
        "where": {"type": ["string", "object", "null"], "description": "criteria: which accounts are clustered"},
        "name": {"type": ["string", "null"], "minLength": 1, "maxLength": 200},
    },
}  # fmt: skip
SUGGESTED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": TEXT, "fields": {"type": "array", "items": TEXT}, "count": COUNT, "accounts": COUNT,
        "sampled": {**COUNT, "description": "accounts that were clustered: all with every value, or so many drawn evenly"},
        "stability": {**NUMBER, "description": f"the mean adjusted Rand index where accounts are drawn anew; below {STABLE} it is refused"},
        "bootstraps": COUNT,
        "agreement": {**NUMBER, "description": f"the share of accounts that the rules place as the clusters did; below {AGREED} it is refused"},
        "clusters": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "slug": {**SLUG, "type": ["string", "null"], "description": "of its segment; null where no rule tells it: `because` says why"}, "name": TEXT,
                    "accounts": COUNT, "share": NUMBER, "medians": {"type": "object", "additionalProperties": NUMBER},
                    "because": {**TEXT_OR_NONE, "description": "why it has no segment of its own"},
                },
            },
        },
        "definition": {**BODY, "description": "rules, ready to be put or kept as a draft; whoever was not looked at is in the rest"},
    },
}  # fmt: skip
EXAMPLE = {"fields": ["arr", "consumption_score"], "count": 3}


async def suggest(request: Request) -> Answer:
    """Rules that tell clusters."""
    request.query(())
    return json(await clusters.suggest(request.db, request.principal, await request.object(), request.now))


ROUTES = (
    Route("POST", "/v1/segmentations/suggest", "segmentations.suggest", suggest, "Suggest a segmentation from the accounts", TAG,
          "Clusters on a few fields, told as rules by a shallow tree, with how far the rules agree with the clusters and how well the clusters "
          "hold. Nothing is written: put the definition, or keep it as a draft. Needs the extra `clusters`, and says so where it is not installed.",
          answer=Payload(SUGGESTED), body=Payload(WANTED, example=EXAMPLE), problems=("busy", "not-installed")),
)  # fmt: skip
