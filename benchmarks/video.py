"""`python -m benchmarks video`: what a room costs in which everybody sends and receives pictures.

Every leg sends H.264 encoded beforehand (640x360 at 25 pictures a second; with `--simulcast` three layers up to
1280x720), and speech or silence; every leg gets the composed 1280x720. Cost is CPU time of the server's process tree.
Then it is weighed once more while x264 alone encodes such a picture on the same core (`reference`). With `--personal`
the room is weighed where each leg gets a picture of its own, without itself, and where all share one, both at OWN_FPS
pictures a second in and out, as one core does not make a picture for each at 25; what they would cost at 25 follows
from that.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from av.video.frame import VideoFrame

from benchmarks import machine
from benchmarks.audio import sounds
from benchmarks.cameras import CANVAS, FPS, PLAIN, SIMULCAST, Size, cameras, composed
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.legs import Carry, carried
from benchmarks.processes import thread_seconds
from benchmarks.progress import say
from benchmarks.reference import Reference
from mcu.media.messages import Layout
from mcu.media.picture.rates import LADDER_720P

TALKERS: Final = 3
WARM_UP_S: Final = 5.0
BEGIN_S: Final = 1.0  # of the encoder beside it
SETTINGS: Final = {"MCU_MEDIA__FPS": str(FPS)}
MADE: Final = ("mcu_video_encodes_total", "mcu_frames_composed_total")
OWN_FPS: Final = 6
OWN_SETTINGS: Final = {"MCU_MEDIA__FPS": str(OWN_FPS), "MCU_MEDIA__WORKER_CORES": "64"}  # nobody is refused a view


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=9, help="connected clients, all of them with a camera")
    parser.add_argument("--simulcast", action="store_true", help="they send three layers, up to 1280x720")
    parser.add_argument("--grid", action="store_true", help="all of them are seen, in tiles of one size")
    parser.add_argument("--personal", action="store_true", help="a room with personal views beside it")
    parser.add_argument("--seconds", type=float, default=10, help="how long the server is weighed in a turn")
    parser.add_argument("--repeats", type=int, default=2, help="turns of the room and of the encoder alone")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    prefix = pin_load()
    sizes, legs = SIMULCAST if options.simulcast else PLAIN, options.legs
    layout = Layout.GRID if options.grid else Layout.AUTO
    frames = composed(legs, sizes, layout)
    rooms = []
    for turn in range(options.repeats):
        say(f"mcu: {legs} legs with cameras, {options.seconds:g} s (turn {turn + 1})")
        async with ours(prefix, SETTINGS, layout=layout) as contestant:
            rooms.append(await weigh(contestant, legs, sizes, options.seconds, frames=frames))
        say(f"{rooms[-1]['cpu_percent']} % of a core; a picture that is only encoded: {rooms[-1]['encode_ms']} ms")
    percent = statistics.median(room["cpu_percent"] for room in rooms)
    at_25 = statistics.median(room["cpu_ms_per_picture"] for room in rooms) * FPS / 10
    own = await _personal(prefix, layout, legs, sizes, options.seconds, rooms[-1]) if options.personal else {}
    return {
        "legs": legs,
        "size": "{}x{}".format(*CANVAS),
        "layout": layout,
        "sent": [f"{size.width}x{size.height}" for size in sizes],
        "cpu_percent": round(percent, 1),
        "cpu_percent_per_leg": round(percent / legs, 2),
        "legs_per_core": round(100 * legs / at_25, 1),
        "encode_percent": round(FPS / 10 * statistics.median(room["encode_ms"] for room in rooms), 1),
        "encodes_worth": round(statistics.median(map(encodes_worth, rooms)), 2),
        "encodes_per_picture": max(room["encodes_per_picture"] for room in rooms),
        "pictures_per_s": min(room["pictures_per_s"] for room in rooms),
        "longest_picture_gap_ms": max(room["longest_picture_gap_ms"] for room in rooms),
        "longest_audio_gap_ms": max(room["longest_audio_gap_ms"] for room in rooms),
        "machine_longest_late_ms": max(room["machine_longest_late_ms"] for room in rooms),
        "cpu_percent_by_thread": rooms[-1]["cpu_percent_by_thread"],
        **own,
    }


def encodes_worth(room: dict[str, Any]) -> float:
    """Of what it costs to make a picture."""
    return float(10 * room["cpu_percent_beside"] / room["pictures_per_s"] / room["encode_ms"])


async def _personal(
    prefix: list[str], layout: Layout, legs: int, sizes: tuple[Size, ...], seconds: float, quick: dict[str, float]
) -> dict[str, Any]:
    """The same room with a view for each leg; and what that costs at 25 pictures a second, of the shared one, `quick`.

    What a room costs beside its pictures, sound above all, is known from the shared one at both rates.
    """
    rooms = []
    for personal in (False, True):
        say(f"mcu: {legs} legs, {'personal views' if personal else 'one view'}, {OWN_FPS} pictures a second")
        async with ours(prefix, OWN_SETTINGS, personal=personal, layout=layout) as contestant:
            rooms.append(await weigh(contestant, legs, sizes, seconds, OWN_FPS))
    shared, own = rooms
    faster = max(quick["pictures_per_s"] - shared["pictures_per_s"], 1)
    beside = max(0.0, shared["cpu_percent"] - (quick["cpu_percent"] - shared["cpu_percent"]) / faster * OWN_FPS)
    costs = [beside + (room["cpu_percent"] - beside) * FPS / room["pictures_per_s"] for room in (own, quick)]
    return {"personal": own, "ratio": round(costs[0] / costs[1], 2)}


async def weigh(
    contestant: Ours,
    legs: int,
    sizes: tuple[Size, ...],
    seconds: float,
    fps: int = FPS,
    frames: Sequence[VideoFrame] = (),
) -> dict[str, Any]:
    """What the server's process tree costs with so many legs, each with a camera. `RuntimeError`: one saw nothing.

    `fps`: of the cameras; 0: they are off. `frames`: what is encoded beside the room, for so long again. It takes room
    in the caches, and so the room is weighed without it first.
    """
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        pairs = zip(sounds(directory, legs, TALKERS), cameras(directory, legs, sizes, fps), strict=True)
        wanted = [Carry(carry.sound, camera=camera) for carry, camera in pairs]
        lasts = WARM_UP_S + seconds + (BEGIN_S + seconds if frames else 0)
        async with carried(contestant.join, wanted, directory, lasts, WARM_UP_S) as load:
            await load.begin()
            await asyncio.sleep(WARM_UP_S)
            watching = asyncio.create_task(machine.alone("watch", lasts - WARM_UP_S))
            before = await contestant.counted(*MADE)
            alone = await _spent(contestant, seconds - 0.25)
            together = await _beside(contestant, seconds - 0.25, frames) if frames else {}
            counted = await load.results()
            after = await contestant.counted(*MADE, after=before)
            late = await watching
    encodes, composed, _ = (now - then for now, then in zip(after, before, strict=True))
    pictures = min(leg["pictures"] for leg in counted) / (lasts - WARM_UP_S)  # the server's own count is a second old
    if fps and not pictures:
        raise RuntimeError("a leg was sent no picture")
    return {
        **alone,
        **together,
        "cpu_ms_per_picture": round(10 * alone["cpu_percent"] / pictures, 3) if pictures else None,
        "encodes_per_picture": round(encodes / max(composed, 1), 2),
        "pictures_per_s": round(pictures, 1),
        "longest_picture_gap_ms": max(leg["picture_gap_ms"] for leg in counted),
        "longest_audio_gap_ms": max(leg["longest_gap_ms"] for leg in counted),
        "machine_longest_late_ms": round(max(late), 1),
    }


async def _spent(contestant: Ours, seconds: float) -> dict[str, Any]:
    """From now on, for so long."""
    before, began = thread_seconds(contestant.pid), time.monotonic()
    await asyncio.sleep(seconds)
    after, lasted = thread_seconds(contestant.pid), time.monotonic() - began
    by_thread = {name: 100 * (spent.all - before[name].all) / lasted for name, spent in after.items()}
    return {
        "cpu_percent": round(sum(by_thread.values()), 2),
        "cpu_percent_by_thread": {name: round(percent, 2) for name, percent in by_thread.items()},
    }


async def _beside(contestant: Ours, seconds: float, frames: Sequence[VideoFrame]) -> dict[str, float]:
    """The same while an encoder encodes these on the server's core, and what a picture costs that."""
    with Reference(frames, LADDER_720P[0]) as reference:
        await asyncio.sleep(BEGIN_S)
        before = reference.encoded
        spent = await _spent(contestant, seconds)
        after = reference.encoded
    took, pictures = after.seconds - before.seconds, after.pictures - before.pictures
    return {"encode_ms": round(1000 * took / max(pictures, 1), 3), "cpu_percent_beside": spent["cpu_percent"]}
