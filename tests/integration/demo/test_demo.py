"""`mcu demo --check`, as a person runs it on a machine without a screen, and what `mcu demo` shows."""

import asyncio
import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from hall import until
from PIL import Image
from rich.console import Console
from running_server import RunningServer

from mcu.demo import server, show
from mcu.demo.cast import CAST, Booked, book

ROOT = Path(__file__).parents[3]
NEAR = 12  # of 255, after two encodings
SHARE = 0.02  # of the picture: a tile of four has a quarter of it


@pytest.mark.timeout(300)
@pytest.mark.policy("S5.3-1", "S5.3-2")
def test_the_demo_measures_itself_writes_what_is_seen_and_says_that_all_is_well(tmp_path: Path) -> None:
    path = tmp_path / "seen.png"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    command = [sys.executable, "-m", "mcu", "demo", "--check", "--picture", str(path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    rows = [line.split("│")[1:4] for line in done.stdout.splitlines() if line.startswith("│")]
    found = {what.strip(): (verdict.strip(), measured.strip()) for verdict, what, measured in rows}
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert found.keys() >= {
        *(f"{person.name} is seen" for person in CAST),
        "voices are heard",
        "the host does not hear itself",
        "the host hears the join sound before the witness",
        "the witness hears nothing of the room before its own join sound",
        "the leave sound",
    }
    assert found["size of the composed picture"] == ("ok", "1280x720")
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (1280, 720))
        pixels = np.asarray(image.convert("RGB"), dtype=np.int16)
    for person in CAST:
        near = np.abs(pixels - np.array(person.colour)).max(axis=2) <= NEAR
        assert near.mean() > SHARE, f"{person.name} is not in the picture"


async def test_the_demo_says_where_to_join_and_shows_what_goes_on_until_it_is_stopped(
    shared_server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its people, who are in `--check`."""
    its = server.RunningServer(
        pid=0,
        url=shared_server.base_url,
        operations_url=shared_server.ops_url,
        token=shared_server.token,
        directory=tmp_path,
        log=tmp_path / "server.log",
    )

    @contextlib.asynccontextmanager
    async def meeting(*_: object) -> AsyncIterator[tuple[server.RunningServer, Booked]]:
        yield its, await book(its)

    monkeypatch.setattr(show, "_meeting", meeting)
    screen = io.StringIO()
    console = Console(file=screen, width=120, force_terminal=True, highlight=False)
    running = asyncio.create_task(show.run_demo(console, None, browser=False))
    await until(lambda: running.done() or "legs" in screen.getvalue())
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    shown = screen.getvalue()
    for heading in ("rooms", "legs", "ticks late", "sound encodes/s", "picture encodes/s", "media CPU"):
        assert heading in shown
    assert str(its.log) in shown
    host, guest, booking = re.findall(r"http://\S+", shown)
    assert "#t=" in host
    assert guest == host.partition("#")[0]
    assert booking.endswith(f"/#api={its.token}")
    async with aiohttp.ClientSession() as http, http.get(guest) as page:
        assert (page.status, page.content_type) == (200, "text/html")
