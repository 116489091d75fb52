"""Telephones at a real plane, each with a socket on loopback. G.711 remembers nothing from tick to tick.

What such a telephone was sent in a tick is exactly what its packet says, but for the plane's filter from 48 to 8 kHz.
Nothing waits for the clock: a tick is over when the caller says so.
"""

import select
import socket
import struct
import time
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from mcu.demo.sources import OpusEncoder
from mcu.demo.taps import OpusDecoder
from mcu.media._native import AUDIO, COLLECTED, Event, Plane
from mcu.media.seams import SAMPLE_RATE, Samples

RATE = 8_000  # Hz
TICK = 160  # samples of 20 ms
PCMU, OPUS = 0, 111  # payload types
PORTS = (46_000, 46_999)
WAIT_S = 10.0

Spoken = npt.NDArray[np.int16]  # shape (TICK,), at RATE


def _decoded() -> npt.NDArray[np.int16]:
    """What each octet of G.711 µ-law says."""
    octet = ~np.arange(256) & 0xFF
    size = (((octet & 0x0F) << 3) + 0x84 << (octet >> 4 & 7)) - 0x84
    return np.where(octet & 0x80, -size, size).astype(np.int16)


_SAYS = _decoded()
_ORDER = np.argsort(_SAYS, kind="stable")


def to_ulaw(samples: Spoken) -> bytes:
    """The nearest octets."""
    at = np.clip(np.searchsorted(_SAYS[_ORDER], samples), 1, 255)
    below, above = _SAYS[_ORDER][at - 1].astype(int), _SAYS[_ORDER][at].astype(int)
    nearest = np.where(samples - below < above - samples, at - 1, at)
    return _ORDER[nearest].astype(np.uint8).tobytes()


class Line:
    """One leg and its socket: packets of one payload type, both ways."""

    def __init__(self, plane: Plane, payload_type: int, codec: str, clock: int, *, tones: bool = False) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._plane, self._payload_type, self._ticks = plane, payload_type, clock // 50
        self.sent = 0
        self.handle, port, _ = plane.add_rtp()
        plane.add_stream(self.handle, AUDIO, formats=[(payload_type, codec, 0)], tones=tones)
        address, own_port = self._socket.getsockname()
        plane.set_remote(self.handle, address, own_port)
        self._to = ("127.0.0.1", port)
        self._closed = False

    def send(self, payload: bytes) -> None:
        self.sent += 1
        timestamp, number = self.sent * self._ticks, self.sent & 0xFFFF
        header = struct.pack("!BBHII", 0x80, self._payload_type, number, timestamp, self.handle)
        self._socket.sendto(header + payload, self._to)

    def received(self) -> list[bytes]:
        """The payloads that came since the last call."""
        found: list[bytes] = []
        while True:
            try:
                packet = self._socket.recv(2048)
            except BlockingIOError:
                return found
            if packet[1] & 0x7F == self._payload_type:
                found.append(packet[12:])

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._plane.remove(self.handle)
            self._socket.close()


class Telephone(Line):
    """One that speaks G.711. `tones`: and has no other way to tell of its keys."""

    def __init__(self, plane: Plane, *, tones: bool = False) -> None:
        super().__init__(plane, PCMU, "PCMU", RATE, tones=tones)

    def say(self, samples: Spoken) -> None:
        self.send(to_ulaw(samples))

    def heard(self) -> list[Spoken]:
        """What came since the last call, packet by packet."""
        return [_SAYS[np.frombuffer(payload, np.uint8)] for payload in self.received()]


class OpusPhone(Line):
    """One that speaks Opus. Samples are of 48 kHz."""

    def __init__(self, plane: Plane) -> None:
        super().__init__(plane, OPUS, "opus", SAMPLE_RATE)
        self._encoder, self._decoder = OpusEncoder(), OpusDecoder()

    def say(self, samples: Samples) -> None:
        self.send(self._encoder.encode(samples))

    def heard(self) -> list[Samples]:
        return [self._decoder.decode(payload) for payload in self.received()]


def collect(plane: Plane, number: int, lines: Iterable[Line]) -> list[Event]:
    """The first step of a tick, when the plane has taken all that these, its only ones, have sent.

    What happened until it was done. What was sent in the tick before has come by then.
    """
    sent, until = sum(line.sent for line in lines), time.monotonic() + WAIT_S
    while plane.stats()["packets_in"] < sent and time.monotonic() < until:
        time.sleep(0.000_1)
    plane.collect(number, 0)
    happened: list[Event] = []
    while select.select([plane.fileno()], [], [], WAIT_S)[0]:
        for event in plane.events():
            if event.kind != COLLECTED:
                happened.append(event)
            elif event.a == number:
                return happened
    raise TimeoutError("the plane does not decode")
