"""RTP packets (RFC 3550 section 5), their header extensions (RFC 8285), and numbers that wrap.

Bytes in, values out. What is not a packet raises `Malformed`, with a reason that can be a counter's name. Knows no
stream and no clock.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct("!BBHII")  # V P X CC | M PT | sequence | timestamp | SSRC
ONE_BYTE = 0xBEDE  # RFC 8285 section 4.2
TWO_BYTE = 0x1000  # section 4.3; the low four bits are the application's


class Malformed(ValueError):
    """What was received is not what the format allows. The text is a short reason, fit to count by."""


class Packet(NamedTuple):
    marker: bool
    payload_type: int
    sequence: int  # 16 bits, wraps
    timestamp: int  # 32 bits, wraps
    ssrc: int
    extensions: bytes  # of the header, as they stand; b"" for none
    profile: int  # how to read them: ONE_BYTE, TWO_BYTE, or what we do not know
    payload: bytes


def parse(data: bytes) -> Packet:
    """One RTP packet. Raises `Malformed`."""
    if len(data) < 12:
        raise Malformed("rtp_short")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise Malformed("rtp_version")
    start, extensions, profile = 12 + 4 * (first & 0x0F), b"", 0
    if first & 0x10:
        if len(data) < start + 4:
            raise Malformed("rtp_extension")
        profile = int.from_bytes(data[start : start + 2], "big")
        end = start + 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        extensions, start = data[start + 4 : end], end
    end = len(data) - data[-1] if first & 0x20 else len(data)
    if start > end or (first & 0x20 and data[-1] == 0):
        raise Malformed("rtp_length")
    return Packet(second > 127, second & 127, sequence, timestamp, ssrc, extensions, profile, data[start:end])


def extensions(packet: Packet) -> Iterator[tuple[int, bytes]]:
    """The header extensions, as (id, value). Ends at the first that does not fit."""
    data, at = packet.extensions, 0
    two_byte = packet.profile & 0xFFF0 == TWO_BYTE
    if not two_byte and packet.profile != ONE_BYTE:
        return
    while at < len(data):
        if data[at] == 0:  # padding
            at += 1
            continue
        if two_byte:
            if at + 2 > len(data):
                return
            number, length, at = data[at], data[at + 1], at + 2
        else:
            number, length, at = data[at] >> 4, (data[at] & 0x0F) + 1, at + 1
            if number == 15:  # RFC 8285 section 4.2: stop here
                return
        if at + length > len(data):
            return
        yield number, data[at : at + length]
        at += length


def one_byte_extensions(values: list[tuple[int, bytes]]) -> bytes:
    """The extension block of a header, with its four bytes in front; ids 1 … 14, values of 1 … 16 bytes."""
    body = b"".join(bytes([number << 4 | len(value) - 1]) + value for number, value in values)
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", ONE_BYTE, len(body) // 4) + body
