"""docs/lists.md: every block of code is run against the real server, and a recipe says the same in each language."""

from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import arro3.io
import pytest

from app.persistence.database import Database
from app.services import watches
from tests.api.conftest import House
from tests.docs.guides import PREPARATION, Told, blocks, prepared, recipes, run
from tests.servers import Server
from tests.showroom import furnished_well, token

Json = dict[str, Any]
LANGUAGES = ("sh", "python", "js")
VOLATILE = ("id", "as_of", "created_at", "updated_at", "from", "to", "since", "checked_at", "used_at", "at", "next")
"""Members that are others with every answer."""


BLOCKS = blocks("lists.md")
PREPARED = prepared(BLOCKS)
RECIPES = recipes(BLOCKS)
ALONE = tuple((one.heading, one.language) for one in BLOCKS if one.heading not in (*RECIPES, PREPARATION))


@pytest.fixture(scope="module")
async def shop(server: Server) -> AsyncIterator[House]:
    """The workspace that recipes are tried on."""
    db = await Database.open(server.dsn, size=2)
    async with furnished_well(db, server, "Recipes") as made:
        yield made
    await db.close()


@pytest.fixture(scope="module")
async def list_id(server: Server, shop: House) -> str:
    """A list of renewals at risk, watched since before one account entered it and another one left."""
    body = {
        "entity": "accounts", "name": "Renewals at risk", "sort": ["-arr"], "columns": ["name", "arr", "renewal_date", "csm.name"],
        "criteria": {"text": "renewal_date IN next(90d) AND health < 50"}, "visibility": "public",
    }  # fmt: skip
    made: str = (await shop.csm.post("/v1/lists", json=body)).json()["id"]
    assert (await shop.csm.put(f"/v1/lists/{made}/watch")).status_code == 200
    for name, health in (("A-010", 90), ("A-010", 20), ("A-020", 90)):
        account = await shop.manager.get(f"/v1/accounts/external/{name}")
        path, tag = f"/v1/accounts/{account.json()['id']}", {"if-match": account.headers["etag"]}
        assert (await shop.manager.patch(path, json={"health": health}, headers=tag)).status_code == 200
        db = await Database.open(server.dsn, size=1)
        await watches.check_one(db, shop.id, UUID(made), datetime.now(UTC))
        await db.close()
    return made


def script(heading: str, language: str) -> str:
    """What stands before each recipe, and the recipe."""
    (code, *_) = [one.code for one in BLOCKS if (one.heading, one.language) == (heading, language)]
    return f"{PREPARED[language]}\n{code}"


def settled(told: Any) -> Any:
    """Without what is another with every answer."""
    if isinstance(told, dict):
        return {name: settled(inner) for name, inner in told.items() if name not in VOLATILE}
    return [settled(one) for one in told] if isinstance(told, list) else told


@pytest.fixture(scope="module")
def languages() -> tuple[str, ...]:
    """All of them; where curl is not installed, that is said aloud."""
    if shutil.which("curl"):
        return LANGUAGES
    warnings.warn("The recipes of docs/lists.md for curl were not run: curl is not installed", stacklevel=2)
    return LANGUAGES[1:]


def test_each_recipe_is_there_in_each_language() -> None:
    assert len(RECIPES) == 12
    assert set(PREPARED) == set(LANGUAGES)
    for recipe in RECIPES:
        assert tuple(one.language for one in BLOCKS if one.heading == recipe) == LANGUAGES, recipe


@pytest.mark.parametrize("recipe", RECIPES)
async def test_a_recipe(
    recipe: str, languages: tuple[str, ...], server: Server, shop: House, list_id: str, tmp_path: Path
) -> None:
    """Its languages say the same, and what they say is so."""
    key = token(shop, "csm")
    told = [
        await run(language, script(recipe, language), tmp_path / language, server, key, {"LIST": list_id})
        for language in languages
    ]
    if recipe != "11. A list in a list":  # each one makes a list, which the next one finds
        assert all(settled(one.lines) == settled(told[0].lines) for one in told), [one.lines for one in told]
    for one in told:
        await CHECKS[int(recipe.partition(".")[0])](one, shop, list_id)


async def counted(shop: House, text: str) -> int:
    answer = await shop.csm.get("/v1/accounts", params={"filter": text, "count": "exact", "limit": 1})
    value: int = answer.json()["count"]["value"]
    return value


AT_RISK = "renewal_date IN next(90d) AND health < 50"


async def saved(told: Told, shop: House, list_id: str) -> None:
    (made,) = told.lines
    found = (await shop.csm.get(f"/v1/lists/{made['id']}")).json()
    assert {**found, "used_at": None} == made
    assert (made["criteria"]["text"], made["sort"], made["visibility"]) == (AT_RISK, ["-arr"], "private")


async def paged(told: Told, shop: House, list_id: str) -> None:
    count = await counted(shop, AT_RISK)
    assert count > 10
    assert told.lines == [f"{count} rows"]


async def summed(told: Told, shop: House, list_id: str) -> None:
    count, summary = told.lines
    assert count == {"value": await counted(shop, AT_RISK), "exact": True}
    assert summary["totals"]["count"] == count["value"]
    assert sum(group["values"]["sum(arr)"] for group in summary["data"]) == summary["totals"]["sum(arr)"]


async def exported(told: Told, shop: House, list_id: str) -> None:
    count = await counted(shop, AT_RISK)
    assert told.lines == [count + 1]
    rows = [json.loads(line) for line in (told.folder / "renewals.ndjson").read_text().splitlines()]
    assert len(rows) == count
    table = arro3.io.read_ipc_stream(told.folder / "renewals.arrow").read_all()
    assert table.num_rows == count
    assert [name["name"] for name in rows] == table["name"].to_pylist()
    assert not (told.folder / "renewals.part").exists()


async def mine(told: Told, shop: House, list_id: str) -> None:
    count, page = told.lines
    assert count["value"] == await counted(shop, "csm = @me") > 10
    assert [row["name"] for row in page["data"]] == sorted(row["name"] for row in page["data"])
    assert len(page["data"]) == 3


async def given(told: Told, shop: House, list_id: str) -> None:
    default, other = told.lines
    assert default["value"] == await counted(shop, "arr >= 5000")
    assert other["value"] == await counted(shop, "arr >= 12000") < default["value"]


async def moved(told: Told, shop: House, list_id: str) -> None:
    (changes,) = told.lines
    assert [(one["event"], one["external_id"], one["cause"]) for one in changes["data"]] == [
        ("entered", "A-010", "records")
    ]
    assert (changes["entered"], changes["left"]) == (1, 2)


async def tried(told: Told, shop: House, list_id: str) -> None:
    checked, preview = told.lines
    assert checked["ok"]
    assert [(one["code"], one["suggestion"]) for one in checked["problems"]] == [
        ("unknown_value", "software"), ("matches_empty", None),
    ]  # fmt: skip
    assert preview["count"] == await counted(shop, 'NOT industry = "software"')
    assert preview["matched_because_empty"]["count"] == await counted(shop, "industry IS EMPTY") > 0


async def explained(told: Told, shop: House, list_id: str) -> None:
    (told_,) = told.lines
    assert (told_["name"], told_["result"]) == ("Account 001", False)
    assert [one["text"] for one in told_["fewest"]] == ["renewal_date IN next(90d)"]
    assert told_["leaves"] == told_["tree"]["args"]


async def sent_again(told: Told, shop: House, list_id: str) -> None:
    words, changed = told.lines
    assert words == "one list"
    assert (changed["name"], changed["description"], changed["version"]) == ("Once only", "the first to write", 3)
    assert (await shop.csm.get(f"/v1/lists/{changed['id']}")).json()["name"] == "Once only"


async def nested(told: Told, shop: House, list_id: str) -> None:
    made, dependents = told.lines
    held = (await shop.csm.get(f"/v1/lists/{made['id']}/count")).json()["value"]
    assert held == await counted(shop, f"{AT_RISK} AND arr >= 5000") > 0
    (naming,) = dependents["data"]
    assert naming["what"] == "saved lists"
    assert naming["examples"][0] == "Large ones at risk"


async def by_graphql(told: Told, shop: House, list_id: str) -> None:
    (answer,) = told.lines
    found = answer["data"]["list"]
    assert found["accounts"]["totalCount"] == await counted(shop, AT_RISK)
    largest = [node["arr"] for node in found["accounts"]["nodes"]]
    assert largest == sorted(largest, reverse=True)
    assert len(largest) == 3


CHECKS = dict(
    enumerate(
        (saved, paged, summed, exported, mine, given, moved, tried, explained, sent_again, nested, by_graphql), start=1
    )
)


SAID = {
    "Building the tree": [r"true Accounts whose renewal date is in the next 30 days and that have contacts\."],
    "Showing problems where they are": [
        r"health: error: health takes a number\.",
        r"status: error: status is one of prospect, customer, churned\. Did you mean customer\?",
    ],
}
"""What the blocks for frontend teams write."""


@pytest.mark.parametrize(("heading", "language"), ALONE)
async def test_what_frontend_teams_are_shown(
    heading: str, language: str, server: Server, shop: House, list_id: str, tmp_path: Path
) -> None:
    key, others = token(shop, "viewer"), {"LIST": list_id}
    told = await run(language, script(heading, language), tmp_path / "run", server, key, others)
    assert len(told.lines) == len(SAID[heading])
    for line, expected in zip(told.lines, SAID[heading], strict=True):
        assert re.fullmatch(expected, line), line


def test_nothing_is_left_out() -> None:
    """Every block that names a language is run."""
    assert {one.language for one in BLOCKS} == set(LANGUAGES)
    assert {heading for heading, _ in ALONE} == set(SAID)
