"""docs/forecasts.md: every recipe is run on the real server with the demo, and its answers are held against what is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.docs.guides import blocks, cents, recipes, tell
from tests.servers import ROOT, Server

BLOCKS = blocks("forecasts.md")
DAY = date.fromisoformat(re.findall(r"demo made on (\d{4}-\d\d-\d\d)", (ROOT / "docs" / "forecasts.md").read_text())[0])
MILLIONS = 1_000_000
RECIPES = recipes(BLOCKS)


@pytest.mark.parametrize("recipe", RECIPES)
async def test_a_recipe(recipe: str, server: Server, demo_key: str, tmp_path: Path) -> None:
    """It runs, what is shown of its answers is so, and they are what the words around it say."""
    told = await tell(BLOCKS, recipe, tmp_path, server, demo_key, figures)
    if check := CHECKS.get(int(recipe.partition(".")[0])):
        check([lines[-1] for lines in told if lines])


def figures(shown: Any, told: Any, at: str = "") -> Iterator[str]:
    """What is shown and is not so: on the day that the page's figures are of, all of it, as exactly as it is shown; on others,
    when the demo is another one, no whole amount of millions may be half or twice what comes."""
    match shown, told:
        case dict(), dict():
            for name, inner in shown.items():
                yield from figures(inner, told[name], f"{at}/{name}")
        case list(), list():
            kept = [one for one in shown if one != "…"]
            for place, (one, other) in enumerate(zip(kept, told, strict=False)):
                yield from figures(one, other, f"{at}/{place}")
        case _ if datetime.now(UTC).date() == DAY:
            if not so(shown, told):
                yield f"{at} is {told}, shown is {shown}"
        case (int() | float(), int() | float()) if abs(shown) >= MILLIONS and not re.search(r"/\d|/steps/", at):
            if not 0.5 < told / shown < 2:
                yield f"{at} is {told}, shown is {shown}"


def so(shown: Any, told: Any) -> bool:
    """Numbers are shown with as many places as are needed."""
    if isinstance(shown, float) and isinstance(told, int | float):
        places = len(str(shown).partition(".")[2])
        return bool(abs(told - shown) <= 0.5 * 10**-places * (1 + 1e-6))
    return bool(shown == told)


def added_up(told: list[Any]) -> None:
    (forecast,) = told
    for name in ("expected", "due"):
        amounts = [one[name]["arr"] if name == "due" else one[name] for one in forecast["groups"]]
        whole = forecast[name]["arr"] if name == "due" else forecast[name]
        assert sum(map(cents, amounts)) == cents(whole)
    assert forecast["p05"] < forecast["p50"] < forecast["p95"]
    assert 0 < forecast["target_probability"] < 1


def reasoned(told: list[Any]) -> None:
    (renewal,), (worst,) = (one["data"] for one in told)
    assert cents(worst["arr"]) - cents(worst["expected"]) == cents(worst["expected_loss"]) >= 1_000_000
    assert renewal["base"] + sum(one["logit"] for one in renewal["reasons"]) == pytest.approx(renewal["logit"])
    assert 1 / (1 + math.exp(-renewal["logit"])) == pytest.approx(renewal["probability"])


def grouped(told: list[Any]) -> None:
    rest, graphql = told
    assert sum(cents(one["expected"]) for one in rest["groups"]) == cents(rest["expected"])
    mine = [(one["key"], one["expected"], one["p05"], one["p95"]) for one in rest["groups"]]
    assert mine == [
        (one["key"], one["expected"], one["p05"], one["p95"]) for one in graphql["previewForecast"]["groups"]
    ]


def supposed(told: list[Any]) -> None:
    (side_by_side,) = told
    first, *others = side_by_side["scenarios"]
    for one, difference in zip(others, side_by_side["differences"], strict=True):
        assert cents(one["expected"]) - cents(first["expected"]) == cents(difference["expected"]) < 0
        assert sum(cents(group["expected"]) for group in difference["groups"]) == cents(difference["expected"])


def called(told: list[Any]) -> None:
    made, people, computed, same = told
    assert (people["calls"], computed["renewals"], same["forecastAccuracy"]["renewals"]) == (0, 0, 0)
    call = made["call"]
    assert cents(call["expected"]) == round(cents(call["amount"]) * call["probability"])


def stepped(told: list[Any]) -> None:
    (fall,) = told
    assert cents(fall["opening"]) + sum(map(cents, fall["steps"].values())) == cents(fall["closing"])


def kept(told: list[Any]) -> None:
    rest, graphql = told
    for name, base in (("grr", "arr"), ("nrr", "arr"), ("logo_churn", "accounts"), ("gross_renewal_rate", "arr")):
        figure = rest[name]
        assert figure["numerator"] / figure["denominator"][base] == pytest.approx(figure["value"], abs=1e-6)
    assert rest["grr"]["denominator"] != rest["gross_renewal_rate"]["denominator"]
    assert graphql["retention"]["grr"]["value"] == rest["grr"]["value"]


def outlived(told: list[Any]) -> None:
    (curve,) = told
    rates = [one["retention"] for one in curve["expected"][2:]]
    assert rates == sorted(rates)


CHECKS: dict[int, Callable[[list[Any]], None]] = {
    1: added_up, 2: reasoned, 3: grouped, 4: supposed, 5: called, 6: stepped, 8: kept, 10: outlived,
}  # fmt: skip


def test_nothing_is_left_out() -> None:
    """Every block that names a language belongs to a recipe, or is what an answer looks like."""
    assert {one.heading for one in BLOCKS} == {"Before you begin", *RECIPES}
    assert {one.language for one in BLOCKS} == {"sh", "graphql", "json"}
