"""What is measured: the real server process on a PostgreSQL of the benchmark's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app import settings
from app.persistence import embedded, migrations
from bench.requests import Client, FailedError, Request

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 120.0
STOP_SECONDS = 20.0
DROP = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
SECRET = "measured, and nobody's secret: 0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The benchmark's PostgreSQL."""

    home: Path
    cluster: embedded.Cluster

    @property
    def pid(self) -> int:
        """Its postmaster's process id."""
        found = self.cluster.pid()
        if found is None:
            raise FailedError(f"PostgreSQL has ended; its log is {self.cluster.log}")
        return found

    def dsn(self, database: str = "strata", user: str = "strata") -> str:
        """Address of one of its databases."""
        return self.cluster.dsn(user, database)

    async def admin(self, database: str, *statements: str) -> None:
        """Run statements as superuser."""
        connection = await asyncpg.connect(self.dsn(database, "postgres"))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def databases(self) -> list[str]:
        """The names of its databases."""
        connection = await asyncpg.connect(self.dsn("postgres", "postgres"))
        try:
            return [row[0] for row in await connection.fetch("SELECT datname FROM pg_database")]
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at `url`."""

    url: str
    pid: int


def data_dir() -> Path:
    """Where the benchmark keeps its data between runs: a folder beside the data of the service."""
    # With a secret given, reading the settings writes nothing into the directory of the real service.
    return settings.read({**os.environ, "STRATA_SECRET": SECRET}).data_dir / "bench"


def as_served(home: Path, dsn: str) -> settings.Settings:
    """The settings that the server runs with, for the same application in this process."""
    return settings.read(_environment(home, dsn))


@contextmanager
def cluster(home: Path) -> Iterator[Cluster]:
    """The PostgreSQL in this directory while the block runs."""
    with embedded.running(home, progress=_say):
        yield Cluster(home, embedded.Cluster(home))


@contextmanager
def apart(cluster: Cluster, name: str) -> Iterator[str]:
    """A fresh migrated database, so that other cases do not meet its rows; gone after the block. Gives its address."""
    try:
        yield anew(cluster, name)
    finally:
        asyncio.run(cluster.admin("postgres", DROP.format(name)))


def kept(cluster: Cluster, name: str) -> str:
    """A migrated database that stays for the next run; its address."""
    there = asyncio.run(cluster.databases())
    if name not in there:
        return anew(cluster, name)
    migrations.upgrade(cluster.dsn(name))
    return cluster.dsn(name)


def anew(cluster: Cluster, name: str) -> str:
    """The same without what was in it."""
    asyncio.run(cluster.admin("postgres", DROP.format(name), f"CREATE DATABASE {name} OWNER strata"))
    migrations.upgrade(cluster.dsn(name))
    return cluster.dsn(name)


@contextmanager
def serving(home: Path, dsn: str, demo: bool) -> Iterator[Server]:
    """`strata serve` on a free port, as anybody would run it, ended after the block; it writes to serve.log."""
    address = home / "address"
    address.unlink(missing_ok=True)
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--address-file", str(address)]
    command.append("--demo" if demo else "--no-demo")
    log = home / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(home, dsn), stdout=output, stderr=output)
    try:
        yield Server(_ready(process, address, log), process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes], address: Path, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if address.exists() and (url := address.read_text().strip()):
            client = Client(url)
            try:
                client.ask(Request("GET", "/readyz", "none").wire())
            finally:
                client.close()
            return url
        time.sleep(0.05)
    raise FailedError(f"the server did not become ready; {log} ends with:\n{log.read_text()[-2000:]}")


def _environment(home: Path, dsn: str) -> Mapping[str, str]:
    return {**os.environ, "STRATA_DATABASE_URL": dsn, "STRATA_DATA_DIR": str(home), "STRATA_SECRET": SECRET}


def _say(message: str) -> None:
    print(message, file=sys.stderr)
