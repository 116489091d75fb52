"""`python -m benchmarks video`: what a room costs in which everybody sends and receives pictures.

Every leg sends H.264 encoded beforehand (640x360 at 25 pictures a second; with `--simulcast` three layers up to
1280x720), and speech or silence; every leg gets the composed 1280x720. Cost is CPU time of the server's process tree.
Beside it, in turns on the same core, x264 encodes that very picture alone, as the server's own encoder does. With
`--personal` the room is weighed where each leg gets a picture of its own, without itself, and where all share one, both
at OWN_FPS pictures a second in and out, as one core does not make a picture for each at 25; what they would cost at 25
follows from that.
"""

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.audio import sounds
from benchmarks.cameras import CANVAS, FPS, PLAIN, SIMULCAST, Size, cameras, composed
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.legs import Carry, carried
from benchmarks.processes import cpu_seconds
from benchmarks.progress import say
from benchmarks.reference import encode_seconds
from mcu.media.picture.rates import LADDER_720P

TALKERS: Final = 3
WARM_UP_S: Final = 5.0
SETTINGS: Final = {"MCU_MEDIA__FPS": str(FPS)}
OWN_FPS: Final = 6
OWN_SETTINGS: Final = {"MCU_MEDIA__FPS": str(OWN_FPS), "MCU_MEDIA__WORKER_CORES": "64"}  # nobody is refused a view


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=9, help="connected clients, all of them with a camera")
    parser.add_argument("--simulcast", action="store_true", help="they send three layers, up to 1280x720")
    parser.add_argument("--personal", action="store_true", help="a room with personal views beside it")
    parser.add_argument("--seconds", type=float, default=10, help="how long the server is weighed in a turn")
    parser.add_argument("--repeats", type=int, default=2, help="turns of the room and of the encoder alone")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    prefix = pin_load()
    sizes, legs = SIMULCAST if options.simulcast else PLAIN, options.legs
    frames = composed(legs)
    rooms, encodes = [], []
    for turn in range(options.repeats):
        say(f"mcu: {legs} legs with cameras, {options.seconds:g} s (turn {turn + 1})")
        async with ours(prefix, SETTINGS) as contestant:
            rooms.append(await weigh(contestant, legs, sizes, options.seconds))
        encodes.append(await asyncio.to_thread(encode_seconds, frames, LADDER_720P[0]))
        say(f"{rooms[-1]['cpu_percent']} % of a core; alone the encoder takes {100 * FPS * encodes[-1]:.1f} %")
    worths = [room["cpu_ms_per_picture"] / 1000 / encode for room, encode in zip(rooms, encodes, strict=True)]
    percent = statistics.median(room["cpu_percent"] for room in rooms)
    at_25 = statistics.median(room["cpu_ms_per_picture"] for room in rooms) * FPS / 10
    beside = await _personal(prefix, legs, sizes, options.seconds, rooms[-1]) if options.personal else {}
    return {
        "legs": legs,
        "size": "{}x{}".format(*CANVAS),
        "sent": [f"{size.width}x{size.height}" for size in sizes],
        "cpu_percent": round(percent, 1),
        "cpu_percent_per_leg": round(percent / legs, 2),
        "legs_per_core": round(100 * legs / at_25, 1),
        "encode_percent": round(100 * FPS * statistics.median(encodes), 1),
        "encodes_worth": round(statistics.median(worths), 2),
        "encodes_per_picture": max(room["encodes_per_picture"] for room in rooms),
        "pictures_per_s": min(room["pictures_per_s"] for room in rooms),
        "longest_picture_gap_ms": max(room["longest_picture_gap_ms"] for room in rooms),
        "longest_audio_gap_ms": max(room["longest_audio_gap_ms"] for room in rooms),
        **beside,
    }


async def _personal(
    prefix: list[str], legs: int, sizes: tuple[Size, ...], seconds: float, quick: dict[str, float]
) -> dict[str, Any]:
    """The same room with a view for each leg; and what that costs at 25 pictures a second, of the shared one, `quick`.

    What a room costs beside its pictures, sound above all, is known from the shared one at both rates.
    """
    rooms = []
    for personal in (False, True):
        say(f"mcu: {legs} legs, {'personal views' if personal else 'one view'}, {OWN_FPS} pictures a second")
        async with ours(prefix, OWN_SETTINGS, personal=personal) as contestant:
            rooms.append(await weigh(contestant, legs, sizes, seconds, OWN_FPS))
    shared, own = rooms
    faster = max(quick["pictures_per_s"] - shared["pictures_per_s"], 1)
    beside = max(0.0, shared["cpu_percent"] - (quick["cpu_percent"] - shared["cpu_percent"]) / faster * OWN_FPS)
    costs = [beside + (room["cpu_percent"] - beside) * FPS / room["pictures_per_s"] for room in (own, quick)]
    return {"personal": own, "ratio": round(costs[0] / costs[1], 2)}


async def weigh(
    contestant: Ours, legs: int, sizes: tuple[Size, ...], seconds: float, fps: int = FPS
) -> dict[str, float]:
    """What the server's process tree costs with so many legs, each with a camera. `RuntimeError`: one saw nothing."""
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        pairs = zip(sounds(directory, legs, TALKERS), cameras(directory, legs, sizes, fps), strict=True)
        wanted = [Carry(carry.sound, camera=camera) for carry, camera in pairs]
        async with carried(contestant.join, wanted, directory, WARM_UP_S + seconds, WARM_UP_S) as load:
            await load.begin()
            await asyncio.sleep(WARM_UP_S)
            loop = asyncio.get_running_loop()
            before, cpu, began = await _encodes(contestant), cpu_seconds(contestant.pid), loop.time()
            await asyncio.sleep(seconds - 0.5)
            busy = (cpu_seconds(contestant.pid) - cpu) / (loop.time() - began)
            encodes, composed = (now - then for now, then in zip(await _encodes(contestant), before, strict=True))
            counted = await load.results()
    pictures = min(leg["pictures"] for leg in counted) / seconds  # the server's own count is a second old
    if not pictures:
        raise RuntimeError("a leg was sent no picture")
    return {
        "cpu_percent": round(100 * busy, 2),
        "cpu_ms_per_picture": round(1000 * busy / pictures, 3),
        "encodes_per_picture": round(encodes / max(composed, 1), 2),
        "pictures_per_s": round(pictures, 1),
        "longest_picture_gap_ms": max(leg["picture_gap_ms"] for leg in counted),
        "longest_audio_gap_ms": max(leg["longest_gap_ms"] for leg in counted),
    }


async def _encodes(contestant: Ours) -> tuple[float, float]:
    return await contestant.metric("mcu_video_encodes_total"), await contestant.metric("mcu_frames_composed_total")
