"""`python -m benchmarks freezes --percent 5`: how often the picture stands still on a network that loses packets.

One leg has a line that loses so many packets each way, by chance, and is 50 ms away. It waits 100 ms for what comes
late, as a browser's jitter buffer then does. A freeze is what WebRTC's statistics count as one: an interval of three
times the usual one, or 150 ms longer, whichever is longer.
"""

import argparse
import asyncio
from typing import Any, Final

from benchmarks.apart import watching
from benchmarks.legs import Carry
from benchmarks.progress import say
from benchmarks.watching import freezes, played

WAITS_S: Final = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--percent", type=float, default=5, help="of the packets, each way")
    parser.add_argument("--seconds", type=float, default=60, help="how long")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.percent, options.seconds))


async def _run(percent: float, seconds: float) -> dict[str, Any]:
    say(f"{percent:g} % loss for {seconds:g} s")
    async with watching(Carry(far_ms=25, lossy_per_mille=round(10 * percent)), seconds) as room:
        _, recorded = await room.end()
    *others, seen = [room.pictures(leg) for leg in recorded]
    frozen = freezes(played(seen, WAITS_S))
    return {
        "percent": percent,
        "freezes": len(frozen),
        "freezes_per_minute": round(60 * len(frozen) / seconds, 2),
        "longest_freeze_ms": round(1000 * max(frozen, default=0.0), 1),
        "pictures_per_s": round(len(seen) / (seconds - 1), 1),
        "keys": sum(picture.key for picture in seen),
        "keys_to_others": sum(picture.key for pictures in others for picture in pictures),
        "freezes_of_others": sum(len(freezes(played(pictures, WAITS_S))) for pictures in others),
    }
