"""RTCP: what we write is what others read, what they write is told, and nonsense is counted."""

from collections import Counter
from collections.abc import Sequence

import pytest
from aiortc import rtp
from aiortc.rtp import (
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from mcu.media.transport.drops import Drops
from mcu.media.transport.rtcp import Rtcp, ntp
from mcu.media.transport.rtp_in import ReceivedStream
from mcu.media.transport.rtp_out import Outgoing
from mcu.protocol.rtp import Packet

WALL = 1_790_000_000.0


class Told:
    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []

    def on_nack(self, ssrc: int, lost: Sequence[int]) -> None:
        self.all.append(("nack", ssrc, list(lost)))

    def on_key_wanted(self, ssrc: int) -> None:
        self.all.append(("key", ssrc))

    def on_remb(self, bits_per_second: int) -> None:
        self.all.append(("remb", bits_per_second))

    def on_report(self, ssrc: int, report: RtcpReceiverInfo) -> None:
        self.all.append(("report", ssrc, report.packets_lost))


@pytest.fixture
def drop() -> Drops:
    return Drops(Counter())


@pytest.fixture
def rtcp(drop: Drops) -> Rtcp:
    return Rtcp(5, "c" * 16, drop)


def received(rtcp: Rtcp, data: bytes, wall: float = WALL) -> list[tuple[object, ...]]:
    told = Told()
    rtcp.receive(data, told, [], 0.0, wall)
    return told.all


def sending(ssrc: int) -> Outgoing:
    stream = Outgoing(ssrc, 111, 48_000)
    stream.timestamp, stream.sent_at, stream.packets, stream.octets = 96_000, 10.0, 50, 4000
    return stream


def receiving(ssrc: int, numbers: Sequence[int]) -> ReceivedStream:
    stream = ReceivedStream(ssrc, 48_000)
    for number in numbers:
        stream.receive(Packet(False, 111, number, number * 960, ssrc, b"", 0, b"x"), number * 0.02)
    return stream


def test_the_report_of_each_second_is_a_compound_that_others_read(rtcp: Rtcp) -> None:
    data = rtcp.report([sending(5), sending(6)], [receiving(9, [1, 2, 4])], now=10.5, wall=WALL)
    first, second, names = RtcpPacket.parse(data)
    assert isinstance(first, RtcpSrPacket)
    assert isinstance(second, RtcpSrPacket)
    assert isinstance(names, RtcpSdesPacket)
    assert (first.ssrc, second.ssrc) == (5, 6)
    info = first.sender_info
    assert info == RtcpSenderInfo(ntp(WALL), 96_000 + 24_000, 50, 4000)
    block = first.reports[0]
    assert (block.ssrc, block.packets_lost, block.fraction_lost, block.highest_sequence) == (9, 1, 64, 4)
    assert second.reports == []
    assert [(chunk.ssrc, chunk.items) for chunk in names.chunks] == [(5, [(1, b"c" * 16)]), (6, [(1, b"c" * 16)])]


def test_each_chunk_of_names_ends_on_a_word(rtcp: Rtcp) -> None:
    data = rtcp.report([sending(5), sending(6)], [], now=10.5, wall=WALL)
    names = data[56:]
    assert names[:4] == b"\x82\xca\x00\x0c"
    assert names[4 + 24 : 4 + 28] == (6).to_bytes(4, "big")  # the second chunk begins where RFC 3550 section 6.5 says


def test_a_leg_that_has_been_sent_nothing_gets_a_receiver_report(rtcp: Rtcp) -> None:
    report, _ = RtcpPacket.parse(rtcp.report([Outgoing(5, 111, 48_000)], [receiving(9, [1])], 1.0, WALL))
    assert isinstance(report, RtcpRrPacket)
    assert report.reports[0].ssrc == 9


def test_the_last_sender_report_is_acknowledged_with_the_time_since(rtcp: Rtcp) -> None:
    stream = receiving(9, [1])
    theirs = bytes(RtcpSrPacket(9, RtcpSenderInfo(ntp(WALL), 0, 1, 1)))
    rtcp.receive(theirs, Told(), [stream], 20.0, WALL)
    report, _ = RtcpPacket.parse(rtcp.report([], [stream], 21.5, WALL))
    assert isinstance(report, RtcpRrPacket)
    assert report.reports[0].lsr == ntp(WALL) >> 16 & 0xFFFFFFFF
    assert report.reports[0].dlsr == int(1.5 * 65536)


def test_the_round_trip_is_what_is_left_of_the_time_since_our_report(rtcp: Rtcp) -> None:
    block = RtcpReceiverInfo(5, 0, 3, 0, 0, lsr=ntp(WALL) >> 16 & 0xFFFFFFFF, dlsr=int(0.5 * 65536))
    assert received(rtcp, bytes(RtcpRrPacket(9, [block])), WALL + 0.75) == [("report", 5, 3)]
    assert rtcp.rtt == pytest.approx(0.25, abs=0.001)


def test_a_report_from_the_future_says_nothing_of_the_round_trip(rtcp: Rtcp) -> None:
    block = RtcpReceiverInfo(5, 0, 0, 0, 0, lsr=ntp(WALL + 100) >> 16 & 0xFFFFFFFF, dlsr=0)
    received(rtcp, bytes(RtcpRrPacket(9, [block])))
    assert rtcp.rtt is None


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=60, unique=True).map(sorted))
def test_what_we_ask_for_again_is_what_others_read(lost: list[int]) -> None:
    _, _, nack = RtcpPacket.parse(Rtcp(5, "c" * 16, Drops(Counter())).nack(77, lost))
    assert isinstance(nack, RtcpRtpfbPacket)
    assert (nack.ssrc, nack.media_ssrc) == (5, 77)
    assert set(lost) == set(nack.lost)


def test_requests_for_key_frames_and_limits_are_what_others_read(rtcp: Rtcp) -> None:
    _, _, pli = RtcpPacket.parse(rtcp.pli(77))
    _, _, remb = RtcpPacket.parse(rtcp.remb(300_000, [77, 78]))
    assert pli == RtcpPsfbPacket(rtp.RTCP_PSFB_PLI, 5, 77)
    assert isinstance(remb, RtcpPsfbPacket)
    assert rtp.unpack_remb_fci(remb.fci) == (pytest.approx(300_000, rel=1e-3), [77, 78])


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        (RtcpRtpfbPacket(rtp.RTCP_RTPFB_NACK, 9, 6, [3, 4]), ("nack", 6, [3, 4])),
        (RtcpPsfbPacket(rtp.RTCP_PSFB_PLI, 9, 6), ("key", 6)),
        (RtcpPsfbPacket(rtp.RTCP_PSFB_FIR, 9, 0, (6).to_bytes(4, "big") + b"\x01\0\0\0"), ("key", 6)),
        (RtcpPsfbPacket(rtp.RTCP_PSFB_APP, 9, 0, rtp.pack_remb_fci(256_000, [6])), ("remb", 256_000)),
    ],
)
def test_each_kind_of_feedback_is_told(
    rtcp: Rtcp, packet: RtcpRtpfbPacket | RtcpPsfbPacket, told: tuple[object, ...]
) -> None:
    assert received(rtcp, bytes(RtcpRrPacket(9)) + bytes(packet)) == [told]


@given(st.binary(max_size=200), st.integers(192, 210), st.integers(0, 31))
def test_any_bytes_are_read_or_counted_and_never_raise(body: bytes, kind: int, count: int) -> None:
    drop = Drops(Counter())
    body += bytes(-len(body) % 4)
    whole = bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2, "big") + body
    for data in (whole, body, whole + body):
        received(Rtcp(5, "c" * 16, drop), data)
    assert set(drop.leg) <= {"rtcp_malformed"}


def test_a_compound_of_hundreds_is_read_to_a_bound(rtcp: Rtcp) -> None:
    assert len(received(rtcp, bytes(RtcpPsfbPacket(rtp.RTCP_PSFB_PLI, 9, 6)) * 200)) == 32
