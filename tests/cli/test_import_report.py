"""What the command prints of an import: every kind of problem once, with its count, an example and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.cli.import_report import report

FILE = b"external_id,name,arr\na-1,One,1\na-2,\x1b[2JTwo,much\na-3,Three,\xff\n" + b"a-4," + b"x" * 300 + b",n/a\n"


def finding(code: str, count: int, lines: list[int], **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "column": None,
        "message": f"{code}!",
        "advice": None,
        "is_warning": True,
        "count": count,
        "lines": lines,
        **more,
    }


def told(*summary: dict[str, Any], **more: Any) -> dict[str, Any]:
    counts = {"rows": 4, "created": 1, "updated": 0, "unchanged": 0, "rejected": 3, "warned": 1}
    return {"id": "1", "kind": "accounts", "state": "done", "detail": None, "summary": list(summary), **counts, **more}


def shown(tmp_path: Path, given: dict[str, Any], errors: Path | None = None) -> list[str]:
    path = tmp_path / "a.csv"
    path.write_bytes(FILE)
    return report(given, path, errors).splitlines()


def test_a_clean_file_is_two_lines(tmp_path: Path) -> None:
    assert shown(tmp_path, told(created=4, rejected=0, warned=0)) == [
        "accounts: 4 rows read from a.csv", "  4 created, 0 updated, 0 unchanged, 0 rejected",
    ]  # fmt: skip


def test_a_failed_import_says_why(tmp_path: Path) -> None:
    found = shown(
        tmp_path, told(rows=0, created=0, rejected=0, warned=0, state="failed", detail="The database is gone.")
    )
    assert found[-1] == "  Failed: The database is gone."


def test_problems_are_told_once_each_with_their_first_line(tmp_path: Path) -> None:
    wrong = finding("money", 2, [3, 5], column="arr", is_warning=False, advice="Mend it.")
    doubtful = finding("negative", 1, [2])
    assert shown(tmp_path, told(wrong, doubtful)) == [
        "accounts: 4 rows read from a.csv",
        "  1 created, 0 updated, 0 unchanged, 3 rejected",
        "",
        "Rejected: 3 rows",
        "  2 rows  arr: money!",
        "      line 3: a-2,\N{REPLACEMENT CHARACTER}[2JTwo,much",
        "      -> Mend it.",
        "",
        "Taken, but doubtful: 1 row",
        "  1 row  negative!",
        "      line 2: a-1,One,1",
        "",
        "Every one of these rows, by line: --errors FILE.csv, or GET /v1/imports/1/errors",
    ]
    assert shown(tmp_path, told(wrong), Path("out.csv"))[-1] == "Every one of these rows, by line, is in out.csv."


def test_lines_are_shown_as_far_as_a_terminal_can(tmp_path: Path) -> None:
    found = shown(
        tmp_path, told(finding("encoding", 1, [4], is_warning=False), finding("text", 1, [5], is_warning=False))
    )
    assert "      line 4: a-3,Three,\N{REPLACEMENT CHARACTER}" in found
    (long,) = [line for line in found if "line 5" in line]
    assert (long.startswith("      line 5: a-4,xxx"), long.endswith("x…"), len(long)) == (True, True, 114)


def test_what_is_about_the_whole_file_names_its_things(tmp_path: Path) -> None:
    names = [{"name": f"feature-{n}", "count": 12 - n, "lines": [n]} for n in range(12)]
    found = shown(
        tmp_path, told(finding("made", 78, [1], column="what", names=names), rejected=0, warned=0, detail="And so.")
    )
    assert found[2:5] == ["  And so.", "", "Good to know"]
    text = " ".join(line.strip() for line in found[5:])
    assert text.startswith("what: made!: feature-0 (12 rows), feature-1 (11 rows)")
    assert text.endswith("feature-9 (3 rows), and 2 more")
