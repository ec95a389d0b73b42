"""The law of ranks: cut-offs from the database select exactly the records that the definitions in plain Python select."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import Checked, Setting, check
from app.domain.criteria.evaluate import holds, spelled, value
from app.domain.criteria.fields import find
from app.domain.criteria.meant import Meaning, Shown
from app.domain.criteria.nodes import And
from app.domain.workspaces import clock
from app.persistence.compile import Scope, condition
from app.persistence.database import Database
from app.services import named
from tests.laws.population import MOMENT, Population, populate, store
from tests.laws.trees import AS_OF, WORKSPACE

ARCHIVED = 6
FIELDS = ("arr", "health", "seats_licensed", "custom.score", "custom.budget", "custom.rank")
GROUPS = ("csm", "industry", "segment.tier", "custom.plan", "is_reference", "region")
PLACES = [*((field, "") for field in FIELDS), *(("arr", by) for by in GROUPS), ("custom.score", "csm")]
NUMBERS: dict[str, tuple[str, ...]] = {
    "percent_rank": ("-0.1", "0", "0.25", "0.5", "0.9", "1", "1.5"),
    "ntile4": ("0", "1", "2.5", "4", "5"),
    "ntile10": ("1", "7", "10"),
    "rank_desc": ("0", "1", "3", "3.5", "1000"),
    "rank_asc": ("1", "2", "10", "1000"),
}
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
SETTING = Setting(WORKSPACE, clock(WORKSPACE, AS_OF))


@pytest.fixture(scope="module")
async def population(db: Database) -> Population:
    """Some accounts are archived: they are outside of what is ranked, and are asked all the same."""
    made = populate(WORKSPACE, seed=3, accounts=60)
    for one in made.records["accounts"][:ARCHIVED]:
        one["archived_at"] = MOMENT
    async with db.transaction() as tx:
        await store(tx, made)
    return made


def found(path: str, entity: str = "accounts") -> Shown:
    of = find(path, ENTITIES[entity], WORKSPACE)
    assert of is not None
    return of


def rank(fn: str, own: Any, population: list[Any]) -> Fraction | None:
    """The definition: of a value among the values of its population."""
    n = len(population)
    if own is None or n == 0:
        return None
    below, above = sum(v < own for v in population), sum(v > own for v in population)
    match fn:
        case "rank_asc":
            return Fraction(1 + below)
        case "rank_desc":
            return Fraction(1 + above)
        case "percent_rank":
            return min(Fraction(below, max(n - 1, 1)), Fraction(1))
        case _:
            tiles = int(fn.removeprefix("ntile"))
            return Fraction(min(1 + tiles * below // n, tiles))


def expected(made: Population, fn: str, field: str, by: str, test: Callable[[Fraction | None], bool]) -> set[Any]:
    def key(one: Any) -> str:
        return spelled(value(found(by), one)) if by else ""

    groups: dict[str, list[Any]] = {}
    for one in made.records["accounts"]:
        if one["archived_at"] is None and (own := value(found(field), one)) is not None:
            groups.setdefault(key(one), []).append(own)
    return {
        one["id"]
        for one in made.records["accounts"]
        if test(rank(fn, value(found(field), one), groups.get(key(one), [])))
    }


async def checked(db: Database, source: str, entity: str = "accounts") -> Checked:
    return await named.reading(
        db, SETTING, None, AS_OF, lambda setting: check(text.parse(source), ENTITIES[entity], setting)
    )


async def selected(db: Database, made: Population, sources: list[str]) -> list[set[Any]]:
    """What each criteria selects, by SQL; the reference evaluator has to say the same."""

    def read(setting: Setting) -> list[Meaning]:
        return [check(node, ACCOUNTS, setting).meaning for node in tree]

    # One AND of all says of every source at once what is lacking.
    tree = [text.parse(source) for source in sources]
    whole = await named.reading(
        db, SETTING, None, AS_OF, lambda setting: (check(And(tuple(tree)), ACCOUNTS, setting), setting)
    )
    meanings = read(whole[1])
    scope = Scope(WORKSPACE)
    columns = [
        f"ARRAY(SELECT a.id {scope.rows('accounts', 'a', [condition(one, ACCOUNTS, 'a', scope)])})" for one in meanings
    ]
    row = await db.fetchrow(f"SELECT {', '.join(columns)}", *scope.args)
    assert row is not None
    for source, meaning, ids in zip(sources, meanings, row, strict=True):
        assert {one["id"] for one in made.records["accounts"] if holds(meaning, one)} == set(ids), source
    return [set(ids) for ids in row]


@pytest.mark.parametrize(("field", "by"), PLACES)
async def test_comparisons(db: Database, population: Population, field: str, by: str) -> None:
    asked = [(fn, number, sign) for fn, numbers in NUMBERS.items() for number in numbers for sign in SIGNS]
    within = f" BY {by}" if by else ""
    sources = [f"{fn}({field}{within}) {sign} {number}" for fn, number, sign in asked]
    sources += [f"NOT {source}" for source in sources]
    answers = await selected(db, population, sources)
    everybody = {one["id"] for one in population.records["accounts"]}
    for n, (fn, number, sign) in enumerate(asked):

        def test(own: Fraction | None, sign: str = sign, at: Fraction = Fraction(Decimal(number))) -> bool:
            return SIGNS[sign](own, at) if own is not None else sign == "!="

        wanted = expected(population, fn, field, by, test)
        assert answers[n] == wanted, sources[n]
        assert answers[n + len(asked)] == everybody - wanted, sources[n + len(asked)]


@pytest.mark.parametrize("by", ["", " BY industry"])
async def test_ranges_lists_and_empty(db: Database, population: Population, by: str) -> None:
    tests: dict[str, Callable[[Fraction | None], bool]] = {
        f"ntile4(arr{by}) IN 2..3": lambda own: own is not None and 2 <= own <= 3,
        f"percent_rank(arr{by}) IN 0.2..<0.8": lambda own: own is not None and Fraction(1, 5) <= own < Fraction(4, 5),
        f"rank_desc(arr{by}) IN *..5": lambda own: own is not None and own <= 5,
        f"rank_asc(arr{by}) IN (1, 4, 9)": lambda own: own in (1, 4, 9),
        f"rank_asc(arr{by}) NOT IN (1, 4, 9)": lambda own: own not in (1, 4, 9),
        f"rank_desc(health{by}) IS EMPTY": lambda own: own is None,
        f"rank_desc(health{by}) IS NOT EMPTY": lambda own: own is not None,
    }
    answers = await selected(db, population, list(tests))
    for (source, test), ids in zip(tests.items(), answers, strict=True):
        fn, rest = source.split("(")[0], source.split("(")[1]
        assert ids == expected(population, fn, rest.split(")")[0].split(" ")[0], by.removeprefix(" BY "), test), source


async def test_a_contact_reaches_its_accounts_rank(db: Database, population: Population) -> None:
    meaning = (await checked(db, "rank_desc(account.arr) <= 30", "contacts")).meaning
    top = expected(population, "rank_desc", "arr", "", lambda own: own is not None and own <= 30)
    contacts = {one["id"] for one in population.records["contacts"] if one["account"]["id"] in top}
    assert {one["id"] for one in population.records["contacts"] if holds(meaning, one)} == contacts != set()


async def test_contacts_are_ranked_among_those_of_accounts_in_scope(db: Database, population: Population) -> None:
    meaning = (await checked(db, "rank_desc(active_days_30) <= 10", "contacts")).meaning
    own = [(one["id"], one["active_days_30"], one["account"]["archived_at"]) for one in population.records["contacts"]]
    inside = [days for _, days, archived in own if archived is None]
    wanted = {key for key, days, _ in own if 1 + sum(other > days for other in inside) <= 10}
    assert {one["id"] for one in population.records["contacts"] if holds(meaning, one)} == wanted


async def test_the_same_cut_offs_answer_until_they_are_taken_away(db: Database, population: Population) -> None:
    before = await checked(db, "ntile10(arr) = 10")
    again = await named.reading(
        db, SETTING, None, AS_OF + timedelta(minutes=50), lambda s: check(text.parse("ntile10(arr) = 10"), ACCOUNTS, s)
    )
    assert again == before
    (echo,) = before.ranks
    assert (echo.rank, echo.at, echo.cuts.computed_at) == ("ntile10(arr)", Decimal(10), AS_OF)
    assert [group.n for group in echo.cuts.groups] == [sum(
        one["arr"] is not None and one["archived_at"] is None for one in population.records["accounts"]
    )]  # fmt: skip
