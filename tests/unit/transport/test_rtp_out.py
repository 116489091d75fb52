"""What we send: numbers that follow, one cutting for all legs, and the very same datagram again on request."""

from collections import Counter
from itertools import pairwise

import pytest
from aiortc.rtp import RtpPacket

from mcu.media.seams import TICK_SAMPLES, EncodedPicture
from mcu.media.transport.drops import Drops
from mcu.media.transport.rtp_out import (
    AGAIN_MAX,
    AGAIN_S,
    PAYLOAD_MAX,
    STORE,
    STORE_S,
    AudioOut,
    Outgoing,
    VideoOut,
)


class Cable:
    """A `Wire` without keys."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.blocked = False

    def protect(self, packet: bytes) -> bytes:
        return packet + b"tag"

    def send_wire(self, protected: bytes) -> bool:
        if not self.blocked:
            self.sent.append(protected)
        return not self.blocked

    @property
    def packets(self) -> list[RtpPacket]:
        return [RtpPacket.parse(data[:-3]) for data in self.sent]


def video(size: int = 5000, key: bool = True, timestamp: int = 0) -> EncodedPicture:
    return EncodedPicture("VP8", (b"\x10" if key else b"\x11") + bytes(size), timestamp, key, 640, 360)


@pytest.fixture
def cable() -> Cable:
    return Cable()


@pytest.fixture
def drop() -> Drops:
    return Drops(Counter())


@pytest.fixture
def out(drop: Drops) -> VideoOut:
    return VideoOut(Outgoing(7, 96, 90_000), 3, drop)


def test_sound_keeps_its_numbers_over_the_wrap_and_its_time_over_silence(cable: Cable) -> None:
    stream = Outgoing(5, 111, 48_000)
    stream.sequence = 65_534
    audio = AudioOut(stream, 1)
    sent = [audio.send(cable, b"opus", 30, 0.0) for _ in range(2)]
    audio.skip()
    sent += [audio.send(cable, b"opus", 30, 0.0) for _ in range(2)]
    assert sent == [65_534, 65_535, 65_536, 65_537]
    packets = cable.packets
    assert [packet.sequence_number for packet in packets] == [65_534, 65_535, 0, 1]
    steps = [(b.timestamp - a.timestamp) % (1 << 32) for a, b in pairwise(packets)]
    assert steps == [TICK_SAMPLES, 2 * TICK_SAMPLES, TICK_SAMPLES]
    assert [packet.marker for packet in packets] == [1, 0, 1, 0]
    assert {(packet.ssrc, packet.payload_type, packet.payload) for packet in packets} == {(5, 111, b"opus")}


def test_sound_that_the_socket_does_not_take_has_no_number(cable: Cable) -> None:
    audio = AudioOut(Outgoing(5, 111, 48_000), None)
    cable.blocked = True
    assert audio.send(cable, b"opus", 30, 0.0) is None
    cable.blocked = False
    first = audio.send(cable, b"opus", 30, 0.0)
    assert first == audio.stream.first


def test_a_picture_is_cut_once_for_all_legs(cable: Cable, drop: Drops) -> None:
    picture, other = video(), Cable()
    VideoOut(Outgoing(1, 96, 90_000), None, drop).send(cable, picture, 0.0)
    cut = picture.fragments
    VideoOut(Outgoing(2, 97, 90_000), None, drop).send(other, picture, 0.0)
    assert picture.fragments is cut
    assert [p.payload for p in cable.packets] == [p.payload for p in other.packets] == cut
    assert all(len(data) <= PAYLOAD_MAX + 40 for data in cable.sent)


def test_the_marker_is_on_the_last_packet_of_a_picture_and_the_time_is_one(cable: Cable, out: VideoOut) -> None:
    assert out.send(cable, video(timestamp=100), 0.0)
    assert out.send(cable, video(timestamp=3100, key=False), 0.0)
    packets = cable.packets
    half = len(packets) // 2
    assert [packet.marker for packet in packets] == ([0] * (half - 1) + [1]) * 2
    assert len({packet.timestamp for packet in packets[:half]}) == 1
    assert (packets[half].timestamp - packets[0].timestamp) % (1 << 32) == 3000


def test_nothing_is_sent_before_a_key_frame_nor_after_a_picture_that_was_cut_off(cable: Cable, out: VideoOut) -> None:
    assert not out.send(cable, video(key=False), 0.0)
    assert cable.sent == []
    out.send(cable, video(), 0.0)
    cable.blocked = True
    assert not out.send(cable, video(key=False), 0.0)
    cable.blocked = False
    sent = len(cable.sent)
    assert not out.send(cable, video(key=False), 0.0)
    assert len(cable.sent) == sent
    assert out.send(cable, video(), 0.0)


def test_what_is_asked_for_again_is_the_same_datagram(cable: Cable, out: VideoOut) -> None:
    out.send(cable, video(), 0.0)
    second = cable.sent[1]
    out.resend(cable, [RtpPacket.parse(second[:-3]).sequence_number], 0.1)
    assert cable.sent[-1] is second


def test_asking_again_and_again_gives_no_more_than_is_useful(cable: Cable, out: VideoOut, drop: Drops) -> None:
    out.send(cable, video(), 0.0)
    low, sent = out.stream.first & 0xFFFF, len(cable.sent)
    out.resend(cable, [low] * 100, 0.1)
    assert len(cable.sent) == sent + 1
    out.resend(cable, [low], 0.1 + AGAIN_S)
    assert len(cable.sent) == sent + 2
    out.resend(cable, [low, low + 999], STORE_S + 0.1)
    assert len(cable.sent) == sent + 2
    assert drop.leg["nack_too_late"] == 2


def test_a_leg_can_ask_for_so_much_a_second(cable: Cable, out: VideoOut, drop: Drops) -> None:
    out.send(cable, video(1_000_000), 0.0)
    sent, first = len(cable.sent), out.stream.first
    out.resend(cable, [first + at & 0xFFFF for at in range(400)], 0.1)
    assert len(cable.sent) == sent + AGAIN_MAX
    assert drop.leg["nack_too_many"] == 400 - AGAIN_MAX
    out.each_second()
    out.resend(cable, [first + 399 & 0xFFFF], 0.2)
    assert len(cable.sent) == sent + AGAIN_MAX + 1


def test_the_store_is_bounded(cable: Cable, out: VideoOut) -> None:
    for _ in range(3):
        out.send(cable, video(1_000_000), 0.0)
    assert len(out._store) == STORE


def test_the_time_of_sending_is_in_the_header_for_the_browsers_estimate(cable: Cable, out: VideoOut) -> None:
    out.send(cable, video(10), 2.5)
    data = cable.sent[0]
    assert data[12:20] == b"\xbe\xde\x00\x01" + bytes([3 << 4 | 2]) + int(2.5 * 262144).to_bytes(3, "big")


def test_low_numbers_are_found_back_among_those_that_were_sent() -> None:
    stream = Outgoing(1, 96, 90_000)
    stream.sequence = 70_000
    assert stream.extended(69_999 & 0xFFFF) == 69_999
    assert stream.extended(65_000) == 65_000
