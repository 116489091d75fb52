"""The 20 ms tick."""

import asyncio
import time

from structlog.testing import capture_logs

from mcu.clock import SystemClock
from mcu.ids import RoomId
from mcu.media.ticker import CATCH_UP, TICK_S, Ticker


class CountingRoom:
    """A room that counts, and can hold up the loop once or fail."""

    def __init__(self, block_s: float = 0.0, fails: bool = False) -> None:
        self.ticked = 0
        self.skipped = 0
        self._block_s = block_s
        self._fails = fails

    def tick(self) -> None:
        self.ticked += 1
        if self.ticked == 5:
            time.sleep(self._block_s)
        if self._fails:
            raise ValueError("a defect in this room")

    def skip(self) -> None:
        self.skipped += 1


async def run_for(ticker: Ticker, seconds: float) -> float:
    started = time.monotonic()
    task = asyncio.create_task(ticker.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return time.monotonic() - started


async def test_a_room_ticks_fifty_times_a_second() -> None:
    room = CountingRoom()
    elapsed = await run_for(Ticker(SystemClock(), {RoomId("a"): room}), 0.5)
    assert abs(room.ticked + room.skipped - elapsed / TICK_S) <= 2


async def test_a_long_stall_is_skipped_but_for_the_last_ticks_and_counted() -> None:
    room = CountingRoom(block_s=0.3)
    ticker = Ticker(SystemClock(), {RoomId("a"): room})
    elapsed = await run_for(ticker, 0.8)
    assert room.skipped == ticker.skipped_ticks
    assert room.skipped >= 0.3 / TICK_S - CATCH_UP - 2
    assert abs(room.ticked + room.skipped - elapsed / TICK_S) <= 2
    assert ticker.late_ticks >= CATCH_UP
    assert sum(ticker.late_histogram) == ticker.ticks


async def test_a_room_that_fails_does_not_silence_the_others() -> None:
    good, bad = CountingRoom(), CountingRoom(fails=True)
    ticker = Ticker(SystemClock(), {RoomId("bad"): bad, RoomId("good"): good})
    with capture_logs() as logged:
        await run_for(ticker, 0.2)
    assert logged[0]["event"] == "tick_failed"
    assert bad.ticked == ticker.failed_ticks >= 3
    assert good.ticked >= bad.ticked - 1  # the last tick may be cut off between the two
