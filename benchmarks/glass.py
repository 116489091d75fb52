"""`python -m benchmarks glass`: glass to glass, what the server adds to a picture.

A camera shows the number of each of its pictures as a bar code, which is read in the composed picture that another leg
gets. From the sending of the picture that has a number first to the arrival of the last packet of the composed picture
that has it first; waiting for the next composed picture is in it. The network is none.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from benchmarks.audio import sounds
from benchmarks.cameras import CANVAS, FPS, PLAIN, camera_loop, encode
from benchmarks.contestants import ours, pin_load
from benchmarks.legs import Camera, Carry, Recorded, carried, write_pictures
from benchmarks.progress import say
from benchmarks.spread import spread
from benchmarks.video import SETTINGS
from benchmarks.watching import Shown, decoded, shown
from mcu.ids import LegId
from mcu.media._native import letterbox
from mcu.media.messages import Layout
from mcu.media.picture.layout import arrange

SETTLE_S: Final = 4.0
NUMBERS: Final = 200  # a loop of 8 s
BITS: Final = 8  # each beside its opposite, so that nothing else is taken for a number
BLACK, WHITE = 40, 210


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=15, help="how long is watched")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.seconds))


async def _run(seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        numbers = write_pictures(directory / "numbers", encode(numbered(grey()), PLAIN[0]))
        plain = write_pictures(directory / "plain", camera_loop(1))
        one, other = (carry.sound for carry in sounds(directory, 2, 1))
        wanted = [
            Carry(one, camera=Camera((numbers,), FPS), record_pictures=True),
            Carry(other, camera=Camera((plain,), FPS), record_pictures=True),
        ]
        async with (
            ours(prefix, SETTINGS) as contestant,
            carried(contestant.join, wanted, directory, SETTLE_S + seconds) as load,
        ):
            say(f"watching for {seconds:g} s")
            await load.begin()
            await load.results()
            recorded = load.recorded()
    late = [*latencies(recorded[0], recorded[1], lambda picture: picture.at).values()]
    return {**spread(late), "pictures": len(late)}


def latencies(camera: Recorded, watcher: Recorded, shown_at: Callable[[Shown], float]) -> dict[float, float]:
    """How late each number was seen first, by when it was sent, both in seconds; after the first SETTLE_S."""
    began = camera.shown[0].at
    found: dict[float, float] = {}
    for picture, frame in decoded(shown(watcher.seen)):
        number = read(frame)
        sent = [one.at for one in camera.shown if one.sequence == number and one.at < picture.at]
        if sent and sent[-1] > began + SETTLE_S:
            found.setdefault(sent[-1], shown_at(picture) - sent[-1])
    return found


def grey() -> Iterator[VideoFrame]:
    """Grey pictures of PLAIN's size."""
    width, height = PLAIN[0][:2]
    for _ in range(NUMBERS):
        yield VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), format="yuv420p")


def numbered(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """Pictures with their numbers: a row of bars in the middle, black and white, each bit and its opposite."""
    for number, frame in enumerate(frames):
        bits = [number >> bit & 1 for bit in range(BITS)]
        bars = np.repeat([WHITE if one else BLACK for bit in bits for one in (bit, not bit)], frame.width // (2 * BITS))
        planes = frame.to_ndarray()
        planes[frame.height * 3 // 8 : frame.height * 5 // 8] = 128
        planes[frame.height * 3 // 8 : frame.height * 5 // 8, : len(bars)] = bars
        yield VideoFrame.from_ndarray(planes, format="yuv420p")


def read(frame: VideoFrame) -> int | None:
    """The number in a composed picture of two; None where there is none."""
    luma = np.asarray(frame.to_ndarray()[: frame.height], np.uint8)
    tiles = arrange(Layout.GRID, *CANVAS, [LegId("one"), LegId("other")])
    for tile in tiles:
        number = _read(luma, letterbox(*PLAIN[0][:2], (tile.x, tile.y, tile.width, tile.height)))
        if number is not None:
            return number
    return None


def _read(luma: npt.NDArray[np.uint8], box: tuple[int, int, int, int]) -> int | None:
    x, y, width, height = box
    middles = [x + round((bar + 0.5) * width / (2 * BITS)) for bar in range(2 * BITS)]
    row = luma[y + height * 7 // 16 : y + height * 9 // 16]
    bars = [float(row[:, middle - 3 : middle + 4].mean()) for middle in middles]
    pairs = list(zip(bars[::2], bars[1::2], strict=True))
    if any(abs(bit - opposite) < (WHITE - BLACK) / 2 for bit, opposite in pairs):
        return None
    return sum((bit > opposite) << place for place, (bit, opposite) in enumerate(pairs))
