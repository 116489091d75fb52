"""What a leg's streams did, as `StreamStats`: totals since it connected, rates over the last second."""

from typing import Protocol

import msgspec

from mcu.media.messages import StreamStats


class Counted(Protocol):
    """A stream of either direction."""

    packets: int
    octets: int


class Rates:
    """A stream's rates. `update` once a second."""

    def __init__(self, media: str, codec: str, stream: Counted) -> None:
        self.media, self.codec, self.stream = media, codec, stream
        self.bits_per_second = 0
        self.frame_rate = 0.0
        self._at: float | None = None
        self._octets = self._frames = 0

    def update(self, now: float, frames: int = 0) -> None:
        if self._at is not None and now > self._at:
            seconds = now - self._at
            self.bits_per_second = int(8 * (self.stream.octets - self._octets) / seconds)
            self.frame_rate = (frames - self._frames) / seconds
        self._at, self._octets, self._frames = now, self.stream.octets, frames

    def stats(self, loss: "Loss", size: tuple[int, int] = (0, 0)) -> StreamStats:
        return StreamStats(
            media=self.media,
            codec=self.codec,
            packets=self.stream.packets,
            bytes=self.stream.octets,
            lost=max(0, loss.lost),
            loss_percent=round(100 * loss.fraction, 2),
            jitter_ms=round(loss.jitter_ms, 2),
            bitrate_bps=self.bits_per_second,
            width=size[0],
            height=size[1],
            frame_rate=round(self.frame_rate, 1),
        )


class Loss(msgspec.Struct, frozen=True):
    """Of a stream, as its receiver counts it: ourselves, or the far end in its receiver reports."""

    lost: int = 0
    fraction: float = 0.0  # in the last interval
    jitter_ms: float = 0.0
