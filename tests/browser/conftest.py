"""A server that the browser tests share (their meetings are their own), and browsers by person."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browsers import Browser, Enter, Person, browser
from playwright.sync_api import Playwright, sync_playwright
from running_server import RunningServer, running_server


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`mcu serve`, for all browser tests."""
    with running_server(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """One for each module: while it runs, this thread has an event loop, and no asynchronous test can run."""
    with sync_playwright() as running:
        yield running


@pytest.fixture
def sit(playwright: Playwright, tmp_path: Path) -> Iterator[Enter]:
    """`sit(ANNA)`: a browser with Anna at it, until the test ends."""
    with ExitStack() as browsers:

        def enter(person: Person, **options: Any) -> Browser:
            return browsers.enter_context(browser(playwright, tmp_path, person, **options))

        yield enter
