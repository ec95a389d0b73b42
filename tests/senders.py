"""Who sends a statement to the database: the application, or a test for itself."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from app.persistence import database, pool, sessions

APP = Path(database.__file__).parents[1]
TESTS = Path(__file__).parent
PASSING = {str(module.__file__) for module in (database, pool, sessions, contextlib)} | {
    str(TESTS / name) for name in ("senders.py", "statements.py", "isolation.py")
}
"""Files that send what others tell them to send."""
LOOP = Path(asyncio.__file__).parent


def line() -> tuple[Path, int]:
    """The file and the line that sends what is being sent."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename in PASSING:
        frame = frame.f_back
    return Path(frame.f_code.co_filename), frame.f_lineno


def by_application(path: Path) -> bool:
    """Whether it is the application's: what a task sends by itself nobody but the application starts."""
    return path.is_relative_to(APP) or path.is_relative_to(LOOP)
