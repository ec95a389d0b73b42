"""Numbers with a comma or a point before decimals: every amount is read back from every way of writing it, and nothing else is."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from app.domain.catalogue import Field
from app.domain.decimals import DECIMALS, GAPS, Decimals, parting
from app.domain.imports import FileKind
from app.domain.sources import Source
from app.persistence.database import Database
from app.persistence.staging.values import Bound, fit, told
from tests.persistence.staging.test_values import NOW, WORKSPACE

ARR = Field("arr", "money")
ROUNDS = 400
Read = tuple[object, str | None]


def written(amount: Decimal, decimals: Decimals, gap: str) -> str:
    """As somebody writes it who parts groups of three digits with a gap; with none, where that is empty."""
    whole, _, rest = f"{abs(amount):f}".partition(".")
    groups = [whole[max(0, end - 3) : end] for end in range(len(whole), 0, -3)][::-1]
    return ("-" if amount < 0 else "") + gap.join(groups) + (f"{decimals}{rest}" if rest else "")


async def read(db: Database, field: Field, source: Source, texts: list[str], media: FileKind = "csv") -> list[Read]:
    """The value of each text and, where it has none, the code."""
    bound = Bound(WORKSPACE, media, NOW)
    text = told(field, source, "v", bound)
    found = fit(field, source, "t.v", bound)
    whys = " ".join(f"WHEN {when} THEN '{code}'" for when, code in found.why)
    bound.args.append(texts)
    sql = (
        f"SELECT {found.value}, CASE WHEN {found.value} IS NULL AND t.v IS NOT NULL THEN CASE {whys} END END "
        f"FROM (SELECT {text} AS v FROM unnest(${len(bound.args)}::text[]) AS s(v) OFFSET 0) t WHERE $1::uuid IS NOT NULL"
    )
    return [(row[0], row[1]) for row in await db.fetch(sql, *bound.args)]


@pytest.mark.parametrize("decimals", DECIMALS)
async def test_every_amount_comes_back_from_every_way_of_writing_it(db: Database, decimals: Decimals) -> None:
    chance = random.Random(11)  # cases, no secrets
    gaps = ["", parting(decimals)[0], *(one for gap in GAPS for one in gap)]
    cents = [chance.choice((1, -1)) * chance.randrange(10 ** chance.randrange(1, 15)) for _ in range(ROUNDS)]
    amounts = [Decimal(n).scaleb(-chance.randrange(3)) for n in cents]
    texts = [written(amount, decimals, chance.choice(gaps)) for amount in amounts]
    found = await read(db, ARR, Source("c", decimal=decimals), texts)
    assert found == [(int(amount.scaleb(2)), None) for amount in amounts]


@pytest.mark.parametrize("decimals", DECIMALS)
async def test_what_the_other_sign_was_meant_by_is_refused_or_means_a_thousand_times_as_much(
    db: Database, decimals: Decimals
) -> None:
    """A text that is read both ways has one gap and three digits after it: nothing else can be mistaken."""
    chance = random.Random(12)
    other: Decimals = "." if decimals == "," else ","
    amounts = [Decimal(chance.randrange(10**7)).scaleb(-chance.randrange(4)) for _ in range(ROUNDS)]
    texts = [written(amount, other, chance.choice(("", decimals))) for amount in amounts]
    for amount, text, (value, code) in zip(
        amounts, texts, await read(db, ARR, Source("c", decimal=decimals), texts), strict=True
    ):
        whole, sign, rest = text.partition(other)
        if not set(text) & {",", "."} or (
            sign and len(rest) == 3 and whole.isdigit() and not whole.startswith("0") and len(whole) < 4
        ):
            assert value == int(text.replace(other, "")) * 100, text
        elif decimals in text and not sign and text.count(decimals) == 1:
            assert (value, code) == (None, "decimals") or value == int(Decimal(text.replace(decimals, ".")) * 100), (
                amount,
                text,
            )
        else:
            assert (value, code) == (None, "decimal_comma" if decimals == "," else "decimal_point"), (amount, text)


@pytest.mark.parametrize(
    ("decimals", "texts"),
    [
        (",", ["1.23", "0.125", "1.2345", "1.234.56", "1,2,3", "1,234.5", "12.5", "1 234.567", "1.234 567", ".123", "1.", "--1", "1.234e3", "x", "?", " 1"]),
        (".", ["1,23", "0,125", "1,2345", "1,234,56", "1.2.3", "1.234,5", "12,5", "1 234,567", "1,234 567", ",123", "1,", "--1", "1,234e3", "x", "?", " 1"]),
    ],
)  # fmt: skip
async def test_what_is_no_number_of_this_kind_has_its_code(db: Database, decimals: Decimals, texts: list[str]) -> None:
    code = {",": "decimal_comma", ".": "decimal_point"}[decimals]
    for field in (ARR, Field("health", "number", low=0, high=100), Field("seats", "integer", low=0, high=10)):
        found = await read(db, field, Source("c", decimal=decimals), texts)
        assert found == [(None, code)] * len(texts), field.name


async def test_what_the_sign_does_not_change(db: Database) -> None:
    """Bounds, exponents, what is empty, and what the mapping itself says, which is written as JSON has it."""
    source = Source("c", decimal=",", map={"half": "0.5", "n/a": None}, default="7.25")
    texts = ["half", "n/a", "", "1,5e1", "99,99", "100,01", "-0,0", "+5", "5,", ",5"]
    found = await read(db, Field("health", "number", low=0, high=100), source, texts)
    assert [value for value, _ in found] == [0.5, 7.25, 7.25, 15.0, 99.99, None, 0.0, 5.0, 5.0, 0.5]
    assert found[5][1] == "range"


async def test_separators_without_a_word_of_them_are_told(db: Database) -> None:
    texts = ["1,234", "1.234,56", "12,5", "1,234.56", "1 234", "1'234", "1.234.567", "-1,5"]
    assert await read(db, ARR, Source("c"), texts) == [(None, "separated")] * len(texts)
    others = ["1.234", "x", "1e3,5", "1" * 41, ",", "-", "1.5-"]
    assert [code for _, code in await read(db, ARR, Source("c"), others)] == [
        "decimals",
        "money",
        "money",
        "range",
        "money",
        "money",
        "money",
    ]
