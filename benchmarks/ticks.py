"""`python -m benchmarks ticks`: how late the mixer is under load, in rooms with three talkers each.

Reports how much of a core the server used, and by its own histograms which share of the ticks was handed over at most
5 ms late (`mcu_tick_lateness_seconds`), and for which share the worker's event loop was there within 5 ms
(`mcu_worker_loop_lag_seconds`). Before and after, a loop that is alone on the server's core keeps time by the same rule
(`machine`): what that misses is the machine's.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.audio import WARM_UP_S, sounds
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.legs import carried
from benchmarks.machine import alone
from benchmarks.processes import cpu_seconds
from benchmarks.progress import say

TALKERS = 3
WITHIN = "0.005"
HISTOGRAMS = ("mcu_tick_lateness_seconds", "mcu_worker_loop_lag_seconds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rooms", type=int, default=10, help="rooms at once")
    parser.add_argument("--legs", type=int, default=100, help="legs in all of them together")
    parser.add_argument("--seconds", type=float, default=15, help="how long is counted")
    parser.add_argument("--machine-seconds", type=float, default=10, help="how long the machine alone is, each time")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    prefix = pin_load()
    say("the machine alone, before and after")
    late = await alone("keep", options.machine_seconds)
    figures = await _weigh(prefix, options.rooms, options.legs, options.seconds)
    late += await alone("keep", options.machine_seconds)
    return {
        **figures,
        "machine_within_5_ms_percent": round(100 * sum(ms <= 1000 * float(WITHIN) for ms in late) / len(late), 2),
        "machine_longest_late_ms": round(max(late), 1),
    }


async def _weigh(prefix: list[str], rooms: int, legs: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        wanted = sounds(directory, legs, TALKERS * rooms)
        async with (
            ours(prefix, meetings=rooms) as contestant,
            carried(contestant.join, wanted, directory, WARM_UP_S + seconds) as load,
        ):
            say(f"{legs} legs in {rooms} rooms for {seconds:g} s")
            await load.begin()
            await asyncio.sleep(WARM_UP_S)
            before, cpu = await _counts(contestant), cpu_seconds(contestant.pid)
            counted = await load.results()
            after, used = await _counts(contestant), cpu_seconds(contestant.pid) - cpu
    ticks, loop = ([late - early for late, early in zip(after[of], before[of], strict=True)] for of in HISTOGRAMS)
    return {
        "rooms": rooms,
        "legs": legs,
        "cpu_percent": round(100 * used / seconds, 1),
        "ticks_within_5_ms_percent": round(100 * ticks[0] / ticks[1], 2),
        "loop_within_5_ms_percent": round(100 * loop[0] / loop[1], 2),
        "longest_gap_ms": max(leg["longest_gap_ms"] for leg in counted),
    }


async def _counts(contestant: Ours) -> dict[str, tuple[float, float]]:
    """Of each histogram: how many were within 5 ms, and all."""
    return {
        name: (
            await contestant.metric(f"{name}_bucket", le=WITHIN),
            await contestant.metric(f"{name}_bucket", le="+Inf"),
        )
        for name in HISTOGRAMS
    }
