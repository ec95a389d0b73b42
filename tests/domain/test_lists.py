"""Saved lists as values: who sees them, what `mine` adds, how references are kept, the ready-made ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.domain import list_bodies, lists
from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.errors import Invalid, Unreadable
from app.domain.list_templates import TEMPLATES, Template
from app.domain.roles import Principal, Role
from app.domain.workspaces import Person, SegmentationName, Workspace, clock

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TIER, ME = UUID(int=7), UUID(int=1)
WORKSPACE = Workspace(
    UUID(int=9), "acme", "Acme", "USD", 2, ZoneInfo("UTC"), 1, 1, 40, 70, 1, date(2026, 11, 22),
    segmentations={"tier": SegmentationName(TIER, "tier", ("high", "low"))},
)  # fmt: skip


def person(role: Role, user: UUID = ME) -> Principal:
    return Principal(UUID(int=3), WORKSPACE, role, Person(user, (user,)))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.slug)
def test_ready_made_lists_mean_something_where_the_segmentation_is_that_they_name(template: Template) -> None:
    entity = ENTITIES[template.entity]
    named = {slug: of for slug, of in WORKSPACE.segmentations.items() if slug == template.segmentation}
    workspace = replace(WORKSPACE, segmentations=named)
    node = text.parse(template.criteria)
    assert text.parse(text.format(node)) == node
    check(node, entity, Setting(workspace, clock(workspace, NOW)))
    lists.check_columns(template.columns, entity, workspace)
    lists.check_sort(template.sort, entity, workspace)


def test_the_ready_made_lists_are_those_that_the_pages_speak_of() -> None:
    assert [template.slug for template in TEMPLATES] == [
        "new-accounts", "onboarding", "renewals", "low-key-usage", "no-interaction", "churned", "open-invoices",
        "red-low-key-usage", "no-industry", "expansion", "usage-limits", "power-users", "churn-risk", "references",
        "case-studies",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entity", "criteria", "mine"),
    [
        ("accounts", "ALL", "csm = @me"),
        ("accounts", "arr > 5", "arr > 5 AND csm = @me"),
        ("accounts", "arr > 5 AND health < 5", "arr > 5 AND health < 5 AND csm = @me"),
        ("accounts", "arr > 5 OR health < 5", "(arr > 5 OR health < 5) AND csm = @me"),
        ("contacts", "ALL", "account.csm = @me"),
    ],
)
def test_mine_adds_that_the_record_is_the_callers(entity: lists.ListEntity, criteria: str, mine: str) -> None:
    node = text.parse(criteria)
    assert lists.asked(entity, node, True) == text.parse(mine)
    assert lists.asked(entity, node, False) == node
    check(
        lists.asked(entity, node, True), ENTITIES[entity], Setting(WORKSPACE, clock(WORKSPACE, NOW), Person(ME, (ME,)))
    )


def test_segmentations_are_kept_by_id() -> None:
    node = text.parse(
        'segment.tier = "high" AND NOT (in_segment("tier", "low") OR segment.gone IS EMPTY) AND name : "segment.tier"'
    )
    kept = lists.by_id(node, WORKSPACE)
    assert text.format(kept).count(str(TIER)) == 2
    assert lists.by_slug(kept, WORKSPACE) == node
    renamed = Workspace(**{f: getattr(WORKSPACE, f) for f in WORKSPACE.__slots__} | {
        "segmentations": {"tiers": SegmentationName(TIER, "tiers", ("high", "low"))}
    })  # fmt: skip
    assert lists.by_slug(kept, renamed) == text.parse(
        'segment.tiers = "high" AND NOT (in_segment("tiers", "low") OR segment.gone IS EMPTY) AND name : "segment.tier"'
    )
    for path in ("segment.tier", "-segment.tier", "account.segment.tier", "-account.segment.tier"):
        assert lists.path_by_id(path, WORKSPACE) == path.replace("tier", str(TIER))
        assert lists.path_by_slug(path.replace("tier", str(TIER)), WORKSPACE) == path
    for path in ("name", "custom.segment.tier", "segment.gone", "primary_contact.name"):
        assert lists.path_by_id(path, WORKSPACE) == path


def test_a_private_list_is_there_for_its_owner_alone() -> None:
    sights = {
        (role, visibility, own): lists.sight(person(role), visibility, ME if own else UUID(int=2))
        for role in ("admin", "manager", "csm", "viewer")
        for visibility in lists.VISIBILITIES
        for own in (True, False)
    }
    for (role, visibility, own), sight in sights.items():
        whole = visibility == "public" or own
        assert sight == ("whole" if whole else "name" if role == "admin" else "nothing")
    service = Principal(UUID(int=3), WORKSPACE, "service", None, frozenset({"read"}))
    assert lists.sight(service, "public", ME) == "whole"
    assert lists.sight(service, "private", ME) == "nothing"


@pytest.mark.parametrize(
    "columns",
    [
        ["nmae"],
        ["contracts.arr"],
        ["primary_contact.nmae"],
        ["segment.gone"],
        ["custom.x"],
        [""],
        ["a.b.c"],
        ["contracts"],
    ],
)
def test_columns_are_fields(columns: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        lists.check_columns(["name", *columns], ENTITIES["accounts"], WORKSPACE)
    assert caught.value.faults[0].pointer == "/columns/1"


@pytest.mark.parametrize("key", ["nmae", "--name", "csm", "products", "custom", ""])
def test_sort_keys_are_fields_that_sort(key: str) -> None:
    with pytest.raises(Invalid) as caught:
        lists.check_sort(["-name", key], ENTITIES["accounts"], WORKSPACE)
    assert caught.value.faults[0].pointer == "/sort/1"


BODY = {"entity": "accounts", "name": "Big", "criteria": {"text": "arr > 5"}}


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"entity": "users"}, "/entity"), ({"name": ""}, "/name"), ({"name": None}, "/name"), ({"criteria": 5}, "/criteria"),
        ({"criteria": {}}, "/criteria"), ({"criteria": {"text": None}}, "/criteria"), ({"criteria": {"txt": "ALL"}}, "/criteria"),
        ({"criteria": {"text": "arr >"}}, "/criteria/text"), ({"criteria": {"text": ""}}, "/criteria/text"),
        ({"columns": []}, "/columns"), ({"columns": "name"}, "/columns"), ({"columns": ["name", "name"]}, "/columns"),
        ({"columns": [1]}, "/columns"), ({"columns": ["name "]}, "/columns"), ({"columns": ["x"] * 51}, "/columns"), ({"sort": ["arr", "-arr"]}, "/sort"),
        ({"mine": 1}, "/mine"), ({"visibility": "shared"}, "/visibility"), ({"owner": "me"}, "/owner"),
        ({"params": ["x"]}, "/params/0"), ({"params": [{"name": "X", "type": "text", "default": "a"}]}, "/params/0/name"),
        ({"params": [{"name": "a", "type": "text"}, {"name": "x", "type": "money", "default": 1}]}, "/params/1/type"),
        ({"params": [{"name": "x", "type": "date", "default": "yesterday"}]}, "/params/0/default"),
        ({"params": [{"name": "x", "type": "number", "default": None, "defualt": 1}]}, "/params/0/defualt"),
        ({"params": [{"name": "x", "type": "bool", "default": True}] * 2}, "/params"),
    ],
)  # fmt: skip
def test_a_list_is_read_strictly(told: dict[str, object], pointer: str) -> None:
    with pytest.raises((Invalid, Unreadable)) as caught:
        list_bodies.read({**BODY, **told}, partial=False)
    assert {fault.pointer for fault in caught.value.faults} == {pointer}


def test_both_spellings_may_be_given_where_they_agree() -> None:
    document = {"v": 1, "filter": {"op": "cmp", "of": "arr", "cmp": "gt", "value": 5}}
    read = list_bodies.read({**BODY, "criteria": {"text": "arr > 5", "tree": document}}, partial=False)
    assert read["criteria"] == text.parse("arr > 5")
    with pytest.raises(Invalid):
        list_bodies.read({**BODY, "criteria": {"text": "arr > 6", "tree": document}}, partial=False)
    with pytest.raises(Invalid) as caught:
        list_bodies.read({}, partial=False)
    assert [fault.pointer for fault in caught.value.faults] == ["/entity", "/name", "/criteria"]
