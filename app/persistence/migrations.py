"""Bringing a database's schema up to date."""

import asyncio
import re
from pathlib import Path

import asyncpg

from app.domain.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "alembic" / "versions"
CONNECT_SECONDS = 10
REVISION = re.compile(r"""^(down_)?revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)


def upgrade(dsn: str) -> None:
    """Run the migrations that are missing; safe when several do so at once."""
    # Alembic takes half a second to import, which a start with nothing to do should not wait for.
    if asyncio.run(_current(dsn)) != _heads():
        _alembic(dsn)


def _alembic(dsn: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(toml_file=str(ROOT / "pyproject.toml"), attributes={"dsn": dsn})
    config.set_main_option("script_location", str(ROOT / "alembic"))
    command.upgrade(config, "head")


def _heads() -> set[str]:
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in VERSIONS.glob("*.py"):
        for down, revision in REVISION.findall(file.read_text()):
            (followed if down else revisions).add(revision)
    return revisions - followed


async def _current(dsn: str) -> set[str]:
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or type(error).__name__
        raise Unavailable(f"The database cannot be reached ({reason}): check STRATA_DATABASE_URL.") from error
    try:
        return {row["version_num"] for row in await connection.fetch("SELECT version_num FROM alembic_version")}
    except asyncpg.UndefinedTableError:
        return set()
    finally:
        await connection.close()
