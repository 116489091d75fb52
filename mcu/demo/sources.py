"""What a synthetic participant sends: sound as Opus packets with their level, pictures as encoded frames.

Encoded once and sent again and again where many are needed (`SoundLoop`, `PictureLoop`); encoded as it goes where the
content matters (`LiveSound`, `LivePicture`). Nothing here waits: the client keeps the time.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Protocol

import av
import msgspec
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples, VideoCodec

SILENT = 127  # RFC 6464
VIDEO_BIT_RATE = 800_000  # bit/s


class Spoken(msgspec.Struct, frozen=True):
    """20 ms of sound."""

    payload: bytes  # Opus, mono
    level: int  # RFC 6464: -dBov, 0 … 127


class SoundSource(Protocol):
    def next(self) -> Spoken:
        """The next 20 ms."""


class PictureSource(Protocol):
    fps: float

    def start(self, codec: VideoCodec) -> None:
        """Told once, before the first frame. Raises `ValueError` for a codec that it does not have."""

    def next(self, key: bool) -> bytes:
        """The next frame: H.264 as Annex B, VP8 bare. `key`: the far end cannot go on without a key frame."""


def level(samples: Samples) -> int:
    """RFC 6464 level of some samples: 0 is the loudest square wave there is, 127 silence."""
    power = float(np.mean(np.square(samples.astype(np.float64)))) / 32768**2
    return SILENT if power <= 0 else min(SILENT, max(0, round(-10 * np.log10(power))))


class OpusEncoder:
    """48 kHz mono, 20 ms a packet."""

    def __init__(self, bit_rate: int = 48_000) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate, context.layout, context.format = SAMPLE_RATE, "mono", "s16"
        context.bit_rate = bit_rate
        context.options = {"application": "voip", "frame_duration": "20"}
        self._context, self._at = context, 0

    def encode(self, samples: Samples) -> bytes:
        """One packet for TICK_SAMPLES samples, shape (960,)."""
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, self._at
        frame.time_base = Fraction(1, SAMPLE_RATE)
        self._at += len(samples)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


def encode(samples: Samples) -> list[Spoken]:
    """Sound as packets; what does not fill the last tick is left out."""
    encoder = OpusEncoder()
    ticks = [samples[at : at + TICK_SAMPLES] for at in range(0, len(samples) - TICK_SAMPLES + 1, TICK_SAMPLES)]
    return [Spoken(encoder.encode(tick), level(tick)) for tick in ticks]


class SoundLoop:
    """The same packets again and again. Many clients may share `packets`, each beginning `offset` ticks in."""

    def __init__(self, packets: Sequence[Spoken], offset: int = 0) -> None:
        self._packets, self._at = packets, offset

    def next(self) -> Spoken:
        spoken = self._packets[self._at % len(self._packets)]
        self._at += 1
        return spoken


class LiveSound:
    """Ticks of samples, shape (960,), encoded as they come; silence when they have ended."""

    def __init__(self, ticks: Iterator[Samples]) -> None:
        self._ticks, self._encoder = ticks, OpusEncoder()

    def next(self) -> Spoken:
        tick = next(self._ticks, None)
        samples = np.zeros(TICK_SAMPLES, np.int16) if tick is None else tick
        return Spoken(self._encoder.encode(samples), level(samples))


def tone(hertz: float, amplitude: int = 8_000, seconds: float | None = None) -> Iterator[Samples]:
    """A sine in ticks; without end where no length is given."""
    turn, number = 2 * np.pi * hertz / SAMPLE_RATE, 0
    while seconds is None or number * TICK_SAMPLES < seconds * SAMPLE_RATE:
        at = np.arange(TICK_SAMPLES) + number * TICK_SAMPLES
        yield (amplitude * np.sin(turn * at)).astype(np.int16)
        number += 1


def silence() -> SoundSource:
    return SoundLoop(encode(np.zeros(TICK_SAMPLES * 3, np.int16))[2:])


class PictureLoop:
    """Encoded frames again and again, the first a key frame: where one is asked for, the loop begins anew."""

    def __init__(self, frames: Sequence[bytes], fps: float, codec: VideoCodec = "H264") -> None:
        self.fps = fps
        self._frames, self._codec, self._at = frames, codec, 0

    def start(self, codec: VideoCodec) -> None:
        if codec != self._codec:
            raise ValueError(f"the loop is {self._codec}, the meeting takes {codec}")

    def next(self, key: bool) -> bytes:
        if key:
            self._at = 0
        frame = self._frames[self._at % len(self._frames)]
        self._at += 1
        return frame


class LivePicture:
    """Frames encoded as they come, in whatever codec the meeting takes. The last is repeated when they have ended."""

    def __init__(self, frames: Iterator[av.VideoFrame], fps: float, bit_rate: int = VIDEO_BIT_RATE) -> None:
        self.fps = fps
        self._frames, self._bit_rate = frames, bit_rate
        self._codec: VideoCodec = "H264"
        self._encoder: VideoCodecContext | None = None
        self._last: av.VideoFrame | None = None
        self._number = 0

    def start(self, codec: VideoCodec) -> None:
        self._codec = codec

    def next(self, key: bool) -> bytes:
        frame = next(self._frames, None) or self._last
        assert frame is not None
        self._last = frame
        if self._encoder is None:
            self._encoder = _video_encoder(self._codec, frame, self.fps, self._bit_rate)
        frame.pts, frame.time_base = self._number, Fraction(1, round(self.fps))
        frame.pict_type = PictureType.I if key or self._number == 0 else PictureType.NONE
        self._number += 1
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


def _video_encoder(codec: VideoCodec, frame: av.VideoFrame, fps: float, bit_rate: int) -> VideoCodecContext:
    context = av.CodecContext.create("libx264" if codec == "H264" else "libvpx", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuv420p"
    context.framerate, context.time_base = Fraction(round(fps)), Fraction(1, round(fps))
    context.bit_rate, context.thread_count, context.gop_size = bit_rate, 1, 3000
    if codec == "H264":
        context.options = {"profile": "baseline", "preset": "superfast", "tune": "zerolatency", "level": "31"}
    else:
        context.options = {"deadline": "realtime", "cpu-used": "10", "lag-in-frames": "0"}
    return context
