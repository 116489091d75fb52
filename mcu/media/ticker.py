"""The 20 ms tick of a worker's rooms: on time, counted when late, never replaying what is stale.

A tick that comes late by up to `CATCH_UP` ticks is made up for at once: what the jitter buffers hold is still fresh.
Time beyond that is skipped: the rooms only let it pass.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from mcu.clock import Clock
from mcu.ids import RoomId
from mcu.media.seams import TICK_MS

log = structlog.get_logger(__name__)

TICK_S = TICK_MS / 1000
CATCH_UP = 3  # ticks
LATE_MS = 10  # a tick later than this is late
BUCKETS_MS = (1, 2, 5, 10, 20, 50)  # upper bounds of the histogram; the last bucket is all above
BLOCK_S = 0.002  # give the event loop a turn after this much mixing


class Ticking(Protocol):
    """What has ticks: a room."""

    def tick(self) -> None: ...

    def skip(self) -> None: ...


class Ticker:
    """Calls `tick` of every room each 20 ms."""

    def __init__(self, clock: Clock, rooms: Mapping[RoomId, Ticking]) -> None:
        self._clock = clock
        self._rooms = rooms
        self.ticks = 0
        self.late_ticks = 0
        self.skipped_ticks = 0
        self.failed_ticks = 0
        self.late_histogram = [0] * (len(BUCKETS_MS) + 1)

    async def run(self) -> None:
        """Until cancelled."""
        due = self._clock.monotonic()
        while True:
            due += TICK_S
            await asyncio.sleep(max(0.0, due - self._clock.monotonic()))
            late = self._clock.monotonic() - due
            self._count(late)
            behind = int(late / TICK_S)
            for _ in range(behind - CATCH_UP):
                due += TICK_S
                self._skip()
            await self._tick()

    async def _tick(self) -> None:
        turn = self._clock.monotonic()
        for room in list(self._rooms.values()):
            self._guard(room.tick)
            now = self._clock.monotonic()
            if now - turn > BLOCK_S:
                await asyncio.sleep(0)
                turn = now

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # the outermost loop of all rooms: one room's defect must not silence the others
            self.failed_ticks += 1
            log.exception("tick_failed", failed=self.failed_ticks)

    def _skip(self) -> None:
        self.skipped_ticks += 1
        for room in self._rooms.values():
            self._guard(room.skip)

    def _count(self, late: float) -> None:
        self.ticks += 1
        late_ms = late * 1000
        self.late_ticks += late_ms > LATE_MS
        bucket = next((i for i, bound in enumerate(BUCKETS_MS) if late_ms < bound), len(BUCKETS_MS))
        self.late_histogram[bucket] += 1
