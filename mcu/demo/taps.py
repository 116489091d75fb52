"""What a synthetic participant receives, taken from aiortc before its jitter buffer and decoders touch it.

aiortc's own audio path is of no use to measure by: it gives nothing before its fourth packet, and after one lost packet
falls silent for 280 ms and stays 280 ms late for the rest of the call; and a video frame is given with the first packet
of the next. Here are the Opus packets as they came, with their times, and a decoder of our own.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import av
import msgspec
import numpy as np
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples, VideoCodec

KEPT = 3_000  # packets: a minute of sound
BACKLOG = 64  # frames that may wait to be decoded
ASK_EVERY_S = 1.0  # for a key frame, while there is no picture
_JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"


class Unwrap:
    """Numbers of `bits` bits, as numbers that never wrap: each within half a turn of the highest so far."""

    def __init__(self, bits: int) -> None:
        self._turn = 1 << bits
        self.highest: int | None = None

    def __call__(self, value: int) -> int:
        if self.highest is None:
            self.highest = self._turn + value  # a turn in front, so that what was overtaken stays positive
            return self.highest
        ahead = (value - self.highest) % self._turn
        if ahead < self._turn >> 1:
            self.highest += ahead
            return self.highest
        return self.highest + ahead - self._turn


class OpusPacket(msgspec.Struct, frozen=True):
    sequence: int  # extended
    timestamp: int  # 48 kHz, extended
    payload: bytes
    arrived: float  # monotonic seconds


class Heard(msgspec.Struct):
    """Sound as it was sent, gaps as silence. Sample n was due to play `n / SAMPLE_RATE` seconds after the first."""

    samples: Samples  # 48 kHz mono, shape (n,)
    since: float  # monotonic seconds when the first packet came
    timestamp: int  # of the first sample


class InOrder(msgspec.Struct):
    """Sound tick after tick as it was sent: what a busy server let go leaves no gap, a lost packet one of silence."""

    samples: Samples  # 48 kHz mono, shape (TICK_SAMPLES * ticks,)
    arrived: list[float]  # monotonic seconds, of each tick


class SoundTap:
    """Stands where aiortc's jitter buffer stood: keeps the packets, gives the decoder nothing."""

    def __init__(self) -> None:
        self.packets: deque[OpusPacket] = deque(maxlen=KEPT)
        self.count = self.octets = 0
        self._sequences, self._timestamps = Unwrap(16), Unwrap(32)

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        sequence, timestamp = self._sequences(packet.sequence_number), self._timestamps(packet.timestamp)
        self.packets.append(OpusPacket(sequence, timestamp, packet.payload, time.monotonic()))
        self.count += 1
        self.octets += len(packet.payload)
        return False, None

    def heard(self) -> Heard:
        """All that is kept, decoded. Costs some 25 µs a packet."""
        packets = sorted(self.packets, key=lambda packet: packet.sequence)
        if not packets:
            return Heard(np.zeros(0, np.int16), 0.0, 0)
        decoder, first = OpusDecoder(), packets[0]
        pieces = [(packet.timestamp - first.timestamp, decoder.decode(packet.payload)) for packet in packets]
        samples = np.zeros(max(at + len(piece) for at, piece in pieces), np.int16)
        for at, piece in pieces:
            samples[at : at + len(piece)] = piece
        return Heard(samples, first.arrived, first.timestamp)

    def in_order(self) -> InOrder:
        """All that is kept, decoded, for what is asked of an order and not of a time."""
        decoder, arrived, pieces = OpusDecoder(), list[float](), list[Samples]()
        expected: int | None = None
        for packet in sorted(self.packets, key=lambda packet: packet.sequence):
            lost = 0 if expected is None else packet.sequence - expected
            pieces += [np.zeros(TICK_SAMPLES, np.int16)] * lost + [decoder.decode(packet.payload)[:TICK_SAMPLES]]
            arrived += [packet.arrived] * (lost + 1)
            expected = packet.sequence + 1
        return InOrder(np.concatenate(pieces) if pieces else np.zeros(0, np.int16), arrived)


class OpusDecoder:
    def __init__(self) -> None:
        context = av.CodecContext.create("libopus", "r")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate, context.layout = SAMPLE_RATE, "mono"
        self._context = context

    def decode(self, payload: bytes) -> Samples:
        """Mono samples, shape (n,)."""
        frames = self._context.decode(av.Packet(payload))
        pieces = [frame.to_ndarray().reshape(-1) for frame in frames]
        samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
        return samples.astype(np.int16) if samples.dtype == np.int16 else (samples * 32767).astype(np.int16)


class PictureTap(JitterBuffer):
    """aiortc's reassembly of frames, without its decoder. Decodes in a thread while `watch`; counts in any case."""

    def __init__(self, codec: VideoCodec, watch: bool) -> None:
        super().__init__(capacity=512, is_video=True)
        self.frames = self.decoded = self.octets = 0
        self.latest: av.VideoFrame | None = None
        self.first_at: float | None = None  # monotonic seconds of the first decoded frame
        self.on_frame: Callable[[av.VideoFrame], None] = lambda _frame: None  # its `pts`: the RTP timestamp
        self._queue: asyncio.Queue[JitterFrame] = asyncio.Queue(BACKLOG)
        self._codec = codec
        self._asked = time.monotonic()
        self._task = asyncio.create_task(self._decode()) if watch else None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        wants_key, frame = super().add(packet)
        if frame is not None:
            self.frames += 1
            self.octets += len(frame.data)
            if self._task is not None:
                wants_key = self._keep(frame) or self._asks_anew() or wants_key
        return wants_key, None

    def _asks_anew(self) -> bool:
        """Whether, still without a picture, it is time to ask for a key frame: the first may have been lost."""
        now = time.monotonic()
        if self.latest is not None or now - self._asked < ASK_EVERY_S:
            return False
        self._asked = now
        return True

    def _keep(self, frame: JitterFrame) -> bool:
        """Whether we fell so far behind that a key frame is needed."""
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            return True
        self._queue.put_nowait(frame)
        return False

    async def _decode(self) -> None:
        decoder = av.CodecContext.create("h264" if self._codec == "H264" else "libvpx", "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        while True:
            for frame in await asyncio.to_thread(_decode_one, decoder, await self._queue.get()):
                self.first_at = self.first_at or time.monotonic()
                self.decoded += 1
                self.latest = frame
                self.on_frame(frame)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


def _decode_one(decoder: VideoCodecContext, frame: JitterFrame) -> list[av.VideoFrame]:
    packet = av.Packet(frame.data)
    packet.pts = frame.timestamp
    try:
        return list(decoder.decode(packet))
    except av.error.InvalidDataError:  # before the first key frame
        return []


def tap(receiver: RTCRtpReceiver, instead: SoundTap | PictureTap) -> None:
    """Puts a tap in the place of a receiver's jitter buffer. aiortc still counts, reports and asks again."""
    assert hasattr(receiver, _JITTER_BUFFER)
    setattr(receiver, _JITTER_BUFFER, instead)
