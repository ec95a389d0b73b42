"""Imports: a file's way into the database by psql's `\\copy`, and a file's second import by its first."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TypeAlias
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, USAGE, Entity
from app.domain.imports import FileKind
from app.persistence.database import Database
from app.persistence.embedded_files import binaries
from app.persistence.sessions import Session, session
from app.services.importing import staging
from app.services.importing.run import SETTINGS, TIMEOUT
from app.services.imports import run_import
from bench import population
from bench.cpu import Meter
from bench.ratios import Goal, Ratio, Rounds, split
from bench.requests import FailedError
from bench.server import Cluster

Work: TypeAlias = Callable[[], Coroutine[None, None, None]]

SLUG = "imports"
FEATURES = ("login", "reports", "search", "exports")
USAGE_COLUMNS = ("account", "feature", "day", "value")
ACCOUNT_COLUMNS = ("external_id", "name", "domain", "region", "country", "employees", "health", "arr", "renewal_date")
GOALS: dict[FileKind, Goal] = {"csv": Goal(0.95, most=False), "ndjson": Goal(0.65, most=False)}
DONE = "\\echo done\n"


def measured(cluster: Cluster, dsn: str, lines: int, accounts: int, rounds: int) -> Iterator[Ratio]:
    """Usage is staged, accounts are imported twice, in a database that is for this alone."""
    with TemporaryDirectory(prefix="strata-bench-") as folder, asyncio.Runner() as runner:
        files = Path(folder)
        db = runner.run(Database.open(dsn, size=2))
        try:
            yield from _staged(runner, db, cluster, dsn, files, lines, rounds)
            yield _twice(runner, db, cluster, files, accounts, rounds)
        finally:
            runner.run(db.close())


# -- into the database -------------------------------------------------------------------------------------------------


def _staged(
    runner: asyncio.Runner, db: Database, cluster: Cluster, dsn: str, files: Path, lines: int, rounds: int
) -> Iterator[Ratio]:
    files_of: dict[FileKind, Path] = dict(zip(GOALS, _usage(files, lines), strict=True))
    meter = Meter({"pg": cluster.pid})
    with _psql(cluster, dsn) as psql:
        _told(psql, f"CREATE TEMP TABLE lines ({', '.join(f'{name} text' for name in USAGE_COLUMNS)});\n")
        copying = Meter({"psql": psql.pid, "pg": cluster.pid})

        def copy() -> dict[str, float]:
            _told(psql, "TRUNCATE lines;\n")
            command = f"\\copy lines FROM '{files_of['csv']}' WITH (FORMAT csv, HEADER)\n"
            return _timed(copying, partial(_told, psql, command))

        for kind, goal in GOALS.items():
            taken = Rounds()
            with _session(runner, db) as own:
                stage = partial(_stage, own, files_of[kind], kind, USAGE)

                def ours(own: Session = own, stage: Work = stage) -> dict[str, float]:
                    runner.run(_dropped(own))
                    return _with_python(meter, runner, stage)

                taken.take({"copy": copy, "ours": ours}, rounds)
            figures = {
                "rows": f"{lines:,}",
                "ours ms": split(taken, "ours", ("wall", "py", "pg")),
                "copy ms": split(taken, "copy", ("wall", "psql", "pg")),
            }
            yield Ratio(f"{kind.upper()} staged, by \\copy", goal, taken.ratios("copy", "ours", ("wall",)), figures)


@contextmanager
def _session(runner: asyncio.Runner, db: Database) -> Iterator[Session]:
    """The session that an import has, opened before and closed after what is measured."""
    stack = AsyncExitStack()
    own = runner.run(stack.enter_async_context(session(db, TIMEOUT, **SETTINGS)))
    try:
        yield own
    finally:
        runner.run(stack.aclose())


async def _dropped(own: Session) -> None:
    async with own.transaction() as tx:
        await tx.execute("DROP TABLE IF EXISTS import_lines")


async def _stage(own: Session, path: Path, kind: FileKind, entity: Entity) -> None:
    with path.open("rb") as file:
        await staging.stage(own, staging.opened(file, kind, entity, None), lambda _step, _part: None)


def _usage(files: Path, lines: int) -> tuple[Path, Path]:
    csv, ndjson = files / "usage.csv", files / "usage.ndjson"
    today = population.NOW.date()
    with csv.open("w") as rows, ndjson.open("w") as objects:
        rows.write(",".join(USAGE_COLUMNS) + "\n")
        for n in range(lines):
            account, feature = f"A-{n // 40}", FEATURES[n % 4]
            day, value = today - timedelta(days=n // 4 % 10), n % 97 + 1
            rows.write(f"{account},{feature},{day},{value}\n")
            objects.write(f'{{"account":"{account}","feature":"{feature}","day":"{day}","value":{value}}}\n')
    return csv, ndjson


@contextmanager
def _psql(cluster: Cluster, dsn: str) -> Iterator[subprocess.Popen[str]]:
    """A session that is told one command after the other, so that its backend lives as long as it is measured."""
    program = binaries(cluster.home, cluster.cluster.owner) / "bin" / "psql"
    command = [str(program), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", dsn]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        if process.stdin is not None:
            process.stdin.close()


def _told(psql: subprocess.Popen[str], command: str) -> None:
    assert psql.stdin is not None
    assert psql.stdout is not None
    psql.stdin.write(command + DONE)
    psql.stdin.flush()
    if psql.stdout.readline().strip() != "done":
        raise FailedError(f"psql would not do this: {command}")


# -- the same again ----------------------------------------------------------------------------------------------------


def _twice(runner: asyncio.Runner, db: Database, cluster: Cluster, files: Path, accounts: int, rounds: int) -> Ratio:
    workspace_id, _, _ = runner.run(population.organisation(db, SLUG))
    meter, taken = Meter({"pg": cluster.pid}), Rounds()
    for number in range(rounds):
        path = _accounts(files, number, accounts)
        first = _with_python(meter, runner, partial(_import, db, path, "created", accounts))
        before = runner.run(_written(db, workspace_id))
        again = _with_python(meter, runner, partial(_import, db, path, "unchanged", accounts))
        if runner.run(_written(db, workspace_id)) != before:
            raise FailedError("the same file again wrote rows")
        taken.taken.append({"first": first, "again": again})
    figures = {
        "rows": f"{accounts:,}",
        "first ms": split(taken, "first", ("py", "pg")),
        "again ms": split(taken, "again", ("py", "pg")),
    }
    return Ratio(
        "import by the same again", Goal(4.0, most=False), taken.ratios("first", "again", ("py", "pg")), figures
    )


def _accounts(files: Path, number: int, accounts: int) -> Path:
    path = files / f"accounts-{number}.csv"
    with path.open("w") as rows:
        rows.write(",".join(ACCOUNT_COLUMNS) + "\n")
        for n in range(accounts):
            day = population.NOW.date() + timedelta(days=n % 360)
            rows.write(
                f"F{number}-{n},Account {n},a{n}.example,emea,DE,{n % 5000},{n % 101},{n * 37 % 200_000}.50,{day}\n"
            )
    return path


async def _import(db: Database, path: Path, expected: str, rows: int) -> None:
    done = await run_import(db, SLUG, ACCOUNTS.name, path, None, population.NOW, lambda _step, _part: None)
    if done["state"] != "done" or done[expected] != rows:
        raise FailedError(f"an import of {rows:,} accounts, all of them {expected}, ended so: {done}")


async def _written(db: Database, workspace_id: UUID) -> str:
    """What changes whenever a row is written."""
    sql = "SELECT md5(string_agg(xmin::text || ctid::text, ',' ORDER BY id)) FROM accounts WHERE workspace_id = $1"
    found: str = await db.fetchval(sql, workspace_id)
    return found


def _with_python(meter: Meter, runner: asyncio.Runner, work: Work) -> dict[str, float]:
    """This process does the work of the server: its time counts too, without that of measuring."""
    spent = 0.0

    def worked() -> None:
        nonlocal spent
        began = process_time()
        runner.run(work())
        spent = (process_time() - began) * 1000

    used = _timed(meter, worked)
    return {**used, "py": spent}


def _timed(meter: Meter, work: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of CPU, and by the clock: bytes may be read while others are written."""
    wall = 0.0

    def worked() -> None:
        nonlocal wall
        began = perf_counter()
        work()
        wall = (perf_counter() - began) * 1000

    used = {name: microseconds / 1000 for name, microseconds in meter.during(worked).items()}
    return {**used, "wall": wall}
