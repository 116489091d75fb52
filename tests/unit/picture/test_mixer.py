"""A room's pictures from end to end, with real decoders and encoders: who sees what, how often, and at what cost."""

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from av.video.frame import VideoFrame
from picture_room import PROFILE, Meeting
from pictures import (
    BLUE,
    GREEN,
    RED,
    RecordedOutputs,
    colour_at,
    encoded,
    frame_of,
    near,
    seen,
    viewer,
)
from structlog.testing import capture_logs

from mcu.errors import Invalid
from mcu.ids import LegId
from mcu.media._native import I420
from mcu.media.messages import Layout, RoomProfile, Source
from mcu.media.picture import rates
from mcu.media.picture.decoder import PictureDecoder
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.picture.mixer import RoomPictures
from mcu.media.picture.pools import Pools
from mcu.media.seams import EncodedPicture


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2)


@pytest.fixture
async def meeting(pool: ThreadPoolExecutor) -> AsyncIterator[Meeting]:
    meeting = Meeting(Pools(pool, pool))
    yield meeting
    meeting.room.set_viewers([])
    await asyncio.to_thread(pool.shutdown)
    await asyncio.sleep(0)


async def test_everybody_sees_everybody_in_one_picture(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    await meeting.frames()
    meeting.send("a", RED)
    meeting.send("b", BLUE)
    await meeting.until(lambda: meeting.shows("a", RED) and meeting.shows("a", BLUE))
    left, right = colour_at(meeting.view_of("b"), 160, 180), colour_at(meeting.view_of("b"), 480, 180)
    assert near(left, RED)
    assert near(right, BLUE)


async def test_pictures_have_the_machines_time_so_that_who_moves_from_one_room_to_another_finds_it_go_on(
    meeting: Meeting,
) -> None:
    meeting.clock.time += 3600.0  # the room is an hour old
    meeting.room.set_seen([seen("a", camera=False)])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames(1)
    assert [picture.timestamp for picture in meeting.out.sent_to("a")] == [round(meeting.clock.time * 90_000)]


async def test_a_room_that_nobody_looks_at_composes_decodes_and_asks_for_nothing(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    await meeting.frames(5)
    meeting.send("a", RED)
    assert (meeting.room.frames_composed, meeting.room.encodes, meeting.out.keys) == (0, 0, [])
    assert meeting.room.dropped() == {"picture_not_shown": 1}


async def test_what_stands_still_is_encoded_ever_more_seldom_and_without_key_frames(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False)])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames(30 * 20)  # 20 seconds
    times = [picture.timestamp / 90_000 for picture in meeting.out.sent_to("a")]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == pytest.approx([0.4, 0.8, 1.6, 3.2, 5.0, 5.0], abs=0.07)
    assert [picture.key for picture in meeting.out.sent_to("a")] == [True] + [False] * 6
    assert meeting.room.frames_composed == 7
    meeting.room.set_speaker(LegId("a"))  # alone: it has no border
    meeting.room.set_seen([seen("a", camera=False, label="somebody else")])
    await meeting.frames(15)
    assert len(meeting.out.sent_to("a")) == 9  # at once, and soon again


async def test_legs_of_one_class_share_one_encode(meeting: Meeting) -> None:
    legs = [f"leg_{number}" for number in range(12)]
    meeting.room.set_seen([seen(leg, camera=False) for leg in legs])
    meeting.room.set_viewers([viewer(leg) for leg in legs])
    await meeting.frames()
    assert meeting.room.encodes == 1
    assert meeting.out.sent[0][0] == legs
    assert meeting.out.sent[0][1].key


async def test_legs_of_other_codecs_rates_and_layouts_have_classes_of_their_own(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    meeting.room.set_viewers(
        [viewer("a"), viewer("b", "VP8"), viewer("c", rate=100_000), viewer("d", layout=Layout.SPEAKER), viewer("e")]
    )
    await meeting.frames()
    assert (meeting.room.frames_composed, meeting.room.encodes) == (2, 4)  # two views, four classes
    assert sorted(map(sorted, (legs for legs, _ in meeting.out.sent))) == [["a", "e"], ["b"], ["c"], ["d"]]
    assert meeting.out.sent_to("b")[0].codec == "VP8"


async def test_a_narrow_line_gets_a_smaller_picture_but_a_screen_in_it_whole(pool: ThreadPoolExecutor) -> None:
    meeting = Meeting(Pools(pool, pool), RoomProfile(width=1280, height=720, fps=30, layout=Layout.AUTO))
    meeting.room.set_seen([seen("a", camera=False), seen("b")])
    meeting.room.set_viewers([viewer("a"), viewer("b", rate=300_000)])

    def sizes() -> dict[str, tuple[int, int]]:
        return {leg: (view.width, view.height) for leg in "ab" for view in [meeting.view_of(leg)]}

    await meeting.frames()
    meeting.send("b", GREEN)
    await meeting.until(lambda: meeting.shows("a", GREEN) and meeting.shows("b", GREEN))
    assert sizes() == {"a": (1280, 720), "b": (640, 360)}
    meeting.room.set_seen([seen("a", camera=False), seen("b", screen=True)])
    await meeting.frames()
    meeting.send("b", RED, Source.SCREEN)
    await meeting.until(lambda: meeting.shows("a", RED) and meeting.shows("b", RED))
    assert sizes() == {"a": (1280, 720), "b": (1280, 720)}


async def test_a_newcomer_to_a_class_begins_with_a_key_frame_that_the_others_share(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False)])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames(20)
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    await meeting.frames()
    legs, picture = meeting.out.sent[-1]
    assert (sorted(legs), picture.key) == (["a", "b"], True)


async def test_the_key_frame_of_a_leg_whose_line_narrows_costs_the_others_none(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False)])
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    await meeting.frames(31)
    before = len(meeting.out.sent)
    meeting.room.set_bandwidth(LegId("b"), 200_000)
    for _ in range(10):
        meeting.room.key_requested(LegId("b"), Source.CAMERA)
        await meeting.frames()
    keys = [legs for legs, picture in meeting.out.sent[before:] if picture.key]
    assert keys == [["b"]]


async def test_key_frame_requests_of_a_class_are_coalesced(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a", camera=False)])
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    await meeting.frames(31)
    before = len(meeting.out.sent)
    for _ in range(44):  # a second and a half, each leg asking at every frame
        meeting.room.key_requested(LegId("a"), Source.CAMERA)
        meeting.room.key_requested(LegId("b"), Source.CAMERA)
        await meeting.frames()
    keys = [picture.timestamp for _, picture in meeting.out.sent[before:] if picture.key]
    assert len(keys) == 3
    assert all(45_000 <= later - earlier <= 48_000 for earlier, later in itertools.pairwise(keys))


@pytest.mark.policy("S5.3-1")
async def test_who_is_not_let_in_yet_is_in_no_picture_though_it_sends_one(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a")])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    meeting.send("newcomer", BLUE)
    await asyncio.sleep(0.1)
    await meeting.frames(3)
    assert not meeting.shows("a", BLUE)
    assert meeting.room.dropped() == {"picture_not_shown": 1}
    assert [tile.leg for _, _, tiles in meeting.out.layouts for tile in tiles] == ["a"]
    meeting.room.set_seen([seen("a"), seen("newcomer")])
    await meeting.frames()
    meeting.send("newcomer", BLUE)
    await meeting.until(lambda: meeting.shows("a", BLUE))


@pytest.mark.policy("S5.3-1")
async def test_whoever_may_not_be_seen_any_more_is_gone_from_the_next_picture(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    await meeting.frames()
    meeting.send("b", BLUE)
    await meeting.until(lambda: meeting.shows("a", BLUE))
    meeting.room.set_seen([seen("a")])
    await meeting.frames()
    assert not meeting.shows("a", BLUE)
    meeting.send("b", BLUE)
    await asyncio.sleep(0.1)
    await meeting.frames(3)
    assert not meeting.shows("a", BLUE)
    assert meeting.room.dropped()["picture_not_shown"] == 1


async def test_a_picture_in_the_decoder_of_a_leg_that_left_is_never_shown(
    meeting: Meeting, pool: ThreadPoolExecutor
) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    hold = threading.Event()
    for _ in range(2):
        pool.submit(hold.wait)
    meeting.send("b", BLUE)
    meeting.room.set_seen([seen("a")])
    meeting.room.set_seen([seen("a"), seen("b")])  # and was back before the decoder had ended
    hold.set()
    await asyncio.sleep(0.1)
    await meeting.frames(3)
    assert not meeting.shows("a", BLUE)
    assert meeting.room.dropped() == {"picture_not_shown": 1}


@pytest.mark.policy("S5.3-1")
async def test_a_picture_that_is_being_made_when_a_leg_leaves_is_not_sent(
    meeting: Meeting, pool: ThreadPoolExecutor
) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    meeting.send("b", BLUE)
    await meeting.until(lambda: meeting.shows("a", BLUE))
    sent, hold = len(meeting.out.sent), threading.Event()
    meeting.room.key_requested(LegId("a"), Source.CAMERA)
    meeting.clock.time += 1
    for _ in range(2):
        pool.submit(hold.wait)
    making = asyncio.create_task(meeting.frames())
    await asyncio.sleep(0.02)
    meeting.room.set_seen([seen("a")])
    hold.set()
    await making
    assert len(meeting.out.sent) == sent
    assert meeting.room.dropped()["picture_withdrawn"] == 1
    await meeting.frames()
    assert meeting.out.sent[-1][1].key
    assert not meeting.shows("a", BLUE)


async def test_what_is_in_no_tile_is_not_decoded_and_a_key_frame_is_asked_for_when_it_is(meeting: Meeting) -> None:
    meeting.room.set_layout(Layout.SPEAKER)
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    assert meeting.out.keys == [("a", Source.CAMERA)]
    meeting.send("b", BLUE)
    assert meeting.room.dropped() == {"picture_not_shown": 1}
    meeting.room.set_speaker(LegId("b"))
    await meeting.frames()
    assert meeting.out.keys[1:] == [("b", Source.CAMERA)]
    meeting.send("b", BLUE)
    await meeting.until(lambda: meeting.shows("a", BLUE))


async def test_a_camera_that_is_off_or_has_stopped_gives_way_to_an_avatar(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a")])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    meeting.send("a", GREEN)
    await meeting.until(lambda: meeting.shows("a", GREEN))
    meeting.clock.time += 2.5
    await meeting.frames()
    assert meeting.shows("a", GREEN)
    meeting.clock.time += 0.6
    await meeting.frames()
    assert not meeting.shows("a", GREEN)
    meeting.send("a", GREEN)
    await meeting.until(lambda: meeting.shows("a", GREEN))
    meeting.room.set_seen([seen("a", camera=False)])
    await meeting.frames()
    assert not meeting.shows("a", GREEN)


async def test_a_screen_that_stands_still_is_shown_for_as_long_as_it_is_shared(meeting: Meeting) -> None:
    meeting.room.set_layout(Layout.AUTO)
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False, screen=True)])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    meeting.send("b", GREEN, Source.SCREEN)
    await meeting.until(lambda: meeting.shows("a", GREEN))
    meeting.clock.time += 600
    await meeting.frames()
    assert meeting.shows("a", GREEN)
    assert meeting.out.layouts[-1][1] is Layout.PRESENTATION_WITH_TILES
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    await meeting.frames()
    assert not meeting.shows("a", GREEN)
    assert meeting.out.layouts[-1][1] is Layout.GRID


async def test_the_latest_of_several_shared_screens_is_shown(meeting: Meeting) -> None:
    meeting.room.set_layout(Layout.AUTO)
    meeting.room.set_viewers([viewer("a")])
    meeting.room.set_seen([seen("a"), seen("b", screen=True)])
    meeting.room.set_seen([seen("a", screen=True), seen("b", screen=True)])
    await meeting.frames()
    assert (meeting.out.layouts[-1][2][0].leg, meeting.out.layouts[-1][2][0].source) == ("a", Source.SCREEN)
    meeting.room.set_seen([seen("a"), seen("b", screen=True)])
    await meeting.frames()
    assert meeting.out.layouts[-1][2][0].leg == "b"


async def test_each_viewer_is_told_its_layout_once_and_again_when_it_changes(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a"), viewer("b", layout=Layout.SPEAKER)])
    await meeting.frames(5)
    told = {tuple(legs): (layout, [tile.leg for tile in tiles]) for legs, layout, tiles in meeting.out.layouts}
    assert told == {("a",): (Layout.GRID, ["a", "b"]), ("b",): (Layout.SPEAKER, ["a"])}
    meeting.room.set_viewers([viewer("a"), viewer("b", layout=Layout.SPEAKER), viewer("c")])
    await meeting.frames(5)
    assert [legs for legs, _, _ in meeting.out.layouts[2:]] == [["c"]]
    meeting.room.set_speaker(LegId("b"))
    await meeting.frames(5)
    assert [(legs, [tile.leg for tile in tiles]) for legs, _, tiles in meeting.out.layouts[3:]] == [(["b"], ["b"])]


async def test_nothing_is_wanted_of_who_may_not_be_shown_any_more_or_while_nobody_looks(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    assert [wanted.hidden for *_, wanted in meeting.out.wanted] == [False, False]
    del meeting.out.wanted[:]
    meeting.room.set_seen([seen("a")])
    assert meeting.out.wanted == [("b", Source.CAMERA, rates.HIDDEN)]
    meeting.room.set_viewers([])
    assert meeting.out.wanted[-1] == ("a", Source.CAMERA, rates.HIDDEN)
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    assert (meeting.out.wanted[-1][0], meeting.out.wanted[-1][2].hidden) == ("a", False)


async def test_in_a_grid_of_many_small_tiles_every_other_picture_is_enough(meeting: Meeting) -> None:
    people = [seen(f"leg {number}") for number in range(10)]
    meeting.room.set_layout(Layout.GRID)
    meeting.room.set_viewers([viewer("leg 0")])
    for count, thin in ((9, False), (10, True), (9, False)):
        meeting.room.set_seen(people[:count])
        await meeting.frames()
        last = {leg: wanted for leg, _, wanted in meeting.out.wanted}
        assert {wanted.thin for wanted in last.values() if not wanted.hidden} == {thin}
    meeting.room.set_seen(people)
    meeting.room.set_viewers([viewer("leg 0"), viewer("leg 1", layout=Layout.SPEAKER)])
    await meeting.frames()
    thin_of = {leg: wanted.thin for leg, _, wanted in meeting.out.wanted}
    assert thin_of[LegId("leg 0")] is False  # large in the other view


async def test_senders_are_asked_for_what_their_tile_needs_when_it_changes(meeting: Meeting) -> None:
    meeting.room.set_layout(Layout.SPEAKER)
    meeting.room.set_seen([seen("a"), seen("b"), seen("c", camera=False)])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames(5)
    shown = rates.wanted_of(meeting.out.layouts[-1][2])
    assert meeting.out.wanted == [("a", Source.CAMERA, shown), ("b", Source.CAMERA, rates.HIDDEN)]
    del meeting.out.wanted[:]
    meeting.room.set_speaker(LegId("b"))
    await meeting.frames(5)
    assert sorted(meeting.out.wanted) == [("a", Source.CAMERA, rates.HIDDEN), ("b", Source.CAMERA, shown)]


def noisy(number: int) -> EncodedPicture:
    picture = VideoFrame(320, 180, "yuv420p")
    for plane in picture.planes:
        plane.update(bytes((number * 7919 + at * at) % 251 for at in range(plane.buffer_size)))
    return encoded([picture], rate=4_000_000)[0]


async def test_a_leg_whose_network_is_full_moves_to_a_lower_class_without_missing_a_picture(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a")])
    meeting.room.set_viewers([viewer("a"), viewer("b")])
    noise = [noisy(number) for number in range(5)]  # so that the encoder has to send as much as it may

    async def talk(count: int) -> None:
        for number in range(count):
            meeting.room.on_picture(LegId("a"), Source.CAMERA, noise[number % 5])
            await asyncio.sleep(0.002)
            await meeting.frames()

    await meeting.frames()
    await talk(30)
    meeting.room.set_viewers([viewer("a"), viewer("b", rate=120_000)])
    await talk(150)
    classes = {tuple(sorted(legs)) for legs, _ in meeting.out.sent[-2:]}
    assert classes == {("a",), ("b",)}
    times = [picture.timestamp for picture in meeting.out.sent_to("b")]
    assert times == sorted(set(times))
    meeting.view_of("b")  # all that it was sent can be decoded


async def test_one_leg_that_sends_rubbish_disturbs_nobody(meeting: Meeting) -> None:
    meeting.room.set_seen([seen("a"), seen("b")])
    meeting.room.set_viewers([viewer("a")])
    await meeting.frames()
    rubbish = encoded([frame_of(RED, 320, 180)])[0]
    rubbish.data = rubbish.data[:30] + bytes(300)
    meeting.room.on_picture(LegId("b"), Source.CAMERA, rubbish)
    meeting.send("a", GREEN)
    await meeting.until(lambda: meeting.shows("a", GREEN))


async def test_an_encoder_that_throws_is_replaced_within_two_seconds_and_the_other_classes_go_on(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting.room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    meeting.room.set_viewers([viewer("a"), viewer("b", "VP8")])
    encode, left = PictureEncoder.encode, [1]

    def throw_once(self: PictureEncoder, frame: VideoFrame, timestamp: int, *, key: bool) -> EncodedPicture | None:
        if self.codec == "VP8" and left and left.pop():
            raise MemoryError
        return encode(self, frame, timestamp, key=key)

    monkeypatch.setattr(PictureEncoder, "encode", throw_once)
    with capture_logs() as logged:
        await meeting.frames()
        assert [line["event"] for line in logged] == ["encoder_failed"]
    assert (len(meeting.out.sent_to("a")), len(meeting.out.sent_to("b"))) == (1, 0)
    await meeting.frames(60)
    assert meeting.out.sent_to("b")[0].key
    meeting.view_of("b")


async def test_it_runs_at_its_frame_rate_and_ends_when_it_is_cancelled(pool: ThreadPoolExecutor) -> None:
    out = RecordedOutputs()
    room = RoomPictures(PROFILE, Pools(pool, pool), out)
    running = asyncio.create_task(room.run())
    room.set_seen([seen("a", camera=False), seen("b", camera=False)])
    room.set_viewers([viewer("a")])
    for number in range(30):
        room.set_speaker(LegId("ab"[number % 2]))
        await asyncio.sleep(1 / 30)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    assert 15 <= len(out.sent) <= 32
    assert out.taken >= len(out.sent)  # nothing that came in time misses a frame
    steps = {b.timestamp - a.timestamp for (_, a), (_, b) in zip(out.sent, out.sent[1:], strict=False)}
    assert all(step > 0 and step % 3000 == 0 for step in steps)
    pool.shutdown()


async def test_what_came_before_a_frame_is_due_is_in_it_though_it_was_not_told_of(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, found, came = RecordedOutputs(), list[bool](), list[str]()
    room = RoomPictures(PROFILE, Pools(pool, pool), out)
    decode, frame = PictureDecoder.decode, RoomPictures.frame

    def slowly(self: PictureDecoder, pictures: Sequence[EncodedPicture]) -> I420 | None:
        time.sleep(0.003)
        came.append("decoded")
        return decode(self, pictures)

    async def look(self: RoomPictures, due: float) -> None:
        found.append(len(came) == out.taken)
        await frame(self, due)

    monkeypatch.setattr(PictureDecoder, "decode", slowly)
    monkeypatch.setattr(RoomPictures, "frame", look)
    [picture] = encoded([frame_of(BLUE)])
    monkeypatch.setattr(out, "take", lambda: show(room, out, picture))
    room.set_seen([seen("a"), seen("b")])
    room.set_viewers([viewer("a")])
    await room.frame(0)  # all have their tiles
    found.clear()
    running = asyncio.create_task(room.run())
    await asyncio.sleep(0.5)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert len(found) >= 5
    assert found.count(False) <= len(found) // 4  # where the machine took longer than a frame waits
    pool.shutdown()


def show(room: RoomPictures, out: RecordedOutputs, picture: EncodedPicture) -> None:
    out.taken += 1
    room.on_picture(LegId("b"), Source.CAMERA, picture)


async def test_a_canvas_that_cannot_be_divided_is_refused(pool: ThreadPoolExecutor) -> None:
    with pytest.raises(Invalid):
        RoomPictures(RoomProfile(width=641), Pools(pool, pool), RecordedOutputs())
    pool.shutdown()
