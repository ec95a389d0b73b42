"""The rules for values of a file, in SQL, are the rules for values of a body, in Python."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.domain import date_formats, values
from app.domain.catalogue import Field
from app.domain.imports import FileKind
from app.domain.numbers import exact
from app.domain.sources import Source
from app.domain.values import MisfitError
from app.domain.workspaces import Workspace
from app.persistence.database import Database
from app.persistence.staging.values import Bound, fit

TEXTS = (
    "0", "-0", "1", "-1", "007", "1.5", "1.50", ".5", "5.", "1e3", "1E-2", "-1e300", "1e400", "1e-400", "--1", "1-", "+", "e", ".", "1_000",
    "0x10", " 1", "1 ", "12345678901234567890", "9223372036854775807", "92233720368547758.07", "92233720368547758.08", "2147483647",
    "2147483648", "NaN", "nan", "Infinity", "-inf", "١", "0.1", "0.01", "0.001", "100", "100.0001", "1,5",
    "true", "false", "TRUE", "t", "yes", "2024-02-29", "2023-02-29", "2024-2-9", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01",
    "2024-13-01", "2024-00-10", "20240229", "2024/02/29", "01-02-2024", "infinity", "today", "epoch",
    "2024-02-29T12:00:00Z", "2024-02-29t12:00:00z", "2024-02-29T12:00:00+02:00", "2024-02-29T12:00:00.123456-11:30", "2024-02-29T12:00:00",
    "2024-02-29 12:00:00Z", "2024-02-29T24:00:00Z", "2024-02-29T23:59:60Z", "2023-02-29T00:00:00Z", "9999-12-31T23:59:59-12:00",
    "2024-02-29T12:00:00.1234567Z", "2024-02-29T12:00:00+25:00", "red", "Red", "a-b_c", "A", "-a", "_", "a" * 63, "a" * 64, "a b",
    "x" * 500, "x" * 501, "DE", "de", "DEU", "a@b", "a@b@c", "@b", "a b@c",
    "01a201c3-6fc2-701d-824a-d6229bf30de6", "01A201C3-6FC2-701D-824A-D6229BF30DE6", "01a201c36fc2701d824ad6229bf30de6", "{}", " ", "  \t\n", "\u00a0\u3000", " x", "-0.01", "-0.00", "-1e20",
)  # fmt: skip
WORKSPACE = Workspace(
    UUID(int=1), "w", "W", "USD", 2, ZoneInfo("Europe/Berlin"), 1, 1, 40, 70, 1, datetime(2026, 1, 1, tzinfo=UTC).date()
)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIELDS: tuple[Field, ...] = (
    Field("title", "text", optional=True), Field("price", "money", least=0),
    Field("name", "text"), Field("country", "text"), Field("email", "text"), Field("domain", "text"), Field("website", "text", optional=True), Field("slug", "text"), Field("note", "text"),
    Field("score", "number", low=0, high=100), Field("value", "number"), Field("seats", "integer", low=0, high=2**31 - 1),
    Field("delta", "integer", low=-(2**31), high=2**31 - 1), Field("arr", "money"), Field("day", "date"), Field("at", "instant"), Field("on", "bool"),
    Field("colour", "enum", values=("red", "green")), Field("industry", "slug", target="industries"), Field("csm", "ref", target="users"),
)  # fmt: skip


def expected(field: Field, told: str) -> Any:
    """What a body's value of the same meaning becomes; None where it is refused."""
    value: object = told
    if field.kind in ("number", "integer", "money"):
        value = _number(told)
    if field.kind == "bool":
        value = {"true": True, "false": False}.get(told, told)
    try:
        return values.value(field, value, WORKSPACE.minor_digits)
    except MisfitError:
        return None


def _number(told: str) -> object:
    """A number as a reader of JSON gives it. A file may also write 007 and 5., which mean one thing only."""
    if not told.isascii() or set(told) - set("0123456789.+-eE") or told.startswith("+"):
        return told
    try:
        return exact(told) if set(told) & set(".eE") else int(told)
    except ValueError:
        return told


async def typed(
    db: Database, field: Field, source: Source, texts: tuple[str, ...], media: FileKind = "csv"
) -> list[Any]:
    bound = Bound(WORKSPACE, media, NOW)
    value = fit(field, source, "t.v", bound).value
    bound.args.append(list(texts))
    sql = f'SELECT {value} FROM (SELECT v COLLATE "C" AS v FROM unnest(${len(bound.args)}::text[]) v) t WHERE $1::uuid IS NOT NULL'
    return [row[0] for row in await db.fetch(sql, *bound.args)]


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.name)
async def test_the_same_values_fit(db: Database, field: Field) -> None:
    source = Source("c", {"slug": "slug", "ref": "id"}.get(field.kind))
    found = await typed(db, field, source, TEXTS)
    for text, value in zip(TEXTS, found, strict=True):
        wanted = expected(field, text)
        shown = UUID(value) if field.kind == "ref" and value is not None else value
        assert shown == wanted, (field.name, text[:80], value, wanted)


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.name)
async def test_what_does_not_fit_has_a_code(db: Database, field: Field) -> None:
    source = Source("c", {"slug": "slug", "ref": "id"}.get(field.kind))
    bound = Bound(WORKSPACE, "ndjson", NOW)
    fitted = fit(field, source, "t.v", bound)
    whys = " ".join(f"WHEN {when} THEN '{code}'" for when, code in fitted.why)
    bound.args.append(list(TEXTS))
    sql = f'SELECT {fitted.value}, CASE {whys} END FROM (SELECT v COLLATE "C" AS v FROM unnest(${len(bound.args)}::text[]) v) t WHERE $1::uuid IS NOT NULL'
    for row in await db.fetch(sql, *bound.args):
        assert row[1] is not None


async def test_what_has_happened_is_not_far_ahead(db: Database) -> None:
    field = Field("at", "instant", happened=True)
    texts = ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000001Z", "9999-12-31T00:00:00Z", "2026-11-24", "2020-01-01T00:00:00+01:00")  # fmt: skip
    bound = Bound(WORKSPACE, "csv", NOW)
    fitted = fit(field, Source("c"), "t.v", bound)
    whys = " ".join(f"WHEN {when} THEN '{code}'" for when, code in fitted.why)
    bound.args.append(list(texts))
    sql = f'SELECT {fitted.value} IS NULL, CASE {whys} END FROM (SELECT v COLLATE "C" AS v FROM unnest(${len(bound.args)}::text[]) v) t WHERE $1::uuid IS NOT NULL'
    found = [row[1] if row[0] else None for row in await db.fetch(sql, *bound.args)]
    assert found == [None, "ahead", "ahead", "instant", None]


FORMATS: dict[str, dict[str, str | None]] = {
    "%Y-%m-%d": {"2024-07-09": "2024-07-09T00:00:00+02:00", "2024-7-9": "2024-07-09T00:00:00+02:00", "2024-02-30": None, "9.7.2024": None},
    "%Y-%m-%d %H:%M": {"2024-07-09 3:00": "2024-07-09T03:00:00+02:00", "2024-01-09 23:59": "2024-01-09T23:59:00+01:00", "2024-07-09 24:00": None},
    "%d.%m.%Y": {"09.07.2024": "2024-07-09T00:00:00+02:00", "31.04.2024": None, "2024-07-09": None},
    "%m/%d/%Y %I:%M %p": {"7/9/2024 3:05 PM": "2024-07-09T15:05:00+02:00", "7/9/2024 12:00 am": "2024-07-09T00:00:00+02:00", "13/9/2024 1:00 PM": None},
    "%d %b %Y %H:%M:%S.%f": {"09 Jul 2024 03:00:01.5": "2024-07-09T03:00:01.500000+02:00", "09 Xyz 2024 03:00:01.5": None},
    "%d %B %Y": {"9 July 2024": "2024-07-09T00:00:00+02:00"},
    "%Y-%m-%dT%H:%M:%S%z": {"2024-07-09T03:00:00Z": "2024-07-09T03:00:00+00:00", "2024-07-09T03:00:00+0530": "2024-07-09T03:00:00+05:30"},
    "%d-%m-%Y": {"01-02-2024": "2024-02-01T00:00:00+01:00"},
}  # fmt: skip


@pytest.mark.parametrize("told", FORMATS)
async def test_formats(db: Database, told: str) -> None:
    source = Source("c", formats=(date_formats.read(told),))
    wanted = {text: None if iso is None else datetime.fromisoformat(iso) for text, iso in FORMATS[told].items()}
    texts = tuple(wanted)
    assert dict(zip(texts, await typed(db, Field("at", "instant"), source, texts), strict=True)) == wanted
    days = {text: at and at.astimezone(WORKSPACE.zone).date() for text, at in wanted.items()}
    assert dict(zip(texts, await typed(db, Field("day", "date"), source, texts), strict=True)) == days


async def test_the_first_format_that_fits_is_taken(db: Database) -> None:
    source = Source("c", formats=tuple(map(date_formats.read, ("%d.%m.%Y", "%Y/%m/%d"))))
    found = await typed(db, Field("day", "date"), source, ("01.02.2024", "2024/02/01", "x"))
    assert [str(day) for day in found] == ["2024-02-01", "2024-02-01", "None"]
