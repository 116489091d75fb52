"""RTP that we send to one leg: sound a tick at a time, pictures as shared fragments, and again what was lost.

Owns sequence numbers, timestamps and the store for retransmission. A retransmission is the very datagram that was
sent: the same header under the same SRTP index with another time stamp in it would use a GCM nonce twice.
"""

import secrets
from collections.abc import Sequence
from typing import Protocol

from mcu import protocol
from mcu.media.seams import TICK_SAMPLES, EncodedPicture
from mcu.media.transport.drops import Drops
from mcu.protocol.rtp import HEADER, one_byte_extensions

PAYLOAD_MAX = 1160  # bytes; with IP, UDP, RTP, extensions and the SRTP tag 1,250: fits a tunnel
STORE = 1024  # packets; a power of two. At 2.5 Mbit/s four seconds
STORE_S = 1.0  # older ones would come too late for any picture
AGAIN_S = 0.02  # no packet is sent again sooner
AGAIN_MAX = 256  # packets sent again in a second: a leg cannot make us send more by asking more


class Wire(Protocol):
    """What protects and sends a packet: `dtls.SecureTransport`."""

    def protect(self, packet: bytes) -> bytes: ...

    def send_wire(self, protected: bytes) -> bool: ...


class Outgoing:
    """One SSRC that we send: its numbers and what RTCP says of it."""

    def __init__(self, ssrc: int, payload_type: int, clock_rate: int) -> None:
        self.ssrc, self.payload_type, self.clock_rate = ssrc, payload_type, clock_rate
        self.first = self.sequence = secrets.randbits(15)  # extended; of the next packet
        self.timestamp = secrets.randbits(32)  # extended; of the last packet
        self.sent_at = 0.0  # when that was
        self.packets = self.octets = 0

    def timestamp_at(self, now: float) -> int:
        """What a sample taken now would be stamped, for a sender report."""
        return self.timestamp + int((now - self.sent_at) * self.clock_rate)

    def extended(self, low: int) -> int:
        """The last number sent that has these low 16 bits."""
        last = self.sequence - 1
        return last - ((last - low) & 0xFFFF)

    def count(self, size: int, now: float) -> None:
        self.sequence += 1
        self.packets += 1
        self.octets += size
        self.sent_at = now


class AudioOut:
    """The mix of one leg."""

    def __init__(self, stream: Outgoing, level_id: int | None) -> None:
        self.stream = stream
        self._flags = 0x90 if level_id else 0x80  # X: an extension follows
        self._blocks = [_level_block(level_id, level) for level in range(128)]
        self._talk_starts = True

    def skip(self) -> None:
        self.stream.timestamp += TICK_SAMPLES
        self._talk_starts = True

    def send(self, wire: Wire, payload: bytes, level: int, now: float) -> int | None:
        """The extended sequence number, or None where it was not sent: then only time has passed."""
        stream = self.stream
        stream.timestamp += TICK_SAMPLES
        kind = stream.payload_type | (0x80 if self._talk_starts else 0)  # RFC 3551 section 4.1
        header = HEADER.pack(self._flags, kind, stream.sequence & 0xFFFF, stream.timestamp & 0xFFFFFFFF, stream.ssrc)
        if not wire.send_wire(wire.protect(header + self._blocks[level & 0x7F] + payload)):
            self._talk_starts = True
            return None
        self._talk_starts = False
        stream.count(len(payload), now)
        return stream.sequence - 1


def _level_block(level_id: int | None, level: int) -> bytes:
    return one_byte_extensions([(level_id, bytes([level]))]) if level_id else b""


class VideoOut:
    """The composed picture of one leg."""

    def __init__(self, stream: Outgoing, send_time_id: int | None, drop: Drops) -> None:
        self.stream = stream
        self.frames = 0
        self.size = (0, 0)
        self._send_time_id, self._drop = send_time_id, drop
        self._offset = secrets.randbits(32)
        self._store: list[tuple[int, bytes, float, float]] = [(-1, b"", 0.0, 0.0)] * STORE  # number, bytes, sent, again
        self._again = 0
        self.complete = False  # whether the far end can go on from what we sent: it had a key frame, and all since

    def send(self, wire: Wire, picture: EncodedPicture, now: float) -> bool:
        """False where the far end needs a key frame first: the picture was not sent, or not whole."""
        if not picture.key and not self.complete:
            self._drop("picture_before_key")
            return False
        if picture.fragments is None:
            picture.fragments = protocol.payloads(picture.codec, picture.data, PAYLOAD_MAX)
        self.stream.timestamp = self._offset + picture.timestamp
        self.complete = self._send_fragments(wire, picture.fragments, now)
        self.frames += 1
        self.size = (picture.width, picture.height)
        return self.complete

    def _send_fragments(self, wire: Wire, fragments: Sequence[bytes], now: float) -> bool:
        stream, block = self.stream, self._block(now)
        timestamp, last = stream.timestamp & 0xFFFFFFFF, len(fragments) - 1
        flags = 0x90 if block else 0x80
        for number, fragment in enumerate(fragments):
            kind = stream.payload_type | (0x80 if number == last else 0)
            header = HEADER.pack(flags, kind, stream.sequence & 0xFFFF, timestamp, stream.ssrc)
            protected = wire.protect(header + block + fragment)
            self._store[stream.sequence % STORE] = (stream.sequence, protected, now, now)
            stream.count(len(fragment), now)
            if not wire.send_wire(protected):
                return False
        return True

    def _block(self, now: float) -> bytes:
        if not self._send_time_id:
            return b""
        seconds = int(now * 262144) & 0xFFFFFF  # 24 bits, 6.18 fixed point
        return one_byte_extensions([(self._send_time_id, seconds.to_bytes(3, "big"))])

    def resend(self, wire: Wire, lost: Sequence[int], now: float) -> None:
        """Answers a NACK, from the store and within bounds."""
        for low in lost:
            wanted = self.stream.extended(low)
            number, protected, sent, again = self._store[wanted % STORE]
            if number != wanted or now - sent > STORE_S:
                self._drop("nack_too_late")
            elif self._again >= AGAIN_MAX:
                self._drop("nack_too_many")
            elif now - again >= AGAIN_S or again == sent:
                self._store[wanted % STORE] = (number, protected, sent, now)
                self._again += 1
                wire.send_wire(protected)

    def each_second(self) -> None:
        """A new allowance for retransmissions."""
        self._again = 0
