"""`python -m benchmarks delay`: mouth to ear, what the server adds, beside Janus in the same run.

One leg speaks, another listens, on a clean network. From the sending of the packet that holds a sound to the arrival of
the packet that holds it again, packet by packet.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.audio import silence
from benchmarks.contestants import JANUS, Contestant, pin_load, starts
from benchmarks.hearing import delays
from benchmarks.legs import Carry, carried, write_sound
from benchmarks.progress import say
from benchmarks.spread import spread
from mcu.demo.sources import encode
from mcu.demo.voice import speech

SETTLE_S = 3.0  # the first moments, with the notices in them, are not counted
LISTENERS = 2  # who hear, beside the one who speaks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20, help="how long is listened to each server")
    parser.add_argument("--peer", choices=("janus", "none"), default="janus", help="the server to compare with")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    prefix = pin_load()
    figures = {}
    for name, start in starts(options.peer).items():
        say(f"{name}: listening for {options.seconds:g} s")
        async with start(prefix) as contestant:
            figures[name] = await listen(contestant, options.seconds)
    result: dict[str, Any] = figures["mcu"]
    if "janus" in figures:
        result["peer"] = {"name": JANUS, **figures["janus"]}
    return result


async def listen(contestant: Contestant, seconds: float) -> dict[str, float]:
    """p50 and p95 of one talker's sound at one listener."""
    said = speech(10, 130, seed=1)
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        voice = write_sound(directory / "voice", encode(said))
        quiet = silence(directory)
        wanted = [Carry(voice, record=True), *(Carry(quiet, record=number == 0) for number in range(LISTENERS))]
        async with carried(contestant.join, wanted, directory, SETTLE_S + seconds) as load:
            await load.begin()
            await load.results()
            recorded = load.recorded()
    began = recorded[0].sent[0].at
    late = [delay for at, delay in delays(said.astype(np.float64), recorded[0], recorded[1]) if at > began + SETTLE_S]
    return {**spread(late), "packets": len(late)}
