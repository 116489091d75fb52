"""`python -m benchmarks repair`: what one lost packet of the composed picture costs a leg that is 50 ms away.

Each nth packet of it is lost on its way to one leg, which asks for it again (NACK) over a line of 25 ms each
way. From when the lost packet would have come until the picture is right again; and the key frames that the
others, who lost nothing, are sent meanwhile.
"""

import argparse
import asyncio
import itertools
from typing import Any, Final

import numpy as np

from benchmarks.apart import watching
from benchmarks.legs import Carry, Packet
from benchmarks.progress import say
from benchmarks.watching import in_order

EVERY: Final = 97  # packets, some 0.7 s: each repair is over before the next loss


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=15, help="how long packets are lost")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.seconds))


async def _run(seconds: float) -> dict[str, Any]:
    say(f"50 ms away for {seconds:g} s")
    async with watching(Carry(far_ms=25, miss_every=EVERY), seconds) as room:
        counted, recorded = await room.end()
    repairs = 1000 * np.array(_repairs([one for one in recorded[-1].seen if one.at > room.began]))
    return {
        "losses": len(repairs),
        "repair_p50_ms": round(float(np.median(repairs)), 1),
        "repair_longest_ms": round(float(repairs.max()), 1),
        "keys_wanted": counted[-1]["keys_wanted"],
        "keys_to_others": sum(picture.key for leg in recorded[:-1] for picture in room.pictures(leg)),
    }


def _repairs(packets: list[Packet]) -> list[float]:
    """Seconds from the packet after a lost one until the lost one came."""
    ordered = [packet for _, packet in in_order(packets)]
    pairs = itertools.pairwise(ordered)
    return [packet.at - after.at for packet, after in pairs if packet.at > after.at + 0.01]
