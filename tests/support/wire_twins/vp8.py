"""VP8 in RTP (RFC 7741) and the size that a key frame claims (RFC 6386 section 9.1).

Bytes in, values out. Refuses to decode: it reads the first ten bytes of a frame, no more.
"""

from typing import NamedTuple

from wire_twins.rtp import Malformed

KEY_START = b"\x9d\x01\x2a"


class Piece(NamedTuple):
    """What one RTP payload holds of a frame."""

    first: bool  # of its frame
    data: bytes


def parse(payload: bytes) -> Piece:
    """One RTP payload (section 4.2). Raises `Malformed`."""
    if not payload:
        raise Malformed("vp8_empty")
    first, at = payload[0], 1
    if first & 0x80:  # X: optional bytes follow
        at = _skip_optional(payload)
    if at >= len(payload):
        raise Malformed("vp8_descriptor")
    return Piece(first & 0x1F == 0x10, payload[at:])


def _skip_optional(payload: bytes) -> int:
    if len(payload) < 3:
        raise Malformed("vp8_descriptor")
    which, at = payload[1], 2
    if which & 0x80:  # I: picture id, of 7 or 15 bits
        at += 2 if payload[2] & 0x80 else 1
    if which & 0x40:  # L: TL0PICIDX
        at += 1
    if which & 0x30:  # T or K
        at += 1
    return at


def payloads(frame: bytes, size: int) -> list[bytes]:
    """RTP payloads for a frame, none longer than `size` bytes. No picture id: sequence numbers already order it."""
    room = size - 1
    pieces = [frame[at : at + room] for at in range(0, len(frame), room)]
    return [(b"\x00" if number else b"\x10") + piece for number, piece in enumerate(pieces)]


def is_key(frame: bytes) -> bool:
    return bool(frame) and not frame[0] & 1


def frame_size(frame: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels that a key frame claims; None for any other frame, or one that is cut short."""
    if len(frame) < 10 or not is_key(frame) or frame[3:6] != KEY_START:
        return None
    width = int.from_bytes(frame[6:8], "little") & 0x3FFF  # the upper two bits ask for scaling
    height = int.from_bytes(frame[8:10], "little") & 0x3FFF
    return width, height
