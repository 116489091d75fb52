"""`python -m benchmarks growth`: how the cost of a room grows with its legs, three of them talking.

Fits a straight line to the cost at each size. `encodes_per_tick` is of the audio encoders, at each size: it stays what
it is, because who does not talk shares one.
"""

import argparse
import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.audio import weigh
from benchmarks.contestants import ours, pin_load
from benchmarks.progress import say

TALKERS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=sizes, default=(10, 50, 100, 150, 200), help="legs, such as 10,100,200")
    parser.add_argument("--seconds", type=float, default=15, help="how long each size is weighed")


def sizes(text: str) -> tuple[int, ...]:
    """`10,100,200`"""
    return tuple(map(int, text.split(",")))


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.sizes, options.seconds))


def line(legs: Sequence[int], costs: npt.NDArray[np.float64], unit: str = "cpu_percent") -> dict[str, float]:
    """Cost = base + legs times something, and how well that says it."""
    slope, base = np.polyfit(legs, costs, 1)
    left, spread = costs - (base + slope * np.array(legs)), costs - np.mean(costs)
    return {
        f"{unit}_base": round(float(base), 2),
        f"{unit}_per_more_leg": round(float(slope), 4),
        "r_squared": round(1 - float(left @ left) / float(spread @ spread), 4),
    }


async def _run(wanted: tuple[int, ...], seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    percent, encodes = [], []
    for legs in wanted:
        async with ours(prefix) as contestant:
            figures = await weigh(contestant, legs, TALKERS, seconds)
        percent.append(figures["cpu_percent_per_leg"] * legs)
        encodes.append(figures["encodes_per_tick"])
        say(f"{legs} legs: {percent[-1]:.1f} % of a core, {encodes[-1]:.2f} encodes a tick")
    return {
        "legs": list(wanted),
        "cpu_percent": [round(value, 2) for value in percent],
        **line(wanted, np.array(percent)),
        "encodes_per_tick": encodes,
    }
