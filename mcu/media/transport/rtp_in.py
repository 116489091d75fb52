"""RTP that a leg sends us: counted as RFC 3550 says, and video put together into whole frames, in order.

Owns sequence numbers, loss, jitter, the reorder window and the wish for what is missing. A frame is complete at its
marker, not at the next frame's first packet: that would cost a frame's time. After a gap that nobody repaired nothing
is given until the next key frame. Takes the time as an argument; starts no timer.
"""

from collections.abc import Iterator

from mcu import protocol
from mcu.media.seams import EncodedPicture, VideoCodec
from mcu.media.transport.drops import Drops
from mcu.protocol import h264, vp8
from mcu.protocol.rtp import Malformed, Packet, Unwrap

WINDOW = 1024  # packets that may wait for one that is missing: a large key frame
JUMP = 3000  # packets; a larger step is a sender that began anew (RFC 3550 appendix A.1)
NACK_EVERY_S = 0.05  # or the round trip where that is longer
REPAIR_S = 0.4  # a packet missing for longer is not waited for
NACK_MAX = 64  # packets asked for at a time
KEY_EVERY_S = 0.5  # between requests for a key frame
KEY_GRACE_S = 0.2  # a stream that begins is not asked at once: it begins with one
FRAME_MAX = 4 << 20  # bytes


class ReceivedStream:
    """One SSRC's statistics (RFC 3550 section 6.4.1, appendix A)."""

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc, self.clock_rate = ssrc, clock_rate
        self.packets = self.octets = 0
        self.jitter = 0.0  # timestamp units
        self.sender_report = 0  # middle 32 bits of the last one's NTP time
        self.sender_report_at = 0.0
        self.fraction_lost = 0.0  # of the last interval
        self._sequences, self._timestamps = Unwrap(16), Unwrap(32)
        self._base: int | None = None
        self._transit: float | None = None
        self._earlier = (0, 0)  # expected and received at the last report

    def receive(self, packet: Packet, now: float) -> tuple[int, int]:
        """Counts a packet; returns its extended sequence number and timestamp."""
        before = self.highest
        sequence, timestamp = self._sequences(packet.sequence), self._timestamps(packet.timestamp)
        if self._base is None:
            self._base = sequence
        elif sequence - before > JUMP:
            self._base += sequence - before - 1
        self.packets += 1
        self.octets += len(packet.payload)
        transit = now * self.clock_rate - timestamp
        if self._transit is not None:
            self.jitter += (abs(transit - self._transit) - self.jitter) / 16
        self._transit = transit
        return sequence, timestamp

    @property
    def highest(self) -> int:
        return self._sequences.highest or 0

    @property
    def expected(self) -> int:
        return self.highest - self._base + 1 if self._base is not None else 0

    @property
    def lost(self) -> int:
        """So far; below zero where packets came twice."""
        return self.expected - self.packets

    def report(self) -> int:
        """Closes the interval; returns the fraction lost in it, as eight bits."""
        expected, received = self.expected - self._earlier[0], self.packets - self._earlier[1]
        self._earlier = (self.expected, self.packets)
        lost = expected - received
        self.fraction_lost = lost / expected if expected > 0 and lost > 0 else 0.0
        return min(255, int(self.fraction_lost * 256))


class Assembler:
    """Packets in order into frames. `broken`: something was lost, and only a key frame helps."""

    def __init__(self, codec: VideoCodec, pixels_max: int, drop: Drops) -> None:
        self.broken = True  # until the first key frame
        self.size = (0, 0)
        self._codec, self._pixels_max, self._drop = codec, pixels_max, drop
        self._pieces: list[bytes] = []
        self._length = 0
        self._timestamp: int | None = None
        self._spoiled = False  # the frame being put together misses something

    def lose(self) -> None:
        """There is a hole here."""
        self.broken = self._spoiled = True
        self._clear()

    def _clear(self) -> None:
        self._pieces, self._length = [], 0

    def add(self, packet: Packet, timestamp: int) -> Iterator[EncodedPicture]:
        """The next packet. Gives the frame that it completes, or whose marker never came."""
        if timestamp != self._timestamp:
            yield from self._finish()
            self._timestamp, self._spoiled = timestamp, False
        if packet.payload and not self._spoiled:
            self._take(packet.payload)
        if packet.marker:
            yield from self._finish()

    def _take(self, payload: bytes) -> None:
        try:
            pieces = self._parse(payload)
        except Malformed as error:
            self._drop(str(error))
            self.lose()
            return
        self._pieces += pieces
        self._length += len(payload)
        if self._length > FRAME_MAX:
            self._drop("frame_too_long")
            self.lose()

    def _parse(self, payload: bytes) -> list[bytes]:
        if self._codec == "H264":
            if not self._pieces and h264.continues(payload):
                raise Malformed("frame_without_start")
            return h264.parse(payload)
        piece = vp8.parse(payload)
        if not self._pieces and not piece.first:
            raise Malformed("frame_without_start")
        return [piece.data]

    def _finish(self) -> Iterator[EncodedPicture]:
        if not self._pieces or self._timestamp is None:
            return
        data = b"".join(self._pieces)
        self._clear()
        key = protocol.is_key(self._codec, data)
        if self._fits(data, key) and (key or not self.broken):
            self.broken = False
            width, height = self.size
            yield EncodedPicture(self._codec, data, self._timestamp, key, width, height)
        elif not key:
            self._drop("frame_before_key")

    def _fits(self, data: bytes, key: bool) -> bool:
        """Whether a decoder may see it: a small packet can claim a picture of a gigabyte."""
        size = protocol.frame_size(self._codec, data)
        if size is None:
            if not key or (self._codec == "H264" and self.size != (0, 0)):  # its parameter set came before
                return True
            self._drop("frame_without_size")
            return False
        if not 0 < size[0] * size[1] <= self._pixels_max:
            self._drop("frame_oversize")
            self.broken = True
            return False
        self.size = protocol.shown_size(self._codec, data) or size
        return True


class VideoIn:
    """One video stream of a leg: packets in any order in, frames in order out."""

    def __init__(self, stream: ReceivedStream, codec: VideoCodec, pixels_max: int, drop: Drops) -> None:
        self.stream = stream
        self.codec = codec
        self.frames = 0
        self._drop = drop
        self._assembler = Assembler(codec, pixels_max, drop)
        self._next: int | None = None  # the sequence number that comes next
        self._waiting: dict[int, tuple[Packet, int]] = {}
        self._missing: dict[int, list[float]] = {}  # number: since when, and when last asked for
        self._asked_key = float("-inf")
        self._asked_by_room = False  # a key frame asked for by the room, not by a gap

    @property
    def size(self) -> tuple[int, int]:
        return self._assembler.size

    def receive(self, packet: Packet, now: float) -> list[EncodedPicture]:
        """The frames that this packet completes."""
        sequence, timestamp = self.stream.receive(packet, now)
        if self._next is None:
            self._next, self._asked_key = sequence, now - KEY_EVERY_S + KEY_GRACE_S
        if abs(sequence - self._next) > JUMP:
            self._restart(sequence)
        if sequence < self._next or sequence in self._waiting:
            self._drop("video_duplicate")
            return []
        self._waiting[sequence] = (packet, timestamp)
        self._missing.pop(sequence, None)
        pictures = self._note_missing(sequence, now) if sequence > self._next else []
        return pictures + self._drain()

    def _restart(self, sequence: int) -> None:
        self._drop("video_restart")
        self._waiting.clear()
        self._missing.clear()
        self._assembler.lose()
        self._next = sequence

    def _note_missing(self, sequence: int, now: float) -> list[EncodedPicture]:
        number = sequence - 1
        while number >= self._expected and number not in self._waiting and number not in self._missing:
            self._missing[number] = [now, float("-inf")]
            number -= 1
        excess = len(self._waiting) + len(self._missing) - WINDOW
        return self._give_up(sorted(self._missing)[:excess]) if excess > 0 else []

    @property
    def _expected(self) -> int:
        return self._next or 0

    def _drain(self) -> list[EncodedPicture]:
        pictures: list[EncodedPicture] = []
        while (entry := self._waiting.pop(self._expected, None)) is not None:
            self._next = self._expected + 1
            pictures.extend(self._assembler.add(*entry))
        self.frames += len(pictures)
        return pictures

    def _give_up(self, numbers: list[int]) -> list[EncodedPicture]:
        """Waits no longer for these, the lowest that are missing; gives what lies between them."""
        pictures: list[EncodedPicture] = []
        for number in numbers:
            del self._missing[number]
            self._assembler.lose()
            self._next = number + 1
            pictures += self._drain()
        self._drop("video_unrepaired", len(numbers))
        return pictures

    def ask_key(self) -> None:
        """The room wants a key frame."""
        self._asked_by_room = True

    def poll(self, now: float, rtt: float) -> tuple[list[EncodedPicture], list[int], bool]:
        """Frames ready because we wait no longer, packets to ask for again, and whether to ask for a key frame."""
        late = sorted(number for number, (since, _) in self._missing.items() if now - since > REPAIR_S)
        pictures = self._give_up(late) if late else []
        return pictures, self._to_ask(now, max(NACK_EVERY_S, rtt)), self._key_due(now)

    def _to_ask(self, now: float, every: float) -> list[int]:
        due = sorted(number for number, (_, asked) in self._missing.items() if now - asked >= every)[:NACK_MAX]
        for number in due:
            self._missing[number][1] = now
        return [number & 0xFFFF for number in due]

    def _key_due(self, now: float) -> bool:
        if not self._key_wanted or now - self._asked_key < KEY_EVERY_S:
            return False
        self._asked_by_room, self._asked_key = False, now
        return True

    @property
    def busy(self) -> bool:
        """Whether `poll` has something to do soon."""
        return bool(self._missing) or self._key_wanted

    @property
    def _key_wanted(self) -> bool:
        return self._asked_by_room or (self._assembler.broken and self._next is not None)
