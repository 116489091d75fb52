"""Which stream a packet of a leg belongs to, and what becomes of it.

Owns the leg's incoming streams. A stream is known by the SSRC that the offer announced, else by the MID extension
(RFC 9143 section 9.2), else by a payload type that only one line has. Refuses the rest, and counts it.
"""

from collections.abc import Iterator, Sequence

from mcu.media.messages import Source, StreamStats
from mcu.media.seams import SAMPLE_RATE, VIDEO_CLOCK, AudioPacket, EncodedPicture, TransportListener
from mcu.media.transport.answer import LEVEL, MID, Agreed, Line, VideoLine
from mcu.media.transport.drops import Drops
from mcu.media.transport.rtp_in import ReceivedStream, VideoIn
from mcu.media.transport.stats import Loss, Rates
from mcu.protocol import rtp

SSRCS_MAX = 16  # that a leg may use up in its life; a browser has three


class AudioIn:
    """The leg's sound."""

    def __init__(self, line: Line, stream: ReceivedStream, level_id: int, inbound: "Inbound") -> None:
        self.payload_type = line.payload_type
        self.stream = stream
        self.rates = Rates("audio", "opus", stream)
        self._level_id, self._inbound = level_id, inbound

    def receive(self, packet: rtp.Packet, now: float) -> None:
        sequence, timestamp = self.stream.receive(packet, now)
        if not packet.payload:
            self._inbound.drop("audio_empty")
            return
        level = self._level(packet) if packet.extensions else None
        self._inbound.listener.on_audio(AudioPacket(sequence, timestamp, packet.payload, level, now))

    def _level(self, packet: rtp.Packet) -> int | None:
        for number, value in rtp.extensions(packet):
            if number == self._level_id and value:  # a two-byte extension may be empty (RFC 8285 section 4.3)
                return value[0] & 0x7F  # above it the sender's idea of whether this is voice
        return None

    def stats(self) -> StreamStats:
        return self.rates.stats(_loss(self.stream))

    def update(self, now: float) -> None:
        self.rates.update(now)


class PicturesIn:
    """One of the leg's two pictures."""

    def __init__(self, line: VideoLine, stream: ReceivedStream, pixels_max: int, inbound: "Inbound") -> None:
        self.payload_type, self.source = line.payload_type, line.source
        self.stream = stream
        self.video = VideoIn(stream, line.codec, pixels_max, inbound.drop)
        self.rates = Rates(line.source.value, line.codec, stream)
        self._inbound = inbound

    def receive(self, packet: rtp.Packet, now: float) -> None:
        self.give(self.video.receive(packet, now))

    def give(self, pictures: Sequence[EncodedPicture]) -> None:
        for picture in pictures:
            self._inbound.listener.on_picture(self.source, picture)

    def stats(self) -> StreamStats:
        return self.rates.stats(_loss(self.stream), self.video.size)

    def update(self, now: float) -> None:
        self.rates.update(now, self.video.frames)


def _loss(stream: ReceivedStream) -> Loss:
    return Loss(stream.lost, stream.fraction_lost, 1000 * stream.jitter / stream.clock_rate)


class Inbound:
    """A leg's incoming streams by SSRC."""

    def __init__(self, agreed: Agreed, listener: TransportListener, pixels_max: int, drop: Drops) -> None:
        self.listener, self.drop = listener, drop
        self._lines = [agreed.audio, *agreed.video]
        self._level_id, self._mid_id = agreed.extensions.get(LEVEL, 0), agreed.extensions.get(MID, 0)
        self._pixels_max = pixels_max
        self._streams: dict[int, AudioIn | PicturesIn] = {}
        self._current: dict[int, AudioIn | PicturesIn] = {}  # by index of the line

    @property
    def streams(self) -> list[ReceivedStream]:
        return [current.stream for current in self._current.values()]

    @property
    def current(self) -> Iterator[AudioIn | PicturesIn]:
        return iter(self._current.values())

    @property
    def pictures(self) -> list[PicturesIn]:
        return [current for current in self._current.values() if isinstance(current, PicturesIn)]

    def of(self, source: Source) -> PicturesIn | None:
        return next((pictures for pictures in self.pictures if pictures.source is source), None)

    def receive(self, data: bytes, now: float) -> None:
        """One decrypted RTP packet."""
        try:
            packet = rtp.parse(data)
        except rtp.Malformed as error:
            self.drop(str(error))
            return
        stream = self._streams.get(packet.ssrc) or self._learn(packet)
        if stream is None:
            self.drop("rtp_unknown_stream")
        elif stream.payload_type != packet.payload_type:
            self.drop("rtp_payload_type")
        else:
            stream.receive(packet, now)

    def _learn(self, packet: rtp.Packet) -> AudioIn | PicturesIn | None:
        line = self._line(packet)
        if line is None or len(self._streams) >= SSRCS_MAX or line.payload_type != packet.payload_type:
            return None
        if isinstance(line, VideoLine):
            video = ReceivedStream(packet.ssrc, VIDEO_CLOCK)
            stream: AudioIn | PicturesIn = PicturesIn(line, video, self._pixels_max, self)
        else:
            stream = AudioIn(line, ReceivedStream(packet.ssrc, SAMPLE_RATE), self._level_id, self)
        self._retire(line.index)
        self._streams[packet.ssrc] = self._current[line.index] = stream
        return stream

    def _retire(self, index: int) -> None:
        """A sender began anew under another SSRC: what still comes of the old one is not mixed in."""
        if index in self._current:
            self._current[index].payload_type = -1

    def _line(self, packet: rtp.Packet) -> Line | None:
        for line in self._lines:
            if packet.ssrc in line.ssrcs:
                return line
        mid = dict(rtp.extensions(packet)).get(self._mid_id)
        if mid is not None:
            return next((line for line in self._lines if line.mid.encode() == mid), None)
        fitting = [line for line in self._lines if line.payload_type == packet.payload_type]
        return fitting[0] if len(fitting) == 1 else None
