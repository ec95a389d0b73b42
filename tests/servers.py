"""A PostgreSQL and a Strata server to test against."""

import asyncio
import itertools
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from app.persistence import embedded
from tests import isolation

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "strata_template"
DEMO = "strata_demo"
DEMO_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Cluster:
    """The test run's PostgreSQL: where, and how to get a database of one's own."""

    home: Path
    cluster: embedded.Cluster

    def dsn(self, database: str, user: str = "strata") -> str:
        """Address of one of its databases."""
        return self.cluster.dsn(user, database)

    def admin(self, *statements: str) -> None:
        """Run statements as superuser."""
        asyncio.run(self._admin(statements))

    async def _admin(self, statements: tuple[str, ...]) -> None:
        connection = await asyncpg.connect(self.dsn("postgres", "postgres"))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def clone(self, template: str = TEMPLATE, name: str | None = None) -> str:
        """A fresh migrated database; gives its address."""
        name = name or f"test_{next(_numbers)}"
        await self._admin((f"CREATE DATABASE {name} TEMPLATE {template} OWNER strata STRATEGY file_copy",))
        return self.dsn(name)

    async def drop(self, dsn: str) -> None:
        """Remove a database whoever is connected."""
        name = dsn.split("@/", 1)[1].split("?", 1)[0]
        await self._admin((f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",))


@dataclass(frozen=True)
class Server:
    """A running server: its address, its database, its process and the keys made for it, by role."""

    url: str
    dsn: str
    process: "subprocess.Popen[bytes]"
    keys: dict[str, str]


def start_server(dsn: str | None, data_dir: Path, *flags: str, port: str = "0") -> Server:
    """Run `strata serve` on a database, its own when None, and wait until it is ready; it writes to serve.log."""
    data_dir.mkdir(parents=True, exist_ok=True)
    address_file = data_dir / "address"
    address_file.unlink(missing_ok=True)
    environment = {**os.environ, "STRATA_DATABASE_URL": dsn or "", "STRATA_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-m", isolation.program(), "serve", "--port", port, "--no-demo", *flags]
    with (data_dir / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--address-file", str(address_file)], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if address_file.exists() and _ready(url := address_file.read_text().strip()):
            return Server(url, dsn or "", process, {})
        time.sleep(0.05)
    stop_process(process)
    raise RuntimeError(f"the server did not become ready:\n{(data_dir / 'serve.log').read_text()[-4000:]}")


def stop_process(process: "subprocess.Popen[bytes]") -> None:
    """End a process politely, then by force."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):  # a file of which the address is not written yet, too
        return False
