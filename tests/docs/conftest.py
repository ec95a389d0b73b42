"""What guides are tried on."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest

from app.persistence.database import Database
from app.services import demo
from tests.servers import Server


@pytest.fixture(scope="session")
async def demo_key(server: Server) -> str:
    """The key of an admin of the demo workspace, made as of today on the server of all guides."""
    if shutil.which("curl") is None:
        pytest.skip("The recipes for curl were not run: curl is not installed")
    db = await Database.open(server.dsn, size=1)
    now = datetime.now(UTC)
    await demo.load(db, now, lambda _step, _share: None)
    key = await demo.ensure(db, None, now, lambda _step, _share: None)
    await db.close()
    assert key is not None
    return key
