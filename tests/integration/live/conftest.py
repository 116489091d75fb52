"""One server with two media workers for the tests that leave it whole."""

from collections.abc import Iterator

import pytest
from running_server import RunningServer, running_server


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("live"), media__workers="2") as server:
        yield server
