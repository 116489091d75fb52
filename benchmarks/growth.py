"""`python -m benchmarks growth`: how the cost of a room grows with its legs, three of them talking.

Fits a straight line to the cost at each size. `encodes_per_tick` is of the audio encoders, at each size: it stays what
it is, because who does not talk shares one.

How fast a core of a virtual machine is differs by a tenth and more from one minute to the next, which is as much as 50
more legs cost. So each second is weighed against fixed work that is done beside (`machine.Pace`), and the median of a
turn's seconds counts. The sizes are weighed in several turns, up and down in their order, and the median of a size's
turns counts: what the machine did in one of them moves no point. Percentages are of a core as fast as it was for the
median of all.
"""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.audio import share_of_a_core, weigh
from benchmarks.contestants import ours, pin_load
from benchmarks.machine import Pace
from benchmarks.progress import say

TALKERS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=sizes, default=(10, 50, 100, 150, 200), help="legs, such as 10,100,200")
    parser.add_argument("--seconds", type=float, default=6, help="how long each size is weighed in a turn")
    parser.add_argument("--repeats", type=int, default=3, help="turns")


def sizes(text: str) -> tuple[int, ...]:
    """`10,100,200`"""
    return tuple(map(int, text.split(",")))


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.sizes, options.seconds, options.repeats))


def line(legs: Sequence[int], costs: npt.NDArray[np.float64], unit: str = "cpu_percent") -> dict[str, float]:
    """Cost = base + legs times something, and how well that says it."""
    slope, base = np.polyfit(legs, costs, 1)
    left, spread = costs - (base + slope * np.array(legs)), costs - np.mean(costs)
    return {
        f"{unit}_base": round(float(base), 2),
        f"{unit}_per_more_leg": round(float(slope), 4),
        "r_squared": round(1 - float(left @ left) / float(spread @ spread), 4),
    }


async def _run(wanted: tuple[int, ...], seconds: float, repeats: int) -> dict[str, Any]:
    prefix = pin_load()
    worth: dict[int, list[float]] = {legs: [] for legs in wanted}
    encodes: dict[int, list[float]] = {legs: [] for legs in wanted}
    with Pace() as beside:
        meter = PacedMeter(beside)
        for turn in range(repeats):
            for legs in wanted[:: -1 if turn % 2 else 1]:
                async with ours(prefix) as contestant:
                    figures = await weigh(contestant, legs, TALKERS, seconds, meter.weigh)
                worth[legs].append(figures["cpu_percent_per_leg"] * legs)
                encodes[legs].append(figures["encodes_per_tick"])
                say(f"{legs} legs: {worth[legs][-1] * meter.piece_s[-1]:.1f} % of a core (turn {turn + 1})")
    percent = np.array([statistics.median(worth[legs]) for legs in wanted]) * statistics.median(meter.piece_s)
    return {
        "legs": list(wanted),
        "cpu_percent": [round(value, 2) for value in percent],
        **line(wanted, percent),
        "spread": [round(max(of) / min(of) - 1, 2) for of in worth.values()],
        "encodes_per_tick": [round(statistics.median(of), 2) for of in encodes.values()],
        "machine_us": [round(1e6 * piece, 2) for piece in meter.piece_s],
    }


class PacedMeter:
    """Weighs in pieces of work instead of seconds of CPU time."""

    def __init__(self, beside: Pace) -> None:
        self._beside = beside
        self.piece_s: list[float] = []  # of CPU time that a piece took, whenever something was weighed

    async def weigh(self, pid: int, seconds: float) -> float:
        """Pieces that could have been done in the CPU time that the process tree has in a second."""
        rates, paces = [], []
        for _ in range(max(1, round(seconds))):
            before = self._beside.spent
            share = await share_of_a_core(pid, 1)
            after = self._beside.spent
            paces.append((after.seconds - before.seconds) / max(after.pieces - before.pieces, 1))
            rates.append(share / paces[-1])
        self.piece_s.append(statistics.median(paces))
        return statistics.median(rates)
