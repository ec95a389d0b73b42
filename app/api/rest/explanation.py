"""An explanation as the document shows it: true of the account and the interaction that its examples make."""

from __future__ import annotations

from typing import Any

from app.api.rest.accounts import EXAMPLE as ACCOUNT

ASKED = {
    "external_id": ACCOUNT["external_id"],
    "filter": "arr >= 50000 AND NOT health < 50 AND none(interactions, last(30d))",
    "as_of": "2026-06-15T12:00:00Z",
}
PLACED: dict[str, Any] = {
    "kind": "call", "direction": "inbound", "occurred_at": "2026-06-01T08:00:00Z", "is_automated": False,
}  # fmt: skip
"""What the account has had, besides what its own example says."""
ANSWER: dict[str, Any] = {
    "entity": "accounts",
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "external_id": "crm-1042",
    "name": "Acme",
    "archived": False,
    "as_of": "2026-06-15T12:00:00Z",
    "zone": "UTC",
    "text": "arr >= 50000 AND NOT health < 50 AND none(interactions, last(30d))",
    "english": "Accounts whose ARR is at least 50,000, whose health is not below 50 (or is empty) and that have "
    "had no interactions in the last 30 days.",
    "result": False,
    "flips_at": "2026-07-01T08:00:00.000001Z",
    "flips_known": True,
    "fewest": [{"pointer": "/args/2", "text": "none(interactions, last(30d))"}],
    "segmentations": [],
    "tree": {
        "op": "and",
        "pointer": "",
        "result": False,
        "args": [
            {
                "op": "cmp",
                "pointer": "/args/0",
                "text": "arr >= 50000",
                "english": "Accounts whose ARR is at least 50,000.",
                "result": True,
                "because_empty": False,
                "value": 120000.5,
                "threshold": {"cmp": "ge", "value": 50000.0},
                "windows": [],
                "ranks": [],
                "evidence": [],
                "flips_at": None,
                "flips_known": True,
            },
            {
                "op": "not",
                "pointer": "/args/1",
                "result": True,
                "args": [
                    {
                        "op": "cmp",
                        "pointer": "/args/1/arg",
                        "text": "health < 50",
                        "english": "Accounts whose health is below 50.",
                        "result": False,
                        "because_empty": True,
                        "value": None,
                        "threshold": {"cmp": "lt", "value": 50.0},
                        "windows": [],
                        "ranks": [],
                        "evidence": [],
                        "flips_at": None,
                        "flips_known": True,
                    }
                ],
            },
            {
                "op": "quant",
                "pointer": "/args/2",
                "text": "none(interactions, last(30d))",
                "english": "Accounts that have had no interactions in the last 30 days.",
                "result": False,
                "because_empty": False,
                "value": 1,
                "threshold": {"cmp": "none"},
                "windows": [
                    {"window": "last(30d)", "lo": "2026-05-16T12:00:00Z", "hi": "2026-06-15T12:00:00Z", "zone": "UTC"}
                ],
                "ranks": [],
                "evidence": [
                    {
                        "entity": "interactions",
                        "inside": True,
                        "passes": True,
                        "values": {
                            "id": "01890a5d-ac96-774b-bcce-b302099a8058",
                            "occurred_at": "2026-06-01T08:00:00Z",
                            "kind": "call",
                            "direction": "inbound",
                        },
                    }
                ],
                "flips_at": "2026-07-01T08:00:00.000001Z",
                "flips_known": True,
            },
        ],
    },
}
_FIRST, _SECOND, _THIRD = ANSWER["tree"]["args"]
ANSWER["leaves"] = [_FIRST, *_SECOND["args"], _THIRD]
