"""What the load's cameras show, encoded beforehand; and the composed picture of them, as our encoder gets it."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType, VideoFrame

from benchmarks.legs import Camera, write_pictures
from mcu.ids import LegId
from mcu.media.messages import Layout, Tile
from mcu.media.picture.canvas import Canvas
from mcu.media.picture.decoder import i420
from mcu.media.picture.layout import Box, Scene, arrange, resolve, seat
from mcu.media.picture.paint import Look

FPS: Final = 25
LOOP_S: Final = 2
CANVAS: Final = (1280, 720)
DIFFERENT: Final = 9  # cameras; more legs share them


class Size(NamedTuple):
    """Of a camera's pictures, and the rate at which a browser encodes them."""

    width: int
    height: int
    bit_rate: int


PLAIN: Final = (Size(640, 360, 500_000),)
SIMULCAST: Final = (Size(320, 180, 150_000), Size(640, 360, 500_000), Size(1280, 720, 1_500_000))


def pictures(number: int, width: int, height: int) -> Iterator[VideoFrame]:
    """One loop of moving bands with noise. Another `number`, another hue."""
    random = np.random.default_rng(number)
    noise = random.integers(-6, 7, (height, width))
    for turn in range(FPS * LOOP_S):
        planes: npt.NDArray[np.uint8] = np.full((height * 3 // 2, width), 128, np.uint8)
        wave = 110 + 60 * np.sin((np.arange(width) + 6 * turn) / 40)
        planes[:height] = np.clip(wave[None, :] + np.roll(noise, turn, axis=0), 16, 235)
        planes[height:] = 90 + 12 * (number % 8)
        yield VideoFrame.from_ndarray(planes, format="yuv420p")


def encode(frames: Iterator[VideoFrame], size: Size) -> list[bytes]:
    """H.264 access units as a camera sends them; the first is the only key frame."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = size.width, size.height, "yuv420p"
    encoder.bit_rate, encoder.framerate, encoder.time_base = size.bit_rate, Fraction(FPS), Fraction(1, FPS)
    encoder.thread_count, encoder.gop_size = 1, 10_000
    encoder.options = {"profile": "baseline", "preset": "superfast", "tune": "zerolatency", "level": "31"}
    units: list[bytes] = []
    for turn, frame in enumerate(frames):
        frame.pts, frame.time_base = turn, Fraction(1, FPS)
        frame.pict_type = PictureType.I if turn == 0 else PictureType.NONE
        units += [bytes(packet) for packet in encoder.encode(frame)]
    return units


def camera_loop(number: int, size: Size = PLAIN[0]) -> list[bytes]:
    """One loop of a camera, encoded."""
    return encode(pictures(number, size.width, size.height), size)


def cameras(directory: Path, legs: int, sizes: tuple[Size, ...] = PLAIN, fps: int = FPS) -> list[Camera]:
    """A camera for each leg, with a layer of each size; `fps` of its pictures are sent in a second."""

    def layers(number: int) -> tuple[Path, ...]:
        written = (directory / f"camera{number}-{size.width}" for size in sizes)
        return tuple(write_pictures(path, camera_loop(number, size)) for path, size in zip(written, sizes, strict=True))

    made = [Camera(layers(number), fps) for number in range(min(legs, DIFFERENT))]
    return [made[number % DIFFERENT] for number in range(legs)]


def composed(legs: int, sizes: Sequence[Size] = PLAIN, layout: Layout = Layout.AUTO) -> list[VideoFrame]:
    """One loop of the composed picture of so many cameras, as the encoder of their room gets it.

    It is in the layout that the room has, of the size of each camera that the room takes for the tile, and painted by
    the room's own compositor. The first leg speaks.
    """
    names = tuple(LegId(f"leg-{number}") for number in range(legs))
    scene = Scene(seen=names, recent=names[:1])
    drawn = resolve(layout, scene)
    tiles = arrange(drawn, *CANVAS, seat(drawn, scene, ()))
    shown = [shots(camera_loop(number % DIFFERENT, nearest(tile, sizes))) for number, tile in enumerate(tiles)]
    canvas, frames = Canvas(*CANVAS), []
    for turn in range(FPS * LOOP_S):
        changes = canvas.changes([look(number, tile, turn, shown[number][turn]) for number, tile in enumerate(tiles)])
        if changes is not None:
            canvas.paint(changes)
        frames.append(VideoFrame.from_ndarray(canvas.frame.to_ndarray(), format="yuv420p"))
    return frames


def nearest(tile: Tile, sizes: Sequence[Size]) -> Size:
    """The smallest that is as large as the tile, or the largest."""
    return next((size for size in sizes if size.width >= tile.width), sizes[-1])


def shots(loop: Sequence[bytes]) -> list[VideoFrame]:
    """A camera's pictures, decoded."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.options = {"flags": "low_delay"}
    return [frame for unit in loop for frame in decoder.decode(av.Packet(unit)) if isinstance(frame, VideoFrame)]


def look(number: int, tile: Tile, turn: int, shot: VideoFrame) -> Look:
    """How one leg's tile is painted."""
    return Look(
        box=Box(tile.x, tile.y, tile.width, tile.height),
        label=f"Leg {number + 1}",
        speaking=number == 0,
        serial=turn,
        image=i420(shot),
    )
