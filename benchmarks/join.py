"""`python -m benchmarks join`: from the request to join until the first sound and the first picture.

One participant speaks and shows its camera; the others come one after another and stay. The time is taken before
`POST /join` and ends with the first Opus packet that holds sound (the join notice, which the newcomer hears too), and
with the first decoded picture.
"""

import argparse
import asyncio
import contextlib
import time
from typing import Any

import numpy as np

from benchmarks.cameras import FPS, camera_loop
from benchmarks.contestants import ours, pin_load
from benchmarks.progress import say
from benchmarks.spread import spread
from mcu.demo.client import MeetingClient
from mcu.demo.sources import PictureLoop, SoundLoop, encode
from mcu.demo.taps import OpusDecoder
from mcu.demo.voice import speech

AUDIBLE = 100  # RMS of a tick that holds sound
GIVE_UP_S = 10.0
SETTLE_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--joins", type=int, default=20, help="how many join, one after another")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.joins))


async def _run(joins: int) -> dict[str, Any]:
    prefix = pin_load()
    sounds, pictures = [], []
    async with ours(prefix) as contestant, contextlib.AsyncExitStack() as stack:
        speaker = MeetingClient(
            sound=SoundLoop(encode(speech(10, 130, seed=1))),
            camera=PictureLoop(camera_loop(0), FPS),
            watch=False,
            codecs=("H264",),
        )
        stack.push_async_callback(speaker.close)
        await speaker.connect(contestant.join)
        await asyncio.sleep(SETTLE_S)
        for number in range(joins):
            client = MeetingClient()
            began = time.monotonic()
            await client.connect(contestant.join)
            sounds.append(await _first_sound(client) - began)
            pictures.append(await _first_picture(client) - began)
            say(f"join {number + 1}: sound {1000 * sounds[-1]:.0f} ms, picture {1000 * pictures[-1]:.0f} ms")
            await client.close()
            await asyncio.sleep(SETTLE_S)
    return {"joins": joins, "first_sound": spread(sounds), "first_picture": spread(pictures)}


async def _first_sound(client: MeetingClient) -> float:
    """When the first packet with sound came, monotonic."""
    decoder, seen = OpusDecoder(), 0
    for _ in range(int(GIVE_UP_S / 0.005)):
        packets = list(client.heard_sound.packets)
        for packet in packets[seen:]:
            samples = decoder.decode(packet.payload).astype(np.float64)
            if samples.size and np.sqrt(np.mean(samples**2)) > AUDIBLE:
                return packet.arrived
        seen = len(packets)
        await asyncio.sleep(0.005)
    raise TimeoutError("no sound")


async def _first_picture(client: MeetingClient) -> float:
    """When the first picture was decoded, monotonic."""
    for _ in range(int(GIVE_UP_S / 0.005)):
        if client.seen is not None and client.seen.first_at is not None:
            return client.seen.first_at
        await asyncio.sleep(0.005)
    raise TimeoutError("no picture")
