"""The demo's live table: what the server says of itself on its metrics page, once a second."""

import asyncio
import contextlib

import aiohttp
from rich.console import Console
from rich.live import Live
from rich.table import Table

from mcu.demo.server import RunningServer

Figures = dict[str, float]


async def figures(http: aiohttp.ClientSession, server: RunningServer) -> Figures:
    """Each metric by name, summed over its labels; a histogram's buckets stay apart, by name and bound."""
    async with http.get(f"{server.operations_url}/metrics") as answer:
        text = await answer.text()
    found: Figures = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name, _, labels = series.partition("{")
            bound = labels.partition('le="')[2].partition('"')[0]
            key = f"{name}<={bound}" if bound else name
            found[key] = found.get(key, 0.0) + float(value)
    return found


async def show(console: Console, server: RunningServer) -> None:
    """Draw the table anew each second until cancelled."""
    async with aiohttp.ClientSession() as http:
        before = await figures(http, server)
        with Live(console=console, auto_refresh=False, transient=False) as live:
            while True:
                await asyncio.sleep(1)
                with contextlib.suppress(aiohttp.ClientError):
                    now = await figures(http, server)
                    live.update(table(now, before), refresh=True)
                    before = now


def table(now: Figures, before: Figures) -> Table:
    """Gauges as they are, counters as rates; `before` is a second older."""

    def rate(name: str) -> float:
        return now.get(name, 0.0) - before.get(name, 0.0)

    ticks = rate("mcu_ticks_total") or 1.0
    drawn = Table(show_header=True, header_style="bold")
    cells = {
        "rooms": f"{now.get('mcu_rooms', 0):.0f}",
        "legs": f"{now.get('mcu_legs', 0):.0f}",
        "ticks late": f"{100 * rate('mcu_late_ticks_total') / ticks:.1f} %",
        "sound encodes/s": f"{rate('mcu_audio_encodes_total'):.0f}",
        "picture encodes/s": f"{rate('mcu_video_encodes_total'):.0f}",
        "media CPU": f"{100 * rate('mcu_cpu_seconds_total'):.0f} % of a core",
    }
    for heading in cells:
        drawn.add_column(heading, justify="right")
    drawn.add_row(*cells.values())
    return drawn
