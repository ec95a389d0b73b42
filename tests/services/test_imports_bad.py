"""Files as they are out there: what is wrong is named by line, column and code, and the good rows land."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import Invalid
from app.persistence.database import Database
from tests.services.files import bring, counted, csv, ndjson, wrong
from tests.services.organisations import organisation

HEAD = b"external_id,name,arr\n"
GOOD = b"z,Zed,1\n"

# What is sent, what is named, how many rows land.
Case = tuple[bytes, list[tuple[int, str | None, str]], int]

CSV: dict[str, Case] = {
    "cut off within quotes": (HEAD + GOOD + b'b,"Bee', [(3, None, "cut")], 1),
    "a quote that is never closed": (HEAD + b'a,"Ay,1\n' + GOOD + b"c,Cee,2\n", [(2, None, "quote")], 2),
    "cut off within a row": (HEAD + GOOD + b"b,B", [(3, None, "cut")], 1),
    "cut off behind a quoted delimiter": (HEAD + GOOD + b'"b,b",B', [(3, None, "cut")], 1),
    "too many values at the very end": (HEAD + GOOD + b"a,A,1,2", [(3, None, "columns")], 1),
    "too many values": (HEAD + b"a,A,1,2\n" + GOOD, [(2, None, "columns")], 1),
    "too few values": (HEAD + GOOD + b"a,A\n", [(3, None, "columns")], 1),
    "latin-1": (HEAD + GOOD + "b,Müller,1\n".encode("latin-1"), [(3, None, "encoding")], 1),
    "NUL": (HEAD + b"b,B\0,1\n" + GOOD, [(2, None, "nul")], 1),
    "a surrogate in UTF-8": (HEAD + b"b,\xed\xa0\x80,1\n" + GOOD, [(2, None, "encoding")], 1),
    "a row of a megabyte": (HEAD + b"b," + b"x" * (1 << 20) + b",1\n" + GOOD, [(2, "name", "text")], 1),
    "a row of a megabyte, read row by row": (HEAD + b"b," + b"x" * (1 << 20) + b",1\nc\n" + GOOD, [(2, None, "too_long"), (3, None, "columns")], 1),
    "blank lines": (HEAD + b"\n" + GOOD + b"\n\n", [], 1),
    "an end mark of old": (HEAD + b"\\.\n" + GOOD, [(2, None, "columns")], 1),
    "2^63": (b"external_id,name,employees\na,A,9223372036854775808\nz,Z,1\n", [(2, "employees", "range")], 1),
    "2^31": (b"external_id,name,employees\na,A,2147483648\nz,Z,2147483647\n", [(2, "employees", "range")], 1),
    "money beyond 64 bits": (HEAD + b"a,A,92233720368547758.08\n" + b"b,B,92233720368547758.07\n", [(2, "arr", "range")], 1),
    "money of forty digits": (HEAD + b"a,A," + b"9" * 41 + b"\n" + GOOD, [(2, "arr", "range")], 1),
    "NaN": (b"external_id,name,health\na,A,NaN\nb,B,Infinity\nz,Z,100\n", [(2, "health", "number"), (3, "health", "number")], 1),
    "out of bounds": (b"external_id,name,health\na,A,100.1\nb,B,-1\n", [(2, "health", "range"), (3, "health", "range")], 0),
    "half a cent": (HEAD + b"a,A,1.005\n" + GOOD, [(2, "arr", "decimals")], 1),
    "a thousands separator": (HEAD + b'a,A,"1,000"\n' + GOOD, [(2, "arr", "separated")], 1),
    "a day that is none": (b"external_id,name,renewal_date\na,A,2026-02-30\nb,B,30.01.2026\nz,Z,2024-02-29\n",
                           [(2, "renewal_date", "date"), (3, "renewal_date", "date")], 1),
    "no name": (HEAD + b"a,,1\n" + GOOD, [(2, "name", "empty")], 1),
    "no identifier": (HEAD + b",A,1\n" + GOOD, [(2, "external_id", "empty")], 1),
    "a name that is too long": (HEAD + b"a," + b"x" * 501 + b",1\n" + GOOD, [(2, "name", "text")], 1),
    "no boolean": (b"external_id,name,is_reference\na,A,yes\nb,B,TRUE\nz,Z,true\n",
                   [(2, "is_reference", "bool"), (3, "is_reference", "bool")], 1),
    "no country": (b"external_id,name,country\na,A,Germany\nz,Z,DE\n", [(2, "country", "country")], 1),
    "nothing of that name": (b"external_id,name,industry,csm,stage\na,A,x,,\nb,B,,nobody,\nc,C,,,x\nz,Z,,csm,trial\n",
                             [(2, "industry", "unknown"), (3, "csm", "unknown"), (4, "stage", "unknown")], 1),
    "two things wrong in a row": (b"external_id,name,arr,health\na,,x,1\nz,Z,1,1\n", [(2, "name", "empty"), (2, "arr", "money")], 1),
    "lines after a row of several": (HEAD + b'a,"Two\nlines",1\nb,B,x\n', [(4, "arr", "money")], 1),
    "several lines, read row by row": (HEAD + b'a,"Two\nlines",1\nb,B\0,1\n\nc,C,x\n', [(4, None, "nul"), (6, "arr", "money")], 1),
}  # fmt: skip


@pytest.mark.parametrize("case", CSV)
async def test_csv(db: Database, tmp_path: Path, case: str) -> None:
    body, expected, landed = CSV[case]
    org = await organisation(db)
    shown = await bring(org, tmp_path, "accounts", body)
    assert (sorted(wrong(shown), key=str), shown["created"]) == (sorted(expected, key=str), landed)
    assert shown["state"] == "done"
    again = await bring(org, tmp_path, "accounts", body)
    assert counted(again) == (0, 0, landed, shown["rejected"])


LINE = b'{"external_id":"z","name":"Zed"}\n'
NDJSON: dict[str, Case] = {
    "cut off": (LINE + b'{"external_id":"a","na', [(2, None, "cut")], 1),
    "no object at the very end": (LINE + b"[1]", [(2, None, "json")], 1),
    "no object": (LINE + b"[1]\n1\n", [(2, None, "json"), (3, None, "json")], 1),
    "two objects on a line": (LINE + b'{"external_id":"a"},{"external_id":"b"}\n', [(2, None, "json")], 1),
    "one object on two lines": (LINE + b'{"external_id":"a",\n"name":"A"}\n', [(2, None, "json"), (3, None, "json")], 1),
    "latin-1": (LINE + '{"external_id":"a","name":"Müller"}\n'.encode("latin-1"), [(2, None, "encoding")], 1),
    "half a surrogate pair": (LINE + b'{"external_id":"a","name":"\\ud800"}\n', [(2, None, "surrogate")], 1),
    "NUL": (LINE + b'{"external_id":"a","name":"\\u0000"}\n', [(2, None, "nul")], 1),
    "NaN": (LINE + b'{"external_id":"a","name":"A","health":NaN}\n', [(2, None, "json")], 1),
    "beyond a double": (LINE + b'{"external_id":"a","name":"A","health":1e999}\n', [(2, "health", "number")], 1),
    "2^63": (LINE + b'{"external_id":"a","name":"A","employees":9223372036854775808}\n', [(2, "employees", "range")], 1),
    "a number as text": (LINE + b'{"external_id":"a","name":"A","health":"5"}\n', [(2, "health", "type")], 1),
    "a fraction of a person": (LINE + b'{"external_id":"a","name":"A","employees":5.5}\n', [(2, "employees", "integer")], 1),
    "text as a number": (LINE + b'{"external_id":1,"name":"A"}\n', [(2, "external_id", "type")], 1),
    "a member of no field": (LINE + b'{"external_id":"a","name":"A","nmae":1}\n', [(2, None, "unknown_member")], 1),
    "null where none may be": (LINE + b'{"external_id":"a","name":null}\n', [(2, "name", "empty")], 1),
    "no identifier": (LINE + b'{"name":"A"}\n', [(2, "external_id", "empty")], 1),
    "blank lines": (b'{"external_id":"a","name":"A"}\n\n  \r\n' + LINE + b"x", [(5, None, "json")], 2),
    "a line of a megabyte": (LINE + b'{"external_id":"a","name":"' + b"x" * (3 << 19) + b'"}\n' + LINE, [(2, None, "too_long")], 1),
    "an amount that a double cannot hold": (LINE + b'{"external_id":"a","name":"A","arr":12345678901234567.255}\n', [(2, "arr", "decimals")], 1),
    "a cent's hundredth": (LINE + b'{"external_id":"a","name":"A","arr":0.1000000000000000055}\n', [(2, "arr", "decimals")], 1),
    "a noncharacter": (LINE + b'{"external_id":"a","name":"\xef\xb7\x90"}\n', [], 2),
    "an empty date": (LINE + b'{"external_id":"a","name":"A","renewal_date":""}\n', [(2, "renewal_date", "date")], 1),
    "long members that no field takes": (LINE + b'{"external_id":"a","name":"A","arr":12345678901234567.25,"x":1}\n', [(2, None, "unknown_member")], 1),
}  # fmt: skip


@pytest.mark.parametrize("case", NDJSON)
async def test_ndjson(db: Database, tmp_path: Path, case: str) -> None:
    body, expected, landed = NDJSON[case]
    org = await organisation(db)
    shown = await bring(org, tmp_path, "accounts", body)
    assert (wrong(shown), shown["created"]) == (expected, landed)


HEADERS = {
    "nothing": (b"", 1, None, None),
    "blank": (b"\n\n", 1, None, None),
    "no header": (b"a,Acme,1\nb,Bee,2\n", 1, 1, None),
    "a column twice": (b"external_id,name,name\n", 1, 3, None),
    "a column of no field": (b"external_id,nam\n", 1, 2, "name"),
    "a column that is kept": (b"external_id,name,mrr\n", 1, 3, None),
    "no identifier": (b"name,arr\n", 1, None, None),
    "semicolons": (b"external_id;name\n", 1, None, None),
    "latin-1": ("external_id,näme\n".encode("latin-1"), 1, 14, None),
    "a quote that is never closed": (b'external_id,"name\na,A\n', 1, None, None),
}


@pytest.mark.parametrize("case", HEADERS)
async def test_a_header_that_cannot_be_read_is_refused(db: Database, tmp_path: Path, case: str) -> None:
    body, line, column, suggestion = HEADERS[case]
    org = await organisation(db)
    with pytest.raises(Invalid) as caught:
        await bring(org, tmp_path, "accounts", body)
    fault = caught.value.faults[0]
    assert (fault.line, fault.column, fault.suggestion) == (line, column, suggestion)
    assert f":{line}" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbfname,external_id\r\nAcme,a\r\n",
        b'"external_id","name"\n"a","Acme"',
        b"external_id,name\ra,Acme\r",
        b"\xef\xbb\xbf" + b'{"name":"Acme","external_id":"a"}',
        b'{"external_id":"a","name":"\\u0041cme"}\r\n',
    ],
)
async def test_spellings_of_one_file(db: Database, tmp_path: Path, body: bytes) -> None:
    org = await organisation(db)
    shown = await bring(org, tmp_path, "accounts", body)
    assert counted(shown) == (1, 0, 0, 0)
    assert await org.rows("SELECT external_id, name FROM accounts WHERE workspace_id = $1") == [("a", "Acme")]


async def test_text_arrives_as_it_is(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    names = [
        'say "hi"',
        "back\\slash",
        "tab\there",
        "line\nfeed",
        " spaces ",
        "null",
        "\\N",
        "\\.",
        "ü€😀",
        "a,b",
        "x\u2028",
        '\\"',
    ]
    await bring(
        org, tmp_path, "accounts", ndjson(*({"external_id": f"j{i:02}", "name": n} for i, n in enumerate(names)))
    )
    quoted = [(f"c{i:02}", '"' + n.replace('"', '""') + '"') for i, n in enumerate(names)]
    await bring(org, tmp_path, "accounts", csv(("external_id", "name"), *quoted))
    for letter in "jc":
        rows = await org.rows(
            "SELECT name FROM accounts WHERE workspace_id = $1 AND external_id LIKE $2 ORDER BY external_id",
            f"{letter}%",
        )
        assert [row[0] for row in rows] == names


async def test_a_hundred_thousand_problems_are_kept_and_all_are_counted(db: Database, tmp_path: Path) -> None:
    org = await organisation(db)
    body = HEAD + b"".join(b"a%d,A,x\n" % n for n in range(100_100))
    shown = await bring(org, tmp_path, "accounts", body)
    assert counted(shown) == (0, 0, 0, 100_100)
    assert [(one["code"], one["count"], one["lines"]) for one in shown["summary"]] == [
        ("money", 100_100, [2, 3, 4, 5, 6])
    ]
    assert await org.rows("SELECT count(*), max(line) FROM import_errors WHERE workspace_id = $1") == [
        (100_000, 100_001)
    ]
