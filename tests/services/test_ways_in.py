"""What a value may be and what becomes of it is the same by a single write, in bulk, and by a file of either format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.api.bodies import decode
from app.api.rest import bulk as door
from app.domain.errors import StrataError, Unreadable
from app.persistence.database import Database
from app.services import accounts, attributes, bulk, workspaces
from tests.services.files import bring
from tests.services.organisations import Organisation, organisation

REFUSED = "refused"
DAYS = [
    "2026-01-31", "2024-02-29", "2026-02-29", "2026-02-30", "2026-00-10", "2026-13-01", "2026-04-31", "0001-01-01", "0000-01-01", "9999-12-31",
    "10000-01-01", "2026-1-1", "20260131", "2026-031", "2026-W05-6", "26-01-31", "+2026-01-31", "-2026-01-31", " 2026-01-31", "2026-01-31 ",
    "2026-01-31T00:00:00Z", "2026/01/31", "31.01.2026", "٢٠٢٦-٠١-٣١", "2026-01-31 BC", "today", "now", "epoch", "infinity", "-infinity", "tomorrow", "",
]  # fmt: skip
TIMES = [
    "00:00:00", "23:59:59", "24:00:00", "23:60:00", "12:00:60", "12:00:61", "12:00", "12", "1:00:00", "12:00:00.5", "12:00:00.123456",
    "12:00:00.1234567", "12:00:00.", "12:00:00,5", "120000", "23:59:59.999999",
]  # fmt: skip
OFFSETS = [
    "Z", "z", "+00:00", "-00:00", "+02:00", "-12:00", "+14:00", "+15:59", "+16:00", "-16:00", "+23:59", "-23:59", "+24:00", "-24:00",
    "+01:60", "+0200", "+02", "", " Z", "ZZ", " UTC", "Europe/Berlin", "+02:00:00",
]  # fmt: skip
MOMENTS = [
    *(f"2026-01-31T{time}{offset}" for time, offset in product(TIMES, ("Z", "-23:59"))),
    *(f"{day}T12:00:00{offset}" for day, offset in product(("2026-01-31", "0001-01-01", "9999-12-31", "2026-02-30"), OFFSETS)),
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0000-12-31T23:00:00-02:00", "2026-01-31t12:00:00z", "2026-01-31 12:00:00Z",
    "2026-01-31_12:00:00Z", "2026-01-31", "now", "infinity", "", "20260131T120000Z",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "1", "-1", "5", "100", "101", "0.5", "5.0", "5e0", "50E-1", "-0.0", "0.1", "0.10", "0.01", "0.001", "1e1", "1E+1", "1e2", "1e40", "1e41",
    "1e300", "1e308", "1e309", "1e-40", "1e-41", "1e-300", "5e-324", "1e-400", "0e-50", "1e999999999999999999999", "99.99", "1234567890123.45",
    "12345678901234567.25", "0.1000000000000000055", "2147483647", "2147483648", "-2147483649", "4294967296", "9007199254740993", "9007199254740993.0",
    "92233720368547758.07", "92233720368547758.08", "-92233720368547758.08", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "-9223372036854775809", "1.5e13", "1.5e17", "12e12", "999999999999.99", "1000000000000.01", "3.141592653589793238462643383279", "1." + "0" * 37,
    "1." + "0" * 38, "1." + "0" * 39, "1" * 40, "1" * 41,
]  # fmt: skip
NO_NUMBERS = ["01", "+1", "1.", ".5", "0x1", "1_000", "NaN", "Infinity", "-Infinity", "1e", "--1"]
WORDS = [
    "", " ", "a", "x" * 500, "x" * 501, "ü" * 500, "😀" * 500, "😀" * 501, "null", "\\N", "\\.", "true", "1", "\ufdd0", "\ufffe", "a\ufdd0", "\x01", "\x7f", "\r\n",
    "a\nb", " a ", "\u2028", '"', "\\", ",", "e\u0301",
]  # fmt: skip
SITE = "https://a.example/"
SITES = [
    "http://a.example:8080/b?c=d#e", "HTTPS://A.example", "https://müller.example/ü", "javascript:alert(1)", "data:text/html,x", "a.example", "https://",
    "https:///x", "https://a b.example", "https://a.example/<b>", 'https://a.example/"', "https://u:p@a.example", "https://a.example\n", "https://a.example/\u2028",
]  # fmt: skip
HOSTS = [
    "a.example", "A-1.b.example", "müller.example", "xn--mller-kva.example", "localhost", "a", "127.0.0.1", "https://a.example", "a.example/b", "a b", "-a.example",
    "a-.example", ".a", "a.", "a..b", "a_b.example", "a@b.example", "a.example:80", "a\u00a0b", "a\n", "😀.example", "x" * 500, "x" * 501,
]  # fmt: skip
OTHERS = [
    "null",
    "true",
    "false",
    "[]",
    "{}",
    '["a"]',
    '"true"',
    '"TRUE"',
    '"t"',
    '"on"',
    '"1"',
    '"5"',
    '"0.5"',
    '"NaN"',
    '""',
    "True",
]


def said(texts: Sequence[str]) -> list[str]:
    """Texts as JSON has them."""
    return [json.dumps(text, ensure_ascii=False) for text in texts]


DATES, INSTANTS, TEXTS, COUNTRIES = (
    said(DAYS),
    said(MOMENTS),
    said(WORDS),
    said(["DE", "de", "D", "DEU", "ÄÄ", "D1", "ZZ", "UK", "XX"]),
)
OWN: Mapping[str, Sequence[str]] = {
    "date": DATES, "instant": INSTANTS, "number": NUMBERS, "integer": NUMBERS, "money": NUMBERS, "text": TEXTS, "bool": (),
    "enum": said(["small", "Small", "smal", " small", "small "]),
}  # fmt: skip
"""An organisation's own attributes, one of each type and called so."""
FIELDS: Mapping[str, Sequence[str]] = {
    **OWN, "renewal_date": DATES, "health": NUMBERS, "employees": NUMBERS, "arr": NUMBERS, "is_reference": (), "country": COUNTRIES, "name": TEXTS,
    "website": said([SITE + "x" * (10_000 - len(SITE)), SITE + "x" * (10_001 - len(SITE)), *SITES]), "domain": said(HOSTS), "region": TEXTS,
}  # fmt: skip
"""Spellings by field of accounts."""
WRITTEN = ("date", "instant", "text", "enum", "renewal_date", "country", "name", "website", "domain", "region")
BY_HAND = ("arr", "renewal_date")


async def furnished(db: Database) -> Organisation:
    """An organisation whose accounts have an attribute of each type."""
    org = await organisation(db)
    for type_ in OWN:
        body = {"entity": "accounts", "slug": type_, "name": type_, "type": type_}
        await attributes.create(db, org.call(), {**body, "values": ["small", "large"]} if type_ == "enum" else body)
    return org.with_workspace(attributes=(await workspaces.load(db, org.workspace.id)).attributes)


def record(n: int, field: str, literal: str, *, file: bool = False) -> str:
    """A record of an account that says one thing."""
    member = f'"{field}":{literal}' if field not in OWN else f'"custom.{field}":{literal}'
    if field in OWN and not file:
        member = f'"custom":{{"{field}":{literal}}}'
    return f'{{"external_id":"{field}-{n}",{"" if field == "name" else """"name":"A","""}{member}}}'


def cells(field: str, literals: Mapping[int, str]) -> bytes:
    """The same as CSV."""
    column, name = (f"custom.{field}" if field in OWN else field), "" if field == "name" else ",name"
    lines = [f"external_id,{column}{name}"]
    for n, literal in literals.items():
        text = json.loads(literal) if literal.startswith('"') else "" if literal == "null" else literal
        quoted = '"' + text.replace('"', '""') + '"'
        lines.append(f"{field}-{n},{quoted}{',A' if name else ''}")
    return ("\n".join(lines) + "\n").encode()


def is_written(field: str, literal: str) -> bool:
    """Whether a file without types means the same by it."""
    if literal in ("null", '""'):
        return literal == "null"
    quoted = literal.startswith('"')
    return quoted == (field in WRITTEN) and literal[:1] not in "[{T" and literal not in NO_NUMBERS


async def singly(org: Organisation, told: Sequence[str]) -> None:
    """Each record by a write of its own."""
    for one in told:
        try:
            body: Any = decode(one.encode())
            await accounts.upsert(org.db, org.call(), body["external_id"], body, None)
        except StrataError:
            continue


async def together(org: Organisation, told: Sequence[str]) -> None:
    """All records that are JSON in one call, of which the good ones land."""
    await bulked(org, list(filter(is_json, told)), "rows")


async def each(org: Organisation, told: Sequence[str]) -> None:
    """Each record in a call of its own: what is plain is read another way than what is not."""
    for one in told:
        try:
            await bulked(org, [one], "all")
        except StrataError:
            continue


async def bulked(org: Organisation, told: Sequence[str], mode: Any) -> None:
    found, _ = door.asked(b'{"records":[' + ",".join(told).encode() + b"]}")
    await bulk.upsert(org.db, org.call(), "accounts", found, mode)


def is_json(one: str) -> bool:
    try:
        decode(one.encode())
    except Unreadable:
        return False
    return True


async def stored(org: Organisation, field: str, told: Sequence[str]) -> list[tuple[str, str | None]]:
    """What each record has, and what was told."""
    column = f"{field}_by_hand" if field in BY_HAND else field
    if field in OWN:
        column = f"custom->>'{org.workspace.attributes['accounts', field].key}'"
    rows = dict(await org.rows(f"SELECT external_id, ({column})::text FROM accounts WHERE workspace_id = $1"))
    return [(literal[:80], rows.get(f"{field}-{n}", REFUSED)) for n, literal in enumerate(told)]


async def check(db: Database, tmp_path: Path, field: str, told: Sequence[str]) -> None:
    """Tells every way the same of a new account each, and compares what each has then."""
    organisations = [await furnished(db) for _ in range(5)]
    one, some, several, lines, sheet = organisations
    records = [record(n, field, literal) for n, literal in enumerate(told)]
    await singly(one, records)
    await together(some, records)
    await each(several, records)
    await bring(
        lines, tmp_path, "accounts", "\n".join(record(n, field, t, file=True) for n, t in enumerate(told)).encode()
    )
    written = {n: literal for n, literal in enumerate(told) if is_written(field, literal)}
    if written:
        await bring(sheet, tmp_path, "accounts", cells(field, written))
    expected = await stored(one, field, told)
    assert await stored(some, field, told) == expected
    assert await stored(several, field, told) == expected
    assert await stored(lines, field, told) == expected
    found = await stored(sheet, field, told)
    assert [found[n] for n in written] == [expected[n] for n in written]


@pytest.mark.parametrize("field", FIELDS)
async def test_every_way_takes_the_same_spellings(db: Database, tmp_path: Path, field: str) -> None:
    told = [*FIELDS[field], *(NO_NUMBERS if FIELDS[field] is NUMBERS else ()), *OTHERS]
    if field == "arr":  # a file empties what is set by hand
        told.remove("null")
    await check(db, tmp_path, field, told)


YEARS = st.sampled_from(("0001", "1969", "2026", "9999"))
TWO = st.integers(0, 61).map("{:02}".format)
PLACES = st.text("0123456789", max_size=7)
SIGNED = st.sampled_from(("", "-"))
NUMBER = st.builds(
    lambda sign, whole, places, power: sign + (whole.lstrip("0") or "0") + places + power,
    SIGNED, st.text("0123456789", max_size=24), st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=22).map(".{}".format)),
    st.one_of(st.just(""), st.integers(-60, 60).map("e{}".format), st.integers(0, 20).map("E+{}".format)),
)  # fmt: skip
DAY = st.builds("{}-{}-{}".format, YEARS, TWO, TWO)
ZONE = st.one_of(st.just("Z"), st.builds("{}{}:{}".format, st.sampled_from("+-"), TWO, TWO))
INSTANT = st.builds(
    "{}T{}:{}:{}{}{}".format, DAY, TWO, TWO, TWO, st.one_of(st.just(""), PLACES.map(".{}".format)), ZONE
)
DRAWN: Mapping[str, st.SearchStrategy[str]] = {
    "date": DAY.map(json.dumps), "instant": INSTANT.map(json.dumps), "number": NUMBER, "integer": NUMBER, "money": NUMBER,
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(json.dumps),
}  # fmt: skip


@pytest.mark.parametrize("field", DRAWN)
async def test_every_way_takes_what_is_drawn(db: Database, tmp_path: Path, field: str) -> None:
    @settings(max_examples=1, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.lists(DRAWN[field], min_size=60, max_size=60))
    def draw(told: list[str]) -> None:
        drawn.append(told)

    drawn: list[list[str]] = []
    draw()
    await check(db, tmp_path, field, drawn[0])
