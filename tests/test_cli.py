"""The `strata` command as a person meets it: help, errors, start, stop, and starting again."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from app import logs, settings
from app.cli import strata
from app.persistence import embedded
from tests.servers import ROOT, Cluster, start_server


@pytest.fixture
def data(home: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir=home, prefix="cli-"))
    yield path
    embedded.stop(path)


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def processes(data: Path) -> list[int]:
    """Every process that belongs to a data directory."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if str(data) in " ".join(process.info["cmdline"] or []) or environment.get("STRATA_DATA_DIR") == str(data):
            found.append(process.pid)
    return found


def test_every_command_has_help() -> None:
    assert set(strata.commands) == {
        "serve", "worker", "migrate", "demo", "import", "workspace", "user", "key", "segmentations", "openapi",
        "schema",
    }  # fmt: skip
    assert all(command.help for command in strata.commands.values())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("STRATA_DATABASE_URL", "mysql://localhost/strata"),
        ("STRATA_LOG_LEVEL", "loud"),
        ("STRATA_SECRET", "short"),
    ],
)
def test_a_bad_variable_is_named(variable: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match=variable):
        settings.read({"STRATA_DATA_DIR": str(tmp_path), variable: value})


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = settings.read({"STRATA_DATA_DIR": str(tmp_path)}).secret
    assert settings.read({"STRATA_DATA_DIR": str(tmp_path)}).secret == first
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    given = "x" * settings.SECRET_BYTES
    assert settings.read({"STRATA_DATA_DIR": str(tmp_path), "STRATA_SECRET": given}).secret == given.encode()


def test_logs_are_json_and_hold_no_message_of_an_exception() -> None:
    try:
        raise ValueError("ada@example.org")
    except ValueError:
        record = logging.LogRecord("app.x", logging.ERROR, __file__, 1, "failed %s", ("once",), sys.exc_info())
    record.__dict__["request_id"] = "r1"
    line = json.loads(logs.JsonFormatter().format(record))
    assert (line["level"], line["message"], line["request_id"]) == ("error", "failed once", "r1")
    assert line["error"][0].startswith("ValueError at ")
    assert "ada@" not in json.dumps(line)


def test_a_port_in_use_is_one_line_that_says_what_to_do(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--port", str(taken.getsockname()[1]), STRATA_DATA_DIR=str(data))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: port ")
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_there_is_one_line(data: Path) -> None:
    done = run("migrate", STRATA_DATA_DIR=str(data), STRATA_DATABASE_URL=f"postgresql://strata@/strata?host={data}")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_migrators_at_once_do_not_meet(cluster: Cluster, data: Path) -> None:
    cluster.admin("CREATE DATABASE race OWNER strata")
    environment = {**os.environ, "STRATA_DATA_DIR": str(data), "STRATA_DATABASE_URL": cluster.dsn("race")}
    command = [sys.executable, "-m", "app.cli", "migrate"]
    racing = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    ends = [process.communicate(timeout=60)[1].decode() for process in racing]
    assert [process.returncode for process in racing] == [0, 0, 0], ends


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_server_and_database(data: Path, how: signal.Signals) -> None:
    server = start_server(None, data)
    assert len(processes(data)) >= 2
    server.process.send_signal(how)
    assert server.process.wait(15) in (0, 130)
    assert processes(data) == []


def test_after_the_server_was_killed_the_next_start_is_clean(data: Path) -> None:
    server = start_server(None, data, "--workers", "2")
    port = server.url.rsplit(":", 1)[1]
    server.process.kill()
    server.process.wait()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and any("spawn_main" in " ".join(_line(pid)) for pid in processes(data)):
        time.sleep(0.1)
    again = start_server(None, data, port=port)
    assert urllib.request.urlopen(f"{again.url}/readyz", timeout=5).status == 200
    again.process.send_signal(signal.SIGINT)
    again.process.wait(15)
    assert processes(data) == []


def _line(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


def test_an_organisation_sets_itself_up(data: Path, tmp_path: Path) -> None:
    def strata(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return run(*arguments, STRATA_DATA_DIR=str(data), STRATA_DATABASE_URL="")

    assert strata("workspace", "create", "Own", "--slug", "own").returncode == 0
    assert (
        strata("user", "create", "c@own.example", "--name", "C", "--role", "csm", "--workspace", "own").returncode == 0
    )
    made = strata("key", "create", "--user", "c@own.example", "--workspace", "own")
    assert made.stdout.startswith("strata_"), made.stderr
    (kept,) = json.loads(strata("key", "list", "--workspace", "own").stdout)
    assert (kept["hint"], kept["role"], kept["token"]) == (made.stdout[:15], "csm", None)
    rotated = strata("key", "rotate", kept["id"], "--overlap-hours", "0", "--workspace", "own")
    assert (rotated.stdout[:7], rotated.stdout == made.stdout) == ("strata_", False)
    assert "within a second" in strata("key", "revoke", kept["id"], "--workspace", "own").stderr
    assert "has ended" in strata("key", "rotate", kept["id"], "--workspace", "own").stderr
    assert "no such thing" in strata("key", "revoke", str(UUID(int=0)), "--workspace", "own").stderr
    more = strata("key", "create", "--user", "c@own.example", "--role", "admin", "--workspace", "own")
    assert "no more than the user's own role" in more.stderr
    assert "--scope" in strata("key", "create", "--role", "admin", "--workspace", "own").stderr
    assert "strata user create" in strata("key", "create", "--user", "nobody@own.example", "--workspace", "own").stderr
    (tmp_path / "a.csv").write_text("external_id,name,arr\na-1,One,5\na-2,Two,much\n")
    (tmp_path / "a.json").write_text('{"kind": "accounts", "columns": {"nmae": {"from": "name"}}}')
    wrong = strata(
        "import", "accounts", str(tmp_path / "a.csv"), "--mapping", str(tmp_path / "a.json"), "--workspace", "own"
    )
    assert "/columns/nmae" in wrong.stderr
    assert "name" in wrong.stderr
    (tmp_path / "b.csv").write_text("external_id,nmae\nb-1,One\n")
    unknown = strata("import", "accounts", str(tmp_path / "b.csv"), "--workspace", "own")
    assert "line 1, column 2: " in unknown.stderr
    rows = tmp_path / "rows.csv"
    half = strata("import", "accounts", str(tmp_path / "a.csv"), "--workspace", "own", "--errors", str(rows))
    assert (half.returncode, half.stdout.splitlines()[1]) == (1, "  1 created, 0 updated, 0 unchanged, 1 rejected")
    assert "line 3: a-2,Two,much" in half.stdout
    assert rows.read_text().splitlines()[1].startswith("3,arr,money,")
    assert "rejected: 1 of 2;" in half.stderr
    whole = strata("import", "accounts", str(tmp_path / "a.csv"), "--workspace", "own", "--json")
    assert (whole.returncode, json.loads(whole.stdout)["unchanged"]) == (1, 1)


HALVES = {
    "name": "Halves", "kind": "bands", "spec": {"field": "arr", "cuts": {"by": "median"}},
    "segments": [{"slug": "above", "name": "Above"}, {"slug": "below", "name": "Below"}],
}  # fmt: skip


def test_segmentations_are_planned_and_applied_from_a_file(data: Path, tmp_path: Path) -> None:
    def strata(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return run("segmentations", *arguments, "--workspace", "own", STRATA_DATA_DIR=str(data), STRATA_DATABASE_URL="")

    own = {"STRATA_DATA_DIR": str(data), "STRATA_DATABASE_URL": ""}
    run("workspace", "create", "Own", "--slug", "own", **own)
    run("user", "create", "ada@example.com", "--name", "Ada", "--workspace", "own", **own)
    file = tmp_path / "segmentations.json"
    file.write_text(strata("show").stdout)
    assert (strata("plan", str(file)).returncode, "~" in strata("plan", str(file)).stdout) == (0, False)
    size = {"name": "Size", "kind": "rules", "rest": "small",
            "segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 0.5"}]}  # fmt: skip
    file.write_text(json.dumps({"segmentations": {"size": size}}))
    planned = strata("plan", str(file))
    assert (planned.returncode, planned.stdout.splitlines()[0]) == (3, "+ size: new")
    refused = strata("apply", str(file))
    assert (refused.returncode, strata("plan", str(file)).returncode) == (130, 3)
    assert "applied 1" in strata("apply", str(file), "--yes", "--note", "as agreed").stderr
    assert strata("plan", str(file)).stdout == "= size: same\n"
    wanted = {"size": size | {"name": "How large"}, "halves": HALVES}
    file.write_text(json.dumps({"segmentations": wanted}))
    assert "no active user" in strata("apply", str(file), "--yes", "--user", "bob@example.com").stderr
    assert "applied 2" in strata("apply", str(file), "--yes", "--user", "ada@example.com").stderr
    (refused, anew) = (strata("refreeze", slug, "--yes") for slug in ("tier", "halves"))
    assert (refused.returncode, "Expected cuts that are taken from the accounts" in refused.stderr) == (1, True)
    assert (anew.returncode, anew.stdout.splitlines()[0]) == (0, "arr nowhere: no account has it")
    file.write_text('{"segmentations": {"size": {"kind": "ruls"}}}')
    wrong = strata("plan", str(file))
    assert (wrong.returncode, "/segmentations/size/kind: " in wrong.stderr, "rules?" in wrong.stderr) == (1, True, True)
