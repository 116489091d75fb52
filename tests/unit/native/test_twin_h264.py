"""H.264: what is cut into RTP payloads comes back, by our parser and by aiortc's; and no parameter set lies unseen."""

from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import h264_depayload
from hypothesis import given
from hypothesis import strategies as st
from wire_twins import frame_size, h264, is_key, shown_size
from wire_twins.rtp import Malformed

START = b"\x00\x00\x00\x01"

# A NAL unit has no start code inside and no zero at its end; the types are those of mode 0.
bodies = st.binary(min_size=1, max_size=4000).map(lambda body: body.replace(b"\x00", b"\x11") + b"\x80")
units = st.builds(lambda kind, body: bytes([0x60 | kind]) + body, st.integers(1, 12), bodies)
pictures = st.lists(units, min_size=1, max_size=8).map(lambda all_units: b"".join(START + unit for unit in all_units))


def encoded(width: int, height: int, **options: str) -> bytes:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
    context.options = {"tune": "zerolatency", "preset": "ultrafast", **options}
    frame = av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 90, np.uint8), format="yuv420p")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


@given(pictures, st.integers(40, 1500))
def test_what_is_cut_into_payloads_comes_back(picture: bytes, size: int) -> None:
    payloads = h264.payloads(picture, size)
    assert all(len(payload) <= size for payload in payloads)
    assert b"".join(piece for payload in payloads for piece in h264.parse(payload)) == picture


@given(pictures, st.integers(40, 1500))
def test_aiortc_reads_what_we_cut(picture: bytes, size: int) -> None:
    assert b"".join(h264_depayload(payload) for payload in h264.payloads(picture, size)) == picture


def test_small_units_share_a_payload_and_keep_the_highest_importance() -> None:
    small = [b"\x27sps", b"\x68pps", b"\x06sei"]
    large = b"\x65" + b"\x55" * 100
    picture = b"".join(START + unit for unit in [*small, large])
    together, *pieces = h264.payloads(picture, 60)
    assert together == b"\x78\x00\x04\x27sps\x00\x04\x68pps\x00\x04\x06sei"
    assert len(pieces) == 2
    assert [h264.continues(piece) for piece in pieces] == [False, True]
    assert b"".join(piece for payload in (together, *pieces) for piece in h264.parse(payload)) == picture


@given(st.binary(max_size=200))
def test_any_bytes_are_a_payload_or_malformed_and_nothing_else(payload: bytes) -> None:
    with suppress(Malformed):
        h264.parse(payload)
    h264.continues(payload)


@pytest.mark.parametrize(
    "payload", [b"", b"\x67", b"\x7c\x85", b"\x78\x00\x09\x67", b"\x78\x00\x00", b"\x79aa", b"\x60a"]
)
def test_a_cut_or_unknown_payload_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        h264.parse(payload)


@given(st.binary(max_size=300), st.booleans())
def test_a_size_can_be_asked_of_any_bytes(data: bytes, with_set: bool) -> None:
    size = frame_size("H264", (START + b"\x67" if with_set else b"") + data)
    assert size is None or min(size) > 0


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360), (16, 16), (4096, 2304), (322, 182)])
@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_the_size_is_that_of_the_coded_picture(width: int, height: int, profile: str) -> None:
    picture = encoded(width, height, profile=profile)
    assert frame_size("H264", picture) == (width + -width % 16, height + -height % 16)
    assert shown_size("H264", picture) == (width, height)


class Writer:
    """A parameter set, bit by bit (ITU-T H.264 section 7.3.2.1.1)."""

    def __init__(self) -> None:
        self.bits = ""

    def put(self, value: int, width: int) -> "Writer":
        self.bits += f"{value:0{width}b}"
        return self

    def unsigned(self, *values: int) -> "Writer":
        for value in values:
            self.bits += "0" * ((value + 1).bit_length() - 1) + f"{value + 1:b}"
        return self

    def signed(self, *values: int) -> "Writer":
        return self.unsigned(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def unit(self) -> bytes:
        bits = self.bits + "1"
        data = int(bits + "0" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8, "big")
        for low in range(4):  # emulation prevention (section 7.4.1)
            data = data.replace(b"\x00\x00" + bytes([low]), b"\x00\x00\x03" + bytes([low]))
        return START + b"\x67" + data


def size_part(writer: Writer) -> bytes:
    """8 by 6 macroblocks, frames only, cropped by 4 to the right and 2 below."""
    writer.unsigned(1).put(0, 1).unsigned(7, 5).put(1, 1).put(1, 1)
    return writer.put(1, 1).unsigned(0, 2, 0, 1).put(0, 1).unit()


def high_profile(chroma: int = 1) -> Writer:
    writer = Writer().put(100, 8).put(0, 8).put(31, 8).unsigned(0, chroma)
    if chroma == 3:
        writer.put(0, 1)
    return writer.unsigned(0, 0).put(0, 1)


def test_scaling_lists_before_the_size_are_passed_over() -> None:
    writer = high_profile().put(1, 1)
    writer.put(1, 1).signed(*[1] * 16)  # a whole list
    writer.put(1, 1).signed(2, 3, -13)  # one that ends early: the next scale would be 0
    writer.put(0, 4)
    writer.put(1, 1).signed(*[0] * 64)
    writer.put(0, 1)
    assert shown_size("H264", size_part(writer.unsigned(0, 0, 4))) == (124, 94)


def test_a_full_colour_parameter_set_has_more_lists() -> None:
    writer = high_profile(chroma=3).put(1, 1).put(0, 12)
    assert frame_size("H264", size_part(writer.unsigned(0, 2))) == (128, 96)


def test_an_order_count_with_offsets_is_passed_over() -> None:
    writer = Writer().put(66, 8).put(0, 8).put(31, 8).unsigned(0, 0)
    writer.unsigned(1).put(0, 1).signed(-2, 3).unsigned(3).signed(1, -1, 100)
    assert frame_size("H264", size_part(writer)) == (128, 96)


def test_an_order_count_with_more_offsets_than_allowed_cannot_be_read() -> None:
    writer = Writer().put(66, 8).put(0, 8).put(31, 8).unsigned(0, 0)
    writer.unsigned(1).put(0, 1).signed(0, 0).unsigned(256).signed(*[0] * 256)
    assert frame_size("H264", size_part(writer)) == h264.UNREADABLE


def test_a_number_longer_than_any_field_cannot_be_read() -> None:
    assert frame_size("H264", START + b"\x67\x42\x00\x1f" + b"\x00\x00\x03" * 8 + b"\x80") == h264.UNREADABLE


def test_an_interlaced_picture_counts_both_fields() -> None:
    picture = encoded(640, 360, **{"x264-params": "interlaced=1"})
    assert frame_size("H264", picture) == (640, 384)
    assert shown_size("H264", picture) == (640, 360)


def test_of_several_parameter_sets_the_largest_counts() -> None:
    assert frame_size("H264", encoded(320, 240) + encoded(1920, 1088) + encoded(64, 64)) == (1920, 1088)


def test_a_parameter_set_that_cannot_be_read_claims_more_than_any_limit() -> None:
    assert frame_size("H264", START + b"\x67\x42\x00") == h264.UNREADABLE


def test_an_idr_picture_is_a_key_and_others_are_not() -> None:
    assert is_key("H264", encoded(64, 64))
    assert not is_key("H264", START + b"\x41\x9a\x00")
    assert not is_key("H264", START)
