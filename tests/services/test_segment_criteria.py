"""What is told of segments as criteria is what they are placed by, whoever reads it as a filter."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from app.domain.segmentation.presets import presets
from app.persistence.database import Database
from app.services import accounts, explain, reads, scenarios, segmentations, versions, workspaces
from app.services.asks import Ask
from tests.services.organisations import NOW, Organisation, document, organisation
from tests.services.test_placed import BANDS, LANES, MATRIX, OWN, SCORE

Json = dict[str, Any]
WITHIN = {"by": "percentile", "at": [0.3, 0.7], "within": "csm", "among": "arr > 50"}
SAID: Mapping[str, Json] = {
    **{f"preset_{slug}": body for slug, body in presets().items()},
    "bands": BANDS, "matrix": MATRIX, "own": OWN, "score": SCORE, "lanes_": LANES,
    "rules": {"name": "Rules", "kind": "rules", "spec": {}, "segments": [
        {"slug": "rich", "name": "Rich", "criteria": "arr >= 300"}, {"slug": "some", "name": "Some", "criteria": "arr >= 100"}]},
    "bands_within": {"name": "Bands", "kind": "bands", "spec": {"field": "arr", "cuts": WITHIN},
                     "segments": [{"slug": slug, "name": slug} for slug in ("a", "b", "c")]},
    "mixed": {**MATRIX, "spec": {"x": {"field": "arr", "cuts": {"by": "median", "within": "industry"}},
                                 "y": {"field": "growth_potential", "cuts": {"by": "median", "within": "csm"}}}},
    "score_within": {"name": "Score", "kind": "score", "segments": SCORE["segments"], "spec": {"at": [2, 4], "measures": [
        {"field": "arr", "cuts": WITHIN, "points": [0, 1, 3]},
        {"field": "growth_potential", "cuts": {"by": "median", "within": "csm"}, "points": [0, 2], "empty": 1}]}},
}  # fmt: skip


@pytest.fixture(scope="module")
async def org(db: Database) -> Organisation:
    """Accounts of two books and of none, some of which move after their books were cut, and one comes with a book of its own."""
    made = await organisation(db)
    dice, call = random.Random(11), made.call()
    for industry in ("steel", "wood"):
        await made.industry(industry)
    impacts = {"steel": "severe", "wood": "low"}
    await scenarios.create(db, call, {"slug": "downturn", "name": "Downturn", "is_active": True, "impacts": impacts})
    bodies: list[Json] = [
        {"name": f"Account {n}", "arr": dice.choice((0, 40, 100, 250, 300, 500)), "growth_potential": dice.choice((None, 20, 40, 60, 90)),
         "csm": dice.choice((None, str(made.user("csm")), str(made.user("other")))), "industry": dice.choice((None, "steel", "wood")),
         "health": dice.choice((None, 20, 60, 90))}
        for n in range(44)
    ]  # fmt: skip
    written = [await accounts.create(db, call, body) for body in bodies]
    for slug, body in SAID.items():
        await segmentations.put(db, call, slug, body, None)
    for one in written[::3]:
        told = {"arr": dice.choice((0, 50, 200, 400)), "growth_potential": dice.choice((10, 50, 80))}
        await accounts.change(db, call, one.id, told, one.version)
    await accounts.create(
        db, call, {"name": "New", "arr": 200, "growth_potential": 50, "csm": str(made.user("manager"))}
    )
    loaded = await workspaces.load(db, made.workspace.id)
    return made.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)


async def found(org: Organisation, told: str | Json) -> set[UUID]:
    spelled: Json = {"filter": told} if isinstance(told, str) else {"criteria": told, "body": True}
    answer = await reads.collection(
        org.db, org.as_("viewer"), Ask("accounts", **spelled, limit=200), NOW, secret=b"s" * 32
    )
    return {UUID(one["id"]) for one in json.loads(answer.data)}


async def stands(org: Organisation, slug: str) -> dict[str, set[UUID]]:
    """Nobody is pinned, and nothing stops flapping: accounts stand where the criteria put them."""
    rows = await org.rows(
        "SELECT m.segment, m.account_id FROM members m JOIN segmentations s ON s.workspace_id = $1 AND s.id = m.segmentation_id "
        "WHERE m.workspace_id = $1 AND s.slug = $2", slug,
    )  # fmt: skip
    by: dict[str, set[UUID]] = {}
    for segment, account in rows:
        by.setdefault(segment, set()).add(account)
    return by


@pytest.mark.parametrize("slug", SAID)
async def test_as_a_filter_it_finds_whom_the_rule_takes(org: Organisation, slug: str) -> None:
    """In both spellings, and none of the ones before; `filter` finds whoever stands there."""
    told = await segmentations.get(org.db, org.as_("viewer"), slug, NOW)
    standing, taken = await stands(org, slug), set[UUID]()
    assert sum(map(len, standing.values())) == 45
    for segment in told["segments"]:
        by_text = await found(org, segment["criteria"]["text"])
        assert by_text == await found(org, segment["criteria"]["tree"]), segment["slug"]
        expected = standing.get(segment["slug"], set())
        assert by_text - taken == expected == await found(org, segment["filter"]), segment["slug"]
        assert segment["detail"] is None
        taken |= by_text
    assert standing.get(told["rest"], set()) == await found(org, "arr >= 0") - taken


async def test_an_earlier_version_says_the_cuts_of_its_own(org: Organisation) -> None:
    """Criteria are of the version, and say its books; they do not follow the segments of today."""
    earlier, *_ = (await versions.every(org.db, org.as_("viewer"), "own", None, 5))[0]
    now = await segmentations.get(org.db, org.as_("viewer"), "own", NOW)
    assert [one["criteria"] for one in earlier["segments"]] == [one["criteria"] for one in now["segments"]]
    assert "percent_rank" not in json.dumps(earlier["segments"], default=str)


async def test_too_many_books_are_said_to_be(org: Organisation) -> None:
    """No text that means something else: who stands there is asked for by the segment, and the answer says why."""
    for n in range(80):
        await accounts.create(
            org.db, org.call(), {"name": f"Far {n}", "arr": 70 + n, "growth_potential": n, "region": f"Region {n}"}
        )
    body = {**MATRIX, "spec": {side: {"field": field, "cuts": {"by": "median", "within": "region"}}
                               for side, field in (("x", "arr"), ("y", "growth_potential"))}}  # fmt: skip
    await segmentations.put(org.db, org.call(), "regions", body, None)
    loaded = await workspaces.load(org.db, org.workspace.id)
    knowing = org.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)
    told = await segmentations.get(org.db, org.as_("viewer"), "regions", NOW)
    standing = await stands(org, "regions")
    for segment in told["segments"]:
        assert segment["criteria"]["text"] == segment["filter"] == f'segment.regions = "{segment["slug"]}"'
        assert segment["detail"].startswith("Cut within each region: ")
        assert await found(knowing, segment["filter"]) == standing.get(segment["slug"], set())


async def test_an_explanation_says_the_cuts_of_the_accounts_own_book(org: Organisation) -> None:
    """Its criteria are those of its book, by which its leaves are told too; what they say is so of the account."""
    rows = await org.rows(
        "SELECT id, csm_id FROM accounts WHERE workspace_id = $1 AND name LIKE 'Account%' ORDER BY name LIMIT 8"
    )
    assert {csm is None for _, csm in rows} == {True, False}
    for account, csm in rows:
        told = await explain.of_segments(org.db, org.as_("viewer"), account, "own", NOW)
        assert told["segment"] == told["stands"]["segment"]
        for one in told["segments"]:
            assert "percent_rank" not in one["text"]
            assert "percent rank" not in one["english"]
            assert (account in await found(org, one["text"])) == one["result"]
            if csm is not None:
                assert one["leaves"][0]["text"] == f'csm = "{csm}"'
                assert len(one["leaves"]) == 3
        body = {"id": str(account), "segmentation": "own", "segment": "high-high"}
        alone = await explain.of_record(org.db, org.as_("viewer"), body, NOW)
        assert {name: alone[name] for name in ("text", "english", "result")} == {
            name: told["segments"][0][name] for name in ("text", "english", "result")
        }


async def test_who_is_in_no_book_is_told_so(org: Organisation) -> None:
    """A book without cuts is none of those that have some."""
    ((new,),) = await org.rows("SELECT id FROM accounts WHERE workspace_id = $1 AND name = 'New'")
    told = await explain.of_segments(org.db, org.as_("viewer"), new, "own", NOW)
    assert told["segment"] == "unclassified"
    first = told["segments"][0]
    assert first["result"] is False
    assert (
        first["english"] == "Accounts whose CSM is Csm or Other."
        or first["english"] == "Accounts whose CSM is Other or Csm."
    )
    assert document(json.dumps(first, default=str).encode())["fewest"]
