"""Encoders and decoders, for real: what goes in comes out, and settings hold."""

import av
import av.logging
import pytest
from av.bitstream import BitStreamFilterContext
from pictures import encoded, psnr, scenery
from PIL import Image, ImageDraw
from wire_twins import h264

from mcu.media.picture.encoder import SLICE_MAX, Failed, PictureEncoder
from mcu.media.picture.masks import font
from mcu.media.seams import EncodedPicture, VideoCodec

CODECS: list[VideoCodec] = ["H264", "VP8"]


def decode(pictures: list[EncodedPicture]) -> list[av.VideoFrame]:
    context = av.CodecContext.create("vp8" if pictures[0].codec == "VP8" else "h264", "r")
    context.options = {"flags": "low_delay"}
    return [frame for picture in pictures for frame in context.decode(av.Packet(picture.data))]


def page_of_text(width: int = 640, height: int = 360) -> av.VideoFrame:
    """Small letters on white, as on a shared screen."""
    words = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "and")
    image = Image.new("RGB", (width, height), "white")
    for row in range(height // 16):
        line = " ".join(words[(row * 5 + at * 3) % len(words)] for at in range(24))
        ImageDraw.Draw(image).text((4, row * 16), line, fill=(20, 20, 60), font=font(12))
    return av.VideoFrame.from_image(image).reformat(format="yuv420p")


def sharpness(bits_per_second: int, number: int, *, content: bool) -> float:
    """PSNR of a page of text in VP8, in the picture of this number; dB."""
    encoder, page = PictureEncoder("VP8", 640, 360, 10, bits_per_second, content=content), page_of_text()
    made = [encoder.encode(page, 9000 * at, key=at == 0) for at in range(number + 1)]
    return psnr(page, decode([picture for picture in made if picture is not None])[-1])


def bits_per_second(encoder: PictureEncoder, first: int, count: int) -> float:
    frames = [scenery(7 * number) for number in range(30)]
    sizes = [
        len(picture.data)
        for number in range(first, first + count)
        if (picture := encoder.encode(frames[number % 30], number * 3000, key=False)) is not None
    ]
    return sum(sizes) * 8 * 30 / count


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_encoded_is_decoded_at_once_and_looks_the_same(codec: VideoCodec) -> None:
    frames = [scenery(number) for number in range(10)]
    decoded = decode(encoded(frames, codec, 2_000_000))
    assert len(decoded) == 10
    assert psnr(frames[-1], decoded[-1]) > 30


@pytest.mark.parametrize("codec", CODECS)
def test_key_frames_come_first_and_when_asked_for_and_never_else(codec: VideoCodec) -> None:
    pictures = encoded([scenery(40 * number) for number in range(60)], codec, keys=[20])
    assert [number for number, picture in enumerate(pictures) if picture.key] == [0, 20]


@pytest.mark.parametrize("codec", CODECS)
def test_a_decoder_can_begin_at_a_key_frame_that_was_asked_for(codec: VideoCodec) -> None:
    frames = [scenery(number) for number in range(30)]
    assert psnr(frames[-1], decode(encoded(frames, codec, 2_000_000, keys=[20])[20:])[-1]) > 30


def test_each_slice_for_packetization_mode_0_fits_in_a_packet() -> None:
    pictures = encoded([scenery(number) for number in range(6)], "H264/0", 2_000_000, keys=[3])
    units = [unit for picture in pictures for unit in h264.nal_units(picture.data)]
    assert max(map(len, units)) <= SLICE_MAX
    assert len(units) > 12
    assert len(decode(pictures)) == 6


def said_of_slices(pictures: list[EncodedPicture], what: str) -> set[str]:
    """The values of a field in the headers of H.264 slices, as FFmpeg reads them."""
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture() as lines:
            reads = BitStreamFilterContext("trace_headers", "h264")
            for picture in pictures:
                reads.filter(av.Packet(picture.data))
    finally:
        av.logging.set_level(None)
    return {message.split()[-1] for _, _, message in lines if what in message}


def test_edges_of_blocks_are_smoothed_only_where_they_are_coarse() -> None:
    frames = [scenery(7 * number) for number in range(12)]
    off = "disable_deblocking_filter_idc"
    assert said_of_slices(encoded(frames, rate=20_000_000), off) == {"1"}
    assert said_of_slices(encoded(frames, rate=300_000), off) == {"0"}


def test_h264_is_constrained_baseline_with_parameter_sets_in_each_key_frame() -> None:
    pictures = encoded([scenery(number) for number in range(6)], keys=[3])
    for key_frame in (pictures[0], pictures[3]):
        units = list(h264.nal_units(key_frame.data))
        sets = [unit for unit in units if unit[0] & 0x1F == h264.SPS]
        assert [unit[1:3] for unit in sets] == [b"\x42\xc0"]
        assert h264.IDR in [unit[0] & 0x1F for unit in units]
    assert h264.frame_size(pictures[0].data) == (640, 368)  # whole macroblocks


def test_x264_says_of_itself_that_it_is_fast_keeps_nothing_back_and_has_one_thread() -> None:
    made = PictureEncoder("H264", 640, 360, 30, 6_000_000).encode(scenery(0), 0, key=True)
    assert made is not None
    told = made.data[made.data.index(b"options:") :].split(b"\0")[0].decode().split()
    superfast = {"me=dia", "subme=1", "mixed_ref=0", "trellis=0", "ref=1", "cabac=0"}
    keeps_nothing_back = {"rc=cqp", "bframes=0", "mbtree=0", "scenecut=0"}
    assert superfast | keeps_nothing_back | {"threads=1", "sliced_threads=0"} <= set(told)


@pytest.mark.parametrize("codec", CODECS)
def test_the_rate_is_kept(codec: VideoCodec) -> None:
    encoder = PictureEncoder(codec, 640, 360, 30, 600_000)
    bits_per_second(encoder, 0, 60)
    assert bits_per_second(encoder, 60, 90) == pytest.approx(600_000, rel=0.2)


@pytest.mark.parametrize("codec", CODECS)
def test_the_rate_changes_in_place_and_without_a_key_frame(codec: VideoCodec) -> None:
    encoder = PictureEncoder(codec, 640, 360, 30, 1_800_000)
    before = bits_per_second(encoder, 0, 90)
    encoder.retarget(700_000)  # well above what this scenery needs at the coarsest
    bits_per_second(encoder, 90, 60)
    after = bits_per_second(encoder, 150, 90)
    assert (before, after) == (pytest.approx(1_800_000, rel=0.25), pytest.approx(700_000, rel=0.25))
    last = encoder.encode(scenery(1), 240 * 3000, key=False)
    assert last is not None
    assert not last.key


def test_small_letters_in_vp8_are_sharp_at_once_where_there_is_room_and_sooner_where_there_is_little() -> None:
    at_once = {content: sharpness(1_000_000, 0, content=content) for content in (False, True)}
    in_a_second = {content: sharpness(80_000, 10, content=content) for content in (False, True)}
    assert at_once[True] > at_once[False] + 4
    assert in_a_second[True] > in_a_second[False] + 2


def test_a_picture_of_another_size_fails_and_says_so() -> None:
    with pytest.raises(Failed):
        PictureEncoder("VP8", 320, 180, 30, 300_000).encode(scenery(0), 0, key=False)
