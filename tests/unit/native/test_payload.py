"""Video payloads in C against their Python twins, and against aiortc's readers."""

import contextlib

import av
import native_video as native
import pytest
import wire_twins
from aiortc.codecs.h264 import H264PayloadDescriptor, h264_depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor, vp8_depayload
from hypothesis import given
from hypothesis import strategies as st
from native_video import H264, MODE0, VP8
from wire_twins import h264, vp8
from wire_twins.rtp import Malformed

from mcu.media.seams import VideoCodec

START = b"\x00\x00\x00\x01"
NAMES: dict[int, VideoCodec] = {VP8: "VP8", H264: "H264"}
frames = st.binary(min_size=1, max_size=6000)
optional_bits = st.one_of(st.none(), st.integers(0, 127))

# A NAL unit has no start code inside and no zero at its end; the types are those of mode 0.
bodies = st.binary(min_size=1, max_size=4000).map(lambda body: body.replace(b"\x00", b"\x11") + b"\x80")
units = st.builds(lambda kind, body: bytes([0x60 | kind]) + body, st.integers(1, 12), bodies)
pictures = st.lists(units, min_size=1, max_size=8).map(lambda all_units: b"".join(START + unit for unit in all_units))
likely_h264 = st.builds(
    lambda head, rest: head + rest,
    st.sampled_from(
        [b"", b"\x78", b"\x7c", b"\x7c\x85", b"\x7c\x05", b"\x67", b"\x61", b"\x79", b"\x78\x00\x02\x09\xf0"]
    ),
    st.binary(max_size=60),
)
likely_vp8 = st.builds(
    lambda head, rest: head + rest,
    st.sampled_from([b"", b"\x10", b"\x90\x80", b"\x90\xf0", b"\x80\x20", b"\x00", b"\x11"]),
    st.binary(max_size=20),
)


# -- reading --------------------------------------------------------------------------------------------------------


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
    payload = bytes(VpxPayloadDescriptor(int(start), partition, picture_id, index, layer, key_index)) + data
    seen = native.look(VP8, payload)
    assert seen is not None
    begins = start and partition == 0
    assert (seen.begins, seen.key) == (begins, begins and not data[0] & 1)
    assert seen.picture_id == (-1 if picture_id is None else picture_id)
    assert (seen.temporal, seen.layer_sync) == (-1 if layer is None else layer[0], layer is not None and layer[1])
    assert native.append(VP8, payload, first=False) == data
    assert native.append(VP8, payload, first=True) == (data if begins else None)


@given(likely_vp8)
def test_any_vp8_payload_is_read_as_the_twin_reads_it(payload: bytes) -> None:
    try:
        piece = vp8.parse(payload)
    except Malformed:
        assert native.look(VP8, payload) is native.append(VP8, payload, first=False) is None
        return
    seen = native.look(VP8, payload)
    assert seen is not None
    if not payload[0] & 0x08:  # reserved, and ignored here (RFC 7741 section 4.2)
        assert seen.begins == piece.first
    assert native.append(VP8, payload, first=False) == piece.data


@given(likely_h264)
def test_any_h264_payload_is_read_as_the_twin_reads_it(payload: bytes) -> None:
    try:
        want = b"".join(h264.parse(payload))
    except Malformed:
        want = None
    if len(payload) == 1 and 1 <= payload[0] & 0x1F <= 23:
        want = START + payload  # the twin refuses a unit that is just its header, as the end of a sequence is
    assert native.append(H264, payload, first=False) == want
    assert (native.look(H264, payload) is not None) == (want is not None)
    assert native.append(H264, payload, first=True) == (None if h264.continues(payload) else want)


@given(likely_h264)
def test_mode_0_reads_single_units_only(payload: bytes) -> None:
    single = bool(payload) and 1 <= payload[0] & 0x1F <= 23
    assert native.append(MODE0, payload, first=True) == (START + payload if single else None)
    assert (native.look(MODE0, payload) is not None) == single


@pytest.mark.parametrize(
    ("payload", "begins", "key"),
    [
        (b"\x67\x42", True, False),  # SPS
        (b"\x09\xf0", True, False),  # access unit delimiter
        (b"\x68\xce", False, False),  # PPS: there may be an SPS before it
        (b"\x65\x88", False, True),
        (b"\x41\x9a", False, False),
        (b"\x78\x00\x02\x67\x42\x00\x02\x65\x88", True, True),
        (b"\x78\x00\x02\x65\x88\x00\x02\x67\x42", False, True),
        (b"\x7c\x85\x88", False, True),
        (b"\x7c\x45\x88", False, True),  # the end of an IDR slice
        (b"\x7c\x87\x42", True, False),
        (b"\x7c\x47\x42", False, False),
    ],
)
def test_a_payload_tells_whether_its_picture_begins_and_is_a_key_frame(payload: bytes, begins: bool, key: bool) -> None:
    seen = native.look(H264, payload)
    assert seen is not None
    assert (seen.begins, seen.key) == (begins, key)


# -- cutting --------------------------------------------------------------------------------------------------------


@given(frames, st.integers(16, 1500), st.integers(0, 0xFFFF))
def test_aiortc_reads_the_vp8_that_we_cut(frame: bytes, most: int, picture_id: int) -> None:
    payloads = native.cut(VP8, frame, most, picture_id)
    assert payloads is not None
    assert all(len(payload) <= most for payload in payloads)
    assert b"".join(vp8_depayload(payload) for payload in payloads) == frame
    descriptors = [VpxPayloadDescriptor.parse(payload)[0] for payload in payloads]
    assert {descriptor.picture_id for descriptor in descriptors} == {picture_id & 0x7FFF}
    assert [descriptor.partition_start for descriptor in descriptors] == [1] + [0] * (len(payloads) - 1)


@given(pictures, st.integers(16, 1500))
def test_aiortc_reads_the_h264_that_we_cut(picture: bytes, most: int) -> None:
    payloads = native.cut(H264, picture, most)
    assert payloads is not None
    assert all(len(payload) <= most for payload in payloads)
    assert b"".join(h264_depayload(payload) for payload in payloads) == picture
    assert H264PayloadDescriptor.parse(payloads[0])[0].first_fragment
    assert native.joined(H264, payloads) == picture


@given(pictures, st.integers(16, 1500), st.booleans())
def test_h264_is_cut_as_the_twin_cuts_it_but_for_the_even_fragments(picture: bytes, most: int, short: bool) -> None:
    given_picture = picture.replace(START, START[1:]) if short else picture
    ours, twins = native.cut(H264, given_picture, most), h264.payloads(given_picture, most)
    assert ours is not None
    assert [payload for payload in ours if payload[0] & 0x1F != h264.FU_A] == [
        payload for payload in twins if payload[0] & 0x1F != h264.FU_A
    ]
    assert len(ours) == len(twins)
    assert [payload[:2] for payload in ours if payload[0] & 0x1F == h264.FU_A] == [
        payload[:2] for payload in twins if payload[0] & 0x1F == h264.FU_A
    ]
    assert native.joined(H264, ours) == picture


@given(pictures, st.integers(16, 5000))
def test_mode_0_sends_each_unit_alone_or_refuses(picture: bytes, most: int) -> None:
    all_units = list(h264.nal_units(picture))
    fits = all(len(unit) <= most for unit in all_units)
    assert native.cut(MODE0, picture, most) == (all_units if fits else None)


@pytest.mark.parametrize("most", [0, 15, 65536])
def test_a_size_that_no_payload_may_have_is_refused(most: int) -> None:
    assert native.cut(VP8, b"x" * 100, most) is None
    assert native.cut(H264, START + b"e" * 100, most) is None


# -- what a picture claims ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", [VP8, H264])
@pytest.mark.parametrize(("width", "height"), [(16, 16), (318, 178), (1280, 720), (1920, 1080)])
def test_the_size_of_a_real_key_frame_is_what_the_encoder_was_told(codec: int, width: int, height: int) -> None:
    key, delta = native.encoded(codec, 2, width, height)[:2]
    size = native.size_of(codec, key)
    assert isinstance(size, native.Size)
    assert (size.width, size.height) == (width, height)
    assert (size.coded_width, size.coded_height) == wire_twins.frame_size(NAMES[codec], key)
    assert native.is_key(codec, key)
    assert not native.is_key(codec, delta)
    assert native.size_of(codec, delta) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"profile": "baseline"},
        {"profile": "high"},
        {"profile": "high", "x264-params": "cqm=jvt"},
        {"preset": "medium", "x264-params": "interlaced=1"},
        {"x264-params": "annexb=1:aud=1:repeat-headers=1:slices=3"},
    ],
)
def test_parameter_sets_of_every_kind_are_read_as_the_twin_reads_them(options: dict[str, str]) -> None:
    picture = native.encoded(H264, 1, 178, 148, **options)[0]
    size, want = native.size_of(H264, picture), h264.largest_size(picture)
    assert isinstance(size, native.Size)
    assert want is not None
    assert ((size.coded_width, size.coded_height), (size.width, size.height)) == want


def _want(codec: int, picture: bytes) -> tuple[tuple[int, int], tuple[int, int]] | int:
    coded = wire_twins.frame_size(NAMES[codec], picture)
    if coded is None:
        return -1 if codec == VP8 and vp8.is_key(picture) else 0
    shown = wire_twins.shown_size(NAMES[codec], picture) or coded
    if not all(0 < side <= 0xFFFF for side in (*coded, *shown)):
        return -1
    return coded, shown


def _got(codec: int, picture: bytes) -> tuple[tuple[int, int], tuple[int, int]] | int:
    size = native.size_of(codec, picture)
    return size if isinstance(size, int) else ((size.coded_width, size.coded_height), (size.width, size.height))


SPS = next(unit for unit in h264.nal_units(native.encoded(H264, 1, 178, 146, profile="high")[0]) if unit[0] & 0x1F == 7)


@given(st.binary(max_size=40), st.sampled_from([b"", b"\x67", b"\x67\x42\x00\x1f", b"\x67\x64\x00\x1f", SPS[:8]]))
def test_one_parameter_set_of_any_bytes_claims_what_the_twin_reads(rest: bytes, head: bytes) -> None:
    picture = START + head + rest.replace(b"\x00\x00\x01", b"\x00\x03\x01")
    assert _got(H264, picture) == _want(H264, picture)
    assert native.is_key(H264, picture) == h264.is_key(picture)


@given(st.integers(0, len(SPS) * 8 - 1), st.integers(1, len(SPS)))
def test_a_parameter_set_that_is_damaged_or_cut_claims_what_the_twin_reads(bit: int, length: int) -> None:
    damaged = bytearray(SPS)
    damaged[bit // 8] ^= 0x80 >> bit % 8
    picture = START + bytes(damaged[:length])
    assert _got(H264, picture) == _want(H264, picture)


@pytest.mark.parametrize(
    "parameters",
    [
        "67900033acb400fa007d32",  # profile 144, of which FFmpeg reads more than the standard says
        "67420033d000000301d0d1a007d003e98030d96becb741f69b7189e31335fe59d6",  # 6240x16 without, 8000x8000 with
        "67420033d0000003014c41a007d003e99cb6718ae457ccc74347674711b751549681590d393b36ce94b4c270ac63caad7128e900",
    ],
)
def test_no_parameter_set_claims_less_than_ffmpeg_reads(parameters: str) -> None:
    picture = START + bytes.fromhex(parameters)
    decoder = av.CodecContext.create("h264", "r")
    slices = START + bytes.fromhex("68ce3880") + START + bytes.fromhex("658884") + b"\x00\x00\x03" * 40
    with contextlib.suppress(av.error.InvalidDataError):
        decoder.decode(av.Packet(picture + slices))
    assert (decoder.width, decoder.height) == (8000, 8000)
    size = native.size_of(H264, picture)
    claimed = -1 if isinstance(size, int) else size.coded_width * size.coded_height
    assert claimed == -1 or claimed >= 8000 * 8000
    assert _got(H264, picture) == _want(H264, picture)


@given(st.one_of(st.binary(max_size=12), st.binary(max_size=6).map(lambda rest: b"\x10\x00\x00\x9d\x01\x2a" + rest)))
def test_a_vp8_frame_of_any_bytes_claims_what_the_twin_reads(frame: bytes) -> None:
    assert _got(VP8, frame) == _want(VP8, frame)
    assert native.is_key(VP8, frame) == vp8.is_key(frame)


def test_the_largest_parameter_set_counts_wherever_it_hides() -> None:
    small, large = (native.encoded(H264, 1, side, side)[0] for side in (64, 640))
    hidden = START + b"\x06" + b"\x11" * 9 + b"\x00\x00\x01" + large[large.index(b"\x67") :]
    size = native.size_of(H264, small + hidden + small)
    assert isinstance(size, native.Size)
    assert (size.width, size.height) == (640, 640)
