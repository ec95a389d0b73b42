"""Engagement models: what is read, where it says what is wrong, and what they come to."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Invalid
from app.domain.segmentation.bodies import read
from app.domain.segmentation.care import ANY, Care, care, days
from app.domain.segmentation.presets import presets

MODEL: dict[str, Any] = {
    "touch": "hybrid", "aim": "expansion", "cadence": {"meeting": "90d", "any": "6w"}, "hours": {"year": 12}, "notes": "As agreed.",
    "phases": [
        {"name": "Guided", "until": "30d", "cadence": {"meeting": "2w"}, "hours": {"month": 4}},
        {"name": "Steps down", "until": "90d", "cadence": {"meeting": "30d"}},
    ],
    "playbook": {"name": "Start", "steps": [
        {"name": "Kick-off", "owner": "csm", "day": 7, "kind": "meeting"}, {"name": "Second", "owner": "manager", "day": 30, "kind": "meeting"},
        {"name": "Sponsor", "owner": "executive", "day": 0},
    ]},
}  # fmt: skip


def body(model: Any) -> dict[str, Any]:
    segment = {"slug": "a", "name": "A", "criteria": "arr > 5", "engagement": model}
    return {"name": "Care", "kind": "rules", "segments": [segment]}


def told(model: Any) -> Care:
    return care(read("care", body(model)).segments[0].engagement)


def test_a_model_steps_down_by_the_days_of_a_customer() -> None:
    found = told(MODEL)
    assert [(lo, hi, name, dict(pace.every), int(pace.hours)) for lo, hi, name, pace in found.spans] == [
        (None, 30, "Guided", {"meeting": 14}, 4),
        (30, 90, "Steps down", {"meeting": 30}, 1),  # hours are those of the model unless the phase says some
        (90, None, None, {"meeting": 90, ANY: 42}, 1),
    ]
    assert [found.at(age) for age in (-5, 0, 29, 30, 89, 90, 900, None)] == [0, 0, 0, 1, 1, 2, 2, 2]


def test_check_ins_count_where_other_touches_leave_room_for_them() -> None:
    month = Decimal("365.25") / 12
    assert told({"cadence": {"meeting": "90d", "any": "45d"}}).pace.touches == month / 45
    assert told({"cadence": {"meeting": "30d", "email": "15d", "any": "45d"}}).pace.touches == month / 30 + month / 15
    assert told({}).pace.touches == 0


def test_one_touch_does_not_do_for_two_steps_of_its_kind() -> None:
    assert [(step.name, opens) for step, opens in told(MODEL).opened] == [
        ("Kick-off", 0),
        ("Second", 7),
        ("Sponsor", 0),
    ]


def test_no_model_asks_for_nothing() -> None:
    assert care(None) == Care() == told({})


@pytest.mark.parametrize(("text", "expected"), [
    ("30d", 30), ("2w", 14), ("3650d", 3650), ("3651d", None), ("0d", None), ("d", None), ("1m", None), ("-1d", None), (30, None),
    (None, None), ("٣d", None), ("30d\n", None),
])  # fmt: skip
def test_durations(text: Any, expected: int | None) -> None:
    assert days(text) == expected


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("", "high", ""),
        ("/model", "high_touch", "/model"),
        ("/touch", "higher", "/touch"),
        ("/touch", ["high"], "/touch"),
        ("/aim", "", "/aim"),
        ("/cadence", [], "/cadence"),
        ("/cadence/note", "30d", "/cadence/note"),
        ("/cadence/meeting", "monthly", "/cadence/meeting"),
        ("/cadence/meeting", None, "/cadence/meeting"),
        ("/hours", {}, "/hours"),
        ("/hours", {"month": 1, "year": 12}, "/hours"),
        ("/hours/year", -1, "/hours/year"),
        ("/hours/year", True, "/hours/year"),
        ("/hours", {"month": 745}, "/hours/month"),
        ("/hours", {"week": 1}, "/hours/week"),
        ("/phases", [], "/phases"),
        ("/phases/0/until", None, "/phases/0/until"),
        ("/phases/1/until", "30d", "/phases/1/until"),
        ("/phases/0/cadence", None, "/phases/0/cadence"),
        ("/phases/0/cadence", {"call": 3}, "/phases/0/cadence/call"),
        ("/phases/0/days", 3, "/phases/0/days"),
        ("/playbook/steps", [], "/playbook/steps"),
        ("/playbook/steps/1/name", "Kick-off", "/playbook/steps/1/name"),
        ("/playbook/steps/0/owner", "cfo", "/playbook/steps/0/owner"),
        ("/playbook/steps/0/day", 1.5, "/playbook/steps/0/day"),
        ("/playbook/steps/0/day", None, "/playbook/steps/0/day"),
        ("/playbook/steps/0/kind", "note", "/playbook/steps/0/kind"),
        ("/notes", "x" * 10_001, "/notes"),
        ("/notes", "\x00", "/notes"),
    ],
)
def test_faults_point_to_what_is_wrong(path: str, value: Any, pointer: str) -> None:
    model: Any = {"here": deepcopy(MODEL)}
    *steps, last = [int(part) if part.isdigit() else part for part in f"/here{path}".strip("/").split("/")]
    here = model
    for step in steps:
        here = here[step]
    here[last] = value
    with pytest.raises(Invalid) as caught:
        read("care", body(model["here"]))
    assert f"/segments/0/engagement{pointer}" in [fault.pointer for fault in caught.value.faults]


def test_a_member_that_is_nearly_right_is_told() -> None:
    with pytest.raises(Invalid) as caught:
        read("care", body({"tuch": "high"}))
    assert [fault.suggestion for fault in caught.value.faults] == ["touch"]


def test_every_preset_says_touch_and_leaves_nobody_without_one() -> None:
    for slug, preset in presets().items():
        for segment in read(slug, preset).segments:
            found = care(segment.engagement)
            if segment.slug == "churned":
                assert found == Care()
                continue
            assert found.touch is not None
            assert all(pace.every and pace.hours > 0 for _, _, _, pace in found.spans)
            assert {step.plan for step in found.steps} == {"playbook", "success_plan"}
