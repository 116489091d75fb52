"""The demo's live table, drawn from the metrics page as the server really writes it."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from rich.console import Console

from mcu.app.operations import Health, make_operations
from mcu.demo.server import RunningServer
from mcu.demo.table import Figures, figures, table
from mcu.media.messages import WorkerReport
from mcu.telemetry.metrics import Metrics


def report(rooms: int, legs: int, seconds: int) -> WorkerReport:
    """Of a worker that has mixed for `seconds`, one tick in ten late."""
    return WorkerReport(
        rooms=rooms,
        legs=legs,
        ticks=50 * seconds,
        late_ticks=5 * seconds,
        audio_encodes=150 * seconds,
        video_encodes=60 * seconds,
        frames_composed=30 * seconds,
        dropped={},
        cpu_seconds=0.25 * seconds,
        tick_late_ms=[30 * seconds, 0, 5 * seconds, 10 * seconds, 0, 5 * seconds, 0],
        loop_late_ms=[50 * seconds, 0, 0, 0, 0, 0, 0],
    )


class Page:
    """A metrics page, and what the demo reads there."""

    def __init__(self, metrics: Metrics, server: RunningServer) -> None:
        self.metrics, self._server = metrics, server

    async def read(self) -> Figures:
        async with aiohttp.ClientSession() as http:
            return await figures(http, self._server)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    metrics = Metrics()
    async with TestServer(make_operations(Health({}), metrics)) as serving:
        url = str(serving.make_url("")).rstrip("/")
        yield Page(
            metrics, RunningServer(pid=0, url=url, operations_url=url, token="", directory=tmp_path, log=tmp_path)
        )


def drawn(now: Figures, before: Figures) -> dict[str, str]:
    """Each column's heading and cell, as they are on the screen."""
    screen = io.StringIO()
    Console(width=200, file=screen).print(table(now, before))
    head, row = (line for line in screen.getvalue().splitlines() if line.startswith(("┃", "│")))
    cells = zip(head.strip("┃").split("┃"), row.strip("│").split("│"), strict=True)
    return {heading.strip(): cell.strip() for heading, cell in cells}


async def test_figures_are_summed_over_workers_and_a_histogram_s_buckets_stay_apart(page: Page) -> None:
    page.metrics.worker_reported("0", report(rooms=1, legs=3, seconds=10))
    page.metrics.worker_reported("1", report(rooms=2, legs=4, seconds=10))
    found = await page.read()
    assert (found["mcu_rooms"], found["mcu_legs"], found["mcu_ticks_total"]) == (3, 7, 1000)
    assert found["mcu_tick_lateness_seconds_bucket<=0.001"] == 600
    assert found["mcu_tick_lateness_seconds_bucket<=+Inf"] == 1000


async def test_the_table_shows_gauges_as_they_are_and_counters_as_rates_of_the_last_second(page: Page) -> None:
    page.metrics.worker_reported("0", report(rooms=1, legs=3, seconds=10))
    before = await page.read()
    page.metrics.worker_reported("0", report(rooms=1, legs=4, seconds=11))
    assert drawn(await page.read(), before) == {
        "rooms": "1",
        "legs": "4",
        "ticks late": "10.0 %",
        "sound encodes/s": "150",
        "picture encodes/s": "60",
        "media CPU": "25 % of a core",
    }


async def test_the_table_of_a_server_without_a_report_is_all_zeros(page: Page) -> None:
    nothing = await page.read()
    assert set(drawn(nothing, nothing).values()) == {"0", "0.0 %", "0 % of a core"}
