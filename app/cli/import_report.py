"""What became of a file, for a person: counts, then each kind of problem once, with an example and what to do."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from app.domain.imports import NOTES

WIDTH = 110
SHOWN = 100
"""Characters of a line that is shown as an example."""
NAMES = 10
"""Names that are told of one kind."""
Finding = Mapping[str, Any]


def report(told: Mapping[str, Any], file: Path, errors: Path | None) -> str:
    """The import that is over, as text; `errors` is where its single rows were written, if they were."""
    summary: Sequence[Finding] = told["summary"]
    rows = [one for one in summary if one["code"] not in NOTES]
    wrong, doubtful = ([one for one in rows if one["is_warning"] == warned] for warned in (False, True))
    examples = _lines(file, {one["lines"][0] for one in rows if one["lines"]})
    parts = [_counts(told, file)]
    if told["detail"]:
        parts.append(_filled(("Failed: " if told["state"] == "failed" else "") + told["detail"]))
    parts += _part(f"Rejected: {_rows(told['rejected'])}", (_problem(one, examples) for one in wrong))
    parts += _part(f"Taken, but doubtful: {_rows(told['warned'])}", (_problem(one, examples) for one in doubtful))
    parts += _part("Good to know", (_note(one) for one in summary if one["code"] in NOTES))
    if rows:
        parts.append(_where(told, errors))
    return "\n".join(parts)


def _counts(told: Mapping[str, Any], file: Path) -> str:
    counts = ", ".join(f"{told[name]:,} {name}" for name in ("created", "updated", "unchanged", "rejected"))
    return f"{told['kind']}: {_rows(told['rows'])} read from {file.name}\n  {counts}"


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")


def _part(title: str, entries: Iterable[str]) -> list[str]:
    found = list(entries)
    return ["", title, *found] if found else []


def _problem(one: Finding, examples: Mapping[int, str]) -> str:
    line = one["lines"][0]
    place = f"{one['column']}: " if one["column"] else ""
    told = [_filled(f"{_rows(one['count'])}  {place}{one['message']}")]
    told.append(f"      line {line}: {examples[line]}" if line in examples else f"      first in line {line}")
    return "\n".join([*told, *_advice(one)])


def _note(one: Finding) -> str:
    counted = one["code"] == "made"
    names = [told["name"] + (f" ({_rows(told['count'])})" if counted else "") for told in one.get("names", ())]
    more = [f"and {len(names) - NAMES} more"] if len(names) > NAMES else []
    place = f"{one['column']}: " if one["column"] else ""
    told = f"{place}{one['message']}".rstrip(".") + (f": {', '.join([*names[:NAMES], *more])}" if names else "")
    return "\n".join([_filled(told), *_advice(one)])


def _advice(one: Finding) -> Iterator[str]:
    if one["advice"]:
        yield _filled(f"-> {one['advice']}", "      ")


def _filled(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def _where(told: Mapping[str, Any], errors: Path | None) -> str:
    if errors is not None:
        return f"\nEvery one of these rows, by line, is in {errors}."
    return f"\nEvery one of these rows, by line: --errors FILE.csv, or GET /v1/imports/{told['id']}/errors"


def _lines(file: Path, wanted: set[int]) -> dict[int, str]:
    """Lines of the file as they can be shown, by number."""
    if not wanted:
        return {}
    with file.open("rb") as lines:
        found = {n: line for n, line in enumerate(islice(lines, max(wanted)), 1) if n in wanted}
    return {n: _shown(line) for n, line in found.items()}


def _shown(line: bytes) -> str:
    """What a terminal can show of a line: nothing in it can steer the terminal."""
    text = line[: SHOWN * 4].decode(errors="replace").rstrip("\r\n").replace("\t", " ")
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return plain if len(plain) <= SHOWN else plain[: SHOWN - 1] + "…"
