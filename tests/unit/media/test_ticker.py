"""The 20 ms tick: the plane decodes, the rooms mix, the plane sends."""

import asyncio
import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from paper_plane import PaperPlane
from structlog.testing import capture_logs
from typing_extensions import Buffer

from mcu.clock import SystemClock
from mcu.media import ticker as ticker_module
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.seams import TICK_SAMPLES
from mcu.media.ticker import CATCH_UP, TICK_S, Ticker


class PromptPlane(PaperPlane):
    """Decodes when it is told to, in no time or in `takes_s`, and says so by the loop, as events come."""

    def __init__(self) -> None:
        super().__init__()
        self.takes_s = 0.0
        self.handed_over: list[float] = []
        self.on_collected: Callable[[int, int], None] = lambda _tick, _since: None
        self.answers = True

    def collect(self, tick: int, at: int, /) -> None:
        super().collect(tick, at)
        if self.answers:
            in_s = max(0.0, at / 1e6 - time.monotonic()) + self.takes_s
            asyncio.get_running_loop().call_later(in_s, lambda: self.on_collected(tick, int(time.monotonic() * 1e6)))

    def send(self, tick: int, sounds: Sequence[int], samples: Buffer, routes: Sequence[tuple[int, int]], /) -> None:
        super().send(tick, sounds, samples, routes)
        self.handed_over.append(time.monotonic())


class CountingRoom:
    """A room that counts, sends one stream to one leg, and can hold up the loop once or fail."""

    def __init__(self, plane: PaperPlane, block_s: float = 0.0, fails: bool = False, ticks: int = 10_000) -> None:
        self.sound_room = plane.add_room(5)
        self.leg, self.sound = plane.leg(), plane.add_sound(True)
        self.said: list[Said] = []
        self.numbers: list[int] = []
        self.unsent: list[int] = []
        self._block_s = block_s
        self._fails = fails
        self._ticks = ticks

    @property
    def idle(self) -> bool:
        return self.ticked >= self._ticks

    @property
    def ticked(self) -> int:
        return len(self.numbers)

    def tick(self, number: int, wall_ms: int, said: Said, out: Outgoing) -> None:
        assert abs(wall_ms / 1000 - time.time()) < 1
        self.numbers.append(number)
        self.said.append(said)
        if self.ticked == 5:
            time.sleep(self._block_s)
        out.route(self.leg, self.sound)
        out.rows([self.sound])[:] = 100
        if self._fails:
            raise ValueError("a defect in this room")

    def not_sent(self, number: int) -> None:
        self.unsent.append(number)


@pytest.fixture
def plane() -> PromptPlane:
    return PromptPlane()


@pytest.fixture
def ticker(plane: PromptPlane) -> Ticker:
    ticker = Ticker(SystemClock(), plane)
    plane.on_collected = ticker.on_collected
    return ticker


async def run_for(ticker: Ticker, seconds: float) -> float:
    started = time.monotonic()
    task = asyncio.create_task(ticker.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return time.monotonic() - started


async def test_a_room_ticks_fifty_times_a_second_and_all_it_mixes_is_sent(plane: PromptPlane, ticker: Ticker) -> None:
    room = CountingRoom(plane)
    ticker.wake(room)
    elapsed = await run_for(ticker, 0.5)
    assert abs(room.ticked + ticker.skipped_ticks - elapsed / TICK_S) <= 2
    assert [sent.tick for sent in plane.legs[room.leg]] == room.numbers
    assert all((sent.samples == 100).all() for sent in plane.legs[room.leg])


async def test_a_plane_that_takes_its_time_is_asked_so_much_earlier(plane: PromptPlane, ticker: Ticker) -> None:
    plane.takes_s = 0.008
    ticker.wake(CountingRoom(plane))
    started = time.monotonic()
    await run_for(ticker, 1.0)
    late_ms = [((at - started) * 1000 - tick * 20) for tick, at in enumerate(plane.handed_over, 1)]
    assert np.median(late_ms[:5]) > 5
    assert -3 < np.median(late_ms[-20:]) < 3
    assert ticker.late_histogram[0] > ticker.ticks / 2


async def test_how_long_what_was_decoded_waits_for_the_loop_is_counted(plane: PromptPlane, ticker: Ticker) -> None:
    room = CountingRoom(plane)
    ticker.wake(room)
    task = asyncio.create_task(ticker.run())
    await asyncio.sleep(0.1)
    ticker.on_collected(room.ticked + 1, int((time.monotonic() - 0.03) * 1e6))
    task.cancel()
    assert ticker.waited_histogram[5] == 1
    assert sum(ticker.waited_histogram) == ticker.ticks == room.ticked


async def test_each_room_is_given_what_was_said_in_it(plane: PromptPlane, ticker: Ticker) -> None:
    rooms = [CountingRoom(plane) for _ in range(3)]
    for room in rooms:
        ticker.wake(room)
    row = np.arange(TICK_SAMPLES, dtype=np.int16)
    plane.deliver(rooms[0].sound_room, {rooms[0].leg: row})
    plane.deliver(rooms[2].sound_room, {rooms[2].leg: row + 1, rooms[1].leg: row + 2})
    await run_for(ticker, 0.1)
    said = [
        [(talker.leg, int(samples[0])) for talker, samples in zip(one.talkers, one.samples, strict=True)]
        for one in (room.said[-1] for room in rooms)
    ]
    assert said == [[(rooms[0].leg, 0)], [], [(rooms[2].leg, 1), (rooms[1].leg, 2)]]


async def test_a_long_stall_is_skipped_but_for_the_last_ticks_and_counted(plane: PromptPlane, ticker: Ticker) -> None:
    room = CountingRoom(plane, block_s=0.3)
    ticker.wake(room)
    elapsed = await run_for(ticker, 0.8)
    assert len(plane.skipped) == ticker.skipped_ticks
    assert ticker.skipped_ticks >= 0.3 / TICK_S - CATCH_UP - 2
    assert abs(room.ticked + ticker.skipped_ticks - elapsed / TICK_S) <= 2
    assert sorted({*room.numbers, *plane.skipped}) == list(range(1, room.numbers[-1] + 1))
    assert ticker.late_ticks >= CATCH_UP
    assert sum(ticker.late_histogram) == ticker.ticks


async def test_a_room_that_fails_does_not_silence_the_others_and_nothing_of_it_is_sent(
    plane: PromptPlane, ticker: Ticker
) -> None:
    bad, good = CountingRoom(plane, fails=True), CountingRoom(plane)
    ticker.wake(bad)
    ticker.wake(good)
    with capture_logs() as logged:
        await run_for(ticker, 0.2)
    assert logged[0]["event"] == "tick_failed"
    assert bad.ticked == ticker.failed_ticks >= 3
    assert good.ticked == bad.ticked == len(plane.legs[good.leg])
    assert plane.legs[bad.leg] == []


async def test_a_tick_that_the_plane_does_not_take_is_one_that_no_room_sent(
    plane: PromptPlane, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = CountingRoom(plane)
    ticker.wake(room)

    def refuse(*_: object) -> None:
        raise OverflowError("the sound thread is behind")

    monkeypatch.setattr(plane, "send", refuse)
    with capture_logs() as logged:
        await run_for(ticker, 0.1)
    assert {entry["event"] for entry in logged} == {"tick_not_sent"}
    assert room.unsent == room.numbers != []


async def test_a_tick_for_which_the_plane_is_behind_is_skipped(plane: PromptPlane, ticker: Ticker) -> None:
    room = CountingRoom(plane)
    ticker.wake(room)
    plane.behind = True
    await run_for(ticker, 0.1)
    assert room.ticked == 0
    assert ticker.skipped_ticks >= 3


async def test_while_all_rooms_are_idle_there_are_no_ticks_and_none_is_made_up_for(
    plane: PromptPlane, ticker: Ticker
) -> None:
    room = CountingRoom(plane, ticks=3)
    ticker.wake(room)
    asyncio.get_running_loop().call_later(0.3, ticker.wake, room)
    await run_for(ticker, 0.2)
    assert room.ticked == len(plane.collected) == ticker.ticks == 3
    task = asyncio.create_task(ticker.run())
    await asyncio.sleep(0.2)
    task.cancel()
    assert room.ticked == len(plane.collected) == ticker.ticks == 4
    assert plane.skipped == []


async def test_a_room_that_is_closed_has_no_tick_more(plane: PromptPlane, ticker: Ticker) -> None:
    room = CountingRoom(plane)
    ticker.wake(room)
    ticker.forget(room)
    await run_for(ticker, 0.1)
    assert room.ticked == 0


async def test_a_plane_that_does_not_answer_ends_the_ticker(
    plane: PromptPlane, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker_module, "STUCK_S", 0.05)
    ticker.wake(CountingRoom(plane))
    plane.answers = False
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ticker.run(), 5)
