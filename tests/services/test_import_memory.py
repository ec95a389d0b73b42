"""An import's memory does not grow with its file: the real command, its peak as the kernel tells it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from app.persistence.database import Database
from tests.servers import ROOT
from tests.services.organisations import Organisation, organisation

MEGABYTE = 1 << 20
LINE = b"nobody-%012d,login,2026-11-%02d,%d," + b"x" * 1900 + b"\n"
"""A row of no account: it is read, copied and checked, and then refused, as fast as rows go."""
# Not getrusage: what it tells of a new process begins with the memory of the one that started it.
MEASURED = """
import sys
from app import cli
try:
    sys.exit(cli.main())
finally:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(peak.split()[1], file=sys.stderr)
"""


def written(path: Path, size: int) -> None:
    """A file of about this many bytes."""
    with path.open("wb") as file:
        file.write(b"account,feature,day,value,external_id\n")
        for n in range(size // len(LINE % (0, 1, 1))):
            file.write(LINE % (n, n % 28 + 1, n % 97))


async def peak(dsn: str, org: Organisation, folder: Path, megabytes: int) -> int:
    """The highest resident memory of a process that imports a file of so many megabytes, in bytes."""
    path = folder / f"{megabytes}.csv"
    written(path, megabytes * MEGABYTE)
    environment = {**os.environ, "STRATA_DATABASE_URL": dsn, "STRATA_DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MEASURED, "import", "usage", str(path), "--json", "--workspace", org.workspace.slug,
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, told = await process.communicate()
    path.unlink()
    shown = msgspec.json.decode(out)
    assert (shown["state"], shown["rows"], shown["rejected"]) == ("done", shown["rows"], shown["rows"]), told
    return int(told.split()[-1]) * 1024


async def test_a_hundred_megabytes_take_no_more_memory_than_one(db: Database, dsn: str, tmp_path: Path) -> None:
    org = await organisation(db)
    small = await peak(dsn, org, tmp_path, 1)
    large = await peak(dsn, org, tmp_path, 100)
    assert large < 150 * MEGABYTE
    assert large - small < 40 * MEGABYTE
