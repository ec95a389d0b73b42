"""Exports: the same records as pages in every form, cells that are no formulas, columns of their types, few at a time."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from arro3.io import read_ipc_stream
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.nodes import Node
from app.domain.errors import Busy, Crowded, Invalid
from app.domain.exports import FORMS, LEADING, MARK, Form, file_name
from app.domain.roles import Principal
from app.persistence.database import EXPORTS, OF_ONE, Database
from app.services import exports, reads
from app.services.asks import Ask
from app.services.calls import new_id
from tests.laws.population import populate, store
from tests.laws.trees import AS_OF, PERSON, SETTING, WORKSPACE, criteria
from tests.services.organisations import NOW, Organisation, organisation

OWN = replace(WORKSPACE, id=UUID(int=11), epoch="exports")
PRINCIPAL = Principal(UUID(int=1), OWN, "admin", PERSON)
SECRET = b"a secret of the test's own, 32 b"
SORTS = (
    None,
    "-arr",
    "renewal_date,-name",
    "-segment.tier,health",
    "custom.area",
    "-custom.rank",
    "stage,-nps",
    "id",
)
CONTACT_SORTS = (None, "-name", "account.name,-last_seen_at", "custom.met", "-account.segment.tier")
SHOWN = (
    None,
    "name,arr,primary_contact.name,csm.email,segment.tier,custom.area",
    "id,segment,custom,products,custom.labels,custom.seen,custom.budget,parent.csm.name",
    "primary_contact.custom.labels,csm.role,health_band,renewal_date,last_interaction_at",
)
CONTACT_SHOWN = (None, "name,email,account.name,account.arr,account.segment.lanes,custom.topic,account.custom.vip")
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
Json = dict[str, Any]


@pytest.fixture(scope="module")
async def asked(db: Database) -> Database:
    """The module's database with a workspace that is full of empty values and ties."""
    async with db.transaction() as tx:
        await store(tx, populate(OWN, seed=5, accounts=25))
    return db


@dataclass
class Sink:
    """Keeps what it is given."""

    data: bytes = b""

    async def __call__(self, piece: bytes) -> None:
        self.data += piece


async def exported(db: Database, ask: Ask, form: Form, principal: Principal = PRINCIPAL, *, bom: bool = False) -> bytes:
    sink = Sink()
    stream = await exports.question(db, principal, ask, form, AS_OF, bom=bom)
    await stream.write(sink)
    return sink.data


async def paged(db: Database, ask: Ask, principal: Principal = PRINCIPAL) -> list[Json]:
    found: list[Json] = []
    ask = replace(ask, limit=7)
    while True:
        answer = await reads.collection(db, principal, ask, AS_OF, secret=SECRET)
        found += json.loads(answer.data, parse_float=Decimal)
        if answer.next is None:
            return found
        ask = replace(ask, cursor=answer.next)


def lines(data: bytes) -> list[Json]:
    assert data.endswith(b"\n") or not data
    return [json.loads(line, parse_float=Decimal) for line in data.split(b"\n")[:-1]]


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """A record's values by their whole names; what is absent has none."""
    for name, one in value.items():
        if isinstance(one, dict):
            yield from flat(one, f"{prefix}{name}.")
        else:
            yield prefix + name, one


def read(cell: str, of: Any) -> Any:
    """A cell as the value that it stands for, `of` being of the same kind."""
    match of:
        case None:
            return cell or None
        case bool():
            return {"true": True, "false": False}.get(cell, cell)
        case int() | Decimal():
            return Decimal(cell)
        case list():
            return json.loads(cell) if cell.startswith("[") else [t for t in plain(cell).split(";") if t]
        case _:
            return plain(cell)


def plain(cell: str) -> str:
    return cell.removeprefix(MARK)


def same(one: Any, other: Any) -> bool:
    """Equal, an instant in any of its spellings."""
    if one == other or (other == [] and one in (None, "")):
        return True
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (TypeError, ValueError):
        return False


def table(data: bytes) -> list[Mapping[str, str]]:
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    return [dict(zip(header, row, strict=True)) for row in rows]


def agree(records: list[Json], rows: list[Mapping[str, str]]) -> None:
    """Every value of each record stands in its cell, and every other cell is empty."""
    assert len(records) == len(rows)
    for record, row in zip(records, rows, strict=True):
        known = dict(flat(record))
        for name, cell in row.items():
            assert same(read(cell, known.get(name)), known.get(name)), (name, cell, known.get(name))
        assert {name for name, value in known.items() if value not in (None, [])} <= set(row)


def trees(entity: str, count: int) -> st.SearchStrategy[list[Node]]:
    """Generated criteria without the lists that only the laws' own setting knows."""
    known = criteria(ENTITIES[entity]).filter(lambda tree: "in_list" not in text.format(tree))
    return st.lists(known, min_size=count, max_size=count)


# Shrinking would take a batch apart for minutes, where the failure already names the one criteria.
RUN = settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)


@RUN
@given(asks=trees("accounts", 8))
async def test_accounts_are_those_of_all_pages(asked: Database, asks: list[Node]) -> None:
    for n, tree in enumerate(asks):
        ask = Ask("accounts", criteria=tree, params=SETTING.params, sort=SORTS[n % 8], fields=SHOWN[n % 4])
        records = await paged(asked, ask)
        assert lines(await exported(asked, ask, "ndjson")) == records
        agree(records, table(await exported(asked, ask, "csv")))


@RUN
@given(asks=trees("contacts", 6))
async def test_contacts_are_those_of_all_pages(asked: Database, asks: list[Node]) -> None:
    for n, tree in enumerate(asks):
        ask = Ask(
            "contacts", criteria=tree, params=SETTING.params, sort=CONTACT_SORTS[n % 5], fields=CONTACT_SHOWN[n % 2]
        )
        records = await paged(asked, ask)
        assert lines(await exported(asked, ask, "ndjson")) == records
        agree(records, table(await exported(asked, ask, "csv")))


async def test_every_order_is_that_of_pages(asked: Database) -> None:
    for entity, sorts in (("accounts", SORTS), ("contacts", CONTACT_SORTS)):
        for sort in sorts:
            ask = Ask(entity, sort=sort, fields="id", archived="with")
            assert lines(await exported(asked, ask, "ndjson")) == await paged(asked, ask), sort


async def test_related_records_are_nested_as_pages_have_them(asked: Database) -> None:
    for entity, include in (
        ("accounts", "interactions(2),contacts,csm,primary_contact"),
        ("contacts", "usage(3),account"),
    ):
        ask = Ask(entity, fields="name", include=include, archived="with")
        records = await paged(asked, ask)
        assert lines(await exported(asked, ask, "ndjson")) == records
        nested = next(iter(one for one in include.split("(")[0].split(",")))
        cells = [json.loads(row[nested], parse_float=Decimal) for row in table(await exported(asked, ask, "csv"))]
        assert cells == [record[nested] for record in records]
        assert any(cells)


# -- Arrow -------------------------------------------------------------------------------------------------------------


def typed(value: Any) -> Any:
    """What JSON has for a value of Arrow."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case float():
            return Decimal(repr(value))
        case _:
            return value


@pytest.mark.parametrize(
    ("entity", "fields"), [*(("accounts", f) for f in SHOWN), *(("contacts", f) for f in CONTACT_SHOWN)]
)
async def test_arrow_has_the_same_values_in_their_types(asked: Database, entity: str, fields: str | None) -> None:
    ask = Ask(entity, fields=fields, sort="-name", archived="with")
    records = [dict(flat(record)) for record in await paged(asked, ask)]
    found = read_ipc_stream(io.BytesIO(await exported(asked, ask, "arrow"))).read_all()
    columns = {name: found.column(name).to_pylist() for name in found.column_names}
    assert len(records) == found.num_rows > 20
    for n, record in enumerate(records):
        for name, values in columns.items():
            assert same(typed(values[n]), record.get(name)), (name, values[n], record.get(name))
        assert {name for name, value in record.items() if value not in (None, [])} <= set(columns)


async def test_arrow_says_the_types(asked: Database) -> None:
    ask = Ask("accounts", fields="id,arr,health,employees,renewal_date,created_at,is_reference,products,custom.budget")
    found = read_ipc_stream(io.BytesIO(await exported(asked, ask, "arrow"))).schema
    kinds = [
        str(found.field(name).type).removeprefix("arro3.core.DataType<").split(">")[0].strip() for name in found.names
    ]
    assert [kind.split("(")[0] for kind in kinds] == [
        "Utf8", "Decimal128", "Float64", "Int64", "Date32", "Timestamp", "Boolean", "List", "Decimal128",
    ]  # fmt: skip
    assert "19, 2" in kinds[1]


async def test_no_record_at_all(asked: Database) -> None:
    nobody = Ask("accounts", filter='name = "nobody is called so"', fields="name,arr")
    assert await exported(asked, nobody, "ndjson") == b""
    assert await exported(asked, nobody, "csv") == b"name,arr\n"
    found = read_ipc_stream(io.BytesIO(await exported(asked, nobody, "arrow"))).read_all()
    assert (found.num_rows, found.column_names) == (0, ["name", "arr"])


# -- cells -------------------------------------------------------------------------------------------------------------

HOSTILE = (
    "=1+1", "+49 30 1", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'quoted", "''", '"', 'a"b', "a,b", "a;b", "a\nb", "a\r\nb",
    " =1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\\.", "\\N", "NULL", "\x01", "\x02", "a\x01b\x02c", "\x7f", "\u2028", "𝔘",
    "$1", "$2", "%s", "{}", "\\", "\\'", "E'\\x'", "--", "/*",
)  # fmt: skip


async def told(org: Organisation, *names: str) -> None:
    """Accounts with these names, in this order."""
    for name in names:
        await org.run(
            "INSERT INTO accounts (workspace_id, id, name, website, arr, health, created_at, updated_at) "
            "VALUES ($1, $2, $3, $3, -500, -0.5, $4, $4)", new_id(), name, NOW,
        )  # fmt: skip


async def test_hostile_cells_come_back_as_they_were(db: Database) -> None:
    org = await organisation(db)
    await told(org, *HOSTILE)
    ask = Ask("accounts", fields="name,arr,health,website,products", sort="id")
    rows = table(await exported(db, ask, "csv", org.as_("admin")))
    assert [plain(row["name"]) for row in rows] == list(HOSTILE)
    assert not any(row["name"].startswith(tuple(LEADING.replace(MARK, ""))) for row in rows)
    assert {(row["arr"], row["health"], row["products"]) for row in rows} == {("-5.00", "-0.5", "")}
    assert [one["name"] for one in lines(await exported(db, ask, "ndjson", org.as_("admin")))] == list(HOSTILE)
    found = read_ipc_stream(io.BytesIO(await exported(db, ask, "arrow", org.as_("admin")))).read_all()
    assert found.column("website").to_pylist() == list(HOSTILE)
    filtered = Ask("accounts", filter='name IN ("$1", "\\\\", "=1+1")', fields="name", sort="name")
    assert [one["name"] for one in lines(await exported(db, filtered, "ndjson", org.as_("admin")))] == [
        "$1",
        "=1+1",
        "\\",
    ]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(names=st.lists(TEXTS, min_size=12, max_size=12))
async def test_any_text_comes_back_as_it_was(db: Database, names: list[str]) -> None:
    org = await organisation(db)
    await told(org, *names)
    ask = Ask("accounts", fields="name", sort="id")
    assert [plain(row["name"]) for row in table(await exported(db, ask, "csv", org.as_("admin")))] == names
    assert [one["name"] for one in lines(await exported(db, ask, "ndjson", org.as_("admin")))] == names


async def test_tags_are_joined_or_an_array_where_they_could_not_be_told_apart(db: Database) -> None:
    org = await organisation(db)
    sets: tuple[list[str], ...] = (["a", "b"], ["=a"], ["a;b", "c"], [" a", "b"], ["[a"], ["a b", "c"], [])
    for tags in sets:
        await org.run(
            "INSERT INTO accounts (workspace_id, id, name, products, created_at, updated_at) VALUES ($1, $2, 'A', $3, $4, $4)",
            new_id(), tags, NOW,
        )  # fmt: skip
    data = await exported(db, Ask("accounts", fields="name,products", sort="id"), "csv", org.as_("admin"))
    cells = [row["products"] for row in table(data)]
    assert cells == ["a;b", "'=a", '["a;b","c"]', '[" a","b"]', '["[a"]', "a b;c", ""]
    assert [read(cell, []) for cell in cells] == [*sets]


async def test_a_byte_order_mark_where_it_is_asked_for(asked: Database) -> None:
    ask = Ask("accounts", fields="name")
    assert await exported(asked, ask, "csv", bom=True) == b"\xef\xbb\xbf" + await exported(asked, ask, "csv")
    with pytest.raises(Invalid) as refused:
        await exported(asked, ask, "arrow", bom=True)
    assert refused.value.faults[0].parameter == "bom"


async def test_a_column_of_empty_cells_has_no_empty_lines(asked: Database) -> None:
    data = await exported(asked, Ask("accounts", fields="churn_reason", archived="with"), "csv")
    assert b"\n\n" not in data
    assert len(table(data)) == len(await paged(asked, Ask("accounts", fields="id", archived="with")))


# -- what is told ------------------------------------------------------------------------------------------------------


async def test_what_is_told_before_it_begins(asked: Database) -> None:
    ask = Ask("accounts", filter="renewal_date IN next(90d)", tz="Asia/Tokyo")
    stream = await exports.question(asked, PRINCIPAL, ask, "csv", AS_OF)
    assert (stream.form, stream.as_of, stream.file_name) == ("csv", AS_OF, "accounts-2026-11-22.csv")
    assert [(echo.window, echo.zone) for echo in stream.windows] == [("next(90d)", "Asia/Tokyo")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Renewals at risk", "Renewals-at-risk-2026-11-22.csv"), ("../../etc/passwd", "etc-passwd-2026-11-22.csv"),
        ('a"; x=\r\n', "a-x-2026-11-22.csv"), ("Verträge", "Verträge-2026-11-22.csv"), ("\u202e///", "export-2026-11-22.csv"),
        ("x" * 500, "x" * 80 + "-2026-11-22.csv"),
    ],
)  # fmt: skip
def test_file_names_are_safe(name: str, expected: str) -> None:
    assert file_name(name, date(2026, 11, 22), "csv") == expected


async def test_what_has_no_columns_is_refused(db: Database) -> None:
    org = await organisation(db)
    for form in ("csv", "arrow"):
        with pytest.raises(Invalid) as refused:
            await exports.question(db, org.as_("admin"), Ask("accounts", fields="custom"), form, NOW)
        assert refused.value.faults[0].parameter == "fields"
    with pytest.raises(Invalid) as refused:
        await exports.question(db, org.as_("admin"), Ask("accounts"), "arow", NOW)
    assert refused.value.faults[0].suggestion == "arrow"


@pytest.mark.parametrize("form", FORMS)
async def test_usage_windows_of_another_day_are_not_read(asked: Database, form: Form) -> None:
    ask = Ask("accounts", filter="sum(usage.value, last(30d)) >= 1", fields="id", sort="id")
    other = Principal(UUID(int=1), replace(OWN, facts_day=OWN.facts_day), "admin", PERSON)
    await _day(asked, "2020-01-01")
    stale = await exported(asked, ask, form, other)
    await _day(asked, OWN.facts_day.isoformat())
    assert await paged(asked, ask)
    if form == "ndjson":
        assert lines(stale) == await paged(asked, ask)
    elif form == "csv":
        assert table(stale) == await paged(asked, ask)
    else:
        assert read_ipc_stream(io.BytesIO(stale)).read_all().num_rows == len(await paged(asked, ask))


async def _day(db: Database, day: str) -> None:
    async with db.transaction() as tx:
        await tx.execute("UPDATE workspaces SET facts_day = $2 WHERE id = $1", OWN.id, date.fromisoformat(day))


# -- few at a time -----------------------------------------------------------------------------------------------------


async def test_beyond_a_few_at_a_time_others_are_refused_and_reads_go_on(
    asked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.persistence.pool.ACQUIRE_SECONDS", 0.1)
    async with AsyncExitStack() as stack:
        for _ in range(EXPORTS):
            await stack.enter_async_context(asked.copying(new_id()))
        with pytest.raises(Busy):
            await exported(asked, Ask("accounts"), "csv")
        assert await paged(asked, Ask("accounts", fields="id"))
    assert await exported(asked, Ask("accounts"), "csv")


async def test_one_workspace_does_not_keep_another_out(asked: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.persistence.pool.ACQUIRE_SECONDS", 0.1)
    assert OF_ONE < EXPORTS
    workspace_id = PRINCIPAL.workspace.id
    async with AsyncExitStack() as stack:
        for _ in range(OF_ONE):
            await stack.enter_async_context(asked.copying(workspace_id))
        with pytest.raises(Crowded):
            await exported(asked, Ask("accounts"), "csv")
        await stack.enter_async_context(asked.copying(new_id()))
    assert await exported(asked, Ask("accounts"), "csv")


async def test_whoever_waits_gets_what_another_of_the_workspace_gives_back(asked: Database) -> None:
    workspace_id = PRINCIPAL.workspace.id
    async with AsyncExitStack() as stack:
        for _ in range(OF_ONE):
            await stack.enter_async_context(asked.copying(workspace_id))
        waiting = asyncio.create_task(exported(asked, Ask("accounts"), "csv"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    assert await waiting


async def test_ten_that_are_cancelled_leak_nothing(asked: Database) -> None:
    gone = asyncio.Event()

    async def never(_: bytes) -> None:
        gone.set()
        await asyncio.Event().wait()

    for _ in range(10):
        gone.clear()
        stream = await exports.question(asked, PRINCIPAL, Ask("accounts"), "ndjson", AS_OF)
        writing = asyncio.create_task(stream.write(never))
        await gone.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    for _ in range(100):
        if not asked.connections["exports"]["busy"]:
            break
        await asyncio.sleep(0.02)
    left = asked.connections["exports"]
    assert (left["busy"], left["waiting"]) == (0, 0)
    assert left["free"] <= EXPORTS
    assert (
        await asked.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'") == 0
    )
    assert lines(await exported(asked, Ask("accounts"), "ndjson"))


async def test_what_the_sink_raises_is_raised(asked: Database) -> None:
    class FullError(Exception):
        pass

    async def full(_: bytes) -> None:
        raise FullError

    for form in FORMS:
        stream = await exports.question(asked, PRINCIPAL, Ask("accounts"), form, AS_OF)
        with pytest.raises(FullError):
            await stream.write(full)
        assert await exported(asked, Ask("accounts"), form)
