"""Whatever Schemathesis makes of the served document, in all phases and by all checks, finds nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.persistence.database import Database
from tests.api.conftest import furnished
from tests.api.inhabited import inhabit
from tests.servers import ROOT, Server

SETTINGS = Path(__file__).with_name("schemathesis") / "schemathesis.toml"
HOOKS = "tests.api.schemathesis.hooks"
SWITCH = "STRATA_SCHEMATHESIS"
USUAL = ["--max-examples", "2", "--seed", "1", "--generation-deterministic"]
ALIKE = "opportunities|interactions|invoices|surveys|tickets|requests|sentiments|churns|teams|industries|features"
"""Collections whose routes are made by the same functions as those of contacts, contracts and products. What stands under an
account by its external id is made of the routes by its id."""
SHORTER = f"""
# In a usual run: of what is alike, the phase with the most requests is for one of each kind.
[[operations]]
include-path-regex = '^/v1/(accounts/external/[^/]+/.+|(accounts/[^/]+/)?({ALIKE})(/|$))'
[operations.phases.coverage]
enabled = false
"""
FULL = ["--max-examples", "200", "--generation-database", "none"]
"""With STRATA_SCHEMATHESIS=full: other inputs every time, and many of them."""
PHASES = ("examples", "coverage", "fuzzing", "stateful")


async def test_it_finds_nothing(server: Server, database: Database, tmp_path: Path) -> None:
    house = await furnished(database, server, "Generated")
    await inhabit(house.admin)
    report, settings, full = tmp_path / "report.json", tmp_path / "schemathesis.toml", os.environ.get(SWITCH) == "full"
    settings.write_text(SETTINGS.read_text() + ("" if full else SHORTER))
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(settings), "run", f"{server.url}/openapi.json",
        "--header", f"Authorization: {house.admin.headers['authorization']}", "--no-color",
        "--report", "json", "--report-json-path", str(report),
        *(FULL if full else USUAL),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": HOOKS}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout.partition("= FAILURES")[2][:20_000] or done.stdout[-20_000:]
    told: dict[str, Any] = json.loads(report.read_text())
    served = (await house.admin.get("/openapi.json")).json()["paths"]
    # The document itself, by which it knows all this, it does not ask for again.
    assert told["operations"]["tested"] == sum(len(methods) for methods in served.values()) - 1
    assert {told["phases"][phase]["status"] for phase in PHASES} == {"success"}
