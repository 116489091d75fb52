"""`python -m benchmarks rooms`: how the cost of a room in which everybody has a camera grows with its legs.

All of them are seen, in a grid, at ROOMS_FPS pictures a second in and out, so that 25 decoders do not take more than
one core has. Cost is CPU time of the server's process tree, and beside it the same as a multiple of what x264 takes
alone, in the same seconds, for one and the same picture. A straight line is fitted to that: it says how cost grows, and
not how much slower the machine was while another size was weighed. `encodes_per_picture` stays what it is: all share
one picture.
"""

import argparse
import asyncio
from typing import Any

import numpy as np

from benchmarks.cameras import PLAIN, composed
from benchmarks.contestants import ours, pin_load
from benchmarks.growth import line, sizes
from benchmarks.progress import say
from benchmarks.video import encodes_worth, weigh
from mcu.media.messages import Layout

ROOMS_FPS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=sizes, default=(4, 9, 25), help="legs, such as 4,9,25")
    parser.add_argument("--seconds", type=float, default=10, help="how long each size is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.sizes, options.seconds))


async def _run(legs: tuple[int, ...], seconds: float) -> dict[str, Any]:
    prefix, frames = pin_load(), composed(legs[0])
    rooms = []
    for count in legs:
        async with ours(prefix, {"MCU_MEDIA__FPS": str(ROOMS_FPS)}, layout=Layout.GRID) as contestant:
            rooms.append(await weigh(contestant, count, PLAIN, seconds, ROOMS_FPS, frames))
        say(f"{count} legs: {rooms[-1]['cpu_percent']} % of a core, {rooms[-1]['pictures_per_s']} pictures a second")
    worths = np.array([encodes_worth(room) for room in rooms])
    return {
        "legs": list(legs),
        "cpu_percent": [room["cpu_percent"] for room in rooms],
        "encodes_worth": [round(float(worth), 2) for worth in worths],
        **line(legs, worths, "encodes_worth"),
        "encodes_per_picture": [room["encodes_per_picture"] for room in rooms],
        "pictures_per_s": [room["pictures_per_s"] for room in rooms],
    }
