"""H.264: what is cut into RTP payloads comes back, by our parser and by aiortc's; and no parameter set lies unseen."""

from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import h264_depayload
from hypothesis import given
from hypothesis import strategies as st

from mcu.protocol import frame_size, h264, is_key, shown_size
from mcu.protocol.rtp import Malformed

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
