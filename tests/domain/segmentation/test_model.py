"""Bodies of segmentations: what is read, and where it says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Invalid
from app.domain.segmentation.bodies import read
from app.domain.segmentation.kinds import spec
from app.domain.segmentation.presets import presets

RULES = {"name": "Care", "kind": "rules", "segments": [{"slug": "a", "name": "A", "criteria": "arr > 5"}]}


@pytest.mark.parametrize("slug", ["tier", "portfolio"])
@pytest.mark.parametrize("cutting", ["absolute", "relative"])
def test_presets_read_and_their_spec_reads_back(slug: str, cutting: Any) -> None:
    body = presets(cutting, cutting)[slug]
    found = read(slug, body)
    assert read(slug, {**body, "spec": spec(found)}) == found


def test_criteria_may_be_text_or_tree() -> None:
    tree = {"op": "cmp", "of": "arr", "cmp": "gt", "value": 5}
    segment = {**RULES["segments"][0], "criteria": tree}  # type: ignore[dict-item]  # a list of objects
    assert read("care", {**RULES, "segments": [segment]}).segments == read("care", RULES).segments


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def act(body: dict[str, Any]) -> None:
        *steps, last = [int(s) if s.isdigit() else s for s in path.strip("/").split("/")]
        here: Any = body
        for step in steps:
            here = here[step]
        if value is ...:
            del here[last]
        else:
            here[last] = value

    return act


@pytest.mark.parametrize(
    ("slug", "path", "value", "pointer"),
    [
        ("tier", "/kind", "band", "/kind"),
        ("tier", "/kind", ..., "/kind"),
        ("tier", "/kind", None, "/kind"),
        ("tier", "/name", None, "/name"),
        ("tier", "/name", "", "/name"),
        ("tier", "/name", "a\x00", "/name"),
        ("tier", "/colour", "red", "/colour"),
        ("tier", "/rest", "Not A Slug", "/rest"),
        ("tier", "/spec", None, "/spec"),
        ("tier", "/spec/field", 3, "/spec/field"),
        ("tier", "/spec/cuts/by", "percentil", "/spec/cuts/by"),
        ("tier", "/spec/cuts/at", [0.8, 0.5], "/spec/cuts/at"),
        ("tier", "/spec/cuts/at", [0.5, 1.5], "/spec/cuts/at"),
        ("tier", "/spec/cuts/at", [True], "/spec/cuts/at"),
        ("tier", "/spec/cuts/at", [Decimal("NaN")], "/spec/cuts/at"),
        ("tier", "/spec/cuts/at", [0.5], "/segments"),
        ("tier", "/spec/cuts/among", "arr >", "/spec/cuts/among"),
        ("tier", "/segments", [], "/segments"),
        ("tier", "/segments/1/slug", "high", "/segments/1/slug"),
        ("tier", "/segments/0/colour", "blue", "/segments/0/colour"),
        ("tier", "/segments/0/engagement", {"a": "b" * 5000}, "/segments/0/engagement/a"),
        ("tier", "/segments/0/x", "high", "/segments/0/x"),
        ("portfolio", "/spec/y", ..., "/spec/y"),
        ("portfolio", "/segments/0/x", "highest", "/segments/0/x"),
        ("portfolio", "/segments/0/x", "low", "/segments"),
        ("portfolio", "/segments/0", ..., "/segments"),
        ("care", "/segments/0/criteria", "arr >", "/segments/0/criteria"),
        ("care", "/segments/0/criteria", {"op": "cmp", "of": "arr", "cmp": "gt"}, "/segments/0/criteria"),
        ("care", "/segments/0/criteria", ..., "/segments/0/criteria"),
        ("care", "/spec", {"field": "arr"}, "/spec"),
    ],
)
def test_faults_point_to_what_is_wrong(slug: str, path: str, value: Any, pointer: str) -> None:
    body = deepcopy(RULES if slug == "care" else presets()[slug])
    change(path, value)(body)
    with pytest.raises(Invalid) as caught:
        read(slug, body)
    assert pointer in [fault.pointer for fault in caught.value.faults]


@pytest.mark.parametrize("body", [None, [], "x", 3, {}])
def test_what_is_no_object_of_a_segmentation_is_refused(body: Any) -> None:
    with pytest.raises(Invalid):
        read("tier", body)


@pytest.mark.parametrize("slug", ["presets", "Tier", "", "a b", "x" * 70])
def test_slugs_that_cannot_be_addressed_are_refused(slug: str) -> None:
    with pytest.raises(Invalid):
        read(slug, presets()["tier"])


def test_the_rest_has_its_usual_name_where_none_is_told() -> None:
    assert read("care", {**RULES, "rest": None}).rest == read("care", RULES).rest
