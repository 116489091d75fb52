"""The threads that pictures are made on."""

import asyncio
import threading
from pathlib import Path

from picture_room import Meeting
from pictures import BLUE, seen, viewer

from mcu.ids import LegId
from mcu.media.messages import Source
from mcu.media.picture.decoder import QUEUE
from mcu.media.picture.pools import Share, pools


def _name() -> str:
    return Path("/proc/thread-self/comm").read_text().strip()


def test_each_pools_threads_say_what_they_do() -> None:
    names = list[str]()
    with pools() as both:
        both.decode.submit(lambda: names.append(_name()))
        assert both.paint.submit(_name).result() == "mcu-encode"
    assert names == ["mcu-decode"]


def test_work_that_fails_takes_no_thread_with_it_and_all_that_was_given_is_done_at_the_end() -> None:
    done = list[int]()

    def fail() -> None:
        raise ValueError

    with pools() as both:
        for number in range(8):
            both.decode.submit(fail)
            both.decode.submit(done.append, number)
    assert sorted(done) == list(range(8))


async def test_what_comes_is_decoded_though_every_encoder_is_busy() -> None:
    with pools() as both:
        meeting, hold = Meeting(both), threading.Event()
        meeting.room.set_seen([seen("a"), seen("b")])
        meeting.room.set_viewers([viewer("a")])
        await meeting.frames()
        for _ in range(64):
            both.paint.submit(hold.wait)
        for _ in range(2 * QUEUE):
            meeting.send("b", BLUE)
            await asyncio.sleep(0.02)
        hold.set()
        assert meeting.room.dropped() == {}
        meeting.room.key_requested(LegId("a"), Source.CAMERA)
        await meeting.until(lambda: meeting.shows("a", BLUE))
        meeting.room.set_viewers([])
        await asyncio.sleep(0)


async def test_who_asks_is_told_when_all_of_a_share_is_done_or_has_waited_long_enough() -> None:
    hold, done = threading.Event(), list[int]()

    def work(number: int) -> None:
        hold.wait()
        done.append(number)
        if number == 1:
            raise ValueError

    with pools() as both:
        share, other = Share(both.decode), Share(both.decode)
        await asyncio.wait_for(share.done(60), 5)  # there is nothing
        for number in range(3):
            share.submit(work, number)
        await asyncio.wait_for(share.done(0.01), 5)  # it takes too long
        await asyncio.wait_for(other.done(60), 5)
        waiting = asyncio.create_task(share.done(60))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        assert not done
        hold.set()
        await asyncio.wait_for(waiting, 5)
        assert sorted(done) == [0, 1, 2]
