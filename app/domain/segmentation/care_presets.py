"""Engagement models of the segments that come ready-made: by touch, and by what the time is to be used for."""

from __future__ import annotations

from typing import Any

from app.domain.segmentation.care import Touch

Model = dict[str, Any]
Told = tuple[str, str, int, str | None]
"""A step: its name, who has it to do, after how many days, and the touch that fulfils it."""

AIMED: dict[str, tuple[Told, ...]] = {
    "expansion": (
        ("Map who else could use it", "csm", 14, None),
        ("Agree on the next goal", "csm", 21, "meeting"),
        ("Talk an offer through", "sales", 45, "call"),
    ),
    "references": (
        ("Show the value that was reached", "csm", 14, "meeting"),
        ("Ask for a reference", "csm", 30, "call"),
        ("Write the case study", "product", 60, None),
    ),
    "recovery": (
        ("Hear what went wrong", "csm", 3, "call"),
        ("Agree on a recovery plan", "csm", 10, "meeting"),
        ("Look at what has changed", "manager", 30, "meeting"),
    ),
    "relief": (
        ("Hear how hard it hits", "csm", 5, "call"),
        ("Decide on relief", "manager", 14, None),
        ("Agree on terms until it is over", "csm", 21, "meeting"),
    ),
    "retention": (
        ("Hear what is planned", "csm", 10, "call"),
        ("Show the value that was reached", "csm", 30, "meeting"),
    ),
}
"""Playbooks by aim; other aims have that of their touch."""
USUAL: dict[Touch, tuple[Told, ...]] = {
    "high": (
        ("Kick-off with the sponsor", "csm", 7, "meeting"),
        ("Name an executive sponsor", "manager", 30, None),
    ),
    "hybrid": (
        ("Kick-off", "csm", 7, "meeting"),
        ("Check that the first goal is reached", "csm", 60, "call"),
    ),
    "low": (("Send the guide for the first steps", "csm", 3, "email"),),
}
PLANNED: dict[Touch, tuple[Told, ...]] = {
    "high": (
        ("Agree on goals and how they are measured", "csm", 30, "meeting"),
        ("First quarterly review", "csm", 90, "meeting"),
        ("Show the value to the decision maker", "csm", 180, "meeting"),
    ),
    "hybrid": (
        ("Agree on the first goal", "csm", 30, "call"),
        ("Half-year review", "csm", 180, "meeting"),
    ),
    "low": (("Ask what was reached", "csm", 90, "email"),),
}
PACES: dict[Touch, Model] = {
    "high": {"cadence": {"meeting": "30d", "email": "14d"}, "hours": {"month": 6}},
    "hybrid": {
        "cadence": {"meeting": "90d", "email": "30d", "any": "45d"},
        "hours": {"month": 1},
        "phases": [
            {
                "name": "Guided on-boarding", "until": "90d", "cadence": {"meeting": "14d", "email": "7d"}, "hours": {"month": 4},
            }
        ],
    },
    "low": {
        "cadence": {"email": "30d", "any": "60d"},
        "hours": {"year": 2},
        "phases": [{"name": "Welcome", "until": "30d", "cadence": {"email": "7d"}, "hours": {"month": 0.5}}],
    },
}  # fmt: skip


def model(touch: Touch, aim: str | None = None) -> Model:
    """The engagement model of a touch, with the playbook of the aim where there is one."""
    known = AIMED.get(aim or "")
    playbook = _plan(f"{touch.capitalize()} touch" if known is None else str(aim).capitalize(), known or USUAL[touch])
    plan = _plan(f"Success with {touch} touch", PLANNED[touch])
    aimed = {} if aim is None else {"aim": aim}
    return {"touch": touch, **aimed, **PACES[touch], "playbook": playbook, "success_plan": plan}


def _plan(name: str, steps: tuple[Told, ...]) -> Model:
    told = [
        {"name": step, "owner": owner, "day": day} | ({} if kind is None else {"kind": kind})
        for step, owner, day, kind in steps
    ]
    return {"name": name, "steps": told}
