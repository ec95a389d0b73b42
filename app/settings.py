"""What the environment decides, read once when the process starts."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.domain.tokens import Issuer, addressable

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
SECRET_BYTES = 32


class SettingsError(Exception):
    """A variable of the environment holds what it may not; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One process's settings; `database_url` is None when the PostgreSQL that comes along is used.

    `rate_limit`: requests a minute per credential, 0 for no limit. `cors_origins`: those whose pages may ask us.
    `drain_seconds`: how long, after SIGTERM, requests are still taken while readiness says no.
    `issuer`: whose JWTs are believed; None refuses every one. `worker`: whether servers do the periodic work too.
    """

    data_dir: Path
    database_url: str | None
    port: int
    log_level: str
    pool_size: int
    secret: bytes
    rate_limit: int = 600_000
    cors_origins: tuple[str, ...] = ()
    drain_seconds: int = 0
    issuer: Issuer | None = None
    worker: bool = True

    @property
    def embedded(self) -> bool:
        """Whether Strata runs its own PostgreSQL."""
        return self.database_url is None


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from STRATA_* and PORT; makes the data directory and, unless STRATA_SECRET is set, a kept secret."""
    data_dir = _data_dir(environment)
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(environment),
        port=_number(environment, "PORT", 8000, 0, 65535),
        log_level=_log_level(environment),
        pool_size=_number(environment, "STRATA_POOL_SIZE", 8, 1, 100),
        secret=_secret(environment, data_dir),
        rate_limit=_number(environment, "STRATA_RATE_LIMIT", 600_000, 0, 100_000_000),
        cors_origins=_origins(environment),
        drain_seconds=_number(environment, "STRATA_DRAIN_SECONDS", 0, 0, 300),
        issuer=_issuer(environment),
        worker=_flag(environment, "STRATA_WORKER", True),
    )


def _data_dir(environment: Mapping[str, str]) -> Path:
    if given := environment.get("STRATA_DATA_DIR"):
        return Path(given).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/strata")
    shared = environment.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "strata"


def _database_url(environment: Mapping[str, str]) -> str | None:
    url = environment.get("STRATA_DATABASE_URL") or None
    if url is not None and urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise SettingsError("STRATA_DATABASE_URL must look like postgresql://user:password@host:5432/database")
    return url


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    given = environment.get(name) or str(default)
    if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
        raise SettingsError(f"{name} must be a whole number from {least} to {most}")
    return int(given)


def _flag(environment: Mapping[str, str], name: str, default: bool) -> bool:
    given = environment.get(name) or ("on" if default else "off")
    if given not in ("on", "off"):
        raise SettingsError(f"{name} must be on or off")
    return given == "on"


def _origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    given = tuple(environment.get("STRATA_CORS_ORIGINS", "").replace(",", " ").split())
    for origin in given:
        parts = urlsplit(origin)
        if origin != "*" and (parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}"):
            raise SettingsError("STRATA_CORS_ORIGINS takes origins such as https://app.example.com, or * for every one")
    return given


def _issuer(environment: Mapping[str, str]) -> Issuer | None:
    """Who signs JWTs, for whom, and where the keys are; claims have names of their own where the issuer's differ."""
    names = ("ISSUER", "AUDIENCE", "JWKS_URL", "JWKS_FILE", "USER_CLAIM", "WORKSPACE_CLAIM")
    given = {name: told for name in names if (told := environment.get(f"STRATA_JWT_{name}", "").strip())}
    if not given:
        return None
    if not {"ISSUER", "AUDIENCE"} <= given.keys() or ("JWKS_URL" in given) == ("JWKS_FILE" in given):
        raise SettingsError(
            "STRATA_JWT_ISSUER, STRATA_JWT_AUDIENCE and one of STRATA_JWT_JWKS_URL and STRATA_JWT_JWKS_FILE go together"
        )
    if "JWKS_URL" in given and not addressable(given["JWKS_URL"]):
        raise SettingsError("STRATA_JWT_JWKS_URL must be an https address (http from this machine alone)")
    if "JWKS_FILE" in given and not Path(given["JWKS_FILE"]).is_file():
        raise SettingsError("STRATA_JWT_JWKS_FILE must name a file")
    claims = {name.lower(): given[name] for name in ("USER_CLAIM", "WORKSPACE_CLAIM") if name in given}
    keys = given.get("JWKS_URL") or str(Path(given["JWKS_FILE"]).resolve())
    return Issuer(given["ISSUER"], given["AUDIENCE"], keys, **claims)


def _log_level(environment: Mapping[str, str]) -> str:
    level = (environment.get("STRATA_LOG_LEVEL") or "INFO").upper()
    if level not in LEVELS:
        raise SettingsError(f"STRATA_LOG_LEVEL must be one of {', '.join(LEVELS)}")
    return level


def _secret(environment: Mapping[str, str], data_dir: Path) -> bytes:
    given = environment.get("STRATA_SECRET")
    if given is None:
        return kept_secret(data_dir / "secret")
    if len(given) < SECRET_BYTES:
        raise SettingsError(f"STRATA_SECRET must have at least {SECRET_BYTES} characters")
    return given.encode()


def kept_secret(path: Path) -> bytes:
    """The secret in this file, readable by its owner alone; made when there is none."""
    value = kept_text(path)
    if value is None:
        keep_text(path, secrets.token_hex(SECRET_BYTES), replace=False)
        value = kept_text(path) or ""
    if len(value) < SECRET_BYTES:
        raise SettingsError(f"{path} is damaged: remove it, and cursors handed out so far end")
    return value.encode()


def kept_text(path: Path) -> str | None:
    """What a private file holds, None when there is no such file."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"cannot read {path} ({error.strerror}): choose another STRATA_DATA_DIR") from error


def keep_text(path: Path, text: str, replace: bool = True) -> None:
    """Write a file that only its owner reads: complete or not at all; without `replace` the first writer wins."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            fresh.replace(path)
            return
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    except OSError as error:
        raise SettingsError(f"cannot write {path} ({error.strerror}): choose another STRATA_DATA_DIR") from error
