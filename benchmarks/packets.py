"""`python -m benchmarks packets`: what the native threads of a worker cost for each packet, in and out together.

One room in which three talk, as in `audio`. The CPU time of the packet thread and of the sound thread, with all that
they do (system calls, STUN, SRTP, RTCP, jitter buffers, decoding, encoding), by packet of sound, both ways; and the
same without what the codec took of it, as the server counts it (`mcu_audio_coding_seconds_total`).

The legs reach the server by 127.0.0.1, to which the kernel keeps its route, as it does on a network. For an address of
this machine's that is another device's it makes one for each datagram.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.audio import WARM_UP_S, sounds
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.legs import HERE, carried
from benchmarks.processes import thread_seconds
from benchmarks.progress import say

TALKERS = 3
REPORT_S = 1.2  # a worker reports each second
THREADS = ("mcu-packets", "mcu-sound")
SETTINGS = {"MCU_MEDIA__ADDRESSES": HERE}


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
            ours(prefix, SETTINGS) as contestant,
            carried(contestant.join, wanted, directory, WARM_UP_S + seconds) as load,
        ):
            say(f"{legs} legs for {seconds:g} s")
            coding, before = await _coding(contestant), thread_seconds(contestant.pid)
            await load.begin()
            counted = await load.results()
            after, coding = thread_seconds(contestant.pid), await _coding(contestant) - coding
    packets = sum(leg["sent"] + leg["received"] for leg in counted)
    microseconds = {name: 1e6 * (after[name].all - before[name].all) / packets for name in THREADS}
    kernel = sum(after[name].kernel - before[name].kernel for name in THREADS)
    whole, of_coding = sum(microseconds.values()), 1e6 * coding / packets
    return {
        "legs": legs,
        "packets": packets,
        "packets_received_percent_least": round(100 * min(leg["received"] / leg["sent"] for leg in counted), 1),
        "us_per_packet": round(whole - of_coding, 2),
        "us_with_coding": round(whole, 2),
        "us_of_coding": round(of_coding, 2),
        "us_of_the_kernel": round(1e6 * kernel / packets, 2),
        "us_by_thread": {name: round(value, 2) for name, value in microseconds.items()},
    }


async def _coding(contestant: Ours) -> float:
    """Seconds of CPU that the codec has had until now."""
    await asyncio.sleep(REPORT_S)
    return await contestant.metric("mcu_audio_coding_seconds_total")
