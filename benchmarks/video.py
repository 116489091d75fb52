"""`python -m benchmarks video`: what a room costs in which everybody sends and receives pictures.

Every client sends 640x360 at 25 pictures a second, H.264 encoded beforehand, and speech or silence; every client gets
the composed 1280x720. Cost is CPU time of the server's process tree; `pictures_per_s` is what the slowest client got.
"""

import argparse
import asyncio
import contextlib
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from benchmarks.contestants import ours, pin_load
from benchmarks.processes import cpu_seconds
from benchmarks.progress import say
from mcu.demo.client import MeetingClient
from mcu.demo.sources import PictureLoop, SoundLoop, encode
from mcu.demo.voice import speech
from mcu.media.seams import TICK_SAMPLES

WIDTH, HEIGHT, FPS, LOOP_S = 640, 360, 25, 2
BIT_RATE = 500_000
TALKERS = 3
WARM_UP_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=9, help="connected clients, all of them with a camera")
    parser.add_argument("--seconds", type=float, default=20, help="how long the server is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.legs, options.seconds))


async def _run(legs: int, seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    quiet, voice = encode(np.zeros(TICK_SAMPLES * 50, np.int16)), encode(speech(10, 130, seed=1))
    say(f"mcu: {legs} legs with cameras, {seconds:g} s")
    async with ours(prefix, {"MCU_MEDIA__FPS": str(FPS)}) as contestant, contextlib.AsyncExitStack() as stack:
        clients = []
        for number in range(legs):
            sound = SoundLoop(voice if number < TALKERS else quiet, offset=31 * number)
            camera = PictureLoop(camera_loop(number), FPS)
            client = MeetingClient(sound=sound, camera=camera, watch=False, codecs=("H264",))
            stack.push_async_callback(client.close)
            await client.connect(contestant.join)
            clients.append(client)
        await asyncio.sleep(WARM_UP_S)
        used, pictures, elapsed = await _measure(contestant.pid, clients, seconds)
    percent = 100 * used / elapsed
    return {
        "legs": legs,
        "size": "1280x720",
        "cpu_percent": round(percent, 1),
        "cpu_percent_per_leg": round(percent / legs, 2),
        "legs_per_core": round(100 * legs / percent, 1),
        "pictures_per_s": round(min(pictures) / elapsed, 1),
    }


async def _measure(pid: int, clients: list[MeetingClient], seconds: float) -> tuple[float, list[int], float]:
    loop = asyncio.get_running_loop()
    cpu, began, before = cpu_seconds(pid), loop.time(), [_pictures(client) for client in clients]
    await asyncio.sleep(seconds)
    used, elapsed = cpu_seconds(pid) - cpu, loop.time() - began
    return used, [_pictures(client) - had for client, had in zip(clients, before, strict=True)], elapsed


def _pictures(client: MeetingClient) -> int:
    return client.seen.frames if client.seen is not None else 0


def camera_loop(number: int) -> list[bytes]:
    """Moving bands with noise, as H.264 access units; the first is a key frame. Another `number`, another hue."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.framerate, encoder.time_base = BIT_RATE, Fraction(FPS), Fraction(1, FPS)
    encoder.thread_count = 1
    encoder.options = {"profile": "baseline", "preset": "superfast", "tune": "zerolatency", "level": "31"}
    random = np.random.default_rng(number)
    noise = random.integers(-6, 7, (HEIGHT, WIDTH))
    units: list[bytes] = []
    for turn in range(FPS * LOOP_S):
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        wave = 110 + 60 * np.sin((np.arange(WIDTH) + 6 * turn) / 40)
        planes[:HEIGHT] = np.clip(wave[None, :] + np.roll(noise, turn, axis=0), 16, 235)
        planes[HEIGHT:] = 90 + 12 * (number % 8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = turn, Fraction(1, FPS)
        frame.pict_type = PictureType.I if turn == 0 else PictureType.NONE
        units += [bytes(packet) for packet in encoder.encode(frame)]
    return units
