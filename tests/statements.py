"""Every text that the application has sent to the database in this process, and who sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from tests import isolation, senders

Told = dict[str, str]
"""Statements, each with the line that sent it first."""


@contextmanager
def told() -> Iterator[Told]:
    """What the application sends from now on; what tests send for themselves is left out."""
    noted: Told = {}
    listening = _listening(noted)
    connect = asyncpg.connect

    def connecting(*args: Any, **options: Any) -> Any:
        return connect(*args, **{"connection_class": listening, **options})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg, "connect", connecting)
        yield noted


def _listening(noted: Told) -> type[Any]:
    """The driver's connection, which notes what it is told: its own loggers know neither cursors nor COPY."""
    driver = isolation.driver()

    def noting(name: str, text: Callable[..., str]) -> Callable[..., Any]:
        run = getattr(driver, name)

        def noted_first(self: Any, what: str, *args: Any, **options: Any) -> Any:
            statement = text(what, **options)
            if statement not in noted and (line := _sender()) is not None:
                noted[statement] = line
            return run(self, what, *args, **options)

        return noted_first

    queries = ("cursor", "execute", "executemany", "fetch", "fetchmany", "fetchrow", "fetchval", "prepare")
    methods = {name: noting(name, _same) for name in queries}
    methods |= {name: noting(name, _copy_in) for name in ("copy_records_to_table", "copy_to_table")}
    methods |= {
        "copy_from_table": noting("copy_from_table", _copy_out),
        "copy_from_query": noting("copy_from_query", _copied),
    }
    return type("Listening", (driver,), {"__slots__": (), **methods})


def _same(query: str, **_: Any) -> str:
    return query


def _copy_in(table: str, *, columns: list[str], **_: Any) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f"COPY {table} ({names}) FROM STDIN"


def _copy_out(table: str, **_: Any) -> str:
    return f"COPY {table} TO STDOUT"


def _copied(query: str, **_: Any) -> str:
    return f"COPY ({query}) TO STDOUT"


def _sender() -> str | None:
    """The application's line that sends a statement, None where somebody else's does."""
    path, number = senders.line()
    return f"{path.relative_to(senders.APP.parent)}:{number}" if path.is_relative_to(senders.APP) else None
