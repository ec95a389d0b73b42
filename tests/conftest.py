"""What tests stand on: one PostgreSQL per run, a database per module, the real server process."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from app.persistence import embedded, migrations
from app.persistence.database import Database
from app.services import demo
from tests import isolation, scoping, statements
from tests.servers import DEMO, DEMO_NOW, ROOT, TEMPLATE, Cluster, Server, start_server, stop_process

# How long a case takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# A test database need not survive a power cut.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --rls`: under forced row-level security, see isolation."""
    parser.addoption("--rls", action="store_true", help="PostgreSQL itself hides and refuses rows of other workspaces")


def pytest_configure(config: pytest.Config) -> None:
    """What tests start is told by its environment."""
    if config.getoption("--rls"):
        os.environ[isolation.VARIABLE] = "on"
    # Where no bytecode is written beside the sources, each of many servers would compile all of them.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(sys.prefix, "bytecode"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what cannot be so under row-level security."""
    if config.getoption("--rls"):
        for item in items:
            if marker := item.get_closest_marker("without_rls"):
                item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.fixture(scope="session", autouse=True)
def held() -> Iterator[None]:
    """Fails a run in which the application sent a statement that is not held to one workspace."""
    with statements.told() as noted:
        yield
    # The same statements are read in the run without row-level security.
    if not isolation.on() and (wrong := scoping.told(noted)):
        pytest.fail(f"statements that are not held to one workspace:\n\n{wrong}", pytrace=False)


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A directory that PostgreSQL's user may enter, even when tests run as root."""
    path = Path(tempfile.mkdtemp(prefix="strata-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(home: Path) -> Iterator[Cluster]:
    """One PostgreSQL 18 for the whole run, with a migrated template."""
    data = home / "shared"
    with embedded.running(data, FAST):
        made = Cluster(data, embedded.Cluster(data))
        made.admin(f"CREATE DATABASE {TEMPLATE} OWNER strata")
        migrations.upgrade(made.dsn(TEMPLATE))
        if isolation.on():
            asyncio.run(isolation.force(made.dsn(TEMPLATE, "postgres")))
        yield made


@pytest.fixture(scope="module")
async def dsn(cluster: Cluster) -> AsyncIterator[str]:
    """Address of a migrated database for this module alone."""
    address = await cluster.clone()
    yield address
    await cluster.drop(address)


@pytest.fixture(scope="module")
async def db(dsn: str) -> AsyncIterator[Database]:
    """The module's database, opened."""
    database = await Database.open(dsn, size=4)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def demo_template(cluster: Cluster) -> str:
    """The name of a database that holds the demo workspace, as of DEMO_NOW."""
    database = await Database.open(await cluster.clone(name=DEMO), size=1)
    await demo.load(database, DEMO_NOW, lambda _step, _share: None)
    await database.close()
    return DEMO


@pytest.fixture(scope="module")
async def demo_db(cluster: Cluster, demo_template: str) -> AsyncIterator[Database]:
    """A copy of the demo's database for this module alone, opened."""
    address = await cluster.clone(demo_template)
    database = await Database.open(address, size=4)
    yield database
    await database.close()
    await cluster.drop(address)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files; tests that read them say so when it is missing."""
    path = Path(os.environ.get("STRATA_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"real data files are not at {path}: set STRATA_SHARED_DATA")
    return path


@pytest.fixture(scope="session")
async def server(cluster: Cluster, home: Path) -> AsyncIterator[Server]:
    """The real server process on a free port, with a database of its own."""
    address = await cluster.clone()
    started = start_server(address, home / "server")
    yield started
    stop_process(started.process)
    await cluster.drop(address)
