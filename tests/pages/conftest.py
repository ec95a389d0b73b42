"""The example page in a browser, served from an origin of its own, on a server that allows that origin."""

from __future__ import annotations

import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.persistence.database import Database
from tests.api.conftest import House
from tests.pages import chromium
from tests.pages.chromium import Browser, Tab
from tests.servers import ROOT, Cluster, Server, start_server, stop_process
from tests.showroom import furnished_well

PAGE = ROOT / "examples" / "list-page"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's own failure says enough."""


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """Where the page is, served as `python -m http.server` does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=PAGE)) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.fixture(scope="session")
async def allowing(cluster: Cluster, home: Path, origin: str) -> AsyncIterator[Server]:
    """A server whose answers the page may read."""
    address = await cluster.clone()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATA_CORS_ORIGINS", origin)
        started = start_server(address, home / "allowing")
    yield started
    stop_process(started.process)
    await cluster.drop(address)


@pytest.fixture(scope="session")
async def showroom(allowing: Server) -> AsyncIterator[House]:
    """The workspace that the page shows."""
    db = await Database.open(allowing.dsn, size=2)
    async with furnished_well(db, allowing, "Showroom") as made:
        yield made
    await db.close()


@pytest.fixture(scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Chromium; where there is none, that is said aloud."""
    if chromium.program() is None:
        why = f"none of {', '.join(chromium.NAMES)} is installed (Debian: apt-get install chromium)"
        warnings.warn(f"The example page was not tried in a browser: {why}", stacklevel=2)
        pytest.skip(why)
    async with chromium.opened(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Tab]:
    """A tab in which nothing may fail unnoticed."""
    browser.told.clear()
    made = await Tab.new(browser)
    yield made
    assert made.failures() == []
    await made.close()
