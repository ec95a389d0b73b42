"""The benchmark itself: it runs, and says something of everything; what it says is nobody's assertion."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cpu import between, tree, used
from bench.figures import Figure
from bench.lists import READY_MADE
from bench.published import RETENTION, TELCO
from bench.ratios import Goal, Ratio, Rounds
from tests.servers import ROOT

EVERY = (
    "REST point read", "REST page of 50", "REST page of 50, new filter each", "REST page of 1,000", "GraphQL 50, flat",
    "GraphQL 50, nested", "count and sum by tier and stage", "no interaction, page and count", *(f"list {one.slug}" for one in READY_MADE),
    "segmentation of 1 M x 5, first", "segmentation of 1 M x 5, again", "forecast of 1,000 accounts",
    "forecast of 2,000 accounts", "CSV staged, by \\copy", "NDJSON staged, by \\copy", "import by the same again",
    "export as ndjson, by COPY", "export as csv, by COPY", "export as arrow, by COPY",
)  # fmt: skip


def test_prints_every_ratio(home: Path) -> None:
    kept = home / "bench.json"
    command = [sys.executable, "-m", "bench", "--quick", "--data-dir", str(home / "bench"), "--json", str(kept)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(kept.read_bytes())
    ratios = {ratio["name"]: ratio for ratio in told["ratios"]}
    assert set(ratios) == set(EVERY)
    for name, ratio in ratios.items():
        assert any(line.startswith(name) for line in done.stdout.splitlines())
        assert 0 < ratio["min"] <= ratio["median"] <= ratio["max"]
        if ratio["goal"] is not None:
            assert ratio["met"] == Goal(ratio["goal"], ratio["at_most"]).met(ratio["median"])
    assert_figures([one["name"] for one in told["figures"]], done.stdout.splitlines())


def assert_figures(names: list[str], lines: list[str]) -> None:
    """Each has its line, and what is missing is named."""
    assert names[:2] == ["series, 60 accounts", "months held, planted shocks"]
    for name in names:
        assert any(line.startswith(name) and ("met" in line or "NOT MET" in line) for line in lines)
    of_telco, of_curves = (sum(name.startswith(start) for name in names) for start in ("Telco", ("sBG", "BdW")))
    for file, found, wanted in ((TELCO, of_telco, 12), (RETENTION, of_curves, 8)):
        assert found == (wanted if file.exists() else 0)
        assert any(line.startswith(f"NOT RUN: {file}") for line in lines) == (not file.exists())


def test_cpu_time_of_a_tree_is_that_of_its_processes() -> None:
    child = "import sys; sum(range(3_000_000)); print(flush=True); sys.stdin.read()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], stdin=sys.stdin)"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        spent = used(process.pid)
        assert {pid for pid in spent if pid > 0} == set(tree(process.pid))
        assert len(tree(process.pid)) == 2
        assert all(microseconds > 1_000 for pid, microseconds in spent.items() if pid > 0)
        process.communicate()


def test_a_process_that_ended_still_counts() -> None:
    assert between({1: 10.0, -1: 0.0, 2: 5.0}, {1: 12.5, -1: 7.0, 3: 4.0}) == 8.5


def test_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str, spent: float) -> Callable[[], dict[str, float]]:
        def work() -> dict[str, float]:
            order.append(name)
            return {"cpu": spent}

        return work

    rounds = Rounds()
    rounds.take({"limit": side("limit", 2.0), "route": side("route", 3.0)}, 2)
    assert order == ["limit", "route", "route", "limit"]
    assert rounds.ratios("route", "limit") == (1.5, 1.5)


@pytest.mark.parametrize(("goal", "met"), [(Goal(1.2), False), (Goal(1.5), True), (Goal(1.2, most=False), True)])
def test_a_goal_bounds_the_median(goal: Goal, met: bool) -> None:
    ratio = Ratio("some case", goal, (1.1, 1.4, 9.0), {"route µs": "srv 1 + pg 2"})
    assert ratio.median == 1.4
    assert ratio.met is met
    assert ratio.line().startswith("some case")


@pytest.mark.parametrize(
    ("figure", "met", "goal"),
    [
        (Figure("of some file", 0.1343, most=0.134), False, "≤ 0.134"),
        (Figure("of some file", 0.92, 0.92, digits=3), True, "≥ 0.92"),
        (Figure("of some file", 1.06, 0.95, 1.05), False, "0.95-1.05"),
    ],
)
def test_a_figure_lies_between_its_bounds(figure: Figure, met: bool, goal: str) -> None:
    assert figure.met is met
    assert goal in figure.line()
    assert ("NOT MET" in figure.line()) is not met
