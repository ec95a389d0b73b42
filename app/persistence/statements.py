"""SQLAlchemy Core rendered to the driver's `$n` text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = asyncpg_dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text and, in the order of `$1 … $n`, its parameters' names and the values they were built with."""

    text: str
    names: tuple[str, ...]
    values: tuple[Any, ...]

    def args(self, given: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """Values to bind: those given by name, else those of the statement itself."""
        if not given:
            return self.values
        return tuple(given.get(name, value) for name, value in zip(self.names, self.values, strict=True))


def compiled(statement: ClauseElement) -> Compiled:
    """Render a Core statement; JSON values must be bytes or text, everything else is the driver's own type."""
    result = statement.compile(dialect=_DIALECT)
    if not isinstance(result, SQLCompiler):
        return Compiled(str(result), (), ())
    # Parameters bound later have no value yet; only those of expanding IN lists need one now.
    later = {bind.key: None for bind in result.bind_names if bind.required}
    state = result.construct_expanded_state(later)
    names = tuple(state.positiontup or ())
    return Compiled(state.statement, names, tuple(state.parameters[name] for name in names))
