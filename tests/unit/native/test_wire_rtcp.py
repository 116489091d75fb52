"""RTCP in C against aiortc's: each reads what the other writes."""

import ctypes
from typing import Any

import pytest
from aiortc import rtp as theirs
from hypothesis import given
from hypothesis import strategies as st
from wire import (
    BYE,
    FIR,
    NACK,
    PLI,
    REMB,
    REPORT,
    SENDER,
    WIDE,
    Block,
    Event,
    rtcp,
    rtcp_bye,
    rtcp_events,
    rtcp_fir,
    rtcp_nack,
    rtcp_pli,
    rtcp_remb,
    rtcp_rr,
    rtcp_sdes,
    rtcp_sr,
)

words = st.integers(0, 2**32 - 1)
signed = st.integers(-(2**23), 2**23 - 1)
blocks = st.lists(
    st.builds(
        theirs.RtcpReceiverInfo,
        ssrc=words,
        fraction_lost=st.integers(0, 255),
        packets_lost=signed,
        highest_sequence=words,
        jitter=words,
        lsr=words,
        dlsr=words,
    ),
    max_size=31,
)
senders = st.builds(
    theirs.RtcpSenderInfo,
    ntp_timestamp=st.integers(0, 2**64 - 1),
    rtp_timestamp=words,
    packet_count=words,
    octet_count=words,
)


@st.composite
def compounds(draw: st.DrawFn) -> list[Any]:
    """Packets as aiortc writes them well: in any order, of all kinds that it has."""
    kinds = st.one_of(
        st.builds(theirs.RtcpSrPacket, ssrc=words, sender_info=senders, reports=blocks),
        st.builds(theirs.RtcpRrPacket, ssrc=words, reports=blocks),
        st.builds(theirs.RtcpByePacket, sources=st.lists(words, max_size=31)),
        st.builds(theirs.RtcpPsfbPacket, fmt=st.just(theirs.RTCP_PSFB_PLI), ssrc=words, media_ssrc=words),
        st.builds(
            theirs.RtcpRtpfbPacket,
            fmt=st.just(theirs.RTCP_RTPFB_NACK),
            ssrc=words,
            media_ssrc=words,
            lost=st.lists(st.integers(0, 65000), min_size=1, max_size=30, unique=True).map(sorted),
        ),
    )
    return draw(st.lists(kinds, min_size=1, max_size=5))


def block_of(event: Event) -> theirs.RtcpReceiverInfo:
    return theirs.RtcpReceiverInfo(
        ssrc=event.media_ssrc,
        fraction_lost=event.fraction_lost,
        packets_lost=event.lost,
        highest_sequence=event.highest,
        jitter=event.jitter,
        lsr=event.last_sr,
        dlsr=event.delay,
    )


def nack_of(event: Event) -> list[int]:
    return [event.pid] + [event.pid + bit + 1 for bit in range(16) if event.mask >> bit & 1]


def said(packet: Any) -> list[Any]:
    """What a packet of aiortc's says, event by event."""
    match packet:
        case theirs.RtcpSrPacket():
            return [(packet.ssrc, packet.sender_info), *((packet.ssrc, block) for block in packet.reports)]
        case theirs.RtcpRrPacket():
            return [(packet.ssrc, block) for block in packet.reports]
        case theirs.RtcpByePacket():
            return [("bye", source) for source in packet.sources]
        case theirs.RtcpPsfbPacket():
            return [("pli", packet.ssrc, packet.media_ssrc)]
        case theirs.RtcpRtpfbPacket():
            return [("lost", packet.ssrc, packet.media_ssrc, number) for number in packet.lost]
    raise AssertionError(packet)


def heard(event: Event) -> list[Any]:
    """The same of an event of ours."""
    if event.kind == SENDER:
        info = theirs.RtcpSenderInfo(event.ntp, event.timestamp, event.packets, event.bytes)
        return [(event.ssrc, info)]
    if event.kind == REPORT:
        return [(event.ssrc, block_of(event))]
    if event.kind == BYE:
        return [("bye", event.ssrc)]
    if event.kind == PLI:
        return [("pli", event.ssrc, event.media_ssrc)]
    assert event.kind == NACK
    return [("lost", event.ssrc, event.media_ssrc, number) for number in nack_of(event)]


@given(compounds())
def test_what_aiortc_writes_is_read(packets: list[Any]) -> None:
    data = b"".join(map(bytes, packets))
    assert [s for event in rtcp_events(data) for s in heard(event)] == [s for packet in packets for s in said(packet)]


def c_blocks(reports: list[theirs.RtcpReceiverInfo]) -> tuple[ctypes.Array[Block], int]:
    made = [
        Block(
            ssrc=report.ssrc,
            highest=report.highest_sequence,
            jitter=report.jitter,
            last_sr=report.lsr,
            delay=report.dlsr,
            lost=report.packets_lost,
            fraction_lost=report.fraction_lost,
        )
        for report in reports
    ]
    return (Block * len(made))(*made), len(made)


@given(words, senders, blocks)
def test_aiortc_reads_a_sender_report_of_ours(ssrc: int, info: theirs.RtcpSenderInfo, reports: list[Any]) -> None:
    data = rtcp(
        rtcp_sr,
        ssrc,
        info.ntp_timestamp,
        info.rtp_timestamp,
        info.packet_count,
        info.octet_count,
        *c_blocks(reports),
    )
    assert theirs.RtcpPacket.parse(data) == [theirs.RtcpSrPacket(ssrc, info, reports)]


@given(words, blocks)
def test_aiortc_reads_a_receiver_report_of_ours(ssrc: int, reports: list[Any]) -> None:
    assert theirs.RtcpPacket.parse(rtcp(rtcp_rr, ssrc, *c_blocks(reports))) == [theirs.RtcpRrPacket(ssrc, reports)]


@given(words, words, st.lists(st.integers(0, 2**40), min_size=1, max_size=200, unique=True).map(sorted))
def test_aiortc_reads_a_nack_of_ours(ssrc: int, media: int, lost: list[int]) -> None:
    data = rtcp(rtcp_nack, ssrc, media, (ctypes.c_int64 * len(lost))(*lost), len(lost))
    (packet,) = theirs.RtcpPacket.parse(data)
    assert isinstance(packet, theirs.RtcpRtpfbPacket)
    assert (packet.fmt, packet.ssrc, packet.media_ssrc) == (theirs.RTCP_RTPFB_NACK, ssrc, media)
    assert [number % 65536 for number in packet.lost] == [number % 65536 for number in lost]


@given(words, words)
def test_aiortc_reads_a_request_for_a_key_frame_of_ours(ssrc: int, media: int) -> None:
    assert theirs.RtcpPacket.parse(rtcp(rtcp_pli, ssrc, media)) == [
        theirs.RtcpPsfbPacket(theirs.RTCP_PSFB_PLI, ssrc, media)
    ]
    fir = media.to_bytes(4, "big") + b"\x07\0\0\0"  # RFC 5104 section 4.3.1.1
    assert theirs.RtcpPacket.parse(rtcp(rtcp_fir, ssrc, media, 7)) == [
        theirs.RtcpPsfbPacket(theirs.RTCP_PSFB_FIR, ssrc, 0, fir)
    ]
    (event,) = rtcp_events(rtcp(rtcp_fir, ssrc, media, 7))
    assert (event.kind, event.ssrc, event.media_ssrc, event.command) == (FIR, ssrc, media, 7)


@given(words, st.integers(0, 2**63), st.lists(words, max_size=255))
def test_aiortc_reads_a_limit_of_ours(ssrc: int, limit: int, media: list[int]) -> None:
    data = rtcp(rtcp_remb, ssrc, limit, (ctypes.c_uint32 * len(media))(*media), len(media))
    (packet,) = theirs.RtcpPacket.parse(data)
    assert isinstance(packet, theirs.RtcpPsfbPacket)
    assert (packet.fmt, packet.ssrc, packet.media_ssrc) == (theirs.RTCP_PSFB_APP, ssrc, 0)
    got, ssrcs = theirs.unpack_remb_fci(packet.fci)
    assert ssrcs == media
    assert got <= limit
    assert limit - got <= limit >> 17


@given(words, st.integers(0, 2**63), st.lists(words, max_size=255))
def test_a_limit_of_aiortc_is_read(ssrc: int, limit: int, media: list[int]) -> None:
    fci = theirs.pack_remb_fci(limit, media)
    packet = theirs.RtcpPsfbPacket(theirs.RTCP_PSFB_APP, ssrc, 0, fci)
    (event,) = rtcp_events(bytes(packet))
    assert (event.kind, event.ssrc, event.bits_per_second) == (REMB, ssrc, theirs.unpack_remb_fci(fci)[0])


@given(words, st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=255))
def test_aiortc_reads_a_name_and_a_goodbye_of_ours(ssrc: int, name: str) -> None:
    (packet,) = theirs.RtcpPacket.parse(rtcp(rtcp_sdes, ssrc, name.encode()))
    assert packet == theirs.RtcpSdesPacket([theirs.RtcpSourceInfo(ssrc, [(1, name.encode())])])
    assert theirs.RtcpPacket.parse(rtcp(rtcp_bye, ssrc)) == [theirs.RtcpByePacket([ssrc])]


@given(compounds(), st.data())
def test_what_was_cut_short_is_malformed(packets: list[Any], draw: st.DataObject) -> None:
    sizes = [len(bytes(packet)) for packet in packets]
    data = b"".join(map(bytes, packets))
    cut = draw.draw(st.integers(0, len(data) - 1))
    if cut in [sum(sizes[:count]) for count in range(len(sizes))]:
        list(rtcp_events(data[:cut]))
        return
    with pytest.raises(ValueError, match="malformed"):
        list(rtcp_events(data[:cut]))


@given(words, words, st.binary(min_size=1, max_size=30).map(lambda body: body * 4))
def test_transport_wide_feedback_is_handed_on_whole(ssrc: int, media: int, body: bytes) -> None:
    head = theirs.pack_rtcp_packet(theirs.RTCP_RTPFB, 15, ssrc.to_bytes(4, "big") + media.to_bytes(4, "big") + body)
    for event in rtcp_events(head):  # the body is in memory that lives as long as the loop
        assert (event.kind, event.ssrc, event.media_ssrc) == (WIDE, ssrc, media)
        assert ctypes.string_at(event.body, event.body_size) == body
