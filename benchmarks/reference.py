"""One encoder alone, on the server's core: what a picture costs that is only encoded."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from av.video.frame import VideoFrame

from benchmarks.cameras import CANVAS, FPS
from benchmarks.contestants import SERVER_CORE
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.seams import VIDEO_CLOCK, EncodedPicture

WARM_UP = 25  # pictures that are not counted
COUNTED = 100


@contextmanager
def on_the_servers_core() -> Iterator[None]:
    """This thread alone; the others stay where they are."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE} if (os.cpu_count() or 1) > SERVER_CORE else before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def encode_seconds(frames: Sequence[VideoFrame], bits_per_second: int) -> float:
    """CPU seconds of one picture: H.264, by the server's own encoder and options, on one thread."""
    encoder = PictureEncoder("H264", *CANVAS, FPS, bits_per_second)
    with on_the_servers_core():
        for number in range(WARM_UP):
            encode(encoder, frames, number)
        began = time.thread_time()
        for number in range(WARM_UP, WARM_UP + COUNTED):
            encode(encoder, frames, number)
        return (time.thread_time() - began) / COUNTED


def encode(encoder: PictureEncoder, frames: Sequence[VideoFrame], number: int) -> EncodedPicture | None:
    """The next one."""
    return encoder.encode(in_turn(frames, number), number * VIDEO_CLOCK // FPS, key=number == 0)


def in_turn(frames: Sequence[VideoFrame], number: int) -> VideoFrame:
    """Forwards and backwards through the loop, so that nothing jumps."""
    turn = number % (2 * len(frames) - 2)
    return frames[min(turn, 2 * len(frames) - 2 - turn)]
