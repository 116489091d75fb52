"""What a recorded leg saw of the composed picture: which pictures were whole, and when.

A picture is whole when its last missing packet has come, and right when all before it, back to a key frame, are. So the
time at which it can be shown is the latest arrival of any packet up to its end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import av
from aiortc.codecs.h264 import H264PayloadDescriptor
from av.video.frame import VideoFrame

from benchmarks.legs import Packet
from mcu.demo.taps import Unwrap
from mcu.media.seams import VIDEO_CLOCK

FREEZE_WINDOW: Final = 30  # pictures over whose intervals the usual one is taken
_IDR: Final = 5


@dataclass
class Shown:
    """A picture that could be shown. `at`: monotonic seconds."""

    at: float
    timestamp: int
    data: bytes
    key: bool


def in_order(packets: Sequence[Packet]) -> list[tuple[int, Packet]]:
    """By extended sequence number, the first arrival of each."""
    unwrap, first = Unwrap(16), dict[int, Packet]()
    for packet in packets:
        first.setdefault(unwrap(packet.sequence), packet)
    return sorted(first.items())


def shown(packets: Sequence[Packet]) -> list[Shown]:
    """H.264 pictures in order; those after one that was never whole are left out until the next key frame."""
    found: list[Shown] = []
    at, broken = 0.0, True
    for picture, whole in _pictures(packets):
        data, at = b"", max(at, *(packet.at for packet in picture)) if whole else at
        for packet in picture:
            data += H264PayloadDescriptor.parse(packet.payload)[1]
        key = whole and is_key(data)
        broken = not whole or (broken and not key)
        if not broken:
            found.append(Shown(at, picture[0].timestamp, data, key))
    return found


def _pictures(packets: Sequence[Packet]) -> Iterator[tuple[list[Packet], bool]]:
    """Packets of a picture, and whether they are all of it."""
    picture, whole, expected = list[Packet](), True, None
    for sequence, packet in in_order(packets):
        whole = whole and expected in (None, sequence)
        if picture and packet.timestamp != picture[0].timestamp:
            yield picture, False
            picture = []
        picture.append(packet)
        expected = sequence + 1
        if packet.marker:
            yield picture, whole
            picture, whole = [], True


def is_key(data: bytes) -> bool:
    """Whether an Annex B picture has an IDR slice."""
    return any(data[at + 4 : at + 5] and data[at + 4] & 31 == _IDR for at in _starts(data))


def _starts(data: bytes) -> Iterator[int]:
    at = data.find(b"\0\0\0\1")
    while at >= 0:
        yield at
        at = data.find(b"\0\0\0\1", at + 4)


def decoded(pictures: Sequence[Shown]) -> Iterator[tuple[Shown, VideoFrame]]:
    """Each picture with what it shows."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoder.options = {"flags": "low_delay"}
    for picture in pictures:
        for frame in decoder.decode(av.Packet(picture.data)):
            assert isinstance(frame, VideoFrame)
            yield picture, frame


def played(pictures: Sequence[Shown], delay_s: float) -> list[float]:
    """When each is shown by a receiver that waits so long for what comes late: a jitter buffer. Monotonic seconds."""
    unwrap, times = Unwrap(32), list[float]()
    due = [unwrap(picture.timestamp) / VIDEO_CLOCK for picture in pictures]
    soonest = min((picture.at - said for picture, said in zip(pictures, due, strict=True)), default=0.0)
    for picture, said in zip(pictures, due, strict=True):
        times.append(max(picture.at, said + soonest + delay_s, *times[-1:]))
    return times


def freezes(times: Sequence[float]) -> list[float]:
    """How long each freeze was, in seconds, as WebRTC's statistics count them (`freezeCount`).

    `times`: when pictures were shown. A freeze is an interval over three times the usual one, or 150 ms longer than
    that, whichever is longer.
    """
    found, usual = list[float](), list[float]()
    for before, after in pairwise(times):
        interval = after - before
        mean = sum(usual) / len(usual) if usual else interval
        if interval > max(3 * mean, mean + 0.15):
            found.append(interval)
        usual = [*usual, interval][-FREEZE_WINDOW:]
    return found
