"""Streams: what is decoded, what is refused, and that one leg's trouble stays its own."""

import asyncio
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pictures import RED, ManualClock, encoded, frame_of, scenery
from structlog.testing import capture_logs

from mcu.media.picture import decoder
from mcu.media.picture.decoder import QUEUE, PictureDecoder, Stream, Undecodable, too_large
from mcu.media.seams import EncodedPicture, VideoCodec

CODECS: list[VideoCodec] = ["H264", "VP8"]


class Wired:
    """A stream, and what it asked for."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool, self.clock = pool, ManualClock()
        self.drops = Counter[str]()
        self.keys = 0
        self.stream = Stream(pool, self.clock, self._ask, self._drop)

    def _ask(self) -> None:
        self.keys += 1

    def _drop(self, reason: str, count: int) -> None:
        self.drops[reason] += count

    async def put(self, *pictures: EncodedPicture) -> None:
        for picture in pictures:
            self.stream.put(picture)
        for _ in range(len(pictures) + 1):  # its one thread is through with all of them then
            await asyncio.wrap_future(self.pool.submit(int))
        await asyncio.sleep(0)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


def oversize_vp8(side: int) -> EncodedPicture:
    """A key frame of a few bytes that claims to be enormous."""
    data = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", side, side) + bytes(200)
    return EncodedPicture(codec="VP8", data=data, timestamp=0, key=True, width=side, height=side)


@pytest.mark.parametrize("codec", CODECS)
async def test_pictures_are_decoded_in_order_and_the_latest_is_shown(
    codec: VideoCodec, pool: ThreadPoolExecutor
) -> None:
    wired = Wired(pool)
    pictures = encoded([scenery(number) for number in range(6)], codec)
    serials = []
    for picture in pictures:
        await wired.put(picture)
        assert wired.stream.shot is not None
        serials.append(wired.stream.shot.serial)
    assert len(set(serials)) == 6
    assert wired.stream.shot is not None
    assert (wired.stream.shot.image.width, wired.stream.shot.image.height) == (640, 360)
    assert not wired.drops


async def test_pictures_wait_for_their_sound_in_order_and_no_more_of_them_than_others_may(
    pool: ThreadPoolExecutor,
) -> None:
    wired = Wired(pool)
    pictures = encoded([scenery(number) for number in range(2 * QUEUE)])
    for picture in pictures[:3]:
        picture.wait = 0.1
    await wired.put(*pictures[:2])
    assert wired.stream.shot is None
    wired.clock.time += 0.05
    await wired.put(*pictures[2:4])  # the last does not wait for its sound, but for those before it
    assert wired.stream.shot is None
    wired.clock.time += 0.06
    await wired.put(pictures[4])
    assert wired.stream.shot is not None
    first = wired.stream.shot.serial
    for picture in pictures[5:]:
        picture.wait = 10
    await wired.put(*pictures[5:])
    assert wired.stream.shot.serial > first
    wired.stream.close()
    assert wired.drops == Counter(picture_not_shown=QUEUE)


async def test_a_stream_begins_by_asking_for_a_key_frame_and_shows_nothing_until_it_comes(
    pool: ThreadPoolExecutor,
) -> None:
    wired = Wired(pool)
    assert wired.keys == 1
    pictures = encoded([scenery(number) for number in range(4)], keys=[3])
    await wired.put(*pictures[1:3])
    assert (wired.stream.shot, wired.drops) == (None, Counter(picture_no_key=2))
    await wired.put(pictures[3])
    assert wired.stream.shot is not None


async def test_key_frames_are_asked_for_at_most_twice_a_second(pool: ThreadPoolExecutor) -> None:
    wired = Wired(pool)
    delta = encoded([scenery(0), scenery(1)])[1]
    for _ in range(60):
        wired.clock.time += 1 / 30
        await wired.put(delta)
    assert 4 <= wired.keys <= 5


async def test_a_key_frame_that_claims_to_be_enormous_is_refused_before_it_is_decoded(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = Wired(pool)
    made: list[str] = []
    monkeypatch.setattr(decoder, "PictureDecoder", lambda codec: made.append(codec))
    await wired.put(oversize_vp8(16200))
    assert wired.drops == Counter(picture_too_large=1)
    assert made == []


@pytest.mark.parametrize(("side", "refused"), [(1920, False), (1921, True), (16383, True)])
def test_the_largest_square_picture_is_1920_on_a_side(side: int, refused: bool) -> None:
    assert too_large(oversize_vp8(side)) is refused


def test_the_decoder_itself_refuses_a_picture_over_the_limit() -> None:
    with pytest.raises(Undecodable):
        PictureDecoder("H264").decode(encoded([frame_of(RED, 2720, 1600)]))


@pytest.mark.parametrize("codec", CODECS)
async def test_rubbish_is_counted_and_a_key_frame_asked_for_and_the_stream_recovers(
    codec: VideoCodec, pool: ThreadPoolExecutor
) -> None:
    wired = Wired(pool)
    pictures = encoded([scenery(number) for number in range(3)], codec, keys=[2])
    await wired.put(pictures[0])
    before = wired.stream.shot
    wired.clock.time += 1
    rubbish = EncodedPicture(codec=codec, data=b"\x00\x00\x01\x67" + b"\xff" * 40, timestamp=0, key=False)
    if codec == "VP8":
        rubbish.data = b"\x11\xff\xff"
    await wired.put(rubbish)
    assert wired.drops["picture_undecodable"] == 1
    assert wired.keys == 2
    assert wired.stream.shot is before  # the last good picture stays
    await wired.put(pictures[2])
    assert wired.stream.shot is not before


async def test_a_decoder_that_throws_whatever_it_does_ends_its_stream_until_the_next_key_frame(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = Wired(pool)
    pictures = encoded([scenery(number) for number in range(4)], keys=[3])

    def throw(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken, capture_logs() as logged:
        broken.setattr(decoder.PictureDecoder, "decode", throw)
        wired.clock.time += 1
        await wired.put(pictures[0])
    assert [line["event"] for line in logged] == ["decoder_failed"]
    assert wired.drops == Counter(picture_undecodable=1)
    assert wired.keys == 2
    await wired.put(*pictures[1:3])
    assert wired.stream.shot is None
    await wired.put(pictures[3])
    assert wired.stream.shot is not None


@pytest.mark.parametrize("codec", CODECS)
async def test_damaged_pictures_of_all_kinds_never_break_the_stream(
    codec: VideoCodec, pool: ThreadPoolExecutor
) -> None:
    wired = Wired(pool)
    good = encoded([scenery(number) for number in range(12)], codec)
    for number, picture in enumerate(good):
        damaged = bytearray(picture.data)
        for at in range(10 + number, len(damaged), 37):
            damaged[at] ^= 0x5A
        await wired.put(
            EncodedPicture(codec=codec, data=bytes(damaged[: -number or None]), timestamp=0, key=picture.key)
        )
    wired.clock.time += 1
    last = wired.stream.shot
    await wired.put(good[0])
    assert wired.stream.shot is not None
    assert wired.stream.shot is not last


async def test_the_queue_is_bounded_and_what_is_lost_is_counted(pool: ThreadPoolExecutor) -> None:
    wired, hold = Wired(pool), threading.Event()
    pool.submit(hold.wait)
    pictures = encoded([scenery(number) for number in range(QUEUE + 4)])
    for picture in pictures:
        wired.clock.time += 1 / 30
        wired.stream.put(picture)
    hold.set()
    await wired.put()
    assert wired.drops == Counter(picture_decoder_behind=QUEUE, picture_no_key=3, picture_not_shown=1)
    assert wired.stream.shot is None  # what was in the decoder is before the gap
    await wired.put(*encoded([scenery(0)]))
    assert wired.stream.shot is not None


async def test_what_is_in_the_decoder_when_a_stream_closes_comes_to_nothing(pool: ThreadPoolExecutor) -> None:
    wired, hold = Wired(pool), threading.Event()
    pool.submit(hold.wait)
    for picture in encoded([scenery(0), scenery(1), scenery(2)]):
        wired.stream.put(picture)
    wired.stream.close()
    hold.set()
    await wired.put()
    assert wired.stream.shot is None
    assert wired.drops == Counter(picture_not_shown=3)


async def test_a_leg_may_change_its_codec_at_a_key_frame(pool: ThreadPoolExecutor) -> None:
    wired = Wired(pool)
    await wired.put(*encoded([scenery(0)], "H264"), *encoded([scenery(1)], "VP8"))
    assert not wired.drops
    assert wired.stream.shot is not None
