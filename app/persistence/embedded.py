"""The PostgreSQL that comes along: made, started, shared and stopped from the binaries of a wheel."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from app.persistence.embedded_files import (
    EmbeddedError,
    Lock,
    binaries,
    is_postmaster,
    prepare_directory,
    server_settings,
    socket_directory,
)

log = logging.getLogger("app.database")

Progress = Callable[[str], None]

START_SECONDS = 60.0
STOP_SECONDS = 30.0
KEEP_SECONDS = 2.0
READY_FOR_QUERY = b"Z\0\0\0\5I"
TERMINATE = b"X\0\0\0\4"
# After the postmaster was killed its backends may still hold shared memory for a moment.
RETRY_SIGNS = ("pre-existing shared memory block", "lock file", "could not bind Unix address")


class Cluster:
    """One data directory's PostgreSQL: where it lies, who runs it, how to reach it."""

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None, progress: Progress | None = None):
        self.home = data_dir.expanduser().resolve()
        self.options = dict(options or {})
        self.progress = progress or (lambda _: None)
        self.owner = prepare_directory(self.home)
        self.pgdata = self.home / "postgres"
        self.log = self.home / "postgres.log"
        self.sockets = socket_directory(self.home, self.owner)
        self.child: subprocess.Popen[bytes] | None = None

    def dsn(self, user: str = "strata", database: str = "strata") -> str:
        """Address for asyncpg; reachable by the owner of the data directory and by root alone."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.sockets), safe='/')}"

    def start(self) -> None:
        """Make the cluster when there is none, adopt or start its postmaster, return when it answers."""
        if not (self.pgdata / "PG_VERSION").exists():
            self._create()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            pid = self.pid()
            if pid is None:
                self._spawn()
            if self._wait_ready(deadline):
                return
        raise EmbeddedError(f"PostgreSQL did not become ready within {START_SECONDS:.0f} s; its log is {self.log}")

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, a checkpoint is written, nothing runs afterwards."""
        try:
            self._signal(signal.SIGINT)
        finally:
            # Too slow, or interrupted once more: at once, and recovery when it starts next.
            self._signal(signal.SIGQUIT)
        if self.child is not None:
            self.child.wait(STOP_SECONDS)
            self.child = None

    def _signal(self, how: signal.Signals) -> None:
        """Send a signal when it runs, and wait until it does not."""
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            self._wait_gone(STOP_SECONDS)

    def pid(self) -> int | None:
        """Process id of this directory's living postmaster; a stale or foreign id counts as none."""
        if self.child is not None and self.child.poll() is not None:
            self.child = None
        pid = self._recorded_pid()
        if pid is None:
            return self.child.pid if self.child is not None else None
        return pid if is_postmaster(pid, self.pgdata) else None

    def _recorded_pid(self) -> int | None:
        lines = self._pid_file()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None

    def _pid_file(self) -> list[str]:
        try:
            return (self.pgdata / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        except PermissionError as error:
            raise EmbeddedError(
                f"{self.home} belongs to another user: choose a directory by STRATA_DATA_DIR"
            ) from error

    def _create(self) -> None:
        self.progress("making the database (once, a few seconds)")
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.owner.give(fresh)
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        auth = ("--auth-local=trust", "--auth-host=reject", "--username=postgres")
        self._run(
            "initdb", "-D", str(fresh), "--encoding=UTF8", *locale, *auth, "--data-checksums", "--no-instructions"
        )
        # Single-user mode needs no server: the directory is renamed only once role and database are in it.
        self._run("postgres", "--single", "-D", str(fresh), "postgres", stdin=BOOTSTRAP)
        fresh.rename(self.pgdata)

    def _run(self, program: str, *args: str, stdin: str = "") -> None:
        command = [str(self._bin(program)), *args]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            env=self._environment(),
            **self.owner.as_process(),
        ) as process:
            output = process.communicate(stdin.encode())[0].decode(errors="replace")
        if process.returncode or "FATAL" in output or "ERROR" in output:
            raise EmbeddedError(f"{program} failed in {self.home}:\n{output.strip()[-2000:]}")

    def _bin(self, program: str) -> Path:
        return binaries(self.home, self.owner) / "bin" / program

    def _environment(self) -> dict[str, str]:
        stale = self._recorded_pid()
        # PostgreSQL takes a lock file holding this id for its own: a recycled or zombie id cannot block the start,
        # while its check for shared memory still in use stays in force.
        extra = {"PG_GRANDPARENT_PID": str(stale)} if stale else {}
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.home), **extra}

    def _spawn(self) -> None:
        for leftover in self.sockets.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > 16 * 2**20:
            self.log.replace(self.log.with_suffix(".log.1"))
        settings = {**server_settings(), "unix_socket_directories": str(self.sockets), **self.options}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            os.fchmod(log.fileno(), 0o600)
            self.child = subprocess.Popen(
                [str(self._bin("postgres")), "-D", str(self.pgdata), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                env=self._environment(),
                start_new_session=True,
                **self.owner.as_process(),
            )

    def _wait_ready(self, deadline: float) -> bool:
        """True when ready, False when another attempt is due."""
        mark = self.log.stat().st_size if self.log.exists() else 0
        told = time.monotonic() + 2
        while time.monotonic() < deadline:
            if self.child is not None and (code := self.child.poll()) is not None:
                self.child = None
                # Who was killed had nothing to say.
                if code >= 0:
                    self._judge_exit(mark)
                time.sleep(0.25)
                return False
            if self.pid() is None:
                return False
            lines = self._pid_file()
            if len(lines) >= 8 and lines[7].strip() == "ready" and self._answers():
                return True
            if time.monotonic() > told:
                told += 5
                self.progress("waiting for the database to recover")
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        """Whether a session can be opened: a killed postmaster still looks ready for a moment."""
        body = struct.pack("!i", 3 << 16) + b"user\0strata\0database\0strata\0\0"
        answer = b""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(START_SECONDS)
                client.connect(str(self.sockets / ".s.PGSQL.5432"))
                client.sendall(struct.pack("!i", len(body) + 4) + body)
                while not answer.endswith(READY_FOR_QUERY):
                    part = client.recv(65536)
                    if not part:
                        return False
                    answer += part
                client.sendall(TERMINATE)
        except OSError:
            return False
        return True

    def _judge_exit(self, mark: int) -> None:
        with self.log.open("rb") as log:
            log.seek(max(0, mark - 4000))
            tail = log.read().decode(errors="replace")
        last = "\n".join(tail.strip().splitlines()[-8:])
        if not any(sign in last for sign in RETRY_SIGNS):
            raise EmbeddedError(f"PostgreSQL did not start; its log {self.log} ends with:\n{last}")

    def _wait_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.pid() is not None and time.monotonic() < deadline:
            time.sleep(0.02)


class running:  # noqa: N801 - used as `with embedded.running(...)`
    """Hold a data directory's PostgreSQL for the length of a `with` or `async with`; gives its address.

    Every process inside shares one postmaster. The count of users is a lock that the kernel drops when a process
    dies, so the last one to leave stops the server, however the others ended.
    """

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None, progress: Progress | None = None):
        self.cluster = Cluster(data_dir, options, progress)

    def __enter__(self) -> str:
        with _gate(self.cluster.home):
            self.users = Lock(self.cluster.home / "users.lock")
            self.users.share()
            try:
                self.cluster.start()
            except BaseException:
                self.users.close()
                raise
        return self.cluster.dsn()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _gate(self.cluster.home):
            self.users.release()
            try:
                if self.users.try_alone():
                    self.cluster.stop()
            finally:
                self.users.close()

    async def __aenter__(self) -> str:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)


@contextmanager
def kept(data_dir: Path, stopping: threading.Event, progress: Progress | None = None) -> Iterator[str]:
    """The same for what serves: until `stopping` is set, a server that has ended is started again within seconds."""
    held = running(data_dir, progress=progress)
    with held as dsn:
        held.cluster.progress = log.info
        keeper = threading.Thread(target=_keep, args=(held.cluster, stopping), daemon=True)
        keeper.start()
        try:
            yield dsn
        finally:
            stopping.set()
            keeper.join()


def _keep(cluster: Cluster, stopping: threading.Event) -> None:
    while not stopping.wait(KEEP_SECONDS):
        try:
            if cluster.pid() is None and _started_again(cluster, stopping):
                log.warning("the embedded database had ended and was started again", extra={"its_log": cluster.log})
        except Exception:  # whatever it is: a full disk may have room later, and the keeper goes on
            log.exception(
                "the embedded database has ended and could not be started again: its log says why; it is tried again",
                extra={"its_log": cluster.log},
            )


def _started_again(cluster: Cluster, stopping: threading.Event) -> bool:
    """False when there is no need any longer: another process was faster, or the end has come."""
    with _gate(cluster.home):
        if stopping.is_set() or cluster.pid() is not None:
            return False
        cluster.start()
    return True


def stop(data_dir: Path) -> None:
    """Stop a data directory's PostgreSQL whoever uses it; nothing happens when it does not run."""
    cluster = Cluster(data_dir)
    with _gate(cluster.home):
        cluster.stop()


@contextmanager
def _gate(home: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of a directory."""
    lock = Lock(home / "start.lock")
    lock.wait_alone()
    try:
        yield
    finally:
        lock.close()


BOOTSTRAP = """\
CREATE ROLE strata LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE strata OWNER strata;
"""
