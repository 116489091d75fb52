"""A server that the browser tests share (their meetings are their own), and browsers by person.

Another shared server has a cable to a network of its own, in which browsers may sit.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromium
import pytest
from browsers import ANNA, BO, Browser, Enter, Person, book, browser
from networks import Network, network
from playwright.sync_api import Playwright, sync_playwright
from running_server import RunningServer, running_server

FPS = "10"  # for two cores decode and draw for all browsers too


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`mcu serve`, for all browser tests."""
    with running_server(tmp_path_factory.mktemp("house"), media__fps=FPS) as running:
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """One for each module: while it runs, this thread has an event loop, and no asynchronous test can run."""
    with sync_playwright() as running:
        yield running


@pytest.fixture
def sit(playwright: Playwright, tmp_path: Path) -> Iterator[Enter]:
    """`sit(ANNA)`: a browser with Anna at it, until the test ends: of Chromium the engine, unless told otherwise."""
    with ExitStack() as browsers:

        def enter(person: Person, **options: Any) -> Browser:
            return browsers.enter_context(browser(playwright, tmp_path, person, **options))

        yield enter


# -- at the other end of a cable -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cable() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture(scope="session")
def beside_the_cable(cable: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose machine has the other network already, at its address on this machine."""
    with running_server(tmp_path_factory.mktemp("beside"), server__host="::", media__fps=FPS) as running:
        port = running.base_url.rpartition(":")[2]
        yield replace(running, base_url=f"http://127.0.0.1:{port}")


@pytest.fixture
def away(beside_the_cable: RunningServer, cable: Network) -> RunningServer:
    """The same server, as seen from the other end."""
    port = beside_the_cable.base_url.rpartition(":")[2]
    return replace(beside_the_cable, base_url=f"http://{cable.here}:{port}")


@pytest.fixture
def away6(beside_the_cable: RunningServer, cable: Network) -> RunningServer:
    """And by IPv6."""
    port = beside_the_cable.base_url.rpartition(":")[2]
    return replace(beside_the_cable, base_url=f"http://[{cable.here6}]:{port}")


@pytest.fixture
def sit_away(sit: Enter, away: RunningServer, away6: RunningServer, cable: Network, tmp_path: Path) -> Enter:
    """`sit_away(BO)`: a browser at the other end, which may use its camera there."""

    def enter(person: Person, **options: Any) -> Browser:
        flags = (f"--unsafely-treat-insecure-origin-as-secure={away.base_url},{away6.base_url}",)
        return sit(person, flags=flags, program=cable.wrapper(tmp_path, chromium.WHOLE), **options)

    return enter


@pytest.fixture
def apart(beside_the_cable: RunningServer, away: RunningServer, sit: Enter, sit_away: Enter) -> tuple[Browser, Browser]:
    """Anna here and Bo at the other end, in a meeting."""
    meeting, anna, bo = book(beside_the_cable), sit(ANNA), sit_away(BO)
    anna.join(meeting.link(ANNA.name))
    bo.join(f"{away.base_url}/j/{meeting.number}")
    return anna, bo
