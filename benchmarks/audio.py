"""`python -m benchmarks audio`: what an audio leg costs, beside Janus with the same clients in the same run.

The clients are WebRTC clients on one core, the server has the other. Talkers send speech, the rest silence, both
encoded beforehand. Cost is CPU time of the server's process tree while all legs are connected, by leg.

"""

import argparse
import asyncio
import contextlib
import statistics
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import numpy as np

from benchmarks import janus
from benchmarks.contestants import Contestant, janus_audiobridge, ours, pin_load
from benchmarks.processes import cpu_seconds
from benchmarks.progress import say
from mcu.demo.client import MeetingClient
from mcu.demo.sources import SoundLoop, Spoken, encode
from mcu.demo.voice import speech
from mcu.media.seams import TICK_SAMPLES

WARM_UP_S = 3.0
PACKETS_PER_S = 50
Start = Callable[[list[str]], AbstractAsyncContextManager[Contestant]]


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
    starts: dict[str, Start] = {"mcu": ours}
    if options.peer == "janus" and janus.installed():
        starts["janus"] = janus_audiobridge
    weighed: dict[str, list[dict[str, float]]] = {name: [] for name in starts}
    for turn in range(options.repeats):
        for name, start in starts.items():
            say(f"{name}: {options.legs} legs, {options.talkers} talking, {options.seconds:g} s (turn {turn + 1})")
            async with start(prefix) as contestant:
                weighed[name].append(await _weigh(contestant, options))
                say(f"{name}: {weighed[name][-1]['cpu_percent_per_leg']:.2f} % of a core per leg")
    result = {"legs": options.legs, "talkers": options.talkers, **_median(weighed["mcu"])}
    result["legs_per_core"] = round(100 / result["cpu_percent_per_leg"], 1)
    if "janus" in weighed:
        result["peer"] = {"name": "janus 1.1.2 AudioBridge, 48 kHz, WebRTC", **_median(weighed["janus"])}
        result["ratio"] = round(result["cpu_percent_per_leg"] / result["peer"]["cpu_percent_per_leg"], 3)
    return result


async def _weigh(contestant: Contestant, options: argparse.Namespace) -> dict[str, float]:
    voices = [encode(speech(10, 110 + 25 * number, seed=number)) for number in range(options.talkers)]
    quiet = encode(np.zeros(TICK_SAMPLES * 50, np.int16))
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for number in range(options.legs):
            packets: list[Spoken] = voices[number] if number < options.talkers else quiet
            client = MeetingClient(sound=SoundLoop(packets, offset=7 * number), video=False)
            stack.push_async_callback(client.close)
            await client.connect(contestant.join)
            clients.append(client)
        await asyncio.sleep(WARM_UP_S)
        return await _measure(contestant.pid, clients, options.seconds)


async def _measure(pid: int, clients: list[MeetingClient], seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    cpu, began, received = cpu_seconds(pid), loop.time(), [client.packets_received() for client in clients]
    await asyncio.sleep(seconds)
    used, elapsed = cpu_seconds(pid) - cpu, loop.time() - began
    shares = [
        (client.packets_received() - before) / (elapsed * PACKETS_PER_S)
        for client, before in zip(clients, received, strict=True)
    ]
    return {
        "cpu_percent_per_leg": round(100 * used / elapsed / len(clients), 3),
        "packets_received_percent_least": round(100 * min(shares), 1),
    }


def _median(runs: list[dict[str, float]]) -> dict[str, Any]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}
