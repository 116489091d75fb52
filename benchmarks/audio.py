"""`python -m benchmarks audio`: what an audio leg costs, beside Janus with the same clients in the same run.

The legs are WebRTC legs of the load program on one core, the server has the other. Talkers send speech, the rest
silence, both encoded beforehand. Cost is CPU time of the server's process tree while all legs are connected, by leg.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contestants import JANUS, Contestant, pin_load, starts
from benchmarks.legs import Carry, carried, write_sound
from benchmarks.processes import cpu_seconds
from benchmarks.progress import say
from mcu.demo.sources import Spoken, encode
from mcu.demo.voice import speech
from mcu.media.seams import TICK_SAMPLES

WARM_UP_S = 3.0
PACKETS_PER_S = 50
Meter = Callable[[int, float], Awaitable[float]]  # the share of a core that a process tree has, for so many seconds
VOICES = 5  # different ones; more talkers share them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=20, help="connected clients")
    parser.add_argument("--talkers", type=int, default=3, help="how many of them speak all the time")
    parser.add_argument("--seconds", type=float, default=20, help="how long each server is weighed")
    parser.add_argument("--repeats", type=int, default=1, help="times each server is weighed, in turns")
    parser.add_argument("--peer", choices=("janus", "none"), default="janus", help="the server to compare with")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    prefix = pin_load()
    weighed: dict[str, list[dict[str, float]]] = {name: [] for name in starts(options.peer)}
    for turn in range(options.repeats):
        for name, start in starts(options.peer).items():
            say(f"{name}: {options.legs} legs, {options.talkers} talking, {options.seconds:g} s (turn {turn + 1})")
            async with start(prefix) as contestant:
                weighed[name].append(await weigh(contestant, options.legs, options.talkers, options.seconds))
                say(f"{name}: {weighed[name][-1]['cpu_percent_per_leg']:.3f} % of a core per leg")
    result = {"legs": options.legs, "talkers": options.talkers, **_median(weighed["mcu"])}
    result["legs_per_core"] = round(100 / result["cpu_percent_per_leg"], 1)
    if "janus" in weighed:
        result["peer"] = {"name": JANUS, **_median(weighed["janus"])}
        result["ratio"] = round(result["cpu_percent_per_leg"] / result["peer"]["cpu_percent_per_leg"], 3)
    return result


def silence(directory: Path) -> Path:
    """A second of it, as the load program reads it."""
    return write_sound(directory / "quiet", encode(np.zeros(TICK_SAMPLES * PACKETS_PER_S, np.int16)))


@cache
def _voice(number: int) -> list[Spoken]:
    """Encoded once: that takes longer than to start a server, and some benchmarks start fifteen."""
    return list(encode(speech(10, 110 + 25 * number, seed=number)))


def sounds(directory: Path, legs: int, talkers: int) -> list[Carry]:
    """What each leg of a room is to send: the first ones speak, the others are silent."""
    quiet = silence(directory)
    voices = [write_sound(directory / f"voice{number}", _voice(number)) for number in range(min(talkers, VOICES))]
    return [Carry(voices[number % VOICES] if number < talkers else quiet) for number in range(legs)]


async def share_of_a_core(pid: int, seconds: float) -> float:
    """That a process tree has of a core meanwhile."""
    loop = asyncio.get_running_loop()
    cpu, began = cpu_seconds(pid), loop.time()
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (loop.time() - began)


async def weigh(
    contestant: Contestant, legs: int, talkers: int, seconds: float, meter: Meter = share_of_a_core
) -> dict[str, float]:
    """What a contestant's process tree costs with so many legs, of whom so many talk."""
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        wanted = sounds(directory, legs, talkers)
        async with carried(contestant.join, wanted, directory, WARM_UP_S + seconds + 0.5) as load:
            await load.begin()
            await asyncio.sleep(WARM_UP_S)
            encoded = await contestant.encodes()
            share = await meter(contestant.pid, seconds)
            counted = await load.results()
            later = await contestant.encodes(after=encoded)
    encodes, ticks = (now - then for now, then in zip(later, encoded, strict=True))
    received, sent = (sum(leg[way] for leg in counted) for way in ("received", "sent"))
    served = min(legs, legs * received / sent)
    return {
        "cpu_percent_per_leg": round(100 * share / served, 4),
        "legs_served": round(served, 1),
        **({"encodes_per_tick": round(encodes / ticks, 2)} if ticks else {}),
        "packets_received_percent_least": round(100 * min(leg["received"] / leg["sent"] for leg in counted), 1),
        "longest_gap_ms": max(leg["longest_gap_ms"] for leg in counted),
    }


def _median(runs: list[dict[str, float]]) -> dict[str, Any]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}
