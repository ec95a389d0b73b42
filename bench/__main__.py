"""The command: measures every case and prints a line for each."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app import settings
from app.persistence import migrations
from app.persistence.database import Database
from bench import cpu, exports, figures, forecasts, imports, lists, population, reads, segmentation, server, statements
from bench.bare import Bare
from bench.figures import Figure
from bench.limit import Limit
from bench.ratios import Ratio
from bench.reads import Limits
from bench.requests import Client, FailedError

CONNECTIONS = 8
CASES = ("reads", "lists", "imports", "exports", "segmentation", "forecasts")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `share` is of each read's own count; `accounts` is None for the demo workspace."""

    rounds: int
    share: float
    accounts: int | None
    staged: int
    imported: int
    placed: int
    books: tuple[int, int]
    exported: int
    forecast: tuple[int, ...]
    figures: figures.Size


FULL = Size(9, 1.0, None, 500_000, 10_000, 200_000, (10_000, 1_000_000), 1_000_000, (10_000, 100_000), figures.FULL)
QUICK = Size(1, 0.02, 2_000, 2_000, 200, 2_000, (5_000, 6_000), 2_000, (1_000, 2_000), figures.QUICK)


def main() -> int:
    """Run the benchmark; 0 when it could measure, whatever it found."""
    asked = _arguments()
    size = QUICK if asked.quick else FULL
    home: Path = asked.data_dir or server.data_dir()
    found: list[Ratio] = []
    reached: list[Figure] = []
    print(
        f"{'case':<34} {'ratio':>8}  {'(min-max)':>15}  {'goal':>7}  {'':<7}  medians of {size.rounds} rounds",
        flush=True,
    )
    try:
        cpu.available()
        for ratio in _measured(home, size, asked.only or CASES, asked.connections):
            found.append(ratio)
            print(ratio.line(), flush=True)
        if "forecasts" in (asked.only or CASES):
            for figure in figures.measured(size.figures):
                print(figure.line() if isinstance(figure, Figure) else figure, flush=True)
                reached += [figure] if isinstance(figure, Figure) else []
    except (cpu.UnmeasurableError, FailedError) as error:
        print(error, file=sys.stderr)
        return 1
    if asked.json:
        machine = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "at": datetime.now(UTC).isoformat(),
        }
        told = {"ratios": [ratio.record() for ratio in found], "figures": [figure.record() for figure in reached]}
        asked.json.write_text(json.dumps({**machine, **told}, indent=2) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description="How near Strata comes to its limits, as ratios of one run."
    )
    parser.add_argument("only", nargs="*", choices=[*CASES, []], help="cases to measure; all where none is named")
    parser.add_argument("--quick", action="store_true", help="tiny counts: does everything run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios there too")
    parser.add_argument("--data-dir", type=Path, help="where the benchmark's own database lies")
    parser.add_argument(
        "--connections", type=int, default=CONNECTIONS, help="requests on their way at a time, of each side"
    )
    return parser.parse_args()


def _measured(home: Path, size: Size, only: Collection[str], connections: int) -> Iterator[Ratio]:
    if "forecasts" in only:
        for accounts in size.forecast:
            yield forecasts.measured(accounts, min(size.rounds, 3))
    if not {*only} - {"forecasts"}:
        return
    bulk = min(size.rounds, 3)
    with server.cluster(home) as cluster:
        if "reads" in only:
            yield from _reads(cluster, size, connections)
        if "lists" in only:
            yield from lists.measured(cluster, size.books, bulk, size.share)
        if "imports" in only:
            with server.apart(cluster, "bench_imports") as dsn:
                yield from imports.measured(cluster, dsn, size.staged, size.imported, bulk)
        if "exports" in only:
            yield from exports.measured(cluster, size.exported, bulk)
        if "segmentation" in only:
            with server.apart(cluster, "bench_segmentation") as dsn:
                yield from segmentation.measured(cluster, dsn, size.placed, bulk)


def _reads(cluster: server.Cluster, size: Size, connections: int) -> Iterator[Ratio]:
    dsn = cluster.dsn()
    with ExitStack() as stack:
        key = _organisation(dsn, size.accounts) if size.accounts is not None else None
        served = stack.enter_context(server.serving(cluster.home, dsn, demo=key is None))
        key = key or settings.kept_text(cluster.home / "demo.key") or ""
        asyncio.run(cluster.admin("strata", "VACUUM (ANALYZE)", "CHECKPOINT"))
        client = Client(served.url, connections)
        stack.callback(client.close)
        cases = reads.cases(client, key, datetime.now(UTC).date())
        read = server.as_served(cluster.home, dsn)
        asked = asyncio.run(statements.noted(read, {case.name: case.requests for case in cases}))
        limits = Limits(stack.enter_context(Limit(dsn, connections)), stack.enter_context(Limit(dsn, 1)))
        bare = stack.enter_context(Bare(dsn, connections, asked))
        roots = {"srv": served.pid, "pg": cluster.pid}
        for case in cases:
            yield reads.measured(case, asked[case.name], client, limits, bare, roots, size.rounds, size.share)


def _organisation(dsn: str, accounts: int) -> str:
    """A synthetic workspace instead of the demo; its key."""
    migrations.upgrade(dsn)

    async def make() -> str:
        db = await Database.open(dsn, size=2)
        try:
            workspace_id, admin, key = await population.organisation(db, f"bench-{datetime.now(UTC):%Y%m%d%H%M%S}")
            await population.accounts(db, workspace_id, admin, accounts)
            await population.people(db, workspace_id, accounts)
        finally:
            await db.close()
        return key

    return asyncio.run(make())


if __name__ == "__main__":
    sys.exit(main())
