"""/v1/scores: what health, engagement and consumption are made of; and of an account, what they are, were, and why."""

from __future__ import annotations

from typing import Any

from app.api.conditions import call, expected_version, tagged
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.parameters import ACCOUNT, IDEMPOTENCY_KEY, IDENTITY, IF_MATCH, IF_NONE_MATCH, SLUG
from app.api.rest.writes import answered
from app.api.routes import Handler, Parameter, Payload, Route
from app.domain.engagement import CONSUMPTION, ENGAGEMENT, Component
from app.domain.score_bodies import MOST_MEASURES, MOST_WEIGHT
from app.domain.scores import MISSING, NAMES, Name
from app.services import account_scores, scores

TAG = "scores"
NUMBER = {"type": "number"}
MAYBE = {"type": ["number", "null"]}
TEXT = {"type": "string"}
TEXTS = {"type": ["string", "null"]}
DAY = {"type": "string", "format": "date"}
WEIGHT = {"type": "number", "minimum": 0, "maximum": MOST_WEIGHT}
MEASURE: dict[str, Any] = {
    "type": "object", "required": ["of", "worst", "best"], "additionalProperties": False,
    "properties": {
        "of": {"type": "string", "minLength": 1, "maxLength": 200, "description": "a field of accounts, or a function as in criteria; a day or an instant "
               "counts as the days since then, money in major units, yes and no as 1 and 0"},
        "name": {"type": "string", "minLength": 1, "maxLength": 200, "description": "what its part of the score is called; `of` where it is left out"},
        "worst": {**NUMBER, "description": "gives 0 points"}, "best": {**NUMBER, "description": "gives 100 points; in between in a straight line"},
        "weight": {**WEIGHT, "default": 1},
        "missing": {"type": "string", "enum": list(MISSING), "default": "leave_out",
                    "description": "of an account without a value: the other measures count for more, it counts as `count_as` points, or there is no health"},
        "count_as": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    },
}  # fmt: skip
BY = {
    "type": ["object", "null"], "required": ["segmentation", "weights"], "additionalProperties": False,
    "properties": {
        "segmentation": SLUG,
        "weights": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": WEIGHT},
                    "description": "by segment, by the name of the measure; a measure that is not named has none there"},
    },
    "description": "other weights in some segments; in the others those of the measures hold",
}  # fmt: skip
HEALTH: dict[str, Any] = {
    "type": "object", "required": ["source"], "additionalProperties": False,
    "properties": {
        "source": {"type": "string", "enum": ["outside", "model"], "description": "outside: set by hand or brought in"},
        "measures": {"type": ["array", "null"], "items": MEASURE, "minItems": 1, "maxItems": MOST_MEASURES}, "by": BY,
    },
}  # fmt: skip


def _component(one: Component) -> dict[str, Any]:
    enough = {"enough": {"type": "number", "minimum": 1, "maximum": MOST_WEIGHT}} if one.enough is not None else {}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {"weight": WEIGHT, **enough},
        "description": one.description,
    }


def _components(of: tuple[Component, ...]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {one.name: _component(one) for one in of}}


SAID = {"health": HEALTH, "engagement": _components(ENGAGEMENT), "consumption": _components(CONSUMPTION)}
BODY = {"type": "object", "properties": SAID, "additionalProperties": False}
SHOWN_HEALTH = {
    "type": "object",
    "properties": {
        **HEALTH["properties"],
        "state": {"type": "string", "enum": ["ok", "degraded", "broken"],
                  "description": "degraded: weights name a segment that is gone, and hold for no account; broken: a measure means nothing any more; "
                  "health stays as it was"},
        "detail": TEXTS,
    },
}  # fmt: skip
SCORES = {"type": "object", "properties": {**SAID, "health": SHOWN_HEALTH, "version": {"type": "integer"}}}
PART = {
    "type": "object",
    "properties": {
        "name": TEXT, "of": TEXT, "weight": NUMBER, "value": MAYBE, "worst": NUMBER, "best": MAYBE,
        "points": {**MAYBE, "description": "0 to 100; null where it is left out because there is no value"},
        "contribution": {**NUMBER, "description": "what it adds to the score: those of all parts add up to it"},
        "assumed": {"type": "boolean", "description": "there is no value, and it counts as points that were set"},
    },
}  # fmt: skip
SHIFT = {
    "type": "object",
    "properties": {
        "name": TEXT, "difference": NUMBER, "value_before": MAYBE, "value_after": MAYBE, "contribution_before": MAYBE,
        "contribution_after": MAYBE,
    },
}  # fmt: skip
OF_ACCOUNT = {
    "type": "object",
    "properties": {
        "account_id": IDENTITY, "name": {"type": "string", "enum": list(NAMES)}, "source": {"type": "string", "enum": ["outside", "model"]},
        "on": DAY, "days": {"type": ["integer", "null"], "description": "over how many days it counts, `on` the last; null of health"},
        "score": MAYBE, "band": {**TEXTS, "description": "of health alone"},
        "segment": {**TEXTS, "description": "of health alone: whose weights it is made with"},
        "parts": {"type": "array", "items": PART}, "detail": TEXTS,
        "history": {
            "type": "array",
            "items": {"type": "object", "properties": {"day": DAY, "score": MAYBE, "band": TEXTS}},
            "description": "the days at whose end it was another, with the one that stood when they began; the last is as it is now",
        },
        "change": {
            "type": "object",
            "properties": {
                "from": DAY, "to": DAY, "before": MAYBE, "after": MAYBE, "difference": MAYBE,
                "parts": {"type": "array", "items": SHIFT, "description": "the one that moved it most first; they add up to the difference"},
                "detail": TEXTS,
            },
        },
    },
}  # fmt: skip
FROM = Parameter("from", "the first day; thirty days before the last one where it is left out", DAY)
TO = Parameter("to", "the last day; today where it is left out", DAY)
EXAMPLE = {
    "health": {
        "source": "model",
        "measures": [
            {"of": "consumption_score", "worst": 0, "best": 80, "weight": 40},
            {"of": "last_interaction_at", "name": "silence", "worst": 60, "best": 7, "weight": 20, "missing": "count_as", "count_as": 0},
            {"of": "sentiment", "worst": 1, "best": 5, "weight": 40},
        ],
    },
    "engagement": {"meetings": {"weight": 40, "enough": 2}},
}  # fmt: skip


async def get(request: Request) -> Answer:
    """What scores are made of."""
    request.query(())
    return tagged(request, scores.get(request.principal), request.principal.workspace.scores_version)


async def put(request: Request) -> Answer:
    """What scores are made of from now on."""
    request.query(())
    version = expected_version(request)
    body = await request.object()
    return answered(await scores.put(request.db, call(request, body), body, version))


def _told(name: Name) -> Handler:
    async def told(request: Request) -> Answer:
        """A score of the account."""
        asked = request.query(("from", "to"))
        account_id = request.uuid(0)
        return json(
            await account_scores.of_account(
                request.db, request.principal, account_id, name, asked.get("from"), asked.get("to")
            )
        )

    return told


def _route(path: str, name: Name, what: str) -> Route:
    return Route(
        "GET", f"/v1/accounts/{{id}}/{path}", "records.read", _told(name), f"The {what} of an account, and why", TAG,
        "Its parts add up to it. History is kept by day: what stood when a day ended on which it changed; `change` says which "
        "parts moved it between the two days.",
        parameters=(ACCOUNT, FROM, TO), answer=Payload(OF_ACCOUNT),
    )  # fmt: skip


ROUTES = (
    Route("GET", "/v1/scores", "workspace.read", get, "What scores are made of", TAG,
          "Health from outside or by the workspace's own measures; the weights of engagement and consumption.",
          parameters=(IF_NONE_MATCH,), headers=("ETag",), answer=Payload(SCORES)),
    Route("PUT", "/v1/scores", "scores.write", put, "Say what scores are made of", TAG,
          "What is left out is as it is unless told otherwise. Every account has the scores that follow before this answers. Health "
          "set by hand is kept beside that of a model, and comes back when health comes from outside again.",
          parameters=(IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(SCORES), body=Payload(BODY, example=EXAMPLE)),
    _route("health", "health", "health"),
    _route("engagement-score", "engagement", "engagement score"),
    _route("consumption-score", "consumption", "consumption score"),
)  # fmt: skip
