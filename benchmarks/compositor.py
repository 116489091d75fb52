"""Composed pictures a CPU second: our compositor, a bare libyuv loop in C, ffmpeg's scale and xstack, and GStreamer's.

All take the same I420 frames, make the same grid on the same canvas, on one thread; what is measured is CPU time,
in turns. Ours also draws margins, the speaker's border and names, as in a meeting.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from benchmarks.progress import say
from mcu.ids import LegId
from mcu.media.messages import Layout, Tile
from mcu.media.picture.canvas import Canvas
from mcu.media.picture.decoder import i420
from mcu.media.picture.layout import Box, arrange
from mcu.media.picture.paint import Look

FRAMES = 4  # different pictures of each source, taken in turns
LOOP = Path(__file__).with_name("libyuv_loop.c")
GST = shutil.which("gst-launch-1.0")
LAYOUTS = {1: 1, 4: 2, 9: 3, 16: 4, 25: 5}  # tiles: on a side

Measure = Callable[[int], float]  # pictures to compose → CPU seconds


def size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tiles", type=int, default=16, choices=sorted(LAYOUTS))
    parser.add_argument("--canvas", type=size, default=(1280, 720), metavar="WxH")
    parser.add_argument("--source", type=size, default=(1280, 720), metavar="WxH", help="what each leg sends")
    parser.add_argument("--frames", type=int, default=50, help="pictures composed in one measurement")
    parser.add_argument("--repeats", type=int, default=9, help="measurements of each, in turns")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    width, height = arguments.canvas
    legs = [LegId(f"leg-{number}") for number in range(arguments.tiles)]
    tiles = arrange(Layout.GRID, width, height, legs)
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="mcu-benchmark-") as directory:
        place = Path(directory)
        say(f"{arguments.tiles} sources of {FRAMES} pictures {arguments.source}, in {place}")
        sources = [write_source(place / f"{n}.yuv", arguments.source, seed=n) for n in range(arguments.tiles)]
        measures: dict[str, Measure] = {
            "ours": ours(arguments.canvas, tiles, sources),
            "half": ours(arguments.canvas, tiles, sources, share=2),
            "libyuv": libyuv(place, arguments.canvas, arguments.source, tiles),
            **{f"xstack_{f}": xstack(place, arguments.source, tiles, f) for f in ("area", "bilinear")},
            **({"gstreamer": gstreamer(place, arguments.canvas, arguments.source, tiles)} if GST else {}),
        }
        seconds = measured(measures, arguments.frames, arguments.repeats)
    return figures(arguments, seconds)


def measured(measures: dict[str, Measure], frames: int, repeats: int) -> dict[str, list[float]]:
    """CPU seconds a picture, `repeats` of each, in turns, so that what disturbs one disturbs all."""
    seconds: dict[str, list[float]] = {name: [] for name in measures}
    for measure in measures.values():
        measure(10)  # caches, lazy loading
    for repeat in range(repeats):
        for name, measure in measures.items():
            seconds[name].append(measure(frames) / frames)
        rates = "  ".join(f"{name} {1 / each[-1]:.0f}" for name, each in seconds.items())
        say(f"{repeat + 1}/{repeats} pictures a second: {rates}")
    return seconds


def figures(arguments: argparse.Namespace, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Rates are medians; a ratio is the median of the ratios within each turn."""
    rate = {name: 1 / statistics.median(each) for name, each in seconds.items()}
    peer = max((name for name in rate if name.startswith("xstack")), key=rate.__getitem__)

    def ratio_to(name: str) -> float:
        return round(
            statistics.median(theirs / own for theirs, own in zip(seconds[name], seconds["ours"], strict=True)), 3
        )

    return {
        "tiles": arguments.tiles,
        "canvas": "x".join(map(str, arguments.canvas)),
        "source": "x".join(map(str, arguments.source)),
        "fps": round(rate["ours"], 1),
        "libyuv_fps": round(rate["libyuv"], 1),
        "xstack_fps": round(rate[peer], 1),
        "xstack_scaler": peer.removeprefix("xstack_"),
        "ratio_to_libyuv": ratio_to("libyuv"),
        "ratio_to_xstack": ratio_to(peer),
        "gstreamer_fps": round(rate["gstreamer"], 1) if "gstreamer" in rate else None,
        "ratio_to_gstreamer": ratio_to("gstreamer") if "gstreamer" in rate else None,
        "half_dirty_ratio": round(1 / ratio_to("half"), 3),
        "spread": {name: round(max(each) / min(each) - 1, 3) for name, each in seconds.items()},
        "frames": arguments.frames,
        "repeats": arguments.repeats,
    }


def write_source(path: Path, sides: tuple[int, int], seed: int) -> list[VideoFrame]:
    """FRAMES pictures of a moving pattern with some noise, as frames and, the same, in a file."""
    width, height = sides
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : height * 3 // 2, 0:width]
    frames = []
    with path.open("wb") as file:
        for number in range(FRAMES):
            waves = 128 + 80 * np.sin((x + 9 * number) / 23 + seed) * np.cos(y / 31)
            picture = (waves + rng.integers(-12, 13, waves.shape)).astype(np.uint8)
            file.write(picture.tobytes())
            frames.append(VideoFrame.from_ndarray(picture, format="yuv420p"))
    return frames


def ours(sides: tuple[int, int], tiles: list[Tile], sources: list[list[VideoFrame]], share: int = 1) -> Measure:
    """The room's own compositor. Each tile is dirty in one picture of `share`, as many as the next in each."""
    canvas = Canvas(*sides)
    images = [[i420(frame) for frame in frames] for frames in sources]
    boxes = [Box(tile.x, tile.y, tile.width, tile.height) for tile in tiles]

    def looks(number: int) -> list[Look]:
        return [
            Look(
                box=box,
                label=f"Anna Lindgren {index}",
                speaking=index == 0,
                serial=(turn := (number + index) // share),
                image=images[index][turn % FRAMES],
            )
            for index, box in enumerate(boxes)
        ]

    def measure(count: int) -> float:
        begun = time.process_time()
        for number in range(count):
            changes = canvas.changes(looks(number))
            if changes is not None:
                canvas.paint(changes)
        return time.process_time() - begun

    return measure


def libyuv(place: Path, sides: tuple[int, int], source: tuple[int, int], tiles: list[Tile]) -> Measure:
    """`I420Scale` with the box filter, source after source, and nothing else; compiled here."""
    program = place / "libyuv_loop"
    subprocess.run(["cc", "-O3", "-Wall", "-o", program, LOOP, "-lyuv"], check=True)
    rectangles = [str(side) for tile in tiles for side in (tile.x, tile.y, tile.width, tile.height)]

    def measure(count: int) -> float:
        command = [str(program), str(count), str(FRAMES), *map(str, (*sides, *source)), *rectangles]
        return float(subprocess.run(command, check=True, cwd=place, stdout=subprocess.PIPE).stdout)

    return measure


def xstack(place: Path, source: tuple[int, int], tiles: list[Tile], scaler: str) -> Measure:
    """ffmpeg, one thread; what it takes to start and stop is measured by a short run, and taken off."""
    scale = ";".join(f"[{n}:v]scale={tile.width}:{tile.height}:flags={scaler}[s{n}]" for n, tile in enumerate(tiles))
    names = "".join(f"[s{n}]" for n in range(len(tiles)))
    layout = "|".join(f"{tile.x}_{tile.y}" for tile in tiles)
    stack = f"{names}xstack=inputs={len(tiles)}:layout={layout}" if len(tiles) > 1 else "[s0]null"
    picture = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "x".join(map(str, source)), "-r", "30"]
    inputs = [word for n in range(len(tiles)) for word in (*picture, "-stream_loop", "-1", "-i", f"{n}.yuv")]
    threads = ["-filter_threads", "1", "-filter_complex_threads", "1"]

    def cost(count: int) -> float:
        command = ["ffmpeg", "-v", "error", "-nostdin", *threads, *inputs, "-filter_complex", f"{scale};{stack}"]
        output = ["-frames:v", str(count), "-threads", "1", "-f", "null", "-"]
        return cpu_of([*command, *output], place)

    return lambda count: cost(count + 10) - cost(10)


def gstreamer(place: Path, sides: tuple[int, int], source: tuple[int, int], tiles: list[Tile]) -> Measure:
    """GStreamer's compositor, which scales too; its start and end are taken off as xstack's are."""
    width, height = source
    size = width * height * 3 // 2

    def cost(count: int) -> float:
        raw = f"rawvideoparse format=i420 width={width} height={height} framerate=30/1"
        pads = [
            f"sink_{n}::{key}={value}"
            for n, tile in enumerate(tiles)
            for key, value in (("xpos", tile.x), ("ypos", tile.y), ("width", tile.width), ("height", tile.height))
        ]
        head = f"compositor name=c {' '.join(pads)} ! video/x-raw,format=I420,width={sides[0]},height={sides[1]}"
        files = [
            f"multifilesrc location={n}.yuv loop=true num-buffers={count // FRAMES + 1} blocksize={FRAMES * size}"
            f" ! {raw} ! c.sink_{n}"
            for n in range(len(tiles))
        ]
        command = ["gst-launch-1.0", "-q", *f"{head} ! fakesink {' '.join(files)}".split()]
        return cpu_of(command, place)

    return lambda count: cost(count + 10) - cost(10)


def cpu_of(command: list[str], directory: Path) -> float:
    """CPU seconds, of user and system, of a command that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=directory, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
