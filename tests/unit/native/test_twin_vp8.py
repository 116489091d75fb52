"""VP8: descriptors of every shape, the frames they carry, and the size that a key frame claims."""

from contextlib import suppress

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st
from wire_twins import frame_size, is_key, vp8
from wire_twins.rtp import Malformed

frames = st.binary(min_size=1, max_size=6000)
optional_bits = st.one_of(st.none(), st.integers(0, 127))


@given(frames, st.integers(20, 1500))
def test_what_is_cut_into_payloads_comes_back(frame: bytes, size: int) -> None:
    pieces = [vp8.parse(payload) for payload in vp8.payloads(frame, size)]
    assert b"".join(piece.data for piece in pieces) == frame
    assert [piece.first for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert all(len(payload) <= size for payload in vp8.payloads(frame, size))


@given(frames)
def test_aiortc_reads_what_we_cut(frame: bytes) -> None:
    assert b"".join(VpxPayloadDescriptor.parse(payload)[1] for payload in vp8.payloads(frame, 1100)) == frame


@given(
    st.booleans(),
    st.integers(0, 7),
    st.one_of(st.none(), st.integers(0, 32767)),
    optional_bits,
    st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 1))),
    st.one_of(st.none(), st.integers(0, 31)),
    st.binary(min_size=1, max_size=50),
)
def test_every_descriptor_that_aiortc_writes_is_read(
    start: bool,
    partition: int,
    picture_id: int | None,
    index: int | None,
    layer: tuple[int, int] | None,
    key_index: int | None,
    data: bytes,
) -> None:
    descriptor = VpxPayloadDescriptor(int(start), partition, picture_id, index, layer, key_index)
    piece = vp8.parse(bytes(descriptor) + data)
    assert piece == (start and partition == 0, data)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_payload_or_malformed_and_nothing_else(payload: bytes) -> None:
    with suppress(Malformed):
        vp8.parse(payload)


@pytest.mark.parametrize("payload", [b"", b"\x10", b"\x90\x80", b"\x90\x80\x81", b"\x90\xf0\x01\x02"])
def test_a_descriptor_without_data_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        vp8.parse(payload)


def key_frame(width: int, height: int, scaling: int = 0) -> bytes:
    sizes = (width | scaling << 14).to_bytes(2, "little") + (height | scaling << 14).to_bytes(2, "little")
    return b"\x10\x02\x00\x9d\x01\x2a" + sizes + b"\x00"


@given(st.integers(0, 16383), st.integers(0, 16383), st.integers(0, 3))
def test_the_size_is_what_the_key_frame_claims(width: int, height: int, scaling: int) -> None:
    assert frame_size("VP8", key_frame(width, height, scaling)) == (width, height)


@pytest.mark.parametrize(
    "frame", [b"", b"\x11" + key_frame(4, 4)[1:], key_frame(4, 4)[:9], b"\x10\x02\x00abc\x01\x00\x01\x00"]
)
def test_what_is_no_key_frame_claims_no_size(frame: bytes) -> None:
    assert frame_size("VP8", frame) is None


def test_the_first_bit_tells_a_key_frame() -> None:
    assert is_key("VP8", key_frame(4, 4))
    assert not is_key("VP8", b"\x11")
    assert not is_key("VP8", b"")
