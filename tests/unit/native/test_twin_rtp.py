"""RTP: packets and header extensions as aiortc writes them, whatever bytes come, and numbers that wrap."""

from contextlib import suppress

import pytest
from aiortc.rtp import RtpPacket, pack_header_extensions
from hypothesis import given
from hypothesis import strategies as st
from wire_twins import rtp

sequences = st.integers(0, 65535)
words = st.integers(0, 0xFFFFFFFF)


@given(st.booleans(), st.integers(0, 127), sequences, words, words, st.binary(max_size=100), st.integers(0, 20))
def test_what_aiortc_writes_is_read(
    marker: bool, payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, padding: int
) -> None:
    written = RtpPacket(payload_type, int(marker), sequence, timestamp, ssrc, payload)
    written.padding_size = padding
    written.csrc = [1, 2]
    packet = rtp.parse(written.serialize())
    assert packet == (marker, payload_type, sequence, timestamp, ssrc, b"", 0, payload)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_packet_or_malformed_and_nothing_else(data: bytes) -> None:
    with suppress(rtp.Malformed):
        list(rtp.extensions(rtp.parse(data)))


@pytest.mark.parametrize(
    "data",
    [
        b"\x80" * 11,
        b"\x40" + bytes(11),
        b"\x90" + bytes(11),
        b"\x90" + bytes(11) + b"\xbe\xde\x00\x04",
        b"\xa0" + bytes(11),
        b"\xa0" + bytes(10) + b"\x0d",
        b"\x8f" + bytes(11),
    ],
    ids=["short", "version", "no extension", "cut extension", "padding of zero", "padding too long", "cut sources"],
)
def test_a_packet_that_is_cut_or_contradicts_itself_is_malformed(data: bytes) -> None:
    with pytest.raises(rtp.Malformed):
        rtp.parse(data)


values = st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), min_size=1, max_size=5)
long_values = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=40)), min_size=1, max_size=5)


@given(values | long_values)
def test_header_extensions_of_both_kinds_are_read(extensions: list[tuple[int, bytes]]) -> None:
    profile, block = pack_header_extensions(extensions)
    packet = rtp.Packet(False, 96, 0, 0, 0, block, profile, b"")
    assert list(rtp.extensions(packet)) == extensions


@given(values)
def test_header_extensions_that_we_write_we_read_back(extensions: list[tuple[int, bytes]]) -> None:
    header = rtp.HEADER.pack(0x90, 96, 1, 2, 3)
    packet = rtp.parse(header + rtp.one_byte_extensions(extensions) + b"payload")
    assert list(rtp.extensions(packet)) == extensions
    assert packet.payload == b"payload"


def test_unknown_and_cut_extensions_are_left_out() -> None:
    assert list(rtp.extensions(rtp.Packet(False, 0, 0, 0, 0, b"\x10\x01", 0x1234, b""))) == []
    assert list(rtp.extensions(rtp.Packet(False, 0, 0, 0, 0, b"\x10\x01\x25\x01", rtp.ONE_BYTE, b""))) == [(1, b"\x01")]
    assert list(rtp.extensions(rtp.Packet(False, 0, 0, 0, 0, b"\xf0\x01\x10\x01", rtp.ONE_BYTE, b""))) == []
    assert list(rtp.extensions(rtp.Packet(False, 0, 0, 0, 0, b"\x01", rtp.TWO_BYTE, b""))) == []
