"""Pictures of a segmentation, and how a number is spread over its segments."""

from __future__ import annotations

from typing import Any

from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.segmentations import KEY, TAG
from app.api.rest.segmented import COMPUTED, COUNT, MONEY, TEXT
from app.api.routes import Parameter, Payload, Route
from app.services import charts

READ = "segmentations.read"
SVG = (b"content-type", b"image/svg+xml; charset=utf-8")
SANDBOX = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")
PICTURE = Payload(TEXT, ("image/svg+xml",))
NUMBER: dict[str, Any] = {"type": "number"}
NUMBERS: dict[str, Any] = {"type": "array", "items": NUMBER}
SPREAD = {
    "type": "object",
    "properties": {
        "slug": TEXT, "name": TEXT, "field": TEXT,
        "edges": {**NUMBERS, "description": "of the bins, ascending: each goes from one edge to before the next, the last one with it"},
        "log": {"type": "boolean", "description": "whether bins widen evenly by factors"}, "cuts": NUMBERS,
        "segments": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "slug": TEXT, "name": TEXT, "accounts": COUNT, "arr": MONEY,
                    "without": {**COUNT, "description": "accounts without a value"}, "median": {"type": ["number", "null"]},
                    "bins": {"type": "array", "items": COUNT, "description": "accounts in each bin"},
                },
            },
        },
        "version": COUNT, **COMPUTED,
    },
}  # fmt: skip
FIELD = Parameter(
    "field", "a field of numbers or money; where it is left out the first axis, of segments without one ARR", TEXT,
    example="arr",
)  # fmt: skip


def picture(drawn: str) -> Answer:
    """An SVG, which can run nothing wherever it is opened."""
    return Answer(drawn.encode(), 200, [SVG, SANDBOX])


async def segments(request: Request) -> Answer:
    """The segments."""
    request.query(())
    return picture(await charts.chart(request.db, request.principal, request.values[0], request.now))


async def spread(request: Request) -> Answer:
    """How a number is spread."""
    field = request.query(("field",)).get("field")
    return json(await charts.spread(request.db, request.principal, request.values[0], request.now, field))


async def spread_chart(request: Request) -> Answer:
    """The same drawn."""
    field = request.query(("field",)).get("field")
    return picture(await charts.spread_chart(request.db, request.principal, request.values[0], request.now, field))


ROUTES = (
    Route("GET", "/v1/segmentations/{slug}/chart.svg", READ, segments, "The segments as a picture", TAG,
          "A matrix as its accounts between the cuts, sized by ARR, of three axes a panel for each level of the third; bands as the "
          "spread of their number; all others as bars. It stands on its own in light and in dark.",
          parameters=(KEY,), answer=PICTURE),
    Route("GET", "/v1/segmentations/{slug}/distribution", READ, spread, "How a number is spread over the segments", TAG,
          parameters=(KEY, FIELD), answer=Payload(SPREAD), problems=("invalid",)),
    Route("GET", "/v1/segmentations/{slug}/distribution/chart.svg", READ, spread_chart, "The spread as a picture", TAG,
          parameters=(KEY, FIELD), answer=PICTURE, problems=("invalid",)),
)  # fmt: skip
