"""`python -m benchmarks rooms`: how the cost of a room in which everybody has a camera grows with its legs.

Fits a straight line to the cost at each size. `encodes_per_picture` stays what it is: all share one picture.
"""

import argparse
import asyncio
from typing import Any

import numpy as np

from benchmarks.cameras import PLAIN
from benchmarks.contestants import ours, pin_load
from benchmarks.growth import line, sizes
from benchmarks.progress import say
from benchmarks.video import SETTINGS, weigh


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=sizes, default=(4, 9, 25), help="legs, such as 4,9,25")
    parser.add_argument("--seconds", type=float, default=10, help="how long each size is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.sizes, options.seconds))


async def _run(legs: tuple[int, ...], seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    rooms = []
    for count in legs:
        async with ours(prefix, SETTINGS) as contestant:
            rooms.append(await weigh(contestant, count, PLAIN, seconds))
        say(f"{count} legs: {rooms[-1]['cpu_percent']} % of a core, {rooms[-1]['pictures_per_s']} pictures a second")
    percent = np.array([room["cpu_percent"] for room in rooms])
    return {
        "legs": list(legs),
        "cpu_percent": [round(float(value), 2) for value in percent],
        **line(legs, percent),
        "encodes_per_picture": [room["encodes_per_picture"] for room in rooms],
        "pictures_per_s": [room["pictures_per_s"] for room in rooms],
    }
