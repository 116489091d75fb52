"""Fixtures that more than one area uses."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from postgres import create_database, installed, postgres
from running_server import RunningServer, running_server
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from mcu.clock import SystemClock
from mcu.net.bfcp.server import FloorServer, Listen
from mcu.storage.database import Database
from mcu.storage.migrate import migrate

# Many workers share few cores: how long an example took says nothing of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


# Their tests judge what is made once, or count what passes at their server's own ports.
TOGETHER = (
    "tests/browser/test_telephones.py",
    "tests/browser/test_two_meet.py",
    "tests/integration/house/test_wheel.py",
    "tests/integration/sip/test_between.py",
    "tests/integration/sip/test_dial_out.py",
    "tests/integration/sip/test_register.py",
    "tests/integration/sip/test_room_systems.py",
    "tests/integration/sip/test_zones.py",
)


class Scheduling(LoadScopeScheduling):
    """Each test goes to whichever process is free, but those of a file in TOGETHER to the same."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """For `--dist loadscope`: what else there is leaves `--dist` as it is."""
    return Scheduling(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take long begins first, so that the others are done beside it."""
    items.sort(key=lambda item: -mark.args[0] if (mark := item.get_closest_marker("timeout")) else 0)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running PostgreSQL."""
    if not installed():
        pytest.fail("Debian's postgresql is not installed: run scripts/setup")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database on each engine that we say we run on."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/mcu.db"
    return create_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same with the newest schema."""
    await migrate(database_url)
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def floor_server() -> AsyncIterator[FloorServer]:
    """BFCP's sockets, at any port."""
    made = FloorServer(Listen(addresses=["127.0.0.1", "::1"]), SystemClock())
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """`mcu serve` with one media worker, in a process of its own."""
    with running_server(tmp_path / "server") as running:
        yield running


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The same, one for all tests that leave it as they found it."""
    with running_server(tmp_path_factory.mktemp("shared")) as running:
        yield running
