"""One encoder beside a room, on the server's core: what its picture costs that is only encoded.

It is x264 as others would call it for the same legs: `superfast`, `zerolatency` and the baseline profile, on one thread
and at the rate of the room's best class. Of the server's own options it has none: what they save is the room's gain.

It encodes at the room's pace while the room is weighed, on the same core, as urgently as the room's own encoders. What
slows one then slows the other: how fast a core of a virtual machine is differs by half from one second to the next, by
what its neighbours do and by what the other core does, and so would the ratio of figures taken one after the other.
"""

import time
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from benchmarks.cameras import CANVAS, FPS
from benchmarks.machine import Beside
from mcu.net.process import give_way


class Encoded(NamedTuple):
    """By an encoder so far."""

    seconds: float  # of CPU time
    pictures: int


class Reference(Beside):
    """Encodes `frames` as a loop, FPS in a second."""

    def __init__(self, frames: Sequence[VideoFrame], bits_per_second: int) -> None:
        super().__init__()
        self.encoded = Encoded(0.0, 0)
        self._frames, self._encoder = frames, superfast(bits_per_second)

    def _run(self) -> None:
        give_way()
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            seconds, number = self.encoded
            began = time.thread_time()
            encode(self._encoder, in_turn(self._frames, number), number)
            self.encoded = Encoded(seconds + time.thread_time() - began, number + 1)
            due = max(due + 1 / FPS, time.monotonic() - 1 / FPS)  # what is missed is left out


def superfast(bits_per_second: int) -> VideoCodecContext:
    """x264, with key frames only where they are asked for."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = CANVAS
    encoder.pix_fmt, encoder.bit_rate = "yuv420p", bits_per_second
    encoder.framerate, encoder.time_base = Fraction(FPS), Fraction(1, FPS)
    encoder.thread_count, encoder.gop_size = 1, 1 << 30
    encoder.options = {"preset": "superfast", "tune": "zerolatency", "profile": "baseline"}
    encoder.open()
    return encoder


def encode(encoder: VideoCodecContext, frame: VideoFrame, number: int) -> None:
    """The next picture; the first is a key frame."""
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    frame.pict_type = PictureType.I if number == 0 else PictureType.NONE
    for packet in encoder.encode(frame):
        bytes(packet)


def in_turn(frames: Sequence[VideoFrame], number: int) -> VideoFrame:
    """Forwards and backwards through the loop, so that nothing jumps."""
    turn = number % (2 * len(frames) - 2)
    return frames[min(turn, 2 * len(frames) - 2 - turn)]
