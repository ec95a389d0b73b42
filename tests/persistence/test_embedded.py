"""The PostgreSQL that comes along: made, shared, killed, found again."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.persistence import embedded
from app.persistence.embedded_files import LONGEST_SOCKET_DIRECTORY, EmbeddedError
from tests.servers import ROOT

HOLD = """
import sys, time
from pathlib import Path
from app.persistence import embedded
with embedded.running(Path(sys.argv[1])) as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data(home: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir=home, prefix="pg-"))
    yield path
    embedded.stop(path)


@pytest.fixture(scope="module")
def made(home: Path) -> Path:
    """A cluster that exists already, to be copied instead of made again."""
    path = home / "made"
    with embedded.running(path):
        pass
    return path


@pytest.fixture
def again(made: Path, data: Path) -> Path:
    """A data directory with a stopped cluster in it."""
    subprocess.run(["cp", "-a", f"{made}/postgres", str(data)], check=True)
    return data


def ask(dsn: str, question: str = "SELECT 1") -> object:
    async def run() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(run())


def postmasters(data: Path) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cmdline"]) if str(data / "postgres") in (p.info["cmdline"] or [])]


def hold(data: Path) -> "subprocess.Popen[str]":
    """Another process inside `running`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def test_first_start_makes_a_database_whose_owner_is_no_superuser(data: Path) -> None:
    told: list[str] = []
    with embedded.running(data, progress=told.append) as dsn:
        assert (
            ask(dsn, "SELECT current_user || ' ' || rolsuper FROM pg_roles WHERE rolname = current_user")
            == "strata false"
        )
        assert ask(dsn, "SELECT current_setting('server_version_num')::int / 10000") == 18
        assert ask(dsn, "SELECT current_setting('data_checksums')") == "on"
        assert ask(dsn, "SELECT current_setting('listen_addresses')") == ""
        assert (data / "run").stat().st_mode & 0o777 == 0o700
        (process,) = postmasters(data)
        assert psutil.Process(process).uids().real != 0
    assert told
    assert postmasters(data) == []


def test_what_was_made_starts_again(again: Path) -> None:
    began = time.monotonic()
    with embedded.running(again) as dsn:
        ask(dsn)
        print(f"second start: {time.monotonic() - began:.2f} s")
    print(f"and stop: {time.monotonic() - began:.2f} s")


def test_two_directories_run_at_once(again: Path, made: Path) -> None:
    with embedded.running(again) as one, embedded.running(made) as other:
        assert one != other
        for dsn, name in ((one, "one"), (other, "other")):
            ask(dsn, f"CREATE TABLE {name} ()")
        assert ask(one, "SELECT to_regclass('other')") is None


def test_users_of_one_directory_share_a_postmaster(again: Path) -> None:
    other = hold(again)
    with embedded.running(again) as dsn:
        (postmaster,) = postmasters(again)
        other.communicate("", timeout=10)
        assert ask(dsn) == 1
        with embedded.running(again) as inner:
            assert ask(inner) == 1
        assert postmasters(again) == [postmaster]
    assert postmasters(again) == []


def test_a_killed_user_does_not_count(again: Path) -> None:
    other = hold(again)
    other.kill()
    other.communicate()
    (postmaster,) = postmasters(again)
    with embedded.running(again) as dsn:
        assert ask(dsn) == 1
        assert postmasters(again) == [postmaster]
    assert postmasters(again) == []


def test_after_the_postmaster_was_killed_the_next_start_is_clean(again: Path) -> None:
    other = hold(again)
    with embedded.running(again) as dsn:
        ask(dsn, "CREATE TABLE kept AS SELECT generate_series(1, 1000)")
    (postmaster,) = postmasters(again)
    # A backend at work outlives its postmaster for a moment and holds the shared memory.
    busy = subprocess.Popen([sys.executable, "-c", BUSY, dsn], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    os.kill(postmaster, signal.SIGKILL)
    began = time.monotonic()
    with embedded.running(again) as dsn:
        print(f"start after a kill: {time.monotonic() - began:.2f} s")
        assert ask(dsn, "SELECT count(*) FROM kept") == 1000
        busy.wait(10)
        other.communicate("", timeout=10)
        assert len(postmasters(again)) == 1


BUSY = """
import asyncio, asyncpg, sys
async def main():
    connection = await asyncpg.connect(sys.argv[1])
    await connection.execute("SELECT count(*) FROM generate_series(1, 10000000)")
asyncio.run(main())
"""


@pytest.mark.parametrize("pid", [1, os.getpid(), 4_000_000])
def test_a_stale_pid_is_never_trusted(again: Path, pid: int) -> None:
    with embedded.running(again):
        left = (again / "postgres" / "postmaster.pid").read_text().splitlines()
    stale = again / "postgres" / "postmaster.pid"
    stale.write_text("\n".join([str(pid), *left[1:]]) + "\n")
    shutil.chown(stale, (again / "postgres").stat().st_uid)
    (again / "run" / ".s.PGSQL.5432.lock").write_text(f"{pid}\n")
    (again / "run" / ".s.PGSQL.5432").touch()
    with embedded.running(again) as dsn:
        assert ask(dsn) == 1


def test_an_interrupted_first_start_is_begun_again(data: Path) -> None:
    (data / "postgres.new").mkdir()
    (data / "postgres.new" / "PG_VERSION").write_text("18\n")
    with embedded.running(data) as dsn:
        assert ask(dsn) == 1


def test_a_long_path_gets_its_socket_elsewhere(made: Path, home: Path) -> None:
    deep = home / ("d" * LONGEST_SOCKET_DIRECTORY)
    deep.mkdir(mode=0o755)
    subprocess.run(["cp", "-a", f"{made}/postgres", str(deep)], check=True)
    with embedded.running(deep) as dsn:
        assert ask(dsn) == 1


def test_what_cannot_start_says_why(again: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"postgres\.log"), embedded.running(again, {"shared_buffers": "nonsense"}):
        pass
    assert postmasters(again) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed: run as root")
def test_binaries_that_its_user_cannot_read_are_copied(again: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.persistence import embedded_files

    monkeypatch.setattr(embedded_files.Owner, "reaches", lambda self, path: False)
    with embedded.running(again) as dsn:
        assert ask(dsn) == 1
        (postmaster,) = postmasters(again)
        assert psutil.Process(postmaster).exe().startswith(str(again))


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed: run as root")
def test_a_directory_closed_to_its_user_says_what_to_do(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match="STRATA_DATA_DIR"):
        embedded.running(closed / "inner")


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed: run as root")
def test_a_plain_user_runs_it_too(home: Path) -> None:
    place = home / "plain"
    place.mkdir()
    os.chown(place, 65534, 65534)
    # The interpreter may lie where only root reads: it becomes the plain user once all is loaded.
    script = HOLD.replace("with emb", "os.setgroups([]); os.setgid(65534); os.setuid(65534)\nwith emb").replace(
        "import sys", "import os, sys"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(place)], input="", cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (place / "postgres").stat().st_uid == 65534
    assert postmasters(place) == []
