"""The `strata` command under forced row-level security: what tests start where they start it (see isolation)."""

from __future__ import annotations

from functools import partial

import asyncpg

from app.cli import main
from tests.isolation import Isolated

# Worker processes import this too, under another name.
asyncpg.connect = partial(asyncpg.connect, connection_class=Isolated)  # type: ignore[assignment]  # of one kind of connection

if __name__ == "__main__":
    main()
