"""H.264 in RTP (RFC 6184, packetization-mode 1), Annex B, and the size that a sequence parameter set claims.

Bytes in, values out. Refuses to decode: of the parameter sets it reads what the size needs (ITU-T H.264 section
7.3.2.1.1), and of a slice only its type. Interleaved packets (STAP-B, MTAP, FU-B) are mode 2, which nobody negotiates.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from wire_twins.bits import Bits, EndOfBits
from wire_twins.rtp import Malformed

START = b"\x00\x00\x00\x01"
IDR, SPS, STAP_A, FU_A = 5, 7, 24, 28
SPS_MAX = 512  # bytes read of one: with every scaling list there is, less
UNREADABLE = (1 << 16, 1 << 16)
_START_CODE = re.compile(rb"\x00\x00\x01")
_EMULATION = re.compile(rb"\x00\x00\x03")
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138})  # profiles with chroma_format_idc
_DISPUTED = frozenset({134, 135, 139, 144})  # of these FFmpeg does not read what the standard says: none is believed


def nal_units(picture: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B picture, without start codes and trailing zeros."""
    starts = [found.end() for found in _START_CODE.finditer(picture)]
    for number, start in enumerate(starts):
        end = starts[number + 1] - 3 if number + 1 < len(starts) else len(picture)
        unit = picture[start:end].rstrip(b"\x00")
        if unit:
            yield unit


# -- RTP ------------------------------------------------------------------------------------------------------------


def payloads(picture: bytes, size: int) -> list[bytes]:
    """RTP payloads for an Annex B picture, none longer than `size` bytes. Small units share one (STAP-A)."""
    made: list[bytes] = []
    waiting: list[bytes] = []
    room = size - 1
    for unit in nal_units(picture):
        if waiting and (len(unit) + 2 > room or len(unit) > size):
            made.append(_aggregate(waiting))
            waiting, room = [], size - 1
        if len(unit) > size:
            made.extend(_fragments(unit, size))
        else:
            waiting.append(unit)
            room -= len(unit) + 2
    if waiting:
        made.append(_aggregate(waiting))
    return made


def _aggregate(units: list[bytes]) -> bytes:
    if len(units) == 1:
        return units[0]
    importance = max(unit[0] & 0x60 for unit in units)  # NRI: the highest inside (section 5.7.1)
    return bytes([importance | STAP_A]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def _fragments(unit: bytes, size: int) -> list[bytes]:
    indicator, kind = unit[0] & 0xE0 | FU_A, unit[0] & 0x1F
    room, last = size - 2, len(unit)
    made = []
    for at in range(1, last, room):
        flags = (0x80 if at == 1 else 0) | (0x40 if at + room >= last else 0)
        made.append(bytes([indicator, flags | kind]) + unit[at : at + room])
    return made


def parse(payload: bytes) -> list[bytes]:
    """What one RTP payload adds to an Annex B picture: pieces, start codes included. Raises `Malformed`."""
    if len(payload) < 2:
        raise Malformed("h264_short")
    kind = payload[0] & 0x1F
    if 1 <= kind <= 23:
        return [START, payload]
    if kind == FU_A:
        return _parse_fragment(payload)
    if kind == STAP_A:
        return _parse_aggregate(payload)
    raise Malformed("h264_packet_type")


def _parse_fragment(payload: bytes) -> list[bytes]:
    if len(payload) < 3:
        raise Malformed("h264_short")
    if payload[1] & 0x80:
        return [START, bytes([payload[0] & 0xE0 | payload[1] & 0x1F]), payload[2:]]
    return [payload[2:]]


def _parse_aggregate(payload: bytes) -> list[bytes]:
    pieces, at = [], 1
    while at < len(payload):
        end = at + 2 + int.from_bytes(payload[at : at + 2], "big")
        if end > len(payload) or end == at + 2:
            raise Malformed("h264_aggregate")
        pieces += [START, payload[at + 2 : end]]
        at = end
    return pieces


def continues(payload: bytes) -> bool:
    """Whether this payload is the middle or the end of a fragmented unit: useless without what came before."""
    return len(payload) > 1 and payload[0] & 0x1F == FU_A and not payload[1] & 0x80


# -- what a picture claims ------------------------------------------------------------------------------------------


def is_key(picture: bytes) -> bool:
    """Whether a decoder can start here: an IDR picture."""
    return any(kind == IDR for kind, _ in _kinds(picture))


def _kinds(picture: bytes) -> Iterator[tuple[int, int]]:
    """The type of each NAL unit and where it begins; nothing is copied."""
    for found in _START_CODE.finditer(picture):
        if found.end() < len(picture):
            yield picture[found.end()] & 0x1F, found.end()


class Size(NamedTuple):
    """What a sequence parameter set claims, in pixels. A decoder allocates `coded`, and gives `shown`."""

    coded: tuple[int, int]
    shown: tuple[int, int]


def frame_size(picture: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels, before cropping, of the largest parameter set in a picture; None where it has none.

    A parameter set that cannot be read claims the largest size there is: whoever limits sizes then refuses it.
    """
    size = largest_size(picture)
    return size.coded if size is not None else None


def largest_size(picture: bytes) -> Size | None:
    """As `frame_size`, with what is left after cropping."""
    sizes = [_size_or_largest(_unit(picture, at)) for kind, at in _kinds(picture) if kind == SPS]
    return max(sizes, key=lambda size: size.coded[0] * size.coded[1]) if sizes else None


def _unit(picture: bytes, start: int) -> bytes:
    end = picture.find(b"\x00\x00\x01", start, start + SPS_MAX)
    return picture[start : end if end >= 0 else start + SPS_MAX]


def _size_or_largest(unit: bytes) -> Size:
    try:
        return sps_size(unit)
    except EndOfBits:
        return Size(UNREADABLE, UNREADABLE)


def sps_size(unit: bytes) -> Size:
    """The size that a sequence parameter set claims. Raises `EndOfBits`.

    FFmpeg reads a set that it refuses once more with its emulation prevention left in, and then believes that: the
    larger size counts, and first of all one that no picture may have.
    """
    size = _read_sps(_EMULATION.sub(b"\x00\x00", unit[1:SPS_MAX]))
    try:
        raw = _read_sps(unit[1:SPS_MAX])
    except EndOfBits:
        return size
    if 0 in raw.shown:
        return size
    return max(size, raw, key=lambda one: (max(one.coded) >= UNREADABLE[0], one.coded[0] * one.coded[1]))


def _read_sps(data: bytes) -> Size:
    bits = Bits(data)
    profile = bits.take(8)
    if profile in _DISPUTED:
        raise EndOfBits
    bits.take(16)  # constraint flags, level
    bits.unsigned()  # seq_parameter_set_id
    chroma = _read_chroma(bits) if profile in _HIGH else 1
    bits.unsigned()  # log2_max_frame_num_minus4
    _skip_order_count(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)  # gaps_in_frame_num_value_allowed_flag
    width, height = bits.unsigned() + 1, bits.unsigned() + 1
    fields = 2 - bits.take(1)  # frame_mbs_only_flag: a map unit is one macroblock high, or two
    coded = 16 * width, 16 * height * fields
    if max(coded) >= UNREADABLE[0]:
        return Size(coded, coded)
    bits.take(fields)  # mb_adaptive_frame_field_flag where there are fields, direct_8x8_inference_flag
    return Size(coded, _crop(bits, coded, chroma, fields) if bits.take(1) else coded)


def _crop(bits: Bits, coded: tuple[int, int], chroma: int, fields: int) -> tuple[int, int]:
    """ITU-T H.264 section 7.4.2.1.1: the offsets are in units of chroma samples, and of both fields."""
    across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * fields
    left, right, top, bottom = (bits.unsigned() for _ in range(4))
    return max(0, coded[0] - across * (left + right)), max(0, coded[1] - down * (top + bottom))


def _read_chroma(bits: Bits) -> int:
    """chroma_format_idc; 1 is 4:2:0."""
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)  # separate_colour_plane_flag
    bits.unsigned()  # bit_depth_luma_minus8
    bits.unsigned()  # bit_depth_chroma_minus8
    bits.take(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.take(1):  # seq_scaling_matrix_present_flag
        for number in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    return chroma


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order_count(bits: Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > 255:  # num_ref_frames_in_pic_order_cnt_cycle
            raise EndOfBits
        for _ in range(count):
            bits.signed()
