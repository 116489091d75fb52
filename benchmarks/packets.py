"""`python -m benchmarks packets`: what the native threads of a worker cost for each packet, in and out together.

One room in which three talk, as in `audio`. The CPU time of the packet thread and of the sound thread, with all that
they do (system calls, STUN, SRTP, RTCP, jitter buffers, decoding, encoding), by packet of sound, both ways.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.audio import WARM_UP_S, sounds
from benchmarks.contestants import ours, pin_load
from benchmarks.legs import carried
from benchmarks.processes import thread_seconds
from benchmarks.progress import say

TALKERS = 3
THREADS = ("mcu-packets", "mcu-sound")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=100, help="connected clients")
    parser.add_argument("--seconds", type=float, default=15, help="how long the server is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.legs, options.seconds))


async def _run(legs: int, seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        wanted = sounds(directory, legs, TALKERS)
        async with (
            ours(prefix) as contestant,
            carried(contestant.join, wanted, directory, WARM_UP_S + seconds) as load,
        ):
            say(f"{legs} legs for {seconds:g} s")
            before = thread_seconds(contestant.pid)
            await load.begin()
            counted = await load.results()
            after = thread_seconds(contestant.pid)
    packets = sum(leg["sent"] + leg["received"] for leg in counted)
    microseconds = {name: 1e6 * (after[name].all - before[name].all) / packets for name in THREADS}
    kernel = sum(after[name].kernel - before[name].kernel for name in THREADS)
    return {
        "legs": legs,
        "packets": packets,
        "us_per_packet": round(sum(microseconds.values()), 2),
        "us_of_the_kernel": round(1e6 * kernel / packets, 2),
        "us_by_thread": {name: round(value, 2) for name, value in microseconds.items()},
    }
