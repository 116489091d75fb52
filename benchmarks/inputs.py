"""`python -m benchmarks inputs`: what comes into a room, and what the room costs then.

The same room where everybody sends simulcast up to 1280x720, where everybody sends 320x180 alone, and where all cameras
are off, so that the picture stands still. x264 encodes one and the same picture beside each of them (`reference`), and
what a room costs in a second is a multiple of what 25 pictures cost that.
"""

import argparse
import asyncio
from typing import Any, Final

from benchmarks.cameras import FPS, PLAIN, SIMULCAST, composed
from benchmarks.contestants import ours, pin_load
from benchmarks.progress import say
from benchmarks.video import SETTINGS, encodes_worth, weigh

ROOMS: Final = {"simulcast": (SIMULCAST, FPS), "small": (SIMULCAST[:1], FPS), "still": (PLAIN, 0)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=16, help="connected clients")
    parser.add_argument("--seconds", type=float, default=10, help="how long each room is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.legs, options.seconds))


async def _run(legs: int, seconds: float) -> dict[str, Any]:
    prefix, frames = pin_load(), composed(legs, SIMULCAST)
    rooms = {}
    for name, (sizes, fps) in ROOMS.items():
        async with ours(prefix, SETTINGS) as contestant:
            rooms[name] = await weigh(contestant, legs, sizes, seconds, fps, frames)
        say(f"{name}: {rooms[name]['cpu_percent']} % of a core, {rooms[name]['pictures_per_s']} pictures a second")
    worths = {name: _worth(room, ROOMS[name][1]) for name, room in rooms.items()}
    return {
        "legs": legs,
        **{f"{name}_cpu_percent": room["cpu_percent"] for name, room in rooms.items()},
        **{f"{name}_encodes_worth": round(worth, 2) for name, worth in worths.items()},
        "simulcast_of_small": round(worths["simulcast"] / worths["small"], 2),
        "still_of_simulcast": round(worths["still"] / worths["simulcast"], 3),
        "pictures_per_s": {name: room["pictures_per_s"] for name, room in rooms.items()},
    }


def _worth(room: dict[str, Any], fps: int) -> float:
    """Of a second, in encodes of FPS pictures; of a room that moves, if it had made them all."""
    return encodes_worth(room) if fps else float(10 * room["cpu_percent_beside"] / FPS / room["encode_ms"])
