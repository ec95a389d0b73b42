"""What the document says of definitions of segmentations is what the reader takes: examples, presets, and whatever is wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from app.api import document
from app.api.door import Door
from app.api.rest import table
from app.api.segmentation_bodies import DEFINITION, EXAMPLES, SCHEMAS, SPECS, called
from app.domain.errors import Invalid
from app.domain.segmentation import leaving
from app.domain.segmentation.bodies import read
from app.domain.segmentation.kinds import body, definition
from app.domain.segmentation.model import KINDS, Kind
from app.domain.segmentation.presets import presets
from app.services.calls import ENCODER
from tests.servers import ROOT

BODIES = {
    **{f"example of {kind}": told for kind, told in EXAMPLES.items()},
    **{f"preset {slug}": told for slug, told in presets().items()},
    **{f"absolute {slug}": told for slug, told in presets("absolute", "absolute").items()},
}
OTHERS: tuple[Any, ...] = (None, 5, -0.5, True, "x", "x" * 201, "Not a slug", [], [[]], {}, {"other": 1})


@cache
def validator() -> Any:
    told = document.build(table(Door())[0].routes)
    return jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{DEFINITION}", "components": {"schemas": told["components"]["schemas"]}}
    )


def is_read(told: Any) -> bool:
    try:
        rest, _ = leaving.read(msgspec.json.decode(msgspec.json.encode(told), type=object))
        read("some", rest)
    except Invalid:
        return False
    return True


def test_there_is_one_for_each_kind() -> None:
    assert set(SPECS) == set(KINDS) == set(SCHEMAS[DEFINITION]["discriminator"]["mapping"])
    assert {kind: SCHEMAS[called(kind)]["examples"] for kind in KINDS} == {kind: [EXAMPLES[kind]] for kind in KINDS}


@pytest.mark.parametrize("name", BODIES)
def test_what_it_says_can_be_said_is_read(name: str) -> None:
    assert is_read(BODIES[name])
    assert validator().is_valid(BODIES[name])
    of = read("some", BODIES[name])
    for told in (body(of), definition(of)):
        plain = msgspec.json.decode(ENCODER.encode(told))
        assert validator().is_valid(plain), next(validator().iter_errors(plain)).message


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_says_cannot_be_said_is_refused(kind: Kind) -> None:
    """Each member left out, taken for something else, and one more beside it: whatever it refuses the reader refuses."""
    refused = 0
    for wrong in changed({**EXAMPLES[kind], "replace": {"a": "large"}, "with_dependents": True, **CARED[kind]}):
        if not validator().is_valid(wrong):
            refused += 1
            assert not is_read(wrong), wrong
    assert refused > 100


CARE = presets()["tier"]["segments"][1]["engagement"]
CARED: dict[str, Any] = {
    kind: {"segments": [{**one, "colour": "#aabbcc", "engagement": CARE} for one in told["segments"]]}
    if kind == "bands"
    else {}
    for kind, told in EXAMPLES.items()
}


def changed(told: Any) -> Iterator[Any]:
    for path in [*places(told, ())]:
        here = copy.deepcopy(told)
        inside = here
        for step in path[:-1]:
            inside = inside[step]
        stood = inside[path[-1]]
        for other in OTHERS:
            inside[path[-1]] = other
            yield copy.deepcopy(here)
        if isinstance(stood, dict):
            inside[path[-1]] = {**stood, "more": 1}
            yield copy.deepcopy(here)
        if isinstance(inside, dict):
            del inside[path[-1]]
            yield here


def places(told: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for step, inner in told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ():
        yield (*at, step)
        yield from places(inner, (*at, step))


def test_the_guide_names_every_member_of_every_kind() -> None:
    guide = (ROOT / "docs" / "segments.md").read_text()
    for kind, spec in SPECS.items():
        section = guide.partition(f"### `{kind}`")[2].partition("\n### ")[0]
        assert section, kind
        for member in members(spec):
            assert f"`{member}`" in section or f"`{member}`" in guide.partition("### Cuts")[2].partition("\n### ")[0], (
                kind,
                member,
            )
        example = section.rpartition("For example `")[2].partition("`\n")[0]
        assert is_read({"name": "S", "kind": kind, **msgspec.json.decode(example)}), kind


def members(schema: dict[str, Any]) -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        if inner.get("type") != "null":
            yield name
        if name not in ("among", "criteria"):
            yield from members(inner)
    for inner in (*schema.get("oneOf", ()), *([schema["items"]] if "items" in schema else ())):
        yield from members(inner)
