"""`python -m benchmarks strangers`: a call while strangers spray the media port.

Two legs, one of them speaking; 40,000 stray datagrams of 1,200 bytes a second for some seconds from another port, of
every protocol's looks. What the listener hears meanwhile, and how much memory the server takes.
"""

import argparse
import asyncio
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.contestants import ours, pin_load
from benchmarks.legs import ROOT, Carry, carried, write_sound
from benchmarks.processes import children, resident_mb
from benchmarks.progress import say
from mcu.demo.sources import encode
from mcu.demo.voice import speech

BEFORE_S, AFTER_S = 4.0, 1.0
BYTES = 1200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--per-second", type=int, default=40_000, help="stray datagrams a second")
    parser.add_argument("--seconds", type=float, default=5, help="for how long")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.per_second, options.seconds))


async def _run(per_second: int, seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        spray = await _compile(directory)
        voice = write_sound(directory / "voice", encode(speech(10, 130, seed=1)))
        wanted = [Carry(voice), Carry(voice, record=True)]
        async with (
            ours(prefix) as contestant,
            carried(contestant.join, wanted, directory, BEFORE_S + seconds + AFTER_S) as load,
        ):
            await load.begin()
            await asyncio.sleep(BEFORE_S)
            memory = _memory(contestant.pid)
            address, port = load.legs[0].socket.getpeername()
            say(f"{per_second} datagrams a second for {seconds:g} s")
            words = map(str, (address, port, BYTES, per_second, seconds))
            process = await asyncio.create_subprocess_exec(spray, *words, stdout=asyncio.subprocess.PIPE)
            said, _ = await process.communicate()
            more = _memory(contestant.pid) - memory
            counted = await load.results()
            received = load.recorded()[1].received
    gaps = [b.at - a.at for a, b in pairwise(received[50:])]
    return {
        "strays": int(said),
        "longest_gap_ms": round(1000 * max(gaps), 1),
        "lost": counted[1]["lost"],
        "resident_more_mb": round(more, 1),
    }


async def _compile(directory: Path) -> Path:
    program = directory / "spray"
    source = ROOT / "benchmarks/spray.c"
    process = await asyncio.create_subprocess_exec("cc", "-O2", "-D_GNU_SOURCE", "-o", program, source)
    if await process.wait():
        raise RuntimeError("spray.c does not compile")
    return program


def _memory(pid: int) -> float:
    return sum(resident_mb(process) for process in (pid, *children(pid)))
