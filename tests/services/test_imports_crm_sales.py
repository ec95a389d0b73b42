"""The walk-through of examples/crm_sales: every command of its page is run, every figure is held to the files."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.persistence.database import Database
from app.services import imports
from tests import isolation
from tests.servers import ROOT, Cluster, start_server, stop_process
from tests.services.files import bring, counted
from tests.services.files import csv as rows_of
from tests.services.organisations import NOW, organisation

EXAMPLES = ROOT / "examples" / "crm_sales"
BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORKSPACE = "w.slug = 'crm-sales'"
OPEN = ("Prospecting", "Engaging")
Row = dict[str, str]


@dataclass
class Truth:
    """What the files say, read by Python's csv module; amounts in cents."""

    accounts: list[Row]
    teams: list[Row]
    prices: dict[str, int]
    pipeline: list[Row]
    potential: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stages: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for row in self.pipeline:
            if not row["account"]:
                continue
            stage = "open" if row["deal_stage"] in OPEN else row["deal_stage"].lower()
            amount = int(row["close_value"]) * 100 if row["close_value"] else self.prices[_product(row)]
            self.stages[stage] += 1
            self.amounts[stage] += amount
            if stage == "open":
                self.potential[row["account"]] += amount

    def lines(self, **wanted: str) -> list[int]:
        """The lines of the pipeline whose columns have these values."""
        return [n for n, row in enumerate(self.pipeline, 2) if all(row[c] == v for c, v in wanted.items())]


def _product(row: Row) -> str:
    return row["product"].replace("GTXPro", "GTX Pro")


def _read(folder: Path, name: str) -> list[Row]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    path = shared_data / "crm_sales"
    if not path.is_dir():
        pytest.skip(f"the CRM sales files are not at {path}: set STRATA_SHARED_DATA")
    return path


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    prices = {row["product"]: int(row["sales_price"]) * 100 for row in _read(folder, "products")}
    return Truth(_read(folder, "accounts"), _read(folder, "sales_teams"), prices, _read(folder, "sales_pipeline"))


@dataclass(frozen=True)
class Step:
    """A command of the page, how it ended and what it printed."""

    command: str
    code: int
    out: str

    @property
    def shown(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    def problems(self, *, warnings: bool = False) -> dict[tuple[str | None, str], tuple[int, list[int]]]:
        """The summary: count and first lines by column and code, without columns that are not read."""
        return {
            (one["column"], one["code"]): (one["count"], one["lines"])
            for one in self.shown["summary"]
            if one["is_warning"] == warnings and one["code"] not in ("unmapped", "made")
        }

    def made(self) -> dict[str, int]:
        """What was made on the way, and how many rows name it."""
        found = [one["names"] for one in self.shown["summary"] if one["code"] == "made"]
        return {one["name"]: one["count"] for names in found for one in names}


@dataclass
class Terminal:
    """A shell in which the page is followed: what it sets stays set, and the server that it starts keeps running."""

    folder: Path
    dsn: str
    home: Path
    settings: list[str] = field(default_factory=list)
    url: str = ""

    def run(self, command: str) -> Step:
        """One command, after all settings so far; an import prints itself as JSON."""
        if command.startswith("strata import"):
            command += " --json"
        script = "\n".join([f'strata() {{ $PYTHON -m {isolation.program()} "$@"; }}', *self.settings, command])
        script = script.replace("../shared/data/crm_sales", str(self.folder)).replace("http://127.0.0.1:8000", self.url)
        environment = {
            **os.environ,
            "PYTHON": sys.executable,
            "STRATA_DATABASE_URL": self.dsn,
            "STRATA_DATA_DIR": str(self.home),
        }
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        return Step(command, done.returncode, done.stdout)


def _commands() -> list[str]:
    """The page's commands in their order, comments left out."""
    lines = [line for block in BLOCK.findall((EXAMPLES / "README.md").read_text()) for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def steps(cluster: Cluster, dsn: str, home: Path, folder: Path) -> Iterator[list[Step]]:
    terminal, done, started = Terminal(folder, dsn, home / "crm"), [], None
    for command in _commands():
        if command.startswith("strata serve"):
            started = start_server(dsn, home / "crm")
            terminal.url = started.url
        elif re.match(r"(export )?\w+=|ask\(\)", command):
            step = terminal.run(f'{command}\nprintf %s "$KEY"')
            key = command.startswith("export KEY")
            terminal.settings.append(f"export KEY={step.out}" if key else command)
        else:
            done.append(terminal.run(command))
    yield done
    assert started is not None
    stop_process(started.process)


def _of(steps: list[Step], mapping: str) -> Step:
    (found,) = [one for one in steps if one.command.startswith("strata import") and f"{mapping}.json" in one.command]
    return found


def _asked(steps: list[Step], words: str) -> Any:
    (found,) = [one for one in steps if one.command.startswith("ask") and words in one.command]
    return found.shown


async def _rows(db: Database, sql: str) -> list[Any]:
    return [tuple(row) for row in await db.fetch(sql)]


def test_every_command_ends_as_the_page_says(steps: list[Step]) -> None:
    rejected = {"sales_pipeline", "sales_pipeline_mended"}
    for step in steps:
        is_short = any(f"/{name}.json" in step.command and step.command.startswith("strata") for name in rejected)
        assert step.code == (1 if is_short else 0), step
        assert "/problems/" not in step.out, step


def test_the_faults_are_reported_with_counts_and_lines(steps: list[Step], truth: Truth) -> None:
    sectors = Counter(row["sector"] for row in truth.accounts)
    assert _of(steps, "accounts").made() == dict(sectors)
    assert sectors["technolgy"] == 12
    unnamed, unknown = truth.lines(account=""), truth.lines(product="GTXPro")
    undated = truth.lines(deal_stage="Prospecting")
    unpriced = [n for n in unknown if truth.pipeline[n - 2]["close_value"] == ""]
    assert truth.lines(engage_date="") == undated
    step = _of(steps, "sales_pipeline")
    assert step.problems() == {
        ("account", "empty"): (len(unnamed), unnamed[:5]), ("product", "unknown"): (len(unknown), unknown[:5]),
        ("engage_date", "empty"): (len(undated), undated[:5]), ("close_value", "empty"): (len(unpriced), unpriced[:5]),
    }  # fmt: skip
    bad = {*unnamed, *unknown, *undated}
    assert counted(step.shown) == (len(truth.pipeline) - len(bad), 0, 0, len(bad))
    assert all(one["line"] in bad for one in step.shown["errors"])


def test_a_mapping_mends_them(steps: list[Step], truth: Truth) -> None:
    step, before = _of(steps, "accounts_mended"), _of(steps, "sales_pipeline").shown
    assert (counted(step.shown), step.made()) == ((0, 12, 73, 0), {"technology": 12})
    step, unnamed = _of(steps, "sales_pipeline_mended"), truth.lines(account="")
    assert step.problems() == {("account", "empty"): (len(unnamed), unnamed[:5])}
    landed = sum(truth.stages.values())
    assert counted(step.shown) == (landed - before["created"], 0, before["created"], len(unnamed))


def test_the_figures_of_the_page_are_those_of_the_files(steps: list[Step], truth: Truth) -> None:
    page = (EXAMPLES / "README.md").read_text()
    first, then = (_of(steps, name).shown for name in ("sales_pipeline", "sales_pipeline_mended"))
    counts = [one["count"] for one in first["summary"] if not one["is_warning"]]
    for figure in (
        first["rows"],
        first["created"],
        first["rejected"],
        *counts,
        then["created"],
        then["unchanged"],
        then["rejected"],
    ):
        assert f"{figure:,}" in page, figure


async def test_people_are_there_with_their_offices(steps: list[Step], db: Database, truth: Truth) -> None:
    found = await _rows(
        db,
        f"SELECT u.external_id, u.name, u.role, u.team, u.email FROM users u JOIN workspaces w ON w.id = u.workspace_id WHERE {WORKSPACE} AND u.role <> 'admin'",
    )
    told = {(row["sales_agent"], "csm", row["regional_office"].lower()) for row in truth.teams}
    told |= {(row["manager"], "manager", row["regional_office"].lower()) for row in truth.teams}
    assert {(external_id, role, team) for external_id, _, role, team, _ in found} == told
    assert len(found) == 41
    for external_id, name, _, _, email in found:
        assert (name, email) == (external_id, f"{external_id.lower().replace(' ', '-')}@example.invalid")
    managers = _of(steps, "managers")
    assert managers.problems(warnings=True)[None, "duplicate"][0] == len(truth.teams) - 6
    assert set(managers.made()) == {"central", "east", "west"}


async def test_accounts_are_there_with_parents_industries_and_countries(
    steps: list[Step], db: Database, truth: Truth
) -> None:
    countries = json.loads((EXAMPLES / "accounts.json").read_text())["columns"]["country"]["map"]
    found = await _rows(
        db,
        "SELECT a.external_id, a.name, a.industry, a.employees, a.country, p.external_id FROM accounts a JOIN workspaces w ON w.id = a.workspace_id"
        f" LEFT JOIN accounts p ON p.workspace_id = a.workspace_id AND p.id = a.parent_id WHERE {WORKSPACE}",
    )
    assert sorted(found) == sorted(
        (
            row["account"], row["account"], row["sector"].replace("technolgy", "technology"), int(row["employees"]),
            countries[row["office_location"]], row["subsidiary_of"] or None,
        )
        for row in truth.accounts
    )  # fmt: skip
    shown = _asked(steps, 'parent = "Acme Corporation"')["data"]
    assert [one["name"] for one in shown] == [
        row["account"] for row in truth.accounts if row["subsidiary_of"] == "Acme Corporation"
    ]


async def test_opportunities_are_there_to_the_cent(steps: list[Step], db: Database, truth: Truth) -> None:
    found = await _rows(
        db,
        "SELECT o.external_id, a.external_id, u.external_id, o.product, o.stage, o.amount, to_char(o.opened_at, 'FMMM/FMDD/YYYY'), to_char(o.closed_at, 'FMMM/FMDD/YYYY')"
        " FROM opportunities o JOIN workspaces w ON w.id = o.workspace_id JOIN accounts a ON a.workspace_id = w.id AND a.id = o.account_id"
        f" JOIN users u ON u.workspace_id = w.id AND u.id = o.owner_id WHERE {WORKSPACE}",
    )
    assert sorted(found, key=repr) == sorted(
        (
            (
                row["opportunity_id"], row["account"], row["sales_agent"], _product(row).lower().replace(" ", "-"),
                "open" if row["deal_stage"] in OPEN else row["deal_stage"].lower(),
                int(row["close_value"]) * 100 if row["close_value"] else truth.prices[_product(row)],
                row["engage_date"] or "12/31/2017", row["close_date"] or None,
            )
            for row in truth.pipeline
            if row["account"]
        ),
        key=repr,
    )  # fmt: skip
    sums = await _rows(
        db,
        f"SELECT o.stage, count(*), sum(o.amount)::bigint FROM opportunities o JOIN workspaces w ON w.id = o.workspace_id WHERE {WORKSPACE} GROUP BY 1",
    )
    assert {stage: (n, amount) for stage, n, amount in sums} == {
        stage: (n, truth.amounts[stage]) for stage, n in truth.stages.items()
    }
    assert truth.amounts["won"] == sum(
        int(row["close_value"]) * 100 for row in truth.pipeline if row["deal_stage"] == "Won"
    )


async def test_growth_potential_is_what_is_open_at_list_price(steps: list[Step], db: Database, truth: Truth) -> None:
    found = await _rows(
        db,
        f"SELECT a.external_id, a.growth_potential, a.arr FROM accounts a JOIN workspaces w ON w.id = a.workspace_id WHERE {WORKSPACE}",
    )
    assert {name: potential for name, potential, _ in found} == {
        row["account"]: truth.potential.get(row["account"]) for row in truth.accounts
    }
    assert {arr for _, _, arr in found} == {0}
    most = sorted(truth.potential.values(), reverse=True)[:5]
    largest = [
        truth.prices[_product(row)] / 100
        for row in truth.pipeline
        if row["account"] and row["deal_stage"] in OPEN and row["sales_agent"] == "Darcel Schlecht"
    ]
    shown = _asked(steps, "Darcel Schlecht")["data"]
    assert [one["amount"] for one in shown] == sorted(largest, reverse=True)[:5]
    assert [one["growth_potential"] for one in _asked(steps, "sort=-growth_potential")["data"]] == [
        cents / 100 for cents in most
    ]


async def test_the_misspelt_industry_goes_and_files_come_over_http(
    steps: list[Step], db: Database, truth: Truth
) -> None:
    industries = await _rows(
        db, f"SELECT i.slug FROM industries i JOIN workspaces w ON w.id = i.workspace_id WHERE {WORKSPACE}"
    )
    assert {slug for (slug,) in industries} == {
        row["sector"].replace("technolgy", "technology") for row in truth.accounts
    }
    assert _asked(steps, "imports/mappings")["name"] == "crm-pipeline"
    begun = _asked(steps, "v1/imports?kind")
    assert begun["state"] in ("staged", "running")
    landed, unnamed = sum(truth.stages.values()), len(truth.lines(account=""))
    sql = f"SELECT state, created, updated, unchanged, rejected FROM imports WHERE id = '{begun['id']}'"
    async with asyncio.timeout(60):
        while (ended := await _rows(db, sql))[0][0] in ("staged", "running"):
            await asyncio.sleep(0.1)
    assert ended == [("done", 0, 0, landed, unnamed)]


async def test_nobodys_opportunities_land_where_a_mapping_puts_them(
    db: Database, folder: Path, tmp_path: Path, truth: Truth
) -> None:
    org = await organisation(db)
    for kind, name, file in (("products", "products", "products"), ("users", "agents", "sales_teams"),
                             ("accounts", "accounts_mended", "accounts")):  # fmt: skip
        assert (await _bring(org.db, org.workspace.slug, folder, kind, name, file))["rejected"] == 0
    await bring(org, tmp_path, "accounts", rows_of(("external_id", "name"), ("Nobody yet", "Nobody yet")))
    mapping = json.loads((EXAMPLES / "sales_pipeline_mended.json").read_text())
    mapping["columns"]["account"]["default"] = "Nobody yet"
    shown = await bring(org, tmp_path, "opportunities", (folder / "sales_pipeline.csv").read_bytes(), mapping)
    assert counted(shown) == (len(truth.pipeline), 0, 0, 0)
    assert await org.rows(
        "SELECT count(*) FROM opportunities o JOIN accounts a ON a.workspace_id = $1 AND a.id = o.account_id "
        "WHERE o.workspace_id = $1 AND a.external_id = 'Nobody yet'"
    ) == [(len(truth.lines(account="")),)]


async def _bring(db: Database, workspace: str, folder: Path, kind: str, name: str, file: str) -> Mapping[str, Any]:
    mapping = (EXAMPLES / f"{name}.json").read_bytes()
    path = folder / f"{file}.csv"
    result = await imports.run_import(db, workspace, kind, path, mapping, NOW, lambda step, part: None)
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result))
    return shown
