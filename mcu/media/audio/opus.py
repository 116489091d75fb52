"""Opus in and out (RFC 6716), 48 kHz mono, by libopus through PyAV. One encoder or decoder is one stream's.

Knows packets and samples, not RTP: no sequence, no timestamp, no loss.
"""

from functools import cache

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples

BITRATE = 32_000  # bit/s, variable
_ENCODER_OPTIONS = {
    "application": "voip",
    "frame_duration": "20",
    "vbr": "on",
    "fec": "1",
    "packet_loss": "5",  # percent: without an expected loss libopus sends no in-band FEC
    "compression_level": "5",
}
_MOST_SAMPLES = SAMPLE_RATE * 120 // 1000  # RFC 6716 section 3.2.5: no packet is longer than 120 ms
_SILK_MS, _HYBRID_MS, _CELT_MS = (10, 20, 40, 60), (10, 20), (2.5, 5, 10, 20)


class Undecodable(Exception):
    """A packet that is not Opus. It costs its own leg a frame, and nobody else anything."""


def duration(packet: bytes) -> int:
    """Samples at 48 kHz in an Opus packet, by its TOC byte (RFC 6716 section 3.1). Raises `Undecodable`."""
    if not packet:
        raise Undecodable("an empty packet")
    samples = _frame_samples(packet[0] >> 3) * _frames(packet)
    if not 0 < samples <= _MOST_SAMPLES:
        raise Undecodable(f"a packet of {samples} samples")
    return samples


def _frame_samples(config: int) -> int:
    if config < 12:
        return int(_SILK_MS[config % 4] * 48)
    if config < 16:
        return int(_HYBRID_MS[config % 2] * 48)
    return int(_CELT_MS[config % 4] * 48)


def _frames(packet: bytes) -> int:
    code = packet[0] & 0b11
    if code == 3:
        if len(packet) < 2:
            raise Undecodable("a packet of many frames without their number")
        return packet[1] & 0b111111
    return 1 if code == 0 else 2


class OpusDecoder:
    """One leg's sound. Stereo comes out as mono."""

    def __init__(self) -> None:
        self._context = _context("r")
        self._context.open()

    def decode(self, packet: bytes) -> Samples:
        """All samples of one packet. Raises `Undecodable`."""
        try:
            frames = self._context.decode(av.Packet(packet))
        except (av.FFmpegError, ValueError) as error:
            raise Undecodable(str(error)) from error
        if not frames:
            raise Undecodable("a packet without sound")
        parts = [np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples) for frame in frames]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class OpusEncoder:
    """One stream of ticks to one leg, or to all that hear the same."""

    def __init__(self) -> None:
        self._context = _context("w")
        self._context.format = "s16"
        self._context.bit_rate = BITRATE
        self._context.options = _ENCODER_OPTIONS
        self._context.open()
        self._pts = 0

    def encode(self, samples: Samples) -> bytes:
        """One packet for one tick. `samples` has TICK_SAMPLES."""
        frame = av.AudioFrame(format="s16", layout="mono", samples=TICK_SAMPLES)
        frame.planes[0].update(samples)  # type: ignore[arg-type]  # any buffer will do
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self._pts
        self._pts += TICK_SAMPLES
        (packet,) = self._context.encode(frame)
        return bytes(packet)


def _context(mode: str) -> AudioCodecContext:
    context = av.CodecContext.create("libopus", mode)  # type: ignore[call-overload]
    if not isinstance(context, AudioCodecContext):
        raise TypeError("libopus is not an audio codec here")
    context.sample_rate = SAMPLE_RATE
    context.layout = "mono"
    context.thread_count = 1
    return context


@cache
def silence() -> bytes:
    """The packet for a tick of digital silence, the same for whoever hears nothing."""
    encoder = OpusEncoder()
    return [encoder.encode(np.zeros(TICK_SAMPLES, np.int16)) for _ in range(10)][-1]
