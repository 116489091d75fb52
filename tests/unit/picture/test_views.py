"""Views of one's own, and content as a picture of its own: real decoders and encoders, time moved by the test."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import av
import msgspec
import pytest
from av.video.frame import VideoFrame
from picture_room import Meeting
from pictures import BLUE, GREEN, RED, Colour, colour_at, encoded, frame_of, near, scenery, seen, viewer

from mcu.ids import LegId
from mcu.media.messages import Layout, Personal, RoomProfile, Source
from mcu.media.picture.content import FPS, fitting
from mcu.media.picture.pools import Pools
from mcu.media.seams import EncodedPicture, FrameLimit

PROFILE = RoomProfile(width=640, height=360, fps=30, layout=Layout.AUTO)
SIZE = (800, 600)


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    pool = ThreadPoolExecutor(max_workers=2)
    meeting = Meeting(Pools(pool, pool), PROFILE)
    yield meeting
    meeting.room.set_viewers([])
    await asyncio.to_thread(pool.shutdown)
    await asyncio.sleep(0)


def shared(meeting: Meeting, leg: str) -> list[EncodedPicture]:
    return [picture for legs, picture in meeting.out.content if leg in legs]


def decoded(pictures: list[EncodedPicture]) -> VideoFrame:
    context = av.CodecContext.create("h264" if pictures[0].codec == "H264" else "vp8", "r")
    context.options = {"flags": "low_delay"}
    return [frame for picture in pictures for frame in context.decode(av.Packet(picture.data))][-1]


def share(meeting: Meeting, leg: str, colour: Colour) -> None:
    for picture in encoded([frame_of(colour, *SIZE)]):
        meeting.room.on_picture(LegId(leg), Source.SCREEN, picture)


async def test_a_personal_view_has_all_but_its_own_leg_in_it(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b"), seen("c")])
    meeting.room.set_viewers([viewer("a", personal=Personal.PERSONAL), viewer("b"), viewer("c")])
    await meeting.frames()
    for leg, colour in (("a", RED), ("b", GREEN), ("c", BLUE)):
        meeting.send(leg, colour)
    await meeting.until(lambda: meeting.shows("a", GREEN) and meeting.shows("a", BLUE) and meeting.shows("b", RED))
    assert not meeting.shows("a", RED)
    assert [tile.leg for tile in meeting.out.shown[LegId("a")].tiles] == ["b", "c"]
    assert [tile.leg for tile in meeting.out.shown[LegId("b")].tiles] == ["a", "b", "c"]
    assert meeting.out.shown[LegId("a")].personal is Personal.PERSONAL


async def test_a_leg_that_wants_a_view_of_its_own_changes_at_a_key_frame_and_misses_nothing(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    await meeting.frames(3)
    before = len(meeting.out.sent_to("a"))
    meeting.room.set_viewers([viewer("a", personal=Personal.PERSONAL), viewer("b")])
    await meeting.frames(3)
    assert meeting.out.sent_to("a")[before].key
    assert len(meeting.out.sent_to("b")) == 1  # nobody else notices
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    await meeting.frames(3)
    assert meeting.out.shown[LegId("a")].personal is Personal.SHARED
    assert len(meeting.out.shown[LegId("a")].tiles) == 2


async def test_who_takes_content_gets_it_in_its_own_size_and_people_without_it(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b", screen=True)])
    meeting.room.set_viewers([viewer("a", content="H264"), viewer("b", content="H264"), viewer("c")])
    await meeting.frames()
    share(meeting, "b", GREEN)
    await meeting.until(lambda: bool(shared(meeting, "a")) and meeting.shows("c", GREEN))
    screen = decoded(shared(meeting, "a"))
    assert (screen.width, screen.height) == SIZE
    assert near(colour_at(screen, 5, 5), GREEN)
    assert near(colour_at(screen, SIZE[0] - 5, SIZE[1] - 5), GREEN)
    assert not meeting.shows("a", GREEN)
    assert meeting.out.shown[LegId("a")].layout is Layout.GRID
    assert meeting.out.shown[LegId("c")].layout is Layout.PRESENTATION_WITH_TILES
    assert [meeting.out.shown[LegId(leg)].content for leg in "abc"] == ["b", None, None]
    assert not shared(meeting, "b")  # it has it already
    assert not shared(meeting, "c")


async def test_a_view_without_content_in_it_is_shared_by_all_who_choose_its_layout(meeting: Meeting) -> None:
    meeting.room.set_layout(Layout.GRID)
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False, screen=True)])
    meeting.room.set_viewers([viewer("a", content="H264"), viewer("c")])
    await meeting.frames()
    assert [sorted(legs) for legs, _ in meeting.out.sent] == [["a", "c"]]


async def test_what_a_line_has_goes_to_content_before_people(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b", camera=False, screen=True)])
    meeting.room.set_viewers([viewer("a", content="H264", rate=700_000)])
    await meeting.frames()
    screen, camera = (encoded([scenery(number, *size) for number in range(90)]) for size in (SIZE, (160, 90)))
    for shown, person in zip(screen, camera, strict=True):
        await meeting.show("b", Source.SCREEN, shown)
        await meeting.show("a", Source.CAMERA, person)
        await meeting.frames()
    seconds = 3
    content = sum(len(picture.data) for picture in shared(meeting, "a")) * 8 / seconds
    people = sum(len(picture.data) for picture in meeting.out.sent_to("a")) * 8 / seconds
    assert content > 2 * people
    assert content + people < 1.3 * 700_000  # the first key frames are of it


async def test_who_has_no_room_for_two_pictures_sees_content_in_the_one_and_apart_again_when_there_is(
    meeting: Meeting,
) -> None:
    meeting.room.set_seen([seen("a"), seen("b", camera=False, screen=True)])
    meeting.room.set_viewers([viewer("a", content="H264", rate=80_000), viewer("b", content="H264")])
    await meeting.frames(60)
    share(meeting, "b", GREEN)
    await meeting.until(lambda: meeting.shows("a", GREEN))
    assert not shared(meeting, "a")
    assert meeting.out.shown[LegId("a")].layout is Layout.PRESENTATION_WITH_TILES
    assert meeting.out.shown[LegId("b")].layout is Layout.GRID  # who shares sees people, as before
    meeting.room.set_bandwidth(LegId("a"), 900_000)
    await meeting.frames(90)
    assert shared(meeting, "a")
    assert meeting.out.shown[LegId("a")].layout is Layout.GRID
    assert meeting.out.shown[LegId("a")].content == "b"
    meeting.room.set_bandwidth(LegId("a"), 10_000)
    await meeting.frames(90)
    assert meeting.out.shown[LegId("a")].content is None  # there is room for none


async def test_content_comes_again_when_it_changed_and_no_oftener_than_its_class_allows(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False, screen=True)])
    meeting.room.set_viewers([viewer("a", content="VP8", rate=5_000_000)])
    await meeting.frames()
    moving = encoded([scenery(number, *SIZE) for number in range(60)])
    for picture in moving:
        meeting.room.on_picture(LegId("b"), Source.SCREEN, picture)
        await asyncio.sleep(0.005)
        await meeting.frames()
    assert FPS[0] < len(shared(meeting, "a")) <= 2 * FPS[0] + 1
    assert {picture.codec for picture in shared(meeting, "a")} == {"VP8"}
    await asyncio.sleep(0.1)
    await meeting.frames(30 * 10)
    still = len(shared(meeting, "a"))
    await meeting.frames(30 * 10)
    assert 2 <= len(shared(meeting, "a")) - still <= 3
    assert [picture.key for picture in shared(meeting, "a")].count(True) == 1


async def test_content_that_changes_its_size_goes_on_with_a_key_frame(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("b", screen=True)])
    meeting.room.set_viewers([viewer("a", content="H264")])
    await meeting.frames()
    share(meeting, "b", GREEN)
    await meeting.until(lambda: bool(shared(meeting, "a")))
    before = len(shared(meeting, "a"))
    for picture in encoded([frame_of(BLUE, 480, 640)]):
        meeting.room.on_picture(LegId("b"), Source.SCREEN, picture)
    await meeting.until(lambda: len(shared(meeting, "a")) > before)
    assert shared(meeting, "a")[before].key
    last = decoded(shared(meeting, "a")[before:])
    assert (last.width, last.height) == (480, 640)
    assert near(colour_at(last, 240, 320), BLUE)


@pytest.mark.policy("S5.3-1")
async def test_a_share_that_is_withdrawn_is_gone_at_once_and_is_sent_to_nobody(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False, screen=True)])
    meeting.room.set_viewers([viewer("a", content="H264"), viewer("c")])
    await meeting.frames()
    share(meeting, "b", GREEN)
    await meeting.until(lambda: bool(shared(meeting, "a")) and meeting.shows("c", GREEN))
    sent = len(shared(meeting, "a"))
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    share(meeting, "b", GREEN)
    await asyncio.sleep(0.05)
    await meeting.frames(30)
    assert len(shared(meeting, "a")) == sent
    assert not meeting.shows("c", GREEN)
    assert meeting.out.shown[LegId("a")].content is None


@pytest.mark.policy("S5.3-1")
async def test_content_of_who_is_not_let_in_is_shown_to_nobody(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False)])
    meeting.room.set_viewers([viewer("a", content="H264")])
    await meeting.frames()
    share(meeting, "newcomer", GREEN)
    await asyncio.sleep(0.05)
    await meeting.frames(30)
    assert meeting.out.content == []


async def test_a_key_frame_of_content_is_asked_for_on_its_own(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False, screen=True)])
    meeting.room.set_viewers([viewer("a", content="H264")])
    await meeting.frames()
    share(meeting, "b", GREEN)
    await meeting.until(lambda: bool(shared(meeting, "a")))
    await meeting.frames(30)
    people, content = len(meeting.out.sent_to("a")), len(shared(meeting, "a"))
    meeting.room.key_requested(LegId("a"), Source.SCREEN)
    await meeting.frames()
    assert shared(meeting, "a")[content].key
    assert not any(picture.key for picture in meeting.out.sent_to("a")[people:])


async def test_a_lossy_leg_costs_the_others_no_key_frame(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    meeting.room.set_viewers([viewer("a"), viewer("b"), viewer("c")])
    meeting.out.losses[LegId("c")] = 0.15
    await meeting.frames(30 * 6)
    before = len(meeting.out.sent_to("a")), len(meeting.out.sent_to("c"))
    for _ in range(5):
        meeting.room.key_requested(LegId("c"), Source.CAMERA)
        await meeting.frames(30)
    assert not any(picture.key for picture in meeting.out.sent_to("a")[before[0] :])
    assert sum(picture.key for picture in meeting.out.sent_to("c")[before[1] :]) == 5


async def test_a_leg_whose_packets_begin_to_be_lost_costs_the_others_no_key_frame_either(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    meeting.room.set_viewers([viewer("a"), viewer("c")])
    await meeting.frames(30)
    before = len(meeting.out.sent_to("a")), len(meeting.out.sent_to("c"))
    meeting.out.losses[LegId("c")] = 0.4  # its line has just become narrow, and what it carries is not known yet
    meeting.room.key_requested(LegId("c"), Source.CAMERA)
    await meeting.frames(15)
    assert not any(picture.key for picture in meeting.out.sent_to("a")[before[0] :])
    assert [picture.key for picture in meeting.out.sent_to("c")[before[1] :]].count(True) == 1


async def test_a_line_that_narrows_and_widens_costs_the_others_no_key_frame(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    meeting.room.set_viewers([viewer("a"), viewer("c")])
    await meeting.frames(30)
    others, its = len(meeting.out.sent_to("a")), len(meeting.out.sent_to("c"))
    for bits in (60_000, 2_000_000):
        meeting.room.set_bandwidth(LegId("c"), bits)
        await meeting.frames(30 * 4)
    meeting.room.key_requested(LegId("c"), Source.CAMERA)
    await meeting.frames()
    assert not any(picture.key for picture in meeting.out.sent_to("a")[others:])
    assert meeting.out.sent_to("c")[-1].key
    meeting.room.key_requested(LegId("a"), Source.CAMERA)
    its = len(meeting.out.sent_to("c"))
    await meeting.frames(30 * 4)
    after = [legs for legs, _ in meeting.out.sent if LegId("c") in legs][-1]
    assert sorted(after) == ["a", "c"]
    assert [picture.key for picture in meeting.out.sent_to("c")[its:]].count(True) == 1


@pytest.mark.parametrize(
    ("sent", "encoded_as"),
    [((1280, 720), (1280, 720)), ((3840, 2160), (1920, 1080)), ((1081, 2341), (498, 1080)), ((40, 20), (160, 90))],
)
def test_content_is_encoded_in_its_own_size_up_to_1080p(sent: tuple[int, int], encoded_as: tuple[int, int]) -> None:
    assert fitting(*sent) == encoded_as


async def test_a_leg_that_takes_only_small_pictures_gets_them_so_often_as_it_takes_them(meeting: Meeting) -> None:
    small = FrameLimit(99, 1_320)  # 160x90 is 60 macroblocks: 22 times a second
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a"), msgspec.structs.replace(viewer("b"), limit=small)])
    await meeting.frames()
    for _ in range(60):
        meeting.send("a", GREEN)
        await asyncio.sleep(0.003)
        await meeting.frames()
    pictures = {leg: meeting.out.sent_to(leg) for leg in "ab"}
    assert [(pictures[leg][-1].width, pictures[leg][-1].height) for leg in "ab"] == [(640, 360), (160, 90)]
    assert len(pictures["b"]) <= 2 * 22 + 2 < len(pictures["a"])
    assert meeting.shows("b", GREEN)


async def test_who_takes_more_than_there_is_shares_with_those_who_set_no_limit(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False)])
    meeting.room.set_viewers([viewer("a"), msgspec.structs.replace(viewer("b"), limit=FrameLimit(3600, 108_000))])
    await meeting.frames()
    assert [sorted(legs) for legs, _ in meeting.out.sent] == [["a", "b"]]
    assert meeting.room.made == (1, 1)


async def test_what_is_made_is_counted_by_what_is_seen_and_how_it_is_encoded(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a"), viewer("c", "VP8"), viewer("d", personal=Personal.PERSONAL)])
    assert meeting.room.made == (2, 3)
    meeting.room.set_viewers([viewer("a"), msgspec.structs.replace(viewer("b"), layout=Layout.SPEAKER)])
    assert meeting.room.made == (2, 2)
    meeting.room.set_viewers([viewer("a"), msgspec.structs.replace(viewer("b"), limit=FrameLimit(99, 1_320))])
    assert meeting.room.made == (1, 2)
